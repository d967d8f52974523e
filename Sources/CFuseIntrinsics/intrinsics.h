// What a processor does in one instruction and Swift has no word for. Inlined into the caller.
#ifndef CFUSEINTRINSICS_H
#define CFUSEINTRINSICS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#if defined(__SSE2__)
#include <emmintrin.h>
#endif

/// Asks for the cache line at `address`, without waiting for it.
static inline __attribute__((always_inline)) void fuse_prefetch(const void *_Nonnull address) { __builtin_prefetch(address); }

/// The same for an address that may be no one's.
static inline __attribute__((always_inline)) void fuse_prefetch_address(uintptr_t address) {
  __builtin_prefetch((const void *)address);
}

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

/// Up to 16 bytes, as they stand in memory, zeros after them.
typedef struct {
  uint64_t low;
  uint64_t high;
} fuse_bytes16;

/// The `count` bytes at `bytes`, at most 16.
static inline __attribute__((always_inline)) fuse_bytes16 fuse_load16(const void *_Nonnull bytes, size_t count) {
  fuse_bytes16 loaded = {0, 0};
  memcpy(&loaded, bytes, count);
  return loaded;
}

/// How many of the 16 bytes at `left` and of `right` are equal before the first that differs.
static inline __attribute__((always_inline)) uint32_t fuse_equal_prefix_of16(const void *_Nonnull left, fuse_bytes16 right) {
#if defined(__SSE2__)
  __m128i equal = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)left), _mm_set_epi64x((int64_t)right.high, (int64_t)right.low));
  return (uint32_t)__builtin_ctz(~(uint32_t)_mm_movemask_epi8(equal));
#else
  return fuse_equal_prefix16(left, &right);
#endif
}

/// Whether `count` bytes at `left` and `right` are equal.
///
/// The branches depend on the count alone, which a caller knows long before the bytes arrive from memory; and what is
/// compared stays out of the general registers, of which a look-up that waits for memory holds many.
static inline __attribute__((always_inline)) _Bool
fuse_equal(const void *_Nullable left, const void *_Nullable right, size_t count) {
  const uint8_t *l = (const uint8_t *)left, *r = (const uint8_t *)right;
  if (__builtin_expect(count >= 8 && count <= 32, 1)) {
#if defined(__SSE2__)
    if (count >= 16) {
      __m128i head = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)l), _mm_loadu_si128((const __m128i *)r));
      __m128i tail = _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(l + count - 16)),
                                    _mm_loadu_si128((const __m128i *)(r + count - 16)));
      return _mm_movemask_epi8(_mm_and_si128(head, tail)) == 0xFFFF;
    }
    __m128i head = _mm_cmpeq_epi8(_mm_loadl_epi64((const __m128i *)l), _mm_loadl_epi64((const __m128i *)r));
    __m128i tail = _mm_cmpeq_epi8(_mm_loadl_epi64((const __m128i *)(l + count - 8)),
                                  _mm_loadl_epi64((const __m128i *)(r + count - 8)));
    return _mm_movemask_epi8(_mm_and_si128(head, tail)) == 0xFFFF;
#endif
  }
  return count == 0 || memcmp(l, r, count) == 0;
}

/// The same without a branch between the usual lengths, for many look-ups at once.
static inline __attribute__((always_inline)) _Bool
fuse_equal_flat(const void *_Nullable left, const void *_Nullable right, size_t count) {
  const uint8_t *l = (const uint8_t *)left, *r = (const uint8_t *)right;
  if (__builtin_expect(count - 8 > 32 - 8, 0)) return fuse_equal(left, right, count);
  // Four words that cover both from 8 bytes on; see fuse_xxh3_64_flat.
  size_t last = count - 8;
  size_t offsets[4] = {0, last < 8 ? last : 8, count < 16 ? 0 : count - 16, last};
  uint64_t difference = 0;
  for (int i = 0; i < 4; i++) {
    uint64_t a, b;
    memcpy(&a, l + offsets[i], 8);
    memcpy(&b, r + offsets[i], 8);
    difference |= a ^ b;
  }
  return difference == 0;
}

