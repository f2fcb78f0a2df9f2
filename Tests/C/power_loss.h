/* What a power failure can leave of a folder. Calls that change files are recorded
 * where they go into libc; `rebuild` then makes the folder as it may be after the
 * failure. What was synced is there: a file's data and time by fsync of the file,
 * its names by fsync of the folder, which is all that POSIX says. Of what was not,
 * the names are there up to some moment, as journals keep them, and the data whole,
 * not at all, by half or as zeros. */
#ifndef POWER_LOSS_H
#define POWER_LOSS_H

#include "check.h"

#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/fs.h>
#include <stdarg.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

enum kind { make_file, make_folder, swap_names, change_name, remove_name, put_data, set_time, sync_it, answered };

struct change {
  enum kind kind;
  int inode, folder; /* what it is about, and where its name is */
  char name[200], other[200];
  size_t at, size;
  char *data;
  struct timespec time;
};
static struct change changes[2000];
static int change_count;
static bool recording;

static struct change *record(enum kind kind) {
  CHECK(change_count < 2000);
  struct change *change = &changes[change_count++];
  *change = (struct change){.kind = kind};
  return change;
}

/* ---- numbers for files, since file systems give theirs again ---- */

static ino_t inodes[1000];
static int inode_count;

static int fresh(ino_t number) {
  CHECK(inode_count < 1000);
  inodes[inode_count] = number;
  return inode_count++;
}
static int inode_of(int file) {
  struct stat about;
  CHECK(fstat(file, &about) == 0);
  for (int i = inode_count - 1; i >= 0; i--)
    if (inodes[i] == about.st_ino) return i;
  return fresh(about.st_ino);
}

/* ---- in front of libc ---- */

