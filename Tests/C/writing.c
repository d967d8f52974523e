/* Building, merging, comparing, patching, reindexing; ending what takes long. */
#define _GNU_SOURCE
#include "check.h"

#include <pthread.h>
#include <signal.h>
#include <stddef.h>
#include <unistd.h>

static double last_share;
static int progress(void *context, double share) {
  CHECK(share >= 0 && share <= 1);
  last_share = share;
  return *(int *)context;
}

static uint32_t file_version(const char *name) {
  fuse_error *error = NULL;
  fuse_reader *reader = open_file(name);
  fuse_reader_info info = {.size = sizeof info};
  EXPECT(FUSE_OK, fuse_reader_get_info(reader, &info, &error));
  CHECK(fuse_reader_close(reader) == FUSE_OK);
  return (uint32_t)info.version;
}

void test_writer(void) {
  fuse_error *error = NULL;
  fuse_writer *writer = NULL;
  uint64_t first = 9, second = 9, keys = 0, objects = 0;
  size_t added = 9;
  static char long_key[65536];
  EXPECT(FUSE_OK, fuse_writer_make(NULL, &writer, &error));
  EXPECT(FUSE_OK, fuse_writer_add_object(writer, "\xa3" "abc", 4, &first, &error));
  EXPECT(FUSE_OK, fuse_writer_add_json(writer, FUSE_TEXT("\"abc\""), &second, &error));
  CHECK(first == second);
  EXPECT(FUSE_ERROR_INVALID_VALUE, fuse_writer_add_object(writer, "\xc1", 1, &second, &error));
  EXPECT(FUSE_ERROR_INVALID_VALUE, fuse_writer_add_object(writer, NULL, 0, &second, &error));
  EXPECT(FUSE_ERROR_INVALID_VALUE, fuse_writer_add_json(writer, FUSE_TEXT("["), &second, &error));
  EXPECT(FUSE_OK, fuse_writer_add_key(writer, NULL, 0, first, &error));
  EXPECT(FUSE_OK, fuse_writer_add_key(writer, long_key, 65535, first, &error));
  EXPECT(FUSE_ERROR_LIMIT_EXCEEDED, fuse_writer_add_key(writer, long_key, 65536, first, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_writer_add_key(writer, "x", 1, first + 1, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_writer_add_key(writer, "x", 1, UINT64_MAX, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_writer_add_key(writer, NULL, 1, first, &error));
  fuse_span many_keys[] = {SPAN("a"), SPAN("b"), {NULL, 4}}, values[] = {SPAN("\x01"), SPAN("\x02"), SPAN("\x03")};
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_writer_add_many(writer, many_keys, values, 3, &added, &error));
  CHECK(added == 2);
  EXPECT(FUSE_OK, fuse_writer_add_many(writer, many_keys, values, 2, NULL, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_writer_add_many(writer, NULL, values, 2, &added, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_writer_add_many(writer, many_keys, NULL, 2, &added, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_writer_add_keys(writer, NULL, 2, first, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_writer_add_object(writer, "\x01", 1, NULL, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_writer_add_json(writer, "1", 1, NULL, &error));
  EXPECT(FUSE_OK, fuse_writer_counts(writer, &keys, &objects, &error));
  CHECK(keys == 6 && objects == 3);
  EXPECT(FUSE_OK, fuse_writer_counts(writer, NULL, NULL, &error));

  int goes_on = 0;
  fuse_call call = fuse_call_default();
  call.progress = progress;
  call.context = &goes_on;
  fuse_build_report report = fuse_build_report_empty();
  EXPECT(FUSE_OK, fuse_writer_build(writer, PATH("written.fsdb"), &call, &report, &error));
  CHECK(last_share == 1 && report.key_count == 4 && report.object_count == 3 && report.duplicate_key_count == 2);
  CHECK(report.byte_count == (uint64_t)size_of("written.fsdb") && !report.replaced && !report.has_networks);
  EXPECT(FUSE_OK, fuse_writer_build(writer, PATH("written.fsdb"), NULL, &report, &error));
  CHECK(report.replaced && report.replaced_key_count == 4);
  fuse_reader *reader = open_file("written.fsdb");
  EXPECT(FUSE_OK, fuse_contains(reader, NULL, 0, &error));
  EXPECT(FUSE_OK, fuse_contains(reader, "", 0, &error));
  EXPECT(FUSE_OK, fuse_contains(reader, long_key, 65535, &error));
  fuse_span none = {NULL, 0}, value;
  EXPECT(FUSE_OK, fuse_get_many(reader, &none, 1, &value, &error));
  CHECK(is_text(value, "\xa3" "abc"));
  CHECK(fuse_reader_close(reader) == FUSE_OK);
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_writer_build(writer, "", 0, NULL, NULL, &error));
  report.size = 4;
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_writer_build(writer, PATH("written.fsdb"), NULL, &report, &error));
  EXPECT(FUSE_ERROR_INPUT_OUTPUT, fuse_writer_build(writer, PATH("no/folder.fsdb"), NULL, NULL, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_writer_build(writer, PATH("written.fsdb"), NULL, NULL, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_writer_add_key(writer, "x", 1, first, &error));
  CHECK(fuse_writer_close(writer) == FUSE_OK && fuse_writer_close(writer) == FUSE_ERROR_INVALID_ARGUMENT);
  fuse_writer *bad[] = {NULL, writer};
  for (int i = 0; i < 2; i++) {
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_writer_add_object(bad[i], "\x01", 1, &first, &error));
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_writer_add_json(bad[i], "1", 1, &first, &error));
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_writer_add_key(bad[i], "x", 1, 0, &error));
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_writer_add_keys(bad[i], many_keys, 1, 0, &error));
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_writer_add_many(bad[i], many_keys, values, 1, &added, &error));
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_writer_counts(bad[i], &keys, &objects, &error));
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_writer_build(bad[i], PATH("x"), NULL, NULL, &error));
  }
  CHECK(fuse_writer_close(NULL) == FUSE_OK);
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_writer_make(NULL, NULL, &error));

  /* As 0.3.0: numbers from 0 on, each object stored. */
  fuse_writer_options options = fuse_writer_options_compatible();
  EXPECT(FUSE_OK, fuse_writer_make(&options, &writer, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_writer_add_key(writer, "x", 1, 0, &error));
  for (uint64_t i = 0; i < 3; i++) {
    EXPECT(FUSE_OK, fuse_writer_add_object(writer, "\x01", 1, &first, &error));
    CHECK(first == i);
    EXPECT(FUSE_OK, fuse_writer_add_key(writer, "abc" + i, 1, first, &error));
  }
  report = fuse_build_report_empty();
  EXPECT(FUSE_OK, fuse_writer_build(writer, PATH("plain.fsdb"), NULL, &report, &error));
  CHECK(report.object_count == 3 && fuse_writer_close(writer) == FUSE_OK);

  /* What cannot be asked for. */
  fuse_metadata twice[] = {{SPAN("a"), SPAN("1")}, {SPAN("a"), SPAN("2")}}, rule[] = {{SPAN("normalise"), SPAN("mac")}};
  fuse_metadata not_text[] = {{SPAN("a"), SPAN("\xff")}};
  for (int i = 0; i < 21; i++) {
    options = fuse_writer_options_default();
    switch (i) {
      case 0: options.order = 2; break;
      case 1: options.sharing = -1; break;
      case 2: options.on_duplicate = FUSE_DUPLICATE_COMBINE; break;
      case 3: options.layout = 2; break;
      case 4: options.networks = 3; break;
      case 5: options.normalisation = 5; break;
      case 6: options.output_link = 3; break;
      case 7: options.thread_count = 5000; break;
      case 8: options.has_greatest_shrink = true, options.greatest_shrink = -0.1; break;
      case 9: options.least_key_count = UINT64_MAX; break;
      case 10: options.memory = UINT64_MAX; break;
      case 11: options.temporary_folder = SPAN("a\0b"); break;
      case 12: options.metadata = twice, options.metadata_count = 2; break;
      case 13: options.metadata_count = 2; break;
      case 14: options.metadata = rule, options.metadata_count = 1, options.normalisation = FUSE_NORMALISE_MAC; break;
      case 15: options.metadata = not_text, options.metadata_count = 1; break;
      case 16: options.layout = FUSE_LAYOUT_PLAIN, options.metadata = twice, options.metadata_count = 1; break;
      case 17: options.form = 3; break;
      case 18: options.form = -1; break;
      case 19: options.form = FUSE_FORM_COMPACT, options.layout = FUSE_LAYOUT_PLAIN; break;
      case 20: options.form = FUSE_FORM_COMPACT_FAST, options.reverse_index = true; break;
    }
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_writer_make(&options, &writer, &error));
  }
  for (int i = 0; i < 4; i++) {
    options = fuse_writer_options_compatible();
    if (i == 0) options.key_lengths = true;
    if (i == 1) options.reverse_index = true;
    if (i == 2) options.networks = FUSE_NETWORKS_ALWAYS;
    if (i == 3) options.normalisation = FUSE_NORMALISE_LOWER;
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_writer_make(&options, &writer, &error));
  }

  /* Both compact forms answer as the other does; what a caller from before the field asked for is that of the family. */
  const char *names[] = {"family.fsdb", "compact.fsdb", "fast.fsdb"};
  for (int32_t form = FUSE_FORM_FAMILY; form <= FUSE_FORM_COMPACT_FAST; form++) {
    options = fuse_writer_options_default();
    if (form == FUSE_FORM_FAMILY) options.size = offsetof(fuse_writer_options, form);
    options.form = form == FUSE_FORM_FAMILY ? FUSE_FORM_COMPACT : form;
    EXPECT(FUSE_OK, fuse_writer_make(&options, &writer, &error));
    for (unsigned i = 0; i < 500; i++) {
      char key[20], json[80];
      int key_size = snprintf(key, sizeof key, "host-%u", i);
      int size = snprintf(json, sizeof json, "{\"a name\":%u,\"a text\":\"one of two texts\"}", i % 50);
      EXPECT(FUSE_OK, fuse_writer_add_json(writer, json, (size_t)size, &first, &error));
      EXPECT(FUSE_OK, fuse_writer_add_key(writer, key, (size_t)key_size, first, &error));
    }
    report = fuse_build_report_empty();
    EXPECT(FUSE_OK, fuse_writer_build(writer, PATH(names[form]), NULL, &report, &error));
    CHECK(report.key_count == 500 && report.object_count == 50 && fuse_writer_close(writer) == FUSE_OK);
    CHECK(report.byte_count == (uint64_t)size_of(names[form]));
    reader = open_file(names[form]);
    fuse_reader_info info = {.size = sizeof info};
    EXPECT(FUSE_OK, fuse_reader_get_info(reader, &info, &error));
    CHECK(info.version == (form == FUSE_FORM_FAMILY ? 2 : 3) && info.key_count == 500);
    fuse_span earlier, later;
    EXPECT(FUSE_OK, fuse_get(reader, FUSE_TEXT("host-7"), &earlier, &error));
    for (unsigned i = 0; i < 500; i++) {
      char key[20];
      int key_size = snprintf(key, sizeof key, "host-%u", i);
      EXPECT(FUSE_OK, fuse_get(reader, key, (size_t)key_size, &later, &error));
    }
    EXPECT(FUSE_NONE, fuse_get(reader, FUSE_TEXT("host-500"), &later, &error));
    /* The first span is what it was, whatever was asked since. */
    CHECK(is_text(earlier, "\x82\xa6" "a name" "\x07\xa6" "a text" "\xb0" "one of two texts"));
    CHECK(fuse_reader_close(reader) == FUSE_OK);
  }
  CHECK(size_of("compact.fsdb") < size_of("family.fsdb"));

  /* Duplicates, and more than the memory. */
  options = fuse_writer_options_default();
  options.on_duplicate = FUSE_DUPLICATE_ERROR;
  options.memory = 16 << 20;
  options.temporary_folder = (fuse_span){path_of(""), strlen(path_of(""))};
  EXPECT(FUSE_OK, fuse_writer_make(&options, &writer, &error));
  EXPECT(FUSE_OK, fuse_writer_add_object(writer, "\x01", 1, &first, &error));
  EXPECT(FUSE_OK, fuse_writer_add_key(writer, "a", 1, first, &error));
  EXPECT(FUSE_OK, fuse_writer_add_key(writer, "a", 1, first, &error));
  EXPECT(FUSE_ERROR_DUPLICATE_KEY, fuse_writer_build(writer, PATH("duplicate.fsdb"), NULL, NULL, &error));
  CHECK(size_of("duplicate.fsdb") == -1 && fuse_writer_close(writer) == FUSE_OK);
  options.on_duplicate = FUSE_DUPLICATE_LAST;
  EXPECT(FUSE_OK, fuse_writer_make(&options, &writer, &error));
  static char large[2000] = "\xda\x07\xcd";
  for (unsigned i = 0; i < 20000; i++) {
    memcpy(large + 3, &i, sizeof i);
    fuse_span key = {large + 3, sizeof i}, bytes = {large, sizeof large};
    if (fuse_writer_add_many(writer, &key, &bytes, 1, NULL, NULL) != FUSE_OK) CHECK(!"an object is added");
  }
  report = fuse_build_report_empty();
  EXPECT(FUSE_OK, fuse_writer_build(writer, PATH("large.fsdb"), NULL, &report, &error));
  CHECK(report.key_count == 20000 && report.object_count == 20000 && fuse_writer_close(writer) == FUSE_OK);
}

