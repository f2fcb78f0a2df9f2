/* What can be wrong with a store: a negative status with a message that says
 * what, nothing half-written, and never a logout. */
#include "check.h"

#include <fcntl.h>
#include <sqlite3.h>
#include <sys/stat.h>
#include <unistd.h>

static char path[512], url[600];
static tuile_error error;

static void in(const char *folder, const char *name) {
  snprintf(path, sizeof path, "%s/%s", folder, name);
  snprintf(url, sizeof url, "sqlite://%s", path);
}

static tuile_status opening(void) {
  tuile_store *store = NULL;
  memset(&error, 0, sizeof error);
  tuile_status status = tuile_store_open(text(url), &store, &error);
  CHECK((store == NULL) == (status < 0));
  if (status < 0) {
    CHECK(error.status == status);
    CHECK(strlen(error.message) > 20);
    printf("%s: %s\n", tuile_status_name(status), error.message);
  }
  tuile_store_close(store);
  return status;
}

static void write_file(const char *bytes, size_t size) {
  int file = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600);
  CHECK(file >= 0);
  CHECK(write(file, bytes, size) == (ssize_t)size);
  close(file);
}

static void run_sql(const char *sql) {
  sqlite3 *database;
  CHECK(sqlite3_open(path, &database) == SQLITE_OK);
  CHECK(sqlite3_exec(database, sql, NULL, NULL, NULL) == SQLITE_OK);
  sqlite3_close(database);
}

static void files(const char *folder) {
  in(folder, "no/such/folder/x.db");
  CHECK(opening() == TUILE_E_STORE);
  in(folder, "a-folder");
  mkdir(path, 0700);
  CHECK(opening() == TUILE_E_STORE);
  snprintf(url, sizeof url, "sqlite:///proc/x.db"); /* nobody can write there, root neither */
  CHECK(opening() == TUILE_E_STORE);
  in(folder, "text.db");
  write_file("this is no database, but long enough to be read as the header of one........................", 92);
  CHECK(opening() == TUILE_E_CORRUPT);
  in(folder, "foreign.db");
  run_sql("CREATE TABLE django_session (session_key TEXT, expire_date TEXT)");
  CHECK(opening() == TUILE_E_CORRUPT);
  in(folder, "good.db");
  CHECK(opening() == TUILE_OK);
  struct stat about;
  CHECK(stat(path, &about) == 0);
  CHECK((about.st_mode & 0777) == 0600);
}

static tuile_status no_headers(void *context, tuile_bytes name, tuile_bytes value) {
  (void)context, (void)value;
  /* Vary is all that an outage may add. */
  CHECK(equals(name, "Vary"));
  return TUILE_OK;
}

/* A session in use while the file is damaged under it. */
static void damaged_while_open(const char *folder) {
  in(folder, "damaged.db");
  tuile_config config = TUILE_CONFIG_INIT;
  config.secret = text("a secret that has its thirty-two bytes and more"), config.store = text(url);
  tuile_manager *manager;
  CHECK(tuile_manager_open(&config, &manager, &error) == TUILE_OK);
  char cookie[128];
  for (int i = 0; i < 200; i++) {
    tuile_session *session = NULL;
    CHECK(tuile_session_start(manager, text(""), (tuile_bytes){NULL, 0}, &session, NULL) == TUILE_OK);
    tuile_bytes key;
    CHECK(tuile_session_set_int(session, text("n"), i, &error) == TUILE_OK);
    CHECK(tuile_session_commit(session, 200, NULL, NULL, &error) == TUILE_OK);
    CHECK(tuile_session_id(session, &key) == TUILE_OK);
    snprintf(cookie, sizeof cookie, "sessionid=%.*s", (int)key.size, (const char *)key.data);
    tuile_session_end(session);
  }
  tuile_manager_close(manager);
  struct stat about;
  CHECK(stat(path, &about) == 0);
  int file = open(path, O_WRONLY);
  char junk[4096];
  memset(junk, 0xA5, sizeof junk);
  for (off_t at = 4096 * 3; at + 4096 <= about.st_size; at += 4096) CHECK(pwrite(file, junk, sizeof junk, at) == sizeof junk);
  close(file);
  CHECK(tuile_manager_open(&config, &manager, &error) == TUILE_OK);
  int failures = 0;
  for (int i = 0; i < 3; i++) {
    tuile_session *session = NULL;
    CHECK(tuile_session_start(manager, text(cookie), (tuile_bytes){NULL, 0}, &session, NULL) == TUILE_OK);
    tuile_status status = tuile_session_add_int(session, text("n"), 1, NULL, &error);
    if (status == TUILE_E_CORRUPT) {
      failures++;
      CHECK(tuile_session_commit(session, 200, no_headers, NULL, &error) == TUILE_E_CORRUPT);
    }
    tuile_session_end(session);
  }
  CHECK(failures == 3);
  tuile_manager_close(manager);
}

