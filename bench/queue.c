/* Requests of one event loop through a queue, beside one thread that calls the store itself. A request loads a session of
 * its own, adds 1 and commits.
 *   bench/queue URL SECONDS [WORKERS]
 * The store's own threads are as many as WORKERS, 16. Fails if an addition is lost. */
#define _GNU_SOURCE
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <tuile.h>

#define MUST(call)                                                      \
  do {                                                                  \
    tuile_error error = {0};                                            \
    if ((call) != TUILE_OK) {                                           \
      fprintf(stderr, "bench/queue: %s: %s\n", #call, error.message);   \
      exit(1);                                                          \
    }                                                                   \
  } while (0)

enum { most = 1000, most_times = 1 << 20 };

static tuile_manager *manager;
static tuile_queue *queue;
static double seconds, until;
static double times[most_times];
static int count, flying;

static struct request {
  tuile_session *session;
  char cookie[200];
  int64_t done;
  double began;
} requests[most];

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e3 + (double)t.tv_nsec / 1e6;
}

static tuile_status keep(void *context, tuile_bytes name, tuile_bytes value) {
  struct request *request = context;
  if (name.size == 10) snprintf(request->cookie, sizeof request->cookie, "%.*s", (int)strcspn(value.data, ";"), (const char *)value.data);
  return TUILE_OK;
}

static void start(struct request *request) {
  request->began = now();
  MUST(tuile_session_start(manager, tuile_text(request->cookie), TUILE_STR(""), &request->session, &error));
}

static void finish(struct request *request) {
  tuile_session_end(request->session);
  request->done++;
  if (count < most_times) times[count++] = now() - request->began;
}

/* ---- the queue ---- */

static void begin(struct request *request);

static void expect(tuile_status status, const tuile_error *error) {
  if (status == TUILE_OK) return;
  fprintf(stderr, "bench/queue: %s\n", error ? error->message : tuile_status_name(status));
  exit(1);
}

static void committed(void *context, tuile_status status, const tuile_error *error) {
  struct request *request = context;
  expect(status, error);
  finish(request);
  flying--;
  if (now() < until) begin(request);
}

static void loaded(void *context, tuile_status status, const tuile_error *detail) {
  struct request *request = context;
  expect(status, detail);
  MUST(tuile_session_add_int(request->session, TUILE_STR("n"), 1, NULL, &error));
  MUST(tuile_queue_commit(queue, request->session, 200, keep, request, committed, request, NULL, &error));
}

static void begin(struct request *request) {
  flying++;
  start(request);
  MUST(tuile_queue_load(queue, request->session, loaded, request, NULL, &error));
}

static void loop(int together) {
  struct pollfd ready = {.fd = tuile_queue_fd(queue), .events = POLLIN};
  for (int i = 0; i < together; i++) begin(&requests[i]);
  while (flying > 0) {
    poll(&ready, 1, -1);
    if (tuile_queue_run(queue, NULL) != TUILE_OK) exit(1);
  }
}

/* ---- without ---- */

static void blocking(int together) {
  (void)together;
  while (now() < until) {
    struct request *request = &requests[0];
    start(request);
    MUST(tuile_session_load(request->session, &error));
    MUST(tuile_session_add_int(request->session, TUILE_STR("n"), 1, NULL, &error));
    MUST(tuile_session_commit(request->session, 200, keep, request, &error));
    finish(request);
  }
}

static int by_length(const void *a, const void *b) {
  double x = *(const double *)a, y = *(const double *)b;
  return (x > y) - (x < y);
}

static double measure(const char *what, int together, void (*run)(int), double one) {
  count = 0;
  double began = now();
  until = began + seconds * 1e3;
  run(together);
  double rate = (double)count / (now() - began) * 1e3;
  qsort(times, (size_t)count, sizeof *times, by_length);
  printf("| %s | %d | %.0f | %.1f | %.3f | %.3f |\n", what, together, rate, one > 0 ? rate / one : 1.0, times[count / 2], times[count * 99 / 100]);
  fflush(stdout);
  return rate;
}

int main(int argc, char **argv) {
  static const int together[] = {1, 16, 64, 256, 1000};
  tuile_config config = TUILE_CONFIG_INIT;
  tuile_queue_config options = TUILE_QUEUE_CONFIG_INIT;
  if (argc < 3) return 2;
  seconds = atof(argv[2]);
  if (argc > 3) options.workers = (size_t)atoi(argv[3]);
  options.deadline = 3600000;
  config.store = tuile_text(argv[1]);
  config.secret = TUILE_STR("a secret of the benchmark's, 0123456789");
  MUST(tuile_manager_open(&config, &manager, &error));
  MUST(tuile_queue_open(manager, &options, &queue, &error));
  for (int i = 0; i < most; i++) {
    start(&requests[i]);
    MUST(tuile_session_add_int(requests[i].session, TUILE_STR("n"), 0, NULL, &error));
    MUST(tuile_session_commit(requests[i].session, 200, keep, &requests[i], &error));
    tuile_session_end(requests[i].session);
  }
  puts("| | in flight | requests a second | to one blocking thread | p50, ms | p99, ms |\n| --- | ---: | ---: | ---: | ---: | ---: |");
  double one = measure("blocking", 1, blocking, 0);
  for (size_t i = 0; i < sizeof together / sizeof *together; i++) measure("queue", together[i], loop, one);
  for (int i = 0; i < most; i++) {
    int64_t stored = -1;
    start(&requests[i]);
    MUST(tuile_session_get_int(requests[i].session, TUILE_STR("n"), &stored, &error));
    tuile_session_end(requests[i].session);
    if (stored != requests[i].done) return fprintf(stderr, "bench/queue: %d additions were lost\n", (int)(requests[i].done - stored)), 1;
  }
  tuile_queue_close(queue);
  tuile_manager_close(manager);
  return 0;
}