static int answer, combinations;
static int combine(void *context, fuse_span key, fuse_span first, fuse_span second, fuse_buffer *value) {
  combinations += context == &answer;
  CHECK(is_text(key, "gmail.com") || is_text(key, "8.8.8.8"));
  CHECK(first.size > 0 && second.size > 0);
  if (answer == FUSE_COMBINE_VALUE) fuse_buffer_set(value, "\xa8" "combined", 9, NULL);
  if (answer == 9) {
    fuse_buffer_set(value, "\xc1", 1, NULL);
    return FUSE_COMBINE_VALUE;
  }
  return answer;
}

static int conflicts;
static size_t kept_file, dropped_file;
static void on_conflict(void *context, fuse_span key, size_t kept, size_t dropped) {
  conflicts += context == &answer && key.size > 0;
  kept_file = kept;
  dropped_file = dropped;
}

void test_merge(void) {
  fuse_error *error = NULL;
  make_file("monday.fsdb", "Google LLC");
  make_file("tuesday.fsdb", "Alphabet Inc.");
  char monday[1024], tuesday[1024];
  strcpy(monday, path_of("monday.fsdb"));
  strcpy(tuesday, path_of("tuesday.fsdb"));
  fuse_span inputs[] = {{monday, strlen(monday)}, {tuesday, strlen(tuesday)}};
  fuse_merge_report report = fuse_merge_report_empty();
  EXPECT(FUSE_OK, fuse_merge(inputs, 2, PATH("week.fsdb"), NULL, NULL, &report, &error));
  CHECK(report.input_key_count == 6 && report.key_count == 3 && report.conflict_count == 2 && report.combined_count == 0);
  CHECK(report.byte_count == (uint64_t)size_of("week.fsdb") && !report.replaced);

  fuse_metadata metadata[] = {{SPAN("source"), SPAN("both")}};
  fuse_writer_options writing = fuse_writer_options_default();
  writing.metadata = metadata;
  writing.metadata_count = 1;
  writing.on_duplicate = FUSE_DUPLICATE_FIRST;
  fuse_merge_options options = fuse_merge_options_default();
  options.writer = &writing;
  options.on_conflict = on_conflict;
  options.context = &answer;
  EXPECT(FUSE_OK, fuse_merge(inputs, 2, PATH("week.fsdb"), &options, NULL, &report, &error));
  CHECK(conflicts == 2 && kept_file == 0 && dropped_file == 1 && report.replaced && report.replaced_key_count == 3);
  fuse_reader *reader = open_file("week.fsdb");
  fuse_buffer text = FUSE_BUFFER_EMPTY;
  EXPECT(FUSE_OK, fuse_reader_metadata(reader, FUSE_TEXT("source"), &text, &error));
  CHECK(buffer_is(&text, "both") && fuse_reader_close(reader) == FUSE_OK);
  writing.on_duplicate = FUSE_DUPLICATE_ERROR;
  EXPECT(FUSE_ERROR_DUPLICATE_KEY, fuse_merge(inputs, 2, PATH("week.fsdb"), &options, NULL, &report, &error));

  writing.on_duplicate = FUSE_DUPLICATE_COMBINE;
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_merge(inputs, 2, PATH("week.fsdb"), &options, NULL, &report, &error));
  options.combine = combine;
  static const struct { int answer; fuse_status status; } cases[] = {
    {FUSE_COMBINE_FIRST, FUSE_OK}, {FUSE_COMBINE_SECOND, FUSE_OK}, {FUSE_COMBINE_VALUE, FUSE_OK},
    {9, FUSE_ERROR_INVALID_VALUE}, {3, FUSE_ERROR_INVALID_ARGUMENT}, {-1, FUSE_ERROR_CANCELLED}};
  for (int i = 0; i < 6; i++) {
    answer = cases[i].answer;
    EXPECT(cases[i].status, fuse_merge(inputs, 2, PATH("week.fsdb"), &options, NULL, &report, &error));
    reader = open_file("week.fsdb");
    EXPECT(FUSE_OK, fuse_get_copy(reader, FUSE_TEXT("8.8.8.8"), &text, &error));
    const char *expected = i == 0 ? "Google LLC" : i == 1 ? "Alphabet Inc." : "mbined";
    CHECK(text.size > 6 && memcmp((i < 2 ? text.data + 6 : text.data + 3), expected, strlen(expected)) == 0);
    CHECK(fuse_reader_close(reader) == FUSE_OK);
  }
  CHECK(combinations >= 9 && kept_file == SIZE_MAX && dropped_file == SIZE_MAX);

  /* Some keys of all. */
  writing.on_duplicate = FUSE_DUPLICATE_LAST;
  fuse_span prefixes[] = {SPAN("8."), SPAN("g")};
  options.prefixes = prefixes;
  options.prefix_count = 2;
  EXPECT(FUSE_OK, fuse_merge(inputs, 2, PATH("week.fsdb"), &options, NULL, &report, &error));
  CHECK(report.key_count == 2);
  options.subtracting = inputs;
  options.subtracting_count = 1;
  EXPECT(FUSE_OK, fuse_merge(inputs, 2, PATH("week.fsdb"), &options, NULL, &report, &error));
  CHECK(report.key_count == 0 && report.subtracted_key_count == 4);
  EXPECT(FUSE_OK, fuse_merge(NULL, 0, PATH("empty.fsdb"), NULL, NULL, NULL, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_merge(NULL, 2, PATH("week.fsdb"), NULL, NULL, NULL, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_merge(inputs, 2, NULL, 3, NULL, NULL, NULL, &error));
  inputs[1] = (fuse_span){"", 0};
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_merge(inputs, 2, PATH("week.fsdb"), NULL, NULL, NULL, &error));
  inputs[1] = SPAN("/nowhere.fsdb");
  EXPECT(FUSE_ERROR_NOT_FOUND, fuse_merge(inputs, 2, PATH("week.fsdb"), NULL, NULL, NULL, &error));
  options = fuse_merge_options_default();
  options.prefix_count = 1;
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_merge(inputs, 1, PATH("week.fsdb"), &options, NULL, NULL, &error));
  fuse_buffer_free(&text);
}

