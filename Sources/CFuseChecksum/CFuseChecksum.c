#include "CFuseChecksum.h"

#include <libdeflate.h>

/// As libdeflate does it.
static uint32_t block_by_parts(uint32_t number, const void *block) {
  const uint8_t bytes[8] = {0, 0, 0, 0, (uint8_t)(number >> 24), (uint8_t)(number >> 16), (uint8_t)(number >> 8), (uint8_t)number};
  return libdeflate_crc32(libdeflate_crc32(0, bytes, 8), (const uint8_t *)block + 4, 252);
}

uint32_t (*fuse_crc32_way)(uint32_t, const void *, size_t) = libdeflate_crc32;
uint32_t (*fuse_crc32_block_way)(uint32_t, const void *) = block_by_parts;

static uint32_t any_after(uint32_t four, const void *bytes, size_t count) {
  uint8_t each[4] = {(uint8_t)four, (uint8_t)(four >> 8), (uint8_t)(four >> 16), (uint8_t)(four >> 24)};
  uint32_t checksum = fuse_crc32_way(0, each, 4);
  return count == 0 ? checksum : fuse_crc32_way(checksum, bytes, count);
}

uint32_t (*fuse_crc32_after_way)(uint32_t, const void *, size_t) = any_after;

// A CRC is the remainder of the bytes, as one long polynomial over GF(2), by P = x^32 + x^26 + … + 1. A block that stands D bits before
// another may be multiplied by x^D mod P and added to it: the remainder stays. So blocks of 64 bytes are folded into the next ones, four at a time,
// these into one, that into 16 bytes, and they into 32 bits.
//
// The bytes are reflected: the lowest bit of a register is the highest power. The product of two reflected registers is one bit short, so
// a factor of x more; and a constant of 32 bits in the low half of a register counts x^32 more. So the constants that fold by D bits are x^(D+31) mod P for
// the half with the higher powers, and x^(D-33) mod P for the other. Tests compare every length and alignment with zlib.

#if defined(__x86_64__) && !defined(__APPLE__)
#include <immintrin.h>

#define NARROW __attribute__((target("pclmul,sse4.1")))
#define SHORT __attribute__((target("avx,pclmul,sse4.1")))
#define MIDDLE __attribute__((target("avx2,vpclmulqdq,pclmul,sse4.1")))
#define WIDE __attribute__((target("avx512f,avx512vl,avx512bw,avx2,vpclmulqdq,pclmul,sse4.1")))

/// From its place n on: the first n of 16 bytes as the last ones, zeros before them; from 16 + n on: those after them as the first ones, zeros after them.
static const uint8_t places[48] = {
    0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80,
    0,    1,    2,    3,    4,    5,    6,    7,    8,    9,    10,   11,   12,   13,   14,   15,
    0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80};

/// From 16 bytes, into which all before `bytes` was folded, to the checksum. There are at least 16 bytes before `last`.
NARROW static inline __attribute__((always_inline)) uint32_t end(__m128i rest, const uint8_t *bytes, const uint8_t *last) {
  const __m128i by16 = _mm_set_epi64x(0xCCAA009E, 0xAE689191);
#define FOLD16(before, next) \
  _mm_xor_si128(_mm_xor_si128(_mm_clmulepi64_si128(before, by16, 0x00), _mm_clmulepi64_si128(before, by16, 0x11)), next)
  for (; last - bytes >= 16; bytes += 16) rest = FOLD16(rest, _mm_loadu_si128((const __m128i *)bytes));
  if (last > bytes) {
    // Of the 16 bytes and the last few: as many of the first ones as these are, before the 16 that end with the last.
    size_t left = (size_t)(last - bytes);
    __m128i up = _mm_loadu_si128((const __m128i *)(places + left));
    __m128i down = _mm_loadu_si128((const __m128i *)(places + 16 + left));
    __m128i rest_of_all = _mm_blendv_epi8(
        _mm_loadu_si128((const __m128i *)(last - 16)), _mm_shuffle_epi8(rest, down), up);
    rest = FOLD16(_mm_shuffle_epi8(rest, up), rest_of_all);
  }

  // x^63 mod P, in the upper half: twice, from 128 bits to 96 and to 64.
  const __m128i x63 = _mm_set_epi64x(0, (long long)0xB8BC676500000000);
  __m128i upper = _mm_unpackhi_epi64(_mm_setzero_si128(), rest);
  rest = _mm_xor_si128(_mm_clmulepi64_si128(rest, x63, 0x00), upper);
  upper = _mm_unpackhi_epi64(_mm_setzero_si128(), rest);
  rest = _mm_xor_si128(_mm_clmulepi64_si128(rest, x63, 0x00), upper);
  // By Barrett: the quotient of 64 bits times x^32 is that by x^96 / P, of which the highest bit is left out. The remainder is what the quotient
  // times P has in its low 32 bits.
  uint64_t word = (uint64_t)_mm_extract_epi64(rest, 1);
  const __m128i quotients = _mm_set_epi64x((long long)0xEDB8832000000000, (long long)0x5A72D812FB808B20);
  __m128i product = _mm_clmulepi64_si128(_mm_cvtsi64_si128((long long)word), quotients, 0x00);
  uint64_t quotient = word ^ (uint64_t)_mm_cvtsi128_si64(product) << 1;
  product = _mm_clmulepi64_si128(_mm_cvtsi64_si128((long long)(quotient & 0xFFFFFFFF00000000)), quotients, 0x10);
  return ~(uint32_t)((uint64_t)_mm_extract_epi64(product, 1) >> 31);
}

