/* The request cycle (load, add 1, save, Set-Cookie) of a session in a layout: bench/layouts.c URL COOKIE SECRET LOOPS, the best
 * of five, in nanoseconds. bench/layouts calls it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <tuile.h>

static char cookie[1024];

static tuile_status take(void *context, tuile_bytes name, tuile_bytes value) {
  (void)context;
  const char *text = value.data;
  if (name.size != 10 || memcmp(name.data, "Set-Cookie", 10) != 0) return TUILE_OK;
  size_t size = 0;
  while (size < value.size && text[size] != ';' && size < sizeof cookie - 1) size++;
  memcpy(cookie, text, size);
  cookie[size] = 0;
  return TUILE_OK;
}

static void request(tuile_manager *manager) {
  tuile_session *session = NULL;
  tuile_error error = {0};
  tuile_status status = tuile_session_start(manager, tuile_text(cookie), tuile_text(NULL), &session, &error);
  if (status == TUILE_OK) status = tuile_session_add_int(session, TUILE_STR("count"), 1, NULL, &error);
  if (status == TUILE_OK) status = tuile_session_commit(session, 200, take, NULL, &error);
  tuile_session_end(session);
  if (status == TUILE_OK) return;
  fprintf(stderr, "bench/layouts: %s: %s\n", tuile_status_name(status), error.message);
  exit(1);
}

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

int main(int count, char **arguments) {
  if (count != 5) return 2;
  tuile_config config = TUILE_CONFIG_INIT;
  tuile_manager *manager = NULL;
  tuile_error error = {0};
  config.store = tuile_text(arguments[1]), config.cookie_name = tuile_text(arguments[2]);
  config.secret = tuile_text(arguments[3]), config.allow_weak_secrets = true;
  if (tuile_manager_open(&config, &manager, &error) != TUILE_OK) {
    fprintf(stderr, "bench/layouts: %s\n", error.message);
    return 1;
  }
  int loops = atoi(arguments[4]);
  double best = 1e18;
  request(manager);
  for (int round = 0; round < 5; round++) {
    double began = now();
    for (int i = 0; i < loops; i++) request(manager);
    double each = (now() - began) / loops;
    if (each < best) best = each;
  }
  printf("%.0f\n", best);
  tuile_manager_close(manager);
  return 0;
}
