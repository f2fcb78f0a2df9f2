/* Runs one parser once over hostile input of a size: its instructions are counted. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tuile.h>

static char *text, *out;
static size_t size;

/* `unit`, repeated to the size. */
static tuile_bytes repeat(const char *unit) {
  size_t length = strlen(unit);
  for (size_t i = 0; i < size; i++) text[i] = unit[i % length];
  return (tuile_bytes){text, size};
}

static void cookie_header(const char *unit, tuile_cookie_mode mode) {
  tuile_bytes header = repeat(unit), value;
  tuile_cookies request = TUILE_COOKIES_INIT;
  tuile_cookie pair;
  size_t position = 0, count;
  request.headers = &header, request.header_count = 1, request.mode = mode;
  request.max_header = request.max_cookies = request.max_name = request.max_value = SIZE_MAX;
  while (tuile_cookie_next(header, &position, &pair) == TUILE_OK) {
  }
  tuile_cookies_count(&request, &count, NULL);
  tuile_cookies_read(&request, TUILE_STR("a"), out, 4 * size, &count, NULL);
  tuile_cookies_get(&request, TUILE_STR("none"), TUILE_MATCH_LAST, &value, NULL);
}

/* Cookies in the first half, space in the second. */
static void half_space(void) {
  tuile_bytes header = repeat("a=b; ");
  tuile_cookies request = TUILE_COOKIES_INIT;
  size_t count;
  memset(text + size / 2 / 5 * 5 - 2, ' ', size - size / 2 / 5 * 5 + 2);
  request.headers = &header, request.header_count = 1, request.mode = TUILE_COOKIE_MODE_STRICT;
  request.max_header = request.max_cookies = SIZE_MAX;
  tuile_cookies_count(&request, &count, NULL);
}

static void decode(const char *unit, tuile_encoding encoding) {
  tuile_bytes value = repeat(unit);
  size_t needed;
  if (encoding == TUILE_ENCODING_QUOTED) text[0] = text[size - 1] = '"';
  tuile_cookie_decode(value, encoding, out, 4 * size, &needed, NULL);
  tuile_cookie_encode(value, encoding, out, 4 * size, &needed, NULL);
}

static void set_cookie(const char *unit) {
  tuile_set_cookie cookie = TUILE_SET_COOKIE_INIT;
  tuile_bytes value = repeat(unit);
  memcpy(text, "a=b;", 4);
  tuile_set_cookie_read(value, &cookie, NULL);
}

static void date(const char *unit) {
  int64_t seconds;
  tuile_date_read(repeat(unit), &seconds);
}

/* Names that met in the hash that these tables once had: FNV-1a from its usual start,
 * folded. Looking for them takes longer than using them: case 18 writes what 17 reads. */
static void write_colliding_names(void) {
  size_t have = 0;
  putchar('{');
  for (unsigned long i = 0; have < size / 16; i++) {
    char name[20];
    snprintf(name, sizeof name, "%lx", i);
    unsigned hash = 2166136261u;
    for (char *c = name; *c; c++) hash = (hash ^ (unsigned char)*c) * 16777619u;
    if (((hash ^ hash >> 15) & 0xfff) == 0) printf("%s\"%s\":0", have++ ? "," : "", name);
  }
  putchar('}');
}

static void colliding_names(void) {
  tuile_config config = TUILE_CONFIG_INIT;
  tuile_manager *manager;
  tuile_error error;
  size_t used = fread(out, 1, 4 * size, stdin);
  config.store = TUILE_STR("memory:");
  if (tuile_manager_open(&config, &manager, &error) != TUILE_OK) exit(4);
  tuile_session *session = NULL;
  if (tuile_session_start(manager, TUILE_STR(""), (tuile_bytes){NULL, 0}, &session, NULL) != TUILE_OK) abort();
  if (tuile_session_update(session, (tuile_bytes){out, used}, &error) != TUILE_OK) exit(5);
  tuile_session_end(session);
  tuile_manager_close(manager);
}

int main(int argc, char **argv) {
  if (argc != 3) return fputs("usage: linear CASE SIZE\n", stderr), 2;
  size = strtoul(argv[2], NULL, 10);
  text = malloc(size), out = malloc(4 * size);
  if (!text || !out) return 1;
  switch (atoi(argv[1])) {
    case 0: cookie_header("a;", TUILE_COOKIE_MODE_BROWSER); break;
    case 1: cookie_header("a=b; ", TUILE_COOKIE_MODE_STRICT); break;
    case 2: cookie_header(" ", TUILE_COOKIE_MODE_DJANGO); break;
    case 3: cookie_header("=", TUILE_COOKIE_MODE_BROWSER); break;
    case 4: cookie_header(" ;=;\t", TUILE_COOKIE_MODE_DJANGO); break;
    case 5: decode("\\", TUILE_ENCODING_QUOTED); break;
    case 6: decode("\\07", TUILE_ENCODING_QUOTED); break;
    case 7: decode("%41", TUILE_ENCODING_PERCENT); break;
    case 8: decode("QUFB", TUILE_ENCODING_BASE64URL); break;
    case 9: set_cookie(";"); break;
    case 10: set_cookie("; Path=/"); break;
    case 11: set_cookie("; Expires=1 1 1 1"); break;
    case 12: set_cookie(" "); break;
    case 13: date("1 "); break;
    case 14: date("1:"); break;
    case 16: half_space(); break;
    case 15: date("a"); break;
    case 17: colliding_names(); break;
    case 18: write_colliding_names(); break;
    default: return 3;
  }
  return 0;
}
