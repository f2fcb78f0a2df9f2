/* Writes that get no answer: made, not made, or made later. A commit says what it
 * knows, and one that is made again counts once. Each schedule is set by hand. */
#include "request.h"

enum fate { FINE, LOST, MADE, LATE, REFUSED };
enum operation { CREATE, REPLACE, REMOVE };

static tuile_store *memory;
static enum fate next[3][8]; /* what becomes of the coming writes, by operation */
static int made[3];
static bool deaf; /* no read is answered */

static struct {
  char key[64], expected[2048], data[2048];
  size_t key_size, expected_size, data_size;
  int64_t expires;
  bool waits;
} late;

static tuile_bytes keep(char *buffer, size_t *size, tuile_bytes bytes) {
  CHECK(bytes.size <= 2048);
  memcpy(buffer, bytes.data, *size = bytes.size);
  return (tuile_bytes){buffer, bytes.size};
}

/* The copy that was under way arrives. */
static void arrive(void) {
  CHECK(late.waits);
  late.waits = false;
  tuile_bytes key = {late.key, late.key_size}, expected = {late.expected, late.expected_size}, data = {late.data, late.data_size};
  if (expected.size) tuile_store_replace(memory, key, expected, data, late.expires, NULL);
  else tuile_store_create(memory, key, data, late.expires, NULL);
}

static enum fate fate(enum operation operation) {
  enum fate now = next[operation][made[operation]];
  if (made[operation] < 7) made[operation]++;
  return now;
}

static tuile_status silent(tuile_error *e) {
  snprintf(e->message, sizeof e->message, "no answer came");
  return TUILE_E_STORE;
}

static tuile_status load(void *c, tuile_bytes key, int64_t now, tuile_receive receive, void *receiver, tuile_error *e) {
  (void)c;
  return deaf ? silent(e) : tuile_store_load(memory, key, now, receive, receiver, e);
}

static tuile_status suffer(enum operation operation, tuile_bytes key, tuile_bytes expected, tuile_bytes data, int64_t expires, tuile_error *e) {
  tuile_status status = TUILE_OK;
  switch (fate(operation)) {
    case REFUSED: return TUILE_E_BUSY;
    case LOST: return silent(e);
    case LATE:
      keep(late.key, &late.key_size, key), keep(late.expected, &late.expected_size, expected), keep(late.data, &late.data_size, data);
      late.expires = expires, late.waits = true;
      return silent(e);
    case MADE:
    case FINE: break;
  }
  enum fate made_it = next[operation][made[operation] - 1];
  if (operation == CREATE) status = tuile_store_create(memory, key, data, expires, e);
  else status = tuile_store_replace(memory, key, expected, data, expires, e);
  return made_it == MADE && status == TUILE_OK ? silent(e) : status;
}

static tuile_status create(void *c, tuile_bytes key, tuile_bytes data, int64_t expires, tuile_error *e) {
  (void)c;
  return suffer(CREATE, key, text(""), data, expires, e);
}
static tuile_status replace(void *c, tuile_bytes key, tuile_bytes expected, tuile_bytes data, int64_t expires, tuile_error *e) {
  (void)c;
  return suffer(REPLACE, key, expected, data, expires, e);
}
static tuile_status touch(void *c, tuile_bytes key, int64_t expires, tuile_error *e) {
  (void)c;
  return tuile_store_touch(memory, key, expires, e);
}
static tuile_status drop(void *c, tuile_bytes key, tuile_error *e) {
  (void)c;
  switch (fate(REMOVE)) {
    case LOST: return silent(e);
    case MADE: return tuile_store_remove(memory, key, e) == TUILE_OK ? silent(e) : TUILE_E_STORE;
    default: return tuile_store_remove(memory, key, e);
  }
}
static tuile_status sweep(void *c, int64_t now, size_t limit, size_t *removed, tuile_error *e) {
  (void)c;
  return tuile_store_sweep(memory, now, limit, removed, e);
}

static void plan(enum operation operation, enum fate first, enum fate second) {
  memset(next, 0, sizeof next), memset(made, 0, sizeof made);
  next[operation][0] = first, next[operation][1] = second;
}

