/* What waits in a queue at the same time, given to a store of the host's at once: each call gets its own answer, and what
 * one comes to is nothing to the others; answers that no store may give. One worker is held in the store with a first
 * operation, so that all the others wait behind it. */
#define _GNU_SOURCE
#include "check.h"

#include <poll.h>
#include <pthread.h>

enum { many = 9 };
static tuile_error error;
static tuile_manager *manager;
static tuile_queue *queue;
static tuile_store *memory, *own;

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static bool held, inside;
static int calls_together, calls_alone, loads_alone;
/* What `together` does to a call, by its place. */
static enum fate { FINE, FAILS, UNKNOWN, UNMADE, UNANSWERED, CHANGED, GONE, SILENT, UNCONFIRMED } fates[many];
static bool confirms;

static tuile_status said(tuile_status status, tuile_error *e) {
  if (confirms) e->status = status;
  return status;
}

static tuile_status load(void *c, tuile_bytes key, int64_t now, tuile_receive receive, void *receiver, tuile_error *e) {
  (void)c;
  pthread_mutex_lock(&mutex);
  calls_alone++, loads_alone++;
  inside = true;
  pthread_cond_broadcast(&changed);
  while (held) pthread_cond_wait(&changed, &mutex);
  pthread_mutex_unlock(&mutex);
  return said(tuile_store_load(memory, key, now, receive, receiver, e), e);
}
static tuile_status create(void *c, tuile_bytes key, tuile_bytes data, int64_t expires, tuile_error *e) {
  (void)c;
  calls_alone++;
  return said(tuile_store_create(memory, key, data, expires, e), e);
}
static tuile_status replace(void *c, tuile_bytes key, tuile_bytes expected, tuile_bytes data, int64_t expires, tuile_error *e) {
  (void)c;
  calls_alone++;
  return said(tuile_store_replace(memory, key, expected, data, expires, e), e);
}
static tuile_status touch(void *c, tuile_bytes key, int64_t expires, tuile_error *e) {
  (void)c;
  return said(tuile_store_touch(memory, key, expires, e), e);
}
static tuile_status drop(void *c, tuile_bytes key, tuile_error *e) {
  (void)c;
  return said(tuile_store_remove(memory, key, e), e);
}
static tuile_status sweep(void *c, int64_t now, size_t limit, size_t *removed, tuile_error *e) {
  (void)c;
  return said(tuile_store_sweep(memory, now, limit, removed, e), e);
}

static tuile_status make(tuile_store_call *call, tuile_receive receive) {
  switch (call->operation) {
    case TUILE_STORE_LOAD: return tuile_store_load(memory, call->key, call->time, receive, call->receiver, &call->error);
    case TUILE_STORE_CREATE: return tuile_store_create(memory, call->key, call->data, call->time, &call->error);
    default: return tuile_store_replace(memory, call->key, call->expected, call->data, call->time, &call->error);
  }
}

static void nothing(void *context, tuile_bytes data, int64_t expires) { (void)context, (void)data, (void)expires; }

static void together(void *c, tuile_store_call *calls, size_t count, tuile_receive receive) {
  CHECK(c == &held);
  CHECK(count > 1);
  CHECK(count <= many);
  calls_together++;
  for (size_t i = 0; i < count; i++) {
    tuile_store_call *call = &calls[i];
    CHECK(call->status == TUILE_E_STORE);
    CHECK(call->key.size >= 8);
    CHECK((call->operation == TUILE_STORE_LOAD) == (call->receiver != NULL && call->data.size == 0));
    switch (fates[i]) {
      case FAILS:
        snprintf(call->error.message, sizeof call->error.message, "the disk is full");
        call->status = said(TUILE_E_BUSY, &call->error);
        continue;
      case UNKNOWN: make(call, receive), call->status = said(TUILE_E_UNKNOWN, &call->error); continue;
      case UNMADE: call->status = said(TUILE_E_UNKNOWN, &call->error); continue;
      case UNANSWERED: continue;
      case SILENT: call->status = said(make(call, nothing), &call->error); continue;
      case UNCONFIRMED: call->status = make(call, receive), call->error.status = TUILE_E_CALLBACK; continue;
      case CHANGED: CHECK(tuile_store_put(memory, call->key, text("{\"n\":100}"), INT64_MAX / 4, NULL) == TUILE_OK); break;
      case GONE: CHECK(tuile_store_remove(memory, call->key, NULL) == TUILE_OK); break;
      case FINE: break;
    }
    call->status = said(make(call, receive), &call->error);
  }
}

