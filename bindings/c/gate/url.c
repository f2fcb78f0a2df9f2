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

/* The value of the parameter mode; false if there is none. */
static bool find_mode(tuile_bytes url, tuile_bytes *mode) {
  tuile_bytes rest = from(url, find(url, '?'));
  while (rest.size > 0) {
    rest = from(rest, 1);
    size_t end = find(rest, '&');
    if (starts(rest, "mode=") && end >= 5) return *mode = (tuile_bytes){(const char *)rest.data + 5, end - 5}, true;
    rest = from(rest, end);
  }
  return false;
}

tuile_status gate_make_url(tuile_bytes given, bool reading, struct gate_url *url) {
  tuile_bytes mode;
  (void)reading;
  *url = (struct gate_url){.size = given.size};
  if (given.size >= sizeof url->text) return TUILE_E_LIMIT;
  if (given.size > 0) memcpy(url->text, given.data, given.size);
  url->may_be_made = gate_is_file_url(given) && find_mode(gate_kept_url(given), &mode) && starts(mode, "rwc");
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
