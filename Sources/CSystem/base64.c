#include "base64.h"

#if defined(__x86_64__) && !defined(TUILE_PLAIN_SCAN)
#include <tmmintrin.h>
#elif defined(__ARM_NEON) && defined(__aarch64__) && !defined(TUILE_PLAIN_SCAN)
#include <arm_neon.h>
#endif

static const uint8_t characters[2][65] = {
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_",
};

/* Characters of one alphabet alone have a bit more: 64 those of the URL-safe one, 128 those of the other; what is in
 * none has both. */
enum { URL_ONLY = 64, STANDARD_ONLY = 128, NONE = 255 };
static const uint8_t values[256] = {
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 190, 255, 126, 255, 191,
     52,  53,  54,  55,  56,  57,  58,  59,  60,  61, 255, 255, 255, 255, 255, 255,
    255,   0,   1,   2,   3,   4,   5,   6,   7,   8,   9,  10,  11,  12,  13,  14,
     15,  16,  17,  18,  19,  20,  21,  22,  23,  24,  25, 255, 255, 255, 255, 127,
    255,  26,  27,  28,  29,  30,  31,  32,  33,  34,  35,  36,  37,  38,  39,  40,
     41,  42,  43,  44,  45,  46,  47,  48,  49,  50,  51, 255, 255, 255, 255, 255,
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
    255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255, 255,
};

uint8_t sys_base64_value(bool url, uint8_t character) {
  uint8_t value = values[character];
  return value & (url ? STANDARD_ONLY : URL_ONLY) ? NONE : value & 63;
}

static size_t encode_none(bool url, const uint8_t *octets, size_t size, uint8_t *out) {
  (void)url, (void)octets, (void)size, (void)out;
  return 0;
}

static size_t decode_none(bool url, const uint8_t *text, size_t size, uint8_t *out) {
  (void)url, (void)text, (void)size, (void)out;
  return 0;
}

/* They answer with how many octets, or characters, they have read: the rest is left to the plain way. */
#if defined(__x86_64__) && !defined(TUILE_PLAIN_SCAN)
#define SSSE3 __attribute__((target("ssse3")))

/* After Wojciech Muła's "Base64 encoding with SIMD instructions". */
SSSE3 static size_t encode_many(bool url, const uint8_t *octets, size_t size, uint8_t *out) {
  const __m128i order = _mm_setr_epi8(1, 0, 2, 1, 4, 3, 5, 4, 7, 6, 8, 7, 10, 9, 11, 10);
  /* What is added to the six bits: of 'a', ten digits, the two last, and of 'A'. */
  const char last = url ? '-' - 62 : '+' - 62, very_last = url ? '_' - 63 : '/' - 63;
  const __m128i shifts = _mm_setr_epi8('a' - 26, -4, -4, -4, -4, -4, -4, -4, -4, -4, -4, last, very_last, 'A', 0, 0);
  size_t i = 0;
  for (; size - i >= 16; i += 12, out += 16) {
    __m128i x = _mm_shuffle_epi8(_mm_loadu_si128((const __m128i *)(const void *)(octets + i)), order);
    __m128i high = _mm_mulhi_epu16(_mm_and_si128(x, _mm_set1_epi32(0x0FC0FC00)), _mm_set1_epi32(0x04000040));
    __m128i low = _mm_mullo_epi16(_mm_and_si128(x, _mm_set1_epi32(0x003F03F0)), _mm_set1_epi32(0x01000010));
    __m128i bits = _mm_or_si128(high, low);
    __m128i kind = _mm_or_si128(_mm_subs_epu8(bits, _mm_set1_epi8(51)),
                                _mm_and_si128(_mm_cmpgt_epi8(_mm_set1_epi8(26), bits), _mm_set1_epi8(13)));
    _mm_storeu_si128((__m128i *)(void *)out, _mm_add_epi8(bits, _mm_shuffle_epi8(shifts, kind)));
  }
  return i;
}

SSSE3 static inline __m128i between(__m128i x, char first, char last) {
  return _mm_and_si128(_mm_cmpgt_epi8(x, _mm_set1_epi8((char)(first - 1))), _mm_cmpgt_epi8(_mm_set1_epi8((char)(last + 1)), x));
}

