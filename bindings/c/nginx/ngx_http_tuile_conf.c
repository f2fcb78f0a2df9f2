/* The configuration: read, inherited, and tried before it is used. */
#include "ngx_http_tuile.h"

void *ngx_http_tuile_create_main_conf(ngx_conf_t *cf) {
  ngx_http_tuile_main_conf_t *conf = ngx_pcalloc(cf->pool, sizeof *conf);
  if (!conf || ngx_array_init(&conf->sites, cf->pool, 4, sizeof(ngx_http_tuile_site_t *)) != NGX_OK) return NULL;
  return conf;
}

static void unset(ngx_http_tuile_settings_t *settings) {
  settings->cookie_age = NGX_CONF_UNSET;
  settings->cookie_same_site = NGX_CONF_UNSET_UINT;
  settings->cookie_secure = NGX_CONF_UNSET;
  settings->cookie_http_only = NGX_CONF_UNSET;
  settings->refresh = NGX_CONF_UNSET;
}

void *ngx_http_tuile_create_loc_conf(ngx_conf_t *cf) {
  ngx_http_tuile_loc_conf_t *conf = ngx_pcalloc(cf->pool, sizeof *conf);
  if (!conf) return NULL;
  unset(&conf->settings);
  conf->session = NGX_CONF_UNSET;
  conf->unavailable = NGX_CONF_UNSET_UINT;
  return conf;
}

/* ---- directives ---- */

char *ngx_http_tuile_set_store(ngx_conf_t *cf, ngx_command_t *command, void *data) {
  ngx_http_tuile_loc_conf_t *conf = data;
  conf->file = cf->conf_file->file.name;
  conf->line = cf->conf_file->line;
  return ngx_conf_set_str_slot(cf, command, conf);
}

static void free_keyring(void *keyring) { tuile_keyring_free(keyring); }

