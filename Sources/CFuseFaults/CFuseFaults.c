#define _GNU_SOURCE
#include "CFuseFaults.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

// Nodes are never freed, only reused, so that the handler may walk the list without a lock.
static fuse_region *regions;
static pthread_mutex_t regions_lock = PTHREAD_MUTEX_INITIALIZER;
static uintptr_t page_size;

// Handlers that were in force when one of the entries below was put before them: entry n before handler n, to which it passes on. Only their
// number changes once they are written.
static struct sigaction foreign[FUSE_FOREIGN_HANDLERS];
static int foreign_count;
static fuse_handler_mode handler_mode = FUSE_HANDLER_IN_FRONT;

// The mark stays for good: damage that was reported once is reported again, also when the bytes come back.
static int64_t mark(fuse_region *region, size_t offset) {
  int64_t known = -1;
  __atomic_compare_exchange_n(&region->fault, &known, (int64_t)offset, 0, __ATOMIC_SEQ_CST, __ATOMIC_SEQ_CST);
  return known < 0 ? (int64_t)offset : known;
}

// Where the page begins that has the last eight of so many bytes: the last, or the one before it.
static size_t live_start(size_t length) { return (length > 8 ? length - 8 : 0) & ~(page_size - 1); }
static size_t live_length(size_t length) { return ((length + page_size - 1) & ~(page_size - 1)) - live_start(length); }

size_t fuse_region_shared_length(const fuse_region *region) { return live_start(region->length); }

int64_t fuse_region_note_change(fuse_region *region) {
  uint64_t tail;
  memcpy(&tail, __atomic_load_n(&region->tail_bytes, __ATOMIC_RELAXED), sizeof tail);
  const void *changed = tail == __atomic_load_n(&region->tail, __ATOMIC_RELAXED)
      ? __atomic_load_n(&region->head_bytes, __ATOMIC_RELAXED) : __atomic_load_n(&region->tail_bytes, __ATOMIC_RELAXED);
  uintptr_t base = __atomic_load_n(&region->base, __ATOMIC_RELAXED), live = __atomic_load_n(&region->live, __ATOMIC_RELAXED);
  size_t length = __atomic_load_n(&region->length, __ATOMIC_RELAXED), in_live = (uintptr_t)changed - live;
  return mark(region, in_live < live_length(length) ? live_start(length) + in_live : (size_t)((uintptr_t)changed - base));
}

// Whether a process sent the signal, and no access of memory caused it.
static int is_from_process(const siginfo_t *info) {
#ifdef __APPLE__
  return info->si_code == 0 || info->si_code >= SI_USER;
#else
  return info->si_code <= 0;
#endif
}

// Does what would have happened if the handler had been called in place of the entry before it.
static void pass_on(int level, int number, siginfo_t *info, void *context) {
  struct sigaction other = foreign[level];
  int is_sent = is_from_process(info);
  if (!(other.sa_flags & SA_SIGINFO) && other.sa_handler == SIG_IGN && is_sent) return;
  if (!(other.sa_flags & SA_SIGINFO) && (other.sa_handler == SIG_DFL || other.sa_handler == SIG_IGN)) {
    // Returning repeats the access, and a signal that a process sent is sent again.
    struct sigaction none = {0};
    none.sa_handler = SIG_DFL;
    sigaction(SIGBUS, &none, NULL);
    if (is_sent) raise(number);
    return;
  }
  if (other.sa_flags & SA_RESETHAND) {
    foreign[level].sa_flags = 0;
    foreign[level].sa_handler = SIG_DFL;
  }
  sigset_t before, own;
  sigemptyset(&own);
  sigaddset(&own, SIGBUS);
  pthread_sigmask(SIG_BLOCK, &other.sa_mask, &before);
  if (other.sa_flags & SA_NODEFER && !sigismember(&other.sa_mask, SIGBUS)) pthread_sigmask(SIG_UNBLOCK, &own, NULL);
  if (other.sa_flags & SA_SIGINFO) other.sa_sigaction(number, info, context);
  else other.sa_handler(number);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
}

