/* Sessions in cookies end when they should, in every dialect, whoever kept a copy; what
 * a framework wrote without a time is taken as it takes it, unless a limit was set. */
#include "request.h"

static const char *const kinds[] = {"django", "sealed",  "flask", "starlette",
                                    "rails",  "gorilla", "rack",  "iron-session"};
enum { count = sizeof kinds / sizeof *kinds };
static const char *kind;

static void open_with(tuile_config *config) {
  static char store[64];
  snprintf(store, sizeof store, "cookie:%s", kind);
  config->store = text(store), config->clock = fixed_clock;
  config->secret = text("a secret that has its thirty-two bytes and more, and thirty-two again");
  jar[0] = 0;
  CHECK(tuile_manager_open(config, &manager, &error) == TUILE_OK);
}

static void after(int64_t seconds) { present += seconds * 1000000; }

/* What a copy gives that somebody else sends: the browser's own jar stays. */
static int64_t copied(const char *copy) {
  char own[sizeof jar];
  strcpy(own, jar);
  strcpy(jar, copy);
  int64_t n = get("n");
  strcpy(jar, own);
  return n;
}

static void begin_with(tuile_status (*change)(tuile_session *), char copy[sizeof jar]) {
  jar[0] = 0;
  tuile_session *s = request();
  CHECK(tuile_session_set_int(s, text("n"), 1, &error) == TUILE_OK);
  CHECK(change(s) == TUILE_OK);
  CHECK(respond(s, 200) == TUILE_OK);
  CHECK(jar[0]);
  strcpy(copy, jar);
}

static tuile_status a_minute(tuile_session *s) { return tuile_session_set_expiry(s, 60, &error); }
static tuile_status a_month(tuile_session *s) { return tuile_session_set_expiry(s, 30 * 86400, &error); }
static tuile_status a_date(tuile_session *s) {
  return tuile_session_set_expiry_time(s, present + 60000000, &error);
}
static tuile_status until_closed(tuile_session *s) { return tuile_session_set_expiry(s, 0, &error); }
static tuile_status a_life(tuile_session *s) { return tuile_session_set_lifetime(s, 60, &error); }
static tuile_status nothing(tuile_session *s) { return s ? TUILE_OK : TUILE_E_ARGUMENT; }

static void each_ends(void) {
  char copy[sizeof jar];
  tuile_config config = TUILE_CONFIG_INIT;
  open_with(&config);
  tuile_status (*const short_ones[])(tuile_session *) = {a_minute, a_date, a_life};
  for (int i = 0; i < 3; i++) {
    begin_with(short_ones[i], copy);
    after(59);
    CHECK(copied(copy) == 1);
    after(1);
    CHECK(copied(copy) == -1);
  }
  tuile_status (*const standard[])(tuile_session *) = {nothing, until_closed};
  for (int i = 0; i < 2; i++) {
    begin_with(standard[i], copy);
    after(config.cookie_age - 1);
    CHECK(copied(copy) == 1);
    after(2);
    CHECK(copied(copy) == -1);
  }
  begin_with(a_month, copy);
  after(30 * 86400 - 1);
  CHECK(copied(copy) == 1);
  after(1);
  CHECK(copied(copy) == -1);
  tuile_manager_close(manager);
}

/* An older copy ends at its own time, though the browser's own session goes on. */
static void activity_moves_no_copy(void) {
  char copy[sizeof jar];
  tuile_config config = TUILE_CONFIG_INIT;
  open_with(&config);
  begin_with(a_minute, copy);
  after(40);
  set("n", 2);
  after(40);
  CHECK(get("n") == 2);
  CHECK(copied(copy) == -1);
  tuile_manager_close(manager);
}

/* NIST SP 800-63B-4, AAL3: 15 minutes without activity, 12 hours in all. */
static void policies(void) {
  char copy[sizeof jar];
  tuile_config config = TUILE_CONFIG_INIT;
  CHECK(tuile_config_set_policy(&config, TUILE_POLICY_AAL3) == TUILE_OK);
  open_with(&config);
  begin_with(nothing, copy);
  after(899);
  CHECK(copied(copy) == 1);
  after(2);
  CHECK(copied(copy) == -1);

  /* Whoever only reads stays, by a new cookie now and then, but for no more than 12 hours. */
  begin_with(nothing, copy);
  int cookies = 0;
  for (int minutes = 0; minutes < 12 * 60; minutes += 10) {
    CHECK(get("n") == 1);
    cookies += set_cookie[0] != 0;
    after(600);
  }
  CHECK(cookies == 71);
  CHECK(get("n") == -1);
  /* Within a threshold of a read nothing is written. */
  begin_with(nothing, copy);
  after(10);
  CHECK(get("n") == 1);
  CHECK(!set_cookie[0]);
  tuile_manager_close(manager);
}

