/* FastLZ, which php-memcached compresses with. A stream is of instructions: the highest three bits
 * of its first byte say which of two levels it has, which differ in how they write a match that is
 * long or far away. Both are read, the second is written: readers take either for any size. */
#include "cmemcached.h"

#include <stdlib.h>
#include <string.h>

enum {
  FAR = (31 << 8) + 255, /* level 2: what this distance says is in the two bytes behind it */
  FARTHEST = FAR + 65535,
  SHORTEST = 3,          /* bytes of a match */
  SHORTEST_FAR = 6,      /* of one that takes five itself */
  RUN = 32,              /* bytes of a literal */
  BITS = 13              /* of the table of places */
};

bool cm_fastlz_decode(const uint8_t *from, size_t size, uint8_t *to, size_t room) {
  const uint8_t *end = from + size, *start = to, *stop = to + room;
  if (size == 0 || *from >> 5 > 1) return false;
  bool second = *from >> 5 == 1, first = true;
  while (from < end) {
    /* The first is a literal, whatever its highest bits are. */
    size_t code = first ? *from++ & 31 : *from++;
    first = false;
    if (code < RUN) {
      size_t run = code + 1;
      if (run > (size_t)(end - from) || run > (size_t)(stop - to)) return false;
      memcpy(to, from, run);
      from += run;
      to += run;
      continue;
    }
    size_t length = (code >> 5) + 2, back = (code & 31) << 8;
    if (code >> 5 == 7) {
      uint8_t more;
      do {
        if (from == end) return false;
        more = *from++;
        length += more;
      } while (second && more == 255);
    }
    if (from == end) return false;
    back += *from++;
    if (second && back == FAR) {
      if (end - from < 2) return false;
      back += (size_t)from[0] << 8 | from[1];
      from += 2;
    }
    if (length > (size_t)(stop - to) || back >= (size_t)(to - start)) return false;
    /* They may overlap: what is written is read again. */
    for (const uint8_t *old = to - back - 1; length > 0; length--) *to++ = *old++;
  }
  return to == stop;
}

static uint32_t slot(const uint8_t *at) {
  uint32_t three = at[0] | (uint32_t)at[1] << 8 | (uint32_t)at[2] << 16;
  return three * 2654435761u >> (32 - BITS);
}

static uint8_t *put_literals(const uint8_t *from, const uint8_t *end, uint8_t *to) {
  while (from < end) {
    size_t run = end - from < RUN ? (size_t)(end - from) : RUN;
    *to++ = (uint8_t)(run - 1);
    memcpy(to, from, run);
    from += run;
    to += run;
  }
  return to;
}

size_t cm_fastlz_bound(size_t size) { return size + size / RUN + 1; }

static uint8_t *put_match(size_t length, size_t back, uint8_t *to) {
  size_t code = length - 2, near = back < FAR ? back : FAR;
  *to++ = (uint8_t)((code < 7 ? code : 7) << 5 | near >> 8);
  if (code >= 7) {
    for (code -= 7; code >= 255; code -= 255) *to++ = 255;
    *to++ = (uint8_t)code;
  }
  *to++ = (uint8_t)near;
  if (near == FAR) {
    *to++ = (uint8_t)((back - FAR) >> 8);
    *to++ = (uint8_t)(back - FAR);
  }
  return to;
}

/* A match takes a byte less than what it stands for, and cuts a literal into two at most, so that
 * the bound is that of literals alone. */
size_t cm_fastlz_encode(const uint8_t *from, size_t size, uint8_t *to) {
  uint32_t *seen = calloc(1 << BITS, sizeof *seen); /* a place and 1 */
  if (!seen) return 0;
  uint8_t *start = to;
  size_t at = 0, done = 0;
  while (at + SHORTEST <= size) {
    uint32_t *place = &seen[slot(from + at)];
    size_t old = *place, back = at - old, length = 0;
    *place = (uint32_t)at + 1;
    if (old-- > 0 && back <= FARTHEST)
      while (at + length < size && from[old + length] == from[at + length]) length++;
    if (length < (back < FAR ? SHORTEST : SHORTEST_FAR)) {
      at++;
      continue;
    }
    to = put_match(length, back, put_literals(from + done, from + at, to));
    at = done = at + length;
  }
  to = put_literals(from + done, from + size, to);
  if (to > start) *start |= 1 << 5;
  free(seen);
  return (size_t)(to - start);
}
