/* The database of the users, read with SQL: SQLite, which the library is linked with, or
 * PostgreSQL, whose libpq is loaded when it is asked for. */
#include "user.h"

#include <dlfcn.h>
#include <errno.h>
#include <libgen.h>
#include <poll.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Milliseconds for an answer: requests wait for it, and one at a time is asked. */
enum { patience = 2000 };

struct gate_database {
  sqlite3 *sqlite;
  void *postgresql; /* PGconn */
};

static tuile_status fail(tuile_error *error, const char *message) {
  *error = (tuile_error){.status = TUILE_E_STORE};
  snprintf(error->message, sizeof error->message, "the users' database: %s", message);
  size_t size = strlen(error->message);
  while (size > 0 && error->message[size - 1] == '\n') error->message[--size] = 0;
  for (char *at = error->message; *at; at++)
    if (*at == '\n' || *at == '\r') *at = ' ';
  return error->status;
}

/* ---- SQLite ---- */

enum { path_size = 4200 };

/* Whether there is a file of that name with `more` behind it. */
static bool is_there(const char *path, const char *more) {
  char name[path_size + 16];
  size_t size = strlen(path);
  memcpy(name, path, size);
  memcpy(name + size, more, strlen(more) + 1);
  return access(name, F_OK) == 0;
}

static bool has_writable_folder(const char *path) {
  char name[path_size];
  memcpy(name, path, strlen(path) + 1);
  return access(dirname(name), W_OK) == 0;
}

/* The path as a URI of SQLite's; `still`: of a file that does not change while it is open. */
static void write_uri(const char *path, bool still, char *uri, size_t capacity) {
  size_t size = (size_t)snprintf(uri, capacity, "file://");
  for (; *path && size + 20 < capacity; path++)
    size += (size_t)snprintf(uri + size, capacity - size, *path == '/' ? "/" : "%%%02X", (unsigned char)*path);
  snprintf(uri + size, capacity - size, "%s", still ? "?immutable=1" : "");
}

/* How it is opened. With READWRITE, although nothing is written, a journal is rolled back,
 * and whoever is the last to close a database takes its log away; a test leaves both. */
static int flags_of(tuile_bytes url, bool testing, const char *path, bool *still) {
  bool reads = testing || gate_is_read_only_url(url), has_log = is_there(path, "-wal");
  *still = reads && !has_log && !has_writable_folder(path);
  if (!reads || (testing && !*still && !has_log && !is_there(path, "-journal"))) return SQLITE_OPEN_READWRITE;
  return SQLITE_OPEN_READONLY;
}

static tuile_status open_sqlite(struct gate_database *database, tuile_bytes url, bool testing, tuile_error *error) {
  char path[path_size], uri[3 * path_size + 32];
  bool still;
  gate_url_path(url, path, sizeof path);
  int flags = flags_of(url, testing, path, &still) | SQLITE_OPEN_URI | SQLITE_OPEN_FULLMUTEX;
  write_uri(path, still, uri, sizeof uri);
  if (sqlite3_open_v2(uri, &database->sqlite, flags, NULL) != SQLITE_OK)
    return fail(error, database->sqlite ? sqlite3_errmsg(database->sqlite) : "no memory");
  sqlite3_busy_timeout(database->sqlite, patience);
  sqlite3_db_config(database->sqlite, SQLITE_DBCONFIG_DQS_DML, 0, NULL); /* A column that is not there is no text. */
  if (sqlite3_exec(database->sqlite, "PRAGMA query_only = 1", NULL, NULL, NULL) != SQLITE_OK)
    return fail(error, sqlite3_errmsg(database->sqlite));
  return TUILE_OK;
}

