#include "csockets.h"

#include <errno.h>
#include <poll.h>
#include <time.h>

int64_t cs_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

cs_result cs_wait(int descriptor, short events, int64_t deadline) {
  struct pollfd ready = {descriptor, events, 0};
  for (;;) {
    int64_t left = deadline - cs_now();
    int found = poll(&ready, 1, left > 0 ? (int)left : 0);
    if (found > 0) return CS_OK;
    if (found == 0) return CS_TIMED_OUT;
    if (errno != EINTR) return CS_CLOSED;
  }
}
