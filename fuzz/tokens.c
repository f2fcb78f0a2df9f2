/* Every dialect's tokens: arbitrary bytes never open; what is signed comes back;
 * a token with one octet changed is refused, but where percent-encoding says the
 * same in two ways. */
#include "fuzz.h"

#include "../Sources/CSystem/include/dialect_table.h"

#include <stdio.h>

static tuile_signer *signers[DIALECTS][2];

/* Of ASP.NET Core's key ring, in both forms. */
static const char key_of_ring[] =
    "80732141-ec8f-4b80-af9c-c4d2d1ff8901:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlBQkNERUYwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OUFCQ0RFRg==";
static const char older_of_ring[] =
    "<key id=\"80732141-ec8f-4b80-af9c-c4d2d1ff8902\"><encryption algorithm=\"AES_256_GCM\"/><masterKey><value>"
    "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlBQkNERUY=</value></masterKey></key>";

static void make_signers(void) {
  for (int dialect = 0; dialect < DIALECTS; dialect++)
    for (int variant = 0; variant < 2; variant++) {
      tuile_signer_config config = TUILE_SIGNER_CONFIG_INIT;
      tuile_bytes older = TUILE_STR("an older secret of more than sixty-four bytes, for what needs as many");
      config.dialect = (tuile_dialect)dialect;
      /* One each: dialects that would give each other away are not open with one secret. */
      static char secrets[DIALECTS][67], olds[DIALECTS][67];
      snprintf(secrets[dialect], 67, "%02d23456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+-./", dialect);
      snprintf(olds[dialect], 67, "%02d older secret of more than sixty-four bytes, for what needs as m", dialect);
      int size = dialect == TUILE_DIALECT_FERNET || dialect == TUILE_DIALECT_LARAVEL || dialect == TUILE_DIALECT_LARAVEL_GCM ? 32 : 66;
      config.secret = (tuile_bytes){secrets[dialect], (size_t)size}, older = (tuile_bytes){olds[dialect], (size_t)size};
      if (dialect == TUILE_DIALECT_DATA_PROTECTION) config.secret = tuile_text(key_of_ring), older = tuile_text(older_of_ring);
      if (dialect == TUILE_DIALECT_DATA_PROTECTION && variant) config.secret = tuile_text(older_of_ring), older = tuile_text(key_of_ring);
      config.fallbacks = &older, config.fallback_count = 1;
      config.name = TUILE_STR("name"), config.salt = TUILE_STR("salt"), config.iterations = 1;
      config.timed = variant == 0, config.legacy = variant == 1;
      if (variant) config.lifetime = 60, config.block_secret = TUILE_STR("0123456789abcdef");
      if (variant && dialect == TUILE_DIALECT_GORILLA) config.fallback_count = 0; /* each pair would need its own */
      REQUIRE(tuile_signer_new(&config, &signers[dialect][variant], NULL) == TUILE_OK);
    }
}

static tuile_status open_token(tuile_signer *signer, int json, tuile_bytes token, char *out, size_t capacity, size_t *size) {
  return json ? tuile_token_loads(signer, &(tuile_verification){sizeof(tuile_verification), token, 100, 1010, 0, 0}, out, capacity, size, NULL)
              : tuile_token_unsign(signer, &(tuile_verification){sizeof(tuile_verification), token, 100, 1010, 0, 0}, out, capacity, size, NULL);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static char token[65536], out[65536];
  if (!signers[0][0]) make_signers();
  if (size < 4) return 0;
  int dialect = data[0] % DIALECTS, variant = data[1] & 1, json = data[1] >> 1 & 1;
  size_t place = data[2] | (size_t)data[3] << 8;
  tuile_signer *signer = signers[dialect][variant];
  tuile_bytes input = {data + 4, size - 4}, value = {NULL, 0};
  size_t made = 0, got = 0;
  REQUIRE(open_token(signer, json, input, out, sizeof out, &got) != TUILE_OK);
  tuile_status status = tuile_token_verify(signer, &(tuile_verification){sizeof(tuile_verification), input, 100, 1010, 0, 0}, &value, NULL);
  REQUIRE(status != TUILE_OK);

  status = json ? tuile_token_dumps(signer, &(tuile_signing){sizeof(tuile_signing), input, 1000, true}, token, sizeof token, &made, NULL)
                : tuile_token_sign(signer, &(tuile_signing){sizeof(tuile_signing), input, 1000, false}, token, sizeof token, &made, NULL);
  if (status != TUILE_OK) return 0;
  tuile_bytes whole = {token, made};
  status = open_token(signer, json, whole, out, sizeof out, &got);
  /* What is signed may say itself that it is over, or not yet good. */
  if (status != TUILE_OK && (dialect == TUILE_DIALECT_JWT || dialect == TUILE_DIALECT_AUTH_JS)) return 0;
  /* Express and Rails keep text apart from JSON; cookie-rs and others do not. */
  REQUIRE(status == TUILE_OK);
  if (!json) {
    REQUIRE(got == input.size);
    REQUIRE(memcmp(out, input.data, got) == 0);
  }
  if (tuile_token_verify(signer, &(tuile_verification){sizeof(tuile_verification), whole, 100, 1010, 0, 0}, &value, NULL) == TUILE_OK) REQUIRE(inside(value, whole));
  REQUIRE(open_token(signers[dialect][variant], json, (tuile_bytes){token, made - 1}, out, sizeof out, &got) != TUILE_OK);

  place %= made;
  char kept = token[place];
  token[place] ^= (char)(1 << (data[3] & 7));
  status = open_token(signer, json, whole, out, sizeof out, &got);
  int percent = dialect == TUILE_DIALECT_EXPRESS || dialect == TUILE_DIALECT_RAILS_SIGNED || dialect == TUILE_DIALECT_RAILS_ENCRYPTED ||
                dialect == TUILE_DIALECT_HONO || dialect == TUILE_DIALECT_LARAVEL || dialect == TUILE_DIALECT_LARAVEL_GCM;
  REQUIRE(status == TUILE_BAD_SIGNATURE || (percent && status == TUILE_OK));
  token[place] = kept;
  return 0;
}
