#define _GNU_SOURCE
#include "loop.h"

#include <arpa/inet.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- the page ---- */

static void finish(struct visit *visit, int status, const char *body) {
  visit->status = status;
  snprintf(visit->body, sizeof visit->body, "%s", body);
  visit->answer(visit);
}

/* An outage is no logout: the visitor is asked to come again, with the cookie as it is. */
static void fail(struct visit *visit, const tuile_error *error) {
  fprintf(stderr, "%s\n", error->message);
  finish(visit, 503, "Please try again.\n");
}

static void committed(void *context, tuile_status status, const tuile_error *error) {
  struct visit *visit = context;
  if (status < 0) return fail(visit, error);
  if (status == TUILE_DELETED) return finish(visit, 200, "You have logged out meanwhile.\n");
  visit->answer(visit);
}

/* A page is shown only once its count is kept. */
static void commit(struct visit *visit) {
  tuile_error error;
  visit->status = 200;
  if (tuile_queue_commit(visit->app->queue, visit->session, visit->status, visit->add_header, visit->headers, committed, visit,
                         NULL, &error) != TUILE_OK)
    fail(visit, &error);
}

static void loaded(void *context, tuile_status status, const tuile_error *error) {
  struct visit *visit = context;
  int64_t count = 0;
  tuile_error detail;
  if (status < 0) return fail(visit, error);
  if (tuile_session_add_int(visit->session, TUILE_STR("count"), 1, &count, &detail) != TUILE_OK) return fail(visit, &detail);
  snprintf(visit->body, sizeof visit->body, "%" PRId64 "\n", count);
  commit(visit);
}

static void flushed(void *context, tuile_status status, const tuile_error *error) {
  struct visit *visit = context;
  if (status < 0) return fail(visit, error);
  snprintf(visit->body, sizeof visit->body, "You are logged out.\n");
  commit(visit);
}

void visit_begin(struct visit *visit, const char *path) {
  tuile_error error;
  tuile_status status = TUILE_OK;
  if (strcmp(path, "/about") == 0) {
    snprintf(visit->body, sizeof visit->body, "A page for everybody.\n");
    return commit(visit);
  }
  if (strcmp(path, "/") == 0)
    status = tuile_queue_load(visit->app->queue, visit->session, loaded, visit, NULL, &error);
  else if (strcmp(path, "/logout") == 0)
    status = tuile_queue_flush(visit->app->queue, visit->session, flushed, visit, NULL, &error);
  else
    return finish(visit, 404, "There is no such page.\n");
  if (status != TUILE_OK) fail(visit, &error);
}

void visit_end(struct visit *visit) { tuile_session_end(visit->session); }

/* ---- the program ---- */

bool app_open(struct app *app, int argc, char **argv) {
  tuile_config config = TUILE_CONFIG_INIT;
  tuile_queue_config queue = TUILE_QUEUE_CONFIG_INIT;
  tuile_error error;
  config.store = TUILE_STR("memory:");
  config.secret = tuile_text(getenv("TUILE_SECRET"));
  app->port = 8000;
  for (int i = 1; i < argc; i += 2) {
    if (i + 1 < argc && strcmp(argv[i], "--port") == 0) {
      app->port = (uint16_t)atoi(argv[i + 1]);
    } else if (i + 1 < argc && strcmp(argv[i], "--store") == 0) {
      config.store = tuile_text(argv[i + 1]);
    } else if (i + 1 < argc && strcmp(argv[i], "--deadline") == 0) {
      queue.deadline = (uint32_t)atoi(argv[i + 1]);
    } else {
      fprintf(stderr, "usage: %s [--port N] [--store URL] [--deadline MILLISECONDS]; the secret is TUILE_SECRET\n", argv[0]);
      return false;
    }
  }
  if (tuile_manager_open(&config, &app->manager, &error) != TUILE_OK) {
    fprintf(stderr, "%s: %s\n", argv[0], error.message);
    return false;
  }
  if (tuile_queue_open(app->manager, &queue, &app->queue, &error) == TUILE_OK) return true;
  fprintf(stderr, "%s: %s\n", argv[0], error.message);
  tuile_manager_close(app->manager);
  return false;
}

void app_close(struct app *app) {
  tuile_queue_close(app->queue);
  tuile_manager_close(app->manager);
}

void app_listens(int port) {
  printf("listening on http://127.0.0.1:%d/\n", port);
  fflush(stdout);
}

/* ---- as much of HTTP as the page needs ---- */

int listen_here(uint16_t *port) {
  struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = htons(*port), .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t size = sizeof where;
  int listening = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), yes = 1;
  if (listening >= 0 && setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) == 0 &&
      bind(listening, (struct sockaddr *)&where, sizeof where) == 0 && listen(listening, 128) == 0 &&
      getsockname(listening, (struct sockaddr *)&where, &size) == 0) {
    *port = ntohs(where.sin_port);
    return listening;
  }
  perror("listening");
  if (listening >= 0) close(listening);
  return -1;
}

int exchange_read(struct exchange *exchange, struct app *app) {
  exchange->in[exchange->in_size] = 0;
  char *end = strstr(exchange->in, "\r\n\r\n"), *line = exchange->in, *cookies = "", *path = exchange->in + 4;
  if (!end) return exchange->in_size < head_limit - 1 ? 0 : -1;
  if (strncmp(exchange->in, "GET ", 4) != 0) return -1;
  end[2] = 0;
  while ((line = strstr(line, "\r\n")) != NULL) {
    *line = 0;
    line += 2;
    if (strncasecmp(line, "Cookie:", 7) == 0) cookies = line + 7 + strspn(line + 7, " \t");
  }
  path[strcspn(path, " ")] = 0;
  struct visit *visit = &exchange->visit;
  tuile_error error;
  visit->app = app;
  visit->add_header = tuile_head_add_header;
  visit->headers = &exchange->head;
  exchange->head = (tuile_head){exchange->headers, 0, sizeof exchange->headers};
  if (tuile_session_start(app->manager, tuile_text(cookies), tuile_text(NULL), &visit->session, &error) != TUILE_OK) return -1;
  visit_begin(visit, path);
  return 1;
}

void exchange_write(struct exchange *exchange) {
  const struct visit *visit = &exchange->visit;
  int size = snprintf(exchange->out, sizeof exchange->out,
                      "HTTP/1.1 %d %s\r\nContent-Type: text/plain\r\nContent-Length: %zu\r\nConnection: close\r\n%.*s\r\n%s",
                      visit->status, visit->status == 200 ? "OK" : visit->status == 404 ? "Not Found" : "Service Unavailable",
                      strlen(visit->body), (int)exchange->head.size, exchange->head.text, visit->body);
  exchange->out_size = (size_t)size;
}