#define NEXT(type, name, ...)                        \
  static type (*real)(__VA_ARGS__);                  \
  if (!real) *(void **)&real = dlsym(RTLD_NEXT, #name)

#pragma GCC visibility push(default)

int openat(int folder, const char *name, int flags, ...);

/* The folder that a path's last part is in. */
static int folder_of(int folder, const char *path, char name[200]) {
  const char *slash = strrchr(path, '/');
  char above[600];
  snprintf(above, sizeof above, "%.*s", slash ? (int)(slash - path) : 1, slash ? path : ".");
  snprintf(name, 200, "%s", slash ? slash + 1 : path);
  bool before = recording;
  recording = false;
  int opened = openat(folder, above, O_PATH | O_DIRECTORY | O_CLOEXEC), inode = opened < 0 ? -1 : inode_of(opened);
  if (opened >= 0) close(opened);
  recording = before;
  return inode;
}

int openat(int folder, const char *name, int flags, ...) {
  NEXT(int, openat, int, const char *, int, ...);
  va_list rest;
  va_start(rest, flags);
  mode_t mode = flags & O_CREAT ? va_arg(rest, mode_t) : 0;
  va_end(rest);
  bool missing = recording && flags & O_CREAT && faccessat(folder, name, F_OK, AT_SYMLINK_NOFOLLOW) != 0;
  int file = real(folder, name, flags, mode);
  if (missing && file >= 0) {
    struct stat about;
    CHECK(fstat(file, &about) == 0);
    struct change *change = record(make_file);
    change->inode = fresh(about.st_ino);
    change->folder = folder_of(folder, name, change->name);
  }
  return file;
}
int mkdirat(int folder, const char *name, mode_t mode) {
  NEXT(int, mkdirat, int, const char *, mode_t);
  int result = real(folder, name, mode);
  if (recording && result == 0) {
    struct stat about;
    CHECK(fstatat(folder, name, &about, 0) == 0);
    struct change *change = record(make_folder);
    change->inode = fresh(about.st_ino);
    change->folder = folder_of(folder, name, change->name);
  }
  return result;
}
ssize_t write(int file, const void *data, size_t size) {
  NEXT(ssize_t, write, int, const void *, size_t);
  off_t at = recording ? lseek(file, 0, SEEK_CUR) : 0;
  ssize_t put = real(file, data, size);
  if (recording && put > 0) {
    struct change *change = record(put_data);
    change->inode = inode_of(file), change->at = (size_t)at, change->size = (size_t)put;
    CHECK((change->data = malloc(change->size)) != NULL);
    memcpy(change->data, data, change->size);
  }
  return put;
}
int futimens(int file, const struct timespec times[2]) {
  NEXT(int, futimens, int, const struct timespec *);
  int result = real(file, times);
  if (recording && result == 0) {
    struct change *change = record(set_time);
    change->inode = inode_of(file), change->time = times[1];
  }
  return result;
}
int fsync(int file) { /* the real one would only cost time */
  if (recording) record(sync_it)->inode = inode_of(file);
  return 0;
}
int unlinkat(int folder, const char *name, int flags) {
  NEXT(int, unlinkat, int, const char *, int);
  int result = real(folder, name, flags);
  if (recording && result == 0) {
    struct change *change = record(remove_name);
    change->folder = folder_of(folder, name, change->name);
  }
  return result;
}
static void record_names(enum kind kind, int folder, const char *from, const char *to) {
  struct change *change = record(kind);
  folder_of(folder, to, change->other);
  change->folder = folder_of(folder, from, change->name);
}
int renameat(int one, const char *from, int other, const char *to) {
  NEXT(int, renameat, int, const char *, int, const char *);
  int result = real(one, from, other, to);
  if (recording && result == 0) record_names(change_name, one, from, to);
  return result;
}
/* renameat2, which has no function in an old libc. */
long syscall(long number, ...) {
  NEXT(long, syscall, long, ...);
  va_list rest;
  va_start(rest, number);
  long a = va_arg(rest, long), b = va_arg(rest, long), c = va_arg(rest, long), d = va_arg(rest, long), e = va_arg(rest, long);
  va_end(rest);
  long result = real(number, a, b, c, d, e);
  if (recording && number == SYS_renameat2 && result == 0)
    record_names(e & RENAME_EXCHANGE ? swap_names : change_name, (int)a, (const char *)b, (const char *)d);
  return result;
}

#pragma GCC visibility pop

/* ---- after the failure ---- */

enum unsynced { whole, nothing, half, zeros };

struct link {
  int folder, inode;
  char name[200];
};
static struct link links[1000];
static int link_count;
static struct {
  bool folder;
  char data[8192];
  size_t size;
  struct timespec time;
} files[1000];

static bool is_of_names(const struct change *change) { return change->kind <= remove_name; }

/* `deaf`: a disk that syncs nothing, the control. */
static bool is_synced(int i, int end, bool deaf) {
  int inode = is_of_names(&changes[i]) ? changes[i].folder : changes[i].inode;
  for (int j = i + 1; j < end && !deaf; j++)
    if (changes[j].kind == sync_it && changes[j].inode == inode) return true;
  return false;
}
static struct link *find_link(int folder, const char *name) {
  for (int i = 0; i < link_count; i++)
    if (links[i].folder == folder && strcmp(links[i].name, name) == 0) return &links[i];
  return NULL;
}
static void drop(struct link *link) {
  if (link) *link = links[--link_count];
}

static void change_names(const struct change *change) {
  struct link *one = find_link(change->folder, change->name), *other;
  switch (change->kind) {
    case make_file:
    case make_folder:
      drop(one);
      links[link_count] = (struct link){.folder = change->folder, .inode = change->inode};
      strcpy(links[link_count++].name, change->name);
      files[change->inode].folder = change->kind == make_folder;
      break;
    case remove_name: drop(one); break;
    case change_name:
      CHECK(one != NULL);
      drop(find_link(change->folder, change->other));
      one = find_link(change->folder, change->name);
      strcpy(one->name, change->other);
      break;
    default:
      other = find_link(change->folder, change->other);
      CHECK(one != NULL);
      CHECK(other != NULL);
      int inode = one->inode;
      one->inode = other->inode, other->inode = inode;
  }
}

static void write_out(int folder, const char *path) {
  for (int i = 0; i < link_count; i++) {
    if (links[i].folder != folder) continue;
    char name[1000];
    snprintf(name, sizeof name, "%s/%s", path, links[i].name);
    int inode = links[i].inode;
    if (files[inode].folder) {
      CHECK(mkdir(name, 0700) == 0);
      write_out(inode, name);
      continue;
    }
    int file = openat(AT_FDCWD, name, O_CREAT | O_EXCL | O_WRONLY, 0600);
    struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, files[inode].time};
    CHECK(file >= 0);
    CHECK(write(file, files[inode].data, files[inode].size) == (ssize_t)files[inode].size);
    if (times[1].tv_sec) CHECK(futimens(file, times) == 0);
    close(file);
  }
}

/* The folder with the number `base`, written to `path`, when the power fails after
 * `end` changes and the first `names` of those of names that were not synced are
 * there. Sets whether there are more of those, and whether there is data that was
 * not synced. */
static bool more_names, open_data;
static void rebuild(int base, const char *path, int end, int names, enum unsynced data, bool deaf) {
  link_count = 0;
  more_names = open_data = false;
  memset(files, 0, sizeof *files * (size_t)inode_count);
  for (int i = 0; i < end; i++) {
    const struct change *change = &changes[i];
    bool synced = is_synced(i, end, deaf);
    if (is_of_names(change)) {
      if (synced || names-- > 0) change_names(change);
      else more_names = true;
      continue;
    }
    open_data |= !synced && change->kind != sync_it && change->kind != answered;
    if (change->kind == set_time) {
      if (synced || data == whole) files[change->inode].time = change->time;
    } else if (change->kind == put_data && (synced || data != nothing)) {
      size_t size = synced || data != half ? change->size : change->size / 2;
      CHECK(change->at + size <= sizeof files->data);
      char *to = files[change->inode].data + change->at;
      if (synced || data != zeros) memcpy(to, change->data, size);
      if (change->at + size > files[change->inode].size) files[change->inode].size = change->at + size;
    }
  }
  write_out(base, path);
}

#endif
