/* A gate: its settings, its keys, and its manager. */
#include "gate.h"
#include "user.h"

#include <string.h>
#include <time.h>

int64_t gate_now(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

void gate_init(struct gate *gate, const struct gate_settings *settings) {
  memset(gate, 0, sizeof *gate);
  pthread_mutex_init(&gate->mutex, NULL);
  tuile_config *config = &gate->config;
  tuile_config_init(config, sizeof *config);
  if (settings->policy >= 0) tuile_config_set_policy(config, (tuile_policy)settings->policy);
  config->store = settings->store;
  config->previous_store = settings->previous_store;
  config->revocations = settings->revocations;
  config->previous_cookie = settings->previous_cookie;
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
  gate->binds = settings->device_bound == 1 && settings->device_path.size > 0;
  if (settings->device_bound == 1) {
    config->device_binding = TUILE_DEVICE_BINDING_CALL;
    /* Without: the application offers, and answers at a path of its own. Here the bound cookie is asked for. */
    config->device_path = gate->binds ? settings->device_path : config->cookie_path;
  }
  if (gate->binds && settings->device_seconds >= 0) config->device_seconds = settings->device_seconds;
  gate->several_cookies = settings->several_cookies == 1;
  gate_users_configure(&gate->users, settings);
  gate->login_key = settings->login_key.data ? settings->login_key : TUILE_STR(""); /* the framework's own */
}

void gate_close(struct gate *gate) {
  if (atomic_load(&gate->visits) == 0) tuile_manager_close(gate->manager);
  gate->manager = NULL;
  if (atomic_load(&gate->visits) == 0) gate_users_close(&gate->users);
  pthread_mutex_destroy(&gate->mutex);
}

tuile_status gate_read_keys(tuile_bytes path, const char *const *words, size_t count, tuile_keyring **keyring,
                            tuile_error *error) {
  tuile_secret_format format = TUILE_SECRET_TEXT;
  bool weak = false, shared = false;
  for (size_t i = 0; i < count; i++) {
    if (strcmp(words[i], "hex") == 0) format = TUILE_SECRET_HEX;
    else if (strcmp(words[i], "base64") == 0) format = TUILE_SECRET_BASE64;
    else if (strcmp(words[i], "weak") == 0) weak = true;
    else if (strcmp(words[i], "shared") == 0) shared = true;
    else {
      *error = (tuile_error){.status = TUILE_E_ARGUMENT};
      snprintf(error->message, sizeof error->message, "it takes hex, base64, weak and shared after the path, not \"%s\"", words[i]);
      return TUILE_E_ARGUMENT;
    }
  }
  tuile_keyring *made;
  tuile_status status = tuile_keyring_new(weak, &made, error);
  if (status != TUILE_OK) return status;
  status = tuile_keyring_add_file(made, path, (tuile_secret_format)(format | (shared ? TUILE_SECRET_SHARED_FILE : 0)), error);
  if (status == TUILE_OK) *keyring = made;
  else tuile_keyring_free(made);
  return status;
}

bool gate_is_inline(const struct gate *gate) {
  if (gate->config.previous_store.size > 0 || gate->config.revocations.size > 0 || gate->users.url.size > 0) return false;
  return gate_is_inside_url(gate->config.store);
}

static tuile_status open_manager(struct gate *gate) {
  tuile_config config = gate->config;
  tuile_bytes *places[] = {&config.store, &config.previous_store, &config.revocations};
  struct gate_url urls[3];
  for (int i = 0; i < 3; i++)
    if (gate_make_url(*places[i], false, &urls[i]) == TUILE_OK) *places[i] = (tuile_bytes){urls[i].text, urls[i].size};
  return tuile_manager_open(&config, &gate->manager, &gate->failure);
}

/* A failed opening is tried again after a second, so that a store that is away costs few
 * threads. */
tuile_manager *gate_open(struct gate *gate, tuile_error *error) {
  pthread_mutex_lock(&gate->mutex);
  int64_t now = gate_now() / 1000000;
  if (!gate->manager && (!gate->tried || now > gate->tried)) {
    gate->failure = (tuile_error){.status = TUILE_E_STORE};
    if (open_manager(gate) != TUILE_OK) {
      gate->manager = NULL;
      gate->tried = gate_now() / 1000000;
    }
  }
  tuile_manager *manager = gate->manager;
  if (!manager) *error = gate->failure;
  pthread_mutex_unlock(&gate->mutex);
  return manager;
}