static inline __attribute__((always_inline)) void on_bus_error(int level, int number, siginfo_t *info, void *context) {
  uintptr_t address = (uintptr_t)info->si_addr;
  int ours = 0;
  // Sent by a process, not caused by an access: there is no address.
  if (is_from_process(info)) return pass_on(level, number, info, context);
  // A node that another thread is reusing may match by chance; so all that match are marked, never only the first.
  for (fuse_region *r = __atomic_load_n(&regions, __ATOMIC_ACQUIRE); r; r = r->next) {
    size_t length = __atomic_load_n(&r->length, __ATOMIC_ACQUIRE);
    uintptr_t base = __atomic_load_n(&r->base, __ATOMIC_ACQUIRE), live = __atomic_load_n(&r->live, __ATOMIC_ACQUIRE);
    if (!length || (address - base >= length && address - live >= live_length(length))) continue;
    // Before the zero page appears: a thread that reads zeros must find the mark.
    mark(r, address - base < length ? address - base : live_start(length) + (address - live));
    ours = 1;
  }
  if (ours) {
    void *page = (void *)(address & ~(page_size - 1));
    void *zeros = mmap(page, page_size, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    if (zeros != MAP_FAILED) return;
  }
  pass_on(level, number, info, context);
}

// A function for each handler that is passed by: one that calls the function that it found there, or puts it back, has what was below it
// called and not itself.
#define ENTRY(level) \
  static void entry_##level(int number, siginfo_t *info, void *context) { on_bus_error(level, number, info, context); }
ENTRY(0) ENTRY(1) ENTRY(2) ENTRY(3) ENTRY(4) ENTRY(5) ENTRY(6) ENTRY(7)
static void (*const entries[FUSE_FOREIGN_HANDLERS])(int, siginfo_t *, void *) = {
  entry_0, entry_1, entry_2, entry_3, entry_4, entry_5, entry_6, entry_7,
};

// A child that is forked while another thread is here finds the lock free. That is arranged before there is another thread: a fork that had
// begun by then would not know of it.
static void lock_regions(void) { pthread_mutex_lock(&regions_lock); }
static void unlock_regions(void) { pthread_mutex_unlock(&regions_lock); }

__attribute__((constructor)) static void prepare(void) {
  page_size = (uintptr_t)sysconf(_SC_PAGESIZE);
  pthread_atfork(lock_regions, unlock_regions, unlock_regions);
}

static int is_same(const struct sigaction *one, const struct sigaction *other) {
  return one->sa_flags & SA_SIGINFO ? other->sa_flags & SA_SIGINFO && one->sa_sigaction == other->sa_sigaction
                                    : !(other->sa_flags & SA_SIGINFO) && one->sa_handler == other->sa_handler;
}

// Puts an entry in front of the handler that is in force, if it is to be. Each other handler is passed by once, so that two libraries that do
// the same don't do it for ever. The lock is held.
static void install_handler(void) {
  struct sigaction now, action = {0};
  int count = foreign_count;
  if (handler_mode == FUSE_HANDLER_NONE || (handler_mode == FUSE_HANDLER_ONCE && count > 0)) return;
  if (count == FUSE_FOREIGN_HANDLERS || sigaction(SIGBUS, NULL, &now) != 0) return;
  for (int i = 0; i < count; i++) {
    if (is_same(&foreign[i], &now) || (now.sa_flags & SA_SIGINFO && now.sa_sigaction == entries[i])) return;
  }
  // What an entry passes on to stands before it is in force.
  foreign[count] = now;
  action.sa_sigaction = entries[count];
  action.sa_flags = SA_SIGINFO | SA_ONSTACK;
  sigemptyset(&action.sa_mask);
  // Another thread may have installed one meanwhile.
  if (sigaction(SIGBUS, &action, &now) == 0 && !is_same(&foreign[count], &now)) foreign[count] = now;
  foreign_count = count + 1;
}

void fuse_handler_set(fuse_handler_mode mode) {
  pthread_mutex_lock(&regions_lock);
  handler_mode = mode;
  pthread_mutex_unlock(&regions_lock);
}

// Puts a copy of the file's last page in its place, so that a cut inside it takes nothing from an answer: the system fills such a page with
// zeros from the cut to its end, and a reader between the two would find zeros and the file's last bytes. `live` is watched already.
static int copy_last_page(char *base, size_t length, const char *live, int descriptor, fuse_region *node) {
  struct stat status;
  size_t start = live_start(length), count = live_length(length);
  char *copy = mmap(base + start, count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
  if (copy == MAP_FAILED) return -1;
  memcpy(copy, live, count);
  // A file that is being cut is shorter before its bytes are zeros; so what was copied from one that has its length now is whole.
  if (fstat(descriptor, &status) != 0 || status.st_size < 0 || (size_t)status.st_size < length) mark(node, length > 8 ? length - 8 : 0);
  return mprotect(copy, count, PROT_READ);
}

fuse_region *fuse_region_watch(void *base, size_t length, size_t head, int descriptor) {
  size_t start = live_start(length);
  char *live = mmap(NULL, live_length(length), PROT_READ, MAP_SHARED, descriptor, (off_t)start);
  if (live == MAP_FAILED) return NULL;
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
    const char *at_head = length >= head + 8 ? (start == 0 ? live : (const char *)base) + head : live;
    const char *at_tail = live + ((length > 8 ? length - 8 : 0) - start);
    __atomic_store_n(&node->fault, -1, __ATOMIC_RELEASE);
    __atomic_store_n(&node->base, (uintptr_t)base, __ATOMIC_RELEASE);
    __atomic_store_n(&node->live, (uintptr_t)live, __ATOMIC_RELEASE);
    __atomic_store_n(&node->length, length, __ATOMIC_RELEASE);
    __atomic_store_n(&node->head_bytes, at_head, __ATOMIC_RELAXED);
    __atomic_store_n(&node->tail_bytes, at_tail, __ATOMIC_RELAXED);
    if (fresh) __atomic_store_n(&regions, node, __ATOMIC_RELEASE);
  }
  pthread_mutex_unlock(&regions_lock);
  if (!node) {
    munmap(live, live_length(length));
    errno = ENOMEM;
    return NULL;
  }
  // Read under the handler's watch: the file may be cut already.
  uint64_t at_head, at_tail;
  memcpy(&at_head, node->head_bytes, sizeof at_head);
  memcpy(&at_tail, node->tail_bytes, sizeof at_tail);
  __atomic_store_n(&node->ends, at_head ^ at_tail, __ATOMIC_RELAXED);
  __atomic_store_n(&node->tail, at_tail, __ATOMIC_RELAXED);
  if (copy_last_page(base, length, live, descriptor, node) == 0) return node;
  int number = errno;
  fuse_region_release(node);
  errno = number;
  return NULL;
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
  void *live = (void *)region->live;
  size_t length = region->length;
  __atomic_store_n(&region->length, 0, __ATOMIC_RELEASE);
  __atomic_store_n(&region->base, 0, __ATOMIC_RELEASE);
  __atomic_store_n(&region->live, 0, __ATOMIC_RELEASE);
  pthread_mutex_unlock(&regions_lock);
  munmap(live, live_length(length));
}
