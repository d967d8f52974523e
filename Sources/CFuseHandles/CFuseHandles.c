#include "CFuseHandles.h"

#include <pthread.h>
#include <stdlib.h>

enum { shells_at_once = 64 };

// The queue, first closed first, and what was never used. All under the lock.
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static fuse_shell *first, *last;
static size_t resting;
static fuse_shell *unused;
static size_t unused_count;
// The first shell of each block that was allocated, for those that look for memory that nobody has.
static fuse_shell *blocks;

// A child has the lock open, whatever other threads did when it was made. That is arranged before there are others: a fork that had begun by
// then would not know of it.
static void before_fork(void) { pthread_mutex_lock(&lock); }
static void after_fork(void) { pthread_mutex_unlock(&lock); }
__attribute__((constructor)) static void watch_forks(void) { pthread_atfork(before_fork, after_fork, after_fork); }

static fuse_shell *take(void) {
  if (resting > fuse_shells_at_rest) {
    fuse_shell *shell = first;
    first = shell->next;
    resting -= 1;
    return shell;
  }
  if (unused_count == 0) {
    fuse_shell *made = calloc(shells_at_once, sizeof *made);
    if (made == NULL) return NULL;
    made->next = blocks;
    blocks = made;
    unused = made + 1;
    unused_count = shells_at_once - 1;
  }
  unused_count -= 1;
  return unused++;
}

fuse_shell *fuse_shell_open(uint32_t kind, void *object) {
  pthread_mutex_lock(&lock);
  fuse_shell *shell = take();
  pthread_mutex_unlock(&lock);
  if (shell == NULL) return NULL;
  shell->object = object;
  shell->next = NULL;
  fuse_shell_set_flag(shell, 0);
  __atomic_store_n(&shell->kind, kind, __ATOMIC_RELEASE);
  return shell;
}

int fuse_shell_close(const void *handle, uint32_t kind, void **object) {
  fuse_shell *shell = fuse_shell_of(handle, kind);
  // Of two that close it at once, one does.
  if (shell == NULL || !__atomic_compare_exchange_n(&shell->kind, &kind, 0, 0, __ATOMIC_ACQ_REL, __ATOMIC_RELAXED))
    return 0;
  *object = shell->object;
  shell->object = NULL;
  shell->next = NULL;
  pthread_mutex_lock(&lock);
  if (resting == 0) first = shell; else last->next = shell;
  last = shell;
  resting += 1;
  pthread_mutex_unlock(&lock);
  return 1;
}

void *fuse_memory_grow(void *memory, size_t byte_count) { return realloc(memory, byte_count); }

void fuse_memory_free(void *memory) { free(memory); }
