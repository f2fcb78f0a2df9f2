/* The way to the login, and back. */
#include "gate.h"

#include "../tuile_http.h"

tuile_status gate_login(tuile_bytes login, tuile_bytes page, char *buffer, size_t capacity, size_t *size) {
  static const char parameter[] = "next=";
  bool ours = tuile_is_local_page(page);
  size_t next = 0;
  tuile_status status = tuile_cookie_encode(page, TUILE_ENCODING_PERCENT, NULL, 0, &next, NULL);
  if (status != TUILE_OK && status != TUILE_E_SPACE) return status;
  size_t needed = login.size + (ours ? sizeof parameter + next : 0);
  if (size) *size = needed;
  if (needed > capacity) return TUILE_E_SPACE;
  memcpy(buffer, login.data, login.size);
  if (!ours) return TUILE_OK;
  char *end = buffer + login.size;
  *end++ = memchr(login.data, '?', login.size) ? '&' : '?';
  memcpy(end, parameter, sizeof parameter - 1);
  return tuile_cookie_encode(page, TUILE_ENCODING_PERCENT, end + sizeof parameter - 1, next, NULL, NULL);
}
