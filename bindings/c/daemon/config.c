/* The configuration: read, inherited, tried. */
#include "daemon.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *config_keep(struct config *config, size_t size) {
  struct piece *piece = calloc(1, sizeof *piece + size);
  if (!piece) {
    log_line(LOG_ERROR, "no memory for the configuration");
    exit(3);
  }
  piece->next = config->pieces;
  config->pieces = piece;
  return piece + 1;
}

bool config_mistake(const struct directive *directive, const char *format, ...) {
  char text[1024];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(text, sizeof text, format, arguments);
  va_end(arguments);
  log_line(LOG_ERROR, "%s in %s:%u", text, directive->file, directive->line);
  return false;
}

static const char *place(struct config *config, const struct directive *directive) {
  size_t size = strlen(directive->file) + 16;
  char *at = config_keep(config, size);
  snprintf(at, size, "%s:%u", directive->file, directive->line);
  return at;
}

static void init(struct location *location, const char *name, const char *at) {
  *location = (struct location){.name = name, .at = at, .unavailable = -1, .log_level = -1};
  gate_settings_init(&location->settings);
}

/* ---- reading ---- */

/* All of a file, with a NUL behind it. */
static char *read_file(struct config *config, const char *path, char **reason) {
  FILE *file = fopen(path, "re");
  if (!file) return *reason = strerror(errno), NULL;
  size_t size = 0, capacity = 1 << 20;
  char *text = config_keep(config, capacity + 1);
  size = fread(text, 1, capacity, file);
  *reason = ferror(file) ? strerror(errno) : size == capacity ? "it is larger than a megabyte" : memchr(text, 0, size) ? "it has a NUL" : NULL;
  fclose(file);
  return *reason ? NULL : text;
}

enum { deepest = 8 };
static bool read_source(struct config *config, struct location *location, const char *path, int depth, const struct directive *from);

/* Paths of included files are relative to the file that names them. */
static const char *beside(struct config *config, const char *path, const char *file) {
  const char *slash = strrchr(file, '/');
  if (*path == '/' || !slash) return path;
  size_t size = (size_t)(slash - file) + 1;
  char *joined = config_keep(config, size + strlen(path) + 1);
  memcpy(joined, file, size);
  strcpy(joined + size, path);
  return joined;
}

static bool add_address(struct config *config, const struct directive *directive) {
  struct address *address = config_keep(config, sizeof *address), **last = &config->addresses;
  if (directive->count < 2 || directive->count > 3) return config_mistake(directive, "listen takes ADDRESS:PORT or unix:/PATH, and for that mode=0660");
  *address = (struct address){.text = directive->words[1], .at = place(config, directive), .mode = -1};
  if (directive->count == 3) {
    char *end = NULL;
    bool said = strncmp(directive->words[2], "mode=", 5) == 0 && strncmp(directive->words[1], "unix:", 5) == 0;
    long mode = said ? strtol(directive->words[2] + 5, &end, 8) : -1;
    if (mode < 0 || mode > 0777 || !end || *end || !directive->words[2][5]) return config_mistake(directive, "listen takes mode=0660 or the like, of a unix socket");
    address->mode = (int)mode;
  }
  while (*last) last = &(*last)->next;
  *last = address;
  return true;
}

static bool read_top(struct config *config, const struct directive *directive) {
  const char *name = directive->words[0];
  if (strcmp(name, "listen") == 0) return add_address(config, directive);
  if (strcmp(name, "worker_connections") == 0) {
    char *end = NULL;
    long number = directive->count == 2 ? strtol(directive->words[1], &end, 10) : 0;
    if (number < 1 || number > 65536 || *end) return config_mistake(directive, "worker_connections takes a number from 1 to 65536");
    config->connections = (unsigned)number;
    return true;
  }
  return directive_apply(config, &config->top, directive);
}

static bool is_name(const char *name) {
  if (name[0] != '/' || !name[1]) return false;
  for (const char *at = name + 1; *at; at++)
    if (!((*at >= 'a' && *at <= 'z') || (*at >= 'A' && *at <= 'Z') || (*at >= '0' && *at <= '9') || strchr("-_.", *at))) return false;
  return strcmp(name, "/healthz") != 0 && strcmp(name, "/metrics") != 0;
}

