/* The contract suite on every store, and on a broken one that it must catch. */
#include "check.h"

#include "custom_store.h"
#include "store_contract.h"

static void run(const char *name, tuile_store *store, bool binary, bool shared) {
  store_contract contract = {store, binary, shared};
  const char *broken = store_contract_run(&contract);
  if (broken) fprintf(stderr, "%s: %s\n", name, broken);
  CHECK(broken == NULL);
  tuile_store_close(store);
  printf("%s keeps the contract\n", name);
}

/* The control: a store that forgets to compare. */
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

static void control(void) {
  tuile_store_ops ops = TUILE_STORE_OPS_INIT;
  ops.load = load, ops.create = create, ops.replace = replace_blindly;
  ops.touch = touch, ops.remove = remove_key, ops.sweep = sweep;
  tuile_store *store;
  CHECK(tuile_store_open(text("memory:"), &under_test, NULL) == TUILE_OK);
  CHECK(tuile_store_new(&ops, NULL, &store, NULL) == TUILE_OK);
  store_contract contract = {store, true, false};
  const char *broken = store_contract_run(&contract);
  CHECK(broken != NULL);
  printf("the suite catches a store that forgets to compare: %s\n", broken);
  tuile_store_close(store);
  tuile_store_close(under_test);
}

int main(int argc, char **argv) {
  CHECK(argc > 1);
  tuile_store *store;
  char url[512];
  CHECK(tuile_store_open(text("memory:"), &store, NULL) == TUILE_OK);
  run("memory:", store, true, false);
  snprintf(url, sizeof url, "sqlite://%s/contract.db", argv[1]);
  CHECK(tuile_store_open(text(url), &store, NULL) == TUILE_OK);
  run("sqlite:", store, false, true);
  snprintf(url, sizeof url, "sqlite://%s/with%%20space.db?busy=9000&synchronous=full", argv[1]);
  CHECK(tuile_store_open(text(url), &store, NULL) == TUILE_OK);
  run("sqlite: with options", store, false, true);
  CHECK(custom_store_open(&store, NULL) == TUILE_OK);
  run("custom_store.c", store, true, false);
  control();
  return 0;
}
