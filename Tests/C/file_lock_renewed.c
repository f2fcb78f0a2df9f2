/* The file of locks is deleted while two threads write: both notice, but only one
 * opens the new one, since the other may hold a lock on that already. */
#define _GNU_SOURCE
#include "check.h"

#include <dlfcn.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <unistd.h>

static atomic_int arrivals, renewals;
static atomic_bool deleted;
static pthread_barrier_t both;

#pragma GCC visibility push(default)

/* Between the library and the system: each thread sees the deleted file before any goes on. */
int fstat(int file, struct stat *about) {
  static int (*real)(int, struct stat *);
  if (!real) *(void **)&real = dlsym(RTLD_NEXT, "fstat");
  int result = real(file, about);
  if (result == 0 && about->st_nlink == 0 && atomic_load(&deleted) && atomic_fetch_add(&arrivals, 1) < 2)
    pthread_barrier_wait(&both);
  return result;
}

int dup3(int from, int to, int flags) {
  static int (*real)(int, int, int);
  if (!real) *(void **)&real = dlsym(RTLD_NEXT, "dup3");
  atomic_fetch_add(&renewals, 1);
  return real(from, to, flags);
}

#pragma GCC visibility pop

static tuile_store *store;

static void *write_one(void *key) {
  tuile_error error = {0};
  tuile_status status = tuile_store_put(store, text(key), text("data"), INT64_C(4102444800000000), &error);
  if (status != TUILE_OK) fprintf(stderr, "%s: %s\n", tuile_status_name(status), error.message);
  CHECK(status == TUILE_OK);
  return NULL;
}

int main(int argc, char **argv) {
  CHECK(argc > 1);
  char url[400], lock[400];
  snprintf(url, sizeof url, "file://%s/sessions?fsync=off", argv[1]);
  snprintf(lock, sizeof lock, "%s/sessions/.tuile/lock", argv[1]);
  CHECK(tuile_store_open(text(url), &store, NULL) == TUILE_OK);
  CHECK(pthread_barrier_init(&both, NULL, 2) == 0);
  CHECK(unlink(lock) == 0);
  atomic_store(&deleted, true);
  pthread_t running[2];
  for (int i = 0; i < 2; i++) CHECK(pthread_create(&running[i], NULL, write_one, (void *)(i ? "anotherkey" : "thefirstkey")) == 0);
  for (int i = 0; i < 2; i++) CHECK(pthread_join(running[i], NULL) == 0);
  CHECK(atomic_load(&renewals) == 1);
  tuile_store_close(store);
  return 0;
}
