/* The contract suite on every store, and on a broken one that it must catch. */
#include "check.h"

#include <sched.h>

#include "custom_store.h"
#include "store_contract.h"

static void run(const char *name, tuile_store *store, bool binary, bool shared, bool owners, bool keys, unsigned int stale) {
  store_contract contract = {store, binary, shared, false, owners, keys, stale};
  const char *broken = store_contract_run(&contract);
  if (broken) fprintf(stderr, "%s: %s\n", name, broken);
  CHECK(broken == NULL);
  tuile_store_close(store);
  printf("%s keeps the contract\n", name);
}

/* The controls: a store that forgets to compare, and one that compares and then
 * writes, in two steps. */
static tuile_store *under_test;

static tuile_status load(void *c, tuile_bytes key, int64_t now, tuile_receive receive, void *receiver, tuile_error *e) {
  (void)c;
  return tuile_store_load(under_test, key, now, receive, receiver, e);
}
static tuile_status create(void *c, tuile_bytes key, tuile_bytes data, int64_t expires, tuile_error *e) {
  (void)c;
  return tuile_store_create(under_test, key, data, expires, e);
}
static tuile_status replace_blindly(void *c, tuile_bytes key, tuile_bytes expected, tuile_bytes data, int64_t expires,
                                    tuile_error *e) {
  (void)c, (void)expected;
  tuile_store_remove(under_test, key, e);
  return tuile_store_create(under_test, key, data, expires, e);
}
static void keep(void *context, tuile_bytes data, int64_t expires) {
  (void)expires;
  tuile_bytes *expected = context;
  bool same = data.size == expected->size && memcmp(data.data, expected->data, data.size) == 0;
  if (!same) expected->data = NULL;
}
static tuile_status replace_in_two_steps(void *c, tuile_bytes key, tuile_bytes expected, tuile_bytes data,
                                         int64_t expires, tuile_error *e) {
  (void)c;
  tuile_bytes seen = expected;
  tuile_status status = tuile_store_load(under_test, key, INT64_MIN, keep, &seen, e);
  if (status != TUILE_OK) return status;
  if (!seen.data && expected.data) return TUILE_CONFLICT;
  sched_yield();
  for (;;) { /* as if nobody else were there */
    tuile_store_remove(under_test, key, e);
    if (tuile_store_create(under_test, key, data, expires, e) == TUILE_OK) return TUILE_OK;
  }
}
static tuile_status touch(void *c, tuile_bytes key, int64_t expires, tuile_error *e) {
  (void)c;
  return tuile_store_touch(under_test, key, expires, e);
}
static tuile_status remove_key(void *c, tuile_bytes key, tuile_error *e) {
  (void)c;
  return tuile_store_remove(under_test, key, e);
}
static tuile_status sweep(void *c, int64_t now, size_t limit, size_t *removed, tuile_error *e) {
  (void)c;
  return tuile_store_sweep(under_test, now, limit, removed, e);
}

static void control(tuile_status (*replace)(void *, tuile_bytes, tuile_bytes, tuile_bytes, int64_t, tuile_error *)) {
  tuile_store_ops ops = TUILE_STORE_OPS_INIT;
  ops.load = load, ops.create = create, ops.replace = replace;
  ops.touch = touch, ops.remove = remove_key, ops.sweep = sweep;
  tuile_store *store;
  CHECK(tuile_store_open(text("memory:"), &under_test, NULL) == TUILE_OK);
  CHECK(tuile_store_open_ops(&ops, NULL, &store, NULL) == TUILE_OK);
  store_contract contract = {store, true, false, false, false, false, 0};
  const char *broken = store_contract_run(&contract);
  CHECK(broken != NULL);
  printf("the suite catches a broken store: %s\n", broken);
  tuile_store_close(store);
  tuile_store_close(under_test);
}

int main(int argc, char **argv) {
  CHECK(argc > 1);
  static const struct {
    const char *url;
    bool binary, shared, owners;
    unsigned int stale; /* milliseconds */
  } stores[] = {{"memory:", true, false, true, 0},
                {"memory:?max_bytes=200000000", true, false, true, 0},
                {"file://%s/sessions?fsync=off", true, true, true, 0},
                {"file://%s/with%20space?prefix=app_1&age=60&busy=9000&fsync=data", true, true, true, 0},
                {"sqlite://%s/contract.db", false, true, true, 0},
                {"sqlite://%s/with%20space.db?busy=9000&synchronous=full", false, true, true, 0},
                {"cached+sqlite://%s/cached.db", false, true, false, 1100},
                {"cached+sqlite://%s/uncached.db#memory:?fresh=0", false, true, false, 0}};
  tuile_store *store;
  tuile_error error;
  for (size_t i = 0; i < sizeof stores / sizeof *stores; i++) {
    char url[700];
    const char *folder = strstr(stores[i].url, "%s");
    snprintf(url, sizeof url, "%.*s%s%s", folder ? (int)(folder - stores[i].url) : 100, stores[i].url, folder ? argv[1] : "",
             folder ? folder + 2 : "");
    tuile_status status = tuile_store_open(text(url), &store, &error);
    if (status != TUILE_OK) fprintf(stderr, "%s: %s\n", url, error.message);
    CHECK(status == TUILE_OK);
    run(url, store, stores[i].binary, stores[i].shared, stores[i].owners, true, stores[i].stale);
  }
  CHECK(custom_store_open(&store, NULL) == TUILE_OK);
  run("custom_store.c", store, true, false, false, false, 0);
  control(replace_blindly);
  control(replace_in_two_steps);
  return 0;
}
