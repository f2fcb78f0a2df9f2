/* What an administrator sees and does: counters, times, the log, the check, and
 * the thread that clears expired sessions. */
#include "request.h"

#include <pthread.h>
#include <stdatomic.h>
#include <sys/wait.h>
#include <unistd.h>

static char log_text[20][300];
static atomic_int logged;
static tuile_log_level worst;

static void take(void *context, tuile_log_level level, tuile_bytes message) {
  CHECK(context == &worst);
  CHECK(memchr(message.data, '\n', message.size) == NULL);
  int at = atomic_fetch_add(&logged, 1);
  if (at < 20) snprintf(log_text[at], sizeof log_text[at], "%d %.*s", level, (int)message.size, (const char *)message.data);
}

static bool said(const char *part) {
  for (int i = 0; i < 20 && i < atomic_load(&logged); i++)
    if (strstr(log_text[i], part)) return true;
  return false;
}

static tuile_config logging(const char *store) {
  tuile_config config = TUILE_CONFIG_INIT;
  config.secret = text("a secret that has its thirty-two bytes and more"), config.store = text(store);
  config.log = take, config.log_context = &worst, config.log_level = TUILE_LOG_DEBUG;
  atomic_store(&logged, 0);
  return config;
}

static void metrics(const char *store) {
  tuile_config config = logging(store);
  CHECK(tuile_manager_open(&config, &manager, &error) == TUILE_OK);
  jar[0] = 0;
  for (int i = 0; i < 5; i++) set("n", i);
  tuile_latency load = TUILE_LATENCY_INIT, replace = TUILE_LATENCY_INIT;
  CHECK(tuile_manager_latency(manager, TUILE_OPERATION_LOAD, &load) == TUILE_OK);
  CHECK(load.calls == 4);
  CHECK(tuile_manager_latency(manager, TUILE_OPERATION_REPLACE, &replace) == TUILE_OK);
  CHECK(replace.calls == 4);
  uint64_t calls = 0;
  for (int i = 0; i < 24; i++) calls += load.buckets[i];
  CHECK(calls == 4);
  CHECK(load.microseconds < 4000000);
  CHECK(tuile_manager_latency(manager, (tuile_operation)10, &load) == TUILE_E_ARGUMENT);
  load.size--;
  CHECK(tuile_manager_latency(manager, TUILE_OPERATION_LOAD, &load) == TUILE_E_ARGUMENT);
  size_t size = 0, again;
  CHECK(tuile_manager_metrics(manager, NULL, 0, &size) == TUILE_E_SPACE);
  CHECK(size > 1000);
  CHECK(size < 32768);
  char *buffer = malloc(size + 1);
  CHECK(buffer);
  CHECK(tuile_manager_metrics(manager, buffer, size - 1, &again) == TUILE_E_SPACE);
  CHECK(again == size);
  CHECK(tuile_manager_metrics(manager, buffer, size, &again) == TUILE_OK);
  CHECK(again == size);
  buffer[size] = 0;
  CHECK(strstr(buffer, "# TYPE tuile_saves_total counter\ntuile_saves_total 5\n"));
  CHECK(strstr(buffer, "tuile_store_seconds_bucket{operation=\"load\",le=\"+Inf\"} 4\n"));
  CHECK(strstr(buffer, "tuile_store_seconds_count{operation=\"create\"} 1\n"));
  CHECK(stats().cookie_bytes > 5 * 40);
  /* If each number had all the digits that a number can have, 32 KiB would do, as the header says. */
  size_t most = size;
  for (char *line = buffer; line && *line; line = strchr(line, '\n') + 1)
    if (*line != '#') most += 19;
  CHECK(most > 16384);
  CHECK(most <= 32768);
  free(buffer);
  tuile_manager_close(manager);
}

static tuile_status fails(tuile_error *e) {
  snprintf(e->message, sizeof e->message, "no cable");
  return TUILE_E_STORE;
}
static tuile_status no_load(void *c, tuile_bytes key, int64_t now, tuile_receive receive, void *receiver, tuile_error *e) {
  (void)c, (void)key, (void)now, (void)receive, (void)receiver;
  return fails(e);
}
static tuile_status no_create(void *c, tuile_bytes key, tuile_bytes data, int64_t expires, tuile_error *e) {
  (void)c, (void)key, (void)data, (void)expires;
  return fails(e);
}
static tuile_status no_replace(void *c, tuile_bytes key, tuile_bytes expected, tuile_bytes data, int64_t expires, tuile_error *e) {
  (void)c, (void)key, (void)expected, (void)data, (void)expires;
  return fails(e);
}
static tuile_status no_touch(void *c, tuile_bytes key, int64_t expires, tuile_error *e) {
  (void)c, (void)key, (void)expires;
  return fails(e);
}
static tuile_status no_remove(void *c, tuile_bytes key, tuile_error *e) {
  (void)c, (void)key;
  return fails(e);
}
static tuile_status no_sweep(void *c, int64_t now, size_t limit, size_t *removed, tuile_error *e) {
  (void)c, (void)now, (void)limit, (void)removed;
  return fails(e);
}

