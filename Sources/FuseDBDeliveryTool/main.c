// The main of the program that publishes and fetches, which `fusedb` becomes.

#include "../FuseDBTool/heap.h"

int fusedb_delivery_main(int count, const char *const *words);

int main(int count, char **words) {
  share_heap();
  return fusedb_delivery_main(count, (const char *const *)words);
}
