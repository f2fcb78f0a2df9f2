/* Requests, as scripts of words:
 *   load add append set restore remove clear cycle login flush owner revoke others commit again
 * `login` is cycle_key and a user; `revoke` ends all of the owner's sessions, `others` all
 * but this one; `again` commits once more if the commit before failed. Request i adds
 * 10^i to "n", appends i to "log" and sets "x" to i, so that what is stored tells who
 * was here, and how often. Every session of a visitor has the "secret" of the first one. */
#include "model.h"

struct progress progress[most_requests];
char first_id[41], browser[41];
static tuile_manager *managers[most_processes];
static tuile_session *sessions[most_requests];
static char kept[most_requests][41]; /* the ID that `others` left */

int request_count(void) {
  int count = 0;
  while (count < most_requests && scenario->requests[count].script) count++;
  return count;
}

const char *request_name(int i) {
  static char names[most_requests][40];
  if (i == outside) return "outside";
  snprintf(names[i], sizeof names[i], "%c (%s%s)", 'A' + i, scenario->requests[i].script, scenario->requests[i].stranger ? ", old ID" : "");
  return names[i];
}

static size_t next_word(const char **script, char *word, size_t size) {
  *script += strspn(*script, " ");
  size_t length = strcspn(*script, " ");
  snprintf(word, size, "%.*s", (int)length, *script);
  *script += length;
  return length;
}

bool has_word(int i, const char *wanted) {
  char word[16];
  const char *script = scenario->requests[i].script;
  while (next_word(&script, word, sizeof word))
    if (strcmp(word, wanted) == 0) return true;
  return false;
}

int64_t grace_seconds(void) { return scenario->no_grace ? 0 : scenario->grace ? scenario->grace : 5; }

int64_t number_in(const char *json, const char *name, int64_t absent) {
  char wanted[24];
  snprintf(wanted, sizeof wanted, "\"%s\":", name);
  const char *at = strstr(json, wanted);
  return at ? atoll(at + strlen(wanted)) : absent;
}

int digit(int64_t number, int place) {
  while (place-- > 0) number /= 10;
  return (int)(number % 10);
}

int times_in_log(const char *json, int request) {
  const char *at = strstr(json, "\"log\":[");
  int times = 0;
  for (at = at ? at + 7 : "]"; *at && *at != ']'; at++)
    if (*at == '0' + request) times++;
  return times;
}

int cycled_count(void) {
  int count = 0;
  for (int i = 0; i < request_count(); i++) count += progress[i].was_cycled;
  return count;
}

/* An old ID of a session shows what it did, for the grace. */
static bool leads_to(const char *id, const char *kept_id) {
  char pointer[160];
  const char *json = stored_json(back, id, false, NULL);
  snprintf(pointer, sizeof pointer, "\"_session_moved\":\"%.40s\"", kept_id);
  return json && strstr(json, pointer);
}

/* A logout ends the session wherever it is, if its ID led there still; else that ID alone.
 * Two new IDs at the same time make two sessions of one. */
bool logged_out(const char *id) {
  for (int i = 0; i < request_count(); i++) {
    const struct progress *p = &progress[i];
    if (!p->out_acknowledged || (kept[i][0] && (strcmp(kept[i], id) == 0 || leads_to(id, kept[i])))) continue;
    if (has_word(i, "flush") && (!p->out_found || scenario->no_grace || cycled_count() > 1) && strcmp(p->sent, id) != 0) continue;
    return true;
  }
  return false;
}

/* ---- what a request sees ---- */

/* The last request whose cycle_key was acknowledged before this one began, or -1. */
static int cycled_before(int i) {
  for (int j = 0; j < request_count(); j++)
    if (progress[j].was_cycled && progress[i].began_after[j] && strcmp(progress[j].sent, progress[i].sent) == 0) return j;
  return -1;
}

