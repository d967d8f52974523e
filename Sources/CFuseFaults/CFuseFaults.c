#define _GNU_SOURCE
#include "CFuseFaults.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

// Nodes are never freed, only reused, so that the handler may walk the list without a lock.
static fuse_region *regions;
static pthread_mutex_t regions_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t preparation = PTHREAD_ONCE_INIT;
static uintptr_t page_size;

// Handlers that were in force when this one was put before them, the first one lowest. Only their number changes once they are written.
static struct sigaction foreign[FUSE_FOREIGN_HANDLERS];
static int foreign_count;
static fuse_handler_mode handler_mode = FUSE_HANDLER_IN_FRONT;
static int is_installed;
// Which of them this thread called last. Part of each thread from the start: a handler must not allocate.
static __thread __attribute__((tls_model("initial-exec"))) int level = -1;
// In `si_errno`, which Linux leaves 0: this handler has passed that on.
enum { PASSED_ON = 0x46534442 };

// The mark stays for good: damage that was reported once is reported again, also when the bytes come back.
static int64_t mark(fuse_region *region, size_t offset) {
  int64_t known = -1;
  __atomic_compare_exchange_n(&region->fault, &known, (int64_t)offset, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
  return known < 0 ? (int64_t)offset : known;
}

int64_t fuse_region_note_change(fuse_region *region) {
  uint64_t tail;
  const void *tail_bytes = __atomic_load_n(&region->tail_bytes, __ATOMIC_RELAXED);
  memcpy(&tail, tail_bytes, sizeof tail);
  const void *changed = tail == __atomic_load_n(&region->tail, __ATOMIC_RELAXED)
      ? __atomic_load_n(&region->head_bytes, __ATOMIC_RELAXED) : tail_bytes;
  return mark(region, (size_t)((uintptr_t)changed - __atomic_load_n(&region->base, __ATOMIC_RELAXED)));
}

static void pass_on(int number, siginfo_t *info, void *context) {
  // The one that was called last may call this one, as what was there before it, or put it back and raise the signal once more. Both mean
  // that the one below it is next.
  bool is_again = level >= 0 && (info->si_errno == PASSED_ON || (info->si_code <= 0 && info->si_pid == getpid()));
  int next = is_again ? level - 1 : __atomic_load_n(&foreign_count, __ATOMIC_ACQUIRE) - 1;
  const struct sigaction *other = next >= 0 ? &foreign[next] : NULL;
  level = next;
  info->si_errno = PASSED_ON;
  if (other && other->sa_flags & SA_SIGINFO) {
    other->sa_sigaction(number, info, context);
  } else if (other && other->sa_handler != SIG_DFL && other->sa_handler != SIG_IGN) {
    other->sa_handler(number);
  } else {
    // As if this handler had never been here: returning repeats the access, and a signal that a process sent is sent again.
    struct sigaction none = {0};
    none.sa_handler = other ? other->sa_handler : SIG_DFL;
    sigaction(SIGBUS, &none, NULL);
    if (info->si_code <= 0) raise(number);
  }
}

static void on_bus_error(int number, siginfo_t *info, void *context) {
  uintptr_t address = (uintptr_t)info->si_addr;
  int ours = 0;
  // Sent by a process, not caused by an access: there is no address.
  if (info->si_code <= 0) return pass_on(number, info, context);
  // A node that another thread is reusing may match by chance; so all that match are marked, never only the first.
  for (fuse_region *r = __atomic_load_n(&regions, __ATOMIC_ACQUIRE); r; r = r->next) {
    size_t length = __atomic_load_n(&r->length, __ATOMIC_ACQUIRE);
    uintptr_t base = __atomic_load_n(&r->base, __ATOMIC_ACQUIRE);
    if (address - base >= length) continue;
    // Before the zero page appears: a thread that reads zeros must find the mark.
    mark(r, address - base);
    ours = 1;
  }
  if (ours) {
    void *page = (void *)(address & ~(page_size - 1));
    void *zeros = mmap(page, page_size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    if (zeros != MAP_FAILED) return;
  }
  pass_on(number, info, context);
}

// A child that is forked while another thread is here finds the lock free.
static void lock_regions(void) { pthread_mutex_lock(&regions_lock); }
static void unlock_regions(void) { pthread_mutex_unlock(&regions_lock); }

static void prepare(void) {
  page_size = (uintptr_t)sysconf(_SC_PAGESIZE);
  pthread_atfork(lock_regions, unlock_regions, unlock_regions);
}

static int is_same(const struct sigaction *one, const struct sigaction *other) {
  return one->sa_flags & SA_SIGINFO ? other->sa_flags & SA_SIGINFO && one->sa_sigaction == other->sa_sigaction
                                    : !(other->sa_flags & SA_SIGINFO) && one->sa_handler == other->sa_handler;
}

// Puts the handler in front of the one that is in force, if it is to be. Each other handler is passed by once, so that two libraries that
// do the same don't do it for ever. The lock is held.
static void install_handler(void) {
  struct sigaction now, action = {0};
  if (handler_mode == FUSE_HANDLER_NONE || (handler_mode == FUSE_HANDLER_ONCE && is_installed)) return;
  if (sigaction(SIGBUS, NULL, &now) != 0) return;
  if (now.sa_flags & SA_SIGINFO && now.sa_sigaction == on_bus_error) return;
  for (int i = 0; is_installed && i < foreign_count; i++) {
    if (is_same(&foreign[i], &now)) return;
  }
  if (foreign_count == FUSE_FOREIGN_HANDLERS) return;
  // What this one passes on to stands before it is in force.
  foreign[foreign_count] = now;
  __atomic_store_n(&foreign_count, foreign_count + 1, __ATOMIC_RELEASE);
  action.sa_sigaction = on_bus_error;
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  sigaction(SIGBUS, &action, NULL);
  is_installed = 1;
}

void fuse_handler_set(fuse_handler_mode mode) {
  pthread_once(&preparation, prepare);
  pthread_mutex_lock(&regions_lock);
  handler_mode = mode;
  pthread_mutex_unlock(&regions_lock);
}

fuse_region *fuse_region_watch(const void *base, size_t length, size_t head) {
  pthread_once(&preparation, prepare);
  pthread_mutex_lock(&regions_lock);
  install_handler();
  fuse_region *node = regions;
  while (node && node->length) node = node->next;
  int fresh = node == NULL;
  if (fresh) {
    node = calloc(1, sizeof *node);
    if (node) node->next = regions;
  }
  if (node) {
    __atomic_store_n(&node->fault, -1, __ATOMIC_RELEASE);
    __atomic_store_n(&node->base, (uintptr_t)base, __ATOMIC_RELEASE);
    __atomic_store_n(&node->length, length, __ATOMIC_RELEASE);
    const char *start = base;
    __atomic_store_n(&node->head_bytes, start + (length >= head + 8 ? head : 0), __ATOMIC_RELAXED);
    __atomic_store_n(&node->tail_bytes, start + (length > 8 ? length - 8 : 0), __ATOMIC_RELAXED);
    if (fresh) __atomic_store_n(&regions, node, __ATOMIC_RELEASE);
  }
  pthread_mutex_unlock(&regions_lock);
  // Read under the handler's watch: the file may be cut already.
  uint64_t at_head, at_tail;
  if (node) {
    memcpy(&at_head, node->head_bytes, sizeof at_head);
    memcpy(&at_tail, node->tail_bytes, sizeof at_tail);
    __atomic_store_n(&node->ends, at_head ^ at_tail, __ATOMIC_RELAXED);
    __atomic_store_n(&node->tail, at_tail, __ATOMIC_RELAXED);
  }
  return node;
}

// Constant: many threads read it at each look-up, so nothing that is written may share its cache line.
static const fuse_region still = {.fault = -1, .head_bytes = &still.ends, .tail_bytes = &still.tail};

fuse_region *fuse_region_still(void) { return (fuse_region *)&still; }

void fuse_region_touch(fuse_region *region, size_t offset, size_t length) {
  const volatile char *bytes = (const volatile char *)region->base + offset;
  for (size_t i = 0; i < length && __atomic_load_n(&region->fault, __ATOMIC_RELAXED) < 0; i += page_size) (void)bytes[i];
}

void fuse_region_release(fuse_region *region) {
  pthread_mutex_lock(&regions_lock);
  __atomic_store_n(&region->length, 0, __ATOMIC_RELEASE);
  __atomic_store_n(&region->base, 0, __ATOMIC_RELEASE);
  pthread_mutex_unlock(&regions_lock);
}
