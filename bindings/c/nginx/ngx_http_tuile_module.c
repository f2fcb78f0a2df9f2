/* The directives of ngx_http_tuile_module: see docs/nginx.md. */
#include "ngx_http_tuile.h"

/* ---- settings of an application's sessions; offset: of the field in gate_settings ---- */

static void *field_of(ngx_command_t *command, void *conf) {
  return (char *)&((ngx_http_tuile_loc_conf_t *)conf)->settings + command->offset;
}

static char *set_text(ngx_conf_t *cf, ngx_command_t *command, void *conf) {
  tuile_bytes *field = field_of(command, conf);
  ngx_str_t *words = cf->args->elts;
  if (field->data) return "is duplicate";
  *field = ngx_http_tuile_bytes(words[1]);
  return NGX_CONF_OK;
}

static char *set_store(ngx_conf_t *cf, ngx_command_t *command, void *conf) {
  ((ngx_http_tuile_loc_conf_t *)conf)->file = cf->conf_file->file.name;
  ((ngx_http_tuile_loc_conf_t *)conf)->line = cf->conf_file->line;
  return set_text(cf, command, conf);
}

static char *set_number(ngx_conf_t *cf, ngx_command_t *command, void *conf, int64_t number) {
  int64_t *field = field_of(command, conf);
  if (*field >= 0) return "is duplicate";
  if (number < 0) return "has an invalid value";
  *field = number;
  return NGX_CONF_OK;
}

static char *set_seconds(ngx_conf_t *cf, ngx_command_t *command, void *conf) {
  ngx_str_t *words = cf->args->elts;
  return set_number(cf, command, conf, ngx_parse_time(&words[1], 1));
}

static char *set_bytes(ngx_conf_t *cf, ngx_command_t *command, void *conf) {
  ngx_str_t *words = cf->args->elts;
  return set_number(cf, command, conf, ngx_parse_size(&words[1]));
}

/* post: the words that it takes, and what they mean */
static char *set_choice(ngx_conf_t *cf, ngx_command_t *command, void *conf) {
  int *field = field_of(command, conf);
  ngx_str_t *words = cf->args->elts;
  if (*field >= 0) return "is duplicate";
  for (ngx_conf_enum_t *each = command->post; each->name.len > 0; each++) {
    if (each->name.len != words[1].len || ngx_strcasecmp(each->name.data, words[1].data) != 0) continue;
    *field = (int)each->value;
    return NGX_CONF_OK;
  }
  ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid value \"%V\"", &words[1]);
  return NGX_CONF_ERROR;
}

static ngx_conf_enum_t flags[] = {{ngx_string("off"), 0}, {ngx_string("on"), 1}, {ngx_null_string, 0}};
static ngx_conf_enum_t policies[] = {
    {ngx_string("aal2"), TUILE_POLICY_AAL2}, {ngx_string("aal3"), TUILE_POLICY_AAL3}, {ngx_null_string, 0}};
static ngx_conf_enum_t same_sites[] = {
    {ngx_string("none"), TUILE_SAME_SITE_NONE},
    {ngx_string("lax"), TUILE_SAME_SITE_LAX},
    {ngx_string("strict"), TUILE_SAME_SITE_STRICT},
    {ngx_string("unset"), TUILE_SAME_SITE_UNSET},
    {ngx_null_string, 0}};

static void free_keyring(void *keyring) { tuile_keyring_free(keyring); }

/* tuile_secret_file PATH [hex|base64] [weak] */
static char *set_secret_file(ngx_conf_t *cf, ngx_command_t *command, void *data) {
  ngx_http_tuile_loc_conf_t *conf = data;
  ngx_str_t *words = cf->args->elts, path = words[1];
  tuile_key_format format = TUILE_KEY_TEXT;
  bool weak = false;
  if (conf->settings.keyring) return "is duplicate: one file has all keys, the newest first";
  for (ngx_uint_t i = 2; i < cf->args->nelts; i++) {
    if (ngx_strcmp(words[i].data, "hex") == 0) format = TUILE_KEY_HEX;
    else if (ngx_strcmp(words[i].data, "base64") == 0) format = TUILE_KEY_BASE64;
    else if (ngx_strcmp(words[i].data, "weak") == 0) weak = true;
    else return "takes hex, base64 and weak after the path";
  }
  if (ngx_conf_full_name(cf->cycle, &path, 1) != NGX_OK) return NGX_CONF_ERROR;
  tuile_error error;
  if (gate_read_keys(ngx_http_tuile_bytes(path), weak, format, &conf->settings.keyring, &error) != TUILE_OK) {
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "tuile_secret_file \"%V\": %s", &path, error.message);
    return NGX_CONF_ERROR;
  }
  ngx_pool_cleanup_t *cleanup = ngx_pool_cleanup_add(cf->pool, 0);
  if (!cleanup) return NGX_CONF_ERROR;
  cleanup->handler = free_keyring;
  cleanup->data = conf->settings.keyring;
  return NGX_CONF_OK;
}

