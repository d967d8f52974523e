// What a program says to valgrind's tool callgrind; without it, nothing.
#ifndef CCALLGRIND_H
#define CCALLGRIND_H

#include <valgrind/callgrind.h>

/// Counts from here on.
static inline void callgrind_begin(void) { CALLGRIND_ZERO_STATS; }
/// Writes down what was counted since, under a name.
static inline void callgrind_end(const char *name) { CALLGRIND_DUMP_STATS_AT(name); }

#endif
