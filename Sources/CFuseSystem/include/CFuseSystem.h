// What Swift's Glibc module lacks: calls behind _GNU_SOURCE, and a signal handler.
#ifndef CFUSESYSTEM_H
#define CFUSESYSTEM_H

#include <stddef.h>
#include <stdint.h>

/// A mapped file whose pages may vanish when somebody truncates the file. See spec/decisions/0003.
typedef struct fuse_region fuse_region;

struct fuse_region {
  fuse_region *_Nullable next;
  uintptr_t base;
  size_t length;
  int64_t fault;  // offset of the first page fault that could not be served, or -1
};

/// Makes faults inside the region harmless: from then on they read zeros and set `fault`.
/// Installs the process's SIGBUS handler at the first call. Returns NULL when memory is short.
fuse_region *_Nullable fuse_region_watch(const void *_Nonnull base, size_t length);

/// Ends the watch; call it before the region is unmapped.
void fuse_region_release(fuse_region *_Nonnull region);

/// The offset of the first fault, or -1. Whoever read the region's bytes before this call and gets -1 read the file's bytes.
static inline __attribute__((always_inline)) int64_t fuse_region_fault(const fuse_region *_Nonnull region) {
  __atomic_thread_fence(__ATOMIC_ACQUIRE);
  return __atomic_load_n(&region->fault, __ATOMIC_RELAXED);
}

/// Opens a file without a name in the folder `path`, readable and writable; -1 and errno where that is not supported.
int fuse_open_unnamed(const char *_Nonnull folder, unsigned mode);

/// Gives the file behind `descriptor` (from `fuse_open_unnamed`) a name that must not exist yet; -1 and errno on failure.
int fuse_link_unnamed(int descriptor, const char *_Nonnull path);

/// 64 random bits from the kernel.
uint64_t fuse_random(void);

#endif
