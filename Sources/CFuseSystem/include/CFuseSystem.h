// What Swift's Glibc module lacks: calls that need _GNU_SOURCE, and functions with any number of arguments.
#ifndef CFUSESYSTEM_H
#define CFUSESYSTEM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// Makes a pipe whose ends, to read and to write, don't block and are closed in a new program; -1 and errno on failure.
int fuse_pipe(int *_Nonnull ends);

/// Has the system begin to write a part of a file to the disk, without waiting for it.
void fuse_begin_writing(int descriptor, int64_t offset, int64_t count);

/// Opens a file to be written past the page cache, from memory and to offsets that are multiples of a page; -1 where that can't be done.
int fuse_open_past_cache(const char *_Nonnull path);

/// Opens a folder so that files in it can be made and removed by their names; -1 and errno on failure. It need not be readable.
int fuse_open_folder(const char *_Nonnull path);

/// How many processors this process may run on; at least 1.
int fuse_processor_count(void);

/// What a process may have so much of.
typedef enum fuse_limited {
  FUSE_LIMITED_ADDRESSES,
  FUSE_LIMITED_DATA,
  FUSE_LIMITED_LOCKED,
  FUSE_LIMITED_FILES,
} fuse_limited;

/// How much this process may have, in bytes or files; UINT64_MAX for any.
uint64_t fuse_limit(fuse_limited what);

/// How much memory the machine has, in bytes; 0 where the system does not say.
uint64_t fuse_memory_size(void);

/// Tells the thread that asks from the others that live; never 0.
uintptr_t fuse_thread_own(void);

/// Begins a thread, one that is joined, or one that is not: that takes no signals but the faults that it causes. Signals are for threads that
/// the process knows: one that it blocks to wait for it must not end it there. Returns 0, or the number of the error.
int fuse_thread_start(uintptr_t *_Nonnull thread, bool is_detached, void *_Nullable (*_Nonnull body)(void *_Nullable),
                      void *_Nullable context);

/// Waits until a thread has ended.
void fuse_thread_join(uintptr_t thread);

/// How many bytes of address space the stack of a new thread takes.
size_t fuse_stack_size(void);

/// How many columns the terminal at `descriptor` has now; 0 where there is none, or it does not say.
int fuse_terminal_width(int descriptor);

/// What ends the long call that a thread works for: either, once it is not 0. A token that was seen has ended the call, also where it is
/// taken back: what threads left undone by then must not count as done.
typedef struct fuse_ending {
  const uint32_t *_Nullable token;  // elsewhere
  uint32_t ended;                   // of this call alone
  // Asked now and then by the thread of the call alone; other than 0 ends it. NULL for none.
  int (*_Nullable poll)(void *_Nullable context);
  void *_Nullable context;
  const void *_Nullable thread;  // of the call, by the address of its fuse_own_ending
} fuse_ending;

extern _Thread_local fuse_ending *_Nullable fuse_own_ending
#ifdef __linux__
    __attribute__((tls_model("initial-exec")))
#endif
    ;

/// What ends the long call that this thread works for; NULL where nothing does.
static inline __attribute__((always_inline)) fuse_ending *_Nullable fuse_ending_own(void) { return fuse_own_ending; }
static inline void fuse_ending_set(fuse_ending *_Nullable ending) { fuse_own_ending = ending; }

static inline void fuse_ending_end(fuse_ending *_Nonnull ending) {
  __atomic_store_n(&ending->ended, 1, __ATOMIC_RELAXED);
}

static inline fuse_ending fuse_ending_make(const uint32_t *_Nullable token) {
  return (fuse_ending){token, 0, NULL, NULL, NULL};
}

/// Has this thread, and no other that works for the call, ask `poll` whether it is to end.
static inline void fuse_ending_poll(
    fuse_ending *_Nonnull ending, int (*_Nullable poll)(void *_Nullable context), void *_Nullable context) {
  ending->poll = poll;
  ending->context = context;
  ending->thread = &fuse_own_ending;
}

/// Whether the long call that this thread works for is to end.
static inline __attribute__((always_inline)) bool fuse_is_ended(void) {
  fuse_ending *ending = fuse_own_ending;
  if (__builtin_expect(ending == NULL, 1)) return false;
  if (__atomic_load_n(&ending->ended, __ATOMIC_RELAXED) != 0) return true;
  bool ends = ending->token != NULL && __atomic_load_n(ending->token, __ATOMIC_RELAXED) != 0;
  if (!ends && ending->poll != NULL && ending->thread == &fuse_own_ending) ends = ending->poll(ending->context) != 0;
  if (!ends) return false;
  fuse_ending_end(ending);
  return true;
}

#endif
