#include "CFuseCuts.h"

#include <string.h>
#if defined(__x86_64__)
#include <immintrin.h>
#endif

// An odd number without a pattern: the golden ratio's. What is added keeps a run of zeros from being cut everywhere.
static const uint64_t factor = 0x9E3779B97F4A7C15u, addend = 0xD1B54A32D192ED03u;

static uint64_t mix_before(const uint8_t *place) {
  uint64_t window;
  memcpy(&window, place - 8, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  window = __builtin_bswap64(window);
#endif
  return window * factor + addend;
}

static size_t find_plainly(const uint8_t *bytes, size_t from, size_t to, uint64_t mask) {
  for (size_t place = from; place < to; place++)
    if ((mix_before(bytes + place) & mask) == 0) return place;
  return to;
}

#if defined(__x86_64__)
// 64 places at a time. Eight loads, each a byte after the last, have the windows of all of them.
__attribute__((target("avx512f,avx512dq"))) static size_t find_by_64(const uint8_t *bytes, size_t from, size_t to, uint64_t mask) {
  const __m512i factors = _mm512_set1_epi64((long long)factor), addends = _mm512_set1_epi64((long long)addend);
  const __m512i masks = _mm512_set1_epi64((long long)mask);
  size_t place = from;
  for (; to - place >= 64; place += 64) {
    unsigned found = 0;
    for (int shift = 0; shift < 8; shift++) {
      __m512i windows = _mm512_loadu_si512(bytes + place - 8 + shift);
      found |= _mm512_testn_epi64_mask(_mm512_add_epi64(_mm512_mullo_epi64(windows, factors), addends), masks);
    }
    if (found != 0) return find_plainly(bytes, place, place + 64, mask);
  }
  return find_plainly(bytes, place, to, mask);
}

// 32 places at a time. The product's low half is put together of three products of halves.
__attribute__((target("avx2"))) static size_t find_by_32(const uint8_t *bytes, size_t from, size_t to, uint64_t mask) {
  const __m256i factors = _mm256_set1_epi64x((long long)factor), upper_factors = _mm256_srli_epi64(factors, 32);
  const __m256i addends = _mm256_set1_epi64x((long long)addend), masks = _mm256_set1_epi64x((long long)mask);
  size_t place = from;
  for (; to - place >= 32; place += 32) {
    __m256i found = _mm256_setzero_si256();
    for (int shift = 0; shift < 8; shift++) {
      __m256i windows = _mm256_loadu_si256((const __m256i *)(bytes + place - 8 + shift));
      __m256i crossed = _mm256_add_epi64(_mm256_mul_epu32(windows, upper_factors), _mm256_mul_epu32(_mm256_srli_epi64(windows, 32), factors));
      __m256i mixes = _mm256_add_epi64(_mm256_mul_epu32(windows, factors), _mm256_slli_epi64(crossed, 32));
      __m256i bits = _mm256_and_si256(_mm256_add_epi64(mixes, addends), masks);
      found = _mm256_or_si256(found, _mm256_cmpeq_epi64(bits, _mm256_setzero_si256()));
    }
    if (!_mm256_testz_si256(found, found)) return find_plainly(bytes, place, place + 32, mask);
  }
  return find_plainly(bytes, place, to, mask);
}

static int can_64(void) { return __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512dq"); }
static int can_32(void) { return __builtin_cpu_supports("avx2"); }

size_t fuse_cut_find(const uint8_t *bytes, size_t from, size_t to, uint64_t mask) {
  if (from >= to) return to;
  if (can_64()) return find_by_64(bytes, from, to, mask);
  return can_32() ? find_by_32(bytes, from, to, mask) : find_plainly(bytes, from, to, mask);
}

size_t fuse_cut_find_by(int width, const uint8_t *bytes, size_t from, size_t to, uint64_t mask) {
  if (from >= to) return to;
  if (width == 64) return can_64() ? find_by_64(bytes, from, to, mask) : SIZE_MAX;
  if (width == 32) return can_32() ? find_by_32(bytes, from, to, mask) : SIZE_MAX;
  return find_plainly(bytes, from, to, mask);
}
#else
size_t fuse_cut_find(const uint8_t *bytes, size_t from, size_t to, uint64_t mask) { return from >= to ? to : find_plainly(bytes, from, to, mask); }

size_t fuse_cut_find_by(int width, const uint8_t *bytes, size_t from, size_t to, uint64_t mask) {
  return width == 1 ? fuse_cut_find(bytes, from, to, mask) : SIZE_MAX;
}
#endif

double fuse_cut_unevenness(const uint8_t *bytes, size_t count) {
  uint32_t counts[4][256] = {{0}};
  size_t place = 0;
  for (; place + 4 <= count; place += 4)
    for (int lane = 0; lane < 4; lane++) counts[lane][bytes[place + lane]]++;
  for (; place < count; place++) counts[0][bytes[place]]++;
  double pairs = 0;
  for (int value = 0; value < 256; value++) {
    double sum = (double)counts[0][value] + counts[1][value] + counts[2][value] + counts[3][value];
    pairs += sum * (sum - 1);
  }
  return count < 2 ? 256 : 256 * pairs / ((double)count * (double)(count - 1));
}

double fuse_cut_sampled_unevenness(const uint8_t *bytes, size_t count) {
  enum { windows = 4, window = 256 };
  // Where they would overlap, bytes would be counted twice.
  if (count < 2 * windows * window) return fuse_cut_unevenness(bytes, count);
  uint16_t counts[2][256] = {{0}};
  for (size_t i = 0; i < windows; i++) {
    // Away from both ends: heads are seldom like what follows.
    const uint8_t *start = bytes + (count - window) / (windows + 1) * (i + 1);
    for (size_t place = 0; place < window; place += 2) {
      counts[0][start[place]]++;
      counts[1][start[place + 1]]++;
    }
  }
  uint32_t pairs = 0;
  for (int value = 0; value < 256; value++) {
    uint32_t sum = (uint32_t)counts[0][value] + counts[1][value];
    pairs += sum * sum - sum;
  }
  return 256.0 * pairs / ((double)(windows * window) * (windows * window - 1));
}
