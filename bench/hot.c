/* Many threads that add 1 to one session: how many additions a second, and how long each takes.
 *   bench/hot URL SECONDS [DELAY]
 * One writer; then 64 with a session each, which shows how long the machine and the store let one of 64 threads wait;
 * then 64 on one session, each with a manager of its own, so that nothing but compare-and-replace is between them, as
 * between processes; then 64 with one manager, whose commits stand in line. DELAY: through a store of the host's
 * whose loads and writes take so many milliseconds. Fails if an addition is lost. */
#define _GNU_SOURCE
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <tuile.h>

#define MUST(call)                                                     \
  do {                                                                 \
    tuile_error error = {0};                                           \
    if ((call) != TUILE_OK) {                                          \
      fprintf(stderr, "bench/hot: %s: %s\n", #call, error.message);    \
      exit(1);                                                         \
    }                                                                  \
  } while (0)

enum { writers = 64, most_times = 1 << 18 };

static tuile_store *store;
static double until;
static int delay;

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

/* ---- a store that takes its time ---- */

static void pause_a_while(void) {
  nanosleep(&(struct timespec){delay / 1000, delay % 1000 * 1000000L}, NULL);
}
static tuile_status load(void *c, tuile_bytes key, int64_t at, tuile_receive receive, void *to, tuile_error *error) {
  pause_a_while();
  return tuile_store_load(c, key, at, receive, to, error);
}
static tuile_status create(void *c, tuile_bytes key, tuile_bytes data, int64_t expires, tuile_error *error) {
  pause_a_while();
  return tuile_store_create(c, key, data, expires, error);
}
static tuile_status replace(void *c, tuile_bytes key, tuile_bytes expected, tuile_bytes data, int64_t expires, tuile_error *error) {
  pause_a_while();
  return tuile_store_replace(c, key, expected, data, expires, error);
}
static tuile_status touch(void *c, tuile_bytes key, int64_t expires, tuile_error *error) {
  return tuile_store_touch(c, key, expires, error);
}
static tuile_status drop(void *c, tuile_bytes key, tuile_error *error) { return tuile_store_remove(c, key, error); }
static tuile_status sweep(void *c, int64_t at, size_t limit, size_t *removed, tuile_error *error) {
  return tuile_store_sweep(c, at, limit, removed, error);
}

static void open_store(const char *url) {
  tuile_store *inner;
  tuile_store_ops ops = TUILE_STORE_OPS_INIT;
  MUST(tuile_store_open((tuile_bytes){url, strlen(url)}, &inner, &error));
  store = inner;
  if (delay == 0) return;
  ops.load = load, ops.create = create, ops.replace = replace, ops.touch = touch, ops.remove = drop, ops.sweep = sweep;
  MUST(tuile_store_open_ops(&ops, inner, &store, &error));
}

static tuile_manager *open_manager(void) {
  tuile_manager *manager;
  tuile_config config = TUILE_CONFIG_INIT;
  config.secret = TUILE_STR("a secret of the benchmark's, thirty-two");
  config.open_store = store;
  MUST(tuile_manager_open(&config, &manager, &error));
  return manager;
}

/* ---- the writers ---- */

struct writer {
  pthread_t thread;
  tuile_manager *manager;
  char cookie[64];
  double *waits, *ends;
  int count, busy, failed;
};

static void *write_on(void *context) {
  struct writer *w = context;
  while (now() < until && w->count < most_times) {
    double began = now();
    tuile_error error = {0};
    tuile_session *session = NULL;
    if (tuile_session_start(w->manager, (tuile_bytes){w->cookie, strlen(w->cookie)}, (tuile_bytes){NULL, 0}, &session, NULL) != TUILE_OK) abort();
    tuile_status status = tuile_session_add_int(session, TUILE_STR("count"), 1, NULL, &error);
    if (status == TUILE_OK) status = tuile_session_commit(session, 200, NULL, NULL, &error);
    tuile_session_end(session);
    if (status == TUILE_OK) w->ends[w->count] = now(), w->waits[w->count] = w->ends[w->count] - began, w->count++;
    else if (status == TUILE_E_BUSY) w->busy++;
    else w->failed++;
  }
  return NULL;
}

static int by_size(const void *a, const void *b) { return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b); }