NARROW static __attribute__((noinline)) uint32_t narrow_after_long(uint32_t four, const void *start, size_t count) {
  const uint8_t *bytes = start;
  if (count > 256) return fuse_crc32_way(fuse_crc32_way(0, &four, 4), bytes, count);
  __m128i first = _mm_insert_epi32(_mm_slli_si128(_mm_loadu_si128((const __m128i *)bytes), 4), (int)~four, 0);
  return end(first, bytes + 12, bytes + count);
}

/// The checksum of four bytes, the lowest first, and of `count` others; see fuse_crc32_after. Up to 28 of those, no branch depends on how many they
/// are: all stand at the end of 32 bytes, and zeros before them change nothing.
SHORT static uint32_t narrow_after(uint32_t four, const void *start, size_t count) {
  // From its place n on: what keeps the last n bytes of 32.
  static const uint8_t kept[64] = {
      [32 ... 63] = 0xFF,
  };
  // From its place n on: what puts four bytes before the last n of 32.
  static const uint8_t fours[64] = {
      [0 ... 27] = 0x80, [28] = 0, [29] = 1, [30] = 2, [31] = 3, [32 ... 63] = 0x80,
  };
#define LOAD16(place) _mm_loadu_si128((const __m128i *)(place))
  if (count > 28) return narrow_after_long(four, start, count);
  const uint8_t *last = (const uint8_t *)start + count;
  __m128i number = _mm_cvtsi32_si128((int)~four);
  __m128i head = _mm_and_si128(LOAD16(last - 32), LOAD16(kept + count));
  __m128i rest = _mm_and_si128(LOAD16(last - 16), LOAD16(kept + 16 + count));
  head = _mm_xor_si128(head, _mm_shuffle_epi8(number, LOAD16(fours + count)));
  rest = _mm_xor_si128(rest, _mm_shuffle_epi8(number, LOAD16(fours + 16 + count)));
  // From here on with 33 bits of each constant: as above, but that what they are multiplied with stands one bit further.
  const __m128i by = _mm_set_epi64x(0xCCAA009E, 0x1751997D0), by32 = _mm_cvtsi64_si128(0x163CD6124);
  const __m128i by_polynomial = _mm_set_epi64x(0x1F7011641, 0x1DB710641), low = _mm_setr_epi32(~0, 0, ~0, 0);
  rest = _mm_xor_si128(rest, _mm_xor_si128(_mm_clmulepi64_si128(head, by, 0x00), _mm_clmulepi64_si128(head, by, 0x11)));
  rest = _mm_xor_si128(_mm_srli_si128(rest, 8), _mm_clmulepi64_si128(rest, by, 0x10));
  rest = _mm_xor_si128(_mm_srli_si128(rest, 4), _mm_clmulepi64_si128(_mm_and_si128(rest, low), by32, 0x00));
  __m128i quotient = _mm_and_si128(_mm_clmulepi64_si128(_mm_and_si128(rest, low), by_polynomial, 0x10), low);
  rest = _mm_xor_si128(rest, _mm_clmulepi64_si128(quotient, by_polynomial, 0x00));
  return ~(uint32_t)_mm_extract_epi32(rest, 1);
}

WIDE static inline __attribute__((always_inline)) __m512i fold64(__m512i before, __m512i by, __m512i next) {
  __m512i high = _mm512_clmulepi64_epi128(before, by, 0x00), low = _mm512_clmulepi64_epi128(before, by, 0x11);
  return _mm512_ternarylogic_epi64(high, low, next, 0x96);
}

