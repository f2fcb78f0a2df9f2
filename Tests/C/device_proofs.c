/* Proofs of device-bound sessions: Chromium's, and each way to forge one. */
#include "device.h"

static struct device own, other;

/* A browser that was offered a binding. */
static struct browser offered(void) {
  struct browser browser = {0};
  login(&browser, "ada");
  CHECK(browser.offered[0]);
  return browser;
}

static int offer_with(const struct device *device, const char *header, const char *payload_format) {
  struct browser browser = offered();
  char payload[600];
  snprintf(payload, sizeof payload, payload_format, browser.offered);
  int status = ask(&browser, text(sign(device, header, payload)), "");
  CHECK(status == 200 || (answered.set_cookies == 0 && visit(&browser) == TUILE_OK));
  return status;
}

static int registering(const struct device *device, const char *header_format) {
  char header[4000];
  snprintf(header, sizeof header, header_format, device->jwk);
  return offer_with(device, header, "{\"jti\":\"%s\"}");
}

static void headers(void) {
  CHECK(registering(&own, "{\"alg\":\"ES256\",\"jwk\":%s,\"typ\":\"dbsc+jwt\"}") == 200);
  CHECK(registering(&own, " { \"typ\" : \"dbsc+jwt\" , \"kid\":[1,{}], \"jwk\" : %s , \"alg\":\"ES256\" } ") == 200);
  static const char *const wrong[] = {
    "{\"jwk\":%s,\"typ\":\"dbsc+jwt\"}", "{\"alg\":\"ES256\",\"jwk\":%s}",
    "{\"alg\":\"none\",\"jwk\":%s,\"typ\":\"dbsc+jwt\"}", "{\"alg\":\"RS256\",\"jwk\":%s,\"typ\":\"dbsc+jwt\"}",
    "{\"alg\":\"HS256\",\"jwk\":%s,\"typ\":\"dbsc+jwt\"}", "{\"alg\":\"ES384\",\"jwk\":%s,\"typ\":\"dbsc+jwt\"}",
    "{\"alg\":\"es256\",\"jwk\":%s,\"typ\":\"dbsc+jwt\"}", "{\"alg\":1,\"jwk\":%s,\"typ\":\"dbsc+jwt\"}",
    "{\"alg\":\"ES256\",\"jwk\":%s,\"typ\":\"JWT\"}", "{\"alg\":\"ES256\",\"jwk\":%s,\"typ\":\"jwt\"}",
    "{\"alg\":\"ES256\",\"jwk\":%s,\"typ\":null}", "{\"alg\":\"ES256\",\"jwk\":%s,\"typ\":\"dbsc+jwt\",\"crit\":[\"b64\"]}",
    "{\"alg\":\"ES256\",\"jwk\":%s,\"typ\":\"dbsc+jwt\",\"b64\":true}",
    "{\"alg\":\"ES256\",\"alg\":\"ES256\",\"jwk\":%s,\"typ\":\"dbsc+jwt\"}",
    "{\"alg\":\"ES256\",\"jwk\":{},\"jwk\":%s,\"typ\":\"dbsc+jwt\"}", "{\"alg\":\"ES256\",\"jwk\":[%s],\"typ\":\"dbsc+jwt\"}",
    "{\"alg\":\"ES256\",\"jwk\":%s,\"typ\":\"dbsc+jwt\"", "{\"alg\":\"ES256\",\"jwk\":%s,\"typ\":\"dbsc+jwt\"}x",
    "{\"alg\":\"ES256\",\"jwk\":%s,\"typ\":\"dbsc+jwt\",}", "[\"ES256\",%s,\"dbsc+jwt\"]", "",
  };
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) CHECK(registering(&own, wrong[i]) == 400);
  CHECK(offer_with(&own, "{\"alg\":\"ES256\",\"typ\":\"dbsc+jwt\"}", "{\"jti\":\"%s\"}") == 400); /* no key */
}

static void claims(void) {
  char header[2000];
  snprintf(header, sizeof header, "{\"alg\":\"ES256\",\"jwk\":%s,\"typ\":\"dbsc+jwt\"}", own.jwk);
  CHECK(offer_with(&own, header, "{\"aud\":\"https://x\",\"iat\":1,\"authorization\":\"a\",\"jti\":\"%s\"}") == 200);
  static const char *const wrong[] = {
    "{}", "", "{\"jti\":\"\"}", "{\"jti\":null,\"a\":\"%s\"}", "{\"jti\":[\"%s\"]}", "{\"jti\":\"%s\",\"jti\":\"%s\"}",
    "{\"jti\":\"%sA\"}", "{\"jti\":\"A%s\"}", "{\"jti\":\"%s\"", "{\"jti\":\"%s\"}x", "\"%s\"", "{\"jti\":\"%s=\"}",
    "{\"challenge\":\"%s\"}", "{\"jti\":\" %s\"}",
  };
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    struct browser browser = offered();
    char payload[600];
    snprintf(payload, sizeof payload, wrong[i], browser.offered, browser.offered);
    CHECK(ask(&browser, text(sign(&own, header, payload)), "") == 400);
    /* The offer stands: nothing of this used it up. */
    CHECK(register_device(&browser, &own) == 200);
  }
}

