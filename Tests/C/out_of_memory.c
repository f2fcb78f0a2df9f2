/* Every allocation that the library makes for a buffer of its own fails once, in turn:
 * the call that met it answers TUILE_E_MEMORY, or does without; what follows works, and
 * in the end nothing is left allocated. The objects of Swift (posix_memalign) are counted,
 * but do not fail: docs/security.md. Those of SQLite fail in sqlite_faults.c. */
#define _GNU_SOURCE
#include "check.h"

#include <errno.h>
#include <link.h>
#include <stdint.h>

#ifdef SANITIZED
int main(void) { return 0; } /* the sanitizers stand in front of the same calls */
#else

/* ---- in front of the allocator ---- */

void *__libc_malloc(size_t);
void *__libc_calloc(size_t, size_t);
void *__libc_realloc(void *, size_t);
void *__libc_memalign(size_t, size_t);
void __libc_free(void *);

static uintptr_t library_start, library_end;
static int calls, fail_at;
static bool failed; /* since this run began */

enum { places = 1 << 16 };
static void *living[places]; /* what the library allocated and nobody freed */
static size_t living_count;

static bool is_library(void *caller) { return (uintptr_t)caller >= library_start && (uintptr_t)caller < library_end; }
static size_t place_of(void *block) {
  size_t i = (uintptr_t)block / 16 * 2654435761u % places;
  while (living[i] && living[i] != block) i = (i + 1) % places;
  return i;
}
static void *add(void *block) {
  if (!block) return NULL;
  living[place_of(block)] = block;
  if (++living_count > places / 2) abort();
  return block;
}
static bool forget(void *block) {
  size_t i = place_of(block);
  if (!block || !living[i]) return false;
  living[i] = NULL, living_count--;
  for (size_t j = (i + 1) % places; living[j]; j = (j + 1) % places) { /* those behind may move up */
    void *moved = living[j];
    living[j] = NULL;
    living[place_of(moved)] = moved;
  }
  return true;
}
static bool fails(void) {
  if (fail_at == 0 || ++calls != fail_at) return false;
  errno = ENOMEM;
  return failed = true;
}

#pragma GCC visibility push(default)
void *malloc(size_t size) {
  if (!is_library(__builtin_return_address(0))) return __libc_malloc(size);
  return fails() ? NULL : add(__libc_malloc(size));
}
void *calloc(size_t count, size_t size) {
  if (!is_library(__builtin_return_address(0))) return __libc_calloc(count, size);
  return fails() ? NULL : add(__libc_calloc(count, size));
}
void *realloc(void *old, size_t size) {
  if (!is_library(__builtin_return_address(0))) return __libc_realloc(old, size);
  if (fails()) return NULL;
  forget(old);
  return add(__libc_realloc(old, size));
}
int posix_memalign(void **out, size_t alignment, size_t size) {
  *out = __libc_memalign(alignment, size);
  if (is_library(__builtin_return_address(0))) add(*out);
  return *out ? 0 : ENOMEM;
}
void free(void *block) {
  forget(block);
  __libc_free(block);
}
#pragma GCC visibility pop

static int find_library(struct dl_phdr_info *info, size_t size, void *context) {
  (void)size, (void)context;
  if (!strstr(info->dlpi_name, "libtuile.so")) return 0;
  for (int i = 0; i < info->dlpi_phnum; i++)
    if (info->dlpi_phdr[i].p_type == PT_LOAD && info->dlpi_phdr[i].p_flags & PF_X) {
      library_start = info->dlpi_addr + info->dlpi_phdr[i].p_vaddr;
      library_end = library_start + info->dlpi_phdr[i].p_memsz;
    }
  return 1;
}

/* ---- what is done ---- */

static tuile_error error;
static int noticed;
static char folder[500];

/* Whether a call went well; if not, for lack of memory. */
static bool well(tuile_status status) {
  if (status >= 0) return true;
  if (status != TUILE_E_MEMORY || !failed) fprintf(stderr, "allocation %d: %s: %s\n", fail_at, tuile_status_name(status), error.message);
  CHECK(status == TUILE_E_MEMORY);
  CHECK(failed);
  noticed++;
  return false;
}

static char cookie[4200];
static tuile_status collect(void *context, tuile_bytes name, tuile_bytes value) {
  (void)context;
  if (equals(name, "Set-Cookie")) snprintf(cookie, sizeof cookie, "%.*s", (int)strcspn(value.data, ";"), (const char *)value.data);
  return TUILE_OK;
}
static void shown(void *context, const tuile_owned_session *session) {
  (void)session;
  ++*(int *)context;
}

