/* tuile_metrics: what was answered, by location, counted by all workers in shared memory.
 * The counters live on over a reload. */
#include "ngx_http_tuile.h"

enum { PLACES = 1000 };

static ngx_int_t init_zone(ngx_shm_zone_t *zone, void *before) {
  ngx_http_tuile_main_conf_t *main = zone->data;
  ngx_slab_pool_t *pool = (ngx_slab_pool_t *)zone->shm.addr;
  struct gate_table *table = before ? ((ngx_http_tuile_main_conf_t *)before)->table : zone->shm.exists ? pool->data : NULL;
  if (!table) {
    table = ngx_slab_alloc(pool, gate_table_size(PLACES));
    if (!table) return NGX_ERROR;
    gate_table_init(table, PLACES);
    pool->data = table;
  }
  main->table = table;
  ngx_http_tuile_counted_t *counted = main->counted.elts;
  for (ngx_uint_t i = 0; i < main->counted.nelts; i++)
    counted[i].conf->counters = gate_table_find(table, (const char *)counted[i].labels);
  return NGX_OK;
}

ngx_int_t ngx_http_tuile_add_zone(ngx_conf_t *cf) {
  static ngx_str_t name = ngx_string("tuile_metrics");
  ngx_http_tuile_main_conf_t *main = ngx_http_conf_get_module_main_conf(cf, ngx_http_tuile_module);
  if (!main->has_metrics) return NGX_OK;
  ngx_shm_zone_t *zone = ngx_shared_memory_add(cf, &name, gate_table_size(PLACES) + 64 * ngx_pagesize, &ngx_http_tuile_module);
  if (!zone) return NGX_ERROR;
  zone->init = init_zone;
  zone->data = main;
  return NGX_OK;
}

/* A location that looks at sessions is counted, if anybody asks for the counters. */
ngx_int_t ngx_http_tuile_add_counted(ngx_conf_t *cf, ngx_http_tuile_loc_conf_t *conf) {
  ngx_http_tuile_main_conf_t *main = ngx_http_conf_get_module_main_conf(cf, ngx_http_tuile_module);
  ngx_http_core_loc_conf_t *location = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
  ngx_http_core_srv_conf_t *server = ngx_http_conf_get_module_srv_conf(cf, ngx_http_core_module);
  ngx_http_tuile_counted_t *counted = ngx_array_push(&main->counted);
  if (!counted) return NGX_ERROR;
  counted->conf = conf;
  char *at = (char *)counted->labels;
  size_t size = gate_label("server", ngx_http_tuile_bytes(server->server_name), at, 48);
  at[size++] = ',';
  gate_label("location", ngx_http_tuile_bytes(location->name), at + size, sizeof counted->labels - size);
  return NGX_OK;
}

void ngx_http_tuile_answered(ngx_http_request_t *r, ngx_http_tuile_loc_conf_t *conf, ngx_int_t status) {
  if (!conf->counters || status == NGX_DONE || status == NGX_AGAIN) return;
  ngx_http_tuile_ctx_t *ctx = ngx_http_tuile_find(r->main, conf->site);
  bool passes = status == NGX_OK || status == NGX_DECLINED;
  gate_count(conf->counters, passes ? GATE_OUTCOME_PASS : gate_outcome_of((int)status), ctx ? ctx->visit.reason : NULL);
}

static ngx_int_t answer(ngx_http_request_t *r) {
  static ngx_str_t type = ngx_string("text/plain; version=0.0.4");
  ngx_http_tuile_main_conf_t *main = ngx_http_get_module_main_conf(r, ngx_http_tuile_module);
  if (!(r->method & (NGX_HTTP_GET | NGX_HTTP_HEAD))) return NGX_HTTP_NOT_ALLOWED;
  ngx_int_t status = ngx_http_discard_request_body(r);
  if (status != NGX_OK) return status;
  size_t size = 0;
  char *text = gate_table_write(main->table, &size);
  ngx_buf_t *buffer = text ? ngx_create_temp_buf(r->pool, size + 1) : NULL;
  if (buffer) buffer->last = ngx_cpymem(buffer->last, text, size);
  free(text);
  if (!buffer) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  buffer->last_buf = r == r->main;
  buffer->last_in_chain = 1;
  r->headers_out.status = NGX_HTTP_OK;
  r->headers_out.content_length_n = (off_t)size;
  r->headers_out.content_type = type;
  r->headers_out.content_type_len = type.len;
  status = ngx_http_send_header(r);
  if (status == NGX_ERROR || status > NGX_OK || r->header_only) return status;
  ngx_chain_t chain = {buffer, NULL};
  return ngx_http_output_filter(r, &chain);
}

/* tuile_metrics */
char *ngx_http_tuile_set_metrics(ngx_conf_t *cf, ngx_command_t *command, void *conf) {
  (void)command, (void)conf;
  ngx_http_tuile_main_conf_t *main = ngx_http_conf_get_module_main_conf(cf, ngx_http_tuile_module);
  ngx_http_core_loc_conf_t *location = ngx_http_conf_get_module_loc_conf(cf, ngx_http_core_module);
  main->has_metrics = true;
  location->handler = answer;
  return NGX_CONF_OK;
}
