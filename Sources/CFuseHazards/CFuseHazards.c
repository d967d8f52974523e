#define _GNU_SOURCE
#include "CFuseHazards.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/syscall.h>
// As linux/membarrier.h has them, which a C library other than glibc does not bring.
enum { MEMBARRIER_CMD_PRIVATE_EXPEDITED = 1 << 3, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED = 1 << 4 };
#endif

// Two cache lines, because processors fetch them in pairs.
enum { span = 128 };

_Static_assert(sizeof(fuse_hazards) <= 64, "hazards are one cache line");

extern void *swift_retain(void *object);
extern void swift_release(void *object);

// The hazards of a thread that has none: no hazard pointer is free, and none holds an object.
static fuse_hazards no_hazards = {
    .object = {&no_hazards, &no_hazards, &no_hazards, &no_hazards, &no_hazards, &no_hazards, &no_hazards},
    .number = UINT32_MAX};

_Thread_local fuse_hazards *fuse_own_hazards = &no_hazards;

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
  // A process must register first, and a child process must register again.
  return errno == EPERM && syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0 &&
         syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0;
#else
  return false;
#endif
}

// A child that is forked while another thread is here finds the lock free; arranged before there is another thread.
static void before_fork(void) { pthread_mutex_lock(&lock); }
static void after_fork(void) { pthread_mutex_unlock(&lock); }
__attribute__((constructor)) static void watch_forks(void) { pthread_atfork(before_fork, after_fork, after_fork); }

static void release_record(void *pointer) {
  record *ended = pointer;
  fuse_own_hazards = &no_hazards;
  // A thread that was cancelled inside a read uses nothing any more.
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

static void make_hazards(void) {
  pthread_once(&once, prepare);
  if (!has_key) return;
  pthread_mutex_lock(&lock);
  record *own = take_record();
  pthread_mutex_unlock(&lock);
  if (!own) return;
  if (pthread_setspecific(key, own) != 0) return release_record(own);
  fuse_own_hazards = &own->hazards;
}

uint32_t fuse_hazards_make(void) {
  make_hazards();
  return fuse_own_hazards == &no_hazards ? 0 : fuse_own_hazards->number;
}

fuse_hazard_cell *fuse_hazard_cell_make(fuse_hazard_cell cell) {
  pthread_once(&once, prepare);
  cell.reader_fences |= !has_barrier;
  fuse_hazard_cell *made;
  if (posix_memalign((void **)&made, span, span) != 0) return NULL;
  *made = cell;
  return made;
}

void fuse_hazard_cell_free(fuse_hazard_cell *cell) { free(cell); }

// Keeps the compiler from moving a load before the store that precedes it. The processor may still do so: the replacing
// thread makes a barrier for that, or else this makes a fence.
static void order_for_barrier(const fuse_hazard_cell *cell) {
  fuse_compiler_fence();
  if (cell->reader_fences) __atomic_thread_fence(__ATOMIC_SEQ_CST);
}

// The hazard pointer that holds `object`, NULL for a free one; NULL when there is none.
static const void **hazard_of(const void *object) {
  const void **hazards = fuse_own_hazards->object;
  for (int i = 0; i < fuse_hazard_depth; i++)
    if (hazards[i] == object) return &hazards[i];
  return NULL;
}

const void *fuse_enter(const fuse_hazard_cell *cell) {
  if (fuse_own_hazards == &no_hazards) make_hazards();
  const void **hazard = hazard_of(NULL);
  if (!hazard) return cell->retained(cell->context);
  const void *object = __atomic_load_n(&cell->object, __ATOMIC_ACQUIRE);
  for (bool is_late = false;; is_late = true) {
    // Releasing: a thread that finds this object here may conclude that the one before is no longer used.
    __atomic_store_n(hazard, object, __ATOMIC_RELEASE);
    order_for_barrier(cell);
    const void *still = __atomic_load_n(&cell->object, __ATOMIC_ACQUIRE);
    if (still == object) {
      // A thread that looked in between took the object before for used, and left its release to this thread.
      if (is_late) cell->on_left(cell->context);
      return object;
    }
    object = still;
  }
}

const void *fuse_enter_late(const fuse_hazard_cell *cell) {
  __atomic_store_n(&fuse_own_hazards->object[0], NULL, __ATOMIC_RELEASE);
  const void *object = fuse_enter(cell);
  cell->on_left(cell->context);
  return object;
}

void fuse_left(const fuse_hazard_cell *cell) { cell->on_left(cell->context); }

void fuse_leave(const fuse_hazard_cell *cell, const void *object) {
  const void **hazard = hazard_of(object);
  if (!hazard) return swift_release((void *)object);
  __atomic_store_n(hazard, NULL, __ATOMIC_RELEASE);
  order_for_barrier(cell);
  if (__atomic_load_n(&cell->object, __ATOMIC_RELAXED) != object) cell->on_left(cell->context);
}

bool fuse_barrier(const fuse_hazard_cell *cell) {
  __atomic_thread_fence(__ATOMIC_SEQ_CST);
  return cell->reader_fences || make_barrier();
}

bool fuse_replace(fuse_hazard_cell *cell, const void *object) {
  __atomic_store_n(&cell->object, object, __ATOMIC_RELEASE);
  return fuse_barrier(cell);
}

bool fuse_is_used(const void *object) {
  for (record *each = __atomic_load_n(&records, __ATOMIC_ACQUIRE); each; each = each->next)
    for (int i = 0; i < fuse_hazard_depth; i++)
      if (__atomic_load_n(&each->hazards.object[i], __ATOMIC_ACQUIRE) == object) return true;
  return false;
}

void fuse_retain(const void *object) { swift_retain((void *)object); }
