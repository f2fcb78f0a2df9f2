/* A store that is another one's, in memory, but for the moments when a test steps in. */
#ifndef FORWARDING_H
#define FORWARDING_H

#include "request.h"

static tuile_store *memory;
static tuile_session *interrupting; /* committed at such a moment, once */
/* What makes the next one, or NULL. */
static tuile_session *(*interrupt_replace)(void);

static inline void interrupt(void) {
  tuile_session *session = interrupting;
  interrupting = NULL;
  if (session) CHECK(respond(session, 200) == TUILE_OK);
}

static tuile_status load(void *c, tuile_bytes key, int64_t now, tuile_receive receive, void *receiver, tuile_error *e) {
  (void)c;
  return tuile_store_load(memory, key, now, receive, receiver, e);
}
static tuile_status create(void *c, tuile_bytes key, tuile_bytes data, int64_t expires, tuile_error *e) {
  (void)c;
  return tuile_store_create(memory, key, data, expires, e);
}
static tuile_status replace(void *c, tuile_bytes key, tuile_bytes expected, tuile_bytes data, int64_t expires, tuile_error *e) {
  (void)c;
  if (interrupt_replace) interrupting = interrupt_replace(), interrupt();
  return tuile_store_replace(memory, key, expected, data, expires, e);
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
static tuile_status own(void *c, tuile_bytes owner, tuile_bytes key, tuile_bytes record, int64_t expires, tuile_error *e) {
  (void)c;
  return tuile_store_own(memory, owner, key, record, expires, e);
}
static tuile_status disown(void *c, tuile_bytes owner, tuile_bytes key, tuile_error *e) {
  (void)c;
  return tuile_store_disown(memory, owner, key, e);
}
static tuile_status owned(void *c, tuile_bytes owner, int64_t now, tuile_receive_owned receive, void *receiver, tuile_error *e) {
  (void)c;
  tuile_status status = tuile_store_owned(memory, owner, now, receive, receiver, e);
  interrupt(); /* between the list and what is done with it */
  return status;
}

/* Whose sessions they are, where a test tells that otherwise. */
static tuile_status (*listing)(void *, tuile_bytes, int64_t, tuile_receive_owned, void *, tuile_error *) = owned;

static inline tuile_store *begin(void) {
  tuile_config config = TUILE_CONFIG_INIT;
  tuile_store_ops ops = TUILE_STORE_OPS_INIT;
  tuile_store *store;
  ops.trusted = true;
  ops.load = load, ops.create = create, ops.replace = replace, ops.touch = touch, ops.remove = drop, ops.sweep = sweep;
  ops.own = own, ops.owned = listing, ops.disown = disown;
  CHECK(tuile_store_open(text("memory:"), &memory, &error) == TUILE_OK);
  CHECK(tuile_store_open_ops(&ops, NULL, &store, &error) == TUILE_OK);
  config.open_store = store, config.clock = fixed_clock, config.max_owned = 0; /* any number */
  CHECK(tuile_manager_open(&config, &manager, &error) == TUILE_OK);
  return store;
}

static inline void end(tuile_store *store) {
  tuile_manager_close(manager);
  tuile_store_close(store);
  tuile_store_close(memory);
}

#endif
