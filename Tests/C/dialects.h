/* What a test of all dialects has to know of each: a secret in the form that its
 * framework has, and what its format binds and writes. */
#ifndef DIALECTS_H
#define DIALECTS_H

#include "check.h"

enum { DIALECTS = 25 };

/* Two secrets for each; most frameworks take any text. */
static inline tuile_bytes secret_of(int dialect, int which) {
  static const char *const plain[] = {"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+-./",
                                      "another secret of more than sixty-four bytes, for what needs so many"};
  static const char *const fernet[] = {"cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=",
                                       "IIBs4T7CIiHSdsBMzxxVyFRnWEvBLPhGdGXGtYiPe1A="};
  static const char *const ring[] = {
      "80732141-ec8f-4b80-af9c-c4d2d1ff8901:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlBQkNERUYwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OUFCQ0RFRg==",
      "80732141-ec8f-4b80-af9c-c4d2d1ff8902:YWJjZGVmMDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlBQkNERUYwMTIzNDU2Nzg5YWJjZGVmMDEyMzQ1Njc4OQ=="};
  switch (dialect) {
    case TUILE_DIALECT_FERNET: return text(fernet[which]);
    case TUILE_DIALECT_LARAVEL:
    case TUILE_DIALECT_LARAVEL_GCM: return text(which ? "an older secret, of thirty-two b" : "base64:MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlBQkNERUY=");
    case TUILE_DIALECT_DATA_PROTECTION: return text(ring[which]);
    default: return text(plain[which]);
  }
}

static inline bool writes_json(int dialect) { return dialect != TUILE_DIALECT_DJANGO_COOKIE; }
static inline bool writes_text(int dialect) {
  return dialect != TUILE_DIALECT_FLASK && dialect != TUILE_DIALECT_STARLETTE && dialect != TUILE_DIALECT_JWT &&
         dialect != TUILE_DIALECT_AUTH_JS;
}

/* A token from the future is none, not only an old one. */
static inline bool refuses_the_future(int dialect) {
  return dialect == TUILE_DIALECT_FERNET || dialect == TUILE_DIALECT_JWT || dialect == TUILE_DIALECT_AUTH_JS;
}

/* %2b is %2B: the same token, said in another way. */
static inline bool percent_encoded(int dialect) {
  return dialect == TUILE_DIALECT_EXPRESS || dialect == TUILE_DIALECT_RAILS_SIGNED ||
         dialect == TUILE_DIALECT_RAILS_ENCRYPTED || dialect == TUILE_DIALECT_HONO ||
         dialect == TUILE_DIALECT_LARAVEL || dialect == TUILE_DIALECT_LARAVEL_GCM;
}

static inline bool binds_salt(int dialect) {
  return dialect <= TUILE_DIALECT_STARLETTE || dialect == TUILE_DIALECT_SEALED || dialect == TUILE_DIALECT_SIGNED ||
         dialect == TUILE_DIALECT_JWT || dialect == TUILE_DIALECT_DATA_PROTECTION;
}

static inline bool binds_name(int dialect) {
  return dialect == TUILE_DIALECT_DJANGO_COOKIE || (dialect >= TUILE_DIALECT_KEYGRIP && dialect <= TUILE_DIALECT_RACK) ||
         dialect == TUILE_DIALECT_COOKIE_RS_PRIVATE || dialect == TUILE_DIALECT_SEALED || dialect == TUILE_DIALECT_SIGNED ||
         dialect == TUILE_DIALECT_TORNADO || dialect == TUILE_DIALECT_LARAVEL || dialect == TUILE_DIALECT_LARAVEL_GCM ||
         dialect == TUILE_DIALECT_AUTH_JS;
}

#endif
