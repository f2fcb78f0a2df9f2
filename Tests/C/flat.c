/* Flat calls: they give what the functions with structs give, and hostile arguments get a number. */
#include "hostile.h"

static char room[4096];

/* What a call has put into the room is this text. */
static void gives(int64_t answer, const char *wanted, size_t size) {
  if (answer != (int64_t)size || memcmp(room, wanted, size) != 0) {
    fprintf(stderr, "%lld of %zu: %.*s\n", (long long)answer, size, answer > 0 ? (int)answer : 0, room);
    abort();
  }
}
#define GIVES(answer, literal) gives(answer, literal, sizeof(literal) - 1)

static int64_t cookies(const char *header, tuile_cookie_mode mode) {
  return tuile_flat_cookies(header, strlen(header), mode, room, sizeof room);
}

/* The parts of an error: its offset and its message. */
static void says(int64_t answer, tuile_status status, const char *offset, const char *message) {
  CHECK(answer == status);
  CHECK(strcmp(room, offset) == 0);
  CHECK(strstr(room + strlen(room) + 1, message) != NULL);
}

static void of_cookies(void) {
  GIVES(cookies("", TUILE_COOKIE_MODE_BROWSER), "");
  GIVES(cookies("a=1", TUILE_COOKIE_MODE_BROWSER), "a\0001\0");
  GIVES(cookies("a=1; b=\"x y\";; c; a=2", TUILE_COOKIE_MODE_BROWSER), "a\0001\0b\0\"x y\"\0\0c\0a\0002\0");
  GIVES(cookies("a=\"\\101\\\"b\"; =; c=\xff", TUILE_COOKIE_MODE_DJANGO), "a\0A\"b\0c\0\xff\0");
  GIVES(cookies("a=1; b=2", TUILE_COOKIE_MODE_STRICT), "a\0001\0b\0002\0");
  says(cookies("a=1;b=2", TUILE_COOKIE_MODE_STRICT), TUILE_E_SYNTAX, "4", "after ';'");
  says(cookies("a=1", (tuile_cookie_mode)9), TUILE_E_ARGUMENT, "0", "tuile_cookie_mode");
  says(tuile_flat_cookies("a=\0", 3, TUILE_COOKIE_MODE_BROWSER, room, sizeof room), TUILE_E_SYNTAX, "2", "NUL");
  says(cookies("a=\"\\000\"", TUILE_COOKIE_MODE_DJANGO), TUILE_E_SYNTAX, "0", "NUL");
  CHECK(tuile_flat_cookies(NULL, 5, TUILE_COOKIE_MODE_BROWSER, room, sizeof room) == TUILE_E_ARGUMENT);
  CHECK(tuile_flat_cookies("a", SIZE_MAX, TUILE_COOKIE_MODE_BROWSER, room, sizeof room) == TUILE_E_ARGUMENT);
  CHECK(tuile_flat_cookies("a=1", 3, TUILE_COOKIE_MODE_BROWSER, NULL, 1) == TUILE_E_ARGUMENT);
  CHECK(tuile_flat_cookies("a=1", 3, TUILE_COOKIE_MODE_BROWSER, room, SIZE_MAX) == TUILE_E_ARGUMENT);
  /* One that is too small says what is needed, and nothing is written behind it. */
  CHECK(tuile_flat_cookies("a=1; b=2", 8, TUILE_COOKIE_MODE_BROWSER, NULL, 0) == 8);
  for (size_t size = 0; size < 8; size++) CHECK(tuile_flat_cookies("a=1; b=2", 8, TUILE_COOKIE_MODE_BROWSER, guarded(size), size) == 8);
  CHECK(tuile_flat_cookies("a=1; b=2", 8, TUILE_COOKIE_MODE_BROWSER, guarded(8), 8) == 8);
  /* A message fits to the byte, or is cut. */
  for (size_t size = 0; size < 40; size++) {
    char *exact = guarded(size);
    CHECK(tuile_flat_cookies("a", 1, TUILE_COOKIE_MODE_STRICT, exact, size) == TUILE_E_SYNTAX);
    if (size) CHECK(memchr(exact, 0, size) != NULL);
    if (size > 2) CHECK(exact[size - 1] == 0);
  }
}

