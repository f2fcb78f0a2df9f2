/* Tuile's signing dialects, the same work as the peers here do, with allocations
 * counted, beside the hashing and sealing alone. */
#define OPENSSL_SUPPRESS_DEPRECATED
#define PEER "tuile"
#include "../peers/peer.h"
#include <openssl/evp.h>
#include <openssl/sha.h>
#include <sys/random.h>
#include <tuile.h>

/* ---- allocations, counted by standing in front of libc's ---- */

static unsigned long allocations;
extern void *__libc_malloc(size_t), *__libc_calloc(size_t, size_t), *__libc_realloc(void *, size_t);

void *malloc(size_t size) { return allocations++, __libc_malloc(size); }
void *calloc(size_t count, size_t size) { return allocations++, __libc_calloc(count, size); }
void *realloc(void *old, size_t size) { return allocations++, __libc_realloc(old, size); }

static void counted(const char *dialect, const char *what, void (*call)(void)) {
  char op[64];
  sprintf(op, "%s %s", dialect, what);
  call();
  unsigned long before = allocations;
  for (int i = 0; i < 1000; i++) call();
  if (allocations != before) printf("# %s allocates %.3f times a call\n", op, (double)(allocations - before) / 1000);
  measure(op, call);
}

/* ---- the dialects ---- */

#define KEY "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ-_" /* 64 bytes, as all peers have. */

static const struct {
  const char *label;
  tuile_dialect dialect;
  const char *block;
} dialects[] = {
    {"django", TUILE_DIALECT_DJANGO, ""},
    {"django-cookie", TUILE_DIALECT_DJANGO_COOKIE, ""},
    {"itsdangerous", TUILE_DIALECT_ITSDANGEROUS, ""},
    {"flask", TUILE_DIALECT_FLASK, ""},
    {"starlette", TUILE_DIALECT_STARLETTE, ""},
    {"cookie-signature", TUILE_DIALECT_COOKIE_SIGNATURE, ""},
    {"express", TUILE_DIALECT_EXPRESS, ""},
    {"keygrip", TUILE_DIALECT_KEYGRIP, ""},
    {"rails-signed", TUILE_DIALECT_RAILS_SIGNED, ""},
    {"rails-encrypted", TUILE_DIALECT_RAILS_ENCRYPTED, ""},
    {"gorilla", TUILE_DIALECT_GORILLA, ""},
    {"gorilla-encrypted", TUILE_DIALECT_GORILLA, "0123456789abcdef0123456789abcdef"},
    {"rack", TUILE_DIALECT_RACK, ""},
    {"cookie-rs-signed", TUILE_DIALECT_COOKIE_RS_SIGNED, ""},
    {"cookie-rs-private", TUILE_DIALECT_COOKIE_RS_PRIVATE, ""},
    {"iron-session", TUILE_DIALECT_IRON_SESSION, ""},
    {"fernet", TUILE_DIALECT_FERNET, ""},
    {"tornado", TUILE_DIALECT_TORNADO, ""},
    {"hono", TUILE_DIALECT_HONO, ""},
    {"jwt", TUILE_DIALECT_JWT, ""},
    {"laravel", TUILE_DIALECT_LARAVEL, ""},
    {"laravel-gcm", TUILE_DIALECT_LARAVEL_GCM, ""},
    {"auth-js", TUILE_DIALECT_AUTH_JS, ""},
    {"data-protection", TUILE_DIALECT_DATA_PROTECTION, ""},
    {"sealed", TUILE_DIALECT_SEALED, ""},
    {"signed", TUILE_DIALECT_SIGNED, ""},
};

static tuile_signer *signer;
static char hundred[100], payload[400], token[2000], out[2000];
static size_t payload_size, token_size, size;

/* The clock is read, as the frameworks do. */
static tuile_status sign_status(void) {
  return tuile_token_sign(signer, &(tuile_signing){sizeof(tuile_signing), (tuile_bytes){hundred, sizeof hundred}, TUILE_UNSET, false}, token, sizeof token, &token_size, NULL);
}
static void sign(void) { MUST(sign_status() == TUILE_OK); }

static tuile_status verify_status(void) {
  tuile_bytes value;
  return tuile_token_verify(signer, &(tuile_verification){sizeof(tuile_verification), (tuile_bytes){token, token_size}, 3600, TUILE_UNSET, 0, 0}, &value, NULL);
}
static void verify(void) { MUST(verify_status() == TUILE_OK); }

/* For tokens that don't hold their text as it is. */
static void open_text(void) {
  MUST(tuile_token_unsign(signer, &(tuile_verification){sizeof(tuile_verification), (tuile_bytes){token, token_size}, 3600, TUILE_UNSET, 0, 0}, out, sizeof out, &size, NULL) == TUILE_OK);
}

static tuile_status dumps_status(void) {
  return tuile_token_dumps(signer, &(tuile_signing){sizeof(tuile_signing), (tuile_bytes){payload, payload_size}, TUILE_UNSET, true}, token, sizeof token, &token_size, NULL);
}
static void dumps(void) { MUST(dumps_status() == TUILE_OK); }

static void loads(void) {
  MUST(tuile_token_loads(signer, &(tuile_verification){sizeof(tuile_verification), (tuile_bytes){token, token_size}, 3600, TUILE_UNSET, 0, 0}, out, sizeof out, &size, NULL) == TUILE_OK);
}

/* ---- the limits ---- */

