/* A request: its session is read when a rule or the environment needs it. */
#include "mod_tuile.h"

#include <apr_lib.h>

APLOG_USE_MODULE(tuile);

static request_rec *first_of(request_rec *r) {
  for (;;) {
    if (r->main) r = r->main;
    else if (r->prev) r = r->prev;
    else return r;
  }
}

tuile_request *tuile_find(request_rec *r) { return ap_get_module_config(first_of(r)->request_config, &tuile_module); }

static apr_status_t leave(void *request) {
  gate_leave(&((tuile_request *)request)->visit);
  return APR_SUCCESS;
}

static tuile_request *find_or_add(request_rec *r) {
  request_rec *first = first_of(r);
  tuile_request *request = ap_get_module_config(first->request_config, &tuile_module);
  tuile_site *site = ap_get_module_config(first->server->module_config, &tuile_module);
  if (request || !site->ready) return request;
  request = apr_pcalloc(first->pool, sizeof *request);
  request->site = site;
  request->visit.gate = &site->gate;
  apr_pool_cleanup_register(first->pool, request, leave, apr_pool_cleanup_null);
  ap_set_module_config(first->request_config, &tuile_module, request);
  return request;
}

/* The request's visit, its session read, and counted under that key unless it is NULL
 * or was counted already. NULL if there is no store. */
tuile_request *tuile_enter(request_rec *r, const char *count) {
  tuile_folder *folder = ap_get_module_config(r->per_dir_config, &tuile_module);
  tuile_request *request = folder->session == 0 ? NULL : find_or_add(r);
  if (!request) {
    ap_log_rerror(APLOG_MARK, APLOG_ERR, 0, r, "a session is needed where there is no TuileStore, or TuileSession is off");
    return NULL;
  }
  bool counts = count && *count && request->visit.state != GATE_AWAY &&
                !(request->counted && strcmp(request->counted, count) == 0);
  tuile_bytes cookie = tuile_text(apr_table_get(r->headers_in, "Cookie"));
  bool asks = request->visit.state == GATE_UNASKED && gate_has_cookie(request->visit.gate, cookie);
  if (!counts && !asks) return request;
  if (counts) request->counted = count;
  tuile_error error;
  tuile_status status = gate_enter(&request->visit, request->visit.gate, cookie, tuile_text(counts ? count : NULL), &error);
  if (status != TUILE_OK)
    ap_log_rerror(APLOG_MARK, request->visit.state == GATE_AWAY ? APLOG_ERR : APLOG_WARNING, 0, r, "%s: %s",
                  tuile_status_name(status), error.message);
  return request;
}

int tuile_ask_for_login(request_rec *r) {
  tuile_folder *folder = ap_get_module_config(r->per_dir_config, &tuile_module);
  tuile_request *request = tuile_find(r);
  if (!request || !request->denied || ap_auth_type(r)) return DECLINED;
  if (request->visit.state == GATE_AWAY) return HTTP_SERVICE_UNAVAILABLE;
  if (!folder->login_url) {
    apr_table_setn(r->err_headers_out, "WWW-Authenticate", "Cookie realm=\"session\"");
    return HTTP_UNAUTHORIZED;
  }
  tuile_bytes login = tuile_text(folder->login_url), page = tuile_text(first_of(r)->unparsed_uri);
  size_t size = 0;
  gate_login(login, page, NULL, 0, &size);
  char *url = apr_pcalloc(r->pool, size + 1);
  if (gate_login(login, page, url, size, NULL) != TUILE_OK) return HTTP_INTERNAL_SERVER_ERROR;
  apr_table_setn(r->headers_out, "Location", url);
  return HTTP_MOVED_TEMPORARILY;
}

/* ---- the environment ---- */

static const char *variable_name(apr_pool_t *pool, const char *key) {
  char *name = apr_pstrcat(pool, "TUILE_SESSION_", key, NULL);
  for (char *c = name; *c; c++) *c = apr_isalnum(*c) ? apr_toupper(*c) : '_';
  return name;
}

static void export_values(request_rec *r, tuile_request *request, const apr_array_header_t *keys) {
  for (int i = 0; i < keys->nelts; i++) {
    const char *key = APR_ARRAY_IDX(keys, i, const char *), *name = variable_name(r->pool, key);
    tuile_bytes text;
    apr_table_unset(r->subprocess_env, name);
    if (gate_text(&request->visit, tuile_text(key), &text) == TUILE_OK)
      apr_table_setn(r->subprocess_env, name, apr_pstrmemdup(r->pool, text.data, text.size));
  }
}

int tuile_fixups(request_rec *r) {
  tuile_folder *folder = ap_get_module_config(r->per_dir_config, &tuile_module);
  tuile_site *site = ap_get_module_config(r->server->module_config, &tuile_module);
  bool counts = folder->count && *folder->count && !r->main;
  bool keeps = site->ready && site->gate.config.refresh > 0 && !r->main;
  if (folder->session == 0 || (!counts && !keeps && !folder->variables)) return DECLINED;
  tuile_request *request = tuile_enter(r, counts ? folder->count : NULL);
  if (!request) return HTTP_INTERNAL_SERVER_ERROR;
  if (counts || folder->variables) request->used = true;
  int unavailable = folder->unavailable < 0 ? HTTP_SERVICE_UNAVAILABLE : folder->unavailable;
  if (request->visit.state == GATE_AWAY && unavailable != OK && !request->refused) {
    request->refused = true; /* so that an ErrorDocument can be shown */
    return unavailable;
  }
  if (folder->variables) export_values(r, request, folder->variables);
  return DECLINED;
}
