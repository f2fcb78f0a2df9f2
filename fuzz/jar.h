/* What the two jar targets share. */
#ifndef TUILE_FUZZ_JAR_H
#define TUILE_FUZZ_JAR_H

#define _GNU_SOURCE
#include <stdbool.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz.h"

enum { room = 1 << 18 };

static int64_t seconds; /* what the jars' clock shows */

static inline int64_t show(void *context) {
  (void)context;
  return seconds * 1000000;
}

/* Suffixes of one label, of two, and some that only a test has. */
static inline bool is_suffix(void *context, tuile_bytes domain) {
  const char *text = domain.data;
  (void)context;
  for (size_t i = 0; i < domain.size; i++) REQUIRE(text[i] < 'A' || text[i] > 'Z');
  return !memchr(text, '.', domain.size) || (domain.size == 5 && !memcmp(text, "co.uk", 5)) ||
         (domain.size > 2 && !memcmp(text, "p.", 2));
}

static inline tuile_jar *new_jar(uint8_t how) {
  tuile_jar_config config = TUILE_JAR_CONFIG_INIT;
  tuile_jar *jar = NULL;
  config.suffixes = TUILE_SUFFIXES_LABEL;
  if (how & 1) config.public_suffix = is_suffix;
  config.max_per_site = 1 + (how >> 1 & 7);
  config.max_cookies = 1 + (how >> 4);
  config.clock = show;
  REQUIRE(tuile_jar_new(&config, &jar, NULL) == TUILE_OK);
  return jar;
}

/* The header, or NULL if there is none, in a buffer that the next call reuses. */
static inline char *header(tuile_jar *jar, const tuile_jar_request *request, size_t *size) {
  static char text[room];
  size_t needed = 0;
  tuile_status status = tuile_jar_header(jar, request, text, sizeof text, size, NULL);
  if (status != TUILE_OK) {
    REQUIRE(status == TUILE_ABSENT || status == TUILE_E_SYNTAX || status == TUILE_E_LIMIT);
    return NULL;
  }
  REQUIRE(*size > 0);
  REQUIRE(*size < sizeof text);
  text[0] ^= 1;
  REQUIRE(tuile_jar_header(jar, request, text, *size - 1, &needed, NULL) == TUILE_E_SPACE);
  REQUIRE(needed == *size);
  text[0] ^= 1;
  for (size_t i = 0; i < *size; i++) REQUIRE(((unsigned char)text[i] >= 0x20 && text[i] != 0x7f) || text[i] == '\t');
  return text;
}

/* The next cookie of a header, as it stands there; cookies have no ';'. */
static inline bool next_piece(tuile_bytes text, size_t *position, tuile_bytes *piece) {
  const char *start = text.data;
  if (*position > text.size) return false;
  const char *end = memchr(start + *position, ';', text.size - *position);
  size_t stop = end ? (size_t)(end - start) : text.size;
  *piece = (tuile_bytes){start + *position, stop - *position};
  REQUIRE(!end || (stop + 1 < text.size && start[stop + 1] == ' '));
  *position = end ? stop + 2 : text.size + 1;
  return true;
}

/* A copy of the jar that went through a file. */
static inline tuile_jar *through_file(tuile_jar *jar, uint8_t how, bool session_cookies) {
  static char path[64];
  /* In memory, since a jar syncs its file to disk. */
  const char *folder = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
  if (!path[0]) snprintf(path, sizeof path, "%s/tuile-fuzz-%d", folder, (int)getpid());
  tuile_bytes name = {path, strlen(path)};
  tuile_jar *copy = new_jar(how);
  REQUIRE(tuile_jar_save(jar, name, session_cookies, NULL) == TUILE_OK);
  REQUIRE(tuile_jar_load(copy, name, NULL, NULL) == TUILE_OK);
  unlink(path);
  REQUIRE(tuile_jar_load(copy, name, NULL, NULL) == TUILE_ABSENT);
  return copy;
}

/* The request gets the same header from the copy, but for what the file format
 * can't hold: cookies without a name or with a tab. */
static inline void check_copy(tuile_jar *jar, tuile_jar *copy, const tuile_jar_request *request) {
  static char want[room];
  size_t size = 0, kept = 0, position = 0;
  tuile_bytes piece;
  char *text = header(jar, request, &size);
  while (text && next_piece((tuile_bytes){text, size}, &position, &piece)) {
    if (!memchr(piece.data, '=', piece.size) || memchr(piece.data, '\t', piece.size)) continue;
    if (kept) memcpy(want + kept, "; ", 2), kept += 2;
    memcpy(want + kept, piece.data, piece.size);
    kept += piece.size;
  }
  text = header(copy, request, &size);
  REQUIRE(kept == (text ? size : 0));
  if (text) REQUIRE(!memcmp(text, want, size));
}

#endif