SSSE3 static size_t decode_many(bool url, const uint8_t *text, size_t size, uint8_t *out) {
  const char last = url ? '-' : '+', very_last = url ? '_' : '/';
  const __m128i order = _mm_setr_epi8(2, 1, 0, 6, 5, 4, 10, 9, 8, 14, 13, 12, -1, -1, -1, -1);
  size_t i = 0;
  /* Sixteen octets are written, of which twelve count: the groups behind have room for the others. */
  for (; size - i >= 24; i += 16, out += 12) {
    __m128i x = _mm_loadu_si128((const __m128i *)(const void *)(text + i));
    __m128i upper = between(x, 'A', 'Z'), lower = between(x, 'a', 'z'), digit = between(x, '0', '9');
    __m128i sign = _mm_cmpeq_epi8(x, _mm_set1_epi8(last)), stroke = _mm_cmpeq_epi8(x, _mm_set1_epi8(very_last));
    __m128i known = _mm_or_si128(_mm_or_si128(upper, lower), _mm_or_si128(digit, _mm_or_si128(sign, stroke)));
    if (_mm_movemask_epi8(known) != 0xFFFF) break;
    __m128i shift = _mm_or_si128(_mm_and_si128(upper, _mm_set1_epi8(-'A')), _mm_and_si128(lower, _mm_set1_epi8(26 - 'a')));
    shift = _mm_or_si128(shift, _mm_and_si128(digit, _mm_set1_epi8(52 - '0')));
    shift = _mm_or_si128(shift, _mm_or_si128(_mm_and_si128(sign, _mm_set1_epi8((char)(62 - last))),
                                             _mm_and_si128(stroke, _mm_set1_epi8((char)(63 - very_last)))));
    __m128i pairs = _mm_maddubs_epi16(_mm_add_epi8(x, shift), _mm_set1_epi32(0x01400140));
    __m128i groups = _mm_madd_epi16(pairs, _mm_set1_epi32(0x00011000));
    _mm_storeu_si128((__m128i *)(void *)out, _mm_shuffle_epi8(groups, order));
  }
  return i;
}

static bool has_many(void) {
  __builtin_cpu_init();
  return __builtin_cpu_supports("ssse3");
}
#elif defined(__ARM_NEON) && defined(__aarch64__) && !defined(TUILE_PLAIN_SCAN)
static size_t encode_many(bool url, const uint8_t *octets, size_t size, uint8_t *out) {
  const uint8_t *all = characters[url];
  const uint8x16x4_t table = {{vld1q_u8(all), vld1q_u8(all + 16), vld1q_u8(all + 32), vld1q_u8(all + 48)}};
  const uint8x16_t six = vdupq_n_u8(63);
  size_t i = 0;
  for (; size - i >= 48; i += 48, out += 64) {
    uint8x16x3_t x = vld3q_u8(octets + i);
    uint8x16x4_t text;
    text.val[0] = vqtbl4q_u8(table, vshrq_n_u8(x.val[0], 2));
    text.val[1] = vqtbl4q_u8(table, vandq_u8(vorrq_u8(vshlq_n_u8(x.val[0], 4), vshrq_n_u8(x.val[1], 4)), six));
    text.val[2] = vqtbl4q_u8(table, vandq_u8(vorrq_u8(vshlq_n_u8(x.val[1], 2), vshrq_n_u8(x.val[2], 6)), six));
    text.val[3] = vqtbl4q_u8(table, vandq_u8(x.val[2], six));
    vst4q_u8(out, text);
  }
  return i;
}

/* The six bits; `known` loses the lanes of characters that are none. */
static inline uint8x16_t bits_of(uint8x16_t x, uint8_t last, uint8_t very_last, uint8x16_t *known) {
  uint8x16_t from_upper = vsubq_u8(x, vdupq_n_u8('A')), from_lower = vsubq_u8(x, vdupq_n_u8('a'));
  uint8x16_t from_digit = vsubq_u8(x, vdupq_n_u8('0'));
  uint8x16_t upper = vcltq_u8(from_upper, vdupq_n_u8(26)), lower = vcltq_u8(from_lower, vdupq_n_u8(26));
  uint8x16_t digit = vcltq_u8(from_digit, vdupq_n_u8(10));
  uint8x16_t sign = vceqq_u8(x, vdupq_n_u8(last)), stroke = vceqq_u8(x, vdupq_n_u8(very_last));
  *known = vandq_u8(*known, vorrq_u8(vorrq_u8(upper, lower), vorrq_u8(digit, vorrq_u8(sign, stroke))));
  uint8x16_t bits = vorrq_u8(vandq_u8(upper, from_upper), vandq_u8(lower, vaddq_u8(from_lower, vdupq_n_u8(26))));
  bits = vorrq_u8(bits, vandq_u8(digit, vaddq_u8(from_digit, vdupq_n_u8(52))));
  return vorrq_u8(bits, vorrq_u8(vandq_u8(sign, vdupq_n_u8(62)), vandq_u8(stroke, vdupq_n_u8(63))));
}

