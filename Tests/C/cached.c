/* A cache in front never shows what is older than the last write that ended: two
 * stores over one database and one cache, as two processes have them, read and
 * write at once. A naive cache, which writes and then copies, fails this. */
#include "check.h"

#include <pthread.h>
#include <stdatomic.h>
#include <unistd.h>

enum { threads = 4, rounds = 400 };

static tuile_store *stores[2]; /* the two, or twice the naive one */
static tuile_store *back, *front;
static const int64_t later = INT64_C(4102444800000000);
static atomic_int written, stale;
static tuile_bytes key;

struct seen {
  char data[40];
  size_t size;
};

static void receive(void *context, tuile_bytes data, int64_t expires) {
  struct seen *seen = context;
  (void)expires;
  CHECK(data.size < sizeof seen->data);
  memcpy(seen->data, data.data, data.size);
  seen->data[data.size] = 0;
  seen->size = data.size;
}

/* Loads, compares with the newest version that somebody knows to be written, adds 1. */
static void *work(void *context) {
  tuile_store *store = stores[(intptr_t)context % 2];
  for (int i = 0; i < rounds; i++) {
    struct seen seen = {0};
    int known = atomic_load(&written);
    CHECK(tuile_store_load(store, key, 0, receive, &seen, NULL) == TUILE_OK);
    int version = atoi(seen.data);
    if (version < known) atomic_fetch_add(&stale, 1);
    if (i % 2) continue;
    char next[40];
    snprintf(next, sizeof next, "%d", version + 1);
    tuile_status status = tuile_store_replace(store, key, (tuile_bytes){seen.data, seen.size}, text(next), later, NULL);
    CHECK(status == TUILE_OK || status == TUILE_CONFLICT);
    for (known = atomic_load(&written); status == TUILE_OK && known < version + 1;)
      if (atomic_compare_exchange_weak(&written, &known, version + 1)) break;
  }
  return NULL;
}

static int run(void) {
  pthread_t running[threads];
  atomic_store(&written, 0);
  atomic_store(&stale, 0);
  CHECK(tuile_store_create(stores[0], key, text("0"), later, NULL) == TUILE_OK);
  for (intptr_t i = 0; i < threads; i++) CHECK(pthread_create(&running[i], NULL, work, (void *)i) == 0);
  for (int i = 0; i < threads; i++) pthread_join(running[i], NULL);
  CHECK(atomic_load(&written) > 0);
  return atomic_load(&stale);
}

/* ---- the naive one ---- */

static tuile_status load(void *c, tuile_bytes k, int64_t now, tuile_receive give, void *receiver, tuile_error *e) {
  (void)c;
  struct seen seen;
  if (tuile_store_load(front, k, now, receive, &seen, e) != TUILE_OK) {
    tuile_status status = tuile_store_load(back, k, now, receive, &seen, e);
    if (status != TUILE_OK) return status;
    usleep(100);
    tuile_store_put(front, k, (tuile_bytes){seen.data, seen.size}, later, e);
  }
  give(receiver, (tuile_bytes){seen.data, seen.size}, later);
  return TUILE_OK;
}
static tuile_status create(void *c, tuile_bytes k, tuile_bytes data, int64_t expires, tuile_error *e) {
  (void)c;
  return tuile_store_create(back, k, data, expires, e);
}
static tuile_status replace(void *c, tuile_bytes k, tuile_bytes expected, tuile_bytes data, int64_t expires, tuile_error *e) {
  (void)c;
  tuile_status status = tuile_store_replace(back, k, expected, data, expires, e);
  usleep(100);
  if (status == TUILE_OK) tuile_store_put(front, k, data, expires, e);
  else tuile_store_remove(front, k, e);
  return status;
}
static tuile_status touch(void *c, tuile_bytes k, int64_t expires, tuile_error *e) {
  (void)c;
  return tuile_store_touch(back, k, expires, e);
}
static tuile_status drop(void *c, tuile_bytes k, tuile_error *e) {
  (void)c;
  return tuile_store_remove(back, k, e);
}
static tuile_status sweep(void *c, int64_t now, size_t limit, size_t *removed, tuile_error *e) {
  (void)c;
  return tuile_store_sweep(back, now, limit, removed, e);
}

