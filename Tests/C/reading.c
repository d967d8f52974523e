/* Errors, options, opening, look-ups, handles. */
#define _POSIX_C_SOURCE 200809L
#include "check.h"

#include <fcntl.h>
#include <sys/wait.h>
#include <unistd.h>

void test_errors(void) {
  fuse_error *error = NULL;
  fuse_reader *reader = NULL;
  EXPECT(FUSE_OK, fuse_set_signals(FUSE_SIGNALS_IN_FRONT, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_set_signals(3, &error));
  CHECK(fuse_reader_open(PATH("missing.fsdb"), NULL, NULL, &reader, &error) == FUSE_ERROR_NOT_FOUND);
  CHECK(reader == NULL && error != NULL);
  CHECK(fuse_error_code(error) == FUSE_ERROR_NOT_FOUND && fuse_error_errno(error) == 2);
  CHECK(strstr(fuse_error_path(error), "missing.fsdb") != NULL && fuse_error_coding_path(error) == NULL);
  CHECK(strstr(fuse_error_message(error), "missing.fsdb") == NULL);
  CHECK(strncmp(fuse_error_description(error), fuse_error_path(error), strlen(fuse_error_path(error))) == 0);
  uint64_t offset = 7;
  CHECK(!fuse_error_offset(error, &offset) && offset == 7);
  CHECK(strcmp(fuse_status_name(fuse_error_code(error)), "notFound") == 0);
  fuse_error *freed = error;
  fuse_error_free(error);
  fuse_error_free(freed);
  fuse_error_free(NULL);
  const fuse_error *bad[] = {NULL, freed};
  for (int i = 0; i < 2; i++) {
    CHECK(fuse_error_code(bad[i]) == FUSE_OK && fuse_error_errno(bad[i]) == 0);
    CHECK(strcmp(fuse_error_message(bad[i]), "") == 0 && strcmp(fuse_error_description(bad[i]), "") == 0);
    CHECK(fuse_error_path(bad[i]) == NULL && fuse_error_coding_path(bad[i]) == NULL);
    CHECK(!fuse_error_offset(bad[i], NULL));
  }
  CHECK(fuse_reader_open(PATH("missing.fsdb"), NULL, NULL, &reader, NULL) == FUSE_ERROR_NOT_FOUND);
  for (fuse_status status = FUSE_ERROR_INVALID_ARGUMENT; status <= FUSE_NONE; status++) {
    CHECK(strcmp(fuse_status_name(status), "unknown") != 0);
  }
  CHECK(strcmp(fuse_status_name(-1000), "unknown") == 0 && strcmp(fuse_status_name(2), "unknown") == 0);
}

void test_options(void) {
  fuse_error *error = NULL;
  fuse_reader *reader = NULL;
  make_file("options.fsdb", "Google LLC");
  for (int number = 0; number < 6; number++) {
    fuse_open_options options = fuse_open_options_default();
    options.memory = number & 1;
    options.advice = number > 2;
    options.prefault = number / 2;
    options.checksums = number % 2;
    EXPECT(FUSE_OK, fuse_reader_open(PATH("options.fsdb"), &options, NULL, &reader, &error));
    CHECK(fuse_contains(reader, FUSE_TEXT("8.8.8.8"), NULL) == FUSE_OK);
    CHECK(fuse_reader_close(reader) == FUSE_OK);
  }
  fuse_open_options options = fuse_open_options_default();
  options.memory = 2;
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_reader_open(PATH("options.fsdb"), &options, NULL, &reader, &error));
  options = fuse_open_options_default();
  options.prefault = -1;
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_reader_open(PATH("options.fsdb"), &options, NULL, &reader, &error));
  options.size = 0;
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_reader_open(PATH("options.fsdb"), &options, NULL, &reader, &error));

  /* A program of a later version, which knows more: what is zero there, this library need not know. */
  struct { fuse_open_options known; uint64_t more; } later = {fuse_open_options_default(), 0};
  later.known.size = sizeof later;
  EXPECT(FUSE_OK, fuse_reader_open(PATH("options.fsdb"), &later.known, NULL, &reader, &error));
  CHECK(fuse_reader_close(reader) == FUSE_OK);
  later.more = 1;
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_reader_open(PATH("options.fsdb"), &later.known, NULL, &reader, &error));
  /* One of an earlier version has room for less. */
  options = fuse_open_options_default();
  options.size = offsetof(fuse_open_options, advice);
  options.advice = 77;
  EXPECT(FUSE_OK, fuse_reader_open(PATH("options.fsdb"), &options, NULL, &reader, &error));
  fuse_reader_info info = fuse_reader_info_empty();
  info.size = offsetof(fuse_reader_info, byte_count);
  info.byte_count = 77;
  EXPECT(FUSE_OK, fuse_reader_get_info(reader, &info, &error));
  CHECK(info.key_count == 3 && info.byte_count == 77 && info.size == offsetof(fuse_reader_info, byte_count));
  info.size = 3;
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_reader_get_info(reader, &info, &error));
  CHECK(fuse_reader_close(reader) == FUSE_OK);

  /* Paths. */
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_reader_open("", 0, NULL, NULL, &reader, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_reader_open(NULL, 0, NULL, NULL, &reader, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_reader_open(NULL, 4, NULL, NULL, &reader, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_reader_open("a\0b", 3, NULL, NULL, &reader, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_reader_open("a", SIZE_MAX, NULL, NULL, &reader, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_reader_open("a", 1, NULL, NULL, NULL, &error));
  /* One that is not UTF-8 is a path like others; its text says which byte it has. */
  CHECK(fuse_reader_open("\xff.fsdb", 6, NULL, NULL, &reader, &error) == FUSE_ERROR_NOT_FOUND);
  CHECK(strcmp(fuse_error_path(error), "\xef\xbf\xbd" "ff.fsdb") == 0);
  fuse_error_free(error);
}

void test_reader(void) {
  fuse_error *error = NULL;
  fuse_span value = {NULL, 0};
  fuse_buffer copy = FUSE_BUFFER_EMPTY;
  make_file("read.fsdb", "Google LLC");
  fuse_reader *reader = open_file("read.fsdb");
  fuse_reader_info info = fuse_reader_info_empty();
  EXPECT(FUSE_OK, fuse_reader_get_info(reader, &info, &error));
  CHECK(info.key_count == 3 && info.byte_count == (uint64_t)size_of("read.fsdb") && info.generation == 0);
  CHECK(!info.has_networks && info.network_count == 0 && info.checksums == FUSE_CHECKSUMS_VERIFIED);
  CHECK(info.object_count > 0 && info.index_offset > 40 && info.checksum != 0 && info.version == 2 && !info.is_plain);
  EXPECT(FUSE_OK, fuse_reader_path(reader, &copy, &error));
  CHECK(buffer_is(&copy, path_of("read.fsdb")));

  EXPECT(FUSE_OK, fuse_get(reader, FUSE_TEXT("8.8.8.8"), &value, &error));
  CHECK(value.size == 56 && memcmp(value.data, "\x84\xa3org\xaaGoogle LLC", 16) == 0);
  EXPECT(FUSE_OK, fuse_get_copy(reader, FUSE_TEXT("gmail.com"), &copy, &error));
  CHECK(copy.size == value.size && memcmp(copy.data, value.data, value.size) == 0);
  fuse_span same = value;
  EXPECT(FUSE_NONE, fuse_get(reader, FUSE_TEXT("nowhere"), &value, &error));
  CHECK(value.data == same.data);
  EXPECT(FUSE_NONE, fuse_get_copy(reader, FUSE_TEXT("nowhere"), &copy, &error));
  CHECK(copy.size == 0 && copy.capacity > 0);
  EXPECT(FUSE_OK, fuse_contains(reader, FUSE_TEXT("1.1.1.1"), &error));
  EXPECT(FUSE_NONE, fuse_contains(reader, NULL, 0, &error));
  EXPECT(FUSE_NONE, fuse_get(reader, NULL, 0, &value, &error));
  static char long_key[70000];
  EXPECT(FUSE_NONE, fuse_get(reader, long_key, sizeof long_key, &value, &error));
  EXPECT(FUSE_NONE, fuse_contains(reader, long_key, sizeof long_key, &error));
  EXPECT(FUSE_OK, fuse_reader_check(reader, &error));

  fuse_span keys[50], values[50];
  bool found[50];
  for (int i = 0; i < 50; i++) keys[i] = i % 3 == 0 ? SPAN("8.8.8.8") : i % 3 == 1 ? SPAN("none") : SPAN("1.1.1.1");
  EXPECT(FUSE_OK, fuse_get_many(reader, keys, 50, values, &error));
  EXPECT(FUSE_OK, fuse_contains_many(reader, keys, 50, found, &error));
  for (int i = 0; i < 50; i++) {
    CHECK(found[i] == (i % 3 != 1));
    CHECK(i % 3 == 1 ? values[i].data == NULL && values[i].size == 0 : values[i].size == (i % 3 == 0 ? 56u : 16u));
  }
  EXPECT(FUSE_OK, fuse_get_many(reader, NULL, 0, NULL, &error));
  EXPECT(FUSE_OK, fuse_contains_many(reader, NULL, 0, NULL, &error));

  /* What cannot be. */
  keys[7] = (fuse_span){NULL, 3};
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_get_many(reader, keys, 50, values, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_contains_many(reader, keys, 50, found, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_get_many(reader, NULL, 2, values, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_get_many(reader, keys, SIZE_MAX, values, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_get_many(reader, keys, 2, NULL, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_contains_many(reader, keys, 2, NULL, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_get(reader, NULL, 3, &value, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_get(reader, "x", SIZE_MAX, &value, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_get(reader, "x", 1, NULL, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_contains(reader, NULL, 1, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_get_copy(reader, "x", 1, NULL, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_get_copy(reader, NULL, 1, &copy, &error));
  fuse_buffer broken = {NULL, 0, 8};
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_get_copy(reader, "x", 1, &broken, &error));
  CHECK(fuse_get(reader, NULL, 3, &value, NULL) == FUSE_ERROR_INVALID_ARGUMENT);

  /* By descriptor and by bytes. */
  int descriptor = open(path_of("read.fsdb"), O_RDONLY);
  fuse_reader *other = NULL;
  EXPECT(FUSE_OK, fuse_reader_open_descriptor(descriptor, NULL, NULL, &other, &error));
  close(descriptor);
  EXPECT(FUSE_OK, fuse_contains(other, FUSE_TEXT("8.8.8.8"), &error));
  CHECK(fuse_reader_close(other) == FUSE_OK);
  EXPECT(FUSE_ERROR_INPUT_OUTPUT, fuse_reader_open_descriptor(-1, NULL, NULL, &other, &error));
  char bytes[4096];
  FILE *file = fopen(path_of("read.fsdb"), "rb");
  size_t size = fread(bytes, 1, sizeof bytes, file);
  fclose(file);
  EXPECT(FUSE_OK, fuse_reader_open_bytes(bytes, size, NULL, NULL, &other, &error));
  EXPECT(FUSE_OK, fuse_get(other, FUSE_TEXT("1.1.1.1"), &value, &error));
  CHECK(value.size == 16);
  CHECK(fuse_reader_close(other) == FUSE_OK);
  EXPECT(FUSE_ERROR_NOT_A_DATABASE, fuse_reader_open_bytes("0123456789012345678901234567890123456789", 40, NULL, NULL, &other, &error));
  EXPECT(FUSE_ERROR_TRUNCATED, fuse_reader_open_bytes(bytes, 30, NULL, NULL, &other, &error));
  EXPECT(FUSE_ERROR_TRUNCATED, fuse_reader_open_bytes(NULL, 0, NULL, NULL, &other, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_reader_open_bytes(NULL, 9, NULL, NULL, &other, &error));
  CHECK(fuse_reader_close(reader) == FUSE_OK);

  /* Files that are damaged, or cut while they are open. */
  make_file("damaged.fsdb", "Google LLC");
  change_byte("damaged.fsdb", 60);
  reader = open_file("damaged.fsdb");
  int damaged = 0;
  const char *names[] = {"8.8.8.8", "1.1.1.1"};
  for (int i = 0; i < 2; i++) damaged += fuse_get(reader, names[i], 7, &value, NULL) == FUSE_ERROR_CORRUPTED;
  CHECK(damaged == 1);
  fuse_span two[] = {SPAN("8.8.8.8"), SPAN("1.1.1.1")};
  EXPECT(FUSE_ERROR_CORRUPTED, fuse_get_many(reader, two, 2, values, &error));
  CHECK(fuse_reader_close(reader) == FUSE_OK);
  /* More than a page, of which the last is read from a copy. */
  static char name[9000];
  memset(name, 'G', sizeof name - 1);
  make_file("cut.fsdb", name);
  reader = open_file("cut.fsdb");
  EXPECT(FUSE_OK, fuse_get(reader, FUSE_TEXT("8.8.8.8"), &value, &error));
  cut_file("cut.fsdb", 0);
  CHECK(((const char *)value.data)[0] == 0);
  EXPECT(FUSE_ERROR_TRUNCATED, fuse_reader_check(reader, &error));
  EXPECT(FUSE_ERROR_TRUNCATED, fuse_get(reader, FUSE_TEXT("8.8.8.8"), &value, &error));
  EXPECT(FUSE_ERROR_TRUNCATED, fuse_contains(reader, FUSE_TEXT("nowhere"), &error));
  EXPECT(FUSE_ERROR_TRUNCATED, fuse_get_copy(reader, FUSE_TEXT("8.8.8.8"), &copy, &error));
  CHECK(copy.size == 0);
  CHECK(fuse_reader_close(reader) == FUSE_OK);

  EXPECT(FUSE_OK, fuse_buffer_set(&copy, "abc", 3, &error));
  CHECK(buffer_is(&copy, "abc"));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_buffer_set(&copy, NULL, 3, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_buffer_set(NULL, "abc", 3, &error));
  fuse_buffer_free(&copy);
  CHECK(copy.data == NULL && copy.size == 0 && copy.capacity == 0);
  fuse_buffer_free(&copy);
  fuse_buffer_free(NULL);
}

void test_handles(void) {
  fuse_error *error = NULL;
  fuse_span value;
  make_file("handles.fsdb", "Google LLC");
  fuse_reader *reader = open_file("handles.fsdb");
  fuse_path *path = NULL;
  EXPECT(FUSE_OK, fuse_path_make(FUSE_TEXT("org"), &path, &error));
  uint64_t no_handle[8] = {0x1234567812345678u};

  /* NULL, one of another kind, and no handle at all. */
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_get(NULL, "x", 1, &value, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_get((fuse_reader *)path, "x", 1, &value, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_get((fuse_reader *)no_handle, "x", 1, &value, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_get((fuse_reader *)((char *)reader + 1), "x", 1, &value, &error));
  CHECK(fuse_reader_close((fuse_reader *)path) == FUSE_ERROR_INVALID_ARGUMENT);
  CHECK(fuse_path_free((fuse_path *)reader) == FUSE_ERROR_INVALID_ARGUMENT);
  CHECK(fuse_reader_close(NULL) == FUSE_OK && fuse_path_free(NULL) == FUSE_OK);

  /* Closed ones, also after many others were opened and closed. */
  CHECK(fuse_path_free(path) == FUSE_OK && fuse_path_free(path) == FUSE_ERROR_INVALID_ARGUMENT);
  for (int i = 0; i < 3000; i++) {
    fuse_path *other = NULL;
    if (fuse_path_make(FUSE_TEXT("org"), &other, NULL) != FUSE_OK || fuse_path_free(other) != FUSE_OK) CHECK(0);
    if (other == path) CHECK(!"a handle that was closed is used again at once");
  }
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_get((fuse_reader *)path, "x", 1, &value, &error));
  fuse_value field;
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_get_field(reader, "x", 1, path, &field, &error));
  for (int i = 0; i < 20000; i++) {
    fuse_path *other = NULL;
    if (fuse_path_make(FUSE_TEXT("org"), &other, NULL) != FUSE_OK || fuse_path_free(other) != FUSE_OK) CHECK(0);
  }

  /* A child has all that its parent had. */
  fflush(stdout);
  pid_t child = fork();
  if (child == 0) {
    fuse_status status = fuse_get(reader, FUSE_TEXT("8.8.8.8"), &value, NULL);
    fuse_reader *own = NULL;
    fuse_reader_open(PATH("handles.fsdb"), NULL, NULL, &own, NULL);
    if (status == FUSE_OK) status = fuse_contains(own, FUSE_TEXT("gmail.com"), NULL);
    _exit(status == FUSE_OK && fuse_reader_close(own) == FUSE_OK && fuse_reader_close(reader) == FUSE_OK ? 0 : 1);
  }
  int ended = -1;
  CHECK(child > 0 && waitpid(child, &ended, 0) == child && ended == 0);

  /* What it says. */
  CHECK(fuse_reader_close(reader) == FUSE_OK && fuse_reader_close(reader) == FUSE_ERROR_INVALID_ARGUMENT);
  CHECK(fuse_get(reader, "x", 1, &value, &error) == FUSE_ERROR_INVALID_ARGUMENT);
  CHECK(strcmp(fuse_error_message(error), "the fuse_reader was closed before") == 0);
  fuse_error_free(error);
  error = NULL;

  /* Every function that takes a handle, with NULL and with a closed one. */
  const fuse_reader *bad[] = {NULL, reader};
  for (int i = 0; i < 2; i++) {
    const fuse_reader *r = bad[i];
    fuse_scan *scan;
    fuse_buffer buffer = FUSE_BUFFER_EMPTY;
    fuse_reader_info info = fuse_reader_info_empty();
    fuse_statistics statistics = fuse_statistics_empty();
    fuse_network_match match;
    fuse_match key_match;
    fuse_differences *differences;
    bool found;
    size_t count;
    int32_t rule;
    fuse_span key = SPAN("x");
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_reader_get_info(r, &info, &error));
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_reader_path(r, &buffer, &error));
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_reader_check(r, &error));
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_contains(r, "x", 1, &error));
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_get_copy(r, "x", 1, &buffer, &error));
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_get_many(r, &key, 1, &value, &error));
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_contains_many(r, &key, 1, &found, &error));
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_get_field(r, "x", 1, NULL, &field, &error));
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_scan_open(r, NULL, &scan, &error));
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_scan_open_objects(r, &scan, &error));
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_scan_open_sharing(r, "x", 1, NULL, &scan, &error));
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_scan_open_object(r, 40, NULL, &scan, &error));
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_scan_open_networks(r, FUSE_TEXT("8.0.0.0/8"), NULL, &scan, &error));
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_longest_match(r, FUSE_TEXT("8.8.8.8"), &match, &error));
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_longest_match_bytes(r, (const uint8_t *)"1234", 4, &match, &error));
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_containing(r, FUSE_TEXT("8.8.8.8"), &match, 1, &count, &error));
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_longest_suffix(r, "x", 1, &key_match, &error));
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_longest_email(r, "x", 1, &key_match, &error));
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_longest_prefix(r, "x", 1, &key_match, &error));
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_reader_normalisation(r, &rule, &error));
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_reader_metadata(r, "x", 1, &buffer, &error));
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_reader_metadata_json(r, &buffer, &error));
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_reader_statistics(r, NULL, &statistics, &error));
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_reader_verify(r, NULL, NULL, NULL, &error));
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_differences_open(r, r, &differences, &error));
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_patch_make(r, r, PATH("p"), 0, NULL, NULL, &error));
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_patch_apply(PATH("p"), r, PATH("q"), NULL, NULL, NULL, &error));
  }
}
