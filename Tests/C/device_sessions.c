/* Device-bound sessions from login to logout: what a browser with the key gets, and what a
 * thief does who has every cookie and no key. On each store. */
#include "device.h"

static struct device own, other;
static char store_url[4200];

static const char *id_of(const struct browser *browser) { return strchr(browser->session, '=') + 1; }

static void open_manager(const tuile_config *config) {
  CHECK(tuile_manager_open(config, &manager, &error) == TUILE_OK);
}

static struct browser bound(void) {
  struct browser browser = {0};
  login(&browser, "ada");
  CHECK(register_device(&browser, &own) == 200);
  return browser;
}

static bool is_bound(const struct browser *browser) {
  bool yes = false;
  tuile_session *session = start(browser);
  CHECK(tuile_session_is_device_bound(session, &yes) == TUILE_OK);
  tuile_session_end(session);
  return yes;
}

static void life(void) {
  struct browser browser = {0};
  login(&browser, "ada");
  CHECK(browser.offered[0]);
  CHECK(!browser.bound[0]);
  CHECK(!is_bound(&browser));
  CHECK(visit(&browser) == TUILE_OK);
  struct browser early = browser; /* stolen before the registration */
  CHECK(register_device(&browser, &own) == 200);
  CHECK(answered.set_cookies == 2);
  CHECK(strlen(id_of(&browser)) == 40);
  CHECK(is_bound(&browser));
  CHECK(strncmp(browser.bound, "__Host-sessionid-bound=", 23) == 0);
  CHECK(visit(&browser) == TUILE_OK);
  /* The old ID is over after its grace, and was never told the new one. */
  CHECK(visit(&early) == TUILE_OK);
  pass(6);
  CHECK(visit(&early) == TUILE_ABSENT);

  struct browser thief = browser; /* every cookie */
  pass(600);
  CHECK(visit(&browser) == TUILE_OK); /* on its way when the cookie ended */
  pass(30);
  CHECK(visit(&thief) == TUILE_UNBOUND);
  thief.bound[0] = 0;
  CHECK(visit(&thief) == TUILE_UNBOUND);
  CHECK(ask(&thief, (tuile_bytes){NULL, 0}, thief.identifier) == 403);
  CHECK(ask(&thief, text(refresh_of(&other, thief.challenge)), thief.identifier) == 400);
  CHECK(ask(&thief, text(registration_of(&other, thief.offered)), "") == 400);
  CHECK(ask(&thief, text(registration_of(&other, thief.challenge)), "") == 400);
  /* Nothing is changed or ended by it. */
  tuile_session *session = start(&thief);
  tuile_bytes view;
  bool empty;
  CHECK(tuile_session_load(session, &error) == TUILE_UNBOUND);
  CHECK(tuile_session_set_int(session, text("n"), 1, &error) == TUILE_UNBOUND);
  CHECK(tuile_session_json(session, &view, &error) == TUILE_UNBOUND);
  CHECK(tuile_session_is_empty(session, &empty, &error) == TUILE_UNBOUND);
  CHECK(tuile_session_get_owner(session, &view, &error) == TUILE_UNBOUND);
  CHECK(tuile_session_set_owner(session, text("eve"), &error) == TUILE_UNBOUND);
  CHECK(tuile_session_cycle_id(session, &error) == TUILE_UNBOUND);
  CHECK(tuile_session_offer_device_binding(session, &error) == TUILE_UNBOUND);
  CHECK(tuile_session_clear(session, &error) == TUILE_OK); /* reads nothing; the commit looks */
  CHECK(tuile_session_touch(session, &error) == TUILE_OK);
  CHECK(commit(session, &thief) == TUILE_UNBOUND);
  CHECK(answered.set_cookies == 0);
  session = start(&thief);
  CHECK(tuile_session_flush(session, &error) == TUILE_OK); /* forgets it in that browser alone */
  CHECK(tuile_session_set_int(session, text("n"), 7, &error) == TUILE_OK);
  CHECK(commit(session, &thief) == TUILE_OK);
  CHECK(visit(&thief) == TUILE_OK);
  CHECK(!is_bound(&thief));
  CHECK(strcmp(thief.session, browser.session) != 0);

  CHECK(refresh(&browser, &own) == 200);
  CHECK(answered.set_cookies == 1);
  CHECK(visit(&browser) == TUILE_OK);
  pass(599);
  CHECK(visit(&browser) == TUILE_OK);
  /* A bound cookie is one session's. */
  struct browser second = bound(), mixed = browser;
  strcpy(mixed.bound, second.bound);
  CHECK(visit(&mixed) == TUILE_UNBOUND);
  for (size_t i = 23; i < strlen(second.bound); i++) {
    mixed = second;
    mixed.bound[i] = mixed.bound[i] == 'A' ? 'B' : 'A';
    CHECK(visit(&mixed) == TUILE_UNBOUND);
  }
  /* An ID that only looks bound is no session. */
  mixed = second;
  mixed.session[20] = mixed.session[20] == 'a' ? 'b' : 'a';
  CHECK(visit(&mixed) == TUILE_ABSENT);
}

