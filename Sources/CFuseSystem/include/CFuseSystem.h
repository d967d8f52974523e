// What Swift's Glibc module lacks: calls that need _GNU_SOURCE, and functions with any number of arguments.
#ifndef CFUSESYSTEM_H
#define CFUSESYSTEM_H

#include <stddef.h>

/// Makes a pipe whose ends, to read and to write, don't block and are closed in a new program; -1 and errno on failure.
int fuse_pipe(int *_Nonnull ends);

/// How many processors this process may run on; at least 1.
int fuse_processor_count(void);

/// How many bytes of address space the stack of a new thread takes.
size_t fuse_stack_size(void);

/// How many columns the terminal at `descriptor` has now; 0 where there is none, or it does not say.
int fuse_terminal_width(int descriptor);

#endif
