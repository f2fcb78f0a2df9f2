/* What no caller should pass to the functions of owners, operations and whole
 * dictionaries. */
#include "hostile.h"

static void take_nothing(void *context, const tuile_owned_session *session) {
  (void)context, (void)session;
  abort();
}

static void give_nothing(void *context, tuile_bytes key, tuile_bytes record, int64_t expires) {
  (void)context, (void)key, (void)record, (void)expires;
  abort();
}

int main(void) {
  tuile_config config = TUILE_CONFIG_INIT;
  tuile_manager *manager;
  tuile_store *store;
  tuile_bytes view, key = text("abcdefgh");
  int64_t number = 5;
  size_t size = 7, position = 0;
  tuile_latency latency = TUILE_LATENCY_INIT;
  config.store = text("memory:");
  CHECK(tuile_manager_open(&config, &manager, &error) == TUILE_OK);
  CHECK(tuile_store_open(text("memory:"), &store, &error) == TUILE_OK);
  tuile_session *s = NULL;
  CHECK(tuile_session_start(manager, nothing, (tuile_bytes){NULL, 0}, &s, NULL) == TUILE_OK);

  /* No handle. */
  CHECK(tuile_session_load(NULL, NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_session_json(NULL, &view, NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_session_update(NULL, text("{}"), NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_session_pop(NULL, key, &view, NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_session_set_default(NULL, key, key, &view, NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_session_append(NULL, key, key, NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_session_next_item(NULL, &position, &view, &view, NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_session_set_bytes(NULL, key, key, NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_session_get_bytes(NULL, key, &view, NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_session_set_lifetime(NULL, 1, NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_session_get_lifetime(NULL, &number, NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_session_get_expiry_age(NULL, 0, nothing, &number, NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_session_get_expiry_time(NULL, 0, nothing, &number, NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_session_set_owner(NULL, key, NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_session_set_owner(NULL, (tuile_bytes){NULL, 0}, NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_session_get_owner(NULL, &view, NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_session_set_client(NULL, key, key, NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_manager_sessions(NULL, key, NULL, take_nothing, NULL, NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_manager_revoke(NULL, key, key, NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_manager_revoke_all(NULL, key, NULL, NULL, NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_manager_reload(NULL, &config, NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_manager_check(NULL, NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_manager_start_sweeping(NULL, 1, 1, NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_manager_latency(NULL, TUILE_OPERATION_LOAD, &latency) == TUILE_E_ARGUMENT);
  CHECK(tuile_manager_metrics(NULL, NULL, 0, &size) == TUILE_E_ARGUMENT);
  CHECK(tuile_store_put(NULL, key, key, 0, NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_store_own(NULL, key, key, key, 0, NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_store_owned(NULL, key, 0, give_nothing, NULL, NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_store_disown(NULL, key, key, NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_store_owned_record(NULL, key, key, NULL, NULL, NULL) == TUILE_E_ARGUMENT);

  /* Nowhere to put the answer. */
  CHECK(tuile_session_json(s, NULL, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_session_pop(s, key, NULL, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_session_get_bytes(s, key, NULL, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_session_get_lifetime(s, NULL, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_session_get_owner(s, NULL, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_session_get_expiry_age(s, 0, nothing, NULL, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_session_set_int(s, key, 1, &error) == TUILE_OK);
  CHECK(tuile_session_next_item(s, NULL, &view, &view, &error) == TUILE_E_ARGUMENT);
  position = SIZE_MAX;
  CHECK(tuile_session_next_item(s, &position, &view, &view, &error) == TUILE_ABSENT);
  CHECK(tuile_manager_sessions(manager, key, s, NULL, NULL, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_manager_latency(manager, TUILE_OPERATION_LOAD, NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_manager_reload(manager, NULL, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_manager_metrics(manager, NULL, 1, &size) == TUILE_E_ARGUMENT);
  CHECK(tuile_store_owned(store, key, 0, NULL, NULL, &error) == TUILE_E_ARGUMENT);

  /* Views that can't be. */
  const tuile_bytes bad[] = {lie, endless};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    CHECK(tuile_session_update(s, bad[i], &error) == TUILE_E_ARGUMENT);
    CHECK(tuile_session_pop(s, bad[i], &view, &error) == TUILE_E_ARGUMENT);
    CHECK(tuile_session_set_default(s, bad[i], key, &view, &error) == TUILE_E_ARGUMENT);
    CHECK(tuile_session_set_default(s, key, bad[i], &view, &error) == TUILE_E_ARGUMENT);
    CHECK(tuile_session_append(s, bad[i], key, &error) == TUILE_E_ARGUMENT);
    CHECK(tuile_session_append(s, key, bad[i], &error) == TUILE_E_ARGUMENT);
    CHECK(tuile_session_set_bytes(s, bad[i], key, &error) == TUILE_E_ARGUMENT);
    CHECK(tuile_session_set_bytes(s, key, bad[i], &error) == TUILE_E_ARGUMENT);
    CHECK(tuile_session_get_bytes(s, bad[i], &view, &error) == TUILE_E_ARGUMENT);
    CHECK(tuile_session_get_expiry_age(s, 0, bad[i], &number, &error) == TUILE_E_ARGUMENT);
    CHECK(tuile_session_set_owner(s, bad[i], &error) == TUILE_E_ARGUMENT);
    CHECK(tuile_session_set_client(s, bad[i], key, &error) == TUILE_E_ARGUMENT);
    CHECK(tuile_session_set_client(s, key, bad[i], &error) == TUILE_E_ARGUMENT);
    CHECK(tuile_manager_sessions(manager, bad[i], s, take_nothing, NULL, &error) == TUILE_E_ARGUMENT);
    CHECK(tuile_manager_revoke(manager, key, bad[i], &error) == TUILE_E_ARGUMENT);
    CHECK(tuile_manager_revoke(manager, bad[i], key, &error) == TUILE_E_ARGUMENT);
    CHECK(tuile_manager_revoke_all(manager, bad[i], s, &size, &error) == TUILE_E_ARGUMENT);
    CHECK(tuile_store_put(store, bad[i], key, 0, &error) == TUILE_E_ARGUMENT);
    CHECK(tuile_store_put(store, key, bad[i], 0, &error) == TUILE_E_ARGUMENT);
    CHECK(tuile_store_own(store, bad[i], key, key, 0, &error) == TUILE_E_ARGUMENT);
    CHECK(tuile_store_own(store, key, bad[i], key, 0, &error) == TUILE_E_ARGUMENT);
    CHECK(tuile_store_own(store, key, key, bad[i], 0, &error) == TUILE_E_ARGUMENT);
    CHECK(tuile_store_disown(store, bad[i], key, &error) == TUILE_E_ARGUMENT);
    CHECK(tuile_store_owned(store, bad[i], 0, give_nothing, NULL, &error) == TUILE_E_ARGUMENT);
    CHECK(tuile_module_folder(bad[i]) == TUILE_E_ARGUMENT);
  }
  CHECK(number == 5);
  CHECK(size == 7);
  CHECK(tuile_session_set_bytes(s, key, huge, &error) == TUILE_E_LIMIT);
  CHECK(tuile_store_put(store, key, huge, 0, &error) == TUILE_E_LIMIT);
  CHECK(tuile_session_set_owner(s, (tuile_bytes){"a\0b", 3}, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_module_folder((tuile_bytes){"a\0b", 3}) == TUILE_E_ARGUMENT);
  CHECK(tuile_module_folder(text("")) == TUILE_OK);
  CHECK(tuile_session_get_expiry_age(s, INT64_MIN + 1, text("\"9999-12-31\""), &number, &error) == TUILE_OK);
  CHECK(tuile_session_get_expiry_time(s, INT64_MAX, text("9223372036854775807"), &number, &error) == TUILE_OK);
  tuile_session_end(s);

  /* Configurations. */
  tuile_config wrong = config;
  tuile_manager *none = NULL;
#define REFUSED(field, value, answer)                                                       \
  do {                                                                                      \
    wrong = config, wrong.field = (value);                                                  \
    CHECK(tuile_manager_open(&wrong, &none, &error) == (answer));                           \
    CHECK(none == NULL);                                                                    \
  } while (0)
  REFUSED(lifetime, -1, TUILE_E_ARGUMENT);
  REFUSED(refresh, INT64_MAX, TUILE_E_ARGUMENT);
  REFUSED(cycle_grace, INT64_MIN, TUILE_E_ARGUMENT);
  REFUSED(max_owned, SIZE_MAX, TUILE_E_ARGUMENT);
  REFUSED(previous_store, lie, TUILE_E_ARGUMENT);
  REFUSED(previous_store, text("nothing"), TUILE_E_SYNTAX);
  REFUSED(previous_store, huge, TUILE_E_LIMIT);
  REFUSED(previous_cookie, lie, TUILE_E_ARGUMENT);
  REFUSED(previous_cookie, huge, TUILE_E_LIMIT);
  REFUSED(revocations, lie, TUILE_E_ARGUMENT);
  REFUSED(revocations, text("memory:"), TUILE_E_ARGUMENT);
  tuile_store_close(store);
  tuile_manager_close(manager);
  puts("owners, operations and dictionaries refuse what can't be");
  return 0;
}
