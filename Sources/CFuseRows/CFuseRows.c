#include "CFuseRows.h"

#include <CFuseChecksum.h>
#include <string.h>

// A length is read once and compared with what is left at once, so a file that is overwritten meanwhile leads to nothing worse than wrong bytes. Values that
// are copied by 16 or 32 bytes at a time are read and written beyond their end, within the slack.

#define INLINE static inline __attribute__((always_inline))
#define LIKELY(condition) __builtin_expect(!!(condition), 1)
#define UNLIKELY(condition) __builtin_expect(!!(condition), 0)

enum {
  /// How deep values are nested at most, and how long the MessagePack of a part is.
  most_depth = 128,
  most_part = 4096,
  most_names = 255,
  /// How many shapes and parts are remembered.
  known_count = 16,
};

INLINE uint64_t load8(const uint8_t *bytes) {
  uint64_t number;
  memcpy(&number, bytes, 8);
  return __builtin_bswap64(number);
}

INLINE uint32_t load4(const uint8_t *bytes) {
  uint32_t number;
  memcpy(&number, bytes, 4);
  return __builtin_bswap32(number);
}

INLINE void store8(uint8_t *out, uint64_t number) {
  number = __builtin_bswap64(number);
  memcpy(out, &number, 8);
}

INLINE void store4(uint8_t *out, uint32_t number) {
  number = __builtin_bswap32(number);
  memcpy(out, &number, 4);
}

INLINE void store2(uint8_t *out, uint16_t number) {
  number = __builtin_bswap16(number);
  memcpy(out, &number, 2);
}

INLINE void copy32(uint8_t *out, const uint8_t *bytes) {
  uint64_t words[4];
  memcpy(words, bytes, 32);
  memcpy(out, words, 32);
}

/// Copies some bytes; as many as the slack may be read and written after them.
INLINE void copy(uint8_t *out, const uint8_t *bytes, size_t count) {
  if (UNLIKELY(count > 256)) {
    memcpy(out, bytes, count);
    return;
  }
  size_t i = 0;
  do {
    copy32(out + i, bytes + i);
    i += 32;
  } while (i < count);
}

/// A number of seven bits a byte, in its shortest spelling; what comes after it, or NULL.
INLINE const uint8_t *varint(const uint8_t *at, const uint8_t *end, uint64_t *number) {
  if (UNLIKELY(at >= end)) return NULL;
  uint64_t found = *at++;
  if (UNLIKELY(found >= 0x80)) {
    found &= 0x7F;
    for (unsigned shift = 7;; shift += 7) {
      if (shift >= 63 || at >= end) return NULL;
      uint8_t next = *at++;
      found |= (uint64_t)(next & 0x7F) << shift;
      if (next >= 0x80) continue;
      if (next == 0) return NULL;
      break;
    }
  }
  *number = found;
  return at;
}

/// Where an item stands in a table, by what its places say, and where it ends; NULL where it cannot stand there.
INLINE const uint8_t *item_place(const fuse_items *table, uint64_t number, const uint8_t **end) {
  if (UNLIKELY(number >= table->count)) return NULL;
  uint64_t begin, after;
  if (LIKELY(!table->isWide)) {
    uint64_t both = load8(table->places + 4 * number);
    begin = both >> 32;
    after = (uint32_t)both;
  } else {
    // There are at least two bytes before the places.
    begin = load8(table->places + 6 * number - 2) & 0xFFFFFFFFFFFF;
    after = load8(table->places + 6 * number + 4) & 0xFFFFFFFFFFFF;
  }
  // Where an item ends before it begins, this is more than any length.
  if (UNLIKELY(after > table->byteCount || after - begin - 4 > table->most)) return NULL;
  *end = table->items + after;
  return table->items + begin + 4;
}

/// Whether an item is the one of this number.
INLINE _Bool is_item(const uint8_t *at, const uint8_t *end, uint64_t number) {
  return LIKELY(fuse_crc32_after(__builtin_bswap32((uint32_t)number), at, (size_t)(end - at)) == load4(at - 4));
}

