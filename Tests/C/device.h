/* A browser with a key of its own for a session: its cookies, its proofs, what it was told. */
#ifndef DEVICE_H
#define DEVICE_H

#include "check.h"

#include <openssl/bn.h>
#include <openssl/core_names.h>
#include <openssl/ecdsa.h>
#include <openssl/evp.h>
#include <openssl/rsa.h>

static tuile_error error;
static tuile_manager *manager;
static int64_t present = 1700000000000000; /* Unix microseconds: the test's own clock */

static inline int64_t fixed_clock(void *context) {
  (void)context;
  return present;
}

static inline void pass(int64_t seconds) { present += seconds * 1000000; }

/* ---- JWT ---- */

static inline char *base64url(const void *data, size_t size, char *out) {
  static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
  const uint8_t *from = data;
  char *to = out;
  for (size_t i = 0; i < size; i += 3) {
    size_t left = size - i;
    uint32_t group = (uint32_t)from[i] << 16 | (left > 1 ? (uint32_t)from[i + 1] << 8 : 0) | (left > 2 ? from[i + 2] : 0);
    *to++ = digits[group >> 18], *to++ = digits[group >> 12 & 63];
    if (left > 1) *to++ = digits[group >> 6 & 63];
    if (left > 2) *to++ = digits[group & 63];
  }
  *to = 0;
  return out;
}

struct device {
  EVP_PKEY *key;
  const char *algorithm;
  char jwk[1600];
};

static inline void number_of(EVP_PKEY *key, const char *name, int size, char *out) {
  BIGNUM *number = NULL;
  uint8_t octets[1024];
  CHECK(EVP_PKEY_get_bn_param(key, name, &number) == 1);
  if (size == 0) size = BN_num_bytes(number);
  CHECK(BN_bn2binpad(number, octets, size) == size);
  base64url(octets, (size_t)size, out);
  BN_free(number);
}

static inline struct device device_on(const char *curve, int size) {
  struct device device = {EVP_EC_gen(curve), "ES256", ""};
  char x[100], y[100];
  CHECK(device.key);
  number_of(device.key, OSSL_PKEY_PARAM_EC_PUB_X, size, x), number_of(device.key, OSSL_PKEY_PARAM_EC_PUB_Y, size, y);
  snprintf(device.jwk, sizeof device.jwk, "{\"crv\":\"%s\",\"kty\":\"EC\",\"x\":\"%s\",\"y\":\"%s\"}", curve, x, y);
  return device;
}

static inline struct device device_es256(void) { return device_on("P-256", 32); }

static inline struct device device_rs256(unsigned int bits) {
  struct device device = {EVP_RSA_gen(bits), "RS256", ""};
  char n[1400], e[20];
  CHECK(device.key);
  number_of(device.key, OSSL_PKEY_PARAM_RSA_N, 0, n), number_of(device.key, OSSL_PKEY_PARAM_RSA_E, 0, e);
  snprintf(device.jwk, sizeof device.jwk, "{\"e\":\"%s\",\"kty\":\"RSA\",\"n\":\"%s\"}", e, n);
  return device;
}

/* A signed token of any header and payload. */
static inline const char *sign(const struct device *device, const char *header, const char *payload) {
  static char token[8192];
  uint8_t signature[1024];
  size_t size = sizeof signature;
  char *at = token;
  base64url(header, strlen(header), at), at += strlen(at), *at++ = '.';
  base64url(payload, strlen(payload), at), at += strlen(at);
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  CHECK(EVP_DigestSignInit_ex(context, NULL, "SHA256", NULL, NULL, device->key, NULL) == 1);
  CHECK(EVP_DigestSign(context, signature, &size, (const uint8_t *)token, (size_t)(at - token)) == 1);
  EVP_MD_CTX_free(context);
  if (EVP_PKEY_is_a(device->key, "EC")) {
    const uint8_t *der = signature;
    ECDSA_SIG *pair = d2i_ECDSA_SIG(NULL, &der, (long)size);
    int half = (EVP_PKEY_get_bits(device->key) + 7) / 8;
    CHECK(pair);
    CHECK(BN_bn2binpad(ECDSA_SIG_get0_r(pair), signature, half) == half);
    CHECK(BN_bn2binpad(ECDSA_SIG_get0_s(pair), signature + half, half) == half);
    ECDSA_SIG_free(pair);
    size = 2 * (size_t)half;
  }
  *at++ = '.';
  base64url(signature, size, at);
  return token;
}

