/* One secret for several dialects: where what one signs is a token, or a key, of the
 * other, they can't be open at once; where it is not, they can. And a secret for each. */
#include "check.h"

static tuile_error error;

/* A signer as a program sets it up that has one name, one salt and one secret for everything. */
struct kind {
  const char *name;
  tuile_dialect dialect;
  const char *salt;
  tuile_digest digest;
  tuile_derivation derivation;
};

static const struct kind kinds[] = {
    {"django", TUILE_DIALECT_DJANGO, "purpose", 0, 0},
    {"django-cookie", TUILE_DIALECT_DJANGO_COOKIE, "purpose", 0, 0},
    {"itsdangerous", TUILE_DIALECT_ITSDANGEROUS, "itsdangerous.Signer", 0, 0},
    {"itsdangerous-sha256", TUILE_DIALECT_ITSDANGEROUS, "purpose", TUILE_DIGEST_SHA256, 0},
    {"itsdangerous-none", TUILE_DIALECT_ITSDANGEROUS, "purpose", TUILE_DIGEST_SHA1, TUILE_DERIVATION_NONE},
    {"flask", TUILE_DIALECT_FLASK, "", 0, 0},
    {"starlette", TUILE_DIALECT_STARLETTE, "", 0, 0},
    {"cookie-signature", TUILE_DIALECT_COOKIE_SIGNATURE, "", 0, 0},
    {"express", TUILE_DIALECT_EXPRESS, "", 0, 0},
    {"keygrip", TUILE_DIALECT_KEYGRIP, "", 0, 0},
    {"rails-signed", TUILE_DIALECT_RAILS_SIGNED, "", 0, 0},
    {"rails-encrypted", TUILE_DIALECT_RAILS_ENCRYPTED, "", 0, 0},
    {"gorilla", TUILE_DIALECT_GORILLA, "", 0, 0},
    {"rack", TUILE_DIALECT_RACK, "", 0, 0},
    {"cookie-rs-signed", TUILE_DIALECT_COOKIE_RS_SIGNED, "", 0, 0},
    {"cookie-rs-private", TUILE_DIALECT_COOKIE_RS_PRIVATE, "", 0, 0},
    {"iron-session", TUILE_DIALECT_IRON_SESSION, "", 0, 0},
    {"tornado", TUILE_DIALECT_TORNADO, "", 0, 0},
    {"hono", TUILE_DIALECT_HONO, "", 0, 0},
    {"jwt", TUILE_DIALECT_JWT, "", 0, 0},
    {"auth-js", TUILE_DIALECT_AUTH_JS, "", 0, 0},
    {"sealed", TUILE_DIALECT_SEALED, "", 0, 0},
    {"signed", TUILE_DIALECT_SIGNED, "", 0, 0},
};
enum { count = sizeof kinds / sizeof *kinds };

/* What gives what away. With `short`: only if the secret has no more than 32 bytes. */
static const struct {
  const char *one, *other;
  bool when_short;
} pairs[] = {
    /* HMAC-SHA-256 under the secret of any text, among them gorilla's `name|time|value`. */
    {"cookie-signature", "gorilla", false},
    {"express", "gorilla", false},
    /* And of the text that HKDF and PBKDF2 make keys from. */
    {"cookie-signature", "cookie-rs-signed", false},
    {"cookie-signature", "cookie-rs-private", false},
    {"express", "cookie-rs-signed", false},
    {"express", "cookie-rs-private", false},
    {"cookie-signature", "rails-signed", false},
    {"cookie-signature", "rails-encrypted", false},
    {"express", "rails-signed", false},
    {"express", "rails-encrypted", false},
    /* Hono does as Express; and Tornado's signed text begins with 2|. */
    {"hono", "gorilla", false},
    {"hono", "cookie-rs-signed", false},
    {"hono", "cookie-rs-private", false},
    {"hono", "rails-signed", false},
    {"hono", "rails-encrypted", false},
    {"hono", "rack", true},
    {"hono", "tornado", false},
    {"cookie-signature", "tornado", false},
    {"express", "tornado", false},
    {"tornado", "rack", true},
    /* A JWT is a text that begins with an e, with its MAC. */
    {"hono", "jwt", false},
    {"cookie-signature", "jwt", false},
    {"express", "jwt", false},
    {"jwt", "rack", true},
    /* Rack's key for a message is that of a salt in the message, under the first 32 bytes. */
    {"cookie-signature", "rack", true},
    {"express", "rack", true},
    {"gorilla", "rack", true},
    /* iron-session's is HMAC-SHA-1 of a salt in the token, which may begin with `name=`. */
    {"keygrip", "iron-session", false},
    /* Without a derivation itsdangerous signs under the secret itself. */
    {"itsdangerous-none", "iron-session", false},
    {"itsdangerous-none", "keygrip", false},
    {"itsdangerous-none", "flask", false},
    {"itsdangerous-none", "rails-signed", false},
    {"itsdangerous-none", "rails-encrypted", false},
    /* One formula for the key, one salt. */
    {"django", "itsdangerous-sha256", false},
    {"itsdangerous", "starlette", false},
};

