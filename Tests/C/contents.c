/* Values, scans, matches, what a file says and is. */
#include "check.h"

static fuse_value found;

static int kind_of(const char *json, const char *way) {
  fuse_error *error = NULL;
  fuse_buffer value = FUSE_BUFFER_EMPTY;
  fuse_path *path = NULL;
  static char kept[256];
  EXPECT(FUSE_OK, fuse_value_from_json(json, strlen(json), &value, &error));
  memcpy(kept, value.data, value.size);
  if (way != NULL) EXPECT(FUSE_OK, fuse_path_make(way, strlen(way), &path, &error));
  memset(&found, 0xff, sizeof found);
  fuse_status status = fuse_value_find(kept, value.size, path, &found, &error);
  check_status(status, status < 0 ? FUSE_OK : status, &error, json, __FILE__, __LINE__);
  fuse_buffer_free(&value);
  CHECK(fuse_path_free(path) == FUSE_OK);
  return status == FUSE_NONE ? -1 : found.kind;
}

void test_values(void) {
  fuse_error *error = NULL;
  CHECK(kind_of("null", NULL) == FUSE_KIND_NULL && found.message_pack.size == 1);
  CHECK(kind_of("true", NULL) == FUSE_KIND_BOOL && found.boolean);
  CHECK(kind_of("-7", NULL) == FUSE_KIND_INT64 && found.int64 == -7 && found.uint64 == 0 && found.float64 == -7);
  CHECK(kind_of("300", NULL) == FUSE_KIND_INT64 && found.int64 == 300 && found.uint64 == 300);
  CHECK(kind_of("18446744073709551615", NULL) == FUSE_KIND_UINT64 && found.uint64 == UINT64_MAX && found.int64 == -1);
  CHECK(kind_of("{\"$float32\":1.5}", NULL) == FUSE_KIND_FLOAT32 && found.float64 == 1.5);
  CHECK(kind_of("2.5", NULL) == FUSE_KIND_FLOAT64 && found.float64 == 2.5);
  CHECK(kind_of("\"text\"", NULL) == FUSE_KIND_STRING && is_text(found.bytes, "text"));
  CHECK(kind_of("{\"$bin\":\"616263\"}", NULL) == FUSE_KIND_BYTES && is_text(found.bytes, "abc"));
  CHECK(kind_of("[1,2,3]", NULL) == FUSE_KIND_ARRAY && found.count == 3);
  CHECK(kind_of("{\"a\":1}", NULL) == FUSE_KIND_MAP && found.count == 1 && found.bytes.data == NULL);
  CHECK(kind_of("{\"$ext\":[-1,\"00000007\"]}", NULL) == FUSE_KIND_TIMESTAMP && found.int64 == 7);
  CHECK(found.extension_type == -1 && found.bytes.size == 4 && found.nanoseconds == 0);
  CHECK(kind_of("{\"$ext\":[5,\"abcd\"]}", NULL) == FUSE_KIND_EXTENSION && found.extension_type == 5);
  CHECK(kind_of("{\"a\":[1,{\"b.c\":\"x\"}]}", "a.1.b\\.c") == FUSE_KIND_STRING && is_text(found.bytes, "x"));
  CHECK(found.message_pack.size == 2);
  CHECK(kind_of("{\"a\":1}", "a.b") == -1 && kind_of("[1]", "1") == -1 && kind_of("{\"\":4}", "") == FUSE_KIND_INT64);

  EXPECT(FUSE_ERROR_INVALID_VALUE, fuse_value_find("\xc1", 1, NULL, &found, &error));
  EXPECT(FUSE_ERROR_INVALID_VALUE, fuse_value_find("", 0, NULL, &found, &error));
  EXPECT(FUSE_ERROR_INVALID_VALUE, fuse_value_find("\x01\x02", 2, NULL, &found, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_value_find(NULL, 2, NULL, &found, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_value_find("\x01", 1, NULL, NULL, &error));

  make_file("values.fsdb", "Google LLC");
  fuse_reader *reader = open_file("values.fsdb");
  fuse_path *path = NULL;
  EXPECT(FUSE_OK, fuse_path_make(FUSE_TEXT("geo.city.0"), &path, &error));
  EXPECT(FUSE_OK, fuse_get_field(reader, FUSE_TEXT("8.8.8.8"), path, &found, &error));
  CHECK(found.kind == FUSE_KIND_STRING && is_text(found.bytes, "Zürich"));
  EXPECT(FUSE_NONE, fuse_get_field(reader, FUSE_TEXT("1.1.1.1"), path, &found, &error));
  EXPECT(FUSE_NONE, fuse_get_field(reader, FUSE_TEXT("nowhere"), path, &found, &error));
  EXPECT(FUSE_OK, fuse_get_field(reader, FUSE_TEXT("1.1.1.1"), NULL, &found, &error));
  CHECK(found.kind == FUSE_KIND_MAP && found.count == 1 && found.message_pack.size == 16);
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_get_field(reader, NULL, 1, path, &found, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_get_field(reader, "x", 1, path, NULL, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_get_field(reader, "x", 1, (fuse_path *)reader, &found, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_path_make(NULL, 1, &path, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_path_make("a", 1, NULL, &error));
  CHECK(fuse_path_free(path) == FUSE_OK && fuse_reader_close(reader) == FUSE_OK);

  fuse_buffer text = FUSE_BUFFER_EMPTY, bytes = FUSE_BUFFER_EMPTY;
  EXPECT(FUSE_OK, fuse_value_from_json(FUSE_TEXT("{\"a\": [1, null, \"é\"]}"), &bytes, &error));
  EXPECT(FUSE_OK, fuse_value_to_json(bytes.data, bytes.size, &text, &error));
  CHECK(buffer_is(&text, "{\"a\":[1,null,\"é\"]}"));
  EXPECT(FUSE_ERROR_INVALID_VALUE, fuse_value_to_json("\xc1", 1, &text, &error));
  EXPECT(FUSE_ERROR_INVALID_VALUE, fuse_value_from_json(FUSE_TEXT("{"), &bytes, &error));
  EXPECT(FUSE_ERROR_INVALID_VALUE, fuse_value_from_json("\"\xff\"", 3, &bytes, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_value_to_json(NULL, 1, &text, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_value_to_json("\x01", 1, NULL, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_value_from_json(NULL, 1, &bytes, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_value_from_json("1", 1, NULL, &error));
  fuse_buffer_free(&text);
  fuse_buffer_free(&bytes);
}

/* The keys of a scan with commas between them. */
static const char *keys_of(fuse_scan *scan, size_t at_once) {
  static char text[1024];
  fuse_error *error = NULL;
  fuse_entry entries[8];
  size_t count = 0, length = 0;
  fuse_status status;
  while (status = at_once == 0 ? fuse_scan_next(scan, entries, &error) : fuse_scan_next_many(scan, entries, at_once, &count, &error),
         status == FUSE_OK) {
    if (at_once == 0) count = 1;
    for (size_t i = 0; i < count; i++) {
      memcpy(text + length, entries[i].key.data, entries[i].key.size);
      length += entries[i].key.size;
      text[length++] = ',';
    }
  }
  check_status(status, FUSE_NONE, &error, "a scan goes to its end", __FILE__, __LINE__);
  text[length] = 0;
  EXPECT(FUSE_NONE, fuse_scan_next(scan, entries, &error));
  CHECK(fuse_scan_close(scan) == FUSE_OK && fuse_scan_close(scan) == FUSE_ERROR_INVALID_ARGUMENT);
  return text;
}

void test_scans(void) {
  fuse_error *error = NULL;
  fuse_scan *scan = NULL;
  fuse_entry entry, entries[8];
  size_t count = 99;
  uint64_t left = 0;
  make_file("scans.fsdb", "Google LLC");
  fuse_reader *reader = open_file("scans.fsdb");
  for (size_t at_once = 0; at_once < 5; at_once++) {
    fuse_scan_options options = fuse_scan_options_default();
    EXPECT(FUSE_OK, fuse_scan_open(reader, NULL, &scan, &error));
    CHECK(strcmp(keys_of(scan, at_once), "1.1.1.1,8.8.8.8,gmail.com,") == 0);
    options.direction = FUSE_DESCENDING;
    EXPECT(FUSE_OK, fuse_scan_open(reader, &options, &scan, &error));
    CHECK(strcmp(keys_of(scan, at_once), "gmail.com,8.8.8.8,1.1.1.1,") == 0);
    options.from = "8";
    options.from_size = 1;
    EXPECT(FUSE_OK, fuse_scan_open(reader, &options, &scan, &error));
    CHECK(strcmp(keys_of(scan, at_once), "gmail.com,8.8.8.8,") == 0);
    options.up_to = "g";
    options.up_to_size = 1;
    EXPECT(FUSE_OK, fuse_scan_open(reader, &options, &scan, &error));
    CHECK(strcmp(keys_of(scan, at_once), "8.8.8.8,") == 0);
    options = fuse_scan_options_default();
    options.prefix = "1.";
    options.prefix_size = 2;
    EXPECT(FUSE_OK, fuse_scan_open(reader, &options, &scan, &error));
    CHECK(strcmp(keys_of(scan, at_once), "1.1.1.1,") == 0);
    EXPECT(FUSE_OK, fuse_scan_open_sharing(reader, FUSE_TEXT("gmail.com"), NULL, &scan, &error));
    CHECK(strcmp(keys_of(scan, at_once), "8.8.8.8,gmail.com,") == 0);
    options = fuse_scan_options_default();
    options.direction = FUSE_DESCENDING;
    EXPECT(FUSE_OK, fuse_scan_open_sharing(reader, FUSE_TEXT("gmail.com"), &options, &scan, &error));
    CHECK(strcmp(keys_of(scan, at_once), "gmail.com,8.8.8.8,") == 0);
  }
  EXPECT(FUSE_NONE, fuse_scan_open_sharing(reader, FUSE_TEXT("nowhere"), NULL, &scan, &error));

  /* Values, or none; an object's number; how many; passing over. */
  EXPECT(FUSE_OK, fuse_scan_open(reader, NULL, &scan, &error));
  EXPECT(FUSE_OK, fuse_scan_remaining(scan, &left, &error));
  CHECK(left == 3);
  EXPECT(FUSE_OK, fuse_scan_skip(scan, 1, &error));
  EXPECT(FUSE_OK, fuse_scan_next(scan, &entry, &error));
  CHECK(is_text(entry.key, "8.8.8.8") && entry.value.size == 56 && entry.object >= 40);
  EXPECT(FUSE_OK, fuse_scan_remaining(scan, &left, &error));
  CHECK(left == 1);
  EXPECT(FUSE_OK, fuse_scan_skip(scan, UINT64_MAX, &error));
  EXPECT(FUSE_NONE, fuse_scan_next_many(scan, entries, 8, &count, &error));
  CHECK(count == 0 && fuse_scan_close(scan) == FUSE_OK);
  fuse_scan_options keys = fuse_scan_options_default();
  keys.keys_only = true;
  EXPECT(FUSE_OK, fuse_scan_open_object(reader, entry.object, &keys, &scan, &error));
  EXPECT(FUSE_NONE, fuse_scan_remaining(scan, &left, &error));
  EXPECT(FUSE_OK, fuse_scan_skip(scan, 1, &error));
  fuse_entry second;
  EXPECT(FUSE_OK, fuse_scan_next(scan, &second, &error));
  CHECK(is_text(second.key, "gmail.com") && second.value.data == NULL && second.object == entry.object);
  CHECK(fuse_scan_close(scan) == FUSE_OK);
  EXPECT(FUSE_OK, fuse_scan_open_object(reader, UINT64_MAX, NULL, &scan, &error));
  CHECK(strcmp(keys_of(scan, 2), "") == 0);

  /* Objects; the scan keeps the file when the reader is closed. */
  EXPECT(FUSE_OK, fuse_scan_open_objects(reader, &scan, &error));
  EXPECT(FUSE_OK, fuse_scan_skip(scan, 0, &error));
  CHECK(fuse_reader_close(reader) == FUSE_OK);
  EXPECT(FUSE_OK, fuse_scan_next_many(scan, entries, 8, &count, &error));
  CHECK(count == 2 && entries[0].key.data == NULL && entries[0].value.size + entries[1].value.size == 72);
  CHECK(entries[0].object == 40 && fuse_scan_close(scan) == FUSE_OK);

  /* What cannot be. */
  reader = open_file("scans.fsdb");
  fuse_scan_options options = fuse_scan_options_default();
  options.direction = 2;
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_scan_open(reader, &options, &scan, &error));
  options = fuse_scan_options_default();
  options.prefix = options.from = "x";
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_scan_open(reader, &options, &scan, &error));
  options = fuse_scan_options_default();
  options.up_to_size = 4;
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_scan_open(reader, &options, &scan, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_scan_open(reader, NULL, NULL, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_scan_open_objects(reader, NULL, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_scan_open_sharing(reader, NULL, 1, NULL, &scan, &error));
  EXPECT(FUSE_ERROR_NOT_FOUND, fuse_scan_open_networks(reader, FUSE_TEXT("8.0.0.0/8"), NULL, &scan, &error));
  EXPECT(FUSE_ERROR_INVALID_VALUE, fuse_scan_open_networks(reader, FUSE_TEXT("8.0.0.1/8"), NULL, &scan, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_scan_open_networks(reader, "\xff", 1, NULL, &scan, &error));
  EXPECT(FUSE_OK, fuse_scan_open(reader, NULL, &scan, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_scan_next(scan, NULL, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_scan_next_many(scan, NULL, 1, &count, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_scan_next_many(scan, entries, 0, &count, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_scan_next_many(scan, entries, SIZE_MAX, &count, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_scan_next_many(scan, entries, 1, NULL, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_scan_remaining(scan, NULL, &error));
  CHECK(fuse_scan_close(scan) == FUSE_OK);
  fuse_scan *bad[] = {NULL, scan};
  for (int i = 0; i < 2; i++) {
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_scan_next(bad[i], &entry, &error));
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_scan_next_many(bad[i], entries, 1, &count, &error));
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_scan_remaining(bad[i], &left, &error));
    EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_scan_skip(bad[i], 1, &error));
  }
  CHECK(fuse_scan_close(NULL) == FUSE_OK && fuse_reader_close(reader) == FUSE_OK);

  /* Damage ends a scan, each time that it is asked. */
  make_file("scan-damaged.fsdb", "Google LLC");
  change_byte("scan-damaged.fsdb", 60);
  reader = open_file("scan-damaged.fsdb");
  EXPECT(FUSE_OK, fuse_scan_open(reader, NULL, &scan, &error));
  fuse_status status = fuse_scan_next_many(scan, entries, 8, &count, NULL);
  CHECK(status == FUSE_ERROR_CORRUPTED && count < 2);
  EXPECT(FUSE_ERROR_CORRUPTED, fuse_scan_next(scan, &entry, &error));
  EXPECT(FUSE_ERROR_CORRUPTED, fuse_scan_skip(scan, 1, &error));
  CHECK(fuse_scan_close(scan) == FUSE_OK && fuse_reader_close(reader) == FUSE_OK);
}

/* A file of keys, of which each is its own object. */
static void make_keys(const char *name, const char *const *keys, int normalisation) {
  fuse_error *error = NULL;
  fuse_writer *writer = NULL;
  fuse_writer_options options = fuse_writer_options_default();
  options.normalisation = normalisation;
  EXPECT(FUSE_OK, fuse_writer_make(&options, &writer, &error));
  for (; *keys != NULL; keys++) {
    char json[64];
    uint64_t object;
    snprintf(json, sizeof json, "\"%s\"", *keys);
    EXPECT(FUSE_OK, fuse_writer_add_json(writer, json, strlen(json), &object, &error));
    EXPECT(FUSE_OK, fuse_writer_add_key(writer, *keys, strlen(*keys), object, &error));
  }
  EXPECT(FUSE_OK, fuse_writer_build(writer, PATH(name), NULL, NULL, &error));
  CHECK(fuse_writer_close(writer) == FUSE_OK);
}

static int network_is(const fuse_network *network, const char *expected) {
  char text[FUSE_NETWORK_TEXT_SIZE];
  fuse_error *error = NULL;
  EXPECT(FUSE_OK, fuse_network_text(network, text, &error));
  return strcmp(text, expected) == 0;
}

void test_matches(void) {
  fuse_error *error = NULL;
  fuse_network_match match, matches[4];
  fuse_match key;
  size_t count = 0;
  const char *blocks[] = {"8.0.0.0/8", "8.8.8.0/24", "9.9.9.9", "2001:db8::/32", NULL};
  make_keys("networks.fsdb", blocks, 0);
  fuse_reader *reader = open_file("networks.fsdb");
  fuse_reader_info info = fuse_reader_info_empty();
  EXPECT(FUSE_OK, fuse_reader_get_info(reader, &info, &error));
  CHECK(info.has_networks && info.network_count == 4);
  EXPECT(FUSE_OK, fuse_longest_match(reader, FUSE_TEXT("8.8.8.8"), &match, &error));
  CHECK(network_is(&match.key, "8.8.8.0/24") && network_is(&match.scope, "8.8.8.0/24") && match.key.family == 4);
  CHECK(is_text(match.value, "\xaa" "8.8.8.0/24") && match.object >= 40);
  EXPECT(FUSE_OK, fuse_longest_match(reader, FUSE_TEXT("2001:db8::7"), &match, &error));
  CHECK(network_is(&match.key, "2001:db8::/32") && match.key.address[1] == 1 && match.key.prefix_length == 32);
  EXPECT(FUSE_NONE, fuse_longest_match(reader, FUSE_TEXT("10.0.0.1"), &match, &error));
  EXPECT(FUSE_NONE, fuse_longest_match(reader, FUSE_TEXT("no address"), &match, &error));
  EXPECT(FUSE_OK, fuse_longest_match_bytes(reader, (const uint8_t *)"\x08\x09\x00\x01", 4, &match, &error));
  CHECK(network_is(&match.key, "8.0.0.0/8"));
  EXPECT(FUSE_OK, fuse_longest_match_bytes(reader, (const uint8_t *)"\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\1", 16, &match, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_longest_match_bytes(reader, (const uint8_t *)"12345", 5, &match, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_longest_match_bytes(reader, NULL, 4, &match, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_longest_match(reader, NULL, 4, &match, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_longest_match(reader, FUSE_TEXT("8.8.8.8"), NULL, &error));
  EXPECT(FUSE_OK, fuse_containing(reader, FUSE_TEXT("8.8.8.8"), matches, 4, &count, &error));
  CHECK(count == 2 && network_is(&matches[0].key, "8.8.8.0/24") && network_is(&matches[1].key, "8.0.0.0/8"));
  CHECK(is_text(matches[1].value, "\xa9" "8.0.0.0/8"));
  EXPECT(FUSE_OK, fuse_containing(reader, FUSE_TEXT("8.8.8.8"), matches, 1, &count, &error));
  CHECK(count == 2);
  EXPECT(FUSE_OK, fuse_containing(reader, FUSE_TEXT("8.8.8.8"), NULL, 0, &count, &error));
  EXPECT(FUSE_NONE, fuse_containing(reader, FUSE_TEXT("10.0.0.1"), matches, 4, &count, &error));
  CHECK(count == 0);
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_containing(reader, FUSE_TEXT("8.8.8.8"), NULL, 1, &count, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_containing(reader, FUSE_TEXT("8.8.8.8"), matches, 1, NULL, &error));
  for (size_t at_once = 0; at_once < 3; at_once++) {
    fuse_scan *scan = NULL;
    EXPECT(FUSE_OK, fuse_scan_open_networks(reader, FUSE_TEXT("0.0.0.0/0"), NULL, &scan, &error));
    CHECK(strcmp(keys_of(scan, at_once), "8.0.0.0/8,8.8.8.0/24,9.9.9.9,") == 0);
  }
  CHECK(fuse_reader_close(reader) == FUSE_OK);

  fuse_network network;
  EXPECT(FUSE_OK, fuse_network_parse(FUSE_TEXT("::ffff:8.8.8.0/120"), &network, &error));
  CHECK(network.family == 4 && network.prefix_length == 24 && network_is(&network, "8.8.8.0/24"));
  EXPECT(FUSE_NONE, fuse_network_parse(FUSE_TEXT("8.8.8.8/24"), &network, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_network_parse(NULL, 3, &network, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_network_parse("1", 1, NULL, &error));
  char text[FUSE_NETWORK_TEXT_SIZE];
  network.prefix_length = 33;
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_network_text(&network, text, &error));
  network = (fuse_network){{0}, 5, 0};
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_network_text(&network, text, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_network_text(NULL, text, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_network_text(&network, NULL, &error));

  const char *names[] = {"google.com", "*.cdn.example", ".example", "joe@google.com", "49", "4930", NULL};
  make_keys("names.fsdb", names, 0);
  reader = open_file("names.fsdb");
  EXPECT(FUSE_OK, fuse_longest_suffix(reader, FUSE_TEXT("Mail.google.com"), &key, &error));
  CHECK(is_text(key.key, "google.com") && is_text(key.value, "\xaagoogle.com") && key.object >= 40);
  EXPECT(FUSE_NONE, fuse_longest_suffix(reader, FUSE_TEXT("notgoogle.com"), &key, &error));
  EXPECT(FUSE_OK, fuse_longest_email(reader, FUSE_TEXT("joe@google.com"), &key, &error));
  CHECK(is_text(key.key, "joe@google.com"));
  EXPECT(FUSE_OK, fuse_longest_email(reader, FUSE_TEXT("ann@a.cdn.example"), &key, &error));
  CHECK(is_text(key.key, "*.cdn.example"));
  EXPECT(FUSE_NONE, fuse_longest_email(reader, FUSE_TEXT("google.com"), &key, &error));
  EXPECT(FUSE_OK, fuse_longest_prefix(reader, FUSE_TEXT("493012345"), &key, &error));
  CHECK(is_text(key.key, "4930"));
  EXPECT(FUSE_NONE, fuse_longest_prefix(reader, FUSE_TEXT("5"), &key, &error));
  EXPECT(FUSE_NONE, fuse_longest_prefix(reader, NULL, 0, &key, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_longest_suffix(reader, NULL, 1, &key, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_longest_suffix(reader, "x", 1, NULL, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_longest_email(reader, NULL, 1, &key, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_longest_prefix(reader, NULL, 1, &key, &error));
  /* Without a section of networks. */
  EXPECT(FUSE_NONE, fuse_longest_match(reader, FUSE_TEXT("8.8.8.8"), &match, &error));
  int32_t rule = 99;
  EXPECT(FUSE_NONE, fuse_reader_normalisation(reader, &rule, &error));
  CHECK(rule == FUSE_NORMALISE_NONE && fuse_reader_close(reader) == FUSE_OK);

  const char *macs[] = {"00-1B-63-84-45-E6", NULL};
  make_keys("macs.fsdb", macs, FUSE_NORMALISE_MAC);
  reader = open_file("macs.fsdb");
  EXPECT(FUSE_OK, fuse_reader_normalisation(reader, &rule, &error));
  fuse_buffer question = FUSE_BUFFER_EMPTY;
  EXPECT(FUSE_OK, fuse_normalise(rule, FUSE_TEXT("00:1b:63:84:45:e6"), &question, &error));
  CHECK(rule == FUSE_NORMALISE_MAC && buffer_is(&question, "001b638445e6"));
  EXPECT(FUSE_OK, fuse_contains(reader, question.data, question.size, &error));
  EXPECT(FUSE_NONE, fuse_normalise(rule, FUSE_TEXT("no"), &question, &error));
  EXPECT(FUSE_OK, fuse_normalise(FUSE_NORMALISE_NONE, FUSE_TEXT("No"), &question, &error));
  CHECK(buffer_is(&question, "No"));
  EXPECT(FUSE_OK, fuse_normalise(FUSE_NORMALISE_LOWER, FUSE_TEXT("No"), &question, &error));
  CHECK(buffer_is(&question, "no"));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_normalise(5, FUSE_TEXT("No"), &question, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_normalise(1, NULL, 2, &question, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_normalise(1, "x", 1, NULL, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_reader_normalisation(reader, NULL, &error));
  fuse_buffer_free(&question);
  CHECK(fuse_reader_close(reader) == FUSE_OK);
}

static int damages, stop_after;
static char first_kind[64];
static int on_damage(void *context, const fuse_damage *damage) {
  if (damages++ == 0) snprintf(first_kind, sizeof first_kind, "%s", damage->kind);
  CHECK(context == &damages && damage->size == sizeof *damage && damage->message[0] != 0);
  return damages == stop_after;
}

void test_contents(void) {
  fuse_error *error = NULL;
  fuse_buffer text = FUSE_BUFFER_EMPTY;
  make_file("contents.fsdb", "Google LLC");
  fuse_reader *reader = open_file("contents.fsdb");
  EXPECT(FUSE_OK, fuse_reader_metadata(reader, FUSE_TEXT("source"), &text, &error));
  CHECK(buffer_is(&text, "a test"));
  EXPECT(FUSE_NONE, fuse_reader_metadata(reader, FUSE_TEXT("other"), &text, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_reader_metadata(reader, NULL, 1, &text, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_reader_metadata(reader, "x", 1, NULL, &error));
  EXPECT(FUSE_OK, fuse_reader_metadata_json(reader, &text, &error));
  CHECK(buffer_is(&text, "{\"built\":\"2026-11-21T16:11:12Z\",\"source\":\"a test\"}"));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_reader_metadata_json(reader, NULL, &error));
  fuse_statistics statistics = fuse_statistics_empty();
  EXPECT(FUSE_OK, fuse_reader_statistics(reader, NULL, &statistics, &error));
  CHECK(statistics.key_count == 3 && statistics.object_count == 2 && statistics.object_byte_count == 72);
  CHECK(statistics.fewest_keys_per_object == 1 && statistics.most_keys_per_object == 2 && statistics.version == 2);
  CHECK(statistics.header_byte_count + statistics.data_byte_count + statistics.index_byte_count + statistics.extension_byte_count
        == statistics.byte_count);
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_reader_statistics(reader, NULL, NULL, &error));

  fuse_verification summary = fuse_verification_empty();
  EXPECT(FUSE_OK, fuse_reader_verify(reader, NULL, NULL, &summary, &error));
  CHECK(summary.damage_count == 0 && summary.key_count == 3 && summary.object_count == 2);
  CHECK(fuse_reader_close(reader) == FUSE_OK);
  fuse_verify_options options = fuse_verify_options_default();
  options.on_damage = on_damage;
  options.context = &damages;
  options.level = FUSE_LEVEL_CHECKSUMS;
  EXPECT(FUSE_OK, fuse_verify(PATH("contents.fsdb"), &options, NULL, &summary, &error));
  CHECK(damages == 0 && summary.damage_count == 0 && summary.byte_count == (uint64_t)size_of("contents.fsdb"));
  change_byte("contents.fsdb", 60);
  options.level = FUSE_LEVEL_FULL;
  EXPECT(FUSE_OK, fuse_verify(PATH("contents.fsdb"), &options, NULL, &summary, &error));
  CHECK(damages == 2 && summary.damage_count == 2 && strcmp(first_kind, "fileChecksum") == 0);
  EXPECT(FUSE_OK, fuse_verify(PATH("contents.fsdb"), NULL, NULL, NULL, &error));
  damages = 0;
  stop_after = 1;
  EXPECT(FUSE_ERROR_CANCELLED, fuse_verify(PATH("contents.fsdb"), &options, NULL, &summary, &error));
  CHECK(damages == 1);
  cut_file("contents.fsdb", 20);
  damages = stop_after = 0;
  EXPECT(FUSE_OK, fuse_verify(PATH("contents.fsdb"), &options, NULL, &summary, &error));
  CHECK(damages == 1 && strcmp(first_kind, "truncated") == 0);
  EXPECT(FUSE_ERROR_NOT_FOUND, fuse_verify(PATH("missing.fsdb"), NULL, NULL, &summary, &error));
  options.level = 7;
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_verify(PATH("contents.fsdb"), &options, NULL, &summary, &error));
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_verify("", 0, NULL, NULL, &summary, &error));
  summary.size = 1;
  EXPECT(FUSE_ERROR_INVALID_ARGUMENT, fuse_verify(PATH("contents.fsdb"), NULL, NULL, &summary, &error));
  fuse_buffer_free(&text);
}
