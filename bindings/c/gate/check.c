/* The configuration's test: each store is asked once, in a child process, and nothing is
 * created or changed. */
#include "user.h"

#include <errno.h>
#include <grp.h>
#include <libgen.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static tuile_status fail(tuile_error *error, const char *message) {
  *error = (tuile_error){.status = TUILE_E_STORE};
  snprintf(error->message, sizeof error->message, "%s", message);
  return error->status;
}

/* ---- one store ---- */

static void ignore(void *context, tuile_bytes data, int64_t expires) { (void)context, (void)data, (void)expires; }

/* TUILE_ABSENT for a file that is not there, and is meant to be made when it is needed. */
static tuile_status look_for_file(tuile_bytes store, bool may_be_made, tuile_error *error) {
  char path[4200];
  gate_url_path(store, path, sizeof path);
  if (!*path || access(path, F_OK) == 0 || (errno != ENOENT && errno != ENOTDIR)) return TUILE_OK; /* To open it says more. */
  if (!may_be_made) return fail(error, "unable to open database file: it is not there, and mode=rwc does not say that it is to be made");
  if (access(dirname(path), W_OK | X_OK) == 0) return TUILE_ABSENT;
  return fail(error, "unable to open database file: its folder is not there, or is not the server's user's to write to");
}

static tuile_status ask(tuile_bytes store, tuile_error *error) {
  struct gate_url url;
  tuile_store *opened;
  if (store.size == 0 || gate_is_inside_url(store)) return TUILE_OK;
  tuile_status status = gate_make_url(store, true, &url);
  if (status != TUILE_OK) return fail(error, "the URL is too long");
  if (gate_is_file_url(store) && (status = look_for_file(store, url.may_be_made, error)) != TUILE_OK) return status;
  status = tuile_store_open((tuile_bytes){url.text, url.size}, &opened, error);
  if (status != TUILE_OK) return status;
  status = tuile_store_load(opened, TUILE_STR("aconfigurationstestasks"), 0, ignore, NULL, error);
  tuile_store_close(opened);
  return status < 0 ? status : TUILE_OK;
}

/* ---- all of them ---- */

/* What else the manager finds: the cookie, the secrets, what doesn't fit together. */
static tuile_status open_manager(const struct gate *gate, tuile_error *error) {
  tuile_config config = gate->config;
  tuile_manager *manager = NULL;
  struct gate_url urls[3];
  tuile_bytes *places[] = {&config.store, &config.previous_store, &config.revocations};
  for (int i = 0; i < 3; i++)
    if (gate_make_url(*places[i], true, &urls[i]) == TUILE_OK) *places[i] = (tuile_bytes){urls[i].text, urls[i].size};
  tuile_status status = tuile_manager_open(&config, &manager, error);
  if (status == TUILE_OK) tuile_manager_close(manager);
  return status;
}

static void examine(const struct gate *gate, struct gate_finding *finding) {
  const struct {
    enum gate_part part;
    tuile_bytes url;
  } stores[] = {{GATE_STORE, gate->config.store},
                {GATE_PREVIOUS_STORE, gate->config.previous_store},
                {GATE_REVOCATIONS, gate->config.revocations}};
  bool to_be_made = false;
  for (size_t i = 0; i < sizeof stores / sizeof *stores; i++) {
    finding->part = stores[i].part;
    tuile_status status = ask(stores[i].url, &finding->error);
    finding->status = status;
    finding->may_recover = status == TUILE_E_BUSY || (status == TUILE_E_STORE && !gate_is_file_url(stores[i].url));
    if (status < 0) return;
    to_be_made = to_be_made || status == TUILE_ABSENT;
  }
  finding->part = GATE_USERS;
  finding->status = gate->users.url.size > 0 ? gate_query_nobody(&gate->users, &finding->error) : TUILE_OK;
  finding->may_recover = !gate_is_file_url(gate->users.url);
  if (finding->status != TUILE_OK) return;
  finding->part = GATE_SETTINGS;
  finding->may_recover = false;
  finding->status = to_be_made ? TUILE_OK : open_manager(gate, &finding->error);
}

/* ---- the child ---- */

/* Becomes that user, tries, and tells. */
static void report(const struct gate *gate, const char *name, uid_t uid, gid_t gid, int pipe_end) {
  struct gate_finding finding = {.part = GATE_STORE};
  if (name && (initgroups(name, gid) != 0 || setgid(gid) != 0 || setuid(uid) != 0))
    finding.status = fail(&finding.error, "the server's user can't be taken on");
  else
    examine(gate, &finding);
  ssize_t written;
  do written = write(pipe_end, &finding, sizeof finding);
  while (written < 0 && errno == EINTR);
  _exit(0);
}

/* Reads the report, which is one write and so comes whole, or not in time. */
static bool receive(int pipe_end, struct gate_finding *finding) {
  struct pollfd waited = {.fd = pipe_end, .events = POLLIN};
  int ready;
  do ready = poll(&waited, 1, 30000);
  while (ready < 0 && errno == EINTR);
  if (ready <= 0) return false;
  ssize_t size;
  do size = read(pipe_end, finding, sizeof *finding);
  while (size < 0 && errno == EINTR);
  return size == (ssize_t)sizeof *finding;
}

void gate_check(const struct gate *gate, const char *name, uid_t uid, gid_t gid, struct gate_finding *finding) {
  *finding = (struct gate_finding){.part = GATE_STORE};
  if (gate_is_inline(gate)) {
    examine(gate, finding);
    return;
  }
  int ends[2];
  if (pipe(ends) != 0) {
    finding->status = fail(&finding->error, "the store can't be tried: no pipe");
    return;
  }
  pid_t child = fork();
  if (child == 0) report(gate, name, uid, gid, ends[1]);
  close(ends[1]);
  if (child < 0 || !receive(ends[0], finding)) {
    *finding = (struct gate_finding){.part = GATE_STORE, .may_recover = true};
    finding->status = fail(&finding->error, "the store gave no answer within 30 seconds");
  }
  close(ends[0]);
  if (child > 0) {
    kill(child, SIGKILL); /* It has told what it knows, or hangs. */
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR) {}
  }
}