static bool count_one(void *context, tuile_bytes key, int64_t expires) {
  (void)key, (void)expires;
  ++*(int *)context;
  return true;
}

static int live(void) {
  int count = 0;
  CHECK(tuile_store_keys(memory, present, count_one, &count, &error) == TUILE_OK);
  return count;
}

static void begin(int64_t grace) {
  tuile_store_ops ops = TUILE_STORE_OPS_INIT;
  tuile_config config = TUILE_CONFIG_INIT;
  static tuile_store *store;
  if (manager) tuile_manager_close(manager), tuile_store_close(store), tuile_store_close(memory);
  ops.load = load, ops.create = create, ops.replace = replace, ops.touch = touch, ops.remove = drop, ops.sweep = sweep;
  CHECK(tuile_store_open(text("memory:"), &memory, &error) == TUILE_OK);
  CHECK(tuile_store_open_ops(&ops, NULL, &store, &error) == TUILE_OK);
  config.open_store = store, config.clock = fixed_clock, config.cycle_grace = grace;
  config.secret = text("a secret that has its thirty-two bytes and more");
  CHECK(tuile_manager_open(&config, &manager, &error) == TUILE_OK);
  plan(CREATE, FINE, FINE), jar[0] = 0, late.waits = deaf = false;
  set("n", 1);
}

static tuile_session *adding(int64_t delta) {
  tuile_session *s = request();
  CHECK(tuile_session_add_int(s, text("n"), delta, NULL, &error) == TUILE_OK);
  return s;
}

/* ---- a commit ---- */

static void answers(void) {
  begin(5);
  plan(REPLACE, MADE, FINE); /* it was made: reading back shows it */
  CHECK(respond(adding(1), 200) == TUILE_OK);
  CHECK(get("n") == 2);
  plan(REPLACE, LOST, FINE); /* it was not: it is made again */
  CHECK(respond(adding(1), 200) == TUILE_OK);
  CHECK(get("n") == 3);
  plan(REPLACE, LATE, FINE); /* the first copy arrives after the second */
  CHECK(respond(adding(1), 200) == TUILE_OK);
  arrive();
  CHECK(get("n") == 4);
  plan(REPLACE, REFUSED, FINE); /* certainly not made */
  tuile_session *s = adding(1);
  CHECK(tuile_session_commit(s, 200, collect, NULL, &error) == TUILE_E_BUSY);
  tuile_session_end(s);
  CHECK(get("n") == 4);
}

/* Nobody knows; the same commit once more adds one, and what was changed since is saved too. */
static void committed_again(enum fate first, bool changed_since) {
  begin(5);
  tuile_session *s = adding(1);
  CHECK(tuile_session_append(s, text("l"), text("1"), &error) == TUILE_OK);
  CHECK(tuile_session_set_int(s, text("x"), 5, &error) == TUILE_OK);
  plan(REPLACE, first, FINE);
  deaf = true;
  set_cookie[0] = 0;
  for (int i = 0; i < 2; i++) {
    CHECK(tuile_session_commit(s, 200, collect, NULL, &error) == TUILE_E_UNKNOWN);
    CHECK(!set_cookie[0]);
    CHECK(strstr(error.message, "no answer came") || i > 0);
  }
  deaf = false;
  if (first == LATE) arrive();
  if (changed_since) {
    CHECK(tuile_session_add_int(s, text("n"), 10, NULL, &error) == TUILE_OK);
    CHECK(tuile_session_append(s, text("l"), text("2"), &error) == TUILE_OK);
    CHECK(tuile_session_set_int(s, text("x"), 6, &error) == TUILE_OK);
  }
  CHECK(respond(s, 200) == TUILE_OK);
  CHECK(set_cookie[0]);
  CHECK(get("n") == (changed_since ? 12 : 2));
  CHECK(get("x") == (changed_since ? 6 : 5));
  s = request();
  tuile_bytes list;
  CHECK(tuile_session_get_json(s, text("l"), &list, &error) == TUILE_OK);
  CHECK(equals(list, changed_since ? "[1,2]" : "[1]"));
  tuile_session_end(s);
}

