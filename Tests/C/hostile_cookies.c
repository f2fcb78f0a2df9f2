/* The exports of cookies with what no caller should pass: as hostile.c. */
#include "hostile.h"

static void one_header(void) {
  tuile_cookie pair;
  tuile_bytes value = {"keep", 4};
  size_t position = 0, size = 77;
  CHECK(tuile_cookie_next(lie, &position, &pair) == TUILE_E_ARGUMENT);
  CHECK(tuile_cookie_next(endless, &position, &pair) == TUILE_E_ARGUMENT);
  CHECK(tuile_cookie_next(text("a=1"), NULL, &pair) == TUILE_E_ARGUMENT);
  CHECK(tuile_cookie_next(text("a=1"), &position, NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_cookie_next(nothing, &position, &pair) == TUILE_ABSENT);
  position = SIZE_MAX;
  CHECK(tuile_cookie_next(text("a=1"), &position, &pair) == TUILE_ABSENT);
  CHECK(position == SIZE_MAX);
  position = 1000;
  CHECK(tuile_cookie_next(text("a=1"), &position, &pair) == TUILE_ABSENT);
  CHECK(tuile_cookie_get(lie, text("a"), TUILE_MATCH_FIRST, &value) == TUILE_E_ARGUMENT);
  CHECK(tuile_cookie_get(text("a=1"), lie, TUILE_MATCH_FIRST, &value) == TUILE_E_ARGUMENT);
  CHECK(tuile_cookie_get(text("a=1"), text("a"), (tuile_match)7, &value) == TUILE_E_ARGUMENT);
  CHECK(tuile_cookie_get(text("a=1"), text("a"), TUILE_MATCH_LAST, NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_cookie_get(text("a=1"), text("b"), TUILE_MATCH_LAST, &value) == TUILE_ABSENT);
  CHECK(equals(value, "keep"));

  char *exact = guarded(33);
  tuile_set_cookie cookie = TUILE_SET_COOKIE_INIT, bad;
  cookie.name = text("name"), cookie.value = text("value"), cookie.max_age = 12, cookie.secure = true;
  CHECK(tuile_set_cookie_init(NULL, 8) == TUILE_E_ARGUMENT);
  CHECK(tuile_set_cookie_write(NULL, exact, 33, &size, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_set_cookie_write(&cookie, NULL, 33, &size, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_set_cookie_write(&cookie, NULL, 0, &size, &error) == TUILE_E_SPACE);
  CHECK(size == 38);
  exact = guarded(38);
  CHECK(tuile_set_cookie_write(&cookie, exact + 1, 37, &size, &error) == TUILE_E_SPACE);
  CHECK(untouched(exact, 38));
  CHECK(tuile_set_cookie_write(&cookie, exact, 38, NULL, NULL) == TUILE_OK);
  CHECK(memcmp(exact, "name=value; Max-Age=12; Path=/; Secure", 38) == 0);
  exact = guarded(64);
#define REFUSED(field, what, answer)                                                             \
  do {                                                                                           \
    bad = cookie;                                                                                \
    bad.field = what;                                                                            \
    memset(&error, 0, sizeof error);                                                             \
    CHECK(tuile_set_cookie_write(&bad, exact, 64, &size, &error) == (answer));                         \
    CHECK(untouched(exact, 64));                                                                       \
    CHECK(error.status == (answer));                                                             \
    CHECK(error.message[0] != 0);                                                                \
  } while (0)
  REFUSED(size, 3, TUILE_E_ARGUMENT);
  REFUSED(name, lie, TUILE_E_ARGUMENT);
  REFUSED(value, endless, TUILE_E_ARGUMENT);
  REFUSED(same_site, (tuile_same_site)9, TUILE_E_ARGUMENT);
  REFUSED(name, text("a b"), TUILE_E_SYNTAX);
  REFUSED(name, ((tuile_bytes){"a\0b", 3}), TUILE_E_SYNTAX);
  REFUSED(value, text("a\r\nSet-Cookie: b=c"), TUILE_E_SYNTAX);
  REFUSED(value, text("a; Domain=evil"), TUILE_E_SYNTAX);
  REFUSED(value, text("\xff"), TUILE_E_SYNTAX);
  REFUSED(path, text("/\n"), TUILE_E_SYNTAX);
  REFUSED(path, text("/;x"), TUILE_E_SYNTAX);
  REFUSED(domain, text("a;b"), TUILE_E_SYNTAX);
  cookie.secure = false;
  REFUSED(name, text("__Host-a"), TUILE_E_RULE);
  REFUSED(partitioned, true, TUILE_E_RULE);
  REFUSED(same_site, TUILE_SAME_SITE_NONE, TUILE_E_RULE);
  /* A deletion has the same rules, and takes effect: Secure where browsers ask for it. */
  cookie.name = text("__Host-a"), cookie.value = lie;
  CHECK(tuile_set_cookie_delete(NULL, exact, 64, &size, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_set_cookie_delete(&cookie, exact, 64, &size, &error) == TUILE_E_ARGUMENT);
  CHECK(untouched(exact, 64));
  cookie.value = text("of no importance");
  CHECK(tuile_set_cookie_delete(&cookie, NULL, 0, &size, &error) == TUILE_E_SPACE);
  CHECK(size > 64);
  CHECK(tuile_set_cookie_delete(&cookie, exact, 64, &size, &error) == TUILE_E_SPACE);
  CHECK(untouched(exact, 64));
  exact = guarded(size);
  CHECK(tuile_set_cookie_delete(&cookie, exact, size, &size, &error) == TUILE_OK);
  CHECK(equals((tuile_bytes){exact, size}, "__Host-a=\"\"; expires=Thu, 01 Jan 1970 00:00:00 GMT; Max-Age=0; Path=/; Secure"));
  cookie.name = text("a\nb");
  CHECK(tuile_set_cookie_delete(&cookie, exact, size, &size, &error) == TUILE_E_SYNTAX);
  char date[29];
  memset(date, 'u', sizeof date);
  CHECK(tuile_date_write(0, date, 28, &size) == TUILE_E_SPACE);
  CHECK(size == 29);
  CHECK(untouched(date, 29));
  CHECK(tuile_date_write(INT64_MIN, date, 29, NULL) == TUILE_OK);
  CHECK(tuile_date_write(INT64_MAX, date, 29, &size) == TUILE_OK);
  CHECK(tuile_date_write(0, NULL, 29, &size) == TUILE_E_ARGUMENT);
  CHECK(tuile_date_write(0, date, SIZE_MAX, &size) == TUILE_E_ARGUMENT);
}


static void all_headers(void) {
  tuile_bytes headers[2] = {text("a=1; b=2"), text("a=3")}, value = {"keep", 4};
  tuile_cookies request = TUILE_COOKIES_INIT, bad;
  tuile_cookie array[3];
  size_t count = 77;
  char *exact = guarded(1);
  CHECK(tuile_cookies_init(NULL, 8) == TUILE_E_ARGUMENT);
  CHECK(tuile_cookies_init(&bad, sizeof bad) == TUILE_OK);
  CHECK(bad.size == request.size);
  CHECK(bad.max_header == request.max_header);
  CHECK(bad.max_cookies == request.max_cookies);
  CHECK(bad.max_name == request.max_name);
  CHECK(bad.max_value == request.max_value);
  request.headers = headers, request.header_count = 2;
#define REFUSED_REQUEST(field, what, answer)                                                      \
  do {                                                                                            \
    bad = request;                                                                                \
    bad.field = what;                                                                             \
    CHECK(tuile_cookies_count(&bad, &count, &error) == (answer));                                 \
    CHECK(count == 77);                                                                           \
    CHECK(tuile_cookies_all(&bad, array, 3, &count, &error) == (answer));                         \
    CHECK(count == 77);                                                                           \
    CHECK(tuile_cookies_get(&bad, text("a"), TUILE_MATCH_LAST, &value, &error) == (answer));                          \
    CHECK(equals(value, "keep"));                                                                                     \
    CHECK(tuile_cookies_read(&bad, text("a"), exact, 1, &count, &error) == (answer));                                       \
    CHECK(count == 77);                                                                                                     \
    CHECK(untouched(exact, 1));                                                                                             \
  } while (0)
  REFUSED_REQUEST(size, 3, TUILE_E_ARGUMENT);
  REFUSED_REQUEST(headers, NULL, TUILE_E_ARGUMENT);
  REFUSED_REQUEST(headers, &lie, TUILE_E_ARGUMENT);
  REFUSED_REQUEST(header_count, SIZE_MAX, TUILE_E_ARGUMENT);
  REFUSED_REQUEST(mode, (tuile_cookie_mode)7, TUILE_E_ARGUMENT);
  REFUSED_REQUEST(max_header, 10, TUILE_E_LIMIT);
  REFUSED_REQUEST(max_cookies, 2, TUILE_E_LIMIT);
  REFUSED_REQUEST(max_name, 0, TUILE_E_LIMIT);
  REFUSED_REQUEST(max_value, 0, TUILE_E_LIMIT);
  CHECK(tuile_cookies_count(NULL, &count, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_cookies_count(&request, NULL, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_cookies_all(&request, NULL, 3, &count, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_cookies_all(&request, array, 3, NULL, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_cookies_all(&request, array, SIZE_MAX, &count, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_cookies_all(&request, array, 2, &count, &error) == TUILE_E_SPACE);
  CHECK(count == 3);
  CHECK(tuile_cookies_all(&request, array, 3, &count, &error) == TUILE_OK);
  CHECK(equals(array[2].value, "3"));
  CHECK(tuile_cookies_get(&request, lie, TUILE_MATCH_LAST, &value, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_cookies_get(&request, text("a"), (tuile_match)2, &value, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_cookies_get(&request, text("c"), TUILE_MATCH_FIRST, &value, &error) == TUILE_ABSENT);
  CHECK(equals(value, "keep"));
  CHECK(tuile_cookies_read(&request, lie, exact, 1, &count, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_cookies_read(&request, text("a"), NULL, 1, &count, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_cookies_read(&request, text("a"), exact, 0, &count, &error) == TUILE_E_SPACE);
  CHECK(count == 1);
  CHECK(untouched(exact, 1));
  CHECK(tuile_cookies_read(&request, text("a"), exact, 1, &count, NULL) == TUILE_OK);
  CHECK(*exact == '1');
  request.mode = TUILE_COOKIE_MODE_DJANGO;
  CHECK(tuile_cookies_read(&request, text("a"), exact, 1, NULL, NULL) == TUILE_OK);
  CHECK(*exact == '3');
  request.max_header = request.max_cookies = request.max_name = request.max_value = SIZE_MAX;
  CHECK(tuile_cookies_count(&request, &count, &error) == TUILE_OK);
  CHECK(count == 3);
  /* A megabyte of the shortest cookies: the count stops it. */
  char *many = malloc(1 << 20);
  CHECK(many);
  for (size_t i = 0; i < 1 << 20; i += 2) memcpy(many + i, "a;", 2);
  headers[0] = (tuile_bytes){many, 1 << 20};
  CHECK(tuile_cookies_count(&request, &count, &error) == TUILE_OK);
  CHECK(count == (1 << 19) + 1);
  request.max_cookies = 3000;
  CHECK(tuile_cookies_count(&request, &count, &error) == TUILE_E_LIMIT);
  free(many);
  /* Strict says where it breaks, counted through both headers. */
  request.mode = TUILE_COOKIE_MODE_STRICT;
  headers[0] = text("a=1; b=2"), headers[1] = text("c=x y");
  CHECK(tuile_cookies_count(&request, &count, &error) == TUILE_E_SYNTAX);
  CHECK(error.offset == 8 + 3);
}

static void texts(void) {
  size_t size = 77;
  char *exact = guarded(4);
  for (int encoding = -1; encoding <= 5; encoding++) {
    tuile_status good = encoding < 0 || encoding > 4 ? TUILE_E_ARGUMENT : TUILE_E_SPACE;
    CHECK(tuile_cookie_encode(text("abc"), (tuile_encoding)encoding, NULL, 0, &size, &error) == good);
    CHECK(tuile_cookie_decode(text("abcd"), (tuile_encoding)encoding, NULL, 0, &size, &error) == good);
    CHECK(tuile_cookie_encode(lie, (tuile_encoding)encoding, exact, 4, &size, &error) == TUILE_E_ARGUMENT);
    CHECK(tuile_cookie_decode(endless, (tuile_encoding)encoding, exact, 4, &size, &error) == TUILE_E_ARGUMENT);
    if (good == TUILE_E_ARGUMENT) continue;
    CHECK(tuile_cookie_encode(text("abc"), (tuile_encoding)encoding, NULL, 4, &size, &error) == TUILE_E_ARGUMENT);
    CHECK(tuile_cookie_encode(text("abc"), (tuile_encoding)encoding, exact, SIZE_MAX, &size, &error) == TUILE_E_ARGUMENT);
  }
  CHECK(tuile_cookie_encode(text(";"), TUILE_ENCODING_QUOTED, exact, 4, &size, &error) == TUILE_E_SPACE);
  CHECK(size == 6);
  CHECK(untouched(exact, 4));
  CHECK(tuile_cookie_encode(text("a;"), TUILE_ENCODING_RAW, exact, 4, &size, &error) == TUILE_E_SYNTAX);
  CHECK(error.offset == 1);
  CHECK(tuile_cookie_encode(text("a\xff"), TUILE_ENCODING_QUOTED, exact, 4, &size, &error) == TUILE_E_SYNTAX);
  CHECK(error.offset == 1);
  CHECK(tuile_cookie_encode(text("a\xc4\x80"), TUILE_ENCODING_QUOTED, exact, 4, &size, &error) == TUILE_E_SYNTAX);
  CHECK(error.offset == 1);
  CHECK(tuile_cookie_decode(text("ab%4"), TUILE_ENCODING_PERCENT, exact, 4, &size, &error) == TUILE_E_SYNTAX);
  CHECK(error.offset == 2);
  CHECK(tuile_cookie_decode(text("abcde"), TUILE_ENCODING_BASE64URL, exact, 4, &size, &error) == TUILE_E_SYNTAX);
  CHECK(tuile_cookie_decode(text("a%00"), TUILE_ENCODING_PERCENT, exact, 4, &size, &error) == TUILE_OK);
  CHECK(size == 2);
  CHECK(exact[1] == 0);
}

static void set_cookies(void) {
  tuile_set_cookie cookie, init = TUILE_SET_COOKIE_INIT;
  CHECK(tuile_set_cookie_init(&cookie, sizeof cookie) == TUILE_OK);
  CHECK(cookie.now == TUILE_UNSET);
  CHECK(cookie.max_age == init.max_age);
  CHECK(cookie.path.size == 1);
  cookie.max_age = 77;
  CHECK(tuile_set_cookie_read(lie, &cookie, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_set_cookie_read(text("a=b"), NULL, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_set_cookie_read(nothing, &cookie, &error) == TUILE_E_SYNTAX);
  CHECK(tuile_set_cookie_read(text("a=b\n"), &cookie, &error) == TUILE_E_SYNTAX);
  CHECK(error.offset == 3);
  CHECK(cookie.max_age == 77);
  int64_t seconds = 77;
  CHECK(tuile_date_read(lie, &seconds) == TUILE_E_ARGUMENT);
  CHECK(tuile_date_read(text("x"), NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_date_read(nothing, &seconds) == TUILE_E_SYNTAX);
  CHECK(tuile_date_read(text("31 Feb 2020 00:00:00"), &seconds) == TUILE_E_SYNTAX);
  CHECK(seconds == 77);

  tuile_django_cookie django, bad;
  size_t size = 77;
  char *exact = guarded(64);
  CHECK(tuile_django_cookie_init(NULL, 8) == TUILE_E_ARGUMENT);
  CHECK(tuile_django_cookie_init(&django, sizeof django) == TUILE_OK);
  django.key = text("k"), django.now = 0;
#define REFUSED_DJANGO(field, what, answer)                                                                     \
  do {                                                                                                          \
    bad = django;                                                                                               \
    bad.field = what;                                                                                           \
    CHECK(tuile_django_cookie_write(&bad, exact, 64, &size, &error) == (answer));                                       \
    CHECK(untouched(exact, 64));                                                                                        \
    CHECK(size == 77);                                                                                                  \
  } while (0)
  REFUSED_DJANGO(size, 1, TUILE_E_ARGUMENT);
  REFUSED_DJANGO(key, lie, TUILE_E_ARGUMENT);
  REFUSED_DJANGO(key, nothing, TUILE_E_SYNTAX);
  REFUSED_DJANGO(key, text("a;"), TUILE_E_SYNTAX);
  REFUSED_DJANGO(key, text("Max-Age"), TUILE_E_RULE);
  REFUSED_DJANGO(value, text("\xff"), TUILE_E_SYNTAX);
  REFUSED_DJANGO(path, text("/\r\n"), TUILE_E_SYNTAX);
  REFUSED_DJANGO(domain, text("a;b"), TUILE_E_SYNTAX);
  REFUSED_DJANGO(expires_text, text(";"), TUILE_E_SYNTAX);
  REFUSED_DJANGO(samesite, text("Laxer"), TUILE_E_ARGUMENT);
  REFUSED_DJANGO(expires, INT64_MAX, TUILE_E_RANGE);
  REFUSED_DJANGO(now, INT64_MAX, TUILE_E_RANGE);
  django.max_age = 1;
  REFUSED_DJANGO(expires, 5, TUILE_E_ARGUMENT);
  CHECK(tuile_django_cookie_write(NULL, exact, 64, &size, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_django_cookie_delete(NULL, exact, 64, &size, &error) == TUILE_E_ARGUMENT);
  for (int64_t age = INT64_MAX;; age = INT64_MIN + 1) {
    django.max_age = age;
    CHECK(tuile_django_cookie_write(&django, NULL, 0, &size, &error) == TUILE_E_SPACE);
    CHECK(size > 64);
    if (age < 0) break;
  }
  exact = guarded(size);
  CHECK(tuile_django_cookie_write(&django, exact, size - 1, NULL, &error) == TUILE_E_SPACE);
  CHECK(untouched(exact, size));
  CHECK(tuile_django_cookie_write(&django, exact, size, NULL, &error) == TUILE_OK);
}

int main(void) {
  one_header();
  all_headers();
  texts();
  set_cookies();
  return 0;
}
