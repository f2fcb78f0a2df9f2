/* A request: its session is loaded by a thread of nginx's pool, then decides who passes. */
#include "ngx_http_tuile.h"

/* What a thread is given, and what it gives back. */
typedef struct {
  ngx_http_request_t *request;
  ngx_http_tuile_ctx_t *ctx;
  tuile_bytes cookie;
  tuile_bytes count;
  tuile_status status;
  tuile_error error;
} job_t;

static void leave(void *ctx) { gate_leave(&((ngx_http_tuile_ctx_t *)ctx)->visit); }

/* The chain's head: an internal redirect clears the module's context, not the pool. */
static ngx_http_tuile_ctx_t *first(ngx_http_request_t *r) {
  ngx_http_tuile_ctx_t *ctx = ngx_http_get_module_ctx(r, ngx_http_tuile_module);
  if (ctx || !r->internal) return ctx;
  for (ngx_pool_cleanup_t *cleanup = r->pool->cleanup; cleanup; cleanup = cleanup->next) {
    if (cleanup->handler != leave) continue;
    ngx_http_set_ctx(r, cleanup->data, ngx_http_tuile_module); /* The newest one comes first. */
    return cleanup->data;
  }
  return NULL;
}

/* The visit of that site, or for NULL the newest one. */
ngx_http_tuile_ctx_t *ngx_http_tuile_find(ngx_http_request_t *r, ngx_http_tuile_site_t *site) {
  ngx_http_tuile_ctx_t *ctx = first(r);
  while (ctx && site && ctx->site != site) ctx = ctx->next;
  return ctx;
}

static ngx_http_tuile_ctx_t *find_or_add(ngx_http_request_t *r, ngx_http_tuile_site_t *site) {
  ngx_http_tuile_ctx_t *ctx = ngx_http_tuile_find(r, site);
  if (ctx) return ctx;
  ngx_http_tuile_ctx_t *next = first(r);
  ngx_pool_cleanup_t *cleanup = ngx_pool_cleanup_add(r->pool, sizeof *ctx);
  if (!cleanup) return NULL;
  ctx = cleanup->data;
  ngx_memzero(ctx, sizeof *ctx);
  ctx->site = site;
  ctx->visit.gate = &site->gate;
  ctx->next = next;
  cleanup->handler = leave;
  ngx_http_set_ctx(r, ctx, ngx_http_tuile_module);
  return ctx;
}

/* The request's Cookie headers as one, as browsers would join them. */
static ngx_int_t read_cookie(ngx_http_request_t *r, tuile_bytes *cookie) {
  size_t size = 0;
  u_char *end;
#if (nginx_version >= 1023000)
  ngx_table_elt_t *header = r->headers_in.cookie;
  *cookie = header ? ngx_http_tuile_bytes(header->value) : (tuile_bytes){NULL, 0};
  if (!header || !header->next) return NGX_OK;
#define EACH_COOKIE(header) for (header = r->headers_in.cookie; header; header = header->next)
#else
  ngx_table_elt_t *header, **headers = r->headers_in.cookies.elts, **stop = headers + r->headers_in.cookies.nelts;
  *cookie = headers != stop ? ngx_http_tuile_bytes(headers[0]->value) : (tuile_bytes){NULL, 0};
  if (r->headers_in.cookies.nelts < 2) return NGX_OK;
#define EACH_COOKIE(header) \
  for (ngx_table_elt_t **place = headers; place != stop && (header = *place); place++)
#endif
  EACH_COOKIE(header) size += header->value.len + 2;
  cookie->data = end = ngx_pnalloc(r->pool, size);
  if (!end) return NGX_ERROR;
  EACH_COOKIE(header) {
    end = ngx_cpymem(end, header->value.data, header->value.len);
    *end++ = ';';
    *end++ = ' ';
  }
  cookie->size = size;
  return NGX_OK;
}

/* Once the store has answered, or not. */
static void finish(job_t *job) {
  if (job->status == TUILE_OK) return;
  ngx_uint_t level = job->ctx->visit.state == GATE_AWAY ? NGX_LOG_ERR : NGX_LOG_WARN;
  ngx_log_error(level, job->request->connection->log, 0, "tuile: %s: %s", tuile_status_name(job->status),
                job->error.message);
}

static void run(void *data, ngx_log_t *log) {
  job_t *job = data;
  job->status = gate_enter(&job->ctx->visit, &job->ctx->site->gate, job->cookie, job->count, &job->error);
}

/* A worker that shuts down waits for timers, not for threads: one is set while a thread
 * has the visit. Milliseconds. */
static const ngx_msec_t waiting = 60000;

/* Back in the event loop. */
static void resume(ngx_event_t *event) {
  job_t *job = event->data;
  if (event->timedout) { /* the thread is still at it */
    event->timedout = 0;
    ngx_add_timer(event, waiting);
    return;
  }
  if (event->timer_set) ngx_del_timer(event);
  ngx_http_request_t *r = job->request;
  ngx_connection_t *connection = r->connection;
  ngx_http_set_log_request(connection->log, r);
  job->ctx->running = 0;
  r->main->blocked--;
  r->aio = 0;
  finish(job);
  if (r->done) {
    connection->write->handler(connection->write);
  } else {
    r->write_event_handler(r);
    ngx_http_run_posted_requests(connection);
  }
}