static void check_grace(int i, bool sees) {
  int j = cycled_before(i);
  if (j < 0 || progress[i].began_after_logout) return;
  int64_t grace = grace_seconds() * 1000000;
  bool clocks_agree = true;
  for (int p = 0; p < most_processes; p++) clocks_agree = clocks_agree && scenario->skew[p] == 0;
  bool anybody_out = false;
  for (int k = 0; k < request_count(); k++) anybody_out = anybody_out || progress[k].out_acknowledged || progress[k].flushing || progress[k].out_unknown;
  if (!sees && clocks_agree && !anybody_out && world_time < progress[j].commit_began + grace)
    broken(rule_grace, "%s comes %.3f s after cycle_key, and is not served", request_name(i),
           (double)(world_time - progress[j].commit_began) / 1e6);
  if (sees && progress[i].began_at > progress[j].commit_ended + grace)
    broken(rule_grace, "%s comes %.3f s after cycle_key, and is served", request_name(i),
           (double)(progress[i].began_at - progress[j].commit_ended) / 1e6);
}

static void look(int i) {
  tuile_bytes json;
  tuile_error error;
  if (tuile_session_json(sessions[i], &json, &error) != TUILE_OK || is_abandoned(i)) return;
  char seen[1000];
  snprintf(seen, sizeof seen, "%.*s", (int)json.size, (const char *)json.data);
  bool sees = strstr(seen, "secret") != NULL;
  progress[i].saw = progress[i].saw || sees;
  if (sees && progress[i].began_after_logout) broken(rule_back, "%s began after the logout, and sees %s", request_name(i), seen);
  if (strcmp(progress[i].sent, first_id) == 0 && !has_word(i, "login") && strstr(seen, "user"))
    broken(rule_told, "%s sees what was set under the new ID: %s", request_name(i), seen);
  check_grace(i, sees);
}

/* ---- what it does ---- */

static tuile_status collect(void *context, tuile_bytes name, tuile_bytes value) {
  struct progress *p = context;
  if (!equals(name, "Set-Cookie")) return TUILE_OK;
  const char *cookie = value.data;
  char header[400];
  snprintf(header, sizeof header, "%.*s", (int)value.size, cookie);
  p->deletes_cookie = strstr(header, "Max-Age=0") != NULL;
  const char *id = strchr(header, '=') + 1;
  snprintf(p->cookie, sizeof p->cookie, "%.*s", p->deletes_cookie ? 0 : (int)strcspn(id, ";"), id);
  return TUILE_OK;
}

static void count_outcome(struct progress *p, tuile_status status, bool modified) {
  bool unknown = strcmp(tuile_status_name(status), "TUILE_E_UNKNOWN") == 0;
  if (status == TUILE_OK) {
    if (modified) p->outcome = outcome_saved;
  } else if (p->outcome == outcome_unknown || p->outcome == outcome_saved) {
    return;
  } else {
    p->outcome = unknown ? outcome_unknown : status == TUILE_DELETED ? outcome_deleted : outcome_failed;
  }
}

static tuile_status commit(int i) {
  struct progress *p = &progress[i];
  tuile_error error = {0};
  bool modified = tuile_session_modified(sessions[i]);
  if (p->cycles && !p->commit_began) p->commit_began = world_time;
  tuile_status status = tuile_session_commit(sessions[i], 200, collect, p, &error);
  if (is_abandoned(i)) return TUILE_OK;
  observe((uint64_t)status);
  trace("%-18s commit: %s %s", request_name(i), tuile_status_name(status), error.message);
  if (p->cycles && status == TUILE_OK) p->commit_ended = world_time;
  count_outcome(p, status, modified);
  if (status == TUILE_OK && modified && p->wrote_after_logout && p->saw && !p->out_acknowledged)
    broken(rule_saved, "%s wrote after the logout, and was told that it is saved", request_name(i));
  return status;
}

static void log_out(int i, const char *word) {
  struct progress *p = &progress[i];
  tuile_error error = {0};
  tuile_status status;
  tuile_bytes id;
  p->flushing = true;
  if (strcmp(word, "flush") == 0) {
    status = tuile_session_flush(sessions[i], &error);
  } else {
    bool all = strcmp(word, "revoke") == 0;
    if (!all && tuile_session_id(sessions[i], &id) == TUILE_OK)
      snprintf(kept[i], sizeof kept[i], "%.*s", (int)id.size, (const char *)id.data);
    status = tuile_manager_revoke_all(managers[scenario->requests[i].process], text("ada"), all ? NULL : sessions[i], NULL, &error);
  }
  p->flushing = false;
  if (is_abandoned(i)) {
    p->out_unknown = true;
    return;
  }
  observe((uint64_t)status);
  trace("%-18s %s: %s %s", request_name(i), word, tuile_status_name(status), error.message);
  if (status == TUILE_OK) p->out_acknowledged = true;
  else p->out_unknown = true;
}

