/* The session's meaning, Django's middleware rules first, on every store. */
#define _GNU_SOURCE
#include "request.h"

/* ---- the middleware's rules ---- */

static void nothing_without_need(void) {
  jar[0] = 0;
  uint64_t saves = stats().saves;
  CHECK(respond(request(), 200) == TUILE_OK);
  CHECK(!set_cookie[0]);
  CHECK(vary == 0);
  CHECK(get("x") == -1);
  CHECK(!set_cookie[0]); /* read: Vary, no cookie, no row */
  tuile_session *s = request();
  CHECK(tuile_session_remove(s, text("x"), &error) == TUILE_ABSENT);
  CHECK(!tuile_session_modified(s));
  CHECK(tuile_session_flush(s, &error) == TUILE_OK); /* a logout of nobody */
  CHECK(respond(s, 200) == TUILE_OK);
  CHECK(!set_cookie[0]);
  CHECK(vary == 1);
  CHECK(stats().saves == saves);
}

static void cookie_and_its_end(void) {
  jar[0] = 0;
  set("n", 1);
  CHECK(strstr(set_cookie, "; HttpOnly; Max-Age=1209600; Path=/; SameSite=Lax") != NULL);
  CHECK(get("n") == 1);
  CHECK(!set_cookie[0]);
  tuile_session *s = request();
  tuile_bytes key;
  CHECK(tuile_session_id(s, &key) == TUILE_OK);
  CHECK(key.size == 32);
  CHECK(!tuile_session_accessed(s));
  CHECK(tuile_session_flush(s, &error) == TUILE_OK);
  CHECK(tuile_session_id(s, &key) == TUILE_ABSENT);
  CHECK(respond(s, 200) == TUILE_OK);
  CHECK(strcmp(set_cookie, "sessionid=\"\"; expires=Thu, 01 Jan 1970 00:00:00 GMT; HttpOnly; Max-Age=0; Path=/; SameSite=Lax") == 0);
  snprintf(jar, sizeof jar, "sessionid=0123456789abcdefghijklmnopqrstuv"); /* unknown: deleted once it was looked at */
  CHECK(get("n") == -1);
  CHECK(strstr(set_cookie, "Max-Age=0") != NULL);
  snprintf(jar, sizeof jar, "sessionid=evil-evil-evil");
  CHECK(respond(request(), 200) == TUILE_OK);
  CHECK(strstr(set_cookie, "Max-Age=0") != NULL);
}

static void server_errors_save_nothing(void) {
  jar[0] = 0;
  set("n", 1);
  tuile_session *s = request();
  CHECK(tuile_session_set_int(s, text("n"), 2, &error) == TUILE_OK);
  CHECK(respond(s, 500) == TUILE_OK);
  CHECK(!set_cookie[0]);
  CHECK(vary == 1);
  CHECK(get("n") == 1);
  s = request();
  CHECK(tuile_session_set_int(s, text("n"), 3, &error) == TUILE_OK);
  CHECK(respond(s, 499) == TUILE_OK);
  CHECK(set_cookie[0]);
  CHECK(get("n") == 3);
  s = request(); /* a logout counts whatever becomes of the response */
  CHECK(tuile_session_flush(s, &error) == TUILE_OK);
  CHECK(respond(s, 500) == TUILE_OK);
}

static void ids_are_never_adopted(void) {
  snprintf(jar, sizeof jar, "sessionid=attackerattackerattackerattacker");
  tuile_session *s = request();
  tuile_bytes key;
  CHECK(tuile_session_set_int(s, text("n"), 1, &error) == TUILE_OK);
  CHECK(tuile_session_id(s, &key) == TUILE_ABSENT);
  CHECK(respond(s, 200) == TUILE_OK);
  CHECK(strstr(set_cookie, "attacker") == NULL);
  CHECK(get("n") == 1);
}

/* ---- keys ---- */

