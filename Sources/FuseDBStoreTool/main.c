// The main of the program that keeps files, which `fusedb store` becomes.

#include "../FuseDBTool/heap.h"

int fusedb_store_main(int count, const char *const *words);

int main(int count, char **words) {
  share_heap();
  // What is large goes back to the system when it is freed, and leaves no holes: frames of versions come and go. What is smaller stays, for batches of
  // files are many.
#ifdef __GLIBC__
  mallopt(M_MMAP_THRESHOLD, 1 << 20);
  mallopt(M_TRIM_THRESHOLD, 8 << 20);
#endif
  return fusedb_store_main(count, (const char *const *)words);
}
