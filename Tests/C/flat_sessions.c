/* A request in three flat calls, beside the functions that do the same one by one; hostile arguments get a number. */
#include "hostile.h"

static char room[8192];
static char cookie[256];
static tuile_manager *manager;

#define PARTS(literal) literal, sizeof(literal) - 1

static void is(int64_t answer, const char *wanted, size_t size) {
  if (answer == (int64_t)size && memcmp(room, wanted, size) == 0) return;
  fprintf(stderr, "%lld of %zu\n", (long long)answer, size);
  for (int64_t i = 0; i < answer; i++) fputc(room[i] ? room[i] : '|', stderr);
  abort();
}

/* The part of a number in the room's text. */
static const char *part(int64_t size, int number) {
  const char *at = room;
  while (number--) at += strlen(at) + 1;
  CHECK(at < room + size);
  return at;
}

static int64_t begin(tuile_session **session) {
  return tuile_flat_begin(manager, cookie, strlen(cookie), session, room, sizeof room);
}

static void of_a_request(void) {
  tuile_session *session = NULL;
  int64_t size = begin(&session);
  is(size, PARTS("\0\0\0{}\0"));
  size = tuile_flat_commit(session, PARTS("set\0{\"a\":1,\"b\":[2]}\0set\0{\"c\":\"\\u0000\"}\0remove\0none\0owner\0ann\0"), 200, room, sizeof room);
  CHECK(size > 0);
  const char *id = part(size, 0);
  CHECK(strlen(id) == 32);
  CHECK(strcmp(part(size, 1), "Set-Cookie") == 0);
  CHECK(strncmp(part(size, 2) + strlen("sessionid="), id, 32) == 0);
  snprintf(cookie, sizeof cookie, "x=y; sessionid=%s", id);
  char whole[8192];
  memcpy(whole, room, (size_t)size);
  is(tuile_flat_again(session, room, sizeof room), whole, (size_t)size);
  CHECK(tuile_flat_again(session, NULL, 0) == size);
  tuile_session_end(session);

  /* The functions one by one see what it saved. */
  CHECK(tuile_session_start(manager, text(cookie), nothing, &session, &error) == TUILE_OK);
  tuile_bytes json, owner;
  CHECK(tuile_session_json(session, &json, &error) == TUILE_OK);
  CHECK(equals(json, "{\"a\":1,\"b\":[2],\"c\":\"\\u0000\"}"));
  CHECK(tuile_session_get_owner(session, &owner, &error) == TUILE_OK);
  CHECK(equals(owner, "ann"));
  int64_t total = 0;
  CHECK(tuile_session_add_int(session, text("a"), 4, &total, &error) == TUILE_OK);
  CHECK(tuile_session_set_lifetime(session, 600, &error) == TUILE_OK);
  CHECK(tuile_session_commit(session, 200, NULL, NULL, &error) == TUILE_OK);
  tuile_session_end(session);

  /* And it what they did, in a buffer of its size, and of less. */
  tuile_session *other = NULL;
  size = begin(&session);
  CHECK(strcmp(part(size, 0), strstr(cookie, "id=") + 3) == 0);
  CHECK(strcmp(part(size, 1), "ann") == 0);
  CHECK(atoi(part(size, 2)) > 500);
  CHECK(strcmp(part(size, 3), "{\"a\":5,\"b\":[2],\"c\":\"\\u0000\"}") == 0);
  char *exact = guarded(9);
  CHECK(tuile_flat_begin(manager, cookie, strlen(cookie), &other, exact, 9) == size);
  CHECK(other != NULL);
  CHECK(untouched(exact, 9));
  exact = guarded((size_t)size);
  CHECK(tuile_flat_again(other, exact, (size_t)size) == size);
  CHECK(memcmp(exact, room, (size_t)size) == 0);

  /* Both change it; both changes are there. What is too small is committed all the same. */
  CHECK(tuile_flat_commit(session, PARTS("set\0{\"d\":true}\0"), 200, NULL, 0) > 32);
  CHECK(tuile_flat_commit(other, PARTS("remove\0b\0user_agent\0me\0address\0::1\0touch\0\0"), 200, room, sizeof room) > 32);
  tuile_session_end(session);
  tuile_session_end(other);
  size = begin(&session);
  CHECK(strcmp(part(size, 3), "{\"a\":5,\"c\":\"\\u0000\",\"d\":true}") == 0);
  /* Nothing to do. */
  size = tuile_flat_commit(session, NULL, 0, 200, room, sizeof room);
  CHECK(strcmp(part(size, 1), "Vary") == 0);
  /* An end as the host says it. */
  CHECK(tuile_flat_commit(session, PARTS("expires\0" "4102444800000000\0touch\0\0"), 200, room, sizeof room) > 0);
  /* One that is ended elsewhere. */
  CHECK(tuile_session_start(manager, text(cookie), nothing, &other, &error) == TUILE_OK);
  CHECK(tuile_session_flush(other, &error) == TUILE_OK);
  tuile_session_end(other);
  CHECK(tuile_flat_commit(session, PARTS("set\0{\"e\":1}\0"), 200, room, sizeof room) == TUILE_FLAT_ANSWER - TUILE_DELETED);
  tuile_session_end(session);
}