/// An item, after its CRC-32 was compared, or NULL.
INLINE const uint8_t *item(const fuse_items *table, uint64_t number, const uint8_t **end) {
  const uint8_t *at = item_place(table, number, end);
  return LIKELY(at != NULL) && is_item(at, *end, number) ? at : NULL;
}

/// What comes after a name of a shape, or NULL. `text` is how long its text is.
INLINE const uint8_t *after_name(const uint8_t *at, const uint8_t *end, size_t *text) {
  uint8_t head = *at;
  size_t count, headCount = 1;
  if (LIKELY((head & 0xE0) == 0xA0)) {
    count = head & 0x1F;
  } else if (head == 0xD9) {
    count = at[1];
    headCount = 2;
    if (count <= 31) return NULL;
  } else if (head == 0xDA) {
    count = (size_t)at[1] << 8 | at[2];
    headCount = 3;
    if (count <= 255) return NULL;
  } else {
    return NULL;
  }
  *text = count;
  return LIKELY((size_t)(end - at) >= headCount + count) ? at + headCount + count : NULL;
}

/// How many names a shape has; 0 where something is wrong.
INLINE size_t name_count(const uint8_t *names, const uint8_t *end) {
  size_t count = 0, text;
  while (names < end) {
    names = after_name(names, end, &text);
    if (names == NULL) return 0;
    count++;
  }
  return count <= most_names ? count : 0;
}

/// How long a value of MessagePack is that holds no others; 0 for all others. It may be longer than what is left.
INLINE size_t scalar_count(const uint8_t *at) {
  uint8_t head = *at;
  if (head < 0x80 || head >= 0xE0) return 1;
  if ((head & 0xE0) == 0xA0) return 1 + (head & 0x1F);
  switch (head) {
    case 0xC0: case 0xC2: case 0xC3: return 1;
    case 0xCC: case 0xD0: return 2;
    case 0xCD: case 0xD1: case 0xD4: return 3;
    case 0xD5: return 4;
    case 0xCA: case 0xCE: case 0xD2: return 5;
    case 0xD6: return 6;
    case 0xCB: case 0xCF: case 0xD3: return 9;
    case 0xD7: return 10;
    case 0xD8: return 18;
    case 0xC4: case 0xD9: return 2 + (size_t)at[1];
    case 0xC5: case 0xDA: return 3 + ((size_t)at[1] << 8 | at[2]);
    case 0xC6: case 0xDB: return 5 + (size_t)load4(at + 1);
    default: return 0;
  }
}

/// A shape of which the CRC-32 was compared, and how many names it has.
typedef struct {
  /// One more than its number.
  uint64_t next;
  const uint8_t *at;
  const uint8_t *end;
  size_t count;
} known_shape;

/// What a part became.
typedef struct {
  /// One more than its number.
  uint64_t next;
  const uint8_t *out;
  uint32_t count;
  /// How many arrays and maps it stands in: it may stand in fewer, too.
  uint32_t depth;
} known_part;

typedef struct {
  const fuse_rows *rows;
  /// Where the room ends.
  uint8_t *room;
  /// What was met before in the same object: it is compared once.
  known_shape shapes[known_count];
  known_part parts[known_count];
} expansion;

/// Where a value ends and what is written next; `at` is NULL where that is not known, and then `out` is beyond the room where that is why.
typedef struct {
  const uint8_t *at;
  uint8_t *out;
} place;

/// Of what are the values.
typedef enum { of_array, of_map, of_shape, of_part } parent;

INLINE const known_shape *shape_of(expansion *all, uint64_t number) {
  known_shape *known = &all->shapes[number % known_count];
  if (LIKELY(known->next == number + 1)) return known;
  const uint8_t *end, *at = item(&all->rows->shapes, number, &end);
  if (UNLIKELY(at == NULL)) return NULL;
  size_t count = name_count(at, end);
  if (UNLIKELY(count == 0)) return NULL;
  *known = (known_shape){number + 1, at, end, count};
  return known;
}

