#if !__has_include(<libdeflate.h>)
#error "libdeflate.h not found: apt-get install libdeflate-dev"
#endif
#include <libdeflate.h>
