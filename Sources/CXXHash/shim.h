#if !__has_include(<xxhash.h>)
#error "xxhash.h not found: apt-get install libxxhash-dev"
#endif
#define XXH_INLINE_ALL
#include <xxhash.h>

/// XXH3-64 of `length` bytes under `seed`, inlined into the caller.
static inline __attribute__((always_inline)) uint64_t
fuse_xxh3_64(const void *bytes, size_t length, uint64_t seed) {
  return XXH3_64bits_withSeed(bytes, length, seed);
}