/// Writes the head of an array or a map.
INLINE uint8_t *write_head(uint8_t *out, uint8_t little, uint8_t large, uint64_t count) {
  if (LIKELY(count < 16)) {
    *out = (uint8_t)(little | count);
    return out + 1;
  }
  if (count <= 0xFFFF) {
    *out = large;
    store2(out + 1, (uint16_t)count);
    return out + 3;
  }
  *out = large + 1;
  store4(out + 1, (uint32_t)count);
  return out + 5;
}

/// How long a value is, by its first byte, without the values of an array or a map; 0 where that says not all.
static const uint8_t value_counts[256] = {
    [0x00 ... 0x8F] = 1, [0x90] = 1, [0x91] = 2, [0x92] = 3, [0x93] = 4, [0x94] = 5, [0x95] = 6, [0x96] = 7, [0x97] = 8, [0x98] = 9,
    [0x99] = 10, [0x9A] = 11, [0x9B] = 12, [0x9C] = 13, [0x9D] = 14, [0x9E] = 15, [0x9F] = 16, [0xA0] = 17, [0xA1] = 18, [0xA2] = 19,
    [0xA3] = 20, [0xA4] = 21, [0xA5] = 22, [0xA6] = 23, [0xA7] = 24, [0xA8] = 25, [0xA9] = 26, [0xAA] = 27, [0xAB] = 28, [0xAC] = 29,
    [0xAD] = 30, [0xAE] = 31, [0xAF] = 32, [0xB0 ... 0xBF] = 1, [0xC0 ... 0xDF] = 2, [0xE0 ... 0xE7] = 3, [0xE8 ... 0xEB] = 4, [0xEC] = 5,
    [0xF0 ... 0xF2] = 1, [0xF3] = 2, [0xF4] = 3, [0xF5] = 4, [0xF6] = 5,
};

/// Asks for the parts that a row or a part leans on, but for those used most, whose numbers are short: those are there. They are wanted
/// soon, one after the other, and each would be waited for twice.
static void fetch_parts(const fuse_rows *rows, const uint8_t *at, const uint8_t *end) {
  enum { most = 16 };
  uint32_t numbers[most];
  unsigned count = 0;
  while (at < end) {
    uint8_t head = *at;
    if (head >= 0xE0 && head < 0xEC) {
      uint32_t number = head < 0xE8 ? load4(at) >> 8 & 0x07FFFF : load4(at) & 0x03FFFFFF;
      if (number < rows->parts.count) {
        __builtin_prefetch(rows->parts.places + (rows->parts.isWide ? 6 : 4) * (uint64_t)number);
        numbers[count++] = number;
        if (count == most) break;
      }
    }
    unsigned step = value_counts[head];
    if (step == 0) {
      if (head == 0xEE) {
        step = 2 + (at[1] & 15);
      } else if (head == 0xEF && at[1] == 0xCB) {
        step = 10;
      } else if (head == 0xED) {
        step = 2 + (at[1] >> 7);
      } else {
        break;
      }
    }
    at += step;
  }
  for (unsigned i = 0; i < count; i++) {
    const uint8_t *partEnd, *part = item_place(&rows->parts, numbers[i], &partEnd);
    if (part == NULL) continue;
    __builtin_prefetch(part - 4);
    __builtin_prefetch(partEnd - 1);
  }
}

#define FAILED ((place){NULL, out})
/// Beyond the room, so that this is known from `out`.
#define FULL ((place){NULL, all->room + 1})

#define OUTSIDE static __attribute__((noinline))
OUTSIDE place write_array(
    expansion *all, const uint8_t *at, const uint8_t *end, uint64_t count, unsigned depth, uint8_t *out, uint8_t *limit);
OUTSIDE place
write_map(expansion *all, const uint8_t *at, const uint8_t *end, uint64_t count, unsigned depth, uint8_t *out, uint8_t *limit);
OUTSIDE place write_shape(
    expansion *all, const uint8_t *at, const uint8_t *end, const known_shape *shape, unsigned depth, uint8_t *out, uint8_t *limit);
OUTSIDE place write_part(expansion *all, const uint8_t *at, const uint8_t *end, unsigned depth, uint8_t *out, uint8_t *limit);

