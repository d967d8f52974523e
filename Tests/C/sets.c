/* Sets of shards: building, publishing, sweeping, and asking them. */
#define _GNU_SOURCE
#include "check.h"

#include <math.h>
#include <stdio.h>

enum { shard_count = 3 };

/* Builds the shards of some keys, and describes them. */
static void build_shards(fuse_buffer *shards, int keys, const char *value) {
  fuse_error *error = NULL;
  for (uint64_t number = 0; number < shard_count; number++) {
    fuse_writer *writer = NULL;
    uint64_t object = 0;
    EXPECT(FUSE_OK, fuse_writer_make(NULL, &writer, &error));
    EXPECT(FUSE_OK, fuse_writer_add_object(writer, value, 1, &object, &error));
    for (int key = 0; key < keys; key++) {
      char text[16];
      uint64_t shard = 9;
      size_t size = (size_t)snprintf(text, sizeof text, "key %d", key);
      EXPECT(FUSE_OK, fuse_shard_of(text, size, shard_count, &shard, &error));
      if (shard == number) EXPECT(FUSE_OK, fuse_writer_add_key(writer, text, size, object, &error));
    }
    EXPECT(FUSE_OK, fuse_writer_build_shard(writer, number, shard_count, PATH("set"), NULL, &shards[number], &error));
    CHECK(fuse_writer_close(writer) == FUSE_OK);
  }
}

