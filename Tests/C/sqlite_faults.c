/* SQLite's files failing: every call of every operation gets an I/O error once, and
 * then all calls from there on; its memory running out: the same with every allocation. The answer is a status with a message, what is stored
 * is the old or the new, what was answered with TUILE_OK is there, and the store goes
 * on when its disk does. */
#include "check.h"

#include <sqlite3.h>

/* ---- a VFS between SQLite and the disk ---- */

static int calls, fail_at;
static bool for_good; /* all calls from fail_at on */
static bool memory;   /* allocations fail, not the disk */

static bool fails_now(void) {
  calls++;
  return fail_at > 0 && (for_good ? calls >= fail_at : calls == fail_at);
}
static bool fails(void) { return !memory && fails_now(); }

struct file {
  sqlite3_file base, *real; /* the real one lies behind */
};
static sqlite3_file *behind(sqlite3_file *file) { return ((struct file *)file)->real; }
#define REAL(name, ...) behind(file)->pMethods->name(behind(file), ##__VA_ARGS__)
#define OR(code, name, ...) return fails() ? code : REAL(name, ##__VA_ARGS__)

static int x_close(sqlite3_file *file) { return REAL(xClose); }
static int x_read(sqlite3_file *file, void *data, int size, sqlite3_int64 at) { OR(SQLITE_IOERR_READ, xRead, data, size, at); }
static int x_write(sqlite3_file *file, const void *data, int size, sqlite3_int64 at) { OR(SQLITE_IOERR_WRITE, xWrite, data, size, at); }
static int x_truncate(sqlite3_file *file, sqlite3_int64 size) { OR(SQLITE_IOERR_TRUNCATE, xTruncate, size); }
static int x_sync(sqlite3_file *file, int flags) { OR(SQLITE_IOERR_FSYNC, xSync, flags); }
static int x_size(sqlite3_file *file, sqlite3_int64 *size) { OR(SQLITE_IOERR_FSTAT, xFileSize, size); }
static int x_lock(sqlite3_file *file, int kind) { OR(SQLITE_IOERR_LOCK, xLock, kind); }
static int x_unlock(sqlite3_file *file, int kind) { return REAL(xUnlock, kind); }
static int x_reserved(sqlite3_file *file, int *is) { OR(SQLITE_IOERR_CHECKRESERVEDLOCK, xCheckReservedLock, is); }
static int x_control(sqlite3_file *file, int what, void *argument) { return REAL(xFileControl, what, argument); }
static int x_sector(sqlite3_file *file) { return REAL(xSectorSize); }
static int x_device(sqlite3_file *file) { return REAL(xDeviceCharacteristics); }
static int x_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **map) { OR(SQLITE_IOERR_SHMMAP, xShmMap, page, size, extend, map); }
static int x_shm_lock(sqlite3_file *file, int at, int count, int flags) {
  return !(flags & SQLITE_SHM_UNLOCK) && fails() ? SQLITE_IOERR_SHMLOCK : REAL(xShmLock, at, count, flags);
}
static void x_shm_barrier(sqlite3_file *file) { REAL(xShmBarrier); }
static int x_shm_unmap(sqlite3_file *file, int drop) { return REAL(xShmUnmap, drop); }

static const sqlite3_io_methods methods = {
    2, x_close, x_read, x_write, x_truncate, x_sync, x_size, x_lock, x_unlock, x_reserved, x_control, x_sector, x_device,
    x_shm_map, x_shm_lock, x_shm_barrier, x_shm_unmap, NULL, NULL};

static sqlite3_vfs *disk, faulty;

