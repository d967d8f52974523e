#define _GNU_SOURCE
#include "CFuseSystem.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <sys/ioctl.h>
#include <sys/resource.h>
#include <unistd.h>

_Thread_local fuse_ending *fuse_own_ending;

#ifdef __APPLE__
int fuse_pipe(int *ends) {
  if (pipe(ends) != 0) return -1;
  for (int i = 0; i < 2; i++) {
    fcntl(ends[i], F_SETFD, FD_CLOEXEC);
    fcntl(ends[i], F_SETFL, O_NONBLOCK);
  }
  return 0;
}
#else
int fuse_pipe(int *ends) { return pipe2(ends, O_CLOEXEC | O_NONBLOCK); }
#endif

uint64_t fuse_limit(fuse_limited what) {
  struct rlimit limit;
  int resource = what == FUSE_LIMITED_ADDRESSES ? RLIMIT_AS
               : what == FUSE_LIMITED_DATA ? RLIMIT_DATA
               : what == FUSE_LIMITED_LOCKED ? RLIMIT_MEMLOCK : RLIMIT_NOFILE;
  return getrlimit(resource, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY ? UINT64_MAX : limit.rlim_cur;
}

uint64_t fuse_memory_size(void) {
  long pages = sysconf(_SC_PHYS_PAGES), size = sysconf(_SC_PAGESIZE);
  return pages > 0 && size > 0 ? (uint64_t)pages * (uint64_t)size : 0;
}

// A pthread_t is a number in one C library and a pointer in another.
_Static_assert(sizeof(pthread_t) <= sizeof(uintptr_t), "a thread fits into a word");

uintptr_t fuse_thread_own(void) { return (uintptr_t)pthread_self(); }

// Enough for values that are nested as deep as they may be; musl gives 128 kilobytes, unless it is asked for more.
enum { least_stack_size = 1 << 20 };

int fuse_thread_start(uintptr_t *thread, bool is_detached, void *(*body)(void *), void *context) {
  pthread_attr_t attributes;
  int status = pthread_attr_init(&attributes);
  if (status != 0) return status;
  if (fuse_stack_size() < least_stack_size) pthread_attr_setstacksize(&attributes, least_stack_size);
  sigset_t blocked, before;
  if (is_detached) {
    pthread_attr_setdetachstate(&attributes, PTHREAD_CREATE_DETACHED);
    // A new thread blocks what the one that starts it does.
    const int faults[] = {SIGBUS, SIGSEGV, SIGILL, SIGFPE, SIGTRAP, SIGSYS, SIGABRT};
    sigfillset(&blocked);
    for (size_t i = 0; i < sizeof faults / sizeof *faults; i++) sigdelset(&blocked, faults[i]);
    pthread_sigmask(SIG_BLOCK, &blocked, &before);
  }
  pthread_t made;
  status = pthread_create(&made, &attributes, body, context);
  if (is_detached) pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&attributes);
  if (status == 0) *thread = (uintptr_t)made;
  return status;
}

void fuse_thread_join(uintptr_t thread) { pthread_join((pthread_t)thread, NULL); }

int fuse_terminal_width(int descriptor) {
  struct winsize size;
  return ioctl(descriptor, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

size_t fuse_stack_size(void) {
  pthread_attr_t attributes;
  size_t size = 0;
  pthread_attr_init(&attributes);
  pthread_attr_getstacksize(&attributes, &size);
  pthread_attr_destroy(&attributes);
  return size;
}

void fuse_begin_writing(int descriptor, int64_t offset, int64_t count) {
#ifdef __linux__
  // A hint: what it can't do, the call that makes the file durable does.
  (void)sync_file_range(descriptor, offset, count, SYNC_FILE_RANGE_WRITE);
#else
  (void)descriptor, (void)offset, (void)count;
#endif
}

int fuse_open_past_cache(const char *path) {
#ifdef O_DIRECT
  return open(path, O_WRONLY | O_DIRECT | O_CLOEXEC | O_NOFOLLOW);
#else
  (void)path;
  return -1;
#endif
}

int fuse_open_folder(const char *path) {
#ifdef O_PATH
  return open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
#else
  return open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
#endif
}

int fuse_processor_count(void) {
#ifdef __linux__
  cpu_set_t allowed;
  // Fails where there are more processors than the set has bits.
  if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) return CPU_COUNT(&allowed);
#endif
  long online = sysconf(_SC_NPROCESSORS_ONLN);
  return online > 0 ? (int)online : 1;
}
