/* A session's dictionary: what Python's dict has besides get and set, lists that
 * grow, bytes, and the whole of it in one call. */
#include "check.h"

static tuile_manager *manager;
static tuile_error error;
static char cookie[80];

static tuile_session *begin(void) {
  tuile_session *session = NULL;
  CHECK(tuile_session_start(manager, text(cookie), (tuile_bytes){NULL, 0}, &session, NULL) == TUILE_OK);
  CHECK(session != NULL);
  return session;
}

static void end(tuile_session *session) {
  tuile_bytes key;
  CHECK(tuile_session_commit(session, 200, NULL, NULL, &error) == TUILE_OK);
  if (tuile_session_id(session, &key) == TUILE_OK)
    snprintf(cookie, sizeof cookie, "sessionid=%.*s", (int)key.size, (const char *)key.data);
  tuile_session_end(session);
}

static bool whole(tuile_session *session, const char *expected) {
  tuile_bytes json;
  CHECK(tuile_session_json(session, &json, &error) == TUILE_OK);
  if (!equals(json, expected)) fprintf(stderr, "%.*s\n", (int)json.size, (const char *)json.data);
  return equals(json, expected);
}

static void dictionary(void) {
  tuile_session *s = begin();
  tuile_bytes json, key;
  CHECK(tuile_session_load(s, &error) == TUILE_ABSENT);
  CHECK(whole(s, "{}"));
  CHECK(tuile_session_update(s, text("{ \"a\": 1, \"b\":[ ], \"\\u00e9\": {\"x\": null}, \"a\": 2 }"), &error) == TUILE_OK);
  CHECK(whole(s, "{\"a\":2,\"b\":[],\"\\u00e9\":{\"x\":null}}"));
  static const char *const bad[] = {"", "[]", "{\"a\":}", "{\"a\":1,}", "{\"a\":1} x", "{a:1}", "{\"a\" 1}", "1"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
    CHECK(tuile_session_update(s, text(bad[i]), &error) == TUILE_E_SYNTAX);
  CHECK(whole(s, "{\"a\":2,\"b\":[],\"\\u00e9\":{\"x\":null}}"));
  CHECK(tuile_session_pop(s, text("a"), &json, &error) == TUILE_OK);
  CHECK(equals(json, "2"));
  CHECK(tuile_session_pop(s, text("a"), &json, &error) == TUILE_ABSENT);
  CHECK(tuile_session_set_default(s, text("b"), text("no JSON"), &json, &error) == TUILE_OK);
  CHECK(equals(json, "[]"));
  CHECK(tuile_session_set_default(s, text("c"), text("no JSON"), &json, &error) == TUILE_E_SYNTAX);
  CHECK(tuile_session_set_default(s, text("c"), text("true"), NULL, &error) == TUILE_OK);
  size_t position = 0;
  CHECK(tuile_session_next_item(s, &position, &key, &json, &error) == TUILE_OK);
  CHECK(equals(key, "b"));
  CHECK(equals(json, "[]"));
  CHECK(tuile_session_next_item(s, &position, &key, &json, &error) == TUILE_OK);
  CHECK(equals(key, "\xC3\xA9"));
  CHECK(tuile_session_next_item(s, &position, &key, &json, &error) == TUILE_OK);
  CHECK(equals(key, "c"));
  CHECK(tuile_session_next_item(s, &position, &key, &json, &error) == TUILE_ABSENT);
  end(s);
  s = begin();
  CHECK(tuile_session_load(s, &error) == TUILE_OK);
  CHECK(!tuile_session_modified(s));
  CHECK(whole(s, "{\"b\":[],\"\\u00e9\":{\"x\":null},\"c\":true}"));
  CHECK(tuile_session_pop(s, text("a"), &json, &error) == TUILE_ABSENT);
  CHECK(!tuile_session_modified(s));
  CHECK(tuile_session_set_default(s, text("c"), text("1"), &json, &error) == TUILE_OK);
  CHECK(!tuile_session_modified(s));
  end(s);
}

/* Who asks for the whole again and again takes room for it once. */
static void often(void) {
  char large[4001];
  memset(large, 'x', 4000), large[4000] = 0;
  tuile_session *s = begin();
  tuile_bytes json;
  CHECK(tuile_session_set_string(s, text("large"), text(large), &error) == TUILE_OK);
  for (int i = 0; i < 100000; i++) CHECK(tuile_session_json(s, &json, &error) == TUILE_OK);
  tuile_session_end(s);
}

static void bytes(void) {
  tuile_session *s = begin();
  tuile_bytes value;
  CHECK(tuile_session_set_bytes(s, text("raw"), (tuile_bytes){"\0\xFF\n", 3}, &error) == TUILE_OK);
  CHECK(tuile_session_get_string(s, text("raw"), &value, &error) == TUILE_OK);
  CHECK(equals(value, "AP8K"));
  CHECK(tuile_session_get_bytes(s, text("raw"), &value, &error) == TUILE_OK);
  CHECK(value.size == 3);
  CHECK(memcmp(value.data, "\0\xFF\n", 3) == 0);
  CHECK(tuile_session_get_bytes(s, text("none"), &value, &error) == TUILE_ABSENT);
  CHECK(tuile_session_get_bytes(s, text("c"), &value, &error) == TUILE_E_TYPE);
  CHECK(tuile_session_set_string(s, text("raw"), text("AP8"), &error) == TUILE_OK);
  CHECK(tuile_session_get_bytes(s, text("raw"), &value, &error) == TUILE_E_TYPE);
  end(s);
}

/* Two requests at once: what each did is there, whoever committed first. */
static void appends_meet(void) {
  tuile_session *one = begin(), *two = begin();
  CHECK(tuile_session_append(one, text("log"), text("1"), &error) == TUILE_OK);
  CHECK(tuile_session_append(two, text("log"), text("{\"n\": 2}"), &error) == TUILE_OK);
  CHECK(tuile_session_append(two, text("log"), text("3"), &error) == TUILE_OK);
  CHECK(tuile_session_append(two, text("c"), text("3"), &error) == TUILE_E_TYPE);
  CHECK(tuile_session_append(two, text("log"), text("3,4"), &error) == TUILE_E_SYNTAX);
  end(one);
  end(two);
  one = begin();
  tuile_bytes json;
  CHECK(tuile_session_get_json(one, text("log"), &json, &error) == TUILE_OK);
  CHECK(equals(json, "[1,{\"n\":2},3]"));
  /* To an array that the other request set, and to what it made no array of. */
  two = begin();
  CHECK(tuile_session_append(two, text("log"), text("4"), &error) == TUILE_OK);
  CHECK(tuile_session_append(two, text("b"), text("5"), &error) == TUILE_OK);
  CHECK(tuile_session_set_json(one, text("log"), text("[ ]"), &error) == TUILE_OK);
  CHECK(tuile_session_set_int(one, text("b"), 7, &error) == TUILE_OK);
  CHECK(tuile_session_append(one, text("log"), text("\"mine\""), &error) == TUILE_OK);
  end(one);
  end(two);
  one = begin();
  CHECK(tuile_session_get_json(one, text("log"), &json, &error) == TUILE_OK);
  CHECK(equals(json, "[\"mine\",4]"));
  CHECK(tuile_session_get_json(one, text("b"), &json, &error) == TUILE_OK);
  CHECK(equals(json, "[5]"));
  tuile_session_end(one);
}

static void expiry_arguments(void) {
  tuile_session *s = begin();
  int64_t age, date;
  CHECK(tuile_session_set_expiry(s, 300, &error) == TUILE_OK);
  CHECK(tuile_session_get_expiry_age(s, TUILE_UNSET, text(""), &age, &error) == TUILE_OK);
  CHECK(age == 300);
  CHECK(tuile_session_get_expiry_age(s, 0, text("null"), &age, &error) == TUILE_OK);
  CHECK(age == 1209600);
  CHECK(tuile_session_get_expiry_age(s, 0, text("0"), &age, &error) == TUILE_OK);
  CHECK(age == 1209600);
  CHECK(tuile_session_get_expiry_age(s, 5000000, text("\"1970-01-01T00:01:00+00:00\""), &age, &error) == TUILE_OK);
  CHECK(age == 55);
  CHECK(tuile_session_get_expiry_time(s, 5000000, text("60"), &date, &error) == TUILE_OK);
  CHECK(date == 65000000);
  CHECK(tuile_session_get_expiry_time(s, 5000000, text(""), &date, &error) == TUILE_OK);
  CHECK(date == 305000000);
  /* Python's seconds may be no integers. */
  CHECK(tuile_session_get_expiry_time(s, 5000000, text("1800.0"), &date, &error) == TUILE_OK);
  CHECK(date == 1805000000);
  CHECK(tuile_session_get_expiry_time(s, 5000000, text("1800.25"), &date, &error) == TUILE_OK);
  CHECK(date == 1805250000);
  CHECK(tuile_session_get_expiry_time(s, 5000000, text("-5.0"), &date, &error) == TUILE_OK);
  CHECK(date == 0);
  CHECK(tuile_session_get_expiry_time(s, 5000000, text("1.8e3"), &date, &error) == TUILE_OK);
  CHECK(date == 1805000000);
  CHECK(tuile_session_get_expiry_age(s, 0, text("0.0"), &age, &error) == TUILE_OK);
  CHECK(age == 1209600);
  CHECK(tuile_session_get_expiry_age(s, 0, text("-0.5"), &age, &error) == TUILE_OK);
  CHECK(age == -1);
  CHECK(tuile_session_get_expiry_age(s, 0, text("true"), &age, &error) == TUILE_OK);
  CHECK(age == 1);
  CHECK(tuile_session_get_expiry_age(s, 0, text("NaN"), &age, &error) == TUILE_OK);
  CHECK(age == 1209600);
  CHECK(tuile_session_get_expiry_time(s, 0, text("1e300"), &date, &error) == TUILE_OK);
  CHECK(date > 250000000000000000);
  CHECK(tuile_session_get_expiry_time(s, 0, text("-Infinity"), &date, &error) == TUILE_OK);
  CHECK(date < 0);
  CHECK(tuile_session_get_expiry_age(s, 0, (tuile_bytes){NULL, 1}, &age, &error) == TUILE_E_ARGUMENT);
  tuile_session_end(s);
}

int main(void) {
  tuile_config config = TUILE_CONFIG_INIT;
  config.store = text("memory:");
  CHECK(tuile_manager_open(&config, &manager, &error) == TUILE_OK);
  dictionary();
  often();
  bytes();
  appends_meet();
  expiry_arguments();
  tuile_manager_close(manager);
  puts("a session's dictionary: as Python's, and lists that lose nothing");
  return 0;
}
