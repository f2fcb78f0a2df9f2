/* A session copied between managers, one started by its ID, and what a framework stored, shown. */
#include "check.h"

#include <stdlib.h>

static tuile_error error;

static tuile_manager *open_manager(const char *store) {
  tuile_config config = TUILE_CONFIG_INIT;
  tuile_manager *manager;
  config.store = tuile_text(store);
  config.secret = TUILE_STR("a secret that has its thirty-two bytes and more");
  CHECK(tuile_manager_open(&config, &manager, &error) == TUILE_OK);
  return manager;
}

static tuile_session *start(tuile_manager *manager, tuile_bytes id) {
  tuile_session *session;
  CHECK(tuile_session_start_with_id(manager, id, &session, &error) == TUILE_OK);
  return session;
}

/* A session with a number in it; gives its ID. */
static tuile_bytes make(tuile_manager *manager, char *id) {
  tuile_session *session;
  tuile_bytes made;
  CHECK(tuile_session_start(manager, TUILE_STR(""), TUILE_STR(""), &session, &error) == TUILE_OK);
  CHECK(tuile_session_set_int(session, TUILE_STR("n"), 7, &error) == TUILE_OK);
  CHECK(tuile_session_commit(session, 200, NULL, NULL, &error) == TUILE_OK);
  CHECK(tuile_session_id(session, &made) == TUILE_OK);
  memcpy(id, made.data, made.size);
  size_t size = made.size;
  tuile_session_end(session);
  return (tuile_bytes){id, size};
}

static void test_by_its_id(tuile_manager *manager, tuile_bytes id) {
  int64_t n = 0;
  tuile_session *session = start(manager, id), *none = NULL;
  CHECK(tuile_session_get_int(session, TUILE_STR("n"), &n, &error) == TUILE_OK);
  CHECK(n == 7);
  tuile_session_end(session);
  session = start(manager, TUILE_STR("nobodyhasthisone"));
  CHECK(tuile_session_load(session, &error) == TUILE_ABSENT);
  tuile_session_end(session);
  CHECK(tuile_session_start_with_id(manager, TUILE_STR("../../etc/passwd"), &none, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_session_start_with_id(manager, TUILE_STR(""), &none, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_session_start_with_id(manager, (tuile_bytes){NULL, 8}, &none, &error) == TUILE_E_ARGUMENT);
  tuile_manager *cookies = open_manager("cookie:");
  CHECK(tuile_session_start_with_id(cookies, id, &none, &error) == TUILE_E_ARGUMENT);
  CHECK(none == NULL);
  tuile_manager_close(cookies);
}

static void test_a_copy(tuile_manager *from, tuile_bytes id) {
  tuile_manager *to = open_manager("memory:"), *cookies = open_manager("cookie:");
  tuile_copying how = TUILE_COPYING_INIT;
  how.look = true;
  CHECK(tuile_manager_copy_session(from, to, id, &how, &error) == TUILE_OK);
  how.look = false;
  tuile_session *session = start(to, id);
  CHECK(tuile_session_load(session, &error) == TUILE_ABSENT);
  tuile_session_end(session);
  CHECK(tuile_manager_copy_session(from, to, id, &how, &error) == TUILE_OK);
  CHECK(tuile_manager_copy_session(from, to, id, &how, &error) == TUILE_EXISTS);
  test_by_its_id(to, id);
  CHECK(tuile_manager_copy_session(from, to, TUILE_STR("nobodyhasthisone"), &how, &error) == TUILE_ABSENT);
  CHECK(tuile_manager_copy_session(from, to, TUILE_STR("no ID"), &how, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_manager_copy_session(from, cookies, id, &how, &error) == TUILE_E_ARGUMENT);
  tuile_manager_close(to);
  tuile_manager_close(cookies);
}

static void test_what_was_stored(void) {
  static const struct {
    const char *url, *stored, *json;
  } cases[] = {
      {"file:///?layout=php", "a|i:1;", "{\"a\":1}"},
      {"file:///?layout=php&handler=php_serialize", "a:1:{s:1:\"a\";i:1;}", "{\"a\":1}"},
      {"redis://nowhere?layout=flask-session&serializer=json", "{\"a\":1}", "{\"a\":1}"},
      {"redis://nowhere?layout=express", "{\"cookie\":{},\"a\":1}", "{\"cookie\":{},\"a\":1}"},
  };
  char shown[64];
  size_t size;
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    tuile_bytes url = tuile_text(cases[i].url), stored = tuile_text(cases[i].stored);
    CHECK(tuile_layout_read(url, stored, shown, sizeof shown, &size, &error) == TUILE_OK);
    CHECK(size == strlen(cases[i].json));
    CHECK(memcmp(shown, cases[i].json, size) == 0);
    CHECK(tuile_layout_read(url, stored, shown, size - 1, &size, &error) == TUILE_E_SPACE);
    CHECK(tuile_layout_read(url, TUILE_STR("\xff\xfe no session"), shown, sizeof shown, &size, &error) == TUILE_UNREADABLE);
    CHECK(tuile_layout_read(url, (tuile_bytes){NULL, 8}, shown, sizeof shown, &size, &error) == TUILE_E_ARGUMENT);
    CHECK(tuile_layout_read(url, stored, NULL, 8, &size, &error) == TUILE_E_ARGUMENT);
  }
  CHECK(tuile_layout_read(TUILE_STR("memory:"), TUILE_STR("{}"), shown, sizeof shown, &size, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_layout_read(TUILE_STR("file:///?layout=no"), TUILE_STR("{}"), shown, sizeof shown, &size, &error) == TUILE_E_SYNTAX);
  char *large = calloc(1, (16 << 20) + 1);
  CHECK(large != NULL);
  CHECK(tuile_layout_read(TUILE_STR("file:///?layout=php"), (tuile_bytes){large, (16 << 20) + 1}, shown, sizeof shown, &size, &error) ==
        TUILE_E_LIMIT);
  free(large);
}

int main(void) {
  char room[64];
  tuile_manager *manager = open_manager("memory:");
  tuile_bytes id = make(manager, room);
  test_by_its_id(manager, id);
  test_a_copy(manager, id);
  test_what_was_stored();
  tuile_manager_close(manager);
  puts("sessions are copied, started by their IDs, and shown as they were stored");
  return 0;
}
