/* Django saves a session twice while Tuile is about to replace it, and its second file
 * gets the number that the compared one had: that is noticed all the same. */
#define _GNU_SOURCE
#include "check.h"

#include <dlfcn.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

static char session[500], django[520];
static atomic_bool saving;

/* As Django does it: a file of its own that is moved into place. */
static void save_as_django(void) {
  int file = open(django, O_CREAT | O_WRONLY, 0600);
  CHECK(file >= 0);
  CHECK(write(file, "of Django", 9) == 9);
  CHECK(close(file) == 0);
  CHECK(rename(django, session) == 0);
}

static void *next(const char *name) { return dlsym(RTLD_NEXT, name); }

#pragma GCC visibility push(default)

/* All files have one number. */
int fstat(int file, struct stat *about) {
  static int (*real)(int, struct stat *);
  if (!real) *(void **)&real = next("fstat");
  int result = real(file, about);
  about->st_ino = 7;
  return result;
}
int fstatat(int folder, const char *name, struct stat *about, int flags) {
  static int (*real)(int, const char *, struct stat *, int);
  if (!real) *(void **)&real = next("fstatat");
  int result = real(folder, name, about, flags);
  about->st_ino = 7;
  return result;
}
/* renameat2: Django is first. */
long syscall(long number, ...) {
  static long (*real)(long, ...);
  if (!real) *(void **)&real = next("syscall");
  va_list rest;
  va_start(rest, number);
  long a = va_arg(rest, long), b = va_arg(rest, long), c = va_arg(rest, long), d = va_arg(rest, long), e = va_arg(rest, long);
  va_end(rest);
  if (number == SYS_renameat2 && atomic_exchange(&saving, false)) save_as_django();
  return real(number, a, b, c, d, e);
}

#pragma GCC visibility pop

static void receive(void *context, tuile_bytes data, int64_t expires) {
  (void)expires;
  *(bool *)context = equals(data, "of Django");
}

int main(int argc, char **argv) {
  CHECK(argc > 1);
  const int64_t later = INT64_C(4102444800000000);
  char url[400];
  tuile_store *store;
  tuile_bytes key = text("thefirstkey");
  snprintf(url, sizeof url, "file://%s/sessions?fsync=off", argv[1]);
  snprintf(session, sizeof session, "%s/sessions/sessionidthefirstkey", argv[1]);
  snprintf(django, sizeof django, "%s/sessions/django", argv[1]);
  CHECK(tuile_store_open(text(url), &store, NULL) == TUILE_OK);
  CHECK(tuile_store_create(store, key, text("first one"), later, NULL) == TUILE_OK);
  CHECK(tuile_store_replace(store, key, text("first one"), text("secondone"), later, NULL) == TUILE_OK);
  atomic_store(&saving, true);
  CHECK(tuile_store_replace(store, key, text("secondone"), text("a third"), later, NULL) == TUILE_CONFLICT);
  bool found = false;
  CHECK(!saving);
  CHECK(tuile_store_load(store, key, 0, receive, &found, NULL) == TUILE_OK);
  CHECK(found);
  tuile_store_close(store);
  return 0;
}