static void login_changes_the_key(void) {
  jar[0] = 0;
  set("n", 1);
  char before[200];
  strcpy(before, jar);
  tuile_session *slow = request(), *login = request();
  CHECK(tuile_session_add_int(slow, text("n"), 10, NULL, &error) == TUILE_OK);
  CHECK(tuile_session_cycle_id(login, &error) == TUILE_OK);
  CHECK(tuile_session_set_int(login, text("user"), 7, &error) == TUILE_OK);
  CHECK(respond(login, 200) == TUILE_OK);
  CHECK(strcmp(jar, before) != 0);
  CHECK(get("n") == 1);
  CHECK(get("user") == 7);
  /* A request under way saves nothing into what the login made, and is told no key. */
  char after[200];
  strcpy(after, jar);
  CHECK(respond(slow, 200) == TUILE_DELETED);
  CHECK(!set_cookie[0]);
  CHECK(get("n") == 1);
  CHECK(get("user") == 7);
  /* Who still comes with the old key sees it as it was, nothing of the login. */
  strcpy(jar, before);
  CHECK(get("n") == 1);
  CHECK(get("user") == -1);
  CHECK(get("_session_moved") == -1);
  slow = request();
  tuile_bytes seen;
  CHECK(tuile_session_add_int(slow, text("n"), 1, NULL, &error) == TUILE_OK);
  CHECK(tuile_session_commit(slow, 200, collect, NULL, &error) == TUILE_DELETED);
  CHECK(tuile_session_json(slow, &seen, &error) == TUILE_OK);
  CHECK(!memmem(seen.data, seen.size, "user", 4));
  CHECK(respond(slow, 200) == TUILE_DELETED);
  CHECK(!set_cookie[0]);
  slow = request();
  CHECK(tuile_session_clear(slow, &error) == TUILE_OK);
  CHECK(tuile_session_set_int(slow, text("z"), 1, &error) == TUILE_OK);
  CHECK(respond(slow, 200) == TUILE_DELETED);
  CHECK(!set_cookie[0]);
  strcpy(jar, after);
  CHECK(get("n") == 1);
  CHECK(get("user") == 7);
  CHECK(get("z") == -1);
  /* An hour later, too. */
  strcpy(jar, before);
  slow = request();
  CHECK(tuile_session_set_int(slow, text("z"), 1, &error) == TUILE_OK);
  int64_t login_time = present;
  present += 3600 * 1000000ll;
  CHECK(respond(slow, 200) == TUILE_DELETED);
  present = login_time;
  strcpy(jar, after);
  CHECK(get("z") == -1);
  /* A login with the old key is a session of its own. */
  strcpy(jar, before);
  slow = request();
  CHECK(tuile_session_cycle_id(slow, &error) == TUILE_OK);
  CHECK(tuile_session_set_int(slow, text("user"), 8, &error) == TUILE_OK);
  CHECK(respond(slow, 200) == TUILE_OK);
  CHECK(set_cookie[0]);
  CHECK(get("user") == 8);
  CHECK(get("n") == 1);
  strcpy(jar, after);
  CHECK(get("user") == 7);
  /* The old key ends with the session, not with the grace. */
  tuile_session *logout = request();
  CHECK(tuile_session_flush(logout, &error) == TUILE_OK);
  CHECK(respond(logout, 200) == TUILE_OK);
  strcpy(jar, before);
  CHECK(get("n") == -1);
  jar[0] = 0;
  set("n", 1);
  strcpy(before, jar);
  login = request();
  CHECK(tuile_session_cycle_id(login, &error) == TUILE_OK);
  CHECK(respond(login, 200) == TUILE_OK);
  strcpy(after, jar);
  /* It is good for the whole grace, to the microsecond; then it is worth nothing. */
  strcpy(jar, before);
  present += 4999999;
  CHECK(get("n") == 1);
  present += 1;
  strcpy(jar, before);
  CHECK(get("n") == -1);
  strcpy(jar, after);
  set("n", 1);
  /* A change that came before the login's commit is kept. */
  tuile_session *first = request();
  login = request();
  CHECK(tuile_session_cycle_id(login, &error) == TUILE_OK);
  CHECK(tuile_session_add_int(first, text("n"), 5, NULL, &error) == TUILE_OK);
  CHECK(respond(first, 200) == TUILE_OK);
  CHECK(respond(login, 200) == TUILE_OK);
  CHECK(strcmp(jar, after) != 0);
  CHECK(get("n") == 6);
  /* A logout that came first ends the login's session too. */
  logout = request();
  login = request();
  CHECK(tuile_session_cycle_id(login, &error) == TUILE_OK);
  CHECK(tuile_session_flush(logout, &error) == TUILE_OK);
  CHECK(respond(login, 200) == TUILE_DELETED);
  CHECK(!set_cookie[0]);
  tuile_session_end(logout);
  CHECK(get("n") == -1);
  /* One that had read the session before the login gave it its new key, too. */
  jar[0] = 0;
  set("n", 1);
  logout = request();
  int64_t n;
  CHECK(tuile_session_get_int(logout, text("n"), &n, &error) == TUILE_OK);
  CHECK(n == 1);
  login = request();
  CHECK(tuile_session_cycle_id(login, &error) == TUILE_OK);
  CHECK(respond(login, 200) == TUILE_OK);
  strcpy(after, jar);
  CHECK(tuile_session_flush(logout, &error) == TUILE_OK);
  CHECK(respond(logout, 200) == TUILE_OK);
  strcpy(jar, after);
  CHECK(get("n") == -1);
  /* A logout that comes with the old key ends the session all the same. */
  jar[0] = 0;
  set("n", 1);
  strcpy(before, jar);
  login = request();
  CHECK(tuile_session_cycle_id(login, &error) == TUILE_OK);
  CHECK(respond(login, 200) == TUILE_OK);
  strcpy(after, jar);
  strcpy(jar, before);
  logout = request();
  CHECK(tuile_session_flush(logout, &error) == TUILE_OK);
  CHECK(respond(logout, 200) == TUILE_OK);
  strcpy(jar, after);
  CHECK(get("n") == -1);
}

