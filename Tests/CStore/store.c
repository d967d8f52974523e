/* Calls every function of fusedb_store.h, with good and bad arguments. Takes a folder for its files. */
#define _GNU_SOURCE
#include <fusedb_store.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

static int checks, failures;
static const char *folder;

static void check(int is_true, const char *text, int line) {
  checks += 1;
  if (is_true) return;
  failures += 1;
  printf("store.c:%d: not so: %s\n", line, text);
}
#define CHECK(condition) check(!!(condition), #condition, __LINE__)

static void check_status(fuse_status found, fuse_status expected, fuse_store_error **error, const char *text, int line) {
  checks += 1;
  if (found != expected) {
    failures += 1;
    printf("store.c:%d: %d and not %d: %s\n  %s\n", line, (int)found, (int)expected, text, fuse_store_error_description(*error));
  }
  check((*error != NULL) == (found < 0), "there is an error exactly where the status is negative", line);
  check(fuse_store_error_code(*error) == (found < 0 ? found : FUSE_OK), "the error has the status", line);
  check(found >= 0 || strlen(fuse_store_error_message(*error)) > 10, "the error says what is wrong", line);
  fuse_store_error_free(*error);
  *error = NULL;
}
#define EXPECT(status, call) check_status((call), (status), &error, #call, __LINE__)
#define BAD FUSE_ERROR_INVALID_ARGUMENT

static const char *path_of(const char *name) {
  static char paths[4][1024];
  static int next;
  char *path = paths[next++ % 4];
  snprintf(path, sizeof paths[0], "%s/%s", folder, name);
  return path;
}
#define PATH(name) path_of(name), strlen(path_of(name))
#define SPAN(literal) ((fuse_span){literal, sizeof(literal) - 1})

/* printf hello | sha256sum */
#define HELLO "2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362938b9824"

static fuse_store_id id_of(const char *text) {
  fuse_store_id id;
  CHECK(fuse_store_id_parse(text, strlen(text), &id) == FUSE_OK);
  return id;
}
static int is_same(fuse_store_id left, fuse_store_id right) { return memcmp(&left, &right, sizeof left) == 0; }
static int buffer_is(const fuse_buffer *buffer, const void *bytes, size_t size) {
  return buffer->size == size && (size == 0 || memcmp(buffer->data, bytes, size) == 0);
}

static void make_file(const char *name, const void *bytes, size_t size) {
  FILE *file = fopen(path_of(name), "wb");
  CHECK(file != NULL && fwrite(bytes, 1, size, file) == size && fclose(file) == 0);
}

/* Noise that repeats nowhere, and is the same in each run. */
enum { large = 3000000 };
static unsigned char noise[large];
static void make_noise(void) {
  uint64_t state = 1;
  for (size_t place = 0; place < large; place++) {
    state = state * 6364136223846793005u + 1442695040888963407u;
    noise[place] = (unsigned char)(state >> 56);
  }
}

static fuse_store *store;

static void test_ids(void) {
  char text[FUSE_STORE_ID_TEXT_SIZE];
  fuse_store_id id = id_of(HELLO);
  CHECK(id.bytes[0] == 0x2c && id.bytes[31] == 0x24);
  CHECK(fuse_store_id_text(&id, text) == FUSE_OK && strcmp(text, HELLO) == 0);
  CHECK(fuse_store_id_text(NULL, text) == BAD && fuse_store_id_text(&id, NULL) == BAD);
  CHECK(fuse_store_id_parse(FUSE_TEXT("2c"), &id) == BAD && fuse_store_id_parse(NULL, 64, &id) == BAD);
  CHECK(fuse_store_id_parse(HELLO, 64, NULL) == BAD);
}

static void test_errors(void) {
  fuse_store_error *error = NULL;
  uint64_t offset = 7;
  CHECK(fuse_store_open(PATH("nowhere"), &store, &error) == FUSE_ERROR_NOT_FOUND);
  CHECK(strstr(fuse_store_error_message(error), "no store") != NULL && strstr(fuse_store_error_path(error), "nowhere") != NULL);
  CHECK(strstr(fuse_store_error_description(error), "nowhere: ") != NULL && !fuse_store_error_offset(error, &offset) && offset == 7);
  CHECK(fuse_store_error_errno(error) == 0);
  fuse_store_error *freed = error;
  fuse_store_error_free(error);
  fuse_store_error_free(freed);
  CHECK(fuse_store_error_code(freed) == FUSE_OK && strcmp(fuse_store_error_message(NULL), "") == 0);
  CHECK(fuse_store_error_path(NULL) == NULL && strcmp(fuse_store_error_description(freed), "") == 0);
  CHECK(fuse_store_open(PATH("nowhere"), &store, NULL) == FUSE_ERROR_NOT_FOUND);
  CHECK(strcmp(fuse_store_library_version(), FUSE_VERSION) == 0);
}

