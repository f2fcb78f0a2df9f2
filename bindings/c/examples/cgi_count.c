/* cgi_count - a CGI program that counts a visitor's requests. Each request is a process of
 * its own, so the store is one that outlives it.
 *
 * Its environment: HTTP_COOKIE from the server, TUILE_STORE, such as
 * sqlite:///absolute/path, and TUILE_SECRET from the server's configuration.
 */
#include <inttypes.h>
#include <stdio.h>
#include <tuile_http.h>

/* The headers go to a text of their own: until the commit is through, it may yet be a 503. */
static tuile_status count_visit(tuile_session *session, FILE *headers, int64_t *count, tuile_error *error) {
  tuile_status status = tuile_session_add_int(session, TUILE_STR("count"), 1, NULL, error);
  if (status == TUILE_OK) status = tuile_session_commit(session, 200, tuile_cgi_add_header, headers, error);
  /* Only now is it known which number this request has among those at once. */
  return status == TUILE_OK ? tuile_session_get_int(session, TUILE_STR("count"), count, error) : status;
}

static int answer(tuile_manager *manager, tuile_error *error) {
  char text[8192];
  int64_t count = 0;
  FILE *headers = fmemopen(text, sizeof text, "w");
  tuile_session *session = NULL;
  *error = (tuile_error){TUILE_E_MEMORY, 0, "no memory"};
  tuile_status status = headers ? tuile_cgi_start(manager, &session, error) : TUILE_E_MEMORY;
  if (status == TUILE_OK) status = count_visit(session, headers, &count, error);
  if (headers && fclose(headers) != 0 && status == TUILE_OK) status = TUILE_E_MEMORY;
  tuile_session_end(session);
  if (status != TUILE_OK) return 1;
  printf("%sContent-Type: text/plain\r\n\r\n%" PRId64 "\n", text, count);
  return 0;
}

int main(void) {
  tuile_error error;
  tuile_manager *manager = NULL;
  tuile_config config = TUILE_CONFIG_INIT;
  config.store = tuile_text(getenv("TUILE_STORE"));
  config.secret = tuile_text(getenv("TUILE_SECRET"));
  int failed = tuile_manager_open(&config, &manager, &error) != TUILE_OK || answer(manager, &error);
  tuile_manager_close(manager);
  if (!failed) return 0;
  fprintf(stderr, "cgi_count: %s\n", error.message);
  printf("Status: 503 Service Unavailable\r\nContent-Type: text/plain\r\n\r\nPlease try again.\n");
  return 0;
}
