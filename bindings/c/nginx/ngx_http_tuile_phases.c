/* When in a request what is done, and who passes.
 *
 * Access rules come first: `limit_req`, `deny` and the like refuse before the store is
 * asked, and what is refused neither counts nor keeps a session alive. */
#include "ngx_http_tuile.h"

static ngx_http_output_header_filter_pt next_header_filter;

static ngx_http_tuile_loc_conf_t *conf_of(ngx_http_request_t *r) {
  ngx_http_tuile_loc_conf_t *conf = ngx_http_get_module_loc_conf(r, ngx_http_tuile_module);
  return conf->site && conf->session ? conf : NULL;
}

/* ---- who passes ---- */

static ngx_int_t send_to_login(ngx_http_request_t *r, ngx_http_complex_value_t *login_url) {
  ngx_str_t login;
  size_t size = 0;
  if (ngx_http_complex_value(r, login_url, &login) != NGX_OK) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  tuile_bytes page = ngx_http_tuile_bytes(r->unparsed_uri);
  gate_login(ngx_http_tuile_bytes(login), page, NULL, 0, &size);
  ngx_table_elt_t *location = ngx_list_push(&r->headers_out.headers);
  u_char *url = ngx_pnalloc(r->pool, size);
  if (!location) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  ngx_memzero(location, sizeof *location);
  if (!url || gate_login(ngx_http_tuile_bytes(login), page, (char *)url, size, NULL) != TUILE_OK)
    return NGX_HTTP_INTERNAL_SERVER_ERROR;
  location->hash = 1;
  ngx_str_set(&location->key, "Location");
  location->value.data = url;
  location->value.len = size;
  ngx_http_clear_location(r);
  r->headers_out.location = location;
  return NGX_HTTP_MOVED_TEMPORARILY;
}

static ngx_int_t ask_for_login(ngx_http_request_t *r) {
  ngx_table_elt_t *header = ngx_list_push(&r->headers_out.headers);
  if (!header) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  ngx_memzero(header, sizeof *header);
  header->hash = 1;
  ngx_str_set(&header->key, "WWW-Authenticate");
  ngx_str_set(&header->value, "Cookie realm=\"session\"");
  r->headers_out.www_authenticate = header;
  return NGX_HTTP_UNAUTHORIZED;
}

/* NGX_OK if the visitor passes, else NGX_DONE or the response's status. */
static ngx_int_t decide(ngx_http_request_t *r, ngx_http_tuile_loc_conf_t *conf) {
  ngx_int_t status = ngx_http_tuile_enter(r, conf, false);
  if (status != NGX_OK) return status;
  ngx_http_tuile_ctx_t *ctx = ngx_http_tuile_find(r->main, conf->site);
  ctx->used = 1;
  if (ctx->visit.state == GATE_AWAY) return NGX_HTTP_SERVICE_UNAVAILABLE;
  if (gate_holds(&ctx->visit, ngx_http_tuile_bytes(conf->require))) return NGX_OK;
  ngx_http_core_loc_conf_t *core = ngx_http_get_module_loc_conf(r, ngx_http_core_module);
  /* Whoever asked for a subrequest wants an answer, not a way; and with "satisfy any"
   * another rule may yet let the visitor in. */
  if (!conf->login_url || r != r->main || core->satisfy == NGX_HTTP_SATISFY_ANY) return ask_for_login(r);
  return send_to_login(r, conf->login_url);
}

/* ---- the phases ---- */

/* What an outage means for a request that needs no session: NGX_DECLINED to go on. */
static ngx_int_t answer(ngx_http_request_t *r, ngx_http_tuile_loc_conf_t *conf) {
  ngx_http_tuile_ctx_t *ctx = ngx_http_tuile_find(r->main, conf->site);
  if (!ctx || ctx->visit.state != GATE_AWAY || ctx->refused || conf->unavailable == NGX_OK) return NGX_DECLINED;
  ctx->refused = 1; /* so that an error_page can be shown */
  return (ngx_int_t)conf->unavailable;
}