#define FIELDS(literal) literal, sizeof(literal) - 1

static void of_set_cookie(void) {
  GIVES(tuile_flat_set_cookie(FIELDS("a\0b\0\0/\0"), TUILE_UNSET, 0, room, sizeof room), "a=b; Path=/");
  const uint32_t all = TUILE_FLAT_SECURE | TUILE_FLAT_HTTP_ONLY | TUILE_FLAT_PARTITIONED |
                       TUILE_SAME_SITE_NONE * TUILE_FLAT_SAME_SITE | TUILE_PRIORITY_HIGH * TUILE_FLAT_PRIORITY;
  tuile_set_cookie same = TUILE_SET_COOKIE_INIT;
  same.name = text("name"), same.value = text("value"), same.domain = text("example.org"), same.max_age = 60;
  same.secure = same.http_only = same.partitioned = true;
  same.same_site = TUILE_SAME_SITE_NONE, same.priority = TUILE_PRIORITY_HIGH;
  char wanted[256];
  size_t size = 0;
  CHECK(tuile_set_cookie_write(&same, wanted, sizeof wanted, &size, NULL) == TUILE_OK);
  const char *fields = "name\0value\0example.org\0/";
  gives(tuile_flat_set_cookie(fields, 25, 60, all, room, sizeof room), wanted, size);
  for (size_t small = 0; small < size; small++)
    CHECK(tuile_flat_set_cookie(fields, 25, 60, all, guarded(small), small) == (int64_t)size);
  for (size_t cut = 0; cut < 25; cut++)
    CHECK(tuile_flat_set_cookie(fields, cut, 60, all, room, sizeof room) == TUILE_E_ARGUMENT);
  CHECK(tuile_flat_set_cookie(FIELDS("a\0b\0\0/\0\0"), 60, 0, room, sizeof room) == TUILE_E_ARGUMENT);
  const uint32_t wrong[] = {8, 4 * TUILE_FLAT_SAME_SITE, 15 * TUILE_FLAT_SAME_SITE, 4 * TUILE_FLAT_PRIORITY, 1 << 12, UINT32_MAX};
  for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
    CHECK(tuile_flat_set_cookie(FIELDS("a\0b\0\0/\0"), 60, wrong[i], room, sizeof room) == TUILE_E_ARGUMENT);
  says(tuile_flat_set_cookie(FIELDS("a\0b;\0\0/\0"), 60, 0, room, sizeof room), TUILE_E_SYNTAX, "1", "");
  CHECK(tuile_flat_set_cookie(FIELDS("__Host-a\0b\0\0/\0"), 60, 0, room, sizeof room) == TUILE_E_RULE);
  CHECK(tuile_flat_set_cookie(NULL, 8, 60, 0, room, sizeof room) == TUILE_E_ARGUMENT);
}

static tuile_signer *signer(tuile_dialect dialect, bool timed) {
  tuile_signer_config config = TUILE_SIGNER_CONFIG_INIT;
  config.secret = text("a secret of thirty-two octets and more"), config.salt = text("s"), config.name = text("n");
  config.dialect = dialect, config.timed = timed;
  tuile_signer *made = NULL;
  CHECK(tuile_signer_new(&config, &made, &error) == TUILE_OK);
  return made;
}

