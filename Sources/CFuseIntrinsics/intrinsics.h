// What a processor does in one instruction and Swift has no word for. Inlined into the caller.
#ifndef CFUSEINTRINSICS_H
#define CFUSEINTRINSICS_H

#include <stdint.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/// Asks for the cache line at `address`, without waiting for it.
static inline __attribute__((always_inline)) void fuse_prefetch(const void *_Nonnull address) { __builtin_prefetch(address); }

/// Which of the eight 16-bit values at `tags` (aligned to 16 bytes) equal `tag`: two bits for each, from the lowest on.
static inline __attribute__((always_inline)) uint32_t fuse_match_tags(const void *_Nonnull tags, uint16_t tag) {
#if defined(__SSE2__)
  __m128i equal = _mm_cmpeq_epi16(_mm_load_si128((const __m128i *)tags), _mm_set1_epi16((short)tag));
  return (uint32_t)_mm_movemask_epi8(equal);
#else
  const uint16_t *each = (const uint16_t *)tags;
  uint32_t mask = 0;
  for (int i = 0; i < 8; i++) mask |= (uint32_t)(each[i] == tag ? 3 : 0) << (2 * i);
  return mask;
#endif
}

/// How many of the 16 bytes at `left` and `right` are equal before the first that differs.
static inline __attribute__((always_inline)) uint32_t fuse_equal_prefix16(const void *_Nonnull left, const void *_Nonnull right) {
#if defined(__SSE2__)
  __m128i equal = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)left), _mm_loadu_si128((const __m128i *)right));
  return (uint32_t)__builtin_ctz(~(uint32_t)_mm_movemask_epi8(equal));
#else
  const uint8_t *l = (const uint8_t *)left, *r = (const uint8_t *)right;
  uint32_t i = 0;
  while (i < 16 && l[i] == r[i]) i++;
  return i;
#endif
}

#endif
