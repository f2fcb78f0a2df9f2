/* Whose sessions: listed, ended one by one or all at once, kept down in number;
 * on every store that keeps such lists. */
#include "request.h"

struct shown {
  int count;
  char ids[8][33];
  char text[8][400]; /* "created seen agent address", '*' behind the one that asks */
};

static void show(void *context, const tuile_owned_session *session) {
  struct shown *shown = context;
  CHECK(shown->count < 8);
  CHECK(session->size == sizeof *session);
  CHECK(session->id.size == 32);
  CHECK(session->expires > present / 1000000);
  memcpy(shown->ids[shown->count], session->id.data, 32);
  snprintf(shown->text[shown->count++], 400, "%lld %lld %.*s %.*s%s", (long long)(session->created - 1700000000),
           (long long)(session->seen - 1700000000), (int)session->user_agent.size, (const char *)session->user_agent.data,
           (int)session->address.size, (const char *)session->address.data, session->current ? "*" : "");
}

static struct shown list(const char *owner, tuile_session *current) {
  struct shown shown = {0};
  CHECK(tuile_manager_sessions(manager, text(owner), current, show, &shown, &error) == TUILE_OK);
  return shown;
}

static int count(const char *owner) { return list(owner, NULL).count; }

static void login(const char *owner, const char *agent, const char *address, char *kept) {
  jar[0] = 0;
  tuile_session *s = request();
  CHECK(tuile_session_set_client(s, text(agent), text(address), &error) == TUILE_OK);
  CHECK(tuile_session_set_owner(s, text(owner), &error) == TUILE_OK);
  CHECK(respond(s, 200) == TUILE_OK);
  CHECK(jar[0]);
  strcpy(kept, jar);
}

static tuile_status visit(const char *cookie) {
  strcpy(jar, cookie);
  tuile_session *s = request();
  tuile_status status = tuile_session_load(s, &error);
  CHECK(respond(s, 200) == TUILE_OK);
  return status;
}

static void pass(int64_t seconds) { present += seconds * 1000000; }

