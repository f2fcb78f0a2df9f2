/* Managers for stores on the command line, and sessions by their IDs. */
#include <stdlib.h>
#include <string.h>

#include "tool.h"

/* The store's sessions are in cookies: a session's ID is the cookie's value. */
static bool ids_are_cookies;

bool store_has_layout(tuile_bytes url) {
  static const char name[] = "layout=";
  const char *at = url.size ? memchr(url.data, '?', url.size) : NULL, *end = (const char *)url.data + url.size;
  while (at && at < end) {
    const char *option = at + 1, *next = memchr(option, '&', (size_t)(end - option));
    size_t size = (size_t)((next ? next : end) - option), begin = sizeof name - 1;
    if (size >= begin && memcmp(option, name, begin) == 0)
      return size - begin != 6 || memcmp(option + begin, "django", 6) != 0;
    at = next;
  }
  return false;
}

/* What frameworks store by themselves is not signed: a secret is for their cookies alone,
 * and one that nobody knows serves where no cookie is looked at. */
static tuile_keyring *nobodys_keyring(void) {
  char secret[64];
  size_t size;
  tuile_keyring *keyring = NULL;
  tuile_error error = {0};
  tuile_status status = tuile_secret_generate(secret, sizeof secret, &size, &error);
  if (status == TUILE_OK) status = tuile_keyring_new(false, &keyring, &error);
  /* Of 32 octets, which every framework takes for a key. */
  if (status == TUILE_OK) status = tuile_keyring_add(keyring, (tuile_bytes){secret, 32}, TUILE_SECRET_TEXT, &error);
  explicit_bzero(secret, sizeof secret);
  if (status != TUILE_OK) exit(fail(status, &error));
  return keyring;
}

/* The keyring is freed. */
static tuile_manager *manager_by(tuile_keyring *keyring, tuile_bytes url, tuile_bytes cookie_name) {
  tuile_config config = TUILE_CONFIG_INIT;
  config.store = url;
  config.max_data = INPUT_MOST;
  if (cookie_name.size) {
    config.cookie_name = cookie_name;
    config.cookie_skip_rules = TUILE_RULE_NAME | TUILE_RULE_PREFIX;
  }
  config.keyring = keyring;
  tuile_manager *manager;
  tuile_error error;
  tuile_status status = tuile_manager_open(&config, &manager, &error);
  tuile_keyring_free(keyring);
  if (status == TUILE_E_ARGUMENT && !keyring)
    usage_error("no secret: give --secret-file FILE or the environment variable TUILE_SECRET");
  if (status != TUILE_OK) exit(fail(status, &error));
  return manager;
}

tuile_manager *manager_open(const struct arguments *arguments, tuile_bytes url, tuile_bytes cookie_name, bool *has_secret) {
  tuile_keyring *keyring = input_keyring(arguments);
  *has_secret = keyring != NULL;
  if (!keyring && store_has_layout(url)) keyring = nobodys_keyring();
  return manager_by(keyring, url, cookie_name);
}

tuile_manager *manager_of_nobody(tuile_bytes url) { return manager_by(nobodys_keyring(), url, (tuile_bytes){NULL, 0}); }

tuile_manager *session_manager(const struct arguments *arguments, bool *in_cookie) {
  bool has_secret;
  tuile_bytes url = input_store(arguments->text[OPT_STORE]);
  ids_are_cookies = *in_cookie = url.size >= 7 && memcmp(url.data, "cookie:", 7) == 0;
  return manager_open(arguments, url, (tuile_bytes){NULL, 0}, &has_secret);
}

tuile_session *session_of_cookie(tuile_manager *manager, tuile_bytes name, tuile_bytes value) {
  if (memchr(value.data ? value.data : "", ';', value.size)) return NULL;
  char *header = malloc(name.size + value.size + 1);
  if (!header) exit(fail(TUILE_E_MEMORY, NULL));
  memcpy(header, name.data, name.size);
  header[name.size] = '=';
  if (value.size) memcpy(header + name.size + 1, value.data, value.size);
  tuile_session *session = NULL;
  tuile_error error = {0};
  tuile_bytes cookie = {header, value.size ? name.size + 1 + value.size : 0};
  tuile_status status = tuile_session_start(manager, cookie, (tuile_bytes){NULL, 0}, &session, &error);
  explicit_bzero(header, name.size + value.size + 1);
  free(header);
  if (status != TUILE_OK) exit(fail(status, &error));
  return session;
}

tuile_session *session_begin(tuile_manager *manager, tuile_bytes key) {
  if (ids_are_cookies || key.size == 0) return session_of_cookie(manager, TUILE_STR("sessionid"), key);
  tuile_session *session = NULL;
  tuile_error error = {0};
  tuile_status status = tuile_session_start_with_id(manager, key, &session, &error);
  /* An ID that can't be has no session, as one that is not there. */
  if (status == TUILE_E_ARGUMENT) return session_of_cookie(manager, TUILE_STR("sessionid"), (tuile_bytes){NULL, 0});
  if (status != TUILE_OK) exit(fail(status, &error));
  return session;
}