static void keys(void) {
  struct device changed = own;
  /* A point that is not on the curve, and one of another curve. */
  char *y = strstr(changed.jwk, "\"y\":\"") + 5;
  y[5] = y[5] == 'A' ? 'B' : 'A';
  CHECK(registering(&changed, "{\"alg\":\"ES256\",\"jwk\":%s,\"typ\":\"dbsc+jwt\"}") == 400);
  struct device far = device_on("P-384", 48), mixed = far;
  CHECK(registering(&far, "{\"alg\":\"ES256\",\"jwk\":%s,\"typ\":\"dbsc+jwt\"}") == 400);
  memcpy(strstr(mixed.jwk, "P-384"), "P-256", 5);
  CHECK(registering(&mixed, "{\"alg\":\"ES256\",\"jwk\":%s,\"typ\":\"dbsc+jwt\"}") == 400);
  struct device curve = device_on("secp256k1", 32);
  memcpy(curve.jwk, "{\"crv\":\"P-256\"    ", 18);
  CHECK(registering(&curve, "{\"alg\":\"ES256\",\"jwk\":%s,\"typ\":\"dbsc+jwt\"}") == 400);
  /* RSA: too short, too long, an exponent that signs nothing. */
  struct device weak = device_rs256(1024), right = device_rs256(2048), odd = device_rs256(2049);
  const char *rs = "{\"alg\":\"RS256\",\"jwk\":%s,\"typ\":\"dbsc+jwt\"}";
  CHECK(registering(&right, rs) == 200);
  CHECK(registering(&odd, rs) == 200);
  CHECK(registering(&weak, rs) == 400);
  CHECK(registering(&right, "{\"alg\":\"ES256\",\"jwk\":%s,\"typ\":\"dbsc+jwt\"}") == 400);
  memcpy(strstr(right.jwk, "AQAB"), "AAAB", 4);
  CHECK(registering(&right, rs) == 400);
  /* Signed by another key than it brings. */
  struct device thief = other;
  strcpy(thief.jwk, own.jwk);
  CHECK(registering(&thief, "{\"alg\":\"ES256\",\"jwk\":%s,\"typ\":\"dbsc+jwt\"}") == 400);

  char x[100], jwk[600];
  copy_quoted(x, sizeof x, text(own.jwk), "\"x\":\"");
  copy_quoted(jwk, sizeof jwk, text(own.jwk), "\"y\":\"");
  const char *const wrong[] = {
    "{\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"}", "{\"crv\":\"P-256\",\"x\":\"%s\",\"y\":\"%s\"}",
    "{\"crv\":\"P-521\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"}", "{\"crv\":\"P-256\",\"kty\":\"RSA\",\"x\":\"%s\",\"y\":\"%s\"}",
    "{\"crv\":\"P-256\",\"kty\":\"OKP\",\"x\":\"%s\",\"y\":\"%s\"}", "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"%s\",\"z\":\"%s\"}",
    "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"%s=\",\"y\":\"%s\"}", "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\\u0041\"}",
    "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"AA%s\",\"y\":\"%s\"}", "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\",\"x\":\"AA\"}",
    "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\",\"d\":\"AAAA\"}", "{\"crv\":\"P-256\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\",\"n\":\"AAAA\"}",
  };
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    struct device said = own;
    snprintf(said.jwk, sizeof said.jwk, wrong[i], x, jwk);
    CHECK(registering(&said, "{\"alg\":\"ES256\",\"jwk\":%s,\"typ\":\"dbsc+jwt\"}") == 400);
  }
}

