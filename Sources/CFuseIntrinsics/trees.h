// The way down an implicit tree of sorted 64-bit numbers: nodes of eight numbers, each with nine children.
#ifndef CFUSEINTRINSICS_TREES_H
#define CFUSEINTRINSICS_TREES_H

#include <stdbool.h>
#include <stdint.h>

#include "ranks.h"

#if defined(__x86_64__)
#include <immintrin.h>
#endif

/// Where the nodes of a level stand, and the number of the last node of the next one.
typedef struct fuse_tree_level {
  const void *_Nonnull nodes;
  int64_t last;
} fuse_tree_level;

static inline __attribute__((always_inline)) int64_t fuse_tree_leaf_plain(
    const fuse_tree_level *_Nonnull levels, int64_t count, uint64_t number) {
  int64_t node = 0;
  for (int64_t depth = 0; depth < count; depth++) {
    node = 9 * node + fuse_rank64x8((const uint8_t *)levels[depth].nodes + 64 * node, number);
    if (node > levels[depth].last) node = levels[depth].last;
  }
  return node;
}

#if defined(__x86_64__)
/// `fuse_rank64x8` in half the instructions; `flipped` has its upper bit changed, since there is a comparison of signed numbers alone.
static inline __attribute__((target("avx2,popcnt"), always_inline)) int64_t fuse_rank64x8_wide(
    const void *_Nonnull numbers, __m256i flipped) {
  __m256i sign = _mm256_set1_epi64x(INT64_MIN);
  __m256i first = _mm256_xor_si256(_mm256_loadu_si256((const __m256i *)numbers), sign);
  __m256i second = _mm256_xor_si256(_mm256_loadu_si256((const __m256i *)numbers + 1), sign);
  __m256i above = _mm256_packs_epi32(_mm256_cmpgt_epi64(first, flipped), _mm256_cmpgt_epi64(second, flipped));
  return 8 - _mm_popcnt_u32((uint32_t)_mm256_movemask_ps(_mm256_castsi256_ps(above)));
}

static inline __attribute__((target("avx2,popcnt"), noinline)) int64_t fuse_tree_leaf_wide(
    const fuse_tree_level *_Nonnull levels, int64_t count, uint64_t number) {
  __m256i flipped = _mm256_set1_epi64x((int64_t)(number ^ (uint64_t)INT64_MIN));
  int64_t node = 0;
  for (int64_t depth = 0; depth < count; depth++) {
    node = 9 * node + fuse_rank64x8_wide((const uint8_t *)levels[depth].nodes + 64 * node, flipped);
    node = node < levels[depth].last ? node : levels[depth].last;
  }
  return node;
}
#endif

/// The leaf that the nodes lead to: in each, as many numbers as are at most `number` say which child is next. Whatever they are, it is
/// one of the leaves.
static inline __attribute__((always_inline)) int64_t fuse_tree_leaf(
    const fuse_tree_level *_Nonnull levels, int64_t count, uint64_t number) {
#if defined(__x86_64__)
  if (__builtin_cpu_supports("avx2")) return fuse_tree_leaf_wide(levels, count, number);
#endif
  return fuse_tree_leaf_plain(levels, count, number);
}

#endif
