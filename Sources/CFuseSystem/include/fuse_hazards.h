// Which shared objects threads are using at this moment, so that whoever replaces one knows when it may go.
// The scheme and its proof are in spec/decisions/0014-reclamation.md.
#ifndef FUSE_HAZARDS_H
#define FUSE_HAZARDS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/// How many objects a thread can use at once, one inside the other.
enum { fuse_hazard_depth = 7 };

/// What one thread is using: one cache line, to which no other thread writes. (Swift imports no type that states its own
/// alignment.)
typedef struct fuse_hazards {
  const void *_Nullable object[fuse_hazard_depth];
  uint32_t depth;   // how many are in use; for its thread alone
  uint32_t number;  // no other living thread has it, and it is as small as possible
} fuse_hazards;

/// An object that any thread may use, and some thread may replace. It has a cache line of its own, which is written
/// when the object is replaced and never else.
typedef struct fuse_published {
  const void *_Nullable object;
  // Readers fence each time: where the system has no barrier that the replacing thread can make for them.
  bool reader_fences;
} fuse_published;

/// This thread's hazards, once it has used an object.
extern _Thread_local fuse_hazards *_Nullable fuse_own_hazards
#ifdef __linux__
    __attribute__((tls_model("initial-exec")))
#endif
    ;

/// Gives this thread its hazards, until it ends. Returns NULL when memory is short.
fuse_hazards *_Nullable fuse_hazards_make(void);

/// This thread's number, from 0; below the greatest number of threads that lived at once. 0 when memory is short.
static inline uint32_t fuse_thread_number(void) {
  fuse_hazards *hazards = fuse_own_hazards ? fuse_own_hazards : fuse_hazards_make();
  return hazards ? hazards->number : 0;
}

/// Makes what readers use. Returns NULL when memory is short.
fuse_published *_Nullable fuse_published_make(const void *_Nonnull object, bool reader_fences);

/// Frees what `fuse_published_make` made. Nobody may be using it.
void fuse_published_free(fuse_published *_Nonnull published);

/// Begins to use the object: until `fuse_leave`, `fuse_is_used` is true of it. Returns NULL, and begins nothing, when this
/// thread uses too many already.
static inline __attribute__((always_inline)) const void *_Nullable fuse_enter(const fuse_published *_Nonnull published) {
  fuse_hazards *hazards = fuse_own_hazards;
  if (__builtin_expect(!hazards, 0)) hazards = fuse_hazards_make();
  if (__builtin_expect(!hazards || hazards->depth == fuse_hazard_depth, 0)) return NULL;
  const void **place = &hazards->object[hazards->depth];
  const void *object = __atomic_load_n(&published->object, __ATOMIC_ACQUIRE);
  for (;;) {
    __atomic_store_n(place, object, __ATOMIC_RELAXED);
    // The compiler keeps the order; the processor, for which the replacing thread makes a barrier, need not.
    __atomic_signal_fence(__ATOMIC_SEQ_CST);
    if (__builtin_expect(published->reader_fences, 0)) __atomic_thread_fence(__ATOMIC_SEQ_CST);
    const void *still = __atomic_load_n(&published->object, __ATOMIC_ACQUIRE);
    if (__builtin_expect(still == object, 1)) break;
    object = still;
  }
  hazards->depth += 1;
  return object;
}

/// Ends what the last `fuse_enter` of this thread began, which returned `object`. Returns whether the object has been
/// replaced: then `fuse_is_used` has to be asked again.
///
/// It is no inline function: what Swift's compiler can see to release nothing, it moves retains across.
bool fuse_leave(const fuse_published *_Nonnull published, const void *_Nonnull object);

/// Replaces the object. Readers that enter from now on use the new one. Returns false when the barrier failed: `fuse_is_used`
/// says nothing then about objects that were replaced until now, until `fuse_barrier` returns true.
bool fuse_replace(fuse_published *_Nonnull published, const void *_Nonnull object);

/// Makes what all threads have written visible to this one. Returns false when the system cannot.
bool fuse_barrier(const fuse_published *_Nonnull published);

/// Whether a thread uses the object, which was replaced before the last barrier.
bool fuse_is_used(const void *_Nonnull object);

/// `swift_retain`, as a call that the compiler knows nothing about.
void fuse_retain(const void *_Nonnull object);

#endif
