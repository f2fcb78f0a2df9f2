/* Walks through all keys of a store, and through its owners. */
#include "store_walks.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define RULE(condition, text) \
  do {                        \
    if (!(condition)) return text; \
  } while (0)

/* More than two of the pages that stores walk in. */
enum { KEYS = 1100, OTHERS = 200, PREFIX = 12 };

static int64_t now, later;

static tuile_bytes key_of(char buffer[33], const char *prefix, unsigned int number) {
  snprintf(buffer, 33, "%.*s%020u", PREFIX, prefix, number);
  return (tuile_bytes){buffer, 32};
}
static const char stays[] = "contractwalk", comes[] = "contractcome";

struct seen {
  unsigned int times[KEYS], others, strange, wrong_expiry, calls, most;
};

static bool see(void *context, tuile_bytes key, int64_t expires) {
  struct seen *seen = context;
  seen->calls++;
  if (key.size == 32 && memcmp(key.data, stays, PREFIX) == 0) {
    char digits[21] = {0};
    memcpy(digits, (const char *)key.data + PREFIX, 20);
    unsigned int number = (unsigned int)strtoul(digits, NULL, 10);
    if (number < KEYS) seen->times[number]++;
    else seen->strange++;
    seen->wrong_expiry += expires != later + number % 7 * 1000;
  } else if (key.size == 32 && memcmp(key.data, comes, PREFIX) == 0) {
    seen->others++;
  } else {
    seen->strange++;
  }
  return seen->calls != seen->most;
}

static bool saw_all(const struct seen *seen) {
  for (unsigned int i = 0; i < KEYS; i++)
    if (seen->times[i] == 0) return false;
  return seen->strange == 0 && seen->wrong_expiry == 0;
}

/* ---- beside writers ---- */

struct writer {
  tuile_store *store;
  atomic_bool stop, failed;
  atomic_uint rounds;
};

/* Others come and go, so that what the store keeps them in grows and shrinks; those
 * that stay are replaced and touched. */
static void *write_on(void *context) {
  struct writer *writer = context;
  tuile_store *s = writer->store;
  char buffer[33];
  while (!writer->stop) {
    for (unsigned int i = 0; i < OTHERS && !writer->failed; i++) {
      tuile_bytes stay = key_of(buffer, stays, (writer->rounds * 37 + i * 7) % KEYS);
      int64_t expires = later + (writer->rounds * 37 + i * 7) % KEYS % 7 * 1000;
      tuile_status status = i % 2 ? tuile_store_touch(s, stay, expires, NULL)
                                  : tuile_store_replace(s, stay, (tuile_bytes){"x", 1}, (tuile_bytes){"x", 1}, expires, NULL);
      if (status != TUILE_OK) writer->failed = true;
      if (tuile_store_create(s, key_of(buffer, comes, i), (tuile_bytes){"y", 1}, later, NULL) != TUILE_OK) writer->failed = true;
    }
    for (unsigned int i = 0; i < OTHERS && !writer->failed; i++)
      if (tuile_store_remove(s, key_of(buffer, comes, i), NULL) != TUILE_OK) writer->failed = true;
    writer->rounds++;
    if (writer->failed) break;
  }
  return NULL;
}

static const char *beside_a_writer(tuile_store *s) {
  struct writer writer = {.store = s};
  pthread_t thread;
  const char *broken = NULL;
  if (pthread_create(&thread, NULL, write_on, &writer) != 0) abort();
  for (int walks = 0; !broken && !writer.failed && (walks < 3 || writer.rounds < 3); walks++) {
    struct seen seen = {0};
    if (tuile_store_keys(s, now, see, &seen, NULL) != TUILE_OK) broken = "keys: beside a writer";
    else if (!saw_all(&seen)) broken = "keys: beside a writer all that stays";
  }
  writer.stop = true;
  pthread_join(thread, NULL);
  RULE(!writer.failed, "keys: a writer failed beside a walk");
  return broken;
}

/* ---- owners ---- */

struct names {
  unsigned int one, odd, calls, most;
};

static const char one[] = "walked", odd[] = "walked'; DROP TABLE x; --\n\"\xC3\xA9{*}";

static bool is(tuile_bytes owner, const char *name) {
  return owner.size == strlen(name) && memcmp(owner.data, name, owner.size) == 0;
}

static bool name(void *context, tuile_bytes owner) {
  struct names *names = context;
  names->one += is(owner, one);
  names->odd += is(owner, odd);
  return ++names->calls != names->most;
}