static size_t decode_many(bool url, const uint8_t *text, size_t size, uint8_t *out) {
  const uint8_t last = url ? '-' : '+', very_last = url ? '_' : '/';
  size_t i = 0;
  for (; size - i >= 64; i += 64, out += 48) {
    uint8x16x4_t x = vld4q_u8(text + i);
    uint8x16_t known = vdupq_n_u8(255);
    for (int k = 0; k < 4; k++) x.val[k] = bits_of(x.val[k], last, very_last, &known);
    if (vminvq_u8(known) == 0) break;
    uint8x16x3_t octets;
    octets.val[0] = vorrq_u8(vshlq_n_u8(x.val[0], 2), vshrq_n_u8(x.val[1], 4));
    octets.val[1] = vorrq_u8(vshlq_n_u8(x.val[1], 4), vshrq_n_u8(x.val[2], 2));
    octets.val[2] = vorrq_u8(vshlq_n_u8(x.val[2], 6), x.val[3]);
    vst3q_u8(out, octets);
  }
  return i;
}

static bool has_many(void) { return true; }
#else
#define encode_many encode_none
#define decode_many decode_none
static bool has_many(void) { return false; }
#endif

/* What reads a text from its beginning, as far as it goes. */
typedef size_t many(bool url, const uint8_t *in, size_t size, uint8_t *out);
static many *encode = encode_none, *decode = decode_none;

__attribute__((constructor)) static void choose(void) {
  if (has_many()) encode = encode_many, decode = decode_many;
}

static void encode_by(many *first, bool url, const uint8_t *octets, size_t size, uint8_t *out) {
  const uint8_t *table = characters[url];
  size_t i = first(url, octets, size, out);
  out += i / 3 * 4;
  for (; size - i >= 3; i += 3, out += 4) {
    uint32_t group = (uint32_t)octets[i] << 16 | (uint32_t)octets[i + 1] << 8 | octets[i + 2];
    out[0] = table[group >> 18], out[1] = table[group >> 12 & 63];
    out[2] = table[group >> 6 & 63], out[3] = table[group & 63];
  }
  if (i == size) return;
  uint32_t group = (uint32_t)octets[i] << 16 | (size - i > 1 ? (uint32_t)octets[i + 1] << 8 : 0);
  out[0] = table[group >> 18], out[1] = table[group >> 12 & 63];
  if (size - i > 1) out[2] = table[group >> 6 & 63];
}

static size_t decode_by(many *first, bool url, const uint8_t *text, size_t size, uint8_t *out) {
  const uint8_t others = url ? STANDARD_ONLY : URL_ONLY;
  size_t i = first(url, text, size, out);
  out += i / 4 * 3;
  for (; size - i >= 4; i += 4, out += 3) {
    uint32_t a = values[text[i]], b = values[text[i + 1]], c = values[text[i + 2]], d = values[text[i + 3]];
    if ((a | b | c | d) & others) break;
    uint32_t group = (a & 63) << 18 | (b & 63) << 12 | (c & 63) << 6 | (d & 63);
    out[0] = (uint8_t)(group >> 16), out[1] = (uint8_t)(group >> 8), out[2] = (uint8_t)group;
  }
  return i;
}

void sys_base64_encode(bool url, const uint8_t *octets, size_t size, uint8_t *out) { encode_by(encode, url, octets, size, out); }

size_t sys_base64_decode(bool url, const uint8_t *text, size_t size, uint8_t *out) {
  return decode_by(decode, url, text, size, out);
}

void sys_base64_encode_plain(bool url, const uint8_t *octets, size_t size, uint8_t *out) {
  encode_by(encode_none, url, octets, size, out);
}

size_t sys_base64_decode_plain(bool url, const uint8_t *text, size_t size, uint8_t *out) {
  return decode_by(decode_none, url, text, size, out);
}
