/* Look-ups by the column. */
#include "check.h"

static int released;
static void release_schema(struct ArrowSchema *schema) { schema->release = NULL; }
static void release_array(struct ArrowArray *array) { array->release = NULL, released += 1; }

/* Makes a file of all kinds of values; m is of several types, s is no UTF-8 once. */
static void make_columns_file(void) {
  static const char *const objects[] = {
    "{\"i\":1,\"u\":1,\"f\":1.5,\"s\":\"a\",\"b\":{\"$bin\":\"0001\"},\"t\":true,\"when\":{\"$ext\":[-1,\"00000007\"]},\"m\":1,\"x\":[1]}",
    "{\"i\":-2,\"u\":18446744073709551615,\"f\":2,\"s\":\"\",\"b\":{\"$bin\":\"\"},\"t\":false,\"m\":\"one\",\"x\":{\"y\":\"z\"}}",
    "{\"i\":null,\"f\":3,\"s\":\"drei\",\"m\":null}",
    "{\"i\":2.5,\"s\":{\"$str\":\"ff\"},\"t\":1}"};
  fuse_error *error = NULL;
  fuse_writer *writer = NULL;
  EXPECT(FUSE_OK, fuse_writer_make(NULL, &writer, &error));
  for (int i = 0; i < 4; i++) {
    uint64_t object;
    EXPECT(FUSE_OK, fuse_writer_add_json(writer, objects[i], strlen(objects[i]), &object, &error));
    EXPECT(FUSE_OK, fuse_writer_add_key(writer, &"abcd"[i], 1, object, &error));
  }
  EXPECT(FUSE_OK, fuse_writer_build(writer, PATH("columns.fsdb"), NULL, NULL, &error));
  CHECK(fuse_writer_close(writer) == FUSE_OK);
}

static int bit(const void *bits, size_t row) { return ((const uint8_t *)bits)[row / 8] >> row % 8 & 1; }
static int is_set(const struct ArrowArray *column, size_t row) { return bit(column->buffers[0], row); }
static int64_t word(const struct ArrowArray *column, size_t row) { return ((const int64_t *)column->buffers[1])[row]; }
static int text_is(const struct ArrowArray *column, size_t row, const char *text) {
  int64_t start = word(column, row), end = word(column, row + 1);
  return is_set(column, row) && is_text((fuse_span){(const char *)column->buffers[2] + start, (size_t)(end - start)}, text);
}

/* Keys c, absent, a, null, b, as strings with offsets of 32 bits, after two that are not asked for. */
static const int32_t offsets32[] = {0, 5, 6, 7, 14, 15, 15, 16};
static const char letters[] = "zzzzz" "q" "c" "nowhere" "a" "b";
static const uint8_t valid[] = {0x5f};

static struct ArrowSchema schema_of(const char *format) {
  return (struct ArrowSchema){.format = format, .release = release_schema};
}
static struct ArrowArray keys_of(const void **buffers, int64_t count) {
  return (struct ArrowArray){.length = 5, .null_count = 1, .offset = 2, .n_buffers = count, .buffers = buffers, .release = release_array};
}

