#define _GNU_SOURCE
#include "csystem.h"

#include <sys/stat.h>

#include <errno.h>
#include <fcntl.h>
#include <locale.h>
#include <malloc.h>
#include <math.h>
#include <stdio.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

bool sys_random(void *data, size_t size) {
  uint8_t *next = data;
  while (size > 0) {
    ssize_t got = getrandom(next, size, 0);
    if (got < 0) {
      if (errno == EINTR) continue;
      return false;
    }
    next += got;
    size -= (size_t)got;
  }
  return true;
}

/* Embedded Swift seeds its hash tables with this, and glibc has it only since
 * 2.36: this hidden one keeps the library loadable on older systems. */
__attribute__((visibility("hidden"))) void arc4random_buf(void *data, size_t size) {
  if (!sys_random(data, size)) abort();
}

int64_t sys_now_microseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

int64_t sys_monotonic_microseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000 + 1;
}

int64_t sys_now_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME_COARSE, &now);
  return (int64_t)now.tv_sec;
}

void sys_sleep_microseconds(unsigned int microseconds) {
  struct timespec left = {microseconds / 1000000, (long)(microseconds % 1000000) * 1000};
  while (nanosleep(&left, &left) != 0 && errno == EINTR) {
  }
}

void sys_create_private_file(const char *path) {
  /* One that is there is never opened: the close() would drop all locks that SQLite
   * has on it in this process. The second call is for a link to what is not there. */
  int file = open(path, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
  if (file < 0 && errno == EEXIST && access(path, F_OK) != 0) file = open(path, O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  if (file >= 0) close(file);
}

bool sys_is_there(const char *path) { return access(path, F_OK) == 0; }

bool sys_is_readable_by_all(const char *path) {
  struct stat about;
  return stat(path, &about) == 0 && (about.st_mode & S_IROTH) != 0;
}

size_t sys_usable(void *allocation) { return malloc_usable_size(allocation); }

static int compare_keys(const void *a, const void *b) {
  uint64_t x = ((const sys_keyed *)a)->key, y = ((const sys_keyed *)b)->key;
  return x < y ? -1 : x > y;
}

void sys_sort(sys_keyed *items, size_t count) { qsort(items, count, sizeof *items, compare_keys); }

/* The significant digits of `value` at a precision, and the power of ten of
 * the first; printf's own separator depends on the locale and is skipped. */
static int digits_of(double value, int precision, char digits[20], int *exponent) {
  char text[40];
  snprintf(text, sizeof text, "%.*e", precision - 1, value);
  char *end = strchr(text, 'e');
  int count = 0;
  for (char *p = text; p < end; p++)
    if (*p >= '0' && *p <= '9') digits[count++] = *p;
  *exponent = atoi(end + 1);
  while (count > 1 && digits[count - 1] == '0') count--;
  return count;
}

static size_t layout(bool negative, const char *digits, int count, int exponent, char text[32]) {
  size_t n = 0;
  if (negative) text[n++] = '-';
  if (exponent < -4 || exponent >= 16) {
    text[n++] = digits[0];
    if (count > 1) {
      text[n++] = '.';
      for (int i = 1; i < count; i++) text[n++] = digits[i];
    }
    return n + (size_t)snprintf(text + n, 32 - n, "e%c%02d", exponent < 0 ? '-' : '+', abs(exponent));
  }
  if (exponent < 0) {
    text[n++] = '0';
    text[n++] = '.';
    for (int i = -1; i > exponent; i--) text[n++] = '0';
    for (int i = 0; i < count; i++) text[n++] = digits[i];
    return n;
  }
  for (int i = 0; i <= exponent; i++) text[n++] = i < count ? digits[i] : '0';
  text[n++] = '.';
  if (count <= exponent + 1) text[n++] = '0';
  for (int i = exponent + 1; i < count; i++) text[n++] = digits[i];
  return n;
}

/* The next decimal of 16 digits; false if all are nines. */
static bool next_up(char digits[20]) {
  for (int i = 15; i >= 0; i--) {
    if (digits[i] != '9') {
      digits[i]++;
      return true;
    }
    digits[i] = '0';
  }
  return false;
}

/* Most numbers of people's have a few decimals: m / 10^k with both exact in a double, so that the
 * division gives the double nearest to that decimal, and the least k has the fewest digits. 0: none. */
static size_t write_decimals(bool negative, double magnitude, char text[32]) {
  static const double power[] = {1, 10, 1e2, 1e3, 1e4, 1e5, 1e6};
  if (magnitude != 0 && (magnitude < 1e-4 || magnitude >= 1e15)) return 0;
  for (int k = 0; k < 7; k++) {
    double scaled = magnitude * power[k];
    if (scaled >= 0x1p50) return 0;
    uint64_t whole = (uint64_t)(scaled + 0.5);
    if ((double)whole / power[k] != magnitude) continue;
    char reversed[32];
    size_t size = 0, written = 0;
    if (k == 0) reversed[size++] = '0', reversed[size++] = '.';
    for (int i = 0; i < k; i++, whole /= 10) reversed[size++] = (char)('0' + whole % 10);
    if (k > 0) reversed[size++] = '.';
    do reversed[size++] = (char)('0' + whole % 10);
    while ((whole /= 10) > 0);
    if (negative) text[written++] = '-';
    while (size > 0) text[written++] = reversed[--size];
    return written;
  }
  return 0;
}

size_t sys_double_write(double value, char text[32]) {
  char digits[20];
  int exponent;
  bool negative = signbit(value) != 0;
  double magnitude = fabs(value);
  size_t short_size = write_decimals(negative, magnitude, text);
  if (short_size > 0) return short_size;
  /* Any decimal of 15 digits reads back the same, unless the double is subnormal. */
  for (int precision = magnitude < 2.2250738585072014e-308 ? 1 : 15;; precision++) {
    int count = digits_of(magnitude, precision, digits, &exponent);
    size_t size = layout(negative, digits, count, exponent, text);
    if (precision == 17 || sys_double_read(text, size) == value) return size;
    /* Above a power of two doubles lie twice as far apart as below it: there the
     * nearest 16 digits can miss while the next ones up read back. */
    if (precision == 16) {
      while (count < 16) digits[count++] = '0';
      if (!next_up(digits)) continue;
      while (digits[count - 1] == '0') count--;
      size = layout(negative, digits, count, exponent, text);
      if (sys_double_read(text, size) == value) return size;
    }
  }
}

static locale_t plain_locale;
static pthread_once_t plain_locale_once = PTHREAD_ONCE_INIT;
static void make_plain_locale(void) { plain_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0); }
__attribute__((destructor)) static void free_plain_locale(void) {
  if (plain_locale) freelocale(plain_locale);
}

int64_t sys_microseconds(double seconds, int64_t most) {
  double microseconds = seconds * 1e6;
  if (microseconds != microseconds) return 0;
  if (microseconds >= (double)most) return most;
  if (microseconds <= -(double)most) return -most;
  return (int64_t)(microseconds + (microseconds < 0 ? -0.5 : 0.5));
}

/* A number of at most 15 digits is one division of two that a double holds exactly (Clinger 1990),
 * which is rounded once. false: it is another. */
static bool read_decimals(const char *text, size_t size, double *number) {
  static const double power[] = {1,    1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,  1e8,  1e9,  1e10, 1e11,
                                 1e12, 1e13, 1e14, 1e15};
  uint64_t whole = 0;
  size_t digits = 0, behind = 0, i = size > 0 && text[0] == '-';
  bool point = false;
  for (; i < size; i++) {
    if (text[i] == '.' && !point) {
      point = true;
    } else if (text[i] >= '0' && text[i] <= '9') {
      whole = whole * 10 + (uint64_t)(text[i] - '0');
      behind += point;
      if (++digits > 15) return false;
    } else {
      return false;
    }
  }
  if (digits == 0) return false;
  *number = (double)whole / power[behind];
  if (text[0] == '-') *number = -*number;
  return true;
}

double sys_double_read(const char *text, size_t size) {
  double number;
  if (read_decimals(text, size, &number)) return number;
  char copy[400];
  if (size >= sizeof copy) return NAN;
  memcpy(copy, text, size);
  copy[size] = 0;
  pthread_once(&plain_locale_once, make_plain_locale);
  return plain_locale ? strtod_l(copy, NULL, plain_locale) : strtod(copy, NULL);
}
