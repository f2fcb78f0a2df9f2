/* What the peers in C share. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define VALUE "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdef"
#define SET_COOKIE                                                                                                        \
  "sessionid=h0tG4VuXIPKJsHAI8079HAMOLtCtiGCL; Domain=example.com; expires=Thu, 26 Jun 2025 11:48:30 GMT; HttpOnly; " \
  "Max-Age=1209600; Partitioned; Path=/; SameSite=None; Secure"

#define MUST(condition)                                     \
  do {                                                      \
    if (!(condition)) {                                     \
      fprintf(stderr, "%s: not so: %s\n", PEER, #condition); \
      exit(1);                                              \
    }                                                       \
  } while (0)

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

/* A peer that measures on its own defines PEER_MEASURES. */
#ifndef PEER_MEASURES
static volatile size_t sink;

static double run(void (*call)(void), double at_least) {
  double start = now(), end;
  unsigned long times = 0;
  do {
    for (int i = 0; i < 64; i++) call();
    times += 64;
    end = now();
  } while (end - start < at_least);
  return (end - start) / (double)times;
}

/* Warms up, then takes the best of five runs. */
static void measure(const char *op, void (*call)(void)) {
  double best = 1e18;
  run(call, 1e8);
  for (int i = 0; i < 5; i++) {
    double again = run(call, 2e8);
    if (again < best) best = again;
  }
  printf("%s\t%s\t%.1f\n", PEER, op, best);
  fflush(stdout);
}
#endif
