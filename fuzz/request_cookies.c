/* All Cookie headers of a request. The first octet is mode and limits, the rest
 * one to three headers, cut at FE. Counting, taking, finding and reading agree
 * with each other and with a plain model; limits hold to the octet. */
#include "fuzz.h"

enum { most = 4096 };
static tuile_cookie expected[most], taken[most];

static int is_token(int c) {
  return (c >= '0' && c <= '9') || ((c | 32) >= 'a' && (c | 32) <= 'z') || (c && strchr("!#$%&'*+-.^_`|~", c));
}

static int is_octet(int c) { return c > 0x20 && c < 0x7f && c != '"' && c != ',' && c != ';' && c != '\\'; }

static int is_blank(int c) { return c == ' ' || c == '\t'; }

/* RFC 6265bis, section 4.2.1; blanks around all of it, or nothing else, are
 * fine. Adds to `expected` what stands before an error; 0 if there is one. */
static int read_strict(tuile_bytes header, size_t *count) {
  const unsigned char *at = header.data, *end = at + header.size;
  while (at < end && is_blank(*at)) at++;
  while (end > at && is_blank(end[-1])) end--;
  if (at == end) return 1;
  for (;;) {
    const unsigned char *name = at;
    while (at < end && is_token(*at)) at++;
    if (at == name || at == end || *at != '=') return 0;
    const unsigned char *value = ++at;
    int quoted = at < end && *at == '"';
    at += quoted;
    while (at < end && is_octet(*at)) at++;
    if (quoted && (at == end || *at++ != '"')) return 0;
    if (at < end && *at != ';') return 0;
    expected[*count].name = (tuile_bytes){name, (size_t)(value - 1 - name)};
    expected[(*count)++].value = (tuile_bytes){value, (size_t)(at - value)};
    if (at == end) return 1;
    if (end - at < 2 || at[1] != ' ') return 0;
    at += 2;
  }
}

static void read_walk(tuile_bytes header, int django, size_t *count) {
  size_t position = 0;
  tuile_cookie pair;
  while (tuile_cookie_next(header, &position, &pair) == TUILE_OK)
    if (!django || pair.name.size || pair.value.size) expected[(*count)++] = pair;
}

static void check_one(const tuile_cookies *cookies, size_t count, size_t i) {
  size_t first = 0, last = count - 1;
  while (!same(expected[first].name, expected[i].name)) first++;
  while (!same(expected[last].name, expected[i].name)) last--;
  tuile_bytes found;
  REQUIRE(tuile_cookies_get(cookies, expected[i].name, TUILE_MATCH_FIRST, &found, NULL) == TUILE_OK);
  REQUIRE(same(found, expected[first].value));
  REQUIRE(!found.size || found.data == expected[first].value.data);
  REQUIRE(tuile_cookies_get(cookies, expected[i].name, TUILE_MATCH_LAST, &found, NULL) == TUILE_OK);
  REQUIRE(same(found, expected[last].value));
  REQUIRE(!found.size || found.data == expected[last].value.data);
  int django = cookies->mode == TUILE_COOKIE_MODE_DJANGO;
  tuile_bytes want = expected[django ? last : first].value;
  static char text[2 * most], other[2 * most];
  size_t size = 0, needed = 0;
  REQUIRE(tuile_cookies_read(cookies, expected[i].name, text, sizeof text, &size, NULL) == TUILE_OK);
  REQUIRE(tuile_cookie_decode(want, django ? TUILE_ENCODING_QUOTED : TUILE_ENCODING_RAW, other, sizeof other, &needed,
                              NULL) == TUILE_OK);
  REQUIRE(size == needed);
  REQUIRE(!memcmp(text, other, size));
  if (!size) return;
  text[0] ^= 1;
  REQUIRE(tuile_cookies_read(cookies, expected[i].name, text, size - 1, &needed, NULL) == TUILE_E_SPACE);
  text[0] ^= 1;
  REQUIRE(needed == size);
  REQUIRE(!memcmp(text, other, size));
}

/* Whether the model finds a limit broken. */
static int over(const tuile_cookies *cookies, size_t count) {
  int broken = count > cookies->max_cookies;
  for (size_t i = 0; i < count; i++)
    broken |= expected[i].name.size > cookies->max_name || expected[i].value.size > cookies->max_value;
  return broken;
}

