/* What a login costs whose owner has many sessions already: how often the store is
 * asked for the whole list of an owner, and for one entry of it. */
#include <stddef.h>

#include "request.h"

static tuile_store *inner;
static int wholes, ones;

#define FORWARD(name, parameters, call)                                              \
  static tuile_status name parameters {                                              \
    (void)context;                                                                   \
    return call;                                                                     \
  }
FORWARD(do_load, (void *context, tuile_bytes key, int64_t now, tuile_receive receive, void *receiver, tuile_error *e),
        tuile_store_load(inner, key, now, receive, receiver, e))
FORWARD(do_create, (void *context, tuile_bytes key, tuile_bytes data, int64_t expires, tuile_error *e),
        tuile_store_create(inner, key, data, expires, e))
FORWARD(do_replace,
        (void *context, tuile_bytes key, tuile_bytes expected, tuile_bytes data, int64_t expires, tuile_error *e),
        tuile_store_replace(inner, key, expected, data, expires, e))
FORWARD(do_touch, (void *context, tuile_bytes key, int64_t expires, tuile_error *e),
        tuile_store_touch(inner, key, expires, e))
FORWARD(do_remove, (void *context, tuile_bytes key, tuile_error *e), tuile_store_remove(inner, key, e))
FORWARD(do_sweep, (void *context, int64_t now, size_t limit, size_t *removed, tuile_error *e),
        tuile_store_sweep(inner, now, limit, removed, e))
FORWARD(do_own, (void *context, tuile_bytes owner, tuile_bytes key, tuile_bytes record, int64_t expires, tuile_error *e),
        tuile_store_own(inner, owner, key, record, expires, e))
FORWARD(do_disown, (void *context, tuile_bytes owner, tuile_bytes key, tuile_error *e),
        tuile_store_disown(inner, owner, key, e))

static tuile_status do_owned(void *context, tuile_bytes owner, int64_t now, tuile_receive_owned receive, void *receiver,
                             tuile_error *e) {
  (void)context;
  wholes++;
  return tuile_store_owned(inner, owner, now, receive, receiver, e);
}

struct wanted {
  tuile_bytes key;
  tuile_receive receive;
  void *receiver;
  bool found;
};

static void pick(void *context, tuile_bytes key, tuile_bytes record, int64_t expires) {
  struct wanted *wanted = context;
  if (key.size != wanted->key.size || memcmp(key.data, wanted->key.data, key.size) != 0) return;
  wanted->found = true;
  wanted->receive(wanted->receiver, record, expires);
}

static tuile_status do_owned_record(void *context, tuile_bytes owner, tuile_bytes key, tuile_receive receive,
                                    void *receiver, tuile_error *e) {
  (void)context;
  struct wanted wanted = {key, receive, receiver, false};
  ones++;
  tuile_status status = tuile_store_owned(inner, owner, present, pick, &wanted, e);
  return status != TUILE_OK || wanted.found ? status : TUILE_ABSENT;
}

static void open_with(tuile_store_ops *ops, tuile_store **store, size_t most) {
  tuile_config config = TUILE_CONFIG_INIT;
  CHECK(config.max_owned == 100);
  tuile_config same;
  CHECK(tuile_config_init(&same, sizeof same) == TUILE_OK);
  CHECK(same.max_owned == config.max_owned);
  CHECK(tuile_store_open(text("memory:"), &inner, &error) == TUILE_OK);
  CHECK(tuile_store_open_ops(ops, NULL, store, &error) == TUILE_OK);
  config.secret = text("a secret of more than 32 bytes, as it has to be"), config.clock = fixed_clock, config.open_store = *store;
  if (most != 100) config.max_owned = most;
  CHECK(tuile_manager_open(&config, &manager, &error) == TUILE_OK);
}

static void close_all(tuile_store *store) {
  tuile_manager_close(manager);
  tuile_store_close(store);
  tuile_store_close(inner);
}

static void login(char *kept) {
  jar[0] = 0;
  tuile_session *s = request();
  CHECK(tuile_session_set_owner(s, text("kiosk"), &error) == TUILE_OK);
  CHECK(respond(s, 200) == TUILE_OK);
  CHECK(jar[0]);
  if (kept) strcpy(kept, jar);
}

static void count_one(void *context, const tuile_owned_session *session) {
  int64_t *oldest = context;
  oldest[0]++;
  if (session->created < oldest[1]) oldest[1] = session->created;
}

static int64_t count(int64_t *oldest) {
  int64_t found[2] = {0, INT64_MAX};
  CHECK(tuile_manager_sessions(manager, text("kiosk"), NULL, count_one, found, &error) == TUILE_OK);
  if (oldest) *oldest = found[1];
  return found[0];
}

