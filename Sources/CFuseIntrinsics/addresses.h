// The number that the text of an IPv4 address spells, without a branch on what it says.
#ifndef CFUSEINTRINSICS_ADDRESSES_H
#define CFUSEINTRINSICS_ADDRESSES_H

#include <stdint.h>
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>

/// The value of the digits before `end`, `length` of them; sets bits in `wrong` where they are none of a number from 0 to 255 without
/// zeros before it. Four bytes stand before the first digit.
static inline __attribute__((always_inline)) uint32_t fuse_octet(
    const uint8_t *_Nonnull end, uint32_t length, uint32_t *_Nonnull wrong) {
  static const uint8_t least[4] = {0, 0, 10, 100};
  uint32_t digits;
  memcpy(&digits, end - 4, 4);
  // The last digit is uppermost; what is before the first one goes.
  digits &= ~0u << ((32 - 8 * length) & 31);
  uint32_t value = (digits >> 24) + 10 * (digits >> 16 & 0xFF) + 100 * (digits >> 8 & 0xFF);
  *wrong |= (length - 1 > 2) | (value > 255) | (value < least[length & 3]);
  return value;
}
#endif

/// The address whose four numbers are all of a text of `count` bytes. -1 says that it has to be read in another way: any other text, and
/// all of them where there is no SSE2.
static inline __attribute__((always_inline)) int64_t fuse_ipv4(const uint8_t *_Nonnull text, int64_t count) {
#if defined(__SSE2__)
  if (count < 7 || count > 15) return -1;
  // Two words that overlap are all of it.
  uint64_t low = 0, high = 0;
  if (count == 7) {
    uint32_t first, last;
    memcpy(&first, text, 4);
    memcpy(&last, text + 3, 4);
    low = first | (uint64_t)last << 24;
  } else {
    memcpy(&low, text, 8);
    memcpy(&high, text + count - 8, 8);
    high = high >> 1 >> (8 * (16 - count) - 1);
  }
  __m128i bytes = _mm_set_epi64x((int64_t)high, (int64_t)low);
  __m128i digits = _mm_xor_si128(bytes, _mm_set1_epi8(0x30));
  uint32_t all = (1u << count) - 1;
  uint32_t points = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('.'))) & all;
  __m128i above = _mm_subs_epu8(digits, _mm_set1_epi8(9));
  uint32_t numbers = (uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(above, _mm_setzero_si128())) & all;
  uint32_t second = points & (points - 1), third = second & (second - 1);
  // Three points, and digits alone beside them.
  uint32_t wrong = (points | numbers) ^ all;
  wrong |= (third == 0) | (third & (third - 1));
  if (wrong) return -1;
  uint8_t room[20] = {0};
  _mm_storeu_si128((__m128i *)(room + 4), digits);
  const uint8_t *start = room + 4;
  uint32_t p1 = (uint32_t)__builtin_ctz(points), p2 = (uint32_t)__builtin_ctz(second);
  uint32_t p3 = (uint32_t)__builtin_ctz(third), end = (uint32_t)count;
  uint32_t number = fuse_octet(start + p1, p1, &wrong);
  number = number << 8 | fuse_octet(start + p2, p2 - p1 - 1, &wrong);
  number = number << 8 | fuse_octet(start + p3, p3 - p2 - 1, &wrong);
  number = number << 8 | fuse_octet(start + end, end - p3 - 1, &wrong);
  return wrong ? -1 : (int64_t)number;
#else
  (void)text;
  (void)count;
  return -1;
#endif
}

#endif
