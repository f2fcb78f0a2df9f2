/* Sessions that Apache binds to their browsers' devices: the path where browsers register and
 * refresh, and the answer to a copy of the cookies. */
#include "mod_tuile.h"

APLOG_USE_MODULE(tuile);

static tuile_bytes header_in(void *r, const char *name) { return tuile_text(apr_table_get(((request_rec *)r)->headers_in, name)); }

tuile_device_request tuile_device_request_of(request_rec *r) {
  return gate_device_request(tuile_text(r->method), header_in, r);
}

static bool looks(request_rec *r) {
  tuile_folder *folder = ap_get_module_config(r->per_dir_config, &tuile_module);
  tuile_site *site = ap_get_module_config(tuile_first_of(r)->server->module_config, &tuile_module);
  return site->ready && site->gate.binds && folder->session != 0;
}

bool tuile_binds(request_rec *r) { return looks(r) && !r->main; }

bool tuile_is_endpoint(request_rec *r) {
  tuile_site *site = ap_get_module_config(tuile_first_of(r)->server->module_config, &tuile_module);
  return tuile_binds(r) && gate_is_endpoint(&site->gate, tuile_text(r->uri));
}

bool tuile_refuses(request_rec *r, tuile_device_answer *answer) {
  tuile_request *request = tuile_binds(r) ? tuile_find(r) : NULL;
  tuile_device_request asked = tuile_device_request_of(r);
  if (!request || !gate_refuses(&request->visit, &asked, answer)) return false;
  request->used = true;
  return true;
}

static const char *copy(request_rec *r, tuile_bytes text) { return apr_pstrmemdup(r->pool, text.data, text.size); }

/* The whole response, past ErrorDocument. */
static int send_answer(request_rec *r, const tuile_device_answer *answer) {
  int status = ap_discard_request_body(r);
  if (status != OK) return status;
  for (size_t i = 0; i < answer->header_count; i++) {
    const char *name = copy(r, answer->headers[i].name), *value = copy(r, answer->headers[i].value);
    if (strcasecmp(name, "Content-Type") == 0) ap_set_content_type(r, value);
    else apr_table_addn(r->err_headers_out, name, value);
  }
  r->status = answer->http_status;
  ap_set_content_length(r, (apr_off_t)answer->body.size);
  if (!r->header_only) ap_rwrite(answer->body.data, (int)answer->body.size, r);
  return OK;
}

/* Before the application, whatever stands for it. */
int tuile_answer_device(request_rec *r) {
  tuile_device_answer answer = TUILE_DEVICE_ANSWER_INIT;
  if (tuile_refuses(r, &answer)) return send_answer(r, &answer);
  if (!tuile_is_endpoint(r)) return DECLINED;
  tuile_request *request = tuile_find_or_add(r);
  tuile_device_request asked = tuile_device_request_of(r);
  tuile_error error;
  if (!request) return HTTP_INTERNAL_SERVER_ERROR;
  tuile_status status = gate_answer_device(&request->visit, header_in(r, "Cookie"), &asked, &answer, &error);
  if (status == TUILE_OK) return send_answer(r, &answer);
  ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "%s: %s", tuile_status_name(status), error.message);
  return HTTP_SERVICE_UNAVAILABLE; /* The browser comes again. */
}
