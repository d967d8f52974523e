#define _GNU_SOURCE
#include "CFuseSystem.h"

#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <unistd.h>

_Thread_local fuse_ending *fuse_own_ending;

int fuse_pipe(int *ends) { return pipe2(ends, O_CLOEXEC | O_NONBLOCK); }

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

int fuse_processor_count(void) {
  cpu_set_t allowed;
  // Fails where there are more processors than the set has bits.
  if (sched_getaffinity(0, sizeof allowed, &allowed) == 0) return CPU_COUNT(&allowed);
  long online = sysconf(_SC_NPROCESSORS_ONLN);
  return online > 0 ? (int)online : 1;
}
