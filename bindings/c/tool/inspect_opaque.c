/* Tokens that have to be decoded first, and what servers draw at random. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inspect.h"

/* JSON in base64 with Laravel's members. */
static uint32_t laravel(tuile_bytes token, const char *bytes, size_t size) {
  if (*bytes != '{' || !memmem(bytes, size, "\"iv\"", 4) || !memmem(bytes, size, "\"value\"", 7)) return 0;
  const char *tag = memmem(bytes, size, "\"tag\":\"", 7);
  bool sealed = tag && tag + 7 < bytes + size && tag[7] != '"';
  looks_like(sealed ? "Laravel: an encrypted cookie, AES-GCM" : "Laravel: an encrypted cookie, AES-CBC", 0);
  part("token", token);
  if (is_utf8((tuile_bytes){bytes, size})) out_text("holds", (tuile_bytes){bytes, size});
  return MAY_BE(sealed ? TUILE_DIALECT_LARAVEL_GCM : TUILE_DIALECT_LARAVEL);
}

/* The key's id, as its file is named. */
static uint32_t data_protection(tuile_bytes token, const char *bytes) {
  static const unsigned char order[16] = {3, 2, 1, 0, 5, 4, 7, 6, 8, 9, 10, 11, 12, 13, 14, 15};
  char id[37], *at = id;
  for (int i = 0; i < 16; i++) {
    if (i == 4 || i == 6 || i == 8 || i == 10) *at++ = '-';
    at += sprintf(at, "%02x", (unsigned char)bytes[4 + order[i]]);
  }
  looks_like("ASP.NET Core: Data Protection", 0);
  part("token", token);
  out_string("key_id", id);
  return MAY_BE(TUILE_DIALECT_DATA_PROTECTION);
}

static uint32_t fernet(tuile_bytes token, const char *bytes, size_t size) {
  looks_like("Fernet: aiohttp-session's cookie, perhaps", 0);
  part("token", token);
  out_time("issued", big_endian(bytes + 1, 8));
  out_number("ciphertext_size", (int64_t)size - 57);
  return MAY_BE(TUILE_DIALECT_FERNET);
}

static uint32_t native(tuile_bytes token, const char *bytes, size_t size) {
  bool sealed = bytes[0] == 1;
  looks_like(sealed ? "Tuile: a sealed token" : "Tuile: a signed token", 0);
  part("token", token);
  out_number("version", bytes[0]);
  out_text("key_id", (tuile_bytes){bytes + 1, 4});
  out_time("issued", big_endian(bytes + 5, 5));
  int64_t end = big_endian(bytes + 10, 5);
  if (end) out_time("ends", end);
  if (!sealed) out_text("holds", (tuile_bytes){bytes + 15, size - 47});
  return MAY_BE(sealed ? TUILE_DIALECT_SEALED : TUILE_DIALECT_SIGNED) | MAY_BE(TUILE_DIALECT_RACK);
}

static uint32_t gorilla(const char *bytes, size_t size) {
  const char *first = memchr(bytes, '|', size < 20 ? size : 20);
  if (!first || first == bytes || size < 35) return 0;
  tuile_bytes stamp = {bytes, (size_t)(first - bytes)};
  const char *second = memchr(first + 1, '|', size - stamp.size - 1);
  if (!second || stamp.size > 12 || !is_of(stamp, DIGITS)) return 0;
  looks_like("gorilla: securecookie", 0);
  int64_t seconds = 0;
  for (size_t i = 0; i < stamp.size; i++) seconds = seconds * 10 + (bytes[i] - '0');
  time_part(stamp, seconds);
  payload((tuile_bytes){first + 1, (size_t)(second - first) - 1});
  part("signature, HMAC-SHA-256", (tuile_bytes){second + 1, size - (size_t)(second - bytes) - 1});
  return MAY_BE(TUILE_DIALECT_GORILLA);
}

/* What servers draw at random: it holds nothing itself, and is known by its alphabet and size. */
static bool is_random(tuile_bytes token) {
  static const struct {
    size_t size;
    const char *alphabet, *what;
  } known[] = {
      {32, LOWER DIGITS, "the key of a session in a store (Django's, or PHP's): it holds nothing itself; see session get"},
      {32, UPPER DIGITS, "the ID of a session in a Java servlet container's memory: it holds nothing itself"},
      {32, LOWER UPPER DIGITS, "Django's csrftoken: a secret of the browser, no session"},
      {64, LOWER UPPER DIGITS, "Django's csrftoken, masked: a secret of the browser, no session"},
      {26, LOWER DIGITS, "the ID of a session of PHP's: it holds nothing itself; the session is in a file or a store"},
      {40, LOWER UPPER DIGITS, "the ID of a session of Laravel's, decrypted, or PHP's: it holds nothing itself"},
      {24, LOWER "012345", "the ID of a session of ASP.NET's: it holds nothing itself"},
  };
  for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
    if (token.size != known[i].size || !is_of(token, known[i].alphabet)) continue;
    looks_like(known[i].what, 0);
    return true;
  }
  return false;
}

/* By what its octets are once decoded. */
static uint32_t decoded(tuile_bytes token, const char *bytes, size_t size) {
  uint32_t dialects = gorilla(bytes, size);
  if (!dialects) dialects = laravel(token, bytes, size);
  if (!dialects && size >= 64 && memcmp(bytes, "\x09\xF0\xC9\xF0", 4) == 0) dialects = data_protection(token, bytes);
  if (!dialects && size >= 73 && (size - 57) % 16 == 0 && (unsigned char)bytes[0] == 0x80 && !bytes[1] && !bytes[2] &&
      !bytes[3])
    dialects = fernet(token, bytes, size);
  if (!dialects && size >= 47 && (bytes[0] == 2 || (bytes[0] == 1 && size >= 55))) dialects = native(token, bytes, size);
  return dialects;
}

uint32_t opaque(tuile_bytes token) {
  struct buffer bytes;
  bool has_octets = decode(token, &bytes) && bytes.size >= 28;
  uint32_t dialects = has_octets ? decoded(token, bytes.data, bytes.size) : 0;
  free(bytes.data);
  if (dialects) return dialects;
  if (is_random(token)) return UINT32_MAX;
  if (has_octets) {
    looks_like("something encrypted: Rack's session or cookie-rs' private jar, perhaps", 0);
    part("token", token);
    return MAY_BE(TUILE_DIALECT_RACK) | MAY_BE(TUILE_DIALECT_COOKIE_RS_PRIVATE);
  }
  const char *text = token.data;
  if (token.size < 44 || text[43] != '=' || !is_of((tuile_bytes){text, 43}, BASE64)) return 0;
  looks_like("cookie-rs: a signed cookie", 0);
  signature((tuile_bytes){text, 44});
  part("value", (tuile_bytes){text + 44, token.size - 44});
  return MAY_BE(TUILE_DIALECT_COOKIE_RS_SIGNED);
}
