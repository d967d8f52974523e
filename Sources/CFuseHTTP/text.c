#include "parts.h"

int fuse_text_grow(fuse_text *text, size_t count) {
  if (text->failed) return 0;
  size_t capacity = text->capacity == 0 ? 512 : text->capacity;
  while (capacity - text->count < count) {
    if (capacity > SIZE_MAX / 4) {
      text->failed = 1;
      return 0;
    }
    capacity *= 2;
  }
  uint8_t *start = realloc(text->start, capacity);
  if (start == NULL) {
    text->failed = 1;
    return 0;
  }
  text->start = start;
  text->capacity = capacity;
  return 1;
}

void fuse_text_free(fuse_text *text) {
  free(text->start);
  *text = (fuse_text){0};
}

int fuse_percent_decode(fuse_bytes bytes, int plus_is_space, fuse_text *out) {
  // It never becomes longer.
  if (!fuse_text_reserve(out, bytes.count)) return 0;
  uint8_t *place = out->start + out->count;
  for (size_t i = 0; i < bytes.count; i++) {
    uint8_t byte = bytes.start[i];
    if (byte == '%') {
      if (bytes.count - i < 3) return 0;
      int high = fuse_digit(bytes.start[i + 1]), low = fuse_digit(bytes.start[i + 2]);
      if (high < 0 || low < 0) return 0;
      byte = (uint8_t)(high << 4 | low);
      i += 2;
    } else if (byte == '+' && plus_is_space) {
      byte = ' ';
    }
    *place++ = byte;
  }
  out->count = (size_t)(place - out->start);
  return 1;
}

int fuse_contains(const uint8_t *bytes, size_t count, const uint8_t *part, size_t part_count) {
  return memmem(bytes, count, part, part_count) != NULL;
}
