/* Every operation from eight threads at once, at random, on few keys: each answer
 * is one that the contract allows, and data is never another key's.
 *   store_mixed URL [SECONDS] */
#include "check.h"

#include <pthread.h>
#include <time.h>

enum { threads = 8, keys = 48, owners = 4 };

static tuile_store *store;
static time_t until;

struct check {
  tuile_bytes key;
  bool wrong;
};

/* Data is the key, then dots. */
static void receive(void *context, tuile_bytes data, int64_t expires) {
  struct check *check = context;
  if (data.size < check->key.size || memcmp(data.data, check->key.data, check->key.size) != 0 || expires <= 0) check->wrong = true;
}

static void listed(void *context, tuile_bytes key, tuile_bytes record, int64_t expires) {
  struct check *check = context;
  if (key.size != 12 || record.size < key.size || memcmp(record.data, key.data, key.size) != 0 || expires <= 0) check->wrong = true;
}

static tuile_bytes data_of(char buffer[600], tuile_bytes key, unsigned int size) {
  memcpy(buffer, key.data, key.size);
  memset(buffer + key.size, '.', size % 500);
  return (tuile_bytes){buffer, key.size + size % 500};
}

static void *work(void *context) {
  unsigned int seed = *(unsigned int *)context;
  char name[16], owner[8], old[600], new[600];
  unsigned long calls = 0;
  while (time(NULL) < until) {
    snprintf(name, sizeof name, "mixed%07d", rand_r(&seed) % keys);
    snprintf(owner, sizeof owner, "own%d", rand_r(&seed) % owners);
    tuile_bytes key = text(name);
    struct check check = {key, false};
    struct timespec present;
    clock_gettime(CLOCK_REALTIME, &present);
    int64_t now = (int64_t)present.tv_sec * 1000000, expires = now + (rand_r(&seed) % 4 ? 60000000 : -1);
    tuile_bytes then = data_of(old, key, (unsigned int)rand_r(&seed) % 8), next = data_of(new, key, (unsigned int)rand_r(&seed) % 8);
    tuile_status status;
    size_t removed;
    tuile_error error = {0};
    switch (rand_r(&seed) % 16) {
    case 0:
    case 1: status = tuile_store_create(store, key, next, expires, &error); break;
    case 2:
    case 3:
    case 4: status = tuile_store_replace(store, key, then, next, expires, &error); break;
    case 5: status = tuile_store_touch(store, key, expires, &error); break;
    case 6: status = tuile_store_remove(store, key, &error); break;
    case 7: status = tuile_store_put(store, key, data_of(new, key, (unsigned int)rand_r(&seed)), expires, &error); break;
    case 8: status = tuile_store_own(store, text(owner), key, key, expires, &error); break;
    case 9: status = tuile_store_owned(store, text(owner), now, listed, &check, &error); break;
    case 10: status = tuile_store_disown(store, text(owner), key, &error); break;
    case 11: status = tuile_store_sweep(store, now, 3, &removed, &error); break;
    default: status = tuile_store_load(store, key, now, receive, &check, &error); break;
    }
    if (status < 0) fprintf(stderr, "%s: %s\n", tuile_status_name(status), error.message);
    CHECK(status >= 0);
    CHECK(!check.wrong);
    calls++;
  }
  *(unsigned int *)context = (unsigned int)calls;
  return NULL;
}

int main(int argc, char **argv) {
  CHECK(argc > 1);
  tuile_error error = {0};
  CHECK(tuile_store_open(text(argv[1]), &store, &error) == TUILE_OK);
  until = time(NULL) + (argc > 2 ? atoi(argv[2]) : 60);
  pthread_t running[threads];
  unsigned int numbers[threads];
  unsigned long calls = 0;
  for (unsigned int i = 0; i < threads; i++) {
    numbers[i] = i + 1;
    CHECK(pthread_create(&running[i], NULL, work, &numbers[i]) == 0);
  }
  for (int i = 0; i < threads; i++) {
    CHECK(pthread_join(running[i], NULL) == 0);
    calls += numbers[i];
  }
  tuile_store_close(store);
  printf("%lu calls\n", calls);
  return 0;
}
