/* evhttp_count - a page that counts its visits, on libevent's evhttp; loop.h says what it has. */
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/http.h>

#include "loop.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <tuile_http.h>

struct call {
  struct visit visit;
  struct evhttp_request *request; /* NULL once its connection is gone */
};

static void closed(struct evhttp_connection *connection, void *context) {
  (void)connection;
  ((struct call *)context)->request = NULL;
}

/* The response's headers, if there is still one to answer. */
static tuile_status add_header(void *context, tuile_bytes name, tuile_bytes value) {
  struct evhttp_request *request = ((struct call *)context)->request;
  return request ? tuile_evhttp_add_header(evhttp_request_get_output_headers(request), name, value) : TUILE_OK;
}

static void answer(struct visit *visit) {
  struct call *call = (struct call *)visit;
  struct evbuffer *body = call->request ? evbuffer_new() : NULL;
  if (body) {
    evhttp_connection_set_closecb(evhttp_request_get_connection(call->request), NULL, NULL);
    evbuffer_add(body, visit->body, strlen(visit->body));
    evhttp_send_reply(call->request, visit->status, NULL, body);
    evbuffer_free(body);
  }
  visit_end(visit);
  free(call);
}

static void requested(struct evhttp_request *request, void *app) {
  struct call *call = calloc(1, sizeof *call);
  tuile_error error;
  if (!call) return evhttp_send_error(request, 503, NULL);
  call->request = request;
  call->visit = (struct visit){.app = app, .add_header = add_header, .headers = call, .answer = answer};
  if (tuile_evhttp_start(call->visit.app->manager, request, &call->visit.session, &error) != TUILE_OK) {
    free(call);
    return evhttp_send_error(request, 503, NULL);
  }
  evhttp_connection_set_closecb(evhttp_request_get_connection(request), closed, call);
  const char *path = evhttp_uri_get_path(evhttp_request_get_evhttp_uri(request));
  visit_begin(&call->visit, path && *path ? path : "/");
}

static void complete(evutil_socket_t descriptor, short events, void *app) {
  (void)descriptor, (void)events;
  (void)tuile_queue_run(((struct app *)app)->queue, NULL);
}

static void stop(evutil_socket_t signal, short events, void *base) {
  (void)signal, (void)events;
  event_base_loopbreak(base);
}

int main(int argc, char **argv) {
  struct app app;
  if (!app_open(&app, argc, argv)) return 1;
  int listening = listen_here(&app.port);
  struct event_base *base = event_base_new();
  struct evhttp *http = base ? evhttp_new(base) : NULL;
  if (listening < 0 || !http || evhttp_accept_socket(http, listening) != 0) return 1;
  struct event *completions = event_new(base, tuile_queue_fd(app.queue), EV_READ | EV_PERSIST, complete, &app);
  struct event *signals[2] = {evsignal_new(base, SIGTERM, stop, base), evsignal_new(base, SIGINT, stop, base)};
  event_add(completions, NULL);
  for (int i = 0; i < 2; i++) event_add(signals[i], NULL);
  evhttp_set_gencb(http, requested, &app);
  app_listens(app.port);
  event_base_dispatch(base);
  event_free(completions);
  app_close(&app);
  for (int i = 0; i < 2; i++) event_free(signals[i]);
  evhttp_free(http);
  event_base_free(base);
  libevent_global_shutdown();
  return 0;
}