/* As Chromium writes them. */
static inline const char *registration_of(const struct device *device, const char *challenge) {
  char header[2000], payload[400];
  snprintf(header, sizeof header, "{\"alg\":\"%s\",\"jwk\":%s,\"typ\":\"dbsc+jwt\"}", device->algorithm, device->jwk);
  snprintf(payload, sizeof payload, "{\"jti\":\"%s\"}", challenge);
  return sign(device, header, payload);
}

static inline const char *refresh_of(const struct device *device, const char *challenge) {
  char header[200], payload[400];
  snprintf(header, sizeof header, "{\"alg\":\"%s\",\"typ\":\"dbsc+jwt\"}", device->algorithm);
  snprintf(payload, sizeof payload, "{\"jti\":\"%s\"}", challenge);
  return sign(device, header, payload);
}

/* ---- the browser ---- */

struct browser {
  char session[200], bound[200]; /* "name=value", or empty */
  char offered[100];             /* the challenge of an offer */
  char challenge[100];           /* that of a 403 */
  char identifier[2100];
};

static struct {
  int status, set_cookies;
  char body[4000], set_cookie[4][600], refresh[600], allow[600], type[600];
} answered;

static inline void store_cookie(struct browser *browser, const char *set_cookie) {
  bool bound = strncmp(set_cookie, "__", 2) == 0 && strstr(set_cookie, "-bound=");
  char *place = bound ? browser->bound : browser->session;
  bool deleted = strstr(set_cookie, "Max-Age=0") != NULL;
  snprintf(place, sizeof browser->session, "%.*s", deleted ? 0 : (int)strcspn(set_cookie, ";"), set_cookie);
}

static inline void copy_quoted(char *to, size_t size, tuile_bytes value, const char *behind) {
  char line[3000];
  snprintf(line, sizeof line, "%.*s", (int)value.size, (const char *)value.data);
  const char *at = strstr(line, behind);
  CHECK(at);
  at += strlen(behind);
  snprintf(to, size, "%.*s", (int)strcspn(at, "\""), at);
}

static inline tuile_status take_header(void *context, tuile_bytes name, tuile_bytes value) {
  struct browser *browser = context;
  char line[600];
  snprintf(line, sizeof line, "%.*s", (int)value.size, (const char *)value.data);
  if (equals(name, "Set-Cookie")) {
    CHECK(answered.set_cookies < 4);
    strcpy(answered.set_cookie[answered.set_cookies++], line);
    store_cookie(browser, line);
  } else if (equals(name, "Secure-Session-Registration")) {
    CHECK(strncmp(line, "(ES256 RS256);path=\"/device-bound-session\";challenge=\"", 53) == 0);
    copy_quoted(browser->offered, sizeof browser->offered, value, "challenge=\"");
  } else if (equals(name, "Secure-Session-Challenge")) {
    copy_quoted(browser->challenge, sizeof browser->challenge, value, "\"");
    if (browser->identifier[0]) {
      char id[2100];
      copy_quoted(id, sizeof id, value, ";id=\"");
      CHECK(strcmp(id, browser->identifier) == 0);
    }
  } else if (equals(name, "Refresh")) {
    strcpy(answered.refresh, line);
  } else if (equals(name, "Allow")) {
    strcpy(answered.allow, line);
  } else if (equals(name, "Content-Type")) {
    strcpy(answered.type, line);
  } else {
    CHECK(equals(name, "Vary") || equals(name, "Cache-Control"));
  }
  return TUILE_OK;
}

static inline tuile_session *start(const struct browser *browser) {
  char header[600];
  tuile_session *session = NULL;
  snprintf(header, sizeof header, "a=b%s%s%s%s", *browser->session ? "; " : "", browser->session,
           *browser->bound ? "; " : "", browser->bound);
  CHECK(tuile_session_start(manager, text(header), (tuile_bytes){NULL, 0}, &session, &error) == TUILE_OK);
  return session;
}

