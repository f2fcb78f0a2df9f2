/* What can't be verified is left alone: a record that another program put where a
 * session could be, one that another secret has signed, one that is signed and no
 * dictionary. A client that names it sees no session, and nothing that a request
 * does replaces it, removes it, moves its expiry or deletes the cookie. */
#include "request.h"

#include <time.h>

static const char secret[] = "a secret that has its thirty-two bytes and more";
static tuile_store *store;
static char owned_cookie[4200];

struct record {
  char data[600];
  size_t size;
  int64_t expires;
  tuile_status status;
};

static void keep(void *context, tuile_bytes data, int64_t expires) {
  struct record *record = context;
  CHECK(data.size < sizeof record->data);
  memcpy(record->data, data.data, data.size);
  record->size = data.size, record->expires = expires;
}

static struct record stored(const char *key) {
  struct record record = {0};
  record.status = tuile_store_load(store, text(key), INT64_MIN, keep, &record, &error);
  return record;
}

static bool same(const struct record *a, const struct record *b) {
  return a->status == b->status && a->expires == b->expires && a->size == b->size && memcmp(a->data, b->data, a->size) == 0;
}

/* ---- what a request may do ---- */

static void count(tuile_session *s) { CHECK(tuile_session_add_int(s, text("n"), 1, NULL, &error) == TUILE_OK); }
static void assign(tuile_session *s) { CHECK(tuile_session_set_int(s, text("n"), 1, &error) == TUILE_OK); }
static void extend(tuile_session *s) { CHECK(tuile_session_append(s, text("l"), text("1"), &error) == TUILE_OK); }
static void own(tuile_session *s) { CHECK(tuile_session_set_owner(s, text("ada"), &error) == TUILE_OK); }
static void cycle(tuile_session *s) { assign(s);
  CHECK(tuile_session_cycle_id(s, &error) == TUILE_OK);
}
static void clear(tuile_session *s) {
  CHECK(tuile_session_clear(s, &error) == TUILE_OK);
  assign(s);
}
static void expire(tuile_session *s) { CHECK(tuile_session_set_expiry(s, 60, &error) == TUILE_OK); }
static void empty(tuile_session *s) { CHECK(tuile_session_clear(s, &error) == TUILE_OK); }
static void look(tuile_session *s) { CHECK(tuile_session_load(s, &error) == TUILE_UNREADABLE); }
static void nothing(tuile_session *s) { (void)s; }
static void logout(tuile_session *s) { CHECK(tuile_session_flush(s, &error) == TUILE_OK); }
static void logout_known(tuile_session *s) { look(s), logout(s); }
static void logout_and_in(tuile_session *s) { logout(s), assign(s); }
static void revoke(tuile_session *s) {
  look(s);
  CHECK(tuile_manager_revoke_all(manager, text("ada"), NULL, NULL, &error) == TUILE_OK);
}

static const struct {
  void (*change)(tuile_session *);
  bool makes_one, deletes_cookie;
} requests[] = {{count, true, false},  {assign, true, false},  {extend, true, false}, {own, true, false},
                {cycle, true, false},  {clear, true, false},   {expire, true, false}, {empty, false, false},
                {look, false, false},  {nothing, false, false}, {logout, false, true}, {logout_known, false, true},
                {logout_and_in, true, false}, {revoke, false, false}};

/* Every request with that key, and then a sweep. */
static void left_alone(const char *key) {
  struct record before = stored(key);
  CHECK(before.status == TUILE_OK);
  for (size_t i = 0; i < sizeof requests / sizeof *requests; i++) {
    snprintf(jar, sizeof jar, "sessionid=%s", key);
    tuile_session *s = request();
    requests[i].change(s);
    CHECK(respond(s, 200) == TUILE_OK);
    CHECK((set_cookie[0] != 0) == (requests[i].makes_one || requests[i].deletes_cookie));
    CHECK(!strstr(set_cookie, key));
    struct record after = stored(key);
    CHECK(same(&before, &after));
  }
  CHECK(tuile_manager_sweep(manager, 1000, NULL, &error) == TUILE_OK);
  struct record after = stored(key);
  CHECK(same(&before, &after));
}

/* ---- what is there ---- */

