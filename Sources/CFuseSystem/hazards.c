#define _GNU_SOURCE
#include "fuse_hazards.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>
#ifdef __linux__
#include <linux/membarrier.h>
#include <sys/syscall.h>
#endif

// Two cache lines, because processors fetch them in pairs.
enum { span = 128 };

_Static_assert(sizeof(fuse_hazards) <= 64, "hazards are one cache line");

_Thread_local fuse_hazards *fuse_own_hazards;

typedef struct record record;

// A record is never freed, and is used again when its thread has ended: there are as many as threads lived at once.
struct record {
  fuse_hazards hazards;
  record *next;
  bool is_free;  // under the lock
};

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static record *records;  // changed under the lock, read without
static uint32_t record_count;
static pthread_key_t key;
static pthread_once_t once = PTHREAD_ONCE_INIT;
static bool has_key, has_barrier;

static bool make_barrier(void) {
#ifdef __linux__
  if (syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0) return true;
  // A process must have said before that it will ask for this, and a child of it must say so again.
  return errno == EPERM && syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0 &&
         syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0;
#else
  return false;
#endif
}

static void release_record(void *pointer) {
  record *ended = pointer;
  fuse_own_hazards = NULL;
  // A thread that was ended inside a read uses nothing any more.
  for (int i = 0; i < fuse_hazard_depth; i++) __atomic_store_n(&ended->hazards.object[i], NULL, __ATOMIC_RELEASE);
  pthread_mutex_lock(&lock);
  ended->is_free = true;
  pthread_mutex_unlock(&lock);
}

static void prepare(void) {
  has_key = pthread_key_create(&key, release_record) == 0;
  has_barrier = make_barrier();
}

// The free record with the smallest number, or a new one; NULL when memory is short.
static record *take_record(void) {
  record *found = NULL;
  for (record *each = records; each; each = each->next)
    if (each->is_free) found = each;  // the list begins with the newest
  if (found) {
    found->is_free = false;
    return found;
  }
  if (posix_memalign((void **)&found, span, span) != 0) return NULL;
  *found = (record){.hazards.number = record_count++, .next = records};
  __atomic_store_n(&records, found, __ATOMIC_RELEASE);
  return found;
}

fuse_hazards *fuse_hazards_make(void) {
  pthread_once(&once, prepare);
  if (!has_key) return NULL;
  pthread_mutex_lock(&lock);
  record *own = take_record();
  pthread_mutex_unlock(&lock);
  if (!own) return NULL;
  if (pthread_setspecific(key, own) != 0) {
    release_record(own);
    return NULL;
  }
  return fuse_own_hazards = &own->hazards;
}

fuse_published *fuse_published_make(
    const void *object, bool reader_fences, void (*on_left)(void *), void *context) {
  pthread_once(&once, prepare);
  fuse_published *made;
  if (posix_memalign((void **)&made, span, span) != 0) return NULL;
  *made = (fuse_published){object, reader_fences || !has_barrier, on_left, context};
  return made;
}

void fuse_published_free(fuse_published *published) { free(published); }

// The compiler keeps the order of a store and a load after it; the processor, for which the replacing thread makes a
// barrier, need not.
static inline void order_for_barrier(const fuse_published *published) {
  __atomic_signal_fence(__ATOMIC_SEQ_CST);
  if (__builtin_expect(published->reader_fences, 0)) __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

// A count of the places in use would be simpler. But every read would wait for the store of the one before: 3 ns, where
// a place that is looked at costs a branch, which is foreseen.
static inline const void *use(const fuse_published *published, const void **place) {
  const void *object = __atomic_load_n(&published->object, __ATOMIC_ACQUIRE);
  for (bool is_late = false;; is_late = true) {
    __atomic_store_n(place, object, __ATOMIC_RELAXED);
    order_for_barrier(published);
    const void *still = __atomic_load_n(&published->object, __ATOMIC_ACQUIRE);
    if (__builtin_expect(still == object, 1)) {
      // Whoever looked in between took the object before for used, and left it to this thread.
      if (__builtin_expect(is_late, 0)) published->on_left(published->context);
      return object;
    }
    object = still;
  }
}

static __attribute__((noinline)) const void *enter_nested(const fuse_published *published) {
  fuse_hazards *hazards = fuse_own_hazards ? fuse_own_hazards : fuse_hazards_make();
  if (!hazards) return NULL;
  for (int i = 0; i < fuse_hazard_depth; i++)
    if (!hazards->object[i]) return use(published, &hazards->object[i]);
  return NULL;
}

const void *fuse_enter(const fuse_published *published) {
  fuse_hazards *hazards = fuse_own_hazards;
  if (__builtin_expect(!hazards || hazards->object[0], 0)) return enter_nested(published);
  return use(published, &hazards->object[0]);
}

static inline void end(const fuse_published *published, const void *object, const void **place) {
  __atomic_store_n(place, NULL, __ATOMIC_RELEASE);
  order_for_barrier(published);
  if (__builtin_expect(__atomic_load_n(&published->object, __ATOMIC_RELAXED) != object, 0))
    published->on_left(published->context);
}

// Two uses of one object are alike: it does not matter whose place is cleared first.
static __attribute__((noinline)) void leave_nested(const fuse_published *published, const void *object) {
  const void **place = fuse_own_hazards->object;
  while (*place != object) place++;
  end(published, object, place);
}

void fuse_leave(const fuse_published *published, const void *object) {
  const void **place = fuse_own_hazards->object;
  if (__builtin_expect(*place != object, 0)) return leave_nested(published, object);
  end(published, object, place);
}

bool fuse_barrier(const fuse_published *published) {
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  return published->reader_fences || make_barrier();
}

bool fuse_replace(fuse_published *published, const void *object) {
  __atomic_store_n(&published->object, object, __ATOMIC_RELEASE);
  return fuse_barrier(published);
}

bool fuse_is_used(const void *object) {
  for (record *each = __atomic_load_n(&records, __ATOMIC_ACQUIRE); each; each = each->next)
    for (int i = 0; i < fuse_hazard_depth; i++)
      if (__atomic_load_n(&each->hazards.object[i], __ATOMIC_ACQUIRE) == object) return true;
  return false;
}

extern void *swift_retain(void *object);

void fuse_retain(const void *object) { swift_retain((void *)object); }
