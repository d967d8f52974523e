// How many sorted numbers are not above another, without a branch. Inlined into the caller.
#ifndef CFUSEINTRINSICS_RANKS_H
#define CFUSEINTRINSICS_RANKS_H

#include <stdint.h>
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/// How many of the eight ascending little-endian 16-bit numbers at `numbers` are at most `limit`.
static inline __attribute__((always_inline)) uint32_t fuse_rank16x8(const void *_Nonnull numbers, uint16_t limit) {
#if defined(__SSE2__)
  // What is at most the limit leaves nothing when the limit is taken from it.
  __m128i rest = _mm_subs_epu16(_mm_loadu_si128((const __m128i *)numbers), _mm_set1_epi16((short)limit));
  uint32_t reached = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi16(rest, _mm_setzero_si128()));
  return (uint32_t)__builtin_ctz(~reached) >> 1;
#else
  const uint8_t *each = (const uint8_t *)numbers;
  uint32_t count = 0;
  for (int i = 0; i < 8; i++) count += (uint16_t)(each[2 * i] | each[2 * i + 1] << 8) <= limit;
  return count;
#endif
}

/// How many of the sixteen little-endian 32-bit numbers at `numbers` are at most `limit`.
static inline __attribute__((always_inline)) uint32_t fuse_rank32x16(const void *_Nonnull numbers, uint32_t limit) {
#if defined(__SSE2__)
  // There is a comparison of signed numbers alone.
  __m128i sign = _mm_set1_epi32((int)0x80000000u);
  __m128i limits = _mm_xor_si128(_mm_set1_epi32((int)limit), sign), above = _mm_setzero_si128();
  for (int i = 0; i < 4; i++) {
    __m128i part = _mm_xor_si128(_mm_loadu_si128((const __m128i *)numbers + i), sign);
    above = _mm_add_epi32(above, _mm_cmpgt_epi32(part, limits));
  }
  above = _mm_add_epi32(above, _mm_shuffle_epi32(above, 0x4E));
  above = _mm_add_epi32(above, _mm_shuffle_epi32(above, 0xB1));
  return 16u + (uint32_t)_mm_cvtsi128_si32(above);
#else
  const uint8_t *each = (const uint8_t *)numbers;
  uint32_t count = 0;
  for (int i = 0; i < 16; i++) {
    uint32_t number = 0;
    for (int j = 3; j >= 0; j--) number = number << 8 | each[4 * i + j];
    count += number <= limit;
  }
  return count;
#endif
}

/// How many of the eight little-endian 64-bit numbers at `numbers` are at most `limit`.
static inline __attribute__((always_inline)) uint32_t fuse_rank64x8(const void *_Nonnull numbers, uint64_t limit) {
  const uint8_t *each = (const uint8_t *)numbers;
  uint32_t count = 0;
#pragma clang loop unroll(full) vectorize(disable)
  for (int i = 0; i < 8; i++) {
    uint64_t number;
    memcpy(&number, each + 8 * i, 8);
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    number = __builtin_bswap64(number);
#endif
    count += number <= limit;
  }
  return count;
}

/// `step` where `number` is at least `base`, otherwise 0: without a branch, also where a compiler would take one.
static inline __attribute__((always_inline)) int64_t fuse_step_if_at_least(int64_t number, int64_t base, int64_t step) {
  int64_t below = (number - base) >> 63;
#if defined(__GNUC__)
  __asm__("" : "+r"(below));
#endif
  return step & ~below;
}

#endif
