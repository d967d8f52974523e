#include "CMsgpackTree.h"

#if !__has_include(<msgpack.h>)
#error "msgpack.h not found: apt-get install libmsgpack-dev"
#endif
#include <msgpack.h>
#include <stdlib.h>

struct msgpack_tree {
  msgpack_unpacked unpacked;
};

msgpack_tree *msgpack_tree_new(void) {
  msgpack_tree *tree = malloc(sizeof *tree);
  if (tree) msgpack_unpacked_init(&tree->unpacked);
  return tree;
}

void msgpack_tree_free(msgpack_tree *tree) {
  msgpack_unpacked_destroy(&tree->unpacked);
  free(tree);
}

uint32_t msgpack_tree_unpack(msgpack_tree *tree, const void *bytes, size_t count, uint64_t *second) {
  if (msgpack_unpack_next(&tree->unpacked, bytes, count, NULL) != MSGPACK_UNPACK_SUCCESS) return 0;
  const msgpack_object *root = &tree->unpacked.data;
  if (root->type != MSGPACK_OBJECT_MAP || root->via.map.size < 2) return 0;
  const msgpack_object *value = &root->via.map.ptr[1].val;
  if (value->type != MSGPACK_OBJECT_POSITIVE_INTEGER) return 0;
  *second = value->via.u64;
  return root->via.map.size;
}

const char *msgpack_tree_version(void) { return msgpack_version(); }
