// Faults on mapped files: what somebody truncates or writes over while it is read. See spec/decisions/0003.
#ifndef CFUSEFAULTS_H
#define CFUSEFAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/// A mapped file that somebody may truncate, or write another file into. See spec/decisions/0003.
typedef struct fuse_region fuse_region;

struct fuse_region {
  fuse_region *_Nullable next;
  uintptr_t base;
  size_t length;
  int64_t fault;  // offset of the first byte found missing or changed, or -1
  const void *_Nullable head_bytes;  // eight bytes near the region's start that differ from file to file
  const void *_Nullable tail_bytes;  // the region's last eight bytes, or its first where it is shorter
  uint64_t ends;                     // what stood at `head_bytes` at first, xor what stood at `tail_bytes`
  uint64_t tail;                     // what stood at `tail_bytes` at first
};

/// Makes faults inside the region harmless: from then on they read zeros and set `fault`.
/// Installs the process's SIGBUS handler at the first call. Returns NULL when memory is short. The region begins at a page
/// and has at least one byte; at `head` there are eight bytes that differ from file to file, if it has so many.
fuse_region *_Nullable fuse_region_watch(const void *_Nonnull base, size_t length, size_t head);

/// A region that never has a fault, for bytes that nobody else can change. It is shared and needs no release.
fuse_region *_Nonnull fuse_region_still(void);

/// Reads one byte of each page from `offset` on, until the region has a fault.
void fuse_region_touch(fuse_region *_Nonnull region, size_t offset, size_t length);

/// Ends the watch; call it before the region is unmapped.
void fuse_region_release(fuse_region *_Nonnull region);

/// Remembers that the region's ends have changed, unless a fault is known already. Returns the offset to name.
int64_t fuse_region_note_change(fuse_region *_Nonnull region);

/// Loads the fault. Returns whether none is known, and the region's ends are not what they were.
static inline __attribute__((always_inline)) bool fuse_region_ends_differ(
    fuse_region *_Nonnull region, int64_t *_Nonnull fault) {
  __atomic_thread_fence(__ATOMIC_ACQUIRE);
  uint64_t head, ends;
  // A region is used again when the last reference to its mapping is gone. ThreadSanitizer does not see that counts of
  // references order what threads do; of atomic accesses it does not ask.
  memcpy(&ends, __atomic_load_n(&region->tail_bytes, __ATOMIC_RELAXED), sizeof ends);
  memcpy(&head, __atomic_load_n(&region->head_bytes, __ATOMIC_RELAXED), sizeof head);
  ends ^= head;
  // Nothing is loaded earlier or later than it stands here; and the xor takes its place, which saves an instruction.
  __asm__ volatile("" : "+r"(ends) : : "memory");
  *fault = __atomic_load_n(&region->fault, __ATOMIC_RELAXED);
  return *fault < 0 && ends != __atomic_load_n(&region->ends, __ATOMIC_RELAXED);
}

/// The offset of the first byte known to be missing or changed, or -1. Whoever read the region's bytes before this call and
/// gets -1 read the file's bytes.
///
/// A file that was cut lacks its last bytes, wherever it was cut. They are looked at each time: where their page is gone
/// this sets `fault`, and where it is not they have become zeros. A file that another was written into from the start has
/// the other's checksum in its header before any other byte has changed.
static inline __attribute__((always_inline)) int64_t fuse_region_fault(fuse_region *_Nonnull region) {
  int64_t fault;
  return __builtin_expect(fuse_region_ends_differ(region, &fault), 0) ? fuse_region_note_change(region) : fault;
}

/// Whether `fuse_region_fault` is -1, as far as that can be told without noting a change.
static inline __attribute__((always_inline)) bool fuse_region_is_whole(fuse_region *_Nonnull region) {
  int64_t fault;
  return !fuse_region_ends_differ(region, &fault) && fault < 0;
}

#endif