static void deleted_stays_deleted(void) {
  jar[0] = 0;
  set("n", 1);
  uint64_t refused = stats().resurrections_refused;
  tuile_session *slow = request(), *logout = request();
  CHECK(tuile_session_set_int(slow, text("n"), 2, &error) == TUILE_OK);
  CHECK(tuile_session_flush(logout, &error) == TUILE_OK);
  CHECK(tuile_session_commit(slow, 200, collect, NULL, &error) == TUILE_DELETED);
  /* Trying again does not help, under a new key neither. */
  CHECK(respond(slow, 200) == TUILE_DELETED);
  CHECK(!set_cookie[0]);
  CHECK(stats().resurrections_refused == refused + 1);
  CHECK(respond(logout, 200) == TUILE_OK);
  CHECK(set_cookie[0]);
}

static void interleaved_changes_all_survive(void) {
  jar[0] = 0;
  set("n", 1);
  tuile_session *a = request(), *b = request(), *c = request();
  CHECK(tuile_session_add_int(a, text("n"), 1, NULL, &error) == TUILE_OK);
  CHECK(tuile_session_set_int(a, text("a"), 1, &error) == TUILE_OK);
  CHECK(tuile_session_add_int(b, text("n"), 1, NULL, &error) == TUILE_OK);
  CHECK(tuile_session_set_int(b, text("b"), 1, &error) == TUILE_OK);
  CHECK(tuile_session_remove(c, text("n"), &error) == TUILE_OK);
  CHECK(tuile_session_set_int(c, text("c"), 1, &error) == TUILE_OK);
  CHECK(respond(a, 200) == TUILE_OK);
  CHECK(respond(b, 200) == TUILE_OK);
  CHECK(get("n") == 3);
  CHECK(get("a") == 1);
  CHECK(get("b") == 1);
  CHECK(respond(c, 200) == TUILE_OK);
  CHECK(get("n") == -1);
  CHECK(get("c") == 1);
  CHECK(get("a") == 1);
}