/* Two that write the very same thing: one of them is not the other. */
static void twins(void) {
  begin(5);
  tuile_session *one = adding(1), *two = adding(1);
  CHECK(respond(one, 200) == TUILE_OK);
  plan(REPLACE, LOST, FINE);
  tuile_status status = tuile_session_commit(two, 200, collect, NULL, &error);
  tuile_session_end(two);
  if (status != TUILE_E_UNKNOWN) CHECK(status == TUILE_OK);
  CHECK(get("n") == (status == TUILE_OK ? 3 : 2));
}

static void created(enum fate first) {
  begin(5);
  jar[0] = 0;
  plan(CREATE, first, FINE);
  tuile_session *s = adding(1);
  int before = live();
  CHECK(respond(s, 200) == TUILE_OK);
  CHECK(set_cookie[0]);
  if (first == LATE) arrive();
  CHECK(get("n") == 1);
  CHECK(live() == before + 1);
  jar[0] = 0;
  plan(CREATE, first, FINE), deaf = true;
  s = adding(1);
  CHECK(tuile_session_commit(s, 200, collect, NULL, &error) == TUILE_E_UNKNOWN);
  deaf = false;
  if (first == LATE) arrive();
  CHECK(tuile_session_add_int(s, text("n"), 1, NULL, &error) == TUILE_OK);
  CHECK(respond(s, 200) == TUILE_OK);
  CHECK(get("n") == 2);
  CHECK(live() == before + 2);
}

/* ---- a new key ---- */

static void login(enum fate first, int64_t grace, bool silence) {
  begin(grace);
  char before[200];
  strcpy(before, jar);
  plan(REPLACE, first, FINE);
  tuile_session *s = adding(1);
  CHECK(tuile_session_cycle_id(s, &error) == TUILE_OK);
  deaf = silence;
  tuile_status status = tuile_session_commit(s, 200, collect, NULL, &error);
  deaf = false;
  CHECK(status == (silence ? TUILE_E_UNKNOWN : TUILE_OK));
  if (first == LATE) arrive();
  if (silence) {
    CHECK(!strstr(set_cookie, "sessionid=") || strncmp(set_cookie, before, strlen(before)) == 0);
    if (grace > 0) present += grace * 1000000; /* the pointer's time may be over when it is asked for */
    status = tuile_session_commit(s, 200, collect, NULL, &error);
    CHECK(status == TUILE_OK);
  }
  snprintf(jar, sizeof jar, "%.*s", (int)strcspn(set_cookie, ";"), set_cookie);
  tuile_session_end(s);
  CHECK(strcmp(jar, before) != 0);
  CHECK(get("n") == 2);
  present += 20000000;
  CHECK(get("n") == 2);
  CHECK(live() == 1);
  strcpy(jar, before);
  CHECK(get("n") == -1);
}

/* Three logins that fail leave one session, the old one. */
static void logins_that_fail(enum operation operation) {
  begin(5);
  for (int i = 0; i < 3; i++) {
    memset(next, 0, sizeof next), memset(made, 0, sizeof made);
    for (int k = 0; k < 8; k++) next[operation][k] = REFUSED;
    tuile_session *s = adding(1);
    CHECK(tuile_session_cycle_id(s, &error) == TUILE_OK);
    CHECK(respond(s, 200) == TUILE_E_BUSY);
    CHECK(live() == 1);
  }
  memset(next, 0, sizeof next);
  CHECK(get("n") == 1);
}

/* The commit of a login that got no answer is made again, and is refused: the session may be under the new key, and stays. */
static void login_refused_after(enum fate first, int64_t grace) {
  begin(grace);
  char before[200];
  strcpy(before, jar);
  plan(REPLACE, first, FINE);
  tuile_session *s = adding(1);
  CHECK(tuile_session_cycle_id(s, &error) == TUILE_OK);
  deaf = true;
  CHECK(tuile_session_commit(s, 200, collect, NULL, &error) == TUILE_E_UNKNOWN);
  deaf = false;
  if (first == LATE) arrive();
  plan(REPLACE, REFUSED, FINE);
  set_cookie[0] = 0;
  /* Not busy: that would say that nothing was saved. */
  CHECK(tuile_session_commit(s, 200, collect, NULL, &error) == TUILE_E_UNKNOWN);
  CHECK(!set_cookie[0]);
  CHECK(respond(s, 200) == TUILE_OK);
  CHECK(set_cookie[0]);
  CHECK(strcmp(jar, before) != 0);
  CHECK(get("n") == 2);
}

