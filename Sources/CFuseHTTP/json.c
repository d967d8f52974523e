#include "parts.h"

// JSON as spec/json.md has it, for what is common. Whatever is not goes the long way, in Swift, so that the rules stand in one place.

/// How long the UTF-8 sequence at `bytes` is; 0 where it is none.
static size_t sequence(const uint8_t *bytes, size_t count) {
  uint8_t first = bytes[0];
  if (first < 0x80) return 1;
  if (first < 0xC2 || first > 0xF4) return 0;
  size_t length = first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
  if (count < length) return 0;
  for (size_t i = 1; i < length; i++)
    if ((bytes[i] & 0xC0) != 0x80) return 0;
  if (first == 0xE0 && bytes[1] < 0xA0) return 0;
  if (first == 0xED && bytes[1] > 0x9F) return 0;
  if (first == 0xF0 && bytes[1] < 0x90) return 0;
  if (first == 0xF4 && bytes[1] > 0x8F) return 0;
  return length;
}

static const char hexadecimal[] = "0123456789abcdef";

/// Copies text that is plain ASCII, in which nothing is to be escaped; 0 where it is not.
static inline int copy_plain(uint8_t *out, const uint8_t *bytes, size_t count) {
  uint64_t word;
  if (count < 8) {
    for (size_t i = 0; i < count; i++) {
      if (bytes[i] < 0x20 || bytes[i] >= 0x80 || bytes[i] == '"' || bytes[i] == '\\') return 0;
      out[i] = bytes[i];
    }
    return 1;
  }
  for (size_t i = 0; i + 8 < count; i += 8) {
    if (fuse_unplain(bytes + i, &word)) return 0;
    memcpy(out + i, &word, 8);
  }
  // The last eight may be some of those before once more.
  if (fuse_unplain(bytes + count - 8, &word)) return 0;
  memcpy(out + count - 8, &word, 8);
  return 1;
}

/// Appends text in quotes; 0 where it is no UTF-8, and then what was appended is to be taken back.
static int quoted(fuse_text *out, const uint8_t *bytes, size_t count) {
  if (count > SIZE_MAX / 8 || !fuse_text_reserve(out, 6 * count + 2)) return 0;
  uint8_t *place = out->start + out->count;
  *place++ = '"';
  if (copy_plain(place, bytes, count)) {
    place[count] = '"';
    out->count += count + 2;
    return 1;
  }
  for (size_t i = 0; i < count;) {
    uint8_t byte = bytes[i];
    if (byte >= 0x80) {
      size_t length = sequence(bytes + i, count - i);
      if (length == 0) return 0;
      memcpy(place, bytes + i, length);
      place += length;
      i += length;
      continue;
    }
    i++;
    if (byte >= 0x20 && byte != '"' && byte != '\\') {
      *place++ = byte;
      continue;
    }
    *place++ = '\\';
    switch (byte) {
    case '"': case '\\': *place++ = byte; break;
    case '\n': *place++ = 'n'; break;
    case '\r': *place++ = 'r'; break;
    case '\t': *place++ = 't'; break;
    default:
      *place++ = 'u', *place++ = '0', *place++ = '0';
      *place++ = (uint8_t)hexadecimal[byte >> 4];
      *place++ = (uint8_t)hexadecimal[byte & 15];
    }
  }
  *place++ = '"';
  out->count = (size_t)(place - out->start);
  return 1;
}

void fuse_json_key(fuse_text *out, const uint8_t *bytes, size_t count) {
  size_t start = out->count;
  if (count == 0) return fuse_text_append(out, "\"\"", 2);
  if (quoted(out, bytes, count) || out->failed) return;
  out->count = start;
  fuse_text_append(out, "{\"$bin\":\"", 9);
  if (!fuse_text_reserve(out, 2 * count + 2)) return;
  for (size_t i = 0; i < count; i++) {
    out->start[out->count++] = (uint8_t)hexadecimal[bytes[i] >> 4];
    out->start[out->count++] = (uint8_t)hexadecimal[bytes[i] & 15];
  }
  fuse_text_append(out, "\"}", 2);
}

struct reader {
  const uint8_t *at, *end;
  fuse_text *out;
  size_t (*number)(double, uint8_t *);
};

static void decimal(fuse_text *out, uint64_t value, int is_negative) {
  uint8_t digits[24];
  size_t at = sizeof digits;
  do {
    digits[--at] = (uint8_t)('0' + value % 10);
    value /= 10;
  } while (value > 0);
  if (is_negative) digits[--at] = '-';
  fuse_text_append(out, digits + at, sizeof digits - at);
}

static uint64_t big_endian(const uint8_t *bytes, size_t count) {
  uint64_t value = 0;
  for (size_t i = 0; i < count; i++) value = value << 8 | bytes[i];
  return value;
}

static int left(const struct reader *reader, size_t count) { return (size_t)(reader->end - reader->at) >= count; }

