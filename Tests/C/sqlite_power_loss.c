/* Power loss at every moment of a short run on SQLite. What it does to its files is
 * recorded between it and the disk; then the files are made as they may be after the
 * failure: what was synced is there, and of what was not, all, nothing, the beginning,
 * every other piece, or the beginning with the last piece by half. synchronous=full loses
 * nothing that was answered, normal may lose the last commits; both leave the file
 * whole. The control: the same on a disk that syncs nothing. */
#define _GNU_SOURCE
#include "check.h"

#include <sqlite3.h>
#include <unistd.h>

/* ---- the record ---- */

enum file_kind { database, wal, journal, files };
static const char *const suffixes[files] = {"", "-wal", "-journal"};

struct change {
  enum { write_it, cut, sync_it, remove_it, answered } kind;
  enum file_kind file;
  sqlite3_int64 at; /* or the size it is cut to */
  int size;
  char *data;
};
static struct change changes[4000];
static int change_count;
static bool recording;

static void record(int kind, enum file_kind file, sqlite3_int64 at, const void *data, int size) {
  if (!recording || file == files) return;
  CHECK(change_count < 4000);
  struct change *change = &changes[change_count++];
  *change = (struct change){.kind = kind, .file = file, .at = at, .size = size};
  if (!data) return;
  CHECK((change->data = malloc((size_t)size)) != NULL);
  memcpy(change->data, data, (size_t)size);
}

/* ---- a VFS between SQLite and the disk ---- */

struct file {
  sqlite3_file base, *real; /* the real one lies behind */
  enum file_kind kind;
};
static sqlite3_file *behind(sqlite3_file *file) { return ((struct file *)file)->real; }
static enum file_kind kind_of(sqlite3_file *file) { return ((struct file *)file)->kind; }
#define REAL(name, ...) behind(file)->pMethods->name(behind(file), ##__VA_ARGS__)

static int x_close(sqlite3_file *file) { return REAL(xClose); }
static int x_read(sqlite3_file *file, void *data, int size, sqlite3_int64 at) { return REAL(xRead, data, size, at); }
static int x_write(sqlite3_file *file, const void *data, int size, sqlite3_int64 at) {
  record(write_it, kind_of(file), at, data, size);
  return REAL(xWrite, data, size, at);
}
static int x_truncate(sqlite3_file *file, sqlite3_int64 size) {
  record(cut, kind_of(file), size, NULL, 0);
  return REAL(xTruncate, size);
}
static int x_sync(sqlite3_file *file, int flags) {
  (void)flags; /* the real one would only cost time */
  record(sync_it, kind_of(file), 0, NULL, 0);
  return SQLITE_OK;
}
static int x_size(sqlite3_file *file, sqlite3_int64 *size) { return REAL(xFileSize, size); }
static int x_lock(sqlite3_file *file, int kind) { return REAL(xLock, kind); }
static int x_unlock(sqlite3_file *file, int kind) { return REAL(xUnlock, kind); }
static int x_reserved(sqlite3_file *file, int *is) { return REAL(xCheckReservedLock, is); }
static int x_control(sqlite3_file *file, int what, void *argument) { return REAL(xFileControl, what, argument); }
static int x_sector(sqlite3_file *file) { return REAL(xSectorSize); }
static int x_device(sqlite3_file *file) { return REAL(xDeviceCharacteristics); }
static int x_shm_map(sqlite3_file *file, int page, int size, int extend, void volatile **map) { return REAL(xShmMap, page, size, extend, map); }
static int x_shm_lock(sqlite3_file *file, int at, int count, int flags) { return REAL(xShmLock, at, count, flags); }
static void x_shm_barrier(sqlite3_file *file) { REAL(xShmBarrier); }
static int x_shm_unmap(sqlite3_file *file, int drop) { return REAL(xShmUnmap, drop); }

static const sqlite3_io_methods methods = {
    2, x_close, x_read, x_write, x_truncate, x_sync, x_size, x_lock, x_unlock, x_reserved, x_control, x_sector, x_device,
    x_shm_map, x_shm_lock, x_shm_barrier, x_shm_unmap, NULL, NULL};

