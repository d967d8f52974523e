// What each function of Sources/CFuseIntrinsics answers to many random questions, summed up: the same with instructions of the
// processor and, compiled with -U__SSE2__ -DPLAIN, without.
#include <stdio.h>
#include <stdlib.h>

#include "addresses.h"
#include "intrinsics.h"
#include "names.h"
#include "ranks.h"
#include "trees.h"

enum { rounds = 20000 };

static uint64_t state = 88172645463325252;

static uint64_t next(void) {
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return state;
}

static void fill(void *bytes, size_t count, int letters) {
  uint8_t *each = bytes;
  for (size_t i = 0; i < count; i++) each[i] = letters ? "aAzZ.-9@["[next() % 9] : (uint8_t)(next() & 3 ? next() % 3 : next());
}

static void say(const char *name, uint64_t sum) { printf("%s %016llx\n", name, (unsigned long long)sum); }

static int ascending(const void *one, const void *other) {
  uint64_t a = *(const uint64_t *)one, b = *(const uint64_t *)other;
  return (a > b) - (a < b);
}

#define ASK(name, answer)                                                   \
  {                                                                         \
    uint64_t sum = 0;                                                       \
    state = 88172645463325252;                                              \
    for (int round = 0; round < rounds; round++) sum = sum * 31 + (answer); \
    say(name, sum);                                                         \
  }

static _Alignas(16) uint8_t left[512], right[512], lower[512], dots[512];

static uint64_t tags(void) {
  fill(left, 16, 0);
  return fuse_match_tags(left, (uint16_t)(next() % 3 | next() % 3 << 8));
}

static uint64_t equal(void) {
  size_t count = next() % 48;
  fill(left, 48, 0);
  memcpy(right, left, 48);
  if (next() & 1) right[next() % 48] ^= 1;
  return fuse_equal_prefix16(left, right) + 32 * fuse_equal(left, right, count) + 64 * (count < 8 ? 0 : fuse_equal_flat(left, right, count));
}

static uint64_t matches(void) {
  fill(left, 64, 0);
  return fuse_match_bytes64(left, 1, 2);
}

static uint64_t counts(void) {
  size_t count = next() % 500;
  fill(left, count, 0);
  return fuse_count_byte(left, count, 1);
}

static uint64_t names(void) {
  size_t count = 1 + next() % 253;
  fill(left, count, 1);
  memset(dots, 0, sizeof dots);
  int found = fuse_lower_name(left, count, lower, dots);
  uint64_t sum = (uint64_t)found;
  if (found < 0) return sum;
  for (size_t i = 0; i < count; i++) sum = sum * 7 + lower[i];
  for (int i = 0; i < found; i++) sum = sum * 7 + dots[i];
  return sum;
}

static uint64_t ranks16(void) {
  uint16_t numbers[8] = {0};
  for (int i = 0; i < 8; i++) numbers[i] = (uint16_t)((i ? numbers[i - 1] : 0) + next() % 9000);
  for (int i = 1; i < 8; i++) if (numbers[i] < numbers[i - 1]) numbers[i] = 0xFFFF;
  return fuse_rank16x8(numbers, (uint16_t)next());
}

static uint64_t ranks32(void) {
  uint32_t numbers[16];
  for (int i = 0; i < 16; i++) numbers[i] = (uint32_t)next();
  return fuse_rank32x16(numbers, (uint32_t)next());
}

static uint64_t trees(void) {
  static _Alignas(64) uint64_t numbers[8 + 9 * 8];
  for (int i = 0; i < 80; i++) numbers[i] = next() >> (next() & 31);
  for (int i = 0; i < 10; i++) qsort(numbers + 8 * i, 8, 8, ascending);
  fuse_tree_level levels[2] = {{numbers, 8}, {numbers + 8, (int64_t)(next() % 81)}};
  uint64_t number = next() >> (next() & 31);
#ifdef PLAIN
  return (uint64_t)fuse_tree_leaf_plain(levels, 2, number);
#else
  return (uint64_t)fuse_tree_leaf(levels, 2, number);
#endif
}

// Where there is no SSE2, the text is read in Swift: that is no answer, so only what both say counts.
static uint64_t addresses(void) {
#if defined(__SSE2__) && !defined(PLAIN)
  uint8_t text[20] = "0000127.0.0.1";
  return fuse_ipv4(text + 4, 9) == 0x7F000001;
#else
  return fuse_ipv4((const uint8_t *)"127.0.0.1", 9) == -1;
#endif
}

int main(void) {
  ASK("tags", tags());
  ASK("equal", equal());
  ASK("matches", matches());
  ASK("counts", counts());
  ASK("names", names());
  ASK("ranks16", ranks16());
  ASK("ranks32", ranks32());
  ASK("trees", trees());
  ASK("addresses", addresses());
  return 0;
}
