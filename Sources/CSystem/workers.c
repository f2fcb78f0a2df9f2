#define _GNU_SOURCE
#include "csystem.h"

#include <signal.h>
#include <sys/eventfd.h>
#include <unistd.h>

bool sys_thread_start(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *context) {
  sigset_t all, before;
  sigfillset(&all);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  int failure = pthread_create(thread, attributes, run, context);
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  return failure == 0;
}

bool sys_worker_start(sys_worker *worker, void *(*run)(void *), void *context) {
  pthread_attr_t attributes;
  if (pthread_attr_init(&attributes) != 0) return false;
  /* A sanitizer's frames are larger. What is not touched takes no memory. */
  bool started = pthread_attr_setstacksize(&attributes, 512 << 10) == 0 &&
                 sys_thread_start(&worker->thread, &attributes, run, context);
  pthread_attr_destroy(&attributes);
  return started;
}

void sys_worker_join(const sys_worker *worker) {
  if (pthread_equal(worker->thread, pthread_self()))
    pthread_detach(worker->thread);
  else
    pthread_join(worker->thread, NULL);
}

int sys_event_make(void) {
  int event = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
  return event < 0 ? -errno : event;
}

void sys_event_set(int event) {
  int before = errno;
  uint64_t one = 1;
  /* It fails only where it is set as often as can be. */
  if (write(event, &one, sizeof one) < 0) errno = before;
}

void sys_event_clear(int event) {
  int before = errno;
  uint64_t count;
  if (read(event, &count, sizeof count) < 0) errno = before;
}
