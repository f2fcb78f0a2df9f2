#include "store_walks.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define RULE(condition, text) \
  do {                        \
    if (!(condition)) return text; \
  } while (0)

/* Around the real present, since a store may let keys expire by its own clock;
 * in whole milliseconds, which is what such stores count. */
static int64_t now, later, earlier;

static void set_times(void) {
  struct timespec present;
  clock_gettime(CLOCK_REALTIME, &present);
  now = ((int64_t)present.tv_sec * 1000 + present.tv_nsec / 1000000) * 1000;
  later = now + 3600000000, earlier = now - 100000000;
}

/* ---- short forms ---- */

static tuile_bytes text(const char *string) { return (tuile_bytes){string, strlen(string)}; }

static tuile_bytes key_of(char buffer[33], unsigned int number) {
  snprintf(buffer, 33, "contract%024u", number);
  return (tuile_bytes){buffer, 32};
}

struct loaded {
  char *data;
  size_t size;
  int64_t expires;
  int calls;
};

static void receive(void *context, tuile_bytes data, int64_t expires) {
  struct loaded *loaded = context;
  free(loaded->data);
  loaded->data = malloc(data.size + 1);
  if (!loaded->data) abort();
  if (data.size > 0) memcpy(loaded->data, data.data, data.size);
  loaded->data[data.size] = 0;
  loaded->size = data.size;
  loaded->expires = expires;
  loaded->calls++;
}

/* TUILE_OK only if the key holds just that. */
static tuile_status holds(tuile_store *store, tuile_bytes key, tuile_bytes data, int64_t expires) {
  struct loaded loaded = {0};
  tuile_status status = tuile_store_load(store, key, now, receive, &loaded, NULL);
  if (status == TUILE_OK &&
      (loaded.calls != 1 || loaded.size != data.size || loaded.expires != expires ||
       (data.size > 0 && memcmp(loaded.data, data.data, data.size) != 0)))
    status = TUILE_CONFLICT;
  if (status == TUILE_ABSENT && loaded.calls != 0) status = TUILE_CONFLICT;
  free(loaded.data);
  return status;
}

/* ---- one thread ---- */

static const char *basics(tuile_store *s) {
  char buffer[33];
  tuile_bytes key = key_of(buffer, 1);
  RULE(holds(s, key, text(""), 0) == TUILE_ABSENT, "load: absent before create");
  RULE(tuile_store_create(s, key, text("one"), later, NULL) == TUILE_OK, "create: a new key");
  RULE(holds(s, key, text("one"), later) == TUILE_OK, "load: what was created");
  RULE(tuile_store_create(s, key, text("two"), later, NULL) == TUILE_EXISTS, "create: a taken key");
  RULE(tuile_store_replace(s, key, text("onE"), text("two"), later, NULL) == TUILE_CONFLICT, "replace: other data");
  RULE(tuile_store_replace(s, key, text("on"), text("two"), later, NULL) == TUILE_CONFLICT, "replace: a prefix");
  RULE(tuile_store_replace(s, key, text(""), text("two"), later, NULL) == TUILE_CONFLICT, "replace: nothing expected");
  RULE(holds(s, key, text("one"), later) == TUILE_OK, "replace: a conflict changes nothing");
  RULE(tuile_store_replace(s, key, text("one"), text("two"), later + 1000, NULL) == TUILE_OK, "replace: what is expected");
  RULE(holds(s, key, text("two"), later + 1000) == TUILE_OK, "replace: data and expiry");
  RULE(tuile_store_touch(s, key, later + 2000, NULL) == TUILE_OK, "touch: a key");
  RULE(holds(s, key, text("two"), later + 2000) == TUILE_OK, "touch: the expiry alone");
  RULE(tuile_store_remove(s, key, NULL) == TUILE_OK, "remove: a key");
  RULE(holds(s, key, text(""), 0) == TUILE_ABSENT, "load: absent after remove");
  RULE(tuile_store_remove(s, key, NULL) == TUILE_OK, "remove: twice");
  RULE(tuile_store_replace(s, key, text("two"), text("three"), later, NULL) == TUILE_ABSENT, "replace: a removed key");
  RULE(tuile_store_touch(s, key, later, NULL) == TUILE_ABSENT, "touch: a removed key");
  RULE(holds(s, key, text(""), 0) == TUILE_ABSENT, "a removed key stays removed");
  return NULL;
}

