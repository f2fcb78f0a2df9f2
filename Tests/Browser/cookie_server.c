/* cookie_server - writes and reads cookies with libtuile, so that a browser and
 * curl can judge them. It listens on 127.0.0.1, on free ports that it prints, and
 * ends when its standard input does: no server outlives its test.
 *
 *   /set?name=N&value=V…  one Set-Cookie header; JSON: status, message, header.
 *       Fields of tuile_set_cookie under their names; encoding=E encodes the
 *       value first; delete=1 deletes; django=1 takes tuile_django_cookie
 *       (samesite and expires_text as text); raw=TEXT is the header as it is.
 *   /echo…?mark=M         what libtuile reads in the Cookie headers, as JSON;
 *       mode=browser|django|strict, encoding=E decodes the values.
 *   /log?mark=M           the answers of /echo to requests with that mark.
 *
 * With to=URL an answer also redirects there.
 */
#define _GNU_SOURCE /* open_memstream */

#include "answers.h"

#include <arpa/inet.h>
#include <microhttpd.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- the log: both servers' threads write it ---- */

static struct entry {
  char *mark, *text;
} *entries;
static size_t entry_count;
static pthread_mutex_t entries_lock = PTHREAD_MUTEX_INITIALIZER;

static void keep(const char *mark, const char *text) {
  pthread_mutex_lock(&entries_lock);
  struct entry *longer = realloc(entries, (entry_count + 1) * sizeof *longer);
  if (!longer) abort();
  entries = longer;
  entries[entry_count++] = (struct entry){strdup(mark), strdup(text)};
  pthread_mutex_unlock(&entries_lock);
}

static void answer_log(const char *mark, FILE *out) {
  const char *comma = "";
  fputc('[', out);
  pthread_mutex_lock(&entries_lock);
  for (size_t i = 0; i < entry_count; i++) {
    if (strcmp(entries[i].mark, mark) != 0) continue;
    fprintf(out, "%s%s", comma, entries[i].text);
    comma = ",";
  }
  pthread_mutex_unlock(&entries_lock);
  fputc(']', out);
}

/* ---- one request ---- */

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *path, const char *method,
                              const char *version, const char *upload, size_t *upload_size, void **state) {
  static int seen;
  (void)context, (void)version, (void)upload;
  if (!*state || *upload_size > 0) { /* not all of the request is here; a body is passed over */
    *state = &seen;
    *upload_size = 0;
    return MHD_YES;
  }
  char *body = NULL, *header = NULL;
  size_t size = 0;
  unsigned int status = MHD_HTTP_OK;
  tuile_bytes mark = {"", 0}, target = {NULL, 0};
  FILE *out = open_memstream(&body, &size);
  if (!out) return MHD_NO;
  text(connection, "mark", &mark);
  if (strcmp(path, "/set") == 0) header = answer_set(connection, out);
  else if (strncmp(path, "/echo", 5) == 0) answer_echo(connection, method, out);
  else if (strcmp(path, "/log") == 0) answer_log(mark.data, out);
  else status = MHD_HTTP_NOT_FOUND;
  fclose(out);
  if (strncmp(path, "/echo", 5) == 0 && mark.size > 0) keep(mark.data, body);
  struct MHD_Response *response = MHD_create_response_from_buffer(size, body, MHD_RESPMEM_MUST_FREE);
  if (!response) return MHD_NO;
  MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
  MHD_add_response_header(response, MHD_HTTP_HEADER_CACHE_CONTROL, "no-store");
  if (text(connection, "to", &target)) { /* cookies that come with a redirect count as well */
    MHD_add_response_header(response, MHD_HTTP_HEADER_LOCATION, target.data);
    status = MHD_HTTP_SEE_OTHER;
  }
  enum MHD_Result result = MHD_NO; /* a header that can't be sent ends the connection */
  if (!header || MHD_add_response_header(response, MHD_HTTP_HEADER_SET_COOKIE, header) == MHD_YES)
    result = MHD_queue_response(connection, status, response);
  MHD_destroy_response(response);
  free(header);
  return result;
}

/* ---- the program ---- */

static char *read_file(const char *path) {
  char *data = NULL;
  size_t size = 0;
  FILE *file = fopen(path, "r");
  if (!file || getdelim(&data, &size, 0, file) < 0) return NULL;
  fclose(file);
  return data;
}

/* With a certificate and key it is HTTPS. More than 64 KiB of Cookie headers must
 * reach libtuile, whose limit that is. */
static struct MHD_Daemon *listen_on(const struct sockaddr_in *where, const char *key, const char *certificate) {
  struct MHD_OptionItem tls[] = {{MHD_OPTION_HTTPS_MEM_KEY, 0, (void *)key},
                                 {MHD_OPTION_HTTPS_MEM_CERT, 0, (void *)certificate},
                                 {MHD_OPTION_END, 0, NULL}};
  unsigned int flags = MHD_USE_EPOLL_INTERNAL_THREAD | (key ? MHD_USE_TLS : 0);
  return MHD_start_daemon(flags, 0, NULL, NULL, handle, NULL, MHD_OPTION_SOCK_ADDR, (const struct sockaddr *)where,
                          MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)1 << 20, MHD_OPTION_ARRAY,
                          key ? tls : tls + 2, MHD_OPTION_END);
}

int main(int argc, char **argv) {
  if (argc != 3) return fputs("usage: cookie_server KEY CERTIFICATE\n", stderr), 2;
  char *key = read_file(argv[1]), *certificate = read_file(argv[2]);
  if (!key || !certificate) return fputs("cookie_server: cannot read the key or certificate\n", stderr), 1;
  struct sockaddr_in where = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  struct MHD_Daemon *http = listen_on(&where, NULL, NULL), *https = listen_on(&where, key, certificate);
  if (!http || !https) return fputs("cookie_server: cannot listen\n", stderr), 1;
  printf("%u %u\n", MHD_get_daemon_info(http, MHD_DAEMON_INFO_BIND_PORT)->port,
         MHD_get_daemon_info(https, MHD_DAEMON_INFO_BIND_PORT)->port);
  fflush(stdout);
  char ignored[64];
  while (read(STDIN_FILENO, ignored, sizeof ignored) > 0) {}
  MHD_stop_daemon(https);
  MHD_stop_daemon(http);
  for (size_t i = 0; i < entry_count; i++) free(entries[i].mark), free(entries[i].text);
  free(entries), free(key), free(certificate);
  return 0;
}
