/* Who passes, and where others are sent. */
#include "ngx_http_tuile.h"

static bool is_navigation(ngx_http_request_t *r) {
  struct gate_kind kind = {ngx_http_tuile_header_in(r, "Sec-Fetch-Mode"), ngx_http_tuile_header_in(r, "X-Requested-With"),
                           ngx_http_tuile_header_in(r, "Accept")};
  return gate_is_navigation(&kind);
}

static bool may_reload(ngx_http_request_t *r, const struct gate_visit *visit) {
  tuile_device_request request = ngx_http_tuile_device_request(r);
  tuile_device_answer answer = TUILE_DEVICE_ANSWER_INIT;
  return gate_may_reload(visit, &request, &answer);
}

static tuile_bytes scheme_of(ngx_http_request_t *r) {
#if (NGX_HTTP_SSL)
  if (r->connection->ssl) return TUILE_STR("https");
#endif
  return TUILE_STR("http");
}

static ngx_int_t redirect(ngx_http_request_t *r, const struct gate_way *way) {
  size_t size = 0;
  gate_login(way, NULL, 0, &size);
  ngx_table_elt_t *location = ngx_list_push(&r->headers_out.headers);
  if (!location) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  ngx_memzero(location, sizeof *location);
  u_char *url = ngx_pnalloc(r->pool, size);
  if (!url || gate_login(way, (char *)url, size, NULL) != TUILE_OK) return NGX_HTTP_INTERNAL_SERVER_ERROR;
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

/* Its page is nginx's own, or error_page's: browsers load none again that is empty. */
static ngx_int_t have_reloaded(ngx_http_request_t *r) {
  ngx_table_elt_t *header = ngx_list_push(&r->headers_out.headers);
  if (!header) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  ngx_memzero(header, sizeof *header);
  header->hash = 1;
  ngx_str_set(&header->key, "Refresh");
  ngx_str_set(&header->value, "0");
  return ask_for_login(r);
}

/* For who is not logged in. */
static ngx_int_t lead_to_login(ngx_http_request_t *r, ngx_http_tuile_loc_conf_t *conf, const struct gate_visit *visit) {
  ngx_http_core_loc_conf_t *core = ngx_http_get_module_loc_conf(r, ngx_http_core_module);
  ngx_str_t login = ngx_null_string, next = ngx_null_string;
  if (r == r->main && may_reload(r, visit)) return have_reloaded(r);
  if (!conf->login_url) return ask_for_login(r);
  if (ngx_http_complex_value(r, conf->login_url, &login) != NGX_OK) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  tuile_bytes host = r->headers_in.host ? ngx_http_tuile_bytes(r->headers_in.host->value) : (tuile_bytes){NULL, 0};
  enum gate_place place = gate_place_of(ngx_http_tuile_bytes(login), ngx_http_tuile_bytes(r->unparsed_uri), host);
  if (place == GATE_AT_LOGIN && r == r->main) return NGX_OK; /* not what its page includes */
  if (place == GATE_LOOPS)
    ngx_log_error(NGX_LOG_ERR, r->connection->log, 0,
                  "tuile_login_url \"%V\" is required to log in for: name it by its path, or let everybody pass there", &login);
  /* Whoever asked for a subrequest, or has a program's request, wants an answer, not a way;
   * and with "satisfy any" another rule may yet let the visitor in. */
  if (login.len == 0 || place == GATE_LOOPS || r != r->main || core->satisfy == NGX_HTTP_SATISFY_ANY || !is_navigation(r))
    return ask_for_login(r);
  if (conf->login_next && ngx_http_complex_value(r, conf->login_next, &next) != NGX_OK)
    return NGX_HTTP_INTERNAL_SERVER_ERROR;
  struct gate_way way = {
      .login = ngx_http_tuile_bytes(login),
      .parameter = ngx_http_tuile_bytes(conf->login_parameter),
      .page = ngx_http_tuile_bytes(conf->login_next ? next : r->unparsed_uri),
      .page_is_said = conf->login_next != NULL,
      .scheme = scheme_of(r),
      .host = host};
  return redirect(r, &way);
}

/* later: whoever passes here is answered behind all access rules. */
static ngx_int_t decide(ngx_http_request_t *r, ngx_http_tuile_loc_conf_t *conf, bool *later) {
  tuile_device_answer answer = TUILE_DEVICE_ANSWER_INIT;
  if ((*later = ngx_http_tuile_is_endpoint(r, conf))) return NGX_OK; /* A browser that refreshes may have no session any more. */
  ngx_int_t status = ngx_http_tuile_enter(r, conf, false);
  if (status != NGX_OK) return status;
  ngx_http_tuile_ctx_t *ctx = ngx_http_tuile_find(r->main, conf->site);
  ctx->used = ctx->guarded = 1;
  if ((*later = ngx_http_tuile_refuses(r, conf, &answer))) return NGX_OK;
  switch (gate_decide(&ctx->visit, conf->require)) {
    case GATE_PASSES: return NGX_OK;
    case GATE_FORBIDDEN: return NGX_HTTP_FORBIDDEN;
    case GATE_UNAVAILABLE: return NGX_HTTP_SERVICE_UNAVAILABLE;
    default: return lead_to_login(r, conf, &ctx->visit);
  }
}

ngx_int_t ngx_http_tuile_decide(ngx_http_request_t *r, ngx_http_tuile_loc_conf_t *conf) {
  bool later = false;
  ngx_int_t status = decide(r, conf, &later);
  if (!later) ngx_http_tuile_answered(r, conf, status);
  return status;
}