static void test_open(void) {
  fuse_store_error *error = NULL;
  fuse_store_options options = fuse_store_options_default();
  options.chunking = SPAN("512,2048,8192");
  options.compression = SPAN("zstd:1");
  options.pack_byte_count = 1 << 20;
  EXPECT(BAD, fuse_store_create(PATH("s"), &options, NULL, &error));
  EXPECT(BAD, fuse_store_create(NULL, 0, &options, &store, &error));
  EXPECT(BAD, fuse_store_create(NULL, 5, &options, &store, &error));
  options.chunking = SPAN("much");
  EXPECT(BAD, fuse_store_create(PATH("s"), &options, &store, &error));
  options.chunking = SPAN("512,2048,8192");
  options.compression = SPAN("zip");
  EXPECT(BAD, fuse_store_create(PATH("s"), &options, &store, &error));
  options.compression = SPAN("zstd:1");
  options.pack_byte_count = 7;
  EXPECT(BAD, fuse_store_create(PATH("s"), &options, &store, &error));
  options.pack_byte_count = 1 << 20;
  options.size = 3;
  EXPECT(BAD, fuse_store_create(PATH("s"), &options, &store, &error));
  options.size = sizeof options;
  EXPECT(FUSE_OK, fuse_store_create(PATH("s"), &options, &store, &error));
  fuse_store *again = NULL;
  EXPECT(FUSE_ERROR_REFUSED, fuse_store_create(PATH("s"), &options, &again, &error));
  EXPECT(FUSE_OK, fuse_store_open(PATH("s"), &again, &error));
  CHECK(fuse_store_close(again) == FUSE_OK && fuse_store_close(again) == BAD && fuse_store_close(NULL) == FUSE_OK);
  EXPECT(BAD, fuse_store_open(FUSE_TEXT("a\0b"), &again, &error));
  EXPECT(BAD, fuse_store_open(PATH("s"), NULL, &error));
  EXPECT(BAD, fuse_store_create_in_memory(NULL, NULL, &error));
}

typedef struct Stream {
  size_t done, size;
  int64_t fault;
} Stream;
static int64_t give(void *context, void *data, size_t size) {
  Stream *stream = context;
  if (stream->fault != 0 && stream->done > 0) return stream->fault;
  size_t count = stream->size - stream->done;
  if (count > size) count = size;
  /* Not as much as there is room for, either. */
  if (count > 77777) count = 77777;
  memcpy(data, noise + stream->done, count);
  stream->done += count;
  return (int64_t)count;
}

static int no_more(void *context, double share) {
  *(double *)context = share;
  return 1;
}
static int always(void *context) {
  (void)context;
  return 1;
}

