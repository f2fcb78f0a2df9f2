/* The directives, which are named as those of the nginx module, and take the same. */
#include "daemon.h"

#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "../tuile_http.h"

enum kind { KIND_TEXT, KIND_URL, KIND_SECONDS, KIND_BYTES, KIND_CHOICE };

struct choice {
  const char *name;
  int value;
};

static const struct choice flags[] = {{"off", 0}, {"on", 1}, {NULL, 0}};
static const struct choice policies[] = {{"aal2", TUILE_POLICY_AAL2}, {"aal3", TUILE_POLICY_AAL3}, {NULL, 0}};
static const struct choice same_sites[] = {{"none", TUILE_SAME_SITE_NONE}, {"lax", TUILE_SAME_SITE_LAX}, {"strict", TUILE_SAME_SITE_STRICT},
                                           {"unset", TUILE_SAME_SITE_UNSET}, {NULL, 0}};
static const struct choice levels[] = {{"off", LOG_OFF}, {"error", LOG_ERROR}, {"warn", LOG_WARN}, {"notice", LOG_NOTICE}, {"info", LOG_INFO}, {NULL, 0}};
static const struct choice proxies[] = {{"nginx", PROXY_NGINX}, {"caddy", PROXY_CADDY}, {"traefik", PROXY_TRAEFIK},
                                        {"haproxy", PROXY_HAPROXY}, {"envoy", PROXY_ENVOY}, {NULL, 0}};

/* Those of one word that goes into a field of gate_settings. */
#define SETTING(name, kind, field, choices) {name, kind, offsetof(struct gate_settings, field), choices}
static const struct setting {
  const char *name;
  enum kind kind;
  size_t offset;
  const struct choice *choices;
} settings[] = {
    SETTING("tuile_store", KIND_URL, store, NULL),
    SETTING("tuile_previous_store", KIND_URL, previous_store, NULL),
    SETTING("tuile_revocations", KIND_URL, revocations, NULL),
    SETTING("tuile_cookie_name", KIND_TEXT, cookie_name, NULL),
    SETTING("tuile_cookie_domain", KIND_TEXT, cookie_domain, NULL),
    SETTING("tuile_cookie_path", KIND_TEXT, cookie_path, NULL),
    SETTING("tuile_cookie_age", KIND_SECONDS, cookie_age, NULL),
    SETTING("tuile_cookie_samesite", KIND_CHOICE, cookie_same_site, same_sites),
    SETTING("tuile_cookie_secure", KIND_CHOICE, cookie_secure, flags),
    SETTING("tuile_cookie_httponly", KIND_CHOICE, cookie_http_only, flags),
    SETTING("tuile_cookie_partitioned", KIND_CHOICE, cookie_partitioned, flags),
    SETTING("tuile_previous_cookie", KIND_TEXT, previous_cookie, NULL),
    SETTING("tuile_device_bound", KIND_CHOICE, device_bound, flags),
    SETTING("tuile_device_path", KIND_TEXT, device_path, NULL),
    SETTING("tuile_device_seconds", KIND_SECONDS, device_seconds, NULL),
    SETTING("tuile_several_cookies", KIND_CHOICE, several_cookies, flags),
    SETTING("tuile_expire_at_browser_close", KIND_CHOICE, browser_close, flags),
    SETTING("tuile_lifetime", KIND_SECONDS, lifetime, NULL),
    SETTING("tuile_refresh", KIND_SECONDS, refresh, NULL),
    SETTING("tuile_policy", KIND_CHOICE, policy, policies),
    SETTING("tuile_max_data", KIND_BYTES, max_data, NULL),
    SETTING("tuile_login_key", KIND_TEXT, login_key, NULL),
    SETTING("tuile_django_users", KIND_URL, users, NULL),
    SETTING("tuile_django_users_kept", KIND_SECONDS, users_kept, NULL),
    SETTING("tuile_django_user_table", KIND_TEXT, user_table, NULL),
    {NULL, KIND_TEXT, 0, NULL}};

/* ---- words ---- */

static bool is(const char *word, const char *other) { return strcmp(word, other) == 0; }

static bool takes_one(const struct directive *directive) {
  return directive->count == 2 || config_mistake(directive, "%s takes one argument", directive->words[0]);
}

static bool is_duplicate(const struct directive *directive) { return config_mistake(directive, "%s is duplicate", directive->words[0]); }