static void retries(void) {
  struct browser browser = {0};
  login(&browser, "ada");
  char proof[1500];
  strcpy(proof, registration_of(&own, browser.offered));
  struct browser lost = browser, again;
  CHECK(ask(&browser, text(proof), "") == 200);
  CHECK(instructed(&browser));
  /* The answer was lost, with its cookies or without. */
  CHECK(ask(&lost, text(proof), "") == 200);
  CHECK(instructed(&lost));
  CHECK(strcmp(lost.session, browser.session) == 0);
  CHECK(visit(&lost) == TUILE_OK);
  CHECK(refresh(&lost, &own) == 200);
  again = browser, again.bound[0] = 0;
  CHECK(ask(&again, text(proof), "") == 200);
  CHECK(instructed(&again));
  CHECK(visit(&again) == TUILE_OK);
  /* A second key: with the same offer, before and after. */
  again = browser;
  CHECK(ask(&again, text(registration_of(&other, browser.offered)), "") == 400);
  again = browser, strcpy(again.session, "");
  CHECK(ask(&again, text(proof), "") == 404);
  pass(121);
  again = browser;
  CHECK(ask(&again, text(proof), "") == 400);
  CHECK(visit(&browser) == TUILE_OK);
  /* An offer that is taken up late: a new challenge, to whoever has the first alone. */
  struct browser slow = {0};
  login(&slow, "ada");
  pass(121);
  CHECK(register_device(&slow, &own) == 403);
  CHECK(strcmp(slow.challenge, slow.offered) != 0);
  strcpy(slow.offered, slow.challenge);
  CHECK(register_device(&slow, &own) == 200);
  struct browser none = {0};
  login(&none, "ada");
  strcpy(none.offered, slow.offered);
  CHECK(register_device(&none, &other) == 400);
  CHECK(visit(&none) == TUILE_OK);
}

