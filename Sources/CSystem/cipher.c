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
static pthread_key_t kept_key;
static bool keeps;

/* A thread's contexts, one for each cipher and direction: making one costs more than most tokens. No call here runs
 * anything of the host's, so that none is used twice at once. */
typedef struct contexts {
  EVP_CIPHER_CTX *of[SYS_CIPHERS][2];
} contexts;

static void free_contexts(void *of_thread) {
  contexts *all = of_thread;
  for (int i = 0; i < SYS_CIPHERS; i++)
    for (int j = 0; j < 2; j++) EVP_CIPHER_CTX_free(all->of[i][j]);
  free(all);
}

static void fetch_all(void) {
  for (int i = 0; i < SYS_CIPHERS; i++) fetched[i] = EVP_CIPHER_fetch(NULL, known[i].name, NULL);
  keeps = pthread_key_create(&kept_key, free_contexts) == 0;
}

void sys_ciphers_fetch(void) { pthread_once(&fetching, fetch_all); }

__attribute__((destructor)) static void free_all(void) {
  if (keeps) {
    contexts *all = pthread_getspecific(kept_key);
    /* Other threads that are still there keep theirs, of which nothing is left to run. */
    pthread_key_delete(kept_key);
    keeps = false;
    if (all) free_contexts(all);
  }
  for (int i = 0; i < SYS_CIPHERS; i++) EVP_CIPHER_free(fetched[i]);
}

/* A new context, ready for any key of that cipher. */
static EVP_CIPHER_CTX *make_context(sys_cipher cipher, bool encrypt) {
  EVP_CIPHER_CTX *context = EVP_CIPHER_CTX_new();
  if (!context || EVP_CipherInit_ex2(context, fetched[cipher], NULL, NULL, encrypt, NULL) != 1 ||
      (known[cipher].is_aead && EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_IVLEN, 12, NULL) != 1)) {
    EVP_CIPHER_CTX_free(context);
    return NULL;
  }
  return context;
}

/* The thread's own context; `*is_kept` is whether it stays the thread's. */
static EVP_CIPHER_CTX *context_of(sys_cipher cipher, bool encrypt, bool *is_kept) {
  *is_kept = false;
  contexts *all = keeps ? pthread_getspecific(kept_key) : NULL;
  if (!all && keeps && (all = calloc(1, sizeof *all)) && pthread_setspecific(kept_key, all) != 0) {
    free(all);
    all = NULL;
  }
  if (all && all->of[cipher][encrypt]) {
    *is_kept = true;
    return all->of[cipher][encrypt];
  }
  EVP_CIPHER_CTX *context = make_context(cipher, encrypt);
  if (context && all) all->of[cipher][encrypt] = context, *is_kept = true;
  return context;
}

typedef struct use {
  sys_cipher cipher;
  EVP_CIPHER_CTX *context;
  bool is_kept;
  /* Where a key's own context goes back to. */
  void **place;
} use;

/* In the place of a context that somebody uses. */
static char in_use;

/* The key's own context, which nobody else gets meanwhile; false if another thread has it. After a fork that may be a
 * thread of the parent's: then it is never there, and the thread's own is taken. */
static bool begin_kept(sys_cipher_key with, bool encrypt, use *use) {
  void **place = &with.kept->of[encrypt];
  EVP_CIPHER_CTX *context = __atomic_exchange_n(place, (void *)&in_use, __ATOMIC_ACQUIRE);
  if (context == (void *)&in_use) return false;
  const uint8_t *key = context ? NULL : with.kept->key;
  if (!context) context = make_context(with.cipher, encrypt);
  if (context && EVP_CipherInit_ex2(context, NULL, key, with.iv, encrypt, NULL) != 1) {
    EVP_CIPHER_CTX_free(context);
    context = NULL;
  }
  if (!context) __atomic_store_n(place, NULL, __ATOMIC_RELEASE);
  use->context = context;
  use->place = place;
  return true;
}

void sys_kept_keys_wipe(sys_kept_key *keys, size_t count) {
  for (size_t i = 0; i < count; i++)
    for (int j = 0; j < 2; j++)
      if (keys[i].of[j] != (void *)&in_use) EVP_CIPHER_CTX_free(keys[i].of[j]);
  OPENSSL_cleanse(keys, count * sizeof *keys);
}

