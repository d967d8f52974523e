// The main of the program that keeps files, which `fusedb store` becomes.

#include "../FuseDBTool/heap.h"

int fusedb_store_main(int count, const char *const *words);

int main(int count, char **words) {
  share_heap();
  return fusedb_store_main(count, (const char *const *)words);
}
