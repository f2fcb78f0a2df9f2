/* The endpoint of device-bound sessions: no request breaks it, and none that has not the
 * key's signature on this session's challenge gets a bound cookie.
 *
 * The first octet says what follows: a proof and an identifier as they are; or, in two lines,
 * the JSON of a proof's header and payload, which the key then signs, and in which '@' stands
 * for the challenge and '$' for the key. */
#include "fuzz.h"

#include "../Tests/C/device.h"

static struct device own;

static void begin(void) {
  tuile_config config = device_config("memory:");
  REQUIRE(tuile_manager_open(&config, &manager, NULL) == TUILE_OK);
  own = device_es256();
}

/* The line with its marks filled in, ended by a NUL: false if it has one itself, or no room. */
static bool fill(char *out, size_t room, const char *line, size_t size, const char *challenge) {
  size_t at = 0;
  for (size_t i = 0; i < size; i++) {
    const char *word = line[i] == '@' ? challenge : line[i] == '$' ? own.jwk : NULL;
    size_t more = word ? strlen(word) : 1;
    if (line[i] == 0 || at + more >= room) return false;
    memcpy(out + at, word ? word : &line[i], more);
    at += more;
  }
  out[at] = 0;
  return true;
}

static void answer(struct browser *browser, tuile_bytes method, tuile_bytes proof, tuile_bytes identifier) {
  tuile_device_request request = TUILE_DEVICE_REQUEST_INIT;
  tuile_device_answer given = TUILE_DEVICE_ANSWER_INIT;
  request.method = method, request.proof = proof, request.identifier = identifier;
  request.skipped = request.fetch_site = request.fetch_mode = request.fetch_dest = proof;
  tuile_session *session = start(browser);
  tuile_status status = tuile_session_refuse(session, &request, &given, NULL);
  REQUIRE(status == TUILE_ABSENT);
  REQUIRE(tuile_session_answer_device(session, &request, &given, NULL) == TUILE_OK);
  for (size_t i = 0; i < given.header_count; i++)
    for (size_t j = 0; j < given.headers[i].value.size; j++) {
      uint8_t c = ((const uint8_t *)given.headers[i].value.data)[j];
      REQUIRE(c >= 0x20);
      REQUIRE(c < 0x7F);
    }
  take_answer(browser, &given);
  tuile_session_end(session);
  int http = answered.status;
  REQUIRE(http == 200 || http == 400 || http == 403 || http == 404 || http == 405);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (!manager) begin();
  if (size < 1) return 0;
  const char *text_of = (const char *)data + 1;
  const char *line = memchr(text_of, '\n', size - 1);
  size_t first = line ? (size_t)(line - text_of) : size - 1;
  tuile_bytes head = {text_of, first}, rest = {text_of + first, 0};
  if (line) rest = (tuile_bytes){line + 1, size - 2 - first};
  struct browser browser = {0};
  login(&browser, "ada");
  if (data[0] % 4 == 0) {
    answer(&browser, text("POST"), head, rest);
    REQUIRE(!browser.bound[0]);
  } else if (data[0] % 4 == 1) {
    answer(&browser, head, rest, (tuile_bytes){NULL, 0});
    REQUIRE(!browser.bound[0]);
  } else {
    char header[3000], payload[3000];
    if (!fill(header, sizeof header, head.data, head.size, browser.offered)) return 0;
    bool refreshes = data[0] % 4 == 3;
    if (refreshes) {
      REQUIRE(register_device(&browser, &own) == 200);
      browser.bound[0] = 0;
      REQUIRE(ask(&browser, (tuile_bytes){NULL, 0}, browser.identifier) == 403);
    }
    if (fill(payload, sizeof payload, rest.data, rest.size, refreshes ? browser.challenge : browser.offered)) {
      const char *proof = sign(&own, header, payload);
      char identifier[2100] = "";
      if (refreshes) strcpy(identifier, browser.identifier);
      int http = ask(&browser, text(proof), identifier);
      /* Only what says so itself is a proof. */
      if (http == 200) REQUIRE(strstr(payload, refreshes ? browser.challenge : browser.offered));
      if (http == 200) REQUIRE(refreshes != (strstr(header, "jwk") != NULL || strstr(header, "\\u") != NULL) || strstr(header, "\\u"));
    }
  }
  /* It ends, so that memory does not fill up. */
  browser.bound[0] = 0;
  tuile_bytes id = text(strchr(browser.session, '=') + 1);
  tuile_session *session = NULL;
  REQUIRE(tuile_session_start_with_id(manager, id, &session, NULL) == TUILE_OK);
  REQUIRE(tuile_session_flush(session, NULL) == TUILE_OK);
  tuile_session_end(session);
  return 0;
}
