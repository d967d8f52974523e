#include "CFuseCrypto.h"

#if !__has_include(<openssl/evp.h>)
#error "openssl/evp.h not found: apt-get install libssl-dev"
#endif
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/rand.h>
#include <pthread.h>

static pthread_once_t is_begun = PTHREAD_ONCE_INIT;
#ifdef FUSE_OPENS_LATE
// In libfusedb.so: opened by the first call, as libcurl is, which brings it. See CFuseTransfer.c.
#include <dlfcn.h>
#define FUNCTIONS(DO) \
  DO(EVP_DigestFinal_ex) DO(EVP_DigestInit_ex) DO(EVP_DigestSign) DO(EVP_DigestSignInit) DO(EVP_DigestUpdate) DO(EVP_DigestVerify) \
  DO(EVP_DigestVerifyInit) DO(EVP_MD_CTX_copy_ex) DO(EVP_MD_CTX_free) DO(EVP_MD_CTX_new) DO(EVP_PKEY_free) \
  DO(EVP_PKEY_get_raw_public_key) DO(EVP_PKEY_new_raw_private_key) DO(EVP_PKEY_new_raw_public_key) DO(EVP_blake2b512) DO(EVP_sha256) \
  DO(OPENSSL_init_crypto) DO(RAND_bytes)
#define POINTER(name) __typeof__(name) *name;
static struct {
  FUNCTIONS(POINTER)
} late;
#define FIND(name) && (*(void **)&late.name = dlsym(library, #name)) != NULL
static int is_open;
static void open_library(void) {
  void *library = dlopen(fuse_crypto_library, RTLD_NOW | RTLD_LOCAL);
  is_open = library != NULL FUNCTIONS(FIND);
  // See keep_crypto in CFuseTransfer.c.
  if (is_open) late.OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL);
}
int fuse_crypto_is_there(void) {
  pthread_once(&is_begun, open_library);
  return is_open;
}
#define EVP_DigestFinal_ex late.EVP_DigestFinal_ex
#define EVP_DigestInit_ex late.EVP_DigestInit_ex
#define EVP_DigestSign late.EVP_DigestSign
#define EVP_DigestSignInit late.EVP_DigestSignInit
#define EVP_DigestUpdate late.EVP_DigestUpdate
#define EVP_DigestVerify late.EVP_DigestVerify
#define EVP_DigestVerifyInit late.EVP_DigestVerifyInit
#define EVP_MD_CTX_copy_ex late.EVP_MD_CTX_copy_ex
#define EVP_MD_CTX_free late.EVP_MD_CTX_free
#define EVP_MD_CTX_new late.EVP_MD_CTX_new
#define EVP_PKEY_free late.EVP_PKEY_free
#define EVP_PKEY_get_raw_public_key late.EVP_PKEY_get_raw_public_key
#define EVP_PKEY_new_raw_private_key late.EVP_PKEY_new_raw_private_key
#define EVP_PKEY_new_raw_public_key late.EVP_PKEY_new_raw_public_key
#define EVP_blake2b512 late.EVP_blake2b512
#define EVP_sha256 late.EVP_sha256
#define RAND_bytes late.RAND_bytes
#else
static void begin_library(void) { OPENSSL_init_crypto(OPENSSL_INIT_NO_ATEXIT, NULL); }
int fuse_crypto_is_there(void) {
  pthread_once(&is_begun, begin_library);
  return 1;
}
#endif

// A fuse_digest is libcrypto's context under another name.
static EVP_MD_CTX *context_of(const fuse_digest *digest) { return (EVP_MD_CTX *)digest; }

static fuse_digest *begin(const EVP_MD *kind) {
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  if (context != NULL && EVP_DigestInit_ex(context, kind, NULL) == 1) return (fuse_digest *)context;
  EVP_MD_CTX_free(context);
  return NULL;
}

fuse_digest *fuse_sha256_begin(void) { return fuse_crypto_is_there() ? begin(EVP_sha256()) : NULL; }
fuse_digest *fuse_blake2b_begin(void) { return fuse_crypto_is_there() ? begin(EVP_blake2b512()) : NULL; }

int fuse_digest_add(fuse_digest *digest, const void *bytes, size_t count) {
  return EVP_DigestUpdate(context_of(digest), bytes, count) == 1;
}

int fuse_digest_value(const fuse_digest *digest, uint8_t *value) {
  EVP_MD_CTX *copy = EVP_MD_CTX_new();
  int is_made = copy != NULL && EVP_MD_CTX_copy_ex(copy, context_of(digest)) == 1 && EVP_DigestFinal_ex(copy, value, NULL) == 1;
  EVP_MD_CTX_free(copy);
  return is_made;
}

int fuse_digest_take(fuse_digest *digest, uint8_t *value) {
  // Without a kind, the context begins with the one that it had, which need not be looked for.
  return EVP_DigestFinal_ex(context_of(digest), value, NULL) == 1 && EVP_DigestInit_ex(context_of(digest), NULL, NULL) == 1;
}

void fuse_digest_free(fuse_digest *digest) { EVP_MD_CTX_free(context_of(digest)); }

int fuse_random(uint8_t *bytes, size_t count) { return fuse_crypto_is_there() && RAND_bytes(bytes, (int)count) == 1; }

int fuse_public_key(const uint8_t *seed, uint8_t *key) {
  if (!fuse_crypto_is_there()) return 0;
  EVP_PKEY *pair = EVP_PKEY_new_raw_private_key(EVP_PKEY_ED25519, NULL, seed, fuse_seed_size);
  size_t size = fuse_public_key_size;
  int is_made = pair != NULL && EVP_PKEY_get_raw_public_key(pair, key, &size) == 1;
  EVP_PKEY_free(pair);
  return is_made;
}

int fuse_sign(const uint8_t *seed, const uint8_t *message, size_t count, uint8_t *signature) {
  if (!fuse_crypto_is_there()) return 0;
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
  if (!fuse_crypto_is_there()) return 0;
  EVP_PKEY *public_key = EVP_PKEY_new_raw_public_key(EVP_PKEY_ED25519, NULL, key, fuse_public_key_size);
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  int holds = public_key != NULL && context != NULL && EVP_DigestVerifyInit(context, NULL, NULL, NULL, public_key) == 1 &&
              EVP_DigestVerify(context, signature, fuse_signature_size, message, count) == 1;
  EVP_MD_CTX_free(context);
  EVP_PKEY_free(public_key);
  return holds;
}
