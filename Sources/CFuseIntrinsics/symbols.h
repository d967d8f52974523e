// Texts that are written as symbols: a byte for each text of up to eight bytes. Inlined into the caller.
#ifndef CFUSEINTRINSICS_SYMBOLS_H
#define CFUSEINTRINSICS_SYMBOLS_H

#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "intrinsics.h"

/// The length of a code that is no symbol: more than eight symbols can have.
#define FUSE_NO_SYMBOL 128
/// The code before a byte that stands for itself.
#define FUSE_ESCAPE 255

/// The text of each code, as it stands in memory, and its length: at most 8, or FUSE_NO_SYMBOL.
typedef struct {
  uint64_t texts[256];
  uint8_t lengths[256];
} fuse_symbols;

/// What writing texts needs beyond them.
enum { FUSE_DECODE_ROOM = 8 * FUSE_NO_SYMBOL + 8 };
/// What decoding finds wrong: a code that is no symbol, no byte after an escape.
enum { FUSE_CODE_UNKNOWN = -1, FUSE_CODE_CUT = -2 };

/// Sets all codes: `count` of them, at most 255, are the symbols at `section`, a byte for the length and eight for the text of each.
static inline void fuse_set_symbols(fuse_symbols *_Nonnull symbols, const uint8_t *_Nullable section, size_t count) {
  memset(symbols->texts, 0, sizeof symbols->texts);
  memset(symbols->lengths, FUSE_NO_SYMBOL, sizeof symbols->lengths);
  for (size_t i = 0; i < count && i < FUSE_ESCAPE; i++) {
    uint8_t length = section[9 * i];
    if (length < 1 || length > 8) continue;
    symbols->lengths[i] = length;
    memcpy(&symbols->texts[i], section + 9 * i + 1, 8);
  }
}

/// As fuse_decode, code by code: for texts with bytes that stand for themselves, which are rare, and for those that are wrong.
__attribute__((noinline, cold, unused)) static int64_t fuse_decode_each(
    const fuse_symbols *_Nonnull symbols, const uint8_t *_Nonnull codes, size_t count, size_t wanted,
    uint8_t *_Nonnull out) {
  size_t length = 0;
  for (size_t at = 0; at < count && length < wanted; at++) {
    uint8_t code = codes[at];
    if (code == FUSE_ESCAPE) {
      if (++at == count) return FUSE_CODE_CUT;
      out[length++] = codes[at];
      continue;
    }
    uint8_t symbol = symbols->lengths[code];
    if (symbol == FUSE_NO_SYMBOL) return FUSE_CODE_UNKNOWN;
    memcpy(out + length, &symbols->texts[code], 8);
    length += symbol;
  }
  return (int64_t)length;
}