static void new_session(tuile_manager *manager, char *cookie, size_t size) {
  tuile_bytes key;
  tuile_session *session = NULL;
  if (tuile_session_start(manager, TUILE_STR(""), (tuile_bytes){NULL, 0}, &session, NULL) != TUILE_OK) abort();
  MUST(tuile_session_set_int(session, TUILE_STR("count"), 0, &error));
  MUST(tuile_session_commit(session, 200, NULL, NULL, &error));
  MUST(tuile_session_id(session, &key));
  snprintf(cookie, size, "sessionid=%.*s", (int)key.size, (const char *)key.data);
  tuile_session_end(session);
}

static void run(const char *name, int threads, int managers, bool own, double seconds) {
  static struct writer all[writers];
  static double *waits;
  tuile_manager *first = open_manager();
  for (int i = 0; i < threads; i++) {
    double *room = all[i].waits ? all[i].waits : malloc(2 * most_times * sizeof *room);
    all[i] = (struct writer){.manager = managers > 1 ? open_manager() : first, .waits = room, .ends = room + most_times};
    if (i == 0 || own) new_session(first, all[i].cookie, sizeof all[i].cookie);
    else memcpy(all[i].cookie, all[0].cookie, sizeof all[i].cookie);
  }
  double began = now();
  until = began + seconds * 1e3;
  for (int i = 0; i < threads; i++)
    if (pthread_create(&all[i].thread, NULL, write_on, &all[i]) != 0) exit(1);
  for (int i = 0; i < threads; i++) pthread_join(all[i].thread, NULL);
  double took = (now() - began) / 1e3;
  int count = 0, busy = 0, failed = 0, least = most_times;
  for (int i = 0; i < threads; i++) {
    count += all[i].count, busy += all[i].busy, failed += all[i].failed;
    if (all[i].count < least) least = all[i].count;
  }
  waits = realloc(waits, (size_t)(count ? count : 1) * sizeof *waits);
  /* When they ended: for how long did nobody get on? */
  for (int i = 0, at = 0; i < threads; at += all[i++].count) memcpy(waits + at, all[i].ends, (size_t)all[i].count * sizeof *waits);
  qsort(waits, (size_t)count, sizeof *waits, by_size);
  double standstill = count ? waits[0] - began : 0;
  for (int i = 1; i < count; i++)
    if (waits[i] - waits[i - 1] > standstill) standstill = waits[i] - waits[i - 1];
  for (int i = 0, at = 0; i < threads; at += all[i++].count) memcpy(waits + at, all[i].waits, (size_t)all[i].count * sizeof *waits);
  qsort(waits, (size_t)count, sizeof *waits, by_size);
  long long counted = 0;
  for (int i = 0; i < (own ? threads : 1); i++) {
    int64_t here;
    tuile_session *session = NULL;
    if (tuile_session_start(first, (tuile_bytes){all[i].cookie, strlen(all[i].cookie)}, (tuile_bytes){NULL, 0}, &session, NULL) != TUILE_OK) abort();
    MUST(tuile_session_get_int(session, TUILE_STR("count"), &here, &error));
    tuile_session_end(session);
    counted += here;
  }
  double median = count ? waits[count / 2] : 0, longest = count ? waits[count - 1] : 0, rare = count ? waits[count - 1 - count / 1000] : 0;
  printf("| %-24s | %8.0f | %8.2f | %8.2f | %8.2f | %5.1f | %8.2f | %6d | %4d |\n", name, count / took, median, rare, longest,
         median > 0 ? longest / median : 0, standstill, least, busy);
  fflush(stdout);
  if (failed || counted != count) {
    fprintf(stderr, "bench/hot: %d failed; %d were saved, and %lld are there\n", failed, count, counted);
    exit(1);
  }
  for (int i = 0; managers > 1 && i < threads; i++) tuile_manager_close(all[i].manager);
  tuile_manager_close(first);
}

int main(int argc, char **argv) {
  if (argc < 3) return fputs("usage: bench/hot URL SECONDS [DELAY]\n", stderr), 2;
  if (argc > 3) delay = atoi(argv[3]);
  open_store(argv[1]);
  double seconds = atof(argv[2]);
  puts("| writers                  | a second | median ms | 99.9 % ms | longest ms | ratio | standstill ms | fewest | busy |");
  puts("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: | ---: |");
  run("1", 1, 1, false, seconds);
  run("64, each its own session", writers, 1, true, seconds);
  run("64, each by itself", writers, writers, false, seconds);
  run("64, in line", writers, 1, false, seconds);
  tuile_store_close(store);
  return 0;
}
