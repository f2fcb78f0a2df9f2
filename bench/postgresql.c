/* Tuile's request cycle on PostgreSQL beside the two bare round trips of libpq that it
 * needs, a prepared SELECT and UPDATE of the same row, in one run: by turns, at 1, 2 and
 * 8 threads, each with a session of its own. Prints a table; asserts nothing.
 *   bench-postgresql TUILE-URL LIBPQ-URL */
#include <libpq-fe.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <tuile.h>

#define MUST(condition)                                      \
  do {                                                       \
    if (!(condition)) {                                      \
      fprintf(stderr, "bench: %s does not hold\n", #condition); \
      exit(1);                                               \
    }                                                        \
  } while (0)

enum { most_threads = 8, rounds = 5 };

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static tuile_manager *manager;
static char cookies[most_threads][64];
static PGconn *connections[most_threads];

static tuile_status take(void *context, tuile_bytes name, tuile_bytes value) {
  (void)context, (void)name, (void)value;
  return TUILE_OK;
}

static void new_session(char cookie[64]) {
  tuile_bytes key;
  tuile_session *session = NULL;
  if (tuile_session_start(manager, TUILE_STR(""), (tuile_bytes){NULL, 0}, &session, NULL) != TUILE_OK) abort();
  MUST(tuile_session_set_int(session, TUILE_STR("count"), 0, NULL) == TUILE_OK);
  MUST(tuile_session_commit(session, 200, take, NULL, NULL) == TUILE_OK);
  MUST(tuile_session_id(session, &key) == TUILE_OK);
  sprintf(cookie, "sessionid=%.*s", (int)key.size, (const char *)key.data);
  tuile_session_end(session);
}

static void cycle(int thread) {
  tuile_session *session = NULL;
  if (tuile_session_start(manager, (tuile_bytes){cookies[thread], strlen(cookies[thread])}, (tuile_bytes){NULL, 0}, &session, NULL) != TUILE_OK) abort();
  MUST(tuile_session_add_int(session, TUILE_STR("count"), 1, NULL, NULL) == TUILE_OK);
  MUST(tuile_session_commit(session, 200, take, NULL, NULL) == TUILE_OK);
  tuile_session_end(session);
}

static void prepare(PGconn *connection) {
  static const char *const statements[][2] = {
      {"load", "SELECT session_data, expire_date FROM django_session WHERE session_key = $1 AND expire_date > now()"},
      {"save", "UPDATE django_session SET session_data = $2, expire_date = now() + interval '14 days' WHERE session_key = $1"}};
  for (int i = 0; i < 2; i++) {
    PGresult *result = PQprepare(connection, statements[i][0], statements[i][1], 0, NULL);
    MUST(PQresultStatus(result) == PGRES_COMMAND_OK);
    PQclear(result);
  }
}

static void bare(int thread) {
  static const int binary[2] = {1, 1};
  static _Thread_local unsigned int turn;
  char data[96];
  int sizes[2] = {32, sprintf(data, "eyJjb3VudCI6MX0:1r31eq:tJbC2DPf6rrfYIn7F1HiO4-F8r7zlxCSBrmksPg%08u", turn++)};
  const char *values[2] = {cookies[thread] + 10, data};
  PGresult *result = PQexecPrepared(connections[thread], "load", 1, values, sizes, binary, 1);
  MUST(PQntuples(result) == 1);
  PQclear(result);
  result = PQexecPrepared(connections[thread], "save", 2, values, sizes, binary, 1);
  MUST(PQresultStatus(result) == PGRES_COMMAND_OK);
  PQclear(result);
}

struct worker {
  pthread_t thread;
  int number;
  void (*call)(int);
};

static atomic_long calls;
static double until;

static void *work(void *context) {
  struct worker *worker = context;
  while (now() < until) {
    for (int i = 0; i < 16; i++) worker->call(worker->number);
    atomic_fetch_add(&calls, 16);
  }
  return NULL;
}

/* Nanoseconds a call, over all threads together. */
static double measure(void (*call)(int), int threads) {
  struct worker workers[most_threads];
  double began = now();
  atomic_store(&calls, 0);
  until = began + 5e8;
  for (int i = 0; i < threads; i++) {
    workers[i] = (struct worker){.number = i, .call = call};
    MUST(pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0);
  }
  for (int i = 0; i < threads; i++) pthread_join(workers[i].thread, NULL);
  return (now() - began) / (double)calls;
}

int main(int argc, char **argv) {
  if (argc != 3) return fputs("usage: bench-postgresql TUILE-URL LIBPQ-URL\n", stderr), 2;
  tuile_config config = TUILE_CONFIG_INIT;
  config.secret = TUILE_STR("a secret that has its thirty-two bytes and more"), config.store = (tuile_bytes){argv[1], strlen(argv[1])};
  MUST(tuile_manager_open(&config, &manager, NULL) == TUILE_OK);
  for (int i = 0; i < most_threads; i++) {
    new_session(cookies[i]);
    connections[i] = PQconnectdb(argv[2]);
    MUST(PQstatus(connections[i]) == CONNECTION_OK);
    prepare(connections[i]);
  }
  printf("| threads | request cycle, ns | prepared SELECT and UPDATE, ns | ratio |\n| ---: | ---: | ---: | ---: |\n");
  for (int threads = 1; threads <= most_threads; threads = threads == 2 ? 8 : threads * 2) {
    double ours = 1e18, theirs = 1e18;
    for (int round = 0; round < rounds; round++) {
      double one = measure(cycle, threads), other = measure(bare, threads);
      if (one < ours) ours = one;
      if (other < theirs) theirs = other;
    }
    printf("| %d | %.0f | %.0f | %.2f |\n", threads, ours, theirs, ours / theirs);
  }
  for (int i = 0; i < most_threads; i++) PQfinish(connections[i]);
  tuile_manager_close(manager);
  return 0;
}
