/* A visit: one request's session, read, counted and kept alive. */
#include "gate.h"
#include "user.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void free_headers(struct gate_visit *visit) {
  while (visit->headers) {
    struct gate_header *next = visit->headers->next;
    free(visit->headers);
    visit->headers = next;
  }
}

void gate_leave(struct gate_visit *visit) {
  if (visit->session) {
    tuile_session_end(visit->session);
    visit->session = NULL;
    atomic_fetch_sub(&visit->gate->visits, 1);
  }
  if (visit->device) {
    tuile_session_end(visit->device);
    visit->device = NULL;
    atomic_fetch_sub(&visit->gate->visits, 1);
  }
  free_headers(visit);
  gate_user_release(visit->user);
  visit->user = NULL;
}

/* ---- which cookie ---- */

static bool is_same(tuile_bytes one, tuile_bytes other) {
  return one.size == other.size && (one.size == 0 || memcmp(one.data, other.data, one.size) == 0);
}

bool gate_has_cookie(const struct gate *gate, tuile_bytes cookie) {
  tuile_bytes value, name = gate->config.previous_cookie;
  if (tuile_cookie_get(cookie, gate->config.cookie_name, TUILE_MATCH_LAST, &value) == TUILE_OK) return true;
  if (name.size > 0 && tuile_cookie_get(cookie, name, TUILE_MATCH_LAST, &value) == TUILE_OK) return true;
  return gate->binds && gate_misleads(gate, cookie);
}

/* Whether there are cookies of that name with different values. Whoever can set a cookie
 * for the whole domain may have added one: applications disagree which of them counts. */
static bool has_several(tuile_bytes header, tuile_bytes name) {
  tuile_cookie each;
  tuile_bytes first = {NULL, 0};
  bool any = false;
  size_t position = 0;
  if (name.size == 0) return false;
  while (tuile_cookie_next(header, &position, &each) == TUILE_OK) {
    if (!is_same(each.name, name)) continue;
    if (any && !is_same(each.value, first)) return true;
    first = each.value;
    any = true;
  }
  return false;
}

/* Whether one of them may be a bound session's. */
static bool has_long(tuile_bytes header, tuile_bytes name) {
  tuile_cookie each;
  size_t position = 0;
  while (tuile_cookie_next(header, &position, &each) == TUILE_OK)
    if (is_same(each.name, name) && each.value.size >= GATE_BOUND_SIZE) return true;
  return false;
}

/* ---- reading ---- */

static tuile_status away(struct gate_visit *visit, tuile_error *error) {
  visit->state = GATE_AWAY;
  visit->reason = "away";
  return error->status;
}

static tuile_status refuse(struct gate_visit *visit, const char *reason, const char *message, tuile_error *error) {
  visit->state = GATE_REFUSED;
  visit->reason = reason;
  *error = (tuile_error){.status = TUILE_REFUSED};
  snprintf(error->message, sizeof error->message, "%s", message);
  return TUILE_REFUSED;
}

/* The store itself failed, or what is around it; other errors are of this one value or session. */
static bool is_outage(tuile_status status) {
  switch (status) {
    case TUILE_E_LIMIT:
    case TUILE_E_SYNTAX:
    case TUILE_E_RULE:
    case TUILE_E_TYPE:
    case TUILE_E_RANGE:
    case TUILE_E_SPACE:
    case TUILE_E_ARGUMENT: return false;
    default: return status < 0;
  }
}

/* A session in a cookie, of which nobody can say here whether its user has logged out. */
static bool may_be_a_copy(const struct gate_visit *visit) {
  return gate_is_cookie_url(visit->gate->config.store) && visit->gate->config.revocations.size == 0;
}

/* What the library writes into sessions whose application ends copies. */
static bool has_revocations(struct gate_visit *visit) {
  bool revocable = false;
  return tuile_session_is_revocable(visit->session, &revocable, NULL) != TUILE_OK || revocable;
}

