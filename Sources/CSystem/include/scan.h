/* Looking for octets sixteen at a time. Inline, so that Swift's callers pay no
 * call; private to libtuile like all of this folder. */
#ifndef CSYSTEM_SCAN_H
#define CSYSTEM_SCAN_H

#include <stddef.h>
#include <stdint.h>
#if defined(__SSE2__) && !defined(TUILE_PLAIN_SCAN)
#include <emmintrin.h>
#endif

/* The offset of the first ';' at or after `from`, or `size`; `*equals` gets the
 * offset of the first '=' before that, or the same offset if there is none. One
 * pass, where memchr for each would start twice. `from` <= `size`. */
static inline size_t sys_find_pair_plain(const uint8_t *text, size_t from, size_t size, size_t *equals) {
  size_t i = from;
  while (i < size && text[i] != ';' && text[i] != '=') i++;
  *equals = i;
  while (i < size && text[i] != ';') i++;
  return i;
}

static inline size_t sys_find_pair(const uint8_t *text, size_t from, size_t size, size_t *equals) {
#if defined(__SSE2__) && !defined(TUILE_PLAIN_SCAN)
  const __m128i semicolons = _mm_set1_epi8(';'), signs = _mm_set1_epi8('=');
  size_t i = from;
  for (; size - i >= 16; i += 16) {
    __m128i block = _mm_loadu_si128((const __m128i *)(const void *)(text + i));
    __m128i ends = _mm_cmpeq_epi8(block, semicolons);
    unsigned either = (unsigned)_mm_movemask_epi8(_mm_or_si128(ends, _mm_cmpeq_epi8(block, signs)));
    if (!either) continue;
    *equals = i + (size_t)__builtin_ctz(either);
    unsigned end = (unsigned)_mm_movemask_epi8(ends);
    if (end) return i + (size_t)__builtin_ctz(end);
    /* The '=' is known: only the end is left to find, 64 octets a step. */
    i += 16;
    for (; size - i >= 64; i += 64) {
      const __m128i *next = (const __m128i *)(const void *)(text + i);
      __m128i a = _mm_cmpeq_epi8(_mm_loadu_si128(next), semicolons);
      __m128i b = _mm_cmpeq_epi8(_mm_loadu_si128(next + 1), semicolons);
      __m128i c = _mm_cmpeq_epi8(_mm_loadu_si128(next + 2), semicolons);
      __m128i d = _mm_cmpeq_epi8(_mm_loadu_si128(next + 3), semicolons);
      if (!_mm_movemask_epi8(_mm_or_si128(_mm_or_si128(a, b), _mm_or_si128(c, d)))) continue;
      uint64_t low = (uint32_t)_mm_movemask_epi8(a) | (uint32_t)_mm_movemask_epi8(b) << 16;
      uint64_t high = (uint32_t)_mm_movemask_epi8(c) | (uint32_t)_mm_movemask_epi8(d) << 16;
      return i + (size_t)__builtin_ctzll(low | high << 32);
    }
    for (; size - i >= 16; i += 16) {
      __m128i rest = _mm_loadu_si128((const __m128i *)(const void *)(text + i));
      unsigned found = (unsigned)_mm_movemask_epi8(_mm_cmpeq_epi8(rest, semicolons));
      if (found) return i + (size_t)__builtin_ctz(found);
    }
    while (i < size && text[i] != ';') i++;
    return i;
  }
  return sys_find_pair_plain(text, i, size, equals);
#else
  return sys_find_pair_plain(text, from, size, equals);
#endif
}

#endif /* CSYSTEM_SCAN_H */
