#include "CReader.h"

#include <fcntl.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

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
