#define _GNU_SOURCE
#include "private.h"

#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

int64_t pg_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int pg_wait(int fd, short events, int64_t until) {
  for (;;) {
    int64_t left = until - pg_now();
    if (left <= 0) return 0;
    struct pollfd one = {.fd = fd, .events = events};
    int found = poll(&one, 1, (int)left);
    /* What is wrong with a socket shows when it is read. */
    if (found > 0) return one.revents & POLLNVAL ? -1 : 1;
    if (found < 0 && errno != EINTR) return -1;
  }
}

static void say_nothing(void *context, const char *message) { (void)context, (void)message; }

/* The first line of what libpq says. */
static void explain(const PGconn *connection, char message[PG_MESSAGE]) {
  const char *text = connection ? PQerrorMessage(connection) : "memory ran out";
  size_t size = strcspn(text, "\n");
  if (size >= PG_MESSAGE) size = PG_MESSAGE - 1;
  memcpy(message, text, size);
  message[size] = 0;
}

/* Something on the way may forget a connection on which nothing is said: so something is,
 * and where nobody answers it breaks. What the URL, or libpq's environment, says of
 * keepalives counts for itself. */
static void keep_alive(const PGconn *connection) {
  int one = 1, idle = 60, between = 10, times = 6, said = 0, socket = PQsocket(connection);
  socklen_t size = sizeof said;
  if (getsockopt(socket, IPPROTO_TCP, TCP_KEEPIDLE, &said, &size) != 0 || said != 7200) return;
  if (getsockopt(socket, SOL_SOCKET, SO_KEEPALIVE, &one, &size) != 0 || !one) return;
  setsockopt(socket, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
  setsockopt(socket, IPPROTO_TCP, TCP_KEEPINTVL, &between, sizeof between);
  setsockopt(socket, IPPROTO_TCP, TCP_KEEPCNT, &times, sizeof times);
}

static pg_outcome finish_connecting(PGconn *connection, int64_t until) {
  PostgresPollingStatusType wanted = PGRES_POLLING_WRITING;
  while (wanted != PGRES_POLLING_OK) {
    if (wanted == PGRES_POLLING_FAILED) return PG_LOST;
    int ready = pg_wait(PQsocket(connection), wanted == PGRES_POLLING_READING ? POLLIN : POLLOUT, until);
    if (ready <= 0) return ready == 0 ? PG_TIMED_OUT : PG_LOST;
    wanted = PQconnectPoll(connection);
  }
  return PG_DONE;
}

static bool is_local(const PGconn *connection) {
  const char *host = PQhost(connection);
  return host && (host[0] == '/' || host[0] == '@');
}

pg_outcome pg_link_open(const pg_settings *settings, size_t server, int milliseconds, int locally, pg_link **link,
                        char message[PG_MESSAGE]) {
  const char *names[PG_MOST_SETTINGS], *values[PG_MOST_SETTINGS];
  char *copies[3] = {NULL, NULL, NULL};
  int64_t now = pg_now();
  pg_link *made = calloc(1, sizeof *made);
  if (!made) return PG_MEMORY;
  pg_settings_for(settings, server, names, values, copies);
  made->connection = PQconnectStartParams(names, values, 0);
  for (int i = 0; i < 3; i++) free(copies[i]);
  pg_outcome outcome = PG_MEMORY;
  if (made->connection) {
    PQsetNoticeProcessor(made->connection, say_nothing, NULL);
    outcome = PQstatus(made->connection) == CONNECTION_BAD
                  ? PG_LOST
                  : finish_connecting(made->connection, now + (is_local(made->connection) ? locally : milliseconds));
  }
  if (outcome == PG_DONE && PQsetnonblocking(made->connection, 1) == 0) {
    keep_alive(made->connection);
    *link = made;
    return PG_DONE;
  }
  explain(made->connection, message);
  pg_link_close(made);
  return outcome == PG_DONE ? PG_LOST : outcome;
}

void pg_link_close(pg_link *link) {
  if (!link) return;
  /* PQfinish would wait for a server that reads nothing. */
  if (link->busy) shutdown(PQsocket(link->connection), SHUT_RDWR);
  PQfinish(link->connection);
  free(link);
}

void pg_link_abandon(pg_link *link) {
  /* PQfinish talks to the server, even through TLS: it finds this in place of
   * the socket, whose number no other thread can get meanwhile. */
  int nowhere = open("/dev/null", O_RDWR | O_CLOEXEC);
  if (nowhere < 0) {
    close(PQsocket(link->connection));
    return; /* what it has in memory is lost */
  }
  dup3(nowhere, PQsocket(link->connection), O_CLOEXEC);
  close(nowhere);
  PQfinish(link->connection);
  free(link);
}

bool pg_link_answers(pg_link *link, int milliseconds) {
  pg_answer *answer;
  pg_outcome outcome = pg_run_script(link, "SELECT 1", milliseconds, &answer);
  pg_answer_free(answer);
  return outcome == PG_DONE || outcome == PG_REFUSED;
}

bool pg_link_is_quiet(const pg_link *link) {
  struct pollfd one = {.fd = PQsocket(link->connection), .events = POLLIN};
  int found;
  do found = poll(&one, 1, 0);
  while (found < 0 && errno == EINTR);
  return found == 0 && PQstatus(link->connection) == CONNECTION_OK;
}
