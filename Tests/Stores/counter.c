/* Processes and threads add 1 to one session's counter at once. Prints the count
 * that is left, and fails unless it is exact.
 *   store_counter URL [PROCESSES THREADS TIMES [blind]]
 * Every other process uses the store that it inherited, the rest one of their own.
 * 0 processes: the threads run in this one. */
#include "blind.h"
#include "check.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

static char cookie[64];
static int times = 1000;

static void *visit(void *manager) {
  for (int i = 0; i < times; i++) {
    tuile_error error = {0};
    tuile_session *session = NULL;
    CHECK(tuile_session_start(manager, text(cookie), (tuile_bytes){NULL, 0}, &session, NULL) == TUILE_OK);
    tuile_status status = tuile_session_add_int(session, text("count"), 1, NULL, &error);
    if (status == TUILE_OK) status = tuile_session_commit(session, 200, NULL, NULL, &error);
    tuile_session_end(session);
    if (status == TUILE_OK) continue;
    fprintf(stderr, "%s: %s\n", tuile_status_name(status), error.message);
    return (void *)1;
  }
  return NULL;
}

static int child(tuile_manager *manager, int threads) {
  pthread_t running[64];
  bool fine = true;
  for (int i = 0; i < threads; i++) CHECK(pthread_create(&running[i], NULL, visit, manager) == 0);
  for (int i = 0; i < threads; i++) {
    void *failed;
    CHECK(pthread_join(running[i], &failed) == 0);
    fine = fine && !failed;
  }
  return fine ? 0 : 1;
}

static void begin_at_zero(tuile_manager *manager) {
  tuile_bytes key;
  tuile_session *session = NULL;
  CHECK(tuile_session_start(manager, text(""), (tuile_bytes){NULL, 0}, &session, NULL) == TUILE_OK);
  CHECK(tuile_session_set_int(session, text("count"), 0, NULL) == TUILE_OK);
  CHECK(tuile_session_commit(session, 200, NULL, NULL, NULL) == TUILE_OK);
  CHECK(tuile_session_id(session, &key) == TUILE_OK);
  snprintf(cookie, sizeof cookie, "sessionid=%.*s", (int)key.size, (const char *)key.data);
  tuile_session_end(session);
}

static int64_t count_of(tuile_manager *manager) {
  int64_t count = -1;
  tuile_session *session = NULL;
  CHECK(tuile_session_start(manager, text(cookie), (tuile_bytes){NULL, 0}, &session, NULL) == TUILE_OK);
  CHECK(tuile_session_get_int(session, text("count"), &count, NULL) == TUILE_OK);
  tuile_session_end(session);
  return count;
}

int main(int argc, char **argv) {
  if (argc < 2) return fputs("usage: store_counter URL [PROCESSES THREADS TIMES [blind]]\n", stderr), 2;
  int processes = argc > 4 ? atoi(argv[2]) : 8, threads = argc > 4 ? atoi(argv[3]) : 8;
  if (argc > 4) times = atoi(argv[4]);
  bool blind = argc > 5;
  CHECK(processes >= 0);
  CHECK(threads > 0);
  CHECK(threads <= 64);
  CHECK(times > 0);
  tuile_store *store = open_store(argv[1], blind);
  tuile_manager *manager = open_manager(store);
  begin_at_zero(manager);
  for (int i = 0; i < processes; i++)
    if (fork() == 0) _exit(child(i % 2 == 0 ? manager : open_manager(open_store(argv[1], blind)), threads));
  bool fine = processes > 0 || child(manager, threads) == 0;
  for (int i = 0; i < processes; i++) {
    int status = 1;
    CHECK(wait(&status) > 0);
    fine = fine && status == 0;
  }
  int64_t count = count_of(manager), all = (int64_t)(processes > 0 ? processes : 1) * threads * times;
  printf("counted %lld of %lld\n", (long long)count, (long long)all);
  tuile_manager_close(manager);
  tuile_store_close(store);
  return fine && count == all ? 0 : 1;
}
