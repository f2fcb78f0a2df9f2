/* A queue of a manager's: on each kind of store all that it can do, from a loop that polls its descriptor; then with a
 * store that gives no answer for as long as the test likes: the bound, deadlines, what is cancelled, and ends of
 * session, queue and manager in the middle; and fork(). The URLs of more stores come behind the library's path. */
#define _GNU_SOURCE
#include "check.h"

#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

static tuile_error error;
static tuile_manager *manager;
static tuile_queue *queue;
static tuile_store *memory, *held_store;

/* ---- a store that can be held ---- */

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool held;
static int inside; /* calls that wait in the store */
static int loads, writes;

static void pass(int *count) {
  pthread_mutex_lock(&mutex);
  inside++;
  pthread_cond_broadcast(&changed);
  while (held) pthread_cond_wait(&changed, &mutex);
  inside--;
  ++*count;
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&mutex);
}

static void hold(bool on) {
  pthread_mutex_lock(&mutex);
  held = on;
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&mutex);
}

static void wait_inside(int count) {
  pthread_mutex_lock(&mutex);
  while (inside != count) pthread_cond_wait(&changed, &mutex);
  pthread_mutex_unlock(&mutex);
}

static tuile_status load(void *c, tuile_bytes key, int64_t now, tuile_receive receive, void *receiver, tuile_error *e) {
  (void)c;
  pass(&loads);
  return tuile_store_load(memory, key, now, receive, receiver, e);
}
static tuile_status create(void *c, tuile_bytes key, tuile_bytes data, int64_t expires, tuile_error *e) {
  (void)c;
  pass(&writes);
  return tuile_store_create(memory, key, data, expires, e);
}
static tuile_status replace(void *c, tuile_bytes key, tuile_bytes expected, tuile_bytes data, int64_t expires, tuile_error *e) {
  (void)c;
  pass(&writes);
  return tuile_store_replace(memory, key, expected, data, expires, e);
}
static tuile_status touch(void *c, tuile_bytes key, int64_t expires, tuile_error *e) {
  (void)c;
  return tuile_store_touch(memory, key, expires, e);
}
static tuile_status drop(void *c, tuile_bytes key, tuile_error *e) {
  (void)c;
  pass(&writes);
  return tuile_store_remove(memory, key, e);
}
static tuile_status sweep(void *c, int64_t now, size_t limit, size_t *removed, tuile_error *e) {
  (void)c;
  return tuile_store_sweep(memory, now, limit, removed, e);
}

/* ---- what the host keeps of an operation ---- */

struct answer {
  int calls;
  tuile_status status;
  char message[240];
  char cookie[300]; /* what Set-Cookie gave */
  int headers, received;
  tuile_session *ends; /* ended by the completion */
  bool closes;         /* the completion closes the queue */
  pthread_t thread;
};
static atomic_int completed;

static void complete(void *context, tuile_status status, const tuile_error *e) {
  struct answer *answer = context;
  answer->calls++;
  answer->status = status;
  answer->thread = pthread_self();
  CHECK((e != NULL) == (status < 0));
  if (e) {
    CHECK(e->status == status);
    snprintf(answer->message, sizeof answer->message, "%s", e->message);
  }
  tuile_session_end(answer->ends);
  if (answer->closes) tuile_queue_close(queue);
  completed++;
}

static tuile_status add_header(void *context, tuile_bytes name, tuile_bytes value) {
  struct answer *answer = context;
  CHECK(answer->calls == 0);
  answer->headers++;
  if (equals(name, "Set-Cookie"))
    snprintf(answer->cookie, sizeof answer->cookie, "%.*s", (int)strcspn((const char *)value.data, ";"), (const char *)value.data);
  return TUILE_OK;
}

static tuile_status refuse_header(void *context, tuile_bytes name, tuile_bytes value) {
  (void)context, (void)name, (void)value;
  return TUILE_E_CALLBACK;
}

