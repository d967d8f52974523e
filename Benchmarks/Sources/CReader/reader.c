#include "CReader.h"

#include <fcntl.h>
#include <libdeflate.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
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
static inline int c_get(const c_reader *reader, const void *key, size_t size, c_bytes *bytes) {
  c_probe probe;
  probe.hash = XXH3_64bits_withSeed(key, size, reader->seed);
  c_pilot(reader, &probe);
  int status = c_answer(reader, &probe, key, size, bytes);
  return c_is_whole(reader) ? status : C_DAMAGED;
}

enum { C_GROUP = 16 };

/// Up to C_GROUP look-ups that wait for memory together.
static inline int c_get_group(
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


enum { STRIDE = 32, ROW = 12 };

c_reader *c_reader_open(const char *path, bool checks) {
  int descriptor = open(path, O_RDONLY | O_CLOEXEC);
  if (descriptor < 0) return NULL;
  struct stat about;
  fstat(descriptor, &about);
  size_t size = (size_t)about.st_size;
  const uint8_t *file = mmap(NULL, size, PROT_READ, MAP_SHARED, descriptor, 0);
  close(descriptor);
  if (file == MAP_FAILED) return NULL;
  c_reader *reader = calloc(1, sizeof *reader);
  const uint8_t *footer = file + size - 48;
  reader->file = file;
  reader->size = size;
  reader->checks = checks;
  reader->fault = -1;
  memcpy(&reader->stamp, file + 32, 8);
  reader->key_count = c_32(file + 8);
  reader->data_end = c_64(file + 16);
  reader->index = file + reader->data_end;
  reader->index_size = c_64(footer) - reader->data_end;
  const uint8_t *directory = file + c_64(footer + 8);
  for (uint32_t i = 0; i < c_32(footer + 16); i++, directory += 32) {
    const uint8_t *section = file + c_64(directory + 8);
    if (memcmp(directory, "HASH", 4) == 0) {
      reader->seed = c_64(section);
      reader->pilot_lines = c_64(section + 8);
      reader->lines_per_part = c_64(section + 24);
      reader->part_shift = section[32];
      reader->slots_per_line = section[33];
      reader->pilots = section + 64;
      reader->slots = reader->pilots + 64 * reader->pilot_lines;
    } else if (memcmp(directory, "ORDR", 4) == 0) {
      reader->order = section;
      reader->stride_count = (reader->key_count + STRIDE - 1) / STRIDE;
    }
  }
  if (memcmp(footer + 40, "FSDBEXT\n", 8) != 0 || reader->pilots == NULL || reader->order == NULL) {
    c_reader_close(reader);
    return NULL;
  }
  return reader;
}

void c_reader_close(c_reader *reader) {
  munmap((void *)reader->file, reader->size);
  free(reader);
}

static int compare(const uint8_t *left, size_t left_size, const uint8_t *right, size_t right_size) {
  int order = memcmp(left, right, left_size < right_size ? left_size : right_size);
  return order != 0 ? order : (left_size > right_size) - (left_size < right_size);
}

static uint64_t start_of(const c_reader *reader, uint64_t stride) {
  return stride < reader->stride_count ? c_64(reader->order + ROW * stride) - reader->data_end : reader->index_size;
}

/// Goes through a stride from `offset` on, for as long as keys begin with the prefix. Returns where it stopped, or -1.
static int64_t walk(
    const c_reader *reader, uint64_t stride, uint64_t offset, const uint8_t *prefix, size_t size, c_tally *tally) {
  uint64_t start = start_of(reader, stride), end = start_of(reader, stride + 1);
  if (start > offset || offset > end || end > reader->index_size) return -1;
  if (reader->checks) {
    uint8_t number[8] = {0};
    for (int i = 0; i < 8; i++) number[i] = (uint8_t)(stride >> (56 - 8 * i));
    uint32_t check = libdeflate_crc32(libdeflate_crc32(0, number, 8), reader->index + start, end - start);
    if (check != c_32(reader->order + ROW * stride + 8)) return -1;
  }
  uint64_t objects[STRIDE];
  int count = 0;
  uint64_t previous = UINT64_MAX;
  uint64_t next = offset;
  while (next < end) {
    if (next + 10 > end) return -1;
    size_t length = c_16(reader->index + next);
    if (next + 10 + length > end || count == STRIDE) return -1;
    const uint8_t *key = reader->index + next + 2;
    if (previous != UINT64_MAX &&
        compare(reader->index + previous + 2, c_16(reader->index + previous), key, length) >= 0)
      return -1;
    if (size > 0 && (length < size || memcmp(key, prefix, size) != 0)) break;
    objects[count] = c_64(key + length);
    __builtin_prefetch(reader->file + objects[count]);
    tally->sum += size > 0 ? 0 : length;
    count++;
    previous = next;
    next += 10 + length;
  }
  for (int i = 0; i < count; i++) {
    c_bytes bytes;
    if (c_record(reader, objects[i], &bytes) == C_DAMAGED) return -1;
    uint64_t word;
    memcpy(&word, bytes.start, 8);
    tally->sum += word;
    tally->found++;
  }
  return c_is_whole(reader) ? (int64_t)next : -1;
}

c_tally c_reader_scan(const c_reader *reader) {
  c_tally tally = {0, 0};
  for (uint64_t stride = 0; stride < reader->stride_count; stride++)
    if (walk(reader, stride, start_of(reader, stride), NULL, 0, &tally) < 0) return (c_tally){0, 0};
  return tally;
}

bool c_reader_prefix(const c_reader *reader, const void *prefix, size_t size, c_tally *tally) {
  uint64_t low = 0, high = reader->stride_count;
  while (low < high) {
    uint64_t middle = (low + high) / 2, offset = start_of(reader, middle);
    if (offset + 10 > reader->index_size) return false;
    size_t length = c_16(reader->index + offset);
    if (offset + 10 + length > reader->index_size) return false;
    if (compare(reader->index + offset + 2, length, prefix, size) < 0) low = middle + 1;
    else high = middle;
  }
  uint64_t stride = low > 0 ? low - 1 : 0, offset = start_of(reader, stride), end = start_of(reader, stride + 1);
  while (offset < end && offset + 10 <= reader->index_size &&
         compare(reader->index + offset + 2, c_16(reader->index + offset), prefix, size) < 0)
    offset += 10 + c_16(reader->index + offset);
  for (; stride < reader->stride_count; stride++) {
    end = start_of(reader, stride + 1);
    int64_t stopped = walk(reader, stride, offset, prefix, size, tally);
    if (stopped < 0) return false;
    if ((uint64_t)stopped < end) return true;
    offset = end;
  }
  return true;
}

bool c_reader_get(const c_reader *reader, const void *key, size_t size, const uint8_t **object, size_t *object_size) {
  c_bytes bytes = {NULL, 0};
  if (c_get(reader, key, size, &bytes) == C_DAMAGED) return false;
  *object = bytes.start;
  *object_size = bytes.size;
  return true;
}

static inline void add(c_tally *tally, c_bytes bytes) {
  uint64_t word;
  if (bytes.start == NULL) return;
  memcpy(&word, bytes.start, 8);
  tally->sum += word;
  tally->found++;
}

bool c_reader_hits(
    const c_reader *reader, const uint8_t *keys, const uint32_t *offsets, size_t first, size_t last, c_tally *tally) {
  for (size_t i = first; i < last; i++) {
    c_bytes bytes;
    if (c_get(reader, keys + offsets[i], offsets[i + 1] - offsets[i], &bytes) == C_DAMAGED) return false;
    add(tally, bytes);
  }
  return true;
}

bool c_reader_batches(
    const c_reader *reader, const uint8_t *keys, const uint32_t *offsets, size_t first, size_t last, c_tally *tally) {
  while (first < last) {
    const uint8_t *starts[C_GROUP];
    size_t sizes[C_GROUP];
    c_bytes bytes[C_GROUP];
    int count = last - first < C_GROUP ? (int)(last - first) : C_GROUP;
    for (int i = 0; i < count; i++) {
      starts[i] = keys + offsets[first + i];
      sizes[i] = offsets[first + i + 1] - offsets[first + i];
    }
    if (c_get_group(reader, starts, sizes, count, bytes) == C_DAMAGED) return false;
    for (int i = 0; i < count; i++) add(tally, bytes[i]);
    first += count;
  }
  return true;
}
