#if !__has_include(<msgpack.h>)
#error "msgpack.h not found: apt-get install libmsgpack-dev"
#endif
#include <msgpack.h>
