/* What a store gives back, whoever wrote it there: session data that says it is
 * nobody's but may have any text, pointers of cycled keys, ends, owners; and the
 * records of an owner's list, which nobody signs. The first octet chooses. */
#include "fuzz.h"

static const uint8_t *answer;
static size_t answer_size;
static int conflicts; /* how often another request is first */

static tuile_status load(void *c, tuile_bytes key, int64_t now, tuile_receive receive, void *receiver, tuile_error *e) {
  (void)c, (void)key, (void)now, (void)e;
  receive(receiver, (tuile_bytes){answer, answer_size}, INT64_MAX);
  return TUILE_OK;
}
static tuile_status create(void *c, tuile_bytes key, tuile_bytes data, int64_t expires, tuile_error *e) {
  (void)c, (void)key, (void)data, (void)expires, (void)e;
  return TUILE_OK;
}
static tuile_status replace(void *c, tuile_bytes key, tuile_bytes expected, tuile_bytes data, int64_t expires, tuile_error *e) {
  (void)c, (void)e;
  REQUIRE(key.size >= 8);
  REQUIRE(key.size <= 40); /* whatever a pointer says */
  for (size_t i = 0; i < key.size; i++) {
    char letter = ((const char *)key.data)[i];
    REQUIRE((letter >= 'a' && letter <= 'z') || (letter >= '0' && letter <= '9'));
  }
  REQUIRE(same(expected, (tuile_bytes){answer, answer_size}));
  if (conflicts > 0) return conflicts--, TUILE_CONFLICT;
  const char *text = data.data;
  if (same(data, expected)) return TUILE_OK; /* it only lives longer */
  if (expires == 0 && data.size > 6 && memcmp(text, "ended ", 6) == 0) return TUILE_OK; /* what is about to be removed */
  size_t end = data.size; /* white space tells one write from another of the same data */
  while (end > 0 && memchr(" \t\r\n", text[end - 1], 4)) end--;
  REQUIRE(end >= 2);
  REQUIRE(text[strspn(text, " \t\r\n")] == '{');
  REQUIRE(text[end - 1] == '}');
  return TUILE_OK;
}
static tuile_status touch(void *c, tuile_bytes key, int64_t expires, tuile_error *e) {
  (void)c, (void)key, (void)expires, (void)e;
  return TUILE_OK;
}
static tuile_status drop(void *c, tuile_bytes key, tuile_error *e) {
  (void)c, (void)key, (void)e;
  return TUILE_OK;
}
static tuile_status sweep(void *c, int64_t now, size_t limit, size_t *removed, tuile_error *e) {
  (void)c, (void)now, (void)limit, (void)e;
  *removed = 0;
  return TUILE_OK;
}
static tuile_status own(void *c, tuile_bytes owner, tuile_bytes key, tuile_bytes record, int64_t expires, tuile_error *e) {
  (void)c, (void)key, (void)expires, (void)e;
  REQUIRE(record.size <= 1024);
  REQUIRE(owner.size >= 1);
  REQUIRE(owner.size <= 255);
  return TUILE_OK;
}
static tuile_status owned(void *c, tuile_bytes owner, int64_t now, tuile_receive_owned receive, void *receiver, tuile_error *e) {
  (void)c, (void)owner, (void)now, (void)e;
  receive(receiver, (tuile_bytes){"someotherkey", 12}, (tuile_bytes){answer, answer_size}, 5000000);
  receive(receiver, (tuile_bytes){"abcdefgh", 8}, (tuile_bytes){answer, answer_size}, INT64_MIN);
  return TUILE_OK;
}
static tuile_status disown(void *c, tuile_bytes owner, tuile_bytes key, tuile_error *e) {
  (void)c, (void)owner, (void)key, (void)e;
  return TUILE_OK;
}
static tuile_status keys(void *c, int64_t now, tuile_receive_key receive, void *receiver, tuile_error *e) {
  (void)c, (void)now, (void)e;
  for (size_t size = 0; size <= answer_size; size++)
    if (!receive(receiver, (tuile_bytes){answer, size}, 5000000)) break;
  return TUILE_OK;
}
static tuile_status owners(void *c, tuile_receive_owner receive, void *receiver, tuile_error *e) {
  (void)c, (void)e;
  receive(receiver, (tuile_bytes){answer, answer_size});
  return TUILE_OK;
}

