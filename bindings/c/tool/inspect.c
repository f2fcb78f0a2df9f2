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
  tuile_verification verified;
  int tried;          /* how many ways to read it the secrets could be tried in */
  tuile_dialect left; /* a dialect that could not be tried, and why */
  tuile_error why;
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
  status = tuile_signer_new(&config, &signer, &reading->why);
  if (status != TUILE_OK) return status;
  struct buffer *value = &reading->value;
  tuile_verification *verified = &reading->verified;
  *verified = (tuile_verification){sizeof *verified, token, age, now, TUILE_UNSET, 0};
  if (attempt->json)
    FILLED(status, value, tuile_token_loads(signer, verified, value->data, value->capacity, &value->size, NULL));
  else
    FILLED(status, value, tuile_token_unsign(signer, verified, value->data, value->capacity, &value->size, NULL));
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
    if (status == TUILE_E_ARGUMENT) reading->left = attempts[i].dialect;
    else reading->tried++;
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
  out_number("secret", (int64_t)reading->verified.secret);
}

/* Says that it is not the secrets', unless that could not be found out. */
static void out_unread(const struct reading *reading) {
  char text[512];
  if (reading->tried) out_bool("genuine", false);
  if (!reading->why.message[0]) return;
  snprintf(text, sizeof text, "not checked as %s: %s", dialect_names[reading->left], reading->why.message);
  out_string("note", text);
}

/* name=value, as a header or a browser's tools have it: the name. What a framework signs may
 * have a = in it, too: it is no cookie's value as a header has it, or begins with base64 and
 * its padding (cookie-rs; a dictionary of Starlette's or Rails'). */
static tuile_bytes take_name(tuile_bytes *cookie) {
  static const char token_signs[] =
      "!#$%&'*+-.^_`|~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
  const char *text = cookie->data, *sign = cookie->size ? memchr(text, '=', cookie->size) : NULL;
  if (!sign || sign == text || sign - text == 43) return (tuile_bytes){NULL, 0};
  size_t size = (size_t)(sign - text), rest = cookie->size - size - 1;
  for (size_t i = size + 1; i < cookie->size; i++)
    if (strchr("\t ;,\"\\", text[i])) return (tuile_bytes){NULL, 0};
  bool dictionary = size >= 2 && text[0] == 'e' && (text[1] == 'y' || text[1] == '3');
  if (rest == 0 || sign[1] == '=' || (dictionary && sign[1] == '.') || strncmp(sign + 1, "--", rest < 2 ? rest : 2) == 0 || strspn(text, token_signs) < size)
    return (tuile_bytes){NULL, 0};
  *cookie = (tuile_bytes){sign + 1, rest};
  return (tuile_bytes){text, size};
}

static int inspect(const struct arguments *given) {
  struct arguments arguments = *given;
  tuile_bytes cookie;
  if (arguments.text[OPT_STORED]) {
    cookie = input_file(arguments.words[0]);
    int code = inspect_stored(&arguments, cookie);
    if (code >= 0) return code;
    if (!is_utf8(cookie)) return answer(TUILE_UNREADABLE, "that is of no form that is known here");
    /* Signed, as Django's own sessions in its table and files are. */
  } else {
    cookie = input_word(arguments.words[0]);
  }
  tuile_bytes name = take_name(&cookie), token = cookie;
  char *own_name = name.size ? strndup(name.data, name.size) : NULL;
  if (own_name && !arguments.text[OPT_NAME]) arguments.text[OPT_NAME] = own_name;
  if (arguments.text[OPT_STORE] && !arguments.text[OPT_STORED]) {
    int code = inspect_in_store(&arguments, bytes_of(arguments.text[OPT_NAME]), cookie);
    free(own_name);
    return code;
  }
  tuile_keyring *keyring = input_keyring(&arguments);
  struct buffer plain = {0};
  tuile_status status = TUILE_OK;
  if (cookie.size && memchr(cookie.data, '%', cookie.size)) {
    FILLED(status, &plain,
           tuile_cookie_decode(cookie, TUILE_ENCODING_PERCENT, plain.data, plain.capacity, &plain.size, NULL));
    if (status == TUILE_OK) token = buffer_bytes(&plain);
  }
  if (own_name) out_string("name", own_name);
  uint32_t dialects = inspect_shape(token);
  int code = dialects ? EXIT_FINE : EXIT_NO;
  if (dialects == UINT32_MAX) {
    out_string("note", "not checked: no secret here can tell");
  } else if (keyring) {
    struct reading reading = {0};
    /* The frameworks percent-encode some of theirs, and their dialects here take them so. */
    status = read_any(&arguments, keyring, cookie, dialects, &reading);
    bool read = status == TUILE_OK || status == TUILE_EXPIRED;
    if (!read && token.data != cookie.data) {
      status = read_any(&arguments, keyring, token, dialects, &reading);
      read = status == TUILE_OK || status == TUILE_EXPIRED;
    }
    if (read) {
      out_bool("genuine", true);
      out_reading(status, &reading);
    } else {
      out_unread(&reading);
    }
    code = status == TUILE_OK ? EXIT_FINE : EXIT_NO;
    free(reading.value.data);
  } else if (dialects) {
    out_string("note", "not checked: no secret was given");
  }
  tuile_keyring_free(keyring);
  free(plain.data);
  free(own_name);
  return out_end(code);
}

const struct command inspect_commands[] = {
    {"inspect", "COOKIE|ID|FILE|-", "Explain a cookie, or what a framework keeps in a store", 1, 1,
     (OPTIONS_SIGNER & ~BIT(OPT_LEGACY)) | BIT(OPT_NO_TIME) | BIT(OPT_MAX_AGE) | BIT(OPT_STORE) | BIT(OPT_STORED), inspect},
    {0},
};