/// Which of the 64 bytes at `bytes` are `a` or `b`: a bit for each, from the lowest on.
static inline __attribute__((always_inline)) uint64_t fuse_match_bytes64(const void *_Nonnull bytes, uint8_t a, uint8_t b) {
  const uint8_t *each = (const uint8_t *)bytes;
  uint64_t mask = 0;
#if defined(__SSE2__)
  __m128i as = _mm_set1_epi8((char)a), bs = _mm_set1_epi8((char)b);
  for (int i = 0; i < 4; i++) {
    __m128i part = _mm_loadu_si128((const __m128i *)(each + 16 * i));
    __m128i equal = _mm_or_si128(_mm_cmpeq_epi8(part, as), _mm_cmpeq_epi8(part, bs));
    mask |= (uint64_t)(uint32_t)_mm_movemask_epi8(equal) << (16 * i);
  }
#else
  for (int i = 0; i < 64; i++) mask |= (uint64_t)(each[i] == a || each[i] == b) << i;
#endif
  return mask;
}

/// How many of the 16 bytes at `bytes` come before the first that is a quote, a backslash or below 0x20; 16 where none is.
static inline __attribute__((always_inline)) uint32_t fuse_plain_text16(const void *_Nonnull bytes) {
#if defined(__SSE2__)
  __m128i each = _mm_loadu_si128((const __m128i *)bytes);
  __m128i quotes = _mm_cmpeq_epi8(each, _mm_set1_epi8('"')), slashes = _mm_cmpeq_epi8(each, _mm_set1_epi8('\\'));
  __m128i controls = _mm_cmpeq_epi8(_mm_min_epu8(each, _mm_set1_epi8(0x1F)), each);
  uint32_t stops = (uint32_t)_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(quotes, slashes), controls));
  return (uint32_t)__builtin_ctz(stops | 0x10000);
#else
  const uint8_t *each = (const uint8_t *)bytes;
  uint32_t count = 0;
  while (count < 16 && each[count] != '"' && each[count] != '\\' && each[count] >= 0x20) count++;
  return count;
#endif
}

/// The first of the `count` bytes at `bytes` that is `byte`, or NULL.
static inline const void *_Nullable fuse_find_byte(const void *_Nonnull bytes, uint8_t byte, size_t count) {
  return memchr(bytes, byte, count);
}

/// How many of the `count` bytes at `bytes` are `byte`.
static inline size_t fuse_count_byte(const void *_Nonnull bytes, size_t count, uint8_t byte) {
  const uint8_t *each = (const uint8_t *)bytes;
  size_t found = 0, i = 0;
#if defined(__SSE2__)
  __m128i wanted = _mm_set1_epi8((char)byte);
  while (count - i >= 16) {
    // A lane counts to 255 at most.
    size_t end = count - i < 255 * 16 ? i + (count - i) / 16 * 16 : i + 255 * 16;
    __m128i lanes = _mm_setzero_si128();
    for (; i < end; i += 16) lanes = _mm_sub_epi8(lanes, _mm_cmpeq_epi8(_mm_loadu_si128((const __m128i *)(each + i)), wanted));
    __m128i sums = _mm_sad_epu8(lanes, _mm_setzero_si128());
    found += (size_t)_mm_cvtsi128_si64(sums) + (size_t)_mm_cvtsi128_si64(_mm_unpackhi_epi64(sums, sums));
  }
#endif
  for (; i < count; i++) found += each[i] == byte;
  return found;
}

// Whatever was done with the bytes before is done before this.
static inline void fuse_hold(const void *_Nullable bytes) { __asm__ volatile("" : : "r"(bytes) : "memory"); }

#endif
