/* What was answered against what is stored. */
#include "histories.h"

static int broken(const char *what, int session, int a, int b) {
  fprintf(stderr, "%s, seed %u: session %d: %s (%d, %d)\n", mode.url, mode.seed, session, what, a, b);
  return 1;
}

/* Nobody knows whether it was made: no answer came, or one that says so. */
static bool is_open(const struct record *r) { return r->tried && (!r->answered || (r->status < 0 && r->unknown)); }
/* A cycle that failed may be made by what comes late, and a login whose list could not be written is stored. */
static bool is_open_cycle(const struct record *r) { return r->what == do_cycle && r->tried && (!r->answered || r->status < 0); }
static bool is_done(const struct record *r) { return r->tried && r->answered && r->status == TUILE_OK; }
static bool adds(const struct record *r) { return r->what == do_add || r->what == do_cycle; }
static bool may_count(const struct record *r) { return is_done(r) || is_open(r) || is_open_cycle(r); }

#define EACH_RECORD(r, of)                               \
  for (int w_ = 0; w_ < workers; w_++)                   \
    for (int i_ = 0; i_ < shared->count[w_]; i_++)       \
      for (const struct record *r = &shared->records[w_][i_]; r && r->session == (of); r = NULL)

static int number_of(const struct record *r) { return (int)(r - &shared->records[0][0]) + 1; }

/* Whether a new key may have come about at any moment between the two. */
static bool cycles_between(int session, int from, int until) {
  EACH_RECORD(r, session)
    if (r->what == do_cycle && r->tried && r->committed < until && (r->answered > from || is_open_cycle(r))) return true;
  return false;
}

/* The first moment at which a logout of that session was known to be done; 0: there was none. */
static int logout_of(int session, bool *maybe) {
  int first = 0;
  *maybe = false;
  EACH_RECORD(r, session) {
    if (r->what < do_flush) continue;
    /* What races with a login may count as before it, and with a key that was replaced there is nothing to end. */
    bool ends_all = (r->what == do_flush && mode.grace > 0) || !cycles_between(session, r->invoked, r->answered);
    if (is_done(r) && ends_all && (!first || r->answered < first)) first = r->answered;
    if (r->tried) *maybe = true;
  }
  return first;
}

static int times_of(const char *log, int token) {
  int times = 0;
  for (const char *at = log; *at && *at != ']';) {
    if (atoi(at) == token) times++;
    at += strcspn(at, ",]");
    if (*at == ',') at++;
  }
  return times;
}

/* What is stored in the end. */
struct stored {
  bool there;
  int64_t n, last;
  char log[16384];
};

static bool look(const char *key, struct stored *found) {
  tuile_bytes json;
  tuile_session *s;
  tuile_status status;
  memset(found, 0, sizeof *found);
  /* The server may be away for a while. */
  for (int tries = 0;; tries++) {
    s = begin(direct, key);
    status = tuile_session_get_int(s, text("n"), &found->n, NULL);
    if (status >= 0 || tries == 600) break;
    tuile_session_end(s);
    pause_a_while(100000);
  }
  CHECK(status >= 0);
  found->there = status == TUILE_OK;
  if (tuile_session_get_int(s, text("last"), &found->last, NULL) != TUILE_OK) found->last = 0;
  if (tuile_session_get_json(s, text("log"), &json, NULL) == TUILE_OK)
    snprintf(found->log, sizeof found->log, "%.*s", (int)json.size, (const char *)json.data);
  tuile_session_end(s);
  return found->there;
}

/* The additions: what a request saw, and what is there in the end. */
static int check_additions(int session, const struct stored *end) {
  int bad = 0, least = 0, most_of = 0;
  EACH_RECORD(a, session) if (adds(a)) least += is_done(a), most_of += may_count(a);
  if (end->there && end->n < least) bad += broken("additions are lost: there are, and were acknowledged", session, (int)end->n, least);
  if (end->there && end->n > most_of) bad += broken("there are more additions than were made", session, (int)end->n, most_of);
  for (int w = 0; w < workers; w++)
    for (int i = 0; i < shared->count[w]; i++) {
      const struct record *r = &shared->records[w][i];
      if (r->session != session || r->n < 0) continue;
      int before = 0, by_then = 0;
      EACH_RECORD(a, session) {
        if (!adds(a) || a == r) continue;
        before += is_done(a) && a->answered < r->invoked && (a->what == do_cycle ? a->key < r->key : a->key <= r->key);
        /* What was made without an answer, and deleted then, is DELETED. */
        bool may_have_been = may_count(a) || (a->status == TUILE_DELETED && a->tried && (mode.faults || mode.outage));
        by_then += may_have_been && a->committed && a->committed < r->loaded;
      }
      if (r->n < before) bad += broken("a request saw fewer additions than were acknowledged before", session, (int)r->n, before);
      if (r->n > by_then) bad += broken("a request saw more additions than were begun", session, (int)r->n, by_then);
    }
  return bad;
}

/* `last`: set and removed; whatever stands there must not be older than what was acknowledged later. */
static int check_last(int session, const struct stored *end) {
  const struct record *writer = NULL;
  bool may_be_none = true;
  if (!end->there) return 0;
  EACH_RECORD(r, session) if (r->what == do_set && number_of(r) == end->last) writer = r;
  if (end->last && (!writer || !may_count(writer))) return broken("a value that nobody has set, or that was refused", session, (int)end->last, 0);
  EACH_RECORD(r, session) {
    if ((r->what != do_set && r->what != do_remove) || !is_done(r) || r == writer) continue;
    if (end->last && is_done(writer) && r->committed > writer->answered)
      return broken("a value that was set or removed later is lost", session, number_of(r), (int)end->last);
    if (!end->last && r->what == do_set) {
      /* Some removal, which may have come after it. */
      may_be_none = false;
      EACH_RECORD(x, session)
        if (x->what == do_remove && (is_open(x) || (is_done(x) && x->answered > r->committed))) may_be_none = true;
      if (!may_be_none) return broken("a value that was set is lost", session, number_of(r), 0);
    }
  }
  return 0;
}