/* Whether Django would let the session's user in, if there is one. */
static tuile_status check_user(struct gate_visit *visit, tuile_error *error) {
  static const struct {
    const char *reason, *message;
  } refusals[] = {[GATE_USER_GONE] = {"gone", "the session's user is no more"},
                  [GATE_USER_INACTIVE] = {"inactive", "the session's user is not active"},
                  [GATE_USER_CHANGED] = {"changed", "the password of the session's user was changed since the login"}};
  struct gate_users *users = &visit->gate->users;
  struct gate_claim claim = {{NULL, 0}, {NULL, 0}, {NULL, 0}};
  if (users->url.size == 0 || visit->state != GATE_FOUND || !gate_holds(visit, visit->gate->login_key)) return TUILE_OK;
  gate_text(visit, visit->gate->login_key, &claim.id);
  tuile_session_get_string(visit->session, TUILE_STR("_auth_user_hash"), &claim.hash, NULL);
  tuile_session_get_string(visit->session, TUILE_STR("_auth_user_backend"), &claim.backend, NULL);
  if (claim.id.size == 0 || claim.id.size > gate_longest_id || claim.hash.size > gate_longest_id ||
      claim.backend.size == 0 || claim.backend.size > gate_longest_id)
    return refuse(visit, "gone", "the session does not say of which backend its user is", error);
  if (gate_users_check(users, &claim, &visit->user, error) != TUILE_OK) return away(visit, error);
  enum gate_verdict verdict = visit->user->verdict;
  return verdict == GATE_USER_PASSES ? TUILE_OK : refuse(visit, refusals[verdict].reason, refusals[verdict].message, error);
}

tuile_status gate_read(struct gate_visit *visit, tuile_bytes cookie, tuile_error *error) {
  if (visit->state == GATE_AWAY) {
    *error = (tuile_error){TUILE_E_STORE, 0, "the store gave this request no answer before"};
    return error->status;
  }
  if (visit->state != GATE_UNREAD) return TUILE_OK;
  const tuile_config *config = &visit->gate->config;
  if (!visit->gate->several_cookies &&
      (has_several(cookie, config->cookie_name) || has_several(cookie, config->previous_cookie))) {
    visit->misleads = visit->gate->binds && has_long(cookie, config->cookie_name);
    return refuse(visit, "several", "the request has several different session cookies: none of them counts", error);
  }
  if (visit->gate->binds && gate_misleads(visit->gate, cookie)) {
    visit->misleads = true;
    return refuse(visit, "several", "the request has a session cookie in another spelling than browsers send it: none counts", error);
  }
  tuile_manager *manager = gate_open(visit->gate, error);
  if (!manager) return away(visit, error);
  if (tuile_session_start(manager, cookie, (tuile_bytes){NULL, 0}, &visit->session, error) != TUILE_OK) return away(visit, error);
  atomic_fetch_add(&visit->gate->visits, 1);
  size_t values = 0;
  tuile_bytes id;
  tuile_status status = tuile_session_load(visit->session, error);
  if (status == TUILE_UNBOUND)
    return refuse(visit, "unbound", "the session is bound to a device, and its bound cookie did not come or is too old", error);
  if (status == TUILE_UNREADABLE)
    return refuse(visit, "unreadable", "the session can't be verified or read: another secret signed it, or it is no JSON object", error);
  if (status >= 0) status = tuile_session_count(visit->session, &values, error);
  if (is_outage(status)) return away(visit, error);
  if (status < 0) return refuse(visit, "unreadable", "the session is larger than max_data, or can't be read", error);
  if (may_be_a_copy(visit) && has_revocations(visit))
    return refuse(visit, "unchecked", "the session's application keeps revocations, and they are not configured here", error);
  /* A session in its cookie has no ID. */
  bool found = values > 0 || tuile_session_id(visit->session, &id) == TUILE_OK;
  visit->state = found ? GATE_FOUND : GATE_ABSENT;
  visit->reason = found ? "found" : gate_has_cookie(visit->gate, cookie) ? "absent" : "none";
  return check_user(visit, error);
}

bool gate_may_reload(const struct gate_visit *visit, const tuile_device_request *request, tuile_device_answer *answer) {
  if (!visit->session || tuile_session_refuse(visit->session, request, answer, NULL) != TUILE_OK) return false;
  for (size_t i = 0; i < answer->header_count; i++)
    if (is_same(answer->headers[i].name, TUILE_STR("Refresh"))) return true;
  return false;
}

/* ---- writing ---- */

