/* What the examples on event loops share: a page that counts its visits, with its session
 * through a queue, so that the loop never waits for the store.
 *
 *   GET /        the count
 *   GET /about   the same for everybody: the session is not asked for
 *   GET /logout  ends the session
 */
#ifndef LOOP_H
#define LOOP_H

#include <stdbool.h>
#include <stdint.h>
#include <tuile_http.h>

struct app {
  tuile_manager *manager;
  tuile_queue *queue;
  uint16_t port;
};

/* One request, in the server's own struct, until `answer` was called. */
struct visit {
  struct app *app;
  tuile_session *session;
  int status;         /* of HTTP */
  char body[100];
  /* Where the response's headers go, set by the server. */
  tuile_add_header add_header;
  void *headers;
  /* Status, body and headers are complete: the server sends them and calls visit_end. */
  void (*answer)(struct visit *visit);
};

/* Reads the options and opens manager and queue; false after a message. */
bool app_open(struct app *app, int argc, char **argv);
/* Completions that are still to come are called here. */
void app_close(struct app *app);
/* Says where the server listens. */
void app_listens(int port);

/* Goes on with a visit whose session is started: at once, or when the queue is run. */
void visit_begin(struct visit *visit, const char *path);
void visit_end(struct visit *visit);

/* ---- for loops without HTTP: one request a connection ---- */

enum { head_limit = 8192 };

struct exchange {
  struct visit visit;
  char in[head_limit];
  size_t in_size;
  char out[head_limit];
  size_t out_size, sent;
  char headers[4096]; /* those of the session, in `head` */
  tuile_head head;
};

/* Starts the visit once the request's head is complete: 1; 0: more is to be read; -1: it is
 * no request that this server takes. */
int exchange_read(struct exchange *exchange, struct app *app);
/* Writes the response into `out`. */
void exchange_write(struct exchange *exchange);

/* A socket that listens on 127.0.0.1, or -1 after a message; *port gets what it has. */
int listen_here(uint16_t *port);

#endif
