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
  const void *_Nullable object[fuse_hazard_depth];  // NULL where nothing is
  uint32_t number;  // no other living thread has it, and it is as small as possible
} fuse_hazards;

/// An object that any thread may use, and some thread may replace. It has a cache line of its own, which is written
/// when the object is replaced and never else.
typedef struct fuse_published {
  const void *_Nullable object;
  // Readers fence each time: where the system has no barrier that the replacing thread can make for them.
  bool reader_fences;
  // Called by a thread that used, or seemed to use, an object which has been replaced meanwhile: `fuse_is_used` may have
  // changed.
  void (*_Nonnull on_left)(void *_Nonnull context);
  void *_Nonnull context;
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
fuse_published *_Nullable fuse_published_make(
    const void *_Nonnull object, bool reader_fences, void (*_Nonnull on_left)(void *_Nonnull), void *_Nonnull context);

/// Frees what `fuse_published_make` made. Nobody may be using it.
void fuse_published_free(fuse_published *_Nonnull published);

// The next two are no inline functions: Swift's compiler moves retains across what it can see to release nothing.

/// Begins to use the object: until `fuse_leave`, `fuse_is_used` is true of it. Returns NULL, and begins nothing, when this
/// thread uses too many already.
const void *_Nullable fuse_enter(const fuse_published *_Nonnull published);

/// Ends what one `fuse_enter` of this thread began, which returned `object`.
void fuse_leave(const fuse_published *_Nonnull published, const void *_Nonnull object);

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
