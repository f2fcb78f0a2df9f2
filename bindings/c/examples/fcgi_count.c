/* fcgi_count - a FastCGI program that counts a visitor's requests, with threads that share
 * one manager. Run it with spawn-fcgi behind nginx; SIGTERM ends it once the requests
 * under way are answered.
 *
 *   TUILE_STORE=sqlite:///absolute/path TUILE_SECRET=... spawn-fcgi -s /run/count.sock -- fcgi_count
 */
#define _GNU_SOURCE

#include <fcgiapp.h>
#include <fastcgi.h>
#include <inttypes.h>
#include <pthread.h>
#include <signal.h>
#include <sys/socket.h>
#include <tuile_http.h>

enum { threads = 4 };

static pthread_mutex_t accepting = PTHREAD_MUTEX_INITIALIZER;

static void answer(tuile_manager *manager, FCGX_Request *request) {
  tuile_error error = {.status = TUILE_OK};
  int64_t count = 0;
  tuile_session *session = NULL;
  tuile_status status = tuile_fcgi_start(manager, request, &session, &error);
  if (status == TUILE_OK) status = tuile_session_add_int(session, TUILE_STR("count"), 1, NULL, &error);
  if (status == TUILE_OK) status = tuile_session_commit(session, 200, tuile_fcgi_add_header, request->out, &error);
  /* Only now is it known which number this request has among those at once. */
  if (status == TUILE_OK) status = tuile_session_get_int(session, TUILE_STR("count"), &count, &error);
  tuile_session_end(session);
  if (status == TUILE_OK) {
    FCGX_FPrintF(request->out, "Content-Type: text/plain\r\n\r\n%lld\n", (long long)count);
  } else {
    FCGX_FPrintF(request->err, "fcgi_count: %s\n", status < 0 ? error.message : tuile_status_message(status));
    FCGX_PutS("Status: 503 Service Unavailable\r\nContent-Type: text/plain\r\n\r\nPlease try again.\n", request->out);
  }
}

static void *work(void *manager) {
  FCGX_Request request;
  FCGX_InitRequest(&request, FCGI_LISTENSOCK_FILENO, 0);
  for (;;) {
    pthread_mutex_lock(&accepting);
    int accepted = FCGX_Accept_r(&request);
    pthread_mutex_unlock(&accepting);
    if (accepted < 0) break;
    answer(manager, &request);
    FCGX_Finish_r(&request);
  }
  FCGX_Free(&request, 1);
  return NULL;
}

int main(void) {
  tuile_error error;
  tuile_manager *manager;
  tuile_config config = TUILE_CONFIG_INIT;
  config.store = tuile_text(getenv("TUILE_STORE"));
  config.secret = tuile_text(getenv("TUILE_SECRET"));
  if (FCGX_Init() != 0) return 1;
  if (tuile_manager_open(&config, &manager, &error) != TUILE_OK) return fprintf(stderr, "fcgi_count: %s\n", error.message), 1;

  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  /* Blocked before the threads start, so that only sigwait takes it. */
  pthread_sigmask(SIG_BLOCK, &stop, NULL);
  pthread_t workers[threads];
  int started = 0, number;
  while (started < threads && pthread_create(&workers[started], NULL, work, manager) == 0) started++;
  if (started > 0) sigwait(&stop, &number);
  shutdown(FCGI_LISTENSOCK_FILENO, SHUT_RDWR); /* ends the accept that waits, and those to come */
  for (int i = 0; i < started; i++) pthread_join(workers[i], NULL);
  tuile_manager_close(manager);
  return started == 0;
}
