/* A cache that others can write into makes no session: what is in it counts only as far
 * as its signature does, whatever store is behind it. */
#include "request.h"

#include <time.h>

static char key[64];

/* What somebody puts into the cache who has not the secret. */
static void forge(tuile_store *front, int64_t until) {
  char copy[128];
  snprintf(copy, sizeof copy, "d%016llx{\"user\":\"admin\"}", (unsigned long long)INT64_C(4102444800000000));
  CHECK(tuile_store_put(front, text(key), text(copy), until, &error) == TUILE_OK);
}

int main(int argc, char **argv) {
  CHECK(argc > 1);
  char front_url[600], url[700];
  snprintf(front_url, sizeof front_url, "sqlite://%s/front.db", argv[1]);
  snprintf(url, sizeof url, "cached+memory:#%s?fresh=3600", front_url);

  tuile_config config = TUILE_CONFIG_INIT;
  config.store = text(url);
  CHECK(tuile_manager_open(&config, &manager, &error) == TUILE_E_ARGUMENT); /* no secret to sign with */
  config.secret = text("a secret that has its thirty-two bytes and more");
  CHECK(tuile_manager_open(&config, &manager, &error) == TUILE_OK);
  set("n", 1);
  snprintf(key, sizeof key, "%.32s", jar + strlen("sessionid="));

  tuile_store *front;
  CHECK(tuile_store_open(text(front_url), &front, &error) == TUILE_OK);
  forge(front, (int64_t)time(NULL) * 1000000 + 60000000);
  tuile_session *s = request();
  tuile_bytes user;
  CHECK(tuile_session_get_string(s, text("user"), &user, &error) == TUILE_ABSENT);
  tuile_session_end(s);
  tuile_manager_close(manager);

  /* Handed over opened, too. */
  tuile_store *both;
  CHECK(tuile_store_open(text(url), &both, &error) == TUILE_OK);
  config.store = text(""), config.open_store = both, config.secret = text("");
  CHECK(tuile_manager_open(&config, &manager, &error) == TUILE_E_ARGUMENT);
  tuile_store_close(both);
  tuile_store_close(front);

  /* In this process's memory alone nothing needs a signature. */
  config.open_store = NULL, config.store = text("memory:");
  CHECK(tuile_manager_open(&config, &manager, &error) == TUILE_OK);
  tuile_manager_close(manager);
  puts("a shared cache in front of memory is not trusted");
  return 0;
}
