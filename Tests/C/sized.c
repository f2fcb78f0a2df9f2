/* Structs that begin with their size: shorter and longer ones than today's, each at the end of a page behind which
 * nothing may be read or written. */
#include "check.h"

#include <sys/mman.h>
#include <unistd.h>

static tuile_manager *manager;
static tuile_signer *signer;
static unsigned char *end; /* What is behind it can't be touched. */

static bool never_called(void *context, tuile_bytes domain) { return (void)context, (void)domain, false; }
static tuile_status some(void *context, tuile_bytes key, tuile_error *error) { return (void)context, (void)key, (void)error, TUILE_OK; }
static tuile_status load(void *c, tuile_bytes k, int64_t n, tuile_receive r, void *to, tuile_error *e) {
  return (void)c, (void)k, (void)n, (void)r, (void)to, (void)e, TUILE_ABSENT;
}
static tuile_status create(void *c, tuile_bytes k, tuile_bytes d, int64_t x, tuile_error *e) { return (void)c, (void)k, (void)d, (void)x, (void)e, TUILE_OK; }
static tuile_status replace(void *c, tuile_bytes k, tuile_bytes w, tuile_bytes d, int64_t x, tuile_error *e) {
  return (void)c, (void)k, (void)w, (void)d, (void)x, (void)e, TUILE_OK;
}
static tuile_status touch(void *c, tuile_bytes k, int64_t x, tuile_error *e) { return (void)c, (void)k, (void)x, (void)e, TUILE_OK; }
static tuile_status sweep(void *c, int64_t n, size_t l, size_t *r, tuile_error *e) { return (void)c, (void)n, (void)l, (void)e, *r = 0, TUILE_OK; }

static tuile_status use_cookies(void *it, tuile_error *e) {
  size_t count;
  return tuile_cookies_count(it, &count, e);
}
static tuile_status use_set_cookie(void *it, tuile_error *e) {
  char out[200];
  return tuile_set_cookie_write(it, out, sizeof out, NULL, e);
}
static tuile_status read_set_cookie(void *it, tuile_error *e) { return tuile_set_cookie_read(text("a=b; Path=/"), it, e); }
static tuile_status use_django(void *it, tuile_error *e) {
  char out[200];
  return tuile_django_cookie_write(it, out, sizeof out, NULL, e);
}
static tuile_status use_jar_config(void *it, tuile_error *e) {
  tuile_jar *jar = NULL;
  tuile_status status = tuile_jar_new(it, &jar, e);
  tuile_jar_free(jar);
  return status;
}
static tuile_status use_jar_request(void *it, tuile_error *e) {
  static tuile_jar *jar;
  tuile_jar_config config = TUILE_JAR_CONFIG_INIT;
  config.suffixes = TUILE_SUFFIXES_LABEL;
  if (!jar) CHECK(tuile_jar_new(&config, &jar, e) == TUILE_OK);
  return tuile_jar_receive(jar, it, text("a=b"), e);
}
static tuile_status use_signer(void *it, tuile_error *e) {
  tuile_signer *made = NULL;
  tuile_status status = tuile_signer_new(it, &made, e);
  tuile_signer_free(made);
  return status;
}
static tuile_status use_field(void *it, tuile_error *e) {
  char out[400];
  size_t size;
  return tuile_hidden_field_write(signer, it, out, sizeof out, &size, e);
}
static tuile_status use_signing(void *it, tuile_error *e) {
  char out[400];
  return tuile_token_dumps(signer, it, out, sizeof out, NULL, e);
}
static tuile_status use_verification(void *it, tuile_error *e) {
  char out[400];
  tuile_status status = tuile_token_loads(signer, it, out, sizeof out, NULL, e);
  return status == TUILE_BAD_SIGNATURE ? TUILE_OK : status;
}
static tuile_status use_parameter(void *it, tuile_error *e) {
  char out[100];
  return tuile_url_write(text("/"), it, out, sizeof out, NULL, e);
}
static tuile_status use_csrf(void *it, tuile_error *e) {
  tuile_csrf_reason reason;
  return tuile_csrf_verify(it, &reason, e);
}
static tuile_status use_ops(void *it, tuile_error *e) {
  tuile_store *store = NULL;
  tuile_status status = tuile_store_open_ops(it, NULL, &store, e);
  tuile_store_close(store);
  return status;
}
static tuile_status use_config(void *it, tuile_error *e) {
  tuile_manager *made = NULL;
  tuile_status status = tuile_manager_open(it, &made, e);
  tuile_manager_close(made);
  return status;
}
static tuile_status use_reload(void *it, tuile_error *e) { return tuile_manager_reload(manager, it, e); }
static tuile_status use_policy(void *it, tuile_error *e) { return (void)e, tuile_config_set_policy(it, TUILE_POLICY_AAL2); }
static tuile_status use_stats(void *it, tuile_error *e) { return (void)e, tuile_manager_stats(manager, it); }
static tuile_status use_copying(void *it, tuile_error *e) {
  tuile_status status = tuile_manager_copy_session(manager, manager, text("abcdefgh12345678"), it, e);
  return status == TUILE_ABSENT ? TUILE_OK : status;
}
static tuile_status use_latency(void *it, tuile_error *e) { return (void)e, tuile_manager_latency(manager, TUILE_OPERATION_LOAD, it); }