/* ---- what is done with them ---- */

/* tuile_require off|on|KEY: "on" is Django's login. */
static char *set_require(ngx_conf_t *cf, ngx_command_t *command, void *data) {
  ngx_http_tuile_loc_conf_t *conf = data;
  ngx_str_t *words = cf->args->elts;
  if (conf->require.data) return "is duplicate";
  conf->require = words[1];
  if (ngx_strcmp(words[1].data, "on") == 0) conf->require = (ngx_str_t)ngx_string("_auth_user_id");
  if (ngx_strcmp(words[1].data, "off") == 0) conf->require = (ngx_str_t)ngx_string("");
  return NGX_CONF_OK;
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
    SETTING("tuile_store", set_store, store, NULL),
    SETTING("tuile_previous_store", set_text, previous_store, NULL),
    SETTING("tuile_revocations", set_text, revocations, NULL),
    {ngx_string("tuile_secret_file"), ANYWHERE | NGX_CONF_TAKE123, set_secret_file, NGX_HTTP_LOC_CONF_OFFSET, 0, NULL},
    SETTING("tuile_cookie_name", set_text, cookie_name, NULL),
    SETTING("tuile_cookie_domain", set_text, cookie_domain, NULL),
    SETTING("tuile_cookie_path", set_text, cookie_path, NULL),
    SETTING("tuile_cookie_age", set_seconds, cookie_age, NULL),
    SETTING("tuile_cookie_samesite", set_choice, cookie_same_site, same_sites),
    SETTING("tuile_cookie_secure", set_choice, cookie_secure, flags),
    SETTING("tuile_cookie_httponly", set_choice, cookie_http_only, flags),
    SETTING("tuile_cookie_partitioned", set_choice, cookie_partitioned, flags),
    SETTING("tuile_previous_cookie", set_text, previous_cookie, NULL),
    SETTING("tuile_several_cookies", set_choice, several_cookies, flags),
    SETTING("tuile_expire_at_browser_close", set_choice, browser_close, flags),
    SETTING("tuile_lifetime", set_seconds, lifetime, NULL),
    SETTING("tuile_refresh", set_seconds, refresh, NULL),
    SETTING("tuile_policy", set_choice, policy, policies),
    SETTING("tuile_max_data", set_bytes, max_data, NULL),
    SETTING("tuile_login_key", set_text, login_key, NULL),
    RULE("tuile_session", ngx_conf_set_flag_slot, session, NULL),
    RULE("tuile_early", ngx_conf_set_flag_slot, early, NULL),
    RULE("tuile_require", set_require, require, NULL),
    RULE("tuile_login_url", ngx_http_set_complex_value_slot, login_url, NULL),
    RULE("tuile_count", ngx_conf_set_str_slot, count, NULL),
    RULE("tuile_unavailable", set_unavailable, unavailable, NULL),
    RULE("tuile_thread_pool", ngx_conf_set_str_slot, pool_name, NULL),
    {ngx_string("tuile_variable"), NGX_HTTP_MAIN_CONF | NGX_CONF_TAKE2, ngx_http_tuile_set_variable,
     NGX_HTTP_MAIN_CONF_OFFSET, 0, NULL},
    ngx_null_command};

static ngx_int_t init(ngx_conf_t *cf) {
  if (ngx_http_tuile_hook(cf) != NGX_OK) return NGX_ERROR;
  return ngx_http_tuile_check(cf);
}

static ngx_http_module_t context = {ngx_http_tuile_add_variables, init, ngx_http_tuile_create_main_conf, NULL, NULL, NULL,
                                    ngx_http_tuile_create_loc_conf, ngx_http_tuile_merge_loc_conf};

ngx_module_t ngx_http_tuile_module = {NGX_MODULE_V1, &context, commands, NGX_HTTP_MODULE, NULL, NULL, NULL, NULL,
                                      NULL, NULL, NULL, NGX_MODULE_V1_PADDING};
