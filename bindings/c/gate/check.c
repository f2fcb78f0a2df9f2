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
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

enum { path_size = 4200 };

static tuile_status fail(tuile_error *error, const char *message) {
  *error = (tuile_error){.status = TUILE_E_STORE};
  snprintf(error->message, sizeof error->message, "%s", message);
  return error->status;
}

/* ---- one store ---- */

static void ignore(void *context, tuile_bytes data, int64_t expires) { (void)context, (void)data, (void)expires; }

/* TUILE_ABSENT for a file that is not there, or has no table, and is meant to be made when it is needed. */
static tuile_status look_for_file(const char *path, bool may_be_made, tuile_error *error) {
  char folder[path_size];
  struct stat about;
  if (!*path) return TUILE_OK; /* To open it says more. */
  if (stat(path, &about) == 0) return may_be_made && S_ISREG(about.st_mode) && about.st_size == 0 ? TUILE_ABSENT : TUILE_OK;
  if (errno != ENOENT && errno != ENOTDIR) return TUILE_OK;
  if (!may_be_made) return fail(error, "unable to open database file: it is not there, and mode=rwc does not say that it is to be made");
  snprintf(folder, sizeof folder, "%s", path);
  if (access(dirname(folder), W_OK | X_OK) == 0) return TUILE_ABSENT;
  return fail(error, "unable to open database file: its folder is not there, or is not the server's user's to write to");
}

/* It was only opened to be read, which says nothing of that. SQLite's journals lie beside the file. */
static tuile_status look_whether_written(const char *path, tuile_error *error) {
  char folder[path_size];
  struct stat about;
  if (access(path, W_OK) != 0) return fail(error, "the store is not the server's user's to write to: mode=ro is for that");
  snprintf(folder, sizeof folder, "%s", path);
  if (stat(path, &about) == 0 && S_ISDIR(about.st_mode)) return TUILE_OK;
  if (access(dirname(folder), W_OK | X_OK) == 0) return TUILE_OK;
  return fail(error, "the store's folder is not the server's user's to write to: mode=ro is for that");
}

static bool pass_over(void *context, const tuile_bytes *columns) { return (void)context, (void)columns, true; }

/* Holds a database of SQLite open, so that who reads it makes no log that stays: who closes
 * it last, and could write, takes that away. NULL for all else. */
static struct gate_database *hold(tuile_bytes store) {
  struct gate_database *database = NULL;
  const tuile_bytes none[2] = {{"", 0}, {"", 0}};
  tuile_error error;
  if (!gate_is_file_url(store) || !gate_is_database_url(gate_kept_url(store))) return NULL;
  if (gate_database_open(gate_kept_url(store), true, &database, &error) != TUILE_OK) return NULL;
  gate_database_query(database, "SELECT count(*) FROM sqlite_master", none, pass_over, NULL, &error);
  return database;
}

/* As SQLite says it, and PostgreSQL. */
static bool has_no_table(const tuile_error *error) {
  return strstr(error->message, "no such table") || strstr(error->message, "does not say mode=rwc");
}

static tuile_status ask(tuile_bytes store, tuile_error *error) {
  struct gate_url url;
  tuile_store *opened;
  char path[path_size] = "";
  if (store.size == 0 || gate_is_inside_url(store)) return TUILE_OK;
  tuile_status status = gate_make_url(store, true, &url);
  if (status != TUILE_OK) return fail(error, "the URL is too long");
  if (gate_is_file_url(store)) gate_url_path(store, path, sizeof path);
  if ((status = look_for_file(path, url.may_be_made, error)) != TUILE_OK) return status;
  status = tuile_store_open((tuile_bytes){url.text, url.size}, &opened, error);
  if (status != TUILE_OK) return url.may_be_made && has_no_table(error) ? TUILE_ABSENT : status;
  /* So long are the IDs that frameworks make, of digits of hex at least. */
  const tuile_bytes ids[] = {TUILE_STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"), TUILE_STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"),
                             TUILE_STR("aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa")};
  status = TUILE_E_ARGUMENT;
  for (size_t i = 0; i < 3 && status == TUILE_E_ARGUMENT; i++) status = tuile_store_load(opened, ids[i], 0, ignore, NULL, error);
  tuile_store_close(opened);
  if (status < 0) return status;
  return *path && !gate_is_read_only_url(store) ? look_whether_written(path, error) : TUILE_OK;
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

static void look(const struct gate *gate, struct gate_finding *finding) {
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

static void examine(const struct gate *gate, struct gate_finding *finding) {
  struct gate_database *held[] = {hold(gate->config.store), hold(gate->config.previous_store), hold(gate->config.revocations)};
  look(gate, finding);
  for (int i = 0; i < 3; i++) gate_database_close(held[i]);
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