static void open_all(void) {
  tuile_config config = TUILE_CONFIG_INIT;
  tuile_store_ops ops = TUILE_STORE_OPS_INIT;
  tuile_queue_config options = TUILE_QUEUE_CONFIG_INIT;
  ops.trusted = true; /* so that what is stored is plain JSON */
  ops.load = load, ops.create = create, ops.replace = replace, ops.touch = touch, ops.remove = drop, ops.sweep = sweep;
  ops.confirms = confirms;
  CHECK(tuile_store_open(text("memory:"), &memory, &error) == TUILE_OK);
  ops.together = together;
  CHECK(tuile_store_open_ops(&ops, &held, &own, &error) == TUILE_E_ARGUMENT);
  ops.max_together = 1;
  CHECK(tuile_store_open_ops(&ops, &held, &own, &error) == TUILE_E_ARGUMENT);
  ops.max_together = 1025;
  CHECK(tuile_store_open_ops(&ops, &held, &own, &error) == TUILE_E_ARGUMENT);
  ops.together = NULL, ops.max_together = many;
  CHECK(tuile_store_open_ops(&ops, &held, &own, &error) == TUILE_E_ARGUMENT);
  ops.together = together;
  CHECK(tuile_store_open_ops(&ops, &held, &own, &error) == TUILE_OK);
  config.secret = text("a secret of the queue's tests, 0123456789");
  config.open_store = own;
  CHECK(tuile_manager_open(&config, &manager, &error) == TUILE_OK);
  options.workers = 1, options.deadline = 3600000;
  CHECK(tuile_queue_open(manager, &options, &queue, &error) == TUILE_OK);
}

static void close_all(void) {
  tuile_queue_close(queue);
  tuile_manager_close(manager);
  tuile_store_close(own);
  tuile_store_close(memory);
}

struct request {
  tuile_session *session;
  char cookie[100];
  int answers;
  tuile_status status;
  char message[240];
};
static struct request requests[many];
static int completed;

static void complete(void *context, tuile_status status, const tuile_error *e) {
  struct request *request = context;
  request->status = status, request->answers++;
  snprintf(request->message, sizeof request->message, "%s", e ? e->message : "");
  completed++;
}

static tuile_status keep(void *context, tuile_bytes name, tuile_bytes value) {
  struct request *request = context;
  if (equals(name, "Set-Cookie")) snprintf(request->cookie, sizeof request->cookie, "%.*s", (int)strcspn((const char *)value.data, ";"), (const char *)value.data);
  return TUILE_OK;
}

static void until(int count) {
  while (completed < count) {
    struct pollfd ready = {.fd = tuile_queue_fd(queue), .events = POLLIN};
    CHECK(poll(&ready, 1, 120000) == 1);
    CHECK(tuile_queue_run(queue, NULL) == TUILE_OK);
  }
}

static void start(struct request *request, const char *cookie) {
  request->session = NULL, request->answers = 0;
  CHECK(tuile_session_start(manager, text(cookie), text(""), &request->session, &error) == TUILE_OK);
}

static void give(struct request *request, bool load) {
  if (load) CHECK(tuile_queue_load(queue, request->session, complete, request, NULL, &error) == TUILE_OK);
  else CHECK(tuile_queue_commit(queue, request->session, 200, keep, request, complete, request, NULL, &error) == TUILE_OK);
}

/* Holds the worker with a load, and gives it `count` operations meanwhile. */
static void run(int count, bool load) {
  static struct request first;
  int before = completed, alone = calls_alone;
  start(&first, "sessionid=nobodyhasthisone");
  pthread_mutex_lock(&mutex);
  held = true, inside = false;
  pthread_mutex_unlock(&mutex);
  give(&first, true);
  pthread_mutex_lock(&mutex);
  while (!inside) pthread_cond_wait(&changed, &mutex);
  pthread_mutex_unlock(&mutex);
  CHECK(calls_alone == alone + 1);
  calls_together = calls_alone = loads_alone = 0;
  for (int i = 0; i < count; i++) give(&requests[i], load);
  pthread_mutex_lock(&mutex);
  held = false;
  pthread_cond_broadcast(&changed);
  pthread_mutex_unlock(&mutex);
  until(before + 1 + count);
  CHECK(first.status == TUILE_ABSENT);
  tuile_session_end(first.session);
  for (int i = 0; i < count; i++) CHECK(requests[i].answers == 1);
}

static int64_t stored(int i) {
  struct request look;
  int64_t number = -1;
  start(&look, requests[i].cookie);
  tuile_session_get_int(look.session, text("n"), &number, NULL);
  tuile_session_end(look.session);
  return number;
}

static void sessions(int count) {
  memset(fates, 0, sizeof fates);
  for (int i = 0; i < count; i++) {
    start(&requests[i], "");
    CHECK(tuile_session_set_int(requests[i].session, text("n"), i, &error) == TUILE_OK);
  }
  run(count, false);
  CHECK(calls_together == 1);
  CHECK(calls_alone == 0);
  for (int i = 0; i < count; i++) {
    CHECK(requests[i].status == TUILE_OK);
    tuile_session_end(requests[i].session);
    CHECK(stored(i) == i);
  }
}

