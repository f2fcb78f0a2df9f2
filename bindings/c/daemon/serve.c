/* Answers proxies: one thread a connection, since a store may keep it waiting. */
#include "daemon.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "../tuile_http.h"

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct config *current;
static atomic_size_t busy;
static atomic_bool draining;

/* ---- the configuration that counts now ---- */

static struct config *take_config(void) {
  pthread_mutex_lock(&mutex);
  struct config *config = current;
  config->users++;
  pthread_mutex_unlock(&mutex);
  return config;
}

static void give_back(struct config *config) {
  pthread_mutex_lock(&mutex);
  bool last = --config->users == 0;
  pthread_mutex_unlock(&mutex);
  if (last) config_free(config);
}

void serve_by(struct config *config) {
  pthread_mutex_lock(&mutex);
  struct config *before = current;
  current = config;
  config->users = 1;
  pthread_mutex_unlock(&mutex);
  if (before) give_back(before);
}

size_t serve_busy(void) { return atomic_load(&busy); }

void serve_drain(void) { atomic_store(&draining, true); }

/* ---- a request ---- */

struct request {
  struct MHD_Connection *connection;
  const struct location *location;
  tuile_bytes cookie;
  char *cookies; /* several, joined */
  struct original original;
  struct gate_visit visit;
  char *uri; /* as it was sent, until the answer */
  tuile_bytes page; /* that loads again by itself; the visit's */
  tuile_device_answer whole; /* the response as it is, if it has a status; the visit's */
  bool seen;
};

static enum MHD_Result add_cookie(void *data, enum MHD_ValueKind kind, const char *name, const char *value) {
  struct request *request = data;
  (void)kind;
  if (!value || strcasecmp(name, "Cookie") != 0) return MHD_YES;
  if (!request->cookie.data) return request->cookie = tuile_text(value), MHD_YES;
  size_t size = request->cookie.size + strlen(value) + 3;
  char *joined = malloc(size);
  if (!joined) return MHD_NO;
  request->cookie.size = (size_t)snprintf(joined, size, "%.*s; %s", (int)request->cookie.size, (const char *)request->cookie.data, value);
  request->cookie.data = joined;
  free(request->cookies);
  request->cookies = joined;
  return MHD_YES;
}

/* ---- the answer ---- */

static struct MHD_Response *make_response(tuile_bytes page) {
  struct MHD_Response *response = MHD_create_response_from_buffer(page.size, (void *)page.data, MHD_RESPMEM_MUST_COPY);
  if (!response) return NULL;
  MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
  if (atomic_load(&draining)) MHD_add_response_header(response, MHD_HTTP_HEADER_CONNECTION, "close");
  return response;
}

static struct MHD_Response *empty_response(void) { return make_response(TUILE_STR("")); }

/* Loads the page again. Browsers do that for none that is empty. */
static struct MHD_Response *reloading_response(tuile_bytes page) {
  struct MHD_Response *response = make_response(page);
  if (response && MHD_add_response_header(response, "Refresh", "0") == MHD_YES &&
      MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/html; charset=utf-8") == MHD_YES)
    return response;
  if (response) MHD_destroy_response(response);
  return NULL;
}

static enum MHD_Result send_response(struct MHD_Connection *connection, unsigned status, struct MHD_Response *response) {
  if (!response) return MHD_NO;
  enum MHD_Result result = MHD_queue_response(connection, status, response);
  MHD_destroy_response(response);
  return result;
}

static enum MHD_Result send_text(struct MHD_Connection *connection, unsigned status, const char *type, char *text, size_t size,
                                 enum MHD_ResponseMemoryMode memory) {
  struct MHD_Response *response = text ? MHD_create_response_from_buffer(size, text, memory) : NULL;
  if (response) MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, type);
  return send_response(connection, status, response);
}

/* Each of them is in the answer, so that a proxy writes it over what the client says: with
 * nothing in it, which libmicrohttpd takes as a blank, where there is no such value. */
static bool add_identity(struct request *request, struct MHD_Response *response) {
  for (size_t i = 0; i < request->location->identity_count; i++) {
    const struct gate_identity *each = &request->location->identity[i];
    tuile_bytes text = {NULL, 0};
    if (gate_text(&request->visit, each->key, &text) != TUILE_OK) text.size = 0;
    char *value = text.size > 0 ? strndup(text.data, text.size) : strdup(" ");
    bool added = value && MHD_add_response_header(response, each->name.data, value) == MHD_YES;
    free(value);
    if (!added) return false;
  }
  return true;
}

