/* The gate of the web servers' modules: whatever a request sends, the visit ends in a
 * state that fits, headers and texts have no control characters, what was counted is
 * found again, and the way to the login leads to no other site. The first line has
 * the configuration, each other line a part of a request. */
#include "fuzz.h"

#include <gate.h>

enum { parts = 7 };

static void plain(const void *data, size_t size) {
  const unsigned char *bytes = data;
  for (size_t i = 0; i < size; i++) {
    REQUIRE(bytes[i] >= 0x20);
    REQUIRE(bytes[i] != 0x7f);
  }
}

/* As browsers do, which drop tabs and ends of lines. */
static bool leaves(const char *page, size_t size) {
  char kept[2] = {0};
  size_t count = 0;
  for (size_t i = 0; i < size && count < 2; i++)
    if (page[i] != '\t' && page[i] != '\n' && page[i] != '\r') kept[count++] = page[i];
  return kept[0] != '/' || kept[1] == '/' || kept[1] == '\\';
}

static void login(tuile_bytes url, tuile_bytes page) {
  static char out[32768], back[8192];
  size_t size = 0, again;
  struct gate_way way = {.login = url, .parameter = TUILE_STR("next"), .page = page};
  tuile_status status = gate_login(&way, NULL, 0, &size);
  REQUIRE(status == TUILE_E_SPACE || (status == TUILE_OK && size == 0));
  REQUIRE(size >= url.size);
  REQUIRE(size < sizeof out);
  if (size > 0) REQUIRE(gate_login(&way, out, size - 1, NULL) == TUILE_E_SPACE);
  REQUIRE(gate_login(&way, out, size, &again) == TUILE_OK);
  REQUIRE(again == size);
  if (url.size > 0 && memchr(url.data, '#', url.size)) return;
  REQUIRE(memcmp(out, url.data, url.size) == 0);
  if (size == url.size) return;
  bool is_open = url.size > 0 && strchr("?&", out[url.size - 1]);
  char *next = out + url.size + (is_open ? 5 : 6);
  REQUIRE(memcmp(next - 5, "next=", 5) == 0);
  tuile_bytes encoded = {next, (size_t)(out + size - next)};
  plain(encoded.data, encoded.size);
  REQUIRE(!memchr(next, '&', encoded.size));
  REQUIRE(!memchr(next, '#', encoded.size));
  REQUIRE(tuile_cookie_decode(encoded, TUILE_ENCODING_PERCENT, back, sizeof back, &size, NULL) == TUILE_OK);
  REQUIRE(size == page.size);
  REQUIRE(memcmp(back, page.data, size) == 0);
  REQUIRE(!leaves(back, size));
}

/* Whatever an application says of caches, and however a requirement is worded. */
static void words(struct gate_visit *visit, tuile_bytes text, tuile_bytes key) {
  static char out[8300];
  size_t size = gate_make_private(text, out);
  REQUIRE(size <= 2 * text.size + 10);
  tuile_bytes made = {out, size};
  REQUIRE(gate_has_directive(made, "private") || gate_has_directive(made, "no-store"));
  REQUIRE(!gate_has_directive(made, "public"));
  REQUIRE(!gate_has_directive(made, "s-maxage"));
  struct gate_kind kind = {key, text, text};
  gate_is_navigation(&kind);
  gate_place_of(text, key, text);
  REQUIRE(gate_is_same_name(text, text));
  tuile_bytes given[3] = {TUILE_STR("any"), text, key};
  struct gate_term room[3];
  struct gate_requirement requirement;
  if (gate_read_requirement(given, 3, room, &requirement)) return;
  enum gate_answer answer = gate_decide(visit, &requirement);
  REQUIRE(answer != GATE_PASSES || visit->state == GATE_FOUND);
  gate_has_value(visit, key, text);
}

static void read_keys(struct gate_visit *visit, tuile_bytes key) {
  tuile_bytes found = {NULL, 0};
  bool passes = gate_holds(visit, key);
  tuile_status status = gate_text(visit, key, &found);
  REQUIRE(status == TUILE_OK || status == TUILE_ABSENT);
  REQUIRE(visit->state == GATE_FOUND || (!passes && status == TUILE_ABSENT));
  if (status == TUILE_OK) plain(found.data, found.size);
}

/* The Cookie header for a Set-Cookie header. */
static tuile_bytes sent_back(const struct gate_header *headers) {
  for (; headers; headers = headers->next)
    if (strcmp(headers->name, "Set-Cookie") == 0)
      return (tuile_bytes){headers->value, strcspn(headers->value, ";")};
  return (tuile_bytes){NULL, 0};
}

