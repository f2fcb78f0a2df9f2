/* Threads that change one SQLite file, each a key of its own, beside SQLite itself:
 * cc -O2 -Iinclude bench/groups.c -o build/bench-groups -Lbuild -ltuile -lsqlite3 -lpthread -Wl,-rpath,$PWD/build
 * build/bench-groups FOLDER [SECONDS]: the folder on the disk that is asked about. */
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <tuile.h>

enum { most = 256, group = 64 };
static const int64_t expires = INT64_C(4102444800000000);
static char data[301];
static tuile_store *store;
static atomic_bool stop;
static atomic_long done;
static double seconds = 2;

#define MUST(expression) do if (!(expression)) { fprintf(stderr, "bench/groups.c:%d\n", __LINE__); exit(1); } while (0)

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec + (double)time.tv_nsec / 1e9;
}
static tuile_bytes text(const char *string) { return (tuile_bytes){string, strlen(string)}; }

static void *writer(void *number) {
  char key[24];
  tuile_error error;
  snprintf(key, sizeof key, "benchkey%d", (int)(intptr_t)number);
  while (!stop) {
    MUST(tuile_store_put(store, text(key), text(data), expires, &error) == TUILE_OK);
    done++;
  }
  return NULL;
}

static double ours(int threads) {
  pthread_t thread[most];
  stop = false;
  done = 0;
  double began = now();
  for (int i = 0; i < threads; i++) MUST(pthread_create(&thread[i], NULL, writer, (void *)(intptr_t)i) == 0);
  nanosleep(&(struct timespec){(time_t)seconds, (long)((seconds - (double)(time_t)seconds) * 1e9)}, NULL);
  stop = true;
  for (int i = 0; i < threads; i++) pthread_join(thread[i], NULL);
  return (double)done / (now() - began);
}

/* A prepared UPSERT, so many in one transaction. */
static double bare(const char *file, const char *synchronous, int together) {
  sqlite3 *database;
  sqlite3_stmt *put, *begin, *commit;
  char sql[60];
  snprintf(sql, sizeof sql, "PRAGMA synchronous=%s", synchronous);
  MUST(sqlite3_open(file, &database) == SQLITE_OK && sqlite3_exec(database, sql, NULL, NULL, NULL) == SQLITE_OK);
  MUST(sqlite3_prepare_v2(database, "INSERT OR REPLACE INTO django_session VALUES(?,?,'2090-01-01 00:00:00')", -1, &put, NULL) == SQLITE_OK);
  MUST(sqlite3_prepare_v2(database, "BEGIN IMMEDIATE", -1, &begin, NULL) == SQLITE_OK);
  MUST(sqlite3_prepare_v2(database, "COMMIT", -1, &commit, NULL) == SQLITE_OK);
  long count = 0;
  double began = now();
  while (now() < began + seconds) {
    if (together > 1) MUST(sqlite3_step(begin) == SQLITE_DONE && sqlite3_reset(begin) == SQLITE_OK);
    for (int i = 0; i < together; i++, count++) {
      char key[24];
      sqlite3_bind_text(put, 1, key, snprintf(key, sizeof key, "barekeys%d", i), SQLITE_TRANSIENT);
      sqlite3_bind_text(put, 2, data, -1, SQLITE_STATIC);
      MUST(sqlite3_step(put) == SQLITE_DONE && sqlite3_reset(put) == SQLITE_OK);
    }
    if (together > 1) MUST(sqlite3_step(commit) == SQLITE_DONE && sqlite3_reset(commit) == SQLITE_OK);
  }
  double rate = (double)count / (now() - began);
  sqlite3_finalize(put), sqlite3_finalize(begin), sqlite3_finalize(commit), sqlite3_close(database);
  return rate;
}

int main(int argc, char **argv) {
  MUST(argc > 1);
  if (argc > 2) seconds = atof(argv[2]);
  memset(data, 'x', sizeof data - 1);
  puts("| synchronous | threads | changes a second | to one thread's |\n| --- | ---: | ---: | ---: |");
  for (int full = 0; full < 2; full++) {
    const char *synchronous = full ? "full" : "normal";
    char file[4096], url[4200];
    tuile_error error;
    snprintf(file, sizeof file, "%s/groups-%s", argv[1], synchronous);
    snprintf(url, sizeof url, "sqlite://%s?synchronous=%s&busy=60000", file, synchronous);
    MUST(tuile_store_open(text(url), &store, &error) == TUILE_OK);
    double one = 0;
    for (int threads = 1; threads <= most; threads *= 4) {
      double rate = ours(threads);
      if (threads == 1) one = rate;
      printf("| %s | %d | %.0f | %.1f |\n", synchronous, threads, rate, rate / one);
    }
    printf("| %s | SQLite itself, one by one | %.0f | |\n", synchronous, bare(file, synchronous, 1));
    printf("| %s | SQLite itself, %d together | %.0f | |\n", synchronous, group, bare(file, synchronous, group));
    tuile_store_close(store);
  }
  return 0;
}
