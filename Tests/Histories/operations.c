/* What a worker does, and what it was answered. */
#include "histories.h"

#include <time.h>

void pause_a_while(unsigned int microseconds) {
  nanosleep(&(struct timespec){microseconds / 1000000, (long)(microseconds % 1000000) * 1000}, NULL);
}

tuile_session *begin(tuile_manager *m, const char *key) {
  char cookie[64];
  snprintf(cookie, sizeof cookie, "sessionid=%s", key);
  tuile_session *s = NULL;
  CHECK(tuile_session_start(m, text(cookie), (tuile_bytes){NULL, 0}, &s, NULL) == TUILE_OK);
  CHECK(s);
  return s;
}

/* The session that the response names, if it is another one. */
struct response {
  char key[41];
};
static tuile_status collect(void *context, tuile_bytes name, tuile_bytes value) {
  struct response *response = context;
  if (equals(name, "Set-Cookie") && value.size > 10 && memcmp(value.data, "sessionid=", 10) == 0) {
    const char *start = (const char *)value.data + 10;
    const char *end = memchr(start, ';', value.size - 10);
    snprintf(response->key, sizeof response->key, "%.*s", (int)((end ? end : start + value.size - 10) - start), start);
  }
  return TUILE_OK;
}

static tuile_status commit(struct record *r, tuile_session *s, struct response *response) {
  r->commits++;
  r->tried = true;
  tuile_status status = commit_session(s, collect, response);
  if (status == TUILE_E_UNKNOWN) r->unknown = true;
  return status;
}

/* A commit; after an error it is sometimes made again, which counts once. */
static tuile_status save(struct record *r, tuile_session *s, int tries) {
  struct response response = {""};
  tuile_status status = commit(r, s, &response);
  while (status < 0 && tries-- > 0) status = commit(r, s, &response);
  return status;
}

/* The control: who doesn't know whether it was made makes it once more. */
static tuile_status add_twice(struct record *r, const char *key, tuile_status status) {
  int64_t value;
  tuile_session *s = begin(manager, key);
  tuile_status again = load_session(s);
  if (again >= 0) again = tuile_session_get_int(s, text("marker"), &value, NULL);
  if (again == TUILE_OK) again = tuile_session_add_int(s, text("n"), 1, &value, NULL);
  struct response response = {""};
  if (again == TUILE_OK) again = commit(r, s, &response);
  tuile_session_end(s);
  r->unknown = false;
  return again == TUILE_OK ? again : status;
}

/* A login: an addition under a new key, which the browser has from the response alone. */
static tuile_status cycle(struct record *r, tuile_session *s, unsigned int *state) {
  struct history *h = &shared->sessions[r->session];
  struct response response = {""};
  int64_t value;
  int place = h->count;
  bool free = false;
  if (place >= most_keys || r->key != place - 1 || !atomic_compare_exchange_strong(&h->cycling, &free, true)) return TUILE_ABSENT;
  /* Somebody may have been at it meanwhile. */
  if (h->count != place || tuile_session_cycle_id(s, NULL) != TUILE_OK) {
    h->cycling = false;
    return TUILE_ABSENT;
  }
  CHECK(tuile_session_add_int(s, text("n"), 1, &value, NULL) == TUILE_OK);
  r->what = do_cycle;
  r->committed = tick();
  tuile_status status = commit(r, s, &response);
  for (int tries = 0; status < 0 && tries < 6; tries++) {
    pause_a_while(chance(state, mode.outage ? 50000 : 200));
    status = commit(r, s, &response);
  }
  if (status < 0) return status; /* and nobody cycles that session any more */
  if (status == TUILE_OK) {
    CHECK(response.key[0]);
    CHECK(strcmp(response.key, h->keys[place - 1]) != 0);
    memcpy(h->keys[place], response.key, sizeof h->keys[place]);
    atomic_store(&h->count, place + 1);
  }
  h->cycling = false;
  return status;
}

static tuile_status change(struct record *r, tuile_session *s, int number, unsigned int *state) {
  char token[24];
  int64_t value;
  tuile_status status = TUILE_OK;
  snprintf(token, sizeof token, "%d", number);
  switch (r->what) {
    case do_cycle:
      status = cycle(r, s, state);
      if (r->committed) return status;
      r->what = do_add; /* in its place */
      /* fall through */
    case do_add: status = tuile_session_add_int(s, text("n"), 1, &value, NULL); break;
    case do_append: status = tuile_session_append(s, text("log"), text(token), NULL); break;
    case do_set: status = tuile_session_set_int(s, text("last"), number, NULL); break;
    case do_remove: status = tuile_session_remove(s, text("last"), NULL); break;
    case do_flush: r->tried = true, status = flush_session(s); break;
    case do_revoke: r->tried = true, status = revoke_sessions(text(shared->sessions[r->session].owner));
  }
  if (r->what >= do_flush && status < 0) r->unknown = true; /* it may have got far enough */
  r->committed = tick();
  if (status != TUILE_OK || r->what >= do_flush) return status;
  status = save(r, s, number % 4);
  if (status < 0 && mode.twice && r->what == do_add) status = add_twice(r, shared->sessions[r->session].keys[r->key], status);
  if (status < 0 && mode.forget) r->unknown = false, status = TUILE_OK;
  return status;
}

static enum what any(int session, unsigned int *state) {
  unsigned int number = chance(state, 100);
  if (number < 40) return do_add;
  if (number < 70) return do_append;
  if (number < 82) return do_set;
  if (number < 89) return do_remove;
  /* Sessions 0 and 1 live on; of the others some are logged out. */
  if (number < 96 || session < 2) return mode.blind ? do_set : do_cycle;
  return number < 98 || mode.blind ? do_flush : do_revoke;
}

static void operate(int worker, int i, unsigned int *state) {
  struct record *r = &shared->records[worker][i];
  int64_t value;
  r->session = (int)chance(state, sessions);
  const struct history *h = &shared->sessions[r->session];
  r->what = any(r->session, state);
  r->n = -1;
  r->invoked = tick();
  r->key = h->count - 1;
  /* A request that was under way with the key of before, or somebody who keeps an old one. */
  if (r->key > 0 && chance(state, 8) == 0) r->key = (int)chance(state, (unsigned int)r->key);
  shared->count[worker] = i + 1;
  tuile_session *s = begin(manager, h->keys[r->key]);
  tuile_status status = load_session(s);
  if (status >= 0) status = tuile_session_get_int(s, text("marker"), &value, NULL);
  r->saw = status == TUILE_OK;
  if (r->saw) {
    CHECK(value == h->marker);
    if (tuile_session_get_int(s, text("n"), &value, NULL) == TUILE_OK) r->n = value;
    r->loaded = tick();
    status = change(r, s, worker * most + i + 1, state);
  }
  r->status = status;
  atomic_thread_fence(memory_order_seq_cst);
  r->answered = tick();
  tuile_session_end(s);
}

void run_worker(int worker, unsigned int seed) {
  unsigned int state = seed;
  if (mode.faults && !mode.queued) fail_calls(seed);
  for (int i = 0; i < most; i++) operate(worker, i, &state);
}
