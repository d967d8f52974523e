// Digests and signatures by OpenSSL's libcrypto, as much as delivery and the store need of it.
#ifndef CFUSECRYPTO_H
#define CFUSECRYPTO_H

#include <stddef.h>
#include <stdint.h>

/// A digest that is being made.
typedef struct fuse_digest fuse_digest;

enum { fuse_sha256_size = 32, fuse_blake2b_size = 64, fuse_seed_size = 32, fuse_public_key_size = 32, fuse_signature_size = 64 };

/// Whether the library is there. It is the program's own, but libfusedb.so opens it with the first of these calls.
int fuse_crypto_is_there(void);
#define fuse_crypto_library "libcrypto.so.3"

/// Begins a SHA-256, or a BLAKE2b of 64 bytes; NULL where memory is short.
fuse_digest *_Nullable fuse_sha256_begin(void);
fuse_digest *_Nullable fuse_blake2b_begin(void);
/// Feeds bytes; whether that worked.
int fuse_digest_add(fuse_digest *_Nonnull digest, const void *_Nullable bytes, size_t count);
/// Gives the digest of what was fed so far, which can go on; whether that worked.
int fuse_digest_value(const fuse_digest *_Nonnull digest, uint8_t *_Nonnull value);
/// Gives the digest of what was fed, and begins anew; whether that worked.
int fuse_digest_take(fuse_digest *_Nonnull digest, uint8_t *_Nonnull value);
void fuse_digest_free(fuse_digest *_Nullable digest);

/// Random bytes for a key; whether there are any.
int fuse_random(uint8_t *_Nonnull bytes, size_t count);
/// Ed25519 (RFC 8032). The public key of a seed, a signature, whether one holds; 0 where libcrypto fails or the signature does not hold.
int fuse_public_key(const uint8_t *_Nonnull seed, uint8_t *_Nonnull key);
int fuse_sign(const uint8_t *_Nonnull seed, const uint8_t *_Nullable message, size_t count, uint8_t *_Nonnull signature);
int fuse_signature_holds(const uint8_t *_Nonnull key, const uint8_t *_Nullable message, size_t count, const uint8_t *_Nonnull signature);

#endif
