#ifndef TUILE_LOCKS_H
#define TUILE_LOCKS_H

#include "csystem.h"

#include <time.h>

/* What mutex.c builds on: a lock, a lock that many share or one has alone, and a number of places. Each is made
 * from a constant, which can't fail, so that a child of fork() makes it anew. Waiting ends at a time of
 * CLOCK_MONOTONIC, or never where `until` is NULL. */

#if TUILE_FUTEX_LOCKS

#include <limits.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#define LOCK_FRESH {0}
#define SHARED_LOCK_FRESH {0, 0}

/* Sleeps while the word has that value; false where the time is over. The system call's struct has longs, whatever
 * time_t is. */
static inline bool futex_wait(uint32_t *word, uint32_t value, const struct timespec *until) {
  struct { long seconds, nanoseconds; } at;
  if (until) at.seconds = (long)until->tv_sec, at.nanoseconds = (long)until->tv_nsec;
  int before = errno;
  bool over = syscall(SYS_futex, word, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, value, until ? &at : NULL, NULL,
                      FUTEX_BITSET_MATCH_ANY) != 0 && errno == ETIMEDOUT;
  errno = before;
  return !over;
}

/* The word may be gone: what it is does not matter here. */
static inline void futex_wake(uint32_t *word, int count) {
  int before = errno;
  syscall(SYS_futex, word, FUTEX_WAKE | FUTEX_PRIVATE_FLAG, count, NULL, NULL, 0);
  errno = before;
}

/* 0: free; 1: taken; 2: taken, and somebody may be waiting. */
static inline bool lock_try(sys_lock *lock) {
  uint32_t unlocked = 0;
  return __atomic_compare_exchange_n(&lock->state, &unlocked, 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

static inline bool lock_take(sys_lock *lock, const struct timespec *until) {
  if (lock_try(lock)) return true;
  while (__atomic_exchange_n(&lock->state, 2, __ATOMIC_ACQUIRE) != 0)
    if (!futex_wait(&lock->state, 2, until)) return false;
  return true;
}

static inline void lock_give(sys_lock *lock) {
  if (__atomic_exchange_n(&lock->state, 0, __ATOMIC_RELEASE) == 2) futex_wake(&lock->state, 1);
}

static inline void lock_end(sys_lock *lock) { (void)lock; }

static inline void shared_leave(sys_shared_lock *lock) {
  if (__atomic_sub_fetch(&lock->inside, 1, __ATOMIC_SEQ_CST) == 0 && __atomic_load_n(&lock->closed, __ATOMIC_SEQ_CST))
    futex_wake(&lock->inside, 1);
}

/* Who comes while it is closed goes back at once, so that who asked for it alone does not wait for ever. */
static inline void shared_enter(sys_shared_lock *lock) {
  for (;;) {
    while (__atomic_load_n(&lock->closed, __ATOMIC_SEQ_CST)) futex_wait(&lock->closed, 1, NULL);
    __atomic_add_fetch(&lock->inside, 1, __ATOMIC_SEQ_CST);
    if (!__atomic_load_n(&lock->closed, __ATOMIC_SEQ_CST)) return;
    shared_leave(lock);
  }
}

/* Called by one thread at a time. */
static inline void shared_close(sys_shared_lock *lock) {
  __atomic_store_n(&lock->closed, 1, __ATOMIC_SEQ_CST);
  for (uint32_t inside; (inside = __atomic_load_n(&lock->inside, __ATOMIC_SEQ_CST)) != 0;) futex_wait(&lock->inside, inside, NULL);
}

static inline void shared_open(sys_shared_lock *lock) {
  __atomic_store_n(&lock->closed, 0, __ATOMIC_SEQ_CST);
  futex_wake(&lock->closed, INT_MAX);
}

static inline void shared_end(sys_shared_lock *lock) { (void)lock; }

static inline void places_make(sys_places *places, uint32_t count) { *places = (sys_places){count, 0}; }

static inline bool places_try(sys_places *places) {
  uint32_t free = __atomic_load_n(&places->free, __ATOMIC_RELAXED);
  while (free > 0)
    if (__atomic_compare_exchange_n(&places->free, &free, free - 1, false, __ATOMIC_ACQUIRE, __ATOMIC_RELAXED)) return true;
  return false;
}

static inline bool places_take(sys_places *places, const struct timespec *until) {
  while (!places_try(places)) {
    __atomic_add_fetch(&places->waiting, 1, __ATOMIC_SEQ_CST);
    bool in_time = futex_wait(&places->free, 0, until);
    __atomic_sub_fetch(&places->waiting, 1, __ATOMIC_SEQ_CST);
    /* One that was given meanwhile woke this thread and nobody else. */
    if (!in_time) return places_try(places);
  }
  return true;
}

static inline void places_give(sys_places *places) {
  __atomic_add_fetch(&places->free, 1, __ATOMIC_SEQ_CST);
  if (__atomic_load_n(&places->waiting, __ATOMIC_SEQ_CST)) futex_wake(&places->free, 1);
}

static inline void places_end(sys_places *places) { (void)places; }

#else

#define LOCK_FRESH PTHREAD_MUTEX_INITIALIZER
/* Who waits is asked first, or fork() might wait for ever where calls never pause. */
#define SHARED_LOCK_FRESH PTHREAD_RWLOCK_WRITER_NONRECURSIVE_INITIALIZER_NP

static inline bool lock_try(sys_lock *lock) { return pthread_mutex_trylock(lock) == 0; }
static inline bool lock_take(sys_lock *lock, const struct timespec *until) {
  return (until ? pthread_mutex_clocklock(lock, CLOCK_MONOTONIC, until) : pthread_mutex_lock(lock)) == 0;
}
static inline void lock_give(sys_lock *lock) { pthread_mutex_unlock(lock); }
static inline void lock_end(sys_lock *lock) { pthread_mutex_destroy(lock); }

static inline void shared_enter(sys_shared_lock *lock) { pthread_rwlock_rdlock(lock); }
static inline void shared_leave(sys_shared_lock *lock) { pthread_rwlock_unlock(lock); }
static inline void shared_close(sys_shared_lock *lock) { pthread_rwlock_wrlock(lock); }
static inline void shared_open(sys_shared_lock *lock) { pthread_rwlock_unlock(lock); }
static inline void shared_end(sys_shared_lock *lock) { pthread_rwlock_destroy(lock); }

/* sem_init refuses more than SEM_VALUE_MAX, which is INT_MAX, and nothing else. */
static inline void places_make(sys_places *places, unsigned int count) { sem_init(places, 0, count); }
static inline bool places_try(sys_places *places) { return sem_trywait(places) == 0; }
static inline bool places_take(sys_places *places, const struct timespec *until) {
  while (sem_clockwait(places, CLOCK_MONOTONIC, until) != 0)
    if (errno != EINTR) return false;
  return true;
}
static inline void places_give(sys_places *places) { sem_post(places); }
static inline void places_end(sys_places *places) { sem_destroy(places); }

#endif
#endif
