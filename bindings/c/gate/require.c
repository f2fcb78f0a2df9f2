/* Who passes: what a session has to hold. */
#include "gate.h"

#include <string.h>

static bool is_space(char byte) { return byte == ' ' || byte == '\t' || byte == '\n' || byte == '\r'; }

/* Whether nothing stands between the brackets of a JSON array or object. */
static bool is_empty(tuile_bytes json) {
  const char *bytes = json.data;
  size_t i = 1;
  while (i < json.size && is_space(bytes[i])) i++;
  return i + 1 >= json.size;
}

/* Whether a JSON number is 0, in whatever spelling: a digit other than 0 before the exponent says no.
 * Python's NaN and Infinity are no number to pass with. */
static bool is_zero(tuile_bytes json) {
  const char *bytes = json.data;
  for (size_t i = 0; i < json.size && bytes[i] != 'e' && bytes[i] != 'E'; i++)
    if (bytes[i] >= '1' && bytes[i] <= '9') return false;
  return true;
}

/* Whether a text says no: nothing but spaces, or the text of null, false or 0 in some language. */
static bool says_no(tuile_bytes text) {
  static const char *const words[] = {"", "0", "false", "null", "none"};
  const char *start = text.data, *end = start + text.size;
  while (start < end && is_space(*start)) start++;
  while (start < end && is_space(end[-1])) end--;
  size_t size = (size_t)(end - start);
  for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
    size_t same = 0;
    while (same < size && words[i][same] && (start[same] | 0x20) == (words[i][same] | 0x20)) same++;
    if (same == size && !words[i][same]) return true;
  }
  return false;
}

bool gate_holds(struct gate_visit *visit, tuile_bytes key) {
  tuile_bytes value;
  tuile_type type;
  if (visit->state != GATE_FOUND) return false;
  if (tuile_session_type(visit->session, key, &type, NULL) != TUILE_OK) return false;
  if (type == TUILE_TYPE_STRING)
    return tuile_session_get_string(visit->session, key, &value, NULL) == TUILE_OK && !says_no(value);
  if (tuile_session_get_json(visit->session, key, &value, NULL) != TUILE_OK) return false;
  switch (type) {
    case TUILE_TYPE_BOOL: return value.size == 4; /* true */
    case TUILE_TYPE_INT:
    case TUILE_TYPE_DOUBLE: return !is_zero(value);
    case TUILE_TYPE_ARRAY:
    case TUILE_TYPE_OBJECT: return !is_empty(value);
    default: return false;
  }
}