/* The loop: until so many completions were called. */
static void until(int count) {
  while (completed < count) {
    struct pollfd ready = {.fd = tuile_queue_fd(queue), .events = POLLIN};
    CHECK(poll(&ready, 1, 120000) == 1);
    CHECK(tuile_queue_run(queue, NULL) == TUILE_OK);
  }
}

static tuile_session *request(const char *cookie) {
  tuile_session *session = NULL;
  CHECK(tuile_session_start(manager, text(cookie), text(""), &session, &error) == TUILE_OK);
  return session;
}

/* A new session with one number, committed through the queue. */
static void make(char cookie[300], int64_t number) {
  struct answer answer = {0};
  tuile_session *session = request("");
  CHECK(tuile_session_set_int(session, text("n"), number, &error) == TUILE_OK);
  int before = completed;
  CHECK(tuile_queue_commit(queue, session, 200, add_header, &answer, complete, &answer, NULL, &error) == TUILE_OK);
  CHECK(answer.calls == 0);
  until(before + 1);
  CHECK(answer.status == TUILE_OK);
  CHECK(answer.calls == 1);
  CHECK(answer.headers == 3);
  CHECK(answer.cookie[0]);
  tuile_session_end(session);
  strcpy(cookie, answer.cookie);
}

static tuile_status loaded(tuile_session *session) {
  struct answer answer = {0};
  int before = completed;
  CHECK(tuile_queue_load(queue, session, complete, &answer, NULL, &error) == TUILE_OK);
  until(before + 1);
  return answer.status;
}

static int64_t stored(const char *cookie) {
  int64_t number = -1;
  tuile_session *session = request(cookie);
  tuile_session_get_int(session, text("n"), &number, &error);
  tuile_session_end(session);
  return number;
}

/* ---- on each kind of store ---- */

static void receive_owned(void *context, const tuile_owned_session *shown) {
  struct answer *answer = context;
  CHECK(answer->calls == 0);
  answer->received++;
  if (!shown->current) snprintf(answer->cookie, sizeof answer->cookie, "%.*s", (int)shown->id.size, (const char *)shown->id.data);
}

static void owners(void) {
  struct answer commits[3] = {0}, listed = {0}, ended = {0}, all = {0};
  tuile_session *session[3];
  size_t revoked = 99;
  int before = completed;
  for (int i = 0; i < 3; i++) {
    session[i] = request("");
    CHECK(tuile_session_set_owner(session[i], text("anna"), &error) == TUILE_OK);
    CHECK(tuile_queue_commit(queue, session[i], 200, NULL, NULL, complete, &commits[i], NULL, &error) == TUILE_OK);
  }
  until(before + 3);
  CHECK(tuile_queue_sessions(queue, text("anna"), session[0], receive_owned, &listed, complete, &listed, NULL, &error) == TUILE_OK);
  until(before + 4);
  CHECK(listed.status == TUILE_OK);
  for (int i = 0; i < 3; i++) CHECK(commits[i].status == TUILE_OK);
  CHECK(listed.received == 3);
  CHECK(tuile_queue_revoke(queue, text("anna"), text(listed.cookie), complete, &ended, NULL, &error) == TUILE_OK);
  until(before + 5);
  CHECK(ended.status == TUILE_OK);
  CHECK(tuile_queue_revoke_all(queue, text("anna"), session[0], &revoked, complete, &all, NULL, &error) == TUILE_OK);
  until(before + 6);
  CHECK(all.status == TUILE_OK);
  CHECK(revoked == 1);
  CHECK(tuile_queue_revoke(queue, text("anna"), text(listed.cookie), complete, &ended, NULL, &error) == TUILE_OK);
  until(before + 7);
  CHECK(ended.status == TUILE_ABSENT);
  for (int i = 0; i < 3; i++) tuile_session_end(session[i]);
}