static void test_put(void) {
  fuse_store_error *error = NULL;
  fuse_store_put_options options = fuse_store_put_options_default();
  fuse_store_put_report report = fuse_store_put_report_empty();
  EXPECT(FUSE_OK, fuse_store_put(store, FUSE_TEXT("hello"), NULL, &report, &error));
  CHECK(is_same(report.id, id_of(HELLO)) && report.is_new && report.byte_count == 5 && report.new_byte_count == 5);
  EXPECT(FUSE_OK, fuse_store_put(store, FUSE_TEXT("hello"), NULL, &report, &error));
  CHECK(!report.is_new && report.new_byte_count == 0 && report.size == sizeof report);
  EXPECT(FUSE_OK, fuse_store_put(store, NULL, 0, NULL, NULL, &error));
  EXPECT(BAD, fuse_store_put(store, NULL, 1, NULL, NULL, &error));
  EXPECT(BAD, fuse_store_put(NULL, FUSE_TEXT("x"), NULL, NULL, &error));
  options.to = FUSE_STORE_TO_LOOSE;
  EXPECT(FUSE_OK, fuse_store_put(store, FUSE_TEXT("loose"), &options, &report, &error));
  options.name = SPAN("n");
  EXPECT(BAD, fuse_store_put(store, FUSE_TEXT("loose"), &options, &report, &error));
  options.to = 3;
  EXPECT(BAD, fuse_store_put(store, FUSE_TEXT("loose"), &options, &report, &error));
  options.to = FUSE_STORE_TO_PACKS;
  options.keep = 9;
  EXPECT(BAD, fuse_store_put(store, FUSE_TEXT("loose"), &options, &report, &error));
  options.keep = FUSE_STORE_KEEP_AUTOMATIC;
  EXPECT(FUSE_OK, fuse_store_put(store, FUSE_TEXT("named"), &options, &report, &error));

  make_file("large", noise, large);
  options = fuse_store_put_options_default();
  options.name = SPAN("large");
  double share = -2;
  fuse_store_call call = fuse_store_call_default();
  call.progress = no_more;
  call.context = &share;
  EXPECT(FUSE_ERROR_CANCELLED, fuse_store_put_file(store, PATH("large"), &options, &call, NULL, &error));
  CHECK(share >= 0 && share <= 1);
  call.progress = NULL;
  call.poll = always;
  EXPECT(FUSE_ERROR_CANCELLED, fuse_store_put_file(store, PATH("large"), &options, &call, NULL, &error));
  EXPECT(FUSE_NONE, fuse_store_name_get(store, FUSE_TEXT("large"), NULL, NULL, &error));
  EXPECT(FUSE_OK, fuse_store_put_file(store, PATH("large"), &options, NULL, &report, &error));
  fuse_store_id file = report.id;
  CHECK(report.byte_count == large);
  EXPECT(FUSE_ERROR_NOT_FOUND, fuse_store_put_file(store, PATH("none"), &options, NULL, &report, &error));
  EXPECT(BAD, fuse_store_put_file(store, NULL, 0, &options, NULL, &report, &error));

  Stream stream = {0, large, 0};
  options.name = SPAN("stream");
  EXPECT(FUSE_OK, fuse_store_put_stream(store, give, &stream, &options, NULL, &report, &error));
  CHECK(is_same(report.id, file) && !report.is_new && stream.done == large);
  stream = (Stream){0, large, -1};
  options.name = SPAN("half");
  EXPECT(FUSE_ERROR_CANCELLED, fuse_store_put_stream(store, give, &stream, &options, NULL, &report, &error));
  stream = (Stream){0, large, INT64_MAX};
  EXPECT(BAD, fuse_store_put_stream(store, give, &stream, &options, NULL, &report, &error));
  EXPECT(BAD, fuse_store_put_stream(store, NULL, &stream, &options, NULL, &report, &error));
  EXPECT(FUSE_NONE, fuse_store_name_get(store, FUSE_TEXT("half"), NULL, NULL, &error));
}