static sqlite3_vfs *disk, between;

static enum file_kind kind_by(int flags) {
  return flags & SQLITE_OPEN_MAIN_DB ? database : flags & SQLITE_OPEN_WAL ? wal : flags & SQLITE_OPEN_MAIN_JOURNAL ? journal : files;
}
static int v_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *file, int flags, int *out) {
  (void)vfs;
  struct file *made = (struct file *)file;
  made->base.pMethods = NULL;
  made->real = (sqlite3_file *)(made + 1);
  made->kind = kind_by(flags);
  int result = disk->xOpen(disk, name, made->real, flags, out);
  if (made->real->pMethods) made->base.pMethods = &methods;
  return result;
}
/* SQLite syncs the folder where that matters, so that a removal is there at once. */
static int v_delete(sqlite3_vfs *vfs, const char *name, int sync) {
  (void)vfs;
  size_t length = strlen(name);
  for (enum file_kind i = wal; i < files; i++) {
    size_t size = strlen(suffixes[i]);
    if (length > size && strcmp(name + length - size, suffixes[i]) == 0) record(remove_it, i, 0, NULL, 0);
  }
  return disk->xDelete(disk, name, sync);
}

static void put_between(void) {
  disk = sqlite3_vfs_find(NULL);
  between = *disk;
  between.pNext = NULL, between.zName = "recording";
  between.szOsFile = (int)sizeof(struct file) + disk->szOsFile;
  between.xOpen = v_open, between.xDelete = v_delete;
  CHECK(sqlite3_vfs_register(&between, 1) == SQLITE_OK);
}

/* ---- after the failure ---- */

enum unsynced { all, nothing, beginning, every_other, halved, kinds_of_unsynced };

static struct {
  char data[1 << 20];
  sqlite3_int64 size;
  bool there;
} after[files];

static bool is_synced(int i, int end, bool deaf) {
  if (changes[i].kind == remove_it) return true;
  for (int j = i + 1; j < end && !deaf; j++)
    if (changes[j].kind == sync_it && changes[j].file == changes[i].file) return true;
  return false;
}

/* Returns whether anything was not synced. */
static bool rebuild(const char *path, int end, enum unsynced kept, bool deaf) {
  int open_count = 0, seen = 0;
  memset(after, 0, sizeof after);
  for (int i = 0; i < end; i++) open_count += (changes[i].kind == write_it || changes[i].kind == cut) && !is_synced(i, end, deaf);
  for (int i = 0; i < end; i++) {
    struct change *change = &changes[i];
    if (change->kind == sync_it || change->kind == answered) continue;
    sqlite3_int64 size = change->size;
    if (change->kind == remove_it) {
      memset(&after[change->file], 0, sizeof *after);
      continue;
    }
    after[change->file].there = true;
    if (!is_synced(i, end, deaf)) {
      int number = seen++;
      if (kept == nothing || (kept == every_other && number % 2) || (kept == beginning && number > open_count / 2)) continue;
      if (kept == halved && number == open_count - 1) size /= 2;
    }
    CHECK(change->at + size <= (sqlite3_int64)sizeof after->data);
    if (change->kind == write_it) memcpy(after[change->file].data + change->at, change->data, (size_t)size);
    if (change->kind == cut || after[change->file].size < change->at + size) {
      if (change->at + size < after[change->file].size)
        memset(after[change->file].data + change->at + size, 0, (size_t)(after[change->file].size - change->at - size));
      after[change->file].size = change->at + size;
    }
  }
  for (enum file_kind i = database; i < files; i++) {
    char name[700];
    snprintf(name, sizeof name, "%s%s", path, suffixes[i]);
    remove(name);
    if (!after[i].there) continue;
    FILE *out = fopen(name, "w");
    CHECK(out);
    CHECK(fwrite(after[i].data, 1, (size_t)after[i].size, out) == (size_t)after[i].size);
    CHECK(fclose(out) == 0);
  }
  return open_count > 0;
}