#define LIMIT_OF(name, CONTEXT, PREFIX, SIZE)                \
  static CONTEXT name##_inner, name##_outer;                 \
  static size_t name##_bytes;                                \
  static void name(void) {                                   \
    unsigned char digest[SIZE];                              \
    CONTEXT context = name##_inner;                          \
    PREFIX##_Update(&context, payload, name##_bytes);        \
    PREFIX##_Final(digest, &context);                        \
    context = name##_outer;                                  \
    PREFIX##_Update(&context, digest, SIZE);                 \
    PREFIX##_Final(digest, &context);                        \
    sink += digest[0];                                       \
  }                                                          \
  static void prepare_##name(void) {                         \
    unsigned char block[64] = {0};                           \
    PREFIX##_Init(&name##_inner), PREFIX##_Init(&name##_outer); \
    PREFIX##_Update(&name##_inner, block, 64);               \
    PREFIX##_Update(&name##_outer, block, 64);               \
  }
LIMIT_OF(sha256_pads, SHA256_CTX, SHA256, 32)
LIMIT_OF(sha1_pads, SHA_CTX, SHA1, 20)

static EVP_CIPHER_CTX *cipher;

/* With the key kept too: a new nonce is what each token needs. */
static void seal(void) {
  unsigned char tag[16], nonce[12] = {0};
  int written, rest;
  MUST(EVP_EncryptInit_ex2(cipher, NULL, NULL, nonce, NULL) == 1 &&
       EVP_EncryptUpdate(cipher, (unsigned char *)out, &written, (unsigned char *)hundred, sizeof hundred) == 1 &&
       EVP_EncryptFinal_ex(cipher, (unsigned char *)out + written, &rest) == 1 &&
       EVP_CIPHER_CTX_ctrl(cipher, EVP_CTRL_AEAD_GET_TAG, sizeof tag, tag) == 1);
  sink += tag[0];
}

static void twelve_random_bytes(void) { MUST(getrandom(out, 12, 0) == 12); }

/* One round of PBKDF2 for 32 bytes is two HMACs; iron-session makes two keys for each token. */
static void two_keys(void) {
  for (int i = 0; i < 4; i++) sha1_pads();
}

static void limits(void) {
  prepare_sha256_pads(), prepare_sha1_pads();
  sha256_pads_bytes = sha1_pads_bytes = 107;
  measure("limit sha256 pads", sha256_pads);
  measure("limit sha1 pads", sha1_pads);
  /* Where base64 is what is signed, 100 bytes have grown. */
  sha256_pads_bytes = 155, sha1_pads_bytes = 260;
  measure("limit sha256 pads, 155 bytes", sha256_pads);
  measure("limit sha1 pads, 260 bytes", sha1_pads);
  cipher = EVP_CIPHER_CTX_new();
  MUST(cipher && EVP_EncryptInit_ex2(cipher, EVP_aes_256_gcm(), (const unsigned char *)KEY, NULL, NULL) == 1);
  measure("limit aes-256-gcm", seal);
  EVP_CIPHER_CTX_free(cipher);
  measure("limit getrandom", twelve_random_bytes);
  sha1_pads_bytes = 68;
  measure("limit two pbkdf2 keys", two_keys);
}

int main(void) {
  printf("# tuile %s, %s\n", tuile_version_string(), OpenSSL_version(OPENSSL_VERSION));
  memset(hundred, 'v', sizeof hundred);
  payload_size = (size_t)sprintf(payload, "{\"_auth_user_id\":\"42\",\"_auth_user_backend\":\"django.contrib.auth.backends.ModelBackend\","
                                          "\"_auth_user_hash\":\"%064d\",\"cart\":[1,2,3,4,5,6,7,8,9],\"language\":\"de\",\"messages\":\"%060d\"}", 7, 8);
  for (size_t i = 0; i < sizeof dialects / sizeof *dialects; i++) {
    tuile_signer_config config = TUILE_SIGNER_CONFIG_INIT;
    const char *label = dialects[i].label;
    config.dialect = dialects[i].dialect, config.secret = TUILE_STR(KEY), config.name = TUILE_STR("session");
    config.block_secret = (tuile_bytes){dialects[i].block, strlen(dialects[i].block)};
    /* Flask and Starlette have salts of their own. */
    if (config.dialect != TUILE_DIALECT_FLASK && config.dialect != TUILE_DIALECT_STARLETTE) config.salt = TUILE_STR("salt");
    if (config.dialect == TUILE_DIALECT_IRON_SESSION) config.lifetime = 14 * 86400;
    if (config.dialect == TUILE_DIALECT_FERNET) config.secret = TUILE_STR("MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dXY=");
    if (config.dialect == TUILE_DIALECT_LARAVEL || config.dialect == TUILE_DIALECT_LARAVEL_GCM) config.secret.size = 32;
    if (config.dialect == TUILE_DIALECT_DATA_PROTECTION)
      config.secret = TUILE_STR("80732141-ec8f-4b80-af9c-c4d2d1ff8901:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlBQkNERUYwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OUFCQ0RFRg==");
    if (config.dialect == TUILE_DIALECT_JWT) config.salt = TUILE_STR("");
    MUST(tuile_signer_new(&config, &signer, NULL) == TUILE_OK);
    if (sign_status() == TUILE_OK) {
      counted(label, "sign", sign);
      counted(label, "verify", verify_status() == TUILE_OK ? verify : open_text);
    }
    if (dumps_status() == TUILE_OK) {
      counted(label, "dumps", dumps);
      counted(label, "loads", loads);
      MUST(size > payload_size - 10 && memcmp(out, "{\"_auth_user_id\":", 17) == 0);
    }
    tuile_signer_free(signer);
  }
  limits();
  return 0;
}
