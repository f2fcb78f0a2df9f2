/* The values of a session: whether one says yes, or is what is asked for. */
#include "gate.h"

#include "../tuile_http.h"


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

tuile_status gate_value(struct gate_visit *visit, tuile_bytes key, tuile_type *type, tuile_bytes *value) {
  if (gate_is_login(key)) key = visit->gate->login_key;
  if (key.size == 0) return tuile_session_get_login(visit->session, type, value, NULL);
  tuile_status status = tuile_session_type(visit->session, key, type, NULL);
  if (status != TUILE_OK) return status;
  return *type == TUILE_TYPE_STRING ? tuile_session_get_string(visit->session, key, value, NULL)
                                    : tuile_session_get_json(visit->session, key, value, NULL);
}

bool gate_holds(struct gate_visit *visit, tuile_bytes key) {
  tuile_bytes value;
  tuile_type type;
  if (visit->state != GATE_FOUND || gate_value(visit, key, &type, &value) != TUILE_OK) return false;
  switch (type) {
    case TUILE_TYPE_STRING: return !says_no(value);
    case TUILE_TYPE_BOOL: return value.size == 4; /* true */
    case TUILE_TYPE_INT:
    case TUILE_TYPE_DOUBLE: return !is_zero(value);
    case TUILE_TYPE_ARRAY:
    case TUILE_TYPE_OBJECT: return !is_empty(value);
    default: return false;
  }
}

/* The number of four hex digits, or -1. */
static long read_hex(const unsigned char *at) {
  long number = 0;
  for (int i = 0; i < 4; i++) {
    int digit = tuile_hex_digit(at[i]);
    if (digit < 0) return -1;
    number = number * 16 + digit;
  }
  return number;
}

/* Takes a character of a JSON string and writes it as UTF-8; how many bytes that are, or
 * 0 if it can't be read. */
static size_t take_character(const unsigned char **at, const unsigned char *end, unsigned char out[4]) {
  static const char escapes[] = "\"\"\\\\//b\bf\fn\nr\rt\t";
  const unsigned char *next = *at;
  if (*next != '\\') return out[0] = *next, *at = next + 1, 1;
  if (++next == end) return 0;
  if (*next != 'u') {
    for (const char *pair = escapes; *pair; pair += 2)
      if (*next == (unsigned char)pair[0]) return out[0] = (unsigned char)pair[1], *at = next + 1, 1;
    return 0;
  }
  long code = end - next > 4 ? read_hex(next + 1) : -1;
  next += 5;
  if (code >= 0xd800 && code < 0xdc00) {
    long low = end - next > 5 && next[0] == '\\' && next[1] == 'u' ? read_hex(next + 2) : -1;
    if (low < 0xdc00 || low > 0xdfff) return 0;
    code = 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    next += 6;
  }
  if (code < 0 || (code >= 0xdc00 && code < 0xe000)) return 0;
  *at = next;
  if (code < 0x80) return out[0] = (unsigned char)code, 1;
  size_t size = code < 0x800 ? 2 : code < 0x10000 ? 3 : 4;
  for (size_t i = size; i-- > 1; code >>= 6) out[i] = (unsigned char)(0x80 | (code & 0x3f));
  out[0] = (unsigned char)((0xf00 >> size & 0xff) | code);
  return size;
}

/* Whether a value of a list, as JSON, is that text: a string's content, or else the JSON itself. */
static bool is_text(const unsigned char *at, const unsigned char *end, tuile_bytes text) {
  const unsigned char *wanted = text.data, *stop = wanted + text.size;
  unsigned char character[4];
  if (*at != '"') return (size_t)(end - at) == text.size && memcmp(at, wanted, text.size) == 0;
  for (at++; at < end && *at != '"';) {
    size_t size = take_character(&at, end, character);
    if (size == 0 || (size_t)(stop - wanted) < size || memcmp(wanted, character, size) != 0) return false;
    wanted += size;
  }
  return wanted == stop;
}

/* The end of the JSON value that begins there. The library has checked that it is one. */
static const unsigned char *end_of(const unsigned char *at, const unsigned char *end) {
  bool quoted = false;
  int depth = 0;
  for (; at < end; at++) {
    if (quoted) {
      if (*at == '\\') at++;
      else if (*at == '"') quoted = false;
    } else if (*at == '"') {
      quoted = true;
    } else if (*at == '[' || *at == '{') {
      depth++;
    } else if (depth == 0 && (*at == ',' || *at == ']' || is_space((char)*at))) {
      break;
    } else if (*at == ']' || *at == '}') {
      depth--;
    }
  }
  return at < end ? at : end;
}

static bool list_has(tuile_bytes json, tuile_bytes value) {
  const unsigned char *at = json.data, *end = at + json.size;
  for (at++; at < end;) {
    while (at < end && (is_space((char)*at) || *at == ',')) at++;
    if (at == end || *at == ']') return false;
    const unsigned char *stop = end_of(at, end);
    if (is_text(at, stop, value)) return true;
    at = stop;
  }
  return false;
}

bool gate_has_value(struct gate_visit *visit, tuile_bytes key, tuile_bytes value) {
  tuile_bytes found;
  tuile_type type;
  if (visit->state != GATE_FOUND || gate_value(visit, key, &type, &found) != TUILE_OK) return false;
  if (type == TUILE_TYPE_ARRAY && list_has(found, value)) return true;
  return found.size == value.size && (value.size == 0 || memcmp(found.data, value.data, value.size) == 0);
}