/* A number with units behind its parts, such as 1h30m, each smaller than the one before; -1. */
static int64_t number_of(const char *text, const char *units, const int64_t *sizes, bool several) {
  int64_t sum = 0, last = INT64_MAX;
  if (!*text) return -1;
  while (*text) {
    char *end;
    if (*text < '0' || *text > '9') return -1;
    long long value = strtoll(text, &end, 10);
    const char *unit = *end ? strchr(units, *end) : NULL;
    if (*end && !unit) return -1;
    int64_t size = unit ? sizes[unit - units] : 1;
    if (size >= last || value > INT64_C(1000000000000) / size || (!several && last != INT64_MAX)) return -1;
    sum += value * size;
    last = size;
    text = *end ? end + 1 : end;
  }
  return sum;
}

static bool set_number(const struct directive *directive, int64_t *field, int64_t number, const char *what) {
  if (*field >= 0) return is_duplicate(directive);
  if (number < 0) return config_mistake(directive, "%s takes %s, not \"%s\"", directive->words[0], what, directive->words[1]);
  *field = number;
  return true;
}

static bool set_choice(const struct directive *directive, int *field, const struct choice *choices) {
  char names[160] = "";
  if (*field >= 0) return is_duplicate(directive);
  for (const struct choice *each = choices; each->name; each++) {
    if (strcasecmp(each->name, directive->words[1]) == 0) return *field = each->value, true;
    snprintf(names + strlen(names), sizeof names - strlen(names), "%s%s", *names ? ", " : "", each->name);
  }
  return config_mistake(directive, "%s takes one of %s, not \"%s\"", directive->words[0], names, directive->words[1]);
}

static bool set_text(const struct directive *directive, tuile_bytes *field) {
  if (field->data) return is_duplicate(directive);
  *field = tuile_text(directive->words[1]);
  return true;
}

static bool apply_setting(struct config *config, struct location *location, const struct setting *setting, const struct directive *directive) {
  static const int64_t times[] = {1, 60, 3600, 86400, 604800, 2592000, 31536000}, sizes[] = {1024, 1024, 1048576, 1048576};
  void *field = (char *)&location->settings + setting->offset;
  if (!takes_one(directive)) return false;
  switch (setting->kind) {
    case KIND_CHOICE: return set_choice(directive, field, setting->choices);
    case KIND_SECONDS: return set_number(directive, field, number_of(directive->words[1], "smhdwMy", times, true), "seconds, or a time such as 12h");
    case KIND_BYTES: return set_number(directive, field, number_of(directive->words[1], "kKmM", sizes, false), "bytes, or a size such as 64k");
    case KIND_TEXT: return set_text(directive, field);
    case KIND_URL: break;
  }
  size_t size = strlen(directive->file) + 16;
  char *at = config_keep(config, size);
  snprintf(at, size, "%s:%u", directive->file, directive->line);
  if (!set_text(directive, field)) return false;
  *gate_settings_place(&location->settings, field) = at;
  return true;
}

/* ---- those of several words ---- */

/* tuile_secret_file PATH [hex|base64] [weak] */
static bool set_secret_file(struct location *location, const struct directive *directive) {
  tuile_error error;
  if (location->settings.keyring) return config_mistake(directive, "tuile_secret_file is duplicate: one file has all keys, the newest first");
  if (directive->count < 2) return config_mistake(directive, "tuile_secret_file takes a path");
  const char *path = directive->words[1], *const *words = (const char *const *)directive->words + 2;
  if (gate_read_keys(tuile_text(path), words, directive->count - 2, &location->settings.keyring, &error) == TUILE_OK) return true;
  return config_mistake(directive, "tuile_secret_file \"%s\": %s", path, error.message);
}

static bool set_column(struct location *location, const struct directive *directive) {
  int column = directive->count == 3 ? gate_column_named(tuile_text(directive->words[1])) : -1;
  if (column < 0)
    return config_mistake(directive, "tuile_django_user_column takes id, username, password, active, staff, superuser or member, and a column");
  if (location->settings.user_columns[column].data) return is_duplicate(directive);
  location->settings.user_columns[column] = tuile_text(directive->words[2]);
  return true;
}

static bool set_require(struct config *config, struct location *location, const struct directive *directive) {
  size_t count = directive->count - 1;
  if (location->require) return is_duplicate(directive);
  if (count == 0) return config_mistake(directive, "tuile_require takes off, or what a session has to hold");
  location->require = config_keep(config, sizeof *location->require);
  struct gate_term *room = config_keep(config, count * sizeof *room);
  tuile_bytes *words = config_keep(config, count * sizeof *words);
  if (count == 1 && is(directive->words[1], "off")) return true;
  for (size_t i = 0; i < count; i++) words[i] = tuile_text(directive->words[i + 1]);
  const char *mistake = gate_read_requirement(words, count, room, location->require);
  return !mistake || config_mistake(directive, "tuile_require %s", mistake);
}

