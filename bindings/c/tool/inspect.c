/* inspect COOKIE: what it looks like, and with the secret what it is. */
#include <stdlib.h>
#include <string.h>

#include "tool.h"

/* One way to read a token. salt NULL: the dialect's own. */
struct attempt {
  tuile_dialect dialect;
  const char *salt;
  bool timed, json;
};

static const struct attempt attempts[] = {
    {TUILE_DIALECT_DJANGO, "django.contrib.sessions.SessionStore", true, true},
    {TUILE_DIALECT_DJANGO, "django.contrib.sessions.backends.signed_cookies", true, true},
    {TUILE_DIALECT_DJANGO, "django.core.signing", true, true},
    {TUILE_DIALECT_DJANGO, "django.core.signing.TimestampSigner", true, false},
    {TUILE_DIALECT_DJANGO, "django.core.signing.Signer", false, false},
    {TUILE_DIALECT_DJANGO_COOKIE, NULL, true, false},
    {TUILE_DIALECT_FLASK, NULL, true, true},
    {TUILE_DIALECT_ITSDANGEROUS, "itsdangerous", true, true},
    {TUILE_DIALECT_ITSDANGEROUS, "itsdangerous", false, true},
    {TUILE_DIALECT_STARLETTE, NULL, true, true},
    {TUILE_DIALECT_ITSDANGEROUS, "itsdangerous.Signer", true, false},
    {TUILE_DIALECT_ITSDANGEROUS, "itsdangerous.Signer", false, false},
    {TUILE_DIALECT_EXPRESS, NULL, true, true},
    {TUILE_DIALECT_EXPRESS, NULL, true, false},
    {TUILE_DIALECT_COOKIE_SIGNATURE, NULL, true, false},
    {TUILE_DIALECT_KEYGRIP, NULL, true, true},
    {TUILE_DIALECT_RAILS_SIGNED, NULL, true, true},
    {TUILE_DIALECT_RAILS_ENCRYPTED, NULL, true, true},
    {TUILE_DIALECT_GORILLA, NULL, true, true},
    {TUILE_DIALECT_GORILLA, NULL, true, false},
    {TUILE_DIALECT_RACK, NULL, true, true},
    {TUILE_DIALECT_COOKIE_RS_SIGNED, NULL, true, false},
    {TUILE_DIALECT_COOKIE_RS_PRIVATE, NULL, true, false},
    {TUILE_DIALECT_IRON_SESSION, NULL, true, true},
    {TUILE_DIALECT_FERNET, NULL, true, true},
    {TUILE_DIALECT_FERNET, NULL, true, false},
    {TUILE_DIALECT_TORNADO, NULL, true, true},
    {TUILE_DIALECT_TORNADO, NULL, true, false},
    {TUILE_DIALECT_JWT, NULL, true, true},
    {TUILE_DIALECT_HONO, NULL, true, true},
    {TUILE_DIALECT_HONO, NULL, true, false},
    {TUILE_DIALECT_LARAVEL, NULL, true, true},
    {TUILE_DIALECT_LARAVEL, NULL, true, false},
    {TUILE_DIALECT_LARAVEL_GCM, NULL, true, true},
    {TUILE_DIALECT_LARAVEL_GCM, NULL, true, false},
    {TUILE_DIALECT_AUTH_JS, NULL, true, true},
    {TUILE_DIALECT_DATA_PROTECTION, NULL, true, true},
    {TUILE_DIALECT_DATA_PROTECTION, NULL, true, false},
    {TUILE_DIALECT_SEALED, NULL, true, true},
    {TUILE_DIALECT_SEALED, NULL, true, false},
    {TUILE_DIALECT_SIGNED, NULL, true, true},
    {TUILE_DIALECT_SIGNED, NULL, true, false},
};

struct reading {
  const struct attempt *attempt;
  const char *salt;
  struct buffer value;
  tuile_verified verified;
};