static use begin(sys_cipher_key with, bool encrypt) {
  use use = {with.cipher, NULL, false, NULL};
  sys_ciphers_fetch();
  if (!fetched[with.cipher] || (with.kept && begin_kept(with, encrypt, &use))) return use;
  if (with.kept) with.key = with.kept->key;
  use.context = context_of(with.cipher, encrypt, &use.is_kept);
  if (use.context && EVP_CipherInit_ex2(use.context, NULL, with.key, with.iv, encrypt, NULL) != 1) {
    if (!use.is_kept) EVP_CIPHER_CTX_free(use.context);
    use.context = NULL;
  }
  return use;
}

/* In a thread's context nothing stays behind: another key takes the place of this one, with which GCM clears the rest,
 * and a block of zeros that of the text's last block elsewhere. A key's own goes, with what is in it, when the key does. */
static void end(use use) {
  static const uint8_t zeros[32];
  uint8_t block[32];
  int written;
  if (!use.context) return;
  if (use.place) {
    __atomic_store_n(use.place, use.context, __ATOMIC_RELEASE);
    return;
  }
  if (!use.is_kept) {
    EVP_CIPHER_CTX_free(use.context);
    return;
  }
  bool clears_all = known[use.cipher].is_aead && use.cipher != SYS_CHACHA20_POLY1305;
  EVP_CipherInit_ex2(use.context, NULL, zeros, clears_all ? NULL : zeros, -1, NULL);
  if (!clears_all) EVP_CipherUpdate(use.context, block, &written, zeros, 15);
}

bool sys_aead_seal(sys_cipher_key with, sys_bytes ad, sys_bytes in, uint8_t *out, uint8_t tag[16]) {
  if (in.size > INT32_MAX || ad.size > INT32_MAX) return false;
  use use = begin(with, true);
  EVP_CIPHER_CTX *context = use.context;
  int written = 0, rest = 0;
  bool done = context && (ad.size == 0 || EVP_EncryptUpdate(context, NULL, &rest, ad.start, (int)ad.size) == 1) &&
              (in.size == 0 || EVP_EncryptUpdate(context, out, &written, in.start, (int)in.size) == 1) &&
              EVP_EncryptFinal_ex(context, out + written, &rest) == 1 &&
              EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_GET_TAG, 16, tag) == 1;
  end(use);
  return done;
}

int sys_aead_open(sys_cipher_key with, sys_bytes ad, sys_bytes in, uint8_t *out, const uint8_t tag[16]) {
  if (in.size > INT32_MAX || ad.size > INT32_MAX) return -1;
  /* A forged token leaves nothing in the thread's list of errors, which is the host's too. */
  ERR_set_mark();
  use use = begin(with, false);
  EVP_CIPHER_CTX *context = use.context;
  int written = 0, rest = 0;
  uint8_t copy[16];
  memcpy(copy, tag, sizeof copy);
  bool ready = context && (ad.size == 0 || EVP_DecryptUpdate(context, NULL, &rest, ad.start, (int)ad.size) == 1) &&
               (in.size == 0 || EVP_DecryptUpdate(context, out, &written, in.start, (int)in.size) == 1) &&
               EVP_CIPHER_CTX_ctrl(context, EVP_CTRL_AEAD_SET_TAG, 16, copy) == 1;
  /* Nothing of what a wrong tag covers is ever seen. */
  int answer = !ready ? -1 : EVP_DecryptFinal_ex(context, out + written, &rest) == 1 ? 1 : 0;
  if (answer != 1 && in.size > 0) OPENSSL_cleanse(out, in.size);
  end(use);
  ERR_pop_to_mark();
  return answer;
}

ptrdiff_t sys_cipher_run(sys_cipher_key with, bool encrypt, sys_bytes in, uint8_t *out) {
  if (in.size > INT32_MAX - 32) return -1;
  ERR_set_mark();
  use use = begin(with, encrypt);
  EVP_CIPHER_CTX *context = use.context;
  int written = 0, rest = 0;
  bool done = context && (in.size == 0 || EVP_CipherUpdate(context, out, &written, in.start, (int)in.size) == 1);
  /* Of CBC: the padding, which is read only once the MAC was found right. */
  done = done && EVP_CipherFinal_ex(context, out + written, &rest) == 1;
  end(use);
  ERR_pop_to_mark();
  return done ? written + rest : -1;
}
