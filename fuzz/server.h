/* What the targets of store modules share: a server that says anything. What comes from it is an answer or a
 * status. The input, cut at each 0xFF, is what each connection gets to hear. */
#ifndef TUILE_FUZZ_SERVER_H
#define TUILE_FUZZ_SERVER_H

#include "fuzz.h"

#include <netdb.h>
#include <sys/socket.h>
#include <unistd.h>

tuile_status tuile_module_open(tuile_bytes url, tuile_store_ops *ops, void **context, tuile_error *error);

/* ---- every connection leads here ---- */

enum { most_connections = 64 };

static const uint8_t *next, *end;
static int ends[most_connections], connections;

int __wrap_connect(int socket_, const struct sockaddr *address, socklen_t size);
int __wrap_connect(int socket_, const struct sockaddr *address, socklen_t size) {
  (void)address, (void)size;
  int pair[2];
  if (connections >= most_connections || socketpair(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0, pair) != 0) return -1;
  const uint8_t *cut = next < end ? memchr(next, 0xFF, (size_t)(end - next)) : end;
  if (!cut) cut = end;
  if (cut > next) REQUIRE(write(pair[1], next, (size_t)(cut - next)) == cut - next);
  next = cut < end ? cut + 1 : end;
  shutdown(pair[1], SHUT_WR);
  REQUIRE(dup2(pair[0], socket_) >= 0);
  close(pair[0]);
  ends[connections++] = pair[1];
  return 0;
}

int __real_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **out);
int __wrap_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **out);
int __wrap_getaddrinfo(const char *host, const char *port, const struct addrinfo *hints, struct addrinfo **out) {
  struct addrinfo numeric = *hints;
  numeric.ai_flags |= AI_NUMERICHOST;
  return __real_getaddrinfo(host, port, &numeric, out);
}

/* ---- the calls ---- */

static void receive(void *context, tuile_bytes data, int64_t expires) {
  size_t *total = context;
  for (size_t i = 0; i < data.size; i++) *total += ((const uint8_t *)data.data)[i];
  REQUIRE(expires > 1000);
}

static void receive_owned(void *context, tuile_bytes key, tuile_bytes record, int64_t expires) {
  REQUIRE(key.size >= 8);
  REQUIRE(key.size <= 40);
  receive(context, key, expires);
  receive(context, record, expires);
}

static bool receive_key(void *context, tuile_bytes key, int64_t expires) {
  REQUIRE(key.size >= 8);
  REQUIRE(key.size <= 40);
  receive(context, key, expires);
  return true;
}

static bool receive_owner(void *context, tuile_bytes owner) {
  REQUIRE(owner.size >= 1);
  REQUIRE(owner.size <= 255);
  receive(context, owner, INT64_MAX);
  return true;
}

static tuile_status call(const tuile_store_ops *ops, void *store, int which, tuile_error *error) {
  const tuile_bytes key = TUILE_STR("abcdefgh"), data = TUILE_STR("data"), owner = TUILE_STR("ada");
  size_t total = 0;
  switch (which) {
    case 0: return ops->load(store, key, 1000, receive, &total, error);
    case 1: return ops->create(store, key, data, 1000000, error);
    case 2: return ops->replace(store, key, data, data, 1000000, error);
    case 3: return ops->touch(store, key, 1000000, error);
    case 4: return ops->remove(store, key, error);
    case 5: return ops->put(store, key, data, 1000000, error);
    case 6: return ops->own(store, owner, key, data, 1000000, error);
    case 7: return ops->owned(store, owner, 1000, receive_owned, &total, error);
    case 8: return ops->disown(store, owner, key, error);
    case 9: return ops->keys(store, 1000, receive_key, &total, error);
    default: return ops->owners(store, receive_owner, &total, error);
  }
}

static void server_begins(const uint8_t *data, size_t size) { next = data, end = data + size, connections = 0; }

static void server_ends(void) {
  for (int i = 0; i < connections; i++) close(ends[i]);
}

static void check_answer(tuile_status status, const tuile_error *error) {
  bool known = status == TUILE_OK || status == TUILE_ABSENT || status == TUILE_CONFLICT || status == TUILE_EXISTS ||
               status == TUILE_E_STORE || status == TUILE_E_BUSY || status == TUILE_E_CORRUPT || status == TUILE_E_LIMIT ||
               status == TUILE_E_UNKNOWN;
  REQUIRE(known);
  REQUIRE((status < 0) == (error->message[0] != 0));
  REQUIRE(memchr(error->message, 0, sizeof error->message) != NULL);
}

#endif