static tuile_status read_as(const struct arguments *arguments, const struct attempt *attempt,
                            const tuile_keyring *keyring, tuile_bytes token, struct reading *reading) {
  tuile_signer_config config;
  signer_config(arguments, &config);
  config.dialect = attempt->dialect;
  config.timed = attempt->timed;
  config.keyring = keyring;
  reading->salt = arguments->text[OPT_SALT] ? arguments->text[OPT_SALT] : attempt->salt;
  config.salt = bytes_of(reading->salt);
  /* A secret that is too short for Tuile's own tokens is looked at all the same: nothing is written with it. */
  config.legacy = true;
  int64_t age = option_number(arguments, OPT_MAX_AGE, 0, INT64_C(1) << 40, TUILE_UNSET);
  int64_t now = option_number(arguments, OPT_NOW, 0, INT64_C(1) << 40, TUILE_UNSET);
  tuile_signer *signer;
  tuile_status status;
  /* A dialect that can't use these secrets, or needs a name, did not make the token with them. */
  if (tuile_signer_new(&config, &signer, NULL) != TUILE_OK) return TUILE_BAD_SIGNATURE;
  struct buffer *value = &reading->value;
  if (attempt->json)
    FILLED(status, value,
           tuile_signer_loads(signer, token, age, now, value->data, value->capacity, &value->size,
                              &reading->verified, NULL));
  else
    FILLED(status, value,
           tuile_signer_open(signer, token, age, now, value->data, value->capacity, &value->size,
                              &reading->verified, NULL));
  tuile_signer_free(signer);
  reading->attempt = attempt;
  return status;
}

/* The first way to read the token that its signature agrees with. */
static tuile_status read_any(const struct arguments *arguments, const tuile_keyring *keyring, tuile_bytes token,
                             uint32_t dialects, struct reading *reading) {
  if (arguments->text[OPT_DIALECT]) dialects = UINT32_C(1) << option_choice(arguments, OPT_DIALECT, dialect_names);
  for (size_t i = 0; i < sizeof attempts / sizeof *attempts; i++) {
    if (!(dialects & UINT32_C(1) << attempts[i].dialect)) continue;
    /* With a salt of its own "a:b:signature" may be a text a:b, or a with a time. */
    if (arguments->text[OPT_NO_TIME] && attempts[i].timed && attempts[i].salt) continue;
    tuile_status status = read_as(arguments, &attempts[i], keyring, token, reading);
    if (status == TUILE_OK || status == TUILE_EXPIRED || status == TUILE_E_MEMORY) return status;
  }
  return TUILE_BAD_SIGNATURE;
}

static void out_reading(tuile_status status, const struct reading *reading) {
  out_string("dialect", dialect_names[reading->attempt->dialect]);
  if (reading->salt) out_string("salt", reading->salt);
  out_bool("expired", status == TUILE_EXPIRED);
  if (status != TUILE_OK) return;
  if (reading->attempt->json)
    out_json("value", buffer_bytes(&reading->value));
  else
    out_text("value", buffer_bytes(&reading->value));
  if (reading->verified.timestamp != TUILE_UNSET) out_time("signed", reading->verified.timestamp);
  out_number("secret", (int64_t)reading->verified.key);
}

static int inspect(const struct arguments *arguments) {
  tuile_bytes cookie = input_word(arguments->words[0]), token = cookie;
  tuile_keyring *keyring = input_keyring(arguments);
  struct buffer plain = {0};
  tuile_status status = TUILE_OK;
  if (cookie.size && memchr(cookie.data, '%', cookie.size)) {
    FILLED(status, &plain,
           tuile_cookie_decode(cookie, TUILE_ENCODING_PERCENT, plain.data, plain.capacity, &plain.size, NULL));
    if (status == TUILE_OK) token = buffer_bytes(&plain);
  }
  uint32_t dialects = inspect_shape(token);
  int code = dialects ? EXIT_FINE : EXIT_NO;
  if (keyring && dialects != UINT32_MAX) {
    struct reading reading = {0};
    /* The frameworks percent-encode some of theirs, and their dialects here take them so. */
    status = read_any(arguments, keyring, cookie, dialects, &reading);
    if (status == TUILE_BAD_SIGNATURE && token.data != cookie.data)
      status = read_any(arguments, keyring, token, dialects, &reading);
    out_bool("genuine", status == TUILE_OK || status == TUILE_EXPIRED);
    if (status == TUILE_OK || status == TUILE_EXPIRED) out_reading(status, &reading);
    if (status == TUILE_BAD_SIGNATURE && !arguments->text[OPT_NAME])
      out_string("note", "some dialects need --name, the cookie's name");
    code = status == TUILE_OK ? EXIT_FINE : EXIT_NO;
    free(reading.value.data);
  } else if (dialects != UINT32_MAX && dialects) {
    out_string("note", "not checked: no secret was given");
  }
  tuile_keyring_free(keyring);
  free(plain.data);
  return out_end(code);
}

const struct command inspect_commands[] = {
    {"inspect", "COOKIE|-", "Guess whose a cookie's value is, explain its parts, check it with the secret", 1, 1,
     (OPTIONS_SIGNER & ~BIT(OPT_LEGACY)) | BIT(OPT_NO_TIME) | BIT(OPT_MAX_AGE), inspect},
    {0},
};
