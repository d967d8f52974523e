// The main of the program that serves over HTTP, which `fusedb` becomes.

#include "../FuseDBTool/heap.h"

int fusedb_serve_main(int count, const char *const *words);

int main(int count, char **words) {
  share_heap();
  return fusedb_serve_main(count, (const char *const *)words);
}
