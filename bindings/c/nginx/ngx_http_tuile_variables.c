/* The variables: $tuile_session_KEY, and those of tuile_variable. */
#include "ngx_http_tuile.h"

const ngx_str_t ngx_http_tuile_prefix = ngx_string("tuile_session_");

static ngx_int_t get_value(ngx_http_request_t *r, ngx_http_variable_value_t *variable, ngx_str_t key) {
  ngx_http_tuile_loc_conf_t *conf = ngx_http_get_module_loc_conf(r, ngx_http_tuile_module);
  ngx_http_tuile_ctx_t *ctx = ngx_http_tuile_find(r->main, conf->site);
  tuile_bytes text;
  variable->not_found = 1;
  if (!ctx || ctx->runner) return NGX_OK;
  ctx->used = 1;
  if (gate_text(&ctx->visit, ngx_http_tuile_bytes(key), &text) != TUILE_OK) return NGX_OK;
  variable->len = text.size;
  variable->data = (u_char *)text.data;
  variable->valid = 1;
  variable->no_cacheable = 1;
  variable->not_found = 0;
  return NGX_OK;
}

/* data: the whole name, which starts with the prefix */
static ngx_int_t get_by_prefix(ngx_http_request_t *r, ngx_http_variable_value_t *variable, uintptr_t data) {
  ngx_str_t key = *(ngx_str_t *)data;
  key.data += ngx_http_tuile_prefix.len;
  key.len -= ngx_http_tuile_prefix.len;
  return get_value(r, variable, key);
}

static ngx_int_t get_by_key(ngx_http_request_t *r, ngx_http_variable_value_t *variable, uintptr_t data) {
  return get_value(r, variable, *(ngx_str_t *)data);
}

/* What became of the request's session. */
static ngx_int_t get_status(ngx_http_request_t *r, ngx_http_variable_value_t *variable, uintptr_t data) {
  ngx_http_tuile_loc_conf_t *conf = ngx_http_get_module_loc_conf(r, ngx_http_tuile_module);
  ngx_http_tuile_ctx_t *ctx = ngx_http_tuile_find(r->main, conf->site);
  const char *reason = ctx && !ctx->runner && ctx->visit.reason ? ctx->visit.reason : "unread";
  variable->len = ngx_strlen(reason);
  variable->data = (u_char *)reason;
  variable->valid = 1;
  variable->no_cacheable = 1;
  variable->not_found = 0;
  return NGX_OK;
}

ngx_int_t ngx_http_tuile_add_variables(ngx_conf_t *cf) {
  ngx_str_t name = ngx_http_tuile_prefix, status_name = ngx_string("tuile_status");
  ngx_http_variable_t *status = ngx_http_add_variable(cf, &status_name, NGX_HTTP_VAR_NOCACHEABLE);
  if (!status) return NGX_ERROR;
  status->get_handler = get_status;
  ngx_http_variable_t *variable = ngx_http_add_variable(cf, &name, NGX_HTTP_VAR_PREFIX | NGX_HTTP_VAR_NOCACHEABLE);
  if (!variable) return NGX_ERROR;
  variable->get_handler = get_by_prefix;
  return NGX_OK;
}

/* tuile_variable $name key: for keys that no variable's name can have. */
char *ngx_http_tuile_set_variable(ngx_conf_t *cf, ngx_command_t *command, void *conf) {
  ngx_http_tuile_main_conf_t *main = conf;
  ngx_str_t *words = cf->args->elts, name = words[1];
  if (name.len < 2 || name.data[0] != '$') {
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "\"%V\" is no variable's name", &name);
    return NGX_CONF_ERROR;
  }
  const char *mistake = gate_is_of_user(ngx_http_tuile_bytes(words[2])) ? gate_need_of_user(ngx_http_tuile_bytes(words[2]), false) : NULL;
  if (mistake) {
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "tuile_variable %s", mistake);
    return NGX_CONF_ERROR;
  }
  name.data++;
  name.len--;
  ngx_http_variable_t *variable = ngx_http_add_variable(cf, &name, NGX_HTTP_VAR_NOCACHEABLE);
  ngx_str_t *key = ngx_palloc(cf->pool, sizeof *key), *kept = ngx_array_push(&main->variables);
  if (!variable || !key || !kept) return NGX_CONF_ERROR;
  *key = words[2];
  *kept = variable->name; /* in lower case */
  variable->get_handler = get_by_key;
  variable->data = (uintptr_t)key;
  return NGX_CONF_OK;
}