/* A row that somebody changed: an empty session, counted, and no error. */
static void tampered(const char *folder) {
  in(folder, "tampered.db");
  tuile_config config = TUILE_CONFIG_INIT;
  tuile_manager *manager;
  char cookie[128];
  tuile_bytes key;
  config.secret = text("a secret that has its thirty-two bytes and more"), config.store = text(url);
  CHECK(tuile_manager_open(&config, &manager, &error) == TUILE_OK);
  tuile_session *s = NULL;
  CHECK(tuile_session_start(manager, text(""), (tuile_bytes){NULL, 0}, &s, NULL) == TUILE_OK);
  CHECK(tuile_session_set_int(s, text("admin"), 0, &error) == TUILE_OK);
  CHECK(tuile_session_commit(s, 200, NULL, NULL, &error) == TUILE_OK);
  CHECK(tuile_session_id(s, &key) == TUILE_OK);
  snprintf(cookie, sizeof cookie, "sessionid=%.*s", (int)key.size, (const char *)key.data);
  tuile_session_end(s);
  run_sql("UPDATE django_session SET session_data = replace(session_data, 'eyJ', 'eyK')");
  CHECK(tuile_session_start(manager, text(cookie), (tuile_bytes){NULL, 0}, &s, NULL) == TUILE_OK);
  CHECK(tuile_session_type(s, text("admin"), &(tuile_type){TUILE_TYPE_NULL}, &error) == TUILE_ABSENT);
  CHECK(tuile_session_set_int(s, text("n"), 1, &error) == TUILE_OK);
  CHECK(tuile_session_commit(s, 200, NULL, NULL, &error) == TUILE_OK);
  tuile_session_end(s);
  tuile_stats stats = TUILE_STATS_INIT;
  CHECK(tuile_manager_stats(manager, &stats) == TUILE_OK);
  CHECK(stats.bad_signatures == 1);
  run_sql("UPDATE django_session SET session_data = 'not even a token'");
  CHECK(tuile_session_start(manager, text(cookie), (tuile_bytes){NULL, 0}, &s, NULL) == TUILE_OK);
  CHECK(tuile_session_type(s, text("n"), &(tuile_type){TUILE_TYPE_NULL}, &error) == TUILE_ABSENT);
  tuile_session_end(s);
  tuile_manager_close(manager);
}

/* ---- a store that is away ---- */

static bool away;
static tuile_store *behind;

static tuile_status out(tuile_error *e) {
  snprintf(e->message, sizeof e->message, "the cable is unplugged");
  return TUILE_E_STORE;
}
static tuile_status load(void *c, tuile_bytes key, int64_t now, tuile_receive receive, void *receiver, tuile_error *e) {
  (void)c;
  return away ? out(e) : tuile_store_load(behind, key, now, receive, receiver, e);
}
static tuile_status create(void *c, tuile_bytes key, tuile_bytes data, int64_t expires, tuile_error *e) {
  (void)c;
  return away ? out(e) : tuile_store_create(behind, key, data, expires, e);
}
static tuile_status replace(void *c, tuile_bytes key, tuile_bytes old, tuile_bytes data, int64_t expires, tuile_error *e) {
  (void)c;
  return away ? out(e) : tuile_store_replace(behind, key, old, data, expires, e);
}
static tuile_status touch(void *c, tuile_bytes key, int64_t expires, tuile_error *e) {
  (void)c;
  return away ? out(e) : tuile_store_touch(behind, key, expires, e);
}
static tuile_status drop(void *c, tuile_bytes key, tuile_error *e) {
  (void)c;
  return away ? out(e) : tuile_store_remove(behind, key, e);
}
static tuile_status sweep(void *c, int64_t now, size_t limit, size_t *removed, tuile_error *e) {
  (void)c;
  return away ? out(e) : tuile_store_sweep(behind, now, limit, removed, e);
}

