/* Sessions that the gate binds to their browsers' devices. */
#include "daemon.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

tuile_device_request device_request(struct MHD_Connection *connection, tuile_bytes method) {
  tuile_device_request asked = TUILE_DEVICE_REQUEST_INIT;
  asked.method = method;
  asked.proof = header_once(connection, "Secure-Session-Response");
  asked.identifier = header_once(connection, "Sec-Secure-Session-Id");
  asked.skipped = header_once(connection, "Secure-Session-Skipped");
  asked.fetch_site = header_once(connection, "Sec-Fetch-Site");
  asked.fetch_mode = header_once(connection, "Sec-Fetch-Mode");
  asked.fetch_dest = header_once(connection, "Sec-Fetch-Dest");
  return asked;
}

static bool add(struct MHD_Response *response, const tuile_header *header) {
  char *name = strndup(header->name.data, header->name.size), *value = strndup(header->value.data, header->value.size);
  bool well = name && value && MHD_add_response_header(response, name, value) == MHD_YES;
  free(name);
  free(value);
  return well;
}

struct MHD_Response *device_response(const tuile_device_answer *answer, const char *reason, bool one_cookie) {
  struct MHD_Response *response = MHD_create_response_from_buffer(answer->body.size, (void *)answer->body.data, MHD_RESPMEM_MUST_COPY);
  bool well = response != NULL, cookie = false;
  for (size_t i = 0; well && i < answer->header_count; i++) {
    const tuile_header *header = &answer->headers[i];
    bool is_cookie = header->name.size == 10 && strncasecmp(header->name.data, "Set-Cookie", 10) == 0;
    if (!(is_cookie && cookie && one_cookie)) well = add(response, header);
    cookie = cookie || is_cookie;
  }
  if (well && reason) well = MHD_add_response_header(response, "X-Tuile-Status", reason) == MHD_YES;
  if (well) return response;
  if (response) MHD_destroy_response(response);
  return NULL;
}