/* Many at once: none is lost, also of one session that all of them change. */
static void many(void) {
  enum { count = 200 };
  static struct answer answers[count];
  tuile_session *session[count];
  char cookie[300];
  int before = completed;
  make(cookie, 0);
  memset(answers, 0, sizeof answers);
  for (int i = 0; i < count; i++) {
    session[i] = request(cookie);
    CHECK(tuile_queue_load(queue, session[i], complete, &answers[i], NULL, &error) == TUILE_OK);
  }
  until(before + 1 + count);
  for (int i = 0; i < count; i++) {
    CHECK(answers[i].calls == 1);
    CHECK(answers[i].status == TUILE_OK);
    answers[i].calls = 0;
    CHECK(tuile_session_add_int(session[i], text("n"), 1, NULL, &error) == TUILE_OK);
    CHECK(tuile_queue_commit(queue, session[i], 200, add_header, &answers[i], complete, &answers[i], NULL, &error) == TUILE_OK);
  }
  until(before + 1 + 2 * count);
  for (int i = 0; i < count; i++) {
    CHECK(answers[i].status == TUILE_OK);
    tuile_session_end(session[i]);
  }
  CHECK(stored(cookie) == count);
}

/* No deadline is met by luck. */
static void open_patient(void) {
  tuile_queue_config options = TUILE_QUEUE_CONFIG_INIT;
  CHECK(options.workers == 16);
  options.deadline = 3600000;
  CHECK(tuile_queue_open(manager, &options, &queue, &error) == TUILE_OK);
}

static void contract(const char *url) {
  bool in_cookie = strncmp(url, "cookie:", 7) == 0;
  tuile_config config = TUILE_CONFIG_INIT;
  char cookie[300];
  config.store = text(url);
  config.secret = text("a secret of the queue's tests, 0123456789");
  config.max_owned = 0;
  CHECK(tuile_manager_open(&config, &manager, &error) == TUILE_OK);
  open_patient();
  CHECK(tuile_queue_fd(queue) >= 0);

  make(cookie, 7);
  tuile_session *session = request(cookie);
  CHECK(loaded(session) == TUILE_OK);
  int64_t number = 0;
  CHECK(tuile_session_get_int(session, text("n"), &number, &error) == TUILE_OK);
  CHECK(number == 7);
  tuile_session_end(session);
  session = request("");
  CHECK(loaded(session) == TUILE_ABSENT);
  tuile_session_end(session);

  /* A header that the host refuses; the session is saved. */
  struct answer refused = {0}, flushed = {0};
  int before = completed;
  session = request(cookie);
  CHECK(loaded(session) == TUILE_OK);
  before++;
  CHECK(tuile_session_set_int(session, text("n"), 8, &error) == TUILE_OK);
  CHECK(tuile_queue_commit(queue, session, 200, refuse_header, NULL, complete, &refused, NULL, &error) == TUILE_OK);
  until(before + 1);
  CHECK(refused.status == TUILE_E_CALLBACK);
  tuile_session_end(session);
  CHECK(stored(cookie) == (in_cookie ? 7 : 8));

  session = request(cookie);
  CHECK(tuile_queue_flush(queue, session, complete, &flushed, NULL, &error) == TUILE_OK);
  until(before + 2);
  CHECK(flushed.status == TUILE_OK);
  tuile_session_end(session);
  CHECK(stored(cookie) == (in_cookie ? 7 : -1));

  if (!in_cookie) many(), owners();
  tuile_queue_close(queue);
  tuile_manager_close(manager);
}

/* ---- a store that stands still ---- */

static void open_held(size_t workers, size_t most, uint32_t deadline, bool on_workers) {
  tuile_config config = TUILE_CONFIG_INIT;
  tuile_store_ops ops = TUILE_STORE_OPS_INIT;
  ops.load = load, ops.create = create, ops.replace = replace, ops.touch = touch, ops.remove = drop, ops.sweep = sweep;
  config.secret = text("a secret of the queue's tests, 0123456789");
  CHECK(tuile_store_open(text("memory:"), &memory, &error) == TUILE_OK);
  CHECK(tuile_store_open_ops(&ops, NULL, &held_store, &error) == TUILE_OK);
  config.open_store = held_store;
  CHECK(tuile_manager_open(&config, &manager, &error) == TUILE_OK);
  tuile_queue_config options;
  CHECK(tuile_queue_config_init(&options, sizeof options) == TUILE_OK);
  options.workers = workers, options.max_waiting = most, options.deadline = deadline, options.deliver_on_workers = on_workers;
  CHECK(tuile_queue_open(manager, &options, &queue, &error) == TUILE_OK);
}

