/* Real threads and processes on a real store, and what they were answered:
 *   histories URL ROUNDS SEED [threads | blind]
 * A round is four sessions, and processes whose threads add, append, set and log out
 * at random; one process is stopped for a while, and one is killed. What each call was
 * answered stands in memory that all share. Afterwards every acknowledged addition and
 * appended value is there once, every unknown one at most once, and what was logged out
 * is gone for whoever came later. `threads`: one process, none killed. `blind`: a store
 * that does not compare, the control. */
#include "blind.h"
#include "check.h"

#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { sessions = 4, processes = 4, threads = 4, most = 40, workers = processes * threads };
enum what { do_add, do_append, do_set, do_flush };

struct record {
  enum what what;
  int session;
  bool saw;
  int invoked, committed, answered; /* by the shared clock; answered 0: nobody knows */
  tuile_status status;
};
static struct shared {
  atomic_int clock;
  char keys[sessions][41];
  int count[workers];
  struct record records[workers][most];
} *shared;
static const char *url;
static bool blind;
static unsigned int seed;
static tuile_store *store;
static tuile_manager *manager;
static long long operations, unknown, killed, logged_out;

static int tick(void) { return atomic_fetch_add(&shared->clock, 1) + 1; }

static unsigned int chance(unsigned int *state, unsigned int range) {
  *state = *state * 1664525u + 1013904223u;
  return (*state >> 8) % range;
}

static tuile_session *begin(int session) {
  char cookie[64];
  snprintf(cookie, sizeof cookie, "sessionid=%s", shared->keys[session]);
  tuile_session *s = tuile_session_begin(manager, text(cookie));
  CHECK(s);
  return s;
}

static void operate(int worker, int i, unsigned int *state) {
  struct record *r = &shared->records[worker][i];
  char token[24];
  int64_t value;
  unsigned int what = chance(state, 100);
  /* Sessions 0 and 1 live on; of the others some are logged out. */
  r->session = (int)chance(state, sessions);
  r->what = what < 45 ? do_add : what < 80 ? do_append : what < 96 || r->session < 2 ? do_set : do_flush;
  r->invoked = tick();
  shared->count[worker] = i + 1;
  tuile_session *s = begin(r->session);
  tuile_status status = tuile_session_get_int(s, text("marker"), &value, NULL);
  r->saw = status == TUILE_OK;
  if (r->saw) {
    snprintf(token, sizeof token, "%d", worker * most + i + 1);
    if (r->what == do_add) status = tuile_session_add_int(s, text("n"), 1, &value, NULL);
    else if (r->what == do_append) status = tuile_session_append(s, text("log"), text(token), NULL);
    else if (r->what == do_set) status = tuile_session_set_int(s, text("last"), worker, NULL);
    else status = tuile_session_flush(s, NULL);
    r->committed = tick();
    if (status == TUILE_OK && r->what != do_flush) {
      status = tuile_session_commit(s, 200, NULL, NULL, NULL);
      /* An error: sometimes made again, which counts once. */
      for (int tries = 0; status < 0 && tries < (int)(worker % 4); tries++) status = tuile_session_commit(s, 200, NULL, NULL, NULL);
    }
  }
  r->status = status;
  atomic_thread_fence(memory_order_seq_cst);
  r->answered = tick();
  tuile_session_end(s);
}

struct worker {
  int number;
  unsigned int state;
};
static void *work(void *context) {
  struct worker *w = context;
  for (int i = 0; i < most; i++) operate(w->number, i, &w->state);
  return NULL;
}

static void run_process(int process, unsigned int round_seed) {
  pthread_t running[threads];
  struct worker all[threads];
  for (int t = 0; t < threads; t++) {
    all[t] = (struct worker){process * threads + t, round_seed + (unsigned int)(process * threads + t) * 7919u};
    CHECK(pthread_create(&running[t], NULL, work, &all[t]) == 0);
  }
  for (int t = 0; t < threads; t++) pthread_join(running[t], NULL);
}

static void pause_a_while(unsigned int microseconds) {
  nanosleep(&(struct timespec){microseconds / 1000000, (long)(microseconds % 1000000) * 1000}, NULL);
}

static void new_sessions(void) {
  tuile_bytes key;
  memset(shared, 0, sizeof *shared);
  for (int i = 0; i < sessions; i++) {
    tuile_session *s = tuile_session_begin(manager, text(""));
    CHECK(tuile_session_update(s, text("{\"marker\":1,\"n\":0,\"log\":[]}"), NULL) == TUILE_OK);
    tuile_status status = tuile_session_commit(s, 200, NULL, NULL, NULL);
    /* The server may be away for a while. */
    for (int tries = 0; status < 0 && tries < 600; tries++) {
      pause_a_while(100000);
      status = tuile_session_commit(s, 200, NULL, NULL, NULL);
    }
    CHECK(status == TUILE_OK && tuile_session_key(s, &key) == TUILE_OK);
    snprintf(shared->keys[i], sizeof shared->keys[i], "%.*s", (int)key.size, (const char *)key.data);
    tuile_session_end(s);
  }
}

