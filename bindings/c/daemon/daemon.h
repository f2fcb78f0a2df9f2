/* tuile-gate - forward authentication: a proxy asks for each request whether its visitor may pass.
 *
 * What its files share. Who passes is the gate's to say, as in the modules of nginx and Apache. */
#ifndef TUILE_GATE_DAEMON_H
#define TUILE_GATE_DAEMON_H

#include <gate.h>
#include <microhttpd.h>
#include <stdarg.h>

/* ---- log.c ---- */

enum log_level { LOG_OFF, LOG_ERROR, LOG_WARN, LOG_NOTICE, LOG_INFO };

/* A line on standard error, which systemd keeps. */
void log_line(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- words.c: the syntax of the configuration, which is nginx's ---- */

enum { most_words = 64 };

/* A directive: words, and how it ends: ';', '{', '}' (no words) or 0, the file's end. */
struct directive {
  char *words[most_words + 1];
  size_t count;
  char end;
  const char *file;
  unsigned line;
};

struct source {
  const char *file;
  char *at;
  unsigned line;
};

/* Takes the next one, whose words lie in the source's own text. What is wrong, or NULL. */
const char *take_directive(struct source *source, struct directive *directive);

/* ---- config.c ---- */

/* What stands in front: which of a request's headers it has written itself, and what it makes of an answer. */
enum proxy { PROXY_UNSAID, PROXY_NGINX, PROXY_CADDY, PROXY_TRAEFIK, PROXY_HAPROXY, PROXY_ENVOY };

/* What a configuration has allocated, and frees at once. */
struct piece {
  struct piece *next;
};

struct location {
  struct location *next;
  const char *name, *at; /* "/members", and FILE:LINE */
  struct gate_settings settings;
  struct gate *gate;
  bool own_gate;
  struct gate_requirement *require; /* NULL: inherited; no terms: everybody passes */
  struct gate_identity *identity;
  size_t identity_count;
  bool no_identity; /* What is inherited does not count. */
  tuile_bytes login_url, login_parameter, count;
  tuile_bytes *exempt; /* methods that pass, whoever asks */
  size_t exempt_count;
  int unavailable; /* a status; 0: go on without a session; -1: inherited */
  int log_level;   /* -1: inherited */
  enum proxy proxy;
  struct counters *counters;
};

struct address {
  struct address *next;
  const char *text, *at;
  int mode; /* of a unix socket; -1: as the umask has it */
};

struct config {
  struct piece *pieces;
  struct location top, *locations;
  struct address *addresses;
  unsigned connections;
  size_t users; /* requests, and the server itself */
};

/* Reads a file. NULL after it has told what is wrong, and where. */
struct config *config_read(const char *path);
/* Asks every store, as that user if name is not NULL. false after it has told of an error that does not mend itself. */
bool config_check(const struct config *config, const char *name, uid_t uid, gid_t gid);
void config_free(struct config *config);
void *config_keep(struct config *config, size_t size);
/* Tells what is wrong with a directive, and gives false. */
bool config_mistake(const struct directive *directive, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* ---- directives.c ---- */

/* Carries one out, in that location or at the top. false after it has told what is wrong. */
bool directive_apply(struct config *config, struct location *location, const struct directive *directive);

/* ---- original.c: what the visitor has asked the proxy for ---- */

/* Empty: not known. */
struct original {
  tuile_bytes method, scheme, host, page;
};

/* rest: of the URL that the proxy has called, behind the location's name. */
void original_read(struct MHD_Connection *connection, enum proxy proxy, tuile_bytes rest, struct original *original);
/* A header that is there once; empty if it is not, or says several things. */
tuile_bytes header_once(struct MHD_Connection *connection, const char *name);

/* ---- device.c ---- */

tuile_device_request device_request(struct MHD_Connection *connection, tuile_bytes method);
/* The library's answer as it is, or NULL. one_cookie: for nginx, which hands on one Set-Cookie of several: the session's. */
struct MHD_Response *device_response(const tuile_device_answer *answer, const char *reason, bool one_cookie);

/* ---- counters.c ---- */

/* Those of a location of that name, which live on over a reload. */
struct counters *counters_of(const char *name);
void counters_add(struct counters *counters, enum gate_outcome outcome, const char *reason, int64_t microseconds);
void counters_reloaded(bool well);
/* In Prometheus' text format; the caller's, to be freed. */
char *counters_write(size_t *size);

/* ---- serve.c ---- */

/* Answers from now on by that configuration. */
void serve_by(struct config *config);
/* Starts to serve on a socket that listens. */
struct MHD_Daemon *serve_on(int socket, unsigned connections);
/* Requests that are being answered. */
size_t serve_busy(void);
/* From now on every answer ends its connection. */
void serve_drain(void);

/* ---- listen.c ---- */

enum { most_sockets = 16 };

/* systemd's sockets, or those of the configuration. How many; -1 after it has told what is wrong. */
int listen_all(const struct config *config, int sockets[most_sockets]);
/* Whether both name the same addresses. */
bool listen_is_same(const struct config *one, const struct config *other);
/* Removes the paths of unix sockets that it has made. */
void listen_forget(void);
/* Tells systemd, if it started us. */
void listen_notify(const char *state);

#endif
