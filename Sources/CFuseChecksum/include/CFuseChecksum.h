// CRC-32 as zlib has it, with as many bytes at a time as the processor can.
#ifndef CFUSECHECKSUM_H
#define CFUSECHECKSUM_H

#include <stddef.h>
#include <stdint.h>

/// What the processor does best, chosen when the library is loaded: 64 bytes at a time (VPCLMULQDQ and AVX-512), 32 (VPCLMULQDQ and AVX2), or as
/// libdeflate does.
extern uint32_t (*_Nonnull fuse_crc32_way)(uint32_t checksum, const void *_Nullable bytes, size_t count);

/// Continues a CRC-32, 0 for none yet, over `count` bytes.
static inline __attribute__((always_inline)) uint32_t fuse_crc32(uint32_t checksum, const void *_Nullable bytes, size_t count) {
  return fuse_crc32_way(checksum, bytes, count);
}

/// The same for fuse_crc32_after.
extern uint32_t (*_Nonnull fuse_crc32_after_way)(uint32_t four, const void *_Nonnull bytes, size_t count);

/// The CRC-32 of four bytes, given as one number of which the lowest byte comes first, and of the `count` bytes at `bytes`. It is made for few
/// bytes. 32 bytes before `bytes` must be readable, too.
static inline __attribute__((always_inline)) uint32_t fuse_crc32_after(uint32_t four, const void *_Nonnull bytes, size_t count) {
  return fuse_crc32_after_way(four, bytes, count);
}

/// The same of a whole block of keys: of its number, as eight bytes, and all of its 256 bytes but the first four.
extern uint32_t (*_Nonnull fuse_crc32_block_way)(uint32_t number, const void *_Nonnull block);

static inline __attribute__((always_inline)) uint32_t fuse_crc32_block(uint32_t number, const void *_Nonnull block) {
  return fuse_crc32_block_way(number, block);
}

/// The same over at least 64 bytes, by `width` at a time, 64 or 32: for tests. Returns 0 where the processor cannot.
int fuse_crc32_by(int width, uint32_t *_Nonnull checksum, const void *_Nonnull bytes, size_t count);

/// The same of a block of keys; 0 for the width is the way of processors that have neither.
int fuse_crc32_block_by(int width, uint32_t *_Nonnull checksum, uint32_t number, const void *_Nonnull block);

#endif
