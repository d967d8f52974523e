#if !__has_include(<zstd.h>)
#error "zstd.h not found: apt-get install libzstd-dev"
#endif
#include <zstd.h>
#include <zstd_errors.h>