static void check(const tuile_cookies *cookies, size_t total) {
  size_t count = 0, found = 0, before = 0;
  int good = 1;
  for (size_t h = 0; good && h < cookies->header_count; h++) {
    if (cookies->mode == TUILE_COOKIE_MODE_STRICT) good = read_strict(cookies->headers[h], &count);
    else read_walk(cookies->headers[h], cookies->mode == TUILE_COOKIE_MODE_DJANGO, &count);
    if (good) before += cookies->headers[h].size;
  }
  tuile_error error;
  tuile_bytes value;
  tuile_status status = tuile_cookies_count(cookies, &found, &error);
  REQUIRE(tuile_cookies_all(cookies, taken, most, &found, NULL) == status);
  if (status != TUILE_OK) {
    if (status == TUILE_E_SYNTAX) {
      REQUIRE(!good);
      REQUIRE(total <= cookies->max_header);
      REQUIRE(error.offset >= before);
      REQUIRE(error.offset <= total);
    } else {
      REQUIRE(status == TUILE_E_LIMIT);
      REQUIRE(total > cookies->max_header || over(cookies, count));
    }
    REQUIRE(tuile_cookies_get(cookies, TUILE_STR("a"), TUILE_MATCH_LAST, &value, NULL) == status);
    REQUIRE(tuile_cookies_read(cookies, TUILE_STR("a"), NULL, 0, NULL, NULL) == status);
    return;
  }
  REQUIRE(good);
  REQUIRE(total <= cookies->max_header);
  REQUIRE(!over(cookies, count));
  REQUIRE(found == count);
  for (size_t i = 0; i < count; i++) {
    int lies = 0;
    REQUIRE(same(taken[i].name, expected[i].name));
    REQUIRE(same(taken[i].value, expected[i].value));
    for (size_t h = 0; h < cookies->header_count; h++)
      lies |= inside(taken[i].name, cookies->headers[h]) && inside(taken[i].value, cookies->headers[h]);
    REQUIRE(lies);
    if (i < 32) check_one(cookies, count, i);
  }
  if (count) {
    tuile_cookie *array = count > 1 ? taken : NULL;
    REQUIRE(tuile_cookies_all(cookies, array, count - 1, &found, NULL) == TUILE_E_SPACE);
    REQUIRE(found == count);
  }
  /* No name has a ';' in it. */
  REQUIRE(tuile_cookies_get(cookies, TUILE_STR(";"), TUILE_MATCH_FIRST, &value, NULL) == TUILE_ABSENT);
}

/* The flat call gives the same cookies of one header, in a buffer of any size. */
static void check_flat(tuile_bytes header, tuile_cookie_mode mode) {
  static char room[2 * most + 8], plain[2 * most];
  tuile_cookies cookies = TUILE_COOKIES_INIT;
  cookies.headers = &header, cookies.header_count = 1, cookies.mode = mode;
  size_t count = 0, at = 0, size = 0;
  tuile_error error;
  tuile_status status = tuile_cookies_all(&cookies, taken, most, &count, &error);
  int64_t answer = tuile_flat_cookies(header.data, header.size, mode, room, 2 * header.size + 2);
  if (answer < 0) {
    REQUIRE(answer == status || answer == TUILE_E_SYNTAX);
    if (status == TUILE_OK) REQUIRE(memchr(header.data, 0, header.size) || memchr(header.data, '\\', header.size));
    return;
  }
  REQUIRE(status == TUILE_OK);
  REQUIRE((size_t)answer <= 2 * header.size + 2);
  for (size_t i = 0; i < count; i++) {
    REQUIRE(strlen(room + at) == taken[i].name.size);
    REQUIRE(!memcmp(room + at, taken[i].name.data, taken[i].name.size));
    at += taken[i].name.size + 1;
    tuile_encoding encoding = mode == TUILE_COOKIE_MODE_DJANGO ? TUILE_ENCODING_QUOTED : TUILE_ENCODING_RAW;
    REQUIRE(tuile_cookie_decode(taken[i].value, encoding, plain, sizeof plain, &size, NULL) == TUILE_OK);
    REQUIRE(strlen(room + at) == size);
    REQUIRE(!memcmp(room + at, plain, size));
    at += size + 1;
  }
  REQUIRE(at == (size_t)answer);
  char *exact = malloc(at + 1);
  REQUIRE(tuile_flat_cookies(header.data, header.size, mode, exact, at / 2) == answer);
  REQUIRE(tuile_flat_cookies(header.data, header.size, mode, exact, at) == answer);
  REQUIRE(!memcmp(exact, room, at));
  free(exact);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 1 || size > most) return 0;
  tuile_cookies cookies = TUILE_COOKIES_INIT;
  tuile_bytes headers[3];
  uint8_t *copies[3];
  size_t total = 0, at = 1;
  for (; cookies.header_count < 3; cookies.header_count++) {
    size_t from = at;
    while (at < size && (data[at] != 0xfe || cookies.header_count == 2)) at++;
    /* Each as long as it is, so that a read past its end is found. */
    size_t part = at - from;
    uint8_t *copy = copies[cookies.header_count] = malloc(part ? part : 1);
    if (part) memcpy(copy, data + from, part);
    headers[cookies.header_count] = (tuile_bytes){part ? copy : NULL, part};
    total += part;
    if (at++ >= size) { cookies.header_count++; break; }
  }
  cookies.headers = headers;
  cookies.mode = (tuile_cookie_mode)(data[0] & 3) % 3;
  check(&cookies, total);
  check_flat(headers[0], cookies.mode);
  cookies.max_name = data[0] >> 2 & 3;
  cookies.max_value = data[0] >> 4 & 3;
  check(&cookies, total);
  cookies.max_name = cookies.max_value = SIZE_MAX;
  cookies.max_cookies = data[0] >> 6;
  check(&cookies, total);
  cookies.max_cookies = SIZE_MAX;
  cookies.max_header = total;
  check(&cookies, total);
  if (total) cookies.max_header--, check(&cookies, total);
  for (size_t h = 0; h < cookies.header_count; h++) free(copies[h]);
  return 0;
}
