/* Set-Cookie, cut at FE: first a header that is read and written back, then the
 * arguments of Django's set_cookie. What is read is written to read the same,
 * and no data becomes an attribute. */
#include "fuzz.h"

static int has_tab(tuile_bytes text) { return text.size && memchr(text.data, '\t', text.size); }

/* The number of ';' in text, which must have no control character. */
static int semicolons(const char *text, size_t size) {
  int count = 0;
  for (size_t i = 0; i < size; i++) {
    unsigned char c = (unsigned char)text[i];
    REQUIRE(c >= 0x20);
    REQUIRE(c != 0x7f);
    count += c == ';';
  }
  return count;
}

static int attributes(const tuile_set_cookie *cookie) {
  return (cookie->domain.size > 0) + (cookie->path.size > 0) + (cookie->max_age != TUILE_UNSET) +
         (cookie->expires != TUILE_UNSET) + (cookie->same_site != TUILE_SAME_SITE_UNSET) + cookie->secure +
         cookie->http_only + cookie->partitioned + (cookie->priority != TUILE_PRIORITY_UNSET);
}

/* What is written from the fields reads as the same fields. */
static void write_back(tuile_set_cookie cookie, uint32_t skip_rules) {
  static char text[16384];
  size_t size = 0, needed = 0;
  tuile_set_cookie back = TUILE_SET_COOKIE_INIT;
  tuile_error error;
  cookie.skip_rules = skip_rules;
  cookie.now = 1700000000;
  tuile_status status = tuile_set_cookie_write(&cookie, text, sizeof text, &size, &error);
  /* A tab is read, as browsers do, but never written. */
  int tab = has_tab(cookie.name) || has_tab(cookie.value) || has_tab(cookie.domain) || has_tab(cookie.path);
  if (tab || skip_rules) REQUIRE(status == (tab ? TUILE_E_SYNTAX : TUILE_OK));
  if (status != TUILE_OK) return;
  REQUIRE(semicolons(text, size) == attributes(&cookie));
  text[0] ^= 1;
  REQUIRE(tuile_set_cookie_write(&cookie, text, size - 1, &needed, NULL) == TUILE_E_SPACE);
  REQUIRE(needed == size);
  text[0] ^= 1;
  REQUIRE(tuile_set_cookie_read((tuile_bytes){text, size}, &back, &error) == TUILE_OK);
  REQUIRE(same(back.name, cookie.name));
  REQUIRE(same(back.value, cookie.value));
  REQUIRE(same(back.path, cookie.path));
  /* Reading leaves out one dot in front, and then blanks. */
  const char *domain = cookie.domain.data;
  if (!cookie.domain.size || !strchr(". ", domain[0])) REQUIRE(same(back.domain, cookie.domain));
  REQUIRE(back.max_age == cookie.max_age);
  REQUIRE(back.expires == cookie.expires);
  REQUIRE(back.same_site == cookie.same_site);
  REQUIRE(back.secure == cookie.secure);
  REQUIRE(back.http_only == cookie.http_only);
  REQUIRE(back.partitioned == cookie.partitioned);
  REQUIRE(back.priority == cookie.priority);
  REQUIRE(back.skip_rules == 0);
  REQUIRE(back.now == TUILE_UNSET);
  REQUIRE(back.size == sizeof back);

  status = tuile_set_cookie_delete(&cookie, text, sizeof text, &size, &error);
  if (skip_rules) REQUIRE(status == TUILE_OK);
  if (status != TUILE_OK) return;
  REQUIRE(tuile_set_cookie_read((tuile_bytes){text, size}, &back, &error) == TUILE_OK);
  REQUIRE(same(back.name, cookie.name));
  REQUIRE(same(back.value, TUILE_STR("\"\"")));
  REQUIRE(same(back.path, cookie.path));
  REQUIRE(back.max_age == 0);
  REQUIRE(back.expires == 0);
  REQUIRE(back.secure >= cookie.secure);
  back.domain = cookie.domain;
  REQUIRE(semicolons(text, size) == attributes(&back));
}