/// Writes `count` values. No more than the slack is written beyond `limit`, which is at most the room.
INLINE place write_values(
    expansion *all, parent parent, const uint8_t *at, const uint8_t *end, const uint8_t *names, const uint8_t *namesEnd, uint64_t count,
    unsigned depth, uint8_t *out, uint8_t *limit) {
  for (; count > 0; count--) {
    if (UNLIKELY(out > limit)) return FAILED;
    if (parent == of_shape) {
      if (UNLIKELY(names >= namesEnd)) return FAILED;
      uint8_t head = *names;
      if (LIKELY((head & 0xE0) == 0xA0)) {
        copy32(out, names);
        size_t name = 1 + (head & 0x1Fu);
        out += name;
        names += name;
        if (UNLIKELY(names > namesEnd)) return FAILED;
      } else {
        size_t text;
        const uint8_t *after = after_name(names, namesEnd, &text);
        if (UNLIKELY(after == NULL)) return FAILED;
        if (after - names > limit - out) return all->room == limit ? FULL : FAILED;
        memcpy(out, names, (size_t)(after - names));
        out += after - names;
        names = after;
      }
    } else if (parent == of_map) {
      if (UNLIKELY(at >= end)) return FAILED;
      size_t name = scalar_count(at);
      if (UNLIKELY(name == 0 || name > (size_t)(end - at))) return FAILED;
      if (LIKELY(name <= 32)) {
        copy32(out, at);
      } else {
        if ((int64_t)name > limit - out) return all->room == limit ? FULL : FAILED;
        memcpy(out, at, name);
      }
      out += name;
      at += name;
    }
    if (UNLIKELY(at >= end)) return FAILED;
    uint8_t head = *at++;
    uint64_t number;
    if (LIKELY((uint8_t)(head - 0x90) < 0x20)) {
      size_t text = head - 0x90u;
      *out = (uint8_t)(0xA0 | text);
      copy32(out + 1, at);
      at += text;
      out += 1 + text;
      if (UNLIKELY(at > end)) return FAILED;
      continue;
    }
    switch (head) {
      case 0x00 ... 0x7F: *out++ = head; continue;
      case 0xC0 ... 0xDF:
        if (UNLIKELY(end - at < 1)) return FAILED;
        number = (uint64_t)(head & 0x1F) << 8 | at[0];
        at += 1;
        break;
      case 0xE0 ... 0xE7:
        if (UNLIKELY(end - at < 2)) return FAILED;
        number = (uint64_t)(head & 0x07) << 16 | (uint64_t)at[0] << 8 | at[1];
        at += 2;
        break;
      case 0xE8 ... 0xEB:
        if (UNLIKELY(end - at < 3)) return FAILED;
        number = (uint64_t)(head & 0x03) << 24 | load4(at) >> 8;
        at += 3;
        break;
      case 0xEC:
        if (UNLIKELY(end - at < 4)) return FAILED;
        number = load4(at);
        at += 4;
        break;
      case 0xED:
        at = varint(at, end, &number);
        if (UNLIKELY(at == NULL)) return FAILED;
        goto shape;
      case 0xB0 ... 0xBF: {
        number = head & 0x0F;
      shape:
        if (UNLIKELY(depth >= most_depth)) return FAILED;
        const known_shape *shape = shape_of(all, number);
        if (UNLIKELY(shape == NULL)) return FAILED;
        out = write_head(out, 0x80, 0xDE, shape->count);
        place after = write_shape(all, at, end, shape, depth + 1, out, limit);
        if (UNLIKELY(after.at == NULL)) return after;
        at = after.at;
        out = after.out;
        continue;
      }
      case 0xF8:
        at = varint(at, end, &number);
        if (UNLIKELY(at == NULL)) return FAILED;
        goto array;
      case 0x80 ... 0x8F: {
        number = head & 0x0F;
      array:
        if (UNLIKELY(depth >= most_depth || number > (uint64_t)(end - at))) return FAILED;
        out = write_head(out, 0x90, 0xDC, number);
        place after = write_array(all, at, end, number, depth + 1, out, limit);
        if (UNLIKELY(after.at == NULL)) return after;
        at = after.at;
        out = after.out;
        continue;
      }
      case 0xF9: {
        at = varint(at, end, &number);
        if (UNLIKELY(at == NULL || depth >= most_depth || number > (uint64_t)(end - at) / 2)) return FAILED;
        out = write_head(out, 0x80, 0xDE, number);
        place after = write_map(all, at, end, number, depth + 1, out, limit);
        if (UNLIKELY(after.at == NULL)) return after;
        at = after.at;
        out = after.out;
        continue;
      }
      case 0xEE: {
        static const double powers[7] = {1, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6};
        if (UNLIKELY(end - at < 1)) return FAILED;
        unsigned exponent = at[0] >> 4, byteCount = at[0] & 15;
        if (UNLIKELY(exponent > 6 || byteCount - 1 > 3 || (size_t)(end - at) < 1 + byteCount)) return FAILED;
        // The sign is that of the first byte.
        int32_t digits = (int32_t)load4(at + 1) >> (32 - 8 * byteCount);
        double value = (double)digits / powers[exponent];
        uint64_t bits;
        memcpy(&bits, &value, 8);
        *out = 0xCB;
        store8(out + 1, bits);
        out += 9;
        at += 1 + byteCount;
        continue;
      }
      case 0xEF: {
        if (UNLIKELY(at >= end)) return FAILED;
        size_t raw = scalar_count(at);
        if (UNLIKELY(raw == 0 || raw > (size_t)(end - at))) return FAILED;
        if (LIKELY(raw <= 32)) {
          copy32(out, at);
        } else {
          if ((int64_t)raw > limit - out) return all->room == limit ? FULL : FAILED;
          memcpy(out, at, raw);
        }
        at += raw;
        out += raw;
        continue;
      }
      case 0xF0: *out++ = 0xC0; continue;
      case 0xF1: *out++ = 0xC2; continue;
      case 0xF2: *out++ = 0xC3; continue;
      case 0xF3 ... 0xF6: {
        unsigned byteCount = head - 0xF2u;
        if (UNLIKELY((size_t)(end - at) < byteCount)) return FAILED;
        uint32_t integer = load4(at) >> (32 - 8 * byteCount);
        at += byteCount;
        if (integer < 0x80) {
          *out++ = (uint8_t)integer;
        } else if (integer <= 0xFF) {
          *out = 0xCC;
          out[1] = (uint8_t)integer;
          out += 2;
        } else if (integer <= 0xFFFF) {
          *out = 0xCD;
          store2(out + 1, (uint16_t)integer);
          out += 3;
        } else {
          *out = 0xCE;
          store4(out + 1, integer);
          out += 5;
        }
        continue;
      }
      case 0xF7: {
        at = varint(at, end, &number);
        if (UNLIKELY(at == NULL || number > (uint64_t)(end - at) || number > 0xFFFFFFFF)) return FAILED;
        if ((int64_t)number > limit - out) return all->room == limit ? FULL : FAILED;
        if (number < 32) {
          *out++ = (uint8_t)(0xA0 | number);
        } else if (number <= 0xFF) {
          *out = 0xD9;
          out[1] = (uint8_t)number;
          out += 2;
        } else if (number <= 0xFFFF) {
          *out = 0xDA;
          store2(out + 1, (uint16_t)number);
          out += 3;
        } else {
          *out = 0xDB;
          store4(out + 1, (uint32_t)number);
          out += 5;
        }
        memcpy(out, at, number);
        at += number;
        out += number;
        continue;
      }
      default: return FAILED;
    }
    // A part, which is no other part, and says how long it is.
    if (UNLIKELY(parent == of_part)) return FAILED;
    known_part *known = &all->parts[number % known_count];
    if (known->next == number + 1 && depth <= known->depth && (int64_t)known->count <= limit - out) {
      copy(out, known->out, known->count);
      out += known->count;
      continue;
    }
    const uint8_t *partEnd, *part = item(&all->rows->parts, number, &partEnd);
    if (UNLIKELY(part == NULL)) return FAILED;
    uint64_t length;
    part = varint(part, partEnd, &length);
    if (UNLIKELY(part == NULL || length > most_part)) return FAILED;
    if (UNLIKELY((int64_t)length > limit - out)) return all->room == limit ? FULL : FAILED;
    uint8_t *outEnd = out + length;
    // Most parts are texts.
    size_t text = *part - 0x90u;
    if (LIKELY(text < 0x20 && (size_t)(partEnd - part) == 1 + text && length == 1 + text)) {
      *out = (uint8_t)(0xA0 | text);
      copy32(out + 1, part + 1);
      out = outEnd;
      continue;
    }
    // What a part leans on that is used much is used as much.
    if (number >= 0x2000) fetch_parts(all->rows, part, partEnd);
    place after = write_part(all, part, partEnd, depth, out, outEnd);
    if (UNLIKELY(after.at == NULL)) return after;
    if (UNLIKELY(after.at != partEnd || after.out != outEnd)) return FAILED;
    *known = (known_part){number + 1, out, (uint32_t)length, depth};
    out = outEnd;
  }
  return (place){at, out};
}

