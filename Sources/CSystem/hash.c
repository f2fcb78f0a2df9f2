#include "csystem.h"

#include <openssl/crypto.h>

static void hash_pad(SHA256_CTX *context, const uint8_t key[64], uint8_t pad) {
  uint8_t block[64];
  for (size_t i = 0; i < sizeof block; i++) block[i] = key[i] ^ pad;
  SHA256_Init(context);
  SHA256_Update(context, block, sizeof block);
  OPENSSL_cleanse(block, sizeof block);
}

void sys_hmac_init(sys_hmac *hmac, const void *key, size_t size) {
  uint8_t block[64] = {0};
  if (size > sizeof block)
    SHA256(key, size, block);
  else if (size > 0)
    memcpy(block, key, size);
  hash_pad(&hmac->inner, block, 0x36);
  hash_pad(&hmac->outer, block, 0x5c);
  OPENSSL_cleanse(block, sizeof block);
}

void sys_hmac_digest(const sys_hmac *hmac, const void *data, size_t size, uint8_t digest[32]) {
  SHA256_CTX context = hmac->inner;
  SHA256_Update(&context, data, size);
  SHA256_Final(digest, &context);
  context = hmac->outer;
  SHA256_Update(&context, digest, 32);
  SHA256_Final(digest, &context);
}

bool sys_equal_constant_time(const void *a, const void *b, size_t size) {
  return CRYPTO_memcmp(a, b, size) == 0;
}

void sys_wipe(void *data, size_t size) {
  if (size > 0) OPENSSL_cleanse(data, size);
}
