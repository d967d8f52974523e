#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#if defined(__x86_64__)
#include <cpuid.h>
#include <immintrin.h>
#endif

#include "CFuseDigests.h"

// FIPS 180-4. Words of a state are in the processor's order.
static const uint32_t start[8] = {0x6a09e667, 0xbb67ae85, 0x3c6ef372, 0xa54ff53a, 0x510e527f, 0x9b05688c, 0x1f83d9ab, 0x5be0cd19};

enum { block_size = 64, length_size = 8 };

struct fuse_digests {
  // Of the stream: its state, how many bytes it has, and those that are no whole block yet.
  uint32_t state[8];
  uint64_t size;
  uint8_t rest[block_size];
  // Of the pieces: the next one that nobody has begun, how many there are, and their digests.
  atomic_size_t next;
  size_t count, room;
  uint8_t (*values)[fuse_digests_value_size];
};

#if defined(__x86_64__)
static const uint32_t constants[64] __attribute__((aligned(64))) = {
    0x428a2f98, 0x71374491, 0xb5c0fbcf, 0xe9b5dba5, 0x3956c25b, 0x59f111f1, 0x923f82a4, 0xab1c5ed5, 0xd807aa98, 0x12835b01, 0x243185be,
    0x550c7dc3, 0x72be5d74, 0x80deb1fe, 0x9bdc06a7, 0xc19bf174, 0xe49b69c1, 0xefbe4786, 0x0fc19dc6, 0x240ca1cc, 0x2de92c6f, 0x4a7484aa,
    0x5cb0a9dc, 0x76f988da, 0x983e5152, 0xa831c66d, 0xb00327c8, 0xbf597fc7, 0xc6e00bf3, 0xd5a79147, 0x06ca6351, 0x14292967, 0x27b70a85,
    0x2e1b2138, 0x4d2c6dfc, 0x53380d13, 0x650a7354, 0x766a0abb, 0x81c2c92e, 0x92722c85, 0xa2bfe8a1, 0xa81a664b, 0xc24b8b70, 0xc76c51a3,
    0xd192e819, 0xd6990624, 0xf40e3585, 0x106aa070, 0x19a4c116, 0x1e376c08, 0x2748774c, 0x34b0bcb5, 0x391c0cb3, 0x4ed8aa4a, 0x5b9cca4f,
    0x682e6ff3, 0x748f82ee, 0x78a5636f, 0x84c87814, 0x8cc70208, 0x90befffa, 0xa4506ceb, 0xbef9a3f7, 0xc67178f2};

#define WITH_SHA __attribute__((target("sha,sse4.1,ssse3")))

// What is left to be done for one digest: whole blocks that stand in two places, in order.
typedef struct {
  uint32_t state[8];
  const uint8_t *place[2];
  size_t blocks[2];
  // The bytes after the last whole block of a piece, and its length in bits.
  uint8_t end[2 * block_size];
  // Of which piece; SIZE_MAX for the stream.
  size_t number;
} lane;

// The instructions take words of the state as A, B, E, F and C, D, G, H.
typedef struct {
  __m128i abef, cdgh;
} words;

WITH_SHA static inline words loaded(const uint32_t *state) {
  __m128i upper = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)state), 0xB1);
  __m128i lower = _mm_shuffle_epi32(_mm_loadu_si128((const __m128i *)(state + 4)), 0x1B);
  return (words){_mm_alignr_epi8(upper, lower, 8), _mm_blend_epi16(lower, upper, 0xF0)};
}

WITH_SHA static inline void save(words words, uint32_t *state) {
  __m128i upper = _mm_shuffle_epi32(words.abef, 0x1B), lower = _mm_shuffle_epi32(words.cdgh, 0xB1);
  _mm_storeu_si128((__m128i *)state, _mm_blend_epi16(upper, lower, 0xF0));
  _mm_storeu_si128((__m128i *)(state + 4), _mm_alignr_epi8(lower, upper, 8));
}

