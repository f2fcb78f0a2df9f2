#include "gate.h"

#include <stdlib.h>
#include <string.h>
#include <time.h>

static int64_t monotonic_seconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return now.tv_sec;
}

void gate_init(struct gate *gate) {
  memset(gate, 0, sizeof *gate);
  tuile_config_init(&gate->config);
  pthread_mutex_init(&gate->mutex, NULL);
}

void gate_close(struct gate *gate) {
  if (atomic_load(&gate->visits) == 0) tuile_manager_close(gate->manager);
  gate->manager = NULL;
  pthread_mutex_destroy(&gate->mutex);
}

tuile_status gate_read_keys(tuile_bytes path, bool allow_weak, tuile_key_format format, tuile_keyring **keyring,
                            tuile_error *error) {
  tuile_keyring *made;
  tuile_status status = tuile_keyring_new(allow_weak, &made, error);
  if (status != TUILE_OK) return status;
  status = tuile_keyring_add_file(made, path, format, error);
  if (status == TUILE_OK) *keyring = made;
  else tuile_keyring_free(made);
  return status;
}

static bool starts(tuile_bytes text, const char *start) {
  size_t size = strlen(start);
  return text.size >= size && memcmp(text.data, start, size) == 0;
}

bool gate_is_inline(const struct gate *gate) {
  return starts(gate->config.store, "memory:") || starts(gate->config.store, "cookie:");
}

bool gate_may_recover(const struct gate *gate, tuile_status status) {
  if (status == TUILE_E_BUSY) return true;
  return status == TUILE_E_STORE && !starts(gate->config.store, "sqlite:") && !starts(gate->config.store, "file:");
}

/* The manager, opened if it is not; a failed opening is tried again after a second,
 * so that a store that is away costs few threads. */
static tuile_manager *opened(struct gate *gate, tuile_error *error) {
  pthread_mutex_lock(&gate->mutex);
  int64_t now = monotonic_seconds();
  if (!gate->manager && (!gate->tried || now > gate->tried)) {
    gate->failure = (tuile_error){.status = TUILE_E_STORE};
    if (tuile_manager_open(&gate->config, &gate->manager, &gate->failure) != TUILE_OK) {
      gate->manager = NULL;
      gate->tried = monotonic_seconds();
    }
  }
  tuile_manager *manager = gate->manager;
  if (!manager) *error = gate->failure;
  pthread_mutex_unlock(&gate->mutex);
  return manager;
}

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
  free_headers(visit);
}

static tuile_status away(struct gate_visit *visit, tuile_error *error) {
  visit->state = GATE_AWAY;
  return error->status;
}

static tuile_status begin(struct gate_visit *visit, tuile_bytes cookie, tuile_error *error) {
  tuile_manager *manager = opened(visit->gate, error);
  if (!manager) return away(visit, error);
  visit->session = tuile_session_begin(manager, cookie);
  if (!visit->session) {
    *error = (tuile_error){TUILE_E_MEMORY, 0, "no session can be begun"};
    return away(visit, error);
  }
  atomic_fetch_add(&visit->gate->visits, 1);
  size_t values = 0;
  tuile_bytes key;
  if (tuile_session_count(visit->session, &values, error) != TUILE_OK) return away(visit, error);
  /* A session in its cookie has no key. */
  bool found = values > 0 || tuile_session_key(visit->session, &key) == TUILE_OK;
  visit->state = found ? GATE_FOUND : GATE_ABSENT;
  return TUILE_OK;
}

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

/* The store itself failed; other errors are of this one value or session. */
static bool is_outage(tuile_status status) {
  return status == TUILE_E_STORE || status == TUILE_E_BUSY || status == TUILE_E_CORRUPT || status == TUILE_E_MEMORY ||
         status == TUILE_E_RANDOM;
}

static tuile_status commit(struct gate_visit *visit, tuile_error *error) {
  free_headers(visit);
  tuile_status status = tuile_session_commit(visit->session, 200, add_header, visit, error);
  if (status == TUILE_OK) {
    visit->state = GATE_FOUND;
  } else {
    free_headers(visit);
    if (status == TUILE_DELETED) visit->state = GATE_ABSENT; /* by a logout, meanwhile */
    if (is_outage(status)) return away(visit, error);
  }
  return status < 0 ? status : TUILE_OK;
}

