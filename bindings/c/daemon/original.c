/* What the visitor has asked the proxy for: read from those headers alone that the proxy in
 * front writes itself, so that no visitor can say it. */
#include "daemon.h"

#include <string.h>

#include "../tuile_http.h"

struct search {
  const char *name;
  tuile_bytes value;
  unsigned count;
};

static enum MHD_Result look(void *data, enum MHD_ValueKind kind, const char *name, const char *value) {
  struct search *search = data;
  (void)kind;
  if (!value || strcasecmp(name, search->name) != 0) return MHD_YES;
  search->value = tuile_text(value);
  search->count++;
  return MHD_YES;
}

tuile_bytes header_once(struct MHD_Connection *connection, const char *name) {
  struct search search = {.name = name};
  MHD_get_connection_values(connection, MHD_HEADER_KIND, look, &search);
  return search.count == 1 ? search.value : (tuile_bytes){NULL, 0};
}

static bool is_of(tuile_bytes text, const char *others) {
  const char *bytes = text.data;
  for (size_t i = 0; i < text.size; i++) {
    bool plain = (bytes[i] >= '0' && bytes[i] <= '9') || ((bytes[i] | 0x20) >= 'a' && (bytes[i] | 0x20) <= 'z');
    if (!plain && (!bytes[i] || !strchr(others, bytes[i]))) return false;
  }
  return text.size > 0 && text.size < 256;
}

static bool is(tuile_bytes text, const char *word) { return text.size == strlen(word) && memcmp(text.data, word, text.size) == 0; }

/* An absolute URL, or a path. */
static void take_url(tuile_bytes url, struct original *original) {
  const char *bytes = url.data, *colon = url.size > 0 ? memchr(bytes, ':', url.size) : NULL;
  size_t scheme = colon ? (size_t)(colon - bytes) : 0;
  if (url.size > 0 && *bytes == '/') original->page = url;
  if (!colon || *bytes == '/' || url.size - scheme < 4 || memcmp(colon, "://", 3) != 0) return;
  const char *host = colon + 3, *end = bytes + url.size, *path = host;
  while (path < end && !strchr("/?#", *path)) path++;
  original->scheme = (tuile_bytes){bytes, scheme};
  original->host = (tuile_bytes){host, (size_t)(path - host)};
  original->page = path == end ? TUILE_STR("/") : (tuile_bytes){path, (size_t)(end - path)};
}

void original_read(struct MHD_Connection *connection, enum proxy proxy, tuile_bytes rest, struct original *original) {
  *original = (struct original){.method = {NULL, 0}};
  switch (proxy) {
    case PROXY_NGINX:
    case PROXY_HAPROXY:
      original->method = header_once(connection, "X-Original-Method");
      take_url(header_once(connection, "X-Original-URL"), original);
      break;
    case PROXY_ENVOY:
      original->scheme = header_once(connection, "X-Forwarded-Proto");
      original->host = header_once(connection, "Host");
      original->page = rest.size > 0 ? rest : TUILE_STR("/");
      break;
    default:
      original->method = header_once(connection, "X-Forwarded-Method");
      original->scheme = header_once(connection, "X-Forwarded-Proto");
      original->host = header_once(connection, "X-Forwarded-Host");
      original->page = header_once(connection, "X-Forwarded-Uri");
  }
  if (!is(original->scheme, "http") && !is(original->scheme, "https")) original->scheme.size = 0;
  if (!is_of(original->host, ".-_:[]")) original->host.size = 0;
  if (!is_of(original->method, "-_")) original->method.size = 0;
}
