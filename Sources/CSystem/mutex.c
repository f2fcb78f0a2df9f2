#define _GNU_SOURCE
#include "csystem.h"

#include <stdatomic.h>
#include <time.h>

/* Every fork-safe mutex of the process, so that fork() can hold them all. */
static pthread_mutex_t registry = PTHREAD_MUTEX_INITIALIZER;
static sys_mutex *first;
static atomic_uint generation;
static bool hooked;

static sys_fork_gate *first_gate;

static void before_fork(void) {
  pthread_mutex_lock(&registry);
  /* Before the mutexes: whoever is inside may need some to get out. */
  for (sys_fork_gate *g = first_gate; g; g = g->next) {
    pthread_rwlock_wrlock(&g->lock);
    g->empty(g->context);
  }
  for (sys_mutex *m = first; m; m = m->next) pthread_mutex_lock(&m->mutex);
}

static void release_mutexes(void) {
  for (sys_mutex *m = first; m; m = m->next) pthread_mutex_unlock(&m->mutex);
  pthread_mutex_unlock(&registry);
}

static void in_parent(void) {
  for (sys_fork_gate *g = first_gate; g; g = g->next) pthread_rwlock_unlock(&g->lock);
  release_mutexes();
}

/* Locks are made from constants, which can't fail. Who waits is asked first, or
 * fork() might wait for ever where calls never pause. */
static const pthread_rwlock_t fresh_lock = PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP;
static const pthread_mutex_t fresh_mutex = PTHREAD_MUTEX_INITIALIZER;

static void in_child(void) {
  atomic_fetch_add(&generation, 1);
  /* Held by a thread of another number: it can't be unlocked here. Nobody is inside. */
  for (sys_fork_gate *g = first_gate; g; g = g->next) g->lock = fresh_lock;
  release_mutexes();
}

bool sys_forks_ready(void) {
  pthread_mutex_lock(&registry);
  /* Tried again after a failure, so no pthread_once. */
  if (!hooked) hooked = pthread_atfork(before_fork, in_parent, in_child) == 0;
  bool ready = hooked;
  pthread_mutex_unlock(&registry);
  return ready;
}

void sys_fork_gate_init(sys_fork_gate *gate, void (*empty)(void *context), void *context) {
  sys_forks_ready();
  gate->lock = fresh_lock;
  gate->empty = empty;
  gate->context = context;
  pthread_mutex_lock(&registry);
  gate->next = first_gate;
  gate->link = &first_gate;
  if (first_gate) first_gate->link = &gate->next;
  first_gate = gate;
  pthread_mutex_unlock(&registry);
}

void sys_fork_gate_destroy(sys_fork_gate *gate) {
  pthread_mutex_lock(&registry);
  *gate->link = gate->next;
  if (gate->next) gate->next->link = gate->link;
  pthread_mutex_unlock(&registry);
  pthread_rwlock_destroy(&gate->lock);
}

void sys_fork_gate_enter(sys_fork_gate *gate) { pthread_rwlock_rdlock(&gate->lock); }

void sys_fork_gate_leave(sys_fork_gate *gate) { pthread_rwlock_unlock(&gate->lock); }

void sys_mutex_init(sys_mutex *mutex) {
  sys_forks_ready();
  mutex->mutex = fresh_mutex;
  pthread_mutex_lock(&registry);
  mutex->next = first;
  mutex->link = &first;
  if (first) first->link = &mutex->next;
  first = mutex;
  pthread_mutex_unlock(&registry);
}

void sys_mutex_destroy(sys_mutex *mutex) {
  pthread_mutex_lock(&registry);
  *mutex->link = mutex->next;
  if (mutex->next) mutex->next->link = mutex->link;
  pthread_mutex_unlock(&registry);
  pthread_mutex_destroy(&mutex->mutex);
}

void sys_mutex_lock(sys_mutex *mutex) { pthread_mutex_lock(&mutex->mutex); }

/* By the clock that nobody sets. */
static struct timespec in_milliseconds(int milliseconds) {
  struct timespec until;
  clock_gettime(CLOCK_MONOTONIC, &until);
  until.tv_sec += milliseconds / 1000;
  until.tv_nsec += (long)(milliseconds % 1000) * 1000000;
  if (until.tv_nsec >= 1000000000) {
    until.tv_sec += 1;
    until.tv_nsec -= 1000000000;
  }
  return until;
}

bool sys_mutex_lock_within(sys_mutex *mutex, int milliseconds) {
  if (pthread_mutex_trylock(&mutex->mutex) == 0) return true;
  struct timespec until = in_milliseconds(milliseconds);
  return pthread_mutex_clocklock(&mutex->mutex, CLOCK_MONOTONIC, &until) == 0;
}

void sys_mutex_unlock(sys_mutex *mutex) { pthread_mutex_unlock(&mutex->mutex); }

unsigned int sys_fork_generation(void) { return atomic_load(&generation); }

/* sem_init refuses more than SEM_VALUE_MAX, which is INT_MAX, and nothing else. */
void sys_gate_init(sys_gate *gate, unsigned int places) { sem_init(&gate->places, 0, places); }

void sys_gate_destroy(sys_gate *gate) { sem_destroy(&gate->places); }

bool sys_gate_enter_within(sys_gate *gate, int milliseconds) {
  if (sem_trywait(&gate->places) == 0) return true;
  struct timespec until = in_milliseconds(milliseconds);
  while (sem_clockwait(&gate->places, CLOCK_MONOTONIC, &until) != 0)
    if (errno != EINTR) return false;
  return true;
}

void sys_gate_leave(sys_gate *gate) { sem_post(&gate->places); }

uintptr_t sys_thread(void) { return (uintptr_t)pthread_self(); }

int sys_cancelling_off(void) {
  int before = PTHREAD_CANCEL_ENABLE;
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
  return before;
}

void sys_cancelling_restore(int before) { pthread_setcancelstate(before, &before); }
