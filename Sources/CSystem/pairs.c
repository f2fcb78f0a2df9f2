#include "pairs.h"

#include <string.h>
#if defined(__SSE2__) && !defined(TUILE_PLAIN_SCAN)
#include <immintrin.h>
#elif defined(__ARM_NEON) && defined(__aarch64__) && !defined(TUILE_PLAIN_SCAN)
#include <arm_neon.h>
#endif

/* Which of 64 octets are ';' and '=': bit n is octet n; and whether one is NUL. */
typedef struct masks {
  uint64_t ends, signs, nuls;
} masks;

static inline masks find_plain(const uint8_t *text) {
  masks found = {0, 0, 0};
  for (int i = 0; i < 64; i++) {
    found.ends |= (uint64_t)(text[i] == ';') << i;
    found.signs |= (uint64_t)(text[i] == '=') << i;
    found.nuls |= (uint64_t)(text[i] == 0) << i;
  }
  return found;
}

#if defined(__SSE2__) && !defined(TUILE_PLAIN_SCAN)
static inline masks find_sse2(const uint8_t *text) {
  masks found = {0, 0, 0};
  __m128i nuls = _mm_setzero_si128();
  for (int i = 0; i < 4; i++) {
    __m128i x = _mm_loadu_si128((const __m128i *)(const void *)(text + 16 * i));
    found.ends |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(x, _mm_set1_epi8(';'))) << (16 * i);
    found.signs |= (uint64_t)(uint32_t)_mm_movemask_epi8(_mm_cmpeq_epi8(x, _mm_set1_epi8('='))) << (16 * i);
    nuls = _mm_or_si128(nuls, _mm_cmpeq_epi8(x, _mm_setzero_si128()));
  }
  found.nuls = (uint64_t)(uint32_t)_mm_movemask_epi8(nuls);
  return found;
}

__attribute__((target("avx2"))) static inline masks find_avx2(const uint8_t *text) {
  masks found = {0, 0, 0};
  __m256i nuls = _mm256_setzero_si256();
  for (int i = 0; i < 2; i++) {
    __m256i x = _mm256_loadu_si256((const __m256i *)(const void *)(text + 32 * i));
    found.ends |= (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(x, _mm256_set1_epi8(';'))) << (32 * i);
    found.signs |= (uint64_t)(uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(x, _mm256_set1_epi8('='))) << (32 * i);
    nuls = _mm256_or_si256(nuls, _mm256_cmpeq_epi8(x, _mm256_setzero_si256()));
  }
  found.nuls = (uint64_t)(uint32_t)_mm256_movemask_epi8(nuls);
  return found;
}
#elif defined(__ARM_NEON) && defined(__aarch64__) && !defined(TUILE_PLAIN_SCAN)
/* Of each octet that is all ones one bit, and those of neighbours added up, three times. */
static inline uint64_t bits(const uint8x16_t equal[4]) {
  static const uint8_t weights[16] = {1, 2, 4, 8, 16, 32, 64, 128, 1, 2, 4, 8, 16, 32, 64, 128};
  uint8x16_t weight = vld1q_u8(weights);
  uint8x16_t low = vpaddq_u8(vandq_u8(equal[0], weight), vandq_u8(equal[1], weight));
  uint8x16_t high = vpaddq_u8(vandq_u8(equal[2], weight), vandq_u8(equal[3], weight));
  low = vpaddq_u8(low, high);
  low = vpaddq_u8(low, low);
  return vgetq_lane_u64(vreinterpretq_u64_u8(low), 0);
}

static inline masks find_neon(const uint8_t *text) {
  uint8x16_t ends[4], signs[4], nuls = vdupq_n_u8(0);
  for (int i = 0; i < 4; i++) {
    uint8x16_t x = vld1q_u8(text + 16 * i);
    ends[i] = vceqq_u8(x, vdupq_n_u8(';')), signs[i] = vceqq_u8(x, vdupq_n_u8('='));
    nuls = vorrq_u8(nuls, vceqzq_u8(x));
  }
  return (masks){bits(ends), bits(signs), vmaxvq_u8(nuls)};
}
#endif

/* A header's masks, and one end more behind it. */
typedef struct marks {
  uint64_t ends[SYS_PAIRS_LARGEST / 64 + 1], signs[SYS_PAIRS_LARGEST / 64 + 1], nuls;
} marks;

#define MARK(name, find, attributes)                                       \
  attributes static void name(const uint8_t *text, size_t size, marks *all) { \
    size_t block = 0;                                                      \
    all->nuls = 0;                                                         \
    for (; size - 64 * block >= 64; block++) {                             \
      masks found = find(text + 64 * block);                               \
      all->ends[block] = found.ends, all->signs[block] = found.signs;      \
      all->nuls |= found.nuls;                                             \
    }                                                                      \
    uint8_t rest[64];                                                      \
    memset(rest, ' ', sizeof rest);                                        \
    memcpy(rest, text + 64 * block, size - 64 * block);                    \
    masks found = find(rest);                                              \
    all->ends[block] = found.ends | (uint64_t)1 << (size - 64 * block);    \
    all->signs[block] = found.signs;                                       \
    all->nuls |= found.nuls;                                               \
  }
