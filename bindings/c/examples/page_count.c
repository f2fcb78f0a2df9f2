/* page_count - an HTTP server that remembers its visitors and counts the pages
 * that each of them has seen. It uses what is installed: <tuile.h>, -ltuile, and
 * libmicrohttpd for HTTP.
 *
 *   GET /                    the count; ?cookie=browser forgets the visitor when
 *                            the browser closes, ?cookie=persistent in two weeks
 *   GET /redirect            counts, sets a cookie and redirects to /
 *   GET /logout              flushes the session and redirects to /
 */
#include "server.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <tuile_http.h>

static const char usage[] =
    "usage: page_count [--address A] [--port N] [--threads N] [--store URL] [--secret-file FILE]\n"
    "  --address A         127.0.0.1\n"
    "  --port N            8000; 0 takes a free one\n"
    "  --threads N         2\n"
    "  --store URL         memory:, or sqlite:///absolute/path\n"
    "  --secret-file FILE  the secret is its first line; else TUILE_SECRET is used\n";

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

static enum MHD_Result send_answer(struct MHD_Connection *connection, struct answer *answer, tuile_session *session) {
  tuile_error error;
  struct MHD_Response *response =
      MHD_create_response_from_buffer(answer->page.size, answer->page.text, MHD_RESPMEM_MUST_COPY);
  if (!response) return MHD_NO;
  /* The commit comes last, so that a page is shown only once its count is kept. */
  tuile_status status = tuile_session_commit(session, (int32_t)answer->status, tuile_mhd_add_header, response, &error);
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
  const char *cookie = MHD_lookup_connection_value(connection, MHD_GET_ARGUMENT_KIND, "cookie");
  tuile_session *session = NULL;
  struct answer answer = {0};
  tuile_error error;
  if (tuile_mhd_start(context, connection, &session, &error) != TUILE_OK) return MHD_NO;
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
  const char *secret = read_secret(secret_file, "TUILE_SECRET");
  if (!secret) return die("no secret: give --secret-file, or set TUILE_SECRET", NULL);

  tuile_config config = TUILE_CONFIG_INIT;
  config.secret = tuile_text(secret);
  config.store = tuile_text(store);
  tuile_manager *manager;
  tuile_error error;
  if (tuile_manager_open(&config, &manager, &error) != TUILE_OK) return die(store, error.message);
  int status = serve(address, (uint16_t)port, (unsigned int)threads, handle, NULL, manager);
  tuile_manager_close(manager);
  return status;
}
