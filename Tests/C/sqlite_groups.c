/* Threads that change one SQLite file at the same time: what waits is one transaction, each
 * change has its own answer, and a disk that is full or fails for a moment loses none of them.
 * While another program has the file, the first thread polls for its lock and the others stand
 * in line; what the file's log has afterwards is counted. */
#define _GNU_SOURCE
#include "check.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <unistd.h>

enum { writers = 40 };

/* ---- between the library and the system ---- */

#define BETWEEN __attribute__((visibility("default")))

static atomic_int in_line;  /* threads that wait for their turn */
static atomic_int writes_to_fail, syncs_to_fail;
/* Of a thread that does not lead at once, whose change goes alone. */
static _Thread_local bool waited;

BETWEEN int pthread_cond_timedwait(pthread_cond_t *condition, pthread_mutex_t *mutex, const struct timespec *until) {
  /* dlsym finds the one of glibc 2.2. */
  int (*real)(pthread_cond_t *, pthread_mutex_t *, const struct timespec *) = dlvsym(RTLD_NEXT, "pthread_cond_timedwait", "GLIBC_2.3.2");
  if (!real) real = dlsym(RTLD_NEXT, "pthread_cond_timedwait");
  CHECK(real);
  waited = true;
  in_line++;
  return real(condition, mutex, until);
}

static bool fails(atomic_int *left) { return waited && *left > 0 && (*left)-- > 0; }

BETWEEN ssize_t pwrite64(int file, const void *data, size_t size, off64_t at) {
  ssize_t (*real)(int, const void *, size_t, off64_t) = dlsym(RTLD_NEXT, "pwrite64");
  if (!fails(&writes_to_fail)) return real(file, data, size, at);
  errno = ENOSPC;
  return -1;
}

static int synced(int file, int (*real)(int)) {
  if (!fails(&syncs_to_fail)) return real(file);
  errno = EIO;
  return -1;
}
BETWEEN int fsync(int file) { return synced(file, dlsym(RTLD_NEXT, "fsync")); }
BETWEEN int fdatasync(int file) { return synced(file, dlsym(RTLD_NEXT, "fdatasync")); }

/* ---- the store ---- */

static const int64_t expires = INT64_C(4102444800000000);
static tuile_store *store;
static sqlite3 *other;

static tuile_store *opened(const char *options) {
  char url[200];
  tuile_error error;
  snprintf(url, sizeof url, "sqlite:///%s/sessions?synchronous=full%s", getcwd((char[150]){0}, 150), options);
  tuile_store *made = NULL;
  if (tuile_store_open(text(url), &made, &error) != TUILE_OK) fprintf(stderr, "%s\n", error.message);
  CHECK(made != NULL);
  return made;
}

/* Changes in the log: frames that say how large the file is after them (sqlite.org/fileformat2.html#walformat). */
static int transactions(void) {
  FILE *log = fopen("sessions-wal", "rb");
  unsigned char header[32];
  int count = 0;
  CHECK(log);
  CHECK(fread(header, 1, 32, log) == 32);
  long page = (long)header[8] << 24 | (long)header[9] << 16 | (long)header[10] << 8 | (long)header[11];
  while (fread(header, 1, 24, log) == 24) {
    if (header[4] || header[5] || header[6] || header[7]) count++;
    CHECK(fseek(log, page, SEEK_CUR) == 0);
  }
  fclose(log);
  return count;
}

static void run(const char *sql) { CHECK(sqlite3_exec(other, sql, NULL, NULL, NULL) == SQLITE_OK); }

static void receive(void *context, tuile_bytes data, int64_t when) {
  (void)when;
  *(bool *)context = equals(data, "new");
}

/* ---- threads ---- */

static tuile_status answers[writers];

