#define _GNU_SOURCE
#include "csystem.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>
#ifndef RENAME_NOREPLACE /* musl's stdio.h is without */
#include <linux/fs.h>
#endif

static int sync_all(int file) {
  while (fsync(file) != 0)
    if (errno != EINTR) return errno;
  return 0;
}

/* A folder is in the one above it for good, unless that may not be read. */
static int sync_above(int folder) {
  int above = openat(folder, "..", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
  if (above < 0) return errno == EACCES ? 0 : errno;
  int failure = sync_all(above);
  close(above);
  return failure == EINVAL ? 0 : failure; /* a file system that can't */
}

int sys_folder_open(int at, const char *path, bool make, bool sync) {
  if (make && mkdirat(at, path, 0700) != 0 && errno != EEXIST) return -errno;
  int folder = openat(at, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC | (at == AT_FDCWD ? 0 : O_NOFOLLOW));
  if (folder < 0) return -errno;
  /* Also where it was there: whoever made it may have died before this. */
  int failure = make && sync ? sync_above(folder) : 0;
  if (!failure) return folder;
  close(folder);
  return -failure;
}

int sys_folder_open_root(const char *path, bool make) { return sys_folder_open(AT_FDCWD, path, make, true); }

bool sys_folder_is_listed(int folder) {
  struct stat about;
  return fstat(folder, &about) != 0 || (about.st_mode & (S_IRGRP | S_IROTH)) != 0;
}

bool sys_folder_is_reached(int folder) {
  struct stat about, below;
  if (fstat(folder, &below) != 0) return true;
  bool by_all = (below.st_mode & S_IROTH) != 0, by_group = (below.st_mode & S_IRGRP) != 0;
  int at = folder;
  while (by_all || by_group) {
    int above = openat(at, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
    if (at != folder) close(at);
    at = above;
    if (above < 0 || fstat(above, &about) != 0) break;
    if (about.st_dev == below.st_dev && about.st_ino == below.st_ino) break;
    by_all = by_all && (about.st_mode & S_IXOTH) != 0;
    by_group = by_group && (about.st_mode & (S_IXGRP | S_IXOTH)) != 0;
    below = about;
  }
  if (at >= 0 && at != folder) close(at);
  return by_all || by_group;
}

void sys_descriptor_close(int descriptor) {
  if (descriptor >= 0) close(descriptor);
}

/* ---- facts ---- */

static int64_t microseconds(struct timespec time) {
  const int64_t most = INT64_MAX / 4000000; /* sums of two still fit */
  int64_t seconds = time.tv_sec > most ? most : time.tv_sec < -most ? -most : time.tv_sec;
  return seconds * 1000000 + time.tv_nsec / 1000;
}

static void fill(sys_file_facts *facts, const struct stat *about) {
  facts->modified = microseconds(about->st_mtim);
  facts->changed = microseconds(about->st_ctim);
  facts->whole_microseconds = about->st_mtim.tv_nsec % 1000 == 0;
  facts->device = about->st_dev;
  facts->number = about->st_ino;
  facts->size = (size_t)about->st_size;
}

bool sys_folder_is_gone(int folder) {
  struct stat about;
  return fstat(folder, &about) != 0 || about.st_nlink == 0;
}

int sys_folder_facts(int folder, const char *name, sys_file_facts *facts) {
  struct stat about;
  if (fstatat(folder, name, &about, AT_SYMLINK_NOFOLLOW) != 0) return errno;
  if (!S_ISREG(about.st_mode)) return ELOOP;
  fill(facts, &about);
  return 0;
}

int sys_descriptor_facts(int file, sys_file_facts *facts) {
  struct stat about;
  if (fstat(file, &about) != 0) return errno;
  fill(facts, &about);
  return 0;
}

/* ---- reading ---- */

int sys_folder_file_open(int folder, const char *name, sys_file_facts *facts) {
  /* Not to wait for a writer, should it be a pipe. */
  int file = openat(folder, name, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
  if (file < 0) return -errno;
  struct stat about;
  int failure = fstat(file, &about) != 0 ? errno : !S_ISREG(about.st_mode) ? ELOOP : 0;
  if (failure) {
    close(file);
    return -failure;
  }
  fill(facts, &about);
  return file;
}

ptrdiff_t sys_descriptor_read(int file, void *data, size_t size) {
  size_t done = 0;
  while (done < size) {
    ssize_t got = read(file, (char *)data + done, size - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return -errno;
    if (got == 0) break;
    done += (size_t)got;
  }
  return (ptrdiff_t)done;
}

/* ---- writing ---- */

static int set_modified(int file, int64_t modified) {
  int64_t seconds = modified / 1000000, rest = modified % 1000000;
  if (rest < 0) seconds -= 1, rest += 1000000;
  struct timespec times[2] = {{.tv_nsec = UTIME_OMIT}, {.tv_sec = (time_t)seconds, .tv_nsec = (long)rest * 1000}};
  return futimens(file, times) == 0 ? 0 : errno;
}

int sys_folder_write(int folder, const char *name, const void *data, size_t size, const int64_t *modified, bool sync) {
  int file = openat(folder, name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
  if (file < 0) return errno;
  int failure = 0;
  for (size_t done = 0; done < size && !failure;) {
    ssize_t put = write(file, (const char *)data + done, size - done);
    if (put > 0) done += (size_t)put;
    else if (put == 0) failure = ENOSPC;
    else if (errno != EINTR) failure = errno;
  }
  if (!failure && modified) failure = set_modified(file, *modified);
  if (!failure && sync) failure = sync_all(file);
  if (close(file) != 0 && !failure && errno != EINTR) failure = errno;
  if (failure) unlinkat(folder, name, 0);
  return failure;
}

int sys_folder_touch(int file, int64_t modified, bool sync) {
  int failure = set_modified(file, modified);
  return failure || !sync ? failure : sync_all(file);
}

int sys_folder_sync(int folder) { return sync_all(folder); }

int sys_folder_remove(int folder, const char *name) { return unlinkat(folder, name, 0) == 0 ? 0 : errno; }

int sys_folder_remove_folder(int folder, const char *name) {
  return unlinkat(folder, name, AT_REMOVEDIR) == 0 ? 0 : errno;
}

int sys_folder_rename(int folder, const char *from, const char *to) {
  return renameat(folder, from, folder, to) == 0 ? 0 : errno;
}

/* By number: glibc has the function since 2.28 only. */
static int rename_by(int folder, const char *from, const char *to, unsigned int how) {
  return syscall(SYS_renameat2, folder, from, folder, to, how) == 0 ? 0 : errno;
}

static bool is_unknown(int failure) { return failure == EINVAL || failure == ENOSYS || failure == EOPNOTSUPP; }

int sys_folder_publish(int folder, const char *from, const char *to) {
  int failure = rename_by(folder, from, to, RENAME_NOREPLACE);
  if (!is_unknown(failure)) return failure;
  if (linkat(folder, from, folder, to, 0) != 0) return errno;
  unlinkat(folder, from, 0);
  return 0;
}

int sys_folder_exchange(int folder, const char *one, const char *other) {
  int failure = rename_by(folder, one, other, RENAME_EXCHANGE);
  return is_unknown(failure) ? ENOSYS : failure;
}

/* ---- listing ---- */

int sys_folder_list(int folder, const char *name, void **list) {
  int again = openat(folder, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC | O_NOFOLLOW);
  if (again < 0) return errno;
  *list = fdopendir(again);
  if (*list) return 0;
  int failure = errno;
  close(again);
  return failure;
}

const char *sys_folder_next(void *list, int *failure) {
  errno = 0;
  struct dirent *entry = readdir(list);
  if (!entry && failure) *failure = errno;
  return entry ? entry->d_name : NULL;
}

void sys_folder_list_close(void *list) {
  if (list) closedir(list);
}

enum { REMEMBERED = 1024 };

struct watch {
  int file;
  size_t at, size;
  _Alignas(struct inotify_event) char events[4096];
  char given[REMEMBERED][48];
};

int sys_folder_watch(int folder, void **out) {
  struct watch *watch = calloc(1, sizeof *watch);
  if (!watch) return ENOMEM;
  /* inotify knows no descriptors of folders but by their names here. */
  char path[40];
  snprintf(path, sizeof path, "/proc/self/fd/%d", folder);
  watch->file = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);
  int failure = watch->file < 0 ? errno : 0;
  if (!failure && inotify_add_watch(watch->file, path, IN_MOVED_TO | IN_ONLYDIR) < 0) failure = errno;
  if (failure)
    sys_folder_watch_close(watch);
  else
    *out = watch;
  return failure;
}

size_t sys_folder_waiting(void *context) {
  struct watch *watch = context;
  int queued = 0;
  if (ioctl(watch->file, FIONREAD, &queued) != 0 || queued < 0) queued = 0;
  return (watch->size - watch->at + (size_t)queued) / sizeof(struct inotify_event) + 1;
}

int sys_folder_moved(void *context, const char **name) {
  struct watch *watch = context;
  *name = NULL;
  for (;;) {
    if (watch->at >= watch->size) {
      ssize_t got = read(watch->file, watch->events, sizeof watch->events);
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) return got < 0 && errno != EAGAIN ? errno : 0;
      watch->at = 0, watch->size = (size_t)got;
    }
    const struct inotify_event *event = (const struct inotify_event *)(watch->events + watch->at);
    watch->at += sizeof *event + event->len;
    if (event->mask & IN_Q_OVERFLOW) return EOVERFLOW;
    if (event->len == 0) continue;
    *name = event->name;
    return 0;
  }
}

bool sys_folder_is_given(void *context, const void *name, size_t size) {
  struct watch *watch = context;
  uint32_t hash = 2166136261;
  for (size_t i = 0; i < size; i++) hash = (hash ^ ((const unsigned char *)name)[i]) * 16777619;
  char *place = watch->given[hash % REMEMBERED];
  if (size >= sizeof watch->given[0]) return false;
  if (memcmp(place, name, size) == 0 && place[size] == 0) return true;
  memcpy(place, name, size);
  place[size] = 0;
  return false;
}

void sys_folder_watch_close(void *context) {
  struct watch *watch = context;
  if (!watch) return;
  if (watch->file >= 0) close(watch->file);
  free(watch);
}

/* ---- locks between processes ---- */

int sys_lock_file_open(int folder, const char *name, bool make) {
  int file = openat(folder, name, O_RDWR | (make ? O_CREAT : 0) | O_NOFOLLOW | O_CLOEXEC, 0600);
  return file < 0 ? -errno : file;
}

int sys_lock_file_renew(int file, int folder, const char *name) {
  int fresh = sys_lock_file_open(folder, name, true);
  if (fresh < 0) return -fresh;
  int failure = dup3(fresh, file, O_CLOEXEC) < 0 ? errno : 0;
  close(fresh);
  return failure;
}

static int set_lock(int file, int64_t at, short type) {
  struct flock range = {.l_type = type, .l_whence = SEEK_SET, .l_start = at, .l_len = 1};
  return fcntl(file, F_OFD_SETLK, &range) == 0 ? 0 : errno;
}

/* Whoever holds it takes some tens of microseconds, so that short steps with some
 * spread get many writers through. */
int sys_range_lock_within(int file, int64_t at, int milliseconds) {
  int64_t until = 0;
  for (unsigned int turn = 0;; turn++) {
    int failure = set_lock(file, at, F_WRLCK);
    if (failure == EINTR) continue;
    if (failure != EAGAIN && failure != EACCES) {
      struct stat about;
      if (failure || fstat(file, &about) != 0 || about.st_nlink > 0) return failure;
      /* The file was deleted: others lock another one by now. */
      sys_range_unlock(file, at);
      return ESTALE;
    }
    struct timespec clock;
    clock_gettime(CLOCK_MONOTONIC, &clock);
    int64_t now = (int64_t)clock.tv_sec * 1000000 + clock.tv_nsec / 1000;
    if (until == 0) until = now + (int64_t)milliseconds * 1000;
    if (now >= until) return EAGAIN;
    unsigned int step = turn < 8 ? 50u : turn < 32 ? 250u : 2000u, spread = 0;
    sys_random(&spread, sizeof spread);
    sys_sleep_microseconds(step / 2 + spread % step);
  }
}

void sys_range_unlock(int file, int64_t at) { set_lock(file, at, F_UNLCK); }