/* A logout with the key of before a login, which gets no answer half-way, is made again: it ends the session. */
static void logout_again(enum operation operation, int place, enum fate first) {
  begin(300);
  char old[200], current[200];
  strcpy(old, jar);
  tuile_session *s = adding(1);
  CHECK(tuile_session_cycle_id(s, &error) == TUILE_OK);
  CHECK(respond(s, 200) == TUILE_OK);
  strcpy(current, jar), strcpy(jar, old);
  s = request();
  CHECK(tuile_session_load(s, &error) == TUILE_OK);
  memset(next, 0, sizeof next), memset(made, 0, sizeof made);
  next[operation][place] = first;
  CHECK(tuile_session_flush(s, &error) < 0);
  memset(next, 0, sizeof next);
  CHECK(tuile_session_flush(s, &error) == TUILE_OK);
  CHECK(respond(s, 200) == TUILE_OK);
  strcpy(jar, current);
  CHECK(get("n") == -1);
  CHECK(live() == 0);
  strcpy(jar, old);
  CHECK(get("n") == -1);
}

/* What only lives longer is written by another request first: the cookie is owed all the same. */
static void touched_in_a_conflict(bool logged_out) {
  begin(5);
  tuile_session *s = request();
  CHECK(tuile_session_load(s, &error) == TUILE_OK);
  CHECK(tuile_session_touch(s, &error) == TUILE_OK);
  char before[200];
  strcpy(before, jar);
  if (logged_out) {
    tuile_session *other = request();
    CHECK(tuile_session_flush(other, &error) == TUILE_OK);
    CHECK(respond(other, 200) == TUILE_OK);
  } else {
    CHECK(respond(adding(1), 200) == TUILE_OK);
  }
  strcpy(jar, before);
  CHECK(respond(s, 200) == (logged_out ? TUILE_DELETED : TUILE_OK));
  CHECK(!set_cookie[0] == logged_out);
  CHECK(get("n") == (logged_out ? -1 : 2));
}

/* What another request saves meanwhile goes along, though the put under the new key gets no answer. */
static void login_in_a_conflict(enum fate second) {
  begin(5);
  tuile_session *s = adding(1);
  CHECK(tuile_session_cycle_id(s, &error) == TUILE_OK);
  char old[200];
  strcpy(old, jar);
  CHECK(respond(adding(10), 200) == TUILE_OK); /* the login's first replace finds this */
  plan(REPLACE, FINE, second);
  CHECK(respond(s, 200) == TUILE_OK);
  if (second == LATE) arrive();
  CHECK(strcmp(old, jar) != 0);
  CHECK(get("n") == 12);
  set("n", 50);
  CHECK(get("n") == 50);
}

int main(void) {
  static const enum fate fates[] = {LOST, MADE, LATE};
  answers();
  twins();
  for (int i = 0; i < 3; i++) {
    committed_again(fates[i], false), committed_again(fates[i], true);
    created(fates[i]);
    login_in_a_conflict(fates[i]);
    login_refused_after(fates[i], 5), login_refused_after(fates[i], 0);
    for (int silence = 0; silence < 2; silence++) login(fates[i], 5, silence), login(fates[i], 0, silence);
  }
  for (int i = 0; i < 2; i++) {
    logout_again(REPLACE, 0, fates[i]);
    for (int place = 0; place < 2; place++) logout_again(REMOVE, place, fates[i]);
  }
  touched_in_a_conflict(false), touched_in_a_conflict(true);
  logins_that_fail(CREATE), logins_that_fail(REPLACE);
  puts("what got no answer is looked for, and counts once");
  return 0;
}
