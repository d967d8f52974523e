#include "CFuseCrypto.h"

#if !__has_include(<openssl/evp.h>)
#error "openssl/evp.h not found: apt-get install libssl-dev"
#endif
#include <openssl/evp.h>
#include <openssl/rand.h>

// A fuse_digest is libcrypto's context under another name.
static EVP_MD_CTX *context_of(const fuse_digest *digest) { return (EVP_MD_CTX *)digest; }

static fuse_digest *begin(const EVP_MD *kind) {
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  if (context != NULL && EVP_DigestInit_ex(context, kind, NULL) == 1) return (fuse_digest *)context;
  EVP_MD_CTX_free(context);
  return NULL;
}

fuse_digest *fuse_sha256_begin(void) { return begin(EVP_sha256()); }
fuse_digest *fuse_blake2b_begin(void) { return begin(EVP_blake2b512()); }

int fuse_digest_add(fuse_digest *digest, const void *bytes, size_t count) {
  return EVP_DigestUpdate(context_of(digest), bytes, count) == 1;
}

int fuse_digest_value(const fuse_digest *digest, uint8_t *value) {
  EVP_MD_CTX *copy = EVP_MD_CTX_new();
  int is_made = copy != NULL && EVP_MD_CTX_copy_ex(copy, context_of(digest)) == 1 && EVP_DigestFinal_ex(copy, value, NULL) == 1;
  EVP_MD_CTX_free(copy);
  return is_made;
}

void fuse_digest_free(fuse_digest *digest) { EVP_MD_CTX_free(context_of(digest)); }

int fuse_random(uint8_t *bytes, size_t count) { return RAND_bytes(bytes, (int)count) == 1; }

int fuse_public_key(const uint8_t *seed, uint8_t *key) {
  EVP_PKEY *pair = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, fuse_seed_size);
  size_t size = fuse_public_key_size;
  int is_made = pair != NULL && EVP_PKEY_get_raw_public_key(pair, key, &size) == 1;
  EVP_PKEY_free(pair);
  return is_made;
}

int fuse_sign(const uint8_t *seed, const uint8_t *message, size_t count, uint8_t *signature) {
  EVP_PKEY *pair = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, fuse_seed_size);
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  size_t size = fuse_signature_size;
  int is_made = pair != NULL && context != NULL && EVP_DigestSignInit(context, NULL, NULL, NULL, pair) == 1 &&
                EVP_DigestSign(context, signature, &size, message, count) == 1;
  EVP_MD_CTX_free(context);
  EVP_PKEY_free(pair);
  return is_made;
}

int fuse_signature_holds(const uint8_t *key, const uint8_t *message, size_t count, const uint8_t *signature) {
  EVP_PKEY *public_key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, fuse_public_key_size);
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  int holds = public_key != NULL && context != NULL && EVP_DigestVerifyInit(context, NULL, NULL, NULL, public_key) == 1 &&
              EVP_DigestVerify(context, signature, fuse_signature_size, message, count) == 1;
  EVP_MD_CTX_free(context);
  EVP_PKEY_free(public_key);
  return holds;
}