static void of_one(tuile_dialect dialect, const char *value, bool json) {
  tuile_signer *made = signer(dialect, true);
  size_t size = strlen(value), needed = 0;
  char token[1024], other[1024];
  int64_t count = json ? tuile_flat_dumps(made, value, size, 0, token, sizeof token) : tuile_flat_sign(made, value, size, token, sizeof token);
  CHECK(count > 0);
  /* Each way reads what the other has made. */
  int64_t (*read)(const tuile_signer *, const char *, size_t, int64_t, char *, size_t) = json ? tuile_flat_loads : tuile_flat_unsign;
  gives(read(made, token, (size_t)count, 60, room, sizeof room), value, size);
  gives(read(made, token, (size_t)count, TUILE_UNSET, room, sizeof room), value, size);
  tuile_verification asked = TUILE_VERIFICATION_INIT;
  asked.token = (tuile_bytes){token, (size_t)count};
  CHECK((json ? tuile_token_loads : tuile_token_unsign)(made, &asked, other, sizeof other, &needed, NULL) == TUILE_OK);
  CHECK(needed == size);
  CHECK(memcmp(other, value, size) == 0);
  tuile_signing signing = TUILE_SIGNING_INIT;
  signing.value = text(value);
  CHECK((json ? tuile_token_dumps : tuile_token_sign)(made, &signing, other, sizeof other, &needed, NULL) == TUILE_OK);
  gives(read(made, other, needed, 60, room, sizeof room), value, size);
  signing.now = 1000;
  CHECK((json ? tuile_token_dumps : tuile_token_sign)(made, &signing, other, sizeof other, &needed, NULL) == TUILE_OK);
  CHECK(read(made, other, needed, 60, room, sizeof room) == TUILE_FLAT_ANSWER - TUILE_EXPIRED);
  CHECK(read(made, token, (size_t)count - 1, 60, room, sizeof room) == TUILE_FLAT_ANSWER - TUILE_BAD_SIGNATURE);
  CHECK(read(made, "", 0, 60, room, sizeof room) == TUILE_FLAT_ANSWER - TUILE_BAD_SIGNATURE);
  CHECK(read(made, token, (size_t)count, 60, NULL, 0) == (int64_t)size);
  char *exact = guarded(size - 1);
  CHECK(read(made, token, (size_t)count, 60, exact, size - 1) == (int64_t)size);
  CHECK(untouched(exact, size - 1));
  exact = guarded(20);
  CHECK((json ? tuile_flat_dumps(made, value, size, 0, exact, 20) : tuile_flat_sign(made, value, size, exact, 20)) >= count);
  CHECK(untouched(exact, 20));
  CHECK(read(NULL, token, (size_t)count, 60, room, sizeof room) == TUILE_E_ARGUMENT);
  CHECK(read(made, NULL, 5, 60, room, sizeof room) == TUILE_E_ARGUMENT);
  CHECK(read(made, token, SIZE_MAX, 60, room, sizeof room) == TUILE_E_ARGUMENT);
  CHECK(read(made, token, (size_t)count, 60, NULL, 7) == TUILE_E_ARGUMENT);
  tuile_signer_free(made);
}

static void of_tokens(void) {
  const tuile_dialect dialects[] = {TUILE_DIALECT_DJANGO, TUILE_DIALECT_ITSDANGEROUS, TUILE_DIALECT_SEALED};
  for (size_t i = 0; i < 3; i++) {
    of_one(dialects[i], "a text of some length", false);
    of_one(dialects[i], "{\"a\":[1,2.50,\"x\"]}", true);
  }
  tuile_signer *made = signer(TUILE_DIALECT_DJANGO, false);
  says(tuile_flat_dumps(made, "[1,", 3, 0, room, sizeof room), TUILE_E_SYNTAX, "3", "");
  CHECK(tuile_flat_dumps(made, "[1]", 3, 2, room, sizeof room) == TUILE_E_ARGUMENT);
  CHECK(tuile_flat_dumps(NULL, "[1]", 3, 0, room, sizeof room) == TUILE_E_ARGUMENT);
  CHECK(tuile_flat_sign(NULL, "a", 1, room, sizeof room) == TUILE_E_ARGUMENT);
  CHECK(tuile_flat_sign(made, NULL, 1, room, sizeof room) == TUILE_E_ARGUMENT);
  CHECK(tuile_flat_sign(made, "a", SIZE_MAX / 2, room, sizeof room) == TUILE_E_LIMIT);
  /* Deflated where that is shorter. */
  char json[600];
  size_t size = (size_t)snprintf(json, sizeof json, "\"%0500d\"", 0);
  int64_t plain = tuile_flat_dumps(made, json, size, 0, room, sizeof room);
  CHECK(tuile_flat_dumps(made, json, size, 1, room, sizeof room) < plain);
  CHECK(room[0] == '.');
  tuile_signer_free(made);
}

int main(void) {
  of_cookies();
  of_set_cookie();
  of_tokens();
  return 0;
}
