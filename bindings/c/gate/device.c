/* Sessions that this server binds to their browsers' devices, for an application behind it that
 * knows nothing of that. */
#include "gate.h"

#include <string.h>

#include "../tuile_http.h"

bool gate_is_endpoint(const struct gate *gate, tuile_bytes path) {
  return gate->binds && path.size == gate->config.device_path.size &&
         memcmp(path.data, gate->config.device_path.data, path.size) == 0;
}

tuile_device_request gate_device_request(tuile_bytes method, tuile_bytes (*header)(void *, const char *), void *of) {
  tuile_device_request request = TUILE_DEVICE_REQUEST_INIT;
  request.method = method;
  request.proof = header(of, "Secure-Session-Response");
  request.identifier = header(of, "Sec-Secure-Session-Id");
  request.skipped = header(of, "Secure-Session-Skipped");
  request.fetch_site = header(of, "Sec-Fetch-Site");
  request.fetch_mode = header(of, "Sec-Fetch-Mode");
  request.fetch_dest = header(of, "Sec-Fetch-Dest");
  return request;
}

static bool is(tuile_bytes text, const char *word) { return text.size == strlen(word) && memcmp(text.data, word, text.size) == 0; }

bool gate_is_page(const tuile_device_request *request) {
  return is(request->fetch_mode, "navigate") && is(request->fetch_dest, "document");
}

tuile_status gate_answer_device(struct gate_visit *visit, tuile_bytes cookie, const tuile_device_request *request,
                                tuile_device_answer *answer, tuile_error *error) {
  tuile_manager *manager = gate_open(visit->gate, error);
  if (!manager) return error->status;
  if (!visit->device) { /* a session of its own, which nobody has used */
    tuile_status status = tuile_session_start(manager, cookie, (tuile_bytes){NULL, 0}, &visit->device, error);
    if (status != TUILE_OK) return status;
    atomic_fetch_add(&visit->gate->visits, 1);
  }
  return tuile_session_answer_device(visit->device, request, answer, error);
}

bool gate_refuses(const struct gate_visit *visit, const tuile_device_request *request, tuile_device_answer *answer) {
  if (!visit->gate->binds || visit->state != GATE_REFUSED) return false;
  if (visit->misleads) {
    *answer = (tuile_device_answer){.size = sizeof *answer, .http_status = 400};
    return true;
  }
  return visit->session && tuile_session_refuse(visit->session, request, answer, NULL) == TUILE_OK;
}

/* ---- what the application might read otherwise ---- */

static int letter_or_digit(const unsigned char *at, size_t left, size_t *taken) {
  int byte = *at;
  *taken = 1;
  if (byte == '%' && left > 2 && tuile_hex_digit(at[1]) >= 0 && tuile_hex_digit(at[2]) >= 0) {
    byte = tuile_hex_digit(at[1]) * 16 + tuile_hex_digit(at[2]);
    *taken = 3;
  }
  if (byte >= 'A' && byte <= 'Z') return byte + 'a' - 'A';
  return (byte >= 'a' && byte <= 'z') || (byte >= '0' && byte <= '9') ? byte : -1;
}

/* Whether a framework may take one name for the other: by their letters and digits. */
static bool is_like(tuile_bytes one, tuile_bytes other) {
  const unsigned char *left = one.data, *right = other.data;
  size_t i = 0, j = 0, taken;
  for (;;) {
    int first = -1, second = -1;
    while (i < one.size && first < 0) first = letter_or_digit(left + i, one.size - i, &taken), i += taken;
    while (j < other.size && second < 0) second = letter_or_digit(right + j, other.size - j, &taken), j += taken;
    if (first != second) return false;
    if (first < 0) return true;
  }
}

/* No quotes, no escapes but those of URLs, nothing that is not ASCII. */
static bool is_plain(tuile_bytes value) {
  const unsigned char *bytes = value.data;
  for (size_t i = 0; i < value.size; i++)
    if (bytes[i] <= ' ' || bytes[i] >= 0x7f || bytes[i] == '"' || bytes[i] == '\\') return false;
  return true;
}

static bool pair_misleads(tuile_bytes pair, tuile_bytes name) {
  const char *equals = pair.size > 0 ? memchr(pair.data, '=', pair.size) : NULL;
  if (!equals) return false;
  tuile_bytes before = {pair.data, (size_t)(equals - (const char *)pair.data)};
  tuile_bytes value = {equals + 1, pair.size - before.size - 1};
  if (value.size < GATE_BOUND_SIZE || !is_like(before, name)) return false;
  return before.size != name.size || memcmp(before.data, name.data, name.size) != 0 || !is_plain(value);
}

bool gate_misleads(const struct gate *gate, tuile_bytes cookie) {
  const char *at = cookie.data, *end = at + cookie.size;
  while (at < end) {
    while (at < end && (*at == ' ' || *at == '\t')) at++;
    const char *stop = at;
    while (stop < end && *stop != ';' && *stop != ',') stop++;
    const char *last = stop; /* blanks around a pair are nobody's */
    while (last > at && (last[-1] == ' ' || last[-1] == '\t')) last--;
    if (pair_misleads((tuile_bytes){at, (size_t)(last - at)}, gate->config.cookie_name)) return true;
    at = stop + 1;
  }
  return false;
}
