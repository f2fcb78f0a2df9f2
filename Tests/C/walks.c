/* Walks through a store's keys and owners where somebody has put there what does not
 * belong, where tables grow and shrink under them, and with stores that break the rules. */
#define _GNU_SOURCE
#include "walks.h"

#include <fcntl.h>
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

struct found {
  int count;
  char first[256];
  size_t first_size;
};

static bool keep(struct found *found, tuile_bytes name) {
  CHECK(name.size > 0);
  CHECK(name.size <= 255);
  if (found->count++ == 0) memcpy(found->first, name.data, found->first_size = name.size);
  return true;
}
static bool keep_key(void *context, tuile_bytes key, int64_t expires) {
  CHECK(key.size >= 8);
  CHECK(key.size <= 40);
  CHECK(expires >= 0);
  for (size_t i = 0; i < key.size; i++) CHECK(strchr("abcdefghijklmnopqrstuvwxyz0123456789", ((const char *)key.data)[i]));
  return keep(context, key);
}
static bool keep_owner(void *context, tuile_bytes owner) { return keep(context, owner); }

static bool only(const struct found *found, const char *name) {
  return found->count == 1 && equals((tuile_bytes){found->first, found->first_size}, name);
}

static struct found keys(tuile_store *store) {
  struct found found = {0};
  CHECK(tuile_store_keys(store, 0, keep_key, &found, &error) == TUILE_OK);
  return found;
}
static struct found owners(tuile_store *store) {
  struct found found = {0};
  CHECK(tuile_store_owners(store, keep_owner, &found, &error) == TUILE_OK);
  return found;
}

/* ---- files ---- */

static void write_file(int folder, const char *name, const void *data, size_t size) {
  int file = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL, 0600);
  CHECK(file >= 0);
  CHECK(write(file, data, size) == (ssize_t)size);
  close(file);
}

static void hostile_files(const char *path) {
  tuile_store *store = open_store("file://%s/files", path);
  char name[700];
  snprintf(name, sizeof name, "%s/files", path);
  int folder = open(name, O_RDONLY | O_DIRECTORY);
  static const char *const names[] = {
      "sessionid", "sessionidshort77", "sessionidABCDEFGHIJ", "sessionidabcdefgh\n", "sessionid\x1b[2Jabcdefgh", "other_abcdefgh",
      "sessionidabcdefghijklmnopqrstuvwxyzabcdefghijklmno", "sessionidabcdefgh_out_0123456789abcdef", "sessionid..abcdefgh", ".sessionidabcdefgh"};
  CHECK(folder >= 0);
  for (size_t i = 0; i < sizeof names / sizeof *names; i++) write_file(folder, names[i], "x", 1);
  write_file(folder, "sessionidemptyfile", "", 0);
  CHECK(mkdirat(folder, "sessionidafolder1", 0700) == 0);
  CHECK(mkfifoat(folder, "sessionidapipe123", 0600) == 0);
  CHECK(symlinkat("/etc/passwd", folder, "sessionidalink123") == 0);
  CHECK(keys(store).count == 0);
  CHECK(tuile_store_create(store, text("thisisone"), text("x"), later, &error) == TUILE_OK);
  struct found found = keys(store);
  CHECK(only(&found, "thisisone"));

  /* Lists: of a name that is not the folder's, without a name, of none that can be. */
  CHECK(tuile_store_own(store, text("ada"), text("thisisone"), text("record"), later, &error) == TUILE_OK);
  found = owners(store);
  CHECK(only(&found, "ada"));
  static const char other[] = ".tuile/owners/0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef";
  CHECK(mkdirat(folder, other, 0700) == 0);
  CHECK(mkdirat(folder, ".tuile/owners/x", 0700) == 0);
  int list = openat(folder, other, O_RDONLY | O_DIRECTORY);
  write_file(list, "anotherkey1", "record\0ada", 10);
  write_file(list, "anotherkey2", "record", 6);
  write_file(list, "anotherkey3", "record\0\xff\xfe", 9);
  write_file(list, "anotherkey4", "record\0a\0b", 10);
  write_file(list, "no key", "record\0ada", 10);
  CHECK(mkdirat(list, "anotherkey5", 0700) == 0);
  struct found all = {0};
  tuile_status status = tuile_store_owners(store, keep_owner, &all, &error);
  CHECK(status == TUILE_OK);
  CHECK(only(&all, "ada"));
  close(list);
  close(folder);
  tuile_store_close(store);
}

/* ---- SQLite ---- */

