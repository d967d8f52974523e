#if !__has_include(<curl/curl.h>)
#error "curl/curl.h not found: apt-get install libcurl4-openssl-dev"
#endif
#include <curl/curl.h>
