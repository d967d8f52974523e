#if !__has_include(<xxhash.h>)
#error "xxhash.h not found: apt-get install libxxhash-dev"
#endif
#define XXH_INLINE_ALL
#include <xxhash.h>

/// XXH3-64 of keys outside the two classes of length below.
static __attribute__((noinline, unused)) uint64_t fuse_xxh3_64_any(const void *bytes, size_t length, uint64_t seed) {
  return XXH3_64bits_withSeed(bytes, length, seed);
}

/// XXH3-64 of `length` bytes under `seed`. The two classes of length that most keys belong to are inlined into the caller; the
/// library's whole choice of classes would be a call.
static inline __attribute__((always_inline)) uint64_t
fuse_xxh3_64(const void *bytes, size_t length, uint64_t seed) {
  const uint8_t *input = (const uint8_t *)bytes;
  if (__builtin_expect(length - 9 > 32 - 9, 0)) return fuse_xxh3_64_any(bytes, length, seed);
  if (length <= 16) return XXH3_len_9to16_64b(input, length, XXH3_kSecret, seed);
  uint64_t sum = length * XXH_PRIME64_1;
  sum += XXH3_mix16B(input, XXH3_kSecret, seed);
  sum += XXH3_mix16B(input + length - 16, XXH3_kSecret + 16, seed);
  return XXH3_avalanche(sum);
}
