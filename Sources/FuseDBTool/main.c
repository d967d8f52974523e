// The command's main. In C, because the arguments come in here: the Swift runtime would look for them in /proc/self/maps,
// and finds none where that is missing or a library was preloaded.

#include "heap.h"

int fusedb_main(int count, const char *const *words);

int main(int count, char **words) {
  share_heap();
  return fusedb_main(count, (const char *const *)words);
}
