/* The file store while the system fails: every call of it to the system fails
 * once, in turn, for every operation. Each time there is a status, the data is the
 * old or the new, whole, and nobody is told that a session is absent that is not. */
#define _GNU_SOURCE
#include "check.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
int main(void) { return 0; } /* the sanitizers stand in front of the same calls */
#else

/* ---- in front of libc ---- */

static int fail_at, calls, failure, hours;
static bool halves, plain_renames;

/* Counts a call; true if it is the one to fail. */
static bool fails(void) {
  if (fail_at == 0 || ++calls != fail_at) return false;
  errno = failure;
  return true;
}
static void *next(const char *name) { return dlsym(RTLD_NEXT, name); }

#pragma GCC visibility push(default)

ssize_t write(int file, const void *data, size_t size) {
  static ssize_t (*real)(int, const void *, size_t);
  if (!real) *(void **)&real = next("write");
  return fails() ? -1 : real(file, data, halves && size > 1 ? size / 2 : size);
}
ssize_t read(int file, void *data, size_t size) {
  static ssize_t (*real)(int, void *, size_t);
  if (!real) *(void **)&real = next("read");
  return fails() ? -1 : real(file, data, halves && size > 1 ? size / 2 : size);
}
int fsync(int file) {
  static int (*real)(int);
  if (!real) *(void **)&real = next("fsync");
  return fails() ? -1 : real(file);
}
int futimens(int file, const struct timespec times[2]) {
  static int (*real)(int, const struct timespec *);
  if (!real) *(void **)&real = next("futimens");
  return fails() ? -1 : real(file, times);
}
int fstat(int file, struct stat *about) {
  static int (*real)(int, struct stat *);
  if (!real) *(void **)&real = next("fstat");
  return fails() ? -1 : real(file, about);
}
int fstatat(int folder, const char *name, struct stat *about, int flags) {
  static int (*real)(int, const char *, struct stat *, int);
  if (!real) *(void **)&real = next("fstatat");
  return fails() ? -1 : real(folder, name, about, flags);
}
struct dirent *readdir(DIR *list) {
  static struct dirent *(*real)(DIR *);
  if (!real) *(void **)&real = next("readdir");
  return fails() ? NULL : real(list);
}
int unlinkat(int folder, const char *name, int flags) {
  static int (*real)(int, const char *, int);
  if (!real) *(void **)&real = next("unlinkat");
  return fails() ? -1 : real(folder, name, flags);
}
int renameat(int from, const char *one, int to, const char *other) {
  static int (*real)(int, const char *, int, const char *);
  if (!real) *(void **)&real = next("renameat");
  return fails() ? -1 : real(from, one, to, other);
}
int openat(int folder, const char *name, int flags, ...) {
  static int (*real)(int, const char *, int, ...);
  if (!real) *(void **)&real = next("openat");
  va_list rest;
  va_start(rest, flags);
  mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  return fails() ? -1 : real(folder, name, flags, mode);
}
int fcntl(int file, int command, ...) {
  static int (*real)(int, int, ...);
  if (!real) *(void **)&real = next("fcntl");
  va_list rest;
  va_start(rest, command);
  void *argument = va_arg(rest, void *);
  va_end(rest);
  return fails() ? -1 : real(file, command, argument);
}
/* renameat2, which has no function in an old libc. */
long syscall(long number, ...) {
  static long (*real)(long, ...);
  if (!real) *(void **)&real = next("syscall");
  va_list rest;
  va_start(rest, number);
  long a = va_arg(rest, long), b = va_arg(rest, long), c = va_arg(rest, long), d = va_arg(rest, long), e = va_arg(rest, long);
  va_end(rest);
  if (plain_renames && number == SYS_renameat2) return errno = EINVAL, -1;
  return number == SYS_renameat2 && fails() ? -1 : real(number, a, b, c, d, e);
}
int clock_gettime(clockid_t clock, struct timespec *time) {
  static int (*real)(clockid_t, struct timespec *);
  if (!real) *(void **)&real = next("clock_gettime");
  int answer = real(clock, time);
  time->tv_sec += hours * 3600;
  return answer;
}

#pragma GCC visibility pop

/* ---- operations ---- */

static tuile_store *store;
static char folder[512];
static const int64_t expires = INT64_C(4102444800000000);
static tuile_error error;

static tuile_bytes key(void) { return text("faultykey"); }
static tuile_bytes old(void) { return text("old data"); }
static tuile_bytes new(void) { return text("new data, which is longer than the old"); }

static void receive(void *context, tuile_bytes data, int64_t when) {
  (void)when;
  int *found = context;
  *found = data.size == old().size && memcmp(data.data, old().data, data.size) == 0   ? 1
           : data.size == new().size && memcmp(data.data, new().data, data.size) == 0 ? 2
                                                                                      : 3;
}
static void listed(void *context, tuile_bytes k, tuile_bytes record, int64_t when) {
  (void)k, (void)record, (void)when;
  ++*(int *)context;
}

/* 0: absent, 1: old, 2: new. */
static int stored(void) {
  int found = 0;
  tuile_status status = tuile_store_load(store, key(), 0, receive, &found, &error);
  CHECK((status == TUILE_OK && (found == 1 || found == 2)) || (status == TUILE_ABSENT && found == 0));
  return found;
}