OUTSIDE place write_array(
    expansion *all, const uint8_t *at, const uint8_t *end, uint64_t count, unsigned depth, uint8_t *out, uint8_t *limit) {
  return write_values(all, of_array, at, end, NULL, NULL, count, depth, out, limit);
}

OUTSIDE place
write_map(expansion *all, const uint8_t *at, const uint8_t *end, uint64_t count, unsigned depth, uint8_t *out, uint8_t *limit) {
  return write_values(all, of_map, at, end, NULL, NULL, count, depth, out, limit);
}

OUTSIDE place write_shape(
    expansion *all, const uint8_t *at, const uint8_t *end, const known_shape *shape, unsigned depth, uint8_t *out, uint8_t *limit) {
  return write_values(all, of_shape, at, end, shape->at, shape->end, shape->count, depth, out, limit);
}

OUTSIDE place write_part(expansion *all, const uint8_t *at, const uint8_t *end, unsigned depth, uint8_t *out, uint8_t *limit) {
  return write_values(all, of_part, at, end, NULL, NULL, 1, depth, out, limit);
}

int64_t fuse_row_find(const fuse_rows *rows, size_t offset, fuse_row_value *value) {
  const uint8_t *row = rows->file + offset;
  if (UNLIKELY(offset > (size_t)(rows->rowsEnd - rows->file) || rows->rowsEnd - row < 5)) return fuse_row_other;
  // Half of the rows have bytes in a second line.
  __builtin_prefetch(row + 63);
  uint64_t count;
  const uint8_t *at = varint(row + 4, rows->rowsEnd, &count);
  if (UNLIKELY(at == NULL || count > (uint64_t)(rows->rowsEnd - at))) return fuse_row_other;
  const uint8_t *end = at + count;
  size_t all = (size_t)(end - (row + 4));
  uint32_t checksum;
  if (LIKELY(all >= 4)) {
    uint32_t first;
    memcpy(&first, row + 4, 4);
    checksum = fuse_crc32_after(first, row + 8, all - 4);
  } else {
    checksum = fuse_crc32(0, row + 4, all);
  }
  if (UNLIKELY(checksum != load4(row))) return fuse_row_other;
  *value = (fuse_row_value){at, end, 0, 1, 0};
  return fuse_row_done;
}

