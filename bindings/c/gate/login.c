/* The way to the login, and back. */
#include "gate.h"

#include "../tuile_http.h"

/* ---- the URL ---- */

/* Where the host begins in an absolute URL ("https://host", "//host"), or 0. */
static size_t host_at(tuile_bytes url) {
  const char *bytes = url.data;
  for (size_t i = 0; i + 1 < url.size && bytes[i] != '?' && bytes[i] != '#'; i++)
    if (bytes[i] == '/') return bytes[i + 1] == '/' ? i + 2 : 0;
  return 0;
}

static size_t find(tuile_bytes text, size_t from, const char *bytes) {
  while (from < text.size && !strchr(bytes, ((const char *)text.data)[from])) from++;
  return from;
}

/* What is written, or counted where there is no room. */
struct writer {
  char *buffer;
  size_t capacity, size;
};

static void put(struct writer *writer, tuile_bytes text) {
  if (text.size > 0 && writer->size <= writer->capacity && text.size <= writer->capacity - writer->size)
    memcpy(writer->buffer + writer->size, text.data, text.size);
  writer->size += text.size;
}

static tuile_status put_encoded(struct writer *writer, tuile_bytes text) {
  size_t needed = 0, left = writer->size < writer->capacity ? writer->capacity - writer->size : 0;
  char *end = left > 0 ? writer->buffer + writer->size : NULL;
  tuile_status status = tuile_cookie_encode(text, TUILE_ENCODING_PERCENT, end, left, &needed, NULL);
  writer->size += needed;
  return status == TUILE_E_SPACE ? TUILE_OK : status;
}

tuile_status gate_login(const struct gate_way *way, char *buffer, size_t capacity, size_t *size) {
  struct writer writer = {buffer, capacity, 0};
  tuile_bytes login = way->login;
  const char *bytes = login.data;
  size_t fragment = find(login, 0, "#"), query = find(login, 0, "?#");
  tuile_status status = TUILE_OK;
  if (login.size > 1 && bytes[0] == '/' && bytes[1] == '/' && way->scheme.size > 0) { /* which servers would take for a path */
    put(&writer, way->scheme);
    put(&writer, TUILE_STR(":"));
  }
  put(&writer, (tuile_bytes){bytes, fragment});
  if (way->parameter.size > 0 && way->page.size > 0 && (way->page_is_said || tuile_is_local_page(way->page))) {
    bool has_query = query < fragment, is_open = fragment > 0 && strchr("?&", bytes[fragment - 1]);
    if (!is_open) put(&writer, has_query ? TUILE_STR("&") : TUILE_STR("?"));
    put(&writer, way->parameter);
    put(&writer, TUILE_STR("="));
    if (!way->page_is_said && host_at(login) > 0 && way->scheme.size > 0 && way->host.size > 0) {
      status = put_encoded(&writer, way->scheme);
      if (status == TUILE_OK) status = put_encoded(&writer, TUILE_STR("://"));
      if (status == TUILE_OK) status = put_encoded(&writer, way->host);
    }
    if (status == TUILE_OK) status = put_encoded(&writer, way->page);
  }
  if (status != TUILE_OK) return status;
  put(&writer, (tuile_bytes){bytes + fragment, login.size - fragment});
  if (size) *size = writer.size;
  return writer.size <= capacity ? TUILE_OK : TUILE_E_SPACE;
}

/* ---- the login itself ---- */

static bool is_same_host(tuile_bytes one, tuile_bytes other) {
  const char *left = one.data, *right = other.data;
  if (one.size != other.size) return false;
  for (size_t i = 0; i < one.size; i++)
    if (left[i] != right[i] && ((left[i] | 0x20) != (right[i] | 0x20) || (left[i] | 0x20) < 'a' || (left[i] | 0x20) > 'z'))
      return false;
  return true;
}

enum gate_place gate_place_of(tuile_bytes login, tuile_bytes page, tuile_bytes host) {
  const char *bytes = login.data;
  size_t from = host_at(login), slash = from > 0 ? find(login, from, "/?#") : 0, end = find(login, slash, "?#");
  tuile_bytes path = {bytes + slash, end - slash};
  if (from > 0 && path.size == 0) path = TUILE_STR("/"); /* https://host is https://host/ */
  if (path.size == 0 || find(page, 0, "?#") != path.size || memcmp(page.data, path.data, path.size) != 0) return GATE_ELSEWHERE;
  if (from == 0) return GATE_AT_LOGIN;
  return is_same_host((tuile_bytes){bytes + from, slash - from}, host) ? GATE_LOOPS : GATE_ELSEWHERE;
}

/* ---- people and programs ---- */

static bool is_word(const char *at, const char *end, const char *word) {
  while (at < end && (*at == ' ' || *at == '\t')) at++;
  while (at < end && (end[-1] == ' ' || end[-1] == '\t')) end--;
  for (; at < end && *word; at++, word++)
    if (*at != *word && !(*word >= 'a' && *word <= 'z' && (*at | 0x20) == *word)) return false;
  return at == end && !*word;
}

/* Whether the parameters of a media range say that it is not wanted: q=0, q=0.000. */
static bool is_unwanted(const char *at, const char *end) {
  while (at < end && *at != '=') at++;
  if (at == end || at[-1] != 'q') return false;
  while (++at < end && *at != ';' && *at != ' ')
    if (*at != '0' && *at != '.') return false;
  return true;
}

/* A page is asked for, or, by programs such as curl, whatever there is. */
static bool takes_pages(tuile_bytes accept) {
  const char *at = accept.data, *end = at + accept.size;
  for (bool first = true; at < end; first = false) {
    const char *comma = memchr(at, ',', (size_t)(end - at)), *stop = comma ? comma : end;
    const char *semicolon = memchr(at, ';', (size_t)(stop - at)), *type_end = semicolon ? semicolon : stop;
    if (!semicolon || !is_unwanted(semicolon, stop)) {
      if (is_word(at, type_end, "text/html") || is_word(at, type_end, "application/xhtml+xml")) return true;
      if (first && is_word(at, type_end, "*/*")) return true;
    }
    at = comma ? comma + 1 : end;
  }
  return accept.size == 0;
}

bool gate_is_navigation(const struct gate_kind *kind) {
  const char *mode = kind->fetch_mode.data, *by = kind->requested_with.data;
  if (kind->fetch_mode.size > 0)
    return is_word(mode, mode + kind->fetch_mode.size, "navigate") ||
           is_word(mode, mode + kind->fetch_mode.size, "nested-navigate");
  if (kind->requested_with.size > 0 && is_word(by, by + kind->requested_with.size, "xmlhttprequest")) return false;
  return takes_pages(kind->accept);
}
