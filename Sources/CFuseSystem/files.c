#define _GNU_SOURCE
#include "CFuseSystem.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/random.h>
#include <time.h>
#include <sys/xattr.h>
#include <unistd.h>

int fuse_open_unnamed(const char *folder, unsigned mode) {
#ifdef O_TMPFILE
  // Without /proc such a file could never be given a name.
  if (access("/proc/thread-self/fd", X_OK) != 0) {
    errno = EOPNOTSUPP;
    return -1;
  }
  return open(folder, O_TMPFILE | O_RDWR | O_CLOEXEC, mode);
#else
  errno = EOPNOTSUPP;
  return -1;
#endif
}

int fuse_pipe(int *ends) { return pipe2(ends, O_CLOEXEC | O_NONBLOCK); }

static const char access_list[] = "system.posix_acl_access";

ssize_t fuse_read_access_list(const char *path, void *bytes, size_t size) {
  return getxattr(path, access_list, bytes, size);
}

int fuse_give_access_list(int descriptor, const void *bytes, size_t size) {
  return fsetxattr(descriptor, access_list, bytes, size, 0);
}

void fuse_drop_access_list(int descriptor) { fremovexattr(descriptor, access_list); }

int fuse_terminal_width(int descriptor) {
  struct winsize size;
  return ioctl(descriptor, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

uint64_t fuse_random(void) {
  uint64_t bits;
  if (getrandom(&bits, sizeof bits, 0) == sizeof bits) return bits;
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (uint64_t)now.tv_nsec * 0x9E3779B97F4A7C15u ^ (uint64_t)now.tv_sec ^ (uint64_t)getpid() << 40;
}

size_t fuse_stack_size(void) {
  pthread_attr_t attributes;
  size_t size = 0;
  pthread_attr_init(&attributes);
  pthread_attr_getstacksize(&attributes, &size);
  pthread_attr_destroy(&attributes);
  return size;
}

int fuse_processor_count(void) {
  cpu_set_t allowed;
  // Fails where there are more processors than the set has bits.
  if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) return CPU_COUNT(&allowed);
  long online = sysconf(_SC_NPROCESSORS_ONLN);
  return online > 0 ? (int)online : 1;
}
