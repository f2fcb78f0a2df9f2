#define _GNU_SOURCE
#include "csockets.h"

#include <errno.h>
#include <netdb.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { most_lookups = 16 };

/* One name being looked up by a thread of its own; whoever is last frees it. */
struct lookup {
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  bool done, left;
  struct addrinfo *found;
  char port[8];
  char host[];
};

/* Of this process: the threads of a parent are not in a child of fork(). */
static atomic_int running, owner;

static const struct addrinfo hints = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM};

static void discard(struct lookup *lookup) {
  if (lookup->found) freeaddrinfo(lookup->found);
  pthread_cond_destroy(&lookup->changed);
  pthread_mutex_destroy(&lookup->mutex);
  free(lookup);
}

static void *look_up(void *context) {
  struct lookup *lookup = context;
  struct addrinfo *found = NULL;
  if (getaddrinfo(lookup->host, lookup->port, &hints, &found) != 0) found = NULL;
  pthread_mutex_lock(&lookup->mutex);
  lookup->found = found;
  lookup->done = true;
  bool left = lookup->left;
  pthread_cond_signal(&lookup->changed);
  pthread_mutex_unlock(&lookup->mutex);
  if (left) discard(lookup);
  atomic_fetch_sub(&running, 1);
  return NULL;
}

static bool start(struct lookup *lookup) {
  pthread_t thread;
  pthread_attr_t detached;
  sigset_t all, before;
  /* The host's signals are for the host's threads. */
  sigfillset(&all);
  if (pthread_attr_init(&detached) != 0) return false;
  pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  bool started = pthread_create(&thread, &detached, look_up, lookup) == 0;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&detached);
  return started;
}

static struct lookup *make(const char *host, const char *port) {
  size_t size = strlen(host) + 1;
  struct lookup *lookup = calloc(1, sizeof *lookup + size);
  if (!lookup) return NULL;
  memcpy(lookup->host, host, size);
  memcpy(lookup->port, port, sizeof lookup->port);
  pthread_condattr_t monotonic;
  pthread_condattr_init(&monotonic);
  pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
  pthread_mutex_init(&lookup->mutex, NULL);
  pthread_cond_init(&lookup->changed, &monotonic);
  pthread_condattr_destroy(&monotonic);
  return lookup;
}

static cs_result wait_for(struct lookup *lookup, int64_t deadline, struct addrinfo **out) {
  struct timespec until = {deadline / 1000, (long)(deadline % 1000) * 1000000};
  pthread_mutex_lock(&lookup->mutex);
  while (!lookup->done && pthread_cond_timedwait(&lookup->changed, &lookup->mutex, &until) != ETIMEDOUT) continue;
  bool done = lookup->done;
  lookup->left = !done;
  *out = lookup->found;
  lookup->found = NULL;
  pthread_mutex_unlock(&lookup->mutex);
  if (done) discard(lookup);
  return !done ? CS_TIMED_OUT : *out ? CS_OK : CS_CLOSED;
}

cs_result cs_resolve(const char *host, int port, int64_t deadline, struct addrinfo **out) {
  char digits[8];
  snprintf(digits, sizeof digits, "%d", port);
  struct addrinfo numeric = hints;
  numeric.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV;
  if (getaddrinfo(host, digits, &numeric, out) == 0) return CS_OK;
  if (atomic_exchange(&owner, getpid()) != getpid()) atomic_store(&running, 0);
  /* More: the resolver hangs, and the threads that wait for it are enough. */
  if (atomic_fetch_add(&running, 1) >= most_lookups) return atomic_fetch_sub(&running, 1), CS_TIMED_OUT;
  struct lookup *lookup = make(host, digits);
  if (lookup && start(lookup)) return wait_for(lookup, deadline, out);
  if (lookup) discard(lookup);
  atomic_fetch_sub(&running, 1);
  return CS_MEMORY;
}
