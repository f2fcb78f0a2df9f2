/* Ending an owner's sessions while one of them is getting a new key, and where there
 * are more of them than a list may have. */
#include "forwarding.h"

static void login(const char *owner) {
  jar[0] = 0;
  tuile_session *s = request();
  CHECK(tuile_session_set_owner(s, text(owner), &error) == TUILE_OK);
  CHECK(respond(s, 200) == TUILE_OK);
  CHECK(jar[0]);
}

static tuile_status visit(void) {
  tuile_session *s = request();
  tuile_status status = tuile_session_load(s, &error);
  tuile_session_end(s);
  return status;
}

/* A session gets its new key after it was listed under the old one. */
static void new_key(void) {
  tuile_store *store = begin();
  size_t revoked;
  login("ada");
  interrupting = request();
  CHECK(tuile_session_cycle_id(interrupting, &error) == TUILE_OK);
  CHECK(tuile_manager_revoke_all(manager, text("ada"), NULL, &revoked, &error) == TUILE_OK);
  CHECK(!interrupting);
  CHECK(visit() == TUILE_ABSENT);

  /* But not the one that is kept, should its old key be listed still. */
  login("ada");
  tuile_bytes key;
  char old[64];
  tuile_session *s = request();
  CHECK(tuile_session_load(s, &error) == TUILE_OK);
  CHECK(tuile_session_id(s, &key) == TUILE_OK);
  snprintf(old, sizeof old, "%.*s", (int)key.size, (const char *)key.data);
  CHECK(tuile_session_cycle_id(s, &error) == TUILE_OK);
  CHECK(respond(s, 200) == TUILE_OK);
  CHECK(tuile_store_own(memory, text("ada"), text(old), text("{}"), present + 1000000, &error) == TUILE_OK);
  s = request();
  CHECK(tuile_manager_revoke_all(manager, text("ada"), s, &revoked, &error) == TUILE_OK);
  CHECK(revoked == 1);
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
  CHECK(tuile_manager_sessions(manager, text("ada"), NULL, note, &listed, &error) == TUILE_OK);
  CHECK(listed == 1);
  for (int i = 0; i < others; i++) {
    char key[33];
    snprintf(key, sizeof key, "manysessions%08d", i);
    CHECK(tuile_store_create(memory, text(key), text("{}"), present + 60000000, &error) == TUILE_OK);
    CHECK(tuile_store_own(memory, text("ada"), text(key), text("{}"), present + 60000000, &error) == TUILE_OK);
  }
  CHECK(tuile_manager_sessions(manager, text("ada"), NULL, note, &listed, &error) == TUILE_E_LIMIT);
  CHECK(tuile_manager_revoke(manager, text("ada"), text(id), &error) == TUILE_OK);
  CHECK(visit() == TUILE_ABSENT);
  login("ada");
  tuile_session *s = request();
  CHECK(tuile_session_cycle_id(s, &error) == TUILE_OK);
  CHECK(respond(s, 200) == TUILE_OK);
  CHECK(visit() == TUILE_OK);
  s = request();
  CHECK(tuile_manager_revoke_all(manager, text("ada"), s, &revoked, &error) == TUILE_OK);
  CHECK(revoked == others);
  tuile_session_end(s);
  CHECK(visit() == TUILE_OK);
  listed = 0;
  CHECK(tuile_manager_sessions(manager, text("ada"), NULL, note, &listed, &error) == TUILE_OK);
  CHECK(listed == 1);
  end(store);
}

/* A store that lists what has ended must not keep anybody for ever. */
static tuile_status all_the_same(void *c, tuile_bytes owner, int64_t now, tuile_receive_owned receive, void *receiver, tuile_error *e) {
  (void)c, (void)owner, (void)now, (void)e;
  for (int i = 0; i < 10001; i++) {
    char key[33];
    snprintf(key, sizeof key, "manysessions%08d", i);
    receive(receiver, text(key), text("{}"), present + 60000000);
  }
  return TUILE_OK;
}

static void stubborn(void) {
  size_t revoked;
  listing = all_the_same;
  tuile_store *store = begin();
  CHECK(tuile_manager_revoke_all(manager, text("ada"), NULL, &revoked, &error) == TUILE_E_STORE);
  end(store);
}

int main(void) {
  new_key();
  many();
  stubborn();
  return 0;
}