/* A response that is streamed may commit, go on, and commit again. */
static void commits_twice(void) {
  jar[0] = 0;
  tuile_session *s = request();
  CHECK(tuile_session_add_int(s, text("n"), 1, NULL, &error) == TUILE_OK);
  CHECK(tuile_session_set_int(s, text("x"), 1, &error) == TUILE_OK);
  CHECK(tuile_session_commit(s, 200, collect, NULL, &error) == TUILE_OK);
  CHECK(!tuile_session_modified(s));
  uint64_t conflicts = stats().conflicts;
  CHECK(tuile_session_add_int(s, text("n"), 1, NULL, &error) == TUILE_OK);
  CHECK(tuile_session_remove(s, text("x"), &error) == TUILE_OK);
  CHECK(tuile_session_commit(s, 200, collect, NULL, &error) == TUILE_OK);
  CHECK(stats().conflicts == conflicts);
  snprintf(jar, sizeof jar, "%.*s", (int)strcspn(set_cookie, ";"), set_cookie);
  tuile_session *other = request();
  CHECK(tuile_session_add_int(other, text("n"), 10, NULL, &error) == TUILE_OK);
  CHECK(tuile_session_set_int(other, text("x"), 2, &error) == TUILE_OK);
  CHECK(respond(other, 200) == TUILE_OK);
  CHECK(tuile_session_add_int(s, text("n"), 100, NULL, &error) == TUILE_OK);
  CHECK(respond(s, 200) == TUILE_OK);
  CHECK(get("n") == 112);
  CHECK(get("x") == 2);
}

/* ---- expiry ---- */

static void expires(void) {
  jar[0] = 0;
  set("n", 1);
  present += 1209599 * 1000000ll;
  CHECK(get("n") == 1);
  present += 1000000;
  CHECK(get("n") == -1);
  tuile_session *s = request();
  int64_t age, date;
  bool at_close;
  CHECK(tuile_session_get_expiry_age(s, TUILE_UNSET, (tuile_bytes){NULL, 0}, &age, &error) == TUILE_OK);
  CHECK(age == 1209600);
  CHECK(tuile_session_set_expiry(s, 0, &error) == TUILE_OK);
  CHECK(tuile_session_get_expiry_age(s, TUILE_UNSET, (tuile_bytes){NULL, 0}, &age, &error) == TUILE_OK);
  CHECK(age == 1209600);
  CHECK(tuile_session_get_expire_at_browser_close(s, &at_close, &error) == TUILE_OK);
  CHECK(at_close);
  CHECK(respond(s, 200) == TUILE_OK);
  CHECK(strstr(set_cookie, "Max-Age") == NULL);
  CHECK(strstr(set_cookie, "expires") == NULL);
  s = request();
  CHECK(tuile_session_set_expiry(s, 60, &error) == TUILE_OK);
  CHECK(tuile_session_get_expiry_time(s, TUILE_UNSET, (tuile_bytes){NULL, 0}, &date, &error) == TUILE_OK);
  CHECK(date == present + 60000000);
  CHECK(respond(s, 200) == TUILE_OK);
  CHECK(strstr(set_cookie, "Max-Age=60;") != NULL);
  s = request();
  CHECK(tuile_session_set_expiry_time(s, present + 100000000, &error) == TUILE_OK);
  CHECK(tuile_session_set_int(s, text("n"), 2, &error) == TUILE_OK);
  CHECK(respond(s, 200) == TUILE_OK);
  CHECK(strstr(set_cookie, "Max-Age=99;") != NULL); /* half a second is gone */
  present += 99 * 1000000ll;
  CHECK(get("n") == 2);
  s = request();
  CHECK(tuile_session_set_expiry(s, TUILE_UNSET, &error) == TUILE_OK);
  CHECK(respond(s, 200) == TUILE_OK);
  CHECK(strstr(set_cookie, "Max-Age=1209600") != NULL);
  present += 2000000;
  CHECK(get("n") == 2);
  size_t removed = 9;
  present += 1209600 * 1000000ll + 1;
  CHECK(tuile_manager_sweep(manager, 1000, &removed, &error) == TUILE_OK);
  CHECK(removed >= 1);
  CHECK(tuile_manager_sweep(manager, 1000, &removed, &error) == TUILE_OK);
  CHECK(removed == 0);
}

