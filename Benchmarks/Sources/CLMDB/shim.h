#if !__has_include(<lmdb.h>)
#error "lmdb.h not found: apt-get install liblmdb-dev"
#endif
#include <lmdb.h>
