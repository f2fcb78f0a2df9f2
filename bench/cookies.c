/* Tuile's cookies, the same work as the programs in peers/ do, with malloc
 * counted, beside memchr over the same headers and memcpy of the same text. */
#define _GNU_SOURCE
#define PEER "tuile"
#include "peers/peer.h"
#include <dlfcn.h>
#include <tuile.h>

static unsigned long allocations;
static void *(*real_malloc)(size_t);

void *malloc(size_t size) {
  if (!real_malloc) *(void **)&real_malloc = dlsym(RTLD_NEXT, "malloc");
  allocations++;
  return real_malloc(size);
}

static char header[8192];
static tuile_bytes view;
static tuile_cookies request = TUILE_COOKIES_INIT;
static tuile_cookie found[64];

static void set_header(int count) {
  size_t size = 0;
  for (int i = 0; i < count; i++) size += (size_t)sprintf(header + size, "%scookie_%02d=%.73s", i ? "; " : "", i, VALUE);
  view = (tuile_bytes){header, size};
  request.headers = &view;
  request.header_count = 1;
}

static void walk(void) {
  tuile_cookie cookie;
  size_t position = 0;
  while (tuile_cookie_next(view, &position, &cookie) == TUILE_OK) sink += cookie.name.size + cookie.value.size;
}

static void all(void) {
  size_t count;
  MUST(tuile_cookies_all(&request, found, 64, &count, NULL) == TUILE_OK);
  for (size_t i = 0; i < count; i++) sink += found[i].name.size + found[i].value.size;
}

static void find_ends(void) {
  const char *p = header, *end = header + view.size;
  while (p < end) {
    const char *next = memchr(p, ';', (size_t)(end - p));
    if (!next) break;
    sink += (size_t)(next - p);
    p = next + 1;
  }
}

/* Headers of 12 cookies of uneven lengths, others in each run: what a processor has learned of one helps with none. */
enum { OTHERS = 1024 };
static char others[OTHERS][4096];
static size_t sizes[OTHERS];
static unsigned turn;
static char flat[8192];

static void make_others(void) {
  unsigned seed = (unsigned)time(NULL) ^ (unsigned)clock();
  srandom(seed);
  printf("# random headers of seed %u\n", seed);
  for (int i = 0; i < OTHERS; i++)
    for (int k = 0; k < 12; k++) {
      char *at = others[i] + sizes[i];
      int name = 3 + (int)(random() % 14), value = (int)(random() % 137);
      sizes[i] += (size_t)sprintf(at, "%s%.*s=%.*s%.*s", k ? "; " : "", name, VALUE + random() % 26, value > 70 ? 70 : value,
                                  VALUE, value > 70 ? value - 70 : 0, VALUE);
    }
}

static void all_others_flat(void) {
  unsigned i = turn++ % OTHERS;
  int64_t size = tuile_flat_cookies(others[i], sizes[i], TUILE_COOKIE_MODE_BROWSER, flat, sizeof flat);
  MUST(size > 0);
  sink += (size_t)size;
}

static void all_others(void) {
  unsigned i = turn++ % OTHERS;
  tuile_bytes one = {others[i], sizes[i]};
  size_t count;
  request.headers = &one;
  MUST(tuile_cookies_all(&request, found, 64, &count, NULL) == TUILE_OK && count == 12);
  request.headers = &view;
  sink += found[11].value.size;
}

static void find_other_ends(void) {
  unsigned i = turn++ % OTHERS;
  const char *p = others[i], *end = p + sizes[i];
  while (p < end) {
    const char *next = memchr(p, ';', (size_t)(end - p));
    if (!next) break;
    sink += (size_t)(next - p);
    p = next + 1;
  }
}

static void get_one(void) {
  tuile_bytes value;
  MUST(tuile_cookie_get(view, TUILE_STR("cookie_07"), TUILE_MATCH_FIRST, &value) == TUILE_OK);
  sink += value.size;
}

static char text[512];

static void write_full(void) {
  tuile_set_cookie cookie = TUILE_SET_COOKIE_INIT;
  size_t size;
  cookie.name = TUILE_STR("sessionid"), cookie.value = TUILE_STR("h0tG4VuXIPKJsHAI8079HAMOLtCtiGCL");
  cookie.domain = TUILE_STR("example.com"), cookie.max_age = 1209600, cookie.expires = 1750938510;
  cookie.same_site = TUILE_SAME_SITE_NONE, cookie.secure = cookie.http_only = cookie.partitioned = true;
  MUST(tuile_set_cookie_write(&cookie, text, sizeof text, &size, NULL) == TUILE_OK);
  sink += size;
}

static void copy_full(void) {
  memcpy(text, SET_COOKIE, sizeof SET_COOKIE);
  __asm__ volatile("" : : "r"(text) : "memory");
}

static void parse_set_cookie(void) {
  tuile_set_cookie cookie = TUILE_SET_COOKIE_INIT;
  MUST(tuile_set_cookie_read(TUILE_STR(SET_COOKIE), &cookie, NULL) == TUILE_OK);
  sink += cookie.value.size + (size_t)cookie.expires;
}

static tuile_jar *jar;

static void fill_jar(void) {
  tuile_jar_request from = TUILE_JAR_REQUEST_INIT;
  MUST(tuile_jar_new(NULL, &jar, NULL) == TUILE_OK);
  for (int h = 0; h < 300; h++)
    for (int i = 0; i < 10; i++) {
      char url[64], cookie[128];
      from.url = (tuile_bytes){url, (size_t)sprintf(url, "https://host%03d.example%02d.com/", h, h / 10)};
      tuile_bytes set = {cookie, (size_t)sprintf(cookie, "c%d=%.32s; Path=/; Max-Age=25920000", i, VALUE)};
      MUST(tuile_jar_receive(jar, &from, set, NULL) == TUILE_OK);
    }
}

static void jar_header(void) {
  tuile_jar_request to = TUILE_JAR_REQUEST_INIT;
  char out[1024];
  size_t size;
  to.url = TUILE_STR("https://host150.example15.com/some/path");
  MUST(tuile_jar_header(jar, &to, out, sizeof out, &size, NULL) == TUILE_OK && size == 10 * 35 + 9 * 2);
  sink += size;
}

static void counted(const char *op, void (*call)(void)) {
  unsigned long before = allocations;
  for (int i = 0; i < 1000; i++) call();
  if (allocations != before) printf("# %s allocates %.3f times a call\n", op, (double)(allocations - before) / 1000);
  measure(op, call);
}

int main(void) {
  printf("# tuile %s\n", tuile_version_string());
  int counts[] = {3, 12, 50};
  for (int i = 0; i < 3; i++) {
    char op[32];
    set_header(counts[i]);
    sprintf(op, "parse_%d", counts[i]);
    counted(op, walk);
    sprintf(op, "parse_%d_all", counts[i]);
    counted(op, all);
    sprintf(op, "limit_parse_%d", counts[i]);
    measure(op, find_ends);
  }
  make_others();
  counted("parse_12_random_all", all_others);
  counted("parse_12_random_flat", all_others_flat);
  measure("limit_parse_12_random", find_other_ends);
  set_header(12);
  counted("get_one", get_one);
  counted("write_full", write_full);
  measure("limit_write_full", copy_full);
  MUST(strlen(SET_COOKIE) > 0 && strncmp(text, SET_COOKIE, strlen(SET_COOKIE)) == 0);
  counted("parse_set_cookie", parse_set_cookie);
  fill_jar();
  counted("jar_header_3000", jar_header);
  tuile_jar_free(jar);
  return 0;
}
