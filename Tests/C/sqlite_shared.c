/* Two stores of one process on one SQLite file, beside other processes: opening the
 * second takes no lock away from the first. With POSIX's locks any close() of a
 * file drops all that the process has on it; then another process would take the
 * log of a database in use away. */
#define _GNU_SOURCE
#include "check.h"

#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

static const int64_t expires = INT64_C(4102444800000000);

static void receive(void *context, tuile_bytes data, int64_t when) {
  (void)when;
  *(bool *)context = equals(data, "data");
}

static tuile_store *open_store(const char *url) {
  tuile_store *store = NULL;
  tuile_error error = {0};
  CHECK(tuile_store_open(text(url), &store, &error) == TUILE_OK);
  return store;
}

/* Another process: looks for the key, unless there is none, and goes. */
static int visit(const char *url, const char *key) {
  tuile_store *store = open_store(url);
  bool found = false;
  tuile_status status = key ? tuile_store_load(store, text(key), 0, receive, &found, NULL) : TUILE_OK;
  tuile_store_close(store);
  return status == TUILE_OK && found == (key != NULL) ? 0 : 1;
}

/* Not with fork(), which closes the connections on both sides. */
static bool visited(const char *url, const char *key) {
  char *arguments[] = {(char *)"visit", (char *)"visit", (char *)url, (char *)key, NULL};
  pid_t child;
  int status = 1;
  CHECK(posix_spawn(&child, "/proc/self/exe", NULL, NULL, arguments, environ) == 0);
  CHECK(waitpid(child, &status, 0) == child);
  return status == 0;
}

int main(int argc, char **argv) {
  CHECK(argc > 2);
  if (strcmp(argv[1], "visit") == 0) return visit(argv[2], argc > 3 ? argv[3] : NULL);
  char url[400], log[400];
  snprintf(url, sizeof url, "sqlite://%s/sessions.db", argv[1]);
  snprintf(log, sizeof log, "%s/sessions.db-wal", argv[1]);
  tuile_store *first = open_store(url);
  CHECK(tuile_store_create(first, text("firstkey"), text("data"), expires, NULL) == TUILE_OK);
  tuile_store *second = open_store(url);
  CHECK(visited(url, NULL));
  CHECK(access(log, F_OK) == 0);
  CHECK(tuile_store_create(first, text("secondkey"), text("data"), expires, NULL) == TUILE_OK);
  CHECK(visited(url, "firstkey"));
  CHECK(visited(url, "secondkey"));
  tuile_store_close(second);
  tuile_store_close(first);
  return 0;
}