void test_patch(void) {
  fuse_error *error = NULL;
  fuse_differences *differences = NULL;
  fuse_difference found;
  uint64_t count = 99;
  make_file("old.fsdb", "Google LLC");
  make_file("new.fsdb", "Alphabet Inc.");
  fuse_reader *old = open_file("old.fsdb"), *new = open_file("new.fsdb");
  EXPECT(FUSE_OK, fuse_differences_open(old, new, &differences, &error));
  EXPECT(FUSE_OK, fuse_differences_next(differences, NULL, &found, &error));
  CHECK(found.kind == FUSE_CHANGED && is_text(found.key, "8.8.8.8") && found.old_value.size == 56 && found.new_value.size == 59);
  fuse_call call = fuse_call_default();
  EXPECT(FUSE_OK, fuse_differences_next(differences, &call, &found, &error));
  EXPECT(FUSE_NONE, fuse_differences_next(differences, NULL, &found, &error));
  EXPECT(FUSE_OK, fuse_differences_equal_count(differences, &count, &error));
  CHECK(count == 1);
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_differences_next(differences, NULL, NULL, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_differences_equal_count(differences, NULL, &error));
  CHECK(fuse_differences_close(differences) == FUSE_OK);
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_differences_next(differences, NULL, &found, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_differences_equal_count(NULL, &count, &error));
  CHECK(fuse_differences_close(NULL) == FUSE_OK);
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_differences_open(old, new, NULL, &error));
  fuse_reader *empty = open_file("empty.fsdb");
  for (int added = 0; added < 2; added++) {
    EXPECT(FUSE_OK, fuse_differences_open(added ? empty : old, added ? old : empty, &differences, &error));
    EXPECT(FUSE_OK, fuse_differences_next(differences, NULL, &found, &error));
    CHECK(found.kind == (added ? FUSE_ADDED : FUSE_REMOVED) && is_text(found.key, "1.1.1.1"));
    CHECK((added ? found.old_value : found.new_value).data == NULL && (added ? found.new_value : found.old_value).size == 16);
    CHECK(fuse_differences_close(differences) == FUSE_OK);
  }
  CHECK(fuse_reader_close(empty) == FUSE_OK);

  fuse_patch_report made = fuse_patch_report_empty();
  EXPECT(FUSE_OK, fuse_patch_make(old, new, PATH("new.patch"), FUSE_LINK_REFUSED, NULL, &made, &error));
  CHECK(made.byte_count == (uint64_t)size_of("new.patch") && made.copied_object_count == 1);
  EXPECT(FUSE_OK, fuse_patch_make(old, new, PATH("new.patch"), FUSE_LINK_REFUSED, NULL, NULL, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_patch_make(old, new, PATH("new.patch"), 3, NULL, NULL, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_patch_make(old, NULL, PATH("new.patch"), 0, NULL, NULL, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_patch_make(old, new, "", 0, 0, NULL, NULL, &error));
  fuse_patched_file patched = fuse_patched_file_empty();
  EXPECT(FUSE_OK, fuse_patch_apply(PATH("new.patch"), old, PATH("patched.fsdb"), NULL, NULL, &patched, &error));
  CHECK(patched.key_count == 3 && patched.object_count == 2 && !patched.replaced);
  CHECK(patched.byte_count == (uint64_t)size_of("new.fsdb") && size_of("patched.fsdb") == size_of("new.fsdb"));
  EXPECT(FUSE_ERROR_PATCH_MISMATCH, fuse_patch_apply(PATH("new.patch"), new, PATH("patched.fsdb"), NULL, NULL, &patched, &error));

  /* There and back, in one pass. */
  EXPECT(FUSE_OK, fuse_patch_make(new, old, PATH("back.patch"), FUSE_LINK_REFUSED, NULL, NULL, &error));
  char there[1024], back[1024];
  strcpy(there, path_of("new.patch"));
  strcpy(back, path_of("back.patch"));
  fuse_span both[] = {{there, strlen(there)}, {back, strlen(back)}};
  EXPECT(FUSE_OK, fuse_patch_apply_many(both, 2, old, PATH("again.fsdb"), NULL, NULL, &patched, &error));
  CHECK(patched.key_count == 3 && patched.byte_count == (uint64_t)size_of("old.fsdb") && size_of("again.fsdb") == size_of("old.fsdb"));
  EXPECT(FUSE_OK, fuse_patch_apply_many(both, 1, old, PATH("again.fsdb"), NULL, &call, NULL, &error));
  CHECK(size_of("again.fsdb") == size_of("new.fsdb"));
  EXPECT(FUSE_ERROR_PATCH_MISMATCH, fuse_patch_apply_many(both, 2, new, PATH("again.fsdb"), NULL, NULL, NULL, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_patch_apply_many(both, 0, old, PATH("again.fsdb"), NULL, NULL, NULL, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_patch_apply_many(NULL, 1, old, PATH("again.fsdb"), NULL, NULL, NULL, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_patch_apply_many(both, 2, NULL, PATH("again.fsdb"), NULL, NULL, NULL, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_patch_apply_many(both, 2, old, NULL, 0, NULL, NULL, NULL, &error));
  both[1].size = 0;
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_patch_apply_many(both, 2, old, PATH("again.fsdb"), NULL, NULL, NULL, &error));

  fuse_patch_options options = fuse_patch_options_default();
  options.greatest_byte_count = 100;
  EXPECT(FUSE_ERROR_LIMIT_EXCEEDED, fuse_patch_apply(PATH("new.patch"), old, PATH("patched.fsdb"), &options, NULL, NULL, &error));
  options = fuse_patch_options_default();
  options.least_key_count = 4;
  EXPECT(FUSE_ERROR_REFUSED, fuse_patch_apply(PATH("new.patch"), old, PATH("patched.fsdb"), &options, NULL, NULL, &error));
  options = fuse_patch_options_default();
  options.output_link = -1;
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_patch_apply(PATH("new.patch"), old, PATH("patched.fsdb"), &options, NULL, NULL, &error));
  options = fuse_patch_options_default();
  options.has_greatest_shrink = true;
  options.greatest_shrink = 2;
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_patch_apply(PATH("new.patch"), old, PATH("patched.fsdb"), &options, NULL, NULL, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_patch_apply(PATH("new.patch"), old, NULL, 0, NULL, NULL, NULL, &error));
  EXPECT(FUSE_ERROR_NOT_FOUND, fuse_patch_apply(PATH("no.patch"), old, PATH("patched.fsdb"), NULL, NULL, NULL, &error));
  cut_file("new.patch", 100);
  EXPECT(FUSE_ERROR_TRUNCATED, fuse_patch_apply(PATH("new.patch"), old, PATH("patched.fsdb"), NULL, NULL, NULL, &error));
  CHECK(fuse_reader_close(old) == FUSE_OK && fuse_reader_close(new) == FUSE_OK);

  fuse_reindex_report report = fuse_reindex_report_empty();
  fuse_metadata metadata[] = {{SPAN("source"), SPAN("again")}};
  fuse_reindex_options reindexing = fuse_reindex_options_default();
  reindexing.metadata = metadata;
  reindexing.metadata_count = 1;
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_reindex(PATH("plain.fsdb"), &reindexing, NULL, &report, &error));
  reindexing.replaces_metadata = true;
  reindexing.key_lengths = reindexing.reverse_index = true;
  EXPECT(FUSE_OK, fuse_reindex(PATH("plain.fsdb"), &reindexing, NULL, &report, &error));
  CHECK(report.was_plain && report.key_count == 3 && report.replaced && report.replaced_key_count == 3);
  CHECK(report.byte_count == (uint64_t)size_of("plain.fsdb") && report.byte_count > report.byte_count_before);
  char output[1024];
  strcpy(output, path_of("indexed.fsdb"));
  reindexing = fuse_reindex_options_default();
  reindexing.output = (fuse_span){output, strlen(output)};
  EXPECT(FUSE_OK, fuse_reindex(PATH("plain.fsdb"), &reindexing, NULL, &report, &error));
  CHECK(!report.was_plain && !report.replaced && !report.has_networks);
  EXPECT(FUSE_OK, fuse_reindex(PATH("plain.fsdb"), NULL, NULL, NULL, &error));
  reindexing.form = FUSE_FORM_COMPACT;
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_reindex(PATH("plain.fsdb"), &reindexing, NULL, &report, &error));
  reindexing.has_form = reindexing.reverse_index = true;
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_reindex(PATH("plain.fsdb"), &reindexing, NULL, &report, &error));
  reindexing.reverse_index = false;
  reindexing.form = 3;
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_reindex(PATH("plain.fsdb"), &reindexing, NULL, &report, &error));
  reindexing.form = FUSE_FORM_COMPACT;
  EXPECT(FUSE_OK, fuse_reindex(PATH("plain.fsdb"), &reindexing, NULL, &report, &error));
  CHECK(file_version("plain.fsdb") == 2 && file_version("indexed.fsdb") == 3);
  /* Without a form, it stays what it is. */
  EXPECT(FUSE_OK, fuse_reindex(PATH("indexed.fsdb"), NULL, NULL, &report, &error));
  CHECK(file_version("indexed.fsdb") == 3);
  fuse_reindex_options to_family = fuse_reindex_options_default();
  to_family.has_form = true;
  EXPECT(FUSE_OK, fuse_reindex(PATH("indexed.fsdb"), &to_family, NULL, &report, &error));
  CHECK(file_version("indexed.fsdb") == 2);
  fuse_writer_options compact = fuse_writer_options_default();
  compact.form = FUSE_FORM_COMPACT_FAST;
  fuse_merge_options merging = fuse_merge_options_default();
  merging.writer = &compact;
  fuse_span of_one = {output, strlen(output)};
  EXPECT(FUSE_OK, fuse_merge(&of_one, 1, PATH("compact.fsdb"), &merging, NULL, NULL, &error));
  CHECK(file_version("compact.fsdb") == 3);
  reindexing.form = FUSE_FORM_FAMILY;
  reindexing.networks = 9;
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_reindex(PATH("plain.fsdb"), &reindexing, NULL, &report, &error));
  EXPECT(FUSE_ERROR_NOT_FOUND, fuse_reindex(PATH("missing.fsdb"), NULL, NULL, &report, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_reindex(NULL, 0, NULL, NULL, &report, &error));
}