static tuile_status query_sqlite(struct gate_database *database, const char *sql, const tuile_bytes *parameters,
                                 gate_row row, void *context, tuile_error *error) {
  sqlite3_stmt *statement;
  if (sqlite3_prepare_v2(database->sqlite, sql, -1, &statement, NULL) != SQLITE_OK)
    return fail(error, sqlite3_errmsg(database->sqlite));
  for (int i = 0; i < 2; i++)
    sqlite3_bind_text(statement, i + 1, parameters[i].data, (int)parameters[i].size, SQLITE_STATIC);
  int step;
  while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
    tuile_bytes columns[gate_most_columns] = {{NULL, 0}};
    int count = sqlite3_column_count(statement);
    for (int i = 0; i < count && i < gate_most_columns; i++) {
      columns[i].data = sqlite3_column_text(statement, i);
      columns[i].size = columns[i].data ? (size_t)sqlite3_column_bytes(statement, i) : 0;
    }
    if (!row(context, columns)) {
      sqlite3_finalize(statement);
      return fail(error, "no memory, or too much data of one user");
    }
  }
  tuile_status status = step == SQLITE_DONE ? TUILE_OK : fail(error, sqlite3_errmsg(database->sqlite));
  sqlite3_finalize(statement);
  return status;
}

/* ---- PostgreSQL ---- */

/* What is used of libpq, which is no dependency of the module. */
static struct {
  void *library;
  void *(*connect)(const char *info);
  int (*status)(const void *connection);
  char *(*message)(const void *connection);
  int (*send)(void *connection, const char *sql, int count, const unsigned *types, const char *const *values,
              const int *sizes, const int *formats, int result_format);
  int (*socket)(const void *connection);
  int (*consume)(void *connection);
  int (*busy)(void *connection);
  void *(*result)(void *connection);
  int (*result_status)(const void *result);
  char *(*result_field)(const void *result, int code);
  int (*rows)(const void *result);
  int (*columns)(const void *result);
  char *(*value)(const void *result, int row, int column);
  int (*size)(const void *result, int row, int column);
  void (*clear)(void *result);
  void (*finish)(void *connection);
} pq;

static bool load_libpq(void) {
  const struct {
    const char *name;
    void **place;
  } functions[] = {{"PQconnectdb", (void **)&pq.connect},       {"PQstatus", (void **)&pq.status},
                   {"PQerrorMessage", (void **)&pq.message},    {"PQsendQueryParams", (void **)&pq.send},
                   {"PQsocket", (void **)&pq.socket},           {"PQconsumeInput", (void **)&pq.consume},
                   {"PQisBusy", (void **)&pq.busy},             {"PQgetResult", (void **)&pq.result},
                   {"PQresultStatus", (void **)&pq.result_status}, {"PQresultErrorField", (void **)&pq.result_field},
                   {"PQntuples", (void **)&pq.rows},            {"PQnfields", (void **)&pq.columns},
                   {"PQgetvalue", (void **)&pq.value},          {"PQgetlength", (void **)&pq.size},
                   {"PQclear", (void **)&pq.clear},             {"PQfinish", (void **)&pq.finish}};
  if (!pq.library) pq.library = dlopen("libpq.so.5", RTLD_NOW | RTLD_LOCAL);
  if (!pq.library) return false;
  for (size_t i = 0; i < sizeof functions / sizeof *functions; i++)
    if (!(*functions[i].place = dlsym(pq.library, functions[i].name))) return false;
  return true;
}

enum { pq_ok = 0, pq_command_ok = 1, pq_tuples_ok = 2 };

static bool is_one_of(const char *name, size_t size, const char *const *names) {
  for (; *names; names++)
    if (strlen(*names) == size && memcmp(*names, name, size) == 0) return true;
  return false;
}

/* The URL without the options of a store, and with limits of time. */
static bool write_info(tuile_bytes url, char *info, size_t capacity) {
  static const char *const ours[] = {"connect", "timeout", "wait", "pool", "retries", "prepare", "mode", "connect_timeout", NULL};
  char text[4200];
  if (url.size >= sizeof text) return false;
  memcpy(text, url.data, url.size);
  text[url.size] = 0;
  char *query = strchr(text, '?'), *left = NULL;
  if (query) *query++ = 0;
  int size = snprintf(info, capacity, "%s?connect_timeout=2&tcp_user_timeout=%d", text, patience);
  for (char *option = query ? strtok_r(query, "&", &left) : NULL; option; option = strtok_r(NULL, "&", &left)) {
    if (is_one_of(option, strcspn(option, "="), ours)) continue;
    size += snprintf(info + size, capacity - (size_t)size, "&%s", option);
    if ((size_t)size >= capacity) return false;
  }
  return true;
}