// Takes `blocks` blocks of each lane, one or two of them. Each round waits for the one before, so that those of two lanes fill each other's gaps.
#define DIGEST(lanes)                                                                                                                     \
  const __m128i order = _mm_set_epi64x(0x0c0d0e0f08090a0b, 0x0405060700010203);                                                           \
  words now[lanes], before[lanes];                                                                                                        \
  __m128i message[lanes][4];                                                                                                              \
  for (int i = 0; i < lanes; i++) now[i] = loaded(states[i]);                                                                             \
  for (; blocks > 0; blocks--) {                                                                                                          \
    for (int i = 0; i < lanes; i++) {                                                                                                     \
      before[i] = now[i];                                                                                                                 \
      for (int j = 0; j < 4; j++)                                                                                                         \
        message[i][j] = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)places[i] + j), order);                                         \
      places[i] += block_size;                                                                                                            \
    }                                                                                                                                     \
    _Pragma("clang loop unroll(full)") for (int four = 0; four < 16; four++) {                                                            \
      for (int i = 0; i < lanes; i++) {                                                                                                   \
        __m128i keyed = _mm_add_epi32(message[i][four & 3], _mm_load_si128((const __m128i *)constants + four));                           \
        now[i].cdgh = _mm_sha256rnds2_epu32(now[i].cdgh, now[i].abef, keyed);                                                             \
        now[i].abef = _mm_sha256rnds2_epu32(now[i].abef, now[i].cdgh, _mm_shuffle_epi32(keyed, 0x0E));                                    \
        if (four >= 12) continue;                                                                                                         \
        __m128i first = message[i][four & 3], second = message[i][(four + 1) & 3];                                                        \
        __m128i third = message[i][(four + 2) & 3], fourth = message[i][(four + 3) & 3];                                                  \
        __m128i sum = _mm_add_epi32(_mm_sha256msg1_epu32(first, second), _mm_alignr_epi8(fourth, third, 4));                              \
        message[i][four & 3] = _mm_sha256msg2_epu32(sum, fourth);                                                                         \
      }                                                                                                                                   \
    }                                                                                                                                     \
    for (int i = 0; i < lanes; i++) {                                                                                                     \
      now[i].abef = _mm_add_epi32(now[i].abef, before[i].abef);                                                                           \
      now[i].cdgh = _mm_add_epi32(now[i].cdgh, before[i].cdgh);                                                                           \
    }                                                                                                                                     \
  }                                                                                                                                       \
  for (int i = 0; i < lanes; i++) save(now[i], states[i]);

WITH_SHA static void digest_one(uint32_t *states[1], const uint8_t *places[1], size_t blocks) { DIGEST(1) }
WITH_SHA static void digest_two(uint32_t *states[2], const uint8_t *places[2], size_t blocks) { DIGEST(2) }

// Writes the bytes after the last whole block, what follows them, and how long all is. Returns how many blocks that makes.
static size_t finish(uint8_t *end, const uint8_t *rest, size_t rest_size, uint64_t size) {
  size_t blocks = rest_size + 1 + length_size <= block_size ? 1 : 2;
  memset(end, 0, 2 * block_size);
  if (rest_size > 0) memcpy(end, rest, rest_size);
  end[rest_size] = 0x80;
  for (int byte = 0; byte < length_size; byte++) end[blocks * block_size - 1 - byte] = (uint8_t)(8 * size >> (8 * byte));
  return blocks;
}

static void write_value(const uint32_t *state, uint8_t *value) {
  for (int byte = 0; byte < fuse_digests_value_size; byte++) value[byte] = (uint8_t)(state[byte / 4] >> (24 - 8 * (byte % 4)));
}

// Has a lane begin with the next piece; 0 where there is none.
static int begin_piece(fuse_digests *digests, lane *lane, const uint8_t *bytes, const size_t *ends) {
  size_t number = atomic_fetch_add_explicit(&digests->next, 1, memory_order_relaxed);
  if (number >= digests->count) return 0;
  const uint8_t *first = bytes + (number == 0 ? 0 : ends[number - 1]);
  size_t size = (size_t)(bytes + ends[number] - first), whole = size / block_size;
  memcpy(lane->state, start, sizeof start);
  lane->number = number;
  lane->place[0] = first;
  lane->blocks[0] = whole;
  lane->place[1] = lane->end;
  lane->blocks[1] = finish(lane->end, first + whole * block_size, size % block_size, size);
  return 1;
}