static bool add_written(struct request *request, struct MHD_Response *response) {
  for (struct gate_header *header = request->visit.headers; header; header = header->next) {
    if (strcasecmp(header->name, "Cache-Control") == 0) continue; /* no-store is there */
    if (MHD_add_response_header(response, header->name, header->value) != MHD_YES) return false;
  }
  return true;
}

/* For Traefik, which takes a Location for one of this server's: a URL of the visitor's site. */
static char *make_absolute(const struct original *original, const char *path) {
  size_t size = original->scheme.size + original->host.size + strlen(path) + 4;
  char *url = malloc(size);
  if (url)
    snprintf(url, size, "%.*s://%.*s%s", (int)original->scheme.size, (const char *)original->scheme.data, (int)original->host.size,
             (const char *)original->host.data, path);
  return url;
}

/* The login's URL with the way back, to be freed, or NULL. */
static char *login_of(struct request *request) {
  const struct location *location = request->location;
  const struct original *original = &request->original;
  struct gate_way way = {.login = location->login_url, .parameter = location->login_parameter, .page = original->page,
                         .scheme = original->scheme, .host = original->host};
  size_t size = 0;
  bool is_elsewhere = *(const char *)way.login.data != '/';
  /* A login elsewhere is told the whole URL, or nothing. */
  if (is_elsewhere && (way.scheme.size == 0 || way.host.size == 0)) way.page.size = 0;
  gate_login(&way, NULL, 0, &size);
  char *url = calloc(1, size + 1);
  if (!url || gate_login(&way, url, size, NULL) != TUILE_OK) return free(url), NULL;
  if (location->proxy != PROXY_TRAEFIK || is_elsewhere) return url;
  char *absolute = original->scheme.size > 0 && original->host.size > 0 ? make_absolute(original, url) : NULL;
  free(url);
  return absolute;
}

/* A person's page, whose visitor can be sent to a login. */
static bool is_navigation(struct request *request) {
  struct gate_kind kind = {header_once(request->connection, "Sec-Fetch-Mode"), header_once(request->connection, "X-Requested-With"),
                           header_once(request->connection, "Accept")};
  return gate_is_navigation(&kind);
}

static bool may_reload(struct request *request, tuile_device_answer *answer) {
  tuile_device_request asked = device_request(request->connection, request->original.method);
  return gate_may_reload(&request->visit, &asked, answer);
}

static bool is_exempt(const struct request *request) {
  tuile_bytes method = request->original.method;
  for (size_t i = 0; i < request->location->exempt_count; i++) {
    tuile_bytes each = request->location->exempt[i];
    if (method.size > 0 && each.size == method.size && memcmp(each.data, method.data, each.size) == 0) return true;
  }
  return false;
}

static void explain(struct request *request, tuile_status status, const tuile_error *error) {
  enum log_level level = request->visit.state == GATE_AWAY ? LOG_ERROR : LOG_WARN, chosen = (enum log_level)request->location->log_level;
  if (status == TUILE_OK || chosen == LOG_OFF) return;
  if (level == LOG_WARN) level = chosen;
  log_line(level, "%s: %s: %s", request->location->name, tuile_status_name(status), error->message);
}

/* What the answer is; *login gets the login's URL, to be freed. */
static enum gate_outcome decide(struct request *request, char **login) {
  const struct location *location = request->location;
  struct gate_visit *visit = &request->visit;
  tuile_error error = {.status = TUILE_OK};
  tuile_device_request asked = device_request(request->connection, request->original.method);
  if (!visit->gate->binds && is_exempt(request)) return GATE_OUTCOME_PASS;
  visit->offers = visit->gate->binds && gate_is_page(&asked);
  if (gate_has_cookie(visit->gate, request->cookie)) explain(request, gate_read(visit, request->cookie, &error), &error);
  if (gate_refuses(visit, &asked, &request->whole)) return gate_outcome_of(request->whole.http_status);
  if (visit->gate->binds && is_exempt(request)) return visit->state == GATE_AWAY ? GATE_OUTCOME_UNAVAILABLE : GATE_OUTCOME_PASS;
  if (location->require && location->require->count > 0) {
    enum gate_answer answer = gate_decide(visit, location->require);
    if (answer == GATE_UNAVAILABLE) return GATE_OUTCOME_UNAVAILABLE;
    if (answer == GATE_FORBIDDEN) return GATE_OUTCOME_FORBIDDEN;
    if (answer == GATE_UNKNOWN) {
      tuile_device_answer again = TUILE_DEVICE_ANSWER_INIT;
      if (may_reload(request, &again)) return request->page = again.body, GATE_OUTCOME_UNAUTHORIZED;
      if (location->login_url.size == 0) return GATE_OUTCOME_UNAUTHORIZED;
      enum gate_place where = gate_place_of(location->login_url, request->original.page, request->original.host);
      if (where == GATE_LOOPS)
        log_line(LOG_ERROR, "%s: tuile_login_url is required to log in for: name it by its path, or let everybody pass there", location->name);
      if (where != GATE_AT_LOGIN) {
        if (where != GATE_LOOPS && is_navigation(request)) *login = login_of(request);
        return *login ? GATE_OUTCOME_LOGIN : GATE_OUTCOME_UNAUTHORIZED;
      }
    }
  }
  if (gate_has_to_write(visit, location->count)) explain(request, gate_write(visit, request->cookie, location->count, &error), &error);
  return visit->state == GATE_AWAY && location->unavailable != 0 ? GATE_OUTCOME_UNAVAILABLE : GATE_OUTCOME_PASS;
}