static int v_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out) {
  (void)vfs;
  struct file *made = (struct file *)file;
  made->base.pMethods = NULL;
  made->real = (sqlite3_file *)(made + 1);
  if (fails()) return SQLITE_CANTOPEN;
  int result = disk->xOpen(disk, name, made->real, flags, out);
  if (made->real->pMethods) made->base.pMethods = &methods;
  return result;
}
static int v_delete(sqlite3_vfs *vfs, const char *name, int sync) {
  (void)vfs;
  return fails() ? SQLITE_IOERR_DELETE : disk->xDelete(disk, name, sync);
}
static int v_access(sqlite3_vfs *vfs, const char *name, int flags, int *out) {
  (void)vfs;
  return fails() ? SQLITE_IOERR_ACCESS : disk->xAccess(disk, name, flags, out);
}

static void put_between(void) {
  disk = sqlite3_vfs_find(NULL);
  faulty = *disk;
  faulty.pNext = NULL, faulty.zName = "faulty";
  faulty.szOsFile = (int)sizeof(struct file) + disk->szOsFile;
  faulty.xOpen = v_open, faulty.xDelete = v_delete, faulty.xAccess = v_access;
  CHECK(sqlite3_vfs_register(&faulty, 1) == SQLITE_OK);
}

/* ---- memory ---- */

static sqlite3_mem_methods heap;

static void *m_malloc(int size) { return memory && fails_now() ? NULL : heap.xMalloc(size); }
static void *m_realloc(void *old, int size) { return memory && fails_now() ? NULL : heap.xRealloc(old, size); }

static void limit_memory(void) {
  sqlite3_mem_methods failing;
  CHECK(sqlite3_config(SQLITE_CONFIG_GETMALLOC, &heap) == SQLITE_OK);
  failing = heap;
  failing.xMalloc = m_malloc, failing.xRealloc = m_realloc;
  CHECK(sqlite3_config(SQLITE_CONFIG_MALLOC, &failing) == SQLITE_OK);
}

/* ---- operations ---- */

static tuile_store *store;
static tuile_error error;
static char url[600];
static const int64_t expires = INT64_C(4102444800000000);
static char old[20001], new[30001]; /* larger than a page */

static void receive(void *context, tuile_bytes data, int64_t when) {
  (void)when;
  *(int *)context = equals(data, old) ? 1 : equals(data, new) ? 2 : 3;
}
static void listed(void *context, tuile_bytes key, tuile_bytes record, int64_t when) {
  (void)when;
  CHECK(equals(key, "faultykey"));
  CHECK(equals(record, "r"));
  ++*(int *)context;
}

static tuile_status load(int *found) { return tuile_store_load(store, text("faultykey"), 0, receive, found, &error); }

/* 0: absent, 1: old, 2: new. */
static int stored(void) {
  int found = 0;
  tuile_status status = load(&found);
  CHECK((status == TUILE_OK && (found == 1 || found == 2)) || (status == TUILE_ABSENT && found == 0));
  return found;
}

static tuile_status do_load(void) {
  int found = 0;
  tuile_status status = load(&found);
  CHECK(status == TUILE_OK ? found == 1 : status < 0);
  return status;
}
static tuile_status do_create(void) { return tuile_store_create(store, text("faultykey"), text(new), expires, &error); }
static tuile_status do_replace(void) { return tuile_store_replace(store, text("faultykey"), text(old), text(new), expires, &error); }
static tuile_status do_put(void) { return tuile_store_put(store, text("faultykey"), text(new), expires, &error); }
static tuile_status do_touch(void) { return tuile_store_touch(store, text("faultykey"), expires + 1000000, &error); }
static tuile_status do_remove(void) { return tuile_store_remove(store, text("faultykey"), &error); }
static tuile_status do_own(void) { return tuile_store_own(store, text("ada"), text("faultykey"), text("r"), expires, &error); }
static tuile_status do_owned(void) {
  int count = 0;
  tuile_status status = tuile_store_owned(store, text("ada"), 0, listed, &count, &error);
  CHECK(status == TUILE_OK ? count == 1 : status < 0);
  return status;
}
static tuile_status do_disown(void) { return tuile_store_disown(store, text("ada"), text("faultykey"), &error); }
static tuile_status do_sweep(void) { return tuile_store_sweep(store, 1, 10, NULL, &error); }
static tuile_status do_open(void) {
  tuile_store *opened = NULL;
  tuile_status status = tuile_store_open(text(url), &opened, &error);
  CHECK((status == TUILE_OK) == (opened != NULL));
  tuile_store_close(opened);
  return status;
}

