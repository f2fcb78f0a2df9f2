/* request.h - what every step of the tutorial shares: a request with its session and its form's fields, and the
 * answer to it. The step's program has `answer` and `settings`; the rest of a server on libmicrohttpd is here. */
#ifndef REQUEST_H
#define REQUEST_H

#include "../server.h"

#include <crypt.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tuile_http.h>

struct request {
  struct MHD_Connection *connection;
  const char *path;
  char url[600]; /* the path, and the session's ID if the URL has one */
  bool is_post, has_id_in_url;
  char body[4096]; /* of a form, as it came */
  size_t size;
  char fields[8][2][256]; /* names and values, decoded */
  tuile_manager *manager;
  tuile_session *session;
  tuile_error error;
  /* The answer. */
  unsigned int status;
  char location[512];
  struct page page;
};

/* The step's own: what the manager is told, and what a request is answered. */
static void settings(tuile_config *config);
static tuile_status answer(struct request *request);

/* A field of the form, or "". */
static inline const char *field(const struct request *request, const char *name) {
  for (int i = 0; i < 8; i++)
    if (strcmp(request->fields[i][0], name) == 0) return request->fields[i][1];
  return "";
}

static inline tuile_bytes header(const struct request *request, const char *name) {
  return tuile_text(MHD_lookup_connection_value(request->connection, MHD_HEADER_KIND, name));
}

static inline tuile_status redirect(struct request *request, const char *to) {
  request->status = MHD_HTTP_SEE_OTHER;
  snprintf(request->location, sizeof request->location, "%s", to);
  return TUILE_OK;
}

static inline bool is(const char *one, const char *other) { return strcmp(one, other) == 0; }

/* Whether this is ada's password. A real program reads hashes from its database. */
static inline bool knows(const char *user, const char *password) {
  static const char hash[] = "$6$tuile$dIQZqzzhz836lv4R16DNCLVFYxgUHtIZnTG1D.50DDpUTJfFYoeK.cQvKIgHNCK.fMsU0gCZKerIeQsXNPKXZ.";
  struct crypt_data *data = calloc(1, sizeof *data);
  const char *made = data ? crypt_r(password, hash, data) : NULL;
  bool right = made && strcmp(made, hash) == 0 && is(user, "ada");
  free(data);
  return right;
}

static enum MHD_Result take_field(void *context, enum MHD_ValueKind kind, const char *key, const char *file, const char *type,
                                  const char *encoding, const char *data, uint64_t offset, size_t size) {
  struct request *request = context;
  (void)kind, (void)file, (void)type, (void)encoding;
  for (int i = 0; i < 8; i++) {
    char *name = request->fields[i][0], *value = request->fields[i][1];
    if (*name && !is(name, key)) continue;
    if (strlen(key) > 255 || offset + size > 255) return MHD_NO; /* one byte is for the NUL */
    snprintf(name, 256, "%s", key);
    memcpy(value + offset, data, size);
    return MHD_YES;
  }
  return MHD_YES;
}

static enum MHD_Result send_answer(struct request *request) {
  for (int attempt = 0; attempt < 2; attempt++) {
    struct MHD_Response *response = MHD_create_response_from_buffer(request->page.size, request->page.text, MHD_RESPMEM_MUST_COPY);
    if (!response) return MHD_NO;
    tuile_status status = tuile_session_commit(request->session, (int32_t)request->status, tuile_mhd_add_header, response, &request->error);
    if (status >= 0 || attempt == 1) {
      MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/html; charset=utf-8");
      MHD_add_response_header(response, "Referrer-Policy", "no-referrer");
      if (request->location[0]) MHD_add_response_header(response, MHD_HTTP_HEADER_LOCATION, request->location);
      enum MHD_Result result = MHD_queue_response(request->connection, request->status, response);
      MHD_destroy_response(response);
      return result;
    }
    /* Nothing was saved: no page may say that it was. */
    fprintf(stderr, "commit: %s\n", request->error.message);
    MHD_destroy_response(response);
    request->status = MHD_HTTP_SERVICE_UNAVAILABLE, request->location[0] = 0, request->page.size = 0;
    put(&request->page, "Please try again.\n");
  }
  return MHD_NO;
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *path, const char *method,
                              const char *version, const char *upload, size_t *upload_size, void **state) {
  struct request *request = *state;
  (void)version;
  if (!request) return (*state = calloc(1, sizeof *request)) ? MHD_YES : MHD_NO; /* the body comes next */
  if (*upload_size > 0) {
    if (*upload_size > sizeof request->body - request->size) return MHD_NO;
    memcpy(request->body + request->size, upload, *upload_size);
    request->size += *upload_size, *upload_size = 0;
    return MHD_YES;
  }
  struct MHD_PostProcessor *form = MHD_create_post_processor(connection, 1024, take_field, request);
  if (form) MHD_post_process(form, request->body, request->size), MHD_destroy_post_processor(form);
  const char *id = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "sid");
  snprintf(request->url, sizeof request->url, "%.400s?sid=%.128s", path, id ? id : "");
  request->has_id_in_url = id != NULL;
  request->connection = connection, request->manager = context, request->path = path, request->is_post = is(method, "POST"), request->status = MHD_HTTP_OK;
  tuile_status status = tuile_session_start(request->manager, header(request, "Cookie"), tuile_text(request->url), &request->session, &request->error);
  if (status != TUILE_OK) return MHD_NO;
  put(&request->page, "<!DOCTYPE html><title>Tutorial</title>\n");
  if (answer(request) < 0) {
    fprintf(stderr, "answer: %s\n", request->error.message);
    request->status = MHD_HTTP_SERVICE_UNAVAILABLE, request->location[0] = 0, request->page.size = 0;
    put(&request->page, "Please try again.\n");
  }
  enum MHD_Result result = send_answer(request);
  tuile_session_end(request->session);
  return result;
}

static void forget(void *context, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode code) {
  struct request *request = *state;
  (void)context, (void)connection, (void)code;
  if (!request) return;
  explicit_bzero(request, sizeof *request); /* it has the password */
  free(request);
}

/* PROGRAM [PORT]: 8000 unless said, 0 takes a free one. */
int main(int argc, char **argv) {
  tuile_error error;
  tuile_manager *manager;
  tuile_config config = TUILE_CONFIG_INIT;
  settings(&config);
  long port = argc > 1 ? number(argv[1], 0, 65535) : 8000;
  if (port < 0) return die("usage: PROGRAM [PORT]", NULL);
  if (tuile_manager_open(&config, &manager, &error) != TUILE_OK) return die("open", error.message);
  int status = serve("127.0.0.1", (uint16_t)port, 2, handle, forget, manager);
  tuile_manager_close(manager);
  return status;
}

#endif
