/* The directives of ngx_http_tuile_module: see docs/nginx.md. */
#include "ngx_http_tuile.h"

static ngx_conf_enum_t flags[] = {{ngx_string("off"), 0}, {ngx_string("on"), 1}, {ngx_null_string, 0}};
static ngx_conf_enum_t levels[] = {{ngx_string("off"), NGX_LOG_STDERR},    {ngx_string("error"), NGX_LOG_ERR},
                                   {ngx_string("warn"), NGX_LOG_WARN},     {ngx_string("notice"), NGX_LOG_NOTICE},
                                   {ngx_string("info"), NGX_LOG_INFO},     {ngx_null_string, 0}};
static ngx_conf_enum_t policies[] = {
    {ngx_string("aal2"), TUILE_POLICY_AAL2}, {ngx_string("aal3"), TUILE_POLICY_AAL3}, {ngx_null_string, 0}};
static ngx_conf_enum_t same_sites[] = {
    {ngx_string("none"), TUILE_SAME_SITE_NONE},
    {ngx_string("lax"), TUILE_SAME_SITE_LAX},
    {ngx_string("strict"), TUILE_SAME_SITE_STRICT},
    {ngx_string("unset"), TUILE_SAME_SITE_UNSET},
    {ngx_null_string, 0}};

static ngx_conf_num_bounds_t deadlines = {ngx_conf_check_num_bounds, 1, 3600000};

/* tuile_require off, or what gate_read_requirement takes */
static char *set_require(ngx_conf_t *cf, ngx_command_t *command, void *data) {
  ngx_http_tuile_loc_conf_t *conf = data;
  ngx_str_t *words = cf->args->elts;
  ngx_uint_t count = cf->args->nelts - 1;
  if (conf->require) return "is duplicate";
  conf->require = ngx_pcalloc(cf->pool, sizeof *conf->require);
  struct gate_term *room = ngx_pcalloc(cf->pool, count * sizeof *room);
  tuile_bytes *texts = ngx_pcalloc(cf->temp_pool, count * sizeof *texts);
  if (!conf->require || !room || !texts) return NGX_CONF_ERROR;
  if (count == 1 && ngx_strcmp(words[1].data, "off") == 0) return NGX_CONF_OK;
  for (ngx_uint_t i = 0; i < count; i++) texts[i] = ngx_http_tuile_bytes(words[i + 1]);
  const char *mistake = gate_read_requirement(texts, count, room, conf->require);
  if (!mistake) return NGX_CONF_OK;
  ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "tuile_require %s", mistake);
  return NGX_CONF_ERROR;
}

/* tuile_unavailable STATUS|pass */
static char *set_unavailable(ngx_conf_t *cf, ngx_command_t *command, void *data) {
  ngx_http_tuile_loc_conf_t *conf = data;
  ngx_str_t *words = cf->args->elts;
  if (conf->unavailable != NGX_CONF_UNSET_UINT) return "is duplicate";
  ngx_int_t status = ngx_strcmp(words[1].data, "pass") == 0 ? NGX_OK : ngx_atoi(words[1].data, words[1].len);
  if (status != NGX_OK && (status < 400 || status > 599)) return "takes pass, or a status from 400 to 599";
  conf->unavailable = (ngx_uint_t)status;
  return NGX_CONF_OK;
}

#define ANYWHERE (NGX_HTTP_MAIN_CONF | NGX_HTTP_SRV_CONF | NGX_HTTP_LOC_CONF | NGX_HTTP_LMT_CONF)
#define SETTING(name, set, field, post) \
  {ngx_string(name), ANYWHERE | NGX_CONF_TAKE1, set, NGX_HTTP_LOC_CONF_OFFSET, offsetof(struct gate_settings, field), post}
#define RULE(name, set, field, post)                                         \
  {ngx_string(name), ANYWHERE | NGX_CONF_TAKE1, set, NGX_HTTP_LOC_CONF_OFFSET, \
   offsetof(ngx_http_tuile_loc_conf_t, field), post}

