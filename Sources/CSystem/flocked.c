#define _GNU_SOURCE
#include "csystem.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

int sys_folder_open_path(const char *path) {
  int folder = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
  return folder < 0 ? -errno : folder;
}

static int64_t now(void) {
  struct timespec clock;
  clock_gettime(CLOCK_MONOTONIC, &clock);
  return (int64_t)clock.tv_sec * 1000000 + clock.tv_nsec / 1000;
}

/* flock(2) itself would wait for ever. */
static int lock_within(int file, int how, int64_t until) {
  for (unsigned int turn = 0;; turn++) {
    if (flock(file, how | LOCK_NB) == 0) return 0;
    if (errno == EINTR) continue;
    if (errno != EWOULDBLOCK) return errno;
    if (now() >= until) return EAGAIN;
    unsigned int step = turn < 16 ? 200u : 2000u, spread = 0;
    sys_random(&spread, sizeof spread);
    sys_sleep_microseconds(step / 2 + spread % step);
  }
}

int sys_flocked_open(int folder, const char *name, bool create, bool write, int milliseconds, sys_file_facts *facts) {
  int64_t until = now() + (int64_t)milliseconds * 1000;
  for (;;) {
    int flags = (write ? O_RDWR : O_RDONLY) | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC;
    int file = openat(folder, name, create ? flags | O_CREAT | O_EXCL : flags, 0600);
    if (file < 0) return -errno;
    struct stat about, there;
    int failure = fstat(file, &about) != 0 ? errno : !S_ISREG(about.st_mode) ? ELOOP : 0;
    if (!failure) failure = lock_within(file, write ? LOCK_EX : LOCK_SH, until);
    if (!failure && sys_descriptor_facts(file, facts) != 0) failure = errno;
    if (failure) {
      close(file);
      return -failure;
    }
    /* While this waited the session may have been deleted, and begun anew. */
    if (fstatat(folder, name, &there, AT_SYMLINK_NOFOLLOW) == 0 && there.st_dev == about.st_dev &&
        there.st_ino == about.st_ino)
      return file;
    close(file);
    if (create) return -EEXIST;
    if (now() >= until) return -EAGAIN;
  }
}

int sys_flocked_write(int file, const void *data, size_t size, size_t old_size) {
  /* A full disk is noticed before anything is written over. */
  if (size > old_size) {
    int failure = fallocate(file, FALLOC_FL_KEEP_SIZE, 0, (off_t)size) == 0 ? 0 : errno;
    if (failure && failure != EOPNOTSUPP && failure != ENOSYS && failure != EINTR) return failure;
  }
  for (size_t done = 0; done < size;) {
    ssize_t put = pwrite(file, (const char *)data + done, size - done, (off_t)done);
    if (put > 0) done += (size_t)put;
    else if (put == 0) return ENOSPC;
    else if (errno != EINTR) return errno;
  }
  if (size < old_size && ftruncate(file, (off_t)size) != 0) return errno;
  return 0;
}

int sys_flocked_empty(int file) { return ftruncate(file, 0) == 0 ? 0 : errno; }
