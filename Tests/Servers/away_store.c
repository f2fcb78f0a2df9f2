/* A store module that can be away: away:///PATH is sqlite:///PATH, but fails while there
 * is a file PATH.away, and hangs while there is PATH.slow. */
#define _GNU_SOURCE
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tuile.h>
#include <unistd.h>

struct store {
  char away[600], slow[600];
  tuile_store *inner;
};

static tuile_status check(struct store *store, tuile_error *error) {
  while (access(store->slow, F_OK) == 0) usleep(10000);
  if (access(store->away, F_OK) != 0) return TUILE_OK;
  *error = (tuile_error){.status = TUILE_E_STORE};
  snprintf(error->message, sizeof error->message, "the store is away, for a test");
  return TUILE_E_STORE;
}

#define CHECKED(call)                               \
  struct store *store = context;                    \
  tuile_status status = check(store, error);        \
  return status == TUILE_OK ? (call) : status

static tuile_status load(void *context, tuile_bytes key, int64_t now, tuile_receive receive, void *receiver,
                         tuile_error *error) {
  CHECKED(tuile_store_load(store->inner, key, now, receive, receiver, error));
}
static tuile_status create(void *context, tuile_bytes key, tuile_bytes data, int64_t expires, tuile_error *error) {
  CHECKED(tuile_store_create(store->inner, key, data, expires, error));
}
static tuile_status replace(void *context, tuile_bytes key, tuile_bytes expected, tuile_bytes data, int64_t expires,
                            tuile_error *error) {
  CHECKED(tuile_store_replace(store->inner, key, expected, data, expires, error));
}
static tuile_status touch(void *context, tuile_bytes key, int64_t expires, tuile_error *error) {
  CHECKED(tuile_store_touch(store->inner, key, expires, error));
}
static tuile_status take_out(void *context, tuile_bytes key, tuile_error *error) {
  CHECKED(tuile_store_remove(store->inner, key, error));
}
static tuile_status sweep(void *context, int64_t now, size_t limit, size_t *removed, tuile_error *error) {
  CHECKED(tuile_store_sweep(store->inner, now, limit, removed, error));
}
static void close_all(void *context) {
  struct store *store = context;
  tuile_store_close(store->inner);
  free(store);
}

tuile_status tuile_module_open(tuile_bytes url, tuile_store_ops *ops, void **context, tuile_error *error);

tuile_status tuile_module_open(tuile_bytes url, tuile_store_ops *ops, void **context, tuile_error *error) {
  static const char scheme[] = "away://";
  char inner[600];
  size_t start = sizeof scheme - 1;
  if (url.size <= start || url.size > 500) return TUILE_E_SYNTAX;
  int size = (int)(url.size - start);
  const char *path = (const char *)url.data + start;
  struct store *store = calloc(1, sizeof *store);
  if (!store) return TUILE_E_MEMORY;
  snprintf(store->away, sizeof store->away, "%.*s.away", size, path);
  snprintf(store->slow, sizeof store->slow, "%.*s.slow", size, path);
  int length = snprintf(inner, sizeof inner, "sqlite://%.*s", size, path);
  tuile_status status = check(store, error);
  if (status == TUILE_OK) status = tuile_store_open((tuile_bytes){inner, (size_t)length}, &store->inner, error);
  if (status != TUILE_OK) {
    free(store);
    return status;
  }
  ops->trusted = false;
  ops->load = load, ops->create = create, ops->replace = replace, ops->touch = touch;
  ops->remove = take_out, ops->sweep = sweep, ops->close = close_all;
  *context = store;
  return TUILE_OK;
}