/* tuile_identity_header NAME KEY, or off */
static bool add_identity(struct config *config, struct location *location, const struct directive *directive) {
  if (directive->count == 2 && is(directive->words[1], "off")) return location->no_identity = true;
  if (directive->count != 3) return config_mistake(directive, "tuile_identity_header takes off, or a name and a key");
  tuile_bytes name = tuile_text(directive->words[1]), key = tuile_text(directive->words[2]);
  const char *mistake = gate_identity_mistake(name);
  if (!mistake && gate_is_of_user(key)) mistake = gate_need_of_user(key, false);
  if (mistake) return config_mistake(directive, "tuile_identity_header %s", mistake);
  for (size_t i = 0; i < location->identity_count; i++)
    if (gate_is_same_name(location->identity[i].name, name)) return is_duplicate(directive);
  struct gate_identity *more = config_keep(config, (location->identity_count + 1) * sizeof *more);
  for (size_t i = 0; i < location->identity_count; i++) more[i] = location->identity[i];
  more[location->identity_count++] = (struct gate_identity){name, key};
  location->identity = more;
  return true;
}

static bool set_exempt(struct config *config, struct location *location, const struct directive *directive) {
  if (location->exempt) return is_duplicate(directive);
  if (directive->count < 2) return config_mistake(directive, "tuile_exempt_methods takes methods, such as OPTIONS");
  location->exempt = config_keep(config, directive->count * sizeof *location->exempt);
  for (size_t i = 1; i < directive->count; i++) location->exempt[location->exempt_count++] = tuile_text(directive->words[i]);
  if (is(directive->words[1], "off") && directive->count == 2) location->exempt_count = 0;
  return true;
}

static bool set_unavailable(struct location *location, const struct directive *directive) {
  char *end;
  if (location->unavailable >= 0) return is_duplicate(directive);
  long status = is(directive->words[1], "pass") ? 0 : strtol(directive->words[1], &end, 10);
  if (status != 0 && (*end || status < 400 || status > 599)) status = -1;
  if (status < 0 || (status == 0 && !is(directive->words[1], "pass"))) return config_mistake(directive, "tuile_unavailable takes pass, or a status from 400 to 599");
  location->unavailable = (int)status;
  return true;
}

/* A path of the site, or an absolute URL. */
static bool set_login_url(struct location *location, const struct directive *directive) {
  const char *url = directive->words[1];
  bool is_url = *url == '/' || strncmp(url, "https://", 8) == 0 || strncmp(url, "http://", 7) == 0 || !*url;
  for (const char *at = url; *at; at++) is_url = is_url && (unsigned char)*at > 0x20 && (unsigned char)*at < 0x7f && *at != '\\';
  if (!is_url) return config_mistake(directive, "tuile_login_url takes a path that begins with /, or a URL of http: or https:");
  if (strchr(url, '$')) return config_mistake(directive, "tuile_login_url takes no variables here");
  return set_text(directive, &location->login_url);
}

bool directive_apply(struct config *config, struct location *location, const struct directive *directive) {
  const char *name = directive->words[0];
  for (const struct setting *each = settings; each->name; each++)
    if (is(each->name, name)) return apply_setting(config, location, each, directive);
  if (is(name, "tuile_secret_file")) return set_secret_file(location, directive);
  if (is(name, "tuile_django_user_column")) return set_column(location, directive);
  if (is(name, "tuile_require")) return set_require(config, location, directive);
  if (is(name, "tuile_identity_header")) return add_identity(config, location, directive);
  if (is(name, "tuile_exempt_methods")) return set_exempt(config, location, directive);
  if (is(name, "tuile_login_url")) return takes_one(directive) && set_login_url(location, directive);
  if (is(name, "tuile_login_parameter")) return takes_one(directive) && set_text(directive, &location->login_parameter);
  if (is(name, "tuile_count")) return takes_one(directive) && set_text(directive, &location->count);
  if (is(name, "tuile_unavailable")) return takes_one(directive) && set_unavailable(location, directive);
  if (is(name, "tuile_log_level")) return takes_one(directive) && set_choice(directive, &location->log_level, levels);
  if (is(name, "tuile_proxy")) {
    int proxy = location->proxy == PROXY_UNSAID ? -1 : (int)location->proxy;
    if (!takes_one(directive) || !set_choice(directive, &proxy, proxies)) return false;
    location->proxy = (enum proxy)proxy;
    return true;
  }
  if (is(name, "listen") || is(name, "worker_connections")) return config_mistake(directive, "%s stands outside of locations", name);
  return config_mistake(directive, "unknown directive \"%s\"", name);
}
