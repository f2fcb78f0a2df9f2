/* Memory stays flat: requests that make, change, read and end sessions, for as
 * long as asked. What is in use after a fifth of them is what is in use after all.
 *   store_flat URL [REQUESTS] */
#include "blind.h"
#include "check.h"

#include <malloc.h>
#include <unistd.h>

enum { visitors = 1000 };

static char cookies[visitors][64];

static size_t resident(void) {
  FILE *file = fopen("/proc/self/statm", "r");
  size_t all, pages;
  CHECK(file);
  CHECK(fscanf(file, "%zu %zu", &all, &pages) == 2);
  fclose(file);
  return pages * (size_t)sysconf(_SC_PAGESIZE);
}

static void request(tuile_manager *manager, char cookie[64], unsigned int what) {
  tuile_error error = {0};
  tuile_session *session = NULL;
  CHECK(tuile_session_start(manager, text(cookie), (tuile_bytes){NULL, 0}, &session, NULL) == TUILE_OK);
  tuile_status status = tuile_session_add_int(session, text("count"), 1, NULL, &error);
  if (status == TUILE_OK && what % 16 == 0) status = tuile_session_flush(session, &error);
  if (status == TUILE_OK && what % 16 == 1) status = tuile_session_cycle_id(session, &error);
  if (status == TUILE_OK && what % 16 == 2) {
    char value[400];
    memset(value, 'v', sizeof value);
    status = tuile_session_set_string(session, text("text"), (tuile_bytes){value, what / 16 % sizeof value}, &error);
  }
  if (status == TUILE_OK) status = tuile_session_commit(session, 200, NULL, NULL, &error);
  if (status != TUILE_OK) fprintf(stderr, "%s: %s\n", tuile_status_name(status), error.message);
  CHECK(status == TUILE_OK);
  tuile_bytes key = {0};
  cookie[0] = 0;
  if (tuile_session_id(session, &key) == TUILE_OK && key.size > 0)
    snprintf(cookie, 64, "sessionid=%.*s", (int)key.size, (const char *)key.data);
  tuile_session_end(session);
}

int main(int argc, char **argv) {
  CHECK(argc > 1);
  unsigned long requests = argc > 2 ? strtoul(argv[2], NULL, 10) : 10000000;
  tuile_store *store = open_store(argv[1], false);
  tuile_config config = TUILE_CONFIG_INIT;
  tuile_manager *manager;
  /* A key that was replaced stays for seconds, which is longer than this takes. */
  config.secret = text("a secret that has its thirty-two bytes and more"), config.open_store = store, config.cycle_grace = 0;
  CHECK(tuile_manager_open(&config, &manager, NULL) == TUILE_OK);
  size_t before = 0;
  unsigned int seed = 1;
  for (unsigned long i = 0; i < requests; i++) {
    request(manager, cookies[rand_r(&seed) % visitors], (unsigned int)rand_r(&seed));
    if (i == requests / 5) before = resident();
  }
  size_t after = resident();
  printf("%lu requests: %zu KiB, then %zu KiB\n", requests, before / 1024, after / 1024);
  tuile_manager_close(manager);
  tuile_store_close(store);
  return after > before + before / 20 + (1 << 20) ? 1 : 0;
}
