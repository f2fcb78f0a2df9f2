/* bench: what a parse, a signature and a request with a session cost here. */
#include <string.h>
#include <time.h>

#include "tool.h"

static const char header[] =
    "_ga=GA1.1.123456789.1700000000; csrftoken=Xq3bW8p0Jd5Yk7Zr2Tn4Vm6Ls9Hc1Fg8; theme=dark; lang=en; "
    "sessionid=abcdefghijklmnopqrstuvwxyz012345";

struct bench {
  tuile_signer *signer;
  tuile_manager *manager;
  char cookie[64];
  size_t cookie_size;
};

static tuile_status parse(struct bench *bench) {
  (void)bench;
  size_t position = 0;
  tuile_cookie cookie;
  while (tuile_cookie_next((tuile_bytes){header, sizeof header - 1}, &position, &cookie) == TUILE_OK) continue;
  return TUILE_OK;
}

static tuile_status sign(struct bench *bench) {
  char token[256];
  size_t size;
  return tuile_token_sign(bench->signer, &(tuile_signing){sizeof(tuile_signing), TUILE_STR("hello"), TUILE_UNSET, false}, token, sizeof token, &size, NULL);
}

static tuile_status verify(struct bench *bench) {
  static char token[256];
  static size_t size;
  if (!size) {
    tuile_status status =
        tuile_token_sign(bench->signer, &(tuile_signing){sizeof(tuile_signing), TUILE_STR("hello"), TUILE_UNSET, false}, token, sizeof token, &size, NULL);
    if (status != TUILE_OK) return status;
  }
  tuile_bytes value;
  tuile_verification verification = TUILE_VERIFICATION_INIT;
  verification.token = (tuile_bytes){token, size};
  return tuile_token_verify(bench->signer, &verification, &value, NULL);
}

static tuile_status no_header(void *context, tuile_bytes name, tuile_bytes value) {
  (void)context, (void)name, (void)value;
  return TUILE_OK;
}

static tuile_status request(struct bench *bench) {
  tuile_session *session = NULL;
  tuile_bytes id, cookie = {bench->cookie, bench->cookie_size};
  tuile_status status = tuile_session_start(bench->manager, cookie, (tuile_bytes){NULL, 0}, &session, NULL);
  if (status == TUILE_OK) status = tuile_session_add_int(session, TUILE_STR("count"), 1, NULL, NULL);
  if (status == TUILE_OK) status = tuile_session_commit(session, 200, no_header, NULL, NULL);
  if (status == TUILE_OK && !bench->cookie_size && tuile_session_id(session, &id) == TUILE_OK)
    bench->cookie_size = (size_t)snprintf(bench->cookie, sizeof bench->cookie, "sessionid=%.*s", (int)id.size,
                                          (const char *)id.data);
  tuile_session_end(session);
  return status;
}

static int64_t nanoseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static tuile_status measure(const char *name, tuile_status (*what)(struct bench *), struct bench *bench,
                            int64_t count) {
  tuile_status status = what(bench); /* the first one makes what the others find */
  int64_t began = nanoseconds();
  for (int64_t i = 0; i < count && status == TUILE_OK; i++) status = what(bench);
  if (status == TUILE_OK) out_number(name, (nanoseconds() - began) / count);
  return status;
}

static int run(const struct arguments *arguments) {
  int64_t count = option_number(arguments, OPT_COUNT, 1, 100000000, 20000);
  struct bench bench = {0};
  char key[64];
  tuile_error error = {0};
  tuile_signer_config signing = TUILE_SIGNER_CONFIG_INIT;
  tuile_config sessions = TUILE_CONFIG_INIT;
  tuile_status status = tuile_secret_generate(key, sizeof key, &signing.secret.size, NULL);
  signing.secret.data = key;
  signing.salt = TUILE_STR("tuile bench");
  sessions.secret = signing.secret;
  sessions.store = TUILE_STR("memory:");
  if (status == TUILE_OK) status = tuile_signer_new(&signing, &bench.signer, &error);
  if (status == TUILE_OK) status = tuile_manager_open(&sessions, &bench.manager, &error);
  if (status == TUILE_OK) status = measure("parse_ns", parse, &bench, count);
  if (status == TUILE_OK) status = measure("sign_ns", sign, &bench, count);
  if (status == TUILE_OK) status = measure("verify_ns", verify, &bench, count);
  if (status == TUILE_OK) status = measure("request_ns", request, &bench, count);
  tuile_manager_close(bench.manager);
  tuile_signer_free(bench.signer);
  return status == TUILE_OK ? out_end(EXIT_FINE) : fail(status, &error);
}

const struct command bench_commands[] = {
    {"bench", "", "Measure a parse, a signature and a request on memory:, in nanoseconds", 0, 0,
     OPTIONS_COMMON | BIT(OPT_COUNT), run},
    {0},
};
