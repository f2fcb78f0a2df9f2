/* login - a login as it should be: the form carries Django's CSRF token, and in a signed
 * hidden field the page to come back to; the session gets a new key; the logout ends it.
 *
 *   GET /, /private          who is logged in; /private is for them alone
 *   GET, POST /login         the form; ?next=/private comes back there
 *   POST /logout
 */
#define _GNU_SOURCE

#include "server.h"

#include <crypt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tuile_http.h>

static const char usage[] =
    "usage: login --user-file FILE [--port N] [--store URL] [--secret-file FILE]\n"
    "  --user-file FILE    its first line is NAME:HASH, where `openssl passwd -6` makes the HASH\n"
    "  --port N            8000; 0 takes a free one\n"
    "  --store URL         memory:, or sqlite:///absolute/path\n"
    "  --secret-file FILE  the secret is its first line; else LOGIN_SECRET is used\n";

struct application {
  tuile_manager *manager;
  tuile_signer *forms;
  char user[64];
  char hash[256];
};

/* A request's body is kept whole: forms are small. */
struct body {
  char bytes[4096];
  size_t size;
  bool too_large;
  char name[64], password[256], token[80]; /* its fields */
};

struct answer {
  unsigned int status;
  char location[512]; /* for a redirect */
  char csrf_secret[33]; /* for a new cookie */
  struct page page;
};

/* ---- CSRF ---- */

static tuile_bytes csrf_cookie(struct MHD_Connection *connection) {
  tuile_bytes value = {NULL, 0};
  tuile_bytes header = tuile_text(MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_COOKIE));
  tuile_cookie_get(header, TUILE_STR("csrftoken"), TUILE_MATCH_LAST, &value);
  return value;
}

static bool is_forged(struct MHD_Connection *connection, const struct body *body) {
  tuile_csrf_request request = TUILE_CSRF_REQUEST_INIT;
  request.method = TUILE_STR("POST");
  request.host = tuile_text(MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_HOST));
  request.origin = tuile_text(MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Origin"));
  request.cookie = csrf_cookie(connection);
  request.token = tuile_text(body->token);
  return tuile_csrf_verify(&request, NULL, NULL) != TUILE_OK;
}

/* The form's token, from the cookie's secret or a new one. */
static tuile_status put_csrf_field(struct answer *answer, struct MHD_Connection *connection) {
  char token[64];
  size_t size;
  if (tuile_csrf_token(csrf_cookie(connection), token, sizeof token, &size, NULL) != TUILE_OK) {
    if (tuile_csrf_secret(answer->csrf_secret, sizeof answer->csrf_secret - 1, NULL, NULL) != TUILE_OK) return TUILE_E_RANDOM;
    if (tuile_csrf_token(tuile_text(answer->csrf_secret), token, sizeof token, &size, NULL) != TUILE_OK)
      return TUILE_E_RANDOM;
  }
  put(&answer->page, "<input type=\"hidden\" name=\"csrfmiddlewaretoken\" value=\"%.*s\">", (int)size, token);
  return TUILE_OK;
}

/* ---- pages ---- */

static void redirect(struct answer *answer, tuile_bytes location) {
  answer->status = MHD_HTTP_SEE_OTHER;
  snprintf(answer->location, sizeof answer->location, "%.*s", (int)location.size, (const char *)location.data);
}

static void say(struct answer *answer, unsigned int status, const char *text) {
  answer->status = status;
  answer->page.size = 0;
  put(&answer->page, "<!DOCTYPE html>\n<title>Login</title>\n<p>%s</p>\n", text);
}

static tuile_hidden_field next_field(tuile_session *session) {
  tuile_hidden_field field = TUILE_HIDDEN_FIELD_INIT;
  field.name = TUILE_STR("next"), field.form = TUILE_STR("login");
  tuile_session_id(session, &field.session_id); /* a new visitor has none */
  return field;
}

static tuile_status show_form(struct application *application, struct answer *answer, struct MHD_Connection *connection,
                              tuile_session *session, const char *said) {
  char html[2048];
  size_t size;
  const char *next = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "next");
  if (!tuile_is_local_page(tuile_text(next))) next = "/";
  tuile_hidden_field field = next_field(session);
  tuile_status status = tuile_hidden_field_write(application->forms, (field.value = tuile_text(next), field.now = TUILE_UNSET, &field), html, sizeof html, &size, NULL);
  if (status != TUILE_OK) return say(answer, MHD_HTTP_BAD_REQUEST, "That page can't be come back to."), TUILE_OK;
  say(answer, MHD_HTTP_OK, said);
  put(&answer->page, "<form method=\"post\" action=\"/login\">%.*s", (int)size, html);
  status = put_csrf_field(answer, connection);
  put(&answer->page, "<input name=\"name\"><input name=\"password\" type=\"password\"><button>Log in</button></form>\n");
  return status;
}

