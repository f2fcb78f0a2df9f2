/* No lost update: processes and threads that add to one session's counter at
 * once, through SQLite, end with the exact sum. */
#include "check.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

enum { processes = 4, threads = 4, times = 150 };

static char cookie[128], url[512];
static tuile_manager *manager;

static tuile_manager *open_manager(void) {
  tuile_config config = TUILE_CONFIG_INIT;
  tuile_manager *opened;
  tuile_error error;
  config.secret = text("a secret that has its thirty-two bytes and more"), config.store = text(url);
  tuile_status status = tuile_manager_open(&config, &opened, &error);
  if (status != TUILE_OK) fprintf(stderr, "%s\n", error.message);
  CHECK(status == TUILE_OK);
  return opened;
}

static int64_t count_of(tuile_session *session) {
  int64_t count = -1;
  CHECK(tuile_session_get_int(session, text("count"), &count, NULL) == TUILE_OK);
  return count;
}

static void *visit(void *context) {
  (void)context;
  for (int i = 0; i < times; i++) {
    tuile_error error = {0};
    tuile_session *session = NULL;
    CHECK(tuile_session_start(manager, text(cookie), (tuile_bytes){NULL, 0}, &session, NULL) == TUILE_OK);
    tuile_status status = tuile_session_add_int(session, text("count"), 1, NULL, &error);
    if (status == TUILE_OK) status = tuile_session_commit(session, 200, NULL, NULL, &error);
    if (status != TUILE_OK) fprintf(stderr, "%s: %s\n", tuile_status_name(status), error.message);
    CHECK(status == TUILE_OK);
    tuile_session_end(session);
  }
  return NULL;
}

/* In a child: with the manager that it inherited, or one of its own. */
static int child(bool inherited) {
  pthread_t running[threads];
  if (!inherited) manager = open_manager();
  for (int i = 0; i < threads; i++) CHECK(pthread_create(&running[i], NULL, visit, NULL) == 0);
  for (int i = 0; i < threads; i++) pthread_join(running[i], NULL);
  tuile_manager_close(manager);
  return 0;
}

int main(int argc, char **argv) {
  CHECK(argc > 1);
  snprintf(url, sizeof url, "sqlite://%s/sessions.db", argv[1]);
  manager = open_manager();
  tuile_session *session = NULL;
  CHECK(tuile_session_start(manager, text(""), (tuile_bytes){NULL, 0}, &session, NULL) == TUILE_OK);
  tuile_bytes key;
  CHECK(tuile_session_set_int(session, text("count"), 0, NULL) == TUILE_OK);
  CHECK(tuile_session_commit(session, 200, NULL, NULL, NULL) == TUILE_OK);
  CHECK(tuile_session_id(session, &key) == TUILE_OK);
  snprintf(cookie, sizeof cookie, "sessionid=%.*s", (int)key.size, (const char *)key.data);
  tuile_session_end(session);
  for (int i = 0; i < processes; i++)
    if (fork() == 0) _exit(child(i % 2 == 0));
  for (int i = 0; i < processes; i++) {
    int status = 1;
    CHECK(wait(&status) > 0);
    CHECK(status == 0);
  }
  CHECK(tuile_session_start(manager, text(cookie), (tuile_bytes){NULL, 0}, &session, NULL) == TUILE_OK);
  int64_t count = count_of(session);
  printf("%d processes, %d threads, %d times: %lld\n", processes, threads, times, (long long)count);
  CHECK(count == (int64_t)processes * threads * times);
  tuile_session_end(session);
  tuile_manager_close(manager);
  return 0;
}