/* Every long call, with one way of ending it. */
static void check_all_end(const fuse_call *call) {
  fuse_error *error = NULL;
  fuse_reader *reader = open_file("large.fsdb"), *other = NULL;
  fuse_reloadable *store = NULL;
  char path[1024];
  strcpy(path, path_of("large.fsdb"));
  fuse_span inputs[] = {{path, strlen(path)}};
  EXPECT(FUSE_ERROR_CANCELLED, fuse_verify(PATH("large.fsdb"), NULL, call, NULL, &error));
  EXPECT(FUSE_ERROR_CANCELLED, fuse_reader_verify(reader, NULL, call, NULL, &error));
  EXPECT(FUSE_ERROR_CANCELLED, fuse_merge(inputs, 1, PATH("ended.fsdb"), NULL, call, NULL, &error));
  EXPECT(FUSE_ERROR_CANCELLED, fuse_reindex(PATH("large.fsdb"), NULL, call, NULL, &error));
  fuse_writer *writer = NULL;
  uint64_t object;
  EXPECT(FUSE_OK, fuse_writer_make(NULL, &writer, &error));
  EXPECT(FUSE_OK, fuse_writer_add_object(writer, "\x01", 1, &object, &error));
  EXPECT(FUSE_OK, fuse_writer_add_key(writer, "a", 1, object, &error));
  EXPECT(FUSE_ERROR_CANCELLED, fuse_writer_build(writer, PATH("ended.fsdb"), call, NULL, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_writer_build(writer, PATH("ended.fsdb"), NULL, NULL, &error));
  CHECK(fuse_writer_close(writer) == FUSE_OK);
  CHECK(size_of("ended.fsdb") == -1);
  if (call->cancel != NULL) {
    /* Those that tell no progress. */
    fuse_statistics statistics = fuse_statistics_empty();
    fuse_differences *differences = NULL;
    fuse_difference difference;
    EXPECT(FUSE_ERROR_CANCELLED, fuse_reader_open(PATH("large.fsdb"), NULL, call, &other, &error));
    EXPECT(FUSE_ERROR_CANCELLED, fuse_reader_statistics(reader, call, &statistics, &error));
    EXPECT(FUSE_ERROR_CANCELLED, fuse_patch_make(reader, reader, PATH("ended.patch"), 0, call, NULL, &error));
    EXPECT(FUSE_ERROR_CANCELLED, fuse_patch_apply(PATH("new.patch"), reader, PATH("ended.fsdb"), NULL, call, NULL, &error));
    EXPECT(FUSE_ERROR_CANCELLED, fuse_reloadable_open(PATH("large.fsdb"), NULL, call, &store, &error));
    EXPECT(FUSE_OK, fuse_reloadable_open(PATH("large.fsdb"), NULL, NULL, &store, &error));
    EXPECT(FUSE_ERROR_CANCELLED, fuse_reloadable_reload(store, call, &error));
    fuse_error *reason = NULL;
    EXPECT(FUSE_NONE, fuse_reloadable_last_refusal(store, &reason, &error));
    EXPECT(FUSE_OK, fuse_differences_open(reader, reader, &differences, &error));
    EXPECT(FUSE_ERROR_CANCELLED, fuse_differences_next(differences, call, &difference, &error));
    CHECK(fuse_differences_close(differences) == FUSE_OK && fuse_reloadable_close(store) == FUSE_OK);
  }
  CHECK(fuse_reader_close(reader) == FUSE_OK);
}

/* Ends a call when it is asked for so often. */
static int left;
static int poll_down(void *context) {
  CHECK(context == &left);
  return --left == 0;
}
static int count_down(void *context, double share) {
  CHECK(share >= 0 && share <= 1);
  return poll_down(context);
}

enum { BUILD, MERGE, PATCH, MAKE_PATCH, REINDEX, VERIFY, OPEN, STATISTICS, DIFFER, KINDS };

static fuse_status begin(int kind, const fuse_reader *reader, const fuse_call *call) {
  char path[1024];
  strcpy(path, path_of("new.fsdb"));
  fuse_span input = {path, strlen(path)};
  fuse_error *error = NULL;
  fuse_status status = FUSE_OK;
  switch (kind) {
    case BUILD: {
      fuse_writer *writer = NULL;
      uint64_t object;
      EXPECT(FUSE_OK, fuse_writer_make(NULL, &writer, &error));
      EXPECT(FUSE_OK, fuse_writer_add_object(writer, "\x01", 1, &object, &error));
      EXPECT(FUSE_OK, fuse_writer_add_key(writer, "a", 1, object, &error));
      status = fuse_writer_build(writer, PATH("ended.fsdb"), call, NULL, NULL);
      CHECK(fuse_writer_close(writer) == FUSE_OK);
      break;
    }
    case MERGE: return fuse_merge(&input, 1, PATH("ended.fsdb"), NULL, call, NULL, NULL);
    case PATCH: return fuse_patch_apply(PATH("whole.patch"), reader, PATH("ended.fsdb"), NULL, call, NULL, NULL);
    case MAKE_PATCH: return fuse_patch_make(reader, reader, PATH("ended.fsdb"), 0, call, NULL, NULL);
    case REINDEX: return fuse_reindex(PATH("new.fsdb"), NULL, call, NULL, NULL);
    case VERIFY: return fuse_verify(PATH("new.fsdb"), NULL, call, NULL, NULL);
    case OPEN: {
      fuse_reader *other = NULL;
      status = fuse_reader_open(PATH("still_plain.fsdb"), NULL, call, &other, NULL);
      CHECK(fuse_reader_close(other) == FUSE_OK);
      break;
    }
    case STATISTICS: {
      fuse_statistics statistics = fuse_statistics_empty();
      return fuse_reader_statistics(reader, call, &statistics, NULL);
    }
    case DIFFER: {
      fuse_differences *differences = NULL;
      fuse_difference difference;
      /* The last key is the first that differs. */
      fuse_reader *large = open_file("large.fsdb"), *larger = open_file("larger.fsdb");
      EXPECT(FUSE_OK, fuse_differences_open(large, larger, &differences, &error));
      status = fuse_differences_next(differences, call, &difference, NULL);
      CHECK(status != FUSE_OK || (difference.key.size == 1 && *(const char *)difference.key.data == '\xff'));
      CHECK(fuse_differences_close(differences) == FUSE_OK);
      CHECK(fuse_reader_close(large) == FUSE_OK && fuse_reader_close(larger) == FUSE_OK);
    }
  }
  return status;
}

/* Ends each kind of long call at each point at which it can be ended, or at each of the first and then at ever fewer: those that
 * poll are many. Gives at how many. */
static void end_at_points(const fuse_call *call, int points[KINDS]) {
  fuse_reader *reader = open_file("old.fsdb");
  for (int kind = 0; kind < KINDS; kind++) {
    fuse_status status = FUSE_ERROR_CANCELLED;
    points[kind] = 0;
    for (int point = 1; status == FUSE_ERROR_CANCELLED; point += call->poll == NULL ? 1 : 1 + point / 4) {
      left = point;
      status = begin(kind, reader, call);
      CHECK(status == FUSE_OK || status == FUSE_ERROR_CANCELLED);
      if (kind <= MAKE_PATCH) CHECK((size_of("ended.fsdb") == -1) == (status != FUSE_OK));
      points[kind] += status == FUSE_ERROR_CANCELLED;
    }
    remove(path_of("ended.fsdb"));
  }
  CHECK(fuse_reader_close(reader) == FUSE_OK);
}

static void test_ending_at_points(void) {
  fuse_error *error = NULL;
  fuse_writer *writer = NULL;
  fuse_writer_options plain = fuse_writer_options_compatible();
  EXPECT(FUSE_OK, fuse_writer_make(&plain, &writer, &error));
  EXPECT(FUSE_OK, fuse_writer_build(writer, PATH("still_plain.fsdb"), NULL, NULL, &error));
  CHECK(fuse_writer_close(writer) == FUSE_OK);
  uint64_t object;
  EXPECT(FUSE_OK, fuse_writer_make(NULL, &writer, &error));
  EXPECT(FUSE_OK, fuse_writer_add_object(writer, "\x01", 1, &object, &error));
  EXPECT(FUSE_OK, fuse_writer_add_key(writer, "\xff", 1, object, &error));
  EXPECT(FUSE_OK, fuse_writer_build(writer, PATH("last.fsdb"), NULL, NULL, &error));
  CHECK(fuse_writer_close(writer) == FUSE_OK);
  char paths[2][1024];
  strcpy(paths[0], path_of("large.fsdb"));
  strcpy(paths[1], path_of("last.fsdb"));
  fuse_span inputs[] = {{paths[0], strlen(paths[0])}, {paths[1], strlen(paths[1])}};
  EXPECT(FUSE_OK, fuse_merge(inputs, 2, PATH("larger.fsdb"), NULL, NULL, NULL, &error));
  fuse_reader *old = open_file("old.fsdb"), *new = open_file("new.fsdb");
  EXPECT(FUSE_OK, fuse_patch_make(old, new, PATH("whole.patch"), 0, NULL, NULL, &error));
  CHECK(fuse_reader_close(old) == FUSE_OK && fuse_reader_close(new) == FUSE_OK);
  fuse_call call = fuse_call_default();
  call.context = &left;
  call.progress = count_down;
  int points[KINDS];
  end_at_points(&call, points);
  CHECK(points[BUILD] + points[MERGE] + points[REINDEX] + points[VERIFY] > 10);
  /* Before anything is done, and on the way. */
  call.progress = NULL;
  call.poll = poll_down;
  end_at_points(&call, points);
  for (int kind = 0; kind < KINDS; kind++) CHECK(points[kind] >= 2);
}

/* Ends a call while it is on its way, from a signal handler. */
static fuse_cancel *to_request;
static void on_signal(int number) {
  signal(number, on_signal);
  fuse_cancel_request(to_request);
}
static int request(void *context, double share) {
  last_share = share;
  to_request = context;
  return raise(SIGTERM);
}

static fuse_cancel *toggled;
static int toggling;

static void *toggle(void *context) {
  (void)context;
  while (__atomic_load_n(&toggling, __ATOMIC_ACQUIRE)) {
    fuse_cancel_request(toggled);
    usleep(100);
    fuse_cancel_reset(toggled);
    usleep(1000);
  }
  return NULL;
}

/* A token that is requested and taken back at once ends a call or does not, and never makes a sound file a damaged one. */
static void test_a_token_that_is_taken_back(void) {
  fuse_error *error = NULL;
  pthread_t thread;
  int wrong = 0;
  EXPECT(FUSE_OK, fuse_cancel_make(&toggled, &error));
  fuse_call call = fuse_call_default();
  call.cancel = toggled;
  toggling = 1;
  CHECK(pthread_create(&thread, NULL, toggle, NULL) == 0);
  for (int round = 0; round < rounds; round++) {
    fuse_verification found = fuse_verification_empty();
    fuse_status status = fuse_verify(PATH("large.fsdb"), NULL, &call, &found, NULL);
    wrong += status != FUSE_ERROR_CANCELLED && (status != FUSE_OK || found.damage_count > 0);
  }
  __atomic_store_n(&toggling, 0, __ATOMIC_RELEASE);
  pthread_join(thread, NULL);
  CHECK(wrong == 0);
  CHECK(fuse_cancel_free(toggled) == FUSE_OK);
}

void test_cancel(void) {
  test_a_token_that_is_taken_back();
  fuse_error *error = NULL;
  fuse_cancel *cancel = NULL;
  EXPECT(FUSE_OK, fuse_cancel_make(&cancel, &error));
  CHECK(fuse_cancel_is_requested(cancel) == FUSE_NONE);
  fuse_call call = fuse_call_default();
  call.cancel = cancel;
  EXPECT(FUSE_OK, fuse_verify(PATH("large.fsdb"), NULL, &call, NULL, &error));
  CHECK(fuse_cancel_request(cancel) == FUSE_OK && fuse_cancel_is_requested(cancel) == FUSE_OK);
  check_all_end(&call);
  CHECK(fuse_cancel_reset(cancel) == FUSE_OK && fuse_cancel_is_requested(cancel) == FUSE_NONE);
  EXPECT(FUSE_OK, fuse_verify(PATH("large.fsdb"), NULL, &call, NULL, &error));

  test_ending_at_points();
  int ends = 1;
  call = fuse_call_default();
  call.progress = progress;
  call.context = &ends;
  check_all_end(&call);
  call.cancel = cancel;
  call.progress = request;
  call.context = cancel;
  last_share = 2;
  signal(SIGTERM, on_signal);
  EXPECT(FUSE_ERROR_CANCELLED, fuse_verify(PATH("large.fsdb"), NULL, &call, NULL, &error));
  signal(SIGTERM, SIG_DFL);
  CHECK(fuse_cancel_is_requested(cancel) == FUSE_OK);
  CHECK(last_share < 1);

  /* What is no token. */
  CHECK(fuse_cancel_free(cancel) == FUSE_OK && fuse_cancel_free(cancel) == FUSE_ERROR_INVALID_ARGUMENT);
  CHECK(fuse_cancel_free(NULL) == FUSE_OK);
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_cancel_make(NULL, &error));
  fuse_cancel *bad[] = {NULL, cancel};
  for (int i = 0; i < 2; i++) {
    CHECK(fuse_cancel_request(bad[i]) == FUSE_ERROR_INVALID_ARGUMENT);
    CHECK(fuse_cancel_reset(bad[i]) == FUSE_ERROR_INVALID_ARGUMENT);
    CHECK(fuse_cancel_is_requested(bad[i]) == FUSE_ERROR_INVALID_ARGUMENT);
  }
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_verify(PATH("large.fsdb"), NULL, &call, NULL, &error));
  call.size = 1;
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_verify(PATH("large.fsdb"), NULL, &call, NULL, &error));
}
