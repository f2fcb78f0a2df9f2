#include "csystem.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/decoder.h>
#include <openssl/ecdsa.h>
#include <openssl/err.h>
#include <openssl/evp.h>

/* Half of a signature of P-256: r or s. */
enum { HALF = 32 };

static sys_key_kind kind_of(const EVP_PKEY *key) {
  char group[64] = "";
  if (EVP_PKEY_is_a(key, "RSA")) return SYS_KEY_RSA;
  if (EVP_PKEY_is_a(key, "ED25519")) return SYS_KEY_ED25519;
  if (EVP_PKEY_is_a(key, "EC") && EVP_PKEY_get_group_name(key, group, sizeof group, NULL) == 1 &&
      strcmp(group, "prime256v1") == 0)
    return SYS_KEY_P256;
  return SYS_KEY_OTHER;
}

/* Whether there is a private scalar; RSA is only ever verified. */
static bool can_sign(const EVP_PKEY *key, sys_key_kind kind) {
  BIGNUM *scalar = NULL;
  bool found = kind == SYS_KEY_P256 && EVP_PKEY_get_bn_param(key, OSSL_PKEY_PARAM_PRIV_KEY, &scalar) == 1;
  BN_clear_free(scalar);
  return found;
}

sys_key *sys_key_read(const void *pem, size_t size, sys_key_kind *kind, int *bits, bool *is_private) {
  const unsigned char *text = pem;
  EVP_PKEY *key = NULL;
  ERR_set_mark();
  /* Of any kind and in any form that PEM has; without a passphrase, so that nobody is asked for one. */
  OSSL_DECODER_CTX *context = OSSL_DECODER_CTX_new_for_pkey(&key, "PEM", NULL, NULL, 0, NULL, NULL);
  static const unsigned char none[1];
  bool done = context && OSSL_DECODER_CTX_set_passphrase(context, none, 0) == 1 &&
              OSSL_DECODER_from_data(context, &text, &size) == 1;
  OSSL_DECODER_CTX_free(context);
  if (done && key) {
    *kind = kind_of(key);
    *bits = EVP_PKEY_get_bits(key);
    *is_private = can_sign(key, *kind);
  } else {
    EVP_PKEY_free(key);
    key = NULL;
  }
  ERR_pop_to_mark();
  return key;
}

void sys_key_free(sys_key *key) { EVP_PKEY_free(key); }

bool sys_key_sign_p256(sys_key *key, const void *data, size_t size, uint8_t signature[64]) {
  unsigned char der[96];
  const unsigned char *at = der;
  size_t der_size = sizeof der;
  ECDSA_SIG *pair = NULL;
  ERR_set_mark();
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  bool done = context && EVP_DigestSignInit_ex(context, NULL, "SHA256", NULL, NULL, key, NULL) == 1 &&
              EVP_DigestSign(context, der, &der_size, data, size) == 1 &&
              (pair = d2i_ECDSA_SIG(NULL, &at, (long)der_size)) &&
              BN_bn2binpad(ECDSA_SIG_get0_r(pair), signature, HALF) == HALF &&
              BN_bn2binpad(ECDSA_SIG_get0_s(pair), signature + HALF, HALF) == HALF;
  ECDSA_SIG_free(pair);
  EVP_MD_CTX_free(context);
  ERR_pop_to_mark();
  return done;
}

/* The form that libcrypto reads; 0 if it can't be made. */
static size_t as_der(const uint8_t pair[64], unsigned char der[96]) {
  ECDSA_SIG *both = ECDSA_SIG_new();
  BIGNUM *r = BN_bin2bn(pair, HALF, NULL), *s = BN_bin2bn(pair + HALF, HALF, NULL);
  int size = 0;
  if (both && r && s && ECDSA_SIG_set0(both, r, s) == 1) {
    r = s = NULL; /* Its own now. */
    unsigned char *at = der;
    if (i2d_ECDSA_SIG(both, NULL) <= 96) size = i2d_ECDSA_SIG(both, &at);
  }
  BN_free(r), BN_free(s);
  ECDSA_SIG_free(both);
  return size > 0 ? (size_t)size : 0;
}

bool sys_key_verify(sys_key *key, sys_key_kind kind, const void *data, size_t size, const uint8_t *signature,
                    size_t signature_size) {
  unsigned char der[96];
  if (kind != SYS_KEY_RSA && signature_size != 2 * HALF) return false;
  ERR_set_mark();
  if (kind == SYS_KEY_P256) {
    signature_size = as_der(signature, der);
    signature = der;
  }
  EVP_MD_CTX *context = signature_size > 0 ? EVP_MD_CTX_new() : NULL;
  const char *digest = kind == SYS_KEY_ED25519 ? NULL : "SHA256";
  /* PKCS #1 v1.5 is libcrypto's own padding unless another is set. */
  bool right = context && EVP_DigestVerifyInit_ex(context, NULL, digest, NULL, NULL, key, NULL) == 1 &&
               EVP_DigestVerify(context, signature, signature_size, data, size) == 1;
  EVP_MD_CTX_free(context);
  ERR_pop_to_mark();
  return right;
}
