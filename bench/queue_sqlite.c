/* What SQLite itself does of what bench/queue.c asks: a session is loaded and replaced if it is what was loaded, so many
 * in one transaction of reads and one of writes, by one thread, without a session's signature or JSON.
 *   bench/queue_sqlite FILE SYNCHRONOUS SECONDS */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { sessions = 1000, longest = 400 };

#define MUST(expression) do if (!(expression)) { fprintf(stderr, "bench/queue_sqlite.c:%d\n", __LINE__); exit(1); } while (0)

static sqlite3 *database;
static char data[sessions][longest];

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void run(const char *sql) { MUST(sqlite3_exec(database, sql, NULL, NULL, NULL) == SQLITE_OK); }

static sqlite3_stmt *prepared(const char *sql) {
  sqlite3_stmt *statement;
  MUST(sqlite3_prepare_v2(database, sql, -1, &statement, NULL) == SQLITE_OK);
  return statement;
}

static void step(sqlite3_stmt *statement, int result) {
  MUST(sqlite3_step(statement) == result);
  if (result == SQLITE_DONE) MUST(sqlite3_changes(database) == 1);
}

static void name(sqlite3_stmt *statement, int session) {
  char key[40];
  snprintf(key, sizeof key, "benchmarksessionwithanusualkey%03d", session);
  sqlite3_bind_text(statement, 1, key, -1, SQLITE_TRANSIENT);
}

int main(int argc, char **argv) {
  char sql[60];
  if (argc != 4) return 2;
  snprintf(sql, sizeof sql, "PRAGMA synchronous=%s", argv[2]);
  MUST(sqlite3_open(argv[1], &database) == SQLITE_OK);
  run("PRAGMA journal_mode=WAL"), run(sql);
  run("CREATE TABLE django_session (session_key varchar(40) NOT NULL PRIMARY KEY, session_data text NOT NULL, expire_date datetime NOT NULL)");
  run("CREATE INDEX expiring ON django_session (expire_date)");
  sqlite3_stmt *create = prepared("INSERT INTO django_session VALUES (?1, ?2, '2090-01-01 00:00:00')");
  sqlite3_stmt *load = prepared("SELECT session_data, expire_date FROM django_session WHERE session_key = ?1");
  sqlite3_stmt *replace = prepared("UPDATE django_session SET session_data = ?2, expire_date = ?3 WHERE session_key = ?1 AND session_data = ?4");
  run("BEGIN");
  for (int i = 0; i < sessions; i++) {
    snprintf(data[i], longest, "%080d", 0);
    name(create, i);
    sqlite3_bind_text(create, 2, data[i], -1, SQLITE_STATIC);
    step(create, SQLITE_DONE), sqlite3_reset(create);
  }
  run("COMMIT");
  static const int together[] = {1, 16, 64};
  for (size_t t = 0; t < sizeof together / sizeof *together; t++) {
    long done = 0;
    int session = 0;
    double began = now();
    while (now() < began + atof(argv[3])) {
      if (together[t] > 1) run("BEGIN");
      for (int i = 0; i < together[t]; i++) {
        name(load, (session + i) % sessions);
        step(load, SQLITE_ROW);
        snprintf(data[(session + i) % sessions], longest, "%s", (const char *)sqlite3_column_text(load, 0));
        sqlite3_reset(load);
      }
      if (together[t] > 1) run("COMMIT"), run("BEGIN IMMEDIATE");
      for (int i = 0; i < together[t]; i++) {
        char fresh[longest], expires[40];
        snprintf(fresh, sizeof fresh, "%080ld", done);
        snprintf(expires, sizeof expires, "2090-01-01 00:00:%02ld.000000", done % 60);
        int at = (session + i) % sessions;
        name(replace, at);
        sqlite3_bind_text(replace, 2, fresh, -1, SQLITE_STATIC);
        sqlite3_bind_text(replace, 3, expires, -1, SQLITE_STATIC);
        sqlite3_bind_text(replace, 4, data[at], -1, SQLITE_STATIC);
        /* Equal data would be no change to look for. */
        if (strcmp(fresh, data[at]) != 0) step(replace, SQLITE_DONE);
        sqlite3_reset(replace);
        done++;
      }
      if (together[t] > 1) run("COMMIT");
      session = (session + together[t]) % sessions;
    }
    printf("| SQLite itself, together | %d | %.0f |\n", together[t], (double)done / (now() - began));
  }
  return 0;
}
