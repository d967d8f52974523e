#ifndef CFUSEDIGESTS_H
#define CFUSEDIGESTS_H

#include <stddef.h>
#include <stdint.h>

enum { fuse_digests_value_size = 32 };

/// SHA-256 of a stream and of pieces of it, two at a time by each thread. An instruction for SHA-256 waits for the one before; so two digests that
/// take turns take little more time than one.
typedef struct fuse_digests fuse_digests;

/// Whether the processor has instructions for SHA-256. Without, only libcrypto makes digests.
int fuse_digests_can(void);

/// Begins a stream; NULL where memory is short.
fuse_digests *_Nullable fuse_digests_begin(void);

/// Makes room for the digests of so many pieces, of which none is begun; whether there is memory for it. No thread may work meanwhile.
int fuse_digests_prepare(fuse_digests *_Nonnull digests, size_t count);

/// Makes digests of the pieces that no thread has begun, until there are none left, and feeds `stream` to the stream meanwhile. Several threads may
/// work at the same time, one of them with bytes of the stream.
///
/// A piece ends at each of `ends`, and the next begins there; the first begins at `bytes`.
void fuse_digests_work(
    fuse_digests *_Nonnull digests, const uint8_t *_Nonnull bytes, const size_t *_Nullable ends, const uint8_t *_Nullable stream,
    size_t stream_size);

/// The digests of all pieces, one after the other, once all threads have ended their work.
const uint8_t *_Nullable fuse_digests_values(const fuse_digests *_Nonnull digests);

/// Gives the digest of the stream, and begins another.
void fuse_digests_take(fuse_digests *_Nonnull digests, uint8_t *_Nonnull value);

void fuse_digests_free(fuse_digests *_Nullable digests);

#endif
