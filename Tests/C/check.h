/* CHECK stops a test at the first expression that does not hold. */
#ifndef CHECK_H
#define CHECK_H

/* Tests give NULL on purpose. */
#ifndef TUILE_NONNULL
#define TUILE_NONNULL(...)
#endif

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tuile.h>

/* gcc and clang each say in their own way that a sanitizer is in. */
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED
#elif defined(__has_feature)
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED
#endif
#endif

#define CHECK(expression)                                                        \
  do {                                                                           \
    if (!(expression)) {                                                         \
      fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #expression); \
      abort();                                                                   \
    }                                                                            \
  } while (0)

static inline tuile_bytes text(const char *string) { return (tuile_bytes){string, strlen(string)}; }

static inline bool equals(tuile_bytes bytes, const char *string) {
  return bytes.size == strlen(string) && memcmp(bytes.data, string, bytes.size) == 0;
}

#endif