struct operation {
  const char *name;
  tuile_status (*run)(void);
  bool absent;     /* before it, there is no session */
  int after, done; /* what may be there afterwards, as bits: 1 none, 2 old, 4 new; and after TUILE_OK */
};

static const struct operation operations[] = {
    {"load", do_load, false, 2, 2},       {"create", do_create, true, 1 | 4, 4}, {"replace", do_replace, false, 2 | 4, 4},
    {"put", do_put, false, 2 | 4, 4},     {"touch", do_touch, false, 2, 2},      {"remove", do_remove, false, 1 | 2, 1},
    {"own", do_own, false, 2, 2},         {"owned", do_owned, false, 2, 2},      {"disown", do_disown, false, 2, 2},
    {"sweep", do_sweep, false, 2, 2},     {"open", do_open, false, 2, 2},
};

/* The store is opened anew, so that connections, statements and the log come into it. */
static void prepare(const struct operation *operation) {
  CHECK(tuile_store_open(text(url), &store, &error) == TUILE_OK);
  CHECK(tuile_store_put(store, text("faultykey"), text(old), expires, NULL) == TUILE_OK);
  CHECK(tuile_store_own(store, text("ada"), text("faultykey"), text("r"), expires, NULL) == TUILE_OK);
  if (operation->absent) CHECK(tuile_store_remove(store, text("faultykey"), NULL) == TUILE_OK);
  tuile_store_close(store);
  CHECK(tuile_store_open(text(url), &store, &error) == TUILE_OK);
}

static void fail_each_call(const struct operation *operation) {
  int failed = 0;
  prepare(operation);
  tuile_store_close(store);
  sqlite3_int64 unused = sqlite3_memory_used();
  for (int n = 1;; n += memory ? 7 : 1) { /* allocations are many */
    prepare(operation);
    memset(&error, 0, sizeof error);
    fail_at = n, calls = 0;
    tuile_status status = operation->run();
    fail_at = 0;
    bool all = calls < n;
    if (status != TUILE_OK) {
      tuile_status expected = memory && status == TUILE_E_MEMORY ? status : TUILE_E_STORE;
      if (status != expected) fprintf(stderr, "%s, call %d: %s: %s\n", operation->name, n, tuile_status_name(status), error.message);
      CHECK(!all);
      CHECK(status == expected);
      CHECK(error.status == status);
      CHECK(strlen(error.message) > 10);
      failed++;
    }
    CHECK((status == TUILE_OK ? operation->done : operation->after) & 1 << stored());
    CHECK(tuile_store_put(store, text("faultykey"), text(old), expires, &error) == TUILE_OK);
    CHECK(stored() == 1);
    CHECK(do_own() == TUILE_OK); /* with statements that a failure may have left half ready */
    tuile_store_close(store);
    CHECK(sqlite3_memory_used() == unused);
    if (!all) continue;
    CHECK(failed > 0);
    printf("%s: %d calls, %d of them noticed\n", operation->name, n - 1, failed);
    return;
  }
}

int main(int argc, char **argv) {
  CHECK(argc > 1);
  memset(old, 'o', sizeof old - 1);
  memset(new, 'n', sizeof new - 1);
  limit_memory();
  put_between();
  static const char *const kinds[] = {"normal", "full"};
  for (int kind = 0; kind < 2; kind++) {
    snprintf(url, sizeof url, "sqlite://%s/%s.db?busy=50&synchronous=%s", argv[1], kinds[kind], kinds[kind]);
    for (int i = 0; i < (kind ? 2 : 3); i++) {
      for_good = i == 1, memory = i == 2;
      for (size_t k = 0; k < sizeof operations / sizeof *operations; k++) fail_each_call(&operations[k]);
    }
  }
  return 0;
}
