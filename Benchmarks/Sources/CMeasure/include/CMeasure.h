#include <stdint.h>

/// How often this thread has called malloc, calloc or realloc, in whatever library.
uint64_t allocation_count(void);

/// What comes later begins when everything before has ended: processors work on several look-ups at once otherwise.
static inline void wait_for_all_before(void) {
#if defined(__x86_64__)
  __builtin_ia32_lfence();
#elif defined(__aarch64__)
  __asm__ volatile("dsb sy\n\tisb" ::: "memory");
#else
#error "say here how to wait on this processor"
#endif
}
