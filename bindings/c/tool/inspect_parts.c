/* What a token looks like, without any key: its parts, and whose it may be. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

#define MAY_BE(dialect) (UINT32_C(1) << (dialect))

static bool is_of(tuile_bytes text, const char *alphabet) {
  const char *bytes = text.data;
  for (size_t i = 0; i < text.size; i++)
    if (!bytes[i] || !strchr(alphabet, bytes[i])) return false;
  return true;
}

#define DIGITS "0123456789"
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define BASE64 UPPER LOWER DIGITS "+/-_="

static bool split_last(tuile_bytes text, char mark, tuile_bytes *left, tuile_bytes *right) {
  const char *found = text.size ? memrchr(text.data, mark, text.size) : NULL;
  if (!found) return false;
  size_t size = (size_t)(found - (const char *)text.data);
  *left = (tuile_bytes){text.data, size};
  *right = (tuile_bytes){found + 1, text.size - size - 1};
  return true;
}

static bool begins(tuile_bytes text, const char *start) {
  return text.size >= strlen(start) && memcmp(text.data, start, strlen(start)) == 0;
}

/* Either alphabet, padded or not; the caller frees *bytes. */
static bool decode(tuile_bytes text, struct buffer *bytes) {
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

static void part(const char *what, tuile_bytes text) {
  out_item();
  out_string("part", what);
  out_text("text", text);
}

/* A payload: what its base64 holds, unless that is deflated or no text. */
static void payload(tuile_bytes text) {
  bool deflated = begins(text, ".");
  part(deflated ? "payload, deflated: only the key can show it" : "payload", text);
  struct buffer bytes;
  if (!deflated && decode(text, &bytes) && is_utf8(buffer_bytes(&bytes))) out_text("holds", buffer_bytes(&bytes));
  if (!deflated) free(bytes.data);
}

static void signature(tuile_bytes text) {
  size_t size = text.size;
  part(size == 27 ? "signature, HMAC-SHA-1" : size == 43 || size == 44 ? "signature, HMAC-SHA-256"
       : size == 86 ? "signature, HMAC-SHA-512" : "signature", text);
}

static void time_part(tuile_bytes text, int64_t seconds) {
  part("time of signing", text);
  out_time("is", seconds);
}

static uint32_t looks_like(const char *what, uint32_t dialects) {
  out_string("looks_like", what);
  out_list("parts");
  return dialects;
}

static bool base62(tuile_bytes text, int64_t *number) {
  static const char digits[] = DIGITS UPPER LOWER;
  if (text.size < 1 || text.size > 9 || !is_of(text, digits)) return false;
  *number = 0;
  for (size_t i = 0; i < text.size; i++)
    *number = *number * 62 + (strchr(digits, ((const char *)text.data)[i]) - digits);
  return true;
}

static int64_t big_endian(const char *bytes, size_t size) {
  int64_t number = 0;
  for (size_t i = 0; i < size; i++) number = number * 256 + (unsigned char)bytes[i];
  return number;
}

static uint32_t django(tuile_bytes token) {
  tuile_bytes value, mac, text, stamp;
  int64_t seconds;
  if (!split_last(token, ':', &value, &mac) || (mac.size != 43 && mac.size != 27) || !is_of(mac, BASE64)) return 0;
  bool timed = split_last(value, ':', &text, &stamp) && base62(stamp, &seconds);
  uint32_t dialects = looks_like(timed ? "Django: dumps, a session, TimestampSigner or set_signed_cookie"
                                       : "Django: Signer",
                                 MAY_BE(TUILE_DIALECT_DJANGO) | MAY_BE(TUILE_DIALECT_DJANGO_COOKIE));
  payload(timed ? text : value);
  if (timed) time_part(stamp, seconds);
  signature(mac);
  return dialects;
}

static uint32_t dotted(tuile_bytes token) {
  tuile_bytes value, mac, text, stamp;
  if (!split_last(token, '.', &value, &mac) || !is_of(mac, BASE64)) return 0;
  if (mac.size != 27 && mac.size != 43 && mac.size != 86) return 0;
  struct buffer bytes = {0};
  bool timed = split_last(value, '.', &text, &stamp) && stamp.size >= 5 && stamp.size <= 7 && decode(stamp, &bytes);
  uint32_t dialects = MAY_BE(TUILE_DIALECT_ITSDANGEROUS);
  if (timed)
    looks_like("itsdangerous: a session of Flask or Starlette, or a timed token",
               dialects |= MAY_BE(TUILE_DIALECT_FLASK) | MAY_BE(TUILE_DIALECT_STARLETTE));
  else if (mac.size == 43)
    looks_like("Node's cookie-signature, or itsdangerous", dialects |= MAY_BE(TUILE_DIALECT_COOKIE_SIGNATURE));
  else
    looks_like("itsdangerous, or Node's cookie-session with its signature", dialects |= MAY_BE(TUILE_DIALECT_KEYGRIP));
  payload(timed ? text : value);
  if (timed) time_part(stamp, big_endian(bytes.data, bytes.size));
  signature(mac);
  free(bytes.data);
  return dialects;
}

static uint32_t express(tuile_bytes token) {
  tuile_bytes value, mac;
  if (!begins(token, "s:") || !split_last(token, '.', &value, &mac)) return 0;
  uint32_t dialects = looks_like("Express: a signed cookie or session id", MAY_BE(TUILE_DIALECT_EXPRESS));
  value = (tuile_bytes){(const char *)value.data + 2, value.size - 2};
  bool json = begins(value, "j:");
  part(json ? "JSON" : "value", json ? (tuile_bytes){(const char *)value.data + 2, value.size - 2} : value);
  signature(mac);
  return dialects;
}

static uint32_t rails(tuile_bytes token) {
  const char *first = memmem(token.data, token.size, "--", 2);
  if (!first) return 0;
  tuile_bytes message = {token.data, (size_t)(first - (const char *)token.data)};
  tuile_bytes rest = {first + 2, token.size - message.size - 2};
  if (!message.size || !is_of(message, BASE64)) return 0;
  const char *second = memmem(rest.data, rest.size, "--", 2);
  if (!second && is_of(rest, DIGITS "abcdef") && (rest.size == 40 || rest.size == 64 || rest.size == 128)) {
    looks_like("Rails: a signed cookie", 0);
    payload(message);
    part(rest.size == 40   ? "signature, HMAC-SHA-1"
         : rest.size == 64 ? "signature, HMAC-SHA-256"
                           : "signature, HMAC-SHA-512",
         rest);
    return MAY_BE(TUILE_DIALECT_RAILS_SIGNED);
  }
  if (!second || !is_of(rest, BASE64)) return 0;
  looks_like("Rails: an encrypted cookie", 0);
  size_t size = (size_t)(second - first) - 2;
  part("ciphertext, AES-256-GCM", message);
  part("nonce", (tuile_bytes){first + 2, size});
  part("tag", (tuile_bytes){second + 2, rest.size - size - 2});
  return MAY_BE(TUILE_DIALECT_RAILS_ENCRYPTED);
}

static uint32_t iron(tuile_bytes token) {
  static const char *const names[] = {"format",     "password id", "salt of the encryption", "nonce",
                                      "ciphertext", "end",         "salt of the signature",  "signature"};
  if (!begins(token, "Fe26.2*")) return 0;
  looks_like("iron-session", 0);
  const char *at = token.data, *end = at + token.size;
  for (int i = 0; i < 8; i++) {
    const char *mark = i < 7 ? memchr(at, '*', (size_t)(end - at)) : NULL;
    part(names[i], (tuile_bytes){at, (size_t)((mark ? mark : end) - at)});
    if (!mark) break;
    at = mark + 1;
  }
  return MAY_BE(TUILE_DIALECT_IRON_SESSION);
}

static uint32_t tornado(tuile_bytes token) {
  static const char *const names[] = {"version of the secret", "time of signing", "name", "value", "signature, HMAC-SHA-256"};
  const char *at = token.data, *end = at + token.size;
  if (!begins(token, "2|") || end[-1] == '|') return 0;
  looks_like("Tornado: a signed value", 0);
  at += 2;
  for (int i = 0; i < 5; i++) {
    const char *mark = i < 4 ? memchr(at, '|', (size_t)(end - at)) : NULL;
    tuile_bytes text = {at, (size_t)((mark ? mark : end) - at)};
    const char *colon = text.size && i < 4 ? memchr(at, ':', text.size) : NULL;
    if (colon) text = (tuile_bytes){colon + 1, (size_t)(at + text.size - colon) - 1};
    if (i == 3) payload(text);
    else part(names[i], text);
    if (!mark) break;
    at = mark + 1;
  }
  return MAY_BE(TUILE_DIALECT_TORNADO);
}

/* What follows the last dot is the MAC with its padding, once percent-decoding is undone. */
static uint32_t hono(tuile_bytes token) {
  tuile_bytes value, mac;
  if (!split_last(token, '.', &value, &mac) || mac.size != 44 || !is_of(mac, UPPER LOWER DIGITS "+/=")) return 0;
  looks_like("Hono or better-auth: a signed cookie", 0);
  part("value", value);
  signature(mac);
  return MAY_BE(TUILE_DIALECT_HONO);
}

/* Three or five parts, the first a JSON object in base64: its header, which says what the others are. */
static uint32_t jose(tuile_bytes token) {
  tuile_bytes parts[5];
  size_t count = 0;
  const char *at = token.data, *end = at + token.size;
  for (const char *dot; count < 5; at = dot + 1) {
    dot = memchr(at, '.', (size_t)(end - at));
    parts[count++] = (tuile_bytes){at, (size_t)((dot ? dot : end) - at)};
    if (!dot) break;
  }
  struct buffer header;
  if (count < 3 || !is_of(parts[0], BASE64) || !decode(parts[0], &header)) return 0;
  bool known = header.size > 1 && header.data[0] == '{' && is_utf8(buffer_bytes(&header)) &&
               memmem(header.data, header.size, "\"alg\"", 5) && (count == 3 || count == 5);
  free(header.data);
  if (!known) return 0;
  looks_like(count == 3 ? "a JWT, signed" : "a JWE: a session of Auth.js, perhaps", 0);
  part("header", parts[0]);
  if (decode(parts[0], &header)) out_text("holds", buffer_bytes(&header));
  free(header.data);
  if (count == 3) {
    payload(parts[1]);
    part("signature", parts[2]);
    return MAY_BE(TUILE_DIALECT_JWT);
  }
  static const char *const names[] = {"encrypted key", "nonce", "ciphertext", "tag"};
  for (size_t i = 1; i < count; i++) part(names[i - 1], parts[i]);
  return MAY_BE(TUILE_DIALECT_AUTH_JS);
}

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

static uint32_t opaque(tuile_bytes token) {
  struct buffer bytes;
  uint32_t dialects = 0;
  if (token.size == 32 && is_of(token, LOWER DIGITS)) {
    looks_like("the key of a session in a store: it holds nothing itself; see session get", 0);
    return UINT32_MAX;
  }
  if (decode(token, &bytes) && bytes.size >= 28) {
    dialects = gorilla(bytes.data, bytes.size);
    if (!dialects) dialects = laravel(token, bytes.data, bytes.size);
    if (!dialects && bytes.size >= 64 && memcmp(bytes.data, "\x09\xF0\xC9\xF0", 4) == 0)
      dialects = data_protection(token, bytes.data);
    if (!dialects && bytes.size >= 73 && (bytes.size - 57) % 16 == 0 && (unsigned char)bytes.data[0] == 0x80 &&
        !bytes.data[1] && !bytes.data[2] && !bytes.data[3])
      dialects = fernet(token, bytes.data, bytes.size);
    if (!dialects && bytes.size >= 47 && (bytes.data[0] == 2 || (bytes.data[0] == 1 && bytes.size >= 55)))
      dialects = native(token, bytes.data, bytes.size);
    if (!dialects) {
      dialects = MAY_BE(TUILE_DIALECT_RACK) | MAY_BE(TUILE_DIALECT_COOKIE_RS_PRIVATE);
      looks_like("something encrypted: Rack's session or cookie-rs' private jar, perhaps", 0);
      part("token", token);
    }
  }
  free(bytes.data);
  const char *text = token.data;
  if (!dialects && token.size >= 44 && text[43] == '=' && is_of((tuile_bytes){text, 43}, BASE64)) {
    dialects = looks_like("cookie-rs: a signed cookie", MAY_BE(TUILE_DIALECT_COOKIE_RS_SIGNED));
    signature((tuile_bytes){text, 44});
    part("value", (tuile_bytes){text + 44, token.size - 44});
  }
  return dialects;
}

uint32_t inspect_shape(tuile_bytes token) {
  static uint32_t (*const shapes[])(tuile_bytes) = {iron, tornado, express, hono, jose, rails, django, dotted, opaque};
  uint32_t dialects = 0;
  for (size_t i = 0; !dialects && token.size && i < sizeof shapes / sizeof *shapes; i++) dialects = shapes[i](token);
  if (!dialects) looks_like("nothing that is known here", 0);
  out_list_end();
  return dialects;
}
