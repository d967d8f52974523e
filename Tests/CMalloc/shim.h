// What the C library says of its heap; Swift's module of it leaves this header out.
#include <malloc.h>