static bool key_shown(void *context, tuile_bytes key, int64_t expires) {
  char id[32];
  (void)context;
  REQUIRE(expires == 5000000);
  REQUIRE(tuile_store_key_id(key, id, sizeof id, NULL) == TUILE_OK);
  return key.size < 20;
}
static bool owner_shown(void *context, tuile_bytes owner) {
  (void)context;
  REQUIRE(owner.size >= 1);
  REQUIRE(owner.size <= 255);
  REQUIRE(!memchr(owner.data, 0, owner.size));
  return true;
}

static void shown(void *context, const tuile_owned_session *session) {
  (void)context;
  REQUIRE(session->id.size == 32);
  REQUIRE(session->user_agent.size <= answer_size);
  REQUIRE(session->address.size <= answer_size);
}

static tuile_manager *manager;
static tuile_store *store;

static void prepare(void) {
  tuile_store_ops ops = TUILE_STORE_OPS_INIT;
  tuile_config config = TUILE_CONFIG_INIT;
  ops.trusted = true; /* plain JSON, so that the fuzzer gets past the signature */
  ops.load = load, ops.create = create, ops.replace = replace, ops.touch = touch, ops.remove = drop, ops.sweep = sweep;
  ops.own = own, ops.owned = owned, ops.disown = disown, ops.keys = keys, ops.owners = owners;
  REQUIRE(tuile_store_open_ops(&ops, NULL, &store, NULL) == TUILE_OK);
  config.open_store = store;
  config.track_owners = true, config.max_owned = 1, config.refresh = 1, config.lifetime = 1000;
  REQUIRE(tuile_manager_open(&config, &manager, NULL) == TUILE_OK);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (!manager) prepare();
  if (size == 0) return 0;
  int what = *data;
  answer = data + 1, answer_size = size - 1;
  if (what & 1) {
    tuile_manager_sessions(manager, TUILE_STR("ada"), NULL, shown, NULL, NULL);
    REQUIRE(tuile_store_keys(store, 0, key_shown, NULL, NULL) == TUILE_OK);
    REQUIRE(tuile_store_owners(store, owner_shown, NULL, NULL) == TUILE_OK);
    return 0;
  }
  tuile_session *session = NULL;
  REQUIRE(tuile_session_start(manager, TUILE_STR("sessionid=abcdefgh"), (tuile_bytes){NULL, 0}, &session, NULL) == TUILE_OK);
  tuile_bytes text;
  int64_t number;
  bool answered;
  REQUIRE(session);
  tuile_session_set_client(session, (tuile_bytes){answer, answer_size}, (tuile_bytes){answer, answer_size}, NULL);
  tuile_session_get_owner(session, &text, NULL);
  tuile_session_get_lifetime(session, &number, NULL);
  tuile_session_get_expiry_time(session, TUILE_UNSET, (tuile_bytes){NULL, 0}, &number, NULL);
  tuile_session_get_expire_at_browser_close(session, &answered, NULL);
  if (what & 2) tuile_session_append(session, TUILE_STR("a"), TUILE_STR("1"), NULL);
  if (what & 4) tuile_session_add_int(session, TUILE_STR("n"), 1, NULL, NULL);
  if (what & 8) tuile_session_update(session, (tuile_bytes){answer, answer_size}, NULL);
  if (what & 16) tuile_session_cycle_id(session, NULL);
  conflicts = what & 64 ? 3 : 0;
  if (what & 32) tuile_session_flush(session, NULL);
  if (what & 128) tuile_session_touch(session, NULL);
  tuile_session_commit(session, 200, NULL, NULL, NULL);
  if (tuile_session_json(session, &text, NULL) == TUILE_OK) {
    tuile_session *copy = NULL;
    REQUIRE(tuile_session_start(manager, TUILE_STR(""), (tuile_bytes){NULL, 0}, &copy, NULL) == TUILE_OK);
    REQUIRE(tuile_session_update(copy, text, NULL) == TUILE_OK); /* what is given out can be read */
    tuile_session_end(copy);
  }
  tuile_session_end(session);
  return 0;
}
