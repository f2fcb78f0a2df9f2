/* A session in a cookie that was ended stays ended for as long as any copy of it would
 * be good; what says so can be reached through no cookie, and goes when it is no more needed. */
#include "request.h"

#include <dirent.h>
#include <sys/stat.h>

static const char *const kinds[] = {"django", "sealed",  "flask", "starlette",
                                    "rails",  "gorilla", "rack",  "iron-session"};
static const char *kind;
static char folder[400], url[512];
static tuile_store *store; /* what the revocations are in */

static const char old_secret[] = "an old secret that has its thirty-two bytes and more, and thirty-two again";
static const char new_secret[] = "a new secret that has its thirty-two bytes and more, and thirty-two again";
enum { age = 3600 };

static tuile_manager *open_with(const char *first, const char *second) {
  static char kept[64];
  snprintf(kept, sizeof kept, "cookie:%s", kind);
  tuile_config config = TUILE_CONFIG_INIT;
  tuile_bytes fallback = text(second ? second : "");
  config.store = text(kept), config.secret = text(first), config.clock = fixed_clock, config.cookie_age = age;
  config.fallbacks = &fallback, config.fallback_count = second != NULL;
  config.revocations = text(url);
  tuile_manager *opened;
  CHECK(tuile_manager_open(&config, &opened, &error) == TUILE_OK);
  return opened;
}

static void fresh_store(void) {
  static int number;
  char path[480];
  snprintf(path, sizeof path, "%s/%d", folder, number++);
  CHECK(mkdir(path, 0700) == 0);
  snprintf(url, sizeof url, "file://%s", path);
  CHECK(tuile_store_open(text(url), &store, &error) == TUILE_OK);
}

static void after(int64_t seconds) { present += seconds * 1000000; }

static int64_t copied(const char *copy) {
  strcpy(jar, copy);
  return get("n");
}

static void logout(void) {
  tuile_session *s = request();
  CHECK(tuile_session_flush(s, &error) == TUILE_OK);
  CHECK(respond(s, 200) == TUILE_OK);
  CHECK(!jar[0]);
}

/* Saved and logged out within one second, and then every minute of a copy's life and beyond. */
static void ended_for_good(void) {
  char copy[sizeof jar];
  manager = open_with(new_secret, NULL);
  jar[0] = 0;
  set("n", 1);
  present += 300000;
  set("n", 2);
  strcpy(copy, jar);
  present += 300000;
  logout();
  for (int minutes = 0; minutes < age / 60 + 10; minutes++) {
    CHECK(copied(copy) == -1);
    after(60);
  }
  tuile_manager_close(manager);
}

/* A request that was under way at the logout gets no fresh cookie; nor does a login. */
static void under_way(void) {
  char copy[sizeof jar];
  manager = open_with(new_secret, NULL);
  for (int login = 0; login < 2; login++) {
    jar[0] = 0;
    set("n", 1);
    strcpy(copy, jar);
    tuile_session *slow = request();
    CHECK(tuile_session_set_int(slow, text("n"), 2, &error) == TUILE_OK);
    logout();
    strcpy(jar, copy);
    if (login) CHECK(tuile_session_cycle_id(slow, &error) == TUILE_OK);
    CHECK(respond(slow, 200) == TUILE_DELETED);
    CHECK(!set_cookie[0]);
    CHECK(copied(copy) == -1);
  }
  /* The end of all of an owner's sessions counts too. */
  jar[0] = 0;
  tuile_session *slow = request();
  CHECK(tuile_session_set_owner(slow, text("ada"), &error) == TUILE_OK);
  CHECK(respond(slow, 200) == TUILE_OK);
  slow = request();
  CHECK(tuile_session_set_int(slow, text("n"), 2, &error) == TUILE_OK);
  CHECK(tuile_manager_revoke_all(manager, text("ada"), NULL, NULL, &error) == TUILE_OK);
  CHECK(respond(slow, 200) == TUILE_DELETED);
  CHECK(!set_cookie[0]);
  tuile_manager_close(manager);
}