static void test_formats(fuse_reader *reader) {
  fuse_error *error = NULL;
  int64_t offsets64[8];
  for (int i = 0; i < 8; i++) offsets64[i] = offsets32[i];
  struct { int32_t size; char text[12]; } views[7];
  memset(views, 0, sizeof views);
  for (int i = 2; i < 7; i++) {
    views[i].size = offsets32[i + 1] - offsets32[i];
    memcpy(views[i].text, letters + offsets32[i], (size_t)views[i].size);
  }
  /* One that is not in its view: absent. */
  views[3].size = 16;
  memcpy(views[3].text + 4, &(int32_t){0}, 4);
  memcpy(views[3].text + 8, &(int32_t){0}, 4);
  const int64_t sizes[] = {16};
  const void *narrow[] = {valid, offsets32, letters}, *wide[] = {valid, offsets64, letters};
  const void *inside[] = {valid, views, letters, sizes};
  static const char *const formats[] = {"u", "z", "U", "Z", "vu", "vz"};
  for (int i = 0; i < 6; i++) {
    struct ArrowSchema keys_schema = schema_of(formats[i]), schema;
    struct ArrowArray keys = keys_of(i < 2 ? narrow : i < 4 ? wide : inside, i < 4 ? 3 : 4), array;
    fuse_column column = {SPAN("f"), SPAN("f"), FUSE_COLUMN_AUTOMATIC};
    fuse_columns_options options = fuse_columns_options_default();
    options.columns = &column;
    options.column_count = 1;
    fuse_columns_report report = fuse_columns_report_empty();
    EXPECT(FUSE_OK, fuse_lookup_columns(reader, &keys_schema, &keys, &options, NULL, &schema, &array, &report, &error));
    CHECK(report.row_count == 5 && report.found_count == 3 && report.other_count == 0 && keys.release == release_array);
    CHECK(strcmp(schema.format, "+s") == 0 && schema.n_children == 2 && array.length == 5 && array.n_children == 2);
    CHECK(strcmp(schema.children[0]->name, "found") == 0 && strcmp(schema.children[0]->format, "b") == 0);
    CHECK(strcmp(schema.children[1]->name, "f") == 0 && strcmp(schema.children[1]->format, "g") == 0);
    CHECK((schema.children[1]->flags & ARROW_FLAG_NULLABLE) && array.children[1]->null_count == 2);
    const uint8_t found = *(const uint8_t *)array.children[0]->buffers[1];
    CHECK(found == 0x15 && *(const uint8_t *)array.children[1]->buffers[0] == 0x15);
    const double *values = array.children[1]->buffers[1];
    CHECK(values[0] == 3 && values[2] == 1.5 && values[4] == 2);
    /* A child may be moved away, and outlive the others. */
    struct ArrowArray moved = *array.children[1];
    array.children[1]->release = NULL;
    array.release(&array);
    schema.release(&schema);
    CHECK(array.release == NULL && schema.release == NULL && ((const double *)moved.buffers[1])[2] == 1.5);
    moved.release(&moved);
  }

  /* Offsets of 32 bits, and what covers a question. */
  {
    struct ArrowSchema keys_schema = schema_of("u"), schema;
    struct ArrowArray keys = keys_of(narrow, 3), array;
    fuse_column columns[] = {{SPAN("j"), SPAN("f"), FUSE_COLUMN_JSON}, {SPAN("m"), SPAN("f"), FUSE_COLUMN_MESSAGE_PACK}};
    fuse_columns_options options = fuse_columns_options_default();
    options.columns = columns;
    options.column_count = 2;
    options.has_small_offsets = true;
    options.omits_found = true;
    for (int32_t match = FUSE_COLUMN_MATCH_KEY; match <= FUSE_COLUMN_MATCH_PREFIX; match++) {
      fuse_columns_report report = fuse_columns_report_empty();
      options.match = match;
      EXPECT(FUSE_OK, fuse_lookup_columns(reader, &keys_schema, &keys, &options, NULL, &schema, &array, &report, &error));
      CHECK(strcmp(schema.children[0]->format, "u") == 0 && strcmp(schema.children[1]->format, "z") == 0);
      if (match == FUSE_COLUMN_MATCH_KEY) {
        const int32_t *ends = array.children[0]->buffers[1];
        CHECK(report.found_count == 3 && ends[0] == 0 && ends[1] > 0 && ends[2] == ends[1] && ends[5] > ends[3]);
        CHECK(((const char *)array.children[0]->buffers[2])[0] == '3');
      }
      /* Keys are single letters here, and no addresses. */
      if (match == FUSE_COLUMN_MATCH_NETWORK) CHECK(report.row_count == 5 && report.found_count == 0);
      array.release(&array);
      schema.release(&schema);
    }
    options.match = FUSE_COLUMN_MATCH_PREFIX + 1;
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_lookup_columns(reader, &keys_schema, &keys, &options, NULL, &schema, &array, NULL, &error));
    options.match = -1;
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_lookup_columns(reader, &keys_schema, &keys, &options, NULL, &schema, &array, NULL, &error));
  }

  /* What is no array of keys. */
  struct ArrowSchema keys_schema = schema_of("u"), schema;
  struct ArrowArray array;
  for (int i = 0; i < 17; i++) {
    int32_t bad_offsets[8];
    memcpy(bad_offsets, offsets32, sizeof bad_offsets);
    const void *buffers[] = {NULL, bad_offsets, letters};
    struct ArrowArray keys = keys_of(buffers, 3);
    keys_schema = schema_of("u");
    switch (i) {
      case 0: keys.length = -1; break;
      case 1: keys.offset = -1; break;
      case 2: keys.n_buffers = 2; break;
      case 3: keys.buffers = NULL; break;
      case 4: buffers[1] = NULL; break;
      case 5: buffers[2] = NULL; break;
      case 6: bad_offsets[3] = -1; break;
      case 7: bad_offsets[3] = 2; break;
      case 8: bad_offsets[7] = INT32_MIN; break;
      case 9: keys.release = NULL; break;
      case 10: keys_schema.release = NULL; break;
      case 11: keys_schema.format = "i"; break;
      case 12: keys_schema.format = NULL; break;
      case 13: keys_schema.dictionary = &keys_schema; break;
      case 14: keys.dictionary = &keys; break;
      case 15: keys.length = INT64_MAX; break;
      case 16: keys_schema.format = "vu", keys.n_buffers = -1; break;
    }
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_lookup_columns(reader, &keys_schema, &keys, NULL, NULL, &schema, &array, NULL, &error));
  }
  keys_schema = schema_of("vu");
  for (int i = 0; i < 6; i++) {
    char broken[7 * 16];
    memcpy(broken, views, sizeof broken);
    const int32_t number = i == 0 ? -1 : i == 1 ? 17 : i == 2 ? -1 : i == 3 ? 1 : i == 4 ? -1 : 1;
    memcpy(broken + 3 * 16 + (i < 2 ? 0 : i < 4 ? 8 : 12), &number, 4);
    const void *buffers[] = {valid, broken, letters, sizes};
    struct ArrowArray keys = keys_of(buffers, 4);
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_lookup_columns(reader, &keys_schema, &keys, NULL, NULL, &schema, &array, NULL, &error));
  }
}

