/* Real threads and processes on a real store, and what they were answered:
 *   histories URL ROUNDS SEED [WORD...]
 * A round is four sessions, and workers that add, append, set, remove, log in (a new key), log out and end all sessions
 * of an owner at random, now and then with a key that was replaced. What each call was answered stands in memory that all
 * share; checker.c holds it against what is stored afterwards. One process is stopped for a while, and one is killed.
 *   threads      one process, none killed
 *   queue        the calls go through a queue, and to the store together
 *   faults       the URL has hot:// stores (faults.c), whose calls fail
 *   outage       the server, or the way to it, is troubled by somebody else; direct=URL: the way to it without troubles
 *   blind        a control: a store that does not compare
 *   twice        a control: a client that makes an addition again of which nobody knows whether it was made
 *   forget       a control: a client that takes an error for success
 * The controls have to be caught. */
#define _GNU_SOURCE
#include "blind.h"
#include "histories.h"

#include <libgen.h>
#include <limits.h>
#include <pthread.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

struct shared *shared;
struct mode mode;
struct totals totals;
tuile_manager *manager, *direct;
tuile_store *direct_store;

struct worker {
  int number;
  unsigned int seed;
};
static void *work(void *context) {
  struct worker *w = context;
  run_worker(w->number, w->seed);
  return NULL;
}

static void run_process(int first, int threads) {
  pthread_t running[workers];
  struct worker all[workers];
  open_queue();
  if (mode.queued && mode.faults) fail_all_calls(mode.seed + (unsigned int)first + 1);
  for (int t = 0; t < threads; t++) {
    all[t] = (struct worker){first + t, mode.seed + (unsigned int)(first + t) * 7919u};
    CHECK(pthread_create(&running[t], NULL, work, &all[t]) == 0);
  }
  for (int t = 0; t < threads; t++) pthread_join(running[t], NULL);
  close_queue();
  fail_all_calls(0);
  let_all_arrive();
}

static void new_session(int i) {
  struct history *h = &shared->sessions[i];
  tuile_bytes key;
  tuile_session *s = NULL;
  CHECK(tuile_session_start(direct, text(""), (tuile_bytes){NULL, 0}, &s, NULL) == TUILE_OK);
  h->marker = (int64_t)mode.seed * sessions + i;
  snprintf(h->owner, sizeof h->owner, "owner-%u-%d", mode.seed, i);
  CHECK(tuile_session_update(s, text("{\"n\":0,\"log\":[]}"), NULL) == TUILE_OK);
  CHECK(tuile_session_set_int(s, text("marker"), h->marker, NULL) == TUILE_OK);
  CHECK(mode.blind || tuile_session_set_owner(s, text(h->owner), NULL) == TUILE_OK);
  tuile_status status = tuile_session_commit(s, 200, NULL, NULL, NULL);
  /* The server may be away for a while. */
  for (int tries = 0; status < 0 && tries < 600; tries++) {
    pause_a_while(100000);
    status = tuile_session_commit(s, 200, NULL, NULL, NULL);
  }
  CHECK(status == TUILE_OK);
  CHECK(tuile_session_id(s, &key) == TUILE_OK);
  snprintf(h->keys[0], sizeof h->keys[0], "%.*s", (int)key.size, (const char *)key.data);
  h->count = 1;
  tuile_session_end(s);
}

static void run_round(void) {
  pid_t pids[processes];
  unsigned int state = mode.seed ^ 0x5EEDu;
  if (mode.alone) {
    run_process(0, workers);
    return;
  }
  fflush(stdout);
  for (int p = 0; p < processes; p++) {
    pids[p] = fork();
    CHECK(pids[p] >= 0);
    if (pids[p] == 0) run_process(p * (workers / processes), workers / processes), _exit(0);
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
      CHECK(p == 1);
      CHECK(WTERMSIG(status) == SIGKILL);
      totals.killed++;
    } else {
      CHECK(WEXITSTATUS(status) == 0);
    }
  }
}

