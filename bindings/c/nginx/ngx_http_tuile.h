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

/* A gate, shared by all locations whose settings come from one block. */
typedef struct {
  struct gate gate;
  struct gate_settings settings;
} ngx_http_tuile_site_t;

typedef struct {
  ngx_array_t sites;     /* of ngx_http_tuile_site_t * */
  ngx_array_t variables; /* of ngx_str_t: the names of tuile_variable */
  ngx_array_t names;     /* of tuile_bytes: all identity headers, of any location */
  ngx_array_t counted;   /* of ngx_http_tuile_counted_t */
  bool has_metrics;      /* somebody asks for the counters */
  struct gate_table *table;
} ngx_http_tuile_main_conf_t;

/* What a location's rewrite rules, which nginx runs before its access rules, do. */
typedef struct {
  bool asks;    /* for variables of the session */
  bool returns; /* gives the response, whatever the request is: no access rule is run */
} ngx_http_tuile_rules_t;

typedef struct {
  struct gate_settings settings;
  ngx_http_tuile_site_t *site; /* NULL: no tuile_store */
  ngx_flag_t session;
  ngx_flag_t early; /* read before the rewrite rules */
  ngx_uint_t log_level; /* of what is said of sessions that do not count; NGX_LOG_STDERR: nothing */
  ngx_http_tuile_rules_t rules;
  struct gate_requirement *require; /* no terms: everybody passes */
  ngx_array_t *identity;            /* of struct gate_identity */
  ngx_flag_t no_identity;           /* what is inherited does not count */
  ngx_str_t count;                  /* empty: nothing is counted */
  ngx_http_complex_value_t *login_url, *login_next;
  ngx_str_t login_parameter;
  ngx_uint_t unavailable; /* the response's status, or NGX_OK: go on without a session */
  ngx_str_t pool_name;
  ngx_thread_pool_t *pool; /* NULL: store calls are made at once */
  ngx_msec_t deadline;     /* for one of them */
  struct gate_counters *counters; /* NULL: nobody asks for them */
} ngx_http_tuile_loc_conf_t;

/* A location of which answers are counted. */
typedef struct {
  ngx_http_tuile_loc_conf_t *conf;
  u_char labels[128];
} ngx_http_tuile_counted_t;

/* A tuile_count that the request came by. */
typedef struct ngx_http_tuile_count_s {
  struct ngx_http_tuile_count_s *next;
  ngx_str_t key;
  unsigned done : 1;
} ngx_http_tuile_count_t;

/* A subrequest that waits for a visit which another request's thread has. */
typedef struct ngx_http_tuile_waiter_s {
  struct ngx_http_tuile_waiter_s *next;
  ngx_http_request_t *request;
} ngx_http_tuile_waiter_t;

/* One site's visit of a request. The main request has a chain of them, which outlives
 * internal redirects and serves its subrequests too. */
typedef struct ngx_http_tuile_ctx_s {
  struct ngx_http_tuile_ctx_s *next;
  struct gate_visit visit;
  ngx_http_tuile_site_t *site;
  ngx_thread_pool_t *pool;
  ngx_msec_t deadline;
  ngx_uint_t log_level;
  ngx_http_tuile_count_t *counts;
  ngx_http_request_t *runner; /* whose thread has the visit, or NULL: hands off */
  ngx_http_tuile_waiter_t *waiters;
  unsigned refused : 1; /* the response for an outage was given */
  unsigned used : 1;    /* the response depends on the cookie */
  unsigned guarded : 1;    /* a requirement stands before the response */
  unsigned identified : 1; /* the application was told who it is for */
  tuile_device_answer answer; /* to a browser that registers or refreshes, once the thread is done */
  tuile_status answer_status;
  unsigned answered : 1;
} ngx_http_tuile_ctx_t;

extern ngx_module_t ngx_http_tuile_module;

static inline tuile_bytes ngx_http_tuile_bytes(ngx_str_t text) { return (tuile_bytes){text.data, text.len}; }

/* ngx_http_tuile_conf.c */
void *ngx_http_tuile_create_main_conf(ngx_conf_t *cf);
void *ngx_http_tuile_create_loc_conf(ngx_conf_t *cf);
char *ngx_http_tuile_merge_loc_conf(ngx_conf_t *cf, void *parent, void *child);
ngx_int_t ngx_http_tuile_check(ngx_conf_t *cf);

/* ngx_http_tuile_settings.c */
char *ngx_http_tuile_set_url(ngx_conf_t *cf, ngx_command_t *command, void *conf);
char *ngx_http_tuile_set_text(ngx_conf_t *cf, ngx_command_t *command, void *conf);
char *ngx_http_tuile_set_column(ngx_conf_t *cf, ngx_command_t *command, void *conf);
char *ngx_http_tuile_set_seconds(ngx_conf_t *cf, ngx_command_t *command, void *conf);
char *ngx_http_tuile_set_bytes(ngx_conf_t *cf, ngx_command_t *command, void *conf);
char *ngx_http_tuile_set_choice(ngx_conf_t *cf, ngx_command_t *command, void *conf);
char *ngx_http_tuile_set_secret_file(ngx_conf_t *cf, ngx_command_t *command, void *conf);