static void put(const char *key, tuile_bytes data) {
  CHECK(tuile_store_create(store, text(key), data, present + 60000000, &error) == TUILE_OK);
}

static void foreign_records(bool is_signed) {
  char token[300];
  size_t size;
  tuile_signer *signer;
  tuile_signer_config config = TUILE_SIGNER_CONFIG_INIT;
  put("maintenance", text("on"));
  left_alone("maintenance");
  put("lockedlocked", text("{\"a\":"));
  left_alone("lockedlocked");
  put("nothingatall", text(""));
  left_alone("nothingatall");
  const char *list = "[1,2]";
  if (is_signed) { /* with our own secret, and no dictionary */
    config.secret = text(secret), config.salt = text("django.contrib.sessions.SessionStore"), config.timed = true;
    CHECK(tuile_signer_new(&config, &signer, &error) == TUILE_OK);
    CHECK(tuile_token_dumps(signer, &(tuile_signing){sizeof(tuile_signing), text("[1,2]"), TUILE_UNSET, true}, token, sizeof token - 1, &size, &error) == TUILE_OK);
    token[size] = 0, list = token;
    tuile_signer_free(signer);
  }
  put("listlistlist", text(list));
  left_alone("listlistlist");
}

/* The application has a new secret already, this process not yet; or the other way round. */
static void another_secret(tuile_config config) {
  tuile_manager *ours = manager, *theirs;
  config.secret = text("another secret that has its thirty-two bytes");
  CHECK(tuile_manager_open(&config, &theirs, &error) == TUILE_OK);
  manager = theirs, jar[0] = 0;
  tuile_session *s = request();
  own(s), assign(s);
  CHECK(respond(s, 200) == TUILE_OK);
  strcpy(owned_cookie, jar);
  char key[40];
  snprintf(key, sizeof key, "%.32s", jar + strlen("sessionid="));
  manager = ours;
  left_alone(key);
  manager = theirs;
  strcpy(jar, owned_cookie);
  CHECK(get("n") == 1);
  manager = ours;
  /* The secret comes, and the session is there again. */
  tuile_bytes fallbacks[] = {text("another secret that has its thirty-two bytes")};
  config.secret = text(secret), config.fallbacks = fallbacks, config.fallback_count = 1;
  CHECK(tuile_manager_reload(ours, &config, &error) == TUILE_OK);
  strcpy(jar, owned_cookie);
  CHECK(get("n") == 1);
  config.fallback_count = 0;
  tuile_manager_close(theirs);
}

static void on(const char *url, bool save_always, int64_t grace) {
  tuile_config config = TUILE_CONFIG_INIT;
  CHECK(tuile_store_open(text(url), &store, &error) == TUILE_OK);
  config.open_store = store, config.clock = fixed_clock, config.secret = text(secret);
  config.save_every_request = save_always, config.cycle_grace = grace, config.refresh = 1;
  CHECK(tuile_manager_open(&config, &manager, &error) == TUILE_OK);
  bool is_signed = strcmp(url, "memory:") != 0;
  foreign_records(is_signed);
  if (is_signed) another_secret(config);
  /* A control: what is ours goes. */
  jar[0] = 0;
  set("n", 1);
  char key[40];
  snprintf(key, sizeof key, "%.32s", jar + strlen("sessionid="));
  struct record before = stored(key);
  set("n", 2);
  struct record after = stored(key);
  CHECK(!same(&before, &after));
  tuile_session *s = request();
  logout(s);
  CHECK(respond(s, 200) == TUILE_OK);
  CHECK(stored(key).status == TUILE_ABSENT);
  tuile_manager_close(manager);
  tuile_store_close(store);
}

int main(int argc, char **argv) {
  CHECK(argc > 1);
  for (int i = 0; i < 4; i++) {
    char url[600];
    present = 1700000000000000 + i;
    on("memory:", i & 1, i & 2 ? 5 : 0);
    snprintf(url, sizeof url, "sqlite://%s/%d.db", argv[1], i);
    on(url, i & 1, i & 2 ? 5 : 0);
    snprintf(url, sizeof url, "file://%s/%d", argv[1], i);
    present = time(NULL) * 1000000;
    on(url, i & 1, i & 2 ? 5 : 0);
  }
  puts("what can't be verified is left alone");
  return 0;
}