static inline tuile_status commit(tuile_session *session, struct browser *browser) {
  memset(&answered, 0, sizeof answered);
  tuile_status status = tuile_session_commit(session, 200, take_header, browser, &error);
  tuile_session_end(session);
  return status;
}

static inline void take_answer(struct browser *browser, const tuile_device_answer *answer) {
  memset(&answered, 0, sizeof answered);
  answered.status = answer->http_status;
  for (size_t i = 0; i < answer->header_count; i++) take_header(browser, answer->headers[i].name, answer->headers[i].value);
  snprintf(answered.body, sizeof answered.body, "%.*s", (int)answer->body.size, (const char *)answer->body.data);
}

/* A request of the endpoint; the status of its answer, whose cookies and challenge the browser keeps. */
static inline int ask(struct browser *browser, tuile_bytes proof, const char *identifier) {
  tuile_device_request request = TUILE_DEVICE_REQUEST_INIT;
  tuile_device_answer answer = TUILE_DEVICE_ANSWER_INIT;
  request.method = text("POST"), request.proof = proof, request.identifier = text(identifier);
  tuile_session *session = start(browser);
  CHECK(tuile_session_answer_device(session, &request, &answer, &error) == TUILE_OK);
  take_answer(browser, &answer);
  tuile_session_end(session);
  return answered.status;
}

/* What the JSON of a 200 says, as far as a test needs it. */
static inline bool instructed(struct browser *browser) {
  tuile_bytes body = text(answered.body);
  CHECK(strcmp(answered.type, "application/json") == 0);
  if (strstr(answered.body, "\"continue\":false")) return false;
  copy_quoted(browser->identifier, sizeof browser->identifier, body, "\"session_identifier\":\"");
  /* What it says of the cookie's attributes is what the cookie has. */
  char attributes[300], wanted[700];
  copy_quoted(attributes, sizeof attributes, body, "\"attributes\":\"");
  const char *bound = answered.set_cookie[answered.set_cookies - 1];
  const char *age = strstr(bound, "; Max-Age=");
  CHECK(age);
  const char *rest = strchr(age + 2, ';');
  snprintf(wanted, sizeof wanted, "%.*s%s", (int)(age - strchr(bound, ';')), strchr(bound, ';'), rest ? rest : "");
  CHECK(strcmp(wanted + 2, attributes) == 0);
  return true;
}

static inline int register_device(struct browser *browser, const struct device *device) {
  browser->identifier[0] = 0;
  int status = ask(browser, text(registration_of(device, browser->offered)), "");
  if (status == 200) CHECK(instructed(browser));
  return status;
}

/* As a browser does it: without a proof, then with one. */
static inline int refresh(struct browser *browser, const struct device *device) {
  int status = ask(browser, (tuile_bytes){NULL, 0}, browser->identifier);
  if (status != 403) return status;
  return ask(browser, text(refresh_of(device, browser->challenge)), browser->identifier);
}

static inline void login(struct browser *browser, const char *owner) {
  tuile_session *session = start(browser);
  CHECK(tuile_session_cycle_id(session, &error) == TUILE_OK);
  CHECK(tuile_session_set_owner(session, text(owner), &error) == TUILE_OK);
  CHECK(tuile_session_set_int(session, text("n"), 7, &error) == TUILE_OK);
  CHECK(commit(session, browser) == TUILE_OK);
}

/* What a request with these cookies gets: TUILE_OK, TUILE_ABSENT, TUILE_UNBOUND. */
static inline tuile_status visit(struct browser *browser) {
  int64_t n = 0;
  tuile_session *session = start(browser);
  tuile_status status = tuile_session_get_int(session, text("n"), &n, &error);
  CHECK(status != TUILE_OK || n == 7);
  tuile_status committed = commit(session, browser);
  CHECK(committed == (status == TUILE_UNBOUND ? TUILE_UNBOUND : TUILE_OK));
  return status;
}

static inline tuile_config device_config(const char *store) {
  tuile_config config = TUILE_CONFIG_INIT;
  config.secret = text("a secret that has its thirty-two bytes and more");
  config.store = text(store), config.clock = fixed_clock, config.cookie_secure = true;
  config.device_binding = TUILE_DEVICE_BINDING_LOGIN;
  return config;
}

#endif