/* For a store that lets keys go by its own clock: what is expired is as good as removed. */
static const char *own_expiry(tuile_store *s) {
  char buffer[33];
  tuile_bytes key = key_of(buffer, 2);
  size_t removed = 99;
  RULE(tuile_store_create(s, key, text("x"), later, NULL) == TUILE_OK, "create");
  RULE(tuile_store_touch(s, key, earlier, NULL) == TUILE_OK, "touch: into the past");
  RULE(holds(s, key, text("x"), earlier) == TUILE_ABSENT, "load: absent after the expiry");
  RULE(tuile_store_replace(s, key, text("x"), text("y"), later, NULL) == TUILE_ABSENT, "replace: an expired key");
  RULE(tuile_store_create(s, key, text("y"), later, NULL) == TUILE_OK, "create: an expired key is free");
  RULE(tuile_store_replace(s, key, text("y"), text("z"), earlier, NULL) == TUILE_OK, "replace: into the past");
  RULE(holds(s, key, text("z"), earlier) == TUILE_ABSENT, "load: absent after the expiry");
  RULE(tuile_store_sweep(s, now, 10, &removed, NULL) == TUILE_OK && removed == 0, "sweep: nothing is left");
  return NULL;
}

static const char *expiry(tuile_store *s) {
  char buffer[33];
  tuile_bytes key = key_of(buffer, 2);
  size_t removed = 99;
  RULE(tuile_store_create(s, key, text("x"), now, NULL) == TUILE_OK, "create: an expired key");
  RULE(holds(s, key, text("x"), now) == TUILE_ABSENT, "load: absent at the expiry");
  RULE(tuile_store_create(s, key, text("y"), later, NULL) == TUILE_EXISTS, "create: an expired key is taken");
  RULE(tuile_store_sweep(s, now, 10, &removed, NULL) == TUILE_OK && removed == 0, "sweep: not at the expiry");
  RULE(tuile_store_touch(s, key, now + 1, NULL) == TUILE_OK, "touch: an expired key");
  RULE(holds(s, key, text("x"), now + 1) == TUILE_OK, "load: a microsecond before the expiry");
  RULE(tuile_store_remove(s, key, NULL) == TUILE_OK, "remove");
  for (unsigned int i = 100; i < 130; i++)
    RULE(tuile_store_create(s, key_of(buffer, i), text("x"), i < 120 ? earlier : later, NULL) == TUILE_OK, "create");
  RULE(tuile_store_sweep(s, now, 0, &removed, NULL) == TUILE_OK && removed == 0, "sweep: a limit of 0");
  RULE(tuile_store_sweep(s, now, 7, &removed, NULL) == TUILE_OK && removed == 7, "sweep: the limit");
  /* A store may do it in steps of its own. */
  for (size_t rest = 13; rest > 0; rest -= removed)
    RULE(tuile_store_sweep(s, now, 1000, &removed, NULL) == TUILE_OK && removed > 0 && removed <= rest, "sweep: the rest");
  RULE(tuile_store_sweep(s, now, 1000, NULL, NULL) == TUILE_OK, "sweep: without a count");
  for (unsigned int i = 120; i < 130; i++) {
    RULE(holds(s, key_of(buffer, i), text("x"), later) == TUILE_OK, "sweep: spares the living");
    RULE(tuile_store_remove(s, key_of(buffer, i), NULL) == TUILE_OK, "remove");
  }
  return NULL;
}

/* What is ours and is no session; revocations are kept so. */
static bool is_walked;
static bool see_record(void *context, tuile_bytes key, int64_t expires) {
  (void)context, (void)expires;
  is_walked |= key.size > 0 && *(const char *)key.data == '~';
  return true;
}
static const char *records(tuile_store *s, bool keys) {
  const tuile_bytes key = text("~0123456789abcdef0123456789abcdef0123456"), other = text("~shorter");
  RULE(holds(s, key, text(""), 0) == TUILE_ABSENT, "record: absent before create");
  RULE(tuile_store_create(s, key, text("1"), later, NULL) == TUILE_OK, "record: create");
  RULE(tuile_store_create(s, key, text("2"), later, NULL) == TUILE_EXISTS, "record: create: a taken key");
  RULE(tuile_store_put(s, other, text("x"), later, NULL) == TUILE_OK, "record: put");
  RULE(holds(s, key, text("1"), later) == TUILE_OK, "record: load");
  RULE(tuile_store_replace(s, key, text("2"), text("3"), later, NULL) == TUILE_CONFLICT, "record: replace: other data");
  RULE(tuile_store_replace(s, key, text("1"), text("3"), later + 1000, NULL) == TUILE_OK, "record: replace");
  RULE(tuile_store_touch(s, key, later, NULL) == TUILE_OK, "record: touch");
  RULE(holds(s, key, text("3"), later) == TUILE_OK, "record: load what was replaced");
  is_walked = false;
  RULE(!keys || tuile_store_keys(s, now, see_record, NULL, NULL) == TUILE_OK, "record: a walk");
  RULE(!is_walked, "record: in no walk");
  RULE(tuile_store_remove(s, other, NULL) == TUILE_OK && holds(s, other, text(""), 0) == TUILE_ABSENT, "record: remove");
  RULE(tuile_store_touch(s, key, earlier, NULL) == TUILE_OK, "record: touch into the past");
  RULE(holds(s, key, text(""), 0) == TUILE_ABSENT, "record: absent after the expiry");
  RULE(tuile_store_sweep(s, now, 1000, NULL, NULL) == TUILE_OK, "record: sweep");
  RULE(tuile_store_create(s, key, text("4"), later, NULL) == TUILE_OK, "record: swept when it is expired");
  RULE(tuile_store_remove(s, key, NULL) == TUILE_OK, "record: remove");
  RULE(tuile_store_remove(s, key, NULL) == TUILE_OK, "record: remove twice");
  return NULL;
}

