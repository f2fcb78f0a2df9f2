/* The headers of device-bound sessions (W3C DBSC), with or without their names, and a browser's proofs. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "inspect.h"

/* A structured field that is read from left to right (RFC 9651). */
struct field {
  const char *at, *end;
};

static void skip_blanks(struct field *field) {
  while (field->at < field->end && (*field->at == ' ' || *field->at == '\t')) field->at++;
}

static bool take(struct field *field, char mark) {
  if (field->at == field->end || *field->at != mark) return false;
  field->at++;
  return true;
}

/* A string without its quotes, or a token; both are what browsers and servers write. */
static bool read_item(struct field *field, tuile_bytes *item) {
  skip_blanks(field);
  if (take(field, '"')) {
    const char *start = field->at;
    while (field->at < field->end && *field->at != '"') field->at += *field->at == '\\' && field->end - field->at > 1 ? 2 : 1;
    *item = (tuile_bytes){start, (size_t)(field->at - start)};
    return take(field, '"');
  }
  const char *start = field->at;
  while (field->at < field->end && !memchr(" \t;,()\"=", *field->at, 8)) field->at++;
  *item = (tuile_bytes){start, (size_t)(field->at - start)};
  return item->size > 0;
}

/* ";name=value" as often as it is there: each is a part. */
static bool read_parameters(struct field *field) {
  for (skip_blanks(field); take(field, ';'); skip_blanks(field)) {
    tuile_bytes name, value = {"true", 4};
    char what[40];
    if (!read_item(field, &name) || name.size >= sizeof what) return false;
    if (take(field, '=') && !read_item(field, &value)) return false;
    memcpy(what, name.data, name.size);
    what[name.size] = 0;
    part(what, value);
  }
  return true;
}

static void out_rest(const struct field *field, bool well) {
  if (!well || field->at < field->end) part("is no structured field", (tuile_bytes){field->at, (size_t)(field->end - field->at)});
}

/* (ES256 RS256);path="…";challenge="…", and others after a comma. */
static uint32_t registration(struct field field) {
  looks_like("a device-bound session: a registration that is offered to the browser", 0);
  bool well = true;
  do {
    tuile_bytes algorithm;
    skip_blanks(&field);
    well = take(&field, '(');
    while (well && (skip_blanks(&field), !take(&field, ')')))
      if ((well = read_item(&field, &algorithm))) part("algorithm", algorithm);
    well = well && read_parameters(&field);
  } while (well && take(&field, ','));
  out_rest(&field, well);
  return UINT32_MAX;
}

/* "…";id="…" and others after a comma. */
static uint32_t items(struct field field, const char *looks, const char *what) {
  tuile_bytes item;
  bool well;
  looks_like(looks, 0);
  do {
    well = read_item(&field, &item);
    if (well) part(what, item);
    well = well && read_parameters(&field);
  } while (well && take(&field, ','));
  out_rest(&field, well);
  return UINT32_MAX;
}

/* ---- proofs ---- */

static bool has_word(const struct buffer *json, const char *word) { return memmem(json->data, json->size, word, strlen(word)) != NULL; }

static void out_decoded(const char *what, tuile_bytes text, const struct buffer *json) {
  part(what, text);
  if (json->data && is_utf8(buffer_bytes(json))) out_text("holds", buffer_bytes(json));
}

static uint32_t proof(tuile_bytes token) {
  tuile_bytes rest, mac, header, claims;
  struct buffer of_header = {0}, of_claims = {0};
  if (!split_last(token, '.', &rest, &mac) || !split_last(rest, '.', &header, &claims) || !decode(header, &of_header)) return 0;
  bool known = has_word(&of_header, "\"dbsc+jwt\"");
  if (known && decode(claims, &of_claims)) {
    looks_like(has_word(&of_header, "\"jwk\"") ? "a device-bound session: the proof of a registration, with the browser's key"
                                              : "a device-bound session: the proof of a refresh, by a key that was registered before",
               0);
    out_decoded("header", header, &of_header);
    out_decoded("claims: jti is the challenge", claims, &of_claims);
    part(has_word(&of_header, "\"RS256\"") ? "signature, RSA" : "signature, ECDSA", mac);
  } else {
    known = false;
  }
  free(of_header.data);
  free(of_claims.data);
  return known ? UINT32_MAX : 0;
}

/* ---- which header ---- */

enum header { REGISTRATION, CHALLENGE, RESPONSE, IDENTIFIER, SKIPPED, NONE };

static enum header take_header(tuile_bytes *token) {
  static const char *const names[] = {"Secure-Session-Registration", "Secure-Session-Challenge", "Secure-Session-Response",
                                      "Sec-Secure-Session-Id", "Secure-Session-Skipped"};
  for (int i = 0; i < NONE; i++) {
    size_t size = strlen(names[i]);
    if (token->size <= size || strncasecmp(token->data, names[i], size) != 0 || ((const char *)token->data)[size] != ':') continue;
    struct field field = {(const char *)token->data + size + 1, (const char *)token->data + token->size};
    skip_blanks(&field);
    *token = (tuile_bytes){field.at, (size_t)(field.end - field.at)};
    return (enum header)i;
  }
  return NONE;
}

static enum header guess(tuile_bytes token) {
  if (begins(token, "(") && memmem(token.data, token.size, ";path=", 6)) return REGISTRATION;
  if (begins(token, "\"") && memmem(token.data, token.size, ";id=", 4)) return CHALLENGE;
  if (begins(token, "unreachable") || begins(token, "server_error") || begins(token, "quota_exceeded")) return SKIPPED;
  return NONE;
}

uint32_t bound(tuile_bytes token) {
  enum header header = take_header(&token);
  if (header == NONE) header = guess(token);
  struct field field = {token.data, (const char *)token.data + token.size};
  if (header == RESPONSE && begins(token, "\"") && token.size > 2)
    token = (tuile_bytes){field.at + 1, token.size - 2};
  switch (header) {
    case REGISTRATION: return registration(field);
    case CHALLENGE: return items(field, "a device-bound session: a challenge, which the browser's proof has to hold", "challenge");
    case IDENTIFIER: return items(field, "a device-bound session: the identifier that the browser has of it", "session identifier");
    case SKIPPED: return items(field, "a device-bound session: why a request came without its cookie; anybody can say so", "reason");
    default: return proof(token);
  }
}