static void test_writer(void) {
  fuse_store_error *error = NULL;
  fuse_store_writer *writer = NULL;
  fuse_store_put_report report = fuse_store_put_report_empty();
  fuse_store_put_options options = fuse_store_put_options_default();
  EXPECT(FUSE_OK, fuse_store_writer_open(store, &writer, &error));
  EXPECT(BAD, fuse_store_writer_open(NULL, &writer, &error));
  EXPECT(BAD, fuse_store_writer_open(store, NULL, &error));
  options.name = SPAN("written");
  EXPECT(FUSE_OK, fuse_store_writer_put(writer, FUSE_TEXT("written"), &options, &report, &error));
  EXPECT(FUSE_NONE, fuse_store_name_get(store, FUSE_TEXT("written"), NULL, NULL, &error));
  EXPECT(FUSE_OK, fuse_store_writer_set_name(writer, FUSE_TEXT("also"), &report.id, &error));
  fuse_store_id nothing = id_of("00000000000000000000000000000000000000000000000000000000000000ff");
  EXPECT(FUSE_ERROR_NOT_FOUND, fuse_store_writer_set_name(writer, FUSE_TEXT("nothing"), &nothing, &error));
  EXPECT(BAD, fuse_store_writer_set_name(writer, NULL, 0, &report.id, &error));
  EXPECT(BAD, fuse_store_writer_set_name(writer, FUSE_TEXT("also"), NULL, &error));
  options.name = SPAN("file");
  EXPECT(FUSE_OK, fuse_store_writer_put_file(writer, PATH("large"), &options, NULL, &report, &error));
  Stream stream = {0, 100, 0};
  options.name = SPAN("stream2");
  EXPECT(FUSE_OK, fuse_store_writer_put_stream(writer, give, &stream, &options, NULL, &report, &error));
  EXPECT(FUSE_OK, fuse_store_writer_commit(writer, &error));
  EXPECT(FUSE_OK, fuse_store_name_get(store, FUSE_TEXT("also"), NULL, NULL, &error));
  EXPECT(FUSE_OK, fuse_store_writer_remove_name(writer, FUSE_TEXT("also"), &error));
  EXPECT(BAD, fuse_store_writer_remove_name(writer, FUSE_TEXT(""), &error));

  CHECK(system("mkdir -p \"$FOLDER/tree/inner\"") == 0);
  make_file("tree/a", "a", 1);
  make_file("tree/inner/b", "bb", 2);
  options.name = SPAN("tree");
  EXPECT(FUSE_OK, fuse_store_writer_put_folder(writer, PATH("tree"), &options, NULL, &report, &error));
  options.name = (fuse_span){NULL, 0};
  EXPECT(BAD, fuse_store_writer_put_folder(writer, PATH("tree"), &options, NULL, &report, &error));
  EXPECT(FUSE_OK, fuse_store_writer_commit(writer, &error));
  EXPECT(FUSE_NONE, fuse_store_name_get(store, FUSE_TEXT("also"), NULL, NULL, &error));
  CHECK(fuse_store_writer_close(writer) == FUSE_OK && fuse_store_writer_close(writer) == BAD);
  EXPECT(BAD, fuse_store_writer_commit(writer, &error));
  EXPECT(BAD, fuse_store_writer_put(writer, FUSE_TEXT("x"), NULL, NULL, &error));
  EXPECT(BAD, fuse_store_writer_commit((fuse_store_writer *)store, &error));
}

typedef struct Sum {
  size_t size;
  int calls, ends;
} Sum;
static int take(void *context, const void *data, size_t size) {
  Sum *sum = context;
  CHECK(sum->size + size <= large && memcmp(noise + sum->size, data, size) == 0);
  sum->size += size;
  sum->calls += 1;
  return sum->ends;
}

