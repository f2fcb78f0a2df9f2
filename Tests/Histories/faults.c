/* hot://URL: the store of that URL, whose calls fail for the threads that asked for it. A read gets no answer; a write is
 * not made, or made without an answer, or made later; or it is
 * refused; or nothing works for some calls. Creations are never late: see docs/sessions.md, "What is left". */
#include "histories.h"

#include <pthread.h>
#include <sched.h>

enum call { call_create, call_replace, call_touch, call_remove, call_put, call_own, call_disown };
enum fate { fine, lost, made, late, refused };

struct bytes {
  size_t size;
  char *data;
};
struct write {
  enum call call;
  tuile_store *store;
  struct bytes key, expected, data; /* owner: in expected */
  int64_t expires;
};

enum { most_late = 256 };
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct write waiting[most_late];
static int waiting_count;

static _Thread_local bool failing;
static _Thread_local unsigned int state;
static _Thread_local int outage; /* calls that it lasts */

/* Of the threads that nobody has told: a queue's. */
static atomic_uint all_fail;
static _Thread_local unsigned int told;

void fail_all_calls(unsigned int seed) { all_fail = seed; }

static bool fails(void) {
  unsigned int seed = all_fail;
  if (seed && told != seed) told = seed, state = (seed + (unsigned int)tick()) * 2654435761u + 1, outage = 0;
  return failing || seed;
}

void fail_calls(unsigned int seed) { failing = true, state = seed * 2654435761u + 1, outage = 0; }

static struct bytes keep(tuile_bytes bytes) {
  struct bytes kept = {bytes.size, malloc(bytes.size + 1)};
  CHECK(kept.data);
  if (bytes.size) memcpy(kept.data, bytes.data, bytes.size);
  return kept;
}
static tuile_bytes view(struct bytes kept) { return (tuile_bytes){kept.data, kept.size}; }

static tuile_status make(tuile_store *store, enum call call, tuile_bytes key, tuile_bytes expected, tuile_bytes data, int64_t expires,
                         tuile_error *e) {
  switch (call) {
    case call_create: return tuile_store_create(store, key, data, expires, e);
    case call_replace: return tuile_store_replace(store, key, expected, data, expires, e);
    case call_touch: return tuile_store_touch(store, key, expires, e);
    case call_remove: return tuile_store_remove(store, key, e);
    case call_put: return tuile_store_put(store, key, data, expires, e);
    case call_own: return tuile_store_own(store, expected, key, data, expires, e);
    case call_disown: return tuile_store_disown(store, expected, key, e);
  }
  return TUILE_E_ARGUMENT;
}

static void arrive(struct write w) {
  make(w.store, w.call, view(w.key), view(w.expected), view(w.data), w.expires, NULL);
  free(w.key.data), free(w.expected.data), free(w.data.data);
}

/* One of those that wait, in no order. */
static void let_one_arrive(void) {
  struct write w = {0};
  pthread_mutex_lock(&mutex);
  bool found = waiting_count > 0;
  if (found) {
    int i = (int)chance(&state, (unsigned int)waiting_count);
    w = waiting[i], waiting[i] = waiting[--waiting_count];
  }
  pthread_mutex_unlock(&mutex);
  if (found) arrive(w);
}

void let_all_arrive(void) {
  while (waiting_count > 0) arrive(waiting[--waiting_count]);
}

static bool postpone(tuile_store *store, enum call call, tuile_bytes key, tuile_bytes expected, tuile_bytes data, int64_t expires) {
  pthread_mutex_lock(&mutex);
  bool room = waiting_count < most_late;
  if (room) waiting[waiting_count++] = (struct write){call, store, keep(key), keep(expected), keep(data), expires};
  pthread_mutex_unlock(&mutex);
  return room;
}

static tuile_status silent(tuile_error *e, tuile_status status) {
  shared->faults++;
  snprintf(e->message, sizeof e->message, "a fault of the test's");
  return status;
}

/* Before each call of a failing thread. */
static void disturb(void) {
  if (chance(&state, 8) == 0) sched_yield();
  if (chance(&state, 4) == 0) let_one_arrive();
  if (chance(&state, 400) == 0) outage = 1 + (int)chance(&state, 14);
}

static enum fate fate(enum call call) {
  if (outage > 0) return outage--, chance(&state, 4) ? lost : refused;
  unsigned int number = chance(&state, 1000);
  if (number < 15) return lost;
  if (number < 45) return made;
  if (number < 75) return call == call_create ? made : late;
  return number < 85 ? refused : fine;
}

