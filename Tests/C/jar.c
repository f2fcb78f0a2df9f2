/* The jar: hostile arguments, limits and what goes first, partitions, files,
 * threads and fork. Tests/conformance has the rules of cookies. */
#include "hostile.h"

#include <pthread.h>
#include <sys/stat.h>
#include <sys/wait.h>

static int64_t present = 1700000000;
static int64_t told(void *context) {
  (void)context;
  return present * 1000000;
}

static tuile_jar *made(size_t per_site, size_t total) {
  tuile_jar_config config = TUILE_JAR_CONFIG_INIT;
  tuile_jar *jar = NULL;
  config.max_per_site = per_site, config.max_cookies = total, config.clock = told;
  CHECK(tuile_jar_new(&config, &jar, &error) == TUILE_OK);
  return jar;
}

static tuile_status receive(tuile_jar *jar, const char *url, const char *cookie) {
  tuile_jar_request request = TUILE_JAR_REQUEST_INIT;
  request.url = text(url);
  return tuile_jar_receive(jar, &request, text(cookie), &error);
}

static bool sends(tuile_jar *jar, const char *url, const char *expected) {
  tuile_jar_request request = TUILE_JAR_REQUEST_INIT;
  char out[4096];
  size_t size = 0;
  request.url = text(url);
  tuile_status status = tuile_jar_header(jar, &request, out, sizeof out, &size, &error);
  return *expected ? status == TUILE_OK && equals((tuile_bytes){out, size}, expected) : status == TUILE_ABSENT;
}

static size_t count(tuile_jar *jar) {
  size_t cookies;
  CHECK(tuile_jar_count(jar, &cookies) == TUILE_OK);
  return cookies;
}