static enum MHD_Result give(struct request *request, enum gate_outcome answer, const char *login) {
  const struct location *location = request->location;
  if (request->whole.http_status != 0) {
    bool by_nginx = location->proxy == PROXY_NGINX, is_bad = request->whole.http_status == MHD_HTTP_BAD_REQUEST;
    /* nginx takes no other answer than 401 and 403. */
    return send_response(request->connection, by_nginx && is_bad ? MHD_HTTP_FORBIDDEN : (unsigned)request->whole.http_status,
                         device_response(&request->whole, request->visit.reason, by_nginx));
  }
  struct MHD_Response *response = request->page.size > 0 ? reloading_response(request->page) : empty_response();
  unsigned status = MHD_HTTP_OK;
  bool well = response != NULL;
  switch (answer) {
    case GATE_OUTCOME_PASS: well = well && add_identity(request, response) && add_written(request, response); break;
    case GATE_OUTCOME_FORBIDDEN: status = MHD_HTTP_FORBIDDEN; break;
    case GATE_OUTCOME_UNAVAILABLE: status = location->unavailable != 0 ? (unsigned)location->unavailable : MHD_HTTP_SERVICE_UNAVAILABLE; break;
    case GATE_OUTCOME_LOGIN:
      status = location->proxy == PROXY_NGINX ? MHD_HTTP_UNAUTHORIZED : MHD_HTTP_FOUND; /* nginx takes no 302 */
      well = well && MHD_add_response_header(response, status == MHD_HTTP_FOUND ? "Location" : "X-Login-URL", login) == MHD_YES;
      break;
    default: status = MHD_HTTP_UNAUTHORIZED;
  }
  if (well && status == MHD_HTTP_UNAUTHORIZED)
    well = MHD_add_response_header(response, MHD_HTTP_HEADER_WWW_AUTHENTICATE, "Cookie realm=\"session\"") == MHD_YES;
  if (well) well = MHD_add_response_header(response, "X-Tuile-Status", request->visit.reason ? request->visit.reason : "unread") == MHD_YES;
  if (!well) { /* Nothing half: no memory, or a value that no header can hold. */
    if (response) MHD_destroy_response(response);
    return send_response(request->connection, MHD_HTTP_INTERNAL_SERVER_ERROR, empty_response());
  }
  return send_response(request->connection, status, response);
}

/* The location of that name, and what stands behind it. */
static const struct location *find(const struct config *config, const char *uri, tuile_bytes *rest) {
  for (const struct location *each = config->locations; each; each = each->next) {
    size_t size = strlen(each->name);
    if (strncmp(uri, each->name, size) != 0 || (uri[size] && uri[size] != '/' && uri[size] != '?')) continue;
    *rest = tuile_text(uri + size);
    /* Envoy puts the visitor's own path there, nobody else anything. */
    if (each->proxy == PROXY_ENVOY ? uri[size] == '?' : uri[size] == '/') return NULL;
    return each;
  }
  return NULL;
}

/* Whose browsers register and refresh there; their proxy hands those requests on. */
static struct gate *find_endpoint(const struct config *config, const char *uri) {
  tuile_bytes path = {uri, strcspn(uri, "?")};
  for (const struct location *each = config->locations; each; each = each->next)
    if (gate_is_endpoint(each->gate, path)) return each->gate;
  return NULL;
}