// Has a lane go on with the stream; 0 where that has no whole block.
static int begin_stream(fuse_digests *digests, lane *lane, const uint8_t *stream, size_t size) {
  size_t had = digests->size % block_size, missing = had == 0 ? 0 : block_size - had;
  digests->size += size;
  if (size < missing) {
    memcpy(digests->rest + had, stream, size);
    return 0;
  }
  lane->blocks[0] = missing > 0;
  if (missing > 0) {
    memcpy(digests->rest + had, stream, missing);
    memcpy(lane->end, digests->rest, block_size);
    lane->place[0] = lane->end;
  }
  size_t whole = (size - missing) / block_size, left = (size - missing) % block_size;
  lane->place[1] = stream + missing;
  lane->blocks[1] = whole;
  if (left > 0) memcpy(digests->rest, stream + size - left, left);
  memcpy(lane->state, digests->state, sizeof digests->state);
  lane->number = SIZE_MAX;
  return 1;
}

static void end(fuse_digests *digests, const lane *lane) {
  if (lane->number == SIZE_MAX) {
    memcpy(digests->state, lane->state, sizeof digests->state);
  } else {
    write_value(lane->state, digests->values[lane->number]);
  }
}

int fuse_digests_can(void) {
  // No compiler's __builtin_cpu_supports knew "sha" for long.
  unsigned a, b = 0, c, d;
  return __get_cpuid_count(7, 0, &a, &b, &c, &d) && (b >> 29 & 1) && __builtin_cpu_supports("sse4.1") && __builtin_cpu_supports("ssse3");
}

void fuse_digests_work(
    fuse_digests *digests, const uint8_t *bytes, const size_t *ends, const uint8_t *stream, size_t stream_size) {
  lane lanes[2];
  int is_busy[2] = {0, 0};
  if (stream_size > 0) is_busy[0] = begin_stream(digests, &lanes[0], stream, stream_size);
  while (1) {
    uint32_t *states[2];
    const uint8_t *places[2];
    int segments[2];
    size_t blocks = SIZE_MAX;
    int count = 0, own[2];
    for (int i = 0; i < 2; i++) {
      if (!is_busy[i]) is_busy[i] = begin_piece(digests, &lanes[i], bytes, ends);
      if (!is_busy[i]) continue;
      int segment = lanes[i].blocks[0] > 0 ? 0 : 1;
      if (lanes[i].blocks[segment] < blocks) blocks = lanes[i].blocks[segment];
      states[count] = lanes[i].state;
      places[count] = lanes[i].place[segment];
      segments[count] = segment;
      own[count++] = i;
    }
    if (count == 0) return;
    if (count == 2) {
      digest_two(states, places, blocks);
    } else {
      digest_one(states, places, blocks);
    }
    for (int i = 0; i < count; i++) {
      lane *lane = &lanes[own[i]];
      lane->place[segments[i]] += blocks * block_size;
      lane->blocks[segments[i]] -= blocks;
      if (lane->blocks[0] + lane->blocks[1] > 0) continue;
      end(digests, lane);
      is_busy[own[i]] = 0;
    }
  }
}

void fuse_digests_take(fuse_digests *digests, uint8_t *value) {
  uint8_t end[2 * block_size];
  size_t blocks = finish(end, digests->rest, digests->size % block_size, digests->size);
  uint32_t *states[1] = {digests->state};
  const uint8_t *places[1] = {end};
  digest_one(states, places, blocks);
  write_value(digests->state, value);
  memcpy(digests->state, start, sizeof start);
  digests->size = 0;
}
#else
int fuse_digests_can(void) { return 0; }

void fuse_digests_work(
    fuse_digests *digests, const uint8_t *bytes, const size_t *ends, const uint8_t *stream, size_t stream_size) {
  (void)digests, (void)bytes, (void)ends, (void)stream, (void)stream_size;
  abort();
}

void fuse_digests_take(fuse_digests *digests, uint8_t *value) {
  (void)digests, (void)value;
  abort();
}
#endif

fuse_digests *fuse_digests_begin(void) {
  fuse_digests *digests = calloc(1, sizeof *digests);
  if (digests != NULL) memcpy(digests->state, start, sizeof start);
  return digests;
}

int fuse_digests_prepare(fuse_digests *digests, size_t count) {
  if (count > digests->room) {
    void *values = realloc(digests->values, count * sizeof *digests->values);
    if (values == NULL) return 0;
    digests->values = values;
    digests->room = count;
  }
  digests->count = count;
  atomic_store_explicit(&digests->next, 0, memory_order_relaxed);
  return 1;
}

const uint8_t *fuse_digests_values(const fuse_digests *digests) { return (const uint8_t *)digests->values; }

void fuse_digests_free(fuse_digests *digests) {
  if (digests == NULL) return;
  free(digests->values);
  free(digests);
}
