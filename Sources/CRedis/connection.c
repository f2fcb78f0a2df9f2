#define _GNU_SOURCE
#include "credis.h"

#include <errno.h>
#include <hiredis/hiredis.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

struct cr_connection {
  int socket;
  struct ssl_st *ssl; /* NULL: no TLS */
  redisReader *reader;
  cr_reading reading;
  size_t fed;    /* bytes since the last whole reply */
  char *queue;   /* commands that are not sent yet */
  size_t queued, room;
  bool out_of_memory;
  int argc;
  const char *argv[CR_MOST_ARGUMENTS];
  size_t sizes[CR_MOST_ARGUMENTS];
  char numbers[CR_MOST_ARGUMENTS][24];
};

/* ---- opening ---- */

static cr_result connect_within(int socket, const struct sockaddr *address, socklen_t size, int64_t deadline) {
  if (connect(socket, address, size) == 0) return CR_OK;
  /* EAGAIN: a unix socket whose queue is full, which poll knows nothing about. */
  while (errno == EAGAIN && address->sa_family == AF_UNIX) {
    if (cr_now() >= deadline) return CR_TIMED_OUT;
    poll(NULL, 0, 5);
    if (connect(socket, address, size) == 0) return CR_OK;
  }
  if (errno != EINPROGRESS && errno != EINTR) return CR_CLOSED;
  cr_result result = cr_wait(socket, POLLOUT, deadline);
  if (result != CR_OK) return result;
  int error = 0;
  socklen_t length = sizeof error;
  if (getsockopt(socket, SOL_SOCKET, SO_ERROR, &error, &length) != 0) error = errno;
  errno = error;
  return error == 0 ? CR_OK : CR_CLOSED;
}

