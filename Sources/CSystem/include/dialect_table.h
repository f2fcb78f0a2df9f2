/* Every dialect of tokens, a line each, in the order of tuile_dialect. Read by the
 * library (dialects.c), the command, the fuzz targets, the tests in C, and by
 * scripts/generate-header for Python and docs/stores.md.
 *
 *   ROW(constant, name, what its tokens bind and write, cookie:NAME or "", how its framework reads cookies, salt of such a session)
 */
#ifndef DIALECT_TABLE_H
#define DIALECT_TABLE_H

enum dialect_wire {
  DIALECT_TEXT = 1,      /* sign: any text */
  DIALECT_JSON = 2,      /* dumps: JSON */
  DIALECT_SALT = 4,      /* bound to the salt */
  DIALECT_NAME = 8,      /* bound to the cookie's name */
  DIALECT_PERCENT = 16,  /* percent-encoded, in upper or lower case */
  DIALECT_PRESENT = 32   /* refuses what is from the future, without an age too */
};

#define DIALECT_TABLE(ROW) \
  ROW(DJANGO, "django", DIALECT_TEXT | DIALECT_JSON | DIALECT_SALT, "django", DJANGO, "django.contrib.sessions.backends.signed_cookies") \
  ROW(DJANGO_COOKIE, "django-cookie", DIALECT_TEXT | DIALECT_SALT | DIALECT_NAME, "", DJANGO, "") \
  ROW(ITSDANGEROUS, "itsdangerous", DIALECT_TEXT | DIALECT_JSON | DIALECT_SALT, "", DJANGO, "") \
  ROW(FLASK, "flask", DIALECT_JSON | DIALECT_SALT, "flask", FLASK, "") \
  ROW(STARLETTE, "starlette", DIALECT_JSON | DIALECT_SALT, "starlette", DJANGO, "") \
  ROW(COOKIE_SIGNATURE, "cookie-signature", DIALECT_TEXT | DIALECT_JSON, "", EXPRESS, "") \
  ROW(EXPRESS, "express", DIALECT_TEXT | DIALECT_JSON | DIALECT_PERCENT, "", EXPRESS, "") \
  ROW(KEYGRIP, "keygrip", DIALECT_TEXT | DIALECT_JSON | DIALECT_NAME, "", EXPRESS, "") \
  ROW(RAILS_SIGNED, "rails-signed", DIALECT_TEXT | DIALECT_JSON | DIALECT_NAME | DIALECT_PERCENT, "", RACK, "") \
  ROW(RAILS_ENCRYPTED, "rails-encrypted", DIALECT_TEXT | DIALECT_JSON | DIALECT_NAME | DIALECT_PERCENT, "rails", RACK, "") \
  ROW(GORILLA, "gorilla", DIALECT_TEXT | DIALECT_JSON | DIALECT_NAME, "gorilla", GO, "") \
  ROW(RACK, "rack", DIALECT_TEXT | DIALECT_JSON | DIALECT_NAME, "rack", RACK, "") \
  ROW(COOKIE_RS_SIGNED, "cookie-rs-signed", DIALECT_TEXT | DIALECT_JSON, "", DJANGO, "") \
  ROW(COOKIE_RS_PRIVATE, "cookie-rs-private", DIALECT_TEXT | DIALECT_JSON | DIALECT_NAME, "", DJANGO, "") \
  ROW(IRON_SESSION, "iron-session", DIALECT_TEXT | DIALECT_JSON, "iron-session", EXPRESS, "") \
  ROW(SEALED, "sealed", DIALECT_TEXT | DIALECT_JSON | DIALECT_SALT | DIALECT_NAME, "sealed", DJANGO, "tuile session") \
  ROW(SIGNED, "signed", DIALECT_TEXT | DIALECT_JSON | DIALECT_SALT | DIALECT_NAME, "", DJANGO, "") \
  ROW(FERNET, "fernet", DIALECT_TEXT | DIALECT_JSON | DIALECT_PRESENT, "", DJANGO, "") \
  ROW(TORNADO, "tornado", DIALECT_TEXT | DIALECT_JSON | DIALECT_NAME, "", DJANGO, "") \
  ROW(HONO, "hono", DIALECT_TEXT | DIALECT_JSON | DIALECT_PERCENT, "", EXPRESS, "") \
  ROW(JWT, "jwt", DIALECT_JSON | DIALECT_SALT | DIALECT_PRESENT, "", DJANGO, "") \
  ROW(LARAVEL, "laravel", DIALECT_TEXT | DIALECT_JSON | DIALECT_NAME | DIALECT_PERCENT, "", DJANGO, "") \
  ROW(LARAVEL_GCM, "laravel-gcm", DIALECT_TEXT | DIALECT_JSON | DIALECT_NAME | DIALECT_PERCENT, "", DJANGO, "") \
  ROW(AUTH_JS, "auth-js", DIALECT_JSON | DIALECT_NAME | DIALECT_PRESENT, "", EXPRESS, "") \
  ROW(DATA_PROTECTION, "data-protection", DIALECT_TEXT | DIALECT_JSON | DIALECT_SALT, "", DJANGO, "")

#define DIALECT_ONE(constant, name, wire, session, rule, salt) +1
enum { DIALECTS = 0 DIALECT_TABLE(DIALECT_ONE) };

#endif
