#if !__has_include(<cdb.h>)
#error "cdb.h not found: apt-get install libcdb-dev"
#endif
#include <cdb.h>
