/* What a session holds, as an attacker who could write to the store would leave
 * it: any load ends in a status, what was set reads back, and what was saved can
 * be read again. The store here is trusted, so that the input is parsed. */
#include "fuzz.h"

static const char key_text[] = "abcdefghijklmnopqrstuvwxyz012345";

static tuile_status ignore(void *context, tuile_bytes name, tuile_bytes value) {
  (void)context, (void)name, (void)value;
  return TUILE_OK;
}

static void use(tuile_session *session, tuile_bytes input) {
  tuile_error error;
  tuile_bytes key, text;
  size_t position = 0, count = 0, walked = 0;
  REQUIRE(tuile_session_count(session, &count, &error) == TUILE_OK);
  while (tuile_session_next_item(session, &position, &key, NULL, &error) == TUILE_OK) {
    tuile_type type;
    int64_t number;
    double real;
    bool answer;
    REQUIRE(tuile_session_type(session, key, &type, &error) == TUILE_OK);
    REQUIRE(++walked <= count);
    tuile_session_get_int(session, key, &number, &error);
    tuile_session_get_double(session, key, &real, &error);
    tuile_session_get_bool(session, key, &answer, &error);
    tuile_session_get_string(session, key, &text, &error);
    REQUIRE(tuile_session_get_json(session, key, &text, &error) == TUILE_OK);
    REQUIRE(text.size > 0);
  }
  REQUIRE(walked == count);
  int64_t age;
  REQUIRE(tuile_session_get_expiry_age(session, TUILE_UNSET, (tuile_bytes){NULL, 0}, &age, &error) == TUILE_OK);
  REQUIRE(tuile_session_get_expiry_time(session, TUILE_UNSET, (tuile_bytes){NULL, 0}, &age, &error) == TUILE_OK);
  tuile_session_add_int(session, TUILE_STR("count"), 1, NULL, &error);
  if (tuile_session_set_string(session, TUILE_STR("s"), input, &error) == TUILE_OK) {
    REQUIRE(tuile_session_get_string(session, TUILE_STR("s"), &text, &error) == TUILE_OK);
    REQUIRE(text.size == input.size);
    REQUIRE(text.size == 0 || memcmp(text.data, input.data, text.size) == 0);
  }
  tuile_session_set_json(session, TUILE_STR("j"), input, &error);
  tuile_session_remove(session, TUILE_STR("a"), &error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static tuile_store *store;
  static tuile_manager *manager;
  tuile_error error;
  tuile_bytes key = {key_text, 32}, input = {data, size};
  if (!store) {
    REQUIRE(tuile_store_open(TUILE_STR("memory:"), &store, &error) == TUILE_OK);
    tuile_config config = TUILE_CONFIG_INIT;
    config.open_store = store;
    REQUIRE(tuile_manager_open(&config, &manager, &error) == TUILE_OK);
  }
  REQUIRE(tuile_store_remove(store, key, &error) == TUILE_OK);
  REQUIRE(tuile_store_create(store, key, input, INT64_MAX, &error) == TUILE_OK);
  tuile_session *session = NULL;
  REQUIRE(tuile_session_start(manager, TUILE_STR("sessionid=abcdefghijklmnopqrstuvwxyz012345"), (tuile_bytes){NULL, 0}, &session, NULL) == TUILE_OK);
  use(session, input);
  tuile_session_commit(session, 200, ignore, NULL, &error);
  tuile_session_end(session);
  return 0;
}
