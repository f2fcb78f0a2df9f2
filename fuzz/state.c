/* URLs, hidden fields and CSRF checks: a parameter that is set is read back, the
 * rest of the URL stays, taking it out of a URL that had none gives the URL; a body
 * never makes a field that was not signed; a refused request has a reason. */
#include "fuzz.h"

static tuile_signer *signer;

static void url(tuile_bytes input, tuile_url_place place) {
  static char with[8192], without[8192];
  tuile_bytes name = TUILE_STR("sid"), value = TUILE_STR("V"), found;
  size_t size, bare;
  if (input.size > 4096) return;
  tuile_status before = tuile_url_read(input, place, name, &found, NULL);
  REQUIRE(before == TUILE_OK || before == TUILE_ABSENT);
  if (before == TUILE_OK) REQUIRE(inside(found, input));
  REQUIRE(tuile_url_write(input, &(tuile_url_parameter){sizeof(tuile_url_parameter), place, name, value}, with, sizeof with, &size, NULL) == TUILE_OK);
  tuile_bytes written = {with, size};
  REQUIRE(tuile_url_read(written, place, name, &found, NULL) == TUILE_OK);
  REQUIRE(found.size == 1);
  REQUIRE(inside(found, written));
  REQUIRE(tuile_url_write(written, &(tuile_url_parameter){sizeof(tuile_url_parameter), place, name, (tuile_bytes){NULL, 0}}, without, sizeof without, &bare, NULL) == TUILE_OK);
  REQUIRE(bare < size);
  /* A '?' or '&' that ended the query may go with it. */
  if (before == TUILE_ABSENT) {
    REQUIRE(bare == input.size || (place == TUILE_URL_QUERY && bare + 1 == input.size));
    if (bare == input.size) REQUIRE(memcmp(without, input.data, bare) == 0);
  }
}

static void hidden(tuile_bytes input) {
  static char out[65536];
  size_t size;
  tuile_hidden_field field = TUILE_HIDDEN_FIELD_INIT;
  field.name = TUILE_STR("f"), field.form = TUILE_STR("form"), field.session_id = TUILE_STR("key");
  REQUIRE(tuile_hidden_field_read(signer, (field.body = input, field.max_age = 10, field.now = 10, &field), out, sizeof out, &size, NULL) != TUILE_OK);
  if (tuile_hidden_field_write(signer, (field.value = input, field.now = 10, &field), out, sizeof out, &size, NULL) != TUILE_OK) return;
  int quotes = 0;
  for (size_t i = 0; i < size; i++) quotes += out[i] == '"';
  REQUIRE(quotes == 6);
  REQUIRE(out[0] == '<');
  REQUIRE(out[size - 1] == '>');
}

static void csrf(const uint8_t *data, size_t size) {
  tuile_csrf_request request = TUILE_CSRF_REQUEST_INIT;
  tuile_csrf_reason reason = (tuile_csrf_reason)99;
  tuile_bytes *parts[] = {&request.method, &request.host, &request.origin, &request.referer, &request.cookie, &request.token, &request.cookie_domain};
  tuile_bytes trusted = TUILE_STR("https://*.example.com");
  request.trusted_origins = &trusted, request.trusted_count = 1, request.secure = size & 1;
  for (size_t i = 0, part = 0, from = 0; i <= size && part < 7; i++)
    if (i == size || data[i] == '\n') *parts[part++] = (tuile_bytes){data + from, i - from}, from = i + 1;
  tuile_status status = tuile_csrf_verify(&request, &reason, NULL);
  REQUIRE((status == TUILE_OK && reason == TUILE_CSRF_NONE) || (status == TUILE_REFUSED && reason > TUILE_CSRF_NONE && reason <= TUILE_CSRF_WRONG_TOKEN));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (!signer) {
    tuile_signer_config config = TUILE_SIGNER_CONFIG_INIT;
    config.secret = TUILE_STR("a secret that has its thirty-two bytes and more"), config.salt = TUILE_STR("forms");
    REQUIRE(tuile_signer_new(&config, &signer, NULL) == TUILE_OK);
  }
  tuile_bytes input = {data, size};
  url(input, TUILE_URL_PATH);
  url(input, TUILE_URL_QUERY);
  hidden(input);
  csrf(data, size);
  return 0;
}
