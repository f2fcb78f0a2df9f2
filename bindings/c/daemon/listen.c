/* Sockets: systemd's, or those of the configuration. */
#include "daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* Paths of sockets that we have made. */
static struct sockaddr_un made[most_sockets];
static int made_count;

/* ---- systemd ---- */

/* How many sockets it has given us, from number 3 on; -1 for none. */
static int given(void) {
  const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
  if (!pid || !count || strtol(pid, NULL, 10) != (long)getpid()) return -1;
  unsetenv("LISTEN_PID");
  unsetenv("LISTEN_FDS");
  unsetenv("LISTEN_FDNAMES");
  return (int)strtol(count, NULL, 10);
}

static int take_given(int count, int sockets[most_sockets]) {
  if (count < 1 || count > most_sockets) return log_line(LOG_ERROR, "systemd has given %d sockets: 1 to %d will do", count, most_sockets), -1;
  for (int i = 0; i < count; i++) {
    int listens = 0;
    socklen_t size = sizeof listens;
    sockets[i] = 3 + i;
    if (getsockopt(sockets[i], SOL_SOCKET, SO_ACCEPTCONN, &listens, &size) != 0 || !listens)
      return log_line(LOG_ERROR, "what systemd has given is no socket that listens: Accept=no is needed, and ListenStream="), -1;
    fcntl(sockets[i], F_SETFD, FD_CLOEXEC);
  }
  return count;
}

void listen_notify(const char *state) {
  const char *path = getenv("NOTIFY_SOCKET");
  struct sockaddr_un address = {.sun_family = AF_UNIX};
  size_t size = path ? strlen(path) : 0;
  if (size < 2 || size >= sizeof address.sun_path) return;
  memcpy(address.sun_path, path, size);
  if (*path == '@') *address.sun_path = 0;
  int sender = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
  if (sender < 0) return;
  sendto(sender, state, strlen(state), MSG_NOSIGNAL, (struct sockaddr *)&address,
         (socklen_t)(offsetof(struct sockaddr_un, sun_path) + size));
  close(sender);
}

/* ---- the configuration's ---- */

static int failed(const struct address *address, const char *reason) {
  log_line(LOG_ERROR, "listen %s: %s in %s", address->text, reason, address->at);
  return -1;
}

/* A path that nobody listens on any more is taken over. */
static bool is_left(const struct sockaddr_un *where) {
  struct stat about;
  if (lstat(where->sun_path, &about) != 0 || !S_ISSOCK(about.st_mode)) return false;
  int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  bool refused = probe >= 0 && connect(probe, (const struct sockaddr *)where, sizeof *where) != 0 && errno == ECONNREFUSED;
  if (probe >= 0) close(probe);
  return refused;
}

static int listen_on_path(const struct address *address) {
  struct sockaddr_un where = {.sun_family = AF_UNIX};
  const char *path = address->text + strlen("unix:");
  if (*path != '/' || strlen(path) >= sizeof where.sun_path) return failed(address, "a path that begins with / and is shorter than 108 bytes is needed");
  strcpy(where.sun_path, path);
  if (is_left(&where)) unlink(path);
  int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
  mode_t mask = address->mode >= 0 ? umask(0777 & ~(mode_t)address->mode) : 0;
  bool bound = listener >= 0 && bind(listener, (struct sockaddr *)&where, sizeof where) == 0;
  int number = errno;
  if (address->mode >= 0) umask(mask);
  if (!bound || listen(listener, SOMAXCONN) != 0) return failed(address, strerror(number));
  made[made_count++] = where;
  return listener;
}

static int listen_on_port(const struct address *address) {
  char host[256];
  const char *colon = strrchr(address->text, ':'), *start = address->text;
  const struct addrinfo wanted = {.ai_family = AF_UNSPEC, .ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICHOST | AI_NUMERICSERV};
  struct addrinfo *found;
  if (!colon || colon == start || !colon[1]) return failed(address, "takes ADDRESS:PORT, [ADDRESS]:PORT or unix:/PATH");
  size_t size = (size_t)(colon - start);
  if (*start == '[' && colon[-1] == ']') start++, size -= 2;
  snprintf(host, sizeof host, "%.*s", (int)size, start);
  int code = getaddrinfo(host, colon + 1, &wanted, &found);
  if (code != 0) return failed(address, gai_strerror(code));
  int listener = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0), on = 1;
  if (listener >= 0) setsockopt(listener, SOL_SOCKET, SO_REUSEADDR, &on, sizeof on);
  bool well = listener >= 0 && bind(listener, found->ai_addr, found->ai_addrlen) == 0 && listen(listener, SOMAXCONN) == 0;
  int number = errno;
  freeaddrinfo(found);
  return well ? listener : failed(address, strerror(number));
}

int listen_all(const struct config *config, int sockets[most_sockets]) {
  int count = given(), own = 0;
  if (count >= 0 && config->addresses)
    return log_line(LOG_ERROR, "listen: the sockets are systemd's, and the configuration names some in %s", config->addresses->at), -1;
  if (count >= 0) return take_given(count, sockets);
  for (const struct address *each = config->addresses; each; each = each->next) {
    if (own == most_sockets) return failed(each, "there are too many");
    int listener = strncmp(each->text, "unix:", 5) == 0 ? listen_on_path(each) : listen_on_port(each);
    if (listener < 0) return -1;
    sockets[own++] = listener;
  }
  if (own == 0) log_line(LOG_ERROR, "there is nothing to listen on: systemd has given no socket, and the configuration has no listen");
  return own > 0 ? own : -1;
}

bool listen_is_same(const struct config *one, const struct config *other) {
  const struct address *left = one->addresses, *right = other->addresses;
  while (left && right && strcmp(left->text, right->text) == 0 && left->mode == right->mode) left = left->next, right = right->next;
  return !left && !right;
}

void listen_forget(void) {
  while (made_count > 0) unlink(made[--made_count].sun_path);
}
