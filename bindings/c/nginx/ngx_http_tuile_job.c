/* Jobs: calls of a store, made by a thread of nginx's pool while the event loop goes on. Who waits for one gets an
 * answer by the deadline, whatever the thread does. */
#include "ngx_http_tuile.h"

/* A job's progress. What is late at READS changes nothing any more. */
enum { WAITS = 0, READS, WRITES, LATE };

static bool goes_on(ngx_http_tuile_job_t *job, int from, int to) {
  return atomic_compare_exchange_strong(&job->progress, &from, to);
}

/* Back to the request: once the store has answered, or not. */
static void finish(ngx_http_tuile_job_t *job) {
  ngx_http_tuile_ctx_t *ctx = job->ctx;
  if (job->answers) ctx->answered = 1, ctx->answer_status = job->status, ctx->answer = job->answer;
  if (job->status == TUILE_OK) return;
  ngx_uint_t level = job->answers || ctx->visit.state == GATE_AWAY ? NGX_LOG_ERR : ctx->log_level;
  if (level == NGX_LOG_STDERR) return;
  ngx_log_error(level, job->request->connection->log, 0, "tuile: %s: %s", tuile_status_name(job->status),
                job->error.message);
}

static void call(ngx_http_tuile_job_t *job) {
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
static void give_up(ngx_http_tuile_job_t *job) {
  bool writes = atomic_exchange(&job->progress, LATE) == WRITES;
  struct gate_visit *visit = &job->ctx->visit;
  tuile_error error = {.status = writes ? TUILE_E_UNKNOWN : TUILE_E_BUSY};
  snprintf(error.message, sizeof error.message, "the store gave no answer by tuile_deadline%s", writes ? ": it may still be done" : "");
  visit->state = GATE_AWAY;
  visit->reason = "away";
  /* Not the job's own fields: a thread may be writing them. */
  ngx_http_tuile_job_t late = {.request = job->request, .ctx = job->ctx, .answers = job->answers, .status = error.status, .error = error};
  tuile_device_answer_init(&late.answer, sizeof late.answer);
  finish(&late);
  job->request = NULL;
}

/* Back in the event loop: the thread is done, or the deadline is there. */
static void resume(ngx_event_t *event) {
  ngx_http_tuile_job_t *job = event->data;
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
static ngx_http_tuile_job_t *copy(const ngx_http_tuile_job_t *given) {
  static const size_t texts[] = {offsetof(ngx_http_tuile_job_t, cookie),           offsetof(ngx_http_tuile_job_t, count),
                                 offsetof(ngx_http_tuile_job_t, asked.method),     offsetof(ngx_http_tuile_job_t, asked.proof),
                                 offsetof(ngx_http_tuile_job_t, asked.identifier), offsetof(ngx_http_tuile_job_t, asked.skipped),
                                 offsetof(ngx_http_tuile_job_t, asked.fetch_site), offsetof(ngx_http_tuile_job_t, asked.fetch_mode),
                                 offsetof(ngx_http_tuile_job_t, asked.fetch_dest)};
  size_t size = 0, count = sizeof texts / sizeof texts[0];
  for (size_t i = 0; i < count; i++) size += ((const tuile_bytes *)((const char *)given + texts[i]))->size;
  ngx_http_tuile_job_t *job = ngx_alloc(sizeof *job + size, given->request->connection->log);
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

ngx_int_t ngx_http_tuile_start(ngx_http_tuile_job_t given) {
  ngx_http_tuile_ctx_t *ctx = given.ctx;
  given.visit = ctx->visit;
  if (!ctx->pool) {
    call(&given);
    ctx->visit = given.visit;
    finish(&given);
    return NGX_OK;
  }
  ngx_http_tuile_job_t *job = copy(&given);
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
