#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>
#include <sys/resource.h>
#endif

// The heap that glibc's malloc makes for a thread takes 64 MB of address space, used or not. Where there is little of that, all
// threads share one.
static void share_heap(void) {
#ifdef __GLIBC__
  struct rlimit space;
  if (getrlimit(RLIMIT_AS, &space) == 0 && space.rlim_cur < (rlim_t)1 << 32) mallopt(M_ARENA_MAX, 1);
#endif
}
