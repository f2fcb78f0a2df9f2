/* A Cookie header: the walk ends, its views lie in the header, looking a cookie
 * up agrees with the walk, and whatever can be written as a Set-Cookie holds
 * neither a line end nor more attributes than were asked for. */
#include "fuzz.h"

static void write_back(tuile_cookie pair) {
  tuile_set_cookie cookie = TUILE_SET_COOKIE_INIT;
  cookie.name = pair.name;
  cookie.value = pair.value;
  cookie.domain = pair.value;
  cookie.secure = cookie.http_only = true;
  char text[16384];
  size_t size = 0, needed = 0;
  tuile_error error;
  for (int with_domain = pair.value.size > 0; with_domain >= 0; with_domain--) {
    if (!with_domain) cookie.domain = (tuile_bytes){NULL, 0};
    if (tuile_set_cookie_write(&cookie, text, sizeof text, &size, &error) != TUILE_OK) continue;
    int semicolons = 0;
    for (size_t i = 0; i < size; i++) {
      REQUIRE((unsigned char)text[i] >= 0x20);
      REQUIRE(text[i] != 0x7f);
      semicolons += text[i] == ';';
    }
    REQUIRE(semicolons == 3 + with_domain); /* HttpOnly, Path, Secure */
    char before = text[size - 1];
    REQUIRE(tuile_set_cookie_write(&cookie, text, size - 1, &needed, &error) == TUILE_E_SPACE);
    REQUIRE(needed == size);
    REQUIRE(text[size - 1] == before);
  }
}

/* What frameworks take for the cookie: never more than what stands there, and Rack's is it to the octet. */
static void read_as_others(tuile_bytes header, tuile_cookie pair) {
  char text[4096];
  size_t size;
  bool several;
  for (int rule = TUILE_COOKIE_RULE_DEFAULT; rule <= TUILE_COOKIE_RULE_RACK; rule++) {
    tuile_status status = tuile_cookie_read(header, pair.name, rule, text, sizeof text, &size);
    REQUIRE(status == TUILE_OK || status == TUILE_ABSENT || status == TUILE_E_SPACE);
    if (status != TUILE_ABSENT) REQUIRE(size <= 2 * header.size);
    tuile_bytes first;
    if (status == TUILE_OK && rule == TUILE_COOKIE_RULE_RACK) {
      REQUIRE(tuile_cookie_get(header, pair.name, TUILE_MATCH_FIRST, &first) == TUILE_OK);
      REQUIRE(first.size == size);
      REQUIRE(memcmp(first.data, text, size) == 0);
    }
  }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  tuile_bytes header = {data, size};
  tuile_cookie pair;
  size_t position = 0, count = 0, last = 0;
  while (tuile_cookie_next(header, &position, &pair) == TUILE_OK) {
    REQUIRE(position > last);
    REQUIRE(inside(pair.name, header));
    REQUIRE(inside(pair.value, header));
    last = position;
    REQUIRE(++count <= size);
    tuile_bytes first;
    REQUIRE(tuile_cookie_get(header, pair.name, TUILE_MATCH_FIRST, &first) == TUILE_OK);
    if (count < 64) write_back(pair), read_as_others(header, pair);
  }
  return 0;
}
