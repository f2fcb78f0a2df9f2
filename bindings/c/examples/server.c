#define _POSIX_C_SOURCE 200809L

#include "server.h"

#include <arpa/inet.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void put(struct page *page, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int more = vsnprintf(page->text + page->size, sizeof page->text - page->size, format, arguments);
  va_end(arguments);
  if (more > 0) page->size += (size_t)more;
  if (page->size >= sizeof page->text) page->size = sizeof page->text - 1;
}

void put_escaped(struct page *page, tuile_bytes text) {
  const char *bytes = text.data;
  for (size_t i = 0; i < text.size; i++) {
    switch (bytes[i]) {
      case '<': put(page, "&lt;"); break;
      case '>': put(page, "&gt;"); break;
      case '&': put(page, "&amp;"); break;
      case '"': put(page, "&quot;"); break;
      default: put(page, "%c", bytes[i]);
    }
  }
}

int die(const char *what, const char *why) {
  fprintf(stderr, "%s%s%s\n", what, why ? ": " : "", why ? why : "");
  return 1;
}

const char *read_secret(const char *path, const char *variable) {
  static char line[4096];
  if (!path) return getenv(variable);
  FILE *file = fopen(path, "r");
  if (!file || !fgets(line, sizeof line, file)) line[0] = 0;
  if (file) fclose(file);
  line[strcspn(line, "\r\n")] = 0;
  return line[0] ? line : NULL;
}

long number(const char *text, long least, long most) {
  char *end;
  long value = strtol(text, &end, 10);
  return *text && !*end && value >= least && value <= most ? value : -1;
}

int serve(const char *address, uint16_t port, unsigned int threads, MHD_AccessHandlerCallback handler,
          MHD_RequestCompletedCallback completed, void *context) {
  struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = htons(port)};
  if (inet_pton(AF_INET, address, &where.sin_addr) != 1) return die("not an IPv4 address", address);
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGINT);
  sigaddset(&stop, SIGTERM);
  /* Blocked before the server's threads start, so that only sigwait takes them. */
  pthread_sigmask(SIG_BLOCK, &stop, NULL);
  struct MHD_Daemon *daemon =
      MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ERROR_LOG, port, NULL, NULL, handler, context,
                       MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&where, MHD_OPTION_CONNECTION_TIMEOUT, 30u,
                       MHD_OPTION_NOTIFY_COMPLETED, completed, NULL,
                       /* A pool of one is no pool to libmicrohttpd. */
                       threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, threads, MHD_OPTION_END);
  if (!daemon) return die("cannot listen on that address and port", address);
  const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT);
  printf("listening on http://%s:%u/\n", address, info ? (unsigned int)info->port : port);
  fflush(stdout);
  int signal_number;
  sigwait(&stop, &signal_number);
  MHD_stop_daemon(daemon);
  return 0;
}
