/* The configuration's test: a manager opened in a child process. */
#include "gate.h"

#include <errno.h>
#include <grp.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static tuile_status open_once(struct gate *gate, tuile_error *error) {
  tuile_manager *manager = NULL;
  tuile_status status = tuile_manager_open(&gate->config, &manager, error);
  if (status == TUILE_OK) tuile_manager_close(manager);
  return status;
}

static tuile_status fail(tuile_error *error, const char *message) {
  *error = (tuile_error){.status = TUILE_E_STORE};
  snprintf(error->message, sizeof error->message, "%s", message);
  return error->status;
}

/* The child: becomes that user, tries, and tells. */
static void report(struct gate *gate, const char *name, uid_t uid, gid_t gid, int pipe_end) {
  tuile_error error = {.status = TUILE_OK};
  if (name && (initgroups(name, gid) != 0 || setgid(gid) != 0 || setuid(uid) != 0))
    fail(&error, "the server's user can't be taken on");
  else
    error.status = open_once(gate, &error);
  ssize_t written;
  do written = write(pipe_end, &error, sizeof error);
  while (written < 0 && errno == EINTR);
  _exit(0);
}

/* Reads the report, which is one write and so comes whole, or not in time. */
static bool receive(int pipe_end, tuile_error *error) {
  struct pollfd waited = {.fd = pipe_end, .events = POLLIN};
  int ready;
  do ready = poll(&waited, 1, 30000);
  while (ready < 0 && errno == EINTR);
  if (ready <= 0) return false;
  ssize_t size;
  do size = read(pipe_end, error, sizeof *error);
  while (size < 0 && errno == EINTR);
  return size == (ssize_t)sizeof *error;
}

tuile_status gate_check(struct gate *gate, const char *name, uid_t uid, gid_t gid, tuile_error *error) {
  if (gate_is_inline(gate)) return open_once(gate, error);
  int ends[2];
  if (pipe(ends) != 0) return fail(error, "the store can't be tried: no pipe");
  pid_t child = fork();
  if (child == 0) report(gate, name, uid, gid, ends[1]);
  close(ends[1]);
  if (child < 0 || !receive(ends[0], error)) fail(error, "the store gave no answer in time");
  close(ends[0]);
  if (child > 0) {
    kill(child, SIGKILL); /* It has told what it knows, or hangs. */
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {}
  }
  return error->status;
}
