#define _GNU_SOURCE
#include "locks.h"

#include <stdatomic.h>

/* Every fork-safe mutex of the process, so that fork() can hold them all. */
static sys_lock registry = LOCK_FRESH;
static sys_mutex *first;
static atomic_uint generation;
static bool hooked;

static sys_fork_gate *first_gate;

static void before_fork(void) {
  lock_take(&registry, NULL);
  /* Before the mutexes: whoever is inside may need some to get out. */
  for (sys_fork_gate *g = first_gate; g; g = g->next) {
    shared_close(&g->lock);
    g->empty(g->context);
  }
  for (sys_mutex *m = first; m; m = m->next) lock_take(&m->lock, NULL);
}

static void release_mutexes(void) {
  for (sys_mutex *m = first; m; m = m->next) lock_give(&m->lock);
  lock_give(&registry);
}

static void in_parent(void) {
  for (sys_fork_gate *g = first_gate; g; g = g->next) shared_open(&g->lock);
  release_mutexes();
}

static const sys_shared_lock fresh_gate = SHARED_LOCK_FRESH;
static const sys_lock fresh_lock = LOCK_FRESH;

static void in_child(void) {
  atomic_fetch_add(&generation, 1);
  /* Held by a thread of another number: it can't be unlocked here. Nobody is inside. */
  for (sys_fork_gate *g = first_gate; g; g = g->next) g->lock = fresh_gate;
  release_mutexes();
}

bool sys_forks_ready(void) {
  lock_take(&registry, NULL);
  /* Tried again after a failure, so no pthread_once. */
  if (!hooked) hooked = pthread_atfork(before_fork, in_parent, in_child) == 0;
  bool ready = hooked;
  lock_give(&registry);
  return ready;
}

void sys_fork_gate_init(sys_fork_gate *gate, void (*empty)(void *context), void *context) {
  sys_forks_ready();
  gate->lock = fresh_gate;
  gate->empty = empty;
  gate->context = context;
  lock_take(&registry, NULL);
  gate->next = first_gate;
  gate->link = &first_gate;
  if (first_gate) first_gate->link = &gate->next;
  first_gate = gate;
  lock_give(&registry);
}

void sys_fork_gate_destroy(sys_fork_gate *gate) {
  lock_take(&registry, NULL);
  *gate->link = gate->next;
  if (gate->next) gate->next->link = gate->link;
  lock_give(&registry);
  shared_end(&gate->lock);
}

void sys_fork_gate_enter(sys_fork_gate *gate) { shared_enter(&gate->lock); }

void sys_fork_gate_leave(sys_fork_gate *gate) { shared_leave(&gate->lock); }

void sys_mutex_init(sys_mutex *mutex) {
  sys_forks_ready();
  mutex->lock = fresh_lock;
  lock_take(&registry, NULL);
  mutex->next = first;
  mutex->link = &first;
  if (first) first->link = &mutex->next;
  first = mutex;
  lock_give(&registry);
}

void sys_mutex_destroy(sys_mutex *mutex) {
  lock_take(&registry, NULL);
  *mutex->link = mutex->next;
  if (mutex->next) mutex->next->link = mutex->link;
  lock_give(&registry);
  lock_end(&mutex->lock);
}

void sys_mutex_lock(sys_mutex *mutex) { lock_take(&mutex->lock, NULL); }

struct timespec sys_in_milliseconds(int milliseconds) {
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
  if (lock_try(&mutex->lock)) return true;
  struct timespec until = sys_in_milliseconds(milliseconds);
  return lock_take(&mutex->lock, &until);
}

void sys_mutex_unlock(sys_mutex *mutex) { lock_give(&mutex->lock); }

unsigned int sys_fork_generation(void) { return atomic_load(&generation); }

void sys_gate_init(sys_gate *gate, unsigned int places) { places_make(&gate->places, places); }

void sys_gate_destroy(sys_gate *gate) { places_end(&gate->places); }

bool sys_gate_enter_within(sys_gate *gate, int milliseconds) {
  if (places_try(&gate->places)) return true;
  struct timespec until = sys_in_milliseconds(milliseconds);
  return places_take(&gate->places, &until);
}

void sys_gate_leave(sys_gate *gate) { places_give(&gate->places); }

uintptr_t sys_thread(void) { return (uintptr_t)pthread_self(); }

int sys_cancelling_off(void) {
  int before = PTHREAD_CANCEL_ENABLE;
  pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
  return before;
}

void sys_cancelling_restore(int before) { pthread_setcancelstate(before, &before); }