static int broken(const char *what, int session, int a, int b) {
  fprintf(stderr, "%s, seed %u: session %d: %s (%d, %d)\n", url, seed, session, what, a, b);
  return 1;
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

/* The first moment at which a logout of that session was known to be done; 0: there was none. */
static int logout_of(int session, bool *maybe) {
  int first = 0;
  *maybe = false;
  for (int w = 0; w < workers; w++)
    for (int i = 0; i < shared->count[w]; i++) {
      const struct record *r = &shared->records[w][i];
      if (r->session != session || r->what != do_flush) continue;
      if (!r->answered || r->status < 0) *maybe = true;
      else if (r->saw && r->status == TUILE_OK && (!first || r->answered < first)) first = r->answered;
    }
  return first;
}

static int check_session(int session) {
  bool maybe_out;
  int bad = 0, out = logout_of(session, &maybe_out), least = 0, most_of = 0;
  int64_t n = -1;
  char log[16384] = "";
  tuile_bytes json;
  tuile_session *s = begin(session);
  tuile_status status = tuile_session_get_int(s, text("n"), &n, NULL);
  for (int tries = 0; status < 0 && tries < 600; tries++) {
    tuile_session_end(s);
    pause_a_while(100000);
    s = begin(session);
    status = tuile_session_get_int(s, text("n"), &n, NULL);
  }
  bool there = status == TUILE_OK;
  if (tuile_session_get_json(s, text("log"), &json, NULL) == TUILE_OK) snprintf(log, sizeof log, "%.*s", (int)json.size, (const char *)json.data);
  if (out) logged_out++;
  if (out && there) bad += broken("it is back after its logout", session, out, (int)n);
  if (!out && !maybe_out && !there) bad += broken("it is gone, and nobody has logged out", session, 0, 0);
  for (int w = 0; w < workers; w++)
    for (int i = 0; i < shared->count[w]; i++) {
      const struct record *r = &shared->records[w][i];
      if (r->session != session) continue;
      operations++;
      bool open = !r->answered || r->status < 0, done = !open && r->status == TUILE_OK && r->saw;
      if (open) unknown++;
      if (out && r->saw && r->invoked > out) bad += broken("it was seen after its logout", session, r->invoked, out);
      if (out && done && r->what != do_flush && r->committed > out) bad += broken("it was saved after its logout", session, r->committed, out);
      if (r->what == do_add) least += done, most_of += done || open;
      if (r->what != do_append || !there) continue;
      int times = times_of(log + 1, w * most + i + 1);
      if (times > 1) bad += broken("a value was appended more than once", session, w * most + i + 1, times);
      if (done && times == 0) bad += broken("an appended value is lost", session, w * most + i + 1, 0);
      if (!done && !open && times > 0) bad += broken("a value was appended that was refused", session, w * most + i + 1, times);
    }
  if (there && n < least) bad += broken("additions are lost: there are, and were acknowledged", session, (int)n, least);
  if (there && n > most_of) bad += broken("there are more additions than were made", session, (int)n, most_of);
  tuile_session_end(s);
  return bad;
}

static void run_round(unsigned int round_seed, bool alone) {
  pid_t pids[processes];
  unsigned int state = round_seed ^ 0x5EEDu;
  if (alone) {
    run_process(0, round_seed);
    return;
  }
  fflush(stdout);
  for (int p = 0; p < processes; p++) {
    pids[p] = fork();
    CHECK(pids[p] >= 0);
    if (pids[p] == 0) run_process(p, round_seed), _exit(0);
  }
  pause_a_while(500 + chance(&state, 20000));
  kill(pids[0], SIGSTOP);
  pause_a_while(500 + chance(&state, 20000));
  kill(pids[1], SIGKILL);
  kill(pids[0], SIGCONT);
  for (int p = 0; p < processes; p++) {
    int status;
    CHECK(waitpid(pids[p], &status, 0) == pids[p]);
    if (WIFSIGNALED(status)) {
      CHECK(p == 1 && WTERMSIG(status) == SIGKILL);
      killed++;
    } else {
      CHECK(WEXITSTATUS(status) == 0);
    }
  }
}

int main(int argc, char **argv) {
  CHECK(argc > 3);
  url = argv[1], seed = (unsigned int)strtoul(argv[3], NULL, 10);
  bool alone = argc > 4 && strcmp(argv[4], "threads") == 0;
  blind = argc > 4 && strcmp(argv[4], "blind") == 0;
  shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  CHECK(shared != MAP_FAILED);
  store = open_store(text(url).data, blind);
  manager = open_manager(store);
  int bad = 0;
  for (int round = 0; round < atoi(argv[2]) && !bad; round++, seed++) {
    new_sessions();
    run_round(seed, alone);
    for (int i = 0; i < sessions; i++) bad += check_session(i);
  }

  printf("%lld operations, %lld with an unknown end, %lld processes killed, %lld sessions logged out: %d broken\n", operations, unknown,
         killed, logged_out, bad);
  tuile_manager_close(manager);
  tuile_store_close(store);
  CHECK(operations > 0);
  return bad != 0;
}