static const char *data_of_every_size(tuile_store *s, bool binary) {
  char buffer[33];
  tuile_bytes key = key_of(buffer, 3), previous = text("start");
  const size_t largest = 1 << 20;
  char *two[2] = {malloc(largest), malloc(largest)};
  if (!two[0] || !two[1]) abort();
  RULE(tuile_store_create(s, key, previous, later, NULL) == TUILE_OK, "create");
  const char *broken = NULL;
  unsigned int turn = 0;
  for (size_t size = 0; size <= largest && !broken; size = size < 40 ? size + 1 : size * 2 + 1 > largest && size < largest ? largest : size * 2 + 1) {
    char *data = two[turn++ % 2];
    for (size_t i = 0; i < size; i++) data[i] = binary ? (char)(i * 7 + size) : (char)('a' + (i * 7 + size) % 26);
    tuile_bytes next = {data, size};
    if (tuile_store_replace(s, key, previous, next, later, NULL) != TUILE_OK) broken = "replace: data of every size";
    else if (holds(s, key, next, later) != TUILE_OK) broken = "load: data of every size";
    previous = next;
  }
  free(two[0]);
  free(two[1]);
  RULE(tuile_store_remove(s, key, NULL) == TUILE_OK, "remove");
  return broken;
}

static const char *hostile_keys(tuile_store *s) {
  static const char *const bad[] = {"", "short77", "../../../etc/passwd", "ABCDEFGHIJKL", "abcdefgh'--", "abcdefgh%",
                                    "abcdefghijklmnopqrstuvwxyzabcdefghijklmno"};
  for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
    tuile_bytes key = text(bad[i]);
    RULE(tuile_store_create(s, key, text("x"), later, NULL) == TUILE_E_ARGUMENT, "create: a hostile key");
    RULE(tuile_store_remove(s, key, NULL) == TUILE_E_ARGUMENT, "remove: a hostile key");
    RULE(holds(s, key, text("x"), later) == TUILE_E_ARGUMENT, "load: a hostile key");
  }
  RULE(tuile_store_touch(s, (tuile_bytes){"abcdefg\0h", 9}, later, NULL) == TUILE_E_ARGUMENT, "a key with a NUL");
  return NULL;
}

/* ---- owners ---- */

struct listed {
  int count;
  char text[512]; /* "key=record;", keys by their last digit */
};

static void list(void *context, tuile_bytes key, tuile_bytes record, int64_t expires) {
  struct listed *listed = context;
  size_t used = strlen(listed->text);
  listed->count += expires > now;
  snprintf(listed->text + used, sizeof listed->text - used, "%c=%.*s;", ((const char *)key.data)[key.size - 1],
           (int)record.size, (const char *)record.data);
}

static bool owns(tuile_store *s, const char *owner, int count, const char *entry) {
  struct listed listed = {0};
  return tuile_store_owned(s, text(owner), now, list, &listed, NULL) == TUILE_OK && listed.count == count &&
         (!entry || strstr(listed.text, entry));
}

static void take_record(void *context, tuile_bytes record, int64_t expires) {
  (void)expires;
  snprintf(context, 64, "%.*s", (int)record.size, (const char *)record.data);
}

/* Whether one entry has that record; NULL: there is none. */
static bool notes(tuile_store *s, const char *owner, tuile_bytes key, const char *record) {
  char found[64] = "none";
  tuile_status status = tuile_store_owned_record(s, text(owner), key, take_record, found, NULL);
  return record ? status == TUILE_OK && strcmp(found, record) == 0 : status == TUILE_ABSENT && strcmp(found, "none") == 0;
}

