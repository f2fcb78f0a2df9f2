/* One session that many change at once. Commits that met stand in line: each counts once and has its own answer, few
 * writes reach the store, nobody is left behind, and nobody waits for ever for one that holds the turn and does not
 * come back, for its own thread, or in a child for a parent's. */
#define _GNU_SOURCE
#include "check.h"

#include <libgen.h>
#include <limits.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { most = 64, times = 6 };

/* ---- a store in memory behind which a test can step in; a host's own, or a module's ---- */

static tuile_store *memory;
static tuile_manager *manager, *another;
static char cookie[64];
static atomic_int writes, delay; /* milliseconds */
static void (*on_write)(void), (*on_load)(void);
static _Atomic tuile_status answer_of_write; /* what the next write says in place of its answer */
static atomic_bool is_made, deaf; /* and whether it is made; no read is answered */
static _Thread_local bool is_inside;

static void pause_for(int milliseconds) {
  if (milliseconds) nanosleep(&(struct timespec){milliseconds / 1000, milliseconds % 1000 * 1000000L}, NULL);
}

static tuile_status load(void *c, tuile_bytes key, int64_t now, tuile_receive receive, void *receiver, tuile_error *e) {
  (void)c;
  pause_for(delay);
  if (on_load && !is_inside) is_inside = true, on_load(), is_inside = false;
  return deaf ? TUILE_E_STORE : tuile_store_load(memory, key, now, receive, receiver, e);
}
static tuile_status create(void *c, tuile_bytes key, tuile_bytes data, int64_t expires, tuile_error *e) {
  (void)c;
  return tuile_store_create(memory, key, data, expires, e);
}
static tuile_status replace(void *c, tuile_bytes key, tuile_bytes expected, tuile_bytes data, int64_t expires, tuile_error *e) {
  (void)c;
  pause_for(delay);
  if (on_write && !is_inside) is_inside = true, on_write(), is_inside = false;
  writes++;
  tuile_status said = atomic_exchange(&answer_of_write, TUILE_OK);
  if (said != TUILE_OK && !is_made) return said;
  tuile_status status = tuile_store_replace(memory, key, expected, data, expires, e);
  return said != TUILE_OK ? said : status;
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

static const tuile_store_ops operations = {.size = sizeof(tuile_store_ops), .load = load, .create = create, .replace = replace,
                                           .touch = touch, .remove = drop, .sweep = sweep};

__attribute__((visibility("default"))) tuile_status hot_module_open(tuile_bytes url, tuile_store_ops *ops, void **context,
                                                                    tuile_error *error);
tuile_status hot_module_open(tuile_bytes url, tuile_store_ops *ops, void **context, tuile_error *error) {
  (void)url, (void)context, (void)error;
  *ops = operations;
  return TUILE_OK;
}

static tuile_store *store;

static tuile_manager *open_manager(void) {
  tuile_config config = TUILE_CONFIG_INIT;
  tuile_manager *opened;
  config.secret = text("a secret of the test's, thirty-two"), config.open_store = store;
  CHECK(tuile_manager_open(&config, &opened, NULL) == TUILE_OK);
  return opened;
}

static void begin(bool module) {
  tuile_bytes key;
  CHECK(tuile_store_open(text("memory:"), &memory, NULL) == TUILE_OK);
  CHECK((module ? tuile_store_open(text("hot://"), &store, NULL) : tuile_store_open_ops(&operations, NULL, &store, NULL)) == TUILE_OK);
  manager = open_manager(), another = open_manager();
  tuile_session *s = NULL;
  CHECK(tuile_session_start(manager, text(""), (tuile_bytes){NULL, 0}, &s, NULL) == TUILE_OK);
  CHECK(tuile_session_update(s, text("{\"n\":0,\"log\":[]}"), NULL) == TUILE_OK);
  CHECK(tuile_session_commit(s, 200, NULL, NULL, NULL) == TUILE_OK);
  CHECK(tuile_session_id(s, &key) == TUILE_OK);
  snprintf(cookie, sizeof cookie, "sessionid=%.*s", (int)key.size, (const char *)key.data);
  tuile_session_end(s);
  writes = 0;
  delay = 0;
  deaf = false;
  on_write = on_load = NULL;
}

static void end(void) {
  tuile_manager_close(manager), tuile_manager_close(another);
  tuile_store_close(store), tuile_store_close(memory);
}

static tuile_status add_by(tuile_manager *who) {
  tuile_session *s = NULL;
  CHECK(tuile_session_start(who, text(cookie), (tuile_bytes){NULL, 0}, &s, NULL) == TUILE_OK);
  tuile_status status = tuile_session_add_int(s, text("n"), 1, NULL, NULL);
  if (status == TUILE_OK) status = tuile_session_commit(s, 200, NULL, NULL, NULL);
  tuile_session_end(s);
  return status;
}
static void add(void) { CHECK(add_by(manager) == TUILE_OK); }

static int64_t count(void) {
  int64_t n = -1;
  tuile_session *s = NULL;
  CHECK(tuile_session_start(another, text(cookie), (tuile_bytes){NULL, 0}, &s, NULL) == TUILE_OK);
  CHECK(tuile_session_get_int(s, text("n"), &n, NULL) == TUILE_OK);
  tuile_session_end(s);
  return n;
}

static pthread_t start(void *(*body)(void *), void *context) {
  pthread_t thread;
  CHECK(pthread_create(&thread, NULL, body, context) == 0);
  return thread;
}
static void *add_once(void *context) {
  (void)context;
  add();
  return NULL;
}

/* ---- many writers ---- */

static void *visit(void *number) {
  for (int i = 0; i < times; i++) {
    char value[24];
    tuile_session *s = NULL;
    CHECK(tuile_session_start(manager, text(cookie), (tuile_bytes){NULL, 0}, &s, NULL) == TUILE_OK);
    snprintf(value, sizeof value, "%d", *(int *)number * times + i);
    CHECK(tuile_session_add_int(s, text("n"), 1, NULL, NULL) == TUILE_OK);
    CHECK(tuile_session_append(s, text("log"), text(value), NULL) == TUILE_OK);
    CHECK(tuile_session_commit(s, 200, NULL, NULL, NULL) == TUILE_OK);
    /* What it sees has its own in it. */
    tuile_bytes log;
    CHECK(tuile_session_get_json(s, text("log"), &log, NULL) == TUILE_OK);
    CHECK(log.size > strlen(value));
    tuile_session_end(s);
  }
  return NULL;
}

static void check_log(void) {
  static char seen[most * times];
  tuile_bytes json;
  tuile_session *s = NULL;
  CHECK(tuile_session_start(another, text(cookie), (tuile_bytes){NULL, 0}, &s, NULL) == TUILE_OK);
  CHECK(tuile_session_get_json(s, text("log"), &json, NULL) == TUILE_OK);
  memset(seen, 0, sizeof seen);
  const char *at = (const char *)json.data + 1;
  for (int i = 0; i < most * times; i++) {
    char *after;
    long value = strtol(at, &after, 10);
    CHECK(after > at);
    CHECK(value >= 0);
    CHECK(value < most * times);
    CHECK(!seen[value]);
    seen[value] = 1;
    at = after + 1;
  }
  tuile_session_end(s);
}

static void many(bool module) {
  pthread_t threads[most];
  int numbers[most];
  begin(module);
  delay = 4;
  for (int i = 0; i < most; i++) numbers[i] = i, threads[i] = start(visit, &numbers[i]);
  for (int i = 0; i < most; i++) CHECK(pthread_join(threads[i], NULL) == 0);
  delay = 0;
  CHECK(count() == most * times);
  check_log();
  /* By compare-and-replace alone each addition takes dozens. */
  if (module) CHECK(writes < most * times);
  else CHECK(writes < 4 * most * times);
  end();
}

/* ---- the turn is held ---- */

static sem_t held, go_on;
static int step;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static bool takes_lock;
static pthread_t leader;

/* The leader's first write meets another one's; its second is held. */
static void hold(void) {
  if (!pthread_equal(pthread_self(), leader)) return;
  step++;
  if (step == 1) CHECK(add_by(another) == TUILE_OK);
  if (step != 2) return;
  add(); /* the callback itself uses that session */
  CHECK(sem_post(&held) == 0);
  if (takes_lock) {
    CHECK(pthread_mutex_lock(&lock) == 0);
    CHECK(pthread_mutex_unlock(&lock) == 0);
  } else CHECK(sem_wait(&go_on) == 0);
}

static void *lead(void *context) {
  (void)context;
  leader = pthread_self();
  add();
  return (void *)1;
}

static pthread_t hold_the_turn(void) {
  CHECK(sem_init(&held, 0, 0) == 0);
  CHECK(sem_init(&go_on, 0, 0) == 0);
  step = 0, on_write = hold;
  pthread_t thread = start(lead, NULL);
  CHECK(sem_wait(&held) == 0);
  return thread;
}

static void nobody_waits_for_ever(void) {
  begin(false);
  pthread_t thread = hold_the_turn();
  add();
  CHECK(sem_post(&go_on) == 0);
  CHECK(pthread_join(thread, NULL) == 0);
  CHECK(count() == 4);
  end();
}

/* The host's store waits for a lock that the host holds around another commit. */
static void a_lock_of_the_hosts(void) {
  begin(false);
  takes_lock = true;
  CHECK(pthread_mutex_lock(&lock) == 0);
  pthread_t thread = hold_the_turn();
  add();
  CHECK(pthread_mutex_unlock(&lock) == 0);
  CHECK(pthread_join(thread, NULL) == 0);
  takes_lock = false;
  CHECK(count() == 4);
  end();
}

static void a_child(bool module) {
  int status;
  begin(module);
  pthread_t thread = hold_the_turn(), waiting = start(add_once, NULL);
  pause_for(20);
  pid_t pid = fork();
  CHECK(pid >= 0);
  if (pid == 0) {
    int64_t before = count();
    for (int i = 0; i < 8; i++) add();
    _exit(count() == before + 8 ? 0 : 1);
  }
  CHECK(waitpid(pid, &status, 0) == pid);
  CHECK(WIFEXITED(status));
  CHECK(WEXITSTATUS(status) == 0);
  CHECK(sem_post(&go_on) == 0);
  CHECK(pthread_join(thread, NULL) == 0);
  CHECK(pthread_join(waiting, NULL) == 0);
  CHECK(count() == 4);
  end();
}

/* Threads that are cancelled, the one that leads and one that waits, end their commits first. */
static void cancelled(void) {
  begin(true);
  pthread_t thread = hold_the_turn(), waiting = start(add_once, NULL);
  pause_for(20);
  CHECK(pthread_cancel(waiting) == 0);
  CHECK(pthread_cancel(thread) == 0);
  CHECK(sem_post(&go_on) == 0);
  CHECK(pthread_join(thread, NULL) == 0);
  CHECK(pthread_join(waiting, NULL) == 0);
  CHECK(count() >= 3);
  int64_t before = count();
  for (int i = 0; i < 8; i++) add();
  CHECK(count() == before + 8);
  end();
}

/* ---- an answer that is not known, of a write for several ---- */

enum { together = 6 };
static tuile_session *sessions[together];
static tuile_status statuses[together];
static pthread_t threads[together];
static int numbers[together];
static bool refuses_nothing;

static void *commit(void *number) {
  int i = *(int *)number;
  if (i == 0) leader = pthread_self();
  statuses[i] = tuile_session_commit(sessions[i], 200, NULL, NULL, NULL);
  return NULL;
}

/* The leader's first write meets another one's; nobody knows of its second. */
static void meet(void) {
  if (!pthread_equal(pthread_self(), leader)) return;
  if (++step == 1) CHECK(add_by(another) == TUILE_OK);
  else if (!refuses_nothing) {
    answer_of_write = TUILE_E_UNKNOWN;
    deaf = true;
  }
}

/* While it reads what that one wrote, the others come, and stand in line. */
static void gather(void) {
  if (step != 1 || !pthread_equal(pthread_self(), leader)) return;
  for (int i = 1; i < together; i++) threads[i] = start(commit, &numbers[i]);
  pause_for(30);
}

/* How many were written together. */
static int write_together(bool made) {
  int unknown = 0;
  begin(true);
  is_made = made;
  step = 0, on_write = meet, on_load = gather;
  for (int i = 0; i < together; i++) {
    numbers[i] = i;
    CHECK(tuile_session_start(manager, text(cookie), (tuile_bytes){NULL, 0}, &sessions[i], NULL) == TUILE_OK);
    CHECK(tuile_session_add_int(sessions[i], text("n"), 1, NULL, NULL) == TUILE_OK);
  }
  threads[0] = start(commit, &numbers[0]);
  CHECK(pthread_join(threads[0], NULL) == 0);
  for (int i = 1; i < together; i++) CHECK(pthread_join(threads[i], NULL) == 0);
  for (int i = 0; i < together; i++) unknown += statuses[i] == TUILE_E_UNKNOWN;
  on_write = on_load = NULL;
  deaf = false;
  return unknown;
}

static void all_again(bool made) {
  /* Who is not in line in time is none of them: then once more. */
  for (int tries = 0; write_together(made) < together; tries++) {
    CHECK(tries < 100);
    for (int i = 0; i < together; i++) tuile_session_end(sessions[i]);
    end();
  }
  CHECK(count() == (made ? together + 1 : 1));
  for (int round = 0; round < 3; round++)
    for (int i = together - 1; i >= 0; i--) {
      if (round > 0) CHECK(tuile_session_add_int(sessions[i], text("n"), 1, NULL, NULL) == TUILE_OK);
      tuile_error error = {0};
      tuile_status status = tuile_session_commit(sessions[i], 200, NULL, NULL, &error);
      if (status != TUILE_OK) fprintf(stderr, "round %d, %d: %s: %s\n", round, i, tuile_status_name(status), error.message);
      CHECK(status == TUILE_OK);
    }
  CHECK(count() == 3 * together + 1);
  for (int i = 0; i < together; i++) tuile_session_end(sessions[i]);
  end();
}

/* ---- one of several that can't be written ---- */

/* Its sum does not fit: it is told so, and the others are saved. */
static void one_fails(void) {
  for (int tries = 0;; tries++) {
    CHECK(tries < 100);
    begin(true);
    step = 0, on_write = meet, on_load = gather;
    for (int i = 0; i < together; i++) {
      numbers[i] = i;
      CHECK(tuile_session_start(manager, text(cookie), (tuile_bytes){NULL, 0}, &sessions[i], NULL) == TUILE_OK);
      CHECK(tuile_session_add_int(sessions[i], text("n"), i == 2 ? INT64_MAX : 1, NULL, NULL) == TUILE_OK);
    }
    refuses_nothing = true;
    threads[0] = start(commit, &numbers[0]);
    CHECK(pthread_join(threads[0], NULL) == 0);
    for (int i = 1; i < together; i++) CHECK(pthread_join(threads[i], NULL) == 0);
    refuses_nothing = false;
    on_write = on_load = NULL;
    for (int i = 0; i < together; i++) CHECK(statuses[i] == (i == 2 ? TUILE_E_RANGE : TUILE_OK));
    CHECK(count() == together); /* another one's, too */
    bool merged = writes == 3;  /* the first, another one's, and one for all */
    for (int i = 0; i < together; i++) tuile_session_end(sessions[i]);
    end();
    if (merged) return;
  }
}

int main(void) {
  char folder[PATH_MAX] = {0}, modules[PATH_MAX + 16];
  CHECK(readlink("/proc/self/exe", folder, sizeof folder - 1) > 0);
  snprintf(modules, sizeof modules, "%s/modules", dirname(folder));
  CHECK(tuile_module_folder(text(modules)) == TUILE_OK);
  many(false), many(true);
  nobody_waits_for_ever();
  a_lock_of_the_hosts();
  a_child(false), a_child(true);
  cancelled();
  all_again(false), all_again(true);
  one_fails();
  return 0;
}