static bool do_word(int i, const char *word, tuile_status *committed) {
  tuile_session *s = sessions[i];
  struct progress *p = &progress[i];
  tuile_error e;
  tuile_bytes id;
  tuile_status status = TUILE_OK;
  int64_t sum, step = 1;
  char value[8];
  snprintf(value, sizeof value, "%d", i);
  for (int place = 0; place < i; place++) step *= 10;
  if (strcmp(word, "load") == 0) look(i);
  else if (strcmp(word, "add") == 0) status = tuile_session_add_int(s, text("n"), step, &sum, &e);
  else if (strcmp(word, "restore") == 0) status = tuile_session_set_int(s, text("x"), 9, &e); /* as it was at first */
  else if (strcmp(word, "append") == 0) status = tuile_session_append(s, text("log"), text(value), &e);
  else if (strcmp(word, "set") == 0) status = tuile_session_set_int(s, text("x"), i, &e);
  else if (strcmp(word, "remove") == 0) status = tuile_session_remove(s, text("x"), &e);
  else if (strcmp(word, "clear") == 0) status = tuile_session_clear(s, &e);
  else if (strcmp(word, "owner") == 0) status = tuile_session_set_owner(s, text("ada"), &e);
  else if (strcmp(word, "cycle") == 0 || strcmp(word, "login") == 0) {
    status = tuile_session_cycle_id(s, &e);
    p->cycles = status == TUILE_OK;
    if (status == TUILE_OK && word[0] == 'l') status = tuile_session_set_int(s, text("user"), i, &e);
  } else if (strcmp(word, "flush") == 0 || strcmp(word, "revoke") == 0 || strcmp(word, "others") == 0) log_out(i, word);
  else if (strcmp(word, "commit") == 0) *committed = commit(i);
  else if (strcmp(word, "again") == 0) {
    if (*committed < 0) *committed = commit(i);
  } else CHECK(!"a word of a script");
  if (p->cycles && *committed == TUILE_OK && p->outcome == outcome_saved) p->was_cycled = true;
  if (tuile_session_id(s, &id) == TUILE_OK) observe(id.size);
  /* Where the store gives no answer the visitor gets an error page, without a commit. */
  return status >= 0 || status == TUILE_E_TYPE;
}

static void receive_response(int i) {
  struct progress *p = &progress[i];
  struct op op = {.kind = op_respond};
  if (coroutine_wait(&op) == fault_crash) abandon(i);
  if (is_abandoned(i) || scenario->requests[i].stranger) return;
  bool is_newer = strcmp(browser, p->sent) != 0;
  /* A cookie that only repeats the one that was sent, or deletes it, can overtake that of a
   * login on its way: no server can know, and so it is no server's fault. */
  if (p->cookie[0] && !(is_newer && strcmp(p->cookie, p->sent) == 0)) strcpy(browser, p->cookie);
  if (p->deletes_cookie && !is_newer) browser[0] = 0;
}

void request_body(int i) {
  struct progress *p = &progress[i];
  char word[16], cookie[64];
  const char *script = scenario->requests[i].script;
  tuile_status committed = TUILE_OK;
  p->begun = true, p->began_at = world_time;
  strcpy(p->sent, scenario->requests[i].stranger ? first_id : browser);
  p->began_after_logout = logged_out(p->sent);
  for (int j = 0; j < request_count(); j++) p->began_after[j] = progress[j].ended && !progress[j].crashed;
  trace("%-18s begins", request_name(i));
  snprintf(cookie, sizeof cookie, "sessionid=%s", p->sent);
  CHECK(tuile_session_start(managers[scenario->requests[i].process], text(cookie), (tuile_bytes){NULL, 0}, &sessions[i], NULL) == TUILE_OK);
  CHECK(sessions[i]);
  while (next_word(&script, word, sizeof word) && !is_abandoned(i))
    if (!do_word(i, word, &committed)) break;
  if (!is_abandoned(i) && p->cookie[0] && strcmp(p->sent, first_id) == 0 && !p->cycles && maker_of(p->cookie) != i && maker_of(p->cookie) != outside)
    broken(rule_told, "%s is told the ID that another request made", request_name(i));
  if (!is_abandoned(i)) receive_response(i);
  p->crashed = is_abandoned(i);
  p->ended = true;
  if (!p->crashed) trace("%-18s ends%s", request_name(i), p->cookie[0] ? ", with a cookie" : "");
  tuile_session_end(sessions[i]);
  sessions[i] = NULL;
}