/* ---- the run ---- */

enum { keys = 2, rounds = 12 };
static tuile_store *store;
static const int64_t expires = INT64_C(4102444800000000);
static char texts[rounds + 1][6000];
static int history[rounds + 1][keys];
static int lost, torn, broken;

static tuile_bytes key_of(int i) { return text(i ? "powerkey2" : "powerkey1"); }

static void take(int number) {
  int key = number % keys, old = history[number - 1][key];
  memcpy(history[number], history[number - 1], sizeof history[0]);
  tuile_bytes data = text(texts[number]);
  history[number][key] = number % 5 == 4 ? 0 : number;
  tuile_status status = number % 5 == 4 ? tuile_store_remove(store, key_of(key), NULL)
                        : old           ? tuile_store_replace(store, key_of(key), text(texts[old]), data, expires, NULL)
                                        : tuile_store_create(store, key_of(key), data, expires, NULL);
  CHECK(status == TUILE_OK);
}

static void receive(void *context, tuile_bytes data, int64_t when) {
  int *found = context;
  *found = -1;
  for (int i = 1; i <= rounds && when == expires; i++)
    if (equals(data, texts[i])) *found = i;
}

static void judge(const char *url, int answers) {
  tuile_status status = tuile_store_open(text(url), &store, NULL);
  for (int i = 0; i < keys && status == TUILE_OK; i++) {
    int found = 0;
    bool ever = false, fits = false;
    status = tuile_store_load(store, key_of(i), 0, receive, &found, NULL);
    if (status == TUILE_ABSENT) status = TUILE_OK;
    for (int j = 0; j <= answers + 1 && j <= rounds; j++) {
      ever |= found == history[j][i];
      fits |= found == history[j][i] && j >= answers;
    }
    lost += !fits, torn += !ever;
  }
  if (status == TUILE_OK) status = tuile_store_put(store, key_of(0), text("goes on"), expires, NULL);
  broken += status != TUILE_OK;
  tuile_store_close(store);
  store = NULL;
}

static void lose_power(const char *top, const char *option, bool deaf) {
  static int runs;
  char path[600], url[700];
  snprintf(path, sizeof path, "%s/%d.db", top, runs++);
  snprintf(url, sizeof url, "sqlite://%s?synchronous=%s", path, option);
  change_count = lost = torn = broken = 0;
  recording = true;
  CHECK(tuile_store_open(text(url), &store, NULL) == TUILE_OK);
  for (int i = 1; i <= rounds; i++) {
    take(i);
    record(answered, database, 0, NULL, 0);
  }
  tuile_store_close(store); /* writes the log into the file */
  recording = false;

  int answers = 0, states = 0;
  snprintf(path, sizeof path, "%s/after.db", top);
  snprintf(url, sizeof url, "sqlite://%s?synchronous=%s", path, option);
  for (int end = 0; end <= change_count; end++) {
    if (end > 0 && changes[end - 1].kind == answered) answers++;
    bool more = true;
    for (enum unsynced kept = all; kept < kinds_of_unsynced && more; kept++, states++) {
      more = rebuild(path, end, kept, deaf);
      judge(url, answers);
    }
  }
  for (int i = 0; i < change_count; i++) free(changes[i].data);
  printf("synchronous=%s%s: %d changes, %d states, %d sessions with a commit lost, %d torn, %d files broken\n", option,
         deaf ? ", not done" : "", change_count, states, lost, torn, broken);
}

int main(int argc, char **argv) {
  CHECK(argc > 1);
  put_between();
  for (int i = 1; i <= rounds; i++) memset(texts[i], 'a' + i, 100 + (size_t)i * 450);
  lose_power(argv[1], "full", false);
  CHECK(lost == 0);
  CHECK(torn == 0);
  CHECK(broken == 0);
  lose_power(argv[1], "normal", false);
  CHECK(lost > 0);
  CHECK(torn == 0);
  CHECK(broken == 0);
  lose_power(argv[1], "full", true);
  CHECK(lost > 0);
  CHECK(broken > 0);
  return 0;
}
