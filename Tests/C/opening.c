/* A store that several threads begin to use at once: each of its connections is
 * ready for whatever comes to it first. */
#include "check.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

enum { rounds = 40, loaders = 3, entries = 4 };

static tuile_store *store;
static atomic_bool swept;

static int64_t now(void) {
  struct timespec time;
  clock_gettime(CLOCK_REALTIME, &time);
  return (int64_t)time.tv_sec * 1000000;
}

static void ignore(void *context, tuile_bytes data, int64_t expires) { (void)context, (void)data, (void)expires; }

static void *load(void *context) {
  tuile_error error = {0};
  while (!atomic_load(&swept)) CHECK(tuile_store_load(store, text("nobodyskey12"), now(), ignore, NULL, &error) == TUILE_ABSENT);
  return context;
}

/* Entries of an owner whose sessions never were: the sweep removes them, by
 * connections that so far have only loaded. */
static void opening(const char *url) {
  tuile_error error = {0};
  CHECK(tuile_store_open(text(url), &store, &error) == TUILE_OK);
  atomic_store(&swept, false);
  pthread_t running[loaders];
  for (int i = 0; i < loaders; i++) CHECK(pthread_create(&running[i], NULL, load, NULL) == 0);
  for (int i = 0; i < entries; i++) {
    char name[16];
    snprintf(name, sizeof name, "opening%d", i);
    size_t removed;
    CHECK(tuile_store_own(store, text("ada"), text(name), text("entry"), now() + 60000000, &error) == TUILE_OK);
    CHECK(tuile_store_sweep(store, now(), 10, &removed, &error) >= TUILE_OK);
  }
  atomic_store(&swept, true);
  for (int i = 0; i < loaders; i++) CHECK(pthread_join(running[i], NULL) == 0);
  tuile_store_close(store);
}

int main(int argc, char **argv) {
  CHECK(argc > 2);
  static const char *stores[] = {"memory:", "file://%s/sessions?fsync=off", "sqlite://%s/sessions.db", "cached+sqlite://%s/cached.db"};
  for (size_t i = 0; i < sizeof stores / sizeof *stores; i++) {
    char url[400];
    snprintf(url, sizeof url, stores[i], argv[1]);
    for (int round = 0; round < rounds; round++) opening(url);
  }
  return 0;
}
