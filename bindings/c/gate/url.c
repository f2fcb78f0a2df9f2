/* Store URLs, as they are opened: a gate makes no database, its test writes to none. */
#include "gate.h"

#include "../tuile_http.h"

static bool starts(tuile_bytes text, const char *start) {
  size_t size = strlen(start);
  return text.size >= size && memcmp(text.data, start, size) == 0;
}

static tuile_bytes from(tuile_bytes text, size_t at) { return (tuile_bytes){(const char *)text.data + at, text.size - at}; }

static size_t find(tuile_bytes text, char byte) {
  const char *found = text.size > 0 ? memchr(text.data, byte, text.size) : NULL;
  return found ? (size_t)(found - (const char *)text.data) : text.size;
}

tuile_bytes gate_kept_url(tuile_bytes url) {
  if (!starts(url, "cached+")) return url;
  url = from(url, strlen("cached+"));
  return (tuile_bytes){url.data, find(url, '#')};
}

bool gate_is_cookie_url(tuile_bytes url) { return starts(url, "cookie:"); }

bool gate_is_inside_url(tuile_bytes url) { return starts(url, "memory:") || gate_is_cookie_url(url); }

bool gate_is_file_url(tuile_bytes url) { return starts(gate_kept_url(url), "sqlite:") || starts(gate_kept_url(url), "file:"); }

bool gate_is_database_url(tuile_bytes url) {
  return starts(url, "sqlite:") || starts(url, "postgresql:") || starts(url, "postgres:");
}

static bool is(tuile_bytes text, const char *word) { return text.size == strlen(word) && starts(text, word); }

/* The next option of a URL, behind *at, where a '?' or '&' is; false at the end. */
static bool next_option(tuile_bytes url, size_t *at, tuile_bytes *option) {
  if (*at >= url.size) return false;
  tuile_bytes rest = from(url, *at + 1);
  *option = (tuile_bytes){rest.data, find(rest, '&')};
  *at += option->size + 1;
  return true;
}

/* The value of the option mode, empty if there is none. */
static tuile_bytes mode_of(tuile_bytes url) {
  tuile_bytes kept = gate_kept_url(url), option;
  for (size_t at = find(kept, '?'); next_option(kept, &at, &option);)
    if (starts(option, "mode=")) return from(option, 5);
  return (tuile_bytes){"", 0};
}

bool gate_is_read_only_url(tuile_bytes url) { return is(mode_of(url), "ro"); }

static void put(struct gate_url *url, tuile_bytes text) {
  if (text.size > 0) memcpy(url->text + url->size, text.data, text.size);
  url->size += text.size;
}

static bool has_option(tuile_bytes url, const char *name) {
  tuile_bytes option;
  for (size_t at = find(url, '?'); next_option(url, &at, &option);)
    if (starts(option, name)) return true;
  return false;
}

/* The URL of a file or a database. */
static void put_kept(struct gate_url *url, tuile_bytes kept, bool reading) {
  tuile_bytes said = mode_of(kept), option;
  url->may_be_made = is(said, "rwc");
  size_t at = find(kept, '?');
  put(url, (tuile_bytes){kept.data, at});
  bool adds = reading || said.size == 0;
  /* A server that may be written to is asked whether it is, which writes nothing. */
  if (adds) put(url, reading && (gate_is_file_url(kept) || is(said, "ro")) ? TUILE_STR("?mode=ro") : TUILE_STR("?mode=rw"));
  for (char sign = adds ? '&' : '?'; next_option(kept, &at, &option); sign = '&') {
    if (reading && starts(option, "mode=")) continue;
    put(url, (tuile_bytes){&sign, 1});
    put(url, option);
  }
}

/* Another one. Redis and memcached are asked by the first request unless the URL says otherwise, so that
 * requests find them as soon as they are back; the test asks at once. */
static void put_other(struct gate_url *url, tuile_bytes other, bool testing) {
  put(url, other);
  bool is_redis = starts(other, "redis:") || starts(other, "rediss:") || starts(other, "unix:");
  bool is_memcached = starts(other, "memcached:") || starts(other, "memcacheds:");
  if (testing || !(is_redis || is_memcached) || has_option(other, "open=")) return;
  size_t question = find(other, '?');
  if (question + 1 != other.size) put(url, question == other.size ? TUILE_STR("?") : TUILE_STR("&"));
  put(url, TUILE_STR("open=lazy"));
}

tuile_status gate_make_url(tuile_bytes given, bool reading, struct gate_url *url) {
  tuile_bytes kept = gate_kept_url(given);
  *url = (struct gate_url){.size = 0};
  if (given.size + sizeof "?mode=ro" + 2 * sizeof "?open=lazy" > sizeof url->text) return TUILE_E_LIMIT;
  size_t start = (size_t)((const char *)kept.data - (const char *)given.data), end = start + kept.size;
  put(url, (tuile_bytes){given.data, start});
  if (gate_is_file_url(given) || gate_is_database_url(kept)) put_kept(url, kept, reading);
  else put_other(url, kept, reading);
  if (end == given.size) return TUILE_OK;
  put(url, TUILE_STR("#"));
  put_other(url, from(given, end + 1), reading);
  return TUILE_OK;
}

/* As the library reads the path of a store. */
static void decode(char *text) {
  char *out = text;
  for (; *text; text++) {
    int high = *text == '%' ? tuile_hex_digit((unsigned char)text[1]) : -1, low = high < 0 ? -1 : tuile_hex_digit((unsigned char)text[2]);
    if (low >= 0) *out++ = (char)(high * 16 + low), text += 2;
    else *out++ = *text;
  }
  *out = 0;
}

void gate_url_path(tuile_bytes given, char *path, size_t capacity) {
  tuile_bytes kept = from(gate_kept_url(given), find(gate_kept_url(given), ':'));
  size_t size = find(kept, '?'), at = 1;
  while (at + 1 < size && ((const char *)kept.data)[at + 1] == '/') at++; /* of sqlite:///path its last slash */
  if (!starts(kept, ":///")) size = at; /* No path is relative: to open it says so. */
  snprintf(path, capacity, "%.*s", (int)(size > at ? size - at : 0), (const char *)kept.data + at);
  decode(path);
}
