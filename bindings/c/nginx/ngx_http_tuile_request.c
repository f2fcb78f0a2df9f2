/* A request's visits: a session is read, counted and kept alive by a job. */
#include "ngx_http_tuile.h"

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

/* The visit of that site, or for NULL the newest one. r is a main request. */
ngx_http_tuile_ctx_t *ngx_http_tuile_find(ngx_http_request_t *r, ngx_http_tuile_site_t *site) {
  ngx_http_tuile_ctx_t *ctx = first(r);
  while (ctx && site && ctx->site != site) ctx = ctx->next;
  return ctx;
}

static ngx_http_tuile_ctx_t *find_or_add(ngx_http_request_t *r, ngx_http_tuile_loc_conf_t *conf) {
  ngx_http_tuile_ctx_t *ctx = ngx_http_tuile_find(r, conf->site);
  if (ctx) {
    ctx->deadline = conf->deadline; /* of the location that asks now */
    return ctx;
  }
  ngx_http_tuile_ctx_t *next = first(r);
  ngx_pool_cleanup_t *cleanup = ngx_pool_cleanup_add(r->pool, sizeof *ctx);
  if (!cleanup) return NULL;
  ctx = cleanup->data;
  ngx_memzero(ctx, sizeof *ctx);
  ctx->site = conf->site;
  ctx->pool = conf->pool;
  ctx->deadline = conf->deadline;
  ctx->log_level = conf->log_level;
  ctx->visit.gate = &conf->site->gate;
  tuile_device_request request = ngx_http_tuile_device_request(r);
  ctx->visit.offers = conf->site->gate.binds && gate_is_page(&request);
  ctx->next = next;
  cleanup->handler = leave;
  ngx_http_set_ctx(r, ctx, ngx_http_tuile_module);
  return ctx;
}

static bool is_same(ngx_str_t one, ngx_str_t other) {
  return one.len == other.len && ngx_strncmp(one.data, other.data, one.len) == 0;
}

/* A request that comes by the same tuile_count again, by an internal redirect, counts once. */
ngx_int_t ngx_http_tuile_remember_count(ngx_http_request_t *r, ngx_http_tuile_loc_conf_t *conf) {
  if (conf->count.len == 0) return NGX_OK;
  ngx_http_tuile_ctx_t *ctx = find_or_add(r, conf);
  if (!ctx) return NGX_ERROR;
  ngx_http_tuile_count_t **place = &ctx->counts;
  for (; *place; place = &(*place)->next)
    if (is_same((*place)->key, conf->count)) return NGX_OK;
  if (!(*place = ngx_pcalloc(r->pool, sizeof **place))) return NGX_ERROR;
  (*place)->key = conf->count;
  return NGX_OK;
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

/* Until another request's thread is done. */
static ngx_int_t wait_for(ngx_http_request_t *r, ngx_http_tuile_ctx_t *ctx) {
  if (ctx->runner == r) return NGX_DONE; /* woken for another reason */
  for (ngx_http_tuile_waiter_t *each = ctx->waiters; each; each = each->next)
    if (each->request == r) return NGX_DONE;
  ngx_http_tuile_waiter_t *waiter = ngx_palloc(r->pool, sizeof *waiter);
  if (!waiter) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  *waiter = (ngx_http_tuile_waiter_t){ctx->waiters, r};
  ctx->waiters = waiter;
  return NGX_DONE;
}

static ngx_int_t enter(ngx_http_request_t *r, ngx_http_tuile_ctx_t *ctx, bool write) {
  for (;;) {
    if (ctx->runner) return wait_for(r, ctx);
    ngx_http_tuile_job_t job = {.request = r, .ctx = ctx, .write = write};
    ngx_http_tuile_count_t *count = write ? ctx->counts : NULL;
    while (count && count->done) count = count->next;
    if (count) job.count = ngx_http_tuile_bytes(count->key);
    if (read_cookie(r, &job.cookie) != NGX_OK) return NGX_HTTP_INTERNAL_SERVER_ERROR;
    bool asks = ctx->visit.state == GATE_UNREAD && gate_has_cookie(ctx->visit.gate, job.cookie);
    if (!asks && !(write && gate_has_to_write(&ctx->visit, job.count))) return NGX_OK;
    if (count) count->done = ctx->used = 1;
    switch (ngx_http_tuile_start(job)) {
      case NGX_OK: break; /* There may be another count. */
      case NGX_AGAIN: return NGX_DONE;
      default: return NGX_HTTP_SERVICE_UNAVAILABLE; /* The pool's queue is full. */
    }
  }
}

ngx_int_t ngx_http_tuile_enter(ngx_http_request_t *r, ngx_http_tuile_loc_conf_t *conf, bool write) {
  ngx_http_tuile_ctx_t *own = find_or_add(r->main, conf);
  if (!own) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  if (!write) return enter(r, own, false);
  /* Also of other sites, whose location another one has led here from. */
  for (ngx_http_tuile_ctx_t *ctx = first(r->main); ctx; ctx = ctx->next) {
    if (ctx != own && !ctx->counts) continue;
    ngx_int_t status = enter(r, ctx, true);
    if (status != NGX_OK) return status;
  }
  return NGX_OK;
}

ngx_int_t ngx_http_tuile_enter_device(ngx_http_request_t *r, ngx_http_tuile_loc_conf_t *conf, tuile_device_answer *answer) {
  ngx_http_tuile_ctx_t *ctx = find_or_add(r, conf);
  if (!ctx) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  if (ctx->runner) return wait_for(r, ctx);
  if (!ctx->answered) {
    ngx_http_tuile_job_t job = {.request = r, .ctx = ctx, .answers = true, .asked = ngx_http_tuile_device_request(r)};
    if (read_cookie(r, &job.cookie) != NGX_OK) return NGX_HTTP_INTERNAL_SERVER_ERROR;
    tuile_device_answer_init(&job.answer, sizeof job.answer);
    ngx_int_t status = ngx_http_tuile_start(job);
    if (status == NGX_AGAIN) return NGX_DONE;
    if (status != NGX_OK) return NGX_HTTP_SERVICE_UNAVAILABLE;
  }
  *answer = ctx->answer;
  return ctx->answer_status == TUILE_OK ? NGX_OK : NGX_HTTP_SERVICE_UNAVAILABLE;
}