static bool knows(const struct application *application, const struct body *body) {
  struct crypt_data *data = calloc(1, sizeof *data);
  if (!data) return false;
  const char *hash = crypt_r(body->password, application->hash, data);
  bool right = hash && strlen(hash) == strlen(application->hash);
  unsigned char difference = 0;
  for (size_t i = 0; right && hash[i]; i++) difference |= (unsigned char)(hash[i] ^ application->hash[i]);
  explicit_bzero(data, sizeof *data);
  free(data);
  return right && difference == 0 && strcmp(body->name, application->user) == 0;
}

static tuile_status log_in(struct application *application, struct answer *answer, struct MHD_Connection *connection,
                           tuile_session *session, const struct body *body, tuile_error *error) {
  char next[512];
  size_t size;
  tuile_hidden_field field = next_field(session);
  tuile_bytes whole = {body->bytes, body->size};
  tuile_status status =
      tuile_hidden_field_read(application->forms, (field.body = whole, field.max_age = 3600, field.now = TUILE_UNSET, &field), next, sizeof next, &size, NULL);
  if (status != TUILE_OK) return show_form(application, answer, connection, session, "The form is too old: once more.");
  if (!knows(application, body)) return show_form(application, answer, connection, session, "No such user or password.");
  /* A key that was known before the login is worth nothing after it. */
  status = tuile_session_cycle_id(session, error);
  if (status == TUILE_OK) status = tuile_session_set_string(session, TUILE_STR("user"), tuile_text(body->name), error);
  if (status == TUILE_OK) redirect(answer, (tuile_bytes){next, size});
  return status;
}

static tuile_status show(struct answer *answer, struct MHD_Connection *connection, const char *path,
                         tuile_session *session, tuile_error *error) {
  tuile_bytes user;
  tuile_status status = tuile_session_get_string(session, TUILE_STR("user"), &user, error);
  if (status < 0) return status;
  bool known = status == TUILE_OK;
  if (!known && strcmp(path, "/private") == 0) return redirect(answer, TUILE_STR("/login?next=/private")), TUILE_OK;
  say(answer, MHD_HTTP_OK, known ? "Hello" : "You are a guest. <a href=\"/login\">Log in</a>");
  if (!known) return TUILE_OK;
  put_escaped(&answer->page, user);
  put(&answer->page, "<form method=\"post\" action=\"/logout\">");
  status = put_csrf_field(answer, connection);
  put(&answer->page, "<button>Log out</button></form>\n");
  return status;
}

static tuile_status run(struct application *application, struct answer *answer, struct MHD_Connection *connection,
                        const char *method, const char *path, const struct body *body, tuile_session *session,
                        tuile_error *error) {
  bool posted = strcmp(method, "POST") == 0;
  if (posted && body->too_large) return say(answer, MHD_HTTP_CONTENT_TOO_LARGE, "Too much."), TUILE_OK;
  if (posted && is_forged(connection, body)) return say(answer, MHD_HTTP_FORBIDDEN, "That did not come from our form."), TUILE_OK;
  if (strcmp(path, "/login") == 0)
    return posted ? log_in(application, answer, connection, session, body, error)
                  : show_form(application, answer, connection, session, "Who are you?");
  if (posted && strcmp(path, "/logout") == 0) return redirect(answer, TUILE_STR("/")), tuile_session_flush(session, error);
  if (!posted && (strcmp(path, "/") == 0 || strcmp(path, "/private") == 0)) return show(answer, connection, path, session, error);
  return say(answer, MHD_HTTP_NOT_FOUND, "There is no such page."), TUILE_OK;
}

/* ---- one request ---- */

static enum MHD_Result set_csrf_cookie(struct MHD_Response *response, const char *secret) {
  char value[256];
  size_t size;
  tuile_set_cookie cookie = TUILE_SET_COOKIE_INIT;
  cookie.name = TUILE_STR("csrftoken"), cookie.value = tuile_text(secret);
  cookie.max_age = 31449600, cookie.same_site = TUILE_SAME_SITE_LAX;
  if (tuile_set_cookie_write(&cookie, value, sizeof value - 1, &size, NULL) != TUILE_OK) return MHD_NO;
  value[size] = 0;
  return MHD_add_response_header(response, MHD_HTTP_HEADER_SET_COOKIE, value);
}

static struct MHD_Response *make_response(struct answer *answer, tuile_session *session, tuile_status *status,
                                          tuile_error *error) {
  struct MHD_Response *response =
      MHD_create_response_from_buffer(answer->page.size, answer->page.text, MHD_RESPMEM_MUST_COPY);
  if (!response) return NULL;
  *status = tuile_session_commit(session, (int32_t)answer->status, tuile_mhd_add_header, response, error);
  MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/html; charset=utf-8");
  if (answer->location[0]) MHD_add_response_header(response, MHD_HTTP_HEADER_LOCATION, answer->location);
  if (answer->csrf_secret[0]) set_csrf_cookie(response, answer->csrf_secret);
  return response;
}

