/* A thousand tokens of every dialect: each bit flipped, each end cut off, each
 * moved to another salt, name or key. All are bad signatures, and nothing else:
 * never a decoding error, which would say that a part was believed. */
#include "dialects.h"

enum { EACH = 60 };

static tuile_signer *made(int dialect, int secret, const char *salt, const char *name) {
  tuile_signer_config config = TUILE_SIGNER_CONFIG_INIT;
  tuile_signer *signer = NULL;
  config.dialect = (tuile_dialect)dialect, config.iterations = 1;
  config.secret = secret_of(dialect, secret), config.salt = text(salt), config.name = text(name);
  if (dialect == TUILE_DIALECT_GORILLA && *salt == 's') config.block_secret = text("0123456789abcdef");
  CHECK(tuile_signer_new(&config, &signer, NULL) == TUILE_OK);
  return signer;
}

static size_t flips, cuts;

static void tamper(tuile_signer *signer, int dialect, bool json, char *token, size_t size) {
  char out[2048];
  size_t got;
#define OPEN(length)                                                                                                          \
  (json ? tuile_token_loads(signer, &(tuile_verification){sizeof(tuile_verification), (tuile_bytes){token, length}, TUILE_UNSET, 1000, 0, 0}, out, sizeof out, &got, NULL)       \
        : tuile_token_unsign(signer, &(tuile_verification){sizeof(tuile_verification), (tuile_bytes){token, length}, TUILE_UNSET, 1000, 0, 0}, out, sizeof out, &got, NULL))
  CHECK(OPEN(size) == TUILE_OK);
  for (size_t at = 0; at < size; at++)
    for (int bit = 0; bit < 8; bit++, flips++) {
      token[at] ^= (char)(1 << bit);
      tuile_status status = OPEN(size);
      /* %2b is %2B: the same token, said in another way. */
      CHECK(status == TUILE_BAD_SIGNATURE || (status == TUILE_OK && percent_encoded(dialect)));
      token[at] ^= (char)(1 << bit);
    }
  for (size_t length = 0; length < size; length++, cuts++) CHECK(OPEN(length) == TUILE_BAD_SIGNATURE);
}

int main(void) {
  size_t tokens = 0;
  for (int dialect = 0; dialect < DIALECTS; dialect++) {
    tuile_signer *signer = made(dialect, 0, "salt", "name");
    tuile_signer *wrong[] = {made(dialect, 1, "salt", "name"), made(dialect, 0, "sal", "name"), made(dialect, 0, "salt", "nam")};
    for (int i = 0; i < EACH; i++, tokens++) {
      char token[2048], value[128], out[2048];
      size_t size, got;
      bool json = writes_json(dialect) && (i % 2 == 0 || !writes_text(dialect));
      sprintf(value, json ? "{\"n\":%d,\"t\":\"%.*s\"}" : "value %d: %.*s", i, i, "................................................................");
      tuile_status status = json ? tuile_token_dumps(signer, &(tuile_signing){sizeof(tuile_signing), text(value), 1000, i % 4 == 0}, token, sizeof token, &size, NULL)
                                 : tuile_token_sign(signer, &(tuile_signing){sizeof(tuile_signing), text(value), 1000, false}, token, sizeof token, &size, NULL);
      CHECK(status == TUILE_OK);
      tamper(signer, dialect, json, token, size);
      for (int w = 0; w < 3; w++) {
        /* What a format does not bind, it can't tell apart. */
        if ((w == 1 && !binds_salt(dialect)) || (w == 2 && !binds_name(dialect))) continue;
        CHECK((json ? tuile_token_loads : tuile_token_unsign)(wrong[w], &(tuile_verification){sizeof(tuile_verification), {token, size}, TUILE_UNSET, 1000, 0, 0}, out, sizeof out, &got, NULL) ==
              TUILE_BAD_SIGNATURE);
      }
    }
    tuile_signer_free(signer);
    for (int w = 0; w < 3; w++) tuile_signer_free(wrong[w]);
  }
  printf("%zu tokens, %zu bits flipped, %zu cut\n", tokens, flips, cuts);
  CHECK(tokens == DIALECTS * EACH);
  CHECK(flips > 900000);
  return 0;
}