static void visit(struct gate *gate, tuile_bytes cookie, tuile_bytes count, tuile_bytes key) {
  struct gate_visit first = {.gate = gate};
  tuile_error error = {0};
  bool has = gate_has_cookie(gate, cookie);
  tuile_status status = gate_read(&first, cookie, &error);
  REQUIRE(status <= 0 || status == TUILE_REFUSED);
  REQUIRE(first.state != GATE_UNREAD);
  REQUIRE(first.reason);
  REQUIRE((status == TUILE_REFUSED) == (first.state == GATE_REFUSED));
  if (gate_has_to_write(&first, count)) status = gate_write(&first, cookie, count, &error);
  if (first.state == GATE_REFUSED) REQUIRE(!first.headers);
  if (!has && count.size == 0 && status == TUILE_OK) {
    REQUIRE(first.state == GATE_ABSENT);
    REQUIRE(!first.headers);
  }
  for (struct gate_header *header = first.headers; header; header = header->next) {
    plain(header->name, header->name_size);
    plain(header->value, header->value_size);
    REQUIRE(header->name[header->name_size] == 0);
    REQUIRE(header->value[header->value_size] == 0);
    if (strcmp(header->name, "Set-Cookie") == 0)
      REQUIRE(gate_is_own_cookie(gate, (tuile_bytes){header->value, header->value_size}));
  }
  read_keys(&first, key);
  read_keys(&first, count);
  words(&first, cookie, key);
  tuile_bytes back = sent_back(first.headers);
  /* Not where a session is over as soon as it begins. */
  if (status == TUILE_OK && count.size > 0 && back.size > 0 && gate->config.cookie_age > 30) {
    struct gate_visit second = {.gate = gate};
    tuile_bytes found;
    REQUIRE(first.state == GATE_FOUND);
    REQUIRE(gate_has_cookie(gate, back));
    REQUIRE(gate_read(&second, back, &error) == TUILE_OK);
    REQUIRE(second.state == GATE_FOUND);
    REQUIRE(gate_text(&second, count, &found) == TUILE_OK);
    REQUIRE(found.size > 0);
    gate_leave(&second);
  }
  gate_write(&first, cookie, count, &error); /* counts once more */
  gate_leave(&first);
}

/* A session with any contents, as the application may have left it. */
static void contents(struct gate *gate, tuile_bytes key, tuile_bytes json) {
  tuile_session *session = NULL;
  REQUIRE(tuile_session_start(gate->manager, (tuile_bytes){NULL, 0}, (tuile_bytes){NULL, 0}, &session, NULL) == TUILE_OK);
  struct gate_visit reader = {.gate = gate};
  tuile_error error;
  tuile_bytes name;
  char cookie[5000];
  REQUIRE(session != NULL);
  if (tuile_session_set_json(session, key, json, NULL) == TUILE_OK &&
      tuile_session_commit(session, 200, NULL, NULL, NULL) == TUILE_OK && tuile_session_id(session, &name) == TUILE_OK) {
    int size = snprintf(cookie, sizeof cookie, "sessionid=%.*s", (int)name.size, (const char *)name.data);
    REQUIRE(gate_read(&reader, (tuile_bytes){cookie, (size_t)size}, &error) == TUILE_OK);
    REQUIRE(reader.state == GATE_FOUND);
    read_keys(&reader, key);
    words(&reader, json, key);
    gate_has_value(&reader, key, TUILE_STR("1"));
    gate_leave(&reader);
  }
  tuile_session_end(session);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static const char *const stores[] = {"memory:", "cookie:", "cookie:sealed", "cookie:flask", "cookie:gorilla", "nothing:"};
  tuile_bytes part[parts] = {{NULL, 0}};
  if (size > 4096) return 0;
  for (size_t i = 0, at = 0, from = 0; i <= size && at < parts; i++)
    if (i == size || data[i] == '\n') part[at++] = (tuile_bytes){data + from, i - from}, from = i + 1;
  tuile_bytes how = part[0], cookie = part[1], count = part[2], key = part[3], page = part[4], url = part[5], json = part[6];
  const unsigned char *choice = how.data;
  struct gate_settings settings;
  struct gate gate;
  gate_settings_init(&settings);
  gate_init(&gate, &settings);
  const char *store = stores[how.size > 0 ? choice[0] % 6 : 0];
  gate.config.store = (tuile_bytes){store, strlen(store)};
  gate.config.secret = TUILE_STR("a secret that is long enough for all of the dialects, 64 bytes and");
  gate.several_cookies = how.size > 2 && choice[2] % 2;
  gate.config.refresh = how.size > 1 ? choice[1] % 3 : 0;
  bool usual = how.size < 4;
  if (!usual) {
    gate.config.cookie_age = (int64_t)choice[2] * (choice[2] % 2 ? 1 : INT64_C(9000000000000000));
    gate.config.cookie_name = (tuile_bytes){choice + 3, how.size - 3};
    gate.config.cookie_domain = url, gate.config.cookie_path = key;
  }
  REQUIRE(gate_is_inline(&gate) == (strcmp(store, "nothing:") != 0));
  visit(&gate, cookie, count, key);
  if (usual && strcmp(store, "memory:") == 0) contents(&gate, key, json);
  struct gate_url made;
  for (int reading = 0; reading < 2; reading++)
    REQUIRE(gate_make_url(page, reading, &made) == TUILE_E_LIMIT || made.size <= page.size + 9);
  gate_is_own_cookie(&gate, page);
  login(url, page);
  gate_close(&gate);
  return 0;
}
