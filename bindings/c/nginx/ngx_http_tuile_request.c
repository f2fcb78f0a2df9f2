/* A request's visits: a session is read, counted and kept alive by a thread of nginx's pool. */
#include "ngx_http_tuile.h"

/* What a thread is given, and what it gives back. It is on the heap, since it may outlive its request. */
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
} job_t;

/* A job's progress. What is late at READS changes nothing any more. */
enum { WAITS = 0, READS, WRITES, LATE };

static bool goes_on(job_t *job, int from, int to) {
  return atomic_compare_exchange_strong(&job->progress, &from, to);
}

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

/* Back to the request: once the store has answered, or not. */
static void finish(job_t *job) {
  ngx_http_tuile_ctx_t *ctx = job->ctx;
  if (job->answers) ctx->answered = 1, ctx->answer_status = job->status, ctx->answer = job->answer;
  if (job->status == TUILE_OK) return;
  ngx_uint_t level = job->answers || ctx->visit.state == GATE_AWAY ? NGX_LOG_ERR : ctx->log_level;
  if (level == NGX_LOG_STDERR) return;
  ngx_log_error(level, job->request->connection->log, 0, "tuile: %s: %s", tuile_status_name(job->status),
                job->error.message);
}

static void call(job_t *job) {
  struct gate_visit *visit = &job->visit;
  if (job->answers) {
    if (goes_on(job, WAITS, WRITES)) job->status = gate_answer_device(visit, job->cookie, &job->asked, &job->answer, &job->error);
    return;
  }
  if (!goes_on(job, WAITS, READS)) return;
  job->status = gate_read(visit, job->cookie, &job->error);
  if (job->write && job->status == TUILE_OK && goes_on(job, READS, WRITES))
    job->status = gate_write(visit, job->cookie, job->count, &job->error);
}

static void run(void *job, ngx_log_t *log) { call(job); }

/* The request goes on without its visit, which the thread may still have, and frees later. */
static void give_up(job_t *job) {
  bool writes = atomic_exchange(&job->progress, LATE) == WRITES;
  struct gate_visit *visit = &job->ctx->visit;
  tuile_error error = {.status = writes ? TUILE_E_UNKNOWN : TUILE_E_BUSY};
  snprintf(error.message, sizeof error.message, "the store gave no answer by tuile_deadline%s", writes ? ": it may still be done" : "");
  visit->state = GATE_AWAY;
  visit->reason = "away";
  /* Not the job's own fields: a thread may be writing them. */
  job_t late = {.request = job->request, .ctx = job->ctx, .answers = job->answers, .status = error.status, .error = error};
  tuile_device_answer_init(&late.answer, sizeof late.answer);
  finish(&late);
  job->request = NULL;
}

/* Back in the event loop: the thread is done, or the deadline is there. */
static void resume(ngx_event_t *event) {
  job_t *job = event->data;
  ngx_http_request_t *r = job->request;
  ngx_http_tuile_ctx_t *ctx = job->ctx;
  if (!r) { /* Nobody waits for it any more. */
    gate_leave(&job->visit);
    ngx_free(job);
    return;
  }
  ngx_connection_t *connection = r->connection;
  ngx_http_set_log_request(connection->log, r);
  if (event->timedout) {
    event->timedout = 0;
    give_up(job);
  } else {
    if (event->timer_set) ngx_del_timer(event);
    ctx->visit = job->visit;
    finish(job);
    ngx_free(job);
  }
  ctx->runner = NULL;
  r->main->blocked--;
  r->aio = 0;
  for (ngx_http_tuile_waiter_t *waiter = ctx->waiters; waiter; waiter = waiter->next)
    ngx_http_post_request(waiter->request, NULL);
  ctx->waiters = NULL;
  if (r->done) {
    connection->write->handler(connection->write);
  } else {
    r->write_event_handler(r);
    ngx_http_run_posted_requests(connection);
  }
}

/* A copy that needs nothing of the request's memory; NULL if there is no memory. */
static job_t *copy(const job_t *given) {
  static const size_t texts[] = {offsetof(job_t, cookie),           offsetof(job_t, count),
                                 offsetof(job_t, asked.method),     offsetof(job_t, asked.proof),
                                 offsetof(job_t, asked.identifier), offsetof(job_t, asked.skipped),
                                 offsetof(job_t, asked.fetch_site), offsetof(job_t, asked.fetch_mode),
                                 offsetof(job_t, asked.fetch_dest)};
  size_t size = 0, count = sizeof texts / sizeof texts[0];
  for (size_t i = 0; i < count; i++) size += ((const tuile_bytes *)((const char *)given + texts[i]))->size;
  job_t *job = ngx_alloc(sizeof *job + size, given->request->connection->log);
  if (!job) return NULL;
  *job = *given;
  u_char *end = (u_char *)(job + 1);
  for (size_t i = 0; i < count; i++) {
    tuile_bytes *text = (tuile_bytes *)((char *)job + texts[i]);
    if (text->size == 0) continue;
    text->data = ngx_copy(end, text->data, text->size) - text->size;
    end += text->size;
  }
  return job;
}

static ngx_int_t start(job_t given) {
  ngx_http_tuile_ctx_t *ctx = given.ctx;
  given.visit = ctx->visit;
  if (!ctx->pool) {
    call(&given);
    ctx->visit = given.visit;
    finish(&given);
    return NGX_OK;
  }
  job_t *job = copy(&given);
  if (!job) return NGX_ERROR;
  job->task.ctx = job;
  job->task.handler = run;
  job->task.event.handler = resume;
  job->task.event.data = job;
  job->task.event.log = ngx_cycle->log;
  if (ngx_thread_task_post(ctx->pool, &job->task) != NGX_OK) {
    ngx_free(job);
    return NGX_ERROR;
  }
  ctx->visit = (struct gate_visit){.gate = given.visit.gate, .offers = given.visit.offers};
  /* Also keeps a worker that shuts down: it waits for timers, not for threads. */
  ngx_add_timer(&job->task.event, ctx->deadline);
  ctx->runner = given.request;
  given.request->main->blocked++;
  given.request->aio = 1;
  return NGX_AGAIN;
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
    job_t job = {.request = r, .ctx = ctx, .write = write};
    ngx_http_tuile_count_t *count = write ? ctx->counts : NULL;
    while (count && count->done) count = count->next;
    if (count) job.count = ngx_http_tuile_bytes(count->key);
    if (read_cookie(r, &job.cookie) != NGX_OK) return NGX_HTTP_INTERNAL_SERVER_ERROR;
    bool asks = ctx->visit.state == GATE_UNREAD && gate_has_cookie(ctx->visit.gate, job.cookie);
    if (!asks && !(write && gate_has_to_write(&ctx->visit, job.count))) return NGX_OK;
    if (count) count->done = ctx->used = 1;
    switch (start(job)) {
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
    job_t job = {.request = r, .ctx = ctx, .answers = true, .asked = ngx_http_tuile_device_request(r)};
    if (read_cookie(r, &job.cookie) != NGX_OK) return NGX_HTTP_INTERNAL_SERVER_ERROR;
    tuile_device_answer_init(&job.answer, sizeof job.answer);
    ngx_int_t status = start(job);
    if (status == NGX_AGAIN) return NGX_DONE;
    if (status != NGX_OK) return NGX_HTTP_SERVICE_UNAVAILABLE;
  }
  *answer = ctx->answer;
  return ctx->answer_status == TUILE_OK ? NGX_OK : NGX_HTTP_SERVICE_UNAVAILABLE;
}
