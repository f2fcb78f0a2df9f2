/* Sessions on their way from an old store to a new one while requests run, from
 * cookies too; and sessions in cookies that end before their time. */
#include "request.h"

#include <sys/stat.h>

static char folder[400];

static tuile_manager *open_with(tuile_config *config) {
  tuile_manager *opened;
  config->secret = text("a secret that has its thirty-two bytes and more"), config->clock = fixed_clock;
  tuile_status status = tuile_manager_open(config, &opened, &error);
  if (status != TUILE_OK) fprintf(stderr, "%s\n", error.message);
  CHECK(status == TUILE_OK);
  return opened;
}

static tuile_bytes url_of(char buffer[512], const char *name) {
  snprintf(buffer, 512, "sqlite://%s/%s", folder, name);
  return text(buffer);
}

static void receive_nothing(void *context, tuile_bytes data, int64_t expires) {
  (void)context, (void)data, (void)expires;
}

static void from_store_to_store(void) {
  char old_url[512], new_url[512];
  tuile_config before = TUILE_CONFIG_INIT, both = TUILE_CONFIG_INIT;
  before.store = url_of(old_url, "old.db");
  both.store = url_of(new_url, "new.db"), both.previous_store = before.store;
  tuile_manager *old = open_with(&before), *new = open_with(&both);

  manager = old, jar[0] = 0;
  set("n", 1);
  manager = new;
  CHECK(get("n") == 1);
  CHECK(!set_cookie[0]); /* moved by reading, under its key */
  manager = old;
  CHECK(get("n") == -1); /* and away from the old one */
  manager = new;
  set("n", 2);
  CHECK(get("n") == 2);

  /* A logout of one that has not moved yet is final, against a request that reads at the same time too. */
  manager = old, jar[0] = 0;
  set("n", 1);
  manager = new;
  tuile_session *slow = request(), *logout = request();
  CHECK(tuile_session_add_int(slow, text("n"), 1, NULL, &error) == TUILE_OK);
  CHECK(tuile_session_flush(logout, &error) == TUILE_OK);
  char gone[sizeof jar];
  strcpy(gone, jar);
  CHECK(respond(slow, 200) == TUILE_DELETED);
  CHECK(respond(logout, 200) == TUILE_OK);
  strcpy(jar, gone);
  CHECK(get("n") == -1);
  manager = old;
  CHECK(get("n") == -1);
  tuile_manager_close(new);
  tuile_manager_close(old);

  /* One that moves while it is logged out: the note in the new store stands against it. */
  tuile_store *store;
  CHECK(tuile_store_open(text(new_url), &store, &error) == TUILE_OK);
  tuile_bytes key = {gone + strlen("sessionid="), 32};
  CHECK(tuile_store_create(store, key, text("x"), present + 1, &error) == TUILE_EXISTS);
  CHECK(tuile_store_load(store, key, INT64_MIN, receive_nothing, NULL, &error) == TUILE_OK);
  tuile_store_close(store);

  both.previous_store = text("memory:");
  CHECK(tuile_manager_open(&both, &new, &error) == TUILE_E_ARGUMENT);
  both.previous_store = text("cookie:none such");
  CHECK(tuile_manager_open(&both, &new, &error) == TUILE_E_SYNTAX);
}

/* A file's place is taken for a moment, just after another request was first. */
static char taken[600], aside[610];

static void take_away(void *context, tuile_log_level level, tuile_bytes message) {
  (void)context, (void)level, (void)message;
  if (taken[0] && !aside[0]) {
    snprintf(aside, sizeof aside, "%s.aside", taken);
    CHECK(rename(taken, aside) == 0);
    CHECK(mkdir(taken, 0700) == 0);
  }
}

/* A commit that the store failed at may be tried again, also where sessions move. */
static void a_commit_tried_again(void) {
  char old_url[512], new_url[512];
  tuile_config both = TUILE_CONFIG_INIT;
  snprintf(new_url, sizeof new_url, "file://%s/files", folder);
  both.store = text(new_url), both.previous_store = url_of(old_url, "before.db");
  both.log = take_away, both.log_level = TUILE_LOG_DEBUG;
  manager = open_with(&both), jar[0] = 0;
  set("n", 1);
  tuile_session *s = request();
  CHECK(tuile_session_load(s, &error) == TUILE_OK);
  CHECK(tuile_session_add_int(s, text("n"), 10, NULL, &error) == TUILE_OK);
  set("n", 2);
  snprintf(taken, sizeof taken, "%s/files/sessionid%.32s", folder, jar + strlen("sessionid="));
  CHECK(tuile_session_commit(s, 200, collect, NULL, &error) == TUILE_E_CORRUPT);
  CHECK(remove(taken) == 0);
  CHECK(rename(aside, taken) == 0);
  CHECK(tuile_session_commit(s, 200, collect, NULL, &error) == TUILE_OK);
  tuile_session_end(s);
  CHECK(get("n") == 12);
  tuile_manager_close(manager);
}

