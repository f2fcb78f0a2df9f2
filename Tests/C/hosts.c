/* The hosts that a cookie can be for: what is written as Domain and what the jar takes are the same,
 * and an address is one host, however it is spelt (WHATWG URL, section 3.5). */
#include "hostile.h"

static bool writes(const char *domain) {
  tuile_set_cookie cookie = TUILE_SET_COOKIE_INIT;
  char out[2000];
  size_t size;
  cookie.name = text("a"), cookie.value = text("1"), cookie.domain = text(domain);
  tuile_status status = tuile_set_cookie_write(&cookie, out, sizeof out, &size, &error);
  CHECK(status == TUILE_OK || status == TUILE_E_SYNTAX || status == TUILE_E_LIMIT);
  return status == TUILE_OK;
}

static tuile_status receive(tuile_jar *jar, const char *host, const char *cookie) {
  tuile_jar_request request = TUILE_JAR_REQUEST_INIT;
  char url[1000];
  snprintf(url, sizeof url, "https://%s/", host);
  request.url = text(url);
  return tuile_jar_receive(jar, &request, text(cookie), &error);
}

static tuile_jar *made(void) {
  tuile_jar_config config = TUILE_JAR_CONFIG_INIT;
  tuile_jar *jar;
  config.suffixes = TUILE_SUFFIXES_LABEL;
  CHECK(tuile_jar_new(&config, &jar, &error) == TUILE_OK);
  return jar;
}

/* Whether the jar takes it from the host itself. */
static bool takes(const char *domain) {
  tuile_jar *jar = made();
  char cookie[1000];
  snprintf(cookie, sizeof cookie, "a=1; Domain=%s", domain);
  tuile_status status = receive(jar, *domain == '.' ? domain + 1 : domain, cookie);
  tuile_jar_free(jar);
  return status == TUILE_OK;
}

static bool sends(tuile_jar *jar, const char *host) {
  tuile_jar_request request = TUILE_JAR_REQUEST_INIT;
  char url[1000], out[100];
  size_t size;
  snprintf(url, sizeof url, "https://%s:8443/", host);
  request.url = text(url);
  tuile_status status = tuile_jar_header(jar, &request, out, sizeof out, &size, &error);
  CHECK(status == TUILE_OK || status == TUILE_ABSENT);
  return status == TUILE_OK;
}

int main(void) {
  static const char *const good[] = {
      "example.com", ".example.com", "www.example.com", "EXAMPLE.Com", "a_b.example.com", "xn--bcher-kva.example", "localhost", "1e100.net",
      "127.0.0.1", "127.1", "0x7f.1", "2130706433", "0177.0.0.01", "[::1]", "[0:0:0:0:0:0:0:1]", "[2001:DB8::A]", "[::ffff:1.2.3.4]", "[1::]",
      "8.a",
  };
  static const char *const bad[] = {
      "example.com:8080", "[::1]:80", "a]b.com", "a[b.com", "[::1", "::1", "[]", "[example.com]", "[1:2:3:4:5:6:7]", "[1:2:3:4:5:6:7:8:9]",
      "[1::2::3]", "[:1]", "[1:]", "[12345::]", "[g::]", "[::1.2.3]", "[::1.2.3.256]", "[::01.2.3.4]", "[1.2.3.4::]", "[:::]", "256.0.0.1", "1.2.3.4.5",
      "127.0.0.1.", "1.2.3.08", "4294967296", "1..2", "a.b.256", "a.0x", "..example.com", "a..b", "example.com.", ".", "a b.com", "b\303\274cher.example",
      "user@example.com", "a%41.com", "a/b", "*.example.com",
  };
  for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
    if (!writes(good[i]) || !takes(good[i])) fprintf(stderr, "refused: %s: %s\n", good[i], error.message);
    CHECK(writes(good[i]));
    CHECK(takes(good[i]));
  }
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    if (writes(bad[i]) || takes(bad[i])) fprintf(stderr, "passed: %s\n", bad[i]);
    CHECK(!writes(bad[i]));
    CHECK(!takes(bad[i]));
  }
  char longest[300];
  memset(longest, 'a', sizeof longest);
  for (size_t i = 60; i < sizeof longest; i += 60) longest[i] = '.';
  longest[255] = 0;
  CHECK(writes(longest));
  CHECK(takes(longest));
  longest[255] = 'a', longest[256] = 0;
  CHECK(!writes(longest));
  CHECK(!takes(longest));

  /* Each line is one address: what one spelling sets, each other gets. */
  static const char *const spellings[][5] = {
      {"127.0.0.1", "127.1", "0x7F.0.0.1", "2130706433", "127.0.0.1."},
      {"[::1]", "[0:0:0:0:0:0:0:1]", "[0::0001]", "[::0.0.0.1]", "[0:0:0:0:0:0:0.0.0.1]"},
      {"[2001:db8::1:0:0:1]", "[2001:0DB8:0:0:1:0:0:1]", "[2001:db8:0:0:1::1]", "[2001:DB8::1:0:0:1]", "[2001:db8:0::1:0:0:1]"},
      {"[::ffff:102:304]", "[::FFFF:1.2.3.4]", "[0:0:0:0:0:ffff:1.2.3.4]", "[::ffff:102:304]", "[0::ffff:1.2.3.4]"},
  };
  enum { lines = sizeof spellings / sizeof *spellings };
  for (int line = 0; line < lines; line++)
    for (int i = 0; i < 5; i++) {
      tuile_jar *jar = made();
      char cookie[200];
      CHECK(receive(jar, spellings[line][i], "host=1") == TUILE_OK);
      for (int other = 0; other < lines; other++)
        for (int k = 0; k < 5; k++) {
          if (sends(jar, spellings[other][k]) != (other == line)) fprintf(stderr, "%s, %s\n", spellings[line][i], spellings[other][k]);
          CHECK(sends(jar, spellings[other][k]) == (other == line));
        }
      /* A Domain that is the address in another spelling is for that host alone. */
      if (i < 4) {
        snprintf(cookie, sizeof cookie, "domain=1; Domain=%s", spellings[line][i]);
        CHECK(receive(jar, spellings[line][0], cookie) == TUILE_OK);
        CHECK(receive(jar, spellings[(line + 1) % lines][0], cookie) == TUILE_E_RULE);
        CHECK(receive(jar, "example.com", cookie) == TUILE_E_RULE);
      }
      tuile_jar_free(jar);
    }
  tuile_jar *jar = made();
  CHECK(receive(jar, "1.2.3.256", "a=1") == TUILE_E_SYNTAX);
  CHECK(strstr(error.message, "no address"));
  CHECK(receive(jar, "[1::2::3]", "a=1") == TUILE_E_SYNTAX);
  /* A name with a dot behind it is a host, but nobody's Domain. */
  CHECK(receive(jar, "example.com.", "a=1") == TUILE_OK);
  CHECK(sends(jar, "example.com."));
  CHECK(!sends(jar, "example.com"));
  tuile_jar_free(jar);
  return 0;
}