static tuile_status open_postgresql(struct gate_database *database, tuile_bytes url, tuile_error *error) {
  char info[4400];
  if (!load_libpq()) return fail(error, "libpq.so.5 is not installed");
  if (!write_info(url, info, sizeof info)) return fail(error, "its URL is too long");
  database->postgresql = pq.connect(info);
  explicit_bzero(info, sizeof info); /* It may have a password. */
  if (database->postgresql && pq.status(database->postgresql) == pq_ok) return TUILE_OK;
  return fail(error, database->postgresql ? pq.message(database->postgresql) : "no memory");
}

/* false: it gave no answer in time. */
static bool wait_for_answer(void *connection) {
  int64_t ends = gate_now() / 1000 + patience;
  while (pq.busy(connection)) {
    int64_t left = ends - gate_now() / 1000;
    struct pollfd waited = {.fd = pq.socket(connection), .events = POLLIN};
    if (left <= 0) return false;
    if (poll(&waited, 1, (int)left) < 0 && errno != EINTR) return false;
    if (!pq.consume(connection)) return false;
  }
  return true;
}

static tuile_status take_result(void *result, gate_row row, void *context, tuile_error *error) {
  int status = pq.result_status(result);
  if (status == pq_command_ok) return TUILE_OK;
  if (status != pq_tuples_ok) {
    const char *state = pq.result_field(result, 'C'), *message = pq.result_field(result, 'M');
    /* A session's user ID that no row can have, such as a text for a number: nobody. */
    if (state && (strcmp(state, "22P02") == 0 || strcmp(state, "22003") == 0)) return TUILE_OK;
    return fail(error, message ? message : "a query failed");
  }
  for (int i = 0; i < pq.rows(result); i++) {
    tuile_bytes columns[gate_most_columns] = {{NULL, 0}};
    for (int j = 0; j < pq.columns(result) && j < gate_most_columns; j++)
      columns[j] = (tuile_bytes){pq.value(result, i, j), (size_t)pq.size(result, i, j)};
    if (!row(context, columns)) return fail(error, "no memory, or too much data of one user");
  }
  return TUILE_OK;
}

static tuile_status query_postgresql(struct gate_database *database, const char *sql, const tuile_bytes *parameters,
                                     gate_row row, void *context, tuile_error *error) {
  void *connection = database->postgresql, *result;
  char texts[2][gate_longest_id + 1];
  const char *values[2] = {texts[0], texts[1]};
  for (int i = 0; i < 2; i++) snprintf(texts[i], sizeof texts[i], "%.*s", (int)parameters[i].size, (const char *)parameters[i].data);
  if (!pq.send(connection, sql, 2, NULL, values, NULL, NULL, 0)) return fail(error, pq.message(connection));
  tuile_status status = TUILE_OK;
  for (;;) {
    if (!wait_for_answer(connection)) return fail(error, "no answer in time");
    if (!(result = pq.result(connection))) return status;
    if (status == TUILE_OK) status = take_result(result, row, context, error);
    pq.clear(result);
  }
}

/* ---- either ---- */

tuile_status gate_database_open(tuile_bytes url, bool testing, struct gate_database **opened, tuile_error *error) {
  struct gate_database *database = calloc(1, sizeof *database);
  if (!database) return fail(error, "no memory");
  tuile_status status = gate_is_file_url(url) ? open_sqlite(database, url, testing, error) : open_postgresql(database, url, error);
  if (status == TUILE_OK) *opened = database;
  else gate_database_close(database);
  return status;
}

void gate_database_close(struct gate_database *database) {
  if (!database) return;
  if (database->sqlite) sqlite3_close(database->sqlite);
  if (database->postgresql) pq.finish(database->postgresql);
  free(database);
}

tuile_status gate_database_query(struct gate_database *database, const char *sql, const tuile_bytes *parameters,
                                 gate_row row, void *context, tuile_error *error) {
  if (database->sqlite) return query_sqlite(database, sql, parameters, row, context, error);
  return query_postgresql(database, sql, parameters, row, context, error);
}