/// Whether a value that begins with a byte holds no others, and is no part.
static const _Bool is_alone[256] = {
    [0x00 ... 0x7F] = 1, [0x90 ... 0xAF] = 1, [0xEE] = 1, [0xF0 ... 0xF6] = 1,
};

int64_t fuse_row_expand(const fuse_rows *rows, const fuse_row_value *value, uint8_t *out, size_t room) {
  expansion all;
  all.rows = rows;
  // What stands in a part is no longer than one, and so has all the room that it can need.
  _Bool isBounded = value->isInPart && room >= most_part;
  all.room = out + (isBounded ? most_part : room);
  // A value that holds no others leans on nothing.
  if (value->at < value->end && !is_alone[*value->at]) {
    for (int i = 0; i < known_count; i++) all.shapes[i].next = all.parts[i].next = 0;
    fetch_parts(rows, value->at, value->end);
  }
  place after = write_array(&all, value->at, value->end, 1, value->depth, out, all.room);
  if (UNLIKELY(after.at == NULL)) return after.out > all.room && !isBounded ? fuse_row_full : fuse_row_other;
  if (UNLIKELY(value->isWhole && after.at != value->end)) return fuse_row_other;
  if (UNLIKELY(value->isInPart && after.out - out > most_part)) return fuse_row_other;
  return after.out - out;
}

