/* Several processes that open a new SQLite file at once: SQLite then says that the file is
 * locked without asking anybody to wait, since waiting could be a deadlock. Opening waits by
 * itself, for as long as `busy` says. This program stands in for SQLite's function, so that
 * the moment comes as often as it likes. */
#define _GNU_SOURCE
#include "check.h"

#include <dlfcn.h>
#include <sqlite3.h>

static int busy_times, asked;

__attribute__((visibility("default"))) /* in the place of the system's */
int sqlite3_exec(sqlite3 *database, const char *sql, int (*row)(void *, int, char **, char **), void *context, char **message) {
  static int (*real)(sqlite3 *, const char *, int (*)(void *, int, char **, char **), void *, char **);
  if (!real) *(void **)&real = dlsym(RTLD_NEXT, "sqlite3_exec");
  CHECK(real != NULL);
  if (strstr(sql, "journal_mode") && ++asked <= busy_times) return SQLITE_BUSY;
  return real(database, sql, row, context, message);
}

static tuile_status opened(const char *folder, const char *options, int times) {
  char url[400];
  tuile_store *store = NULL;
  tuile_error error = {0};
  busy_times = times, asked = 0;
  snprintf(url, sizeof url, "sqlite://%s/app%d.db?%s", folder, times, options);
  tuile_status status = tuile_store_open(text(url), &store, &error);
  CHECK((status == TUILE_OK) == (store != NULL));
  CHECK((status < 0) == (error.message[0] != 0));
  tuile_store_close(store);
  return status;
}

int main(int argc, char **argv) {
  CHECK(argc > 2);
  CHECK(opened(argv[1], "busy=60000", 3) == TUILE_OK);
  CHECK(asked == 4);
  /* The control: one who does not wait is told. */
  CHECK(opened(argv[1], "busy=0", 1) == TUILE_E_BUSY);
  CHECK(asked == 1);
  CHECK(opened(argv[1], "busy=50", 1000000) == TUILE_E_BUSY);
  CHECK(asked > 1);
  return 0;
}