static enum MHD_Result answer_device(struct request *request, struct gate *gate) {
  tuile_error error;
  request->visit = (struct gate_visit){.gate = gate};
  MHD_get_connection_values(request->connection, MHD_HEADER_KIND, add_cookie, request);
  tuile_device_request asked = device_request(request->connection, request->original.method);
  tuile_status status = gate_answer_device(&request->visit, request->cookie, &asked, &request->whole, &error);
  if (status != TUILE_OK) log_line(LOG_ERROR, "%s: %s", tuile_status_name(status), error.message);
  struct MHD_Response *response = status == TUILE_OK ? device_response(&request->whole, NULL, false) : empty_response();
  unsigned said = status == TUILE_OK ? (unsigned)request->whole.http_status : MHD_HTTP_SERVICE_UNAVAILABLE; /* The browser comes again. */
  enum MHD_Result result = send_response(request->connection, said, response);
  gate_leave(&request->visit);
  return result;
}

static enum MHD_Result answer(struct request *request) {
  tuile_bytes rest = {NULL, 0};
  char *login = NULL;
  int64_t began = gate_now();
  struct config *config = take_config();
  tuile_device_answer_init(&request->whole, sizeof request->whole);
  struct gate *endpoint = find_endpoint(config, request->uri);
  if (endpoint) {
    enum MHD_Result given = answer_device(request, endpoint);
    give_back(config);
    return given;
  }
  request->location = find(config, request->uri, &rest);
  if (!request->location) {
    give_back(config);
    return send_response(request->connection, MHD_HTTP_NOT_FOUND, empty_response());
  }
  request->visit = (struct gate_visit){.gate = request->location->gate};
  tuile_bytes method = request->original.method;
  original_read(request->connection, request->location->proxy, rest, &request->original);
  if (request->location->proxy == PROXY_ENVOY) request->original.method = method; /* which it hands on */
  MHD_get_connection_values(request->connection, MHD_HEADER_KIND, add_cookie, request);
  enum gate_outcome answered = decide(request, &login);
  enum MHD_Result result = give(request, answered, login);
  counters_add(request->location->counters, answered, request->visit.reason, gate_now() - began);
  gate_leave(&request->visit);
  free(login);
  give_back(config);
  return result;
}

/* ---- libmicrohttpd ---- */

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *upload, size_t *upload_size, void **data) {
  struct request *request = *data;
  (void)context, (void)version, (void)upload, (void)url;
  if (!request) return MHD_NO;
  if (!request->seen) return request->seen = true, MHD_YES;
  if (*upload_size > 0) return *upload_size = 0, MHD_YES; /* a body, of no use here */
  request->connection = connection;
  request->original.method = tuile_text(method);
  if (strcmp(request->uri, "/healthz") == 0) {
    bool ends = atomic_load(&draining);
    char *text = ends ? "draining\n" : "ok\n";
    return send_text(connection, ends ? MHD_HTTP_SERVICE_UNAVAILABLE : MHD_HTTP_OK, "text/plain", text, strlen(text), MHD_RESPMEM_PERSISTENT);
  }
  if (strcmp(request->uri, "/metrics") == 0) {
    size_t size = 0;
    char *text = counters_write(&size);
    return send_text(connection, MHD_HTTP_OK, "text/plain; version=0.0.4; charset=utf-8", text, size, MHD_RESPMEM_MUST_FREE);
  }
  return answer(request);
}

/* The first that is known of a request: its target as it was sent, not decoded. */
static void *begin(void *context, const char *uri, struct MHD_Connection *connection) {
  struct request *request = calloc(1, sizeof *request);
  (void)context, (void)connection;
  if (!request || !(request->uri = strdup(uri))) return free(request), NULL;
  atomic_fetch_add(&busy, 1);
  return request;
}

static void end(void *context, struct MHD_Connection *connection, void **data, enum MHD_RequestTerminationCode code) {
  struct request *request = *data;
  (void)context, (void)connection, (void)code;
  if (!request) return;
  free(request->cookies);
  free(request->uri);
  free(request);
  *data = NULL;
  atomic_fetch_sub(&busy, 1);
}

struct MHD_Daemon *serve_on(int socket, unsigned connections) {
  unsigned flags = MHD_USE_INTERNAL_POLLING_THREAD | MHD_USE_THREAD_PER_CONNECTION | MHD_USE_POLL | MHD_USE_ITC;
  return MHD_start_daemon(flags, 0, NULL, NULL, handle, NULL, MHD_OPTION_LISTEN_SOCKET, socket, MHD_OPTION_CONNECTION_LIMIT, connections,
                          MHD_OPTION_CONNECTION_TIMEOUT, 75u, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)96 << 10,
                          MHD_OPTION_THREAD_STACK_SIZE, (size_t)512 << 10, MHD_OPTION_STRICT_FOR_CLIENT, 1,
                          MHD_OPTION_URI_LOG_CALLBACK, begin, NULL, MHD_OPTION_NOTIFY_COMPLETED, end, NULL, MHD_OPTION_END);
}
