#include "csystem.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ec.h>
#include <openssl/err.h>
#include <openssl/evp.h>
#include <openssl/param_build.h>

static sys_key *made(const char *kind, OSSL_PARAM *parameters) {
  EVP_PKEY *key = NULL;
  ERR_set_mark();
  EVP_PKEY_CTX *context = parameters ? EVP_PKEY_CTX_new_from_name(NULL, kind, NULL) : NULL;
  if (!context || EVP_PKEY_fromdata_init(context) != 1 ||
      EVP_PKEY_fromdata(context, &key, EVP_PKEY_PUBLIC_KEY, parameters) != 1) {
    EVP_PKEY_free(key);
    key = NULL;
  }
  EVP_PKEY_CTX_free(context);
  ERR_pop_to_mark();
  return key;
}

sys_key *sys_key_p256(const uint8_t point[64]) {
  uint8_t octets[65] = {POINT_CONVERSION_UNCOMPRESSED};
  memcpy(octets + 1, point, 64);
  /* libcrypto takes no point that is not on the curve, and each one that is generates the whole group. */
  OSSL_PARAM parameters[] = {
      OSSL_PARAM_construct_utf8_string(OSSL_PKEY_PARAM_GROUP_NAME, (char *)"prime256v1", 0),
      OSSL_PARAM_construct_octet_string(OSSL_PKEY_PARAM_PUB_KEY, octets, sizeof octets),
      OSSL_PARAM_construct_end(),
  };
  return made("EC", parameters);
}

/* An odd number, without zeros in front: as any product of two odd primes, and any exponent. */
static bool is_odd(sys_bytes number) {
  const uint8_t *octets = number.start;
  return number.size > 0 && octets[0] != 0 && (octets[number.size - 1] & 1);
}

sys_key *sys_key_rsa(sys_bytes modulus, sys_bytes exponent) {
  if (modulus.size > 512 || exponent.size > 8 || !is_odd(modulus) || !is_odd(exponent)) return NULL;
  if (exponent.size == 1 && *(const uint8_t *)exponent.start == 1) return NULL;
  sys_key *key = NULL;
  OSSL_PARAM *parameters = NULL;
  BIGNUM *n = BN_bin2bn(modulus.start, (int)modulus.size, NULL);
  BIGNUM *e = BN_bin2bn(exponent.start, (int)exponent.size, NULL);
  OSSL_PARAM_BLD *builder = OSSL_PARAM_BLD_new();
  if (n && e && builder && BN_num_bits(n) >= 2048 && OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_N, n) == 1 &&
      OSSL_PARAM_BLD_push_BN(builder, OSSL_PKEY_PARAM_RSA_E, e) == 1 &&
      (parameters = OSSL_PARAM_BLD_to_param(builder)))
    key = made("RSA", parameters);
  OSSL_PARAM_free(parameters);
  OSSL_PARAM_BLD_free(builder);
  BN_free(n), BN_free(e);
  return key;
}