static enum MHD_Result send_answer(struct MHD_Connection *connection, struct answer *answer, tuile_session *session) {
  tuile_error error;
  tuile_status status = TUILE_OK;
  struct MHD_Response *response = make_response(answer, session, &status, &error);
  if (response && status < 0 && answer->status < 500) {
    fprintf(stderr, "login: %s\n", error.message);
    MHD_destroy_response(response);
    *answer = (struct answer){0};
    say(answer, MHD_HTTP_SERVICE_UNAVAILABLE, "Please try again.");
    response = make_response(answer, session, &status, &error);
  }
  if (!response) return MHD_NO;
  enum MHD_Result result = MHD_queue_response(connection, answer->status, response);
  MHD_destroy_response(response);
  return result;
}

static enum MHD_Result take_field(void *context, enum MHD_ValueKind kind, const char *key, const char *file,
                                  const char *type, const char *encoding, const char *data, uint64_t offset, size_t size) {
  struct body *body = context;
  struct { const char *name; char *place; size_t capacity; } fields[] = {
      {"name", body->name, sizeof body->name},
      {"password", body->password, sizeof body->password},
      {"csrfmiddlewaretoken", body->token, sizeof body->token}};
  (void)kind, (void)file, (void)type, (void)encoding;
  for (size_t i = 0; i < 3; i++) {
    if (strcmp(key, fields[i].name) != 0) continue;
    if (offset + size >= fields[i].capacity) return MHD_NO; /* one byte is for the NUL */
    memcpy(fields[i].place + offset, data, size);
  }
  return MHD_YES;
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *path, const char *method,
                              const char *version, const char *upload, size_t *upload_size, void **state) {
  struct application *application = context;
  struct body *body = *state;
  (void)version;
  if (!body) return (*state = calloc(1, sizeof *body)) ? MHD_YES : MHD_NO;
  if (*upload_size > 0) {
    body->too_large |= *upload_size > sizeof body->bytes - body->size;
    if (!body->too_large) memcpy(body->bytes + body->size, upload, *upload_size), body->size += *upload_size;
    *upload_size = 0;
    return MHD_YES;
  }
  struct MHD_PostProcessor *fields = MHD_create_post_processor(connection, 1024, take_field, body);
  if (fields) {
    MHD_post_process(fields, body->bytes, body->size);
    MHD_destroy_post_processor(fields);
  }
  tuile_session *session = NULL;
  struct answer answer = {0};
  tuile_error error;
  if (tuile_mhd_start(application->manager, connection, &session, &error) != TUILE_OK) return MHD_NO;
  if (run(application, &answer, connection, method, path, body, session, &error) < 0) {
    fprintf(stderr, "login: %s\n", error.message);
    answer.location[0] = 0;
    say(&answer, MHD_HTTP_SERVICE_UNAVAILABLE, "Please try again.");
  }
  enum MHD_Result result = send_answer(connection, &answer, session);
  tuile_session_end(session);
  return result;
}

static void forget(void *context, struct MHD_Connection *connection, void **state, enum MHD_RequestTerminationCode code) {
  (void)context, (void)connection, (void)code;
  if (*state) explicit_bzero(*state, sizeof(struct body)); /* it has the password */
  free(*state);
}

/* ---- the program ---- */

static bool read_user(struct application *application, const char *path) {
  FILE *file = path ? fopen(path, "r") : NULL;
  bool read = file && fscanf(file, "%63[^:\n]:%255s", application->user, application->hash) == 2;
  if (file) fclose(file);
  return read;
}

int main(int argc, char **argv) {
  const char *store = "memory:", *secret_file = NULL, *user_file = NULL;
  long port = 8000;
  for (int i = 1; i < argc; i += 2) {
    if (i + 1 == argc) return fputs(usage, stderr), 2;
    if (strcmp(argv[i], "--port") == 0) port = number(argv[i + 1], 0, 65535);
    else if (strcmp(argv[i], "--store") == 0) store = argv[i + 1];
    else if (strcmp(argv[i], "--secret-file") == 0) secret_file = argv[i + 1];
    else if (strcmp(argv[i], "--user-file") == 0) user_file = argv[i + 1];
    else return fputs(usage, stderr), 2;
  }
  struct application application = {0};
  const char *secret = read_secret(secret_file, "LOGIN_SECRET");
  if (port < 0) return fputs(usage, stderr), 2;
  if (!secret) return die("no secret: give --secret-file, or set LOGIN_SECRET", NULL);
  if (!read_user(&application, user_file)) return die("no user: give --user-file", NULL);

  tuile_error error;
  tuile_config config = TUILE_CONFIG_INIT;
  config.secret = tuile_text(secret), config.store = tuile_text(store);
  tuile_signer_config forms = TUILE_SIGNER_CONFIG_INIT;
  forms.secret = config.secret, forms.salt = TUILE_STR("login.forms");
  if (tuile_signer_new(&forms, &application.forms, &error) != TUILE_OK) return die("the secret", error.message);
  int status = 1;
  if (tuile_manager_open(&config, &application.manager, &error) != TUILE_OK) die(store, error.message);
  else status = serve("127.0.0.1", (uint16_t)port, 2, handle, forget, &application);
  tuile_manager_close(application.manager);
  tuile_signer_free(application.forms);
  return status;
}