/* Flask kept the sessions in its cookie "session"; now a database does. */
static void from_cookies(void) {
  char url[512];
  tuile_config before = TUILE_CONFIG_INIT, after = TUILE_CONFIG_INIT;
  before.store = text("cookie:flask"), before.cookie_name = text("session");
  after.store = url_of(url, "after.db"), after.previous_store = text("cookie:flask"), after.previous_cookie = text("session");
  tuile_manager *old = open_with(&before), *new = open_with(&after);
  manager = old, jar[0] = 0;
  set("n", 1);
  manager = new;
  char headers[2000] = "";
  tuile_session *s = request();
  int64_t n;
  CHECK(tuile_session_get_int(s, text("n"), &n, &error) == TUILE_OK);
  CHECK(n == 1);
  CHECK(tuile_session_commit(s, 200, collect, headers, &error) == TUILE_OK);
  CHECK(strncmp(set_cookie, "session=", 8) == 0);
  CHECK(strstr(set_cookie, "Max-Age=0")); /* the last one: the old cookie goes */
  tuile_bytes key;
  CHECK(tuile_session_id(s, &key) == TUILE_OK);
  CHECK(key.size == 32);
  snprintf(jar, sizeof jar, "sessionid=%.*s", (int)key.size, (const char *)key.data);
  tuile_session_end(s);
  CHECK(get("n") == 1);
  CHECK(!set_cookie[0]);
  /* A logout takes the old cookie away; a request that asks nothing leaves it. */
  manager = old, jar[0] = 0;
  set("n", 3);
  manager = new;
  s = request();
  CHECK(respond(s, 200) == TUILE_OK);
  CHECK(!set_cookie[0]);
  CHECK(jar[0]);
  s = request();
  CHECK(tuile_session_flush(s, &error) == TUILE_OK);
  CHECK(respond(s, 200) == TUILE_OK);
  CHECK(strncmp(set_cookie, "session=", 8) == 0);
  CHECK(!jar[0]);
  snprintf(jar, sizeof jar, "session=eyJuIjoxfQ.ZVPxAA.tampered");
  CHECK(get("n") == -1);
  tuile_manager_close(new);
  tuile_manager_close(old);

  /* The same name: the token gives way to a key. */
  after.previous_cookie = text(""), after.cookie_name = text("session");
  manager = old = open_with(&before), jar[0] = 0;
  set("n", 5);
  manager = new = open_with(&after);
  CHECK(get("n") == 5);
  CHECK(strncmp(set_cookie, "session=", 8) == 0);
  CHECK(strlen(jar) == 8 + 32);
  CHECK(get("n") == 5);
  CHECK(!set_cookie[0]);
  tuile_manager_close(new);
  tuile_manager_close(old);
}

static void cookies_that_end(const char *kind) {
  char url[512];
  tuile_config config = TUILE_CONFIG_INIT;
  config.store = text(kind), config.revocations = url_of(url, "revocations.db"), config.cookie_age = 3600;
  manager = open_with(&config), jar[0] = 0;
  char copies[4][sizeof jar];
  set("n", 1);
  strcpy(copies[0], jar);
  set("n", 2);
  strcpy(copies[1], jar);
  CHECK(get("n") == 2);
  tuile_session *s = request();
  CHECK(tuile_session_flush(s, &error) == TUILE_OK);
  CHECK(respond(s, 200) == TUILE_OK);
  CHECK(!jar[0]);
  for (int i = 0; i < 2; i++) { /* every copy of the cookie ends, the older one too */
    strcpy(jar, copies[i]);
    CHECK(get("n") == -1);
  }
  /* A new key ends the copies from before a login. */
  jar[0] = 0;
  set("n", 3);
  strcpy(copies[0], jar);
  s = request();
  CHECK(tuile_session_cycle_id(s, &error) == TUILE_OK);
  CHECK(respond(s, 200) == TUILE_OK);
  strcpy(copies[1], jar);
  strcpy(jar, copies[0]);
  CHECK(get("n") == -1);
  strcpy(jar, copies[1]);
  CHECK(get("n") == 3);
  /* All of an owner's, but this one; another owner's stay. */
  for (int i = 0; i < 4; i++) {
    jar[0] = 0;
    s = request();
    CHECK(tuile_session_set_owner(s, text(i < 3 ? "ada" : "bob"), &error) == TUILE_OK);
    CHECK(tuile_session_set_int(s, text("n"), i, &error) == TUILE_OK);
    CHECK(respond(s, 200) == TUILE_OK);
    strcpy(copies[i], jar);
  }
  present += 1000;
  strcpy(jar, copies[1]);
  s = request();
  size_t revoked = 9;
  CHECK(tuile_manager_revoke_all(manager, text("ada"), s, &revoked, &error) == TUILE_OK);
  CHECK(revoked == 0);
  CHECK(respond(s, 200) == TUILE_OK);
  CHECK(set_cookie[0]);
  CHECK(get("n") == 1);
  for (int i = 0; i < 4; i++) {
    strcpy(jar, copies[i]);
    CHECK(get("n") == (i == 3 ? 3 : -1));
  }
  CHECK(tuile_manager_sessions(manager, text("ada"), NULL, NULL, NULL, &error) == TUILE_E_ARGUMENT);
  /* A login afterwards is good. */
  present += 1000;
  jar[0] = 0;
  s = request();
  CHECK(tuile_session_set_owner(s, text("ada"), &error) == TUILE_OK);
  CHECK(respond(s, 200) == TUILE_OK);
  s = request();
  CHECK(tuile_session_load(s, &error) == TUILE_OK);
  tuile_session_end(s);
  tuile_manager_close(manager);
}

int main(int argc, char **argv) {
  CHECK(argc > 1);
  snprintf(folder, sizeof folder, "%s", argv[1]);
  from_store_to_store();
  a_commit_tried_again();
  from_cookies();
  cookies_that_end("cookie:");
  cookies_that_end("cookie:sealed");
  cookies_that_end("cookie:rails");
  puts("sessions move while requests run, and cookies end when they are revoked");
  return 0;
}
