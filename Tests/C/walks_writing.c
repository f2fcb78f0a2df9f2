/* Walks through a store whose callbacks write, or whose lists and folders change under them. */
#include "walks.h"

static tuile_bytes numbered(char buffer[20], const char *name, int number) {
  return (tuile_bytes){buffer, (size_t)snprintf(buffer, 20, "%s%08d", name, number)};
}

/* ---- each session is saved by the callback ---- */

enum { SAVED = 2000 };

struct saver {
  tuile_store *store;
  int calls;
};

static bool save(void *context, tuile_bytes key, int64_t expires) {
  struct saver *saver = context;
  char copy[40];
  memcpy(copy, key.data, key.size);
  saver->calls++;
  CHECK(tuile_store_replace(saver->store, (tuile_bytes){copy, key.size}, text("x"), text("x"), expires, &error) == TUILE_OK);
  return saver->calls <= 2 * SAVED;
}

static void a_callback_that_saves(const char *path) {
  struct saver saver = {.store = open_store("file://%s/saved?fsync=off", path)};
  char buffer[20];
  for (int i = 0; i < SAVED; i++)
    CHECK(tuile_store_create(saver.store, numbered(buffer, "save", i), text("x"), later, &error) == TUILE_OK);
  CHECK(tuile_store_keys(saver.store, 0, save, &saver, &error) == TUILE_OK);
  /* Once each, or twice where a saved file gets a new place in its folder. */
  CHECK(saver.calls >= SAVED);
  CHECK(saver.calls <= 2 * SAVED);
  tuile_store_close(saver.store);
}

/* ---- a folder that is deleted ---- */

static bool never(void *context, tuile_bytes key, int64_t expires) {
  (void)context, (void)key, (void)expires;
  CHECK(!"a key");
}
static bool never_owner(void *context, tuile_bytes owner) {
  (void)context, (void)owner;
  CHECK(!"an owner");
}

static void a_folder_that_is_gone(const char *path) {
  tuile_store *store = open_store("file://%s/gone", path);
  char name[700];
  size_t removed;
  static const char *const folders[] = {"/.tuile/lock", "/.tuile", ""};
  for (int i = 0; i < 3; i++) {
    snprintf(name, sizeof name, "%s/gone%s", path, folders[i]);
    CHECK(remove(name) == 0);
  }
  CHECK(tuile_store_keys(store, 0, never, NULL, &error) == TUILE_E_STORE);
  CHECK(tuile_store_owners(store, never_owner, NULL, &error) == TUILE_E_STORE);
  CHECK(tuile_store_sweep(store, 0, 10, &removed, &error) == TUILE_E_STORE);
  tuile_store_close(store);
}

/* ---- an entry behind the walk gets the owner of one in front of it ---- */

struct owners {
  tuile_store *store;
  int calls, last;
};

static bool takes_over(void *context, tuile_bytes owner) {
  struct owners *owners = context;
  char buffer[20];
  if (owners->calls++ == 0)
    CHECK(tuile_store_own(owners->store, text("last"), numbered(buffer, "owns", 0), text("r"), later, &error) == TUILE_OK);
  owners->last += equals(owner, "last");
  return true;
}

static void an_entry_that_changes_hands(const char *format, const char *path) {
  enum { ENTRIES = 1200 };
  struct owners owners = {.store = open_store(format, path)};
  char buffer[20], owner[20];
  for (int i = 0; i < ENTRIES; i++) {
    tuile_bytes key = numbered(buffer, "owns", i);
    CHECK(tuile_store_create(owners.store, key, text("x"), later, &error) == TUILE_OK);
    CHECK(tuile_store_own(owners.store, i == ENTRIES - 1 ? text("last") : numbered(owner, "user", i), key, text("r"), later, &error) == TUILE_OK);
  }
  CHECK(tuile_store_owners(owners.store, takes_over, &owners, &error) == TUILE_OK);
  CHECK(owners.last > 0);
  tuile_store_close(owners.store);
}

int main(int argc, char **argv) {
  CHECK(argc > 1);
  a_folder_that_is_gone(argv[1]);
  an_entry_that_changes_hands("memory:%s", "");
  an_entry_that_changes_hands("sqlite://%s/hands.db", argv[1]);
  an_entry_that_changes_hands("file://%s/hands?fsync=off", argv[1]);
  a_callback_that_saves(argv[1]);
  return 0;
}
