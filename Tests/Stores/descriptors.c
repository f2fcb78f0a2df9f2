/* No descriptor left: each operation, and opening, with none free, then one, and so on
 * until it goes well. Each in a child of fork(), so that nothing is open that could be
 * used again. There is a status with a message, the session is the old or the new, nobody
 * is told that it is absent, and the same store goes on once there are descriptors.
 *   store_descriptors URL [plain]    plain: the store has neither owners nor walks */
#include "check.h"

#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { most = 64 };

static const char *url;
static bool plain;
static tuile_store *store;
static tuile_error error;
static const int64_t expires = INT64_C(4102444800000000);

static tuile_bytes key(void) { return text("fewdescriptors"); }
static tuile_bytes old(void) { return text("old data"); }
static tuile_bytes new(void) { return text("new data"); }

static void receive(void *context, tuile_bytes data, int64_t when) {
  (void)when;
  *(int *)context = equals(data, "old data") ? 1 : equals(data, "new data") ? 2 : 3;
}
static void listed(void *context, tuile_bytes k, tuile_bytes record, int64_t when) {
  (void)k, (void)record, (void)when;
  ++*(int *)context;
}
static bool count_key(void *context, tuile_bytes k, int64_t when) {
  (void)when;
  *(int *)context += equals(k, "fewdescriptors");
  return true;
}
static bool count_owner(void *context, tuile_bytes owner) {
  *(int *)context += equals(owner, "ada");
  return true;
}

/* 0: absent, 1: old, 2: new. */
static int stored(void) {
  int found = 0;
  tuile_status status = tuile_store_load(store, key(), 0, receive, &found, &error);
  CHECK((status == TUILE_OK && (found == 1 || found == 2)) || (status == TUILE_ABSENT && found == 0));
  return found;
}

/* ---- operations ---- */

static tuile_status one(tuile_status status, int count) {
  CHECK(status != TUILE_OK || count == 1);
  return status;
}
static tuile_status do_load(void) {
  int found = 0;
  tuile_status status = tuile_store_load(store, key(), 0, receive, &found, &error);
  return one(status, found);
}
static tuile_status do_create(void) { return tuile_store_create(store, key(), new(), expires, &error); }
static tuile_status do_replace(void) { return tuile_store_replace(store, key(), old(), new(), expires, &error); }
static tuile_status do_put(void) { return tuile_store_put(store, key(), new(), expires, &error); }
static tuile_status do_touch(void) { return tuile_store_touch(store, key(), expires + 1000000, &error); }
static tuile_status do_remove(void) { return tuile_store_remove(store, key(), &error); }
static tuile_status do_sweep(void) { return tuile_store_sweep(store, 1, 10, NULL, &error); }
static tuile_status do_own(void) { return tuile_store_own(store, text("ada"), key(), text("r"), expires, &error); }
static tuile_status do_disown(void) { return tuile_store_disown(store, text("ada"), key(), &error); }
static tuile_status do_owned(void) {
  int count = 0;
  tuile_status status = tuile_store_owned(store, text("ada"), 0, listed, &count, &error);
  return one(status, count);
}
static tuile_status do_keys(void) {
  int count = 0;
  tuile_status status = tuile_store_keys(store, 0, count_key, &count, &error);
  return one(status, count > 0); /* a walk may give a key twice */
}
static tuile_status do_owners(void) {
  int count = 0;
  tuile_status status = tuile_store_owners(store, count_owner, &count, &error);
  return one(status, count > 0);
}
static tuile_status do_open(void) {
  tuile_store *opened = NULL;
  tuile_status status = tuile_store_open(text(url), &opened, &error);
  CHECK((status == TUILE_OK) == (opened != NULL));
  tuile_store_close(opened);
  return status;
}

