/* What is told to the application, and to caches. */
#include "gate.h"

#include <string.h>

/* ---- names ---- */

static bool is_alphanumeric(int byte) {
  return (byte >= '0' && byte <= '9') || (byte >= 'a' && byte <= 'z') || (byte >= 'A' && byte <= 'Z');
}

static int lower(int byte) { return byte >= 'A' && byte <= 'Z' ? byte | 0x20 : byte; }

static int folded(int byte) { return is_alphanumeric(byte) ? lower(byte) : '_'; }

bool gate_is_same_name(tuile_bytes one, tuile_bytes other) {
  const unsigned char *left = one.data, *right = other.data;
  if (one.size != other.size) return false;
  for (size_t i = 0; i < one.size; i++)
    if (folded(left[i]) != folded(right[i])) return false;
  return true;
}

const char *gate_identity_mistake(tuile_bytes name) {
  static const char *const taken[] = {"host", "cookie", "connection", "content-length", "content-type", "transfer-encoding",
                                      "te", "trailer", "upgrade", "expect", "keep-alive"};
  const unsigned char *bytes = name.data;
  if (name.size == 0 || name.size > 64) return "takes the name of a header, of at most 64 characters";
  for (size_t i = 0; i < name.size; i++)
    if (!is_alphanumeric(bytes[i]) && bytes[i] != '-') return "takes a name of letters, digits and '-'";
  for (size_t i = 0; i < sizeof taken / sizeof *taken; i++)
    if (gate_is_same_name(name, (tuile_bytes){taken[i], strlen(taken[i])})) return "can't set this header";
  return NULL;
}

/* ---- Cache-Control ---- */

/* Takes the next directive; false at the end. */
static bool next_directive(tuile_bytes text, size_t *position, tuile_bytes *directive) {
  const char *bytes = text.data;
  size_t at = *position;
  while (at < text.size && (bytes[at] == ',' || bytes[at] == ' ' || bytes[at] == '\t')) at++;
  size_t start = at;
  for (bool quoted = false; at < text.size && (quoted || bytes[at] != ','); at++) {
    if (quoted && bytes[at] == '\\' && at + 1 < text.size) at++;
    else if (bytes[at] == '"') quoted = !quoted;
  }
  *position = at;
  while (at > start && (bytes[at - 1] == ' ' || bytes[at - 1] == '\t')) at--;
  *directive = (tuile_bytes){bytes + start, at - start};
  return at > start;
}

/* Whether a directive has that name; with `alone` also no argument. */
static bool is_named(tuile_bytes directive, const char *word, bool alone) {
  const char *bytes = directive.data;
  size_t size = strlen(word);
  if (directive.size < size) return false;
  for (size_t i = 0; i < size; i++)
    if (lower((unsigned char)bytes[i]) != word[i]) return false;
  return directive.size == size || (!alone && strchr("= \t", bytes[size]));
}

bool gate_has_directive(tuile_bytes cache_control, const char *word) {
  tuile_bytes directive;
  size_t position = 0;
  while (next_directive(cache_control, &position, &directive))
    if (is_named(directive, word, true)) return true;
  return false;
}

static size_t add(char *buffer, size_t size, tuile_bytes text) {
  if (size > 0) memcpy(buffer + size, ", ", 2), size += 2;
  memcpy(buffer + size, text.data, text.size);
  return size + text.size;
}

size_t gate_make_private(tuile_bytes cache_control, char *buffer) {
  tuile_bytes directive;
  size_t position = 0, size = 0;
  if (!gate_has_directive(cache_control, "private") && !gate_has_directive(cache_control, "no-store"))
    size = add(buffer, 0, TUILE_STR("private"));
  while (next_directive(cache_control, &position, &directive))
    /* private="…" with names leaves the rest to shared caches, and one `private` is enough. */
    if (!is_named(directive, "public", false) && !is_named(directive, "s-maxage", false) &&
        (!is_named(directive, "private", false) || is_named(directive, "private", true)))
      size = add(buffer, size, directive);
  return size;
}
