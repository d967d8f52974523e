// A reader of FuseDB's files in C, as small as their layout and a reader's duties allow: what could be reached, as a measure of what is.
//
// The duties are those of the library: what a look-up is led by lies inside the file, slot and entry name the same object, the mark of a
// file that shrank is read, and with checks each object's CRC-32, a miss's two lines and a scan's strides are compared. It takes files with
// an extension block alone, opens them without doubt, and says "damaged" and nothing more. See spec/extension.md, spec/format.md.
#ifndef CREADER_H
#define CREADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <libdeflate.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

typedef struct c_reader {
  const uint8_t *file, *pilots, *slots, *index, *order;
  uint64_t seed, pilot_lines, lines_per_part, index_size, data_end, key_count, stride_count, size;
  uint8_t part_shift, slots_per_line;
  bool checks;
  // What becomes of a file that shrinks: a mark that another thread sets, and eight bytes that change when the file does.
  volatile int64_t fault;
  uint64_t stamp;
} c_reader;

/// NULL where the file cannot be opened, or has no block.
c_reader *c_reader_open(const char *path, bool checks);
void c_reader_close(c_reader *reader);

typedef struct c_bytes {
  const uint8_t *start;  // NULL: absent
  size_t size;
} c_bytes;

enum { C_ABSENT, C_FOUND, C_DAMAGED };

static inline uint64_t c_64(const uint8_t *at) {
  uint64_t value;
  memcpy(&value, at, 8);
  return __builtin_bswap64(value);
}
static inline uint32_t c_32(const uint8_t *at) {
  uint32_t value;
  memcpy(&value, at, 4);
  return __builtin_bswap32(value);
}
static inline uint32_t c_16(const uint8_t *at) { return (uint32_t)at[0] << 8 | at[1]; }
static inline uint64_t c_high(uint64_t left, uint64_t right, uint64_t *low) {
  unsigned __int128 product = (unsigned __int128)left * right;
  *low = (uint64_t)product;
  return (uint64_t)(product >> 64);
}

static inline bool c_is_whole(const c_reader *reader) {
  uint64_t stamp;
  memcpy(&stamp, reader->file + 32, 8);
  return (reader->fault < 0) & (stamp == reader->stamp);
}

/// The sum whose upper bits are the check of a line. Spec: extension.md §5.
static inline uint64_t c_line_sum(const uint8_t *line, uint64_t number, uint64_t first, uint64_t last) {
  static const uint64_t factors[8] = {
      0x7110541D, 0x373C4F35, 0x03622E8D, 0x7C45DC55, 0x0D9CC4B5, 0x29E5CF87, 0x16414D5F, 0x62C2099D};
  uint64_t words[8], sum = (number + 1) * 0x1F72BC49;
  memcpy(words, line, 64);
  words[0] &= first;
  words[7] &= last;
  for (int i = 0; i < 8; i++) sum += words[i] * factors[i];
  return sum * 0x9E3779B97F4A7C15;
}

typedef struct c_probe {
  uint64_t hash, pilot_line, slot_line, slot;
} c_probe;

static inline void c_pilot(const c_reader *reader, c_probe *probe) {
  uint64_t low;
  probe->pilot_line = c_high(probe->hash, reader->pilot_lines, &low);
  uint64_t place = c_high(low, 31, &low);
  uint64_t pilot = c_16(reader->pilots + 64 * probe->pilot_line + 2 * place);
  uint64_t line = c_high((probe->hash ^ pilot) * 0x9E3779B97F4A7C15, reader->lines_per_part, &low);
  probe->slot_line = (probe->pilot_line >> reader->part_shift) * reader->lines_per_part + line;
  probe->slot = c_high(low, reader->slots_per_line, &low);
}

static inline void c_slot(const c_reader *reader, const c_probe *probe, uint64_t *word, uint64_t *entry, uint64_t *object) {
  const uint8_t *line = reader->slots + 64 * probe->slot_line;
  *word = c_64(line) >> (6 * probe->slot);
  if (__builtin_expect(reader->slots_per_line == 7, 1)) {
    *entry = c_32(line + 8 + 4 * probe->slot);
    *object = c_32(line + 36 + 4 * probe->slot);
  } else {
    *entry = c_64(line + 5 + 5 * probe->slot) & 0xFFFFFFFFFF;
    *object = c_64(line + 31 + 6 * probe->slot) & 0xFFFFFFFFFFFF;
  }
}