static ngx_int_t enter(ngx_http_request_t *r, ngx_http_tuile_loc_conf_t *conf, bool write) {
  ngx_int_t status = ngx_http_tuile_enter(r, conf, write);
  return status == NGX_OK ? answer(r, conf) : status;
}

/* Before the rules of a server: a `return` among them answers every request. */
static ngx_int_t server_rewrite(ngx_http_request_t *r) {
  ngx_http_tuile_loc_conf_t *conf = conf_of(r);
  if (!conf || r != r->main) return NGX_DECLINED;
  if (conf->rules.returns && ngx_http_tuile_remember_count(r, conf) != NGX_OK) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  if (conf->rules.returns) return enter(r, conf, true);
  return conf->early == 1 || (conf->early != 0 && conf->rules.asks) ? enter(r, conf, false) : NGX_DECLINED;
}

/* Before the rules of a location. */
static ngx_int_t rewrite(ngx_http_request_t *r) {
  ngx_http_tuile_loc_conf_t *conf = conf_of(r);
  if (!conf) return NGX_DECLINED;
  if (r != r->main) {
    /* A subrequest, of `auth_request` say, has no access phase, and `return` might answer it. */
    ngx_int_t status = conf->require.len > 0 ? decide(r, conf) : NGX_OK;
    return status == NGX_OK ? NGX_DECLINED : status;
  }
  if (ngx_http_tuile_remember_count(r, conf) != NGX_OK) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  if (conf->rules.returns) return enter(r, conf, true);
  return conf->early == 1 || (conf->early != 0 && conf->rules.asks) ? enter(r, conf, false) : NGX_DECLINED;
}

/* After all other access rules. */
static ngx_int_t access_last(ngx_http_request_t *r) {
  ngx_http_tuile_loc_conf_t *conf = conf_of(r);
  return conf && conf->require.len > 0 ? decide(r, conf) : NGX_DECLINED;
}

/* The request was let in. */
static ngx_int_t precontent(ngx_http_request_t *r) {
  ngx_http_tuile_loc_conf_t *conf = conf_of(r);
  return conf && r == r->main ? enter(r, conf, true) : NGX_DECLINED;
}

static ngx_int_t header_filter(ngx_http_request_t *r) {
  if (r == r->main && ngx_http_tuile_add_headers(r) != NGX_OK) return NGX_ERROR;
  return next_header_filter(r);
}

/* nginx calls the handlers of a phase from the array's end to its start. */
static ngx_int_t hook(ngx_conf_t *cf, ngx_http_phases phase, ngx_http_handler_pt function, bool last) {
  ngx_http_core_main_conf_t *core = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
  ngx_array_t *array = &core->phases[phase].handlers;
  ngx_http_handler_pt *end = ngx_array_push(array), *start = array->elts;
  if (!end) return NGX_ERROR;
  if (last) {
    ngx_memmove(start + 1, start, (array->nelts - 1) * sizeof *start);
    *start = function;
  } else {
    *end = function;
  }
  return NGX_OK;
}

ngx_int_t ngx_http_tuile_hook(ngx_conf_t *cf) {
  if (hook(cf, NGX_HTTP_SERVER_REWRITE_PHASE, server_rewrite, false) != NGX_OK ||
      hook(cf, NGX_HTTP_REWRITE_PHASE, rewrite, false) != NGX_OK ||
      hook(cf, NGX_HTTP_ACCESS_PHASE, access_last, true) != NGX_OK ||
      hook(cf, NGX_HTTP_PRECONTENT_PHASE, precontent, false) != NGX_OK)
    return NGX_ERROR;
  next_header_filter = ngx_http_top_header_filter;
  ngx_http_top_header_filter = header_filter;
  return NGX_OK;
}
