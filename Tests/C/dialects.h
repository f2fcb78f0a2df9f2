/* What a test of all dialects has to know of each: a secret in the form that its
 * framework has, and what its format binds and writes. */
#ifndef DIALECTS_H
#define DIALECTS_H

#include "check.h"

enum { DIALECTS = 21 };

/* Two secrets for each; most frameworks take any text. */
static inline tuile_bytes secret_of(int dialect, int which) {
  static const char *const plain[] = {"0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+-./",
                                      "another secret of more than sixty-four bytes, for what needs so many"};
  static const char *const fernet[] = {"cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=",
                                       "IIBs4T7CIiHSdsBMzxxVyFRnWEvBLPhGdGXGtYiPe1A="};
  switch (dialect) {
    case TUILE_DIALECT_FERNET: return text(fernet[which]);
    default: return text(plain[which]);
  }
}

static inline bool writes_json(int dialect) { return dialect != TUILE_DIALECT_DJANGO_COOKIE; }
static inline bool writes_text(int dialect) {
  return dialect != TUILE_DIALECT_FLASK && dialect != TUILE_DIALECT_STARLETTE && dialect != TUILE_DIALECT_JWT;
}

/* A token from the future is none, not only an old one. */
static inline bool refuses_the_future(int dialect) { return dialect == TUILE_DIALECT_FERNET || dialect == TUILE_DIALECT_JWT; }

/* %2b is %2B: the same token, said in another way. */
static inline bool percent_encoded(int dialect) {
  return dialect == TUILE_DIALECT_EXPRESS || dialect == TUILE_DIALECT_RAILS_SIGNED ||
         dialect == TUILE_DIALECT_RAILS_ENCRYPTED || dialect == TUILE_DIALECT_HONO;
}

static inline bool binds_salt(int dialect) {
  return dialect <= TUILE_DIALECT_STARLETTE || dialect == TUILE_DIALECT_SEALED || dialect == TUILE_DIALECT_SIGNED ||
         dialect == TUILE_DIALECT_JWT;
}

static inline bool binds_name(int dialect) {
  return dialect == TUILE_DIALECT_DJANGO_COOKIE || (dialect >= TUILE_DIALECT_KEYGRIP && dialect <= TUILE_DIALECT_RACK) ||
         dialect == TUILE_DIALECT_COOKIE_RS_PRIVATE || dialect == TUILE_DIALECT_SEALED || dialect == TUILE_DIALECT_SIGNED ||
         dialect == TUILE_DIALECT_TORNADO;
}

#endif
