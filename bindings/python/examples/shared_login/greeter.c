/* Greets whoever is logged in to the Django project next to it, on the same sessions.
 *
 *   greeter STORE SECRET_FILE      prints its port on 127.0.0.1; ends when its standard input does
 *
 * /hello/ greets by name, /hello/logout ends the session, for Django too. Needs libmicrohttpd. */
#include <arpa/inet.h>
#include <microhttpd.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <tuile.h>

static tuile_status add_header(void *response, tuile_bytes name, tuile_bytes value) {
  char n[64], v[4096];
  snprintf(n, sizeof n, "%.*s", (int)name.size, (const char *)name.data);
  if (snprintf(v, sizeof v, "%.*s", (int)value.size, (const char *)value.data) >= (int)sizeof v) return TUILE_E_LIMIT;
  return MHD_add_response_header(response, n, v) == MHD_YES ? TUILE_OK : TUILE_E_MEMORY;
}

/* Text as HTML may hold it: the name is what somebody typed. */
static size_t put_escaped(char *page, size_t at, size_t room, tuile_bytes text) {
  for (size_t i = 0; i < text.size && at + 8 < room; i++) {
    unsigned char c = ((const unsigned char *)text.data)[i];
    if (c == '&' || c == '<' || c == '>' || c == '"' || c == '\'')
      at += (size_t)snprintf(page + at, room - at, "&#%d;", c);
    else
      page[at++] = (char)c;
  }
  return at;
}

static size_t write_page(char *page, size_t room, tuile_session *session, tuile_error *error, unsigned int *status) {
  tuile_bytes name;
  size_t at = (size_t)snprintf(page, room, "<!doctype html><meta charset=utf-8><title>Greeter</title><h1 id=hello>");
  tuile_status found = tuile_session_get_string(session, TUILE_STR("user_name"), &name, error);
  if (found == TUILE_OK) {
    at += (size_t)snprintf(page + at, room - at, "Hello, ");
    at = put_escaped(page, at, room - 256, name);
    return at + (size_t)snprintf(page + at, room - at, "</h1><p>from C. <a href=/hello/logout>Log out</a></p>");
  }
  /* An outage is no logout. */
  if (found != TUILE_ABSENT) *status = MHD_HTTP_SERVICE_UNAVAILABLE;
  const char *text = found == TUILE_ABSENT ? "Hello, stranger" : "Come again later";
  return at + (size_t)snprintf(page + at, room - at, "%s</h1><p>from C. <a href=/admin/>Log in</a></p>", text);
}

static enum MHD_Result answer(void *manager, struct MHD_Connection *connection, const char *url, const char *method,
                              const char *version, const char *upload, size_t *upload_size, void **request) {
  (void)version, (void)upload, (void)upload_size, (void)request;
  if (strcmp(method, "GET") != 0) return MHD_NO;
  const char *cookies = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Cookie");
  tuile_session *session = NULL;
  tuile_error error;
  if (tuile_session_start(manager, tuile_text(cookies), tuile_text(NULL), &session, &error) != TUILE_OK) return MHD_NO;
  unsigned int status = MHD_HTTP_OK;
  char page[2048];
  size_t size = 0;
  /* A real one asks for POST, so that no other site can log anybody out. */
  int leaving = strcmp(url, "/hello/logout") == 0;
  if (leaving)
    status = tuile_session_flush(session, &error) == TUILE_OK ? MHD_HTTP_FOUND : MHD_HTTP_SERVICE_UNAVAILABLE;
  else
    size = write_page(page, sizeof page, session, &error, &status);
  struct MHD_Response *response = MHD_create_response_from_buffer(size, page, MHD_RESPMEM_MUST_COPY);
  MHD_add_response_header(response, "Content-Type", "text/html; charset=utf-8");
  if (leaving) MHD_add_response_header(response, "Location", "/hello/");
  if (tuile_session_commit(session, (int)status, add_header, response, &error) < 0) status = MHD_HTTP_SERVICE_UNAVAILABLE;
  tuile_session_end(session);
  enum MHD_Result sent = MHD_queue_response(connection, status, response);
  MHD_destroy_response(response);
  return sent;
}

int main(int count, char **arguments) {
  char secret[256] = "";
  FILE *file = count == 3 ? fopen(arguments[2], "r") : NULL;
  if (!file || !fgets(secret, sizeof secret, file)) return fprintf(stderr, "greeter STORE SECRET_FILE\n"), 2;
  fclose(file);
  secret[strcspn(secret, "\n")] = 0;
  tuile_config config = TUILE_CONFIG_INIT;
  config.secret = (tuile_bytes){secret, strlen(secret)};
  config.store = (tuile_bytes){arguments[1], strlen(arguments[1])};
  tuile_manager *manager;
  tuile_error error;
  if (tuile_manager_open(&config, &manager, &error) != TUILE_OK) return fprintf(stderr, "%s\n", error.message), 1;
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct MHD_Daemon *daemon = MHD_start_daemon(MHD_USE_INTERNAL_POLLING_THREAD, 0, NULL, NULL, answer, manager,
                                               MHD_OPTION_SOCK_ADDR, &address, MHD_OPTION_THREAD_POOL_SIZE, 4u, MHD_OPTION_END);
  if (!daemon) return fprintf(stderr, "no port\n"), 1;
  printf("%u\n", MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT)->port);
  fflush(stdout);
  while (getchar() != EOF) {}
  MHD_stop_daemon(daemon);
  tuile_manager_close(manager);
  return 0;
}
