/* What the files of ngx_http_tuile_module share. */
#ifndef NGX_HTTP_TUILE_H
#define NGX_HTTP_TUILE_H

#include <ngx_config.h>
#include <ngx_core.h>
#include <ngx_http.h>
#include <ngx_thread_pool.h>
#include <gate.h>

#if !(NGX_THREADS)
#error "nginx needs --with-threads: a store must not stall the event loop"
#endif

/* What a gate is made from. Inherited value by value. */
typedef struct {
  ngx_str_t store;
  ngx_str_t cookie_name;
  ngx_str_t cookie_domain;
  ngx_str_t cookie_path;
  time_t cookie_age;
  ngx_uint_t cookie_same_site;
  ngx_flag_t cookie_secure;
  ngx_flag_t cookie_http_only;
  time_t refresh;
  tuile_keyring *keyring;
} ngx_http_tuile_settings_t;

/* A gate, shared by all locations whose settings come from one block. */
typedef struct {
  struct gate gate;
  ngx_str_t file; /* where it is configured, for messages */
  ngx_uint_t line;
} ngx_http_tuile_site_t;

typedef struct {
  ngx_array_t sites; /* of ngx_http_tuile_site_t * */
} ngx_http_tuile_main_conf_t;

typedef struct {
  ngx_http_tuile_settings_t settings;
  ngx_http_tuile_site_t *site; /* NULL: no tuile_store */
  ngx_str_t file;              /* where its tuile_store stands */
  ngx_uint_t line;
  ngx_flag_t session;
  ngx_str_t require; /* empty: everybody passes */
  ngx_str_t count;   /* empty: nothing is counted */
  ngx_http_complex_value_t *login_url;
  ngx_uint_t unavailable; /* the response's status, or NGX_OK: go on without a session */
  ngx_str_t pool_name;
  ngx_thread_pool_t *pool; /* NULL: store calls are made at once */
} ngx_http_tuile_loc_conf_t;

/* One site's visit of a request. The main request has a chain of them, which outlives
 * internal redirects. */
typedef struct ngx_http_tuile_ctx_s {
  struct ngx_http_tuile_ctx_s *next;
  struct gate_visit visit;
  ngx_http_tuile_site_t *site;
  ngx_str_t counted; /* the last tuile_count that was made */
  unsigned running : 1; /* a thread has the visit: hands off */
  unsigned refused : 1; /* the response for an outage was given */
  unsigned used : 1;    /* the response depends on the cookie */
} ngx_http_tuile_ctx_t;

extern ngx_module_t ngx_http_tuile_module;

static inline tuile_bytes ngx_http_tuile_bytes(ngx_str_t text) { return (tuile_bytes){text.data, text.len}; }

/* ngx_http_tuile_conf.c */
void *ngx_http_tuile_create_main_conf(ngx_conf_t *cf);
void *ngx_http_tuile_create_loc_conf(ngx_conf_t *cf);
char *ngx_http_tuile_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child);
ngx_int_t ngx_http_tuile_check(ngx_conf_t *cf);
char *ngx_http_tuile_set_store(ngx_conf_t *cf, ngx_command_t *command, void *conf);
char *ngx_http_tuile_set_secret_file(ngx_conf_t *cf, ngx_command_t *command, void *conf);
char *ngx_http_tuile_set_require(ngx_conf_t *cf, ngx_command_t *command, void *conf);
char *ngx_http_tuile_set_unavailable(ngx_conf_t *cf, ngx_command_t *command, void *conf);

/* ngx_http_tuile_request.c */
ngx_http_tuile_ctx_t *ngx_http_tuile_find(ngx_http_request_t *r, ngx_http_tuile_site_t *site);
ngx_int_t ngx_http_tuile_load(ngx_http_request_t *r);
ngx_int_t ngx_http_tuile_access(ngx_http_request_t *r);

/* ngx_http_tuile_headers.c */
ngx_int_t ngx_http_tuile_add_headers(ngx_http_request_t *r);

#endif