static void test_get(void) {
  fuse_store_error *error = NULL;
  fuse_buffer bytes = FUSE_BUFFER_EMPTY;
  fuse_store_id hello = id_of(HELLO), file, none = hello;
  none.bytes[0] ^= 1;
  bool is_folder = true;
  EXPECT(FUSE_OK, fuse_store_name_get(store, FUSE_TEXT("large"), &file, &is_folder, &error));
  CHECK(!is_folder);
  EXPECT(FUSE_OK, fuse_store_get(store, &hello, 0, UINT64_MAX, &bytes, &error));
  CHECK(buffer_is(&bytes, "hello", 5));
  EXPECT(FUSE_OK, fuse_store_get(store, &hello, 1, 3, &bytes, &error));
  CHECK(buffer_is(&bytes, "ell", 3));
  EXPECT(FUSE_OK, fuse_store_get(store, &hello, UINT64_MAX, UINT64_MAX, &bytes, &error));
  CHECK(bytes.size == 0);
  EXPECT(FUSE_OK, fuse_store_get(store, &file, 1000000, 70000, &bytes, &error));
  CHECK(buffer_is(&bytes, noise + 1000000, 70000));
  EXPECT(FUSE_NONE, fuse_store_get(store, &none, 0, 1, &bytes, &error));
  EXPECT(BAD, fuse_store_get(store, NULL, 0, 1, &bytes, &error));
  EXPECT(BAD, fuse_store_get(store, &hello, 0, 1, NULL, &error));
  fuse_store_buffer_free(&bytes);
  fuse_store_buffer_free(&bytes);
  fuse_store_buffer_free(NULL);
  CHECK(bytes.data == NULL && bytes.capacity == 0);

  char room[8] = "........";
  size_t count = 0;
  EXPECT(FUSE_OK, fuse_store_read(store, &hello, 2, room, sizeof room, &count, &error));
  CHECK(count == 3 && memcmp(room, "llo.....", 8) == 0);
  EXPECT(FUSE_NONE, fuse_store_read(store, &none, 0, room, sizeof room, &count, &error));
  EXPECT(BAD, fuse_store_read(store, &hello, 0, NULL, 1, &count, &error));
  EXPECT(BAD, fuse_store_read(store, &hello, 0, room, 1, NULL, &error));

  Sum sum = {0, 0, 0};
  EXPECT(FUSE_OK, fuse_store_write(store, &file, take, &sum, NULL, &error));
  CHECK(sum.size == large && sum.calls > 100);
  sum = (Sum){0, 0, 1};
  EXPECT(FUSE_ERROR_CANCELLED, fuse_store_write(store, &file, take, &sum, NULL, &error));
  CHECK(sum.calls == 1);
  EXPECT(FUSE_NONE, fuse_store_write(store, &none, take, &sum, NULL, &error));
  EXPECT(BAD, fuse_store_write(store, &file, NULL, NULL, NULL, &error));
  EXPECT(FUSE_OK, fuse_store_write_file(store, &file, PATH("copy"), NULL, &error));
  CHECK(system("cmp \"$FOLDER/large\" \"$FOLDER/copy\"") == 0);
  double share = -2;
  fuse_store_call call = fuse_store_call_default();
  call.progress = no_more;
  call.context = &share;
  EXPECT(FUSE_ERROR_CANCELLED, fuse_store_write_file(store, &file, PATH("other"), &call, &error));
  CHECK(share > 0 && access(path_of("other"), F_OK) != 0);
  EXPECT(FUSE_NONE, fuse_store_write_file(store, &none, PATH("other"), NULL, &error));
  EXPECT(BAD, fuse_store_write_file(store, &file, FUSE_TEXT(""), NULL, &error));

  uint64_t size = 0;
  EXPECT(FUSE_OK, fuse_store_contains(store, &file, &error));
  EXPECT(FUSE_NONE, fuse_store_contains(store, &none, &error));
  EXPECT(FUSE_OK, fuse_store_size(store, &file, &size, &error));
  CHECK(size == large);
  EXPECT(FUSE_NONE, fuse_store_size(store, &none, &size, &error));
  EXPECT(BAD, fuse_store_size(store, &file, NULL, &error));
}

typedef struct Seen {
  int count, ends_after;
  char names[1000];
} Seen;
static int see(void *context, const fuse_store_entry *entry) {
  Seen *seen = context;
  CHECK(strlen(entry->name) == entry->name_size);
  snprintf(seen->names + strlen(seen->names), 500, "%s%s,", entry->name, entry->is_folder ? "/" : "");
  return ++seen->count == seen->ends_after;
}
static int see_chunk(void *context, const fuse_store_chunk *chunk) {
  uint64_t *size = context;
  CHECK(strlen(chunk->codec) > 2 && strlen(chunk->pack) > 4 && chunk->stored_byte_count > 0);
  *size += chunk->byte_count;
  return 0;
}