static void read_header(tuile_bytes header) {
  const unsigned char *text = header.data;
  tuile_set_cookie cookie = TUILE_SET_COOKIE_INIT;
  tuile_error error;
  tuile_status status = tuile_set_cookie_read(header, &cookie, &error);
  for (size_t i = 0; i < header.size; i++)
    if ((text[i] < 0x20 && text[i] != '\t') || text[i] == 0x7f) {
      REQUIRE(status == TUILE_E_SYNTAX);
      REQUIRE(error.offset == i);
      return;
    }
  if (status != TUILE_OK) {
    REQUIRE(status == (header.size > 4096 ? TUILE_E_LIMIT : TUILE_E_SYNTAX));
    return;
  }
  REQUIRE(inside(cookie.name, header));
  REQUIRE(inside(cookie.value, header));
  REQUIRE(inside(cookie.domain, header));
  REQUIRE(inside(cookie.path, header));
  REQUIRE(cookie.name.size + cookie.value.size > 0);
  REQUIRE(!cookie.path.size || *(const char *)cookie.path.data == '/');
  write_back(cookie, 0x3ff);
  write_back(cookie, 0);
}

static void write_django(const tuile_bytes *field, uint8_t flags) {
  static char text[65536];
  size_t size = 0, needed = 0;
  tuile_error error;
  tuile_django_cookie cookie = TUILE_DJANGO_COOKIE_INIT;
  cookie.key = field[1];
  cookie.value = field[2];
  cookie.path = field[3];
  cookie.domain = field[4];
  cookie.samesite = field[5];
  cookie.expires_text = field[6];
  cookie.secure = flags & 1;
  cookie.httponly = flags >> 1 & 1;
  int64_t number = flags;
  if (field[7].size >= 8) memcpy(&number, field[7].data, 8);
  if (flags & 4) cookie.max_age = number;
  if (flags & 8) cookie.expires = number;
  cookie.now = flags & 16 ? 1700000000 : (int64_t)(flags - 128) * 1000000007;
  tuile_status status = tuile_django_cookie_write(&cookie, text, sizeof text, &size, &error);
  if (cookie.max_age != TUILE_UNSET && cookie.expires != TUILE_UNSET) REQUIRE(status < 0);
  if (status == TUILE_OK) {
    int aged = cookie.max_age != TUILE_UNSET || cookie.expires != TUILE_UNSET;
    int want = aged + (aged || cookie.expires_text.size) + (cookie.domain.size > 0) + (cookie.path.size > 0) +
               (cookie.samesite.size > 0) + cookie.secure + cookie.httponly;
    REQUIRE(semicolons(text, size) == want);
    REQUIRE(!memcmp(text, cookie.key.data, cookie.key.size));
    text[0] ^= 1;
    REQUIRE(tuile_django_cookie_write(&cookie, text, size - 1, &needed, NULL) == TUILE_E_SPACE);
    REQUIRE(needed == size);
  }
  if (tuile_django_cookie_delete(&cookie, text, sizeof text, &size, &error) != TUILE_OK) return;
  int secure = size > 8 && !memcmp(text + size - 8, "; Secure", 8);
  REQUIRE(semicolons(text, size) ==
          2 + (cookie.domain.size > 0) + (cookie.path.size > 0) + (cookie.samesite.size > 0) + secure);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 1 || size > 8192) return 0;
  tuile_bytes fields[8] = {{data + 1, 0}};
  size_t field = 0;
  for (size_t i = 1; i < size; i++) {
    if (data[i] == 0xfe && field < 7) fields[++field] = (tuile_bytes){data + i + 1, 0};
    else fields[field].size++;
  }
  read_header(fields[0]);
  if (field) write_django(fields, data[0]);
  return 0;
}
