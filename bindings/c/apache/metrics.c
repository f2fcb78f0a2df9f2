/* SetHandler tuile-metrics: what was answered, by location, counted by all children in
 * shared memory, anew with each configuration. */
#include "mod_tuile.h"

#include <apr_shm.h>

APLOG_USE_MODULE(tuile);

/* The paths of sections, as they are read; the first is the servers' own. */
static apr_array_header_t *paths;
static struct gate_table *table;

void tuile_begin_places(apr_pool_t *pool) {
  paths = apr_array_make(pool, 16, sizeof(const char *));
  table = NULL;
  *(const char **)apr_array_push(paths) = "";
}

int tuile_place(const char *path) {
  if (!path || !paths || table) return 0; /* a .htaccess is read while requests are served */
  for (int i = 0; i < paths->nelts; i++)
    if (strcmp(APR_ARRAY_IDX(paths, i, const char *), path) == 0) return i;
  *(const char **)apr_array_push(paths) = apr_pstrdup(paths->pool, path);
  return paths->nelts - 1;
}

int tuile_open_counters(apr_pool_t *pool, apr_pool_t *log, apr_pool_t *scratch, server_rec *server) {
  apr_shm_t *shared;
  (void)log, (void)scratch;
  size_t count = (size_t)paths->nelts;
  apr_status_t status = apr_shm_create(&shared, gate_table_size(count), NULL, pool);
  if (status != APR_SUCCESS) {
    ap_log_error(APLOG_MARK, APLOG_ERR, status, server, "tuile: there is no shared memory for tuile-metrics");
    return HTTP_INTERNAL_SERVER_ERROR;
  }
  struct gate_table *made = apr_shm_baseaddr_get(shared);
  gate_table_init(made, count);
  for (size_t i = 0; i < count; i++) {
    struct gate_row *row = &made->rows[made->used++];
    gate_label("location", tuile_text(APR_ARRAY_IDX(paths, i, const char *)), row->labels, sizeof row->labels);
  }
  table = made;
  return OK;
}

void tuile_answered(const tuile_request *request, int place, enum gate_outcome outcome) {
  if (request->place > 0) place = request->place;
  if (table && place < (int)table->used) gate_count(&table->rows[place].counters, outcome, request->visit.reason);
}

int tuile_show_counters(request_rec *r) {
  size_t size = 0;
  if (!r->handler || strcmp(r->handler, "tuile-metrics") != 0) return DECLINED;
  r->allowed |= AP_METHOD_BIT << M_GET;
  if (r->method_number != M_GET) return HTTP_METHOD_NOT_ALLOWED;
  char *text = table ? gate_table_write(table, &size) : NULL;
  if (!text) return HTTP_INTERNAL_SERVER_ERROR;
  ap_set_content_type(r, "text/plain; version=0.0.4");
  ap_set_content_length(r, (apr_off_t)size);
  if (!r->header_only) ap_rwrite(text, (int)size, r);
  free(text);
  return OK;
}
