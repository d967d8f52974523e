#include <stddef.h>
#include <stdint.h>

// FuseDB's own module has the types of msgpack-c, so this one does without them.

/// What msgpack-c unpacks into, again and again: each time gives back what the last one took.
typedef struct msgpack_tree msgpack_tree;

/// NULL when memory is short.
msgpack_tree *_Nullable msgpack_tree_new(void);
void msgpack_tree_free(msgpack_tree *_Nonnull tree);

/// Makes the tree of objects of a map with integers.
///
/// Returns how many pairs it has, and puts the value of the second one into `second`; 0 where it is no such map.
uint32_t msgpack_tree_unpack(
  msgpack_tree *_Nonnull tree, const void *_Nonnull bytes, size_t count, uint64_t *_Nonnull second);

const char *_Nonnull msgpack_tree_version(void);
