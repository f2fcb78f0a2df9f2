/* Each rule of a Set-Cookie: refused with its own message, written when its bit
 * alone is skipped; and what no bit lets through. */
#include "check.h"

static tuile_error error;
static char out[8192];
static size_t size;
static char messages[64][240];
static int known;

/* Refuses, with a message that no other rule has; skipping `rule` alone writes it. */
static void breaks(tuile_set_cookie cookie, uint32_t rule, tuile_status answer) {
  cookie.now = 1700000000;
  CHECK(tuile_set_cookie_write(&cookie, out, sizeof out, &size, &error) == answer);
  for (int i = 0; i < known; i++) CHECK(strcmp(messages[i], error.message) != 0);
  CHECK(known < 64);
  strcpy(messages[known++], error.message);
  cookie.skip_rules = ~rule;
  CHECK(tuile_set_cookie_write(&cookie, out, sizeof out, &size, &error) == answer);
  cookie.skip_rules = rule;
  CHECK(tuile_set_cookie_write(&cookie, out, sizeof out, &size, &error) == TUILE_OK);
}

static tuile_set_cookie cookie(const char *name) {
  tuile_set_cookie made = TUILE_SET_COOKIE_INIT;
  made.name = text(name), made.value = text("v");
  return made;
}

static const char *letters(size_t count) {
  static char many[5000];
  memset(many, 'a', sizeof many);
  many[0] = '/', many[count] = 0;
  return many;
}

static void rules(void) {
  tuile_set_cookie c = cookie("a b");
  breaks(c, TUILE_RULE_NAME, TUILE_E_SYNTAX);
  c = cookie(""), breaks(c, TUILE_RULE_NAME, TUILE_E_SYNTAX);
  c = cookie("a"), c.value = text("v w"), breaks(c, TUILE_RULE_VALUE, TUILE_E_SYNTAX);
  c = cookie("a"), c.domain = text("exa mple"), breaks(c, TUILE_RULE_DOMAIN, TUILE_E_SYNTAX);
  c = cookie("a"), c.domain = text("a..b"), breaks(c, TUILE_RULE_DOMAIN, TUILE_E_SYNTAX);
  c = cookie("a"), c.domain = text("a."), breaks(c, TUILE_RULE_DOMAIN, TUILE_E_SYNTAX);
  c = cookie("a"), c.domain = text("."), breaks(c, TUILE_RULE_DOMAIN, TUILE_E_SYNTAX);
  c = cookie("a"), c.path = text("x"), breaks(c, TUILE_RULE_PATH, TUILE_E_SYNTAX);
  c = cookie("a"), c.path = text("/\xc3\xa9"), breaks(c, TUILE_RULE_PATH, TUILE_E_SYNTAX);
  c = cookie("a"), c.value = text(letters(4096)), breaks(c, TUILE_RULE_SIZE, TUILE_E_LIMIT);
  c = cookie("a"), c.path = text(letters(1025)), breaks(c, TUILE_RULE_ATTRIBUTE_SIZE, TUILE_E_LIMIT);
  c = cookie("a"), c.domain = (tuile_bytes){letters(257) + 1, 256}, breaks(c, TUILE_RULE_DOMAIN, TUILE_E_LIMIT);
  c = cookie("a"), c.domain = text("1.2.3.256"), breaks(c, TUILE_RULE_DOMAIN, TUILE_E_SYNTAX);
  c = cookie("a"), c.domain = (tuile_bytes){letters(1026) + 1, 1025}, c.skip_rules = TUILE_RULE_DOMAIN;
  CHECK(tuile_set_cookie_write(&c, out, sizeof out, &size, &error) == TUILE_E_LIMIT);
  c.skip_rules = TUILE_RULE_DOMAIN | TUILE_RULE_ATTRIBUTE_SIZE;
  CHECK(tuile_set_cookie_write(&c, out, sizeof out, &size, &error) == TUILE_OK);
  c = cookie("a"), c.max_age = 34560001, breaks(c, TUILE_RULE_LIFETIME, TUILE_E_RULE);
  c = cookie("a"), c.expires = 1700000000 + 34560001, breaks(c, TUILE_RULE_LIFETIME, TUILE_E_RULE);
  c = cookie("a"), c.same_site = TUILE_SAME_SITE_NONE, breaks(c, TUILE_RULE_SAME_SITE, TUILE_E_RULE);
  c = cookie("a"), c.partitioned = true, breaks(c, TUILE_RULE_PARTITIONED, TUILE_E_RULE);
  c = cookie("__Secure-a"), breaks(c, TUILE_RULE_PREFIX, TUILE_E_RULE);
  c = cookie("__hOST-a"), breaks(c, TUILE_RULE_PREFIX, TUILE_E_RULE);
  c.secure = true, c.domain = text("example.com"), breaks(c, TUILE_RULE_PREFIX, TUILE_E_RULE);
  c = cookie("__Host-a"), c.secure = true, c.path = text("/a"), breaks(c, TUILE_RULE_PREFIX, TUILE_E_RULE);
  c = cookie("__Http-a"), breaks(c, TUILE_RULE_PREFIX, TUILE_E_RULE);
  c.secure = true, breaks(c, TUILE_RULE_PREFIX, TUILE_E_RULE);
  CHECK(known == 23);
}