static void test_lists(void) {
  fuse_store_error *error = NULL;
  Seen seen = {0, 0, ""};
  EXPECT(FUSE_OK, fuse_store_list_names(store, see, &seen, &error));
  CHECK(strcmp(seen.names, "file,large,n,stream,stream2,tree/,written,") == 0);
  seen = (Seen){0, 2, ""};
  EXPECT(FUSE_OK, fuse_store_list_names(store, see, &seen, &error));
  CHECK(seen.count == 2);
  EXPECT(BAD, fuse_store_list_names(store, NULL, NULL, &error));
  seen = (Seen){0, 0, ""};
  EXPECT(FUSE_OK, fuse_store_list_objects(store, see, &seen, &error));
  CHECK(seen.count == 3);
  fuse_store_id id;
  EXPECT(FUSE_OK, fuse_store_name_get(store, FUSE_TEXT("tree"), &id, NULL, &error));
  seen = (Seen){0, 0, ""};
  EXPECT(FUSE_OK, fuse_store_list_files(store, &id, see, &seen, &error));
  CHECK(strcmp(seen.names, "a,inner/b,") == 0);
  uint64_t size = 0;
  EXPECT(FUSE_OK, fuse_store_name_get(store, FUSE_TEXT("large"), &id, NULL, &error));
  EXPECT(FUSE_ERROR_CORRUPTED, fuse_store_list_files(store, &id, see, &seen, &error));
  EXPECT(FUSE_OK, fuse_store_list_chunks(store, &id, see_chunk, &size, &error));
  CHECK(size == large);
  EXPECT(BAD, fuse_store_list_chunks(store, &id, NULL, NULL, &error));
  id.bytes[5] ^= 1;
  EXPECT(FUSE_NONE, fuse_store_list_chunks(store, &id, see_chunk, &size, &error));
  EXPECT(FUSE_ERROR_NOT_FOUND, fuse_store_name_set(store, FUSE_TEXT("hi/there"), &id, &error));
  fuse_store_id hello = id_of(HELLO);
  EXPECT(FUSE_OK, fuse_store_name_set(store, FUSE_TEXT("hi/there"), &hello, &error));
  EXPECT(FUSE_OK, fuse_store_name_get(store, FUSE_TEXT("hi/there"), &id, NULL, &error));
  CHECK(is_same(id, hello));
  EXPECT(FUSE_OK, fuse_store_name_remove(store, FUSE_TEXT("hi/there"), &error));
  EXPECT(FUSE_NONE, fuse_store_name_remove(store, FUSE_TEXT("hi/there"), &error));
  EXPECT(FUSE_OK, fuse_store_remove(store, &hello, &error));
  EXPECT(FUSE_NONE, fuse_store_remove(store, &hello, &error));
}

static int flaws, lost;
static void tell(void *context, const fuse_store_flaw *flaw) {
  CHECK(context == &flaws && strlen(flaw->message) > 10);
  if (flaw->is_lost) lost += 1;
  else flaws += 1;
}