/* A server that is away, or a way to it that is cut, as a store is opened: it is opened again, as a service is restarted. */
static tuile_store *open_at_last(const char *url) {
  tuile_store *opened;
  tuile_status status = tuile_store_open(text(url), &opened, NULL);
  for (int tries = 0; status == TUILE_E_STORE && tries < 600; tries++) {
    pause_a_while(100000);
    status = tuile_store_open(text(url), &opened, NULL);
  }
  CHECK(status == TUILE_OK);
  return opened;
}

static tuile_manager *open_for(tuile_store *store, int64_t grace) {
  tuile_config config = TUILE_CONFIG_INIT;
  tuile_manager *opened;
  config.secret = text("a secret that has its thirty-two bytes and more"), config.open_store = store, config.cycle_grace = grace;
  CHECK(tuile_manager_open(&config, &opened, NULL) == TUILE_OK);
  return opened;
}

int main(int argc, char **argv) {
  CHECK(argc > 3);
  const char *way = NULL;
  mode.url = argv[1], mode.seed = (unsigned int)strtoul(argv[3], NULL, 10);
  for (int i = 4; i < argc; i++) {
    if (strcmp(argv[i], "threads") == 0) mode.alone = true;
    else if (strcmp(argv[i], "blind") == 0) mode.blind = true;
    else if (strcmp(argv[i], "twice") == 0) mode.twice = true;
    else if (strcmp(argv[i], "forget") == 0) mode.forget = true;
    else if (strcmp(argv[i], "queue") == 0) mode.queued = true;
    else if (strcmp(argv[i], "faults") == 0) mode.faults = true;
    else if (strcmp(argv[i], "outage") == 0) mode.outage = true;
    else if (strncmp(argv[i], "direct=", 7) == 0) way = argv[i] + 7;
    else return fprintf(stderr, "what is %s?\n", argv[i]), 2;
  }
  if (mode.faults) {
    /* The module lies where the other tests' do. */
    char path[PATH_MAX], folder[PATH_MAX];
    CHECK(realpath(argv[0], path));
    CHECK(snprintf(folder, sizeof folder, "%s/../C/modules", dirname(path)) < PATH_MAX);
    CHECK(setenv("TUILE_MODULE_PATH", folder, 1) == 0);
  }
  shared = mmap(NULL, sizeof *shared, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  CHECK(shared != MAP_FAILED);
  tuile_store *store = mode.outage ? open_at_last(mode.url) : open_store(mode.url, mode.blind);
  direct_store = way ? open_at_last(way) : store;
  tuile_manager *all[] = {open_for(store, 0), open_for(store, 300)};
  direct = open_for(direct_store, 300);
  int bad = 0;
  for (int round = 0; round < atoi(argv[2]) && !bad; round++, mode.seed++) {
    memset(shared, 0, sizeof *shared);
    mode.grace = mode.seed % 2 ? 300 : 0, manager = all[mode.seed % 2];
    for (int i = 0; i < sessions; i++) new_session(i);
    run_round();
    totals.faults += shared->faults, totals.together += shared->together;
    for (int i = 0; i < sessions; i++) bad += check_session(i);
    if (round % 32 == 31) tuile_manager_sweep(direct, 1 << 20, NULL, NULL);
  }
  printf("%lld operations, %lld with an unknown end, %lld new keys, %lld sessions logged out, %lld left by logins that failed, "
         "%lld faults, %lld processes killed: %d broken\n",
         totals.operations, totals.unknown, totals.cycled, totals.logged_out, totals.orphans, totals.faults, totals.killed, bad);
  tuile_manager_close(all[0]), tuile_manager_close(all[1]), tuile_manager_close(direct);
  tuile_store_close(store);
  if (way) tuile_store_close(direct_store);
  CHECK(totals.operations > 0);
  CHECK((totals.faults > 0) == mode.faults);
  CHECK((totals.together > 0) == (mode.queued && mode.faults));
  return bad != 0;
}