static void outage(void) {
  tuile_store_ops ops = TUILE_STORE_OPS_INIT;
  ops.load = load, ops.create = create, ops.replace = replace, ops.touch = touch, ops.remove = drop, ops.sweep = sweep;
  tuile_config config = TUILE_CONFIG_INIT;
  tuile_manager *manager;
  CHECK(tuile_store_open(text("memory:"), &behind, &error) == TUILE_OK);
  CHECK(tuile_store_open_ops(&ops, NULL, &config.open_store, &error) == TUILE_OK);
  config.secret = text("a secret that has its thirty-two bytes and more");
  CHECK(tuile_manager_open(&config, &manager, &error) == TUILE_OK);
  char cookie[128];
  tuile_bytes key;
  tuile_session *s = NULL;
  CHECK(tuile_session_start(manager, text(""), (tuile_bytes){NULL, 0}, &s, NULL) == TUILE_OK);
  CHECK(tuile_session_set_int(s, text("n"), 1, &error) == TUILE_OK);
  CHECK(tuile_session_commit(s, 200, NULL, NULL, &error) == TUILE_OK);
  CHECK(tuile_session_id(s, &key) == TUILE_OK);
  snprintf(cookie, sizeof cookie, "sessionid=%.*s", (int)key.size, (const char *)key.data);
  tuile_session_end(s);

  away = true; /* from before the request */
  CHECK(tuile_session_start(manager, text(cookie), (tuile_bytes){NULL, 0}, &s, NULL) == TUILE_OK);
  int64_t n;
  CHECK(tuile_session_get_int(s, text("n"), &n, &error) == TUILE_E_STORE);
  CHECK(strstr(error.message, "cable") != NULL);
  CHECK(tuile_session_set_int(s, text("n"), 9, &error) == TUILE_E_STORE);
  CHECK(tuile_session_flush(s, &error) == TUILE_E_STORE);
  CHECK(tuile_session_commit(s, 200, no_headers, NULL, &error) == TUILE_E_STORE);
  tuile_session_end(s);

  away = false; /* then in the middle of one */
  CHECK(tuile_session_start(manager, text(cookie), (tuile_bytes){NULL, 0}, &s, NULL) == TUILE_OK);
  CHECK(tuile_session_add_int(s, text("n"), 1, &n, &error) == TUILE_OK);
  CHECK(n == 2);
  away = true;
  CHECK(tuile_session_commit(s, 200, no_headers, NULL, &error) == TUILE_E_UNKNOWN);
  CHECK(strstr(error.message, "cable") != NULL);
  away = false; /* and the same commit once more */
  CHECK(tuile_session_commit(s, 200, NULL, NULL, &error) == TUILE_OK);
  tuile_session_end(s);
  CHECK(tuile_session_start(manager, text(cookie), (tuile_bytes){NULL, 0}, &s, NULL) == TUILE_OK);
  CHECK(tuile_session_get_int(s, text("n"), &n, &error) == TUILE_OK);
  CHECK(n == 2);
  tuile_session_end(s);
  tuile_stats stats = TUILE_STATS_INIT;
  CHECK(tuile_manager_stats(manager, &stats) == TUILE_OK);
  CHECK(stats.store_failures >= 3);
  tuile_manager_close(manager);
  tuile_store_close(config.open_store);
  tuile_store_close(behind);
}

int main(int argc, char **argv) {
  CHECK(argc > 1);
  files(argv[1]);
  damaged_while_open(argv[1]);
  tampered(argv[1]);
  outage();
  return 0;
}
