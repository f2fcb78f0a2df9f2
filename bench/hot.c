/* Many threads that add 1 to one session: how many additions a second, and how long each takes.
 *   bench/hot URL SECONDS [DELAY]
 * One writer; then 64, each with a manager of its own, so that nothing but compare-and-replace is between them, as
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
static char cookie[64];
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
  MUST(tuile_store_new(&ops, inner, &store, &error));
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
  double *waits;
  int count, busy, failed;
};

static void *write_on(void *context) {
  struct writer *w = context;
  while (now() < until && w->count < most_times) {
    double began = now();
    tuile_error error = {0};
    tuile_session *session = tuile_session_begin(w->manager, (tuile_bytes){cookie, strlen(cookie)});
    tuile_status status = tuile_session_add_int(session, TUILE_STR("count"), 1, NULL, &error);
    if (status == TUILE_OK) status = tuile_session_commit(session, 200, NULL, NULL, &error);
    tuile_session_end(session);
    if (status == TUILE_OK) w->waits[w->count++] = now() - began;
    else if (status == TUILE_E_BUSY) w->busy++;
    else w->failed++;
  }
  return NULL;
}

static int by_size(const void *a, const void *b) { return (*(const double *)a > *(const double *)b) - (*(const double *)a < *(const double *)b); }

static void run(const char *name, int threads, int managers, double seconds) {
  static struct writer all[writers];
  static double *waits;
  tuile_bytes key;
  int64_t counted = -1;
  tuile_manager *first = open_manager();
  tuile_session *session = tuile_session_begin(first, TUILE_STR(""));
  MUST(tuile_session_set_int(session, TUILE_STR("count"), 0, &error));
  MUST(tuile_session_commit(session, 200, NULL, NULL, &error));
  MUST(tuile_session_key(session, &key));
  snprintf(cookie, sizeof cookie, "sessionid=%.*s", (int)key.size, (const char *)key.data);
  tuile_session_end(session);
  for (int i = 0; i < threads; i++) {
    double *room = all[i].waits ? all[i].waits : malloc(most_times * sizeof *room);
    all[i] = (struct writer){.manager = managers > 1 ? open_manager() : first, .waits = room};
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
  for (int i = 0, at = 0; i < threads; at += all[i++].count) memcpy(waits + at, all[i].waits, (size_t)all[i].count * sizeof *waits);
  qsort(waits, (size_t)count, sizeof *waits, by_size);
  session = tuile_session_begin(first, (tuile_bytes){cookie, strlen(cookie)});
  MUST(tuile_session_get_int(session, TUILE_STR("count"), &counted, &error));
  tuile_session_end(session);
  double median = count ? waits[count / 2] : 0, longest = count ? waits[count - 1] : 0;
  printf("| %-24s | %8.0f | %8.2f | %8.2f | %5.1f | %6d | %4d |\n", name, count / took, median, longest, median > 0 ? longest / median : 0,
         least, busy);
  fflush(stdout);
  if (failed || counted != count) {
    fprintf(stderr, "bench/hot: %d failed; %d were saved, and %lld are there\n", failed, count, (long long)counted);
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
  puts("| writers                  | a second | median ms | longest ms | ratio | fewest | busy |");
  puts("| --- | ---: | ---: | ---: | ---: | ---: | ---: |");
  run("1", 1, 1, seconds);
  run("64, each by itself", writers, writers, seconds);
  run("64, in line", writers, 1, seconds);
  tuile_store_close(store);
  return 0;
}