static tuile_store *open_naive(void) {
  tuile_store_ops ops = TUILE_STORE_OPS_INIT;
  tuile_store *store;
  ops.load = load, ops.create = create, ops.replace = replace, ops.touch = touch, ops.remove = drop, ops.sweep = sweep;
  CHECK(tuile_store_open_ops(&ops, NULL, &store, NULL) == TUILE_OK);
  return store;
}

/* ---- one process that knows nothing of the others' writes ---- */

static void own_memory(const char *folder) {
  char url[512];
  struct seen seen;
  snprintf(url, sizeof url, "cached+sqlite://%s/own.db#memory:?fresh=3600", folder);
  for (int i = 0; i < 2; i++) CHECK(tuile_store_open(text(url), &stores[i], NULL) == TUILE_OK);
  CHECK(tuile_store_create(stores[0], key, text("1"), later, NULL) == TUILE_OK);
  CHECK(tuile_store_load(stores[1], key, 0, receive, &seen, NULL) == TUILE_OK);
  CHECK(tuile_store_replace(stores[0], key, text("1"), text("2"), later, NULL) == TUILE_OK);
  /* What the other has is old, but loses against what is stored, and then it looks. */
  CHECK(tuile_store_load(stores[1], key, 0, receive, &seen, NULL) == TUILE_OK);
  CHECK(strcmp(seen.data, "1") == 0);
  CHECK(tuile_store_replace(stores[1], key, text("1"), text("x"), later, NULL) == TUILE_CONFLICT);
  CHECK(tuile_store_load(stores[1], key, 0, receive, &seen, NULL) == TUILE_OK);
  CHECK(strcmp(seen.data, "2") == 0);
  CHECK(tuile_store_replace(stores[1], key, text("2"), text("3"), later, NULL) == TUILE_OK);
  CHECK(tuile_store_remove(stores[1], key, NULL) == TUILE_OK);
  CHECK(tuile_store_load(stores[1], key, 0, receive, &seen, NULL) == TUILE_ABSENT);
  CHECK(tuile_store_replace(stores[0], key, text("2"), text("x"), later, NULL) == TUILE_ABSENT);
  CHECK(tuile_store_load(stores[0], key, 0, receive, &seen, NULL) == TUILE_ABSENT);
  for (int i = 0; i < 2; i++) tuile_store_close(stores[i]);
}

static void urls(const char *folder) {
  static const char *const bad[] = {"cached+", "cached+cached+memory:", "cached+memory:#cached+memory:", "cached+memory:#nothing",
                                    "cached+memory:#memory:?fresh=-1", "cached+memory:#memory:?fresh=", "cached+cookie:"};
  tuile_store *store = NULL;
  (void)folder;
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    CHECK(tuile_store_open(text(bad[i]), &store, NULL) < 0);
    CHECK(!store);
  }
}

int main(int argc, char **argv) {
  CHECK(argc > 1);
  char url[1200];
  key = text("onekeyforallthreads");
  urls(argv[1]);
  own_memory(argv[1]);
  snprintf(url, sizeof url, "cached+sqlite://%s/back.db#sqlite://%s/front.db?fresh=3600", argv[1], argv[1]);
  for (int i = 0; i < 2; i++) CHECK(tuile_store_open(text(url), &stores[i], NULL) == TUILE_OK);
  int shown = run();
  for (int i = 0; i < 2; i++) tuile_store_close(stores[i]);
  printf("two stores, one database, one cache: %d reads were stale\n", shown);
  CHECK(shown == 0);
  snprintf(url, sizeof url, "sqlite://%s/naive-back.db", argv[1]);
  CHECK(tuile_store_open(text(url), &back, NULL) == TUILE_OK);
  snprintf(url, sizeof url, "sqlite://%s/naive-front.db", argv[1]);
  CHECK(tuile_store_open(text(url), &front, NULL) == TUILE_OK);
  stores[0] = stores[1] = open_naive();
  shown = 0;
  for (int i = 0; i < 20 && shown == 0; i++) {
    tuile_store_remove(back, key, NULL), tuile_store_remove(front, key, NULL);
    shown = run();
  }
  printf("a naive cache: %d reads were stale\n", shown);
  CHECK(shown > 0);
  tuile_store_close(stores[0]), tuile_store_close(back), tuile_store_close(front);
  return 0;
}