static const struct operation {
  const char *name;
  tuile_status (*run)(void);
  bool absent;     /* before it, there is no session */
  bool listing;    /* of owners, or a walk */
  int after, done; /* what may be there afterwards, as bits: 1 none, 2 old, 4 new; and after TUILE_OK */
} operations[] = {
    {"open", do_open, false, false, 2, 2},   {"load", do_load, false, false, 2, 2},         {"create", do_create, true, false, 1 | 4, 4},
    {"put", do_put, false, false, 2 | 4, 4}, {"replace", do_replace, false, false, 2 | 4, 4}, {"touch", do_touch, false, false, 2, 2},
    {"own", do_own, false, true, 2, 2},     {"remove", do_remove, false, false, 1 | 2, 1}, {"owned", do_owned, false, true, 2, 2},
    {"keys", do_keys, false, true, 2, 2},   {"disown", do_disown, false, true, 2, 2},     {"sweep", do_sweep, false, false, 2, 2},
    {"owners", do_owners, false, true, 2, 2},
};

static void prepare(const struct operation *operation) {
  CHECK(tuile_store_put(store, key(), old(), expires, NULL) == TUILE_OK);
  CHECK(plain || do_own() == TUILE_OK);
  if (operation->absent) CHECK(tuile_store_remove(store, key(), NULL) == TUILE_OK);
}

/* ---- descriptors ---- */

static int taken[most], taken_count;

static void take_all_but(int unused) {
  struct rlimit limit;
  CHECK(getrlimit(RLIMIT_NOFILE, &limit) == 0);
  limit.rlim_cur = most;
  CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
  for (int file; taken_count < most && (file = open("/dev/null", O_RDONLY)) >= 0;) taken[taken_count++] = file;
  CHECK(taken_count >= unused);
  while (unused-- > 0) close(taken[--taken_count]);
}
static void give_back(void) {
  while (taken_count > 0) close(taken[--taken_count]);
}

/* In the child: exits with 0 if the operation did without, with 1 if it failed as it should. */
static void try(const struct operation *operation, int unused) {
  take_all_but(unused);
  tuile_status status = operation->run();
  give_back();
  if (status != TUILE_OK) {
    bool fine = status == TUILE_E_STORE && error.status == status && strlen(error.message) > 10;
    if (!fine) fprintf(stderr, "%s with %d: %s: %s\n", operation->name, unused, tuile_status_name(status), error.message);
    CHECK(fine);
  }
  int there = stored();
  CHECK((status == TUILE_OK ? operation->done : operation->after) & 1 << there);
  prepare(operation);
  CHECK(operation->run() == TUILE_OK);
  tuile_store_close(store);
  exit(status == TUILE_OK ? 0 : 1);
}

/* In a child, so that this process has no connection which the next one would close first. */
static int in_child(const struct operation *operation, int unused) {
  int answer;
  fflush(stdout);
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0 && unused >= 0) try(operation, unused);
  if (child == 0) {
    prepare(operation);
    tuile_store_close(store);
    exit(0);
  }
  CHECK(waitpid(child, &answer, 0) == child);
  CHECK(WIFEXITED(answer));
  return WEXITSTATUS(answer);
}

int main(int argc, char **argv) {
  if (argc < 2) return fputs("usage: store_descriptors URL [plain]\n", stderr), 2;
  url = argv[1];
  plain = argc > 2 && strcmp(argv[2], "plain") == 0;
  tuile_status status = tuile_store_open(text(url), &store, &error);
  if (status != TUILE_OK) fprintf(stderr, "%s: %s\n", tuile_status_name(status), error.message);
  CHECK(status == TUILE_OK);
  int failed = 0;
  for (size_t i = 0; i < sizeof operations / sizeof *operations; i++) {
    int answer = 1, unused = 0;
    if (plain && operations[i].listing) continue;
    for (; answer == 1; unused++) {
      CHECK(unused < most / 2);
      CHECK(in_child(&operations[i], -1) == 0);
      answer = in_child(&operations[i], unused);
      failed += answer == 1;
    }
    CHECK(answer == 0);
    printf("%s%s %d", i ? ", " : "descriptors needed: ", operations[i].name, unused - 1);
  }
  puts("");
  tuile_store_close(store);
  CHECK(failed > 0 || strncmp(url, "memory:", 7) == 0);
  return 0;
}
