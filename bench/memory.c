/* The store in memory at one number of sessions: bytes a session, the longest
 * single call while the table grows, cost of a call on keys at random, and calls a
 * second from 1, 2 and 8 threads. One row of a table for each argument.
 *   memory [URL] [SESSIONS...] */
#include <pthread.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <tuile.h>
#include <unistd.h>

enum { data_size = 100, key_size = 32, seconds = 1 };

static tuile_store *store;
static tuile_manager *manager;
static uint64_t sessions;
static char data[data_size + 1];

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* Of this thread alone, so that waiting for a core does not count. */
static double own_time(void) {
  struct timespec t;
  clock_gettime(CLOCK_THREAD_CPUTIME_ID, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static uint64_t mixed(uint64_t x) {
  x ^= x >> 30, x *= 0xBF58476D1CE4E5B9u;
  x ^= x >> 27, x *= 0x94D049BB133111EBu;
  return x ^ x >> 31;
}

static tuile_bytes key_of(char buffer[key_size], uint64_t number) {
  uint64_t x = 0;
  for (int i = 0; i < key_size; i++) {
    if (i % 8 == 0) x = mixed(number * 4 + (uint64_t)i / 8 + 1);
    buffer[i] = "abcdefghijklmnopqrstuvwxyz012345"[x & 31];
    x >>= 5;
  }
  return (tuile_bytes){buffer, key_size};
}

static size_t resident(void) {
  FILE *file = fopen("/proc/self/statm", "r");
  size_t all = 0, pages = 0;
  if (!file || fscanf(file, "%zu %zu", &all, &pages) != 2) exit(1);
  fclose(file);
  return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static void must(tuile_status status) {
  if (status == TUILE_OK) return;
  fprintf(stderr, "memory: %s\n", tuile_status_name(status));
  exit(1);
}

static const int64_t far = INT64_C(4102444800000000), present = INT64_C(1700000000000000);

static void receive(void *context, tuile_bytes bytes, int64_t expires) { *(size_t *)context += bytes.size + (size_t)(expires & 1); }

static void load(uint64_t *seed) {
  char buffer[key_size];
  size_t got = 0;
  *seed = mixed(*seed + 1);
  must(tuile_store_load(store, key_of(buffer, *seed % sessions), present, receive, &got, NULL));
}

static void replace(uint64_t *seed) {
  char buffer[key_size];
  *seed = mixed(*seed + 1);
  must(tuile_store_replace(store, key_of(buffer, *seed % sessions), (tuile_bytes){data, data_size}, (tuile_bytes){data, data_size}, far, NULL));
}

static void key_alone(uint64_t *seed) {
  char buffer[key_size];
  *seed = mixed(*seed + 1);
  *seed += (uint64_t)((const char *)key_of(buffer, *seed % sessions).data)[0] & 1;
}

static void request(uint64_t *seed) {
  char header[key_size + 16] = "sessionid=";
  *seed = mixed(*seed + 1);
  key_of(header + 10, *seed % sessions);
  tuile_session *session = NULL;
  if (tuile_session_start(manager, (tuile_bytes){header, 10 + key_size}, (tuile_bytes){NULL, 0}, &session, NULL) != TUILE_OK) abort();
  must(tuile_session_add_int(session, TUILE_STR("n"), 1, NULL, NULL));
  must(tuile_session_commit(session, 200, NULL, NULL, NULL));
  tuile_session_end(session);
}

static double cost(void (*call)(uint64_t *)) {
  uint64_t seed = 1, times = 0;
  double start = now(), end;
  do {
    for (int i = 0; i < 256; i++) call(&seed);
    times += 256;
    end = now();
  } while (end - start < seconds * 1e9);
  return (end - start) / (double)times;
}

struct worker {
  pthread_t thread;
  uint64_t seed, times;
};

static double until;

static void *work(void *context) {
  struct worker *worker = context;
  while (now() < until) {
    for (int i = 0; i < 64; i++) load(&worker->seed), replace(&worker->seed);
    worker->times += 128;
  }
  return NULL;
}

static double throughput(int threads) {
  struct worker workers[8];
  uint64_t times = 0;
  until = now() + seconds * 1e9;
  for (int i = 0; i < threads; i++) {
    workers[i] = (struct worker){.seed = (uint64_t)i * 1000};
    if (pthread_create(&workers[i].thread, NULL, work, &workers[i]) != 0) exit(1);
  }
  for (int i = 0; i < threads; i++) {
    pthread_join(workers[i].thread, NULL);
    times += workers[i].times;
  }
  return (double)times / seconds / 1e6;
}

static void row(tuile_bytes url) {
  char buffer[key_size];
  tuile_config config = TUILE_CONFIG_INIT;
  must(tuile_store_open(url, &store, NULL));
  config.open_store = store;
  must(tuile_manager_open(&config, &manager, NULL));
  size_t before = resident();
  double longest = 0, start = now();
  for (uint64_t i = 0; i < sessions; i++) {
    tuile_bytes key = key_of(buffer, i);
    double began = own_time();
    must(tuile_store_create(store, key, (tuile_bytes){data, data_size}, far, NULL));
    double took = own_time() - began;
    if (took > longest) longest = took;
  }
  double created = (now() - start) / (double)sessions; /* the clock's calls with it */
  double over = (double)(resident() - before) / (double)sessions - data_size - key_size;
  double key = cost(key_alone), loading = cost(load) - key, replacing = cost(replace) - key;
  double one = throughput(1), two = throughput(2), eight = throughput(8);
  double cycle = cost(request) - key;
  size_t removed;
  start = now();
  must(tuile_store_sweep(store, present, SIZE_MAX / 2, &removed, NULL));
  double sweep = (now() - start) / 1e6;
  printf("| %9llu | %5.0f | %6.0f | %7.2f | %5.0f | %7.0f | %7.0f | %6.2f | %6.2f | %6.2f | %7.1f |\n", (unsigned long long)sessions, over,
         created, longest / 1e6, loading, replacing, cycle, one, two, eight, sweep);
  fflush(stdout);
  tuile_manager_close(manager);
  tuile_store_close(store);
}

int main(int argc, char **argv) {
  memset(data, 'x', data_size);
  memcpy(data, "{\"n\":1000000000,\"t\":\"", 21), memcpy(data + data_size - 2, "\"}", 2);
  tuile_bytes url = TUILE_STR("memory:");
  int first = 1;
  if (argc > 1 && strchr(argv[1], ':')) url = (tuile_bytes){argv[1], strlen(argv[1])}, first = 2;
  printf("| sessions  | bytes | create | longest |  load | replace | request | 1 thr. | 2 thr. | 8 thr. |  sweep  |\n");
  printf("|           |  over |     ns |      ms |    ns |      ns |      ns |  M/s   |  M/s   |  M/s   |   ms    |\n");
  printf("| --------- | ----- | ------ | ------- | ----- | ------- | ------- | ------ | ------ | ------ | ------- |\n");
  for (int i = first; i < argc; i++) {
    sessions = strtoull(argv[i], NULL, 10);
    if (sessions > 0) row(url);
  }
  return 0;
}