static void close_held(void) {
  tuile_queue_close(queue);
  tuile_manager_close(manager);
  tuile_store_close(held_store);
  tuile_store_close(memory);
}

static void bound_and_cancel(void) {
  struct answer answers[4] = {0}, page = {0};
  tuile_session *session[5];
  uint64_t numbers[4];
  char cookie[300];
  open_held(1, 4, 3600000, false);
  make(cookie, 1);
  int before = completed;
  hold(true);
  for (int i = 0; i < 5; i++) session[i] = request(cookie);
  for (int i = 0; i < 4; i++) {
    CHECK(tuile_queue_load(queue, session[i], complete, &answers[i], &numbers[i], &error) == TUILE_OK);
    if (i == 0) wait_inside(1);
  }
  CHECK(tuile_queue_load(queue, session[4], complete, &answers[0], NULL, &error) == TUILE_E_BUSY);
  /* Not taken: it is the host's as before. And what the queue has is not. */
  bool accessed = tuile_session_accessed(session[4]);
  CHECK(!accessed);
  int64_t number;
  tuile_bytes id;
  CHECK(tuile_session_get_int(session[0], text("n"), &number, &error) == TUILE_E_BUSY);
  CHECK(tuile_session_id(session[1], &id) == TUILE_E_BUSY);
  CHECK(tuile_queue_load(queue, session[1], complete, &answers[1], NULL, &error) == TUILE_E_BUSY);

  CHECK(tuile_queue_cancel(queue, numbers[0]) == TUILE_CONFLICT); /* has begun */
  CHECK(tuile_queue_cancel(queue, numbers[2]) == TUILE_OK);
  CHECK(tuile_queue_cancel(queue, numbers[2]) == TUILE_ABSENT);
  CHECK(tuile_queue_cancel(queue, 12345) == TUILE_ABSENT);
  until(before + 1);
  CHECK(answers[2].status == TUILE_E_CANCELLED);
  CHECK(strcmp(tuile_status_name(answers[2].status), "TUILE_E_CANCELLED") == 0);
  /* Room for one more: of a page without a session, which waits for nobody. */
  tuile_session *nobody = request("");
  CHECK(tuile_queue_load(queue, nobody, complete, &page, NULL, &error) == TUILE_OK);
  until(before + 2);
  CHECK(page.status == TUILE_ABSENT);
  CHECK(tuile_queue_commit(queue, nobody, 200, add_header, &page, complete, memset(&page, 0, sizeof page), NULL, &error) == TUILE_OK);
  until(before + 3);
  CHECK(page.status == TUILE_OK);
  tuile_session_end(nobody);

  /* What is ended while it waits is not done, and what is ended while it runs is. */
  tuile_session_end(session[0]);
  tuile_session_end(session[1]);
  pthread_mutex_lock(&mutex);
  int loads_before = loads;
  pthread_mutex_unlock(&mutex);
  hold(false);
  until(before + 6);
  CHECK(answers[0].status == TUILE_OK);
  CHECK(answers[1].status == TUILE_E_CANCELLED);
  CHECK(answers[3].status == TUILE_OK);
  CHECK(loads == loads_before + 2);
  for (int i = 2; i < 5; i++) tuile_session_end(session[i]);
  close_held();
}