/// Writes the texts of `count` codes, or of the first of them until there are `wanted` bytes or more. Returns how many bytes, or what is wrong. Seven
/// bytes after the codes can be read, and at `out` there is room for 8 bytes a code and FUSE_DECODE_ROOM more.
///
/// Eight codes at a time, without a branch that depends on one.
static inline __attribute__((always_inline)) int64_t fuse_decode(
    const fuse_symbols *_Nonnull symbols, const uint8_t *_Nonnull codes, size_t count, size_t wanted,
    uint8_t *_Nonnull out) {
  size_t length = 0;
  for (size_t at = 0; at < count && length < wanted; at += 8) {
    // Codes after the last become the first symbol, whose length is taken off again.
    size_t left = count - at, none = left < 8 ? 8 - left : 0;
    union {
      uint64_t word;
      uint8_t codes[8];
    } each;
    memcpy(&each.word, codes + at, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
    each.word = each.word >> (8 * none) << (8 * none);
#else
    each.word = each.word << (8 * none) >> (8 * none);
#endif
    // A load for each code is less work than shifts: the less there is to do, the sooner the next look-up begins, while this one waits.
    __asm__("" : "+m"(each));
    uint8_t *place = out + length;
    size_t sum = 0;
    for (int i = 0; i < 8; i++) {
      uint8_t code = each.codes[i];
      memcpy(place + sum, &symbols->texts[code], 8);
      sum += symbols->lengths[code];
    }
    if (__builtin_expect(sum > 64, 0)) return fuse_decode_each(symbols, codes, count, wanted, out);
    length += sum - none * symbols->lengths[0];
  }
  return (int64_t)length;
}

/// Writes the texts of 8 codes, of which the first `count` are meant, or all. Returns how many bytes those take, or more than 64 where one is no symbol or none for
/// itself.
static inline __attribute__((always_inline)) size_t fuse_decode8(
    const fuse_symbols *_Nonnull symbols, const uint8_t *_Nonnull codes, size_t count, uint8_t *_Nonnull out) {
  size_t none = count < 8 ? 8 - count : 0;
  union {
    uint64_t word;
    uint8_t codes[8];
  } each;
  memcpy(&each.word, codes, 8);
  // In two steps, for a shift by 64 bits is none.
  each.word = each.word << (4 * none) << (4 * none) >> (4 * none) >> (4 * none);
  __asm__("" : "+m"(each));
  size_t sum = 0;
  for (int i = 0; i < 8; i++) {
    uint8_t code = each.codes[i];
    memcpy(out + sum, &symbols->texts[code], 8);
    sum += symbols->lengths[code];
  }
  return __builtin_expect(sum > 64, 0) ? 128 : sum - none * symbols->lengths[0];
}

/// As fuse_decode, with `wanted` for what is mostly found within 8 codes: without a branch that depends on how many there are.
static inline __attribute__((always_inline)) int64_t fuse_decode_start(
    const fuse_symbols *_Nonnull symbols, const uint8_t *_Nonnull codes, size_t count, size_t wanted,
    uint8_t *_Nonnull out) {
  size_t length = fuse_decode8(symbols, codes, count, out);
  if (__builtin_expect((length < wanted) | (length > 64), 0)) return fuse_decode(symbols, codes, count, wanted, out);
  return (int64_t)length;
}

/// As fuse_decode of all codes, of which there are mostly no more than 16.
static inline __attribute__((always_inline)) int64_t fuse_decode_all(
    const fuse_symbols *_Nonnull symbols, const uint8_t *_Nonnull codes, size_t count, uint8_t *_Nonnull out) {
  if (__builtin_expect(count > 16, 0)) return fuse_decode(symbols, codes, count, SIZE_MAX, out);
  size_t first = fuse_decode8(symbols, codes, count, out);
  size_t second = fuse_decode8(symbols, codes + 8, count < 8 ? 0 : count - 8, out + first);
  if (__builtin_expect((first > 64) | (second > 64), 0)) return fuse_decode_each(symbols, codes, count, SIZE_MAX, out);
  return (int64_t)(first + second);
}

/// Copies `count` bytes, 16 at a time: at both are 15 more. What is copied to may begin within those.
static inline __attribute__((always_inline)) void
fuse_copy_by16(uint8_t *_Nonnull to, const uint8_t *_Nonnull from, size_t count) {
  for (size_t at = 0; at < count; at += 16) {
    uint64_t words[2];
    memcpy(words, from + at, 16);
    memcpy(to + at, words, 16);
  }
}

/// Whether `count` bytes at both are equal. Branches depend on the count alone, and there is no call for keys of usual lengths.
static inline __attribute__((always_inline)) _Bool
fuse_equal_keys(const uint8_t *_Nullable left, const uint8_t *_Nullable right, size_t count) {
#if defined(__SSE2__)
  if (__builtin_expect(count > 32 && count <= 64, 0)) {
    return fuse_equal(left, right, 32) & fuse_equal(left + count - 32, right + count - 32, 32);
  }
#endif
  return fuse_equal(left, right, count);
}

/// What an entry of a block of keys says: how many bytes it shares, and where in the block its codes stand.
typedef struct {
  size_t shared;
  size_t start;
  size_t count;
} fuse_entry;

/// Reads the entry at `offset`, below 256. Seven bytes after the block can be read. Each byte is read once.
static inline __attribute__((always_inline)) fuse_entry
fuse_read_entry(const uint8_t *_Nonnull block, size_t offset, size_t width) {
  uint64_t word;
  memcpy(&word, block + offset, 8);
#if __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__
  word = __builtin_bswap64(word);
#endif
  size_t common = word >> 4 & 15, size = word & 15, second = word >> 8 & 255, third = word >> 16 & 255;
  size_t isFar = common == 15, isWide = size == 15;
  fuse_entry entry = {isFar ? second : common, offset + 1 + isFar + isWide + width, isFar ? third : second};
  if (!isWide) entry.count = size;
  return entry;
}

/// What fuse_match_coded finds: UNUSUAL where an entry or its block's first is no plain one, or wrong.
enum { FUSE_KEY_SAME = 0, FUSE_KEY_OTHER = 1, FUSE_KEY_UNUSUAL = 2 };

/// Whether a key is that of the entry at `offset`, 9 to 255, of a block, and its reference of `width` bytes, 1 to 8. After the block are 16 bytes more
/// that can be read; the block may hold anything.
static inline __attribute__((always_inline)) int fuse_match_coded(
    const fuse_symbols *_Nonnull symbols, const uint8_t *_Nonnull block, size_t offset, size_t width,
    const uint8_t *_Nullable key, size_t keyCount, uint64_t *_Nonnull reference) {
  // Whoever compares the checksum reads all four lines, but what is below waits for two of them, and holds up the rest.
  for (size_t line = 0; line < 256; line += 64) fuse_prefetch(block + line);
  uint8_t text[255 + 8 * 255 + FUSE_DECODE_ROOM];
  fuse_entry entry = fuse_read_entry(block, offset, width), head = fuse_read_entry(block, 9, width);
  uint64_t word;
  memcpy(&word, block + entry.start - 8, 8);
#if __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
  word = __builtin_bswap64(word);
#endif
  *reference = word & ~UINT64_C(0) >> (64 - 8 * width);
  // Neither ends behind the block; and that holds for no entry with the count of a long key.
  if (__builtin_expect((entry.start + entry.count > 256) | (head.start + head.count > 256), 0)) return FUSE_KEY_UNUSUAL;
  // The first key shares with none.
  size_t headCount = offset == 9 ? 0 : head.count;
  int64_t first = fuse_decode_start(symbols, block + head.start, headCount, entry.shared, text);
  if (__builtin_expect(first < (int64_t)entry.shared, 0)) return FUSE_KEY_UNUSUAL;
  int64_t rest = fuse_decode_all(symbols, block + entry.start, entry.count, text + entry.shared);
  if (__builtin_expect(rest < 0, 0)) return FUSE_KEY_UNUSUAL;
  if (entry.shared + (size_t)rest != keyCount) return FUSE_KEY_OTHER;
  return fuse_equal_keys(text, key, keyCount) ? FUSE_KEY_SAME : FUSE_KEY_OTHER;
}

#endif
