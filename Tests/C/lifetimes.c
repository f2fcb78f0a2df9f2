/* How long sessions live: the longest life, reading that keeps alive, ready-made
 * limits; and new keys while requests run. */
#include "request.h"

static void open_manager(tuile_config *config, const char *store) {
  config->secret = text("a secret that has its thirty-two bytes and more"), config->store = text(store), config->clock = fixed_clock;
  tuile_status status = tuile_manager_open(config, &manager, &error);
  if (status != TUILE_OK) fprintf(stderr, "%s\n", error.message);
  CHECK(status == TUILE_OK);
  jar[0] = 0;
}

static void pass(int64_t seconds) { present += seconds * 1000000; }

static int64_t left(tuile_status expected) {
  tuile_session *s = request();
  int64_t seconds = -1;
  CHECK(tuile_session_get_lifetime(s, &seconds, &error) == expected);
  tuile_session_end(s);
  return seconds;
}

static void longest_life(const char *store) {
  tuile_config config = TUILE_CONFIG_INIT;
  config.cookie_age = 3600, config.lifetime = 86400;
  open_manager(&config, store);
  set("n", 1);
  CHECK(left(TUILE_OK) == 86400);
  for (int hour = 1; hour < 24; hour++) {
    pass(3599);
    set("n", hour); /* activity keeps it alive, but moves no end */
  }
  tuile_session *s = request();
  CHECK(tuile_session_cycle_id(s, &error) == TUILE_OK);
  CHECK(respond(s, 200) == TUILE_OK);
  CHECK(strstr(set_cookie, "Max-Age=3600"));
  pass(3000);
  set("n", 99);
  CHECK(left(TUILE_OK) == 86400 - 23 * 3599 - 3000);
  CHECK(strstr(set_cookie, "Max-Age=623"));
  pass(622);
  CHECK(get("n") == 99);
  pass(1);
  CHECK(get("n") == -1);
  CHECK(!strstr(jar, "=\""));
  /* One session's own end. */
  jar[0] = 0;
  s = request();
  CHECK(tuile_session_set_lifetime(s, -1, &error) == TUILE_E_RANGE);
  CHECK(tuile_session_set_lifetime(s, INT64_MAX, &error) == TUILE_E_RANGE);
  CHECK(tuile_session_set_lifetime(s, 60, &error) == TUILE_OK);
  CHECK(respond(s, 200) == TUILE_OK);
  CHECK(strstr(set_cookie, "Max-Age=60"));
  CHECK(left(TUILE_OK) == 60);
  s = request();
  int64_t age, date;
  CHECK(tuile_session_get_expiry_age(s, TUILE_UNSET, (tuile_bytes){NULL, 0}, &age, &error) == TUILE_OK);
  CHECK(age == 60);
  CHECK(tuile_session_get_expiry_time(s, TUILE_UNSET, (tuile_bytes){NULL, 0}, &date, &error) == TUILE_OK);
  CHECK(date == present + 60000000);
  CHECK(tuile_session_set_lifetime(s, 0, &error) == TUILE_OK);
  CHECK(respond(s, 200) == TUILE_OK);
  CHECK(left(TUILE_OK) == 86400);
  tuile_manager_close(manager);
}

/* An end that the host has computed: Django's get_expiry_date. */
static void the_hosts_own_end(const char *store) {
  tuile_config config = TUILE_CONFIG_INIT;
  open_manager(&config, store);
  tuile_session *s = request();
  CHECK(tuile_session_set_stored_time(s, INT64_MAX, &error) == TUILE_E_RANGE);
  CHECK(tuile_session_set_stored_time(s, INT64_MIN, &error) == TUILE_E_RANGE);
  CHECK(tuile_session_set_int(s, text("n"), 1, &error) == TUILE_OK);
  CHECK(tuile_session_set_expiry(s, 86400, &error) == TUILE_OK);
  CHECK(tuile_session_set_stored_time(s, present + 60000000, &error) == TUILE_OK);
  CHECK(respond(s, 200) == TUILE_OK);
  pass(59);
  CHECK(get("n") == 1);
  /* Another request's expiry is none of that host's computing. */
  s = request();
  CHECK(tuile_session_set_int(s, text("m"), 1, &error) == TUILE_OK);
  CHECK(tuile_session_set_stored_time(s, present + 60000000, &error) == TUILE_OK);
  tuile_session *other = request();
  CHECK(tuile_session_set_expiry(other, 600, &error) == TUILE_OK);
  CHECK(respond(other, 200) == TUILE_OK);
  CHECK(respond(s, 200) == TUILE_OK);
  pass(599);
  CHECK(get("n") == 1);
  CHECK(get("m") == 1);
  pass(1);
  CHECK(get("n") == -1);
  /* Not behind the longest life. */
  jar[0] = 0;
  s = request();
  CHECK(tuile_session_set_int(s, text("n"), 1, &error) == TUILE_OK);
  CHECK(tuile_session_set_lifetime(s, 30, &error) == TUILE_OK);
  CHECK(tuile_session_set_stored_time(s, present + 60000000, &error) == TUILE_OK);
  CHECK(respond(s, 200) == TUILE_OK);
  pass(30);
  CHECK(get("n") == -1);
  tuile_manager_close(manager);
}

