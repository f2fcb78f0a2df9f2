#include "csystem.h"

#include <stdio.h>
#include <sys/stat.h>

int sys_sqlite_bind_text(sqlite3_stmt *statement, int index, const void *data, size_t size) {
  /* Static: every binding is cleared before the caller's bytes go away. */
  return sqlite3_bind_text64(statement, index, data, size, SQLITE_STATIC, SQLITE_UTF8);
}

int sys_sqlite_bind_blob(sqlite3_stmt *statement, int index, const void *data, size_t size) {
  /* NULL would be no blob. */
  return sqlite3_bind_blob64(statement, index, data ? data : "", size, SQLITE_STATIC);
}

/* SQLite's own handler sleeps up to 100 ms a step; commits take some tens of
 * microseconds, so short steps with some spread get many writers through. */
static int wait_a_little(void *context, int count) {
  int limit = *(const int *)context;
  unsigned int step = count < 4 ? 100u : count < 20 ? 500u : 2000u;
  unsigned int spread = 0;
  sys_random(&spread, sizeof spread);
  /* Elapsed time is the sum of the steps, taken at three quarters each. */
  int64_t waited = count < 4 ? 75 * count : count < 20 ? 300 + 375 * (count - 4) : 6300 + 1500 * (int64_t)(count - 20);
  if (waited >= (int64_t)limit * 1000) return 0;
  sys_sleep_microseconds(step / 2 + spread % step / 2);
  return 1;
}

void sys_sqlite_set_busy_limit(sqlite3 *database, int *milliseconds) {
  sqlite3_busy_handler(database, wait_a_little, milliseconds);
}

bool sys_sqlite_has_log(const char *path) {
  char log[4200];
  struct stat about;
  int size = snprintf(log, sizeof log, "%s-wal", path);
  return size < 0 || (size_t)size >= sizeof log || stat(log, &about) == 0 ? true : errno != ENOENT;
}

void sys_sqlite_keep_log(sqlite3 *database) { sqlite3_db_config(database, SQLITE_DBCONFIG_NO_CKPT_ON_CLOSE, 1, NULL); }
