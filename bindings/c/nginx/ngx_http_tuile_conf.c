/* The configuration: inherited, and tried before it is used. */
#include "ngx_http_tuile.h"

void *ngx_http_tuile_create_main_conf(ngx_conf_t *cf) {
  ngx_http_tuile_main_conf_t *conf = ngx_pcalloc(cf->pool, sizeof *conf);
  gate_needs = (struct gate_needs){false, false, false}; /* of the configuration that is read now */
  if (!conf || ngx_array_init(&conf->sites, cf->pool, 4, sizeof(ngx_http_tuile_site_t *)) != NGX_OK ||
      ngx_array_init(&conf->variables, cf->pool, 4, sizeof(ngx_str_t)) != NGX_OK ||
      ngx_array_init(&conf->names, cf->pool, 4, sizeof(tuile_bytes)) != NGX_OK ||
      ngx_array_init(&conf->counted, cf->pool, 16, sizeof(ngx_http_tuile_counted_t)) != NGX_OK)
    return NULL;
  return conf;
}

void *ngx_http_tuile_create_loc_conf(ngx_conf_t *cf) {
  ngx_http_tuile_loc_conf_t *conf = ngx_pcalloc(cf->pool, sizeof *conf);
  if (!conf) return NULL;
  gate_settings_init(&conf->settings);
  conf->session = NGX_CONF_UNSET;
  conf->early = NGX_CONF_UNSET;
  conf->log_level = NGX_CONF_UNSET_UINT;
  conf->unavailable = NGX_CONF_UNSET_UINT;
  conf->deadline = NGX_CONF_UNSET_MSEC;
  return conf;
}

/* ---- inheritance ---- */

static void close_site(void *site) { gate_close(&((ngx_http_tuile_site_t *)site)->gate); }

/* The block's gate, made when a location is found to use it. */
static ngx_http_tuile_site_t *make_site(ngx_conf_t *cf, ngx_http_tuile_loc_conf_t *conf) {
  ngx_http_tuile_main_conf_t *main = ngx_http_conf_get_module_main_conf(cf, ngx_http_tuile_module);
  const char *mistake = gate_mistake(&conf->settings);
  if (mistake) {
    ngx_log_error(NGX_LOG_EMERG, cf->log, 0, "tuile: %s in %s", mistake, gate_settings_at(&conf->settings, GATE_STORE));
    return NULL;
  }
  ngx_http_tuile_site_t *site = ngx_pcalloc(cf->pool, sizeof *site), **place = ngx_array_push(&main->sites);
  ngx_pool_cleanup_t *cleanup = ngx_pool_cleanup_add(cf->pool, 0);
  if (!site || !place || !cleanup) return NULL;
  gate_init(&site->gate, &conf->settings);
  site->settings = conf->settings;
  cleanup->handler = close_site;
  cleanup->data = site;
  *place = site;
  return site;
}

static char *inherit_site(ngx_conf_t *cf, ngx_http_tuile_loc_conf_t *conf, ngx_http_tuile_loc_conf_t *from) {
  /* Nobody inherits to the outermost block: its gate is made here. */
  if (!from->site && from->settings.store.size > 0 && !(from->site = make_site(cf, from))) return NGX_CONF_ERROR;
  bool own = !gate_settings_are_unset(&conf->settings);
  gate_settings_inherit(&conf->settings, &from->settings);
  if (!own) conf->site = from->site;
  else if (conf->settings.store.size > 0 && !(conf->site = make_site(cf, conf))) return NGX_CONF_ERROR;
  return NGX_CONF_OK;
}

