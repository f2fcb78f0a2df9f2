/* page_count - an HTTP server that remembers its visitors and counts the pages
 * that each of them has seen. It uses what is installed: <tuile.h>, -ltuile, and
 * libmicrohttpd for HTTP.
 *
 *   GET /                    the count; ?cookie=browser forgets the visitor when
 *                            the browser closes, ?cookie=persistent in two weeks
 *   GET /redirect            counts, sets a cookie and redirects to /
 *   GET /logout              flushes the session and redirects to /
 */
#define _POSIX_C_SOURCE 200809L

#include <arpa/inet.h>
#include <inttypes.h>
#include <microhttpd.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tuile.h>

static const char usage[] =
    "usage: page_count [--address A] [--port N] [--threads N] [--store URL] [--secret-file FILE]\n"
    "  --address A         127.0.0.1\n"
    "  --port N            8000; 0 takes a free one\n"
    "  --threads N         2\n"
    "  --store URL         memory:, or sqlite:///absolute/path\n"
    "  --secret-file FILE  the secret is its first line; else TUILE_SECRET is used\n";

/* ---- a page under construction ---- */

struct page {
  char text[8192];
  size_t size;
};

static void put(struct page *page, const char *format, ...) {
  va_list arguments;
  va_start(arguments, format);
  int more = vsnprintf(page->text + page->size, sizeof page->text - page->size, format, arguments);
  va_end(arguments);
  if (more > 0) page->size += (size_t)more;
  if (page->size >= sizeof page->text) page->size = sizeof page->text - 1;
}

/* What a visitor may have had a hand in is never markup. */
static void put_escaped(struct page *page, tuile_bytes text) {
  const char *bytes = text.data;
  for (size_t i = 0; i < text.size; i++) {
    switch (bytes[i]) {
      case '<': put(page, "&lt;"); break;
      case '>': put(page, "&gt;"); break;
      case '&': put(page, "&amp;"); break;
      case '"': put(page, "&quot;"); break;
      default: put(page, "%c", bytes[i]);
    }
  }
}

static const char head[] =
    "<!DOCTYPE html>\n<html lang=\"en\"><head><meta charset=\"utf-8\"><title>Page count</title>\n"
    "<meta name=\"viewport\" content=\"width=device-width\">\n<style>"
    "body{font:18px/1.5 system-ui,sans-serif;max-width:34rem;margin:12vh auto;padding:0 1.5rem;color:#2b2118;"
    "background:#fdf8f0}h1{font-size:1.2rem;font-weight:600;color:#a05a1c}"
    ".count{font-size:6rem;line-height:1;font-weight:700;margin:.3em 0}"
    "nav a{display:inline-block;margin:.3rem .6rem .3rem 0;padding:.3rem .8rem;border-radius:.5rem;"
    "background:#f3e3cc;color:#6b3a10;text-decoration:none}p{color:#6b5b4b}</style></head><body>\n";

static const char links[] =
    "<nav><a href=\"/\">Count again</a><a href=\"/redirect\">By a redirect</a>"
    "<a href=\"/?cookie=browser\">Until the browser closes</a><a href=\"/?cookie=persistent\">For two weeks</a>"
    "<a href=\"/logout\">Forget me</a></nav>\n</body></html>\n";

static const char *plural(int64_t count) { return count == 1 ? "page" : "pages"; }

static void put_count(struct page *page, tuile_session *session, int64_t count, tuile_error *error) {
  put(page, "%s<h1>Tuile page count</h1>\n<div class=\"count\" id=\"count\">%" PRId64 "</div>\n", head, count);
  put(page, "<p>You have seen %" PRId64 " %s. ", count, plural(count));
  bool at_close = false;
  if (tuile_session_get_expire_at_browser_close(session, &at_close, error) == TUILE_OK)
    put(page, "Your cookie lasts %s.", at_close ? "until the browser closes" : "for two weeks");
  tuile_bytes user;
  if (tuile_session_get_string(session, TUILE_STR("_auth_user_id"), &user, error) == TUILE_OK) {
    put(page, "</p>\n<p id=\"user\">Logged in through Django as user ");
    put_escaped(page, user);
  }
  put(page, "</p>\n%s", links);
}

/* ---- one request ---- */

struct answer {
  unsigned int status;
  const char *location; /* for a redirect */
  struct page page;
};

