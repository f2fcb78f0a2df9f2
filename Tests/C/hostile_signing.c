/* The exports of keys, dialects and state without cookies with what no caller
 * should pass: as hostile.c. */
#include "dialects.h"
#include "hostile.h"

#define STRONG "0123456789abcdef0123456789ABCDEF"

static void keys(const char *folder) {
  tuile_keyring *ring = NULL, *none = NULL;
  size_t size = 77;
  char *exact = guarded(43);
  CHECK(tuile_keyring_new(false, NULL, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_keyring_new(false, &ring, &error) == TUILE_OK);
  CHECK(tuile_keyring_count(ring, &size) == TUILE_OK);
  CHECK(size == 0);
  CHECK(tuile_keyring_count(NULL, &size) == TUILE_E_ARGUMENT);
  CHECK(tuile_keyring_count(ring, NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_keyring_add(none, text(STRONG), TUILE_SECRET_TEXT, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_keyring_add(ring, lie, TUILE_SECRET_TEXT, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_keyring_add(ring, endless, TUILE_SECRET_HEX, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_keyring_add(ring, nothing, TUILE_SECRET_TEXT, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_keyring_add(ring, huge, TUILE_SECRET_BASE64, &error) == TUILE_E_LIMIT);
  CHECK(tuile_keyring_add(ring, text(STRONG), (tuile_secret_format)3, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_keyring_add(ring, text("xyz"), TUILE_SECRET_HEX, &error) == TUILE_E_SYNTAX);
  CHECK(tuile_keyring_add(ring, text("=\n"), TUILE_SECRET_BASE64, &error) == TUILE_E_SYNTAX);
  CHECK(tuile_keyring_add(ring, text("weak"), TUILE_SECRET_TEXT, &error) == TUILE_E_ARGUMENT);
  CHECK(!strstr(error.message, "0123"));
  CHECK(tuile_keyring_add_file(ring, text(folder), TUILE_SECRET_TEXT, &error) == TUILE_E_FILE);
  CHECK(tuile_keyring_add_file(ring, nothing, TUILE_SECRET_TEXT, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_keyring_add_file(ring, text("/nonexistent"), TUILE_SECRET_TEXT, &error) == TUILE_E_FILE);
  CHECK(tuile_keyring_add_file(NULL, text("x"), TUILE_SECRET_TEXT, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_keyring_add_environment(ring, text("TUILE_NO_SUCH_VARIABLE"), TUILE_SECRET_TEXT, &error) == TUILE_ABSENT);
  CHECK(tuile_keyring_add_environment(ring, (tuile_bytes){"A\0B", 3}, TUILE_SECRET_TEXT, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_keyring_add(ring, text(STRONG), TUILE_SECRET_TEXT, NULL) == TUILE_OK);
  CHECK(tuile_keyring_count(ring, &size) == TUILE_OK);
  CHECK(size == 1);
  tuile_keyring_free(ring);
  tuile_keyring_free(NULL);
  CHECK(tuile_secret_generate(exact, 42, &size, NULL) == TUILE_E_SPACE);
  CHECK(size == 43);
  CHECK(untouched(exact, 43));
  CHECK(tuile_secret_generate(NULL, 43, &size, NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_secret_generate(exact, 43, NULL, NULL) == TUILE_OK);
}

static tuile_signer_config of(int dialect) {
  tuile_signer_config config = TUILE_SIGNER_CONFIG_INIT;
  config.dialect = (tuile_dialect)dialect;
  config.secret = secret_of(dialect, 0), config.name = text("name"), config.salt = text("salt"), config.lifetime = 60;
  return config;
}


static void dialects(void) {
  tuile_signer *signer = NULL;
  tuile_signer_config config = of(DIALECTS);
  CHECK(tuile_signer_new(&config, &signer, &error) == TUILE_E_ARGUMENT);
  CHECK(!signer);
  config = of(-1);
  CHECK(tuile_signer_new(&config, &signer, &error) == TUILE_E_ARGUMENT);
  CHECK(!signer);
#define REFUSED(kind, field, what)                                                \
  do {                                                                            \
    config = of(kind);                                                            \
    config.field = what;                                                          \
    tuile_status status_ = tuile_signer_new(&config, &signer, &error);            \
    if (status_ == TUILE_OK) fprintf(stderr, "dialect %d, %s\n", kind, #field);   \
    CHECK(status_ == TUILE_E_ARGUMENT || status_ == TUILE_E_LIMIT);               \
    CHECK(!signer);                                                               \
  } while (0)
  for (int kind = 0; kind < DIALECTS; kind++) {
    REFUSED(kind, size, 3);
    REFUSED(kind, secret, lie);
    REFUSED(kind, secret, nothing);
    REFUSED(kind, name, lie);
    REFUSED(kind, name, huge);
    REFUSED(kind, salt, endless);
    REFUSED(kind, block_secret, lie);
    REFUSED(kind, digest, (tuile_digest)5);
    REFUSED(kind, derivation, (tuile_derivation)5);
    REFUSED(kind, iterations, 0);
    REFUSED(kind, iterations, UINT32_MAX);
    REFUSED(kind, fallback_count, 65);
    REFUSED(kind, leeway, -1);
    REFUSED(kind, leeway, INT64_MAX);
    REFUSED(kind, cipher, (tuile_cipher)5);
    REFUSED(kind, mac_digest, (tuile_digest)5);
    REFUSED(kind, mac_salt, lie);
    REFUSED(kind, mac_salt, text("for AES-256-CBC alone"));
    if (kind != TUILE_DIALECT_RAILS_ENCRYPTED) REFUSED(kind, cipher, TUILE_CIPHER_AES_256_GCM);
    if (kind != TUILE_DIALECT_RAILS_SIGNED) REFUSED(kind, mac_digest, TUILE_DIGEST_SHA1);
    /* A program of 0.1.0 has a smaller struct. */
    config = of(kind), config.size = offsetof(tuile_signer_config, leeway), config.cipher = (tuile_cipher)77;
    CHECK(tuile_signer_new(&config, &signer, &error) == TUILE_OK);
    tuile_signer_free(signer), signer = NULL;
  }
  REFUSED(TUILE_DIALECT_GORILLA, block_secret, text("seventeen bytes.."));
  REFUSED(TUILE_DIALECT_RACK, secret, text("short"));
  REFUSED(TUILE_DIALECT_IRON_SESSION, secret, text("short"));
  REFUSED(TUILE_DIALECT_FERNET, secret, text("short"));
  REFUSED(TUILE_DIALECT_JWT, secret, text("short"));
  REFUSED(TUILE_DIALECT_LARAVEL, secret, text("short"));
  REFUSED(TUILE_DIALECT_LARAVEL_GCM, secret, text("base64:AAAA"));
  REFUSED(TUILE_DIALECT_DATA_PROTECTION, secret, text("<key id='x'>"));
  REFUSED(TUILE_DIALECT_DATA_PROTECTION, salt, nothing);
  REFUSED(TUILE_DIALECT_JWT, digest, TUILE_DIGEST_SHA1);
  REFUSED(TUILE_DIALECT_SEALED, secret, text("short"));
  REFUSED(TUILE_DIALECT_COOKIE_RS_SIGNED, secret, text("short"));
  static const tuile_dialect named[] = {TUILE_DIALECT_DJANGO_COOKIE, TUILE_DIALECT_KEYGRIP, TUILE_DIALECT_RAILS_SIGNED,
                                        TUILE_DIALECT_RAILS_ENCRYPTED, TUILE_DIALECT_GORILLA, TUILE_DIALECT_COOKIE_RS_PRIVATE, TUILE_DIALECT_TORNADO, TUILE_DIALECT_LARAVEL,
                                        TUILE_DIALECT_LARAVEL_GCM, TUILE_DIALECT_AUTH_JS};
  for (size_t i = 0; i < sizeof named / sizeof *named; i++) REFUSED(named[i], name, nothing);
}

/* Every dialect: tokens come back, one byte short is too short, nonsense and
 * 100 MiB are bad signatures or a limit, and no dialect reads another's. */
static void tokens(void) {
  char token[DIALECTS][1024], out[1024];
  size_t size[DIALECTS], got;
  char *vast = malloc(100 << 20);
  CHECK(vast);
  memset(vast, 'A', 100 << 20);
  for (int kind = 0; kind < DIALECTS; kind++) {
    tuile_signer_config config = of(kind);
    tuile_signer *s;
    CHECK(tuile_signer_new(&config, &s, &error) == TUILE_OK);
    bool json = writes_json(kind);
    tuile_status status = json ? tuile_token_dumps(s, &(tuile_signing){sizeof(tuile_signing), text("{\"a\":1}"), 1000, true}, token[kind], sizeof token[kind], &size[kind], &error)
                               : tuile_token_sign(s, &(tuile_signing){sizeof(tuile_signing), text("{\"a\":1}"), 1000, false}, token[kind], sizeof token[kind], &size[kind], NULL);
    CHECK(status == TUILE_OK);
    tuile_bytes made = {token[kind], size[kind]};
    tuile_verification verified;
#define ASKED(bytes, age) (verified = (tuile_verification){sizeof verified, bytes, age, 1010, 0, 0})
#define READ(bytes, age, buffer, capacity)                                                                    \
  (ASKED(bytes, age),                                                                                         \
   (json ? tuile_token_loads : tuile_token_unsign)(s, &verified, buffer, capacity, &got, &error))
    CHECK(READ(made, TUILE_UNSET, out, sizeof out) == TUILE_OK);
    CHECK(memcmp(out, "{\"a\":", 5) == 0);
    CHECK(verified.secret == 0);
    char *exact = guarded(got);
    size_t needed = got;
    CHECK(READ(made, TUILE_UNSET, exact, needed - 1) == TUILE_E_SPACE);
    CHECK(got == needed);
    CHECK(untouched(exact, needed));
    CHECK(READ(made, TUILE_UNSET, exact, needed) == TUILE_OK);
    bool undated = verified.timestamp == TUILE_UNSET;
    CHECK(READ(made, INT64_MIN + 1, out, sizeof out) == (undated ? TUILE_OK : TUILE_EXPIRED));
    CHECK(READ(lie, TUILE_UNSET, out, sizeof out) == TUILE_E_ARGUMENT);
    CHECK(READ(nothing, TUILE_UNSET, out, sizeof out) == TUILE_BAD_SIGNATURE);
    CHECK(READ(((tuile_bytes){vast, 100 << 20}), TUILE_UNSET, out, sizeof out) == TUILE_BAD_SIGNATURE);
    CHECK(READ(text("%%%...---***|||"), TUILE_UNSET, out, sizeof out) == TUILE_BAD_SIGNATURE);
    CHECK(tuile_token_sign(s, &(tuile_signing){sizeof(tuile_signing), (tuile_bytes){vast, 100 << 20}, 1, false}, out, sizeof out, &got, NULL) == TUILE_E_LIMIT);
    CHECK(tuile_token_dumps(s, &(tuile_signing){sizeof(tuile_signing), (tuile_bytes){vast, 100 << 20}, 1, true}, out, sizeof out, &got, &error) == TUILE_E_LIMIT);
    CHECK(tuile_token_sign(NULL, &(tuile_signing){sizeof(tuile_signing), made, 1, false}, out, sizeof out, &got, NULL) == TUILE_E_ARGUMENT);
    CHECK(tuile_token_unsign(NULL, &(tuile_verification){sizeof(tuile_verification), made, 1, 1, 0, 0}, out, sizeof out, &got, &error) == TUILE_E_ARGUMENT);
    if (json) CHECK(tuile_token_dumps(s, &(tuile_signing){sizeof(tuile_signing), text("{"), 1, true}, out, sizeof out, &got, &error) == TUILE_E_SYNTAX);
    /* Times at the ends of what a number holds. */
    for (int end = 0; end < 2; end++) {
      int64_t now = end ? INT64_MAX : INT64_MIN + 1;
      status = tuile_token_sign(s, &(tuile_signing){sizeof(tuile_signing), text("v"), now, false}, out, sizeof out, &got, NULL);
      CHECK(status == TUILE_OK || status == TUILE_E_RANGE || status == TUILE_E_ARGUMENT);
      status = tuile_token_unsign(s, &(tuile_verification){sizeof(tuile_verification), made, 60, now, 0, 0}, out, sizeof out, &got, &error);
      CHECK(status == TUILE_OK || status == TUILE_EXPIRED || status == TUILE_E_TYPE || status == TUILE_E_SYNTAX ||
            (status == TUILE_BAD_SIGNATURE && refuses_the_future(kind) && !end));
    }
    tuile_signer_free(s);
  }
  /* One after the other: with one secret some can't be open at once. */
  for (int to = 0; to < DIALECTS; to++) {
    tuile_signer_config config = of(to);
    tuile_signer *s;
    CHECK(tuile_signer_new(&config, &s, &error) == TUILE_OK);
    for (int from = 0; from < DIALECTS; from++) {
      /* Of one form with the same key: the same thing. */
      bool same = from == to || (from == TUILE_DIALECT_ITSDANGEROUS && to == TUILE_DIALECT_STARLETTE) ||
                  (from == TUILE_DIALECT_STARLETTE && to == TUILE_DIALECT_ITSDANGEROUS);
      tuile_bytes made = {token[from], size[from]};
      if (same) continue;
      CHECK(tuile_token_unsign(s, &(tuile_verification){sizeof(tuile_verification), made, TUILE_UNSET, 1010, 0, 0}, out, sizeof out, &got, &error) != TUILE_OK);
      CHECK(tuile_token_loads(s, &(tuile_verification){sizeof(tuile_verification), made, TUILE_UNSET, 1010, 0, 0}, out, sizeof out, &got, &error) != TUILE_OK);
    }
    tuile_signer_free(s);
  }
  free(vast);
}

static void state(void) {
  tuile_bytes value = {"keep", 4};
  size_t size = 77;
  char *exact = guarded(6), out[512];
  CHECK(tuile_url_write(lie, &(tuile_url_parameter){sizeof(tuile_url_parameter), TUILE_URL_QUERY, text("a"), text("b")}, exact, 6, &size, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_url_write(text("/"), &(tuile_url_parameter){sizeof(tuile_url_parameter), (tuile_url_place)2, text("a"), text("b")}, exact, 6, &size, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_url_write(text("/"), &(tuile_url_parameter){sizeof(tuile_url_parameter), TUILE_URL_QUERY, text("a\n"), text("b")}, exact, 6, &size, &error) == TUILE_E_SYNTAX);
  CHECK(error.offset == 1);
  CHECK(tuile_url_write(text("/"), &(tuile_url_parameter){sizeof(tuile_url_parameter), TUILE_URL_QUERY, text("a"), endless}, exact, 6, &size, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_url_write(text("/ü"), &(tuile_url_parameter){sizeof(tuile_url_parameter), TUILE_URL_QUERY, text("a"), text("b")}, exact, 6, &size, &error) == TUILE_E_SPACE);
  CHECK(size == 7);
  CHECK(untouched(exact, 6));
  CHECK(tuile_url_write(text("/u"), &(tuile_url_parameter){sizeof(tuile_url_parameter), TUILE_URL_QUERY, text("a"), text("b")}, exact, 6, &size, &error) == TUILE_OK);
  CHECK(memcmp(exact, "/u?a=b", 6) == 0);
  CHECK(tuile_url_read(text("/?a=b"), TUILE_URL_QUERY, text("a"), NULL, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_url_read(text("/?b=b"), TUILE_URL_QUERY, text("a"), &value, &error) == TUILE_ABSENT);
  CHECK(equals(value, "keep"));
  CHECK(tuile_url_read(text("/?a=b"), TUILE_URL_QUERY, nothing, &value, &error) == TUILE_E_SYNTAX);

  tuile_signer_config config = of(TUILE_DIALECT_DJANGO);
  tuile_signer *signer = NULL;
  CHECK(tuile_signer_new(&config, &signer, &error) == TUILE_OK);
  tuile_hidden_field field = TUILE_HIDDEN_FIELD_INIT, bad;
  field.name = text("f"), field.form = text("form"), field.session_id = text("key");
  CHECK(tuile_hidden_field_write(NULL, (field.value = text("v"), field.now = 0, &field), out, sizeof out, &size, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_hidden_field_write(signer, NULL, out, sizeof out, &size, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_hidden_field_write(signer, (field.value = text("\xff"), field.now = 0, &field), out, sizeof out, &size, &error) == TUILE_E_SYNTAX);
  bad = field, bad.name = nothing;
  CHECK(tuile_hidden_field_write(signer, (bad.value = text("v"), bad.now = 0, &bad), out, sizeof out, &size, &error) == TUILE_E_ARGUMENT);
  bad = field, bad.size = 1;
  CHECK(tuile_hidden_field_read(signer, (bad.body = text("f=v"), bad.max_age = 0, bad.now = 0, &bad), out, sizeof out, &size, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_hidden_field_read(signer, (field.body = text("f=v"), field.max_age = 0, field.now = 0, &field), out, sizeof out, &size, &error) == TUILE_BAD_SIGNATURE);
  CHECK(tuile_hidden_field_read(signer, (field.body = text("&&=&%&f%"), field.max_age = 0, field.now = 0, &field), out, sizeof out, &size, &error) == TUILE_ABSENT);
  CHECK(tuile_hidden_field_read(signer, (field.body = lie, field.max_age = 0, field.now = 0, &field), out, sizeof out, &size, &error) == TUILE_E_ARGUMENT);
  tuile_signer_free(signer);

  tuile_csrf_request request = TUILE_CSRF_REQUEST_INIT, odd;
  tuile_csrf_reason reason;
  exact = guarded(64);
  CHECK(tuile_csrf_secret(exact, 31, &size, NULL) == TUILE_E_SPACE);
  CHECK(size == 32);
  CHECK(untouched(exact, 64));
  CHECK(tuile_csrf_secret(NULL, 32, &size, NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_csrf_token(lie, exact, 64, &size, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_csrf_token(text("short"), exact, 64, &size, &error) == TUILE_E_SYNTAX);
  CHECK(tuile_csrf_token(text(STRONG), exact, 63, &size, &error) == TUILE_E_SPACE);
  CHECK(size == 64);
  CHECK(untouched(exact, 64));
  CHECK(tuile_csrf_verify(NULL, &reason, &error) == TUILE_E_ARGUMENT);
  odd = request, odd.size = 9;
  CHECK(tuile_csrf_verify(&odd, &reason, &error) == TUILE_E_ARGUMENT);
  odd = request, odd.origin = lie;
  CHECK(tuile_csrf_verify(&odd, &reason, &error) == TUILE_E_ARGUMENT);
  odd = request, odd.trusted_count = 3;
  CHECK(tuile_csrf_verify(&odd, &reason, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_csrf_verify(&request, &reason, &error) == TUILE_REFUSED);
  CHECK(reason == TUILE_CSRF_NO_COOKIE);
  CHECK(tuile_csrf_verify(&request, NULL, NULL) == TUILE_REFUSED);
  for (int i = -1; i < 20; i++) CHECK(*tuile_csrf_reason_message((tuile_csrf_reason)i) != 0);
  CHECK(tuile_session_start(NULL, nothing, nothing, &(tuile_session *){NULL}, NULL) == TUILE_E_ARGUMENT);
}

int main(int argc, char **argv) {
  CHECK(argc > 1);
  keys(argv[1]);
  dialects();
  tokens();
  state();
  return 0;
}
