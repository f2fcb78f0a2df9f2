/* Locks keep others out, give up at their time and not before, cost a waiting thread nothing, and are free in the
 * child of a fork() that comes at any moment. Threads have the smallest stack that a system gives. */
#define _GNU_SOURCE
#include "csystem.h"

#include "check.h"

#include <limits.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { workers = 4, rounds = 20000, forks = 200 };

static sys_mutex outer, inner;
static sys_gate places;
static sys_fork_gate calls;
static long guarded, both;
static atomic_int inside, most, in_calls, emptied_inside;
static atomic_bool stop;

static pthread_t start(void *(*run)(void *), void *argument) {
  pthread_attr_t attributes;
  pthread_t thread;
  size_t smallest = (size_t)PTHREAD_STACK_MIN;
#ifdef SANITIZED
  smallest = 1 << 20;
#endif
  CHECK(pthread_attr_init(&attributes) == 0);
  CHECK(pthread_attr_setstacksize(&attributes, smallest) == 0);
  CHECK(pthread_create(&thread, &attributes, run, argument) == 0);
  pthread_attr_destroy(&attributes);
  return thread;
}

static long long clock_of(clockid_t clock) {
  struct timespec now;
  clock_gettime(clock, &now);
  return now.tv_sec * 1000000000LL + now.tv_nsec;
}

static void *adds(void *unused) {
  for (int i = 0; i < rounds; i++) {
    if (i % 2) {
      sys_mutex_lock(&outer);
    } else {
      while (!sys_mutex_lock_within(&outer, 50)) continue;
    }
    guarded++;
    sys_mutex_unlock(&outer);
  }
  return unused;
}

static void *enters(void *unused) {
  for (int i = 0; i < rounds / 10; i++) {
    while (!sys_gate_enter_within(&places, 50)) continue;
    int now = atomic_fetch_add(&inside, 1) + 1;
    for (int seen = atomic_load(&most); now > seen && !atomic_compare_exchange_weak(&most, &seen, now);) continue;
    if (i % 64 == 0) nanosleep(&(struct timespec){0, 10000}, NULL);
    atomic_fetch_sub(&inside, 1);
    sys_gate_leave(&places);
  }
  return unused;
}

/* What a waiting thread gets, how long it waited, and what that cost. */
typedef struct { bool got; long long waited, cost; int milliseconds; } waiting;

static void *waits(void *of) {
  waiting *waited = of;
  long long began = clock_of(CLOCK_MONOTONIC), cost = clock_of(CLOCK_THREAD_CPUTIME_ID);
  waited->got = sys_mutex_lock_within(&outer, waited->milliseconds);
  waited->waited = clock_of(CLOCK_MONOTONIC) - began;
  waited->cost = clock_of(CLOCK_THREAD_CPUTIME_ID) - cost;
  if (waited->got) sys_mutex_unlock(&outer);
  return NULL;
}

static void *waits_for_a_place(void *of) {
  waiting *waited = of;
  long long began = clock_of(CLOCK_MONOTONIC), cost = clock_of(CLOCK_THREAD_CPUTIME_ID);
  waited->got = sys_gate_enter_within(&places, waited->milliseconds);
  waited->waited = clock_of(CLOCK_MONOTONIC) - began;
  waited->cost = clock_of(CLOCK_THREAD_CPUTIME_ID) - cost;
  if (waited->got) sys_gate_leave(&places);
  return NULL;
}

static void *calls_all_the_time(void *unused) {
  while (!atomic_load(&stop)) {
    sys_fork_gate_enter(&calls);
    atomic_fetch_add(&in_calls, 1);
    sys_mutex_lock(&inner);
    sys_mutex_lock(&outer);
    both++;
    sys_mutex_unlock(&outer);
    both++;
    sys_mutex_unlock(&inner);
    atomic_fetch_sub(&in_calls, 1);
    sys_fork_gate_leave(&calls);
  }
  return unused;
}

static void empty(void *context) {
  CHECK(context == &calls);
  if (atomic_load(&in_calls) != 0) atomic_fetch_add(&emptied_inside, 1);
}

static void together(void *(*run)(void *)) {
  pthread_t threads[workers];
  for (int i = 0; i < workers; i++) threads[i] = start(run, NULL);
  for (int i = 0; i < workers; i++) CHECK(pthread_join(threads[i], NULL) == 0);
}

int main(void) {
  alarm(110); /* what hangs ends */
  CHECK(sys_forks_ready());
  sys_mutex_init(&outer); /* older, so that it may be taken while the other is held */
  sys_mutex_init(&inner);
  sys_gate_init(&places, 2);
  sys_fork_gate_init(&calls, empty, &calls);

  together(adds);
  CHECK(guarded == (long)workers * rounds);
  together(enters);
  CHECK(atomic_load(&most) == 2);
  CHECK(atomic_load(&inside) == 0);

  /* Nobody gives it: the time is waited, not less, and it costs next to nothing. */
  waiting waited = {.milliseconds = 200}, place = {.milliseconds = 200};
  sys_mutex_lock(&outer);
  CHECK(sys_gate_enter_within(&places, 0));
  CHECK(sys_gate_enter_within(&places, 0));
  CHECK(!sys_mutex_lock_within(&outer, 0));
  CHECK(!sys_gate_enter_within(&places, 0));
  pthread_t first = start(waits, &waited), second = start(waits_for_a_place, &place);
  pthread_join(first, NULL);
  pthread_join(second, NULL);
  CHECK(!waited.got);
  CHECK(waited.waited >= 200000000);
  CHECK(waited.cost < 50000000);
  CHECK(!place.got);
  CHECK(place.waited >= 200000000);
  CHECK(place.cost < 50000000);
  /* Somebody does: who waits has it, long before its time. */
  waited = place = (waiting){.milliseconds = 100000};
  first = start(waits, &waited), second = start(waits_for_a_place, &place);
  nanosleep(&(struct timespec){0, 20000000}, NULL);
  sys_mutex_unlock(&outer);
  sys_gate_leave(&places);
  pthread_join(first, NULL);
  pthread_join(second, NULL);
  sys_gate_leave(&places);
  CHECK(waited.got);
  CHECK(place.got);
  CHECK(waited.waited < 90000000000);
  CHECK(place.waited < 90000000000);

#ifndef SANITIZED
  /* fork() while threads are inside: the child has all of it, in one piece and free. */
  pthread_t threads[workers];
  unsigned int generation = sys_fork_generation();
  for (int i = 0; i < workers; i++) threads[i] = start(calls_all_the_time, NULL);
  for (int i = 0; i < forks; i++) {
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
      alarm(60);
      sys_fork_gate_enter(&calls);
      sys_mutex_lock(&inner);
      CHECK(both % 2 == 0);
      CHECK(sys_mutex_lock_within(&outer, 0));
      sys_mutex_unlock(&outer);
      sys_mutex_unlock(&inner);
      sys_fork_gate_leave(&calls);
      _exit(sys_fork_generation() == generation + 1 ? 0 : 1);
    }
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(status == 0);
  }
  atomic_store(&stop, true);
  for (int i = 0; i < workers; i++) pthread_join(threads[i], NULL);
  CHECK(atomic_load(&emptied_inside) == 0);
  CHECK(both > 0);
#endif
  sys_fork_gate_destroy(&calls);
  sys_gate_destroy(&places);
  sys_mutex_destroy(&inner);
  sys_mutex_destroy(&outer);
  puts("locks hold");
  return 0;
}
