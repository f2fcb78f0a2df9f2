/* A request: its session is read when a rule or the environment needs it. */
#include "mod_tuile.h"

#include <apr_lib.h>

APLOG_USE_MODULE(tuile);

request_rec *tuile_first_of(request_rec *r) {
  for (;;) {
    if (r->main) r = r->main;
    else if (r->prev) r = r->prev;
    else return r;
  }
}

tuile_request *tuile_find(request_rec *r) { return ap_get_module_config(tuile_first_of(r)->request_config, &tuile_module); }

static apr_status_t leave(void *request) {
  gate_leave(&((tuile_request *)request)->visit);
  return APR_SUCCESS;
}

tuile_request *tuile_find_or_add(request_rec *r) {
  request_rec *first = tuile_first_of(r);
  tuile_request *request = ap_get_module_config(first->request_config, &tuile_module);
  tuile_site *site = ap_get_module_config(first->server->module_config, &tuile_module);
  if (request || !site->ready) return request;
  request = apr_pcalloc(first->pool, sizeof *request);
  request->visit.gate = &site->gate;
  tuile_device_request asked = tuile_device_request_of(first);
  request->visit.offers = site->gate.binds && gate_is_page(&asked);
  apr_pool_cleanup_register(first->pool, request, leave, apr_pool_cleanup_null);
  ap_set_module_config(first->request_config, &tuile_module, request);
  return request;
}

static tuile_bytes cookie_of(request_rec *r) { return tuile_text(apr_table_get(r->headers_in, "Cookie")); }

static void explain(request_rec *r, const tuile_request *request, tuile_status status, const tuile_error *error) {
  if (status == TUILE_OK) return;
  int level = request->visit.state == GATE_AWAY ? APLOG_ERR : APLOG_WARNING;
  ap_log_rerror(APLOG_MARK, level, 0, r, "%s: %s", tuile_status_name(status), error->message);
}

/* The request's visit, its session read. NULL if there is no store. */
tuile_request *tuile_read(request_rec *r) {
  tuile_folder *folder = ap_get_module_config(r->per_dir_config, &tuile_module);
  tuile_request *request = folder->session == 0 ? NULL : tuile_find_or_add(r);
  if (!request) {
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "a session is needed where there is no TuileStore, or TuileSession is off");
    return NULL;
  }
  tuile_error error;
  if (request->visit.state == GATE_UNREAD && gate_has_cookie(request->visit.gate, cookie_of(r)))
    explain(r, request, gate_read(&request->visit, cookie_of(r), &error), &error);
  return request;
}

/* ---- who does not pass ---- */

static tuile_bytes header_in(request_rec *r, const char *name) { return tuile_text(apr_table_get(r->headers_in, name)); }

static int ask_for_login(request_rec *r) {
  apr_table_setn(r->err_headers_out, "WWW-Authenticate", "Cookie realm=\"session\"");
  return HTTP_UNAUTHORIZED;
}

static bool may_reload(request_rec *r, const struct gate_visit *visit) {
  tuile_device_request request = tuile_device_request_of(r);
  tuile_device_answer answer = TUILE_DEVICE_ANSWER_INIT;
  return gate_may_reload(visit, &request, &answer);
}

static int lead_to_login(request_rec *r, const tuile_folder *folder, const struct gate_visit *visit) {
  struct gate_kind kind = {header_in(r, "Sec-Fetch-Mode"), header_in(r, "X-Requested-With"), header_in(r, "Accept")};
  tuile_bytes login = tuile_text(folder->login_url), host = header_in(r, "Host");
  if (may_reload(r, visit)) {
    apr_table_setn(r->err_headers_out, "Refresh", "0");
    return ask_for_login(r);
  }
  if (login.size == 0) return ask_for_login(r);
  if (gate_place_of(login, tuile_text(tuile_first_of(r)->unparsed_uri), host) == GATE_LOOPS) {
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r,
                  "TuileLoginURL %s is required to log in for: name it by its path, or let everybody pass there",
                  folder->login_url);
    return ask_for_login(r);
  }
  if (!gate_is_navigation(&kind)) return ask_for_login(r);
  const char *mistake = NULL, *page = tuile_first_of(r)->unparsed_uri;
  if (folder->login_next) page = ap_expr_str_exec(r, folder->login_next, &mistake);
  if (mistake) {
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "TuileLoginNext: %s", mistake);
    return HTTP_INTERNAL_SERVER_ERROR;
  }
  struct gate_way way = {.login = login,
                         .parameter = tuile_text(folder->login_parameter ? folder->login_parameter : "next"),
                         .page = tuile_text(page),
                         .page_is_said = folder->login_next != NULL,
                         .scheme = tuile_text(ap_http_scheme(r)),
                         .host = host};
  size_t size = 0;
  gate_login(&way, NULL, 0, &size);
  char *url = apr_pcalloc(r->pool, size + 1);
  if (gate_login(&way, url, size, NULL) != TUILE_OK) return HTTP_INTERNAL_SERVER_ERROR;
  apr_table_setn(r->headers_out, "Location", url);
  return HTTP_MOVED_TEMPORARILY;
}

