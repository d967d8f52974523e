// One small page over HTTP, by libmicrohttpd.
#ifndef CFUSEPAGES_H
#define CFUSEPAGES_H

#include <stddef.h>
#include <stdint.h>

/// A server of one page, with a thread of its own.
typedef struct fuse_page fuse_page;

/// Serves one page at `path`, as `kind`, to GET and HEAD, at a numeric address; all other paths are not found. It is empty at first.
///
/// Returns NULL and sets errno where that cannot be: EINVAL where `host` is no numeric address.
fuse_page *_Nullable fuse_page_serve(
    const char *_Nonnull host, uint16_t port, const char *_Nonnull path, const char *_Nonnull kind);
/// Where it listens: the port that was asked for, or a free one for 0.
uint16_t fuse_page_port(const fuse_page *_Nonnull page);
/// Gives the page another text, which is copied; whether there was memory for it. Any thread.
int fuse_page_set(fuse_page *_Nonnull page, const uint8_t *_Nullable text, size_t size);
/// Ends it.
void fuse_page_end(fuse_page *_Nullable page);

#endif
