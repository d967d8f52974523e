#include <stdint.h>

/// How often this thread has called malloc, calloc or realloc, in whatever library.
uint64_t allocation_count(void);
