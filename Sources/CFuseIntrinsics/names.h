// A domain name in lower case, and where its dots are. Inlined into the caller.
#ifndef CFUSEINTRINSICS_NAMES_H
#define CFUSEINTRINSICS_NAMES_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/// Writes 16 bytes with A to Z in lower case, and returns which of them are dots: a bit for each, from the lowest on.
static inline __attribute__((always_inline)) uint32_t fuse_lower16(const uint8_t *_Nonnull bytes, uint8_t *_Nonnull lower) {
#if defined(__SSE2__)
  __m128i all = _mm_loadu_si128((const __m128i *)bytes);
  // Bytes from 128 on are negative here, and so below A.
  __m128i isUpper = _mm_and_si128(_mm_cmpgt_epi8(all, _mm_set1_epi8('A' - 1)), _mm_cmplt_epi8(all, _mm_set1_epi8('Z' + 1)));
  _mm_storeu_si128((__m128i *)lower, _mm_or_si128(all, _mm_and_si128(isUpper, _mm_set1_epi8(0x20))));
  return (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(all, _mm_set1_epi8('.')));
#else
  uint32_t dots = 0;
  for (int i = 0; i < 16; i++) {
    uint8_t byte = bytes[i];
    dots |= (uint32_t)(byte == '.') << i;
    lower[i] = byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte;
  }
  return dots;
#endif
}

/// Writes the `count` bytes of a name, 1 to 253, in lower case to `lower`, and to `dots` where its dots are. Returns how many there are; -1
/// where a label is empty. At `lower` there is room for `count` bytes and for 16, at `dots` for `count`.
static inline __attribute__((always_inline)) int
fuse_lower_name(const uint8_t *_Nonnull name, size_t count, uint8_t *_Nonnull lower, uint8_t *_Nonnull dots) {
  int found = 0;
  size_t afterDot = 0;
  for (size_t place = 0; place < count;) {
    // Of a name that does not end with a whole block, the last 16 bytes, or a copy of what is shorter.
    size_t start = place, length = count - place;
    uint32_t mask;
    if (length >= 16) {
      mask = fuse_lower16(name + place, lower + place);
    } else if (count >= 16) {
      start = count - 16;
      mask = fuse_lower16(name + start, lower + start) & (0xFFFFu << (16 - length));
    } else {
      uint8_t block[16] = {0};
      if (count >= 8) {
        uint64_t head, tail;
        memcpy(&head, name, 8);
        memcpy(&tail, name + count - 8, 8);
        memcpy(block, &head, 8);
        memcpy(block + count - 8, &tail, 8);
      } else {
        for (size_t i = 0; i < count; i++) block[i] = name[i];
      }
      mask = fuse_lower16(block, lower);
    }
    for (; mask; mask &= mask - 1) {
      size_t dot = start + (size_t)__builtin_ctz(mask);
      if (dot == afterDot) return -1;
      dots[found++] = (uint8_t)dot;
      afterDot = dot + 1;
    }
    place += 16;
  }
  return afterDot == count ? -1 : found;
}

#endif