static ngx_int_t start(ngx_http_request_t *r, ngx_thread_pool_t *pool, job_t given) {
  if (!pool) {
    run(&given, NULL);
    finish(&given);
    return NGX_OK;
  }
  ngx_thread_task_t *task = ngx_thread_task_alloc(r->pool, sizeof given);
  if (!task) return NGX_ERROR;
  *(job_t *)task->ctx = given;
  task->handler = run;
  task->event.handler = resume;
  task->event.data = task->ctx;
  task->event.log = r->connection->log;
  if (ngx_thread_task_post(pool, task) != NGX_OK) return NGX_ERROR;
  ngx_add_timer(&task->event, waiting);
  given.ctx->running = 1;
  r->main->blocked++;
  r->aio = 1;
  return NGX_AGAIN;
}

static ngx_int_t answer(ngx_http_tuile_ctx_t *ctx, ngx_http_tuile_loc_conf_t *conf) {
  if (ctx->visit.state != GATE_AWAY || ctx->refused || conf->unavailable == NGX_OK) return NGX_DECLINED;
  ctx->refused = 1; /* so that an error_page can be shown */
  return (ngx_int_t)conf->unavailable;
}

static bool is_same(ngx_str_t one, ngx_str_t other) {
  return one.len == other.len && ngx_strncmp(one.data, other.data, one.len) == 0;
}

ngx_int_t ngx_http_tuile_load(ngx_http_request_t *r) {
  ngx_http_tuile_loc_conf_t *conf = ngx_http_get_module_loc_conf(r, ngx_http_tuile_module);
  if (r != r->main || !conf->site || !conf->session) return NGX_DECLINED;
  ngx_http_tuile_ctx_t *ctx = find_or_add(r, conf->site);
  if (!ctx) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  if (ctx->running) return NGX_DONE; /* woken for another reason */

  bool counts = conf->count.len > 0 && !is_same(conf->count, ctx->counted) && ctx->visit.state != GATE_AWAY;
  bool asks = ctx->visit.state == GATE_UNASKED;
  if (!counts && !asks) return answer(ctx, conf);
  job_t job = {.request = r, .ctx = ctx};
  if (read_cookie(r, &job.cookie) != NGX_OK) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  if (counts) {
    job.count = ngx_http_tuile_bytes(conf->count);
    ctx->counted = conf->count;
    ctx->used = 1;
  } else if (!gate_has_cookie(&conf->site->gate, job.cookie)) {
    return NGX_DECLINED;
  }
  switch (start(r, conf->pool, job)) {
    case NGX_OK: return answer(ctx, conf);
    case NGX_AGAIN: return NGX_DONE;
    default: return NGX_HTTP_SERVICE_UNAVAILABLE; /* The pool's queue is full. */
  }
}

/* ---- who passes ---- */

static ngx_int_t send_to_login(ngx_http_request_t *r, ngx_http_complex_value_t *login_url) {
  ngx_str_t login;
  size_t size = 0;
  if (ngx_http_complex_value(r, login_url, &login) != NGX_OK) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  tuile_bytes page = ngx_http_tuile_bytes(r->unparsed_uri);
  gate_login(ngx_http_tuile_bytes(login), page, NULL, 0, &size);
  ngx_table_elt_t *location = ngx_list_push(&r->headers_out.headers);
  u_char *url = ngx_pnalloc(r->pool, size);
  if (!location) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  ngx_memzero(location, sizeof *location);
  if (!url || gate_login(ngx_http_tuile_bytes(login), page, (char *)url, size, NULL) != TUILE_OK)
    return NGX_HTTP_INTERNAL_SERVER_ERROR;
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

ngx_int_t ngx_http_tuile_access(ngx_http_request_t *r) {
  ngx_http_tuile_loc_conf_t *conf = ngx_http_get_module_loc_conf(r, ngx_http_tuile_module);
  if (conf->require.len == 0) return NGX_DECLINED;
  ngx_http_tuile_ctx_t *ctx = ngx_http_tuile_find(r, conf->site);
  if (!ctx) return NGX_HTTP_FORBIDDEN;
  ctx->used = 1;
  if (ctx->visit.state == GATE_AWAY) return NGX_HTTP_SERVICE_UNAVAILABLE;
  if (gate_passes(&ctx->visit, ngx_http_tuile_bytes(conf->require))) return NGX_OK;
  ngx_http_core_loc_conf_t *core = ngx_http_get_module_loc_conf(r, ngx_http_core_module);
  /* With "satisfy any" another rule may yet let the visitor in. */
  if (!conf->login_url || core->satisfy == NGX_HTTP_SATISFY_ANY) return ask_for_login(r);
  return send_to_login(r, conf->login_url);
}