WIDE static uint32_t wide(uint32_t checksum, const void *start, size_t count) {
  if (count < 64) return libdeflate_crc32(checksum, start, count);
  const uint8_t *bytes = start;
  const __m512i by4 = _mm512_set4_epi64(0xE95C1271, 0xCE3371CB, 0xE95C1271, 0xCE3371CB);
  const __m512i by1 = _mm512_set4_epi64(0x1D9513D7, 0x8F352D95, 0x1D9513D7, 0x8F352D95);
  const uint8_t *last = bytes + count;
  __m512i sum = _mm512_xor_si512(
      _mm512_loadu_si512(bytes), _mm512_zextsi128_si512(_mm_cvtsi32_si128((int)~checksum)));
  if (count >= 256) {
    __m512i second = _mm512_loadu_si512(bytes + 64), third = _mm512_loadu_si512(bytes + 128);
    __m512i fourth = _mm512_loadu_si512(bytes + 192);
    for (bytes += 256; last - bytes >= 256; bytes += 256) {
      sum = fold64(sum, by4, _mm512_loadu_si512(bytes));
      second = fold64(second, by4, _mm512_loadu_si512(bytes + 64));
      third = fold64(third, by4, _mm512_loadu_si512(bytes + 128));
      fourth = fold64(fourth, by4, _mm512_loadu_si512(bytes + 192));
    }
    sum = fold64(fold64(fold64(sum, by1, second), by1, third), by1, fourth);
  } else {
    bytes += 64;
  }
  for (; last - bytes >= 64; bytes += 64) sum = fold64(sum, by1, _mm512_loadu_si512(bytes));

  // The 16 bytes of each lane stand 384, 256, 128 and 0 bits before the end.
  const __m512i lanes = _mm512_set_epi64(0, 0, 0xCCAA009E, 0xAE689191, 0x81256527, 0xF1DA05AA, 0xAF449247, 0x3DB1ECDC);
  __m512i folded = fold64(sum, lanes, _mm512_maskz_mov_epi64(0xC0, sum));
  __m256i half = _mm256_xor_si256(_mm512_castsi512_si256(folded), _mm512_extracti64x4_epi64(folded, 1));
  __m128i rest = _mm_xor_si128(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
  return end(rest, bytes, last);
}

/// What the register holds after four bytes of zeros: the upper half of a number below 2^32.
#define AFTER_ZEROS 0xDEBB20E3

/// All four lines of a block at once: with the number in the place of the stored checksum they are what the checksum is of, after those zeros.
WIDE static uint32_t wide_block(uint32_t number, const void *start) {
  const uint8_t *bytes = start;
  const __m512i by3 = _mm512_set4_epi64(0xF5E48C85, 0x596C8D81, 0xF5E48C85, 0x596C8D81);
  const __m512i by2 = _mm512_set4_epi64(0x910EEEC1, 0x33FFF533, 0x910EEEC1, 0x33FFF533);
  const __m512i by1 = _mm512_set4_epi64(0x1D9513D7, 0x8F352D95, 0x1D9513D7, 0x8F352D95);
  __m512i head = _mm512_zextsi128_si512(_mm_cvtsi32_si128((int)(__builtin_bswap32(number) ^ AFTER_ZEROS)));
  __m512i first = _mm512_mask_mov_epi32(head, 0xFFFE, _mm512_loadu_si512(bytes));
  __m512i ends = fold64(first, by3, _mm512_loadu_si512(bytes + 192));
  __m512i middles = fold64(_mm512_loadu_si512(bytes + 64), by2, ends);
  __m512i sum = fold64(_mm512_loadu_si512(bytes + 128), by1, middles);
  const __m512i lanes = _mm512_set_epi64(0, 0, 0xCCAA009E, 0xAE689191, 0x81256527, 0xF1DA05AA, 0xAF449247, 0x3DB1ECDC);
  __m512i folded = fold64(sum, lanes, _mm512_maskz_mov_epi64(0xC0, sum));
  __m256i half = _mm256_xor_si256(_mm512_castsi512_si256(folded), _mm512_extracti64x4_epi64(folded, 1));
  __m128i rest = _mm_xor_si128(_mm256_castsi256_si128(half), _mm256_extracti128_si256(half, 1));
  return end(rest, bytes + 256, bytes + 256);
}

MIDDLE static inline __attribute__((always_inline)) __m256i fold32(__m256i before, __m256i by, __m256i next) {
  __m256i high = _mm256_clmulepi64_epi128(before, by, 0x00), low = _mm256_clmulepi64_epi128(before, by, 0x11);
  return _mm256_xor_si256(_mm256_xor_si256(high, low), next);
}

#define LOAD32(place) _mm256_loadu_si256((const __m256i *)(bytes + (place)))

/// The same by 32 bytes at a time: from the first 32 of at least 64, to which the register was added.
MIDDLE static inline __attribute__((always_inline)) uint32_t middle_from(__m256i sum, const uint8_t *bytes, size_t count) {
  const __m256i by4 = _mm256_set_epi64x(0x910EEEC1, 0x33FFF533, 0x910EEEC1, 0x33FFF533);
  const __m256i by1 = _mm256_set_epi64x(0x81256527, 0xF1DA05AA, 0x81256527, 0xF1DA05AA);
  const uint8_t *last = bytes + count;
  if (count >= 128) {
    __m256i second = LOAD32(32), third = LOAD32(64), fourth = LOAD32(96);
    for (bytes += 128; last - bytes >= 128; bytes += 128) {
      sum = fold32(sum, by4, LOAD32(0));
      second = fold32(second, by4, LOAD32(32));
      third = fold32(third, by4, LOAD32(64));
      fourth = fold32(fourth, by4, LOAD32(96));
    }
    sum = fold32(fold32(fold32(sum, by1, second), by1, third), by1, fourth);
  } else {
    bytes += 32;
  }
  for (; last - bytes >= 32; bytes += 32) sum = fold32(sum, by1, LOAD32(0));
  // The first 16 bytes stand 128 bits before the others.
  const __m128i by16 = _mm_set_epi64x(0xCCAA009E, 0xAE689191);
  return end(FOLD16(_mm256_castsi256_si128(sum), _mm256_extracti128_si256(sum, 1)), bytes, last);
}

MIDDLE static uint32_t middle(uint32_t checksum, const void *start, size_t count) {
  if (count < 64) return libdeflate_crc32(checksum, start, count);
  const uint8_t *bytes = start;
  return middle_from(_mm256_xor_si256(LOAD32(0), _mm256_zextsi128_si256(_mm_cvtsi32_si128((int)~checksum))), bytes, count);
}

MIDDLE static uint32_t middle_block(uint32_t number, const void *start) {
  const uint8_t *bytes = start;
  __m256i head = _mm256_zextsi128_si256(_mm_cvtsi32_si128((int)(__builtin_bswap32(number) ^ AFTER_ZEROS)));
  return middle_from(_mm256_blend_epi32(head, LOAD32(0), 0xFE), bytes, 256);
}

typedef uint32_t way(uint32_t, const void *, size_t);

/// What does so many bytes at a time; NULL where the processor cannot.
static way *way_of_width(int width) {
  __builtin_cpu_init();
  if (!__builtin_cpu_supports("vpclmulqdq") || !__builtin_cpu_supports("pclmul") || !__builtin_cpu_supports("avx2")) return NULL;
  if (width == 32) return middle;
  int is_wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512vl") && __builtin_cpu_supports("avx512bw");
  return width == 64 && is_wide ? wide : NULL;
}

__attribute__((constructor)) static void choose(void) {
  way *widest = way_of_width(64);
  if (widest == NULL) widest = way_of_width(32);
  if (__builtin_cpu_supports("pclmul") && __builtin_cpu_supports("avx")) fuse_crc32_after_way = narrow_after;
  if (widest == NULL) return;
  fuse_crc32_way = widest;
  fuse_crc32_block_way = widest == wide ? wide_block : middle_block;
}

int fuse_crc32_by(int width, uint32_t *checksum, const void *bytes, size_t count) {
  way *chosen = way_of_width(width);
  if (chosen == NULL || count < 64) return 0;
  *checksum = chosen(*checksum, bytes, count);
  return 1;
}

int fuse_crc32_block_by(int width, uint32_t *checksum, uint32_t number, const void *block) {
  if (width != 0 && way_of_width(width) == NULL) return 0;
  *checksum = width == 64 ? wide_block(number, block) : width == 32 ? middle_block(number, block) : block_by_parts(number, block);
  return 1;
}
#else
int fuse_crc32_by(int width, uint32_t *checksum, const void *bytes, size_t count) { return 0; }
int fuse_crc32_block_by(int width, uint32_t *checksum, uint32_t number, const void *block) {
  if (width != 0) return 0;
  *checksum = block_by_parts(number, block);
  return 1;
}
#endif
