#if !__has_include(<lzma.h>)
#error "lzma.h not found: apt-get install liblzma-dev"
#endif
#include <lzma.h>

/// The flags of a decoder: data whose checksum it does not know is refused, not believed. A macro with a cast is no constant
/// in Swift.
static const uint32_t fuse_lzma_flags = LZMA_TELL_UNSUPPORTED_CHECK;