/* ---- values ---- */

static void values(void) {
  jar[0] = 0;
  tuile_session *s = request();
  tuile_bytes view, first;
  tuile_type type;
  double real;
  bool yes = false, empty;
  size_t count, position = 0;
  CHECK(tuile_session_is_empty(s, &empty, &error) == TUILE_OK);
  CHECK(empty);
  CHECK(tuile_session_set_json(s, text("null"), TUILE_STR("null"), &error) == TUILE_OK);
  CHECK(tuile_session_set_bool(s, text("bool"), true, &error) == TUILE_OK);
  CHECK(tuile_session_set_double(s, text("double"), 1e100, &error) == TUILE_OK);
  CHECK(tuile_session_set_string(s, text("string"), text("h\xc3\xa9\xf0\x9f\x98\x80\"\\\n"), &error) == TUILE_OK);
  CHECK(tuile_session_set_json(s, text("json"), text(" [1, {\"a\": null}] "), &error) == TUILE_OK);
  CHECK(respond(s, 200) == TUILE_OK);
  s = request();
  CHECK(tuile_session_count(s, &count, &error) == TUILE_OK);
  CHECK(count == 5);
  CHECK(tuile_session_type(s, text("null"), &type, &error) == TUILE_OK);
  CHECK(type == TUILE_TYPE_NULL);
  CHECK(tuile_session_get_bool(s, text("bool"), &yes, &error) == TUILE_OK);
  CHECK(yes);
  CHECK(tuile_session_get_double(s, text("double"), &real, &error) == TUILE_OK);
  CHECK(real == 1e100);
  CHECK(tuile_session_get_json(s, text("double"), &view, &error) == TUILE_OK);
  CHECK(equals(view, "1e+100"));
  CHECK(tuile_session_get_string(s, text("string"), &first, &error) == TUILE_OK);
  CHECK(tuile_session_get_json(s, text("json"), &view, &error) == TUILE_OK);
  CHECK(equals(view, "[1,{\"a\":null}]"));
  CHECK(tuile_session_get_string(s, text("json"), &view, &error) == TUILE_E_TYPE);
  const char *order[] = {"null", "bool", "double", "string", "json"};
  for (int i = 0; i < 5; i++) {
    CHECK(tuile_session_next_item(s, &position, &view, NULL, &error) == TUILE_OK);
    CHECK(equals(view, order[i]));
  }
  CHECK(tuile_session_next_item(s, &position, &view, NULL, &error) == TUILE_ABSENT);
  for (int i = 0; i < 500; i++) {
    char name[20];
    snprintf(name, sizeof name, "key%d", i);
    CHECK(tuile_session_set_int(s, text(name), i, &error) == TUILE_OK);
  }
  CHECK(equals(first, "h\xc3\xa9\xf0\x9f\x98\x80\"\\\n")); /* a view outlives other changes */
  CHECK(respond(s, 200) == TUILE_OK);
  CHECK(get("key499") == 499);
  CHECK(get("key0") == 0);
  s = request();
  CHECK(tuile_session_clear(s, &error) == TUILE_OK);
  CHECK(tuile_session_is_empty(s, &empty, &error) == TUILE_OK);
  CHECK(!empty);
  CHECK(respond(s, 200) == TUILE_OK);
  CHECK(set_cookie[0]);
  CHECK(get("key0") == -1); /* Django keeps the key */
}

