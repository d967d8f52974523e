// Which shared objects threads are using at this moment, so that the thread that replaces one knows when to release it.
// The scheme and its proof are in spec/decisions/0014-reclamation.md.
#ifndef CFUSEHAZARDS_H
#define CFUSEHAZARDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// How many objects a thread can use at once, one inside the other, before it counts references to them.
enum { fuse_hazard_depth = 7 };

/// What one thread is using: one cache line, to which no other thread writes. (Swift imports no type that states its own
/// alignment.)
typedef struct fuse_hazards {
  const void *_Nullable object[fuse_hazard_depth];  // NULL where nothing is
  uint32_t number;  // from 0; unique among living threads, and as small as possible
} fuse_hazards;

/// An object that any thread may use, and some thread may replace. It has a cache line of its own, which is written
/// only when the object is replaced.
typedef struct fuse_hazard_cell {
  const void *_Nonnull object;
  // Whether readers make a fence each time, because the system has no barrier that the replacing thread can make for them.
  bool reader_fences;
  // Returns the object, retained.
  void *_Nonnull (*_Nonnull retained)(void *_Nonnull context);
  // Called by a thread that used, or seemed to use, an object that has been replaced: `fuse_is_used` may now be false of it.
  void (*_Nonnull on_left)(void *_Nonnull context);
  void *_Nonnull context;
} fuse_hazard_cell;

extern _Thread_local fuse_hazards *_Nonnull fuse_own_hazards
#ifdef __linux__
    __attribute__((tls_model("initial-exec")))
#endif
    ;

/// This thread's hazards. Before it has any, none of its hazard pointers is free.
static inline __attribute__((always_inline)) fuse_hazards *_Nonnull fuse_hazards_own(void) { return fuse_own_hazards; }

/// Keeps the compiler from moving a load before a store.
static inline __attribute__((always_inline)) void fuse_compiler_fence(void) { __atomic_signal_fence(__ATOMIC_SEQ_CST); }

/// Gives this thread hazards. Returns its number.
uint32_t fuse_hazards_make(void);

/// This thread's number, from 0; below the greatest number of threads that lived at once. 0 where memory is short.
static inline __attribute__((always_inline)) uint32_t fuse_thread_number(void) {
  uint32_t number = fuse_own_hazards->number;
  return __builtin_expect(number == UINT32_MAX, 0) ? fuse_hazards_make() : number;
}

/// Makes a cell. Returns NULL when memory is short.
fuse_hazard_cell *_Nullable fuse_hazard_cell_make(fuse_hazard_cell cell);

/// Frees what `fuse_hazard_cell_make` made. No thread may be using it.
void fuse_hazard_cell_free(fuse_hazard_cell *_Nonnull cell);

/// Begins to use the object: until `fuse_leave`, `fuse_is_used` is true of it, or it is retained.
const void *_Nonnull fuse_enter(const fuse_hazard_cell *_Nonnull cell);

/// The same for a thread whose first hazard pointer holds an object that was replaced as it entered.
const void *_Nonnull fuse_enter_late(const fuse_hazard_cell *_Nonnull cell);

/// Ends one use of `object` by this thread. Of several uses, it does not matter which.
///
/// Not inline: Swift's compiler moves retains across a function that it can see to release nothing.
void fuse_leave(const fuse_hazard_cell *_Nonnull cell, const void *_Nonnull object);

/// Calls `on_left`, after this thread has stopped using an object that was replaced.
void fuse_left(const fuse_hazard_cell *_Nonnull cell);

/// Replaces the object. Readers that enter from now on use the new one. Returns false when the barrier failed: then
/// `fuse_is_used` cannot be relied on for objects replaced so far, until `fuse_barrier` returns true.
bool fuse_replace(fuse_hazard_cell *_Nonnull cell, const void *_Nonnull object);

/// Makes what all threads have written visible to this one. Returns false when the system cannot.
bool fuse_barrier(const fuse_hazard_cell *_Nonnull cell);

/// Whether a thread uses the object, which was replaced before the last barrier.
bool fuse_is_used(const void *_Nonnull object);

/// `swift_retain`, as a call that the compiler knows nothing about.
void fuse_retain(const void *_Nonnull object);

#endif