static tuile_session *device_session;
static tuile_status use_device_request(void *it, tuile_error *e) {
  tuile_device_answer answer = TUILE_DEVICE_ANSWER_INIT;
  return tuile_session_answer_device(device_session, it, &answer, e);
}
static tuile_status use_device_answer(void *it, tuile_error *e) {
  tuile_device_request request = TUILE_DEVICE_REQUEST_INIT;
  return tuile_session_answer_device(device_session, &request, it, e);
}

/* `size` bytes of the struct lie in front of the page that can't be touched, and behind what must stay. */
static void *placed(const void *whole, size_t whole_size, size_t size) {
  size_t room = size > whole_size ? size : whole_size;
  unsigned char *it = end - (size < sizeof size || size > 4096 ? sizeof size : size);
  if (size > 4096) room = sizeof size;
  memset(end - 8192, 0, 8192);
  memcpy(it, whole, room > size ? (size < sizeof size ? sizeof size : size) : whole_size < room ? whole_size : room);
  memcpy(it, &size, sizeof size);
  return it;
}

/* `fine` are sizes that are taken beside today's, `wrong` some that are not; each ends with 0. */
static void try_all(const char *name, const void *whole, size_t whole_size, tuile_status (*use)(void *, tuile_error *), bool says,
                    const size_t *fine, const size_t *wrong) {
  static const size_t huge[] = {4097, 1 << 20, SIZE_MAX / 2, SIZE_MAX - 4096, SIZE_MAX - 7, SIZE_MAX, 0};
  for (size_t size = 0; size <= 4096; size++) {
    tuile_error error = {0};
    tuile_status status = use(placed(whole, whole_size, size), &error);
    bool can_be = size >= whole_size;
    for (const size_t *f = fine; *f; f++) can_be = can_be || *f == size;
    if (can_be && status != TUILE_OK) fprintf(stderr, "%s of %zu bytes: %s\n", name, size, error.message);
    if (can_be) CHECK(status == TUILE_OK);
    for (const size_t *w = wrong; *w; w++) can_be = can_be || *w != size;
    if (size < (fine[0] ? fine[0] : whole_size) || !can_be) CHECK(status == TUILE_E_ARGUMENT);
    CHECK(status == TUILE_OK || status == TUILE_E_ARGUMENT);
    if (status != TUILE_OK && says) {
      CHECK(strstr(error.message, name));
      CHECK(strstr(error.message, "no version's struct has this size"));
    }
  }
  for (const size_t *size = huge; *size; size++) CHECK(use(placed(whole, whole_size, *size), NULL) == TUILE_E_ARGUMENT);
  /* A longer one is taken as long as the rest is zero. */
  for (size_t i = whole_size; i < whole_size + 24; i++) {
    tuile_error error = {0};
    unsigned char *it = placed(whole, whole_size, whole_size + 24);
    it[i] = 1;
    CHECK(use(it, &error) == TUILE_E_ARGUMENT);
    if (says) {
      CHECK(strstr(error.message, name));
      CHECK(strstr(error.message, "newer version"));
    }
    it[i] = 0;
    CHECK(use(it, &error) == TUILE_OK);
  }
  printf("%s: %zu bytes\n", name, whole_size);
}