static inline bool c_same(const uint8_t *left, const uint8_t *right, size_t count) {
  if (__builtin_expect(count >= 8 && count <= 16, 1)) {
    uint64_t words[4];
    memcpy(&words[0], left, 8);
    memcpy(&words[1], right, 8);
    memcpy(&words[2], left + count - 8, 8);
    memcpy(&words[3], right + count - 8, 8);
    return ((words[0] ^ words[1]) | (words[2] ^ words[3])) == 0;
  }
  return memcmp(left, right, count) == 0;
}

/// The object at an offset, inside the data section and with checks equal to its CRC-32.
static inline int c_record(const c_reader *reader, uint64_t object, c_bytes *bytes) {
  if (__builtin_expect(object - 40 > reader->data_end - 48, 0)) return C_DAMAGED;
  const uint8_t *record = reader->file + object;
  uint64_t size = c_32(record);
  if (__builtin_expect(size > reader->data_end - object - 8, 0)) return C_DAMAGED;
  if (reader->checks && libdeflate_crc32(0, record + 8, size) != c_32(record + 4)) return C_DAMAGED;
  bytes->start = record + 8;
  bytes->size = size;
  return C_FOUND;
}

/// What a probe leads to.
static inline int c_answer(const c_reader *reader, const c_probe *probe, const uint8_t *key, size_t size, c_bytes *bytes) {
  uint64_t word, entry, object;
  c_slot(reader, probe, &word, &entry, &object);
  if (((word ^ probe->hash) & 63) == 0 && entry + size + 10 <= reader->index_size) {
    const uint8_t *found = reader->index + entry;
    if (c_16(found) == size && c_same(found + 2, key, size))
      return c_64(found + 2 + size) == object ? c_record(reader, object, bytes) : C_DAMAGED;
  }
  bytes->start = NULL;
  if (!reader->checks) return C_ABSENT;
  const uint8_t *pilots = reader->pilots + 64 * probe->pilot_line, *slots = reader->slots + 64 * probe->slot_line;
  bool sound = c_line_sum(pilots, probe->pilot_line, ~0ull, 0x0000FFFFFFFFFFFF) >> 48 == c_16(pilots + 62) &&
      c_line_sum(slots, probe->slot_line, 0xFFFFFFFFFF030000, ~0ull) >> 42 == c_64(slots) >> 42;
  return sound ? C_ABSENT : C_DAMAGED;
}

/// One look-up.
static inline int c_reader_get(const c_reader *reader, const void *key, size_t size, c_bytes *bytes) {
  c_probe probe;
  probe.hash = XXH3_64bits_withSeed(key, size, reader->seed);
  c_pilot(reader, &probe);
  int status = c_answer(reader, &probe, key, size, bytes);
  return c_is_whole(reader) ? status : C_DAMAGED;
}

enum { C_GROUP = 16 };

/// Up to C_GROUP look-ups that wait for memory together.
static inline int c_reader_get_group(
    const c_reader *reader, const uint8_t *const *keys, const size_t *sizes, int count, c_bytes *bytes) {
  c_probe probes[C_GROUP];
  for (int i = 0; i < count; i++) {
    uint64_t low;
    probes[i].hash = XXH3_64bits_withSeed(keys[i], sizes[i], reader->seed);
    __builtin_prefetch(reader->pilots + 64 * c_high(probes[i].hash, reader->pilot_lines, &low));
  }
  for (int i = 0; i < count; i++) {
    c_pilot(reader, &probes[i]);
    __builtin_prefetch(reader->slots + 64 * probes[i].slot_line);
  }
  for (int i = 0; i < count; i++) {
    uint64_t word, entry, object;
    c_slot(reader, &probes[i], &word, &entry, &object);
    __builtin_prefetch(reader->index + entry);
    __builtin_prefetch(reader->file + object);
    if (reader->checks) __builtin_prefetch(reader->file + object + 64);
  }
  int worst = C_FOUND;
  for (int i = 0; i < count; i++) {
    int status = c_answer(reader, &probes[i], keys[i], sizes[i], &bytes[i]);
    if (status == C_DAMAGED) worst = C_DAMAGED;
  }
  return c_is_whole(reader) ? worst : C_DAMAGED;
}

typedef struct c_tally {
  uint64_t found, sum;
} c_tally;

/// Counts the keys and sums the first words of their objects, in the order of the keys; found is 0 where the file is damaged.
c_tally c_reader_scan(const c_reader *reader);
/// The same of the keys that begin with a prefix. Adds to the tally; false where the file is damaged.
bool c_reader_prefix(const c_reader *reader, const void *prefix, size_t size, c_tally *tally);

#endif