static void deadlines(void) {
  struct answer answers[3] = {0}, made = {0};
  tuile_session *session[3];
  open_held(2, 10, 100, false);
  session[0] = request("");
  CHECK(tuile_session_set_int(session[0], text("n"), 1, &error) == TUILE_OK);
  CHECK(tuile_session_commit(session[0], 200, add_header, &made, &error) == TUILE_OK);
  tuile_session_end(session[0]);
  for (int i = 0; i < 3; i++) session[i] = request(made.cookie);
  CHECK(tuile_session_add_int(session[2], text("n"), 1, NULL, &error) == TUILE_OK);
  hold(true);
  completed = 0;
  for (int i = 0; i < 2; i++) CHECK(tuile_queue_load(queue, session[i], complete, &answers[i], NULL, &error) == TUILE_OK);
  until(2);
  for (int i = 0; i < 2; i++) {
    CHECK(answers[i].status == TUILE_E_BUSY);
    tuile_session_end(session[i]);
  }
  hold(false);
  wait_inside(0);

  /* A write that has begun. The session is the queue's until the store has answered. */
  hold(true);
  for (int tries = 1;; tries++) {
    memset(&answers[2], 0, sizeof answers[2]);
    CHECK(tuile_queue_commit(queue, session[2], 200, add_header, &answers[2], complete, &answers[2], NULL, &error) == TUILE_OK);
    until(2 + tries);
    CHECK(answers[2].calls == 1);
    if (answers[2].status != TUILE_E_BUSY) break; /* no worker has come to it */
  }
  CHECK(answers[2].status == TUILE_E_UNKNOWN);
  CHECK(answers[2].headers == 0);
  int64_t number = 0;
  CHECK(tuile_session_get_int(session[2], text("n"), &number, &error) == TUILE_E_BUSY);
  hold(false);
  /* Given again as soon as that can be: it is saved, once, and its headers come. */
  for (;;) {
    memset(&answers[2], 0, sizeof answers[2]);
    tuile_status status = tuile_queue_commit(queue, session[2], 200, add_header, &answers[2], complete, &answers[2], NULL, &error);
    if (status == TUILE_OK) break;
    CHECK(status == TUILE_E_BUSY);
    usleep(1000);
  }
  until(completed + 1);
  CHECK(answers[2].status == TUILE_OK);
  tuile_session_end(session[2]);
  CHECK(stored(made.cookie) == 2);
  close_held();
}

/* ---- the end in the middle ---- */

static void ignore(void *context, tuile_status status, const tuile_error *e) { (void)context, (void)status, (void)e; }

/* Whether a thread waits. Between two calls it runs, or is about to. */
static bool asleep(pid_t thread) {
  char path[64], line[512] = "";
  snprintf(path, sizeof path, "/proc/self/task/%d/stat", (int)thread);
  FILE *file = fopen(path, "r");
  CHECK(file != NULL);
  CHECK(fgets(line, sizeof line, file) != NULL);
  fclose(file);
  return strstr(line, ") S ") != NULL;
}

/* Lets the store go once tuile_queue_close, by `closer`, waits for what has begun: the queue itself can't be asked. */
static void *release_closed(void *closer) {
  for (int times = 0; times < 5; usleep(1000)) times = asleep(*(pid_t *)closer) ? times + 1 : 0;
  hold(false);
  return NULL;
}

/* Lets the store go once the queue of a manager that closes takes nothing more. */
static void *release(void *unused) {
  (void)unused;
  for (tuile_status status = TUILE_OK; status != TUILE_E_ARGUMENT; usleep(1000)) {
    tuile_session *nobody = NULL;
    CHECK(tuile_session_start(manager, text(""), text(""), &nobody, NULL) == TUILE_OK);
    status = tuile_queue_load(queue, nobody, ignore, NULL, NULL, NULL);
    tuile_session_end(nobody);
  }
  hold(false);
  return NULL;
}