MARK(mark_plain, find_plain, )
#if defined(__SSE2__) && !defined(TUILE_PLAIN_SCAN)
MARK(mark_sse2, find_sse2, )
MARK(mark_avx2, find_avx2, __attribute__((target("avx2"))))

static void (*mark)(const uint8_t *text, size_t size, marks *all) = mark_sse2;

__attribute__((constructor)) static void choose(void) {
  __builtin_cpu_init();
  if (__builtin_cpu_supports("avx2")) mark = mark_avx2;
}
#elif defined(__ARM_NEON) && defined(__aarch64__) && !defined(TUILE_PLAIN_SCAN)
MARK(mark_neon, find_neon, )
static void (*const mark)(const uint8_t *text, size_t size, marks *all) = mark_neon;
#else
static void (*const mark)(const uint8_t *text, size_t size, marks *all) = mark_plain;
#endif

static inline int is_blank(uint8_t octet) { return octet == ' ' || octet == '\t'; }

/* Copies up to 63 octets more than asked where they are there, so that few lengths have a branch of their own. */
static inline void copy(uint8_t *out, const uint8_t *text, size_t size, size_t there) {
  if (there < ((size + 63) & ~(size_t)63) || size == 0) {
    memcpy(out, text, size);
    return;
  }
  memcpy(out, text, 64);
  for (size_t i = 64; i < size; i += 64) memcpy(out + i, text + i, 64);
}

static size_t write_pairs(const uint8_t *text, size_t size, const marks *all, uint8_t *out) {
  uint8_t *next = out;
  size_t from = 0;
  for (size_t block = 0; block <= size / 64; block++) {
    for (uint64_t ends = all->ends[block]; ends; ends &= ends - 1) {
      size_t end = 64 * block + (size_t)__builtin_ctzll(ends), a = from, d = end;
      /* The first '=' at or after `a`; there may be none before the end. */
      while (a < d && is_blank(text[a])) a++;
      while (d > a && is_blank(text[d - 1])) d--;
      size_t word = a / 64;
      uint64_t signs = a < d ? all->signs[word] >> (a % 64) << (a % 64) : 0;
      while (!signs && word < block) signs = all->signs[++word];
      size_t equals = signs ? 64 * word + (size_t)__builtin_ctzll(signs) : end;
      from = end + 1;
      if (equals >= end) {
        if (a == d) continue;
        *next++ = 0;
        copy(next, text + a, d - a, size - a);
        next += d - a;
        *next++ = 0;
        continue;
      }
      size_t b = equals, c = equals + 1;
      while (b > a && is_blank(text[b - 1])) b--;
      while (c < d && is_blank(text[c])) c++;
      if (b == equals && c == equals + 1) {
        copy(next, text + a, d - a, size - a);
        next[b - a] = 0;
        next += d - a;
      } else {
        copy(next, text + a, b - a, size - a);
        next += b - a;
        *next++ = 0;
        copy(next, text + c, d - c, size - c);
        next += d - c;
      }
      *next++ = 0;
    }
  }
  return (size_t)(next - out);
}

ptrdiff_t sys_write_pairs(const uint8_t *text, size_t size, uint8_t *out, size_t capacity) {
  if (size > SYS_PAIRS_LARGEST || capacity < 2 * size + 2 + 64) return -1;
  marks all;
  mark(text, size, &all);
  return all.nuls ? -1 : (ptrdiff_t)write_pairs(text, size, &all, out);
}

ptrdiff_t sys_write_pairs_by(int way, const uint8_t *text, size_t size, uint8_t *out, size_t capacity) {
  if (size > SYS_PAIRS_LARGEST || capacity < 2 * size + 2 + 64) return -1;
  marks all;
#if defined(__SSE2__) && !defined(TUILE_PLAIN_SCAN)
  if (way == 2 && !__builtin_cpu_supports("avx2")) return -2;
  (way == 0 ? mark_plain : way == 1 ? mark_sse2 : mark_avx2)(text, size, &all);
#elif defined(__ARM_NEON) && defined(__aarch64__) && !defined(TUILE_PLAIN_SCAN)
  if (way > 1) return -2;
  (way == 0 ? mark_plain : mark_neon)(text, size, &all);
#else
  if (way > 0) return -2;
  mark_plain(text, size, &all);
#endif
  return all.nuls ? -1 : (ptrdiff_t)write_pairs(text, size, &all, out);
}