static const char *owners(tuile_store *s) {
  static const char *const ada = "ada", *const odd = "'; DROP TABLE x; --\n\"\xC3\xA9{*}";
  char buffer[3][33];
  tuile_bytes one = key_of(buffer[0], 1), two = key_of(buffer[1], 2), three = key_of(buffer[2], 3);
  RULE(owns(s, ada, 0, NULL), "owned: nobody's");
  RULE(tuile_store_create(s, one, text("x"), later, NULL) == TUILE_OK, "create");
  RULE(tuile_store_create(s, two, text("x"), later, NULL) == TUILE_OK, "create");
  RULE(tuile_store_create(s, three, text("x"), later, NULL) == TUILE_OK, "create");
  RULE(tuile_store_own(s, text(ada), one, text("first"), later, NULL) == TUILE_OK, "own");
  RULE(tuile_store_own(s, text(ada), two, text(""), later, NULL) == TUILE_OK, "own: an empty record");
  RULE(tuile_store_own(s, text(odd), three, text("{\"a\":1}"), later, NULL) == TUILE_OK, "own: an odd owner");
  RULE(owns(s, ada, 2, "1=first;") && owns(s, ada, 2, "2=;"), "owned: both");
  RULE(owns(s, odd, 1, "3={\"a\":1};"), "owned: the odd owner's");
  RULE(notes(s, ada, one, "first") && notes(s, ada, two, "") && notes(s, odd, three, "{\"a\":1}"), "owned_record");
  RULE(notes(s, ada, three, NULL) && notes(s, odd, one, NULL) && notes(s, "ad", one, NULL), "owned_record: another's");
  RULE(owns(s, "ad", 0, NULL) && owns(s, "ada ", 0, NULL), "owned: another's");
  RULE(tuile_store_own(s, text(ada), one, text("again"), later, NULL) == TUILE_OK, "own: again");
  RULE(owns(s, ada, 2, "1=again;"), "own: replaces the record");
  RULE(notes(s, ada, one, "again"), "owned_record: after own");
  RULE(tuile_store_touch(s, two, earlier, NULL) == TUILE_OK && owns(s, ada, 1, "1="), "owned: not what is expired");
  RULE(tuile_store_remove(s, one, NULL) == TUILE_OK && owns(s, ada, 0, NULL), "owned: not what was removed");
  RULE(tuile_store_disown(s, text(odd), three, NULL) == TUILE_OK && owns(s, odd, 0, NULL), "disown");
  RULE(notes(s, odd, three, NULL), "owned_record: not after disown");
  RULE(tuile_store_disown(s, text(odd), three, NULL) == TUILE_OK, "disown: twice");
  RULE(holds(s, three, text("x"), later) == TUILE_OK, "disown: leaves the session");
  RULE(tuile_store_own(s, text(""), three, text(""), later, NULL) == TUILE_E_ARGUMENT, "own: no owner");
  RULE(tuile_store_owned_record(s, text(""), three, take_record, NULL, NULL) == TUILE_E_ARGUMENT, "owned_record: no owner");
  RULE(tuile_store_own(s, text("\xFF"), three, text(""), later, NULL) == TUILE_E_ARGUMENT, "own: no UTF-8");
  RULE(tuile_store_remove(s, two, NULL) == TUILE_OK && tuile_store_remove(s, three, NULL) == TUILE_OK, "remove");
  return NULL;
}

static const char *put(tuile_store *s) {
  char buffer[33];
  tuile_bytes key = key_of(buffer, 6);
  RULE(tuile_store_put(s, key, text("one"), later, NULL) == TUILE_OK, "put: a new key");
  RULE(tuile_store_put(s, key, text("other"), later + 1000, NULL) == TUILE_OK, "put: a key that is there");
  RULE(holds(s, key, text("other"), later + 1000) == TUILE_OK, "put: data and expiry");
  RULE(tuile_store_remove(s, key, NULL) == TUILE_OK, "remove");
  return NULL;
}

/* ---- many at once ---- */

/* Adds 1 to the number under the key, as often as asked; false if a call failed. */
static bool add(tuile_store *s, tuile_bytes key, int times) {
  for (int i = 0; i < times;) {
    struct loaded loaded = {0};
    if (tuile_store_load(s, key, now, receive, &loaded, NULL) != TUILE_OK) return false;
    char next[24];
    snprintf(next, sizeof next, "%d", atoi(loaded.data) + 1);
    tuile_status status = tuile_store_replace(s, key, (tuile_bytes){loaded.data, loaded.size}, text(next), later, NULL);
    free(loaded.data);
    if (status == TUILE_OK) i++;
    else if (status != TUILE_CONFLICT) return false;
  }
  return true;
}

