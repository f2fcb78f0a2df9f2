/* Random octets are nobody else's: not another thread's, and not those of the parent or the child of a fork. */
#include "check.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

enum { each = 2000, threads = 4, size = 64 };
typedef char id[size];

static tuile_manager *manager;

static void make(id out) {
  tuile_session *session;
  tuile_bytes given;
  tuile_error error;
  CHECK(tuile_session_start(manager, text(""), text(""), &session, NULL) == TUILE_OK);
  CHECK(tuile_session_set_int(session, text("n"), 1, &error) == TUILE_OK);
  CHECK(tuile_session_commit(session, 200, NULL, NULL, &error) == TUILE_OK);
  CHECK(tuile_session_id(session, &given) == TUILE_OK);
  CHECK(given.size > 0);
  CHECK(given.size < size);
  memset(out, 0, size);
  memcpy(out, given.data, given.size);
  tuile_session_end(session);
}

static void *make_all(void *to) {
  for (int i = 0; i < each; i++) make(((id *)to)[i]);
  return NULL;
}

static int compare(const void *a, const void *b) { return memcmp(a, b, size); }

int main(void) {
  static id ids[(threads + 3) * each];
  tuile_config config = TUILE_CONFIG_INIT;
  tuile_error error;
  config.store = text("memory:");
  CHECK(tuile_manager_open(&config, &manager, &error) == TUILE_OK);
  pthread_t all[threads];
  for (int i = 0; i < threads; i++) CHECK(pthread_create(&all[i], NULL, make_all, ids[i * each]) == 0);
  for (int i = 0; i < threads; i++) CHECK(pthread_join(all[i], NULL) == 0);
  /* The parent has asked before: what a C library keeps for it must not go on in a child. */
  make_all(ids[threads * each]);
  int ends[2];
  CHECK(pipe(ends) == 0);
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    id *own = &ids[(threads + 2) * each];
    make_all(own);
    for (size_t done = 0; done < each * sizeof *own;) {
      ssize_t written = write(ends[1], (char *)own + done, each * sizeof *own - done);
      if (written <= 0) _exit(1);
      done += (size_t)written;
    }
    _exit(0);
  }
  make_all(ids[(threads + 1) * each]);
  for (size_t done = 0; done < each * sizeof *ids;) {
    ssize_t got = read(ends[0], (char *)ids[(threads + 2) * each] + done, each * sizeof *ids - done);
    CHECK(got > 0);
    done += (size_t)got;
  }
  int status;
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  tuile_manager_close(manager);
  qsort(ids, sizeof ids / sizeof *ids, sizeof *ids, compare);
  for (size_t i = 1; i < sizeof ids / sizeof *ids; i++) CHECK(memcmp(ids[i - 1], ids[i], size) != 0);
  puts("random octets are of one thread in one process");
  return 0;
}