static void every_request(tuile_config config) {
  tuile_manager *usual = manager;
  config.save_every_request = true;
  CHECK(tuile_manager_open(&config, &manager, &error) == TUILE_OK);
  jar[0] = 0;
  CHECK(respond(request(), 200) == TUILE_OK);
  CHECK(!set_cookie[0]);
  set("n", 1);
  for (int i = 0; i < 3; i++) {
    present += 1209000 * 1000000ll;
    CHECK(respond(request(), 200) == TUILE_OK);
    CHECK(set_cookie[0]);
    CHECK(get("n") == 1);
  }
  tuile_manager_close(manager);
  manager = usual;
}

/* The host says which visits count: the end moves, the data stays, and nobody's save is undone. */
static void touched(void) {
  jar[0] = 0;
  tuile_session *s = request();
  CHECK(tuile_session_touch(s, &error) == TUILE_OK);
  CHECK(respond(s, 200) == TUILE_OK);
  CHECK(!set_cookie[0]); /* nobody's */
  set("n", 1);
  present += 1209000 * 1000000ll;
  uint64_t saves = stats().saves;
  s = request();
  CHECK(tuile_session_touch(s, &error) == TUILE_OK);
  CHECK(!tuile_session_accessed(s));
  CHECK(!tuile_session_modified(s));
  CHECK(respond(s, 503) == TUILE_OK);
  CHECK(!set_cookie[0]);
  s = request();
  tuile_session *other = request();
  CHECK(tuile_session_touch(s, &error) == TUILE_OK);
  CHECK(tuile_session_load(s, &error) == TUILE_OK);
  CHECK(tuile_session_set_int(other, text("n"), 2, &error) == TUILE_OK);
  CHECK(respond(other, 200) == TUILE_OK);
  CHECK(respond(s, 200) == TUILE_OK);
  CHECK(get("n") == 2);
  present += 1209000 * 1000000ll;
  s = request();
  CHECK(tuile_session_touch(s, &error) == TUILE_OK);
  CHECK(respond(s, 200) == TUILE_OK);
  CHECK(strstr(set_cookie, "Max-Age=1209600"));
  present += 1209000 * 1000000ll;
  CHECK(get("n") == 2);
  CHECK(stats().saves == saves + 1);
  s = request(), other = request();
  CHECK(tuile_session_touch(s, &error) == TUILE_OK);
  CHECK(tuile_session_load(s, &error) == TUILE_OK);
  CHECK(tuile_session_flush(other, &error) == TUILE_OK);
  CHECK(respond(other, 200) == TUILE_OK);
  CHECK(respond(s, 200) == TUILE_DELETED);
  CHECK(get("n") == -1);
}

static void all(const char *store) {
  tuile_config config = TUILE_CONFIG_INIT;
  present = 1700000000500000;
  config.secret = text("a secret that has its thirty-two bytes and more"), config.store = text(store), config.clock = fixed_clock;
  CHECK(tuile_manager_open(&config, &manager, &error) == TUILE_OK);
  nothing_without_need();
  cookie_and_its_end();
  server_errors_save_nothing();
  ids_are_never_adopted();
  login_changes_the_key();
  deleted_stays_deleted();
  interleaved_changes_all_survive();
  commits_twice();
  expires();
  values();
  every_request(config);
  touched();
  tuile_manager_close(manager);
  printf("%s: sessions mean what Django's mean\n", store);
}

int main(int argc, char **argv) {
  CHECK(argc > 1);
  char url[512];
  all("memory:");
  snprintf(url, sizeof url, "sqlite://%s/sessions.db", argv[1]);
  all(url);
  return 0;
}
