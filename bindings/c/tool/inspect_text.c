/* Tokens whose parts stand side by side, as frameworks write them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "inspect.h"

static bool base62(tuile_bytes text, int64_t *number) {
  static const char digits[] = DIGITS UPPER LOWER;
  if (text.size < 1 || text.size > 9 || !is_of(text, digits)) return false;
  *number = 0;
  for (size_t i = 0; i < text.size; i++)
    *number = *number * 62 + (strchr(digits, ((const char *)text.data)[i]) - digits);
  return true;
}

uint32_t django(tuile_bytes token) {
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

uint32_t dotted(tuile_bytes token) {
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

uint32_t express(tuile_bytes token) {
  tuile_bytes value, mac;
  if (!begins(token, "s:") || !split_last(token, '.', &value, &mac)) return 0;
  uint32_t dialects = looks_like("Express: a signed cookie or session id", MAY_BE(TUILE_DIALECT_EXPRESS));
  value = (tuile_bytes){(const char *)value.data + 2, value.size - 2};
  bool json = begins(value, "j:");
  part(json ? "JSON" : "value", json ? (tuile_bytes){(const char *)value.data + 2, value.size - 2} : value);
  signature(mac);
  return dialects;
}

uint32_t rails(tuile_bytes token) {
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

/* As many parts as there are names, as far as the text goes. */
static void parts(tuile_bytes text, char mark, const char *const *names, int count) {
  const char *at = text.data, *end = at + text.size;
  for (int i = 0; i < count; i++) {
    const char *found = i + 1 < count ? memchr(at, mark, (size_t)(end - at)) : NULL;
    part(names[i], (tuile_bytes){at, (size_t)((found ? found : end) - at)});
    if (!found) break;
    at = found + 1;
  }
}

uint32_t iron(tuile_bytes token) {
  static const char *const names[] = {"format",     "password id", "salt of the encryption", "nonce",
                                      "ciphertext", "end",         "salt of the signature",  "signature"};
  if (!begins(token, "Fe26.2*")) return 0;
  looks_like("iron-session", 0);
  parts(token, '*', names, 8);
  return MAY_BE(TUILE_DIALECT_IRON_SESSION);
}

uint32_t tornado(tuile_bytes token) {
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
uint32_t hono(tuile_bytes token) {
  tuile_bytes value, mac;
  if (!split_last(token, '.', &value, &mac) || mac.size != 44 || !is_of(mac, UPPER LOWER DIGITS "+/=")) return 0;
  looks_like("Hono or better-auth: a signed cookie", 0);
  part("value", value);
  signature(mac);
  return MAY_BE(TUILE_DIALECT_HONO);
}

/* Three or five parts, the first a JSON object in base64: its header, which says what the others are. */
uint32_t jose(tuile_bytes token) {
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

/* Plug.Crypto's messages begin with their algorithm in base64: HS256, A128GCM. */
uint32_t phoenix(tuile_bytes token) {
  static const char *const sealed[] = {"algorithm", "encrypted key", "nonce", "ciphertext", "tag"};
  static const char *const signed_parts[] = {"algorithm", "payload, an Erlang term", "signature, HMAC"};
  bool is_signed = begins(token, "SFMyNTY.") || begins(token, "SFMzODQ.") || begins(token, "SFM1MTI.");
  if (!is_signed && !begins(token, "QTEyOEdDTQ.")) return 0;
  looks_like(is_signed ? "Phoenix (Plug.Crypto): a signed cookie or token" : "Phoenix (Plug.Crypto): an encrypted cookie", 0);
  parts(token, '.', is_signed ? signed_parts : sealed, is_signed ? 3 : 5);
  return UINT32_MAX;
}
