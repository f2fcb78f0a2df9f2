/* A clock that is set while the library runs: who waits for a writer waits as long
 * as he was told to, and no copy in a cache counts for longer. */
#define _GNU_SOURCE
#include "check.h"

#include <dlfcn.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <time.h>
#include <unistd.h>

static _Atomic time_t shift; /* seconds that the clock of the day is off */

#pragma GCC visibility push(default)

int clock_gettime(clockid_t clock, struct timespec *time) {
  static int (*_Atomic real)(clockid_t, struct timespec *);
  int (*next)(clockid_t, struct timespec *) = atomic_load(&real);
  if (!next) {
    *(void **)&next = dlsym(RTLD_NEXT, "clock_gettime");
    atomic_store(&real, next);
  }
  int result = next(clock, time);
  if (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE) time->tv_sec += atomic_load(&shift);
  return result;
}

#pragma GCC visibility pop

static const int64_t later = INT64_C(4102444800000000);
static tuile_store *store;

static void *write_one(void *key) {
  tuile_error error = {0};
  tuile_status status = tuile_store_create(store, text(key), text("data"), later, &error);
  if (status != TUILE_OK) fprintf(stderr, "%s: %s\n", tuile_status_name(status), error.message);
  CHECK(status == TUILE_OK);
  return NULL;
}

/* The system's clock is an hour ahead of the one that said when a wait would end. */
static void waiting(const char *folder) {
  char url[400];
  snprintf(url, sizeof url, "sqlite://%s/waiting.db?busy=60000", folder);
  CHECK(tuile_store_open(text(url), &store, NULL) == TUILE_OK);
  sqlite3 *other;
  *strchr(url, '?') = 0;
  CHECK(sqlite3_open(url + strlen("sqlite://"), &other) == SQLITE_OK);
  CHECK(sqlite3_exec(other, "BEGIN IMMEDIATE", NULL, NULL, NULL) == SQLITE_OK);
  atomic_store(&shift, -3600);
  pthread_t running[2];
  for (int i = 0; i < 2; i++) CHECK(pthread_create(&running[i], NULL, write_one, (void *)(i ? "secondkey" : "thefirstkey")) == 0);
  usleep(200000);
  CHECK(sqlite3_exec(other, "COMMIT", NULL, NULL, NULL) == SQLITE_OK);
  CHECK(sqlite3_close(other) == SQLITE_OK);
  for (int i = 0; i < 2; i++) CHECK(pthread_join(running[i], NULL) == 0);
  tuile_store_close(store);
  atomic_store(&shift, 0);
}

static void receive(void *context, tuile_bytes data, int64_t expires) {
  (void)expires;
  *(char *)context = data.size == 1 ? *(const char *)data.data : '?';
}

static char load(tuile_store *from) {
  char found = 0;
  CHECK(tuile_store_load(from, text("thefirstkey"), 0, receive, &found, NULL) == TUILE_OK);
  return found;
}

/* A copy was put into this process's cache, then the clock was set back a day. */
static void set_back(const char *folder) {
  char url[400];
  tuile_store *here, *there;
  snprintf(url, sizeof url, "cached+sqlite://%s/back.db#memory:?fresh=60", folder);
  CHECK(tuile_store_open(text(url), &here, NULL) == TUILE_OK);
  CHECK(tuile_store_open(text(url), &there, NULL) == TUILE_OK);
  CHECK(tuile_store_create(there, text("thefirstkey"), text("1"), later, NULL) == TUILE_OK);
  CHECK(load(here) == '1');
  CHECK(tuile_store_put(there, text("thefirstkey"), text("2"), later, NULL) == TUILE_OK);
  CHECK(load(here) == '1');
  atomic_store(&shift, -86400);
  CHECK(load(here) == '2');
  CHECK(load(there) == '2');
  atomic_store(&shift, 0);
  tuile_store_close(here);
  tuile_store_close(there);
}

int main(int argc, char **argv) {
  CHECK(argc > 1);
  waiting(argv[1]);
  set_back(argv[1]);
  return 0;
}