static void changes(void) {
  /* A cycled ID stays bound, and the browser's key and cookie stay good. */
  struct browser browser = bound(), before = browser;
  login(&browser, "ada");
  CHECK(strcmp(browser.session, before.session) != 0);
  CHECK(is_bound(&browser));
  CHECK(strcmp(browser.offered, before.offered) == 0); /* no offer to what is bound */
  CHECK(visit(&browser) == TUILE_OK);
  CHECK(refresh(&browser, &own) == 200);
  pass(640);
  CHECK(visit(&browser) == TUILE_UNBOUND);
  CHECK(refresh(&browser, &own) == 200);
  CHECK(visit(&browser) == TUILE_OK);
  tuile_session *session = start(&browser);
  CHECK(tuile_session_offer_device_binding(session, &error) == TUILE_EXISTS);
  CHECK(commit(session, &browser) == TUILE_OK);

  /* Logout: both cookies go, and the browser forgets its key at the next refresh. */
  struct browser copy = browser;
  session = start(&browser);
  CHECK(tuile_session_flush(session, &error) == TUILE_OK);
  CHECK(commit(session, &browser) == TUILE_OK);
  CHECK(answered.set_cookies == 2);
  CHECK(!browser.session[0]);
  CHECK(!browser.bound[0]);
  CHECK(refresh(&browser, &own) == 200);
  CHECK(!instructed(&browser));
  CHECK(!browser.bound[0]);
  CHECK(visit(&copy) == TUILE_ABSENT);
  CHECK(refresh(&copy, &own) == 200);
  CHECK(!instructed(&copy));
  CHECK(!copy.bound[0]);

  /* A new login after it is a session of its own, with an offer of its own. */
  char old[2100];
  strcpy(old, browser.identifier);
  browser.offered[0] = 0;
  login(&browser, "bob");
  CHECK(browser.offered[0]);
  CHECK(!is_bound(&browser));
  CHECK(register_device(&browser, &other) == 200);
  CHECK(ask(&browser, (tuile_bytes){NULL, 0}, old) == 200);
  CHECK(!instructed(&browser));
  CHECK(browser.bound[0]);
  CHECK(visit(&browser) == TUILE_OK);

  /* Lost cookies: a late response brought the old one back, or the browser was started anew. */
  browser = (struct browser){0};
  login(&browser, "ada");
  before = browser;
  CHECK(register_device(&browser, &own) == 200);
  copy = browser;
  strcpy(copy.session, before.session);
  CHECK(refresh(&copy, &own) == 200);
  CHECK(strcmp(copy.session, browser.session) == 0);
  CHECK(visit(&copy) == TUILE_OK);
  copy = browser, copy.session[0] = copy.bound[0] = 0;
  CHECK(refresh(&copy, &own) == 200);
  CHECK(!instructed(&copy));
  CHECK(visit(&browser) == TUILE_OK);
}

/* Requests of the same page, while the registration gives the session its new ID: nothing that they
 * change is lost, and none of them is told that ID. */
static void under_way(void) {
  struct browser browser = {0}, page;
  login(&browser, "ada");
  page = browser;
  tuile_session *early = start(&page), *late;
  int64_t n = 0;
  CHECK(tuile_session_get_int(early, text("n"), &n, &error) == TUILE_OK);
  CHECK(tuile_session_set_int(early, text("early"), 1, &error) == TUILE_OK);
  CHECK(tuile_session_add_int(early, text("sum"), 5, &n, &error) == TUILE_OK);
  CHECK(register_device(&browser, &own) == 200);
  tuile_session *bound = start(&browser);
  CHECK(tuile_session_add_int(bound, text("sum"), 2, &n, &error) == TUILE_OK);
  CHECK(commit(bound, &browser) == TUILE_OK);
  tuile_bytes id;
  CHECK(tuile_session_commit(early, 200, take_header, &page, &error) == TUILE_OK);
  CHECK(tuile_session_id(early, &id) == TUILE_OK);
  CHECK(equals(id, id_of(&page)));
  CHECK(tuile_session_set_int(early, text("again"), 1, &error) == TUILE_OK);
  CHECK(commit(early, &page) == TUILE_OK);
  late = start(&page);
  CHECK(tuile_session_set_int(late, text("late"), 1, &error) == TUILE_OK);
  CHECK(commit(late, &page) == TUILE_OK);
  CHECK(answered.set_cookies == 0);
  CHECK(!is_bound(&page));
  CHECK(!page.bound[0]);
  bound = start(&browser);
  static const char *const names[] = {"early", "again", "late", "n"};
  for (size_t i = 0; i < sizeof names / sizeof *names; i++)
    CHECK(tuile_session_get_int(bound, text(names[i]), &n, &error) == TUILE_OK);
  CHECK(tuile_session_get_int(bound, text("sum"), &n, &error) == TUILE_OK);
  CHECK(n == 7);
  tuile_session_end(bound);
  /* Not after the grace, and not into a session that has ended. */
  late = start(&page);
  CHECK(tuile_session_set_int(late, text("late"), 2, &error) == TUILE_OK);
  early = start(&page);
  CHECK(tuile_session_set_int(early, text("late"), 2, &error) == TUILE_OK);
  pass(6);
  CHECK(commit(late, &page) == TUILE_DELETED);
  bound = start(&browser);
  CHECK(tuile_session_get_int(bound, text("late"), &n, &error) == TUILE_OK);
  CHECK(n == 1);
  CHECK(tuile_session_flush(bound, &error) == TUILE_OK);
  CHECK(commit(bound, &browser) == TUILE_OK);
  CHECK(commit(early, &page) == TUILE_DELETED);
}