static void *change(void *number) {
  int i = (int)(intptr_t)number;
  char key[20];
  tuile_error error;
  snprintf(key, sizeof key, "groupkey%d", i);
  switch (i % 5) {
    case 0: answers[i] = tuile_store_create(store, text("takenkey"), text("new"), expires, &error); break;
    case 1: answers[i] = tuile_store_replace(store, text("takenkey"), text("wrong"), text("new"), expires, &error); break;
    case 2: answers[i] = tuile_store_touch(store, text("missingkey"), expires, &error); break;
    default: answers[i] = tuile_store_put(store, text(key), text("new"), expires, &error);
  }
  return NULL;
}

/* All threads want to change the file while it is held. */
static void together(void (*before)(void)) {
  pthread_t threads[writers];
  run("BEGIN IMMEDIATE");
  in_line = 0;
  for (int i = 0; i < writers; i++) CHECK(pthread_create(&threads[i], NULL, change, (void *)(intptr_t)i) == 0);
  /* One leads, and has nobody to wait for but the other program. */
  while (in_line < writers - 1) usleep(1000);
  before();
  run("COMMIT");
  for (int i = 0; i < writers; i++) CHECK(pthread_join(threads[i], NULL) == 0);
}

static void nothing(void) {}
static void fill_disk(void) { writes_to_fail = 1; }
static void fail_sync(void) { syncs_to_fail = 1; }

static void check_answers(void) {
  for (int i = 0; i < writers; i++) {
    tuile_status wanted = i % 5 == 0 ? TUILE_EXISTS : i % 5 == 1 ? TUILE_CONFLICT : i % 5 == 2 ? TUILE_ABSENT : TUILE_OK;
    char key[20];
    bool is_new = false;
    tuile_error error;
    CHECK(answers[i] == wanted);
    snprintf(key, sizeof key, "groupkey%d", i);
    tuile_status status = tuile_store_load(store, text(key), 0, receive, &is_new, &error);
    CHECK(status == (wanted == TUILE_OK ? TUILE_OK : TUILE_ABSENT));
    CHECK(is_new == (wanted == TUILE_OK));
    CHECK(tuile_store_remove(store, text(key), &error) == TUILE_OK);
  }
}

int main(void) {
#ifdef SANITIZED
  puts("skipped: a sanitizer stands between the library and the system itself");
  return 0;
#endif
  tuile_error error;
  store = opened("&busy=100000");
  CHECK(tuile_store_put(store, text("takenkey"), text("taken"), expires, &error) == TUILE_OK);
  CHECK(sqlite3_open("sessions", &other) == SQLITE_OK);

  int before = transactions();
  for (int i = 0; i < writers; i++) change((void *)(intptr_t)i);
  int alone = transactions() - before;
  CHECK(alone == writers / 5 * 2);
  check_answers();

  before = transactions();
  together(nothing);
  /* The leader's, and all the others; one more if a thread was woken for nothing. */
  int grouped = transactions() - before;
  CHECK(grouped >= 1);
  CHECK(grouped <= 3);
  check_answers();

  together(fill_disk);
  CHECK(writes_to_fail == 0);
  check_answers();
  together(fail_sync);
  CHECK(syncs_to_fail == 0);
  check_answers();

  /* Nobody waits longer than the URL says, and nothing of it is done later. */
  tuile_store_close(store);
  store = opened("&busy=20");
  run("BEGIN IMMEDIATE");
  pthread_t threads[writers];
  for (int i = 0; i < writers; i++) CHECK(pthread_create(&threads[i], NULL, change, (void *)(intptr_t)i) == 0);
  for (int i = 0; i < writers; i++) CHECK(pthread_join(threads[i], NULL) == 0);
  run("COMMIT");
  for (int i = 0; i < writers; i++) {
    char key[20];
    bool is_new = false;
    CHECK(answers[i] == TUILE_E_BUSY);
    snprintf(key, sizeof key, "groupkey%d", i);
    CHECK(tuile_store_load(store, text(key), 0, receive, &is_new, &error) == TUILE_ABSENT);
  }
  tuile_store_close(store);
  sqlite3_close(other);
  return 0;
}
