/* A gate: its settings, its keys, and its manager. */
#include "gate.h"

#include <string.h>
#include <time.h>

static int64_t monotonic_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec;
}

void gate_init(struct gate *gate, const struct gate_settings *settings) {
  memset(gate, 0, sizeof *gate);
  pthread_mutex_init(&gate->mutex, NULL);
  tuile_config *config = &gate->config;
  tuile_config_init(config);
  if (settings->policy >= 0) tuile_config_set_policy(config, (tuile_policy)settings->policy);
  config->store = settings->store;
  config->previous_store = settings->previous_store;
  config->previous_cookie = settings->previous_cookie;
  config->revocations = settings->revocations;
  config->keyring = settings->keyring;
  config->cookie_domain = settings->cookie_domain;
  if (settings->cookie_name.data) config->cookie_name = settings->cookie_name;
  if (settings->cookie_path.data) config->cookie_path = settings->cookie_path;
  if (settings->cookie_age >= 0) config->cookie_age = settings->cookie_age;
  if (settings->lifetime >= 0) config->lifetime = settings->lifetime;
  if (settings->refresh >= 0) config->refresh = settings->refresh;
  if (settings->max_data >= 0) config->max_data = (size_t)settings->max_data;
  if (settings->cookie_same_site >= 0) config->cookie_same_site = (tuile_same_site)settings->cookie_same_site;
  config->cookie_secure = settings->cookie_secure == 1;
  config->cookie_http_only = settings->cookie_http_only != 0;
  config->cookie_partitioned = settings->cookie_partitioned == 1;
  config->expire_at_browser_close = settings->browser_close == 1;
  gate->several_cookies = settings->several_cookies == 1;
  gate->login_key = settings->login_key.data ? settings->login_key : TUILE_STR("_auth_user_id");
}

void gate_close(struct gate *gate) {
  if (atomic_load(&gate->visits) == 0) tuile_manager_close(gate->manager);
  gate->manager = NULL;
  pthread_mutex_destroy(&gate->mutex);
}

tuile_status gate_read_keys(tuile_bytes path, bool allow_weak, tuile_key_format format, tuile_keyring **keyring,
                            tuile_error *error) {
  tuile_keyring *made;
  tuile_status status = tuile_keyring_new(allow_weak, &made, error);
  if (status != TUILE_OK) return status;
  status = tuile_keyring_add_file(made, path, format, error);
  if (status == TUILE_OK) *keyring = made;
  else tuile_keyring_free(made);
  return status;
}

static bool starts(tuile_bytes text, const char *start) {
  size_t size = strlen(start);
  return text.size >= size && memcmp(text.data, start, size) == 0;
}

bool gate_is_cookie_url(tuile_bytes store) { return starts(store, "cookie:"); }

bool gate_is_inline(const struct gate *gate) {
  if (gate->config.previous_store.size > 0 || gate->config.revocations.size > 0) return false;
  return starts(gate->config.store, "memory:") || gate_is_cookie_url(gate->config.store);
}

bool gate_may_recover(const struct gate *gate, tuile_status status) {
  if (status == TUILE_E_BUSY) return true;
  return status == TUILE_E_STORE && !starts(gate->config.store, "sqlite:") && !starts(gate->config.store, "file:");
}

/* A failed opening is tried again after a second, so that a store that is away costs few
 * threads. */
tuile_manager *gate_open(struct gate *gate, tuile_error *error) {
  pthread_mutex_lock(&gate->mutex);
  int64_t now = monotonic_seconds();
  if (!gate->manager && (!gate->tried || now > gate->tried)) {
    gate->failure = (tuile_error){.status = TUILE_E_STORE};
    if (tuile_manager_open(&gate->config, &gate->manager, &gate->failure) != TUILE_OK) {
      gate->manager = NULL;
      gate->tried = monotonic_seconds();
    }
  }
  tuile_manager *manager = gate->manager;
  if (!manager) *error = gate->failure;
  pthread_mutex_unlock(&gate->mutex);
  return manager;
}