static const char *store_url;
static void sessions(void) {
  static char large[9000];
  tuile_config config = TUILE_CONFIG_INIT;
  tuile_manager *manager = NULL;
  memset(large, 'x', sizeof large - 1);
  cookie[0] = 0;
  config.secret = text("0123456789abcdef0123456789ABCDEF"), config.store = text(store_url);
  if (!well(tuile_manager_open(&config, &manager, &error))) return;
  for (int i = 0; i < 3; i++) {
    tuile_session *session = NULL;
    if (!well(tuile_session_start(manager, text(cookie), text(""), &session, &error))) continue;
    tuile_bytes value;
    int64_t number;
    int found = 0;
    well(tuile_session_get_string(session, text("name"), &value, &error));
    well(tuile_session_set_string(session, text("name"), text("Ada \xc3\xa9 \"L\""), &error));
    well(tuile_session_set_json(session, text("list"), text("[1, {\"a\": null}]"), &error));
    well(tuile_session_append(session, text("list"), text("2"), &error));
    well(tuile_session_add_int(session, text("count"), 1, &number, &error));
    if (i == 1) well(tuile_session_set_string(session, text("large"), text(large), &error));
    if (i == 0 && strcmp(store_url, "cookie:") != 0) well(tuile_session_set_owner(session, text("ada"), &error));
    if (i == 2) well(tuile_session_cycle_id(session, &error));
    for (int k = 0; i == 0 && k < 40; k++) {
      char key[16];
      snprintf(key, sizeof key, "key%d", k);
      well(tuile_session_set_int(session, text(key), k, &error));
    }
    well(tuile_session_commit(session, 200, collect, NULL, &error));
    if (strcmp(store_url, "cookie:") != 0) well(tuile_manager_sessions(manager, text("ada"), session, shown, &found, &error));
    tuile_session_end(session);
  }
  if (strcmp(store_url, "cookie:") != 0) well(tuile_manager_revoke_all(manager, text("ada"), NULL, NULL, &error));
  tuile_manager_close(manager);
}

static int dialect;
static void signing(void) {
  static char token[4000], out[4000];
  tuile_signer_config config = TUILE_SIGNER_CONFIG_INIT;
  tuile_bytes fallback = text("older secret of the same length, and long enough to be one of 64");
  tuile_signer *signer = NULL;
  size_t size = 0;
  tuile_verification verified;
  config.dialect = (tuile_dialect)dialect;
  config.secret = text("0123456789abcdef0123456789ABCDEF0123456789abcdef0123456789ABCDEF");
  if (dialect != TUILE_DIALECT_COOKIE_RS_SIGNED && dialect != TUILE_DIALECT_COOKIE_RS_PRIVATE && dialect != TUILE_DIALECT_GORILLA) config.fallbacks = &fallback, config.fallback_count = 1;
  config.name = text("name"), config.salt = text("salt"), config.lifetime = 60;
  if (dialect == TUILE_DIALECT_GORILLA) config.block_secret = text("0123456789abcdef");
  if (!well(tuile_signer_new(&config, &signer, &error))) return;
  tuile_bytes json = text("{\"a\":[1,2,3],\"text\":\"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx\"}");
  tuile_status status = tuile_token_dumps(signer, &(tuile_signing){sizeof(tuile_signing), json, 1700000000, true}, token, sizeof token, &size, &error);
  if (status != TUILE_E_ARGUMENT && well(status)) {
    verified = (tuile_verification){sizeof verified, {token, size}, TUILE_UNSET, 1700000001, 0, 0};
    status = tuile_token_loads(signer, &verified, out, sizeof out, &size, &error);
    CHECK(!well(status) || (status == TUILE_OK && size > 30 && memcmp(out, "{\"a\"", 4) == 0));
  }
  size = 0;
  if (well(tuile_token_sign(signer, &(tuile_signing){sizeof(tuile_signing), text("value"), 1700000000, false}, token, sizeof token, &size, NULL))) {
    verified = (tuile_verification){sizeof verified, {token, size}, TUILE_UNSET, 1700000001, 0, 0};
    status = tuile_token_unsign(signer, &verified, out, sizeof out, &size, &error);
    CHECK(!well(status) || (status == TUILE_OK && equals((tuile_bytes){out, size}, "value")));
  }
  tuile_signer_free(signer);
}