static bool expected(const char *a, const char *b, bool is_short) {
  for (size_t i = 0; i < sizeof pairs / sizeof *pairs; i++)
    if ((!strcmp(a, pairs[i].one) && !strcmp(b, pairs[i].other)) || (!strcmp(b, pairs[i].one) && !strcmp(a, pairs[i].other)))
      return !pairs[i].when_short || is_short;
  return false;
}

static tuile_status open_as(const struct kind *kind, tuile_bytes secret, tuile_signer **signer) {
  tuile_signer_config config = TUILE_SIGNER_CONFIG_INIT;
  config.dialect = kind->dialect, config.secret = secret, config.name = text("session");
  config.salt = text(kind->salt), config.digest = kind->digest, config.derivation = kind->derivation;
  return tuile_signer_new(&config, signer, &error);
}

static void each_pair(tuile_bytes secret, bool is_short) {
  for (int i = 0; i < count; i++)
    for (int j = 0; j < count; j++) {
      tuile_signer *one, *other;
      CHECK(open_as(&kinds[i], secret, &one) == TUILE_OK);
      tuile_status status = open_as(&kinds[j], secret, &other);
      bool refused = expected(kinds[i].name, kinds[j].name, is_short);
      if (status != (refused ? TUILE_E_ARGUMENT : TUILE_OK)) fprintf(stderr, "%s, %s: %d\n", kinds[i].name, kinds[j].name, status);
      CHECK(status == (refused ? TUILE_E_ARGUMENT : TUILE_OK));
      tuile_signer_free(one);
      /* Once the first is closed the second opens. */
      if (refused) CHECK(open_as(&kinds[j], secret, &other) == TUILE_OK);
      tuile_signer_free(other);
    }
}

/* The first pair, as it is used: an application signs a text that somebody else chose. */
static void why(void) {
  tuile_bytes secret = text("one secret for everything, of more than thirty-two bytes");
  tuile_signer *express, *gorilla;
  char signed_text[256], raw[256], token[512], value[64];
  size_t size, token_size;
  CHECK(open_as(&kinds[7], secret, &express) == TUILE_OK);
  CHECK(tuile_token_sign(express, &(tuile_signing){sizeof(tuile_signing), text("session|1700000000|YWRtaW4="), 0, false}, signed_text, sizeof signed_text, &size, NULL) == TUILE_OK);
  tuile_signer_free(express);
  /* time|value|MAC */
  char *mac = strrchr((signed_text[size] = 0, signed_text), '.') + 1;
  char padded[64];
  snprintf(padded, sizeof padded, "%s", mac);
  for (char *c = padded; *c; c++) *c = *c == '+' ? '-' : *c == '/' ? '_' : *c;
  int head = snprintf(raw, sizeof raw, "1700000000|YWRtaW4=|");
  CHECK(tuile_cookie_decode(text(padded), TUILE_ENCODING_BASE64URL, raw + head, sizeof raw - (size_t)head, &size, &error) == TUILE_OK);
  tuile_bytes forged = {raw, (size_t)head + size};
  CHECK(tuile_cookie_encode(forged, TUILE_ENCODING_BASE64URL, token, sizeof token, &token_size, &error) == TUILE_OK);
  while (token_size % 4) token[token_size++] = '=';
  CHECK(open_as(&kinds[12], secret, &gorilla) == TUILE_OK);
  tuile_bytes whole = {token, token_size};
  CHECK(tuile_token_unsign(gorilla, &(tuile_verification){sizeof(tuile_verification), whole, TUILE_UNSET, 1700000000, 0, 0}, value, sizeof value, &size, &error) == TUILE_OK);
  CHECK(size == 5);
  CHECK(memcmp(value, "admin", 5) == 0);
  tuile_signer_free(gorilla);
}