static void fail(struct answer *answer, const char *what) {
  answer->status = MHD_HTTP_SERVICE_UNAVAILABLE;
  answer->location = NULL;
  answer->page.size = 0;
  put(&answer->page, "%s<h1>Please try again</h1>\n<p>%s</p>\n</body></html>\n", head, what);
}

static tuile_status run(struct answer *answer, const char *path, const char *cookie, tuile_session *session,
                        tuile_error *error) {
  int64_t count = 0;
  tuile_status status;
  answer->status = MHD_HTTP_OK;
  if (strcmp(path, "/logout") == 0) {
    status = tuile_session_flush(session, error);
    answer->status = MHD_HTTP_SEE_OTHER;
    answer->location = "/";
    return status;
  }
  if (strcmp(path, "/") != 0 && strcmp(path, "/redirect") != 0) {
    answer->status = MHD_HTTP_NOT_FOUND;
    put(&answer->page, "%s<h1>There is no such page</h1>\n%s", head, links);
    return TUILE_OK;
  }
  if (cookie && strcmp(cookie, "browser") == 0)
    status = tuile_session_set_expiry(session, 0, error);
  else if (cookie && strcmp(cookie, "persistent") == 0)
    status = tuile_session_set_expiry(session, 1209600, error);
  else
    status = TUILE_OK;
  if (status == TUILE_OK) status = tuile_session_add_int(session, TUILE_STR("count"), 1, &count, error);
  if (status != TUILE_OK) return status;
  if (strcmp(path, "/redirect") == 0) {
    answer->status = MHD_HTTP_SEE_OTHER;
    answer->location = "/";
  } else {
    put_count(&answer->page, session, count, error);
  }
  return TUILE_OK;
}

static tuile_status add_header(void *context, tuile_bytes name, tuile_bytes value) {
  char name_text[64], value_text[8192];
  if (name.size >= sizeof name_text || value.size >= sizeof value_text) return TUILE_E_LIMIT;
  memcpy(name_text, name.data, name.size);
  name_text[name.size] = 0;
  memcpy(value_text, value.data, value.size);
  value_text[value.size] = 0;
  return MHD_add_response_header(context, name_text, value_text) == MHD_YES ? TUILE_OK : TUILE_E_MEMORY;
}

static enum MHD_Result send_answer(struct MHD_Connection *connection, struct answer *answer, tuile_session *session) {
  tuile_error error;
  struct MHD_Response *response =
      MHD_create_response_from_buffer(answer->page.size, answer->page.text, MHD_RESPMEM_MUST_COPY);
  if (!response) return MHD_NO;
  /* The commit comes last, so that a page is shown only once its count is kept. */
  tuile_status status = tuile_session_commit(session, (int32_t)answer->status, add_header, response, &error);
  if (status == TUILE_DELETED) { /* logged out meanwhile: the count on this page is nobody's */
    answer->status = MHD_HTTP_SEE_OTHER;
    answer->location = "/";
  }
  if (status < 0 && answer->status < 500) {
    fprintf(stderr, "page_count: %s\n", error.message);
    MHD_destroy_response(response);
    fail(answer, "Your visit could not be counted just now.");
    return send_answer(connection, answer, session);
  }
  MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "text/html; charset=utf-8");
  if (answer->location) MHD_add_response_header(response, MHD_HTTP_HEADER_LOCATION, answer->location);
  enum MHD_Result result = MHD_queue_response(connection, answer->status, response);
  MHD_destroy_response(response);
  return result;
}

static enum MHD_Result refuse_method(struct MHD_Connection *connection) {
  struct MHD_Response *response = MHD_create_response_from_buffer(0, (void *)"", MHD_RESPMEM_PERSISTENT);
  if (!response) return MHD_NO;
  MHD_add_response_header(response, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
  enum MHD_Result result = MHD_queue_response(connection, MHD_HTTP_METHOD_NOT_ALLOWED, response);
  MHD_destroy_response(response);
  return result;
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *path, const char *method,
                              const char *version, const char *upload, size_t *upload_size, void **state) {
  static int seen;
  (void)version, (void)upload;
  if (!*state || *upload_size > 0) { /* not all of the request is here; a body is passed over */
    *state = &seen;
    *upload_size = 0;
    return MHD_YES;
  }
  if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0) return refuse_method(connection);
  const char *header = MHD_lookup_connection_value(connection, MHD_HEADER_KIND, MHD_HTTP_HEADER_COOKIE);
  const char *cookie = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "cookie");
  tuile_session *session =
      tuile_session_begin(context, (tuile_bytes){header ? header : "", header ? strlen(header) : 0});
  if (!session) return MHD_NO;
  struct answer answer = {0};
  tuile_error error;
  /* An outage is no logout: the visitor is asked to come again, with the cookie as it is. */
  if (run(&answer, path, cookie, session, &error) < 0) {
    fprintf(stderr, "page_count: %s\n", error.message);
    fail(&answer, "Your visit could not be counted just now.");
  }
  enum MHD_Result result = send_answer(connection, &answer, session);
  tuile_session_end(session);
  return result;
}