static void hostile(const char *folder) {
  tuile_jar_config config = TUILE_JAR_CONFIG_INIT, other;
  tuile_jar_request request = TUILE_JAR_REQUEST_INIT, bad;
  tuile_jar *jar = NULL;
  size_t size = 77;
  CHECK(tuile_jar_config_init(NULL, 8) == TUILE_E_ARGUMENT);
  CHECK(tuile_jar_request_init(NULL, 8) == TUILE_E_ARGUMENT);
  CHECK(tuile_jar_config_init(&other, sizeof other) == TUILE_OK);
  CHECK(other.max_per_site == config.max_per_site);
  CHECK(other.max_cookies == config.max_cookies);
  CHECK(tuile_jar_request_init(&bad, sizeof bad) == TUILE_OK);
  CHECK(bad.size == request.size);
  CHECK(bad.context == TUILE_SITE_SAME);
  CHECK(tuile_jar_new(&config, NULL, &error) == TUILE_E_ARGUMENT);
  other = config, other.size = 3;
  CHECK(tuile_jar_new(&other, &jar, &error) == TUILE_E_ARGUMENT);
  CHECK(!jar);
  other = config, other.max_cookies = 0;
  CHECK(tuile_jar_new(&other, &jar, &error) == TUILE_E_ARGUMENT);
  CHECK(!jar);
  other = config, other.suffixes = (tuile_suffixes)9;
  CHECK(tuile_jar_new(&other, &jar, &error) == TUILE_E_ARGUMENT);
  CHECK(!jar);
  CHECK(tuile_jar_new(NULL, &jar, &error) == TUILE_OK);
  CHECK(jar);
  request.url = text("https://example.com/");
#define REFUSED(field, what, answer)                                                            \
  do {                                                                                          \
    bad = request;                                                                              \
    bad.field = what;                                                                           \
    CHECK(tuile_jar_receive(jar, &bad, text("a=b"), &error) == (answer));                       \
    CHECK(tuile_jar_header(jar, &bad, NULL, 0, &size, &error) == (answer));                     \
    CHECK(size == 77);                                                                          \
  } while (0)
  REFUSED(size, 5, TUILE_E_ARGUMENT);
  REFUSED(url, lie, TUILE_E_ARGUMENT);
  REFUSED(url, endless, TUILE_E_ARGUMENT);
  REFUSED(url, nothing, TUILE_E_SYNTAX);
  REFUSED(url, text("example.com"), TUILE_E_SYNTAX);
  REFUSED(url, text("ftp://example.com/"), TUILE_E_SYNTAX);
  REFUSED(url, text("https://"), TUILE_E_SYNTAX);
  REFUSED(url, text("https://exa mple.com"), TUILE_E_SYNTAX);
  REFUSED(url, text("https://example.com:x/"), TUILE_E_SYNTAX);
  REFUSED(url, text("https://[::1/"), TUILE_E_SYNTAX);
  REFUSED(url, text("https://m\xc3\xbcnchen.example/"), TUILE_E_SYNTAX);
  REFUSED(url, text("https://example.com/a b"), TUILE_E_SYNTAX);
  REFUSED(url, text("https://\\evil.example\\@example.com/"), TUILE_E_SYNTAX);
  REFUSED(top_level_site, text("example.com"), TUILE_E_SYNTAX);
  REFUSED(context, (tuile_site_context)7, TUILE_E_ARGUMENT);
  char host[400] = "https://";
  memset(host + 8, 'a', 300);
  REFUSED(url, text(host), TUILE_E_LIMIT);
  CHECK(tuile_jar_receive(NULL, &request, text("a=b"), &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_jar_receive(jar, NULL, text("a=b"), &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_jar_receive(jar, &request, lie, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_jar_receive(jar, &request, nothing, &error) == TUILE_E_SYNTAX);
  CHECK(tuile_jar_header(jar, &request, NULL, 0, &size, &error) == TUILE_ABSENT);
  CHECK(size == 77);
  CHECK(tuile_jar_receive(jar, &request, text("a=b"), &error) == TUILE_OK);
  char *exact = guarded(3);
  CHECK(tuile_jar_header(jar, &request, exact, 2, &size, &error) == TUILE_E_SPACE);
  CHECK(size == 3);
  CHECK(untouched(exact, 3));
  CHECK(tuile_jar_header(jar, &request, NULL, 3, &size, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_jar_header(jar, &request, exact, 3, NULL, NULL) == TUILE_OK);
  CHECK(memcmp(exact, "a=b", 3) == 0);
  CHECK(tuile_jar_count(NULL, &size) == TUILE_E_ARGUMENT);
  CHECK(tuile_jar_count(jar, NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_jar_end_session(NULL) == TUILE_E_ARGUMENT);
  tuile_bytes nul = {"a\0b", 3};
  CHECK(tuile_jar_load(NULL, text("x"), NULL, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_jar_save(NULL, text("x"), true, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_jar_load(jar, nul, NULL, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_jar_save(jar, nul, true, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_jar_load(jar, nothing, NULL, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_jar_save(jar, lie, true, &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_jar_load(jar, text("/proc/none/jar"), NULL, &error) == TUILE_ABSENT);
  CHECK(tuile_jar_load(jar, text(folder), NULL, &error) == TUILE_E_FILE);
  CHECK(strstr(error.message, "nvalid"));
  CHECK(tuile_jar_save(jar, text("/proc/none/jar"), true, &error) == TUILE_E_FILE);
  CHECK(strstr(error.message, "No such file"));
  CHECK(tuile_jar_save(jar, text(folder), true, &error) == TUILE_E_FILE);
  CHECK(count(jar) == 1);
  tuile_jar_free(jar);
  tuile_jar_free(NULL);
}

static void eviction(void) {
  char cookie[64], expected[256] = "";
  tuile_jar *jar = made(20, 30);
  for (int i = 0; i < 20; i++) {
    sprintf(cookie, "c%02d=%d", i, i);
    CHECK(receive(jar, i % 2 ? "https://a.example.com/" : "https://b.example.com/", cookie) == TUILE_OK);
  }
  CHECK(count(jar) == 20);
  /* Sending is using: the twenty-first puts out c01, used longest ago. */
  tuile_jar_request b = TUILE_JAR_REQUEST_INIT;
  size_t size;
  b.url = text("https://b.example.com/");
  CHECK(tuile_jar_header(jar, &b, NULL, 0, &size, NULL) == TUILE_E_SPACE);
  CHECK(receive(jar, "https://c.example.com/", "new=1; Secure") == TUILE_OK);
  CHECK(count(jar) == 20);
  for (int i = 3; i < 20; i += 2) sprintf(expected + strlen(expected), "%sc%02d=%d", i > 3 ? "; " : "", i, i);
  CHECK(sends(jar, "https://a.example.com/", expected));
  /* Another site has its own twenty, but there are thirty places. */
  for (int i = 0; i < 15; i++) {
    sprintf(cookie, "d%d=%d; Priority=%s", i, i, i ? "High" : "Low");
    CHECK(receive(jar, "https://other.test/", cookie) == TUILE_OK);
  }
  CHECK(count(jar) == 30);
  tuile_jar_free(jar);

  /* Of one site: what expired, then what is not Secure, then by Priority. */
  jar = made(3, SIZE_MAX);
  CHECK(receive(jar, "https://x.test/", "high=1; Priority=High") == TUILE_OK);
  CHECK(receive(jar, "https://x.test/", "secure=1; Secure; Priority=Low") == TUILE_OK);
  CHECK(receive(jar, "https://x.test/", "low=1; Priority=Low") == TUILE_OK);
  CHECK(receive(jar, "https://x.test/", "four=1; Secure") == TUILE_OK);
  CHECK(sends(jar, "https://x.test/", "high=1; secure=1; four=1"));
  CHECK(receive(jar, "https://x.test/", "five=1; Secure; Max-Age=10") == TUILE_OK);
  CHECK(sends(jar, "https://x.test/", "secure=1; four=1; five=1"));
  present += 11;
  CHECK(receive(jar, "https://x.test/", "six=1") == TUILE_OK);
  CHECK(sends(jar, "https://x.test/", "secure=1; four=1; six=1"));
  /* One that is replaced takes no place. */
  CHECK(receive(jar, "https://x.test/", "four=2; Secure") == TUILE_OK);
  CHECK(sends(jar, "https://x.test/", "secure=1; four=2; six=1"));
  CHECK(tuile_jar_end_session(jar) == TUILE_OK);
  CHECK(count(jar) == 0);
  tuile_jar_free(jar);
}

static void partitions(void) {
  tuile_jar *jar = made(180, 3000);
  tuile_jar_request in_a = TUILE_JAR_REQUEST_INIT, in_b = TUILE_JAR_REQUEST_INIT;
  char out[64];
  size_t size;
  in_a.url = in_b.url = text("https://widget.test/");
  in_a.context = in_b.context = TUILE_SITE_CROSS;
  in_a.top_level_site = text("https://www.a.example/"), in_b.top_level_site = text("https://b.example");
  CHECK(tuile_jar_receive(jar, &in_a, text("p=a; Secure; SameSite=None; Partitioned"), &error) == TUILE_OK);
  CHECK(tuile_jar_header(jar, &in_b, out, sizeof out, &size, &error) == TUILE_ABSENT);
  CHECK(tuile_jar_receive(jar, &in_b, text("p=b; Secure; SameSite=None; Partitioned"), &error) == TUILE_OK);
  CHECK(count(jar) == 2);
  in_a.top_level_site = text("http://A.example:8080/page");
  CHECK(tuile_jar_header(jar, &in_a, out, sizeof out, &size, &error) == TUILE_OK);
  CHECK(equals((tuile_bytes){out, size}, "p=a"));
  CHECK(sends(jar, "https://widget.test/", ""));
  CHECK(receive(jar, "https://widget.test/", "p=1; Partitioned") == TUILE_E_RULE);
  tuile_jar_free(jar);
}

static void files(const char *folder) {
  tuile_jar *jar = made(180, 3000), *again = made(180, 3000);
  char path[4000];
  snprintf(path, sizeof path, "%s/cookies.txt", folder);
  CHECK(receive(jar, "https://www.example.com/a/b", "plain=1") == TUILE_OK);
  CHECK(receive(jar, "https://www.example.com/", "all=x y=\"z\"; Domain=example.com; Path=/; Max-Age=1000; Secure; HttpOnly; SameSite=Strict; Priority=High") == TUILE_OK);
  CHECK(receive(jar, "https://www.example.com/", "older=1; Path=/; Max-Age=1000") == TUILE_OK);
  CHECK(receive(jar, "https://www.example.com/", "newer=1; Path=/; Max-Age=1000") == TUILE_OK);
  CHECK(receive(jar, "https://www.example.com/", "nameless") == TUILE_OK);
  CHECK(receive(jar, "https://www.example.com/", "tab=a\tb") == TUILE_OK);
  CHECK(receive(jar, "https://www.example.com/", "path=1; Path=/a\tb") == TUILE_OK);
  CHECK(receive(jar, "https://www.example.com/", "apart=1; Path=/; Secure; Partitioned; Max-Age=1000") == TUILE_OK);
  CHECK(tuile_jar_save(jar, text(path), true, &error) == TUILE_OK);
  struct stat about;
  CHECK(stat(path, &about) == 0);
  CHECK((about.st_mode & 0777) == 0600);
  CHECK(tuile_jar_load(again, text(path), NULL, &error) == TUILE_OK);
  CHECK(count(again) == 5);
  CHECK(sends(again, "https://www.example.com/", "all=x y=\"z\"; older=1; newer=1; apart=1"));
  CHECK(sends(again, "https://www.example.com/a/c", "plain=1; all=x y=\"z\"; older=1; newer=1; apart=1"));
  CHECK(sends(again, "http://example.com/", ""));
  tuile_jar_request cross = TUILE_JAR_REQUEST_INIT;
  cross.url = text("https://example.com/"), cross.context = TUILE_SITE_NAVIGATION;
  CHECK(tuile_jar_header(again, &cross, NULL, 0, NULL, NULL) == TUILE_ABSENT); /* Strict was kept */
  /* Without those that end with the session; an old file is replaced. */
  CHECK(tuile_jar_save(jar, text(path), false, &error) == TUILE_OK);
  tuile_jar_free(again);
  again = made(180, 3000);
  CHECK(tuile_jar_load(again, text(path), NULL, &error) == TUILE_OK);
  CHECK(count(again) == 4);
  present += 1000;
  CHECK(count(again) == 0);
  CHECK(tuile_jar_load(again, text(path), NULL, &error) == TUILE_OK);
  CHECK(count(again) == 0);
  tuile_jar_free(again);
  tuile_jar_free(jar);

  /* What no response could have set stays out; what other programs write comes in. */
  static const char lines[] =
      "# Netscape HTTP Cookie File\r\n"
      ".example.com\tTRUE\t/\tFALSE\t2000000000\tin\t1\r\n"
      "example.com\tFALSE\t/\tTRUE\t0\tsession\t\n"
      "#HttpOnly_example.com\tTRUE\t/\tFALSE\t1999999999\thidden\t1\n"
      ".com\tTRUE\t/\tFALSE\t2000000000\tsuper\t1\n"
      "example.com\tTRUE\t/\tFALSE\t1\texpired\t1\n"
      "example.com\tTRUE\t/\tFALSE\t2000000000\t__Host-a\t1\n"
      "example.com\tTRUE\tx\tFALSE\t2000000000\tpath\t1\n"
      "example.com\tTRUE\t/\tFALSE\t2000000000\ta;b\t1\n"
      "example.com\tTRUE\t/\tFALSE\tsoon\tdate\t1\n"
      "exa mple.com\tTRUE\t/\tFALSE\t2000000000\thost\t1\n"
      "example.com\tTRUE\t/\n\n\t\t\t\t\t\t\t\n"
      "#Partitioned_example.com\tFALSE\t/\tTRUE\t2000000000\tapart\t1\n"
      "example.com\tTRUE\t/\tFALSE\t2000000000\tlast\t1";
  FILE *file = fopen(path, "wb");
  CHECK(file);
  CHECK(fwrite(lines, 1, sizeof lines - 1, file) == sizeof lines - 1);
  CHECK(fclose(file) == 0);
  jar = made(180, 3000);
  size_t skipped;
  CHECK(tuile_jar_load(jar, text(path), &skipped, &error) == TUILE_OK);
  CHECK(sends(jar, "https://example.com/", "in=1; session=; hidden=1; last=1"));
  CHECK(count(jar) == 4);
  CHECK(skipped == 8); /* not the comment, nor what has expired */
  tuile_jar_free(jar);

  /* As curl reads them, and Python's MozillaCookieJar writes them. */
  static const char odd[] =
      "example.com\tTRUE\t/\tFALSE\t2000000000.75\tfraction\t1\n"
      "example.com\tTRUE\t\tFALSE\t2000000000\tempty\t1\n"
      "example.com\tTRUE\tFALSE\t2000000000\tnone\t1\n"
      " \texample.com\tTRUE\t/\tFALSE\t2000000000\tblank\t1\n"
      "example.com\tTRUE\t/\tFALSE\t\tpython\t1\n"
      "Set-Cookie: header=1; Domain=example.com; Max-Age=100\n"
      "set-cookie:\tother=1; path=/; domain=.example.com\r\n"
      "[0:0::1]\tFALSE\t/\tFALSE\t0\taddress\t1\n"
      "Set-Cookie: local=1; Domain=127.1\n"
      "Set-Cookie: nowhere=1\n"
      "Set-Cookie: a=1; Domain=com\n"
      "example.com\tTRUE\t/\tFALSE\t20.0.0\tdots\t1\n"
      "999.1\tFALSE\t/\tFALSE\t0\tnumber\t1\n";
  file = fopen(path, "wb");
  CHECK(file);
  CHECK(fwrite(odd, 1, sizeof odd - 1, file) == sizeof odd - 1);
  CHECK(fclose(file) == 0);
  jar = made(180, 3000);
  CHECK(tuile_jar_load(jar, text(path), &skipped, &error) == TUILE_OK);
  CHECK(sends(jar, "https://example.com/", "fraction=1; empty=1; none=1; blank=1; python=1; header=1; other=1"));
  CHECK(sends(jar, "http://[::1]/", "address=1"));
  CHECK(sends(jar, "http://127.0.0.1/", "local=1"));
  CHECK(skipped == 4);
  CHECK(count(jar) == 9);
  present += 200;
  CHECK(count(jar) == 8); /* the header's Max-Age */
  tuile_jar_free(jar);
}

static tuile_jar *shared;

static void *work(void *argument) {
  int self = *(int *)argument;
  char url[64], cookie[64], own[32], out[4096];
  sprintf(url, "https://host%d.example.com/", self);
  tuile_jar_request request = TUILE_JAR_REQUEST_INIT;
  request.url = text(url);
  for (int i = 0; i < 2000; i++) {
    size_t size = 0, cookies;
    sprintf(cookie, "own=%d; Path=/", i), sprintf(own, "own=%d", i);
    CHECK(tuile_jar_receive(shared, &request, text(cookie), NULL) == TUILE_OK);
    sprintf(cookie, "all%d=%d; Domain=example.com; Path=/", self, i);
    CHECK(tuile_jar_receive(shared, &request, text(cookie), NULL) == TUILE_OK);
    CHECK(tuile_jar_header(shared, &request, out, sizeof out - 1, &size, NULL) == TUILE_OK);
    out[size] = 0;
    CHECK(strstr(out, own));
    CHECK(tuile_jar_count(shared, &cookies) == TUILE_OK);
    CHECK(cookies <= 16);
  }
  return NULL;
}

static void threads(void) {
  pthread_t thread[8];
  int number[8];
  shared = made(180, 3000);
  for (int i = 0; i < 8; i++) {
    number[i] = i;
    CHECK(pthread_create(&thread[i], NULL, work, &number[i]) == 0);
  }
  /* Children that use their copy while the threads go on. */
  for (int i = 0; i < 10; i++) {
    pid_t child = fork();
    if (child == 0) _exit(receive(shared, "https://child.example.com/", "c=1") == TUILE_OK ? 0 : 1);
    int status;
    CHECK(child > 0);
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(status == 0);
  }
  for (int i = 0; i < 8; i++) CHECK(pthread_join(thread[i], NULL) == 0);
  CHECK(count(shared) == 16);
  tuile_jar_free(shared);
}

static bool only_test(void *context, tuile_bytes domain) {
  ++*(int *)context;
  return equals(domain, "test") || equals(domain, "pub.test");
}

static void suffixes(void) {
  tuile_jar_config config = TUILE_JAR_CONFIG_INIT;
  int asked = 0;
  tuile_jar *jar;
  config.public_suffix = only_test, config.public_suffix_context = &asked;
  CHECK(tuile_jar_new(&config, &jar, &error) == TUILE_OK);
  CHECK(receive(jar, "https://a.PUB.test/", "a=1; Domain=Pub.Test") == TUILE_E_RULE);
  CHECK(asked > 0);
  CHECK(receive(jar, "https://pub.test/", "a=1; Domain=pub.test") == TUILE_OK);
  CHECK(sends(jar, "https://a.pub.test/", ""));
  CHECK(receive(jar, "https://a.b.pub.test/", "b=1; Domain=b.pub.test") == TUILE_OK);
  CHECK(sends(jar, "https://c.b.pub.test/", "b=1"));
  tuile_jar_free(jar);
  config = (tuile_jar_config)TUILE_JAR_CONFIG_INIT;
  config.suffixes = TUILE_SUFFIXES_LABEL;
  CHECK(tuile_jar_new(&config, &jar, &error) == TUILE_OK);
  CHECK(receive(jar, "https://a.co.uk/", "a=1; Domain=co.uk") == TUILE_OK);
  CHECK(receive(jar, "https://a.uk/", "a=1; Domain=uk") == TUILE_E_RULE);
  tuile_jar_free(jar);
  jar = made(180, 3000);
  CHECK(receive(jar, "https://a.co.uk/", "a=1; Domain=co.uk") == TUILE_E_RULE);
  CHECK(receive(jar, "https://a.co.uk/", "a=1; Domain=a.co.uk") == TUILE_OK);
  tuile_jar_free(jar);
}

int main(int argc, char **argv) {
  CHECK(argc > 1);
  hostile(argv[1]);
  eviction();
  partitions();
  files(argv[1]);
  suffixes();
  threads();
  return 0;
}