static tuile_status do_load(void) {
  int found = 0;
  tuile_status status = tuile_store_load(store, key(), 0, receive, &found, &error);
  CHECK(status != TUILE_OK || found == 1);
  return status;
}
static tuile_status do_create(void) { return tuile_store_create(store, key(), new(), expires, &error); }
static tuile_status do_replace(void) { return tuile_store_replace(store, key(), old(), new(), expires, &error); }
static tuile_status do_put(void) { return tuile_store_put(store, key(), new(), expires, &error); }
static tuile_status do_touch(void) { return tuile_store_touch(store, key(), expires + 1000, &error); }
static tuile_status do_remove(void) { return tuile_store_remove(store, key(), &error); }
static tuile_status do_own(void) { return tuile_store_own(store, text("ada"), key(), text("r"), expires, &error); }
static tuile_status do_owned(void) {
  int count = 0;
  tuile_status status = tuile_store_owned(store, text("ada"), 0, listed, &count, &error);
  CHECK(status != TUILE_OK || count == 1);
  return status;
}
static tuile_status do_disown(void) { return tuile_store_disown(store, text("ada"), key(), &error); }
static bool count_key(void *context, tuile_bytes k, int64_t when) {
  *(int *)context += equals(k, "faultykey") && when == expires;
  return true;
}
static tuile_status do_keys(void) {
  int count = 0;
  tuile_status status = tuile_store_keys(store, 0, count_key, &count, &error);
  CHECK(status != TUILE_OK || count == 1);
  return status;
}
static bool count_owner(void *context, tuile_bytes owner) {
  *(int *)context += equals(owner, "ada");
  return true;
}
static tuile_status do_owners(void) {
  int count = 0;
  tuile_status status = tuile_store_owners(store, count_owner, &count, &error);
  CHECK(status != TUILE_OK || count == 1);
  return status;
}
static tuile_status do_sweep(void) { return tuile_store_sweep(store, 1, 10, NULL, &error); }

struct operation {
  const char *name;
  tuile_status (*run)(void);
  bool absent; /* before it, there is no session */
  int after;   /* what may be there afterwards, as bits: 1 none, 2 old, 4 new */
};

static const struct operation operations[] = {
    {"load", do_load, false, 2},     {"create", do_create, true, 1 | 4}, {"replace", do_replace, false, 2 | 4},
    {"put", do_put, false, 2 | 4},   {"touch", do_touch, false, 2},      {"remove", do_remove, false, 1 | 2},
    {"own", do_own, false, 2},       {"owned", do_owned, false, 2},      {"disown", do_disown, false, 2},
    {"sweep", do_sweep, false, 2},   {"keys", do_keys, false, 2},        {"owners", do_owners, false, 2},
};

static void prepare(const struct operation *operation) {
  CHECK(tuile_store_remove(store, key(), NULL) == TUILE_OK);
  CHECK(tuile_store_create(store, key(), old(), expires, NULL) == TUILE_OK);
  CHECK(tuile_store_own(store, text("ada"), key(), text("r"), expires, NULL) == TUILE_OK);
  if (operation->absent) CHECK(tuile_store_remove(store, key(), NULL) == TUILE_OK);
}

static void fail_each_call(const struct operation *operation, int with) {
  int failed = 0;
  failure = with;
  for (int n = 1;; n++) {
    prepare(operation);
    memset(&error, 0, sizeof error);
    fail_at = n, calls = 0;
    tuile_status status = operation->run();
    fail_at = 0;
    if (calls < n) {
      CHECK(status == TUILE_OK);
      printf("%s: %d calls, %d of them noticed\n", operation->name, n - 1, failed);
      CHECK(n > 1 || operation->run == do_sweep);
      return;
    }
    /* What can't be looked at after it was swapped is swapped back, as if others had written. */
    if (status == TUILE_CONFLICT && operation->run == do_replace && stored() == 1) continue;
    if (status != TUILE_OK) {
      if (status != TUILE_E_STORE) fprintf(stderr, "%s, call %d: %s\n", operation->name, n, tuile_status_name(status));
      CHECK(status == TUILE_E_STORE);
      CHECK(error.status == status);
      CHECK(strlen(error.message) > 10);
      failed++;
    }
    CHECK(operation->after & 1 << stored());
    if (status == TUILE_OK && operation->run == do_replace) CHECK(stored() == 2);
  }
}

static int temporary_files(void) {
  int count = 0;
  DIR *list = opendir(folder);
  for (struct dirent *entry; (entry = readdir(list));) count += strstr(entry->d_name, "_out_") != NULL;
  closedir(list);
  return count;
}

int main(int argc, char **argv) {
  CHECK(argc > 1);
  char url[600];
  snprintf(folder, sizeof folder, "%s/sessions", argv[1]);
  snprintf(url, sizeof url, "file://%s?fsync=full", folder);
  CHECK(tuile_store_open(text(url), &store, &error) == TUILE_OK);
  size_t count = sizeof operations / sizeof *operations;
  for (size_t i = 0; i < count; i++) fail_each_call(&operations[i], EIO);
  fail_each_call(&operations[2], ENOSPC);
  /* A signal at any call, and calls that do half of what they are asked for. */
  halves = true;
  prepare(&operations[2]);
  CHECK(do_replace() == TUILE_OK);
  CHECK(stored() == 2);
  halves = false;
  /* A file system that can neither exchange names nor refuse one that is taken. */
  plain_renames = true;
  prepare(&operations[2]);
  CHECK(do_create() == TUILE_EXISTS);
  CHECK(do_replace() == TUILE_OK);
  CHECK(stored() == 2);
  plain_renames = false;
  /* What failed removals left goes with a sweep, after an hour. */
  CHECK(temporary_files() > 0);
  CHECK(tuile_store_sweep(store, 1, 10, NULL, NULL) == TUILE_OK);
  CHECK(temporary_files() > 0);
  hours = 2;
  CHECK(tuile_store_sweep(store, 1, 10, NULL, NULL) == TUILE_OK);
  CHECK(temporary_files() == 0);
  tuile_store_close(store);
  return 0;
}
#endif