static struct location *begin_location(struct config *config, const struct directive *directive) {
  struct location **last = &config->locations;
  const char *name = directive->count == 2 ? directive->words[1] : "";
  if (strcmp(directive->words[0], "location") != 0) return config_mistake(directive, "unknown block \"%s\"", directive->words[0]), NULL;
  if (!is_name(name))
    return config_mistake(directive, "location takes one name for the proxy to call, such as /members, that is neither /healthz nor /metrics"), NULL;
  for (; *last; last = &(*last)->next)
    if (strcmp((*last)->name, name) == 0) return config_mistake(directive, "location %s is there twice", name), NULL;
  *last = config_keep(config, sizeof **last);
  init(*last, name, place(config, directive));
  return *last;
}

static bool read_block(struct config *config, struct location *location, struct source *source, int depth, const struct directive *from) {
  struct directive directive;
  for (;;) {
    const char *mistake = take_directive(source, &directive);
    if (mistake) return config_mistake(&directive, "%s", mistake);
    if (directive.end == '}' && location != &config->top && !from) return true;
    if (directive.end == '}') return config_mistake(&directive, "unexpected \"}\"");
    if (directive.end == 0 && (location == &config->top || from)) return true;
    if (directive.end == 0) return config_mistake(&directive, "location %s does not end with \"}\"", location->name);
    if (directive.end == '{' && location != &config->top) return config_mistake(&directive, "a block in a location");
    if (directive.end == '{') {
      struct location *inner = begin_location(config, &directive);
      if (!inner || !read_block(config, inner, source, depth, NULL)) return false;
    } else if (strcmp(directive.words[0], "include") == 0) {
      if (directive.count != 2) return config_mistake(&directive, "include takes one file");
      if (!read_source(config, location, beside(config, directive.words[1], directive.file), depth + 1, &directive)) return false;
    } else if (!(location == &config->top ? read_top(config, &directive) : directive_apply(config, location, &directive))) {
      return false;
    }
  }
}

static bool read_source(struct config *config, struct location *location, const char *path, int depth, const struct directive *from) {
  char *reason = "files include each other too deeply";
  char *text = depth > deepest ? NULL : read_file(config, path, &reason);
  if (!text && from) return config_mistake(from, "include %s: %s", path, reason);
  if (!text) return log_line(LOG_ERROR, "the configuration %s can't be read: %s", path, reason), false;
  struct source source = {path, text, 1};
  return read_block(config, location, &source, depth, from);
}

/* ---- inheritance ---- */

static bool mistaken(const char *message, const char *at) { return log_line(LOG_ERROR, "%s in %s", message, at), false; }

static struct gate *make_gate(struct config *config, struct location *location) {
  const char *mistake = gate_mistake(&location->settings);
  if (mistake) return mistaken(mistake, location == &config->top ? gate_settings_at(&location->settings, GATE_STORE) : location->at), NULL;
  struct gate *gate = config_keep(config, sizeof *gate);
  gate_init(gate, &location->settings);
  location->own_gate = true;
  return gate;
}

static bool inherit_gate(struct config *config, struct location *location) {
  struct location *top = &config->top;
  bool own = !gate_settings_are_unset(&location->settings);
  gate_settings_inherit(&location->settings, &top->settings);
  if (location->settings.store.size == 0) return mistaken("a location needs a tuile_store, in itself or above", location->at);
  if (own) location->gate = make_gate(config, location);
  else if (!top->gate) top->gate = make_gate(config, top);
  if (!own) location->gate = top->gate;
  return location->gate != NULL;
}

static bool asks_of_users(const struct location *location) {
  if (location->require && location->require->users) return true;
  for (size_t i = 0; i < location->identity_count; i++)
    if (gate_is_of_user(location->identity[i].key)) return true;
  return false;
}

