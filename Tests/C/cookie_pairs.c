/* Each way of finding a header's pairs (64 octets at a time by SSE2, AVX2 or NEON, or without) finds what one octet after
 * the other finds. The library's own source is compiled in: on another processor this is what runs its way. */
#include "check.h"
#include <pairs.h>

static uint64_t state = 88172645463325252u;

static uint32_t below(uint32_t limit) {
  state ^= state << 13, state ^= state >> 7, state ^= state << 17;
  return (uint32_t)(state >> 33) % limit;
}

static bool is_blank(uint8_t octet) { return octet == ' ' || octet == '\t'; }

static uint8_t *put(uint8_t *out, const uint8_t *text, size_t from, size_t to) {
  while (from < to && is_blank(text[from])) from++;
  while (to > from && is_blank(text[to - 1])) to--;
  if (from < to) memcpy(out, text + from, to - from);
  out[to - from] = 0;
  return out + (to - from) + 1;
}

static size_t one_after_the_other(const uint8_t *text, size_t size, uint8_t *out) {
  uint8_t *next = out;
  for (size_t from = 0, end; from <= size; from = end + 1) {
    for (end = from; end < size && text[end] != ';'; end++) {}
    size_t equals = from, first = from;
    while (first < end && is_blank(text[first])) first++;
    while (equals < end && text[equals] != '=') equals++;
    if (first == end) continue;
    if (equals == end) {
      *next++ = 0;
      next = put(next, text, from, end);
    } else {
      next = put(next, text, from, equals);
      next = put(next, text, equals + 1, end);
    }
  }
  return (size_t)(next - out);
}

int main(void) {
  static const uint8_t special[] = {';', ';', ';', '=', '=', '=', ' ', '\t', 0x3C, 0xBB, 0xBD, 0};
  static uint8_t text[4200], expected[8500], out[8500];
  int ways = 0;
  for (int round = 0; round < 20000; round++) {
    /* A NUL in one of ten. */
    uint32_t kinds = sizeof special - (round % 10 != 0), often = 2 + below(40);
    size_t size = below(round % 100 == 0 ? 4098 : 300), room = 2 * size + 66;
    bool refused = size > SYS_PAIRS_LARGEST;
    for (size_t i = 0; i < size; i++) {
      text[i] = below(often) ? 'a' : special[below(kinds)];
      refused = refused || text[i] == 0;
    }
    size_t wanted = one_after_the_other(text, size, expected);
    for (int way = 0; way < 3; way++) {
      memset(out, 'x', sizeof out);
      ptrdiff_t written = sys_write_pairs_by(way, text, size, out, room);
      if (written == -2) continue;
      ways |= 1 << way;
      CHECK(written == (refused ? -1 : (ptrdiff_t)wanted));
      CHECK(refused || memcmp(out, expected, wanted) == 0);
      CHECK(out[room] == 'x');
    }
    CHECK(sys_write_pairs(text, size, out, room - 1) == -1);
  }
#if defined(__SSE2__) || (defined(__ARM_NEON) && defined(__aarch64__))
  CHECK((ways & 3) == 3);
#endif
  return 0;
}
