/* Which session cookie counts, by setting and by store, and names that not every rule of cookies allows. */
#include "request.h"

static const char first_key[] = "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", last_key[] = "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb";

/* The session that a header gives under a rule, and whether there were several. */
static int64_t found(tuile_cookie_rule rule, const char *header, bool *several) {
  tuile_config config = TUILE_CONFIG_INIT;
  tuile_store *store;
  CHECK(tuile_store_open(text("memory:"), &store, &error) == TUILE_OK);
  CHECK(tuile_store_create(store, text(first_key), text("{\"n\":1}"), INT64_MAX, &error) == TUILE_OK);
  CHECK(tuile_store_create(store, text(last_key), text("{\"n\":2}"), INT64_MAX, &error) == TUILE_OK);
  config.open_store = store, config.cookie_rule = rule;
  CHECK(tuile_manager_open(&config, &manager, &error) == TUILE_OK);
  snprintf(jar, sizeof jar, "%s", header);
  tuile_session *s = request();
  int64_t n = -1;
  tuile_session_get_int(s, text("n"), &n, &error);
  CHECK(tuile_session_has_several_cookies(s, several) == TUILE_OK);
  tuile_session_end(s);
  tuile_manager_close(manager);
  tuile_store_close(store);
  return n;
}

static void rules(void) {
  char header[256];
  bool several;
  for (int rule = TUILE_COOKIE_RULE_DEFAULT; rule <= TUILE_COOKIE_RULE_RACK; rule++) {
    bool last = rule <= TUILE_COOKIE_RULE_DJANGO, kept = rule == TUILE_COOKIE_RULE_RACK;
    snprintf(header, sizeof header, "sessionid=%s; a=b; sessionid=%s", first_key, last_key);
    CHECK(found(rule, header, &several) == (last ? 2 : 1));
    CHECK(several);
    snprintf(header, sizeof header, "$Version=1; sessionid=\"%s\"; $Path=/", first_key);
    CHECK(found(rule, header, &several) == (kept ? -1 : 1));
    CHECK(!several);
    snprintf(header, sizeof header, "sessionid=%s; sessionid=%s", first_key, first_key);
    CHECK(found(rule, header, &several) == 1);
    CHECK(!several);
    CHECK(found(rule, "", &several) == -1);
    CHECK(!several);
  }
  /* What Go drops is not there, so that the next one counts. */
  snprintf(header, sizeof header, "sessionid=a\\b; sessionid=%s", first_key);
  CHECK(found(TUILE_COOKIE_RULE_GO, header, &several) == 1);
  CHECK(several);
  CHECK(found(TUILE_COOKIE_RULE_EXPRESS, header, &several) == -1);
  CHECK(several);

  tuile_config config = TUILE_CONFIG_INIT;
  config.store = text("memory:"), config.cookie_rule = TUILE_COOKIE_RULE_RACK + 1;
  CHECK(tuile_manager_open(&config, &manager, &error) == TUILE_E_ARGUMENT);
}

static void names(void) {
  const char *const taken[] = {"foo:bar", "my session", "sesi\xc3\xb3n", "(a)"};
  const char *const never[] = {"a=b", "a;b", "a\nb", "a\x01", ""};
  tuile_config config = TUILE_CONFIG_INIT;
  config.store = text("memory:");
  for (size_t i = 0; i < sizeof taken / sizeof *taken; i++) {
    config.cookie_name = text(taken[i]);
    config.cookie_skip_rules = 0;
    CHECK(tuile_manager_open(&config, &manager, &error) == TUILE_E_SYNTAX);
    config.cookie_skip_rules = TUILE_RULE_NAME;
    CHECK(tuile_manager_open(&config, &manager, &error) == TUILE_OK);
    jar[0] = 0;
    set("n", 5);
    CHECK(strncmp(jar, taken[i], strlen(taken[i])) == 0);
    CHECK(get("n") == 5);
    tuile_manager_close(manager);
  }
  for (size_t i = 0; i < sizeof never / sizeof *never; i++) {
    config.cookie_name = text(never[i]);
    CHECK(tuile_manager_open(&config, &manager, &error) == TUILE_E_SYNTAX);
  }
  config.cookie_name = text("a"), config.cookie_skip_rules = 1 << 20;
  CHECK(tuile_manager_open(&config, &manager, &error) == TUILE_E_ARGUMENT);
}

static void reading(void) {
  char value[32];
  size_t size;
  bool several = false;
  tuile_bytes header = text("a=\"x\\054y\"; a=z");
#define READ(rule) \
  (tuile_cookie_differs(header, text("a"), rule, &several), tuile_cookie_read(header, text("a"), rule, value, sizeof value, &size))
  CHECK(READ(TUILE_COOKIE_RULE_DJANGO) == TUILE_OK);
  CHECK(size == 1);
  CHECK(value[0] == 'z');
  CHECK(several);
  CHECK(READ(TUILE_COOKIE_RULE_FLASK) == TUILE_OK);
  CHECK(size == 3);
  CHECK(memcmp(value, "x,y", 3) == 0);
  CHECK(several);
  CHECK(READ(TUILE_COOKIE_RULE_RACK) == TUILE_OK);
  CHECK(size == 8);
  CHECK(value[0] == '"');
  CHECK(READ(TUILE_COOKIE_RULE_RACK + 1) == TUILE_E_ARGUMENT);
  CHECK(tuile_cookie_read(header, text("a"), TUILE_COOKIE_RULE_RACK, value, 7, &size) == TUILE_E_SPACE);
  CHECK(size == 8);
  CHECK(tuile_cookie_read(header, text("b"), TUILE_COOKIE_RULE_RACK, value, 7, NULL) == TUILE_ABSENT);
  CHECK(tuile_cookie_read((tuile_bytes){NULL, 1}, text("b"), TUILE_COOKIE_RULE_RACK, value, 7, NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_session_has_several_cookies(NULL, &several) == TUILE_E_ARGUMENT);
}

int main(void) {
  rules();
  names();
  reading();
  puts("the session cookie that counts is the one of the rule");
  return 0;
}
