// What a program in another language holds of this library: handles, which stay recognizable after they are closed, and
// memory for copies.
#ifndef CFUSEHANDLES_H
#define CFUSEHANDLES_H

#include <stddef.h>
#include <stdint.h>

/// What a handle points at. Its memory is never given back, so that a handle that was closed can be told from one that is
/// open: those that are closed rest in a queue before they are used again.
typedef struct fuse_shell {
  uint32_t kind;  // 0 when it is closed
  uint32_t flag;  // of those that need no object
  void *_Nullable object;
  struct fuse_shell *_Nullable next;
} fuse_shell;

/// How many closed handles rest before the first of them is used again.
enum { fuse_shells_at_rest = 4096 };

/// The shell of an open handle of a kind; NULL for any other, and for none.
static inline __attribute__((always_inline)) fuse_shell *_Nullable fuse_shell_of(
    const void *_Nullable handle, uint32_t kind) {
  fuse_shell *shell = (fuse_shell *)handle;
  if (__builtin_expect(shell == NULL || ((uintptr_t)shell & (sizeof(void *) - 1)) != 0, 0)) return NULL;
  if (__builtin_expect(__atomic_load_n(&shell->kind, __ATOMIC_ACQUIRE) != kind, 0)) return NULL;
  return shell;
}

/// The object of an open handle of a kind; NULL for any other, and for none.
static inline __attribute__((always_inline)) void *_Nullable fuse_shell_object(
    const void *_Nullable handle, uint32_t kind) {
  const fuse_shell *shell = fuse_shell_of(handle, kind);
  return __builtin_expect(shell == NULL, 0) ? NULL : shell->object;
}

/// The flag of a shell. Signal handlers may set it.
static inline void fuse_shell_set_flag(fuse_shell *_Nonnull shell, uint32_t flag) {
  __atomic_store_n(&shell->flag, flag, __ATOMIC_RELAXED);
}
static inline uint32_t fuse_shell_flag(const fuse_shell *_Nonnull shell) {
  return __atomic_load_n(&shell->flag, __ATOMIC_RELAXED);
}

static inline const uint32_t *_Nonnull fuse_shell_flag_address(const fuse_shell *_Nonnull shell) { return &shell->flag; }

/// The kind of a handle that is no NULL and aligned; 0 when it is closed.
static inline uint32_t fuse_shell_kind(const void *_Nonnull handle) {
  return ((uintptr_t)handle & (sizeof(void *) - 1)) != 0
             ? UINT32_MAX
             : __atomic_load_n(&((const fuse_shell *)handle)->kind, __ATOMIC_RELAXED);
}

/// Makes a handle; NULL where memory is short.
fuse_shell *_Nullable fuse_shell_open(uint32_t kind, void *_Nullable object);

/// Closes a handle of a kind, and hands out its object in `*object`. Returns 0 for one that was no such handle.
int fuse_shell_close(const void *_Nullable handle, uint32_t kind, void *_Nullable *_Nonnull object);

/// Makes memory larger, or makes some; NULL where memory is short, and what was there stays.
void *_Nullable fuse_memory_grow(void *_Nullable memory, size_t byte_count);

/// Frees it.
void fuse_memory_free(void *_Nullable memory);

#endif