/* A field whose name and value have to be decoded, behind others. */
static void fields(void) {
  static char page[2000], body[4000], out[4000];
  tuile_signer_config config = TUILE_SIGNER_CONFIG_INIT;
  tuile_hidden_field field = TUILE_HIDDEN_FIELD_INIT;
  tuile_signer *signer = NULL;
  size_t size = 0;
  config.dialect = TUILE_DIALECT_DJANGO, config.secret = text("0123456789abcdef0123456789ABCDEF"), config.salt = text("forms");
  field.name = text("a b"), field.form = text("checkout"), field.session_id = text("key");
  if (!well(tuile_signer_new(&config, &signer, &error))) return;
  if (well(tuile_hidden_field_write(signer, (field.value = text("value"), field.now = 1700000000, &field), page, sizeof page - 1, &size, &error))) {
    page[size] = 0;
    char *value = strstr(page, "value=\"");
    CHECK(value);
    snprintf(body, sizeof body, "other=1&c+d=%%41&a+b=%.*s&last=+", (int)strcspn(value + 7, "\""), value + 7);
    tuile_status status = tuile_hidden_field_read(signer, (field.body = text(body), field.max_age = TUILE_UNSET, field.now = 1700000001, &field), out, sizeof out, &size, &error);
    CHECK(!well(status) || (status == TUILE_OK && equals((tuile_bytes){out, size}, "value")));
  }
  tuile_signer_free(signer);
}

static void jars(void) {
  tuile_jar *jar = NULL;
  tuile_jar_request request = TUILE_JAR_REQUEST_INIT;
  char file[600], out[4000];
  size_t size;
  snprintf(file, sizeof file, "%s/jar.txt", folder);
  request.url = text("https://www.example.com/a/b");
  if (!well(tuile_jar_new(NULL, &jar, &error))) return;
  for (int i = 0; i < 20; i++) {
    char line[100];
    snprintf(line, sizeof line, "name%d=value; Path=/; Secure; Max-Age=1000%s", i, i % 2 ? "; Domain=example.com" : "");
    well(tuile_jar_receive(jar, &request, text(line), &error));
  }
  well(tuile_jar_header(jar, &request, out, sizeof out, &size, &error));
  if (well(tuile_jar_save(jar, text(file), true, &error))) well(tuile_jar_load(jar, text(file), NULL, &error));
  tuile_jar_free(jar);
}

static void rings(void) {
  tuile_keyring *ring = NULL;
  if (!well(tuile_keyring_new(false, &ring, &error))) return;
  for (int i = 0; i < 4; i++) well(tuile_keyring_add(ring, text("30313233343536373839616263646566303132333435363738394142434445FF"), TUILE_SECRET_HEX, &error));
  tuile_keyring_free(ring);
}

/* ---- each allocation in turn ---- */

static void exhaust(const char *name, void (*run)(void)) {
  int last = 0;
  fflush(stdout);
  fail_at = 0, failed = false;
  run(); /* what is made once and stays */
  run();
  size_t before = living_count;
  noticed = 0;
  for (int n = 1;; n++) {
    fail_at = n, calls = 0, failed = false;
    run();
    fail_at = 0;
    if (living_count != before) fprintf(stderr, "%s, allocation %d: %zd left\n", name, n, (ssize_t)(living_count - before));
    CHECK(living_count == before);
    if (!failed) break;
    last = n;
  }
  printf("%s: %d allocations, %d times TUILE_E_MEMORY\n", name, last, noticed);
  CHECK(noticed > 0);
}

int main(int argc, char **argv) {
  CHECK(argc > 1);
  snprintf(folder, sizeof folder, "%s", argv[1]);
  dl_iterate_phdr(find_library, NULL);
  CHECK(library_end > library_start);
  /* The control: what is there is counted. */
  tuile_keyring *ring;
  size_t before = living_count;
  CHECK(tuile_keyring_new(false, &ring, NULL) == TUILE_OK);
  CHECK(living_count > before);
  tuile_keyring_free(ring);
  CHECK(living_count == before);

  exhaust("keys", rings);
  for (dialect = 0; dialect <= TUILE_DIALECT_SIGNED; dialect++) {
    char name[40];
    snprintf(name, sizeof name, "dialect %d", dialect);
    exhaust(name, signing);
  }
  exhaust("hidden field", fields);
  exhaust("jar", jars);
  char url[4][700] = {"memory:", "cookie:"};
  snprintf(url[2], sizeof url[2], "file://%s/sessions?fsync=off", folder);
  snprintf(url[3], sizeof url[3], "sqlite://%s/sessions.db", folder);
  for (int i = 0; i < 4; i++) {
    store_url = url[i];
    exhaust(url[i], sessions);
  }
  return 0;
}
#endif
