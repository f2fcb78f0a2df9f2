/* When in a request what is done.
 *
 * Access rules come first: `limit_req`, `deny` and the like refuse before the store is
 * asked, and what is refused neither counts nor keeps a session alive. */
#include "ngx_http_tuile.h"

static ngx_http_output_header_filter_pt next_header_filter;

static ngx_http_tuile_loc_conf_t *conf_of(ngx_http_request_t *r) {
  ngx_http_tuile_loc_conf_t *conf = ngx_http_get_module_loc_conf(r, ngx_http_tuile_module);
  return conf->site && conf->session ? conf : NULL;
}

static bool requires(const ngx_http_tuile_loc_conf_t *conf) { return conf->require && conf->require->count > 0; }

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
    ngx_int_t status = requires(conf) ? ngx_http_tuile_decide(r, conf) : NGX_OK;
    return status == NGX_OK ? NGX_DECLINED : status;
  }
  if (ngx_http_tuile_remember_count(r, conf) != NGX_OK) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  if (conf->rules.returns) {
    ngx_int_t status = enter(r, conf, true);
    ngx_http_tuile_answered(r, conf, status);
    return status;
  }
  return conf->early == 1 || (conf->early != 0 && conf->rules.asks) ? enter(r, conf, false) : NGX_DECLINED;
}

/* After all other access rules. */
static ngx_int_t access_last(ngx_http_request_t *r) {
  ngx_http_tuile_loc_conf_t *conf = conf_of(r);
  return conf && requires(conf) ? ngx_http_tuile_decide(r, conf) : NGX_DECLINED;
}

/* What a client says of identity is of no use to any rule, nor to a log. */
static ngx_int_t post_read(ngx_http_request_t *r) { return ngx_http_tuile_identify(r, NULL); }

/* The request was let in. */
static ngx_int_t precontent(ngx_http_request_t *r) {
  ngx_http_tuile_loc_conf_t *conf = conf_of(r);
  ngx_int_t status = NGX_DECLINED;
  tuile_device_answer whole = TUILE_DEVICE_ANSWER_INIT;
  if (conf && ngx_http_tuile_is_endpoint(r, conf)) {
    status = ngx_http_tuile_enter_device(r, conf, &whole);
    return status == NGX_OK ? ngx_http_tuile_send_device(r, &whole) : status;
  }
  if (conf && (r == r->main || conf->identity)) {
    status = enter(r, conf, r == r->main);
    /* A bound session without its bound cookie is shown nothing, whoever would give the response. */
    if (status == NGX_DECLINED && ngx_http_tuile_refuses(r, conf, &whole)) {
      ngx_http_tuile_answered(r, conf, whole.http_status);
      return ngx_http_tuile_send_device(r, &whole);
    }
    /* Where something is required the answer was counted there. */
    if (!requires(conf)) ngx_http_tuile_answered(r, conf, status);
  }
  return status == NGX_DECLINED ? ngx_http_tuile_identify(r, conf) : status;
}

static ngx_int_t header_filter(ngx_http_request_t *r) {
  if (ngx_http_tuile_add_headers(r) != NGX_OK) return NGX_ERROR;
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
  if (hook(cf, NGX_HTTP_POST_READ_PHASE, post_read, false) != NGX_OK ||
      hook(cf, NGX_HTTP_SERVER_REWRITE_PHASE, server_rewrite, false) != NGX_OK ||
      hook(cf, NGX_HTTP_REWRITE_PHASE, rewrite, false) != NGX_OK ||
      hook(cf, NGX_HTTP_ACCESS_PHASE, access_last, true) != NGX_OK ||
      hook(cf, NGX_HTTP_PRECONTENT_PHASE, precontent, false) != NGX_OK)
    return NGX_ERROR;
  next_header_filter = ngx_http_top_header_filter;
  ngx_http_top_header_filter = header_filter;
  return NGX_OK;
}
