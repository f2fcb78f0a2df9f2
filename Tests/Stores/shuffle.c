/* LD_PRELOAD=libshuffle.so: now and then a thread stops for a moment around a lock,
 * so that threads meet in orders that an idle machine never shows.
 *   SHUFFLE=SEED  other pauses for another number */
#define _GNU_SOURCE
#include <dlfcn.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdlib.h>
#include <time.h>

/* Of each thread its own numbers: what is shared would order the threads. */
static _Thread_local uint64_t state;
static atomic_uint_fast64_t threads;

static uint64_t draw(void) {
  if (state == 0) {
    const char *seed = getenv("SHUFFLE");
    state = ((seed ? strtoull(seed, NULL, 10) : 1) << 16) + atomic_fetch_add(&threads, 1) + 1;
  }
  state += 0x9E3779B97F4A7C15u; /* splitmix64 */
  uint64_t x = state;
  x = (x ^ x >> 30) * 0xBF58476D1CE4E5B9u;
  x = (x ^ x >> 27) * 0x94D049BB133111EBu;
  return x ^ x >> 31;
}

static void pause_sometimes(void) {
  uint64_t number = draw();
  if (number % 8 == 0) {
    sched_yield();
  } else if (number % 64 == 1) {
    struct timespec moment = {0, (long)(number >> 8) % 200000};
    nanosleep(&moment, NULL);
  }
}

/* The next library's function of that name, called between two pauses. */
#define SHUFFLED(name, type)                                         \
  int name(type *lock) {                                             \
    static int (*_Atomic real)(type *);                              \
    int (*next)(type *) = atomic_load(&real);                        \
    if (!next) {                                                     \
      *(void **)&next = dlsym(RTLD_NEXT, #name);                     \
      atomic_store(&real, next);                                     \
    }                                                                \
    pause_sometimes();                                               \
    int result = next(lock);                                         \
    pause_sometimes();                                               \
    return result;                                                   \
  }

SHUFFLED(pthread_mutex_lock, pthread_mutex_t)
SHUFFLED(pthread_mutex_trylock, pthread_mutex_t)
SHUFFLED(pthread_mutex_unlock, pthread_mutex_t)
SHUFFLED(pthread_rwlock_rdlock, pthread_rwlock_t)
SHUFFLED(pthread_rwlock_wrlock, pthread_rwlock_t)
SHUFFLED(pthread_rwlock_unlock, pthread_rwlock_t)