/* At the limit all is well. */
static void limits(void) {
  tuile_set_cookie c = cookie("a");
  c.now = 1700000000;
  c.value = text(letters(4095)), c.domain = text("example.com");
  c.max_age = 34560000, c.expires = c.now + 34560000, c.priority = TUILE_PRIORITY_HIGH;
  CHECK(tuile_set_cookie_write(&c, out, sizeof out, &size, &error) == TUILE_OK);
  c.value = text("v"), c.path = text(letters(1024));
  CHECK(tuile_set_cookie_write(&c, out, sizeof out, &size, &error) == TUILE_OK);
  CHECK(strstr(out, "; Priority=High") != NULL);
  c = cookie("__Host-Http-a"), c.secure = c.http_only = true;
  CHECK(tuile_set_cookie_write(&c, out, sizeof out, &size, &error) == TUILE_OK);
}

/* With every rule skipped, no octet becomes a header or an attribute. */
static void injection(void) {
  for (int octet = 0; octet < 256; octet++) {
    char bad[3] = {'a', (char)octet, 'b'};
    tuile_bytes view = {bad, 3};
    bool control = octet < 0x20 || octet == 0x7f || octet == ';';
    for (int field = 0; field < 4; field++) {
      tuile_set_cookie c = cookie("n");
      c.skip_rules = UINT32_MAX;
      *(field == 0 ? &c.name : field == 1 ? &c.value : field == 2 ? &c.domain : &c.path) = view;
      bool refused = control || (field == 0 && octet == '=');
      CHECK((tuile_set_cookie_write(&c, out, sizeof out, &size, &error) != TUILE_OK) == refused);
      if (refused) {
        CHECK(error.status == TUILE_E_SYNTAX);
        CHECK(error.offset == 1);
      }
      if (field != 1) CHECK((tuile_set_cookie_delete(&c, out, sizeof out, &size, &error) != TUILE_OK) == refused);
    }
  }
  /* A server would read this one as a cookie of that name. */
  tuile_set_cookie c = cookie("");
  c.value = text("__Host-a=b"), c.skip_rules = TUILE_RULE_NAME | TUILE_RULE_VALUE;
  CHECK(tuile_set_cookie_write(&c, out, sizeof out, &size, &error) == TUILE_E_RULE);
  c.value = text("");
  c.skip_rules = UINT32_MAX;
  CHECK(tuile_set_cookie_write(&c, out, sizeof out, &size, &error) == TUILE_E_SYNTAX);
}

int main(void) {
  rules();
  limits();
  injection();
  return 0;
}
