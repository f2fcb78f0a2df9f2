/* What the library's main calls cost, each beside its limit in the same run: the
 * machine's own work for the same bytes. Prints a table; asserts nothing. */
#define _GNU_SOURCE
#define OPENSSL_SUPPRESS_DEPRECATED
#include <dlfcn.h>
#include <openssl/sha.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <tuile.h>
#include <unistd.h>

/* ---- allocations, counted by standing in front of libc's ---- */

static unsigned long allocations;
static void *(*real_malloc)(size_t);
static int (*real_memalign)(void **, size_t, size_t);

void *malloc(size_t size) {
  if (!real_malloc) *(void **)&real_malloc = dlsym(RTLD_NEXT, "malloc");
  allocations++;
  return real_malloc(size);
}
int posix_memalign(void **out, size_t alignment, size_t size) {
  if (!real_memalign) *(void **)&real_memalign = dlsym(RTLD_NEXT, "posix_memalign");
  allocations++;
  return real_memalign(out, alignment, size);
}

/* ---- measuring ---- */

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

struct result {
  double nanoseconds;
  double allocations;
};

/* The best of five runs of a fifth of a second each. */
static struct result measure(void (*call)(void)) {
  struct result best = {1e18, 0};
  for (int run = 0; run < 5; run++) {
    unsigned long times = 0, before = allocations;
    double start = now(), end;
    do {
      for (int i = 0; i < 64; i++) call();
      times += 64;
      end = now();
    } while (end - start < 2e8);
    if ((end - start) / (double)times < best.nanoseconds) {
      best.nanoseconds = (end - start) / (double)times;
      best.allocations = (double)(allocations - before) / (double)times;
    }
  }
  return best;
}

static void row(const char *what, void (*call)(void), const char *limit, void (*limit_call)(void), const char *budget) {
  struct result ours = measure(call), theirs = limit_call ? measure(limit_call) : (struct result){0, 0};
  printf("| %-34s | %9.0f | %5.1f |", what, ours.nanoseconds, ours.allocations);
  if (limit_call) printf(" %-34s | %9.0f | %5.2f | %s |\n", limit, theirs.nanoseconds, ours.nanoseconds / theirs.nanoseconds, budget);
  else printf(" %-34s | %9s | %5s | %s |\n", "", "", "", budget);
}

