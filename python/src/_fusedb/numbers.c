/* A set of 64-bit numbers: which keys a writer has, which objects were seen. */
#include "common.h"

static size_t place_for(const NumberSet *set, uint64_t number) {
  size_t place = (size_t)((number * 0x9e3779b97f4a7c15u) >> 20) & (set->capacity - 1);
  while (set->slots[place] != 0 && set->slots[place] != number) place = (place + 1) & (set->capacity - 1);
  return place;
}

static bool grow(NumberSet *set) {
  NumberSet larger = {NULL, set->capacity == 0 ? 64 : 2 * set->capacity, set->count};
  larger.slots = PyMem_Calloc(larger.capacity, sizeof *larger.slots);
  if (larger.slots == NULL) return false;
  for (size_t place = 0; place < set->capacity; place++)
    if (set->slots[place] != 0) larger.slots[place_for(&larger, set->slots[place])] = set->slots[place];
  PyMem_Free(set->slots);
  *set = larger;
  return true;
}

int numbers_add(NumberSet *set, uint64_t number) {
  /* 0 stands for an empty slot; two numbers may be told apart no more, in one of 2**64 cases. */
  if (number == 0) number = 1;
  if (set->count * 4 >= set->capacity * 3 && !grow(set)) return -1;
  size_t place = place_for(set, number);
  if (set->slots[place] == number) return 0;
  set->slots[place] = number;
  set->count++;
  return 1;
}

void numbers_free(NumberSet *set) {
  PyMem_Free(set->slots);
  *set = (NumberSet){NULL, 0, 0};
}

uint64_t bytes_hash(const void *data, size_t size) {
  const uint8_t *bytes = data;
  uint64_t hash = size * 0x9e3779b97f4a7c15u;
  while (size > 0) {
    uint64_t word = 0;
    size_t part = size < 8 ? size : 8;
    memcpy(&word, bytes, part);
    unsigned __int128 product = (unsigned __int128)(hash ^ word ^ 0xa0761d6478bd642fu) * 0xe7037ed1a0b428dbu;
    hash = (uint64_t)product ^ (uint64_t)(product >> 64);
    bytes += part;
    size -= part;
  }
  return hash;
}