static tuile_status suffer(void *store, enum call call, tuile_bytes key, tuile_bytes expected, tuile_bytes data, int64_t expires,
                           tuile_error *e) {
  if (!fails()) return make(store, call, key, expected, data, expires, e);
  disturb();
  switch (fate(call)) {
    case fine: break;
    case refused: return silent(e, chance(&state, 2) ? TUILE_E_BUSY : TUILE_E_STORE);
    case lost: return silent(e, TUILE_E_UNKNOWN);
    case late:
      if (postpone(store, call, key, expected, data, expires)) return silent(e, TUILE_E_UNKNOWN);
      break;
    case made:
      make(store, call, key, expected, data, expires, e);
      return silent(e, TUILE_E_UNKNOWN);
  }
  return make(store, call, key, expected, data, expires, e);
}

/* A read: whether it gets an answer. */
static bool is_deaf(void) {
  if (!fails()) return false;
  disturb();
  return outage > 0 ? outage--, true : chance(&state, 1000) < 20;
}

static tuile_bytes none(void) { return (tuile_bytes){"", 0}; }

static tuile_status load(void *c, tuile_bytes key, int64_t now, tuile_receive receive, void *to, tuile_error *e) {
  return is_deaf() ? silent(e, TUILE_E_STORE) : tuile_store_load(c, key, now, receive, to, e);
}
static tuile_status create(void *c, tuile_bytes key, tuile_bytes data, int64_t expires, tuile_error *e) {
  return suffer(c, call_create, key, none(), data, expires, e);
}
static tuile_status replace(void *c, tuile_bytes key, tuile_bytes expected, tuile_bytes data, int64_t expires, tuile_error *e) {
  return suffer(c, call_replace, key, expected, data, expires, e);
}
static tuile_status touch(void *c, tuile_bytes key, int64_t expires, tuile_error *e) {
  return suffer(c, call_touch, key, none(), none(), expires, e);
}
static tuile_status drop(void *c, tuile_bytes key, tuile_error *e) { return suffer(c, call_remove, key, none(), none(), 0, e); }
static tuile_status put(void *c, tuile_bytes key, tuile_bytes data, int64_t expires, tuile_error *e) {
  return suffer(c, call_put, key, none(), data, expires, e);
}
static tuile_status sweep(void *c, int64_t now, size_t limit, size_t *removed, tuile_error *e) {
  return tuile_store_sweep(c, now, limit, removed, e);
}
/* Each by itself, so that each may fail. */
static void together(void *c, tuile_store_call *calls, size_t count, tuile_receive receive) {
  shared->together += count > 1;
  for (tuile_store_call *call = calls; call < calls + count; call++) {
    switch (call->operation) {
      case TUILE_STORE_LOAD: call->status = load(c, call->key, call->time, receive, call->receiver, &call->error); break;
      case TUILE_STORE_CREATE: call->status = create(c, call->key, call->data, call->time, &call->error); break;
      case TUILE_STORE_REPLACE: call->status = replace(c, call->key, call->expected, call->data, call->time, &call->error); break;
    }
  }
}
static void close_inner(void *c) { tuile_store_close(c); }
static tuile_status own(void *c, tuile_bytes owner, tuile_bytes key, tuile_bytes record, int64_t expires, tuile_error *e) {
  return suffer(c, call_own, key, owner, record, expires, e);
}
static tuile_status disown(void *c, tuile_bytes owner, tuile_bytes key, tuile_error *e) {
  return suffer(c, call_disown, key, owner, none(), 0, e);
}
static tuile_status owned(void *c, tuile_bytes owner, int64_t now, tuile_receive_owned receive, void *to, tuile_error *e) {
  return is_deaf() ? silent(e, TUILE_E_STORE) : tuile_store_owned(c, owner, now, receive, to, e);
}
static tuile_status record(void *c, tuile_bytes owner, tuile_bytes key, tuile_receive receive, void *to, tuile_error *e) {
  return is_deaf() ? silent(e, TUILE_E_STORE) : tuile_store_owned_record(c, owner, key, receive, to, e);
}
static tuile_status keys(void *c, int64_t now, tuile_receive_key receive, void *to, tuile_error *e) {
  return tuile_store_keys(c, now, receive, to, e);
}

__attribute__((visibility("default"))) tuile_status hot_module_open(tuile_bytes url, tuile_store_ops *ops, void **context,
                                                                    tuile_error *error);
tuile_status hot_module_open(tuile_bytes url, tuile_store_ops *ops, void **context, tuile_error *error) {
  tuile_store *inner;
  size_t scheme = strlen("hot://");
  CHECK(url.size > scheme);
  tuile_status status = tuile_store_open((tuile_bytes){(const char *)url.data + scheme, url.size - scheme}, &inner, error);
  if (status != TUILE_OK) return status;
  *ops = (tuile_store_ops)TUILE_STORE_OPS_INIT;
  ops->load = load, ops->create = create, ops->replace = replace, ops->touch = touch, ops->remove = drop, ops->sweep = sweep;
  ops->close = close_inner, ops->put = put, ops->own = own, ops->owned = owned, ops->disown = disown;
  ops->keys = keys, ops->owned_record = record, ops->max_together = 64, ops->together = together;
  *context = inner;
  return TUILE_OK;
}