/* A request that drops what it has not read keeps the name that the copies have. */
static void cleared_unread(void) {
  char copy[sizeof jar];
  manager = open_with(new_secret, NULL);
  jar[0] = 0;
  set("n", 1);
  strcpy(copy, jar);
  tuile_session *s = request();
  CHECK(tuile_session_clear(s, &error) == TUILE_OK);
  CHECK(tuile_session_set_int(s, text("m"), 1, &error) == TUILE_OK);
  CHECK(respond(s, 200) == TUILE_OK);
  CHECK(jar[0]);
  logout();
  CHECK(copied(copy) == -1);
  tuile_manager_close(manager);
}

/* A token that the framework wrote has no name: its copies end all the same. */
static void unnamed(void) {
  char copy[sizeof jar];
  tuile_config config = TUILE_CONFIG_INIT;
  config.store = text("cookie:flask"), config.secret = text(new_secret), config.clock = fixed_clock;
  CHECK(tuile_manager_open(&config, &manager, &error) == TUILE_OK);
  jar[0] = 0;
  set("n", 1);
  strcpy(copy, jar);
  tuile_manager_close(manager);
  kind = "flask";
  manager = open_with(new_secret, NULL);
  bool named = true;
  tuile_session *s = request();
  CHECK(tuile_session_is_revocable(s, &named, &error) == TUILE_OK);
  CHECK(named);
  CHECK(tuile_session_is_revocable(s, NULL, &error) == TUILE_E_ARGUMENT);
  tuile_session_end(s);
  set("n", 2); /* named by now */
  /* Who does not remember logouts can tell that its application does. */
  tuile_manager *remembering = manager;
  CHECK(tuile_manager_open(&config, &manager, &error) == TUILE_OK);
  s = request();
  CHECK(tuile_session_is_revocable(s, &named, &error) == TUILE_OK);
  CHECK(named);
  tuile_session_end(s);
  CHECK(tuile_session_start(manager, text(copy), (tuile_bytes){NULL, 0}, &s, NULL) == TUILE_OK);
  CHECK(tuile_session_is_revocable(s, &named, &error) == TUILE_OK);
  CHECK(!named);
  tuile_session_end(s);
  tuile_manager_close(manager);
  manager = remembering;
  logout();
  CHECK(copied(copy) == -1);
  tuile_manager_close(manager);
}

static int listed;
static bool note_key(void *context, tuile_bytes key, int64_t expires) {
  (void)context, (void)key, (void)expires;
  return ++listed;
}

/* Names: '~' and 39 hex digits in every place, other ones for every secret, and no session's: they
 * are in a folder where no name of a session leads. */
static int names(char found[][64]) {
  char path[600];
  int n = 0;
  snprintf(path, sizeof path, "%s/.tuile/records", url + strlen("file://"));
  DIR *list = opendir(path);
  CHECK(list != NULL);
  for (struct dirent *entry; (entry = readdir(list)) != NULL;) {
    const char *name = entry->d_name;
    if (name[0] == '.') continue;
    CHECK(strlen(name) == 40);
    CHECK(name[0] == '~');
    CHECK(strspn(name + 1, "0123456789abcdef") == 39);
    snprintf(found[n++], 64, "%s", name);
  }
  closedir(list);
  return n;
}