tuile_status gate_enter(struct gate_visit *visit, struct gate *gate, tuile_bytes cookie, tuile_bytes count,
                        tuile_error *error) {
  tuile_status status = TUILE_OK;
  visit->gate = gate;
  bool first = visit->state == GATE_UNASKED;
  if (visit->state == GATE_AWAY || (!first && !visit->session)) {
    *error = (tuile_error){TUILE_E_STORE, 0, "the store gave this request no answer before"};
    return error->status;
  }
  if (first) status = begin(visit, cookie, error);
  if (status != TUILE_OK) return status;
  bool keep_alive = first && visit->state == GATE_FOUND && gate->config.refresh > 0;
  if (count.size > 0) {
    status = tuile_session_add_int(visit->session, count, 1, NULL, error);
    if (status < 0 && is_outage(status)) return away(visit, error);
  }
  if (status == TUILE_OK && (count.size > 0 || keep_alive)) status = commit(visit, error);
  return status < 0 ? status : TUILE_OK;
}

bool gate_has_cookie(const struct gate *gate, tuile_bytes cookie) {
  tuile_bytes value;
  return tuile_cookie_get(cookie, gate->config.cookie_name, TUILE_MATCH_LAST, &value) == TUILE_OK;
}

bool gate_passes(struct gate_visit *visit, tuile_bytes key) {
  tuile_bytes json;
  if (visit->state != GATE_FOUND) return false;
  if (tuile_session_get_json(visit->session, key, &json, NULL) != TUILE_OK) return false;
  return !(json.size == 4 && memcmp(json.data, "null", 4) == 0) && !(json.size == 5 && memcmp(json.data, "false", 5) == 0);
}

static bool has_control(tuile_bytes text) {
  const unsigned char *bytes = text.data;
  for (size_t i = 0; i < text.size; i++)
    if (bytes[i] < 0x20 || bytes[i] == 0x7f) return true;
  return false;
}

tuile_status gate_text(struct gate_visit *visit, tuile_bytes key, tuile_bytes *text) {
  tuile_bytes found;
  tuile_type type;
  if (visit->state != GATE_FOUND) return TUILE_ABSENT;
  if (tuile_session_type(visit->session, key, &type, NULL) != TUILE_OK || type == TUILE_TYPE_NULL) return TUILE_ABSENT;
  tuile_status status = type == TUILE_TYPE_STRING ? tuile_session_get_string(visit->session, key, &found, NULL)
                                                  : tuile_session_get_json(visit->session, key, &found, NULL);
  if (status != TUILE_OK || has_control(found)) return TUILE_ABSENT;
  *text = found;
  return TUILE_OK;
}

bool gate_is_own_cookie(const struct gate *gate, tuile_bytes set_cookie) {
  tuile_set_cookie parsed = TUILE_SET_COOKIE_INIT;
  if (tuile_set_cookie_parse(set_cookie, &parsed, NULL) != TUILE_OK) return false;
  tuile_bytes name = gate->config.cookie_name;
  return parsed.name.size == name.size && memcmp(parsed.name.data, name.data, name.size) == 0;
}

tuile_status gate_login(tuile_bytes login, tuile_bytes page, char *buffer, size_t capacity, size_t *size) {
  static const char parameter[] = "next=";
  const char *bytes = page.data;
  /* "//host" and "/\host" would be another site's to a browser, which also drops tabs and ends of lines. */
  bool ours = page.size > 0 && bytes[0] == '/' && !(page.size > 1 && (bytes[1] == '/' || bytes[1] == '\\')) &&
              !has_control(page);
  size_t next = 0;
  tuile_status status = tuile_cookie_encode(page, TUILE_ENCODING_PERCENT, NULL, 0, &next, NULL);
  if (status != TUILE_OK && status != TUILE_E_SPACE) return status;
  size_t needed = login.size + (ours ? sizeof parameter + next : 0);
  if (size) *size = needed;
  if (needed > capacity) return TUILE_E_SPACE;
  memcpy(buffer, login.data, login.size);
  if (!ours) return TUILE_OK;
  char *end = buffer + login.size;
  *end++ = memchr(login.data, '?', login.size) ? '&' : '?';
  memcpy(end, parameter, sizeof parameter - 1);
  return tuile_cookie_encode(page, TUILE_ENCODING_PERCENT, end + sizeof parameter - 1, next, NULL, NULL);
}
