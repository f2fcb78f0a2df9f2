#include "csystem.h"

#include <openssl/crypto.h>
#include <openssl/err.h>
#include <openssl/evp.h>

/* libcrypto's ciphers by name, looked up once: a look-up costs more than a cookie. */
static const struct {
  const char *name;
  bool is_aead;
} known[SYS_CIPHERS] = {
    [SYS_AES_256_GCM] = {"AES-256-GCM", true}, [SYS_CHACHA20_POLY1305] = {"ChaCha20-Poly1305", true},
    [SYS_AES_128_CTR] = {"AES-128-CTR", false}, [SYS_AES_192_CTR] = {"AES-192-CTR", false},
    [SYS_AES_256_CTR] = {"AES-256-CTR", false}, [SYS_AES_256_CBC] = {"AES-256-CBC", false},
    [SYS_AES_128_CBC] = {"AES-128-CBC", false}, [SYS_AES_192_CBC] = {"AES-192-CBC", false},
    [SYS_AES_128_GCM] = {"AES-128-GCM", true},  [SYS_AES_192_GCM] = {"AES-192-GCM", true},
};
static EVP_CIPHER *fetched[SYS_CIPHERS];
static pthread_once_t fetching = PTHREAD_ONCE_INIT;

static void fetch_all(void) {
  for (int i = 0; i < SYS_CIPHERS; i++) fetched[i] = EVP_CIPHER_fetch(NULL, known[i].name, NULL);
}
__attribute__((destructor)) static void free_all(void) {
  for (int i = 0; i < SYS_CIPHERS; i++) EVP_CIPHER_free(fetched[i]);
}

/* A context of its own for each call: two threads may use one key. */
static EVP_CIPHER_CTX *begin(sys_cipher_key with, bool encrypt) {
  pthread_once(&fetching, fetch_all);
  if (!fetched[with.cipher]) return NULL;
  EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
  if (context && EVP_CipherInit_ex2(context, fetched[with.cipher], NULL, NULL, encrypt, NULL) == 1 &&
      (!known[with.cipher].is_aead || EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_IVLEN, 12, NULL) == 1) &&
      EVP_CipherInit_ex2(context, NULL, with.key, with.iv, encrypt, NULL) == 1)
    return context;
  EVP_CIPHER_CTX_free(context);
  return NULL;
}

bool sys_aead_seal(sys_cipher_key with, sys_bytes ad, sys_bytes in, uint8_t *out, uint8_t tag[16]) {
  if (in.size > INT32_MAX || ad.size > INT32_MAX) return false;
  EVP_CIPHER_CTX *context = begin(with, true);
  int written = 0, rest = 0;
  bool done = context && (ad.size == 0 || EVP_EncryptUpdate(context, NULL, &rest, ad.start, (int)ad.size) == 1) &&
              (in.size == 0 || EVP_EncryptUpdate(context, out, &written, in.start, (int)in.size) == 1) &&
              EVP_EncryptFinal_ex(context, out + written, &rest) == 1 &&
              EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, tag) == 1;
  EVP_CIPHER_CTX_free(context);
  return done;
}

int sys_aead_open(sys_cipher_key with, sys_bytes ad, sys_bytes in, uint8_t *out, const uint8_t tag[16]) {
  if (in.size > INT32_MAX || ad.size > INT32_MAX) return -1;
  /* A forged token leaves nothing in the thread's list of errors, which is the host's too. */
  ERR_set_mark();
  EVP_CIPHER_CTX *context = begin(with, false);
  int written = 0, rest = 0;
  uint8_t copy[16];
  memcpy(copy, tag, sizeof copy);
  bool ready = context && (ad.size == 0 || EVP_DecryptUpdate(context, NULL, &rest, ad.start, (int)ad.size) == 1) &&
               (in.size == 0 || EVP_DecryptUpdate(context, out, &written, in.start, (int)in.size) == 1) &&
               EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, 16, copy) == 1;
  /* Nothing of what a wrong tag covers is ever seen. */
  int answer = !ready ? -1 : EVP_DecryptFinal_ex(context, out + written, &rest) == 1 ? 1 : 0;
  if (answer != 1 && in.size > 0) OPENSSL_cleanse(out, in.size);
  EVP_CIPHER_CTX_free(context);
  ERR_pop_to_mark();
  return answer;
}

ptrdiff_t sys_cipher_run(sys_cipher_key with, bool encrypt, sys_bytes in, uint8_t *out) {
  if (in.size > INT32_MAX - 32) return -1;
  ERR_set_mark();
  EVP_CIPHER_CTX *context = begin(with, encrypt);
  int written = 0, rest = 0;
  bool done = context && (in.size == 0 || EVP_CipherUpdate(context, out, &written, in.start, (int)in.size) == 1);
  /* Of CBC: the padding, which is read only once the MAC was found right. */
  done = done && EVP_CipherFinal_ex(context, out + written, &rest) == 1;
  EVP_CIPHER_CTX_free(context);
  ERR_pop_to_mark();
  return done ? written + rest : -1;
}
