/* soup_count - a page that counts its visits, on GLib's loop and libsoup; loop.h says what it has. */
#include <glib-unix.h>
#include <libsoup/soup.h>

#include "loop.h"

#include <signal.h>
#include <string.h>
#include <tuile_http.h>

struct call {
  struct visit visit;
  SoupServerMessage *message;
  gulong disconnecting;
  gboolean gone;
};

static void disconnected(SoupServerMessage *message, gpointer context) {
  (void)message;
  ((struct call *)context)->gone = TRUE;
}

static void answer(struct visit *visit) {
  struct call *call = (struct call *)visit;
  if (!call->gone) {
    soup_server_message_set_status(call->message, (guint)visit->status, NULL);
    soup_server_message_set_response(call->message, "text/plain", SOUP_MEMORY_COPY, visit->body, strlen(visit->body));
    soup_server_message_unpause(call->message);
  }
  g_signal_handler_disconnect(call->message, call->disconnecting);
  g_object_unref(call->message);
  visit_end(visit);
  g_free(call);
}

static void requested(SoupServer *server, SoupServerMessage *message, const char *path, GHashTable *query, gpointer app) {
  struct call *call = g_new0(struct call, 1);
  tuile_error error;
  (void)server, (void)query;
  call->visit = (struct visit){.app = app, .add_header = tuile_soup_add_header, .answer = answer,
                               .headers = soup_server_message_get_response_headers(message)};
  if (tuile_soup_start(call->visit.app->manager, message, &call->visit.session, &error) != TUILE_OK) {
    soup_server_message_set_status(message, 503, NULL);
    g_free(call);
    return;
  }
  call->message = g_object_ref(message);
  call->disconnecting = g_signal_connect(message, "disconnected", G_CALLBACK(disconnected), call);
  soup_server_message_pause(message);
  visit_begin(&call->visit, path);
}

static gboolean complete(gint descriptor, GIOCondition condition, gpointer app) {
  (void)descriptor, (void)condition;
  (void)tuile_queue_run(((struct app *)app)->queue, NULL);
  return G_SOURCE_CONTINUE;
}

static gboolean stop(gpointer loop) {
  g_main_loop_quit(loop);
  return G_SOURCE_CONTINUE;
}

int main(int argc, char **argv) {
  struct app app;
  GError *error = NULL;
  if (!app_open(&app, argc, argv)) return 1;
  GMainLoop *loop = g_main_loop_new(NULL, FALSE);
  SoupServer *server = soup_server_new("server-header", "soup_count", NULL);
  soup_server_add_handler(server, NULL, requested, &app, NULL);
  if (!soup_server_listen_local(server, app.port, SOUP_SERVER_LISTEN_IPV4_ONLY, &error)) {
    g_printerr("soup_count: %s\n", error->message);
    return 1;
  }
  GSList *places = soup_server_get_uris(server);
  guint sources[] = {g_unix_fd_add(tuile_queue_fd(app.queue), G_IO_IN, complete, &app), g_unix_signal_add(SIGTERM, stop, loop),
                     g_unix_signal_add(SIGINT, stop, loop)};
  app_listens(g_uri_get_port(places->data));
  g_slist_free_full(places, (GDestroyNotify)g_uri_unref);
  g_main_loop_run(loop);
  for (guint i = 0; i < G_N_ELEMENTS(sources); i++) g_source_remove(sources[i]);
  app_close(&app);
  soup_server_disconnect(server);
  g_object_unref(server);
  g_main_loop_unref(loop);
  return 0;
}
