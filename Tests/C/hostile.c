/* Every export with what no caller should pass: NULL, sizes without data, sizes
 * that no object has, wrong constants, text that is none, and buffers one byte
 * too short with a guard page behind. A status, no crash, outputs untouched. */
#include "hostile.h"

static void library(void) {
  CHECK(strcmp(tuile_status_name((tuile_status)99), "TUILE_UNKNOWN") == 0);
  CHECK(strcmp(tuile_status_name(TUILE_E_SPACE), "TUILE_E_SPACE") == 0);
  for (int status = -100; status < 100; status++) CHECK(*tuile_status_message((tuile_status)status) != 0);
  CHECK(tuile_version() == (TUILE_VERSION_MAJOR << 16 | TUILE_VERSION_MINOR << 8 | TUILE_VERSION_PATCH));
  CHECK(strcmp(tuile_version_string(), TUILE_VERSION_STRING) == 0);
}

static void signing(void) {
  tuile_signer *signer = NULL, *kept = NULL;
  tuile_signer_config config = TUILE_SIGNER_CONFIG_INIT, bad;
  size_t size = 0;
  tuile_bytes value = {"keep", 4};
  config.secret = text("a secret that has its thirty-two bytes and more"), config.salt = text("salt");
  tuile_signer_free(NULL);
  CHECK(tuile_signer_config_init(NULL, 8) == TUILE_E_ARGUMENT);
  CHECK(tuile_signer_new(NULL, &signer, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_signer_new(&config, NULL, &error) == TUILE_E_ARGUMENT);
#define NO_SIGNER(field, what, answer)                                                          \
  do {                                                                                          \
    bad = config;                                                                               \
    bad.field = what;                                                                           \
    CHECK(tuile_signer_new(&bad, &kept, &error) == (answer));                                    \
    CHECK(kept == NULL);                                                                         \
    CHECK(strstr(error.message, "secret") == NULL || strstr(error.message, "secret is") != NULL || \
          strstr(error.message, "secret has") != NULL);                                         \
  } while (0)
  NO_SIGNER(size, 0, TUILE_E_ARGUMENT);
  NO_SIGNER(secret, nothing, TUILE_E_ARGUMENT);
  NO_SIGNER(secret, lie, TUILE_E_ARGUMENT);
  NO_SIGNER(secret, huge, TUILE_E_LIMIT);
  NO_SIGNER(salt, lie, TUILE_E_ARGUMENT);
  NO_SIGNER(salt, huge, TUILE_E_LIMIT);
  NO_SIGNER(fallback_count, 1, TUILE_E_ARGUMENT);
  NO_SIGNER(fallback_count, 65, TUILE_E_LIMIT);
  NO_SIGNER(fallback_count, SIZE_MAX, TUILE_E_LIMIT);
  bad = config, bad.fallbacks = &lie, bad.fallback_count = 1;
  CHECK(tuile_signer_new(&bad, &kept, NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_signer_new(&config, &signer, &error) == TUILE_OK);

  char *exact = guarded(52), *room = guarded(200);
  CHECK(tuile_token_sign(NULL, &(tuile_signing){sizeof(tuile_signing), text("v"), 0, false}, room, 200, &size, NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_token_sign(signer, &(tuile_signing){sizeof(tuile_signing), lie, 0, false}, room, 200, &size, NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_token_sign(signer, &(tuile_signing){sizeof(tuile_signing), endless, 0, false}, room, 200, &size, NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_token_sign(signer, &(tuile_signing){sizeof(tuile_signing), huge, 0, false}, room, 200, &size, NULL) == TUILE_E_LIMIT);
  CHECK(untouched(room, 200));
  CHECK(tuile_token_sign(signer, &(tuile_signing){sizeof(tuile_signing), text("v"), 1700000000, false}, NULL, 0, &size, NULL) == TUILE_E_SPACE);
  CHECK(size == 52);
  CHECK(tuile_token_sign(signer, &(tuile_signing){sizeof(tuile_signing), text("v"), 1700000000, false}, exact + 1, 51, &size, NULL) == TUILE_E_SPACE);
  CHECK(untouched(exact, 52));
  CHECK(tuile_token_sign(signer, &(tuile_signing){sizeof(tuile_signing), text("v"), 1700000000, false}, exact, 52, &size, NULL) == TUILE_OK);
  CHECK(size == 52);
  CHECK(tuile_token_sign(signer, &(tuile_signing){sizeof(tuile_signing), nothing, INT64_MAX, false}, room, 200, &size, NULL) == TUILE_OK);

  tuile_bytes token = {exact, 52};
  CHECK(tuile_token_verify(NULL, &(tuile_verification){sizeof(tuile_verification), token, 0, 0, 0, 0}, &value, NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_token_verify(signer, &(tuile_verification){sizeof(tuile_verification), token, 0, 0, 0, 0}, NULL, NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_token_verify(signer, &(tuile_verification){sizeof(tuile_verification), lie, 0, 0, 0, 0}, &value, NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_token_verify(signer, &(tuile_verification){sizeof(tuile_verification), huge, 0, 0, 0, 0}, &value, NULL) == TUILE_BAD_SIGNATURE);
  CHECK(tuile_token_verify(signer, &(tuile_verification){sizeof(tuile_verification), nothing, 0, 0, 0, 0}, &value, NULL) == TUILE_BAD_SIGNATURE);
  CHECK(tuile_token_verify(signer, &(tuile_verification){sizeof(tuile_verification), token, 10, 1700000011, 0, 0}, &value, NULL) == TUILE_EXPIRED);
  CHECK(equals(value, "keep"));
  CHECK(tuile_token_verify(signer, &(tuile_verification){sizeof(tuile_verification), token, INT64_MAX, INT64_MAX, 0, 0}, &value, NULL) == TUILE_OK);
  CHECK(equals(value, "v"));

  memset(room, 'u', 200);
  CHECK(tuile_token_dumps(signer, &(tuile_signing){sizeof(tuile_signing), text("{"), 0, true}, room, 200, &size, &error) == TUILE_E_SYNTAX);
  CHECK(untouched(room, 200));
  CHECK(tuile_token_dumps(signer, &(tuile_signing){sizeof(tuile_signing), text("\"\xff\""), 0, true}, room, 200, &size, &error) == TUILE_E_SYNTAX);
  CHECK(tuile_token_dumps(signer, &(tuile_signing){sizeof(tuile_signing), huge, 0, true}, room, 200, &size, &error) == TUILE_E_LIMIT);
  CHECK(tuile_token_dumps(NULL, &(tuile_signing){sizeof(tuile_signing), text("{}"), 0, true}, room, 200, &size, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_token_dumps(signer, &(tuile_signing){sizeof(tuile_signing), text("{}"), 0, true}, NULL, 9, &size, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_token_dumps(signer, &(tuile_signing){sizeof(tuile_signing), text("{}"), 0, true}, room, 10, &size, &error) == TUILE_E_SPACE);
  CHECK(untouched(room, 200));
  CHECK(tuile_token_loads(signer, &(tuile_verification){sizeof(tuile_verification), token, TUILE_UNSET, 0, 0, 0}, room, 200, &size, &error) == TUILE_E_SYNTAX);
  CHECK(tuile_token_loads(signer, &(tuile_verification){sizeof(tuile_verification), text("a:b:c"), TUILE_UNSET, 0, 0, 0}, room, 200, &size, NULL) == TUILE_BAD_SIGNATURE);
  CHECK(tuile_token_loads(signer, &(tuile_verification){sizeof(tuile_verification), lie, TUILE_UNSET, 0, 0, 0}, room, 200, &size, NULL) == TUILE_E_ARGUMENT);
  CHECK(untouched(room, 200));
  tuile_signer_free(signer);
}

static void managers(const char *folder) {
  tuile_manager *manager = NULL;
  tuile_config config = TUILE_CONFIG_INIT, bad;
  config.secret = text("a secret that has its thirty-two bytes and more"), config.store = text("memory:");
  CHECK(tuile_config_init(NULL, 8) == TUILE_E_ARGUMENT);
  CHECK(tuile_manager_open(NULL, &manager, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_manager_open(&config, NULL, &error) == TUILE_E_ARGUMENT);
  tuile_manager_close(NULL);
#define NO_MANAGER(field, what, answer)                                                    \
  do {                                                                                     \
    bad = config;                                                                          \
    bad.field = what;                                                                      \
    CHECK(tuile_manager_open(&bad, &manager, &error) == (answer));                          \
    CHECK(manager == NULL);                                                                 \
  } while (0)
  NO_MANAGER(size, 1, TUILE_E_ARGUMENT);
  NO_MANAGER(secret, lie, TUILE_E_ARGUMENT);
  NO_MANAGER(store, nothing, TUILE_E_ARGUMENT);
  NO_MANAGER(store, lie, TUILE_E_ARGUMENT);
  NO_MANAGER(store, huge, TUILE_E_LIMIT);
  NO_MANAGER(store, text("mysql://x"), TUILE_E_MISSING);
  NO_MANAGER(store, text("../x://x"), TUILE_E_SYNTAX);
  NO_MANAGER(store, text("sqlite://relative"), TUILE_E_SYNTAX);
  NO_MANAGER(store, text("sqlite:///a%0"), TUILE_E_SYNTAX);
  NO_MANAGER(store, text("sqlite:///a%00b"), TUILE_E_SYNTAX);
  NO_MANAGER(store, text("sqlite:///a?what=1"), TUILE_E_SYNTAX);
  NO_MANAGER(store, text("sqlite:///a?busy=-1"), TUILE_E_SYNTAX);
  NO_MANAGER(cookie_name, nothing, TUILE_E_SYNTAX);
  NO_MANAGER(cookie_name, text("a;b"), TUILE_E_SYNTAX);
  NO_MANAGER(cookie_name, text("__Host-sid"), TUILE_E_RULE);
  NO_MANAGER(cookie_domain, text("a b"), TUILE_E_SYNTAX);
  NO_MANAGER(cookie_path, text("x"), TUILE_E_SYNTAX);
  NO_MANAGER(cookie_path, huge, TUILE_E_LIMIT);
  NO_MANAGER(cookie_age, -1, TUILE_E_ARGUMENT);
  NO_MANAGER(cookie_age, INT64_MAX, TUILE_E_ARGUMENT);
  NO_MANAGER(cookie_same_site, (tuile_same_site)12, TUILE_E_ARGUMENT);
  NO_MANAGER(cookie_same_site, TUILE_SAME_SITE_NONE, TUILE_E_RULE);
  NO_MANAGER(max_data, 0, TUILE_E_ARGUMENT);
  NO_MANAGER(max_data, SIZE_MAX, TUILE_E_ARGUMENT);
  char url[512];
  snprintf(url, sizeof url, "sqlite://%s/never-made.db", folder);
  bad = config, bad.secret = nothing, bad.store = text(url);
  CHECK(tuile_manager_open(&bad, &manager, &error) == TUILE_E_ARGUMENT);
  CHECK(access(url + 9, F_OK) != 0);

  tuile_stats stats = TUILE_STATS_INIT;
  CHECK(tuile_manager_stats(NULL, &stats) == TUILE_E_ARGUMENT);
  CHECK(tuile_manager_sweep(NULL, 1, NULL, NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_manager_open(&config, &manager, &error) == TUILE_OK);
  stats.size = 8;
  CHECK(tuile_manager_stats(manager, &stats) == TUILE_E_ARGUMENT);
  CHECK(tuile_manager_stats(manager, NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_manager_sweep(manager, SIZE_MAX, NULL, NULL) == TUILE_OK);
  tuile_session *none = NULL;
  CHECK(tuile_session_start(NULL, nothing, nothing, &none, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_session_start(manager, nothing, nothing, NULL, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_session_start(manager, lie, nothing, &none, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_session_start(manager, nothing, lie, &none, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_session_start(manager, endless, nothing, &none, &error) == TUILE_E_ARGUMENT);
  CHECK(none == NULL);
  tuile_manager_close(manager);
}

static void count_calls(void *context, tuile_bytes data, int64_t expires) {
  (void)data, (void)expires;
  ++*(int *)context;
}

static void stores(void) {
  tuile_store *store = NULL;
  tuile_store_ops ops = TUILE_STORE_OPS_INIT;
  tuile_bytes key = text("abcdefghijkl");
  size_t removed = 7;
  int calls = 0;
  tuile_store_close(NULL);
  CHECK(tuile_store_open(lie, &store, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_store_open(text("memory:"), NULL, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_store_open(text("memory:x"), &store, &error) == TUILE_E_SYNTAX);
  CHECK(tuile_store_open(huge, &store, &error) == TUILE_E_LIMIT);
  CHECK(tuile_store_open_ops(NULL, NULL, &store, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_store_open_ops(&ops, NULL, NULL, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_store_open_ops(&ops, NULL, &store, &error) == TUILE_E_ARGUMENT);
  CHECK(store == NULL); /* no operations */
  ops.size = 1;
  CHECK(tuile_store_open_ops(&ops, NULL, &store, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_store_remove(NULL, key, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_store_touch(NULL, key, 0, NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_store_replace(NULL, key, key, key, 0, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_store_load(NULL, key, 0, count_calls, &calls, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_store_create(NULL, key, key, 0, NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_store_sweep(NULL, 0, 1, &removed, NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_store_open(text("memory:"), &store, &error) == TUILE_OK);
  CHECK(tuile_store_load(store, key, 0, NULL, NULL, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_store_load(store, lie, 0, count_calls, &calls, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_store_create(store, key, lie, 0, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_store_create(store, key, endless, 0, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_store_create(store, key, huge, 0, &error) == TUILE_E_LIMIT);
  CHECK(tuile_store_create(store, endless, nothing, 0, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_store_create(store, key, nothing, INT64_MIN, &error) == TUILE_OK);
  CHECK(tuile_store_load(store, key, INT64_MIN, count_calls, &calls, &error) == TUILE_ABSENT);
  CHECK(calls == 0);
  CHECK(tuile_store_replace(store, key, huge, nothing, 0, &error) == TUILE_E_LIMIT);
  CHECK(tuile_store_touch(store, key, INT64_MAX, &error) == TUILE_OK);
  CHECK(tuile_store_load(store, key, INT64_MAX - 1, count_calls, &calls, &error) == TUILE_OK);
  CHECK(calls == 1);
  CHECK(tuile_store_sweep(store, INT64_MAX, SIZE_MAX, &removed, &error) == TUILE_OK);
  CHECK(removed == 0);
  tuile_store_close(store);
}

static void sessions(void) {
  tuile_manager *manager;
  tuile_config config = TUILE_CONFIG_INIT;
  config.store = text("memory:");
  CHECK(tuile_manager_open(&config, &manager, &error) == TUILE_OK);
  tuile_session *s = NULL;
  CHECK(tuile_session_start(manager, text("sessionid=../../etc/passwd; sessionid=%00"), (tuile_bytes){NULL, 0}, &s, NULL) == TUILE_OK);
  tuile_bytes view;
  bool yes;
  int64_t number = 5;
  double real;
  size_t position = 0;
  tuile_type type;
  CHECK(tuile_session_id(s, &view) == TUILE_ABSENT);
  /* All with a NULL session. */
  CHECK(tuile_session_id(NULL, &view) == TUILE_E_ARGUMENT);
  CHECK(!tuile_session_accessed(NULL));
  CHECK(!tuile_session_modified(NULL));
  CHECK(tuile_session_commit(NULL, 200, NULL, NULL, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_session_is_empty(NULL, &yes, NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_session_clear(NULL, NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_session_flush(NULL, NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_session_cycle_id(NULL, NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_session_touch(NULL, NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_session_set_int(NULL, text("a"), 1, NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_session_set_expiry(NULL, 1, NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_session_set_expiry(NULL, TUILE_UNSET, NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_session_get_expiry_age(NULL, TUILE_UNSET, (tuile_bytes){NULL, 0}, &number, NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_session_get_expiry_age(s, TUILE_UNSET, (tuile_bytes){NULL, 0}, NULL, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_session_get_expiry_time(NULL, TUILE_UNSET, (tuile_bytes){NULL, 0}, &number, NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_session_get_expiry_time(s, TUILE_UNSET, (tuile_bytes){NULL, 0}, NULL, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_session_get_expire_at_browser_close(NULL, &yes, NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_session_get_expire_at_browser_close(s, NULL, &error) == TUILE_E_ARGUMENT);
  CHECK(number == 5);
  tuile_session_end(NULL);
  /* Keys that are none, outputs that are NULL. */
  const tuile_bytes keys[] = {lie, endless};
  for (int i = 0; i < 2; i++) {
    CHECK(tuile_session_type(s, keys[i], &type, &error) == TUILE_E_ARGUMENT);
    CHECK(tuile_session_get_bool(s, keys[i], &yes, &error) == TUILE_E_ARGUMENT);
    CHECK(tuile_session_get_int(s, keys[i], &number, &error) == TUILE_E_ARGUMENT);
    CHECK(tuile_session_get_double(s, keys[i], &real, &error) == TUILE_E_ARGUMENT);
    CHECK(tuile_session_get_string(s, keys[i], &view, &error) == TUILE_E_ARGUMENT);
    CHECK(tuile_session_get_json(s, keys[i], &view, &error) == TUILE_E_ARGUMENT);
    CHECK(tuile_session_set_json(s, keys[i], TUILE_STR("null"), &error) == TUILE_E_ARGUMENT);
    CHECK(tuile_session_set_bool(s, keys[i], true, &error) == TUILE_E_ARGUMENT);
    CHECK(tuile_session_set_double(s, keys[i], 1, &error) == TUILE_E_ARGUMENT);
    CHECK(tuile_session_set_string(s, text("a"), keys[i], &error) == TUILE_E_ARGUMENT);
    CHECK(tuile_session_set_json(s, text("a"), keys[i], &error) == TUILE_E_ARGUMENT);
    CHECK(tuile_session_add_int(s, keys[i], 1, &number, &error) == TUILE_E_ARGUMENT);
    CHECK(tuile_session_remove(s, keys[i], &error) == TUILE_E_ARGUMENT);
    CHECK(tuile_session_type(s, keys[i], &(tuile_type){TUILE_TYPE_NULL}, &error) == TUILE_E_ARGUMENT);
  }
  CHECK(tuile_session_get_int(s, text("a"), NULL, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_session_count(s, NULL, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_session_next_item(s, NULL, &view, NULL, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_session_id(s, NULL) == TUILE_E_ARGUMENT);
  position = SIZE_MAX;
  CHECK(tuile_session_next_item(s, &position, &view, NULL, &error) == TUILE_ABSENT);
  CHECK(!tuile_session_modified(s));
  /* Values that are none. */
  CHECK(tuile_session_set_string(s, text("a"), text("\xc3"), &error) == TUILE_E_SYNTAX);
  CHECK(tuile_session_set_string(s, text("\xff"), text("a"), &error) == TUILE_E_SYNTAX);
  CHECK(tuile_session_set_json(s, text("a"), text("{\"a\":}"), &error) == TUILE_E_SYNTAX);
  CHECK(error.offset > 0);
  CHECK(tuile_session_set_double(s, text("a"), 1e308 * 10, &error) == TUILE_E_RANGE);
  CHECK(tuile_session_set_expiry(s, INT64_MAX, &error) == TUILE_E_RANGE);
  CHECK(tuile_session_set_expiry_time(s, INT64_MIN, &error) == TUILE_E_RANGE);
  CHECK(!tuile_session_modified(s));
  CHECK(tuile_session_type(s, text("a"), &(tuile_type){TUILE_TYPE_NULL}, &error) == TUILE_ABSENT);
  CHECK(tuile_session_set_string(s, nothing, (tuile_bytes){"a\0b", 3}, &error) == TUILE_OK);
  CHECK(tuile_session_get_string(s, nothing, &view, &error) == TUILE_OK);
  CHECK(view.size == 3);
  CHECK(memcmp(view.data, "a\0b", 3) == 0);
  CHECK(tuile_session_get_int(s, nothing, &number, &error) == TUILE_E_TYPE);
  CHECK(number == 5);
  /* More than one request may change. */
  static char large[1 << 20];
  memset(large, 'x', sizeof large);
  tuile_status status = TUILE_OK;
  for (int i = 0; i < 100 && status == TUILE_OK; i++) status = tuile_session_set_string(s, text("large"), (tuile_bytes){large, sizeof large}, &error);
  CHECK(status == TUILE_E_LIMIT);
  CHECK(tuile_session_commit(s, 200, NULL, NULL, &error) == TUILE_E_LIMIT);
  tuile_session_end(s);
  tuile_manager_close(manager);
}

int main(int argc, char **argv) {
  CHECK(argc > 1);
  library();
  signing();
  managers(argv[1]);
  stores();
  sessions();
  return 0;
}