static int open_socket(const struct sockaddr *address, socklen_t size, int64_t deadline, cr_result *result, int *error) {
  int one = 1, idle = 60, between = 10, times = 6, opened = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
  *result = opened < 0 ? CR_CLOSED : connect_within(opened, address, size, deadline);
  *error = errno;
  if (*result == CR_OK && address->sa_family != AF_UNIX) {
    setsockopt(opened, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    /* Something on the way may forget a connection on which nothing is said: so something
     * is, and where nobody answers it breaks. */
    setsockopt(opened, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
    setsockopt(opened, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    setsockopt(opened, IPPROTO_TCP, TCP_KEEPINTVL, &between, sizeof between);
    setsockopt(opened, IPPROTO_TCP, TCP_KEEPCNT, &times, sizeof times);
  }
  if (*result == CR_OK || opened < 0) return opened;
  close(opened);
  return -1;
}

static int open_unix(const char *path, int64_t deadline, cr_result *result, int *error) {
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  *result = CR_CLOSED;
  *error = ENAMETOOLONG;
  if (strlen(path) >= sizeof address.sun_path) return -1;
  strcpy(address.sun_path, path);
  return open_socket((struct sockaddr *)&address, sizeof address, deadline, result, error);
}

static int open_tcp(const char *host, int port, int64_t deadline, cr_result *result, int *error) {
  struct addrinfo *all = NULL;
  *error = EHOSTUNREACH;
  *result = cr_resolve(host, port, deadline, &all);
  int opened = -1, left = 0;
  for (struct addrinfo *each = all; each; each = each->ai_next) left++;
  /* Each address gets its share of the time, so that a dead one is not all. */
  for (struct addrinfo *each = all; each && opened < 0; each = each->ai_next, left--) {
    int64_t now = cr_now(), share = deadline > now ? (deadline - now) / left : 0;
    opened = open_socket(each->ai_addr, each->ai_addrlen, now + share, result, error);
  }
  if (all) freeaddrinfo(all);
  return opened;
}

static cr_connection *wrap(int socket) {
  cr_connection *made = calloc(1, sizeof *made);
  if (!made) return NULL;
  made->socket = socket;
  made->reader = cr_reader_new(&made->reading);
  if (made->reader) return made;
  free(made);
  return NULL;
}

cr_connection *cr_open(const char *path, const char *host, int port, cr_tls *tls, const char *name, int64_t deadline,
                       cr_result *result, char why[CR_WHY]) {
  int error = 0;
  int opened = path ? open_unix(path, deadline, result, &error) : open_tcp(host, port, deadline, result, &error);
  if (opened < 0) {
    char room[CR_WHY];
    if (*result == CR_CLOSED) snprintf(why, CR_WHY, "%s", strerror_r(error, room, sizeof room));
    return NULL;
  }
  cr_connection *connection = wrap(opened);
  *result = connection ? CR_OK : CR_MEMORY;
  if (connection && tls) *result = cr_tls_connect(tls, opened, name, deadline, &connection->ssl, why);
  if (*result == CR_OK) return connection;
  if (connection) cr_close(connection);
  else close(opened);
  return NULL;
}

static void release(cr_connection *connection) {
  redisReaderFree(connection->reader);
  free(connection->queue);
  free(connection);
}

void cr_close(cr_connection *connection) {
  if (connection->ssl) cr_tls_close(connection->ssl);
  close(connection->socket);
  release(connection);
}

void cr_abandon(cr_connection *connection) {
  close(connection->socket);
  release(connection);
}

bool cr_is_idle(cr_connection *connection) {
  char byte;
  if (connection->fed > 0 || connection->queued > 0 || connection->argc > 0) return false;
  if (connection->ssl && cr_tls_has_unread(connection->ssl)) return false;
  ssize_t got;
  do got = recv(connection->socket, &byte, 1, MSG_PEEK | MSG_DONTWAIT);
  while (got < 0 && errno == EINTR);
  return got < 0 && errno == EAGAIN;
}

/* ---- sending ---- */

void cr_argument(cr_connection *connection, const void *data, size_t size) {
  if (connection->argc >= CR_MOST_ARGUMENTS) {
    connection->out_of_memory = true;
    return;
  }
  connection->argv[connection->argc] = data;
  connection->sizes[connection->argc++] = size;
}

void cr_argument_number(cr_connection *connection, int64_t number) {
  char *text = connection->numbers[connection->argc % CR_MOST_ARGUMENTS];
  cr_argument(connection, text, (size_t)snprintf(text, sizeof *connection->numbers, "%lld", (long long)number));
}

static bool enqueue(cr_connection *connection, const char *text, size_t size) {
  if (size > connection->room - connection->queued) {
    size_t room = connection->queued + size + 512;
    char *grown = malloc(room);
    if (!grown) return false;
    if (connection->queued > 0) memcpy(grown, connection->queue, connection->queued);
    if (connection->queue) explicit_bzero(connection->queue, connection->room);
    free(connection->queue);
    connection->queue = grown;
    connection->room = room;
  }
  memcpy(connection->queue + connection->queued, text, size);
  connection->queued += size;
  return true;
}

void cr_command_end(cr_connection *connection) {
  char *text = NULL;
  int size = redisFormatCommandArgv(&text, connection->argc, connection->argv, connection->sizes);
  if (size < 0 || !enqueue(connection, text, (size_t)size)) connection->out_of_memory = true;
  if (size >= 0) {
    explicit_bzero(text, (size_t)size);
    redisFreeCommand(text);
  }
  connection->argc = 0;
}

static ptrdiff_t send_some(cr_connection *connection, const void *data, size_t size, short *events) {
  *events = POLLOUT;
  if (connection->ssl) return cr_tls_send(connection->ssl, data, size, events);
  return send(connection->socket, data, size, MSG_NOSIGNAL | MSG_DONTWAIT);
}

static cr_result send_all(cr_connection *connection, int64_t deadline) {
  for (size_t done = 0; done < connection->queued;) {
    short events;
    ptrdiff_t sent = send_some(connection, connection->queue + done, connection->queued - done, &events);
    if (sent > 0) {
      done += (size_t)sent;
      continue;
    }
    if (sent < 0 && errno == EINTR) continue;
    if (sent < 0 && errno != EAGAIN) return CR_CLOSED;
    cr_result result = cr_wait(connection->socket, events, deadline);
    if (result != CR_OK) return result;
  }
  return CR_OK;
}

cr_result cr_send(cr_connection *connection, int64_t deadline) {
  cr_result result = connection->out_of_memory ? CR_MEMORY : send_all(connection, deadline);
  /* Large commands are rare, and a pool of them would be much memory. */
  if (connection->queue) explicit_bzero(connection->queue, connection->queued);
  connection->queued = 0;
  connection->out_of_memory = false;
  if (connection->room > 65536) {
    free(connection->queue);
    connection->queue = NULL;
    connection->room = 0;
  }
  return result;
}

/* ---- receiving ---- */

static ptrdiff_t receive_some(cr_connection *connection, void *data, size_t size, short *events) {
  *events = POLLIN;
  if (connection->ssl) return cr_tls_receive(connection->ssl, data, size, events);
  return recv(connection->socket, data, size, MSG_DONTWAIT);
}

static cr_result read_more(cr_connection *connection, int64_t deadline, bool wait_first) {
  char data[16384];
  for (;;) {
    short events = POLLIN;
    if (wait_first) {
      cr_result result = cr_wait(connection->socket, events, deadline);
      if (result != CR_OK) return result;
    }
    ptrdiff_t got = receive_some(connection, data, sizeof data, &events);
    if (got == 0) return CR_CLOSED;
    if (got > 0) {
      connection->fed += (size_t)got;
      if (connection->fed > CR_LARGEST_REPLY) return CR_LIMIT;
      return redisReaderFeed(connection->reader, data, (size_t)got) == REDIS_OK ? CR_OK : CR_MEMORY;
    }
    if (errno == EINTR) continue;
    if (errno != EAGAIN) return CR_CLOSED;
    cr_result result = cr_wait(connection->socket, events, deadline);
    if (result != CR_OK) return result;
    wait_first = false;
  }
}

cr_result cr_receive(cr_connection *connection, int64_t deadline, cr_reply **out) {
  redisReader *reader = connection->reader;
  for (bool fresh = true;; fresh = false) {
    void *reply = NULL;
    if (redisReaderGetReply(reader, &reply) != REDIS_OK) {
      if (connection->reading.problem != CR_OK) return connection->reading.problem;
      return reader->err == REDIS_ERR_OOM ? CR_MEMORY : CR_PROTOCOL;
    }
    if (reply) {
      *out = reply;
      connection->reading.parts = 0;
      connection->fed = reader->len - reader->pos;
      return CR_OK;
    }
    /* A server takes its time for the first bytes: to wait for them saves a call
     * in vain. With TLS, what has come may be inside OpenSSL already. */
    cr_result result = CR_TIMED_OUT;
    /* One that sends and sends is no faster than one that does not. */
    if (fresh || cr_now() < deadline) result = read_more(connection, deadline, fresh && !connection->ssl);
    if (result != CR_OK) return result;
  }
}