char *ngx_http_tuile_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child) {
  ngx_http_tuile_loc_conf_t *from = parent, *conf = child;
  if (inherit_site(cf, conf, from) != NGX_CONF_OK) return NGX_CONF_ERROR;
  conf->rules = ngx_http_tuile_read_rules(cf);
  if (conf->early == NGX_CONF_UNSET) conf->early = from->early;
  ngx_conf_merge_value(conf->session, from->session, 1);
  ngx_conf_merge_uint_value(conf->log_level, from->log_level, NGX_LOG_WARN);
  bool identifies = conf->identity != NULL;
  if (!conf->require) conf->require = from->require;
  if (ngx_http_tuile_merge_identity(cf, from, conf) != NGX_OK) return NGX_CONF_ERROR;
  ngx_conf_merge_str_value(conf->login_parameter, from->login_parameter, "next");
  ngx_conf_merge_str_value(conf->count, from->count, "");
  ngx_conf_merge_str_value(conf->pool_name, from->pool_name, "default");
  ngx_conf_merge_msec_value(conf->deadline, from->deadline, 5000);
  ngx_conf_merge_uint_value(conf->unavailable, from->unavailable, NGX_HTTP_SERVICE_UNAVAILABLE);
  if (!conf->login_url) conf->login_url = from->login_url;
  if (!conf->login_next) conf->login_next = from->login_next;
  if (conf->site && !gate_is_inline(&conf->site->gate) && !(conf->pool = ngx_thread_pool_add(cf, &conf->pool_name)))
    return NGX_CONF_ERROR;
  bool needs = (conf->require && conf->require->count > 0) || conf->count.len > 0 || identifies;
  if (needs && !(conf->site && conf->session)) {
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0,
                       "tuile_require, tuile_identity_header and tuile_count need a tuile_store, and tuile_session on");
    return NGX_CONF_ERROR;
  }
  if (conf->count.len > 0 && gate_is_read_only_url(conf->site->gate.config.store)) {
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "tuile_count needs a store that is written to, and its URL says mode=ro");
    return NGX_CONF_ERROR;
  }
  if (conf->site && conf->session && conf->site->gate.binds && conf->unavailable == NGX_OK) {
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "tuile_unavailable pass can't be with tuile_device_path: copies of bound sessions would pass");
    return NGX_CONF_ERROR;
  }
  bool of_user = (conf->require && conf->require->users) || ngx_http_tuile_identity_needs_users(conf->identity);
  if (of_user && conf->site && conf->session && conf->site->gate.users.url.size == 0) {
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "what is asked of users with an @ needs tuile_django_users");
    return NGX_CONF_ERROR;
  }
  if (conf->site && conf->session && ngx_http_tuile_add_counted(cf, conf) != NGX_OK) return NGX_CONF_ERROR;
  return NGX_CONF_OK;
}

/* ---- the test ---- */

/* Every store is asked once, as the workers will ask it. */
ngx_int_t ngx_http_tuile_check(ngx_conf_t *cf) {
  static const char *const names[] = {"tuile_store", "tuile_store", "tuile_previous_store", "tuile_revocations",
                                      "tuile_django_users"};
  ngx_http_tuile_main_conf_t *main = ngx_http_conf_get_module_main_conf(cf, ngx_http_tuile_module);
  ngx_core_conf_t *core = (ngx_core_conf_t *)ngx_get_conf(cf->cycle->conf_ctx, ngx_core_module);
  ngx_http_tuile_site_t **sites = main->sites.elts;
  bool as_user = geteuid() == 0 && core->username;
  for (ngx_uint_t i = 0; i < main->sites.nelts; i++) {
    struct gate_finding found;
    gate_check(&sites[i]->gate, as_user ? core->username : NULL, core->user, core->group, &found);
    if (found.status == TUILE_OK) continue;
    ngx_uint_t level = found.may_recover ? NGX_LOG_WARN : NGX_LOG_EMERG;
    ngx_log_error(level, cf->log, 0, "%s: %s in %s", names[found.part],
                  found.error.message, gate_settings_at(&sites[i]->settings, found.part));
    if (!found.may_recover) return NGX_ERROR;
  }
  return NGX_OK;
}