/* The draft's strings in quotes, Chromium's bare ones, and what is neither. */
static void forms(void) {
  struct browser browser = offered();
  char proof[9000];
  const char *token = registration_of(&own, browser.offered);
  const char *const wrong[] = {"\"%s", "%s\"", "\"%s\"x", "%s.x", "x.%s", "%s=", " . .%s", "%s\n", "(%s)", ":%s:", "\"%s\\\"\"", "%s%%00"};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
    snprintf(proof, sizeof proof, wrong[i], token);
    CHECK(ask(&browser, text(proof), "") == 400);
  }
  /* Each octet less or another: the signature, or the form, is wrong. */
  for (size_t i = 0; i < strlen(token); i += 7) {
    strcpy(proof, token);
    proof[i] = proof[i] == 'A' ? 'B' : 'A';
    CHECK(ask(&browser, text(proof), "") == 400);
    strcpy(proof, token), proof[i] = 0;
    CHECK(ask(&browser, text(proof), "") == 400);
  }
  /* Spare bits of the last character: one text has one form. */
  strcpy(proof, token);
  proof[strlen(proof) - 1]++;
  CHECK(ask(&browser, text(proof), "") == 400);
  static char large[100 * 1024];
  memset(large, 'A', sizeof large);
  CHECK(ask(&browser, (tuile_bytes){large, sizeof large}, "") == 400);
  large[30] = large[60] = '.';
  CHECK(ask(&browser, (tuile_bytes){large, sizeof large}, "") == 400);
  CHECK(ask(&browser, (tuile_bytes){large, 16384}, "") == 400);
  memset(large, '[', sizeof large);
  CHECK(ask(&browser, (tuile_bytes){large, sizeof large}, "") == 400);
  large[sizeof large - 1] = 0;
  CHECK(ask(&browser, (tuile_bytes){NULL, 0}, large) == 404);
  CHECK(browser.bound[0] == 0);
  snprintf(proof, sizeof proof, " \"%s\";a=1 ", token);
  CHECK(ask(&browser, text(proof), "") == 200);
  CHECK(instructed(&browser));
  /* The identifier, too, in both forms. */
  char quoted[2200];
  snprintf(quoted, sizeof quoted, "\"%s\"", browser.identifier);
  CHECK(ask(&browser, (tuile_bytes){NULL, 0}, quoted) == 403);
  snprintf(proof, sizeof proof, "\"%s\"", refresh_of(&own, browser.challenge));
  CHECK(ask(&browser, text(proof), quoted) == 200);
}

static void refreshes(void) {
  struct browser browser = offered(), second = offered();
  struct device rsa = device_rs256(2048);
  CHECK(register_device(&browser, &own) == 200);
  CHECK(register_device(&second, &rsa) == 200);
  CHECK(refresh(&browser, &own) == 200);
  CHECK(refresh(&second, &rsa) == 200);
  const char *identifier = browser.identifier;
  /* Another key, one that the proof brings, the other session's challenge, an offer's. */
  CHECK(ask(&browser, (tuile_bytes){NULL, 0}, identifier) == 403);
  char challenge[100];
  strcpy(challenge, browser.challenge);
  CHECK(ask(&browser, text(refresh_of(&other, challenge)), identifier) == 400);
  CHECK(ask(&browser, text(refresh_of(&rsa, challenge)), identifier) == 400);
  CHECK(ask(&browser, text(registration_of(&own, challenge)), identifier) == 400);
  CHECK(ask(&second, (tuile_bytes){NULL, 0}, second.identifier) == 403);
  CHECK(ask(&browser, text(refresh_of(&own, second.challenge)), identifier) == 403);
  CHECK(ask(&browser, text(refresh_of(&own, browser.offered)), identifier) == 403);
  CHECK(ask(&browser, text(refresh_of(&own, "")), identifier) == 403);
  /* The key's other algorithm. */
  struct device confused = own;
  confused.algorithm = "RS256";
  CHECK(ask(&browser, text(refresh_of(&confused, challenge)), identifier) == 400);
  confused.algorithm = "HS256";
  CHECK(ask(&browser, text(refresh_of(&confused, challenge)), identifier) == 400);
  /* Not single-use: the answer may have been lost. Stale: a new challenge, never an end. */
  const char *proof = refresh_of(&own, challenge);
  char kept[1000];
  strcpy(kept, proof);
  CHECK(ask(&browser, text(kept), identifier) == 200);
  CHECK(ask(&browser, text(kept), identifier) == 200);
  pass(121);
  CHECK(ask(&browser, text(kept), identifier) == 403);
  CHECK(ask(&browser, text(refresh_of(&own, browser.challenge)), identifier) == 200);
  pass(-1000); /* from a clock that is far ahead */
  CHECK(ask(&browser, text(refresh_of(&own, browser.challenge)), identifier) == 403);
  pass(1000);
  /* Identifiers: another session's, changed, none of ours. */
  CHECK(ask(&browser, (tuile_bytes){NULL, 0}, second.identifier) == 200);
  CHECK(strstr(answered.body, "\"continue\":false"));
  CHECK(browser.bound[0]);
  char changed[2100];
  for (size_t i = 0; i < strlen(identifier); i += 11) {
    strcpy(changed, identifier);
    changed[i] = changed[i] == 'A' ? 'B' : 'A';
    CHECK(ask(&browser, text(refresh_of(&own, challenge)), changed) == 404);
  }
  CHECK(visit(&browser) == TUILE_OK);
  EVP_PKEY_free(rsa.key);
}

int main(void) {
  tuile_config config = device_config("memory:");
  config.max_owned = 0;
  CHECK(tuile_manager_open(&config, &manager, &error) == TUILE_OK);
  own = device_es256(), other = device_es256();
  headers();
  claims();
  keys();
  forms();
  refreshes();
  tuile_manager_close(manager);
  puts("ok");
  return 0;
}
