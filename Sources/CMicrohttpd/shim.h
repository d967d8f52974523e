#if !__has_include(<microhttpd.h>)
#error "microhttpd.h not found: apt-get install libmicrohttpd-dev"
#endif
#include <microhttpd.h>