/// The length of the text that begins here, with its head read; -1 where there is no text with the shortest head.
static int64_t text_length(struct reader *reader) {
  if (!left(reader, 1)) return -1;
  uint8_t head = *reader->at;
  size_t length;
  if (head >= 0xA0 && head <= 0xBF) {
    length = head & 31;
    reader->at += 1;
  } else if (head == 0xD9 && left(reader, 2)) {
    length = reader->at[1];
    if (length < 32) return -1;
    reader->at += 2;
  } else if (head == 0xDA && left(reader, 3)) {
    length = big_endian(reader->at + 1, 2);
    if (length < 256) return -1;
    reader->at += 3;
  } else {
    return -1;
  }
  return left(reader, length) ? (int64_t)length : -1;
}

static int value(struct reader *reader, int depth);

/// As many values as `count`, of a map in pairs.
static int members(struct reader *reader, size_t count, int is_map, int depth) {
  fuse_text_append(reader->out, is_map ? "{" : "[", 1);
  for (size_t i = 0; i < count; i++) {
    if (i > 0) fuse_text_append(reader->out, ",", 1);
    if (is_map) {
      int64_t length = text_length(reader);
      // A name with a dollar may be that of a spelling.
      if (length < 0 || (count == 1 && length > 0 && *reader->at == '$')) return 0;
      if (!quoted(reader->out, reader->at, (size_t)length)) return 0;
      reader->at += length;
      fuse_text_append(reader->out, ":", 1);
    }
    if (!value(reader, depth + 1)) return 0;
  }
  fuse_text_append(reader->out, is_map ? "}" : "]", 1);
  return 1;
}

static int value(struct reader *reader, int depth) {
  // Deeper ones are rare.
  if (depth > 16 || !left(reader, 1)) return 0;
  uint8_t head = *reader->at;
  fuse_text *out = reader->out;
  if (head < 0x80) {
    reader->at++;
    decimal(out, head, 0);
    return 1;
  }
  if (head >= 0xE0) {
    reader->at++;
    decimal(out, 256u - head, 1);
    return 1;
  }
  if (head <= 0x9F) {
    reader->at++;
    return members(reader, head & 15, head < 0x90, depth);
  }
  size_t size;
  switch (head) {
  case 0xC0: reader->at++; fuse_text_append(out, "null", 4); return 1;
  case 0xC2: reader->at++; fuse_text_append(out, "false", 5); return 1;
  case 0xC3: reader->at++; fuse_text_append(out, "true", 4); return 1;
  case 0xCB: {
    if (!left(reader, 9)) return 0;
    union { uint64_t bits; double number; } both = {.bits = big_endian(reader->at + 1, 8)};
    if ((both.bits >> 52 & 0x7FF) == 0x7FF || !fuse_text_reserve(out, 32)) return 0;
    reader->at += 9;
    out->count += reader->number(both.number, out->start + out->count);
    return 1;
  }
  case 0xCC: case 0xCD: case 0xCE: case 0xCF: {
    size = (size_t)1 << (head - 0xCC);
    if (!left(reader, size + 1)) return 0;
    uint64_t number = big_endian(reader->at + 1, size);
    if (number < (size == 1 ? 0x80u : (uint64_t)1 << (4 * size))) return 0;
    reader->at += size + 1;
    decimal(out, number, 0);
    return 1;
  }
  case 0xD0: case 0xD1: case 0xD2: case 0xD3: {
    size = (size_t)1 << (head - 0xD0);
    if (!left(reader, size + 1)) return 0;
    uint64_t bits = big_endian(reader->at + 1, size);
    if (size < 8) bits |= ~(uint64_t)0 << (8 * size);
    uint64_t magnitude = 0 - bits;
    // Not below zero, or the shortest head would be shorter.
    if (bits >> 63 == 0 || reader->at[1] < 0x80 || magnitude <= (size == 1 ? 32u : (uint64_t)1 << (4 * size - 1))) return 0;
    reader->at += size + 1;
    decimal(out, magnitude, 1);
    return 1;
  }
  case 0xDC: case 0xDE: {
    if (!left(reader, 3)) return 0;
    size_t count = big_endian(reader->at + 1, 2);
    if (count < 16) return 0;
    reader->at += 3;
    return members(reader, count, head == 0xDE, depth);
  }
  default: {
    int64_t length = text_length(reader);
    if (length < 0 || !quoted(out, reader->at, (size_t)length)) return 0;
    reader->at += length;
    return 1;
  }
  }
}

int fuse_json_value(fuse_text *out, const uint8_t *bytes, size_t count, size_t (*number)(double, uint8_t *)) {
  if (bytes == NULL) return 0;
  size_t start = out->count;
  struct reader reader = {bytes, bytes + count, out, number};
  if (value(&reader, 0) && reader.at == reader.end && !out->failed) return 1;
  out->count = start;
  return 0;
}

int fuse_json_row(
    fuse_text *out, fuse_bytes key, fuse_bytes object, const char *tail, size_t (*number)(double value, uint8_t *out)) {
  size_t start = out->count;
  fuse_text_append(out, "{\"key\":", 7);
  fuse_json_key(out, key.start, key.count);
  fuse_text_append(out, ",\"value\":", 9);
  if (!fuse_json_value(out, object.start, object.count, number)) {
    out->count = start;
    return 0;
  }
  fuse_text_append(out, tail, strlen(tail));
  return 1;
}