static void out_of_reach(void) {
  char copy[sizeof jar], found[8][64];
  fresh_store();
  manager = open_with(new_secret, old_secret);
  jar[0] = 0;
  set("n", 1);
  strcpy(copy, jar);
  logout();
  CHECK(names(found) == 2);
  CHECK(strcmp(found[0], found[1]) != 0);
  tuile_manager_close(manager);

  /* Another application on the same store, and a visitor who sends such a name as a cookie. */
  tuile_config other = TUILE_CONFIG_INIT;
  other.store = text(url), other.secret = text(old_secret), other.clock = fixed_clock;
  CHECK(tuile_manager_open(&other, &manager, &error) == TUILE_OK);
  for (int i = 0; i < 2; i++) {
    snprintf(jar, sizeof jar, "sessionid=%s", found[i]);
    tuile_session *s = request();
    CHECK(tuile_session_load(s, &error) == TUILE_ABSENT);
    CHECK(tuile_session_set_int(s, text("n"), 1, &error) == TUILE_OK);
    CHECK(tuile_session_flush(s, &error) == TUILE_OK);
    tuile_session_end(s);
  }
  tuile_manager_close(manager);
  CHECK(names(found) == 2);

  /* No walk shows them; a sweep takes them once nothing needs them. */
  listed = 0;
  CHECK(tuile_store_keys(store, present, note_key, NULL, &error) == TUILE_OK);
  CHECK(listed == 0);
  manager = open_with(new_secret, old_secret);
  size_t removed;
  CHECK(copied(copy) == -1);
  CHECK(tuile_manager_sweep(manager, 100, &removed, &error) == TUILE_OK);
  CHECK(removed == 0);
  after(age + 3600);
  CHECK(tuile_manager_sweep(manager, 100, &removed, &error) == TUILE_OK);
  CHECK(removed == 2);
  CHECK(names(found) == 0);
  tuile_manager_close(manager);
  tuile_store_close(store);
}

/* Servers in the middle of a rotation see each other's logouts. */
static void rotating(void) {
  char copies[2][sizeof jar];
  fresh_store();
  tuile_manager *behind = open_with(old_secret, new_secret), *ahead = open_with(new_secret, old_secret);
  for (int i = 0; i < 2; i++) {
    manager = i ? ahead : behind;
    jar[0] = 0;
    set("n", 1);
    strcpy(copies[0], jar);
    manager = i ? behind : ahead;
    set("n", 2); /* signed anew by the other one */
    strcpy(copies[1], jar);
    logout();
    manager = i ? ahead : behind;
    CHECK(copied(copies[0]) == -1);
    CHECK(copied(copies[1]) == -1);
    tuile_manager *done = open_with(new_secret, NULL);
    manager = done;
    CHECK(copied(copies[0]) == -1);
    CHECK(copied(copies[1]) == -1);
    tuile_manager_close(done);
  }
  tuile_manager_close(behind);
  tuile_manager_close(ahead);
  tuile_store_close(store);
}

/* What would make a logout late or short is refused. */
static void refused(void) {
  tuile_config config = TUILE_CONFIG_INIT;
  config.store = text("cookie:"), config.secret = text(new_secret);
  config.revocations = text("cached+memory:");
  CHECK(tuile_manager_open(&config, &manager, &error) == TUILE_E_ARGUMENT);
  config.revocations = text("memory:"), config.clock = fixed_clock;
  CHECK(tuile_manager_open(&config, &manager, &error) == TUILE_OK);
  jar[0] = 0;
  tuile_session *s = request();
  CHECK(tuile_session_set_expiry(s, config.cookie_age + 1, &error) == TUILE_E_RANGE);
  CHECK(tuile_session_set_expiry_time(s, present + (config.cookie_age + 1) * 1000000, &error) == TUILE_E_RANGE);
  CHECK(tuile_session_set_expiry(s, config.cookie_age, &error) == TUILE_OK);
  tuile_session_end(s);
  tuile_manager_close(manager);
}

int main(int argc, char **argv) {
  CHECK(argc > 1);
  snprintf(folder, sizeof folder, "%s", argv[1]);
  for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
    kind = kinds[i];
    fresh_store();
    ended_for_good();
    under_way();
    cleared_unread();
    tuile_store_close(store);
    out_of_reach();
    rotating();
  }
  fresh_store();
  unnamed();
  tuile_store_close(store);
  refused();
  puts("what was ended stays ended, in eight dialects");
  return 0;
}