/* What an owner's list says, and ends. */
struct listed {
  int bound, all;
  char id[33];
};

static void count(void *context, const tuile_owned_session *session) {
  struct listed *listed = context;
  listed->all++;
  if (!session->device_bound) return;
  listed->bound++;
  memcpy(listed->id, session->id.data, 32);
}

static void owners(void) {
  struct browser browser = {0}, plain = {0};
  login(&browser, "carol");
  login(&plain, "carol");
  CHECK(register_device(&browser, &own) == 200);
  struct listed listed = {0};
  CHECK(tuile_manager_sessions(manager, text("carol"), NULL, count, &listed, &error) == TUILE_OK);
  CHECK(listed.all == 2);
  CHECK(listed.bound == 1);
  CHECK(tuile_manager_revoke(manager, text("carol"), text(listed.id), &error) == TUILE_OK);
  CHECK(visit(&browser) == TUILE_ABSENT);
  CHECK(visit(&plain) == TUILE_OK);
  CHECK(refresh(&browser, &own) == 200);
  CHECK(!instructed(&browser));
}

static char kept[4000];
static size_t kept_size;
static int64_t kept_expires;

static void keep(void *context, tuile_bytes data, int64_t expires) {
  (void)context;
  CHECK(data.size <= sizeof kept);
  memcpy(kept, data.data, data.size);
  kept_size = data.size, kept_expires = expires;
}

/* A framework that reads, and writes what it has read over whatever is there by then. */
static void last_writer(void) {
  tuile_store *raw;
  if (strncmp(store_url, "sqlite", 6) != 0) return;
  CHECK(tuile_store_open(text(store_url), &raw, &error) == TUILE_OK);
  struct browser browser = {0};
  login(&browser, "ada");
  struct browser early = browser;
  CHECK(tuile_store_load(raw, text(id_of(&early)), present, keep, NULL, &error) == TUILE_OK);
  CHECK(register_device(&browser, &own) == 200);
  CHECK(tuile_store_put(raw, text(id_of(&early)), (tuile_bytes){kept, kept_size}, kept_expires, &error) == TUILE_OK);
  CHECK(visit(&early) == TUILE_OK); /* that one is back, unbound */
  CHECK(is_bound(&browser));
  CHECK(visit(&browser) == TUILE_OK);
  pass(480);
  CHECK(refresh(&browser, &own) == 200); /* for no longer than until the first refresh */
  CHECK(visit(&early) == TUILE_ABSENT);
  CHECK(visit(&browser) == TUILE_OK);
  /* The same while a refresh runs: it writes nothing, so nothing is lost. */
  CHECK(ask(&browser, (tuile_bytes){NULL, 0}, browser.identifier) == 403);
  CHECK(tuile_store_load(raw, text(id_of(&browser)), present, keep, NULL, &error) == TUILE_OK);
  CHECK(ask(&browser, text(refresh_of(&own, browser.challenge)), browser.identifier) == 200);
  CHECK(tuile_store_put(raw, text(id_of(&browser)), (tuile_bytes){kept, kept_size}, kept_expires, &error) == TUILE_OK);
  CHECK(is_bound(&browser));
  CHECK(visit(&browser) == TUILE_OK);
  tuile_store_close(raw);
}