static void test_keeping(void) {
  fuse_store_error *error = NULL;
  fuse_store_gc_report gc = fuse_store_gc_report_empty();
  fuse_store_gc_options options = fuse_store_gc_options_default();
  uint64_t packed = 99;
  EXPECT(FUSE_OK, fuse_store_pack_loose(store, NULL, &packed, &error));
  CHECK(packed >= 1);
  options.least_live = 2;
  options.has_least_live = true;
  EXPECT(BAD, fuse_store_gc(store, &options, NULL, NULL, &error));
  options.least_live = 1;
  options.packs_all = true;
  EXPECT(FUSE_OK, fuse_store_gc(store, &options, NULL, &gc, &error));
  CHECK(gc.live_count > 100 && gc.condemned_count > 0 && gc.size == sizeof gc);
  EXPECT(FUSE_OK, fuse_store_gc(store, NULL, NULL, &gc, &error));
  fuse_store_id hello = id_of(HELLO);
  EXPECT(FUSE_NONE, fuse_store_contains(store, &hello, &error));
  fuse_store_stats_report stats = fuse_store_stats_report_empty();
  EXPECT(FUSE_OK, fuse_store_stats(store, NULL, &stats, &error));
  CHECK(stats.name_count == 7 && stats.kept_count == 2 && stats.logical_byte_count > 3 * (uint64_t)large && stats.savings > 0.6);
  CHECK(stats.physical_byte_count == stats.pack_byte_count + stats.index_byte_count + stats.loose_byte_count);
  EXPECT(BAD, fuse_store_stats(store, NULL, NULL, &error));
  fuse_store_verify_report report = fuse_store_verify_report_empty();
  EXPECT(FUSE_OK, fuse_store_verify(store, FUSE_STORE_VERIFY_EVERYTHING, tell, &flaws, NULL, &report, &error));
  CHECK(report.record_count > 100 && report.flaw_count == 0 && flaws == 0);
  EXPECT(FUSE_OK, fuse_store_verify(store, FUSE_STORE_VERIFY_STRUCTURE, NULL, NULL, NULL, NULL, &error));
  EXPECT(BAD, fuse_store_verify(store, 2, tell, &flaws, NULL, &report, &error));

  fuse_store *other = NULL;
  uint64_t objects = 0, fresh = 0;
  EXPECT(FUSE_OK, fuse_store_create_in_memory(NULL, &other, &error));
  EXPECT(FUSE_OK, fuse_store_copy(store, other, NULL, &objects, &fresh, &error));
  CHECK(objects >= 9 && fresh >= large);
  EXPECT(FUSE_OK, fuse_store_copy(store, other, NULL, NULL, &fresh, &error));
  CHECK(fresh == 0);
  EXPECT(FUSE_ERROR_REFUSED, fuse_store_copy(store, store, NULL, NULL, NULL, &error));
  fuse_store_id file;
  Sum sum = {0, 0, 0};
  EXPECT(FUSE_OK, fuse_store_name_get(other, FUSE_TEXT("large"), &file, NULL, &error));
  EXPECT(FUSE_OK, fuse_store_write(other, &file, take, &sum, NULL, &error));
  CHECK(sum.size == large && fuse_store_close(other) == FUSE_OK);

  /* A byte in the middle of the largest pack. */
  CHECK(fuse_store_close(store) == FUSE_OK);
  CHECK(system("cd \"$FOLDER/s/packs\" && f=$(ls -S *.pack | head -1) && printf '\\377\\376\\375' | dd of=\"$f\" bs=1 seek=500000 conv=notrunc 2>/dev/null") == 0);
  EXPECT(FUSE_OK, fuse_store_open(PATH("s"), &store, &error));
  EXPECT(FUSE_ERROR_CORRUPTED, fuse_store_verify(store, FUSE_STORE_VERIFY_EVERYTHING, tell, &flaws, NULL, &report, &error));
  CHECK(flaws == 1 && report.flaw_count == 1 && report.lost_count == (uint64_t)lost && lost > 0);
  sum = (Sum){0, 0, 0};
  CHECK(fuse_store_write(store, &file, take, &sum, NULL, &error) == FUSE_ERROR_CORRUPTED);
  uint64_t offset = 0;
  CHECK(fuse_store_error_offset(error, &offset) && offset > 0 && strstr(fuse_store_error_path(error), ".pack") != NULL);
  fuse_store_error_free(error);
  error = NULL;
  EXPECT(FUSE_ERROR_CORRUPTED, fuse_store_repair(store, tell, &flaws, NULL, &error));
  /* Putting it again heals it. */
  EXPECT(FUSE_OK, fuse_store_put_file(store, PATH("large"), NULL, NULL, NULL, &error));
  sum = (Sum){0, 0, 0};
  EXPECT(FUSE_OK, fuse_store_write(store, &file, take, &sum, NULL, &error));
  CHECK(sum.size == large);
  /* What is spoilt stands there still, and nobody needs it. */
  EXPECT(FUSE_OK, fuse_store_verify(store, FUSE_STORE_VERIFY_EVERYTHING, tell, &flaws, NULL, &report, &error));
  CHECK(report.flaw_count == 0 && report.lost_count == 0 && report.superseded_count == 1);
}

static void *put_some(void *number) {
  for (int round = 0; round < 20; round++) {
    char text[32];
    int size = snprintf(text, sizeof text, "%d of %d", round, *(int *)number);
    fuse_store_put_report report = fuse_store_put_report_empty();
    fuse_buffer bytes = FUSE_BUFFER_EMPTY;
    if (fuse_store_put(store, text, (size_t)size, NULL, &report, NULL) != FUSE_OK) return NULL;
    if (fuse_store_get(store, &report.id, 0, UINT64_MAX, &bytes, NULL) != FUSE_OK || !buffer_is(&bytes, text, (size_t)size)) return NULL;
    fuse_store_buffer_free(&bytes);
  }
  return number;
}

static void test_threads(void) {
  pthread_t threads[4];
  int numbers[4];
  for (int place = 0; place < 4; place++) {
    numbers[place] = place;
    CHECK(pthread_create(&threads[place], NULL, put_some, &numbers[place]) == 0);
  }
  for (int place = 0; place < 4; place++) {
    void *result = NULL;
    pthread_join(threads[place], &result);
    CHECK(result == &numbers[place]);
  }
}

int main(int argc, char **argv) {
  if (argc != 2) return 2;
  folder = argv[1];
  setenv("FOLDER", folder, 1);
  setvbuf(stdout, NULL, _IONBF, 0);
  make_noise();
  test_ids();
  test_errors();
  test_open();
  test_put();
  test_writer();
  test_get();
  test_lists();
  test_keeping();
  test_threads();
  CHECK(fuse_store_close(store) == FUSE_OK);
  printf("C store passed: %d checks, %d failures\n", checks, failures);
  return failures != 0;
}
