#define _GNU_SOURCE
#include "csystem.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static int read_all(int file, enum sys_others others, size_t limit, void **data, size_t *size) {
  struct stat about;
  if (fstat(file, &about) != 0) return errno;
  if (!S_ISREG(about.st_mode)) return EINVAL;
  if ((about.st_mode & (mode_t)~others & 077) != 0) return EPERM;
  if (about.st_size < 0 || (uint64_t)about.st_size > limit) return EFBIG;
  size_t capacity = (size_t)about.st_size, done = 0;
  char *buffer = malloc(capacity + 1);
  if (!buffer) return ENOMEM;
  while (done < capacity) {
    ssize_t got = read(file, buffer + done, capacity - done);
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) {
      int failure = errno;
      free(buffer);
      return failure;
    }
    if (got == 0) break;
    done += (size_t)got;
  }
  *data = buffer;
  *size = done;
  return 0;
}

int sys_file_read(const char *path, enum sys_others others, size_t limit, void **data, size_t *size) {
  /* Not to wait for a writer, should it be a pipe. */
  int file = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
  if (file < 0) return errno;
  int failure = read_all(file, others, limit, data, size);
  close(file);
  return failure;
}

const char *sys_environment(const char *name) { return secure_getenv(name); }

static int write_all(int file, const char *data, size_t size) {
  while (size > 0) {
    ssize_t put = write(file, data, size);
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return errno;
    data += put;
    size -= (size_t)put;
  }
  return fsync(file) == 0 ? 0 : errno;
}

int sys_file_replace(const char *path, const void *data, size_t size) {
  size_t length = strlen(path);
  char *temporary = malloc(length + 8);
  if (!temporary) return ENOMEM;
  memcpy(temporary, path, length);
  memcpy(temporary + length, ".XXXXXX", 8);
  int failure = 0, file = mkostemp(temporary, O_CLOEXEC);
  if (file < 0) {
    failure = errno;
  } else {
    failure = write_all(file, data, size);
    if (close(file) != 0 && !failure) failure = errno;
    if (!failure && rename(temporary, path) != 0) failure = errno;
    if (failure) unlink(temporary);
  }
  free(temporary);
  return failure;
}