static void end_in_the_middle(bool manager_first, bool in_completion, bool on_workers) {
  enum { count = 6, workers = 3 };
  struct answer answers[count] = {0}, late = {0};
  char cookie[300];
  open_held(workers, 100, 3600000, false);
  make(cookie, 1);
  tuile_queue_close(queue);
  tuile_queue_config options = TUILE_QUEUE_CONFIG_INIT;
  options.workers = workers, options.deadline = 3600000, options.deliver_on_workers = on_workers;
  CHECK(tuile_queue_open(manager, &options, &queue, &error) == TUILE_OK);
  CHECK((tuile_queue_fd(queue) < 0) == on_workers);
  tuile_session *nobody = request("");
  hold(true);
  completed = 0;
  for (int i = 0; i < count; i++) {
    answers[i].ends = request(cookie);
    answers[i].closes = in_completion && i == 0;
    CHECK(tuile_queue_load(queue, answers[i].ends, complete, &answers[i], NULL, &error) == TUILE_OK);
  }
  wait_inside(workers);
  pthread_t releasing;
  if (in_completion) {
    hold(false);
    if (!on_workers) until(count);
    while (completed < count) usleep(1000); /* of a thread of the queue's */
  } else {
    pid_t self = gettid();
    CHECK(pthread_create(&releasing, NULL, manager_first ? release : release_closed, &self) == 0);
    if (manager_first) tuile_manager_close(manager);
    else tuile_queue_close(queue);
    CHECK(pthread_join(releasing, NULL) == 0);
    if (manager_first) {
      CHECK(tuile_queue_load(queue, nobody, complete, &late, NULL, &error) == TUILE_E_ARGUMENT);
      tuile_queue_close(queue);
    }
    CHECK(completed == count);
  }
  int done = 0, cancelled = 0;
  for (int i = 0; i < count; i++) {
    CHECK(answers[i].calls == 1);
    done += answers[i].status == TUILE_OK;
    cancelled += answers[i].status == TUILE_E_CANCELLED;
    if (!on_workers) CHECK(pthread_equal(answers[i].thread, pthread_self()));
  }
  CHECK(done + cancelled == count);
  CHECK(in_completion ? done >= workers : done == workers);
  CHECK(late.calls == 0);
  tuile_session_end(nobody);
  if (!manager_first) tuile_manager_close(manager);
  tuile_store_close(held_store);
  tuile_store_close(memory);
}

/* The threads of a queue are the parent's, and so is the queue. */
static void forked(const char *url) {
  enum { count = 50 };
  static struct answer answers[count];
  tuile_session *session[count];
  tuile_config config = TUILE_CONFIG_INIT;
  char cookie[300];
  config.store = text(url);
  config.secret = text("a secret of the queue's tests, 0123456789");
  CHECK(tuile_manager_open(&config, &manager, &error) == TUILE_OK);
  open_patient();
  make(cookie, 3);
  int before = completed;
  for (int i = 0; i < count; i++) {
    session[i] = request(cookie);
    CHECK(tuile_queue_load(queue, session[i], complete, &answers[i], NULL, &error) == TUILE_OK);
  }
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    size_t called = 7;
    struct answer answer = {0};
    tuile_session *own = request(cookie);
    CHECK(tuile_queue_fd(queue) == -1);
    CHECK(tuile_queue_run(queue, &called) == TUILE_E_ARGUMENT);
    CHECK(tuile_queue_cancel(queue, 1) == TUILE_E_ARGUMENT);
    CHECK(tuile_queue_load(queue, own, complete, &answer, NULL, &error) == TUILE_E_ARGUMENT);
    tuile_queue_close(queue);
    CHECK(completed == before);
    open_patient();
    CHECK(loaded(own) == TUILE_OK);
    tuile_session_end(own);
    for (int i = 0; i < count; i++) tuile_session_end(session[i]);
    tuile_queue_close(queue);
    tuile_manager_close(manager);
    _exit(0);
  }
  until(before + count);
  for (int i = 0; i < count; i++) {
    CHECK(answers[i].calls == 1);
    CHECK(answers[i].status == TUILE_OK);
    tuile_session_end(session[i]);
  }
  int status = -1;
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  tuile_queue_close(queue);
  tuile_manager_close(manager);
}

