/* What docs/sessions.md and docs/concurrency.md promise, asked at each step and at the end. */
#include "model.h"

const char *const rule_names[rule_count] = {
    "a change is lost", "a change is made twice", "a failed commit was applied", "back after a logout", "saved after a logout",
    "logged out by nobody", "a session without a cookie", "the old ID is told the new one's", "the old ID writes into the new one's",
    "the grace is not as set", "no end"};

void rules_write(const struct op *op) {
  struct progress *p = &progress[current];
  char key[41];
  if (op->kind != op_load && op->kind != op_owned && op->store != front && logged_out(p->sent)) p->wrote_after_logout = true;
  if (op->store == front || p->flushing || (op->kind != op_replace && op->kind != op_put && op->kind != op_touch)) return;
  snprintf(key, sizeof key, "%.*s", (int)op->key.size, (const char *)op->key.data);
  int maker = maker_of(key);
  if (maker == outside || maker == current || strcmp(key, p->sent) == 0) return;
  broken(rule_written, "%s came with an old ID, and writes under the new one of %s", request_name(current), request_name(maker));
}

void rules_answer(const struct op *op, tuile_status status) {
  struct progress *p = &progress[current];
  if (p->flushing && op->kind == op_load && status == TUILE_OK && equals(op->key, p->sent)) p->out_found = true;
}

/* ---- at the end ---- */

static bool anybody(const char *word) {
  for (int i = 0; i < request_count(); i++)
    if (has_word(i, word)) return true;
  return false;
}
static bool anybody_logs_out(void) { return anybody("flush") || anybody("revoke") || anybody("others"); }
static bool anybody_crashed(void) {
  for (int i = 0; i < request_count(); i++)
    if (progress[i].crashed) return true;
  return false;
}

/* A request that only begins past the grace finds nothing under its ID, and makes a session of
 * its own, whose cookie takes the place of the login's: as with any ID that has ended. */
static bool anybody_too_late(void) {
  bool past = scenario->no_grace || world_time >= INT64_C(1700000000000000) + scenario->fraction + grace_seconds() * 1000000;
  int cycled = cycled_count();
  for (int i = 0; past && i < request_count(); i++)
    if (cycled > progress[i].cycles && progress[i].cookie[0] && strcmp(progress[i].cookie, progress[i].sent) != 0) return true;
  return false;
}

static const char *session_of(const char *id) {
  const char *json = id[0] ? stored_json(back, id, true, NULL) : NULL;
  /* While it is being moved, it is where it was. */
  return (json && json[0] != '~') || !id[0] ? json : stored_json(old, id, true, NULL);
}

static void check_most(int i, int times, const char *json) {
  const struct progress *p = &progress[i];
  bool may_be = p->crashed || p->outcome == outcome_saved || p->outcome == outcome_unknown;
  if (times > 0 && !may_be) broken(rule_failed, "%s was not saved, as it was told, and is in %s", request_name(i), json);
  if (times > 1) broken(rule_twice, "%s made one change, and it is there %d times: %s", request_name(i), times, json);
}

static int times_of(int i, const char *json) {
  return has_word(i, "append") ? times_in_log(json, i) : digit(number_in(json, "n", 0), i);
}

static bool changes(int i) { return has_word(i, "add") || has_word(i, "append"); }

/* No session has a change more often than it was made, or at all if it failed. */
static void check_all_sessions(void) {
  char key[41];
  for (int s = 0; s < store_count; s++)
    for (int k = 0; s != front && stored_key((enum store_name)s, k); k++) {
      snprintf(key, sizeof key, "%s", stored_key((enum store_name)s, k));
      const char *json = stored_json((enum store_name)s, key, false, NULL);
      for (int i = 0; json && i < request_count(); i++)
        if (changes(i)) check_most(i, times_of(i, json), json);
    }
}

static bool others_remove(int i) {
  for (int j = 0; j < request_count(); j++)
    if (j != i && has_word(j, "remove") && (progress[j].crashed || progress[j].outcome == outcome_saved || progress[j].outcome == outcome_unknown)) return true;
  return false;
}

/* "x" is 9 at first; request i sets it to i, or back to 9, or removes it. */
static void check_value(const char *json) {
  int x = (int)number_in(json, "x", -1);
  unsigned int written = 0, sure = 0; /* requests that may have written it, and those that have */
  bool fits = x == 9;
  for (int i = 0; i < request_count(); i++) {
    const struct progress *p = &progress[i];
    bool saved = p->outcome == outcome_saved && !p->crashed;
    if (!has_word(i, "set") && !has_word(i, "restore") && !has_word(i, "remove")) continue;
    if (saved) sure |= BIT(i);
    if (saved || p->crashed || p->outcome == outcome_unknown) written |= BIT(i);
    if (saved && has_word(i, "restore") && x != 9)
      broken(rule_lost, "%s was the last to set x, and it is %d: %s", request_name(i), x, json);
    if (p->outcome == outcome_failed && (has_word(i, "set") ? x == i : has_word(i, "remove") && x == -1 && !others_remove(i))) {
      broken(rule_failed, "%s was not saved, as it was told, and x is %d in %s", request_name(i), x, json);
      return;
    }
    fits = fits || (x == -1 && has_word(i, "remove") && (written & BIT(i))) || (x == i && has_word(i, "set") && (written & BIT(i)));
  }
  if (!fits || (x == 9 && sure && !anybody("restore")))
    broken(rule_lost, "what was set or removed last is not there: x is %d in %s", x, json);
}