static void secrets(void) {
  tuile_config config = device_config(store_url);
  struct browser browser = bound(), offered = {0};
  login(&offered, "ada");
  tuile_bytes older = config.secret;
  config.secret = text("another secret, that is new, of thirty-two bytes");
  config.fallbacks = &older, config.fallback_count = 1;
  CHECK(tuile_manager_reload(manager, &config, &error) == TUILE_OK);
  CHECK(visit(&browser) == TUILE_OK);
  CHECK(refresh(&browser, &own) == 200);
  CHECK(visit(&browser) == TUILE_OK);
  CHECK(register_device(&offered, &other) == 200);
  CHECK(visit(&offered) == TUILE_OK);
  /* What is written is under the new one: the cookie outlives the old secret, the identifier of before does not. */
  config.fallback_count = 0;
  CHECK(tuile_manager_reload(manager, &config, &error) == TUILE_OK);
  CHECK(visit(&offered) == TUILE_OK);
  CHECK(refresh(&offered, &other) == 200);
  CHECK(is_bound(&browser));
  CHECK(visit(&browser) == TUILE_OK);
  CHECK(refresh(&browser, &own) == 404);
  browser.bound[0] = 0;
  CHECK(visit(&browser) == TUILE_UNBOUND); /* closed, not open */
}

static void whole(const char *url) {
  snprintf(store_url, sizeof store_url, "%s", url);
  present = 1700000000000000;
  tuile_config config = device_config(url);
  open_manager(&config);
  life();
  retries();
  changes();
  under_way();
  owners();
  last_writer();
  secrets();
  tuile_manager_close(manager);
}

static int refuse(const struct browser *browser, const char *method, const char *site, const char *mode,
                  const char *dest, const char *skipped) {
  tuile_device_request request = TUILE_DEVICE_REQUEST_INIT;
  tuile_device_answer answer = TUILE_DEVICE_ANSWER_INIT;
  request.method = text(method), request.fetch_site = text(site), request.fetch_mode = text(mode);
  request.fetch_dest = text(dest), request.skipped = text(skipped);
  struct browser copy = *browser;
  tuile_session *session = start(browser);
  tuile_status status = tuile_session_refuse(session, &request, &answer, &error);
  if (status == TUILE_OK) take_answer(&copy, &answer);
  tuile_session_end(session);
  return status == TUILE_OK ? answered.status : -(int)status;
}