#define MUST(call)                                             \
  do {                                                         \
    int status_ = (int)(call);                                 \
    if (status_ != 0) {                                        \
      fprintf(stderr, "bench: %s: %d\n", #call, status_);      \
      exit(1);                                                 \
    }                                                          \
  } while (0)

static volatile size_t sink;

/* ---- cookies ---- */

static char header[1100];
static size_t header_size;

static void make_header(void) {
  for (int i = 0; i < 12; i++)
    header_size += (size_t)sprintf(header + header_size, "%scookie_%02d=%.*s", i ? "; " : "", i, 73,
                                   "0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789abcdef");
}

static void parse(void) {
  tuile_cookie cookie;
  size_t position = 0;
  while (tuile_cookie_next((tuile_bytes){header, header_size}, &position, &cookie) == TUILE_OK) sink += cookie.value.size;
}

static void find_ends(void) {
  const char *p = header, *end = header + header_size;
  while (p < end) {
    const char *next = memchr(p, ';', (size_t)(end - p));
    if (!next) break;
    sink += (size_t)(next - p);
    p = next + 1;
  }
}

static void write_cookie(void) {
  tuile_set_cookie cookie = TUILE_SET_COOKIE_INIT;
  char out[512];
  size_t size;
  cookie.name = TUILE_STR("sessionid"), cookie.value = TUILE_STR("h0tG4VuXIPKJsHAI8079HAMOLtCtiGCL");
  cookie.domain = TUILE_STR("example.com"), cookie.max_age = 1209600, cookie.expires = 1750938510;
  cookie.same_site = TUILE_SAME_SITE_NONE, cookie.secure = cookie.http_only = cookie.partitioned = true;
  MUST(tuile_set_cookie_write(&cookie, out, sizeof out, &size, NULL));
  sink += size;
}

/* ---- signing ---- */

static tuile_signer *signer;
static SHA256_CTX inner, outer;
static char hundred[101], token[400];
static size_t token_size;

static void sign(void) { MUST(tuile_token_sign(signer, &(tuile_signing){sizeof(tuile_signing), (tuile_bytes){hundred, 100}, 1700000000, false}, token, sizeof token, &token_size, NULL)); }

static void verify(void) {
  tuile_bytes value;
  MUST(tuile_token_verify(signer, &(tuile_verification){sizeof(tuile_verification), (tuile_bytes){token, token_size}, 60, 1700000000, 0, 0}, &value, NULL));
}

/* The same 107 bytes through HMAC with both pads hashed beforehand. */
static void two_hashes(void) {
  unsigned char digest[32];
  SHA256_CTX context = inner;
  SHA256_Update(&context, token, 107);
  SHA256_Final(digest, &context);
  context = outer;
  SHA256_Update(&context, digest, 32);
  SHA256_Final(digest, &context);
  sink += digest[0];
}

static char payload[400], dumped[800];
static size_t payload_size, dumped_size;

static void dumps(void) {
  MUST(tuile_token_dumps(signer, &(tuile_signing){sizeof(tuile_signing), (tuile_bytes){payload, payload_size}, 1700000000, true}, dumped, sizeof dumped, &dumped_size, NULL));
}
static void loads(void) {
  char out[800];
  size_t size;
  MUST(tuile_token_loads(signer, &(tuile_verification){sizeof(tuile_verification), (tuile_bytes){dumped, dumped_size}, TUILE_UNSET, 1700000000, 0, 0}, out, sizeof out, &size, NULL));
}

static void prepare_signing(void) {
  unsigned char block[64] = {0};
  tuile_signer_config config = TUILE_SIGNER_CONFIG_INIT;
  config.secret = TUILE_STR("a secret that has its thirty-two bytes and more"), config.salt = TUILE_STR("salt");
  MUST(tuile_signer_new(&config, &signer, NULL));
  SHA256_Init(&inner), SHA256_Update(&inner, block, 64);
  SHA256_Init(&outer), SHA256_Update(&outer, block, 64);
  memset(hundred, 'v', 100);
  payload_size = (size_t)sprintf(payload, "{\"_auth_user_id\":\"42\",\"_auth_user_backend\":\"django.contrib.auth.backends.ModelBackend\","
                                          "\"_auth_user_hash\":\"%064d\",\"cart\":[1,2,3,4,5,6,7,8,9],\"language\":\"de\",\"messages\":\"%060d\"}", 7, 8);
}

/* ---- the request cycle ---- */

static tuile_manager *manager;
static char cookie[64];

static tuile_status take(void *context, tuile_bytes name, tuile_bytes value) {
  (void)context, (void)name;
  sink += value.size;
  return TUILE_OK;
}

static void request(void) {
  tuile_session *session = NULL;
  if (tuile_session_start(manager, (tuile_bytes){cookie, strlen(cookie)}, (tuile_bytes){NULL, 0}, &session, NULL) != TUILE_OK) abort();
  MUST(tuile_session_add_int(session, TUILE_STR("count"), 1, NULL, NULL));
  MUST(tuile_session_commit(session, 200, take, NULL, NULL));
  tuile_session_end(session);
}

static void open_manager(const char *url) {
  tuile_config config = TUILE_CONFIG_INIT;
  tuile_error error;
  tuile_bytes key;
  config.secret = TUILE_STR("a secret that has its thirty-two bytes and more"), config.store = (tuile_bytes){url, strlen(url)};
  MUST(tuile_manager_open(&config, &manager, &error));
  cookie[0] = 0;
  tuile_session *session = NULL;
  if (tuile_session_start(manager, TUILE_STR(""), (tuile_bytes){NULL, 0}, &session, NULL) != TUILE_OK) abort();
  MUST(tuile_session_set_int(session, TUILE_STR("count"), 0, NULL));
  MUST(tuile_session_commit(session, 200, take, NULL, NULL));
  MUST(tuile_session_id(session, &key));
  sprintf(cookie, "sessionid=%.*s", (int)key.size, (const char *)key.data);
  tuile_session_end(session);
}

static sqlite3 *database;
static sqlite3_stmt *select_row, *upsert_row;

static void select_and_upsert(void) {
  static unsigned int turn;
  char data[80];
  int size = sprintf(data, "eyJjb3VudCI6MX0:1r31eq:tJbC2DPf6rrfYIn7F1HiO4-F8r7zlxCSBrmksPg%08u", turn++);
  sqlite3_bind_text(select_row, 1, cookie + 10, 32, SQLITE_STATIC);
  if (sqlite3_step(select_row) == SQLITE_ROW) sink += (size_t)sqlite3_column_bytes(select_row, 0);
  sqlite3_reset(select_row);
  sqlite3_bind_text(upsert_row, 1, cookie + 10, 32, SQLITE_STATIC);
  sqlite3_bind_text(upsert_row, 2, data, size, SQLITE_STATIC);
  char date[32];
  sqlite3_bind_text(upsert_row, 3, date, sprintf(date, "2030-01-01 00:00:00.%06u", turn % 1000000), SQLITE_STATIC);
  if (sqlite3_step(upsert_row) != SQLITE_DONE) exit(1);
  sqlite3_reset(upsert_row);
}

static void open_bare(const char *path) {
  MUST(sqlite3_open(path, &database));
  MUST(sqlite3_exec(database, "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL", NULL, NULL, NULL));
  MUST(sqlite3_prepare_v2(database, "SELECT session_data, expire_date FROM django_session WHERE session_key=? AND expire_date > '2020-01-01'", -1, &select_row, NULL));
  MUST(sqlite3_prepare_v2(database, "INSERT INTO django_session VALUES (?1, ?2, ?3) ON CONFLICT (session_key) DO UPDATE SET session_data=excluded.session_data, expire_date=excluded.expire_date", -1, &upsert_row, NULL));
}

int main(int argc, char **argv) {
  if (argc != 2) return fputs("usage: bench FOLDER\n", stderr), 2;
  char path[512], url[600];
  make_header();
  prepare_signing();
  sign();
  dumps();
  printf("| call                               |        ns | alloc | limit in the same run              |        ns | ratio | budget |\n");
  printf("| ---------------------------------- | --------- | ----- | ---------------------------------- | --------- | ----- | ------ |\n");
  row("parse 12 cookies of 1 KB", parse, "memchr over the same bytes", find_ends, "3");
  row("Set-Cookie with every attribute", write_cookie, "", NULL, "");
  row("sign 100 bytes, timestamped", sign, "SHA256_* with pads hashed before", two_hashes, "2");
  row("verify 100 bytes, timestamped", verify, "SHA256_* with pads hashed before", two_hashes, "2");
  row("dumps 300 bytes, compressed", dumps, "", NULL, "");
  row("loads 300 bytes", loads, "", NULL, "");
  open_manager("memory:");
  row("request cycle, memory", request, "parse 12 cookies", parse, "12");
  tuile_manager_close(manager);
  snprintf(path, sizeof path, "%s/bench.db", argv[1]);
  snprintf(url, sizeof url, "sqlite://%s", path);
  open_manager(url);
  struct result ours = measure(request);
  tuile_manager_close(manager);
  open_bare(path);
  struct result bare = measure(select_and_upsert);
  printf("| %-34s | %9.0f | %5.1f | %-34s | %9.0f | %5.2f | 1.3 |\n", "request cycle, SQLite", ours.nanoseconds, ours.allocations,
         "prepared SELECT plus UPSERT", bare.nanoseconds, ours.nanoseconds / bare.nanoseconds);
  sqlite3_finalize(select_row), sqlite3_finalize(upsert_row), sqlite3_close(database);
  tuile_signer_free(signer);
  return 0;
}
