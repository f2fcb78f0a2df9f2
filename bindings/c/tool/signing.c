/* keygen, sign, verify, dumps, loads. */
#include <stdlib.h>
#include <string.h>

#include "tool.h"

#include "dialect_table.h"

#define NAME(constant, name, wire, session, rule, salt) [TUILE_DIALECT_##constant] = name,
const char *const dialect_names[] = {DIALECT_TABLE(NAME) NULL};

const char *dialect_salt(tuile_dialect dialect, bool json, bool timed) {
  if (dialect == TUILE_DIALECT_DJANGO && json) return "django.core.signing";
  if (dialect == TUILE_DIALECT_DJANGO)
    return timed ? "django.core.signing.TimestampSigner" : "django.core.signing.Signer";
  if (dialect == TUILE_DIALECT_ITSDANGEROUS) return json ? "itsdangerous" : "itsdangerous.Signer";
  return "";
}

void signer_config(const struct arguments *arguments, tuile_signer_config *config) {
  static const char *const digests[] = {"default", "sha1", "sha256", "sha512", "sha384", NULL};
  static const char *const derivations[] = {"default", "django-concat", "concat", "hmac", "none", NULL};
  tuile_signer_config_init(config, sizeof *config);
  config->dialect = (tuile_dialect)option_choice(arguments, OPT_DIALECT, dialect_names);
  config->timed = !arguments->text[OPT_NO_TIME];
  config->name = option_bytes(arguments, OPT_NAME);
  config->digest = (tuile_digest)option_choice(arguments, OPT_DIGEST, digests);
  config->derivation = (tuile_derivation)option_choice(arguments, OPT_DERIVATION, derivations);
  config->iterations = (uint32_t)option_number(arguments, OPT_ITERATIONS, 1, 10000000, 1000);
  config->lifetime = option_number(arguments, OPT_LIFETIME, 1, INT64_C(1) << 40, TUILE_UNSET);
  bool own = config->dialect == TUILE_DIALECT_SEALED || config->dialect == TUILE_DIALECT_SIGNED;
  config->legacy = arguments->text[own ? OPT_ALLOW_WEAK : OPT_LEGACY] != NULL;
  config->block_secret = input_block_secret(arguments);
}

static int64_t option_now(const struct arguments *arguments) {
  return option_number(arguments, OPT_NOW, 0, INT64_C(1) << 40, TUILE_UNSET);
}

/* The signer that the options describe, or an exit. */
static tuile_signer *make_signer(const struct arguments *arguments, bool json) {
  tuile_signer_config config;
  signer_config(arguments, &config);
  config.salt = arguments->text[OPT_SALT] ? option_bytes(arguments, OPT_SALT)
                                        : bytes_of(dialect_salt(config.dialect, json, config.timed));
  tuile_keyring *keyring = input_keyring(arguments);
  if (!keyring) usage_error("no secret: give --secret-file FILE or the environment variable TUILE_SECRET");
  config.keyring = keyring;
  tuile_signer *signer;
  tuile_error error;
  tuile_status status = tuile_signer_new(&config, &signer, &error);
  tuile_keyring_free(keyring);
  if (status != TUILE_OK) exit(fail(status, &error));
  return signer;
}

static int keygen(const struct arguments *arguments) {
  char key[64];
  size_t size;
  tuile_status status = tuile_secret_generate(key, sizeof key, &size, NULL);
  if (status != TUILE_OK) return fail(status, NULL);
  int code = out_only(arguments->text[OPT_JSON], "key", (tuile_bytes){key, size});
  explicit_bzero(key, sizeof key);
  return code;
}

/* What sign and dumps, and verify and loads, do in common. */
static int write_token(const struct arguments *arguments, bool json) {
  tuile_bytes value = input_word(arguments->words[0]);
  int64_t now = option_now(arguments);
  tuile_signer *signer = make_signer(arguments, json);
  struct buffer token = {0};
  tuile_error error = {0};
  tuile_status status;
  bool compress = arguments->text[OPT_COMPRESS];
  if (json)
    FILLED(status, &token,
           tuile_token_dumps(signer, &(tuile_signing){sizeof(tuile_signing), value, now, compress}, token.data, token.capacity, &token.size, &error));
  else
    FILLED(status, &token, tuile_token_sign(signer, &(tuile_signing){sizeof(tuile_signing), value, now, false}, token.data, token.capacity, &token.size, NULL));
  tuile_signer_free(signer);
  int code = status == TUILE_OK ? out_only(arguments->text[OPT_JSON], "token", buffer_bytes(&token))
                                : fail(status, &error);
  free(token.data);
  return code;
}

static int read_token(const struct arguments *arguments, bool json) {
  tuile_bytes token = input_word(arguments->words[0]);
  int64_t now = option_now(arguments), age = option_number(arguments, OPT_MAX_AGE, 0, INT64_C(1) << 40, TUILE_UNSET);
  tuile_signer *signer = make_signer(arguments, json);
  struct buffer value = {0};
  tuile_verification verified = {sizeof verified, token, age, now, TUILE_UNSET, 0};
  tuile_error error = {0};
  tuile_status status;
  if (json)
    FILLED(status, &value, tuile_token_loads(signer, &verified, value.data, value.capacity, &value.size, &error));
  else
    FILLED(status, &value, tuile_token_unsign(signer, &verified, value.data, value.capacity, &value.size, &error));
  tuile_signer_free(signer);
  int code;
  if (status != TUILE_OK) {
    code = fail(status, &error);
  } else if (!arguments->text[OPT_JSON]) {
    code = out_only(false, "value", buffer_bytes(&value));
  } else {
    if (json)
      out_json("value", buffer_bytes(&value));
    else
      out_text("value", buffer_bytes(&value));
    if (verified.timestamp != TUILE_UNSET) out_time("signed", verified.timestamp);
    out_number("secret", (int64_t)verified.secret);
    code = out_end(EXIT_FINE);
  }
  free(value.data);
  return code;
}

static int sign(const struct arguments *arguments) { return write_token(arguments, false); }
static int dumps(const struct arguments *arguments) { return write_token(arguments, true); }
static int verify(const struct arguments *arguments) { return read_token(arguments, false); }
static int loads(const struct arguments *arguments) { return read_token(arguments, true); }

const struct command signing_commands[] = {
    {"keygen", "", "Write a new secret", 0, 0, OPTIONS_COMMON, keygen},
    {"sign", "TEXT|-", "Make the token of a text", 1, 1, OPTIONS_SIGNER | BIT(OPT_NO_TIME) | BIT(OPT_LIFETIME), sign},
    {"verify", "TOKEN|-", "Check a token and write its text", 1, 1,
     OPTIONS_SIGNER | BIT(OPT_NO_TIME) | BIT(OPT_MAX_AGE), verify},
    {"dumps", "JSON|-", "Make the token of JSON", 1, 1,
     OPTIONS_SIGNER | BIT(OPT_NO_TIME) | BIT(OPT_LIFETIME) | BIT(OPT_COMPRESS), dumps},
    {"loads", "TOKEN|-", "Check a token and write its JSON", 1, 1,
     OPTIONS_SIGNER | BIT(OPT_NO_TIME) | BIT(OPT_MAX_AGE), loads},
    {0},
};
