/* Requests as coroutines; and time and chance, which libtuile gets from here:
 * this program's functions stand before libc's of the same names. */
#define _GNU_SOURCE
#include "model.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <sys/mman.h>
#include <time.h>
#include <ucontext.h>

enum { stack_size = 512 << 10 };

static struct coroutine {
  ucontext_t context;
  void *stack;
  void (*body)(int);
  bool ended, abandoned;
  enum fault fault;
  struct op op;
  uint64_t history, random;
} coroutines[most_requests];
static ucontext_t scheduler;
static uint64_t outside_random;

int current = outside;
int probing_process;
int64_t world_time, skew[most_processes];

uint64_t mix(uint64_t hash, uint64_t value) {
  hash = (hash ^ value) * UINT64_C(0x9E3779B97F4A7C15);
  hash ^= hash >> 32;
  return hash * UINT64_C(0xD6E8FEB86659FD93) ^ hash >> 29;
}

uint64_t mix_bytes(uint64_t hash, const void *data, size_t size) {
  const unsigned char *bytes = data;
  hash = mix(hash, size);
  for (; size >= 8; size -= 8, bytes += 8) {
    uint64_t word;
    memcpy(&word, bytes, 8);
    hash = mix(hash, word);
  }
  uint64_t rest = 0;
  if (size) memcpy(&rest, bytes, size);
  return mix(hash, rest);
}

void coroutines_reset(void) {
  for (int i = 0; i < most_requests; i++) {
    struct coroutine *c = &coroutines[i];
    c->ended = true, c->abandoned = false;
    c->history = mix(7, (uint64_t)i), c->random = mix(11, (uint64_t)i);
  }
  current = outside;
  outside_random = 13;
}

static void run(int i) {
  coroutines[i].body(i);
  coroutines[i].ended = true;
}

void coroutine_start(int i, void (*body)(int)) {
  struct coroutine *c = &coroutines[i];
  if (!c->stack) {
    c->stack = mmap(NULL, stack_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
    CHECK(c->stack != MAP_FAILED);
  }
  c->body = body, c->ended = false, c->fault = fault_none;
  c->op = (struct op){.kind = op_begin};
  CHECK(getcontext(&c->context) == 0);
  c->context.uc_stack.ss_sp = c->stack, c->context.uc_stack.ss_size = stack_size;
  c->context.uc_link = &scheduler;
  makecontext(&c->context, (void (*)(void))run, 1, i);
}

void coroutine_resume(int i, enum fault fault) {
  coroutines[i].fault = fault;
  current = i;
  CHECK(swapcontext(&scheduler, &coroutines[i].context) == 0);
  current = outside;
}

enum fault coroutine_wait(const struct op *op) {
  struct coroutine *c = &coroutines[current];
  if (c->abandoned) return fault_crash;
  c->op = *op;
  CHECK(swapcontext(&c->context, &scheduler) == 0);
  return c->abandoned ? fault_crash : c->fault;
}

bool waits_in_vain(int i) {
  int value = 0;
  const struct op *op = &coroutines[i].op;
  return op->kind == op_wait && sem_getvalue(op->semaphore, &value) == 0 && value == 0;
}

bool coroutine_ended(int i) { return coroutines[i].ended; }
const struct op *waiting_for(int i) { return &coroutines[i].op; }
void abandon(int i) { coroutines[i].abandoned = true; }
bool is_abandoned(int i) { return coroutines[i].abandoned; }
uint64_t history_of(int i) { return coroutines[i].history; }

void observe(uint64_t value) {
  if (current != outside) coroutines[current].history = mix(coroutines[current].history, value);
}

static int process_of(int i) { return i == outside ? probing_process : scenario ? scenario->requests[i].process : 0; }

int64_t process_time(void *process) {
  (void)process;
  int64_t time = world_time + skew[process_of(current)];
  observe((uint64_t)time);
  return time;
}

#define INSTEAD __attribute__((visibility("default")))

INSTEAD int clock_gettime(clockid_t clock, struct timespec *time) {
  bool monotonic = clock == CLOCK_MONOTONIC || clock == CLOCK_MONOTONIC_COARSE;
  int64_t now = monotonic ? world_time : process_time(NULL);
  observe((uint64_t)now);
  time->tv_sec = now / 1000000, time->tv_nsec = now % 1000000 * 1000;
  return 0;
}

/* Each request has numbers of its own, so that what it does depends on what it has seen alone. */
INSTEAD ssize_t getrandom(void *data, size_t size, unsigned int flags) {
  (void)flags;
  uint64_t *state = current == outside ? &outside_random : &coroutines[current].random;
  for (size_t i = 0; i < size; i++) {
    *state = *state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    ((unsigned char *)data)[i] = (unsigned char)(*state >> 33);
  }
  return (ssize_t)size;
}

/* Waiting is nothing: the others run when the explorer wants them to. */
INSTEAD int nanosleep(const struct timespec *time, struct timespec *left) {
  (void)time, (void)left;
  return 0;
}

/* Requests are threads of their own, as the library sees it. */
INSTEAD pthread_t pthread_self(void) { return (pthread_t)(current + 1); }

/* A place in line: the others go on, until one of them calls. */
INSTEAD int sem_clockwait(sem_t *semaphore, clockid_t clock, const struct timespec *until) {
  (void)clock, (void)until;
  if (current != outside) {
    struct coroutine *c = &coroutines[current];
    c->op = (struct op){.kind = op_wait, .semaphore = semaphore};
    CHECK(swapcontext(&c->context, &scheduler) == 0);
    if (c->fault == fault_impatient && !c->abandoned) {
      world_time += 1000000;
      trace("%-18s waits in line for a second", request_name(current));
    }
    bool called = sem_trywait(semaphore) == 0;
    observe(called ? 17 : 18);
    if (called) return 0;
  }
  errno = ETIMEDOUT;
  return -1;
}
