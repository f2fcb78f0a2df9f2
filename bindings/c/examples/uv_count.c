/* uv_count - a page that counts its visits, on libuv; loop.h says what it has. */
#include "loop.h"

#include <signal.h>
#include <stdlib.h>
#include <uv.h>

struct connection {
  struct exchange exchange;
  uv_tcp_t socket;
  uv_write_t writing;
  struct app *app;
  bool begun; /* its visit has it until the answer */
  bool gone;
};

static void freed(uv_handle_t *handle) {
  struct connection *connection = handle->data;
  if (connection->begun) connection->gone = true;
  else free(connection);
}

static void end(struct connection *connection) {
  if (connection->begun) visit_end(&connection->exchange.visit);
  connection->begun = false;
  if (connection->gone) free(connection);
  else if (!uv_is_closing((uv_handle_t *)&connection->socket)) uv_close((uv_handle_t *)&connection->socket, freed);
}

static void written(uv_write_t *writing, int status) {
  (void)status;
  end(writing->data);
}

static void answer(struct visit *visit) {
  struct connection *connection = (struct connection *)visit; /* its first member's first member */
  struct exchange *exchange = &connection->exchange;
  exchange_write(exchange);
  uv_buf_t out = uv_buf_init(exchange->out, (unsigned int)exchange->out_size);
  connection->writing.data = connection;
  if (connection->gone || uv_is_closing((uv_handle_t *)&connection->socket) ||
      uv_write(&connection->writing, (uv_stream_t *)&connection->socket, &out, 1, written) != 0)
    end(connection);
}

static void room(uv_handle_t *handle, size_t wanted, uv_buf_t *buffer) {
  struct exchange *exchange = &((struct connection *)handle->data)->exchange;
  (void)wanted;
  *buffer = uv_buf_init(exchange->in + exchange->in_size, (unsigned int)(head_limit - 1 - exchange->in_size));
}

static void got(uv_stream_t *stream, ssize_t size, const uv_buf_t *buffer) {
  struct connection *connection = stream->data;
  (void)buffer;
  if (size == 0) return;
  if (size < 0) return uv_close((uv_handle_t *)stream, freed);
  if (connection->begun) return; /* what follows the head is passed over */
  connection->exchange.in_size += (size_t)size;
  connection->begun = true;
  int begun = exchange_read(&connection->exchange, connection->app);
  if (begun > 0) return;
  connection->begun = false;
  if (begun < 0) uv_close((uv_handle_t *)stream, freed);
}

static void accept_one(uv_stream_t *listening, int status) {
  struct connection *connection = status == 0 ? calloc(1, sizeof *connection) : NULL;
  if (!connection) return;
  connection->app = listening->data;
  connection->exchange.visit.answer = answer;
  uv_tcp_init(listening->loop, &connection->socket);
  connection->socket.data = connection;
  if (uv_accept(listening, (uv_stream_t *)&connection->socket) != 0 ||
      uv_read_start((uv_stream_t *)&connection->socket, room, got) != 0)
    uv_close((uv_handle_t *)&connection->socket, freed);
}

static void complete(uv_poll_t *poll, int status, int events) {
  struct app *app = poll->data;
  (void)status, (void)events;
  (void)tuile_queue_run(app->queue, NULL);
}

static void stop(uv_signal_t *signal, int number) {
  (void)number;
  uv_stop(signal->loop);
}

static void close_each(uv_handle_t *handle, void *listening) {
  if (!uv_is_closing(handle)) uv_close(handle, handle->data && handle->type == UV_TCP && handle != listening ? freed : NULL);
}

int main(int argc, char **argv) {
  struct app app;
  uv_loop_t loop;
  uv_tcp_t listening;
  uv_poll_t poll;
  uv_signal_t signals[2];
  if (!app_open(&app, argc, argv)) return 1;
  int socket = listen_here(&app.port);
  if (socket < 0 || uv_loop_init(&loop) != 0) return 1;
  uv_tcp_init(&loop, &listening);
  uv_tcp_open(&listening, socket);
  listening.data = &app;
  if (uv_listen((uv_stream_t *)&listening, 128, accept_one) != 0) return 1;
  uv_poll_init(&loop, &poll, tuile_queue_fd(app.queue));
  poll.data = &app;
  uv_poll_start(&poll, UV_READABLE, complete);
  for (int i = 0; i < 2; i++) {
    uv_signal_init(&loop, &signals[i]);
    signals[i].data = NULL;
    uv_signal_start(&signals[i], stop, i == 0 ? SIGTERM : SIGINT);
  }
  app_listens(app.port);
  uv_run(&loop, UV_RUN_DEFAULT);
  /* The descriptor is the queue's: the loop lets it go before that. */
  uv_poll_stop(&poll);
  app_close(&app);
  uv_walk(&loop, close_each, &listening);
  uv_run(&loop, UV_RUN_DEFAULT);
  return uv_loop_close(&loop) == 0 ? 0 : 1;
}