/// Passes over `count` values of a row, each of which stands in `depth` arrays and maps: what comes after them, or NULL.
static const uint8_t *after_values(const fuse_rows *rows, const uint8_t *at, const uint8_t *end, uint64_t count, unsigned depth) {
  for (; count > 0; count--) {
    if (UNLIKELY(at >= end)) return NULL;
    uint8_t head = *at++;
    uint64_t number;
    switch (head) {
      case 0x00 ... 0x7F: case 0xF0 ... 0xF2: continue;
      case 0x90 ... 0xAF: number = head - 0x90u; break;
      case 0xC0 ... 0xDF: number = 1; break;
      case 0xE0 ... 0xE7: number = 2; break;
      case 0xE8 ... 0xEB: number = 3; break;
      case 0xEC: number = 4; break;
      case 0xF3 ... 0xF6: number = head - 0xF2u; break;
      case 0xEE:
        if (UNLIKELY(at >= end || at[0] >> 4 > 6 || (at[0] & 15u) - 1 > 3)) return NULL;
        number = 1 + (at[0] & 15);
        break;
      case 0xEF:
        if (UNLIKELY(at >= end)) return NULL;
        number = scalar_count(at);
        if (UNLIKELY(number == 0)) return NULL;
        break;
      case 0xF7:
        at = varint(at, end, &number);
        if (UNLIKELY(at == NULL)) return NULL;
        break;
      case 0x80 ... 0x8F:
        number = head & 0x0F;
        goto values;
      case 0xF8:
        at = varint(at, end, &number);
        if (UNLIKELY(at == NULL)) return NULL;
        goto values;
      case 0xB0 ... 0xBF:
        number = head & 0x0F;
        goto shape;
      case 0xED: {
        at = varint(at, end, &number);
        if (UNLIKELY(at == NULL)) return NULL;
      shape:;
        const uint8_t *namesEnd, *names = item(&rows->shapes, number, &namesEnd);
        if (UNLIKELY(names == NULL)) return NULL;
        number = name_count(names, namesEnd);
        if (UNLIKELY(number == 0)) return NULL;
      values:
        if (UNLIKELY(depth >= most_depth || number > (uint64_t)(end - at))) return NULL;
        at = after_values(rows, at, end, number, depth + 1);
        if (UNLIKELY(at == NULL)) return NULL;
        continue;
      }
      // Maps with names of their own, and what begins no value.
      default: return NULL;
    }
    if (UNLIKELY(number > (uint64_t)(end - at))) return NULL;
    at += number;
  }
  return at;
}

/// What a name of a shape begins with where it has so many bytes and these: the first eight, and which of their bits count.
typedef struct {
  uint64_t word;
  uint64_t mask;
} name_start;

INLINE name_start start_of_name(const uint8_t *name, size_t count) {
  uint64_t text = 0;
  if (count >= 7) {
    uint32_t first, last;
    memcpy(&first, name, 4);
    memcpy(&last, name + 3, 4);
    text = first | (uint64_t)last << 24;
  } else {
    for (size_t i = 0; i < count; i++) text |= (uint64_t)name[i] << (8 * i);
  }
  // Longer names begin with another byte.
  return (name_start){0xA0 | (count < 32 ? count : 31) | text << 8, count >= 7 ? ~0ull : ~(~0ull << (8 * (count + 1)))};
}