/* ngx_http_tuile_rules.c */
ngx_http_tuile_rules_t ngx_http_tuile_read_rules(ngx_conf_t *cf);

/* ngx_http_tuile_variables.c */
extern const ngx_str_t ngx_http_tuile_prefix;
ngx_int_t ngx_http_tuile_add_variables(ngx_conf_t *cf);
char *ngx_http_tuile_set_variable(ngx_conf_t *cf, ngx_command_t *command, void *conf);

/* What a thread is given, and what it gives back. It is copied to the heap, since it may outlive its request. */
typedef struct {
  ngx_thread_task_t task;
  ngx_http_request_t *request; /* NULL: it was answered at its deadline */
  ngx_http_tuile_ctx_t *ctx;
  struct gate_visit visit; /* the request's, which has none meanwhile */
  atomic_int progress;
  tuile_bytes cookie;
  tuile_bytes count; /* what is to be counted, or nothing */
  bool write;
  bool answers; /* a browser that registers or refreshes, in place of the rest */
  tuile_device_request asked;
  tuile_device_answer answer;
  tuile_status status;
  tuile_error error;
} ngx_http_tuile_job_t;

/* ngx_http_tuile_job.c: has a thread do it, or does it at once where nothing is waited for. Of the job
 * request, ctx and what is asked are set. NGX_OK: it is done; NGX_AGAIN: the request is to be run again later;
 * NGX_ERROR: there is no memory, or no place in the pool's queue. */
ngx_int_t ngx_http_tuile_start(ngx_http_tuile_job_t given);

/* ngx_http_tuile_request.c: a request's visits. */
ngx_http_tuile_ctx_t *ngx_http_tuile_find(ngx_http_request_t *r, ngx_http_tuile_site_t *site);
ngx_int_t ngx_http_tuile_remember_count(ngx_http_request_t *r, ngx_http_tuile_loc_conf_t *conf);
/* Reads the session of that site, and with `write`, for a request that was let in, also
 * counts and keeps alive. NGX_OK, NGX_DONE if the request is to be run again later, or
 * the status of an error. */
ngx_int_t ngx_http_tuile_enter(ngx_http_request_t *r, ngx_http_tuile_loc_conf_t *conf, bool write);

/* Answers a browser that registers or refreshes, in the visit's `answer`. As above. */
ngx_int_t ngx_http_tuile_enter_device(ngx_http_request_t *r, ngx_http_tuile_loc_conf_t *conf, tuile_device_answer *answer);

/* ngx_http_tuile_device.c */
tuile_bytes ngx_http_tuile_header_in(ngx_http_request_t *r, const char *name);
tuile_device_request ngx_http_tuile_device_request(ngx_http_request_t *r);
/* Whether a main request is for the path where browsers register and refresh. */
bool ngx_http_tuile_is_endpoint(ngx_http_request_t *r, const ngx_http_tuile_loc_conf_t *conf);
/* Whether the main request may not reach the application. */
bool ngx_http_tuile_refuses(ngx_http_request_t *r, ngx_http_tuile_loc_conf_t *conf, tuile_device_answer *answer);
/* Sends the whole response and ends the request: NGX_DONE. */
ngx_int_t ngx_http_tuile_send_device(ngx_http_request_t *r, const tuile_device_answer *answer);

/* ngx_http_tuile_access.c: NGX_OK if the visitor passes what the location requires, else
 * NGX_DONE or the response's status. */
ngx_int_t ngx_http_tuile_decide(ngx_http_request_t *r, ngx_http_tuile_loc_conf_t *conf);

/* ngx_http_tuile_metrics.c */
char *ngx_http_tuile_set_metrics(ngx_conf_t *cf, ngx_command_t *command, void *conf);
ngx_int_t ngx_http_tuile_add_counted(ngx_conf_t *cf, ngx_http_tuile_loc_conf_t *conf);
ngx_int_t ngx_http_tuile_add_zone(ngx_conf_t *cf);
/* Counts what a location said, unless the request is to be run again. */
void ngx_http_tuile_answered(ngx_http_request_t *r, ngx_http_tuile_loc_conf_t *conf, ngx_int_t status);

/* ngx_http_tuile_identity.c */
char *ngx_http_tuile_set_identity(ngx_conf_t *cf, ngx_command_t *command, void *conf);
ngx_int_t ngx_http_tuile_merge_identity(ngx_conf_t *cf, ngx_http_tuile_loc_conf_t *from, ngx_http_tuile_loc_conf_t *conf);
bool ngx_http_tuile_identity_needs_users(const ngx_array_t *identity);
/* Takes away what the request itself says of identity, and says what is so. */
ngx_int_t ngx_http_tuile_identify(ngx_http_request_t *r, ngx_http_tuile_loc_conf_t *conf);

/* ngx_http_tuile_phases.c */
ngx_int_t ngx_http_tuile_hook(ngx_conf_t *cf);

/* ngx_http_tuile_headers.c */
ngx_int_t ngx_http_tuile_add_headers(ngx_http_request_t *r);

#endif