/* A token as the framework itself writes it. */
static void foreign(const char *json, char copy[sizeof jar]) {
  tuile_signer_config config = TUILE_SIGNER_CONFIG_INIT;
  config.secret = text("a secret that has its thirty-two bytes and more, and thirty-two again");
  config.name = text("sessionid");
  config.dialect = !strcmp(kind, "rails") ? TUILE_DIALECT_RAILS_ENCRYPTED
                   : !strcmp(kind, "rack") ? TUILE_DIALECT_RACK
                                           : TUILE_DIALECT_IRON_SESSION;
  tuile_signer *signer;
  char token[2048], encoded[4096];
  size_t size;
  CHECK(tuile_signer_new(&config, &signer, &error) == TUILE_OK);
  CHECK(tuile_token_dumps(signer, &(tuile_signing){sizeof(tuile_signing), text(json), present / 1000000, false}, token, sizeof token, &size, &error) == TUILE_OK);
  tuile_signer_free(signer);
  tuile_bytes whole = {token, size};
  if (config.dialect == TUILE_DIALECT_RACK) {
    CHECK(tuile_cookie_encode(whole, TUILE_ENCODING_PERCENT, encoded, sizeof encoded, &size, &error) == TUILE_OK);
    whole = (tuile_bytes){encoded, size};
  }
  snprintf(copy, sizeof jar, "sessionid=%.*s", (int)whole.size, (const char *)whole.data);
}

static void without_a_time(void) {
  char copy[sizeof jar];
  tuile_config config = TUILE_CONFIG_INIT;
  open_with(&config);
  foreign("{\"n\":7}", copy);
  after(20 * 86400);
  CHECK(copied(copy) == 7); /* as Rails and Rack take it, for ever */
  strcpy(jar, copy);
  set("n", 8);
  after(config.cookie_age + 1);
  CHECK(get("n") == -1); /* but not what was written here */
  tuile_manager_close(manager);

  tuile_config limits[3] = {TUILE_CONFIG_INIT, TUILE_CONFIG_INIT, TUILE_CONFIG_INIT};
  limits[0].cookie_age = 3600;
  limits[1].lifetime = 3600;
  limits[2].revocations = text("memory:");
  for (int i = 0; i < 3; i++) {
    open_with(&limits[i]);
    foreign("{\"n\":7}", copy);
    CHECK(copied(copy) == -1);
    /* Nor does a time that somebody else left there make it older than the world. */
    foreign("{\"n\":7,\"_session_issued\":-9223372036854775808}", copy);
    CHECK(copied(copy) == -1);
    tuile_manager_close(manager);
  }
}

/* With a longest life a session that says no end has none that could be kept. */
static void life_unknown(void) {
  char copy[sizeof jar];
  tuile_config config = TUILE_CONFIG_INIT;
  open_with(&config);
  begin_with(nothing, copy);
  tuile_manager_close(manager);
  config.lifetime = 3600;
  open_with(&config);
  CHECK(copied(copy) == -1);
  tuile_manager_close(manager);
}

/* The host never sees what the token alone is marked with. */
static void data_stays_clean(void) {
  tuile_config config = TUILE_CONFIG_INIT;
  open_with(&config);
  set("n", 1);
  set("n", 2);
  tuile_session *s = request();
  tuile_bytes json;
  CHECK(tuile_session_json(s, &json, &error) == TUILE_OK);
  CHECK(equals(json, "{\"n\":2}"));
  tuile_session_end(s);
  tuile_manager_close(manager);
}

int main(void) {
  for (int i = 0; i < count; i++) {
    kind = kinds[i];
    each_ends();
    activity_moves_no_copy();
    policies();
    data_stays_clean();
    if (!strcmp(kind, "rails") || !strcmp(kind, "rack") || !strcmp(kind, "iron-session")) without_a_time();
    life_unknown();
  }
  puts("sessions in cookies end when they should, in eight dialects");
  return 0;
}
