/* What the fuzz targets share. A broken property aborts, which libFuzzer and
 * the replay both report with the input. */
#ifndef TUILE_FUZZ_H
#define TUILE_FUZZ_H

/* Whatever the answer is, no call may break. */
#define TUILE_MUST_CHECK

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tuile.h>

#define REQUIRE(property)                                                    \
  do {                                                                       \
    if (!(property)) {                                                       \
      fprintf(stderr, "%s:%d: broken: %s\n", __FILE__, __LINE__, #property); \
      abort();                                                               \
    }                                                                        \
  } while (0)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Whether `part` lies in `whole`. */
static inline int inside(tuile_bytes part, tuile_bytes whole) {
  const char *from = part.data, *start = whole.data;
  return part.size == 0 || (from >= start && from + part.size <= start + whole.size);
}

static inline int same(tuile_bytes a, tuile_bytes b) {
  return a.size == b.size && (a.size == 0 || memcmp(a.data, b.data, a.size) == 0);
}

#endif