static tuile_status add_header(void *context, tuile_bytes name, tuile_bytes value) {
  struct gate_visit *visit = context;
  struct gate_header *header = malloc(sizeof *header + name.size + value.size + 2);
  if (!header) return TUILE_E_MEMORY;
  *header = (struct gate_header){visit->headers, header->name + name.size + 1, value.size, name.size};
  memcpy(header->name, name.data, name.size);
  header->name[name.size] = 0;
  memcpy(header->value, value.data, value.size);
  header->value[value.size] = 0;
  visit->headers = header;
  return TUILE_OK;
}

static tuile_status commit(struct gate_visit *visit, tuile_error *error) {
  free_headers(visit);
  tuile_status status = tuile_session_commit(visit->session, 200, add_header, visit, error);
  if (status == TUILE_OK) {
    visit->state = GATE_FOUND;
    visit->reason = "found";
  } else {
    free_headers(visit);
    if (status == TUILE_DELETED) { /* by a logout, meanwhile */
      visit->state = GATE_ABSENT;
      visit->reason = "absent";
    }
    if (is_outage(status)) return away(visit, error);
  }
  return status < 0 ? status : TUILE_OK;
}

/* A login's session is offered to the browser that is to be bound, with each page until it is. */
static bool is_to_offer(const struct gate_visit *visit) {
  bool bound = true;
  if (!visit->offers || visit->offered || visit->state != GATE_FOUND) return false;
  if (tuile_session_is_device_bound(visit->session, &bound) != TUILE_OK || bound) return false;
  return gate_holds((struct gate_visit *)visit, visit->gate->login_key);
}

static bool is_to_keep(const struct gate_visit *visit) { return !visit->kept && visit->gate->config.refresh > 0; }

bool gate_has_to_write(const struct gate_visit *visit, tuile_bytes count) {
  if (visit->state == GATE_AWAY || visit->state == GATE_REFUSED) return false;
  return count.size > 0 || (visit->state == GATE_FOUND && is_to_keep(visit)) || is_to_offer(visit);
}

tuile_status gate_write(struct gate_visit *visit, tuile_bytes cookie, tuile_bytes count, tuile_error *error) {
  tuile_status status = gate_read(visit, cookie, error);
  if (status != TUILE_OK || !gate_has_to_write(visit, count)) return status;
  visit->kept = true;
  if (gate_is_read_only_url(visit->gate->config.store)) {
    *error = (tuile_error){TUILE_REFUSED, 0, "the store's URL says mode=ro: nothing is counted"};
    return TUILE_REFUSED;
  }
  if (may_be_a_copy(visit) && gate_holds(visit, visit->gate->login_key)) {
    *error = (tuile_error){TUILE_REFUSED, 0, "a login in a cookie is not counted without revocations: it may be a copy"};
    return TUILE_REFUSED;
  }
  if (count.size > 0) {
    status = tuile_session_add_int(visit->session, count, 1, NULL, error);
    if (status < 0 && is_outage(status)) return away(visit, error);
    if (status < 0) return status;
  }
  if (is_to_offer(visit)) {
    visit->offered = true;
    status = tuile_session_offer_device_binding(visit->session, error);
    if (status < 0) return is_outage(status) ? away(visit, error) : status;
  }
  return commit(visit, error);
}

/* ---- values ---- */

bool gate_has_control(tuile_bytes text) {
  const unsigned char *bytes = text.data;
  for (size_t i = 0; i < text.size; i++)
    if (bytes[i] < 0x20 || bytes[i] == 0x7f) return true;
  return false;
}

tuile_status gate_text(struct gate_visit *visit, tuile_bytes key, tuile_bytes *text) {
  tuile_bytes found;
  tuile_type type;
  if (visit->state != GATE_FOUND) return TUILE_ABSENT;
  if (gate_is_of_user(key)) return gate_user_text(visit, key, text);
  if (gate_value(visit, key, &type, &found) != TUILE_OK || type == TUILE_TYPE_NULL) return TUILE_ABSENT;
  if (gate_has_control(found)) return TUILE_ABSENT;
  *text = found;
  return TUILE_OK;
}

bool gate_is_own_cookie(const struct gate *gate, tuile_bytes set_cookie) {
  tuile_set_cookie parsed = TUILE_SET_COOKIE_INIT;
  if (tuile_set_cookie_read(set_cookie, &parsed, NULL) != TUILE_OK) return false;
  return is_same(parsed.name, gate->config.cookie_name);
}
