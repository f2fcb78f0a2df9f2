/* What a token looks like, without any key: its parts, and whose it may be. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inspect.h"

bool is_of(tuile_bytes text, const char *alphabet) {
  const char *bytes = text.data;
  for (size_t i = 0; i < text.size; i++)
    if (!bytes[i] || !strchr(alphabet, bytes[i])) return false;
  return true;
}

bool split_last(tuile_bytes text, char mark, tuile_bytes *left, tuile_bytes *right) {
  const char *found = text.size ? memrchr(text.data, mark, text.size) : NULL;
  if (!found) return false;
  size_t size = (size_t)(found - (const char *)text.data);
  *left = (tuile_bytes){text.data, size};
  *right = (tuile_bytes){found + 1, text.size - size - 1};
  return true;
}

bool begins(tuile_bytes text, const char *start) {
  return text.size >= strlen(start) && memcmp(text.data, start, strlen(start)) == 0;
}

/* Either alphabet, padded or not; the caller frees *bytes. */
bool decode(tuile_bytes text, struct buffer *bytes) {
  *bytes = (struct buffer){0};
  char *url = malloc(text.size + 1);
  if (!url) return false;
  size_t size = text.size;
  for (size_t i = 0; i < size; i++) {
    char byte = ((const char *)text.data)[i];
    url[i] = byte == '+' ? '-' : byte == '/' ? '_' : byte;
  }
  while (size > 0 && url[size - 1] == '=') size--;
  tuile_status status;
  FILLED(status, bytes, tuile_cookie_decode((tuile_bytes){url, size}, TUILE_ENCODING_BASE64URL, bytes->data,
                                            bytes->capacity, &bytes->size, NULL));
  free(url);
  return status == TUILE_OK;
}

void part(const char *what, tuile_bytes text) {
  out_item();
  out_string("part", what);
  out_text("text", text);
}

/* A payload: what its base64 holds, unless that is deflated or no text. */
void payload(tuile_bytes text) {
  bool deflated = begins(text, ".");
  part(deflated ? "payload, deflated: only the key can show it" : "payload", text);
  struct buffer bytes;
  if (!deflated && decode(text, &bytes) && is_utf8(buffer_bytes(&bytes))) out_text("holds", buffer_bytes(&bytes));
  if (!deflated) free(bytes.data);
}

void signature(tuile_bytes text) {
  size_t size = text.size;
  part(size == 27 ? "signature, HMAC-SHA-1" : size == 43 || size == 44 ? "signature, HMAC-SHA-256"
       : size == 86 ? "signature, HMAC-SHA-512" : "signature", text);
}

void time_part(tuile_bytes text, int64_t seconds) {
  part("time of signing", text);
  out_time("is", seconds);
}

uint32_t looks_like(const char *what, uint32_t dialects) {
  out_string("looks_like", what);
  out_list("parts");
  return dialects;
}

int64_t big_endian(const char *bytes, size_t size) {
  int64_t number = 0;
  for (size_t i = 0; i < size; i++) number = number * 256 + (unsigned char)bytes[i];
  return number;
}

uint32_t inspect_shape(tuile_bytes token) {
  static uint32_t (*const shapes[])(tuile_bytes) = {bound, iron, tornado, express, hono, phoenix, jose,
                                                    rails, django, dotted, opaque};
  uint32_t dialects = 0;
  for (size_t i = 0; !dialects && token.size && i < sizeof shapes / sizeof *shapes; i++) dialects = shapes[i](token);
  if (!dialects) looks_like("nothing that is known here", 0);
  out_list_end();
  return dialects;
}