static const char *owners(tuile_store *s) {
  struct names none = {0}, both = {0}, first = {.most = 1};
  char buffer[33];
  RULE(tuile_store_owners(s, name, &none, NULL) == TUILE_OK && !none.one && !none.odd, "owners: who has no list");
  for (unsigned int i = 0; i < 20; i++)
    RULE(tuile_store_own(s, i == 7 ? (tuile_bytes){odd, strlen(odd)} : (tuile_bytes){one, strlen(one)},
                         key_of(buffer, stays, i), (tuile_bytes){"r", 1}, later, NULL) == TUILE_OK, "own");
  RULE(tuile_store_owners(s, name, &both, NULL) == TUILE_OK && both.one > 0 && both.odd > 0, "owners: each");
  RULE(tuile_store_owners(s, name, &first, NULL) == TUILE_OK && first.calls == 1, "owners: until enough");
  RULE(tuile_store_owners(NULL, name, &both, NULL) == TUILE_E_ARGUMENT && tuile_store_owners(s, NULL, NULL, NULL) == TUILE_E_ARGUMENT,
       "owners: NULL");
  return NULL;
}

/* ---- all of it ---- */

struct remover {
  tuile_store *store;
  bool failed;
};

static bool remove_each(void *context, tuile_bytes key, int64_t expires) {
  struct remover *remover = context;
  char copy[40];
  (void)expires;
  memcpy(copy, key.data, key.size);
  if (tuile_store_remove(remover->store, (tuile_bytes){copy, key.size}, NULL) != TUILE_OK) remover->failed = true;
  return !remover->failed;
}

static const char *walks(tuile_store *s, bool keeps_owners) {
  char buffer[33];
  struct seen nothing = {0}, all = {0}, some = {.most = 3}, rest = {0};
  struct remover remover = {s, false};
  RULE(tuile_store_keys(s, now, see, &nothing, NULL) == TUILE_OK && nothing.calls == 0, "keys: of an empty store");
  for (unsigned int i = 0; i < KEYS; i++)
    RULE(tuile_store_create(s, key_of(buffer, stays, i), (tuile_bytes){"x", 1}, later + i % 7 * 1000, NULL) == TUILE_OK, "create");
  for (unsigned int i = 0; i < 5; i++) {
    tuile_bytes key = key_of(buffer, comes, i);
    RULE(tuile_store_create(s, key, (tuile_bytes){"y", 1}, later, NULL) == TUILE_OK, "create");
    tuile_status status = tuile_store_touch(s, key, now - i % 2 * 1000, NULL);
    RULE(status == TUILE_OK, "touch: into the past");
  }
  RULE(tuile_store_keys(s, now, see, &all, NULL) == TUILE_OK && saw_all(&all), "keys: all, with their expiry");
  RULE(all.others == 0, "keys: none that is expired");
  for (unsigned int i = 0; i < 5; i++) RULE(tuile_store_remove(s, key_of(buffer, comes, i), NULL) == TUILE_OK, "remove");
  RULE(tuile_store_keys(s, now, see, &some, NULL) == TUILE_OK && some.calls == 3, "keys: until enough");
  RULE(tuile_store_keys(NULL, now, see, &some, NULL) == TUILE_E_ARGUMENT && tuile_store_keys(s, now, NULL, NULL, NULL) == TUILE_E_ARGUMENT,
       "keys: NULL");
  const char *broken = beside_a_writer(s);
  if (!broken && keeps_owners) broken = owners(s);
  if (broken) return broken;
  for (unsigned int i = 0; i < OTHERS; i++) RULE(tuile_store_remove(s, key_of(buffer, comes, i), NULL) == TUILE_OK, "remove");
  RULE(tuile_store_keys(s, now, remove_each, &remover, NULL) == TUILE_OK && !remover.failed, "keys: a callback that removes");
  RULE(tuile_store_keys(s, now, see, &rest, NULL) == TUILE_OK && rest.calls == 0, "keys: nothing is left");
  return NULL;
}

const char *store_walks(const store_contract *contract, int64_t present) {
  now = present, later = now + 3600000000;
  if (contract->keys) return walks(contract->store, contract->owners);
  struct seen seen = {0};
  RULE(tuile_store_keys(contract->store, now, see, &seen, NULL) == TUILE_E_ARGUMENT && seen.calls == 0, "keys: a store that can't");
  return NULL;
}
