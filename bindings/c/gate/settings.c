/* The settings of a block of the configuration, and what it inherits. */
#include "gate.h"

#include <string.h>
#include <strings.h>

void gate_settings_init(struct gate_settings *settings) {
  memset(settings, 0, sizeof *settings);
  settings->cookie_age = settings->lifetime = settings->refresh = settings->max_data = -1;
  settings->cookie_same_site = settings->cookie_secure = settings->cookie_http_only = settings->cookie_partitioned = -1;
  settings->browser_close = settings->policy = settings->several_cookies = settings->device_bound = -1;
  settings->users_kept = settings->device_seconds = -1;
}

bool gate_settings_are_unset(const struct gate_settings *settings) {
  struct gate_settings unset;
  gate_settings_init(&unset);
  return memcmp(settings, &unset, sizeof unset) == 0;
}

static void inherit_text(tuile_bytes *own, tuile_bytes from) {
  if (!own->data) *own = from;
}

static void inherit_url(tuile_bytes *own, const char **own_at, tuile_bytes from, const char *from_at) {
  if (!own->data) *own = from, *own_at = from_at;
}

static void inherit_number(int64_t *own, int64_t from) {
  if (*own < 0) *own = from;
}

static void inherit_choice(int *own, int from) {
  if (*own < 0) *own = from;
}

void gate_settings_inherit(struct gate_settings *own, const struct gate_settings *from) {
  inherit_url(&own->store, &own->store_at, from->store, from->store_at);
  inherit_url(&own->previous_store, &own->previous_store_at, from->previous_store, from->previous_store_at);
  inherit_url(&own->revocations, &own->revocations_at, from->revocations, from->revocations_at);
  inherit_text(&own->cookie_name, from->cookie_name);
  inherit_text(&own->cookie_domain, from->cookie_domain);
  inherit_text(&own->cookie_path, from->cookie_path);
  inherit_text(&own->previous_cookie, from->previous_cookie);
  inherit_text(&own->login_key, from->login_key);
  if (own->policy < 0) {
    inherit_number(&own->cookie_age, from->cookie_age);
    inherit_number(&own->lifetime, from->lifetime);
    inherit_number(&own->refresh, from->refresh);
  }
  inherit_number(&own->max_data, from->max_data);
  inherit_choice(&own->cookie_same_site, from->cookie_same_site);
  inherit_choice(&own->cookie_secure, from->cookie_secure);
  inherit_choice(&own->cookie_http_only, from->cookie_http_only);
  inherit_choice(&own->cookie_partitioned, from->cookie_partitioned);
  inherit_choice(&own->browser_close, from->browser_close);
  inherit_choice(&own->policy, from->policy);
  inherit_choice(&own->several_cookies, from->several_cookies);
  inherit_choice(&own->device_bound, from->device_bound);
  inherit_text(&own->device_path, from->device_path);
  inherit_number(&own->device_seconds, from->device_seconds);
  if (!own->keyring) own->keyring = from->keyring;
  inherit_url(&own->users, &own->users_at, from->users, from->users_at);
  inherit_text(&own->user_table, from->user_table);
  for (int i = 0; i < GATE_COLUMN_COUNT; i++) inherit_text(&own->user_columns[i], from->user_columns[i]);
  inherit_number(&own->users_kept, from->users_kept);
}

static bool is_word(tuile_bytes text, const char *word) {
  return text.size == strlen(word) && strncasecmp(text.data, word, text.size) == 0;
}

/* Where the users are; empty: they are not checked. */
tuile_bytes gate_users_url(const struct gate_settings *settings) {
  if (settings->users.size == 0 || is_word(settings->users, "off")) return (tuile_bytes){NULL, 0};
  return gate_kept_url(is_word(settings->users, "on") ? settings->store : settings->users);
}

static const char *mistake_of_users(const struct gate_settings *settings) {
  tuile_bytes url = gate_users_url(settings);
  if (url.size == 0) return NULL;
  if (!gate_is_database_url(url)) return "users need the URL of the database that they are in, sqlite: or postgresql:";
  if (!settings->keyring) return "users need the secrets of Django: its SECRET_KEY and SECRET_KEY_FALLBACKS";
  tuile_bytes key = settings->login_key;
  bool other = key.data && !(key.size == 13 && memcmp(key.data, "_auth_user_id", 13) == 0);
  return other ? "users are Django's, whose login key is _auth_user_id" : NULL;
}

static const char *mistake_of_binding(const struct gate_settings *settings) {
  if (settings->device_path.size == 0)
    return settings->device_seconds < 0 ? NULL : "device_seconds is of no use without device_path";
  if (settings->device_bound != 1) return "device_path, where this server binds sessions, needs device_bound";
  if (settings->several_cookies == 1) return "device_path can't be with several_cookies: the application may take another one of them";
  if (gate_is_read_only_url(settings->store)) return "device_path binds sessions, which a store with mode=ro can't";
  return settings->keyring ? NULL : "device_path needs secrets: what browsers sign is checked with them";
}

const char *gate_mistake(const struct gate_settings *settings) {
  if (settings->policy >= 0 && (settings->cookie_age >= 0 || settings->lifetime >= 0 || settings->refresh >= 0))
    return "a policy says itself what cookie_age, lifetime and refresh are";
  if (settings->refresh > 0 && gate_is_cookie_url(settings->store) && settings->revocations.size == 0)
    return "refresh of sessions in cookies needs revocations: without them a copy from before a logout would be kept alive";
  if ((settings->refresh > 0 || settings->policy >= 0) && gate_is_read_only_url(settings->store))
    return "refresh and policies keep sessions alive, which a store with mode=ro can't";
  if (settings->previous_cookie.size > 0 && settings->previous_store.size == 0)
    return "previous_cookie is of no use without previous_store";
  if (settings->device_bound == 1 && settings->cookie_secure != 1)
    return "device_bound needs cookie_secure: browsers bind sessions over https alone";
  const char *mistake = mistake_of_binding(settings);
  return mistake ? mistake : mistake_of_users(settings);
}

const char **gate_settings_place(struct gate_settings *settings, const tuile_bytes *url) {
  return url == &settings->previous_store ? &settings->previous_store_at
         : url == &settings->revocations  ? &settings->revocations_at
         : url == &settings->users        ? &settings->users_at
                                          : &settings->store_at;
}

const char *gate_settings_at(const struct gate_settings *settings, enum gate_part part) {
  const char *at = part == GATE_PREVIOUS_STORE ? settings->previous_store_at
                   : part == GATE_REVOCATIONS  ? settings->revocations_at
                   : part == GATE_USERS        ? settings->users_at
                                               : settings->store_at;
  return at ? at : "the configuration";
}
