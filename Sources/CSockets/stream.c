#define _GNU_SOURCE
#include "csockets.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* ---- opening ---- */

static cs_result connect_within(int socket, const struct sockaddr *address, socklen_t size, int64_t deadline) {
  if (connect(socket, address, size) == 0) return CS_OK;
  /* EAGAIN: a unix socket whose queue is full, which poll knows nothing about. */
  while (errno == EAGAIN && address->sa_family == AF_UNIX) {
    if (cs_now() >= deadline) return CS_TIMED_OUT;
    poll(NULL, 0, 5);
    if (connect(socket, address, size) == 0) return CS_OK;
  }
  if (errno != EINPROGRESS && errno != EINTR) return CS_CLOSED;
  cs_result result = cs_wait(socket, POLLOUT, deadline);
  if (result != CS_OK) return result;
  int error = 0;
  socklen_t length = sizeof error;
  if (getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &length) != 0) error = errno;
  errno = error;
  return error == 0 ? CS_OK : CS_CLOSED;
}

static int open_socket(const struct sockaddr *address, socklen_t size, int64_t deadline, cs_result *result, int *error) {
  int one = 1, idle = 60, between = 10, times = 6, opened = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  *result = opened < 0 ? CS_CLOSED : connect_within(opened, address, size, deadline);
  *error = errno;
  if (*result == CS_OK && address->sa_family != AF_UNIX) {
    setsockopt(opened, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    /* Something on the way may forget a connection on which nothing is said: so something
     * is, and where nobody answers it breaks. */
    setsockopt(opened, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
    setsockopt(opened, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    setsockopt(opened, IPPROTO_TCP, TCP_KEEPINTVL, &between, sizeof between);
    setsockopt(opened, IPPROTO_TCP, TCP_KEEPCNT, &times, sizeof times);
  }
  if (*result == CS_OK || opened < 0) return opened;
  close(opened);
  return -1;
}

static int open_unix(const char *path, int64_t deadline, cs_result *result, int *error) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  *result = CS_CLOSED;
  *error = ENAMETOOLONG;
  if (strlen(path) >= sizeof address.sun_path) return -1;
  strcpy(address.sun_path, path);
  return open_socket((struct sockaddr *)&address, sizeof address, deadline, result, error);
}

static int open_tcp(const char *host, int port, int64_t deadline, cs_result *result, int *error) {
  struct addrinfo *all = NULL;
  *error = EHOSTUNREACH;
  *result = cs_resolve(host, port, deadline, &all);
  int opened = -1, left = 0;
  for (struct addrinfo *each = all; each; each = each->ai_next) left++;
  /* Each address gets its share of the time, so that a dead one is not all. */
  for (struct addrinfo *each = all; each && opened < 0; each = each->ai_next, left--) {
    int64_t now = cs_now(), share = deadline > now ? (deadline - now) / left : 0;
    opened = open_socket(each->ai_addr, each->ai_addrlen, now + share, result, error);
  }
  if (all) freeaddrinfo(all);
  return opened;
}

cs_result cs_open(cs_stream *stream, const cs_address *to, int64_t deadline, char why[CS_WHY]) {
  int error = 0;
  cs_result result = CS_OK;
  int opened = to->path ? open_unix(to->path, deadline, &result, &error)
                        : open_tcp(to->host, to->port, deadline, &result, &error);
  *stream = (cs_stream){.socket = opened};
  if (stream->socket < 0) {
    if (result == CS_CLOSED) {
#ifdef __GLIBC__
      char room[CS_WHY];
      snprintf(why, CS_WHY, "%s", strerror_r(error, room, sizeof room));
#else
      strerror_r(error, why, CS_WHY); /* POSIX's own, as musl has it */
#endif
    }
    return result;
  }
  if (to->tls) result = cs_tls_connect(to->tls, stream->socket, to->name, deadline, &stream->ssl, why);
  if (result != CS_OK) cs_close(stream);
  return result;
}

void cs_close(cs_stream *stream) {
  if (stream->ssl) cs_tls_close(stream->ssl);
  close(stream->socket);
}

void cs_abandon(cs_stream *stream) { close(stream->socket); }

bool cs_is_quiet(cs_stream *stream) {
  char byte;
  if (stream->ssl && cs_tls_has_unread(stream->ssl)) return false;
  ssize_t got;
  do got = recv(stream->socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  while (got < 0 && errno == EINTR);
  return got < 0 && errno == EAGAIN;
}

/* ---- sending ---- */

static ptrdiff_t send_some(cs_stream *stream, const void *data, size_t size, short *events) {
  *events = POLLOUT;
  if (stream->ssl) return cs_tls_send(stream->ssl, data, size, events);
  return send(stream->socket, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
}

cs_result cs_send(cs_stream *stream, const void *data, size_t size, int64_t deadline) {
  for (size_t done = 0; done < size;) {
    short events;
    ptrdiff_t sent = send_some(stream, (const char *)data + done, size - done, &events);
    if (sent > 0) {
      done += (size_t)sent;
      continue;
    }
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno != EAGAIN) return CS_CLOSED;
    cs_result result = cs_wait(stream->socket, events, deadline);
    if (result != CS_OK) return result;
  }
  return CS_OK;
}

/* ---- receiving ---- */

static ptrdiff_t receive_some(cs_stream *stream, void *data, size_t size, short *events) {
  *events = POLLIN;
  if (stream->ssl) return cs_tls_receive(stream->ssl, data, size, events);
  return recv(stream->socket, data, size, MSG_DONTWAIT);
}

cs_result cs_receive(cs_stream *stream, void *data, size_t room, int64_t deadline, bool wait_first, size_t *got) {
  /* With TLS, what has come may be inside OpenSSL already. */
  for (bool wait = wait_first && !stream->ssl;; wait = false) {
    short events = POLLIN;
    if (wait) {
      cs_result result = cs_wait(stream->socket, events, deadline);
      if (result != CS_OK) return result;
    }
    ptrdiff_t some = receive_some(stream, data, room, &events);
    if (some > 0) return *got = (size_t)some, CS_OK;
    if (some == 0) return CS_CLOSED;
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return CS_CLOSED;
    cs_result result = cs_wait(stream->socket, events, deadline);
    if (result != CS_OK) return result;
  }
}