static void hostile(void) {
  tuile_queue_config options = TUILE_QUEUE_CONFIG_INIT;
  tuile_session *session;
  open_held(1, 1, 1000, false);
  tuile_queue *open = queue, *none = NULL;
  session = request("");
  CHECK(tuile_queue_open(NULL, NULL, &none, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_queue_open(manager, NULL, NULL, &error) == TUILE_E_ARGUMENT);
  options.workers = 0;
  CHECK(tuile_queue_open(manager, &options, &none, &error) == TUILE_E_ARGUMENT);
  options.workers = 257;
  CHECK(tuile_queue_open(manager, &options, &none, &error) == TUILE_E_ARGUMENT);
  options.workers = 1, options.max_waiting = 0;
  CHECK(tuile_queue_open(manager, &options, &none, &error) == TUILE_E_ARGUMENT);
  options.max_waiting = 1, options.deadline = 0;
  CHECK(tuile_queue_open(manager, &options, &none, &error) == TUILE_E_ARGUMENT);
  options.deadline = 3600001;
  CHECK(tuile_queue_open(manager, &options, &none, &error) == TUILE_E_ARGUMENT);
  options.deadline = 1, options.size = 3;
  CHECK(tuile_queue_open(manager, &options, &none, &error) == TUILE_E_ARGUMENT);
  CHECK(none == NULL);
  CHECK(tuile_queue_config_init(NULL, sizeof options) == TUILE_E_ARGUMENT);
  CHECK(tuile_queue_config_init(&options, 3) == TUILE_E_ARGUMENT);
  CHECK(tuile_queue_fd(NULL) == -1);
  CHECK(tuile_queue_run(NULL, NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_queue_cancel(NULL, 1) == TUILE_E_ARGUMENT);
  CHECK(tuile_queue_load(NULL, session, ignore, NULL, NULL, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_queue_load(open, NULL, ignore, NULL, NULL, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_queue_load(open, session, NULL, NULL, NULL, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_queue_commit(open, session, 200, NULL, NULL, NULL, NULL, NULL, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_queue_flush(open, NULL, ignore, NULL, NULL, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_queue_sessions(open, text("a"), NULL, NULL, NULL, ignore, NULL, NULL, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_queue_revoke(open, text(""), text("x"), ignore, NULL, NULL, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_queue_revoke(open, text("a"), (tuile_bytes){NULL, 3}, ignore, NULL, NULL, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_queue_revoke_all(open, (tuile_bytes){NULL, 1}, NULL, NULL, ignore, NULL, NULL, &error) == TUILE_E_ARGUMENT);
  /* Another manager's session, which stays the host's. */
  tuile_manager *first = manager;
  tuile_config config = TUILE_CONFIG_INIT;
  config.store = text("memory:");
  CHECK(tuile_manager_open(&config, &manager, &error) == TUILE_OK);
  tuile_session *other = request("");
  CHECK(tuile_queue_load(open, other, ignore, NULL, NULL, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_session_set_int(other, text("n"), 1, &error) == TUILE_OK);
  tuile_session_end(other);
  tuile_manager_close(manager);
  manager = first;
  tuile_queue_close(NULL);
  tuile_session_end(session);
  close_held();
}

int main(int argc, char **argv) {
  char url[300];
  CHECK(argc > 1);
  hostile();
  bound_and_cancel();
  deadlines();
  for (int on_workers = 0; on_workers < 2; on_workers++) {
    end_in_the_middle(false, false, on_workers);
    end_in_the_middle(false, true, on_workers);
#ifndef TUILE_CHECK_HANDLES /* which ends a program that closes a manager before its sessions, as nobody should */
    end_in_the_middle(true, false, on_workers);
#endif
  }
  contract("memory:");
  contract("cookie:");
  snprintf(url, sizeof url, "file://%s/files", argv[1]);
  contract(url);
  snprintf(url, sizeof url, "sqlite://%s/sessions", argv[1]);
  contract(url);
  forked(url);
  for (int i = 3; i < argc; i++) contract(argv[i]);
  return 0;
}