/* Managers count, and so does every secret of a ring. */
static void managers(void) {
  tuile_config config = TUILE_CONFIG_INIT;
  tuile_manager *manager;
  tuile_signer *express;
  tuile_bytes secrets[] = {text("one secret for everything, of more than thirty-two bytes"),
                           text("another secret, of more than thirty-two bytes")};
  config.store = text("cookie:gorilla"), config.secret = secrets[0], config.fallbacks = &secrets[1], config.fallback_count = 1;
  CHECK(tuile_manager_open(&config, &manager, &error) == TUILE_OK);
  for (int i = 0; i < 2; i++) CHECK(open_as(&kinds[8], secrets[i], &express) == TUILE_E_ARGUMENT);
  tuile_manager_close(manager);
  CHECK(open_as(&kinds[8], secrets[1], &express) == TUILE_OK);
  CHECK(tuile_manager_open(&config, &manager, &error) == TUILE_E_ARGUMENT);
  CHECK(!strstr(error.message, "everything"));
  tuile_signer_free(express);
}

/* One secret kept, one for each. */
static void derived(void) {
  tuile_bytes secret = text("one secret for everything, of more than thirty-two bytes");
  tuile_signer *signers[count];
  char keys[count][64];
  size_t size;
  for (int i = 0; i < count; i++) {
    CHECK(tuile_secret_derive(secret, text(kinds[i].name), keys[i], sizeof keys[i], &size, &error) == TUILE_OK);
    CHECK(size == 43);
    CHECK(open_as(&kinds[i], (tuile_bytes){keys[i], size}, &signers[i]) == TUILE_OK);
    for (int j = 0; j < i; j++) CHECK(memcmp(keys[i], keys[j], 43) != 0);
  }
  for (int i = 0; i < count; i++) tuile_signer_free(signers[i]);
  CHECK(tuile_secret_derive(secret, text("x"), keys[0], 42, &size, &error) == TUILE_E_SPACE);
  CHECK(size == 43);
  CHECK(tuile_secret_derive(secret, text(""), keys[0], 43, &size, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_secret_derive(text("short"), text("x"), keys[0], 43, &size, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_secret_derive((tuile_bytes){NULL, 40}, text("x"), keys[0], 43, &size, &error) == TUILE_E_ARGUMENT);

  /* Of a ring the derived keys rotate with it. */
  tuile_keyring *old_ring, *ring, *old_keys, *new_keys;
  CHECK(tuile_keyring_new(false, &old_ring, &error) == TUILE_OK);
  CHECK(tuile_keyring_new(false, &ring, &error) == TUILE_OK);
  CHECK(tuile_keyring_add(old_ring, secret, TUILE_SECRET_TEXT, &error) == TUILE_OK);
  CHECK(tuile_keyring_add(ring, text("the next secret, of more than thirty-two bytes"), TUILE_SECRET_TEXT, &error) == TUILE_OK);
  CHECK(tuile_keyring_add(ring, secret, TUILE_SECRET_TEXT, &error) == TUILE_OK);
  CHECK(tuile_keyring_derive(old_ring, text("links"), &old_keys, &error) == TUILE_OK);
  CHECK(tuile_keyring_derive(ring, text("links"), &new_keys, &error) == TUILE_OK);
  size_t keys_count;
  CHECK(tuile_keyring_count(new_keys, &keys_count) == TUILE_OK);
  CHECK(keys_count == 2);
  tuile_signer_config config = TUILE_SIGNER_CONFIG_INIT;
  tuile_signer *before, *after;
  char token[128];
  tuile_bytes value;
  tuile_verification verified;
  config.keyring = old_keys;
  CHECK(tuile_signer_new(&config, &before, &error) == TUILE_OK);
  config.keyring = new_keys;
  CHECK(tuile_signer_new(&config, &after, &error) == TUILE_OK);
  CHECK(tuile_token_sign(before, &(tuile_signing){sizeof(tuile_signing), text("hello"), 0, false}, token, sizeof token, &size, NULL) == TUILE_OK);
  verified = (tuile_verification){sizeof verified, {token, size}, TUILE_UNSET, 0, 0, 0};
  CHECK(tuile_token_verify(after, &verified, &value, NULL) == TUILE_OK);
  CHECK(verified.secret == 1);
  tuile_signer_free(before), tuile_signer_free(after);
  tuile_keyring_free(new_keys), tuile_keyring_free(old_keys), tuile_keyring_free(ring), tuile_keyring_free(old_ring);
}

int main(void) {
  each_pair(text("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+-./"), false);
  each_pair(text("0123456789abcdefghijklmnopqrstuv"), true);
  why();
  managers();
  derived();
  puts("dialects that would give each other away are not open at once");
  return 0;
}