/* ---- the program ---- */

static int die(const char *what, const char *why) {
  fprintf(stderr, "page_count: %s%s%s\n", what, why ? ": " : "", why ? why : "");
  return 1;
}

/* The first line of the file, or the environment: never an argument, which
 * everybody on the machine can read. */
static const char *read_secret(const char *path) {
  static char line[4096];
  if (!path) return getenv("TUILE_SECRET");
  FILE *file = fopen(path, "r");
  if (!file || !fgets(line, sizeof line, file)) line[0] = 0;
  if (file) fclose(file);
  line[strcspn(line, "\r\n")] = 0;
  return line[0] ? line : NULL;
}

/* A number in a range, or -1. */
static long number(const char *text, long least, long most) {
  char *end;
  long value = strtol(text, &end, 10);
  return *text && !*end && value >= least && value <= most ? value : -1;
}

static int serve(tuile_manager *manager, const char *address, uint16_t port, unsigned int threads) {
  struct sockaddr_in where = {.sin_family = AF_INET, .sin_port = htons(port)};
  if (inet_pton(AF_INET, address, &where.sin_addr) != 1) return die("not an IPv4 address", address);
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGINT);
  sigaddset(&stop, SIGTERM);
  /* Blocked before the server's threads start, so that only sigwait takes them. */
  pthread_sigmask(SIG_BLOCK, &stop, NULL);
  struct MHD_Daemon *daemon =
      MHD_start_daemon(MHD_USE_EPOLL_INTERNAL_THREAD | MHD_USE_ERROR_LOG, port, NULL, NULL, handle, manager,
                       MHD_OPTION_SOCK_ADDR, (struct sockaddr *)&where, MHD_OPTION_CONNECTION_TIMEOUT, 30u,
                       /* A pool of one is no pool to libmicrohttpd. */
                       threads > 1 ? MHD_OPTION_THREAD_POOL_SIZE : MHD_OPTION_END, threads, MHD_OPTION_END);
  if (!daemon) return die("cannot listen on that address and port", address);
  const union MHD_DaemonInfo *info = MHD_get_daemon_info(daemon, MHD_DAEMON_INFO_BIND_PORT);
  printf("listening on http://%s:%u/\n", address, info ? (unsigned int)info->port : port);
  fflush(stdout);
  int signal_number;
  sigwait(&stop, &signal_number);
  MHD_stop_daemon(daemon);
  return 0;
}

int main(int argc, char **argv) {
  const char *address = "127.0.0.1", *store = "memory:", *secret_file = NULL;
  long port = 8000, threads = 2;
  for (int i = 1; i < argc; i += 2) {
    if (i + 1 == argc) return fputs(usage, stderr), 2;
    if (strcmp(argv[i], "--address") == 0) address = argv[i + 1];
    else if (strcmp(argv[i], "--port") == 0) port = number(argv[i + 1], 0, 65535);
    else if (strcmp(argv[i], "--threads") == 0) threads = number(argv[i + 1], 1, 64);
    else if (strcmp(argv[i], "--store") == 0) store = argv[i + 1];
    else if (strcmp(argv[i], "--secret-file") == 0) secret_file = argv[i + 1];
    else return fputs(usage, stderr), 2;
  }
  if (port < 0 || threads < 0) return fputs(usage, stderr), 2;
  const char *secret = read_secret(secret_file);
  if (!secret) return die("no secret: give --secret-file, or set TUILE_SECRET", NULL);

  tuile_config config = TUILE_CONFIG_INIT;
  config.secret = (tuile_bytes){secret, strlen(secret)};
  config.store = (tuile_bytes){store, strlen(store)};
  tuile_manager *manager;
  tuile_error error;
  if (tuile_manager_open(&config, &manager, &error) != TUILE_OK) return die(store, error.message);
  int status = serve(manager, address, (uint16_t)port, (unsigned int)threads);
  tuile_manager_close(manager);
  return status;
}
