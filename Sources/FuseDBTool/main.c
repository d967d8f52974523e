// The command's main. In C, because the arguments come in here: the Swift runtime would look for them in /proc/self/maps,
// and finds none where that is missing or a library was preloaded.

#include <stdlib.h>
#ifdef __GLIBC__
#include <malloc.h>
#include <sys/resource.h>
#endif

int fusedb_main(int count, const char *const *words);

// The heap that glibc's malloc makes for a thread takes 64 MB of address space, used or not. Where there is little of that, all
// threads share one.
static void share_heap(void) {
#ifdef __GLIBC__
  struct rlimit space;
  if (getrlimit(RLIMIT_AS, &space) == 0 && space.rlim_cur < (rlim_t)1 << 32) mallopt(M_ARENA_MAX, 1);
#endif
}

int main(int count, char **words) {
  share_heap();
  return fusedb_main(count, (const char *const *)words);
}
