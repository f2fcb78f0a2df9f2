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

/* The classes of octets that cookies know, as bits of sys_octet_classes. */
enum {
  SYS_OCTET_SAFE = 1,      /* no control, no ';' */
  SYS_OCTET_TOKEN = 2,     /* RFC 9110, section 5.6.2 */
  SYS_OCTET_COOKIE = 4,    /* cookie-octet of RFC 6265bis */
  SYS_OCTET_ATTRIBUTE = 8, /* av-octet of RFC 6265bis */
  SYS_OCTET_COMPONENT = 16 /* what encodeURIComponent of ECMA-262 leaves as it is */
};
extern const uint8_t sys_octet_classes[256];

static inline uint8_t sys_octet_class(uint8_t octet) { return sys_octet_classes[octet]; }

/* The offset of the first octet at or after `from` that is not of the class, or
 * `size`. */
static inline size_t sys_skip_class(const uint8_t *text, size_t from, size_t size, uint8_t class_) {
  size_t i = from;
  while (i < size && sys_octet_classes[text[i]] & class_) i++;
  return i;
}

/* As sys_skip_class for cookie-octets: 21-7E without '"' ',' ';' and '\\'. */
static inline size_t sys_skip_cookie_octets(const uint8_t *text, size_t from, size_t size) {
  size_t i = from;
#if defined(__SSE2__) && !defined(TUILE_PLAIN_SCAN)
  for (; size - i >= 16; i += 16) {
    __m128i x = _mm_loadu_si128((const __m128i *)(const void *)(text + i));
    /* Compared as signed numbers, octets over 7F are below 21. */
    __m128i low = _mm_cmplt_epi8(x, _mm_set1_epi8(0x21)), del = _mm_cmpeq_epi8(x, _mm_set1_epi8(0x7F));
    __m128i quote = _mm_cmpeq_epi8(x, _mm_set1_epi8('"')), comma = _mm_cmpeq_epi8(x, _mm_set1_epi8(','));
    __m128i end = _mm_cmpeq_epi8(x, _mm_set1_epi8(';')), slash = _mm_cmpeq_epi8(x, _mm_set1_epi8('\\'));
    __m128i bad = _mm_or_si128(_mm_or_si128(_mm_or_si128(low, del), _mm_or_si128(quote, comma)), _mm_or_si128(end, slash));
    unsigned found = (unsigned)_mm_movemask_epi8(bad);
    if (found) return i + (size_t)__builtin_ctz(found);
  }
#endif
  return sys_skip_class(text, i, size, SYS_OCTET_COOKIE);
}

/* The offset of the first control character but HTAB, or `size`. */
static inline size_t sys_find_control(const uint8_t *text, size_t size) {
  size_t i = 0;
#if defined(__SSE2__) && !defined(TUILE_PLAIN_SCAN)
  for (; size - i >= 16; i += 16) {
    __m128i x = _mm_loadu_si128((const __m128i *)(const void *)(text + i));
    __m128i low = _mm_cmpeq_epi8(_mm_min_epu8(x, _mm_set1_epi8(0x1F)), x);
    __m128i bad = _mm_or_si128(_mm_andnot_si128(_mm_cmpeq_epi8(x, _mm_set1_epi8(0x09)), low),
                               _mm_cmpeq_epi8(x, _mm_set1_epi8(0x7F)));
    unsigned found = (unsigned)_mm_movemask_epi8(bad);
    if (found) return i + (size_t)__builtin_ctz(found);
  }
#endif
  while (i < size && (text[i] >= 0x20 || text[i] == 0x09) && text[i] != 0x7F) i++;
  return i;
}

/* The offset of the first octet at or after `from` that JSON may want another way
 * inside a string, or `size`: a control, '"', '\\', DEL, what is not ASCII, and
 * with `html` '<', '>' and '&'. */
static inline size_t sys_skip_json_plain(const uint8_t *text, size_t from, size_t size, int html) {
  size_t i = from;
#if defined(__SSE2__) && !defined(TUILE_PLAIN_SCAN)
  for (; size - i >= 16; i += 16) {
    __m128i x = _mm_loadu_si128((const __m128i *)(const void *)(text + i));
    __m128i bad = _mm_or_si128(_mm_cmplt_epi8(x, _mm_set1_epi8(0x20)), _mm_cmpeq_epi8(x, _mm_set1_epi8(0x7F)));
    bad = _mm_or_si128(bad, _mm_or_si128(_mm_cmpeq_epi8(x, _mm_set1_epi8('"')), _mm_cmpeq_epi8(x, _mm_set1_epi8('\\'))));
    if (html)
      bad = _mm_or_si128(bad, _mm_or_si128(_mm_cmpeq_epi8(x, _mm_set1_epi8('&')),
                                           _mm_or_si128(_mm_cmpeq_epi8(x, _mm_set1_epi8('<')), _mm_cmpeq_epi8(x, _mm_set1_epi8('>')))));
    unsigned found = (unsigned)_mm_movemask_epi8(bad);
    if (found) return i + (size_t)__builtin_ctz(found);
  }
#endif
  for (; i < size; i++) {
    uint8_t c = text[i];
    if (c < 0x20 || c >= 0x7F || c == '"' || c == '\\' || (html && (c == '&' || c == '<' || c == '>'))) break;
  }
  return i;
}

#endif /* CSYSTEM_SCAN_H */