/* Instead of a user's name and password, where a requirement is not fulfilled. */
int tuile_ask_for_login(request_rec *r) {
  tuile_folder *folder = ap_get_module_config(r->per_dir_config, &tuile_module);
  tuile_request *request = tuile_find(r);
  if (!request || !request->denied || ap_auth_type(r)) return DECLINED;
  int status = request->answer == GATE_UNAVAILABLE ? HTTP_SERVICE_UNAVAILABLE
               : request->answer == GATE_FORBIDDEN ? HTTP_FORBIDDEN
                                                   : lead_to_login(r, folder, &request->visit);
  tuile_answered(request, folder->place, gate_outcome_of(status));
  return status;
}

/* ---- the environment ---- */

static const char *variable_name(apr_pool_t *pool, const char *key) {
  char *name = apr_pstrcat(pool, "TUILE_SESSION_", key, NULL);
  for (char *c = name; *c; c++) *c = apr_isalnum(*c) ? apr_toupper(*c) : '_';
  return name;
}

static void export_values(request_rec *r, tuile_request *request, const apr_array_header_t *keys) {
  const char *reason = request->visit.reason;
  apr_table_setn(r->subprocess_env, "TUILE_STATUS", reason ? reason : "unread");
  for (int i = 0; i < keys->nelts; i++) {
    const char *key = APR_ARRAY_IDX(keys, i, const char *), *name = variable_name(r->pool, key);
    tuile_bytes text;
    apr_table_unset(r->subprocess_env, name);
    if (gate_text(&request->visit, tuile_text(key), &text) == TUILE_OK)
      apr_table_setn(r->subprocess_env, name, apr_pstrmemdup(r->pool, text.data, text.size));
  }
}

static bool looks_at_sessions(request_rec *r, tuile_folder *folder) {
  tuile_site *site = ap_get_module_config(r->server->module_config, &tuile_module);
  bool keeps = site->ready && site->gate.config.refresh > 0 && !r->main;
  bool counts = folder->count && *folder->count && !r->main;
  return folder->session != 0 && (counts || keeps || folder->variables || folder->identity || tuile_binds(r));
}

/* What an outage means for a request that needs no session. */
static int answer(const tuile_folder *folder, tuile_request *request) {
  int unavailable = folder->unavailable < 0 ? HTTP_SERVICE_UNAVAILABLE : folder->unavailable;
  /* A copy of a bound session would pass; a .htaccess is not read when Apache starts. */
  if (unavailable == OK && request->visit.gate->binds) unavailable = HTTP_SERVICE_UNAVAILABLE;
  if (request->visit.state != GATE_AWAY || unavailable == OK || request->refused) return OK;
  request->refused = true; /* so that an ErrorDocument can be shown */
  return unavailable;
}

/* Before the rewrite rules of a directory, which may ask for the variables. */
static int fix_up(request_rec *r, tuile_folder *folder) {
  if (!looks_at_sessions(r, folder)) return tuile_forget_claims(r);
  tuile_request *request = tuile_read(r);
  if (!request) return HTTP_INTERNAL_SERVER_ERROR;
  int status = answer(folder, request);
  if (status != OK) return status;
  tuile_identify(r, folder, request);
  if (!folder->variables) return DECLINED;
  request->used = true;
  export_values(r, request, folder->variables);
  return DECLINED;
}

/* The access rules let the request in; whether or not they asked for its session. */
int tuile_fixups(request_rec *r) {
  tuile_folder *folder = ap_get_module_config(r->per_dir_config, &tuile_module);
  if (tuile_is_endpoint(r)) return tuile_forget_claims(r);
  int status = fix_up(r, folder);
  tuile_request *request = r->main ? NULL : tuile_find(r);
  if (!request || folder->session == 0) return status;
  tuile_device_answer refusal = TUILE_DEVICE_ANSWER_INIT;
  enum gate_outcome passed = tuile_refuses(r, &refusal) ? gate_outcome_of(refusal.http_status) : GATE_OUTCOME_PASS;
  tuile_answered(request, folder->place, status == OK || status == DECLINED ? passed : GATE_OUTCOME_UNAVAILABLE);
  request->place = 0; /* an internal redirect has its own */
  return status;
}

/* After them, since they may refuse the request: counts, and keeps the session alive. */
int tuile_let_in(request_rec *r) {
  tuile_folder *folder = ap_get_module_config(r->per_dir_config, &tuile_module);
  tuile_request *request = tuile_find(r);
  if (!request || r->main || tuile_is_endpoint(r) || !looks_at_sessions(r, folder)) return DECLINED;
  const char *count = folder->count && *folder->count ? folder->count : NULL;
  if (count && request->counted && strcmp(request->counted, count) == 0) count = NULL;
  if (count) request->counted = count, request->used = true;
  if (!gate_has_to_write(&request->visit, tuile_text(count))) return DECLINED;
  tuile_error error;
  explain(r, request, gate_write(&request->visit, cookie_of(r), tuile_text(count), &error), &error);
  int status = answer(folder, request);
  if (status != OK) return status;
  tuile_identify(r, folder, request);
  if (folder->variables) export_values(r, request, folder->variables);
  return DECLINED;
}