struct worker {
  tuile_store *store;
  tuile_bytes key;
  int times;
  bool fine;
};

static void *work(void *context) {
  struct worker *worker = context;
  worker->fine = add(worker->store, worker->key, worker->times);
  return NULL;
}

static const char *sixteen_threads(tuile_store *s) {
  char buffer[33], total[24];
  tuile_bytes key = key_of(buffer, 4);
  pthread_t threads[16];
  struct worker workers[16];
  RULE(tuile_store_create(s, key, text("0"), later, NULL) == TUILE_OK, "create");
  for (int i = 0; i < 16; i++) {
    workers[i] = (struct worker){s, key, 100, false};
    if (pthread_create(&threads[i], NULL, work, &workers[i]) != 0) abort();
  }
  bool fine = true;
  for (int i = 0; i < 16; i++) {
    pthread_join(threads[i], NULL);
    fine = fine && workers[i].fine;
  }
  snprintf(total, sizeof total, "%d", 16 * 100);
  RULE(fine, "16 threads: a call failed");
  RULE(holds(s, key, text(total), later) == TUILE_OK, "16 threads: an update was lost");
  RULE(tuile_store_remove(s, key, NULL) == TUILE_OK, "remove");
  return NULL;
}

/* Forks with the store open; the children use what they inherited. */
static const char *eight_processes(tuile_store *s, bool shared, unsigned int stale) {
  char buffer[33], total[24];
  tuile_bytes key = key_of(buffer, 5);
  pid_t children[8];
  RULE(tuile_store_create(s, key, text("0"), later, NULL) == TUILE_OK, "create");
  for (int i = 0; i < 8; i++) {
    children[i] = fork();
    if (children[i] == 0) _exit(add(s, key, 50) ? 0 : 1);
  }
  bool fine = true;
  for (int i = 0; i < 8; i++) {
    int status = 1;
    waitpid(children[i], &status, 0);
    fine = fine && status == 0;
  }
  RULE(fine, "8 processes: a call failed in a child after fork");
  usleep(stale * 1000);
  snprintf(total, sizeof total, "%d", shared ? 8 * 50 : 0);
  RULE(holds(s, key, text(total), later) == TUILE_OK,
       shared ? "8 processes: an update was lost" : "8 processes: a child changed the parent's memory");
  RULE(tuile_store_remove(s, key, NULL) == TUILE_OK, "remove");
  return NULL;
}

struct race {
  tuile_store *store;
  tuile_bytes key;
  pthread_barrier_t barrier;
};

static void *log_out(void *context) {
  struct race *race = context;
  pthread_barrier_wait(&race->barrier);
  return (void *)(intptr_t)tuile_store_remove(race->store, race->key, NULL);
}

static const char *logout_against_save(tuile_store *s) {
  char buffer[33];
  struct race race = {.store = s};
  pthread_barrier_init(&race.barrier, NULL, 2);
  for (unsigned int i = 0; i < 300; i++) {
    race.key = key_of(buffer, 1000 + i);
    pthread_t thread;
    RULE(tuile_store_create(s, race.key, text("in"), later, NULL) == TUILE_OK, "create");
    if (pthread_create(&thread, NULL, log_out, &race) != 0) abort();
    pthread_barrier_wait(&race.barrier);
    tuile_status saved = tuile_store_replace(s, race.key, text("in"), text("out"), later, NULL);
    void *removed;
    pthread_join(thread, &removed);
    RULE((intptr_t)removed == TUILE_OK && (saved == TUILE_OK || saved == TUILE_ABSENT), "logout against save: statuses");
    RULE(holds(s, race.key, text(""), 0) == TUILE_ABSENT, "logout against save: a session came back");
  }
  pthread_barrier_destroy(&race.barrier);
  return NULL;
}

const char *store_contract_run(const store_contract *contract) {
  set_times();
  const char *broken = basics(contract->store);
  if (!broken) broken = contract->own_clock ? own_expiry(contract->store) : expiry(contract->store);
  if (!broken) broken = records(contract->store, contract->keys);
  if (!broken) broken = data_of_every_size(contract->store, contract->binary);
  if (!broken) broken = hostile_keys(contract->store);
  if (!broken) broken = put(contract->store);
  if (!broken && contract->owners) broken = owners(contract->store);
  if (!broken) broken = store_walks(contract, now);
  if (!broken) broken = sixteen_threads(contract->store);
  if (!broken) broken = eight_processes(contract->store, contract->shared, contract->stale);
  if (!broken) broken = logout_against_save(contract->store);
  return broken;
}