static void begin(int count) {
  for (int i = 0; i < count; i++) start(&requests[i], requests[i].cookie);
}

static void end(int count) {
  for (int i = 0; i < count; i++) tuile_session_end(requests[i].session);
}

static void loads(void) {
  sessions(6);
  begin(6);
  fates[1] = FAILS, fates[2] = GONE, fates[3] = UNANSWERED, fates[4] = SILENT;
  run(6, true);
  CHECK(calls_together == 1);
  CHECK(calls_alone == 0);
  static const tuile_status expected[] = {TUILE_OK, TUILE_E_BUSY, TUILE_ABSENT, TUILE_E_STORE, TUILE_E_STORE, TUILE_OK};
  for (int i = 0; i < 6; i++) CHECK(requests[i].status == expected[i]);
  CHECK(strstr(requests[1].message, "the disk is full"));
  for (int i = 0; i < 6; i += 5) {
    int64_t number = -1;
    CHECK(tuile_session_get_int(requests[i].session, text("n"), &number, &error) == TUILE_OK);
    CHECK(number == i);
  }
  end(6);
}

static void commits(void) {
  sessions(7);
  begin(7);
  for (int i = 0; i < 7; i++) CHECK(tuile_session_add_int(requests[i].session, text("n"), 1000, NULL, &error) == TUILE_OK);
  fates[1] = FAILS, fates[2] = GONE, fates[3] = CHANGED, fates[4] = UNKNOWN, fates[5] = UNMADE;
  run(7, false);
  CHECK(calls_together == 1);
  /* Another request was first: loaded and replaced once more. Where nobody knows it is looked for, and made if it is not there. */
  CHECK(calls_alone == 2 + 1 + 2);
  static const tuile_status expected[] = {TUILE_OK, TUILE_E_BUSY, TUILE_DELETED, TUILE_OK, TUILE_OK, TUILE_OK, TUILE_OK};
  static const int64_t numbers[] = {1000, 1, -1, 1100, 1004, 1005, 1006};
  for (int i = 0; i < 7; i++) CHECK(requests[i].status == expected[i]);
  end(7);
  for (int i = 0; i < 7; i++) CHECK(stored(i) == numbers[i]);
  CHECK(strstr(requests[1].message, "the disk is full"));
}

/* Nothing was loaded by the host: one round of loads, one of writes. */
static void blind_commits(void) {
  sessions(4);
  begin(4);
  for (int i = 0; i < 4; i++) CHECK(tuile_session_clear(requests[i].session, &error) == TUILE_OK);
  for (int i = 0; i < 4; i++) CHECK(tuile_session_set_int(requests[i].session, text("n"), 50 + i, &error) == TUILE_OK);
  run(4, false);
  CHECK(calls_alone == 0);
  for (int i = 0; i < 4; i++) CHECK(requests[i].status == TUILE_OK);
  end(4);
  for (int i = 0; i < 4; i++) CHECK(stored(i) == 50 + i);
}

/* A touch is a replace of the same by the same. */
static void touches(void) {
  sessions(3);
  begin(3);
  for (int i = 0; i < 3; i++) CHECK(tuile_session_load(requests[i].session, &error) == TUILE_OK);
  for (int i = 0; i < 3; i++) CHECK(tuile_session_touch(requests[i].session, &error) == TUILE_OK);
  fates[1] = CHANGED, fates[2] = GONE;
  run(3, false);
  CHECK(calls_together == 1);
  CHECK(requests[0].status == TUILE_OK);
  CHECK(requests[1].status == TUILE_OK);
  CHECK(requests[2].status == TUILE_DELETED);
  end(3);
  CHECK(stored(0) == 0);
  CHECK(stored(1) == 100);
  CHECK(stored(2) == -1);
}

/* Requests of one session that meet: every addition counts. */
static void one_session(void) {
  sessions(1 + 1);
  for (int i = 1; i < many; i++) strcpy(requests[i].cookie, requests[0].cookie);
  begin(many);
  for (int i = 0; i < many; i++) CHECK(tuile_session_add_int(requests[i].session, text("n"), 1, NULL, &error) == TUILE_OK);
  run(many, false);
  for (int i = 0; i < many; i++) CHECK(requests[i].status == TUILE_OK);
  end(many);
  CHECK(stored(0) == many);
}

static void unconfirmed(void) {
  sessions(2);
  begin(2);
  fates[0] = UNCONFIRMED;
  run(2, true);
  CHECK(requests[0].status == TUILE_E_STORE);
  CHECK(requests[1].status == TUILE_OK);
  end(2);
}

int main(void) {
  for (int i = 0; i < 2; i++) {
    confirms = i;
    open_all();
    loads(), commits(), blind_commits(), touches(), one_session();
    if (confirms) unconfirmed();
    close_all();
  }
  return 0;
}
