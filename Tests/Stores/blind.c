#include "blind.h"

#include "check.h"

static tuile_status load(void *inner, tuile_bytes key, int64_t now, tuile_receive receive, void *receiver, tuile_error *e) {
  return tuile_store_load(inner, key, now, receive, receiver, e);
}

static tuile_status create(void *inner, tuile_bytes key, tuile_bytes data, int64_t expires, tuile_error *e) {
  return tuile_store_create(inner, key, data, expires, e);
}

static void compare(void *context, tuile_bytes data, int64_t expires) {
  (void)expires;
  tuile_bytes *expected = context;
  if (data.size != expected->size || memcmp(data.data, expected->data, data.size) != 0) expected->size = SIZE_MAX;
}

static tuile_status replace_in_two_steps(void *inner, tuile_bytes key, tuile_bytes expected, tuile_bytes data,
                                         int64_t expires, tuile_error *e) {
  tuile_status status = tuile_store_load(inner, key, INT64_MIN, compare, &expected, e);
  if (status != TUILE_OK) return status;
  return expected.size == SIZE_MAX ? TUILE_CONFLICT : tuile_store_put(inner, key, data, expires, e);
}

static tuile_status touch(void *inner, tuile_bytes key, int64_t expires, tuile_error *e) {
  return tuile_store_touch(inner, key, expires, e);
}

static tuile_status remove_key(void *inner, tuile_bytes key, tuile_error *e) { return tuile_store_remove(inner, key, e); }

static tuile_status sweep(void *inner, int64_t now, size_t limit, size_t *removed, tuile_error *e) {
  return tuile_store_sweep(inner, now, limit, removed, e);
}

static void close_inner(void *inner) { tuile_store_close(inner); }

static void must(tuile_status status, const tuile_error *error) {
  if (status == TUILE_OK) return;
  fprintf(stderr, "%s: %s\n", tuile_status_name(status), error->message);
  exit(1);
}

tuile_store *open_store(const char *url, bool blind) {
  tuile_store *store;
  tuile_error error = {0};
  must(tuile_store_open(text(url), &store, &error), &error);
  if (!blind) return store;
  tuile_store_ops ops = TUILE_STORE_OPS_INIT;
  ops.load = load, ops.create = create, ops.replace = replace_in_two_steps, ops.touch = touch;
  ops.remove = remove_key, ops.sweep = sweep, ops.close = close_inner;
  tuile_store *outer;
  must(tuile_store_open_ops(&ops, store, &outer, &error), &error);
  return outer;
}

tuile_manager *open_manager(tuile_store *store) {
  tuile_config config = TUILE_CONFIG_INIT;
  tuile_manager *manager;
  tuile_error error = {0};
  config.secret = text("a secret that has its thirty-two bytes and more"), config.open_store = store;
  must(tuile_manager_open(&config, &manager, &error), &error);
  return manager;
}