static void check_changes(void) {
  check_all_sessions();
  if (anybody_logs_out() || anybody("clear") || anybody_too_late()) return;
  const char *json = session_of(browser);
  if (!json) return; /* said by check_browser */
  char home[1000];
  snprintf(home, sizeof home, "%s", json);
  /* A login that crashes without a grace leaves its visitor with another session. */
  if (!strstr(home, "secret") && anybody_crashed()) return;
  /* Two IDs for one session at once are two sessions, each with its own changes. */
  if (cycled_count() > 1) return;
  for (int i = 0; i < request_count(); i++)
    if (changes(i) && !progress[i].crashed && progress[i].outcome == outcome_saved && times_of(i, home) == 0)
      broken(rule_lost, "%s was saved, and is not in %s", request_name(i), home);
  check_value(home);
}

static void check_browser(bool too_late) {
  if (anybody_logs_out() || anybody_crashed() || anybody("clear") || too_late) return;
  const char *json = browser[0] ? probe(scenario->requests[0].process, browser) : "{}";
  if (json && !strstr(json, "secret"))
    broken(rule_logged_out, "nobody logged out, and the browser's cookie shows %s", json);
}

static bool was_told(const char *key) {
  if (strcmp(key, first_id) == 0) return true;
  for (int i = 0; i < request_count(); i++)
    if (!progress[i].crashed && strcmp(progress[i].cookie, key) == 0) return true;
  return false;
}

static void check_orphans(void) {
  for (int k = 0; stored_key(back, k); k++) {
    int64_t expires = 0;
    char key[41];
    snprintf(key, sizeof key, "%s", stored_key(back, k));
    const char *json = stored_json(back, key, false, &expires);
    int maker = maker_of(key);
    if (!json || expires < world_time + 120000000 || was_told(key) || maker == outside || progress[maker].crashed) continue;
    broken(rule_orphan, "nobody was told of the session that %s made: %s", request_name(maker), json);
  }
}

/* Whatever ID there ever was: it shows nothing after a logout, and an old one nothing after the grace. */
static void check_ids(char (*ids)[41], int count, bool past_grace) {
  for (int i = 0; i < count; i++) {
    /* What is left under an ID that nobody knows is of no use to anybody; check_orphans asks whether it may be. */
    if (!was_told(ids[i])) continue;
    bool out = logged_out(ids[i]);
    bool old_one = past_grace && cycled_count() > 0 && strcmp(ids[i], first_id) == 0;
    if (!out && !old_one) continue;
    for (int r = 0; r < request_count(); r++) {
      const char *json = probe(scenario->requests[r].process, ids[i]);
      if (!json || !strstr(json, "secret")) continue;
      if (out) broken(rule_back, "after the logout an ID shows %s to the process of %s", json, request_name(r));
      else broken(rule_grace, "after the grace the old ID shows %s to the process of %s", json, request_name(r));
    }
  }
}

static int all_ids(char (*ids)[41]) {
  int count = 0;
  strcpy(ids[count++], first_id);
  for (int s = 0; s < store_count; s++)
    for (int k = 0; stored_key((enum store_name)s, k); k++) {
      const char *key = stored_key((enum store_name)s, k);
      bool known = false;
      for (int i = 0; i < count; i++) known = known || strcmp(ids[i], key) == 0;
      if (!known) strcpy(ids[count++], key);
    }
  return count;
}

void rules_check_end(void) {
  char ids[store_count * most_records + 1][41];
  int64_t end = world_time, grace = grace_seconds() * 1000000;
  const int64_t later[] = {0, 1500000, grace + 1500000, grace + 11500000, 62000000, 305000000};
  bool simple = !scenario->store && !scenario->previous;
  int count = all_ids(ids);
  bool too_late = anybody_too_late();
  front_away = false;
  check_changes();
  check_orphans();
  for (size_t t = 0; t < sizeof later / sizeof *later; t++) {
    if (simple && t != 0 && t != 2) continue;
    world_time = end + later[t];
    check_ids(ids, count, later[t] > grace);
    if (later[t] > grace) check_browser(too_late);
  }
}

uint64_t rules_hash(void) {
  uint64_t hash = mix_bytes(3, progress, sizeof progress);
  return mix_bytes(hash, browser, strlen(browser));
}