static void wrong(tuile_session *session, const char *changes, size_t size, tuile_status status) {
  CHECK(tuile_flat_commit(session, changes, size, 200, room, sizeof room) == status);
  CHECK(strlen(room) > 0);
  CHECK(strlen(room + strlen(room) + 1) > 0);
}

static void hostile_arguments(void) {
  tuile_session *session = NULL;
  CHECK(tuile_flat_begin(NULL, cookie, 1, &session, room, sizeof room) == TUILE_E_ARGUMENT);
  CHECK(tuile_flat_begin(manager, NULL, 1, &session, room, sizeof room) == TUILE_E_ARGUMENT);
  CHECK(tuile_flat_begin(manager, cookie, SIZE_MAX, &session, room, sizeof room) == TUILE_E_ARGUMENT);
  CHECK(tuile_flat_begin(manager, cookie, 1, &session, NULL, 1) == TUILE_E_ARGUMENT);
  CHECK(tuile_flat_begin(manager, cookie, 1, &session, room, SIZE_MAX) == TUILE_E_ARGUMENT);
  CHECK(session == NULL);
  CHECK(tuile_flat_commit(NULL, NULL, 0, 200, room, sizeof room) == TUILE_E_ARGUMENT);
  CHECK(tuile_flat_again(NULL, room, sizeof room) == TUILE_E_ARGUMENT);
  cookie[0] = 0;
  CHECK(begin(&session) > 0);
  CHECK(tuile_flat_again(session, NULL, 5) == TUILE_E_ARGUMENT);
  CHECK(tuile_flat_commit(session, NULL, 5, 200, room, sizeof room) == TUILE_E_ARGUMENT);
  wrong(session, PARTS("set"), TUILE_E_ARGUMENT);
  wrong(session, PARTS("set\0"), TUILE_E_ARGUMENT);
  wrong(session, PARTS("set\0{}"), TUILE_E_ARGUMENT);
  wrong(session, PARTS("\0\0"), TUILE_E_ARGUMENT);
  wrong(session, PARTS("sets\0{}\0"), TUILE_E_ARGUMENT);
  wrong(session, PARTS("touch\0x\0"), TUILE_E_ARGUMENT);
  wrong(session, PARTS("user_agent\0x\0"), TUILE_E_ARGUMENT);
  wrong(session, PARTS("expires\0x\0"), TUILE_E_ARGUMENT);
  wrong(session, PARTS("expires\0" "9223372036854775807\0"), TUILE_E_RANGE);
  wrong(session, PARTS("set\0{\"a\":}\0"), TUILE_E_SYNTAX);
  wrong(session, PARTS("set\0[1]\0"), TUILE_E_SYNTAX);
  wrong(session, PARTS("set\0{\"_session_owner\":1}\0"), TUILE_E_ARGUMENT);
  tuile_session_end(session);
}

int main(void) {
  tuile_config config = TUILE_CONFIG_INIT;
  config.store = text("memory:");
  CHECK(tuile_manager_open(&config, &manager, &error) == TUILE_OK);
  of_a_request();
  hostile_arguments();
  tuile_manager_close(manager);
  return 0;
}