static ngx_command_t commands[] = {
    SETTING("tuile_store", ngx_http_tuile_set_url, store, NULL),
    SETTING("tuile_previous_store", ngx_http_tuile_set_url, previous_store, NULL),
    SETTING("tuile_revocations", ngx_http_tuile_set_url, revocations, NULL),
    {ngx_string("tuile_secret_file"), ANYWHERE | NGX_CONF_TAKE1234, ngx_http_tuile_set_secret_file, NGX_HTTP_LOC_CONF_OFFSET, 0, NULL},
    SETTING("tuile_cookie_name", ngx_http_tuile_set_text, cookie_name, NULL),
    SETTING("tuile_cookie_domain", ngx_http_tuile_set_text, cookie_domain, NULL),
    SETTING("tuile_cookie_path", ngx_http_tuile_set_text, cookie_path, NULL),
    SETTING("tuile_cookie_age", ngx_http_tuile_set_seconds, cookie_age, NULL),
    SETTING("tuile_cookie_samesite", ngx_http_tuile_set_choice, cookie_same_site, same_sites),
    SETTING("tuile_cookie_secure", ngx_http_tuile_set_choice, cookie_secure, flags),
    SETTING("tuile_cookie_httponly", ngx_http_tuile_set_choice, cookie_http_only, flags),
    SETTING("tuile_cookie_partitioned", ngx_http_tuile_set_choice, cookie_partitioned, flags),
    SETTING("tuile_previous_cookie", ngx_http_tuile_set_text, previous_cookie, NULL),
    SETTING("tuile_device_bound", ngx_http_tuile_set_choice, device_bound, flags),
    SETTING("tuile_device_path", ngx_http_tuile_set_text, device_path, NULL),
    SETTING("tuile_device_seconds", ngx_http_tuile_set_seconds, device_seconds, NULL),
    SETTING("tuile_several_cookies", ngx_http_tuile_set_choice, several_cookies, flags),
    SETTING("tuile_expire_at_browser_close", ngx_http_tuile_set_choice, browser_close, flags),
    SETTING("tuile_lifetime", ngx_http_tuile_set_seconds, lifetime, NULL),
    SETTING("tuile_refresh", ngx_http_tuile_set_seconds, refresh, NULL),
    SETTING("tuile_policy", ngx_http_tuile_set_choice, policy, policies),
    SETTING("tuile_max_data", ngx_http_tuile_set_bytes, max_data, NULL),
    SETTING("tuile_login_key", ngx_http_tuile_set_text, login_key, NULL),
    SETTING("tuile_django_users", ngx_http_tuile_set_url, users, NULL),
    SETTING("tuile_django_users_kept", ngx_http_tuile_set_seconds, users_kept, NULL),
    SETTING("tuile_django_user_table", ngx_http_tuile_set_text, user_table, NULL),
    {ngx_string("tuile_django_user_column"), ANYWHERE | NGX_CONF_TAKE2, ngx_http_tuile_set_column, NGX_HTTP_LOC_CONF_OFFSET,
     offsetof(struct gate_settings, user_columns), NULL},
    RULE("tuile_session", ngx_conf_set_flag_slot, session, NULL),
    RULE("tuile_early", ngx_conf_set_flag_slot, early, NULL),
    {ngx_string("tuile_require"), ANYWHERE | NGX_CONF_1MORE, set_require, NGX_HTTP_LOC_CONF_OFFSET, 0, NULL},
    {ngx_string("tuile_identity_header"), ANYWHERE | NGX_CONF_TAKE12, ngx_http_tuile_set_identity, NGX_HTTP_LOC_CONF_OFFSET,
     0, NULL},
    RULE("tuile_login_url", ngx_http_set_complex_value_slot, login_url, NULL),
    RULE("tuile_login_next", ngx_http_set_complex_value_slot, login_next, NULL),
    RULE("tuile_login_parameter", ngx_conf_set_str_slot, login_parameter, NULL),
    RULE("tuile_count", ngx_conf_set_str_slot, count, NULL),
    RULE("tuile_unavailable", set_unavailable, unavailable, NULL),
    RULE("tuile_log_level", ngx_conf_set_enum_slot, log_level, levels),
    RULE("tuile_deadline", ngx_conf_set_msec_slot, deadline, &deadlines),
    RULE("tuile_thread_pool", ngx_conf_set_str_slot, pool_name, NULL),
    {ngx_string("tuile_metrics"), NGX_HTTP_LOC_CONF | NGX_CONF_NOARGS, ngx_http_tuile_set_metrics, NGX_HTTP_LOC_CONF_OFFSET, 0, NULL},
    {ngx_string("tuile_variable"), NGX_HTTP_MAIN_CONF | NGX_CONF_TAKE2, ngx_http_tuile_set_variable,
     NGX_HTTP_MAIN_CONF_OFFSET, 0, NULL},
    ngx_null_command};

static ngx_int_t init(ngx_conf_t *cf) {
  if (ngx_http_tuile_hook(cf) != NGX_OK || ngx_http_tuile_add_zone(cf) != NGX_OK) return NGX_ERROR;
  return ngx_http_tuile_check(cf);
}

static ngx_http_module_t context = {ngx_http_tuile_add_variables, init, ngx_http_tuile_create_main_conf, NULL, NULL, NULL,
                                    ngx_http_tuile_create_loc_conf, ngx_http_tuile_merge_loc_conf};

ngx_module_t ngx_http_tuile_module = {NGX_MODULE_V1, &context, commands, NGX_HTTP_MODULE, NULL, NULL, NULL, NULL,
                                      NULL, NULL, NULL, NGX_MODULE_V1_PADDING};