static void lists(const char *store) {
  tuile_config config = TUILE_CONFIG_INIT;
  char phone[200], laptop[200], other[200];
  present = 1700000000000000;
  config.secret = text("a secret that has its thirty-two bytes and more"), config.store = text(store), config.clock = fixed_clock;
  CHECK(tuile_manager_open(&config, &manager, &error) == TUILE_OK);
  CHECK(count("ada") == 0);
  login("ada", "Phone \"1\"\x01\xC3\xA9", "192.0.2.1", phone);
  pass(100);
  login("ada", "Laptop", "2001:db8::1", laptop);
  login("bob", "", "", other);

  strcpy(jar, laptop);
  tuile_session *s = request();
  struct shown shown = list("ada", s);
  CHECK(shown.count == 2);
  CHECK(strcmp(shown.text[0], "100 100 Laptop 2001:db8::1*") == 0);
  CHECK(strcmp(shown.text[1], "0 0 Phone \"1\"??? 192.0.2.1") == 0);
  CHECK(!strstr(laptop, shown.ids[0]));
  CHECK(strcmp(shown.ids[0], shown.ids[1]) != 0);
  tuile_bytes owner;
  CHECK(tuile_session_get_owner(s, &owner, &error) == TUILE_OK);
  CHECK(equals(owner, "ada"));
  tuile_session_end(s);

  /* Seen, once a minute, by reading too; the client that said nothing keeps what it said. */
  pass(59);
  CHECK(visit(phone) == TUILE_OK);
  shown = list("ada", NULL);
  CHECK(shown.count == 2);
  CHECK(strcmp(shown.text[0], "0 159 Phone \"1\"??? 192.0.2.1") == 0);
  CHECK(visit(phone) == TUILE_OK);
  CHECK(visit(phone) == TUILE_OK);
  tuile_stats before = stats();
  CHECK(visit(phone) == TUILE_OK);
  CHECK(stats().saves == before.saves);

  /* A new key keeps the entry, a logout ends it. */
  strcpy(jar, phone);
  s = request();
  CHECK(tuile_session_cycle_id(s, &error) == TUILE_OK);
  CHECK(respond(s, 200) == TUILE_OK);
  strcpy(phone, jar);
  shown = list("ada", NULL);
  CHECK(shown.count == 2);
  CHECK(strncmp(shown.text[0], "0 159", 5) == 0);
  s = request();
  CHECK(tuile_session_flush(s, &error) == TUILE_OK);
  CHECK(respond(s, 200) == TUILE_OK);
  CHECK(count("ada") == 1);

  /* One is revoked, by nobody but its owner; all others are. */
  login("ada", "Phone", "", phone);
  shown = list("ada", NULL);
  CHECK(tuile_manager_revoke(manager, text("bob"), text(shown.ids[1]), &error) == TUILE_ABSENT);
  CHECK(tuile_manager_revoke(manager, text("ada"), text("x"), &error) == TUILE_ABSENT);
  int at = strstr(shown.text[0], "Laptop") ? 0 : 1;
  CHECK(tuile_manager_revoke(manager, text("ada"), text(shown.ids[at]), &error) == TUILE_OK);
  CHECK(count("ada") == 1);
  CHECK(visit(laptop) == TUILE_ABSENT);
  CHECK(visit(phone) == TUILE_OK);
  for (int i = 0; i < 3; i++) login("ada", "Laptop", "", laptop);
  size_t revoked;
  strcpy(jar, phone);
  s = request();
  CHECK(tuile_manager_revoke_all(manager, text("ada"), s, &revoked, &error) == TUILE_OK);
  CHECK(revoked == 3);
  tuile_session_end(s);
  CHECK(visit(laptop) == TUILE_ABSENT);
  CHECK(visit(phone) == TUILE_OK);
  CHECK(count("ada") == 1);
  CHECK(visit(other) == TUILE_OK);
  CHECK(tuile_manager_revoke_all(manager, text("ada"), NULL, NULL, &error) == TUILE_OK);
  CHECK(visit(phone) == TUILE_ABSENT);
  CHECK(stats().revoked == 5);
  CHECK(count("ada") == 0);
  CHECK(count("bob") == 1);

  /* Another owner, then none. */
  strcpy(jar, other);
  s = request();
  CHECK(tuile_session_set_owner(s, text("ada"), &error) == TUILE_OK);
  CHECK(respond(s, 200) == TUILE_OK);
  CHECK(count("ada") == 1);
  CHECK(count("bob") == 0);
  s = request();
  CHECK(tuile_session_set_owner(s, (tuile_bytes){NULL, 0}, &error) == TUILE_OK);
  CHECK(respond(s, 200) == TUILE_OK);
  CHECK(count("ada") == 0);
  s = request();
  CHECK(tuile_session_set_owner(s, (tuile_bytes){NULL, 0}, &error) == TUILE_OK);
  CHECK(tuile_session_get_owner(s, &owner, &error) == TUILE_ABSENT);
  CHECK(tuile_session_set_owner(s, text(""), &error) == TUILE_E_ARGUMENT);
  tuile_session_end(s);
  tuile_manager_close(manager);
}

static void limits(const char *store) {
  tuile_config config = TUILE_CONFIG_INIT;
  char devices[5][200];
  config.secret = text("a secret that has its thirty-two bytes and more"), config.store = text(store), config.clock = fixed_clock;
  config.max_owned = 3, config.track_owners = true;
  CHECK(tuile_manager_open(&config, &manager, &error) == TUILE_OK);
  for (int i = 0; i < 5; i++) {
    pass(60);
    if (i == 3) CHECK(visit(devices[0]) == TUILE_OK); /* seen last, so that another goes */
    jar[0] = 0;
    tuile_session *s = request(); /* as Django's login leaves it */
    CHECK(tuile_session_set_string(s, text("_auth_user_id"), text("42"), &error) == TUILE_OK);
    CHECK(respond(s, 200) == TUILE_OK);
    strcpy(devices[i], jar);
    CHECK(count("42") == (i < 3 ? i + 1 : 3));
  }
  CHECK(visit(devices[0]) == TUILE_OK);
  CHECK(visit(devices[1]) == TUILE_ABSENT);
  CHECK(visit(devices[2]) == TUILE_ABSENT);
  CHECK(visit(devices[3]) == TUILE_OK);
  CHECK(visit(devices[4]) == TUILE_OK);
  tuile_manager_close(manager);
}

static void run(const char *before, const char *folder, const char *after) {
  char url[600];
  snprintf(url, sizeof url, "%s%s%s", before, folder, after);
  lists(url);
  limits(url);
  printf("%s: owners see and end their sessions\n", before);
}

int main(int argc, char **argv) {
  CHECK(argc > 1);
  run("memory:", "", "");
  run("sqlite://", argv[1], "/owners.db");
  run("file://", argv[1], "");
  run("cached+sqlite://", argv[1], "/cached.db");
  return 0;
}
