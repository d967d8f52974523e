// What Swift's Glibc module lacks: calls behind _GNU_SOURCE, and signal handlers.
#ifndef CFUSESYSTEM_H
#define CFUSESYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <sys/types.h>

#include "fuse_hazards.h"

/// A mapped file that somebody may truncate, or write another file into. See spec/decisions/0003.
typedef struct fuse_region fuse_region;

struct fuse_region {
  fuse_region *_Nullable next;
  uintptr_t base;
  size_t length;
  int64_t fault;  // offset of the first byte found missing or changed, or -1
  const void *_Nullable head_place;  // eight bytes near the region's start that differ from file to file
  const void *_Nullable tail_place;  // the region's last eight bytes, or its first where it is shorter
  uint64_t ends;                     // what stood there at first: one xor the other
  uint64_t tail;                     // what stood at the second place
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
  memcpy(&ends, __atomic_load_n(&region->tail_place, __ATOMIC_RELAXED), sizeof ends);
  memcpy(&head, __atomic_load_n(&region->head_place, __ATOMIC_RELAXED), sizeof head);
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

/// Takes away the access control list that a new file has from its folder, if it has one.
void fuse_drop_access_list(int descriptor);

/// Opens a file without a name in the folder `path`, readable and writable; -1 and errno where that is not supported.
int fuse_open_unnamed(const char *_Nonnull folder, unsigned mode);

/// Reads the access control list of the file at `path`, which says more than its mode. Returns its length, also when `size`
/// is 0; -1 where there is none.
ssize_t fuse_read_access_list(const char *_Nonnull path, void *_Nullable bytes, size_t size);

/// Gives an open file an access control list, and so a mode; -1 and errno on failure.
int fuse_give_access_list(int descriptor, const void *_Nonnull bytes, size_t size);

// The calls below make, move and remove names in one step with a list of the names that are to be removed when a signal
// ends the process. They return -1 and errno on failure.

/// Creates a file under a name that must not exist yet and is not to stay, and opens it, readable and writable.
int fuse_create_unfinished(const char *_Nonnull path, unsigned mode);

/// Gives the file behind `descriptor` (from `fuse_open_unnamed`) a name that must not exist yet and is not to stay.
int fuse_link_unfinished(int descriptor, const char *_Nonnull path);

/// Gives the file behind `descriptor` (from `fuse_open_unnamed`) its name, which must not exist yet.
int fuse_link_finished(int descriptor, const char *_Nonnull path);

/// Moves a file from a name that was not to stay to its own.
int fuse_rename_finished(const char *_Nonnull unfinished, const char *_Nonnull path);

/// What tells a file from another one, and from what it was before somebody wrote to it.
typedef struct fuse_stamp fuse_stamp;

struct fuse_stamp {
  uint64_t device, inode;
  int64_t byte_count, modified_seconds, modified_nanoseconds;
};

enum { FUSE_REPLACED = 0, FUSE_LEFT_OLD = 1, FUSE_LEFT_OTHER = 2 };

/// Moves the file behind `descriptor` from a name that was not to stay to its own, in place of the file that has this
/// stamp; of nothing, where that is NULL. Where something else stands there, the result is -1, `errno` ESTALE (EEXIST
/// instead of nothing), and nothing has changed.
///
/// FUSE_LEFT_OLD: the file is in place, and the one before it could not be removed from the name `unfinished`.
/// FUSE_LEFT_OTHER: somebody replaced the file several times in this moment; what is under `unfinished` is theirs.
int fuse_replace_finished(
    int descriptor, const char *_Nonnull unfinished, const char *_Nonnull path, const fuse_stamp *_Nullable expected);

/// Removes a name that was not to stay.
int fuse_unlink_unfinished(const char *_Nonnull path);

/// From now on SIGHUP, SIGINT and SIGTERM, unless they are ignored, remove the names that are not to stay and write `text`
/// to standard error, or the other text once a file has got its own name; then they end the process as they would have.
/// A later call changes the texts. For commands: a library leaves signals to its host.
void fuse_on_interruption(const char *_Nonnull text, const char *_Nonnull text_when_finished);

/// Makes a pipe whose ends, to read and to write, don't block and are closed in a new program; -1 and errno on failure.
int fuse_pipe(int *_Nonnull ends);

/// How many processors this process may run on; at least 1.
int fuse_processor_count(void);

/// How many bytes of address space the stack of a new thread takes.
size_t fuse_stack_size(void);

/// How many columns the terminal behind `descriptor` has now; 0 where there is none, or it does not say.
int fuse_terminal_width(int descriptor);

/// 64 random bits from the kernel.
uint64_t fuse_random(void);

#endif