static void refusals(void) {
  tuile_config config = device_config("memory:");
  open_manager(&config);
  struct browser browser = bound();
  CHECK(refuse(&browser, "GET", "cross-site", "navigate", "document", "") == -TUILE_ABSENT);
  browser.bound[0] = 0;
  CHECK(refuse(&browser, "GET", "cross-site", "navigate", "document", "") == 401);
  CHECK(strcmp(answered.refresh, "0") == 0);
  CHECK(answered.set_cookies == 0);
  CHECK(answered.body[0]);
  CHECK(refuse(&browser, "GET", "same-site", "navigate", "document", "") == 401);
  CHECK(answered.refresh[0]);
  CHECK(refuse(&browser, "POST", "cross-site", "navigate", "document", "") == 401);
  CHECK(!answered.refresh[0]);
  CHECK(refuse(&browser, "GET", "cross-site", "no-cors", "image", "") == 401);
  CHECK(!answered.refresh[0]);
  CHECK(refuse(&browser, "GET", "", "", "", "") == 401);
  CHECK(!answered.refresh[0]);
  CHECK(answered.set_cookies == 0);
  CHECK(refuse(&browser, "GET", "same-origin", "cors", "empty", "") == 401);
  CHECK(answered.set_cookies == 0);
  /* A browser that would have refreshed has lost its key: it forgets its cookies, nothing else is ended. */
  CHECK(refuse(&browser, "GET", "none", "navigate", "document", "") == 401);
  CHECK(answered.set_cookies == 2);
  CHECK(answered.body[0]);
  CHECK(!answered.refresh[0]);
  CHECK(refuse(&browser, "GET", "same-origin", "navigate", "document", "") == 401);
  CHECK(answered.set_cookies == 2);
  CHECK(refuse(&browser, "GET", "none", "navigate", "document", "quota_exceeded;session_identifier=\"x\"") == 401);
  CHECK(answered.set_cookies == 0);
  CHECK(!answered.refresh[0]);
  CHECK(refresh(&browser, &own) == 200);
  CHECK(visit(&browser) == TUILE_OK);

  tuile_device_request request = TUILE_DEVICE_REQUEST_INIT;
  tuile_device_answer answer = TUILE_DEVICE_ANSWER_INIT;
  tuile_session *session = start(&browser);
  request.method = text("GET");
  CHECK(tuile_session_answer_device(session, &request, &answer, &error) == TUILE_OK);
  CHECK(answer.http_status == 405);
  request.method = text("post");
  CHECK(tuile_session_answer_device(session, &request, &answer, &error) == TUILE_OK);
  CHECK(answer.http_status == 405);
  CHECK(tuile_session_answer_device(NULL, &request, &answer, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_session_answer_device(session, NULL, &answer, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_session_answer_device(session, &request, NULL, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_session_refuse(NULL, &request, &answer, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_session_refuse(session, NULL, &answer, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_session_refuse(session, &request, NULL, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_session_is_device_bound(NULL, NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_session_offer_device_binding(NULL, &error) == TUILE_E_ARGUMENT);
  request.proof = (tuile_bytes){NULL, 1};
  CHECK(tuile_session_answer_device(session, &request, &answer, &error) == TUILE_E_ARGUMENT);
  request = (tuile_device_request)TUILE_DEVICE_REQUEST_INIT, request.size = 3;
  CHECK(tuile_session_answer_device(session, &request, &answer, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_device_request_init(NULL, sizeof request) == TUILE_E_ARGUMENT);
  CHECK(tuile_device_answer_init(&answer, 1) == TUILE_E_ARGUMENT);
  CHECK(tuile_device_answer_init(&answer, sizeof answer) == TUILE_OK);
  tuile_session_end(session);
  tuile_manager_close(manager);
}

static tuile_status opening(const tuile_config *config) {
  tuile_status status = tuile_manager_open(config, &manager, &error);
  if (status == TUILE_OK) tuile_manager_close(manager);
  return status;
}

static void configurations(void) {
  tuile_config right = device_config("memory:"), wrong;
  CHECK(opening(&right) == TUILE_OK);
#define WRONG(...)                                \
  do {                                            \
    wrong = right;                                \
    __VA_ARGS__;                                  \
    CHECK(opening(&wrong) == TUILE_E_ARGUMENT);   \
  } while (0)
  WRONG(wrong.cookie_secure = false);
  WRONG(wrong.cookie_partitioned = true);
  WRONG(wrong.url_sessions = true);
  WRONG(wrong.store = text("cookie:"));
  WRONG(wrong.secret = (tuile_bytes){NULL, 0});
  WRONG(wrong.device_binding = (tuile_device_binding)3);
  WRONG(wrong.device_seconds = 0);
  WRONG(wrong.device_seconds = 86401);
  WRONG(wrong.device_seconds = INT64_MIN);
  static const char *const paths[] = {"", "device", "//host/device", "/a b", "/a\"", "/a\\", "/a?b", "/a#b", "/\xC3\xA9", "/a\n"};
  for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) WRONG(wrong.device_path = text(paths[i]));
  WRONG(wrong.device_path = (tuile_bytes){NULL, 1});
  WRONG(wrong.cookie_path = text("/app"));
  WRONG(wrong.cookie_path = text("/app"), wrong.device_path = text("/apple"));
  WRONG(wrong.cookie_path = (tuile_bytes){NULL, 0});
  wrong = right, wrong.cookie_name = text("a name"), wrong.cookie_skip_rules = TUILE_RULE_NAME;
  CHECK(opening(&wrong) == TUILE_E_SYNTAX);
  wrong = right, wrong.cookie_path = text("/app"), wrong.device_path = text("/app/device");
  CHECK(opening(&wrong) == TUILE_OK);

  /* Names: a prefix as the scope allows it, and one alone. */
  static const struct { const char *name, *domain, *path, *bound; } names[] = {
    {"sid", "", "/", "__Host-sid-bound="}, {"__Host-sid", "", "/", "__Host-sid-bound="},
    {"__Secure-sid", "example.com", "/", "__Secure-sid-bound="}, {"sid", "", "/device-bound-session", "__Secure-sid-bound="},
  };
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
    tuile_config config = right;
    config.cookie_name = text(names[i].name), config.cookie_domain = text(names[i].domain), config.cookie_path = text(names[i].path);
    open_manager(&config);
    struct browser browser = bound();
    CHECK(strncmp(browser.bound, names[i].bound, strlen(names[i].bound)) == 0);
    CHECK(!strstr(answered.body, "\"include_site\":true") == !names[i].domain[0]);
    CHECK(visit(&browser) == TUILE_OK);
    tuile_manager_close(manager);
  }
}

/* By call alone; off: nothing of it, not by an octet. */
static void switches(void) {
  tuile_config config = device_config("memory:");
  config.device_binding = TUILE_DEVICE_BINDING_CALL;
  open_manager(&config);
  struct browser browser = {0};
  login(&browser, "ada");
  CHECK(!browser.offered[0]);
  tuile_session *session = start(&browser);
  CHECK(tuile_session_offer_device_binding(session, &error) == TUILE_OK);
  CHECK(commit(session, &browser) == TUILE_OK);
  CHECK(browser.offered[0]);
  CHECK(answered.set_cookies == 0);
  CHECK(register_device(&browser, &own) == 200);
  CHECK(visit(&browser) == TUILE_OK);
  struct browser none = {0};
  session = start(&none);
  CHECK(tuile_session_offer_device_binding(session, &error) == TUILE_ABSENT);
  CHECK(commit(session, &none) == TUILE_OK);
  CHECK(!none.offered[0]);
  tuile_manager_close(manager);

  config.device_binding = TUILE_DEVICE_BINDING_OFF;
  open_manager(&config);
  browser = (struct browser){0};
  login(&browser, "ada");
  CHECK(!browser.offered[0]);
  session = start(&browser);
  CHECK(tuile_session_offer_device_binding(session, &error) == TUILE_E_ARGUMENT);
  tuile_device_request request = TUILE_DEVICE_REQUEST_INIT;
  tuile_device_answer answer = TUILE_DEVICE_ANSWER_INIT;
  CHECK(tuile_session_answer_device(session, &request, &answer, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_session_refuse(session, &request, &answer, &error) == TUILE_ABSENT);
  tuile_session_end(session);
  tuile_manager_close(manager);
}

int main(int argc, char **argv) {
  CHECK(argc > 1);
  const char *folder = argv[1];
  own = device_es256(), other = device_es256();
  char url[4200];
  whole("memory:");
  snprintf(url, sizeof url, "sqlite://%s/sessions.db", folder);
  whole(url);
  snprintf(url, sizeof url, "file://%s/sessions", folder);
  whole(url);
  refusals();
  configurations();
  switches();
  puts("ok");
  return 0;
}
