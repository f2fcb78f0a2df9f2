#define _GNU_SOURCE
#include "csystem.h"

#include <time.h>

struct sys_timer {
  pthread_t thread;
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  unsigned int seconds;
  unsigned int generation;
  bool stopping;
  bool alone; /* stopped by its own tick: nobody waits for the thread */
  void (*tick)(void *);
  void *context;
};

/* When the next tick is due: not at one moment in all processes of a host. */
static struct timespec due(unsigned int seconds) {
  struct timespec at;
  uint32_t spread = 0;
  sys_random(&spread, sizeof spread);
  uint64_t milliseconds = (uint64_t)seconds * 900 + spread % ((uint64_t)seconds * 200 + 1);
  clock_gettime(CLOCK_MONOTONIC, &at);
  at.tv_sec += (time_t)(milliseconds / 1000);
  at.tv_nsec += (long)(milliseconds % 1000) * 1000000;
  if (at.tv_nsec >= 1000000000) {
    at.tv_sec += 1;
    at.tv_nsec -= 1000000000;
  }
  return at;
}

static void release(sys_timer *timer) {
  pthread_cond_destroy(&timer->changed);
  pthread_mutex_destroy(&timer->mutex);
  free(timer);
}

static void *run(void *context) {
  sys_timer *timer = context;
  pthread_mutex_lock(&timer->mutex);
  while (!timer->stopping) {
    struct timespec at = due(timer->seconds);
    int waited = 0;
    while (!timer->stopping && waited == 0) waited = pthread_cond_timedwait(&timer->changed, &timer->mutex, &at);
    if (timer->stopping) break;
    pthread_mutex_unlock(&timer->mutex);
    timer->tick(timer->context);
    pthread_mutex_lock(&timer->mutex);
  }
  bool alone = timer->alone;
  pthread_mutex_unlock(&timer->mutex);
  if (alone) release(timer);
  return NULL;
}

sys_timer *sys_timer_start(unsigned int seconds, void (*tick)(void *), void *context) {
  sys_timer *timer = malloc(sizeof *timer);
  if (!timer) return NULL;
  *timer = (sys_timer){.seconds = seconds, .generation = sys_fork_generation(), .tick = tick, .context = context};
  pthread_condattr_t clock;
  pthread_condattr_init(&clock);
  pthread_condattr_setclock(&clock, CLOCK_MONOTONIC);
  pthread_mutex_init(&timer->mutex, NULL);
  pthread_cond_init(&timer->changed, &clock);
  pthread_condattr_destroy(&clock);
  if (sys_thread_start(&timer->thread, NULL, run, timer)) return timer;
  release(timer);
  return NULL;
}

void sys_timer_stop(sys_timer *timer) {
  /* In a child the mutex may be held by a thread that is not there: left as it is. */
  if (timer->generation != sys_fork_generation()) return;
  pthread_t thread = timer->thread;
  bool alone = pthread_equal(thread, pthread_self());
  pthread_mutex_lock(&timer->mutex);
  timer->stopping = true;
  timer->alone = alone;
  pthread_cond_signal(&timer->changed);
  pthread_mutex_unlock(&timer->mutex);
  if (alone) {
    pthread_detach(thread);
    return;
  }
  pthread_join(thread, NULL);
  release(timer);
}