void test_columns(void) {
  fuse_error *error = NULL;
  make_columns_file();
  fuse_reader *reader = open_file("columns.fsdb");
  test_formats(reader);

  static const int32_t offsets[] = {0, 1, 2, 3, 4, 4};
  const void *buffers[] = {NULL, offsets, "abcd"};
  struct ArrowSchema keys_schema = schema_of("u"), schema;
  struct ArrowArray keys = {.length = 5, .n_buffers = 3, .buffers = buffers, .release = release_array}, array;
  static const struct { const char *name; int asked; const char *format; int nulls; } cases[] = {
    {"t", FUSE_COLUMN_BOOL, "b", 3}, {"i", FUSE_COLUMN_INT64, "l", 3}, {"u", FUSE_COLUMN_UINT64, "L", 3},
    {"f", FUSE_COLUMN_FLOAT64, "g", 2}, {"s", FUSE_COLUMN_STRING, "U", 2}, {"b", FUSE_COLUMN_BYTES, "Z", 3},
    {"when", FUSE_COLUMN_TIMESTAMP, "tsn:UTC", 4}, {"x", FUSE_COLUMN_JSON, "U", 3}, {"m", FUSE_COLUMN_MESSAGE_PACK, "Z", 2},
    {"u", FUSE_COLUMN_AUTOMATIC, "L", 3}, {"s", FUSE_COLUMN_AUTOMATIC, "U", 2}, {"b", FUSE_COLUMN_AUTOMATIC, "Z", 3},
    {"when", FUSE_COLUMN_AUTOMATIC, "tsn:UTC", 4}, {"x", FUSE_COLUMN_AUTOMATIC, "U", 3}, {"m", FUSE_COLUMN_AUTOMATIC, "U", 3},
    {"nowhere", FUSE_COLUMN_AUTOMATIC, "U", 5}, {"i", FUSE_COLUMN_AUTOMATIC, "g", 2}, {"t", FUSE_COLUMN_AUTOMATIC, "U", 2}};
  enum { count = sizeof cases / sizeof cases[0] };
  fuse_column columns[count + 1];
  char names[count][16];
  for (int i = 0; i < count; i++) {
    /* A path may come twice, and a name may not. */
    fuse_span name = {names[i], (size_t)snprintf(names[i], sizeof names[i], "%d %s", i, cases[i].name)};
    columns[i] = (fuse_column){name, {cases[i].name, strlen(cases[i].name)}, cases[i].asked};
  }
  columns[count] = (fuse_column){SPAN("all"), {NULL, 0}, FUSE_COLUMN_JSON};
  fuse_columns_options options = fuse_columns_options_default();
  options.columns = columns;
  options.column_count = count + 1;
  options.omits_found = true;
  fuse_columns_report report = fuse_columns_report_empty();
  EXPECT(FUSE_OK, fuse_lookup_columns(reader, &keys_schema, &keys, &options, NULL, &schema, &array, &report, &error));
  CHECK(report.row_count == 5 && report.found_count == 4 && schema.n_children == count + 1);
  /* i = 2.5 as int64, t = 1 as bool, s that is no UTF-8, twice. */
  CHECK(report.other_count == 4);
  for (int i = 0; i < count; i++) {
    check(strcmp(schema.children[i]->format, cases[i].format) == 0, cases[i].name, __FILE__, __LINE__);
    check(array.children[i]->null_count == cases[i].nulls, cases[i].name, __FILE__, __LINE__);
  }
  struct ArrowArray **made = array.children;
  CHECK(bit(made[0]->buffers[1], 0) && !bit(made[0]->buffers[1], 1) && !is_set(made[0], 3));
  CHECK(word(made[1], 0) == 1 && word(made[1], 1) == -2 && !is_set(made[1], 2) && !is_set(made[1], 3) && !is_set(made[1], 4));
  CHECK(word(made[2], 1) == -1 && ((const double *)made[3]->buffers[1])[0] == 1.5 && ((const double *)made[3]->buffers[1])[2] == 3);
  CHECK(text_is(made[4], 0, "a") && text_is(made[4], 1, "") && text_is(made[4], 2, "drei") && !is_set(made[4], 3));
  CHECK(word(made[5], 1) == 2 && word(made[5], 5) == 2 && memcmp(made[5]->buffers[2], "\0\1", 2) == 0);
  CHECK(word(made[6], 0) == 7000000000 && text_is(made[7], 0, "[1]") && text_is(made[7], 1, "{\"y\":\"z\"}"));
  CHECK(text_is(made[8], 0, "\x01") && text_is(made[8], 1, "\xa3one") && text_is(made[8], 2, "\xc0"));
  CHECK(text_is(made[14], 0, "1") && text_is(made[14], 1, "\"one\"") && !is_set(made[14], 2));
  CHECK(text_is(made[count], 3, "{\"i\":2.5,\"s\":{\"$str\":\"ff\"},\"t\":1}") && !is_set(made[count], 4));
  array.release(&array);
  schema.release(&schema);

  options.refuses_others = true;
  EXPECT(FUSE_ERROR_INVALID_VALUE, fuse_lookup_columns(reader, &keys_schema, &keys, &options, NULL, &schema, &array, &report, &error));
  options.refuses_others = false;
  /* Of a sample of one, integers. */
  options.columns = columns + 16;
  options.column_count = 1;
  options.sample_size = 1;
  EXPECT(FUSE_OK, fuse_lookup_columns(reader, &keys_schema, &keys, &options, NULL, &schema, &array, &report, &error));
  CHECK(strcmp(schema.children[0]->format, "l") == 0 && report.other_count == 1);
  array.release(&array);
  schema.release(&schema);
  options.sample_size = 0;
  /* Two columns of one name, and one called as the column that tells which keys are there, unless that is left out. */
  fuse_column twice[] = {{SPAN("i"), SPAN("i"), FUSE_COLUMN_JSON}, {SPAN("i"), SPAN("s"), FUSE_COLUMN_JSON}};
  fuse_column found = {SPAN("found"), SPAN("i"), FUSE_COLUMN_JSON};
  for (int omits = 0; omits < 2; omits++) {
    options.omits_found = omits;
    options.columns = twice;
    options.column_count = 2;
    schema.release = NULL;
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_lookup_columns(reader, &keys_schema, &keys, &options, NULL, &schema, &array, NULL, &error));
    CHECK(schema.release == NULL);
    options.columns = &found;
    options.column_count = 1;
    fuse_status expected = omits ? FUSE_OK : FUSE_ERROR_INVALID_ARGUMENT;
    EXPECT(expected, fuse_lookup_columns(reader, &keys_schema, &keys, &options, NULL, &schema, &array, NULL, &error));
    if (!omits) continue;
    CHECK(schema.n_children == 1 && strcmp(schema.children[0]->name, "found") == 0 && text_is(array.children[0], 0, "1"));
    array.release(&array);
    schema.release(&schema);
  }
  /* No columns, no keys. */
  keys.length = 0;
  buffers[1] = NULL;
  EXPECT(FUSE_OK, fuse_lookup_columns(reader, &keys_schema, &keys, NULL, NULL, &schema, &array, NULL, &error));
  CHECK(schema.n_children == 1 && array.length == 0);
  array.release(&array);
  schema.release(&schema);

  columns[0].type = 10;
  options.columns = columns;
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_lookup_columns(reader, &keys_schema, &keys, &options, NULL, &schema, &array, NULL, &error));
  columns[0] = (fuse_column){SPAN("a\0b"), SPAN("a"), 0};
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_lookup_columns(reader, &keys_schema, &keys, &options, NULL, &schema, &array, NULL, &error));
  columns[0] = (fuse_column){SPAN("a"), {NULL, 3}, 0};
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_lookup_columns(reader, &keys_schema, &keys, &options, NULL, &schema, &array, NULL, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_lookup_columns(NULL, &keys_schema, &keys, NULL, NULL, &schema, &array, NULL, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_lookup_columns(reader, NULL, &keys, NULL, NULL, &schema, &array, NULL, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_lookup_columns(reader, &keys_schema, NULL, NULL, NULL, &schema, &array, NULL, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_lookup_columns(reader, &keys_schema, &keys, NULL, NULL, NULL, &array, NULL, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_lookup_columns(reader, &keys_schema, &keys, NULL, NULL, &schema, NULL, NULL, &error));
  CHECK(fuse_reader_close(reader) == FUSE_OK && released == 0);
}