/* ---- the world around them ---- */

static tuile_manager *open_manager(const char *url, const char *previous, int process) {
  static int numbers[most_processes] = {0, 1, 2};
  tuile_config config = TUILE_CONFIG_INIT;
  tuile_manager *manager;
  tuile_error error = {0};
  config.secret = text("a secret of the model's, thirty-two"), config.store = text(url);
  if (previous) config.previous_store = text(previous);
  config.clock = process_time, config.clock_context = &numbers[process];
  config.cycle_grace = grace_seconds();
  config.save_every_request = scenario->touches;
  if (tuile_manager_open(&config, &manager, &error) != TUILE_OK) {
    fprintf(stderr, "%s: %s\n", url, error.message);
    exit(1);
  }
  return manager;
}

static const char *url(void) { return scenario->store ? scenario->store : "model://back"; }

static void open_managers(void) {
  for (int i = 0; i < request_count(); i++) {
    int process = scenario->requests[i].process;
    if (!managers[process]) managers[process] = open_manager(url(), scenario->previous, process);
  }
}

/* Puts the visitor's session into the store where it is at first. */
void requests_setup(void) {
  tuile_bytes id;
  tuile_error error;
  stores_forget();
  store_is_strict = scenario->strict, store_is_blind = false;
  first_id[0] = 0;
  world_time = INT64_C(1700000000000000) + scenario->fraction;
  coroutines_reset();
  tuile_manager *manager = open_manager(scenario->previous ? scenario->previous : url(), NULL, 0);
  tuile_session *s = NULL;
  CHECK(tuile_session_start(manager, text(""), (tuile_bytes){NULL, 0}, &s, NULL) == TUILE_OK);
  CHECK(tuile_session_update(s, text("{\"secret\":1,\"n\":0,\"log\":[],\"x\":9}"), &error) == TUILE_OK);
  if (scenario->owned) CHECK(tuile_session_set_owner(s, text("ada"), &error) == TUILE_OK);
  CHECK(tuile_session_commit(s, 200, NULL, NULL, &error) == TUILE_OK);
  CHECK(tuile_session_id(s, &id) == TUILE_OK);
  snprintf(first_id, sizeof first_id, "%.*s", (int)id.size, (const char *)id.data);
  tuile_session_end(s);
  tuile_manager_close(manager);
  if (scenario->cold) stores_clear(front);
  stores_snapshot();
  store_is_blind = scenario->blind;
}

void requests_reset(void) {
  memset(progress, 0, sizeof progress);
  memset(kept, 0, sizeof kept);
  strcpy(browser, first_id);
  open_managers();
}

void requests_end(void) {
  for (int i = 0; i < most_processes; i++) {
    tuile_manager_close(managers[i]);
    managers[i] = NULL;
  }
}

const char *probe(int process, const char *id) {
  static char seen[1000];
  char cookie[64];
  tuile_bytes json;
  tuile_error error;
  probing_process = process;
  snprintf(cookie, sizeof cookie, "sessionid=%s", id);
  tuile_session *s = NULL;
  CHECK(tuile_session_start(managers[process], text(cookie), (tuile_bytes){NULL, 0}, &s, NULL) == TUILE_OK);
  bool answered = tuile_session_json(s, &json, &error) == TUILE_OK;
  if (answered) snprintf(seen, sizeof seen, "%.*s", (int)json.size, (const char *)json.data);
  tuile_session_end(s);
  probing_process = 0;
  return answered ? seen : NULL;
}
