/* A jar under a sequence of operations, one a line of the input: R receives, H
 * asks for a header, A moves the clock, E ends the session, S saves and loads,
 * U sets the URL that '9' stands for. No cookie is sent that was not received, a
 * Secure one goes to no insecure host, limits hold, and a file keeps the jar. */
#include "jar.h"

static const char *const urls[9] = {
    "https://example.com/",   "http://example.com/a/b", "https://sub.example.com/a",
    "http://localhost/",      "http://127.0.0.1/x",     "https://p.example.org/",
    "https://shop.a.co.uk/a", "ws://sub.example.com",   "https://[::1]/"};

/* What was received: the cookie as a header has it. */
static struct { tuile_bytes text; bool secure; } known[1024];
static size_t known_count;
static bool unclear; /* a cookie of the file format and one that it can't hold look the same */
static tuile_bytes own_url;

static tuile_jar_request request_for(uint8_t where, uint8_t how) {
  static const char *const tops[4] = {"", "https://top.example.com", "http://other.org/x", "https://sub.example.com"};
  tuile_jar_request request = TUILE_JAR_REQUEST_INIT;
  unsigned index = where % 10;
  request.url = index < 9 ? (tuile_bytes){urls[index], strlen(urls[index])} : own_url;
  request.context = (tuile_site_context)((how & 3) % 3);
  request.script = how >> 2 & 1;
  request.top_level_site = (tuile_bytes){tops[how >> 3 & 3], strlen(tops[how >> 3 & 3])};
  return request;
}

static void receive(tuile_jar *jar, const tuile_jar_request *request, tuile_bytes text) {
  tuile_set_cookie cookie = TUILE_SET_COOKIE_INIT;
  tuile_error error;
  tuile_status status = tuile_jar_receive(jar, request, text, &error);
  if (status != TUILE_OK) {
    REQUIRE(status == TUILE_E_SYNTAX || status == TUILE_E_LIMIT || status == TUILE_E_RULE);
    return;
  }
  REQUIRE(tuile_set_cookie_read(text, &cookie, NULL) == TUILE_OK);
  char *piece = malloc(cookie.name.size + cookie.value.size + 1);
  size_t size = cookie.name.size;
  if (size) memcpy(piece, cookie.name.data, size), piece[size++] = '=';
  if (cookie.value.size) memcpy(piece + size, cookie.value.data, cookie.value.size);
  size += cookie.value.size;
  known[known_count].secure = cookie.secure;
  known[known_count++].text = (tuile_bytes){piece, size};
  unclear |= !cookie.name.size && memchr(piece, '=', size);
  /* Nor can the format hold a path with a tab. */
  unclear |= cookie.path.size && memchr(cookie.path.data, '\t', cookie.path.size);
}

static void send_header(tuile_jar *jar, const tuile_jar_request *request, size_t per_site) {
  size_t size = 0, position = 0, count = 0;
  tuile_bytes piece;
  const char *text = header(jar, request, &size);
  /* The table's URLs only: what a URL's host is, is not this test's to say. */
  bool insecure = request->url.data == urls[1] || request->url.data == urls[7];
  while (text && next_piece((tuile_bytes){text, size}, &position, &piece)) {
    bool found = false;
    for (size_t i = 0; i < known_count && !found; i++)
      found = known[i].text.size == piece.size && !memcmp(known[i].text.data, piece.data, piece.size) &&
              !(insecure && known[i].secure);
    REQUIRE(found);
    count++;
  }
  REQUIRE(count <= per_site);
}

static void save_and_load(tuile_jar *jar, uint8_t how) {
  tuile_jar *copy = through_file(jar, how, true);
  size_t many = 0, fewer = 0;
  REQUIRE(tuile_jar_count(jar, &many) == TUILE_OK);
  REQUIRE(tuile_jar_count(copy, &fewer) == TUILE_OK);
  REQUIRE(fewer <= many);
  for (uint8_t i = 0; i < 36; i++) {
    tuile_jar_request request = request_for(i % 9, (uint8_t)(i / 9 << 3));
    send_header(copy, &request, SIZE_MAX);
    if (!unclear) check_copy(jar, copy, &request);
  }
  tuile_jar_free(copy);
  copy = through_file(jar, how, false);
  REQUIRE(tuile_jar_end_session(copy) == TUILE_OK);
  REQUIRE(tuile_jar_count(copy, &many) == TUILE_OK);
  REQUIRE(tuile_jar_end_session(jar) == TUILE_OK);
  REQUIRE(tuile_jar_count(jar, &fewer) == TUILE_OK);
  REQUIRE(many <= fewer);
  tuile_jar_free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 1 || size > 4096) return 0;
  seconds = 1700000000;
  own_url = TUILE_STR("https://user@EXAMPLE.com:443/a/b/c?d");
  unclear = false;
  size_t per_site = 1 + (data[0] >> 1 & 7), total = 1 + (data[0] >> 4), count = 0;
  tuile_jar *jar = new_jar(data[0]);
  for (size_t i = 1, end; i < size && known_count < 1000; i = end + 1) {
    for (end = i; end < size && data[end] != '\n';) end++;
    if (end - i < 3) continue;
    tuile_jar_request request = request_for(data[i + 1], data[i + 2]);
    tuile_bytes rest = {data + i + 3, end - i - 3};
    switch (data[i]) {
    case 'R': receive(jar, &request, rest); break;
    case 'H': send_header(jar, &request, per_site); break;
    case 'A': seconds += data[i + 1] % 10 * 40 * 86400 + data[i + 2]; break;
    case 'E': REQUIRE(tuile_jar_end_session(jar) == TUILE_OK); break;
    case 'S': save_and_load(jar, data[0]); break;
    case 'U': own_url = rest; break;
    }
    REQUIRE(tuile_jar_count(jar, &count) == TUILE_OK);
    REQUIRE(count <= total);
  }
  for (uint8_t i = 0; i < 10; i++) {
    tuile_jar_request request = request_for(i, data[0] & 8);
    send_header(jar, &request, per_site);
  }
  /* No cookie outlives the session by more than 400 days. */
  REQUIRE(tuile_jar_end_session(jar) == TUILE_OK);
  seconds += 400 * 86400;
  REQUIRE(tuile_jar_count(jar, &count) == TUILE_OK);
  REQUIRE(count == 0);
  tuile_jar_free(jar);
  while (known_count) free((void *)known[--known_count].text.data);
  return 0;
}
