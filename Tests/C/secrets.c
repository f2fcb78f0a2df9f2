/* One rule for the secrets of sessions, in every store: 32 bytes of text, 256 bits in a ring, or an allowance. */
#include "request.h"

#define THIRTY_TWO "0123456789abcdefghijklmnopqrstuv"
#define THIRTY_ONE "0123456789abcdefghijklmnopqrstu"

int main(int argc, char **argv) {
  CHECK(argc > 1);
  char sqlite[600], file[600];
  snprintf(sqlite, sizeof sqlite, "sqlite://%s/s.db", argv[1]);
  snprintf(file, sizeof file, "file://%s", argv[1]);
  const char *const stores[] = {sqlite, file, "memory:", "cached+memory:", "cookie:", "cookie:flask", "cookie:rails"};
  const char *const weak[] = {"a", "hunter2", THIRTY_ONE};
  for (size_t i = 0; i < sizeof stores / sizeof *stores; i++) {
    tuile_config config = TUILE_CONFIG_INIT;
    config.store = text(stores[i]);
    for (int j = 0; j < 3; j++) {
      config.secret = text(weak[j]);
      CHECK(tuile_manager_open(&config, &manager, &error) == TUILE_E_ARGUMENT);
      CHECK(j == 0 || !strstr(error.message, weak[j]));
      config.allow_weak_secrets = true;
      CHECK(tuile_manager_open(&config, &manager, &error) == TUILE_OK);
      /* What was allowed once is so for new secrets. */
      tuile_config fresh = TUILE_CONFIG_INIT;
      fresh.secret = text("b");
      CHECK(tuile_manager_reload(manager, &fresh, &error) == TUILE_OK);
      tuile_manager_close(manager);
      config.allow_weak_secrets = false;
    }
    /* Django's own, of 50 characters; and the shortest that is long enough. */
    config.secret = text("r_iGp@58WAm!dX3a5ID)nOdcd*bWB2d^C4@(DSDC6Lc1-mxLpQ");
    CHECK(tuile_manager_open(&config, &manager, &error) == TUILE_OK);
    tuile_config fresh = TUILE_CONFIG_INIT;
    fresh.secret = text(THIRTY_ONE);
    CHECK(tuile_manager_reload(manager, &fresh, &error) == TUILE_E_ARGUMENT);
    fresh.secret = text(THIRTY_TWO);
    CHECK(tuile_manager_reload(manager, &fresh, &error) == TUILE_OK);
    tuile_manager_close(manager);
    tuile_bytes older = text("old");
    config.fallbacks = &older, config.fallback_count = 1;
    CHECK(tuile_manager_open(&config, &manager, &error) == TUILE_E_ARGUMENT);

    /* A ring says for itself what it takes. */
    config = (tuile_config)TUILE_CONFIG_INIT;
    config.store = text(stores[i]);
    for (int allowed = 0; allowed < 2; allowed++) {
      tuile_keyring *ring;
      CHECK(tuile_keyring_new(allowed, &ring, &error) == TUILE_OK);
      tuile_status added = tuile_keyring_add(ring, text("a"), TUILE_SECRET_TEXT, &error);
      CHECK(added == (allowed ? TUILE_OK : TUILE_E_ARGUMENT));
      CHECK(tuile_keyring_add(ring, text("000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"), TUILE_SECRET_HEX, &error) == TUILE_OK);
      config.keyring = ring;
      CHECK(tuile_manager_open(&config, &manager, &error) == TUILE_OK);
      tuile_manager_close(manager);
      tuile_keyring_free(ring);
    }
  }
  puts("weak secrets are refused unless they are allowed");
  return 0;
}
