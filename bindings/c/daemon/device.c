/* Sessions that the gate binds to their browsers' devices. */
#include "daemon.h"

#include <strings.h>

#include "../tuile_http.h"

static tuile_bytes header(void *connection, const char *name) { return header_once(connection, name); }

tuile_device_request device_request(struct MHD_Connection *connection, tuile_bytes method) {
  return gate_device_request(method, header, connection);
}

struct MHD_Response *device_response(const tuile_device_answer *answer, const char *reason, bool one_cookie) {
  struct MHD_Response *response = MHD_create_response_from_buffer(answer->body.size, (void *)answer->body.data, MHD_RESPMEM_MUST_COPY);
  bool well = response != NULL, cookie = false;
  for (size_t i = 0; well && i < answer->header_count; i++) {
    const tuile_header *header = &answer->headers[i];
    bool is_cookie = header->name.size == 10 && strncasecmp(header->name.data, "Set-Cookie", 10) == 0;
    if (!(is_cookie && cookie && one_cookie)) well = tuile_mhd_add_header(response, header->name, header->value) == TUILE_OK;
    cookie = cookie || is_cookie;
  }
  if (well && reason) well = MHD_add_response_header(response, "X-Tuile-Status", reason) == MHD_YES;
  if (well) return response;
  if (response) MHD_destroy_response(response);
  return NULL;
}
