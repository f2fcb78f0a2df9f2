/* One request of a browser: what it sends, what the response had. */
#ifndef REQUEST_H
#define REQUEST_H

#include "check.h"

static tuile_error error;
static tuile_manager *manager;
static int64_t present = 1700000000000000; /* Unix microseconds: the test's own clock */

static char jar[4200];        /* the Cookie header */
static char set_cookie[4400]; /* the response's, or empty */
static int vary, cache_control;

static inline int64_t fixed_clock(void *context) {
  (void)context;
  return present;
}

static inline tuile_status collect(void *context, tuile_bytes name, tuile_bytes value) {
  (void)context;
  if (equals(name, "Set-Cookie")) snprintf(set_cookie, sizeof set_cookie, "%.*s", (int)value.size, (const char *)value.data);
  else if (equals(name, "Vary") && equals(value, "Cookie")) vary++;
  else if (equals(name, "Cache-Control") && equals(value, "private")) cache_control++;
  else CHECK(!"a header that nobody expects");
  return TUILE_OK;
}

static inline tuile_session *request(void) {
  tuile_session *session = NULL;
  CHECK(tuile_session_start(manager, text(jar), (tuile_bytes){NULL, 0}, &session, NULL) == TUILE_OK);
  CHECK(session != NULL);
  return session;
}

static inline tuile_status respond(tuile_session *session, int32_t http_status) {
  set_cookie[0] = 0;
  vary = cache_control = 0;
  tuile_status status = tuile_session_commit(session, http_status, collect, NULL, &error);
  if (set_cookie[0]) {
    CHECK(vary == 1);
    CHECK(cache_control == 1);
    bool deleted = strstr(set_cookie, "Max-Age=0") != NULL;
    snprintf(jar, sizeof jar, "%.*s", deleted ? 0 : (int)strcspn(set_cookie, ";"), set_cookie);
  }
  tuile_session_end(session);
  return status;
}

static inline void set(const char *key, int64_t value) {
  tuile_session *s = request();
  CHECK(tuile_session_set_int(s, text(key), value, &error) == TUILE_OK);
  CHECK(respond(s, 200) == TUILE_OK);
  CHECK(set_cookie[0]);
}

static inline int64_t get(const char *key) {
  tuile_session *s = request();
  int64_t value = -1;
  tuile_session_get_int(s, text(key), &value, &error);
  CHECK(respond(s, 200) == TUILE_OK);
  CHECK(vary == 1);
  return value;
}

static inline tuile_stats stats(void) {
  tuile_stats stats = TUILE_STATS_INIT;
  CHECK(tuile_manager_stats(manager, &stats) == TUILE_OK);
  return stats;
}

#endif
