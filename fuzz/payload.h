/* What the targets of the payloads share: what a framework stored, as anybody who can write to the store would
 * leave it, and, behind a line feed, a JSON object to change it to. */
#ifndef TUILE_FUZZ_PAYLOAD_H
#define TUILE_FUZZ_PAYLOAD_H

#include "fuzz.h"

enum payload_format { payload_json, payload_php, payload_php_serialize, payload_php_binary, payload_pickle, payload_msgpack, payload_marshal };
enum { payload_by_tree = 16 };
enum payload_status { payload_ok, payload_malformed, payload_not_representable, payload_read_only, payload_no_memory };

int32_t payload_run(int32_t format, tuile_bytes stored, const tuile_bytes *json, tuile_bytes *out);
void payload_free(tuile_bytes bytes);

/* For what is text. */
static inline bool payload_contains(tuile_bytes text, const char *part) {
  return text.size >= strlen(part) && memmem(text.data, text.size, part, strlen(part)) != NULL;
}

/* The number at *at, which is left behind it; false if there is none. */
static inline bool payload_number(tuile_bytes text, size_t *at, double *number) {
  const char *start = text.data;
  char digits[400];
  size_t size = 0;
  while (*at < text.size && size < sizeof digits - 1 && strchr("+-.0123456789eE", start[*at]) && start[*at]) digits[size++] = start[(*at)++];
  digits[size] = 0;
  *number = strtod(digits, NULL);
  return size > 0;
}

/* The same JSON, but for how a number may be written. */
static inline bool payload_same(tuile_bytes a, tuile_bytes b) {
  const char *x = a.data, *y = b.data;
  size_t i = 0, k = 0;
  while (i < a.size && k < b.size) {
    if (x[i] == '-' || (x[i] >= '0' && x[i] <= '9')) {
      double first, second;
      bool both = payload_number(a, &i, &first) && payload_number(b, &k, &second);
      if (!both || first != second) return false;
    } else if (x[i++] != y[k++]) {
      return false;
    }
  }
  return i == a.size && k == b.size;
}

/* A change that was written reads as what was wanted. */
static inline void payload_change(int32_t format, tuile_bytes stored, tuile_bytes json) {
  tuile_bytes out, again, wanted;
  int32_t status = payload_run(format, stored, &json, &out);
  REQUIRE(status >= payload_ok);
  REQUIRE(status < payload_no_memory);
  if (status == payload_ok) {
    bool is_php = format <= payload_php_binary;
    int32_t canonical = payload_run(payload_json, json, NULL, &wanted);
    REQUIRE(canonical == payload_ok);
    int32_t read = payload_run(format, out, NULL, &again);
    /* PHP has one empty array for both, and what grows may leave the bounds. */
    if (!(is_php && payload_contains(wanted, ":{}")) && !(is_php && payload_contains(wanted, "[{}")) &&
        !(is_php && payload_contains(wanted, ",{}")) && read != payload_malformed) {
      REQUIRE(read == payload_ok);
      REQUIRE(payload_same(again, wanted));
    }
    payload_free(again);
    payload_free(wanted);
  }
  payload_free(out);
}

static inline void payload_fuzz(int32_t format, const uint8_t *data, size_t size) {
  const uint8_t *cut = memrchr(data, '\n', size);
  tuile_bytes stored = {data, cut ? (size_t)(cut - data) : size}, json, out, edited;
  if (cut) payload_change(format, stored, (tuile_bytes){cut + 1, size - stored.size - 1});
  int32_t status = payload_run(format, stored, NULL, &json);
  REQUIRE(status == payload_ok || status == payload_malformed);
  /* What is read in one pass reads as the tree reads it. */
  int32_t slow = payload_run(format | payload_by_tree, stored, NULL, &out);
  REQUIRE(slow == status);
  REQUIRE(status != payload_ok || same(out, json));
  payload_free(out);
  if (status == payload_ok) {
    /* What does not change stays to the byte. */
    REQUIRE(payload_run(format, stored, &json, &out) == payload_ok);
    REQUIRE(stored.size == 0 || same(out, stored));
    payload_free(out);
    /* All the rest stays with another member before it, which writes all of it anew. */
    char *text = malloc(json.size + 32);
    REQUIRE(text != NULL);
    bool is_empty = json.size == 2;
    int head = sprintf(text, "{\"tuile-fuzz\":41%s", is_empty ? "" : ",");
    memcpy(text + head, (const char *)json.data + 1, json.size - 1);
    edited = (tuile_bytes){text, (size_t)head + json.size - 1};
    payload_change(format, stored, edited);
    free(text);
  }
  payload_free(json);
}

#endif
