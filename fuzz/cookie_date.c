/* Dates: tuile_date_read against a slow and plain reading of RFC 6265bis,
 * section 5.1.1, and tuile_date_write against the C library. */
#define _GNU_SOURCE
#include <time.h>

#include "fuzz.h"

static int is_digit(int c) { return c >= '0' && c <= '9'; }

static int is_delimiter(int c) {
  return c == 0x09 || (c >= 0x20 && c <= 0x2f) || (c >= 0x3b && c <= 0x40) || (c >= 0x5b && c <= 0x60) ||
         (c >= 0x7b && c <= 0x7e);
}

/* The number that `least` to `most` digits at *at make, which moves past them;
 * -1 if there are fewer. */
static int number(const uint8_t *token, size_t size, size_t *at, int least, int most) {
  int digits = 0, value = 0;
  while (*at < size && digits < most && is_digit(token[*at])) value = value * 10 + token[(*at)++] - '0', digits++;
  return digits < least ? -1 : value;
}

/* `[ non-digit *OCTET ]` */
static int ends(const uint8_t *token, size_t size, size_t at) { return at == size || !is_digit(token[at]); }

static int colon(const uint8_t *token, size_t size, size_t *at) { return *at < size && token[(*at)++] == ':'; }

static int read_date(const uint8_t *text, size_t size, int64_t *seconds) {
  static const char months[] = "janfebmaraprmayjunjulaugsepoctnovdec";
  int has_time = 0, has_day = 0, has_month = 0, has_year = 0;
  int hour = 0, minute = 0, second = 0, day = 0, month = 0, year = 0;
  for (size_t i = 0; i < size;) {
    if (is_delimiter(text[i])) { i++; continue; }
    const uint8_t *token = text + i;
    size_t length = 0, at = 0;
    while (i < size && !is_delimiter(text[i])) i++, length++;
    if (!has_time) {
      int h = number(token, length, &at, 1, 2), m = -1, s = -1;
      if (h >= 0 && colon(token, length, &at)) m = number(token, length, &at, 1, 2);
      if (m >= 0 && colon(token, length, &at)) s = number(token, length, &at, 1, 2);
      if (s >= 0 && ends(token, length, at)) {
        has_time = 1, hour = h, minute = m, second = s;
        continue;
      }
    }
    if (!has_day) {
      int d = number(token, length, (at = 0, &at), 1, 2);
      if (d >= 0 && ends(token, length, at)) {
        has_day = 1, day = d;
        continue;
      }
    }
    if (!has_month && length >= 3) {
      for (int m = 0; m < 12; m++)
        if (!strncasecmp((const char *)token, months + 3 * m, 3)) has_month = 1, month = m;
      if (has_month) continue;
    }
    if (!has_year) {
      int y = number(token, length, (at = 0, &at), 2, 4);
      if (y >= 0 && ends(token, length, at)) has_year = 1, year = y;
    }
  }
  if (year >= 70 && year <= 99) year += 1900;
  else if (year <= 69) year += 2000;
  if (!has_time || !has_day || !has_month || !has_year) return 0;
  if (day < 1 || day > 31 || year < 1601 || hour > 23 || minute > 59 || second > 59) return 0;
  struct tm date = {.tm_year = year - 1900, .tm_mon = month, .tm_mday = day};
  date.tm_hour = hour, date.tm_min = minute, date.tm_sec = second;
  *seconds = timegm(&date);
  return date.tm_mday == day; /* else there is no such date */
}

static void check_write(int64_t seconds) {
  char text[29], want[64];
  size_t size = 0;
  time_t clamped = seconds < -62135596800 ? -62135596800 : seconds > 253402300799 ? 253402300799 : seconds;
  struct tm date;
  REQUIRE(gmtime_r(&clamped, &date));
  strftime(want, sizeof want, "%a, %d %b %Y %H:%M:%S GMT", &date);
  if (date.tm_year + 1900 < 1000) { /* %Y has no zeros in front */
    size = strftime(want, sizeof want, "%a, %d %b ", &date);
    snprintf(want + size, 32, "%04d ", date.tm_year + 1900);
    strftime(want + size + 5, 32, "%H:%M:%S GMT", &date);
  }
  memset(text, 'x', sizeof text);
  REQUIRE(tuile_date_write(seconds, text, 28, &size) == TUILE_E_SPACE);
  REQUIRE(size == 29);
  for (int i = 0; i < 28; i++) REQUIRE(text[i] == 'x');
  REQUIRE(tuile_date_write(seconds, text, sizeof text, &size) == TUILE_OK);
  REQUIRE(size == 29);
  REQUIRE(!memcmp(text, want, 29));
  int64_t back = 0;
  tuile_status status = tuile_date_read((tuile_bytes){text, 29}, &back);
  /* Years up to 99 read as others; those up to 1600 are refused. */
  if (date.tm_year + 1900 >= 1601) {
    REQUIRE(status == TUILE_OK);
    REQUIRE(back == clamped);
  } else REQUIRE((status == TUILE_OK) == (date.tm_year + 1900 < 100) || date.tm_mday == 29);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  int64_t seconds = 42, want = 0;
  tuile_status status = tuile_date_read((tuile_bytes){data, size}, &seconds);
  if (read_date(data, size, &want)) {
    REQUIRE(status == TUILE_OK);
    REQUIRE(seconds == want);
    check_write(seconds);
  } else {
    REQUIRE(status == TUILE_E_SYNTAX);
    REQUIRE(seconds == 42);
  }
  if (size >= 8) {
    memcpy(&seconds, data, 8);
    check_write(seconds);
    check_write(seconds % 300000000000);
  }
  return 0;
}
