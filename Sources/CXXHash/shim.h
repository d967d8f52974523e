#if !__has_include(<xxhash.h>)
#error "xxhash.h not found: apt-get install libxxhash-dev"
#endif
#define XXH_INLINE_ALL
#include <xxhash.h>

/// XXH3-64 of keys of any length.
static __attribute__((noinline, unused)) uint64_t fuse_xxh3_64_any(const void *bytes, size_t length, uint64_t seed) {
  return XXH3_64bits_withSeed(bytes, length, seed);
}

/// XXH3-64 of `length` bytes with `seed`. The two classes of length that most keys belong to, 9 to 16 and 17 to 32
/// bytes, are inlined into the caller; other lengths cost a call.
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

/// The same without a branch between the two classes: both are computed and one is taken. Where many look-ups run at once, a
/// mispredicted branch costs more than these instructions.
static inline __attribute__((always_inline)) uint64_t
fuse_xxh3_64_flat(const void *bytes, size_t length, uint64_t seed) {
  const uint8_t *input = (const uint8_t *)bytes;
  if (__builtin_expect(length - 9 > 32 - 9, 0)) return fuse_xxh3_64_any(bytes, length, seed);
  // Four words that cover the key: the second and third begin as far inside as the length allows.
  size_t last = length - 8;
  size_t second = last < 8 ? last : 8;
  size_t third = length < 16 ? 0 : length - 16;
  uint64_t word0 = XXH_readLE64(input), word1 = XXH_readLE64(input + second);
  uint64_t word2 = XXH_readLE64(input + third), word3 = XXH_readLE64(input + last);
  uint64_t low = word0 ^ ((XXH_readLE64(XXH3_kSecret + 24) ^ XXH_readLE64(XXH3_kSecret + 32)) + seed);
  uint64_t high = word3 ^ ((XXH_readLE64(XXH3_kSecret + 40) ^ XXH_readLE64(XXH3_kSecret + 48)) - seed);
  uint64_t shorter = length + XXH_swap64(low) + high + XXH3_mul128_fold64(low, high);
  uint64_t longer = length * XXH_PRIME64_1;
  longer += XXH3_mul128_fold64(word0 ^ (XXH_readLE64(XXH3_kSecret) + seed), word1 ^ (XXH_readLE64(XXH3_kSecret + 8) - seed));
  longer += XXH3_mul128_fold64(word2 ^ (XXH_readLE64(XXH3_kSecret + 16) + seed), word3 ^ (XXH_readLE64(XXH3_kSecret + 24) - seed));
  return XXH3_avalanche(length > 16 ? longer : shorter);
}

/// XXH64 of keys of 32 bytes and more.
static __attribute__((noinline, unused)) uint64_t fuse_xxh64_long(const void *bytes, size_t length, uint64_t seed) {
  return XXH64(bytes, length, seed);
}

/// XXH64 of `length` bytes with `seed`. Shorter keys, as most are, have no stripes: their hash is inlined into the caller.
static inline __attribute__((always_inline)) uint64_t
fuse_xxh64(const void *bytes, size_t length, uint64_t seed) {
  if (__builtin_expect(length >= 32, 0)) return fuse_xxh64_long(bytes, length, seed);
  const uint8_t *input = (const uint8_t *)bytes;
  uint64_t hash = seed + XXH_PRIME64_5 + length;
  size_t left = length;
  for (; left >= 8; left -= 8, input += 8)
    hash = XXH_rotl64(hash ^ XXH64_round(0, XXH_readLE64(input)), 27) * XXH_PRIME64_1 + XXH_PRIME64_4;
  if (left & 4) {
    hash = XXH_rotl64(hash ^ (uint64_t)XXH_readLE32(input) * XXH_PRIME64_1, 23) * XXH_PRIME64_2 + XXH_PRIME64_3;
    input += 4;
  }
  for (left &= 3; left > 0; left--) hash = XXH_rotl64(hash ^ *input++ * XXH_PRIME64_5, 11) * XXH_PRIME64_1;
  return XXH64_avalanche(hash);
}

/// Begins XXH3-64 with `seed` of bytes that come in pieces; `fuse_xxh3_64_end` frees it. NULL when memory is short.
static inline void *fuse_xxh3_64_begin(uint64_t seed) {
  XXH3_state_t *state = XXH3_createState();
  if (state) XXH3_64bits_reset_withSeed(state, seed);
  return state;
}

static inline void fuse_xxh3_64_continue(void *state, const void *bytes, size_t length) {
  XXH3_64bits_update((XXH3_state_t *)state, bytes, length);
}

/// The hash of all the pieces so far.
static inline uint64_t fuse_xxh3_64_value(const void *state) { return XXH3_64bits_digest((const XXH3_state_t *)state); }

static inline void fuse_xxh3_64_end(void *state) { XXH3_freeState((XXH3_state_t *)state); }

/// XXH3-64 with `seed` of the first bytes at `bytes`, for each of `count` falling lengths: as many bytes are hashed as the first says, and
/// 256 at most for each of the others.
static __attribute__((noinline, unused)) void
fuse_xxh3_64_prefixes(const void *bytes, const uint32_t *lengths, size_t count, uint64_t seed, uint64_t *hashes) {
  XXH3_state_t state;
  XXH3_INITSTATE(&state);
  XXH3_64bits_reset_withSeed(&state, seed);
  size_t done = 0;
  for (size_t i = count; i-- > 0; done = lengths[i]) {
    XXH3_64bits_update(&state, (const uint8_t *)bytes + done, lengths[i] - done);
    hashes[i] = XXH3_64bits_digest(&state);
  }
}
