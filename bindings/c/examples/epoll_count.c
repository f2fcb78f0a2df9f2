/* epoll_count - a page that counts its visits, on epoll(7) alone; loop.h says what it has. */
#define _GNU_SOURCE
#include "loop.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <unistd.h>

struct connection {
  struct exchange exchange;
  int socket;
  bool gone; /* the client has left while the visit is under way */
};

static int loop;

static void watch(struct connection *connection, uint32_t events) {
  struct epoll_event event = {.events = events, .data.ptr = connection};
  epoll_ctl(loop, EPOLL_CTL_MOD, connection->socket, &event);
}

static void end(struct connection *connection) {
  visit_end(&connection->exchange.visit);
  close(connection->socket);
  free(connection);
}

static void send_some(struct connection *connection) {
  struct exchange *exchange = &connection->exchange;
  ssize_t sent = send(connection->socket, exchange->out + exchange->sent, exchange->out_size - exchange->sent, MSG_NOSIGNAL);
  if (sent > 0) exchange->sent += (size_t)sent;
  if (sent < 0 && errno == EAGAIN) return watch(connection, EPOLLOUT);
  if (sent < 0 || exchange->sent == exchange->out_size) return end(connection);
  watch(connection, EPOLLOUT);
}

static void answer(struct visit *visit) {
  struct connection *connection = (struct connection *)visit; /* its first member's first member */
  if (connection->gone) return end(connection);
  exchange_write(&connection->exchange);
  send_some(connection);
}

static void accept_one(int listening) {
  int client = accept4(listening, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (client < 0) return;
  struct connection *connection = calloc(1, sizeof *connection);
  struct epoll_event event = {.events = EPOLLIN, .data.ptr = connection};
  if (!connection || epoll_ctl(loop, EPOLL_CTL_ADD, client, &event) != 0) {
    free(connection);
    close(client);
    return;
  }
  connection->socket = client;
  connection->exchange.visit.answer = answer;
}

static void read_some(struct connection *connection, struct app *app) {
  struct exchange *exchange = &connection->exchange;
  ssize_t got = recv(connection->socket, exchange->in + exchange->in_size, head_limit - 1 - exchange->in_size, 0);
  if (got < 0 && errno == EAGAIN) return;
  if (got <= 0) return end(connection);
  exchange->in_size += (size_t)got;
  /* Nothing more is read; that the client leaves is told all the same. Before the visit may end. */
  watch(connection, 0);
  int begun = exchange_read(exchange, app);
  if (begun < 0) end(connection);
  if (begun == 0) watch(connection, EPOLLIN);
}

static void happened(struct connection *connection, uint32_t events, struct app *app) {
  if (events & EPOLLOUT) return send_some(connection);
  if (events & EPOLLIN) return read_some(connection, app);
  /* The visit still has it: its session is not ended before its completion. */
  connection->gone = true;
  epoll_ctl(loop, EPOLL_CTL_DEL, connection->socket, NULL);
}

int main(int argc, char **argv) {
  struct app app;
  sigset_t stop;
  /* Before the queue starts threads: they take no signals by themselves. */
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  sigaddset(&stop, SIGINT);
  sigprocmask(SIG_BLOCK, &stop, NULL);
  if (!app_open(&app, argc, argv)) return 1;
  int listening = listen_here(&app.port), signals = signalfd(-1, &stop, SFD_CLOEXEC);
  loop = epoll_create1(EPOLL_CLOEXEC);
  static char of_listening, of_signals, of_queue; /* what epoll gives back */
  struct epoll_event events[64];
  epoll_ctl(loop, EPOLL_CTL_ADD, listening, &(struct epoll_event){.events = EPOLLIN, .data.ptr = &of_listening});
  epoll_ctl(loop, EPOLL_CTL_ADD, signals, &(struct epoll_event){.events = EPOLLIN, .data.ptr = &of_signals});
  epoll_ctl(loop, EPOLL_CTL_ADD, tuile_queue_fd(app.queue), &(struct epoll_event){.events = EPOLLIN, .data.ptr = &of_queue});
  if (listening < 0 || signals < 0 || loop < 0) return 1;
  app_listens(app.port);
  for (bool goes_on = true; goes_on;) {
    bool completes = false;
    int count = epoll_wait(loop, events, 64, -1);
    for (int i = 0; i < count; i++) {
      if (events[i].data.ptr == &of_listening) accept_one(listening);
      else if (events[i].data.ptr == &of_signals) goes_on = false;
      else if (events[i].data.ptr == &of_queue) completes = true;
      else happened(events[i].data.ptr, events[i].events, &app);
    }
    /* Last: it may end connections that had events too. */
    if (completes) (void)tuile_queue_run(app.queue, NULL);
  }
  app_close(&app);
  close(loop), close(listening), close(signals);
  return 0;
}
