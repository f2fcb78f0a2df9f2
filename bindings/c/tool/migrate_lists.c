/* The lists of whose sessions they are, after the sessions: an entry is copied if its
 * session is in TO, and TO's list has none for it. Owners are asked of FROM, since
 * what a session itself says of its owner is signed with a secret. */
#include <stdlib.h>
#include <string.h>

#include "tool.h"

struct entry {
  struct entry *next;
  int64_t expires;
  size_t key_size, record_size;
  char key[257];
  char record[];
};

struct entries {
  struct entry *first;
  bool failed;
};

static void gather(void *context, tuile_bytes key, tuile_bytes record, int64_t expires) {
  struct entries *entries = context;
  struct entry *entry = malloc(sizeof *entry + record.size);
  if (!entry || key.size > 256) {
    entries->failed = true;
    free(entry);
    return;
  }
  *entry = (struct entry){entries->first, expires, key.size, record.size, ""};
  memcpy(entry->key, key.data, key.size);
  if (record.size) memcpy(entry->record, record.data, record.size);
  entries->first = entry;
}

static void release(struct entries *entries) {
  while (entries->first) {
    struct entry *entry = entries->first;
    entries->first = entry->next;
    explicit_bzero(entry, sizeof *entry + entry->record_size);
    free(entry);
  }
}

static bool has(const struct entries *entries, const struct entry *wanted) {
  for (const struct entry *entry = entries->first; entry; entry = entry->next)
    if (strcmp(entry->key, wanted->key) == 0) return true;
  return false;
}

struct lists {
  tuile_store *from, *to;
  struct list_counts *counts;
  tuile_status status;
  tuile_error *error;
};

static tuile_status list_of(struct lists *lists, tuile_store *store, tuile_bytes owner, struct entries *entries) {
  tuile_status status = tuile_store_owned(store, owner, now_microseconds(), gather, entries, lists->error);
  return status == TUILE_OK && entries->failed ? TUILE_E_MEMORY : status;
}

static tuile_status copy(struct lists *lists, tuile_bytes owner, const struct entry *entry) {
  tuile_bytes key = {entry->key, entry->key_size}, record = {entry->record, entry->record_size};
  tuile_status status = tuile_store_load(lists->to, key, now_microseconds(), pass_over, NULL, lists->error);
  if (status != TUILE_OK) return status;
  status = tuile_store_own(lists->to, owner, key, record, entry->expires, lists->error);
  lists->counts->copied += status == TUILE_OK;
  /* What FROM's list holds is no record of the library's: it stays there. */
  lists->counts->missing += status == TUILE_E_ARGUMENT;
  return status == TUILE_E_ARGUMENT ? TUILE_OK : status;
}

static bool each_owner(void *context, tuile_bytes owner) {
  struct lists *lists = context;
  struct entries from = {0}, to = {0};
  tuile_status status = list_of(lists, lists->from, owner, &from);
  if (status == TUILE_OK) status = list_of(lists, lists->to, owner, &to);
  for (const struct entry *entry = from.first; entry && status >= 0; entry = entry->next) {
    if (has(&to, entry)) lists->counts->there++;
    else status = copy(lists, owner, entry);
  }
  release(&from);
  release(&to);
  if (status < 0) lists->status = status;
  return status >= 0;
}

void pass_over(void *context, tuile_bytes data, int64_t expires) { (void)context, (void)data, (void)expires; }

static void nobody(void *context, tuile_bytes key, tuile_bytes record, int64_t expires) {
  (void)context, (void)key, (void)record, (void)expires;
}

/* TUILE_E_ARGUMENT: it keeps none. */
static tuile_status keeps_lists(tuile_store *store, tuile_error *error) {
  return tuile_store_owned(store, TUILE_STR("tuile"), INT64_MAX, nobody, NULL, error);
}

static bool count_owner(void *context, tuile_bytes owner) {
  size_t *count = context;
  (void)owner;
  ++*count;
  return true;
}

tuile_status migrate_lists_lost(tuile_store *from, tuile_store *to, size_t *lost, tuile_error *error) {
  tuile_status status = keeps_lists(to, error);
  if (status != TUILE_E_ARGUMENT) return status;
  status = keeps_lists(from, error);
  if (status == TUILE_OK) status = tuile_store_owners(from, count_owner, lost, error);
  return status == TUILE_E_ARGUMENT ? TUILE_OK : status;
}

tuile_status migrate_lists(tuile_store *from, tuile_store *to, struct list_counts *counts, tuile_error *error) {
  struct lists lists = {from, to, counts, TUILE_OK, error};
  tuile_status status = keeps_lists(to, error);
  if (status == TUILE_OK) status = tuile_store_owners(from, each_owner, &lists, error);
  /* Stores of other modules may keep none. */
  if (status == TUILE_E_ARGUMENT) return TUILE_OK;
  counts->kept = status == TUILE_OK;
  return lists.status != TUILE_OK ? lists.status : status;
}