/* Any number: nobody reads the list but who asks for it. */
static void unlimited(tuile_store_ops *ops, bool has_record) {
  tuile_store *store;
  char first[200];
  int64_t began = present / 1000000, oldest;
  open_with(ops, &store, 0);
  login(first);
  for (int i = 0; i < 300; i++) login(NULL);
  CHECK(wholes == 0);
  CHECK(ones == 0);
  /* A visit after a minute and a new key need the entry of the session alone. */
  present += 61 * 1000000;
  strcpy(jar, first);
  tuile_session *s = request();
  CHECK(tuile_session_load(s, &error) == TUILE_OK);
  CHECK(respond(s, 200) == TUILE_OK);
  strcpy(jar, first);
  s = request();
  CHECK(tuile_session_cycle_id(s, &error) == TUILE_OK);
  CHECK(respond(s, 200) == TUILE_OK);
  CHECK(wholes == (has_record ? 0 : 2));
  CHECK(ones == (has_record ? 2 : 0));
  wholes = ones = 0;
  CHECK(count(&oldest) == 301);
  CHECK(wholes == 1);
  CHECK(oldest == began);
  close_all(store);
  wholes = ones = 0;
}

/* By default a hundred: the list that a login reads is no longer. */
static void hundred(tuile_store_ops *ops) {
  tuile_store *store;
  char first[200], second[200];
  open_with(ops, &store, 100);
  login(first);
  for (int i = 1; i < 110; i++) {
    present += 1000000;
    login(i == 1 ? second : NULL);
    CHECK(wholes == i + 1);
    CHECK(ones == 0);
    if (i != 50) continue;
    /* Seen again, so that others go first. */
    present += 61 * 1000000;
    strcpy(jar, first);
    tuile_session *s = request();
    CHECK(tuile_session_load(s, &error) == TUILE_OK);
    CHECK(respond(s, 200) == TUILE_OK);
    CHECK(ones == 1);
    ones = 0;
  }
  CHECK(count(NULL) == 100);
  strcpy(jar, first);
  tuile_session *s = request();
  CHECK(tuile_session_load(s, &error) == TUILE_OK);
  tuile_session_end(s);
  strcpy(jar, second);
  s = request();
  CHECK(tuile_session_load(s, &error) == TUILE_ABSENT);
  tuile_session_end(s);
  close_all(store);
  wholes = ones = 0;
}

/* A limit that is set when there are many more: no login ends them all. */
static void lowered(tuile_store_ops *ops) {
  tuile_store *store, *again;
  open_with(ops, &store, 0);
  for (int i = 0; i < 400; i++) login(NULL);
  tuile_manager_close(manager);
  tuile_config config = TUILE_CONFIG_INIT;
  config.secret = text("a secret of more than 32 bytes, as it has to be"), config.clock = fixed_clock, config.open_store = store, config.max_owned = 10;
  CHECK(tuile_manager_open(&config, &manager, &error) == TUILE_OK);
  again = store;
  login(NULL);
  CHECK(count(NULL) == 401 - 256);
  login(NULL);
  CHECK(count(NULL) == 10);
  close_all(again);
  wholes = ones = 0;
}

int main(void) {
  tuile_store_ops ops = TUILE_STORE_OPS_INIT;
  ops.load = do_load, ops.create = do_create, ops.replace = do_replace, ops.touch = do_touch, ops.remove = do_remove;
  ops.sweep = do_sweep, ops.own = do_own, ops.owned = do_owned, ops.disown = do_disown;
  ops.owned_record = do_owned_record;
  unlimited(&ops, true);
  hundred(&ops);
  lowered(&ops);
  /* A store that can't give one entry, and one of a program that knows no such call. */
  ops.owned_record = NULL;
  unlimited(&ops, false);
  ops.size = offsetof(tuile_store_ops, owned_record), ops.owned_record = do_owned_record;
  unlimited(&ops, false);
  tuile_store *store;
  ops.size--;
  CHECK(tuile_store_open_ops(&ops, NULL, &store, &error) == TUILE_E_ARGUMENT);
  ops = (tuile_store_ops)TUILE_STORE_OPS_INIT;
  ops.load = do_load, ops.create = do_create, ops.replace = do_replace, ops.touch = do_touch, ops.remove = do_remove;
  ops.sweep = do_sweep, ops.owned_record = do_owned_record;
  CHECK(tuile_store_open_ops(&ops, NULL, &store, &error) == TUILE_E_ARGUMENT);
  puts("a login reads no list that it does not need");
  return 0;
}
