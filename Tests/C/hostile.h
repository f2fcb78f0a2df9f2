/* What no caller should pass, and buffers that fault one byte further. */
#ifndef HOSTILE_H
#define HOSTILE_H
#define _GNU_SOURCE
#include "check.h"

#include <sys/mman.h>
#include <unistd.h>

#define nothing ((tuile_bytes){NULL, 0})
#define lie ((tuile_bytes){NULL, 5})
#define endless ((tuile_bytes){"x", SIZE_MAX})
#define huge ((tuile_bytes){"x", SIZE_MAX / 2})
static tuile_error error;

/* `size` bytes that end where reading and writing faults. */
static inline char *guarded(size_t size) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE), room = (size + page - 1) / page * page;
  char *start = mmap(NULL, room + page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(start != MAP_FAILED);
  CHECK(mprotect(start + room, page, PROT_NONE) == 0);
  memset(start, 'u', room);
  return start + room - size;
}

static inline bool untouched(const char *buffer, size_t size) {
  for (size_t i = 0; i < size; i++)
    if (buffer[i] != 'u') return false;
  return true;
}

#endif
