/* fork() in the middle: threads keep adding to one session's number while the
 * process forks, and each child adds to it with what it inherited. Nothing hangs,
 * and the sum is exact; for a store in memory that of this process alone.
 *   store_forks URL [FORKS] */
#include "check.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

enum { threads = 4, each = 5 };

static tuile_store *store;
static atomic_bool over;
static atomic_int added;
static const int64_t expires = INT64_C(4102444800000000);

struct text {
  char data[32];
  size_t size;
};

static void receive(void *context, tuile_bytes bytes, int64_t when) {
  (void)when;
  struct text *copy = context;
  CHECK(bytes.size < sizeof copy->data);
  memcpy(copy->data, bytes.data, bytes.size);
  copy->data[copy->size = bytes.size] = 0;
}

static bool add(void) {
  for (;;) {
    struct text old = {{0}, 0};
    char next[32];
    if (tuile_store_load(store, text("forkedkey"), 0, receive, &old, NULL) != TUILE_OK) return false;
    snprintf(next, sizeof next, "%d", atoi(old.data) + 1);
    tuile_status status = tuile_store_replace(store, text("forkedkey"), (tuile_bytes){old.data, old.size}, text(next), expires, NULL);
    if (status == TUILE_OK) return true;
    if (status != TUILE_CONFLICT) return false;
  }
}

static void *work(void *context) {
  (void)context;
  while (!over) {
    if (!add()) return (void *)1;
    atomic_fetch_add(&added, 1);
    size_t removed;
    if (tuile_store_sweep(store, 0, 10, &removed, NULL) != TUILE_OK) return (void *)1;
  }
  return NULL;
}

int main(int argc, char **argv) {
  CHECK(argc > 1);
  int forks = argc > 2 ? atoi(argv[2]) : 300;
  tuile_error error = {0};
  CHECK(tuile_store_open(text(argv[1]), &store, &error) == TUILE_OK);
  CHECK(tuile_store_create(store, text("forkedkey"), text("0"), expires, NULL) == TUILE_OK);
  pthread_t running[threads];
  for (int i = 0; i < threads; i++) CHECK(pthread_create(&running[i], NULL, work, NULL) == 0);
  for (int i = 0; i < forks; i++) {
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
      alarm(60);
      for (int k = 0; k < each; k++)
        if (!add()) _exit(1);
      size_t removed;
      _exit(tuile_store_sweep(store, 0, 10, &removed, NULL) == TUILE_OK ? 0 : 1);
    }
    int status = 1;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(status == 0);
  }
  over = true;
  for (int i = 0; i < threads; i++) {
    void *failed;
    CHECK(pthread_join(running[i], &failed) == 0);
    CHECK(!failed);
  }
  struct text last = {{0}, 0};
  CHECK(tuile_store_load(store, text("forkedkey"), 0, receive, &last, NULL) == TUILE_OK);
  int all = added + (strncmp(argv[1], "memory:", 7) == 0 ? 0 : forks * each);
  printf("%d forks, counted %s of %d\n", forks, last.data, all);
  CHECK(atoi(last.data) == all);
  tuile_store_close(store);
  return 0;
}
