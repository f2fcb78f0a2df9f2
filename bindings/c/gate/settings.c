/* The settings of a block of the configuration, and what it inherits. */
#include "gate.h"

#include <string.h>

void gate_settings_init(struct gate_settings *settings) {
  memset(settings, 0, sizeof *settings);
  settings->cookie_age = settings->lifetime = settings->refresh = settings->max_data = -1;
  settings->cookie_same_site = settings->cookie_secure = settings->cookie_http_only = settings->cookie_partitioned = -1;
  settings->browser_close = settings->policy = settings->several_cookies = -1;
}

bool gate_settings_are_unset(const struct gate_settings *settings) {
  struct gate_settings unset;
  gate_settings_init(&unset);
  return memcmp(settings, &unset, sizeof unset) == 0;
}

static void inherit_text(tuile_bytes *own, tuile_bytes from) {
  if (!own->data) *own = from;
}

static void inherit_number(int64_t *own, int64_t from) {
  if (*own < 0) *own = from;
}

static void inherit_choice(int *own, int from) {
  if (*own < 0) *own = from;
}

void gate_settings_inherit(struct gate_settings *own, const struct gate_settings *from) {
  inherit_text(&own->store, from->store);
  inherit_text(&own->previous_store, from->previous_store);
  inherit_text(&own->revocations, from->revocations);
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
  if (!own->keyring) own->keyring = from->keyring;
}

const char *gate_mistake(const struct gate_settings *settings) {
  if (settings->policy >= 0 && (settings->cookie_age >= 0 || settings->lifetime >= 0 || settings->refresh >= 0))
    return "a policy says itself what cookie_age, lifetime and refresh are";
  if (settings->refresh > 0 && gate_is_cookie_url(settings->store) && settings->revocations.size == 0)
    return "refresh of sessions in cookies needs revocations: without them a copy from before a logout would be kept alive";
  if (settings->previous_cookie.size > 0 && settings->previous_store.size == 0)
    return "previous_cookie is of no use without previous_store";
  return NULL;
}
