/* A Django token, hostile and honest: no token that was not signed verifies,
 * what is signed comes back, changed it does not. The input's first byte says
 * how to change; inputs are also signed as they are, to reach what is behind the
 * signature. */
#include "fuzz.h"

static tuile_signer *make(bool timed) {
  tuile_signer_config config = TUILE_SIGNER_CONFIG_INIT;
  tuile_bytes fallback = TUILE_STR("an older one");
  config.secret = TUILE_STR("a secret for the fuzzer of 32 bytes and more");
  config.fallbacks = &fallback;
  config.fallback_count = 1;
  config.salt = TUILE_STR("fuzz");
  config.timed = timed;
  tuile_signer *signer;
  REQUIRE(tuile_signer_new(&config, &signer, NULL) == TUILE_OK);
  return signer;
}

static void load(const tuile_signer *signer, tuile_bytes token) {
  static char json[1 << 16];
  size_t size = 0;
  tuile_error error;
  tuile_status status = tuile_token_loads(signer, &(tuile_verification){sizeof(tuile_verification), token, TUILE_UNSET, 1700000000, 0, 0}, json, sizeof json, &size, &error);
  if (status == TUILE_OK) {
    REQUIRE(size > 0);
    REQUIRE(size <= sizeof json);
  }
}

/* What is signed comes back; with one bit changed it does not. */
static void round_trip(const tuile_signer *signer, tuile_bytes value, unsigned int flip) {
  static char token[1 << 16];
  size_t size;
  tuile_bytes back;
  if (tuile_token_sign(signer, &(tuile_signing){sizeof(tuile_signing), value, 1700000000, false}, token, sizeof token, &size, NULL) != TUILE_OK) return;
  REQUIRE(tuile_token_verify(signer, &(tuile_verification){sizeof(tuile_verification), (tuile_bytes){token, size}, 10, 1700000010, 0, 0}, &back, NULL) == TUILE_OK);
  REQUIRE(back.size == value.size);
  REQUIRE(back.size == 0 || memcmp(back.data, value.data, back.size) == 0);
  load(signer, (tuile_bytes){token, size});
  token[flip / 8 % size] ^= (char)(1u << flip % 8);
  REQUIRE(tuile_token_verify(signer, &(tuile_verification){sizeof(tuile_verification), (tuile_bytes){token, size}, TUILE_UNSET, 0, 0, 0}, &back, NULL) == TUILE_BAD_SIGNATURE);
}

static void dump(const tuile_signer *signer, tuile_bytes json) {
  static char token[1 << 17], again[1 << 17];
  size_t size, needed;
  tuile_error error;
  for (int compress = 0; compress < 2; compress++) {
    if (tuile_token_dumps(signer, &(tuile_signing){sizeof(tuile_signing), json, 1700000000, compress}, token, sizeof token, &size, &error) != TUILE_OK) return;
    tuile_status status = tuile_token_loads(signer, &(tuile_verification){sizeof(tuile_verification), (tuile_bytes){token, size}, TUILE_UNSET, 1700000000, 0, 0}, again, sizeof again, &needed, &error);
    REQUIRE(status == TUILE_OK);
    REQUIRE(needed > 0);
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static tuile_signer *timed, *untimed;
  if (!timed) timed = make(true), untimed = make(false);
  tuile_bytes input = {data, size}, value;
  REQUIRE(tuile_token_verify(timed, &(tuile_verification){sizeof(tuile_verification), input, TUILE_UNSET, 0, 0, 0}, &value, NULL) != TUILE_OK);
  REQUIRE(tuile_token_verify(untimed, &(tuile_verification){sizeof(tuile_verification), input, TUILE_UNSET, 0, 0, 0}, &value, NULL) != TUILE_OK);
  if (size < 2 || size > 8192) return 0;
  tuile_bytes rest = {data + 2, size - 2};
  unsigned int flip = data[0] | (unsigned int)data[1] << 8;
  round_trip(timed, rest, flip);
  round_trip(untimed, rest, flip);
  dump(timed, rest);
  return 0;
}