static void hostile_rows(const char *path) {
  tuile_store *store = open_store("sqlite://%s/rows.db", path);
  CHECK(tuile_store_create(store, text("thisisone"), text("x"), later, &error) == TUILE_OK);
  CHECK(tuile_store_own(store, text("ada"), text("thisisone"), text("record"), later, &error) == TUILE_OK);
  char name[700];
  snprintf(name, sizeof name, "%s/rows.db", path);
  sqlite3 *database;
  CHECK(sqlite3_open(name, &database) == SQLITE_OK);
  CHECK(sqlite3_exec(database,
                     "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 1200) "
                     "INSERT INTO django_session SELECT CASE i % 6 WHEN 0 THEN CAST(printf('blob%06d', i) AS BLOB) WHEN 1 THEN i "
                     "WHEN 2 THEN printf('UPPER%06d', i) WHEN 3 THEN printf('%06d', i) || char(0) WHEN 4 THEN printf('\xc3\xa9%06d', i) "
                     "ELSE printf('%0*d', 41 + i, i) END, 'x', '9999-01-01 00:00:00' FROM n;"
                     "INSERT INTO django_session VALUES ('nodateatall', 'x', 'zzz'), ('anolddate', 'x', '1999'), ('', 'x', '9999');"
                     "INSERT INTO tuile_session_owner SELECT session_key, 'ada', 'r' FROM django_session WHERE true ON CONFLICT DO NOTHING;"
                     "UPDATE tuile_session_owner SET owner = CAST(x'ff00ff' AS TEXT) WHERE rowid = 900;"
                     "UPDATE tuile_session_owner SET owner = '' WHERE rowid = 901;",
                     NULL, NULL, NULL) == SQLITE_OK);
  sqlite3_close(database);
  struct found found = keys(store);
  /* And the one whose date is none: a load gives it too, since as text it is greater. */
  CHECK(found.count == 2);
  CHECK(equals((tuile_bytes){found.first, found.first_size}, "nodateatall"));
  /* Once for each of the three pages. */
  found = owners(store);
  CHECK(found.count == 3);
  CHECK(equals((tuile_bytes){found.first, found.first_size}, "ada"));
  tuile_store_close(store);
}

/* ---- memory, while its tables grow and shrink ---- */

enum { STAY = 500, COME = 40000 };

struct memory {
  tuile_store *store;
  atomic_bool stop;
  atomic_int rounds;
};

static tuile_bytes numbered(char buffer[20], const char *name, int number) {
  return (tuile_bytes){buffer, (size_t)snprintf(buffer, 20, "%s%08d", name, number)};
}

static void *grow_and_shrink(void *context) {
  struct memory *memory = context;
  char buffer[20];
  while (!memory->stop) {
    for (int i = 0; i < COME; i++) CHECK(tuile_store_create(memory->store, numbered(buffer, "come", i), text("x"), later, NULL) == TUILE_OK);
    for (int i = 0; i < COME; i++) CHECK(tuile_store_remove(memory->store, numbered(buffer, "come", i), NULL) == TUILE_OK);
    memory->rounds++;
  }
  return NULL;
}

static bool count_each(void *context, tuile_bytes key, int64_t expires) {
  int *times = context;
  char digits[9] = "";
  (void)expires;
  memcpy(digits, (const char *)key.data + 4, 8);
  if (memcmp(key.data, "stay", 4) == 0) times[atoi(digits)]++;
  return true;
}

static void a_table_that_moves(void) {
  struct memory memory = {.store = open_store("memory:%s", "")};
  char buffer[20];
  pthread_t thread;
  for (int i = 0; i < STAY; i++) CHECK(tuile_store_create(memory.store, numbered(buffer, "stay", i), text("x"), later, NULL) == TUILE_OK);
  CHECK(pthread_create(&thread, NULL, grow_and_shrink, &memory) == 0);
  for (int walks = 0; walks < 50 || memory.rounds < 3; walks++) {
    int times[STAY] = {0};
    CHECK(tuile_store_keys(memory.store, 0, count_each, times, &error) == TUILE_OK);
    for (int i = 0; i < STAY; i++) CHECK(times[i] == 1);
  }
  memory.stop = true;
  pthread_join(thread, NULL);
  tuile_store_close(memory.store);
}

/* ---- stores that break the rules ---- */

static tuile_status nothing_loaded(void *c, tuile_bytes k, int64_t n, tuile_receive r, void *x, tuile_error *e) { (void)c, (void)k, (void)n, (void)r, (void)x, (void)e; return TUILE_ABSENT; }
static tuile_status created(void *c, tuile_bytes k, tuile_bytes d, int64_t t, tuile_error *e) { (void)c, (void)k, (void)d, (void)t, (void)e; return TUILE_OK; }
static tuile_status replaced(void *c, tuile_bytes k, tuile_bytes o, tuile_bytes d, int64_t t, tuile_error *e) { (void)c, (void)k, (void)o, (void)d, (void)t, (void)e; return TUILE_OK; }
static tuile_status touched(void *c, tuile_bytes k, int64_t t, tuile_error *e) { (void)c, (void)k, (void)t, (void)e; return TUILE_OK; }
static tuile_status removed(void *c, tuile_bytes k, tuile_error *e) { (void)c, (void)k, (void)e; return TUILE_OK; }
static tuile_status swept(void *c, int64_t n, size_t l, size_t *r, tuile_error *e) { (void)c, (void)n, (void)l, (void)e; *r = 0; return TUILE_OK; }

