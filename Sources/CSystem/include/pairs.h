/* All cookies of a header at once: 64 octets at a time become bit masks, whose bits are walked. Where lengths are
 * uneven, as browsers' are, each look for the next octet that matters is one that no processor foresees; of masks it
 * is a step. Private to libtuile like all of this folder. */
#ifndef CSYSTEM_PAIRS_H
#define CSYSTEM_PAIRS_H

#include <stddef.h>
#include <stdint.h>

/* Of what is no longer, no name, value or number of cookies is over the limits that a request has. */
enum { SYS_PAIRS_LARGEST = 4096 };

/* Writes each pair as CookieHeader finds it: name, NUL, value, NUL. The size; -1 for what is longer, has a NUL in it, or
 * has no room: 2 * size + 66 octets, all of which may be written. */
ptrdiff_t sys_write_pairs(const uint8_t *text, size_t size, uint8_t *out, size_t capacity);
/* The same by one way of finding masks, for tests: 0 plain, 1 SSE2 or NEON, 2 AVX2. -2: not on this machine. */
ptrdiff_t sys_write_pairs_by(int way, const uint8_t *text, size_t size, uint8_t *out, size_t capacity);

#endif /* CSYSTEM_PAIRS_H */