static void inherit_identity(struct config *config, struct location *location) {
  const struct location *top = &config->top;
  size_t own = location->identity_count, count = location->no_identity ? 0 : top->identity_count;
  struct gate_identity *all = config_keep(config, (own + count + 1) * sizeof *all);
  for (size_t i = 0; i < own; i++) all[i] = location->identity[i];
  for (size_t i = 0; i < count; i++) {
    bool again = false;
    for (size_t j = 0; j < location->identity_count; j++) again = again || gate_is_same_name(location->identity[j].name, top->identity[i].name);
    if (!again) all[own++] = top->identity[i];
  }
  location->identity = all;
  location->identity_count = own;
}

static bool finish(struct config *config, struct location *location) {
  const struct location *top = &config->top;
  if (!inherit_gate(config, location)) return false;
  inherit_identity(config, location);
  if (!location->require) location->require = top->require;
  if (!location->login_url.data) location->login_url = top->login_url;
  if (!location->login_parameter.data) location->login_parameter = top->login_parameter.data ? top->login_parameter : TUILE_STR("next");
  if (!location->count.data) location->count = top->count;
  if (location->unavailable < 0) location->unavailable = top->unavailable < 0 ? MHD_HTTP_SERVICE_UNAVAILABLE : top->unavailable;
  if (location->log_level < 0) location->log_level = top->log_level < 0 ? LOG_WARN : top->log_level;
  if (location->proxy == PROXY_UNSAID) location->proxy = top->proxy;
  if (!location->exempt) location->exempt = top->exempt, location->exempt_count = top->exempt_count;
  if (location->proxy == PROXY_UNSAID)
    return mistaken("tuile_proxy has to say what stands in front: nginx, caddy, traefik, haproxy or envoy", location->at);
  if (asks_of_users(location) && location->gate->users.url.size == 0)
    return mistaken("what is asked of users with an @ needs tuile_django_users", location->at);
  if (location->count.size > 0 && gate_is_read_only_url(location->settings.store))
    return mistaken("tuile_count needs a store that is written to, and its URL says mode=ro", location->at);
  if (location->gate->binds && location->unavailable == 0)
    return mistaken("tuile_unavailable pass can't be with tuile_device_path: copies of bound sessions would pass", location->at);
  location->counters = counters_of(location->name);
  return location->counters != NULL;
}

struct config *config_read(const char *path) {
  struct config *config = calloc(1, sizeof *config);
  if (!config) return NULL;
  config->connections = 512;
  init(&config->top, "", path);
  bool well = read_source(config, &config->top, path, 0, NULL);
  if (well && !config->locations) well = mistaken("there is no location for a proxy to call", path);
  for (struct location *each = config->locations; well && each; each = each->next) well = finish(config, each);
  if (well) return config;
  config_free(config);
  return NULL;
}

static void leave(struct location *location) {
  if (location->own_gate) gate_close(location->gate);
  if (location->settings.keyring) tuile_keyring_free(location->settings.keyring);
}

void config_free(struct config *config) {
  struct location *top = &config->top;
  for (struct location *each = config->locations; each; each = each->next) {
    if (each->settings.keyring == top->settings.keyring) each->settings.keyring = NULL; /* inherited */
    leave(each);
  }
  leave(top);
  while (config->pieces) {
    struct piece *next = config->pieces->next;
    free(config->pieces);
    config->pieces = next;
  }
  free(config);
}

/* ---- the test ---- */

static bool check(const struct location *location, const char *name, uid_t uid, gid_t gid) {
  static const char *const names[] = {"tuile_store", "tuile_store", "tuile_previous_store", "tuile_revocations", "tuile_django_users"};
  struct gate_finding found;
  if (!location->own_gate) return true;
  gate_check(location->gate, name, uid, gid, &found);
  if (found.status == TUILE_OK) return true;
  log_line(found.may_recover ? LOG_WARN : LOG_ERROR, "%s: %s in %s", names[found.part], found.error.message,
           gate_settings_at(&location->settings, found.part));
  return found.may_recover;
}

bool config_check(const struct config *config, const char *name, uid_t uid, gid_t gid) {
  bool well = check(&config->top, name, uid, gid);
  for (const struct location *each = config->locations; each; each = each->next) well = check(each, name, uid, gid) && well;
  return well;
}