static void reading_keeps_alive(const char *store) {
  tuile_config config = TUILE_CONFIG_INIT;
  config.cookie_age = 3600, config.refresh = 300;
  open_manager(&config, store);
  set("n", 1);
  CHECK(left(TUILE_ABSENT) == -1);
  uint64_t saves = stats().saves;
  for (int i = 0; i < 100; i++) {
    pass(99);
    CHECK(get("n") == 1);
    /* Once in 300 seconds, which is every fourth time here. */
    CHECK((set_cookie[0] != 0) == (i % 4 == 3));
  }
  CHECK(stats().touches == 25);
  CHECK(stats().saves == saves);
  pass(3600);
  CHECK(get("n") == -1);
  /* A date is a date. */
  jar[0] = 0;
  tuile_session *s = request();
  CHECK(tuile_session_set_expiry_time(s, present + 1000000000, &error) == TUILE_OK);
  CHECK(respond(s, 200) == TUILE_OK);
  pass(900);
  CHECK(get("n") == -1);
  CHECK(!set_cookie[0]);
  CHECK(jar[0]);
  pass(100);
  s = request();
  CHECK(tuile_session_load(s, &error) == TUILE_ABSENT);
  tuile_session_end(s);
  /* A page that failed keeps nothing alive. */
  jar[0] = 0;
  set("n", 1);
  pass(1000);
  s = request();
  int64_t n;
  CHECK(tuile_session_get_int(s, text("n"), &n, &error) == TUILE_OK);
  CHECK(respond(s, 500) == TUILE_OK);
  CHECK(!set_cookie[0]);
  tuile_manager_close(manager);
}

static void policies(void) {
  tuile_config config = TUILE_CONFIG_INIT;
  CHECK(tuile_config_set_policy(&config, TUILE_POLICY_AAL2) == TUILE_OK);
  CHECK(config.cookie_age == 3600);
  CHECK(config.lifetime == 86400);
  CHECK(config.refresh == 60);
  CHECK(tuile_config_set_policy(&config, TUILE_POLICY_AAL3) == TUILE_OK);
  CHECK(config.cookie_age == 900);
  CHECK(config.lifetime == 43200);
  CHECK(config.refresh == 15);
  CHECK(tuile_config_set_policy(&config, (tuile_policy)1) == TUILE_E_ARGUMENT);
  CHECK(tuile_config_set_policy(NULL, TUILE_POLICY_AAL2) == TUILE_E_ARGUMENT);
  config.store = text("memory:"), config.refresh = -1;
  CHECK(tuile_manager_open(&config, &manager, &error) == TUILE_E_ARGUMENT);
}

static void new_keys(const char *store) {
  tuile_config config = TUILE_CONFIG_INIT;
  open_manager(&config, store);
  set("n", 1);
  char before[200];
  strcpy(before, jar);
  tuile_session *under_way = request();
  CHECK(tuile_session_add_int(under_way, text("n"), 1, NULL, &error) == TUILE_OK);
  tuile_config fresh = TUILE_CONFIG_INIT;
  tuile_bytes old = text("a secret that has its thirty-two bytes and more");
  CHECK(tuile_manager_reload(manager, &fresh, &error) == TUILE_E_ARGUMENT); /* no secret: nothing changes */
  fresh.secret = text("another secret that has its thirty-two bytes"), fresh.fallbacks = &old, fresh.fallback_count = 1;
  CHECK(tuile_manager_reload(manager, &fresh, &error) == TUILE_OK);
  CHECK(respond(under_way, 200) == TUILE_OK);
  /* Read with the old key, which signs it anew: the next read does not need it. */
  uint64_t saves = stats().saves;
  CHECK(get("n") == 2);
  CHECK(stats().old_secret_loads == 1);
  CHECK(stats().saves == saves + 1);
  CHECK(!set_cookie[0]);
  CHECK(get("n") == 2);
  CHECK(stats().old_secret_loads == 1);
  /* The end of the old key, and of what only it had signed. */
  fresh.fallback_count = 0;
  CHECK(tuile_manager_reload(manager, &fresh, &error) == TUILE_OK);
  CHECK(get("n") == 2);
  CHECK(stats().bad_signatures == 0);
  fresh.secret = text("a third secret that has its thirty-two bytes");
  CHECK(tuile_manager_reload(manager, &fresh, &error) == TUILE_OK);
  CHECK(get("n") == -1);
  CHECK(stats().bad_signatures == 1);
  tuile_manager_close(manager);
}

/* A websocket's session, say, is committed as often as its visitor moves: that costs no memory that stays. */
static void committed_often(const char *store, int times) {
  tuile_config config = TUILE_CONFIG_INIT;
  tuile_session *session;
  config.max_data = 256; /* eight times that and a mebibyte is what a request may keep */
  open_manager(&config, store);
  CHECK(tuile_session_start(manager, text(""), text(""), &session, &error) == TUILE_OK);
  CHECK(tuile_session_set_int(session, text("n"), 1, &error) == TUILE_OK);
  for (int i = 0; i < times; i++) {
    tuile_status status = tuile_session_commit(session, 200, NULL, NULL, &error);
    CHECK(status == TUILE_OK);
    CHECK(tuile_session_touch(session, &error) == TUILE_OK);
  }
  tuile_session_end(session);
  tuile_manager_close(manager);
}

int main(int argc, char **argv) {
  CHECK(argc > 1);
  char url[512];
  snprintf(url, sizeof url, "sqlite://%s/sessions.db", argv[1]);
  longest_life("memory:");
  longest_life(url);
  the_hosts_own_end("memory:");
  the_hosts_own_end(url);
  reading_keeps_alive("memory:");
  reading_keeps_alive(url);
  policies();
  new_keys(url);
  committed_often("memory:", 40000);
  puts("sessions end when they should, and keys change while requests run");
  return 0;
}