/// The value of the part that is meant where `at` points, of which at least one byte is there, where it ends, and how long its MessagePack is; NULL
/// where that is not to be had.
INLINE const uint8_t *value_of_part(const fuse_rows *rows, const uint8_t *at, const uint8_t **end, uint64_t *length) {
  uint8_t head = *at++;
  unsigned byteCount = head < 0xE0 ? 1 : head < 0xE8 ? 2 : head < 0xEC ? 3 : 4;
  unsigned high = head < 0xE0 ? head & 0x1F : head < 0xE8 ? head & 7 : head < 0xEC ? head & 3 : 0;
  if (UNLIKELY((size_t)(*end - at) < byteCount)) return NULL;
  uint64_t number = (uint64_t)high << (8 * byteCount) | load4(at) >> (32 - 8 * byteCount);
  at = item(&rows->parts, number, end);
  if (UNLIKELY(at == NULL)) return NULL;
  at = varint(at, *end, length);
  return LIKELY(at != NULL && at < *end) ? at : NULL;
}

int64_t fuse_row_enter(const fuse_rows *rows, fuse_row_value *value, const uint8_t *name, size_t count, int64_t index) {
  const uint8_t *at = value->at, *end = value->end;
  _Bool isInPart = value->isInPart;
  if (UNLIKELY(at >= end)) return fuse_row_other;
  uint8_t head = *at++;
  uint64_t number;
  if (head >= 0xC0 && head <= 0xEC) {
    uint64_t length;
    at = value_of_part(rows, value->at, &end, &length);
    if (UNLIKELY(at == NULL)) return fuse_row_other;
    isInPart = 1;
    head = *at++;
  }
  unsigned depth = value->depth + 1;
  switch (head) {
    case 0x80 ... 0x8F: number = head & 0x0F; break;
    case 0xB0 ... 0xBF: number = head & 0x0F; break;
    case 0xF8: case 0xED:
      at = varint(at, end, &number);
      if (UNLIKELY(at == NULL)) return fuse_row_other;
      break;
    case 0x00 ... 0x7F: case 0x90 ... 0xAF: case 0xF0 ... 0xF2: return fuse_row_absent;
    default: return fuse_row_other;
  }
  if (head < 0x90 || head == 0xF8) {
    if (UNLIKELY(number > (uint64_t)(end - at))) return fuse_row_other;
    if (index < 0 || (uint64_t)index >= number) return fuse_row_absent;
    number = (uint64_t)index;
  } else {
    const uint8_t *namesEnd, *names = item(&rows->shapes, number, &namesEnd);
    if (UNLIKELY(names == NULL || count >= 32)) return fuse_row_other;
    name_start start = start_of_name(name, count);
    for (number = 0;; number++) {
      if (names >= namesEnd) return fuse_row_absent;
      uint64_t word;
      memcpy(&word, names, 8);
      if (((word ^ start.word) & start.mask) == 0 && (count <= 7 || memcmp(names + 8, name + 7, count - 7) == 0)) {
        if (UNLIKELY((size_t)(namesEnd - names) < 1 + count)) return fuse_row_other;
        break;
      }
      size_t text;
      names = after_name(names, namesEnd, &text);
      if (UNLIKELY(names == NULL)) return fuse_row_other;
    }
  }
  at = after_values(rows, at, end, number, depth);
  if (UNLIKELY(at == NULL)) return fuse_row_other;
  *value = (fuse_row_value){at, end, depth, 0, isInPart};
  return fuse_row_done;
}

int64_t fuse_row_text(const fuse_rows *rows, const fuse_row_value *value, const uint8_t **text) {
  const uint8_t *at = value->at, *end = value->end;
  _Bool isWhole = value->isWhole;
  if (UNLIKELY(at >= end)) return fuse_row_other;
  uint64_t length = 0;
  if (*at >= 0xC0 && *at <= 0xEC) {
    if (UNLIKELY(isWhole)) return fuse_row_other;
    at = value_of_part(rows, at, &end, &length);
    if (UNLIKELY(at == NULL || length != (size_t)(end - at))) return fuse_row_other;
    isWhole = 1;
  }
  uint64_t count = *at++ - 0x90u;
  if (count >= 0x20 || count > (size_t)(end - at) || (isWhole && count != (size_t)(end - at))) return fuse_row_other;
  *text = at;
  return (int64_t)count;
}