#define NONE ((const size_t[]){0})
#define SIZES(...) ((const size_t[]){__VA_ARGS__, 0})

static void init_all(const char *name, tuile_status (*init)(void *, size_t), const size_t *fine, size_t whole) {
  for (size_t size = 0; size <= 4200; size++) {
    unsigned char *it = end - (size < sizeof size ? sizeof size : size);
    memset(end - 8192, 0xA5, 8192);
    tuile_status status = init(it, size);
    bool can_be = size >= whole && size <= 4096;
    for (const size_t *f = fine; *f; f++) can_be = can_be || *f == size;
    if (can_be) {
      CHECK(status == TUILE_OK);
      CHECK(memcmp(it, &size, sizeof size) == 0);
    }
    CHECK(it[-1] == 0xA5);
    if (status == TUILE_OK) {
      for (size_t i = whole; i < size; i++) CHECK(it[i] == 0);
    } else {
      CHECK(status == TUILE_E_ARGUMENT);
      for (unsigned char *p = it; p < end; p++) CHECK(*p == 0xA5);
    }
  }
  CHECK(init(end - 8, SIZE_MAX) == TUILE_E_ARGUMENT);
  CHECK(init(end - 8, SIZE_MAX - 7) == TUILE_E_ARGUMENT);
  CHECK(init(NULL, whole) == TUILE_E_ARGUMENT);
  printf("%s\n", name);
}

#define INIT(type) \
  static tuile_status init_##type(void *it, size_t size) { return type##_init(it, size); }
INIT(tuile_cookies) INIT(tuile_set_cookie) INIT(tuile_django_cookie) INIT(tuile_jar_config) INIT(tuile_jar_request)
INIT(tuile_signer_config) INIT(tuile_config) INIT(tuile_device_request) INIT(tuile_device_answer)

/* Sizes that versions had, and all that end with a field. */
#define CONFIG_SIZES SIZES(160, 168, 169, 192, 200, 232, 248, 264, 304, 308, 309, 312, 320, 328, 332, 336, 352)
#define SIGNER_SIZES SIZES(64, 80, 136, 144, 152)
#define SET_COOKIE_SIZES SIZES(96, 100, 104)

static tuile_status ignored(void *context, tuile_bytes name, tuile_bytes value) { return (void)context, (void)name, (void)value, TUILE_OK; }

/* What a shorter struct has not has its default, whatever lies behind it. */
static void defaults(void) {
  tuile_config config = TUILE_CONFIG_INIT;
  tuile_error error = {0};
  tuile_session *s;
  config.secret = text("a secret of more than 32 bytes, as it has to be"), config.store = text("memory:");
  config.url_sessions = true;
  /* In front of the parameter's name, which is sid. */
  config.url_name = text("other"), config.lifetime = -1, config.max_owned = SIZE_MAX, config.log = (tuile_log)(uintptr_t)1;
  config.size = offsetof(tuile_config, url_name);
  tuile_manager *made = NULL;
  CHECK(tuile_manager_open(&config, &made, &error) == TUILE_OK);
  tuile_bytes key;
  int64_t n = 0;
  char url[100];
  CHECK(tuile_session_start(made, text(""), text(""), &s, &error) == TUILE_OK);
  CHECK(tuile_session_set_int(s, text("n"), 7, &error) == TUILE_OK);
  CHECK(tuile_session_commit(s, 200, ignored, NULL, &error) == TUILE_OK);
  CHECK(tuile_session_id(s, &key) == TUILE_OK);
  snprintf(url, sizeof url, "/?sid=%.*s", (int)key.size, (const char *)key.data);
  tuile_session_end(s);
  CHECK(tuile_session_start(made, text(""), text(url), &s, &error) == TUILE_OK);
  CHECK(tuile_session_get_int(s, text("n"), &n, &error) == TUILE_OK);
  CHECK(n == 7);
  tuile_session_end(s);
  tuile_manager_close(made);

  /* The first version had no place for the limits of a policy: that is no success. */
  config = (tuile_config)TUILE_CONFIG_INIT, config.size = offsetof(tuile_config, lifetime);
  CHECK(tuile_config_set_policy(&config, TUILE_POLICY_AAL2) == TUILE_E_ARGUMENT);
  CHECK(config.cookie_age == 1209600);
  config.size = offsetof(tuile_config, cycle_grace);
  CHECK(tuile_config_set_policy(&config, TUILE_POLICY_AAL2) == TUILE_OK);
  CHECK(config.cookie_age == 3600);
  CHECK(config.cycle_grace == 5);

  tuile_set_cookie cookie = TUILE_SET_COOKIE_INIT;
  cookie.priority = TUILE_PRIORITY_HIGH, cookie.now = 77, cookie.size = 96;
  CHECK(tuile_set_cookie_read(text("a=b; Max-Age=5"), &cookie, &error) == TUILE_OK);
  CHECK(cookie.max_age == 5);
  CHECK(cookie.priority == TUILE_PRIORITY_HIGH);
  CHECK(cookie.now == 77);
  CHECK(cookie.size == 96);

  tuile_stats stats = TUILE_STATS_INIT;
  stats.swept = 77, stats.size = offsetof(tuile_stats, swept);
  CHECK(tuile_manager_stats(manager, &stats) == TUILE_OK);
  CHECK(stats.swept == 77);
}