static void messages(const char *store) {
  tuile_config config = logging(store);
  CHECK(tuile_manager_open(&config, &manager, &error) == TUILE_OK);
  jar[0] = 0;
  set("n", 1);
  tuile_session *slow = request(), *other = request();
  CHECK(tuile_session_add_int(slow, text("n"), 1, NULL, &error) == TUILE_OK);
  CHECK(tuile_session_add_int(other, text("n"), 1, NULL, &error) == TUILE_OK);
  CHECK(respond(other, 200) == TUILE_OK);
  CHECK(respond(slow, 200) == TUILE_OK);
  CHECK(said("3 another request changed"));
  tuile_config fresh = TUILE_CONFIG_INIT;
  fresh.secret = text("a fresh secret that has its thirty-two bytes");
  CHECK(tuile_manager_reload(manager, &fresh, &error) == TUILE_OK);
  CHECK(said("2 the manager has new keys"));
  CHECK(get("n") == -1);
  CHECK(said("1 stored session data"));
  CHECK(tuile_manager_check(manager, &error) == TUILE_OK);
  CHECK(!said("0 "));
  for (int i = 0; i < 20 && i < atomic_load(&logged); i++) CHECK(!strstr(log_text[i], jar + 10)); /* no key in any */
  tuile_manager_close(manager);

  /* A store that fails: the check and the log say so. */
  tuile_store_ops ops = TUILE_STORE_OPS_INIT;
  ops.load = no_load, ops.create = no_create, ops.replace = no_replace, ops.touch = no_touch, ops.remove = no_remove, ops.sweep = no_sweep;
  config = logging("");
  CHECK(tuile_store_open_ops(&ops, NULL, &config.open_store, &error) == TUILE_OK);
  CHECK(tuile_manager_open(&config, &manager, &error) == TUILE_OK);
  CHECK(tuile_manager_check(manager, &error) == TUILE_E_STORE);
  CHECK(said("0 the host's store failed: no cable"));
  tuile_manager_close(manager);
  tuile_store_close(config.open_store);

  config = logging(store);
  config.log_level = TUILE_LOG_ERROR, config.store = text("memory:");
  CHECK(tuile_manager_open(&config, &manager, &error) == TUILE_OK);
  CHECK(tuile_manager_reload(manager, &fresh, &error) == TUILE_OK);
  CHECK(atomic_load(&logged) == 0);
  CHECK(tuile_manager_check(manager, &error) == TUILE_OK);
  tuile_manager_close(manager);
}

static void sweeping(const char *store) {
  tuile_config config = logging(store);
  config.cookie_age = 0;
  CHECK(tuile_manager_open(&config, &manager, &error) == TUILE_OK);
  CHECK(tuile_manager_start_sweeping(manager, 0, 10, &error) == TUILE_E_ARGUMENT);
  for (int i = 0; i < 30; i++) {
    jar[0] = 0;
    set("n", i);
  }
  CHECK(tuile_manager_start_sweeping(manager, 3600, 10, &error) == TUILE_OK);
  CHECK(tuile_manager_start_sweeping(manager, 1, 20, &error) == TUILE_OK); /* in place of the first */
  pid_t child = fork();
  if (child == 0) { /* it has no such thread, and may close or start its own */
    tuile_manager_stop_sweeping(manager);
    _exit(tuile_manager_start_sweeping(manager, 1, 20, &error) == TUILE_OK ? tuile_manager_close(manager), 0 : 1);
  }
  int status = 1;
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  for (int i = 0; i < 100 && stats().swept < 30; i++) usleep(100000);
  CHECK(stats().swept == 30);
  CHECK(said("2 expired sessions removed: 20"));
  tuile_manager_stop_sweeping(manager);
  tuile_manager_stop_sweeping(manager);
  tuile_manager_stop_sweeping(NULL);
  CHECK(tuile_manager_start_sweeping(manager, 3600, 10, &error) == TUILE_OK); /* close ends it */
  tuile_manager_close(manager);
}

static pthread_key_t of_sweeper;
static atomic_bool ended;

static void note_end(void *context) {
  (void)context;
  atomic_store(&ended, true);
}

static void stop_from_log(void *context, tuile_log_level level, tuile_bytes message) {
  (void)context, (void)level, (void)message;
  CHECK(pthread_setspecific(of_sweeper, &ended) == 0);
  tuile_manager_stop_sweeping(manager);
  CHECK(tuile_manager_start_sweeping(manager, 3600, 10, NULL) == TUILE_OK);
}

/* The thread tells the log, and the log puts another thread in its place. */
static void stopped_from_within(void) {
  tuile_config config = logging("memory:");
  config.cookie_age = 0, config.log = stop_from_log;
  CHECK(pthread_key_create(&of_sweeper, note_end) == 0);
  CHECK(tuile_manager_open(&config, &manager, &error) == TUILE_OK);
  jar[0] = 0;
  set("n", 1);
  CHECK(tuile_manager_start_sweeping(manager, 1, 10, &error) == TUILE_OK);
  for (int i = 0; i < 100 && !atomic_load(&ended); i++) usleep(100000);
  CHECK(atomic_load(&ended));
  tuile_manager_close(manager);
}

int main(int argc, char **argv) {
  CHECK(argc > 1);
  char url[600];
  snprintf(url, sizeof url, "sqlite://%s/metrics.db", argv[1]);
  metrics(url);
  sweeping(url);
  snprintf(url, sizeof url, "sqlite://%s/messages.db", argv[1]);
  messages(url);
  stopped_from_within();
  puts("the administrator sees what happens, and nothing secret");
  return 0;
}
