// Faults on mapped files, which may be truncated or overwritten while they are read. See spec/decisions/0003.
#ifndef CFUSEFAULTS_H
#define CFUSEFAULTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

/// A mapped file that other processes may truncate or overwrite. See spec/decisions/0003.
typedef struct fuse_region fuse_region;

struct fuse_region {
  fuse_region *_Nullable next;
  uintptr_t base;
  size_t length;
  int64_t fault;  // offset of the first byte found missing or changed, or -1
  uintptr_t live;                    // a second mapping of the page that has the last eight bytes, and of what follows it
  const void *_Nullable head_bytes;  // eight bytes near the file's start that differ from file to file
  const void *_Nullable tail_bytes;  // the file's last eight bytes, in its live page; or its first where it is shorter
  uint64_t ends;                     // what stood at `head_bytes` at first, xor what stood at `tail_bytes`
  uint64_t tail;                     // what stood at `tail_bytes` at first
};

/// What is done about the process's handler of SIGBUS. See spec/decisions/0029-signals-of-a-host.md.
typedef enum {
  /// At each `fuse_region_watch`, ours is put before the one in force; once for each other handler.
  FUSE_HANDLER_IN_FRONT = 0,
  /// It is installed at the first `fuse_region_watch`, and never again.
  FUSE_HANDLER_ONCE = 1,
  /// It is not installed. What was is left.
  FUSE_HANDLER_NONE = 2,
} fuse_handler_mode;
/// How many handlers of others are passed by at most.
#define FUSE_FOREIGN_HANDLERS 8

/// Chooses one of those, for the `fuse_region_watch` that follow.
void fuse_handler_set(fuse_handler_mode mode);

/// Makes faults inside a mapping of the whole file of `descriptor` harmless: from then on they read zeros and set `fault`.
/// Its last page becomes a copy that stays as it is now; the file's is watched beside it. Nobody else reads the mapping yet.
/// Sees to the process's SIGBUS handler. Returns NULL, with `errno`, when memory is short. The mapping begins at a page
/// and has at least one byte; at `head` there are eight bytes that differ from file to file, if it has so many.
fuse_region *_Nullable fuse_region_watch(void *_Nonnull base, size_t length, size_t head, int descriptor);

/// A region that never has a fault, for bytes that only this process can change. It is shared and needs no release.
fuse_region *_Nonnull fuse_region_still(void);

/// Reads one byte of each page from `offset` on, until the region has a fault.
void fuse_region_touch(fuse_region *_Nonnull region, size_t offset, size_t length);

/// How many of the mapping's bytes are the file's own pages, and not the copy of its last one.
size_t fuse_region_shared_length(const fuse_region *_Nonnull region);

/// Ends the watch; call it before the region is unmapped.
void fuse_region_release(fuse_region *_Nonnull region);

/// Remembers that the region's ends have changed, unless a fault is known already. Returns the offset to name.
int64_t fuse_region_note_change(fuse_region *_Nonnull region);

/// Loads the fault. Returns whether none is known although the region's ends have changed.
static inline __attribute__((always_inline)) bool fuse_region_ends_differ(
    fuse_region *_Nonnull region, int64_t *_Nonnull fault) {
  __atomic_thread_fence(__ATOMIC_ACQUIRE);
  uint64_t head, ends;
  // A region is used again when the last reference to its mapping is gone. ThreadSanitizer does not see that counts of
  // references order what threads do; of atomic accesses it does not ask.
  memcpy(&ends, __atomic_load_n(&region->tail_bytes, __ATOMIC_RELAXED), sizeof ends);
  memcpy(&head, __atomic_load_n(&region->head_bytes, __ATOMIC_RELAXED), sizeof head);
  ends ^= head;
  // Keeps the compiler from moving loads across this point, and the xor before it, which saves an instruction.
  __asm__ volatile("" : "+r"(ends) : : "memory");
  *fault = __atomic_load_n(&region->fault, __ATOMIC_RELAXED);
  return *fault < 0 && ends != __atomic_load_n(&region->ends, __ATOMIC_RELAXED);
}

/// The offset of the first byte known to be missing or changed, or -1. Bytes of the
/// region that were read before a call that returns -1 are those of the file.
///
/// A truncated file lacks its last bytes, wherever it was cut. They are read each time: if their page is gone, the signal
/// handler sets `fault`; if not, they have become zeros, while answers come from the copy of that page. A file that is overwritten from its start has the new checksum in
/// its header before any later byte has changed.
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
