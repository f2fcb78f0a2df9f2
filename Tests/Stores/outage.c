/* Works on a store while its server is killed, stopped or slowed by somebody else.
 *   store_outage URL SECONDS
 * Eight threads count, each in a key of its own, and write down what was acknowledged.
 * Fails if a call answers anything but a result, TUILE_E_STORE, TUILE_E_BUSY or TUILE_E_UNKNOWN, if an
 * acknowledged count is not there afterwards, or if a descriptor is left open. Prints
 * how many calls went well, how many did not, the longest in milliseconds, and the
 * growth of the memory in KiB. The longest is measured by naps of ten milliseconds, so that
 * what a machine that is busy or stands still takes from everybody is not counted. */
#include "check.h"

#include <dirent.h>
#include <pthread.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

enum { counters = 8 };

static tuile_store *store;
static int64_t until, later;
static atomic_long fine, failed, naps;
static atomic_bool awake;

struct counter {
  pthread_t thread;
  char key[33];
  long acknowledged, attempted;
  int64_t longest;
};

static int64_t milliseconds(clockid_t id) {
  struct timespec now;
  clock_gettime(id, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static int open_descriptors(void) {
  int count = 0;
  DIR *folder = opendir("/proc/self/fd");
  CHECK(folder != NULL);
  while (readdir(folder)) count++;
  closedir(folder);
  return count;
}

static long resident(void) {
  long pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  CHECK(file != NULL);
  CHECK(fscanf(file, "%*d %ld", &pages) == 1);
  fclose(file);
  return pages * (sysconf(_SC_PAGESIZE) / 1024);
}

static void read_count(void *context, tuile_bytes data, int64_t expires) {
  (void)expires;
  char digits[24] = {0};
  CHECK(data.size > 0);
  CHECK(data.size < sizeof digits);
  memcpy(digits, data.data, data.size);
  *(long *)context = atol(digits);
}

/* Counts a failure and breathes, or fails for good if the status is none that an outage explains. */
static void note(tuile_status status, const tuile_error *error) {
  if (status == TUILE_OK) {
    atomic_fetch_add(&fine, 1);
    return;
  }
  if (status != TUILE_E_STORE && status != TUILE_E_BUSY && status != TUILE_E_UNKNOWN)
    fprintf(stderr, "%s: %s\n", tuile_status_name(status), error->message);
  CHECK(status == TUILE_E_STORE || status == TUILE_E_BUSY || status == TUILE_E_UNKNOWN);
  CHECK(error->message[0] != 0);
  atomic_fetch_add(&failed, 1);
  usleep(1000);
}

static tuile_bytes write_count(char text_of[24], long count) {
  return (tuile_bytes){text_of, (size_t)snprintf(text_of, 24, "%ld", count)};
}

static void step(struct counter *counter) {
  char old[24], new[24];
  tuile_error error = {0};
  long found = -1;
  tuile_status status = tuile_store_load(store, text(counter->key), INT64_MIN, read_count, &found, &error);
  CHECK(status != TUILE_ABSENT);
  note(status, &error);
  if (status != TUILE_OK) return;
  /* What was not acknowledged may be there all the same, once. */
  CHECK(found >= counter->acknowledged);
  CHECK(found <= counter->attempted);
  counter->acknowledged = found;
  counter->attempted = found + 1;
  status = tuile_store_replace(store, text(counter->key), write_count(old, found), write_count(new, found + 1), later, &error);
  /* A command that was given up may have been carried out since. */
  if (status == TUILE_CONFLICT) return;
  note(status, &error);
  if (status == TUILE_OK) counter->acknowledged = found + 1;
}

static void *nap(void *context) {
  for (; !atomic_load(&awake); atomic_fetch_add(&naps, 1)) usleep(10000);
  return context;
}

static void *work(void *context) {
  struct counter *counter = context;
  while (milliseconds(CLOCK_MONOTONIC) < until) {
    long began = atomic_load(&naps);
    step(counter);
    /* Two calls a step. */
    int64_t took = (atomic_load(&naps) - began) * 10 / 2;
    if (took > counter->longest) counter->longest = took;
  }
  return NULL;
}

int main(int argc, char **argv) {
  if (argc < 3) return fputs("usage: store_outage URL SECONDS\n", stderr), 2;
  static struct counter all[counters];
  int descriptors = open_descriptors();
  tuile_error error = {0};
  CHECK(tuile_store_open(text(argv[1]), &store, &error) == TUILE_OK);
  later = (milliseconds(CLOCK_REALTIME) + 3600000) * 1000;
  for (int i = 0; i < counters; i++) {
    snprintf(all[i].key, sizeof all[i].key, "outage%026d", i);
    CHECK(tuile_store_put(store, text(all[i].key), text("0"), later, &error) == TUILE_OK);
  }
  puts("ready");
  fflush(stdout);
  long before = resident();
  until = milliseconds(CLOCK_MONOTONIC) + atoi(argv[2]) * 1000;
  pthread_t napping;
  CHECK(pthread_create(&napping, NULL, nap, NULL) == 0);
  for (int i = 0; i < counters; i++) CHECK(pthread_create(&all[i].thread, NULL, work, &all[i]) == 0);
  int64_t longest = 0;
  for (int i = 0; i < counters; i++) {
    pthread_join(all[i].thread, NULL);
    if (all[i].longest > longest) longest = all[i].longest;
  }
  atomic_store(&awake, true);
  CHECK(pthread_join(napping, NULL) == 0);
  for (int i = 0; i < counters; i++) {
    tuile_status status = TUILE_E_STORE;
    long found = -1;
    for (int tries = 0; tries < 300 && (status == TUILE_E_STORE || status == TUILE_E_BUSY); tries++) {
      status = tuile_store_load(store, text(all[i].key), INT64_MIN, read_count, &found, &error);
      if (status != TUILE_OK) usleep(100000);
    }
    CHECK(status == TUILE_OK);
    if (found < all[i].acknowledged || found > all[i].attempted)
      fprintf(stderr, "%ld is stored, %ld was acknowledged\n", found, all[i].acknowledged);
    CHECK(found >= all[i].acknowledged);
    CHECK(found <= all[i].attempted);
  }
  printf("%ld fine, %ld failed, longest %lld ms, grown %ld KiB\n", fine, failed, (long long)longest, resident() - before);
  tuile_store_close(store);
  CHECK(open_descriptors() == descriptors);
  return 0;
}
