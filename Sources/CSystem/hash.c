#include "csystem.h"

#include <openssl/core_names.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <openssl/kdf.h>
#include <openssl/md5.h>
#include <openssl/params.h>

static void start(sys_hash *hash, sys_digest digest) {
  switch (digest) {
    case SYS_SHA1: SHA1_Init(&hash->sha1); break;
    case SYS_SHA256: SHA256_Init(&hash->sha256); break;
    case SYS_SHA384: SHA384_Init(&hash->sha512); break;
    case SYS_SHA512: SHA512_Init(&hash->sha512); break;
  }
}

static void update(sys_hash *hash, sys_digest digest, const void *data, size_t size) {
  switch (digest) {
    case SYS_SHA1: SHA1_Update(&hash->sha1, data, size); break;
    case SYS_SHA256: SHA256_Update(&hash->sha256, data, size); break;
    case SYS_SHA384: SHA384_Update(&hash->sha512, data, size); break;
    case SYS_SHA512: SHA512_Update(&hash->sha512, data, size); break;
  }
}

static void finish(sys_hash *hash, sys_digest digest, uint8_t *out) {
  switch (digest) {
    case SYS_SHA1: SHA1_Final(out, &hash->sha1); break;
    case SYS_SHA256: SHA256_Final(out, &hash->sha256); break;
    case SYS_SHA384: SHA384_Final(out, &hash->sha512); break;
    case SYS_SHA512: SHA512_Final(out, &hash->sha512); break;
  }
}

size_t sys_digest_size(sys_digest digest) {
  return digest == SYS_SHA1 ? 20 : digest == SYS_SHA256 ? 32 : digest == SYS_SHA384 ? 48 : 64;
}

static size_t block_size(sys_digest digest) { return digest == SYS_SHA384 || digest == SYS_SHA512 ? 128 : 64; }

void sys_digest_of(sys_digest digest, const void *data, size_t size, uint8_t *out) {
  sys_hash hash;
  start(&hash, digest);
  update(&hash, digest, data, size);
  finish(&hash, digest, out);
  OPENSSL_cleanse(&hash, sizeof hash);
}

void sys_md5_of(const void *data, size_t size, uint8_t *out) { MD5(data, size, out); }

static void hash_pad(sys_hash *hash, sys_digest digest, const uint8_t key[128], uint8_t pad) {
  uint8_t block[128];
  size_t size = block_size(digest);
  for (size_t i = 0; i < size; i++) block[i] = key[i] ^ pad;
  start(hash, digest);
  update(hash, digest, block, size);
  OPENSSL_cleanse(block, sizeof block);
}

void sys_hmac_init(sys_hmac *hmac, sys_digest digest, const void *key, size_t size) {
  uint8_t block[128] = {0};
  if (size > block_size(digest))
    sys_digest_of(digest, key, size, block);
  else if (size > 0)
    memcpy(block, key, size);
  hmac->digest = digest;
  hash_pad(&hmac->inner, digest, block, 0x36);
  hash_pad(&hmac->outer, digest, block, 0x5c);
  OPENSSL_cleanse(block, sizeof block);
}

void sys_hmac_digest(const sys_hmac *hmac, const void *data, size_t size, uint8_t *out) {
  /* The usual one apart, so that no more state is copied than it has. */
  if (hmac->digest == SYS_SHA256) {
    SHA256_CTX context = hmac->inner.sha256;
    SHA256_Update(&context, data, size);
    SHA256_Final(out, &context);
    context = hmac->outer.sha256;
    SHA256_Update(&context, out, 32);
    SHA256_Final(out, &context);
    return;
  }
  sys_hash hash = hmac->inner;
  update(&hash, hmac->digest, data, size);
  finish(&hash, hmac->digest, out);
  hash = hmac->outer;
  update(&hash, hmac->digest, out, sys_digest_size(hmac->digest));
  finish(&hash, hmac->digest, out);
}

static const EVP_MD *digest_of(sys_digest digest) {
  return digest == SYS_SHA1     ? EVP_sha1()
         : digest == SYS_SHA256 ? EVP_sha256()
         : digest == SYS_SHA384 ? EVP_sha384()
                                : EVP_sha512();
}

bool sys_pbkdf2(sys_digest digest, sys_bytes password, sys_bytes salt, int iterations, uint8_t *out, size_t size) {
  return password.size <= INT32_MAX && salt.size <= INT32_MAX &&
         PKCS5_PBKDF2_HMAC(password.start, (int)password.size, salt.start, (int)salt.size, iterations,
                           digest_of(digest), (int)size, out) == 1;
}

bool sys_hkdf_sha256(bool expand_only, sys_bytes key, sys_bytes info, uint8_t *out, size_t size) {
  EVP_KDF *kdf = EVP_KDF_fetch(NULL, "HKDF", NULL);
  EVP_KDF_CTX *context = kdf ? EVP_KDF_CTX_new(kdf) : NULL;
  int mode = expand_only ? EVP_KDF_HKDF_MODE_EXPAND_ONLY : EVP_KDF_HKDF_MODE_EXTRACT_AND_EXPAND;
  OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_KDF_PARAM_DIGEST, (char *)"SHA256", 0),
      OSSL_PARAM_construct_int(OSSL_KDF_PARAM_MODE, &mode),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_KEY, (void *)key.start, key.size),
      OSSL_PARAM_construct_octet_string(OSSL_KDF_PARAM_INFO, (void *)info.start, info.size),
      OSSL_PARAM_construct_end(),
  };
  bool done = context && EVP_KDF_derive(context, out, size, parameters) == 1;
  EVP_KDF_CTX_free(context);
  EVP_KDF_free(kdf);
  return done;
}

bool sys_equal_constant_time(const void *a, const void *b, size_t size) {
  return CRYPTO_memcmp(a, b, size) == 0;
}

void sys_wipe(void *data, size_t size) {
  if (size > 0) OPENSSL_cleanse(data, size);
}
