/* One loop with many requests under way, each of which loads a session, adds 1 and commits, by way of a queue. Whatever
 * happens to the store meanwhile, nothing that was acknowledged may be lost, and nothing be there twice:
 *   store_queued URL SESSIONS REQUESTS [LINE]
 * Each session has one request at a time. After half of the REQUESTS it says "half" and, if LINE is given, waits for a
 * line of its input. Tells how many requests were answered with a failure, and how much memory the process had at most. */
#define _GNU_SOURCE
#include "check.h"

#include <poll.h>
#include <sys/resource.h>

struct visitor {
  tuile_session *session;
  char cookie[120];
  int64_t saved, unknown; /* additions that were acknowledged; that may have been made */
};

static tuile_manager *manager;
static tuile_queue *queue;
static long begun, requests, flying, failures;
static tuile_error error;

static tuile_status keep(void *context, tuile_bytes name, tuile_bytes value) {
  struct visitor *visitor = context;
  if (equals(name, "Set-Cookie"))
    snprintf(visitor->cookie, sizeof visitor->cookie, "%.*s", (int)strcspn((const char *)value.data, ";"), (const char *)value.data);
  return TUILE_OK;
}

static void begin(struct visitor *visitor);

static void end(struct visitor *visitor) {
  tuile_session_end(visitor->session);
  flying--;
  if (begun < requests) begin(visitor);
}

static void committed(void *context, tuile_status status, const tuile_error *e) {
  struct visitor *visitor = context;
  if (status == TUILE_OK) visitor->saved++;
  else failures++, visitor->unknown += status == TUILE_E_UNKNOWN;
  if (status != TUILE_OK && failures <= 3) fprintf(stderr, "%s: %s\n", tuile_status_name(status), e ? e->message : "");
  end(visitor);
}

static void loaded(void *context, tuile_status status, const tuile_error *e) {
  struct visitor *visitor = context;
  if (status != TUILE_OK) {
    if (failures++ < 3) fprintf(stderr, "%s: %s\n", tuile_status_name(status), e ? e->message : "");
    end(visitor);
    return;
  }
  CHECK(tuile_session_add_int(visitor->session, text("n"), 1, NULL, &error) == TUILE_OK);
  CHECK(tuile_queue_commit(queue, visitor->session, 200, keep, visitor, committed, visitor, NULL, &error) == TUILE_OK);
}

static void begin(struct visitor *visitor) {
  begun++, flying++;
  CHECK(tuile_session_start(manager, text(visitor->cookie), text(""), &visitor->session, &error) == TUILE_OK);
  CHECK(tuile_queue_load(queue, visitor->session, loaded, visitor, NULL, &error) == TUILE_OK);
}

static void made(void *context, tuile_status status, const tuile_error *e) {
  struct visitor *visitor = context;
  if (status != TUILE_OK) fprintf(stderr, "%s: %s\n", tuile_status_name(status), e ? e->message : "");
  CHECK(status == TUILE_OK);
  tuile_session_end(visitor->session);
  flying--;
}

static void loop(long until) {
  struct pollfd ready = {.fd = tuile_queue_fd(queue), .events = POLLIN};
  while (flying > 0 && begun < until) {
    CHECK(poll(&ready, 1, 300000) == 1);
    CHECK(tuile_queue_run(queue, NULL) == TUILE_OK);
  }
}

int main(int argc, char **argv) {
  tuile_config config = TUILE_CONFIG_INIT;
  tuile_queue_config options = TUILE_QUEUE_CONFIG_INIT;
  CHECK(argc > 3);
  int count = atoi(argv[2]);
  requests = atol(argv[3]);
  struct visitor *visitors = calloc((size_t)count, sizeof *visitors);
  CHECK(visitors);
  config.store = text(argv[1]);
  config.secret = text("a secret of the queue's tests, 0123456789");
  options.max_waiting = (size_t)count, options.deadline = 3600000;
  tuile_status opened = tuile_manager_open(&config, &manager, &error);
  if (opened != TUILE_OK) fprintf(stderr, "%s\n", error.message);
  CHECK(opened == TUILE_OK);
  CHECK(tuile_queue_open(manager, &options, &queue, &error) == TUILE_OK);
  for (int i = 0; i < count; i++) {
    struct visitor *visitor = &visitors[i];
    flying++;
    CHECK(tuile_session_start(manager, text(""), text(""), &visitor->session, &error) == TUILE_OK);
    CHECK(tuile_session_set_int(visitor->session, text("n"), 0, &error) == TUILE_OK);
    CHECK(tuile_queue_commit(queue, visitor->session, 200, keep, visitor, made, visitor, NULL, &error) == TUILE_OK);
  }
  loop(1);
  for (int i = 0; i < count && begun < requests; i++) begin(&visitors[i]);
  loop(requests / 2);
  if (argc > 4) {
    char line[20];
    puts("half"), fflush(stdout);
    CHECK(fgets(line, sizeof line, stdin));
  }
  loop(requests + 1);
  long wrong = 0;
  for (int i = 0; i < count; i++) {
    struct visitor *visitor = &visitors[i];
    int64_t n = -1;
    CHECK(tuile_session_start(manager, text(visitor->cookie), text(""), &visitor->session, &error) == TUILE_OK);
    CHECK(tuile_session_get_int(visitor->session, text("n"), &n, &error) == TUILE_OK);
    tuile_session_end(visitor->session);
    wrong += n < visitor->saved || n > visitor->saved + visitor->unknown;
  }
  tuile_queue_close(queue);
  tuile_manager_close(manager);
  free(visitors);
  struct rusage used;
  CHECK(getrusage(RUSAGE_SELF, &used) == 0);
  printf("%d sessions, %ld requests, %ld failures, %ld wrong, %ld KiB at most\n", count, begun, failures, wrong, used.ru_maxrss);
  return wrong != 0;
}