/* tuile_secret_file PATH [hex|base64] [weak] */
char *ngx_http_tuile_set_secret_file(ngx_conf_t *cf, ngx_command_t *command, void *data) {
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

/* tuile_require off|on|KEY: "on" is Django's login. */
char *ngx_http_tuile_set_require(ngx_conf_t *cf, ngx_command_t *command, void *data) {
  ngx_http_tuile_loc_conf_t *conf = data;
  ngx_str_t *words = cf->args->elts;
  if (conf->require.data) return "is duplicate";
  conf->require = words[1];
  if (ngx_strcmp(words[1].data, "on") == 0) conf->require = (ngx_str_t)ngx_string("_auth_user_id");
  if (ngx_strcmp(words[1].data, "off") == 0) conf->require = (ngx_str_t)ngx_string("");
  return NGX_CONF_OK;
}

/* tuile_unavailable STATUS|pass */
char *ngx_http_tuile_set_unavailable(ngx_conf_t *cf, ngx_command_t *command, void *data) {
  ngx_http_tuile_loc_conf_t *conf = data;
  ngx_str_t *words = cf->args->elts;
  if (conf->unavailable != NGX_CONF_UNSET_UINT) return "is duplicate";
  ngx_int_t status = ngx_strcmp(words[1].data, "pass") == 0 ? NGX_OK : ngx_atoi(words[1].data, words[1].len);
  if (status != NGX_OK && (status < 400 || status > 599)) return "takes pass, or a status from 400 to 599";
  conf->unavailable = (ngx_uint_t)status;
  return NGX_CONF_OK;
}

/* ---- inheritance ---- */

static void close_site(void *site) { gate_close(&((ngx_http_tuile_site_t *)site)->gate); }

static void configure(struct gate *gate, ngx_http_tuile_settings_t *settings) {
  tuile_config *config = &gate->config;
  config->store = ngx_http_tuile_bytes(settings->store);
  config->keyring = settings->keyring;
  config->cookie_domain = ngx_http_tuile_bytes(settings->cookie_domain);
  if (settings->cookie_name.data) config->cookie_name = ngx_http_tuile_bytes(settings->cookie_name);
  if (settings->cookie_path.data) config->cookie_path = ngx_http_tuile_bytes(settings->cookie_path);
  if (settings->cookie_age != NGX_CONF_UNSET) config->cookie_age = settings->cookie_age;
  if (settings->cookie_same_site != NGX_CONF_UNSET_UINT)
    config->cookie_same_site = (tuile_same_site)settings->cookie_same_site;
  config->cookie_secure = settings->cookie_secure == 1;
  config->cookie_http_only = settings->cookie_http_only != 0;
  if (settings->refresh != NGX_CONF_UNSET) config->refresh = settings->refresh;
}

/* The block's gate, made when a location is found to use it. */
static ngx_http_tuile_site_t *make_site(ngx_conf_t *cf, ngx_http_tuile_loc_conf_t *conf) {
  ngx_http_tuile_main_conf_t *main = ngx_http_conf_get_module_main_conf(cf, ngx_http_tuile_module);
  ngx_http_tuile_site_t *site = ngx_pcalloc(cf->pool, sizeof *site), **place = ngx_array_push(&main->sites);
  ngx_pool_cleanup_t *cleanup = ngx_pool_cleanup_add(cf->pool, 0);
  if (!site || !place || !cleanup) return NULL;
  gate_init(&site->gate);
  configure(&site->gate, &conf->settings);
  site->file = conf->file;
  site->line = conf->line;
  cleanup->handler = close_site;
  cleanup->data = site;
  *place = site;
  return site;
}

static void inherit(ngx_http_tuile_settings_t *conf, const ngx_http_tuile_settings_t *from) {
  ngx_conf_merge_str_value(conf->store, from->store, "");
  if (!conf->cookie_name.data) conf->cookie_name = from->cookie_name;
  if (!conf->cookie_domain.data) conf->cookie_domain = from->cookie_domain;
  if (!conf->cookie_path.data) conf->cookie_path = from->cookie_path;
  if (conf->cookie_age == NGX_CONF_UNSET) conf->cookie_age = from->cookie_age;
  if (conf->cookie_same_site == NGX_CONF_UNSET_UINT) conf->cookie_same_site = from->cookie_same_site;
  if (conf->cookie_secure == NGX_CONF_UNSET) conf->cookie_secure = from->cookie_secure;
  if (conf->cookie_http_only == NGX_CONF_UNSET) conf->cookie_http_only = from->cookie_http_only;
  if (conf->refresh == NGX_CONF_UNSET) conf->refresh = from->refresh;
  if (!conf->keyring) conf->keyring = from->keyring;
}

static char *inherit_site(ngx_conf_t *cf, ngx_http_tuile_loc_conf_t *conf, ngx_http_tuile_loc_conf_t *from) {
  ngx_http_tuile_settings_t nothing;
  ngx_memzero(&nothing, sizeof nothing);
  unset(&nothing);
  /* Nobody inherits to the outermost block: its gate is made here. */
  if (!from->site && from->settings.store.len > 0 && !(from->site = make_site(cf, from))) return NGX_CONF_ERROR;
  bool own = ngx_memcmp(&conf->settings, &nothing, sizeof nothing) != 0;
  inherit(&conf->settings, &from->settings);
  if (conf->line == 0) {
    conf->file = from->file;
    conf->line = from->line;
  }
  if (!own) conf->site = from->site;
  else if (conf->settings.store.len > 0 && !(conf->site = make_site(cf, conf))) return NGX_CONF_ERROR;
  return NGX_CONF_OK;
}

char *ngx_http_tuile_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child) {
  ngx_http_tuile_loc_conf_t *from = parent, *conf = child;
  if (inherit_site(cf, conf, from) != NGX_CONF_OK) return NGX_CONF_ERROR;
  ngx_conf_merge_value(conf->session, from->session, 1);
  ngx_conf_merge_str_value(conf->require, from->require, "");
  ngx_conf_merge_str_value(conf->count, from->count, "");
  ngx_conf_merge_str_value(conf->pool_name, from->pool_name, "default");
  ngx_conf_merge_uint_value(conf->unavailable, from->unavailable, NGX_HTTP_SERVICE_UNAVAILABLE);
  if (!conf->login_url) conf->login_url = from->login_url;
  if (conf->site && !gate_is_inline(&conf->site->gate) && !(conf->pool = ngx_thread_pool_add(cf, &conf->pool_name)))
    return NGX_CONF_ERROR;
  if ((conf->require.len > 0 || conf->count.len > 0) && !(conf->site && conf->session)) {
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "tuile_require and tuile_count need a tuile_store, and tuile_session on");
    return NGX_CONF_ERROR;
  }
  return NGX_CONF_OK;
}

/* ---- the test ---- */

/* Every store is opened once, as the workers will open it. */
ngx_int_t ngx_http_tuile_check(ngx_conf_t *cf) {
  ngx_http_tuile_main_conf_t *main = ngx_http_conf_get_module_main_conf(cf, ngx_http_tuile_module);
  ngx_core_conf_t *core = (ngx_core_conf_t *)ngx_get_conf(cf->cycle->conf_ctx, ngx_core_module);
  ngx_http_tuile_site_t **sites = main->sites.elts;
  bool as_user = geteuid() == 0 && core->username;
  for (ngx_uint_t i = 0; i < main->sites.nelts; i++) {
    tuile_error error;
    struct gate *gate = &sites[i]->gate;
    tuile_status status = gate_check(gate, as_user ? core->username : NULL, core->user, core->group, &error);
    if (status == TUILE_OK) continue;
    bool passing = gate_may_recover(gate, status);
    ngx_uint_t level = passing ? NGX_LOG_WARN : NGX_LOG_EMERG;
    ngx_log_error(level, cf->log, 0, "tuile_store: %s in %V:%ui", error.message, &sites[i]->file, sites[i]->line);
    if (!passing) return NGX_ERROR;
  }
  return NGX_OK;
}