static int check_log(int session, const struct stored *end) {
  int bad = 0;
  if (!end->there) return 0;
  EACH_RECORD(r, session) {
    if (r->what != do_append) continue;
    int times = times_of(end->log + 1, number_of(r));
    if (times > 1) bad += broken("a value was appended more than once", session, number_of(r), times);
    if (is_done(r) && times == 0) bad += broken("an appended value is lost", session, number_of(r), 0);
    if (!may_count(r) && times > 0) bad += broken("a value was appended that was refused", session, number_of(r), times);
  }
  return bad;
}

/* Sessions under keys that no browser has. */
struct strays {
  int session, count, size;
  char keys[64][41];
};
static bool take_stray(void *context, tuile_bytes key, int64_t expires) {
  struct strays *strays = context;
  (void)expires;
  for (int i = 0; i < sessions; i++)
    for (int k = 0; k < shared->sessions[i].count; k++)
      if (equals(key, shared->sessions[i].keys[k])) return true;
  CHECK(strays->size < 64);
  CHECK(key.size < sizeof strays->keys[0]);
  snprintf(strays->keys[strays->size++], sizeof strays->keys[0], "%.*s", (int)key.size, (const char *)key.data);
  return true;
}

static int check_strays(int session) {
  struct strays strays = {.session = session};
  int allowed = 0;
  int64_t marker;
  if (mode.blind) return 0; /* it can't tell its keys */
  tuile_status status = tuile_store_keys(direct_store, 1, take_stray, &strays, NULL);
  for (int tries = 0; status < 0 && tries < 600; tries++) {
    pause_a_while(100000);
    strays.size = 0;
    status = tuile_store_keys(direct_store, 1, take_stray, &strays, NULL);
  }
  CHECK(status == TUILE_OK);
  for (int i = 0; i < strays.size; i++) {
    tuile_session *s = begin(direct, strays.keys[i]);
    bool shows = tuile_session_get_int(s, text("marker"), &marker, NULL) == TUILE_OK;
    tuile_session_end(s);
    if (shows && marker != shared->sessions[session].marker) continue;
    strays.count += shows;
    tuile_store_remove(direct_store, text(strays.keys[i]), NULL);
  }
  /* One for each commit of a login that got no answer, or, where the store fails, whose remains the store would not remove. */
  EACH_RECORD(r, session) {
    if (r->what != do_cycle || !r->tried) continue;
    bool failing = !r->answered || mode.faults || mode.outage;
    if (failing) allowed += r->commits - (is_done(r) ? 1 : 0);
  }
  totals.orphans += strays.count;
  return strays.count > allowed ? broken("there are more sessions that no browser knows than logins that failed", session, strays.count, allowed) : 0;
}

static int check_answers(int session, int out) {
  int bad = 0;
  EACH_RECORD(r, session) {
    totals.operations++;
    if (is_open(r) || is_open_cycle(r)) totals.unknown++;
    if (r->what == do_cycle && is_done(r)) totals.cycled++;
    if (r->status < 0 && !mode.faults && !mode.outage) bad += broken("an error, and nothing was wrong", session, (int)r->status, number_of(r));
    if (!out) continue;
    if (r->saw && r->invoked > out) bad += broken("it was seen after its logout", session, r->invoked, out);
    if (is_done(r) && r->what < do_flush && r->committed > out) bad += broken("it was saved after its logout", session, r->committed, out);
  }
  return bad;
}

/* For whoever looks for the cause: all that was done to a session, in its order. */
static void print_records(int session) {
  static const char *const names[] = {"add", "append", "set", "remove", "cycle", "flush", "revoke"};
  for (int moment = 1; moment <= shared->clock; moment++)
    EACH_RECORD(r, session)
      if (r->invoked == moment)
        fprintf(stderr, "  %4d: %-6s key %d: %d to %d, %d, %d: %s%s%s, n %lld, %d commits: %s\n", number_of(r), names[r->what], r->key,
                r->invoked, r->loaded, r->committed, r->answered, r->saw ? "saw" : "saw nothing", r->tried ? ", tried" : "",
                r->unknown ? ", unknown" : "", (long long)r->n, r->commits, tuile_status_name(r->status));
}

int check_session(int session) {
  static struct stored end;
  const struct history *h = &shared->sessions[session];
  bool maybe_out;
  int out = logout_of(session, &maybe_out);
  int bad = check_answers(session, out);
  if (out) totals.logged_out++;
  look(h->keys[h->count - 1], &end);
  if (!out && !maybe_out && !end.there) {
    bool unsure = false;
    EACH_RECORD(r, session) if (is_open_cycle(r)) unsure = true;
    if (!unsure) bad += broken("it is gone, and nobody has logged out", session, 0, 0);
  }
  bad += check_additions(session, &end) + check_last(session, &end) + check_log(session, &end) + check_strays(session);
  for (int k = 0; k < h->count; k++) {
    if (out && look(h->keys[k], &end)) bad += broken("it is back after its logout, under its key of place", session, k, (int)end.n);
    tuile_store_remove(direct_store, text(h->keys[k]), NULL);
  }
  if (bad) print_records(session);
  return bad;
}
