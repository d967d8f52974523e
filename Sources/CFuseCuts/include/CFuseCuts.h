// Where contents are cut into chunks: a function of the eight bytes before a place, by one multiplication. See spec/store.md.
#ifndef CFUSECUTS_H
#define CFUSECUTS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "CFuseDigests.h"

/// The first place from `from` on, below `to`, at which the bits of `mask` are all 0 in the mix of the eight bytes before it; `to` where there is
/// none. `from` is 8 at least. It takes the widest way that the processor has.
size_t fuse_cut_find(const uint8_t *_Nonnull bytes, size_t from, size_t to, uint64_t mask);

/// The same by `width` bytes at a time, 64, 32 or 1: for tests. SIZE_MAX where the processor cannot.
size_t fuse_cut_find_by(int width, const uint8_t *_Nonnull bytes, size_t from, size_t to, uint64_t mask);

/// How unevenly byte values are spread: 256 times the chance that two of the bytes are equal. Some 1 for noise and for what is packed already, 10
/// and more for texts and programs; 256 where all are the same.
double fuse_cut_unevenness(const uint8_t *_Nonnull bytes, size_t count);

/// The same of four places in the bytes, 256 each, for noise gives 1 to within a tenth; of all of them where they are few.
double fuse_cut_sampled_unevenness(const uint8_t *_Nonnull bytes, size_t count);

/// Whether two ranges of `count` bytes are equal.
static inline int fuse_cut_equal(const void *_Nullable left, const void *_Nullable right, size_t count) {
  return count == 0 || memcmp(left, right, count) == 0;
}

#endif
