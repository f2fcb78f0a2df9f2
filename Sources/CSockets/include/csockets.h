/* Connections with deadlines, in plain text and with TLS, as the modules for servers have
 * them. Private to the modules. */
#ifndef CSOCKETS_H
#define CSOCKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How a call ended. */
typedef enum cs_result {
  CS_OK,
  CS_TIMED_OUT,
  CS_CLOSED,   /* refused, reset or at its end */
  CS_PROTOCOL, /* no answer of such a server */
  CS_LIMIT,    /* an answer that is too large, of too many parts, or too deep */
  CS_MEMORY
} cs_result;

enum { CS_WHY = 128 /* room for a message */ };

/* ---- time (wait.c) ---- */

/* Milliseconds on a clock that nobody sets. */
int64_t cs_now(void);
/* Until poll() finds one of the events, or the deadline is over. */
cs_result cs_wait(int descriptor, short events, int64_t deadline);

/* ---- names (resolve.c) ---- */

struct addrinfo;
/* The addresses of a host, a name or a number, within the deadline: the
 * system's resolver knows none. The caller frees them with freeaddrinfo. */
cs_result cs_resolve(const char *host, int port, int64_t deadline, struct addrinfo **out);

/* ---- TLS (tls.c) ---- */

typedef struct cs_tls cs_tls;
struct ssl_st;

/* `ca`: a file or folder of certificates in place of the system's; `certificate`
 * and `key`: the client's own; all may be NULL. NULL and a message on failure. */
cs_tls *cs_tls_new(const char *ca, const char *certificate, const char *key, bool verify, char why[CS_WHY]);
void cs_tls_free(cs_tls *tls);
/* Shakes hands over a connected socket, checking that the certificate is for `name`. */
cs_result cs_tls_connect(cs_tls *tls, int socket, const char *name, int64_t deadline, struct ssl_st **out, char why[CS_WHY]);
/* Both as send and recv: -1 with errno EAGAIN when they would wait, and then
 * *events is what to poll for. */
ptrdiff_t cs_tls_send(struct ssl_st *ssl, const void *data, size_t size, short *events);
ptrdiff_t cs_tls_receive(struct ssl_st *ssl, void *data, size_t size, short *events);
bool cs_tls_has_unread(struct ssl_st *ssl);
/* Ends politely with one attempt at a farewell, which never waits. */
void cs_tls_close(struct ssl_st *ssl);

/* ---- connections (stream.c) ---- */

typedef struct cs_stream {
  int socket;
  struct ssl_st *ssl; /* NULL: no TLS */
} cs_stream;

/* Where to: `path`, a unix socket, or else `host`; with TLS unless `tls` is NULL, for `name`. */
typedef struct cs_address {
  const char *path;
  const char *host;
  int port;
  cs_tls *tls;
  const char *name;
} cs_address;

/* On CS_CLOSED a message that has neither address nor secret. */
cs_result cs_open(cs_stream *stream, const cs_address *to, int64_t deadline, char why[CS_WHY]);
void cs_close(cs_stream *stream);
/* In a child of fork(): closes the descriptor and sends nothing. What OpenSSL has
 * stays allocated, since its locks may have been held when the parent forked. */
void cs_abandon(cs_stream *stream);
/* Open, and nothing is unread. */
bool cs_is_quiet(cs_stream *stream);
/* All of it. */
cs_result cs_send(cs_stream *stream, const void *data, size_t size, int64_t deadline);
/* What has come, 1 to `room` bytes. `wait_first`: nothing can be there yet. */
cs_result cs_receive(cs_stream *stream, void *data, size_t room, int64_t deadline, bool wait_first, size_t *got);

#endif