static void check_slips(void) {
  fuse_error *error = NULL;
  fuse_writer *writer = NULL;
  uint64_t number = 0;
  fuse_buffer shard = FUSE_BUFFER_EMPTY;
  EXPECT(FUSE_OK, fuse_shard_of(NULL, 0, 64, &number, &error));
  CHECK(number == 4);
  EXPECT(FUSE_OK, fuse_shard_of(FUSE_TEXT("8.8.8.8"), 64, &number, &error));
  CHECK(number == 19);
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_shard_of("x", 1, 0, &number, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_shard_of("x", 1, 65537, &number, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_shard_of(NULL, 1, 64, &number, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_shard_of("x", 1, 64, NULL, &error));
  EXPECT(FUSE_OK, fuse_writer_make(NULL, &writer, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_writer_build_shard(writer, 3, 3, PATH("set"), NULL, &shard, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_writer_build_shard(writer, 0, 0, PATH("set"), NULL, &shard, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_writer_build_shard(writer, 0, 1, "", 0, NULL, &shard, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_writer_build_shard(writer, 0, 1, PATH("set"), NULL, NULL, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_writer_build_shard(NULL, 0, 1, PATH("set"), NULL, &shard, &error));
  EXPECT(FUSE_OK, fuse_writer_add_json(writer, FUSE_TEXT("1"), &number, &error));
  EXPECT(FUSE_OK, fuse_writer_add_key(writer, FUSE_TEXT("8.8.8.8"), number, &error));
  EXPECT(FUSE_ERROR_INVALID_VALUE, fuse_writer_build_shard(writer, 0, 64, PATH("set"), NULL, &shard, &error));
  CHECK(fuse_writer_close(writer) == FUSE_OK);
  fuse_buffer_free(&shard);
  fuse_span none = SPAN("{}");
  EXPECT(FUSE_ERROR_INVALID_VALUE, fuse_set_publish(PATH("set"), &none, 1, NULL, NULL, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_set_publish(PATH("set"), NULL, 0, NULL, NULL, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_set_publish(PATH("set"), NULL, 1, NULL, NULL, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_set_publish(NULL, 0, &none, 1, NULL, NULL, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_set_generation(PATH("set"), NULL, &error));
  EXPECT(FUSE_ERROR_NOT_FOUND, fuse_set_sweep(PATH("set"), 0, NULL, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_set_sweep(PATH("set"), -1, NULL, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_set_sweep(PATH("set"), NAN, NULL, &error));
}

void test_sets(void) {
  fuse_error *error = NULL;
  fuse_buffer shards[shard_count] = {FUSE_BUFFER_EMPTY, FUSE_BUFFER_EMPTY, FUSE_BUFFER_EMPTY};
  fuse_span spans[shard_count];
  uint64_t generation = 9, removed = 9;
  check_slips();
  EXPECT(FUSE_OK, fuse_set_generation(PATH("set"), &generation, &error));
  CHECK(generation == 0);
  for (int round = 0; round < 2; round++) {
    build_shards(shards, 60, round == 0 ? "\x01" : "\x02");
    for (int i = 0; i < shard_count; i++) spans[i] = (fuse_span){shards[shard_count - 1 - i].data, shards[shard_count - 1 - i].size};
    fuse_set_options options = fuse_set_options_default();
    options.after = (uint64_t)round;
    options.least_key_count = 60;
    options.has_greatest_shrink = true;
    fuse_set_report report = fuse_set_report_empty();
    EXPECT(FUSE_OK, fuse_set_publish(PATH("set"), spans, shard_count, &options, &report, &error));
    CHECK(report.generation == (uint64_t)round + 1 && report.shard_count == 3 && report.key_count == 60);
    CHECK(report.replaced == (round == 1) && report.kept_shard_count == 0 && report.swept_count == 0);
    EXPECT(FUSE_ERROR_OUTPUT_CHANGED, fuse_set_publish(PATH("set"), spans, shard_count, &options, NULL, &error));
    options.after++;
    options.least_key_count = 61;
    EXPECT(FUSE_ERROR_REFUSED, fuse_set_publish(PATH("set"), spans, shard_count, &options, NULL, &error));
    options.greatest_shrink = 2;
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_set_publish(PATH("set"), spans, shard_count, &options, NULL, &error));
  }
  EXPECT(FUSE_OK, fuse_set_sweep(PATH("set"), 0, &removed, &error));
  CHECK(removed == 0);

  fuse_reader *reader = open_file("set");
  fuse_reader_info info = fuse_reader_info_empty();
  EXPECT(FUSE_OK, fuse_reader_get_info(reader, &info, &error));
  CHECK(info.shard_count == 3 && info.set_generation == 2 && info.key_count == 60 && info.version == 2 && !info.is_plain);
  fuse_span value, found[2], keys[2] = {SPAN("key 7"), SPAN("nobody")};
  EXPECT(FUSE_OK, fuse_get(reader, FUSE_TEXT("key 59"), &value, &error));
  CHECK(is_text(value, "\x02"));
  EXPECT(FUSE_NONE, fuse_get(reader, FUSE_TEXT("key 60"), &value, &error));
  EXPECT(FUSE_OK, fuse_get_many(reader, keys, 2, found, &error));
  CHECK(is_text(found[0], "\x02") && found[1].data == NULL);
  EXPECT(FUSE_OK, fuse_reader_check(reader, &error));
  CHECK(fuse_reader_close(reader) == FUSE_OK);

  fuse_set_report report = fuse_set_report_empty();
  EXPECT(FUSE_OK, fuse_set_split(PATH("set"), PATH("other set"), 5, 0, NULL, NULL, &report, &error));
  CHECK(report.shard_count == 5 && report.key_count == 60 && report.generation == 1);
  EXPECT(FUSE_OK, fuse_set_split(PATH("set"), PATH("other set"), 0, 1 << 20, NULL, NULL, NULL, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_set_split(PATH("set"), PATH("other set"), 0, 0, NULL, NULL, NULL, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_set_split(PATH("set"), PATH("other set"), 1, 1, NULL, NULL, NULL, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_set_split(PATH("set"), PATH("other set"), 65537, 0, NULL, NULL, NULL, &error));
  EXPECT(FUSE_ERROR_NOT_FOUND, fuse_set_split(PATH("nowhere"), PATH("other set"), 1, 0, NULL, NULL, NULL, &error));
  fuse_writer_options writing = fuse_writer_options_default();
  writing.order = FUSE_ORDER_INSERTION;
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_set_split(PATH("set"), PATH("other set"), 1, 0, &writing, NULL, NULL, &error));
  for (int i = 0; i < shard_count; i++) fuse_buffer_free(&shards[i]);
}