static tuile_status bad_keys(void *c, int64_t now, tuile_receive_key receive, void *receiver, tuile_error *e) {
  (void)c, (void)now, (void)e;
  CHECK(receive(receiver, text("short"), 5));
  CHECK(receive(receiver, text("../../etc/passwd"), 5));
  CHECK(receive(receiver, (tuile_bytes){NULL, 9}, 5));
  CHECK(receive(receiver, (tuile_bytes){"abcdefgh", SIZE_MAX}, 5));
  CHECK(receive(receiver, text("thisisone"), 5));
  CHECK(!receive(receiver, text("thisistwo"), 5));
  CHECK(!receive(receiver, text("thisisthree"), 5)); /* it was told that it is enough */
  return TUILE_OK;
}
static tuile_status broken(void *c, int64_t now, tuile_receive_key receive, void *receiver, tuile_error *e) {
  (void)c, (void)now;
  receive(receiver, text("thisisone"), 5);
  snprintf(e->message, sizeof e->message, "the wire is cut");
  return TUILE_ABSENT; /* no answer to this */
}
static bool two(void *context, tuile_bytes key, int64_t expires) {
  (void)key, (void)expires;
  return ++*(int *)context < 2;
}

static void stores_of_ones_own(void) {
  tuile_store_ops ops = TUILE_STORE_OPS_INIT;
  tuile_store *store;
  int calls = 0;
  ops.load = nothing_loaded, ops.create = created, ops.replace = replaced, ops.touch = touched, ops.remove = removed, ops.sweep = swept;
  CHECK(tuile_store_open_ops(&ops, NULL, &store, &error) == TUILE_OK);
  CHECK(tuile_store_keys(store, 0, two, &calls, &error) == TUILE_E_ARGUMENT);
  CHECK(calls == 0);
  CHECK(tuile_store_owners(store, keep_owner, NULL, &error) == TUILE_E_ARGUMENT);
  tuile_store_close(store);
  ops.keys = bad_keys;
  CHECK(tuile_store_open_ops(&ops, NULL, &store, &error) == TUILE_OK);
  CHECK(tuile_store_keys(store, 0, two, &calls, &error) == TUILE_OK);
  CHECK(calls == 2);
  tuile_store_close(store);
  ops.keys = broken;
  CHECK(tuile_store_open_ops(&ops, NULL, &store, &error) == TUILE_OK);
  struct found found = {0};
  CHECK(tuile_store_keys(store, 0, keep_key, &found, &error) == TUILE_E_STORE);
  CHECK(strstr(error.message, "the wire is cut"));
  tuile_store_close(store);
}

/* ---- ids ---- */

static void see_id(void *context, const tuile_owned_session *session) { memcpy(context, session->id.data, session->id.size); }

static tuile_status see_header(void *context, tuile_bytes name, tuile_bytes value) {
  if (equals(name, "Set-Cookie")) memcpy(context, (const char *)value.data + strlen("sessionid="), 32);
  return TUILE_OK;
}

static void ids(void) {
  tuile_config config = TUILE_CONFIG_INIT;
  tuile_manager *manager;
  char key[33] = "", shown[33] = "", id[33] = "";
  size_t size;
  config.store = text("memory:");
  CHECK(tuile_manager_open(&config, &manager, &error) == TUILE_OK);
  tuile_session *session = NULL;
  CHECK(tuile_session_start(manager, text(""), (tuile_bytes){NULL, 0}, &session, NULL) == TUILE_OK);
  CHECK(tuile_session_set_owner(session, text("ada"), &error) == TUILE_OK);
  CHECK(tuile_session_commit(session, 200, see_header, key, &error) == TUILE_OK);
  CHECK(strlen(key) == 32);
  tuile_session_end(session);
  CHECK(tuile_manager_sessions(manager, text("ada"), NULL, see_id, shown, &error) == TUILE_OK);
  CHECK(strlen(shown) == 32);
  CHECK(tuile_store_key_id(text(key), id, 32, &size) == TUILE_OK);
  CHECK(size == 32);
  CHECK(strcmp(id, shown) == 0);
  CHECK(tuile_store_key_id(text(key), id, 31, &size) == TUILE_E_SPACE);
  CHECK(size == 32);
  CHECK(tuile_store_key_id(text(key), NULL, 0, &size) == TUILE_E_SPACE);
  CHECK(tuile_store_key_id(text(key), NULL, 1, NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_store_key_id(text("no key"), id, 32, NULL) == TUILE_E_ARGUMENT);
  tuile_manager_close(manager);
}

int main(int argc, char **argv) {
  CHECK(argc > 1);
  hostile_files(argv[1]);
  hostile_rows(argv[1]);
  a_table_that_moves();
  stores_of_ones_own();
  ids();
  return 0;
}
