/* Reads a word a line and says what a file knows of it: the whole as JSON, or one field.
 *
 *     enrich geo.fsdb [FIELD] < words
 *
 * It is built with what pkg-config says: cc enrich.c $(pkg-config --cflags --libs fusedb) -o enrich
 */
#include <fusedb.h>
#include <stdio.h>
#include <string.h>

/* Says what went wrong, and frees it. */
static int fail(fuse_error *error) {
  fprintf(stderr, "enrich: %s\n", fuse_error_description(error));
  fuse_error_free(error);
  return 1;
}

/* Prints a part of a value. */
static fuse_status print(const fuse_value *part, fuse_buffer *json, fuse_error **error) {
  if (part->kind == FUSE_KIND_STRING) {
    printf("%.*s\n", (int)part->bytes.size, (const char *)part->bytes.data);
    return FUSE_OK;
  }
  fuse_status status = fuse_value_to_json(part->message_pack.data, part->message_pack.size, json, error);
  if (status == FUSE_OK) printf("%.*s\n", (int)json->size, (const char *)json->data);
  return status;
}

int main(int argc, char **argv) {
  if (argc < 2 || argc > 3) {
    fprintf(stderr, "usage: enrich DATABASE [FIELD] < words\n");
    return 64;
  }
  fuse_error *error = NULL;
  fuse_reader *reader = NULL;
  if (fuse_reader_open(argv[1], strlen(argv[1]), NULL, NULL, &reader, &error) < 0) return fail(error);

  /* NULL is the way to the whole value. */
  fuse_path *field = NULL;
  fuse_status status = FUSE_OK;
  if (argc == 3) status = fuse_path_make(argv[2], strlen(argv[2]), &field, &error);

  /* The buffer is used again for each line; what is printed in place is good until the reader is closed. */
  fuse_buffer json = FUSE_BUFFER_EMPTY;
  char line[4096];
  while (status >= 0 && fgets(line, sizeof line, stdin) != NULL) {
    size_t size = strcspn(line, "\n");
    fuse_value part;
    status = fuse_get_field(reader, line, size, field, &part, &error);
    printf("%.*s\t", (int)size, line);
    if (status == FUSE_OK) status = print(&part, &json, &error);
    else if (status == FUSE_NONE) printf("-\n");
  }
  fuse_buffer_free(&json);
  fuse_path_free(field);
  fuse_reader_close(reader);
  return status < 0 ? fail(error) : 0;
}
