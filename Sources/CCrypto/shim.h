#if !__has_include(<openssl/evp.h>)
#error "openssl/evp.h not found: apt-get install libssl-dev"
#endif
#include <openssl/evp.h>
