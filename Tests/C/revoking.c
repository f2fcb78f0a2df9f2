/* Ending an owner's sessions while one of them is getting a new key, and where there
 * are more of them than a list may have. */
#include "request.h"

static tuile_store *memory;
static tuile_session *cycling; /* committed between the list and what is done with it */

/* ---- a store that is another one's, but for the moment of a list ---- */

static tuile_status load(void *c, tuile_bytes key, int64_t now, tuile_receive receive, void *receiver, tuile_error *e) {
  (void)c;
  return tuile_store_load(memory, key, now, receive, receiver, e);
}
static tuile_status create(void *c, tuile_bytes key, tuile_bytes data, int64_t expires, tuile_error *e) {
  (void)c;
  return tuile_store_create(memory, key, data, expires, e);
}
static tuile_status replace(void *c, tuile_bytes key, tuile_bytes expected, tuile_bytes data, int64_t expires, tuile_error *e) {
  (void)c;
  return tuile_store_replace(memory, key, expected, data, expires, e);
}
static tuile_status touch(void *c, tuile_bytes key, int64_t expires, tuile_error *e) {
  (void)c;
  return tuile_store_touch(memory, key, expires, e);
}
static tuile_status drop(void *c, tuile_bytes key, tuile_error *e) {
  (void)c;
  return tuile_store_remove(memory, key, e);
}
static tuile_status sweep(void *c, int64_t now, size_t limit, size_t *removed, tuile_error *e) {
  (void)c;
  return tuile_store_sweep(memory, now, limit, removed, e);
}
static tuile_status own(void *c, tuile_bytes owner, tuile_bytes key, tuile_bytes record, int64_t expires, tuile_error *e) {
  (void)c;
  return tuile_store_own(memory, owner, key, record, expires, e);
}
static tuile_status disown(void *c, tuile_bytes owner, tuile_bytes key, tuile_error *e) {
  (void)c;
  return tuile_store_disown(memory, owner, key, e);
}
static tuile_status owned(void *c, tuile_bytes owner, int64_t now, tuile_receive_owned receive, void *receiver, tuile_error *e) {
  (void)c;
  tuile_status status = tuile_store_owned(memory, owner, now, receive, receiver, e);
  tuile_session *session = cycling;
  cycling = NULL;
  if (session) CHECK(respond(session, 200) == TUILE_OK);
  return status;
}

static tuile_store *begin(void) {
  tuile_config config = TUILE_CONFIG_INIT;
  tuile_store_ops ops = TUILE_STORE_OPS_INIT;
  tuile_store *store;
  ops.trusted = true;
  ops.load = load, ops.create = create, ops.replace = replace, ops.touch = touch, ops.remove = drop, ops.sweep = sweep;
  ops.own = own, ops.owned = owned, ops.disown = disown;
  CHECK(tuile_store_open(text("memory:"), &memory, &error) == TUILE_OK);
  CHECK(tuile_store_new(&ops, NULL, &store, &error) == TUILE_OK);
  config.open_store = store, config.clock = fixed_clock;
  CHECK(tuile_manager_open(&config, &manager, &error) == TUILE_OK);
  return store;
}

static void end(tuile_store *store) {
  tuile_manager_close(manager);
  tuile_store_close(store);
  tuile_store_close(memory);
}

static void login(const char *owner) {
  jar[0] = 0;
  tuile_session *s = request();
  CHECK(tuile_session_set_owner(s, text(owner), &error) == TUILE_OK && respond(s, 200) == TUILE_OK && jar[0]);
}

static tuile_status visit(void) {
  tuile_session *s = request();
  tuile_status status = tuile_session_load(s, &error);
  tuile_session_end(s);
  return status;
}

/* ---- ---- */

/* A session gets its new key after it was listed under the old one. */
static void new_key(void) {
  tuile_store *store = begin();
  size_t revoked;
  login("ada");
  cycling = request();
  CHECK(tuile_session_cycle_key(cycling, &error) == TUILE_OK);
  CHECK(tuile_manager_revoke_all(manager, text("ada"), NULL, &revoked, &error) == TUILE_OK && !cycling);
  CHECK(visit() == TUILE_ABSENT);

  /* But not the one that is kept, should its old key be listed still. */
  login("ada");
  tuile_bytes key;
  char old[64];
  tuile_session *s = request();
  CHECK(tuile_session_load(s, &error) == TUILE_OK && tuile_session_key(s, &key) == TUILE_OK);
  snprintf(old, sizeof old, "%.*s", (int)key.size, (const char *)key.data);
  CHECK(tuile_session_cycle_key(s, &error) == TUILE_OK && respond(s, 200) == TUILE_OK);
  CHECK(tuile_store_own(memory, text("ada"), text(old), text("{}"), present + 1000000, &error) == TUILE_OK);
  s = request();
  CHECK(tuile_manager_revoke_all(manager, text("ada"), s, &revoked, &error) == TUILE_OK && revoked == 1);
  tuile_session_end(s);
  CHECK(visit() == TUILE_OK);
  end(store);
}

static char id[33];

static void note(void *context, const tuile_owned_session *session) {
  ++*(int *)context;
  memcpy(id, session->id.data, 32);
}

/* Whoever has more sessions than a list may have can log in, and end them. */
static void many(void) {
  enum { others = 10500 };
  tuile_store *store = begin();
  int listed = 0;
  size_t revoked;
  login("ada");
  CHECK(tuile_manager_sessions(manager, text("ada"), NULL, note, &listed, &error) == TUILE_OK && listed == 1);
  for (int i = 0; i < others; i++) {
    char key[33];
    snprintf(key, sizeof key, "manysessions%08d", i);
    CHECK(tuile_store_create(memory, text(key), text("{}"), present + 60000000, &error) == TUILE_OK);
    CHECK(tuile_store_own(memory, text("ada"), text(key), text("{}"), present + 60000000, &error) == TUILE_OK);
  }
  CHECK(tuile_manager_sessions(manager, text("ada"), NULL, note, &listed, &error) == TUILE_E_LIMIT);
  CHECK(tuile_manager_revoke(manager, text("ada"), text(id), &error) == TUILE_OK && visit() == TUILE_ABSENT);
  login("ada");
  tuile_session *s = request();
  CHECK(tuile_session_cycle_key(s, &error) == TUILE_OK && respond(s, 200) == TUILE_OK && visit() == TUILE_OK);
  s = request();
  CHECK(tuile_manager_revoke_all(manager, text("ada"), s, &revoked, &error) == TUILE_OK && revoked == others);
  tuile_session_end(s);
  CHECK(visit() == TUILE_OK);
  listed = 0;
  CHECK(tuile_manager_sessions(manager, text("ada"), NULL, note, &listed, &error) == TUILE_OK && listed == 1);
  end(store);
}

int main(void) {
  new_key();
  many();
  return 0;
}
