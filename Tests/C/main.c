/* Calls every function of fusedb.h, with good and bad arguments. Takes a folder for its files, and how often what threads do is tried. */
#define _POSIX_C_SOURCE 200809L
#include "check.h"

#include <time.h>

int checks, failures, rounds = 300;
static const char *folder;

void check(int is_true, const char *text, const char *file, int line) {
  checks += 1;
  if (is_true) return;
  failures += 1;
  printf("%s:%d: not so: %s\n", file, line, text);
}

void check_status(fuse_status found, fuse_status expected, fuse_error **error, const char *text, const char *file, int line) {
  checks += 1;
  if (found != expected) {
    failures += 1;
    printf("%s:%d: %s and not %s: %s\n  %s\n", file, line, fuse_status_name(found), fuse_status_name(expected), text,
           fuse_error_description(*error));
  }
  check((*error != NULL) == (found < 0), "there is an error exactly where the status is negative", file, line);
  check(fuse_error_code(*error) == (found < 0 ? found : FUSE_OK), "the error has the status", file, line);
  check(found >= 0 || strlen(fuse_error_message(*error)) > 10, "the error says what is wrong", file, line);
  fuse_error_free(*error);
  *error = NULL;
}

const char *path_of(const char *name) {
  static char paths[4][1024];
  static int next;
  char *path = paths[next++ % 4];
  snprintf(path, sizeof paths[0], "%s/%s", folder, name);
  return path;
}

int is_text(fuse_span span, const char *text) {
  return span.data != NULL && span.size == strlen(text) && memcmp(span.data, text, span.size) == 0;
}

int buffer_is(const fuse_buffer *buffer, const char *text) {
  return is_text((fuse_span){buffer->data, buffer->size}, text);
}

void make_file(const char *name, const char *org) {
  fuse_error *error = NULL;
  fuse_writer *writer = NULL;
  fuse_metadata metadata[] = {{SPAN("source"), SPAN("a test")}, {SPAN("built"), SPAN("2026-11-21T16:11:12Z")}};
  fuse_writer_options options = fuse_writer_options_default();
  options.metadata = metadata;
  options.metadata_count = 2;
  options.key_lengths = options.reverse_index = true;
  EXPECT(FUSE_OK, fuse_writer_make(&options, &writer, &error));
  char json[16384];
  uint64_t google = 99, other = 99;
  snprintf(json, sizeof json, "{\"org\":\"%s\",\"asn\":15169,\"geo\":{\"city\":[\"Zürich\",null]},\"lat\":47.5}", org);
  EXPECT(FUSE_OK, fuse_writer_add_json(writer, json, strlen(json), &google, &error));
  EXPECT(FUSE_OK, fuse_writer_add_json(writer, FUSE_TEXT("{\"org\":\"Cloudflare\"}"), &other, &error));
  fuse_span keys[] = {SPAN("8.8.8.8"), SPAN("gmail.com")};
  EXPECT(FUSE_OK, fuse_writer_add_keys(writer, keys, 2, google, &error));
  EXPECT(FUSE_OK, fuse_writer_add_key(writer, FUSE_TEXT("1.1.1.1"), other, &error));
  EXPECT(FUSE_OK, fuse_writer_build(writer, PATH(name), NULL, NULL, &error));
  CHECK(fuse_writer_close(writer) == FUSE_OK);
}

fuse_reader *open_file(const char *name) {
  fuse_error *error = NULL;
  fuse_reader *reader = NULL;
  EXPECT(FUSE_OK, fuse_reader_open(PATH(name), NULL, NULL, &reader, &error));
  return reader;
}

void change_byte(const char *name, long offset) {
  FILE *file = fopen(path_of(name), "r+b");
  if (offset < 0) fseek(file, offset, SEEK_END);
  else fseek(file, offset, SEEK_SET);
  int byte = fgetc(file);
  fseek(file, -1, SEEK_CUR);
  fputc(byte ^ 1, file);
  fclose(file);
}

long size_of(const char *name) {
  FILE *file = fopen(path_of(name), "rb");
  if (file == NULL) return -1;
  fseek(file, 0, SEEK_END);
  long size = ftell(file);
  fclose(file);
  return size;
}

void cut_file(const char *name, long size) {
  char *bytes = malloc((size_t)size + 1);
  FILE *file = fopen(path_of(name), "rb");
  size_t count = fread(bytes, 1, (size_t)size, file);
  fclose(file);
  file = fopen(path_of(name), "wb");
  fwrite(bytes, 1, count, file);
  fclose(file);
  free(bytes);
}

struct told told = {.lock = PTHREAD_MUTEX_INITIALIZER, .changed = PTHREAD_COND_INITIALIZER};

int comes_to(int changes, int failures) {
  struct timespec end;
  clock_gettime(CLOCK_REALTIME, &end);
  end.tv_sec += 60;
  int result = 0;
  pthread_mutex_lock(&told.lock);
  while (result == 0 && (told.changes < changes || told.failures < failures)) {
    result = pthread_cond_timedwait(&told.changed, &told.lock, &end);
  }
  pthread_mutex_unlock(&told.lock);
  return result == 0;
}

int main(int argc, char **argv) {
  if (argc != 2 && argc != 3) return 2;
  folder = argv[1];
  if (argc == 3) rounds = atoi(argv[2]);
  setvbuf(stdout, NULL, _IONBF, 0);
  CHECK(fuse_abi_version() == FUSE_ABI_VERSION);
  CHECK(strcmp(fuse_library_version(), FUSE_VERSION) == 0);
  test_errors();
  test_options();
  test_reader();
  test_handles();
  test_values();
  test_scans();
  test_matches();
  test_contents();
  test_reloadable();
  test_watcher();
  test_writer();
  test_sets();
  test_merge();
  test_patch();
  test_columns();
  test_cancel();
  test_delivery();
  printf("C %s: %d checks, %d failures\n", failures == 0 ? "passed" : "failed", checks, failures);
  return failures != 0;
}
