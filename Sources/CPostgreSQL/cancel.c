/* Commands that were given up: the server is asked to end them, or a connection that is
 * closed on this side would live on over there for as long as the command does. */
#define _GNU_SOURCE
#include "private.h"

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

enum { most_cancels = 16 };

/* Of this process: the threads of a parent are not in a child of fork(). */
static atomic_int running, owner;

/* libpq's own call for it, which waits for the server. */
static void *cancel(void *context) {
  char message[256];
  PQcancel(context, message, sizeof message);
  PQfreeCancel(context);
  atomic_fetch_sub(&running, 1);
  return NULL;
}

static bool start(PGcancel *request) {
  pthread_t thread;
  pthread_attr_t detached;
  sigset_t all, before;
  /* The host's signals are for the host's threads. */
  sigfillset(&all);
  if (pthread_attr_init(&detached) != 0) return false;
  pthread_attr_setdetachstate(&detached, PTHREAD_CREATE_DETACHED);
  pthread_sigmask(SIG_SETMASK, &all, &before);
  bool started = pthread_create(&thread, &detached, cancel, request) == 0;
  pthread_sigmask(SIG_SETMASK, &before, NULL);
  pthread_attr_destroy(&detached);
  return started;
}

/* A host that is gone answers nothing, ever: the system gives it up in half a minute. */
static void notice_a_dead_host(int socket) {
  int one = 1, idle = 10, between = 5, times = 4, milliseconds = 30000;
  setsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
  setsockopt(socket, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
  setsockopt(socket, IPPROTO_TCP, TCP_KEEPINTVL, &between, sizeof between);
  setsockopt(socket, IPPROTO_TCP, TCP_KEEPCNT, &times, sizeof times);
  setsockopt(socket, IPPROTO_TCP, TCP_USER_TIMEOUT, &milliseconds, sizeof milliseconds);
}

void pg_link_cancel(pg_link *link) {
  notice_a_dead_host(PQsocket(link->connection));
  if (atomic_exchange(&owner, getpid()) != getpid()) atomic_store(&running, 0);
  /* More: the server does not answer, and those that wait for it are enough. */
  if (atomic_fetch_add(&running, 1) >= most_cancels) {
    atomic_fetch_sub(&running, 1);
    return;
  }
  PGcancel *request = PQgetCancel(link->connection);
  if (request && start(request)) return;
  if (request) PQfreeCancel(request);
  atomic_fetch_sub(&running, 1);
}

bool pg_link_is_settled(pg_link *link) {
  for (;;) {
    if (PQsocket(link->connection) < 0 || PQflush(link->connection) < 0 || !PQconsumeInput(link->connection)) return true;
    if (PQisBusy(link->connection)) return false;
    PGresult *next = PQgetResult(link->connection);
    if (!next) {
      link->busy = false;
      return true;
    }
    ExecStatusType status = PQresultStatus(next);
    PQclear(next);
    if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH) return true;
  }
}
