/* The directives, variables and hooks of ngx_http_tuile_module: see docs/nginx.md. */
#include "ngx_http_tuile.h"

static ngx_http_output_header_filter_pt next_header_filter;

static ngx_conf_enum_t same_sites[] = {
    {ngx_string("none"), TUILE_SAME_SITE_NONE},
    {ngx_string("lax"), TUILE_SAME_SITE_LAX},
    {ngx_string("strict"), TUILE_SAME_SITE_STRICT},
    {ngx_string("unset"), TUILE_SAME_SITE_UNSET},
    {ngx_null_string, 0}};

static char *set_variable(ngx_conf_t *cf, ngx_command_t *command, void *conf);

#define ANYWHERE (NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF | NGX_HTTP_LOC_CONF)
#define SETTING(name, set, field, post)                                      \
  {ngx_string(name), ANYWHERE | NGX_CONF_TAKE1, set, NGX_HTTP_LOC_CONF_OFFSET, \
   offsetof(ngx_http_tuile_loc_conf_t, field), post}

static ngx_command_t commands[] = {
    SETTING("tuile_store", ngx_http_tuile_set_store, settings.store, NULL),
    {ngx_string("tuile_secret_file"), ANYWHERE | NGX_CONF_TAKE123, ngx_http_tuile_set_secret_file,
     NGX_HTTP_LOC_CONF_OFFSET, 0, NULL},
    SETTING("tuile_cookie_name", ngx_conf_set_str_slot, settings.cookie_name, NULL),
    SETTING("tuile_cookie_domain", ngx_conf_set_str_slot, settings.cookie_domain, NULL),
    SETTING("tuile_cookie_path", ngx_conf_set_str_slot, settings.cookie_path, NULL),
    SETTING("tuile_cookie_age", ngx_conf_set_sec_slot, settings.cookie_age, NULL),
    SETTING("tuile_cookie_samesite", ngx_conf_set_enum_slot, settings.cookie_same_site, same_sites),
    SETTING("tuile_cookie_secure", ngx_conf_set_flag_slot, settings.cookie_secure, NULL),
    SETTING("tuile_cookie_httponly", ngx_conf_set_flag_slot, settings.cookie_http_only, NULL),
    SETTING("tuile_refresh", ngx_conf_set_sec_slot, settings.refresh, NULL),
    SETTING("tuile_session", ngx_conf_set_flag_slot, session, NULL),
    SETTING("tuile_require", ngx_http_tuile_set_require, require, NULL),
    SETTING("tuile_login_url", ngx_http_set_complex_value_slot, login_url, NULL),
    SETTING("tuile_count", ngx_conf_set_str_slot, count, NULL),
    SETTING("tuile_unavailable", ngx_http_tuile_set_unavailable, unavailable, NULL),
    SETTING("tuile_thread_pool", ngx_conf_set_str_slot, pool_name, NULL),
    {ngx_string("tuile_variable"), NGX_HTTP_MAIN_CONF | NGX_CONF_TAKE2, set_variable, NGX_HTTP_MAIN_CONF_OFFSET, 0,
     NULL},
    ngx_null_command};

/* ---- variables ---- */

static ngx_int_t get_value(ngx_http_request_t *r, ngx_http_variable_value_t *variable, ngx_str_t key) {
  ngx_http_tuile_loc_conf_t *conf = ngx_http_get_module_loc_conf(r, ngx_http_tuile_module);
  ngx_http_tuile_ctx_t *ctx = ngx_http_tuile_find(r->main, conf->site);
  tuile_bytes text;
  variable->not_found = 1;
  if (!ctx || ctx->running) return NGX_OK;
  ctx->used = 1;
  if (gate_text(&ctx->visit, ngx_http_tuile_bytes(key), &text) != TUILE_OK) return NGX_OK;
  variable->len = text.size;
  variable->data = (u_char *)text.data;
  variable->valid = 1;
  variable->no_cacheable = 1;
  variable->not_found = 0;
  return NGX_OK;
}

static const ngx_str_t prefix = ngx_string("tuile_session_");

/* data: the whole name, which starts with the prefix */
static ngx_int_t get_by_prefix(ngx_http_request_t *r, ngx_http_variable_value_t *variable, uintptr_t data) {
  ngx_str_t key = *(ngx_str_t *)data;
  key.data += prefix.len;
  key.len -= prefix.len;
  return get_value(r, variable, key);
}

static ngx_int_t get_by_key(ngx_http_request_t *r, ngx_http_variable_value_t *variable, uintptr_t data) {
  return get_value(r, variable, *(ngx_str_t *)data);
}

static ngx_int_t add_variables(ngx_conf_t *cf) {
  ngx_str_t name = prefix;
  ngx_http_variable_t *variable = ngx_http_add_variable(cf, &name, NGX_HTTP_VAR_PREFIX | NGX_HTTP_VAR_NOCACHEABLE);
  if (!variable) return NGX_ERROR;
  variable->get_handler = get_by_prefix;
  return NGX_OK;
}

/* tuile_variable $name key: for keys that no variable's name can have. */
static char *set_variable(ngx_conf_t *cf, ngx_command_t *command, void *conf) {
  ngx_str_t *words = cf->args->elts, name = words[1];
  if (name.len < 2 || name.data[0] != '$') {
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\" is no variable's name", &name);
    return NGX_CONF_ERROR;
  }
  name.data++;
  name.len--;
  ngx_http_variable_t *variable = ngx_http_add_variable(cf, &name, NGX_HTTP_VAR_NOCACHEABLE);
  ngx_str_t *key = ngx_palloc(cf->pool, sizeof *key);
  if (!variable || !key) return NGX_CONF_ERROR;
  *key = words[2];
  variable->get_handler = get_by_key;
  variable->data = (uintptr_t)key;
  return NGX_CONF_OK;
}

/* ---- hooks ---- */

static ngx_int_t header_filter(ngx_http_request_t *r) {
  if (r == r->main && ngx_http_tuile_add_headers(r) != NGX_OK) return NGX_ERROR;
  return next_header_filter(r);
}

static ngx_int_t hook(ngx_conf_t *cf, ngx_http_phases phase, ngx_http_handler_pt function) {
  ngx_http_core_main_conf_t *core = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
  ngx_http_handler_pt *handler = ngx_array_push(&core->phases[phase].handlers);
  if (!handler) return NGX_ERROR;
  *handler = function;
  return NGX_OK;
}

static ngx_int_t init(ngx_conf_t *cf) {
  /* The location is known, and its own rewrite rules may ask for variables: the
   * modules that come last are called first. */
  if (hook(cf, NGX_HTTP_REWRITE_PHASE, ngx_http_tuile_load) != NGX_OK) return NGX_ERROR;
  if (hook(cf, NGX_HTTP_ACCESS_PHASE, ngx_http_tuile_access) != NGX_OK) return NGX_ERROR;
  next_header_filter = ngx_http_top_header_filter;
  ngx_http_top_header_filter = header_filter;
  return ngx_http_tuile_check(cf);
}

static ngx_http_module_t context = {add_variables, init, ngx_http_tuile_create_main_conf, NULL, NULL, NULL,
                                    ngx_http_tuile_create_loc_conf, ngx_http_tuile_merge_loc_conf};

ngx_module_t ngx_http_tuile_module = {NGX_MODULE_V1, &context, commands, NGX_HTTP_MODULE, NULL, NULL, NULL, NULL,
                                      NULL, NULL, NULL, NGX_MODULE_V1_PADDING};
