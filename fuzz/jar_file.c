/* Any bytes as a file of cookies, the first octet being the jar's limits: what
 * it loads stands in the file, and is the same after it was saved and loaded. */
#include "jar.h"

static void check(tuile_jar *jar, tuile_jar *copy, tuile_bytes url, tuile_bytes file) {
  tuile_jar_request request = TUILE_JAR_REQUEST_INIT;
  size_t size = 0, position = 0;
  tuile_bytes piece;
  request.url = url;
  char *text = header(jar, &request, &size);
  while (text && next_piece((tuile_bytes){text, size}, &position, &piece)) {
    /* The name has an '=' in no cookie: the first one ends it. */
    const char *equals = memchr(piece.data, '=', piece.size);
    REQUIRE(equals);
    REQUIRE(equals > (const char *)piece.data);
    size_t name = (size_t)(equals - (const char *)piece.data);
    char *line = malloc(piece.size + 1);
    memcpy(line, piece.data, piece.size);
    line[name] = '\t';
    /* Without a value the last tab may be missing. */
    REQUIRE(memmem(file.data, file.size, line, name + 1 < piece.size ? piece.size : name));
    free(line);
  }
  check_copy(jar, copy, &request);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static int memory = -1;
  static char path[32], url[2 * 4096];
  if (size < 1 || size > 4096) return 0;
  if (memory < 0) {
    memory = memfd_create("cookies", MFD_CLOEXEC);
    snprintf(path, sizeof path, "/proc/self/fd/%d", memory);
  }
  REQUIRE(memory >= 0);
  REQUIRE(ftruncate(memory, 0) == 0);
  REQUIRE(pwrite(memory, data + 1, size - 1, 0) == (ssize_t)(size - 1));
  seconds = 1700000000;
  tuile_jar *jar = new_jar(data[0]);
  size_t count = 0, fewer = 0;
  REQUIRE(tuile_jar_load(jar, (tuile_bytes){path, strlen(path)}, NULL, NULL) == TUILE_OK);
  REQUIRE(tuile_jar_count(jar, &count) == TUILE_OK);
  REQUIRE(count <= 1u + (data[0] >> 4));
  if (count) {
    tuile_jar *copy = through_file(jar, data[0], true);
    REQUIRE(tuile_jar_count(copy, &fewer) == TUILE_OK);
    REQUIRE(fewer <= count);
    tuile_bytes file = {data + 1, size - 1};
    check(jar, copy, TUILE_STR("https://www.example.com/a/b"), file);
    check(jar, copy, TUILE_STR("http://127.0.0.1/"), file);
    /* Also each line's own domain and path. */
    for (size_t i = 1, lines = 0, end; i < size && lines < 16; i = end + 1, lines++) {
      for (end = i; end < size && data[end] != '\n';) end++;
      const char *line = (const char *)data + i, *stop = (const char *)data + end;
      if (stop - line > 10 && !memcmp(line, "#HttpOnly_", 10)) line += 10;
      if (line < stop && *line == '.') line++;
      const char *first = memchr(line, '\t', (size_t)(stop - line));
      const char *second = first ? memchr(first + 1, '\t', (size_t)(stop - first - 1)) : NULL;
      const char *third = second ? memchr(second + 1, '\t', (size_t)(stop - second - 1)) : NULL;
      if (!third) continue;
      int domain = (int)(first - line), folder = (int)(third - second - 1);
      int length = snprintf(url, sizeof url, "https://%.*s%.*s", domain, line, folder, second + 1);
      check(jar, copy, (tuile_bytes){url, (size_t)length}, file);
    }
    tuile_jar_free(copy);
  }
  tuile_jar_free(jar);
  return 0;
}
