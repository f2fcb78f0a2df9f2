/* Logout against save: one request loads a session, another flushes it while the
 * first saves its change. Whoever is first, the session has to be gone.
 *   store_races URL [RACES [blind]]
 * Prints how the races ended, and fails if a session came back. */
#include "blind.h"
#include "check.h"

#include <pthread.h>
#include <stdatomic.h>
#include <time.h>

enum { pairs = 4 };

static tuile_store *store;
static tuile_manager *manager;
static int races = 100000;
static atomic_int saved_first, saved_too_late, came_back, failures;

struct pair {
  pthread_t saving, leaving;
  pthread_barrier_t barrier;
  char cookie[64];
  unsigned int seed;
};

/* Moves the start of one side about, so that neither is first all the time. */
static void dawdle(unsigned int *seed) {
  *seed = *seed * 1103515245u + 12345u;
  for (volatile unsigned int left = (*seed >> 16) % 16384; left > 0; left--) continue;
}

static void new_session(struct pair *pair) {
  tuile_bytes key;
  tuile_session *session = NULL;
  CHECK(tuile_session_start(manager, text(""), (tuile_bytes){NULL, 0}, &session, NULL) == TUILE_OK);
  CHECK(tuile_session_set_int(session, text("user"), 1, NULL) == TUILE_OK);
  CHECK(tuile_session_commit(session, 200, NULL, NULL, NULL) == TUILE_OK);
  CHECK(tuile_session_id(session, &key) == TUILE_OK);
  snprintf(pair->cookie, sizeof pair->cookie, "sessionid=%.*s", (int)key.size, (const char *)key.data);
  tuile_session_end(session);
}

static void never(void *context, tuile_bytes data, int64_t expires) { (void)context, (void)data, (void)expires; }

static void *save(void *context) {
  struct pair *pair = context;
  for (int i = 0; i < races / pairs; i++) {
    new_session(pair);
    int64_t user = 0;
    tuile_session *session = NULL;
    CHECK(tuile_session_start(manager, text(pair->cookie), (tuile_bytes){NULL, 0}, &session, NULL) == TUILE_OK);
    CHECK(tuile_session_get_int(session, text("user"), &user, NULL) == TUILE_OK);
    CHECK(user == 1);
    CHECK(tuile_session_set_int(session, text("page"), i, NULL) == TUILE_OK);
    pthread_barrier_wait(&pair->barrier);
    dawdle(&pair->seed);
    tuile_status status = tuile_session_commit(session, 200, NULL, NULL, NULL);
    tuile_session_end(session);
    pthread_barrier_wait(&pair->barrier);
    atomic_fetch_add(status == TUILE_OK ? &saved_first : status == TUILE_DELETED ? &saved_too_late : &failures, 1);
    status = tuile_store_load(store, text(pair->cookie + 10), INT64_MIN, never, NULL, NULL);
    if (status != TUILE_ABSENT) atomic_fetch_add(status == TUILE_OK ? &came_back : &failures, 1);
  }
  return NULL;
}

static void *leave(void *context) {
  struct pair *pair = context;
  unsigned int seed = ~pair->seed;
  for (int i = 0; i < races / pairs; i++) {
    pthread_barrier_wait(&pair->barrier);
    dawdle(&seed);
    tuile_session *session = NULL;
    CHECK(tuile_session_start(manager, text(pair->cookie), (tuile_bytes){NULL, 0}, &session, NULL) == TUILE_OK);
    tuile_status status = tuile_session_flush(session, NULL);
    if (status == TUILE_OK) status = tuile_session_commit(session, 200, NULL, NULL, NULL);
    if (status != TUILE_OK) atomic_fetch_add(&failures, 1);
    tuile_session_end(session);
    pthread_barrier_wait(&pair->barrier);
  }
  return NULL;
}

int main(int argc, char **argv) {
  if (argc < 2) return fputs("usage: store_races URL [RACES [blind]]\n", stderr), 2;
  if (argc > 2) races = atoi(argv[2]);
  CHECK(races >= pairs);
  static struct pair all[pairs];
  store = open_store(argv[1], argc > 3);
  manager = open_manager(store);
  for (unsigned int i = 0; i < pairs; i++) {
    all[i].seed = i;
    CHECK(pthread_barrier_init(&all[i].barrier, NULL, 2) == 0);
    CHECK(pthread_create(&all[i].saving, NULL, save, &all[i]) == 0);
    CHECK(pthread_create(&all[i].leaving, NULL, leave, &all[i]) == 0);
  }
  for (unsigned int i = 0; i < pairs; i++) {
    pthread_join(all[i].saving, NULL);
    pthread_join(all[i].leaving, NULL);
    pthread_barrier_destroy(&all[i].barrier);
  }
  printf("%d saved first, %d too late, %d came back, %d failed\n", saved_first, saved_too_late, came_back, failures);
  tuile_manager_close(manager);
  tuile_store_close(store);
  return came_back == 0 && failures == 0 ? 0 : 1;
}