int main(void) {
  size_t page = (size_t)sysconf(_SC_PAGESIZE), pages = (8192 + page - 1) / page;
  unsigned char *room = mmap(NULL, (pages + 1) * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  CHECK(room != MAP_FAILED);
  CHECK(mprotect(room + pages * page, page, PROT_NONE) == 0);
  end = room + pages * page;

  tuile_error error = {0};
  tuile_config config = TUILE_CONFIG_INIT;
  config.secret = text("a secret of more than 32 bytes, as it has to be"), config.store = text("memory:");
  CHECK(tuile_manager_open(&config, &manager, &error) == TUILE_OK);
  tuile_signer_config signing = TUILE_SIGNER_CONFIG_INIT;
  signing.secret = config.secret, signing.salt = text("salt");
  CHECK(tuile_signer_new(&signing, &signer, &error) == TUILE_OK);

  tuile_cookies cookies = TUILE_COOKIES_INIT;
  tuile_set_cookie cookie = TUILE_SET_COOKIE_INIT;
  cookie.name = text("a");
  tuile_django_cookie django = TUILE_DJANGO_COOKIE_INIT;
  django.key = text("a");
  tuile_jar_config jar = TUILE_JAR_CONFIG_INIT;
  jar.suffixes = TUILE_SUFFIXES_LABEL, jar.public_suffix = never_called;
  tuile_jar_request request = TUILE_JAR_REQUEST_INIT;
  request.url = text("https://example.com/");
  tuile_hidden_field field = TUILE_HIDDEN_FIELD_INIT;
  field.name = text("name"), field.form = text("form");
  tuile_csrf_request csrf = TUILE_CSRF_REQUEST_INIT;
  csrf.method = text("GET");
  tuile_store_ops ops = TUILE_STORE_OPS_INIT;
  ops.load = load, ops.create = create, ops.replace = replace, ops.touch = touch, ops.remove = some, ops.sweep = sweep;
  tuile_stats stats = TUILE_STATS_INIT;
  tuile_latency latency = TUILE_LATENCY_INIT;

  tuile_copying copying = TUILE_COPYING_INIT;
  try_all("tuile_copying", &copying, sizeof copying, use_copying, true, NONE, NONE);
  try_all("tuile_cookies", &cookies, sizeof cookies, use_cookies, true, NONE, NONE);
  try_all("tuile_set_cookie", &cookie, sizeof cookie, use_set_cookie, true, SET_COOKIE_SIZES, SIZES(97, 98, 101, 105, 111));
  try_all("tuile_set_cookie", &cookie, sizeof cookie, read_set_cookie, true, SET_COOKIE_SIZES, SIZES(97, 98, 101, 105, 111));
  try_all("tuile_django_cookie", &django, sizeof django, use_django, true, NONE, NONE);
  try_all("tuile_jar_config", &jar, sizeof jar, use_jar_config, true, NONE, NONE);
  try_all("tuile_jar_request", &request, sizeof request, use_jar_request, true, NONE, NONE);
  try_all("tuile_signer_config", &signing, sizeof signing, use_signer, true, SIGNER_SIZES, SIZES(65, 72, 81, 140, 145, 160, 167));
  tuile_signing call = TUILE_SIGNING_INIT;
  call.value = text("{}");
  try_all("tuile_signing", &call, sizeof call, use_signing, true, NONE, NONE);
  tuile_verification verification = TUILE_VERIFICATION_INIT;
  try_all("tuile_verification", &verification, sizeof verification, use_verification, true, NONE, NONE);
  tuile_url_parameter parameter = TUILE_URL_PARAMETER_INIT;
  parameter.name = text("a");
  try_all("tuile_url_parameter", &parameter, sizeof parameter, use_parameter, true, NONE, NONE);
  try_all("tuile_hidden_field", &field, sizeof field, use_field, true, SIZES(56, 72, 88, 96), SIZES(57, 64, 80, 89));
  try_all("tuile_csrf_request", &csrf, sizeof csrf, use_csrf, true, NONE, NONE);
  try_all("tuile_store_ops", &ops, sizeof ops, use_ops, true, SIZES(72, 80, 104, 112, 120, 128), SIZES(73, 76, 79, 100, 127));
  try_all("tuile_config", &config, sizeof config, use_config, true, CONFIG_SIZES, SIZES(161, 164, 170, 184, 196, 217 + 1, 256, 301, 305));
  try_all("tuile_config", &config, sizeof config, use_reload, true, CONFIG_SIZES, SIZES(161, 164, 170, 184, 196, 217 + 1, 256, 301, 305));
  try_all("tuile_config", &config, sizeof config, use_policy, false, SIZES(208, 216, 232, 304), SIZES(160, 192, 200, 209, 215));
  try_all("tuile_stats", &stats, sizeof stats, use_stats, false, SIZES(72, 80, 104), SIZES(73, 76, 79, 111));
  try_all("tuile_latency", &latency, sizeof latency, use_latency, false, NONE, NONE);

  tuile_config binding = config;
  binding.cookie_secure = true, binding.device_binding = TUILE_DEVICE_BINDING_CALL;
  tuile_manager *devices = NULL;
  CHECK(tuile_manager_open(&binding, &devices, &error) == TUILE_OK);
  tuile_device_request device_request = TUILE_DEVICE_REQUEST_INIT;
  tuile_device_answer device_answer = TUILE_DEVICE_ANSWER_INIT;
  CHECK(tuile_session_start(devices, text(""), text(""), &device_session, &error) == TUILE_OK);
  try_all("tuile_device_request", &device_request, sizeof device_request, use_device_request, true, NONE, NONE);
  tuile_session_end(device_session);
  CHECK(tuile_session_start(devices, text(""), text(""), &device_session, &error) == TUILE_OK);
  try_all("tuile_device_answer", &device_answer, sizeof device_answer, use_device_answer, true, NONE, NONE);
  tuile_session_end(device_session);
  tuile_manager_close(devices);
  init_all("tuile_device_request_init", init_tuile_device_request, NONE, sizeof device_request);
  init_all("tuile_device_answer_init", init_tuile_device_answer, NONE, sizeof device_answer);
  init_all("tuile_cookies_init", init_tuile_cookies, NONE, sizeof cookies);
  init_all("tuile_set_cookie_init", init_tuile_set_cookie, SET_COOKIE_SIZES, sizeof cookie);
  init_all("tuile_django_cookie_init", init_tuile_django_cookie, NONE, sizeof django);
  init_all("tuile_jar_config_init", init_tuile_jar_config, NONE, sizeof jar);
  init_all("tuile_jar_request_init", init_tuile_jar_request, NONE, sizeof request);
  init_all("tuile_signer_config_init", init_tuile_signer_config, SIGNER_SIZES, sizeof signing);
  init_all("tuile_config_init", init_tuile_config, CONFIG_SIZES, sizeof config);

  defaults();
  tuile_signer_free(signer);
  tuile_manager_close(manager);
  return 0;
}
