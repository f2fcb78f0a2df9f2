/* Sessions that nginx binds to their browsers' devices: the path where browsers register and
 * refresh, and the answer to a copy of the cookies. */
#include "ngx_http_tuile.h"

tuile_bytes ngx_http_tuile_header_in(ngx_http_request_t *r, const char *name) {
  size_t size = ngx_strlen(name);
  for (ngx_list_part_t *part = &r->headers_in.headers.part; part; part = part->next) {
    ngx_table_elt_t *headers = part->elts;
    for (ngx_uint_t i = 0; i < part->nelts; i++)
      if (headers[i].key.len == size && ngx_strncasecmp(headers[i].key.data, (u_char *)name, size) == 0)
        return ngx_http_tuile_bytes(headers[i].value);
  }
  return (tuile_bytes){NULL, 0};
}

static tuile_bytes header(void *r, const char *name) { return ngx_http_tuile_header_in(r, name); }

tuile_device_request ngx_http_tuile_device_request(ngx_http_request_t *r) {
  return gate_device_request(ngx_http_tuile_bytes(r->method_name), header, r);
}

bool ngx_http_tuile_is_endpoint(ngx_http_request_t *r, const ngx_http_tuile_loc_conf_t *conf) {
  return r == r->main && gate_is_endpoint(&conf->site->gate, ngx_http_tuile_bytes(r->uri));
}

bool ngx_http_tuile_refuses(ngx_http_request_t *r, ngx_http_tuile_loc_conf_t *conf, tuile_device_answer *answer) {
  ngx_http_tuile_ctx_t *ctx = r == r->main ? ngx_http_tuile_find(r, conf->site) : NULL;
  tuile_device_request request = ngx_http_tuile_device_request(r);
  if (!ctx || !gate_refuses(&ctx->visit, &request, answer)) return false;
  ctx->used = 1;
  return true;
}

static ngx_int_t add_header(ngx_http_request_t *r, const tuile_header *given, u_char *text) {
  if (given->name.size == 12 && ngx_strncasecmp((u_char *)given->name.data, (u_char *)"Content-Type", 12) == 0) {
    ngx_memcpy(text, given->value.data, given->value.size);
    r->headers_out.content_type = (ngx_str_t){given->value.size, text};
    r->headers_out.content_type_len = given->value.size;
    return NGX_OK;
  }
  ngx_table_elt_t *header = ngx_list_push(&r->headers_out.headers);
  if (!header) return NGX_ERROR;
  ngx_memzero(header, sizeof *header);
  ngx_memcpy(text, given->name.data, given->name.size);
  ngx_memcpy(text + given->name.size, given->value.data, given->value.size);
  header->hash = 1;
  header->key = (ngx_str_t){given->name.size, text};
  header->value = (ngx_str_t){given->value.size, text + given->name.size};
  return NGX_OK;
}

/* The whole response, past error_page. */
static ngx_int_t send_answer(ngx_http_request_t *r, const tuile_device_answer *answer) {
  if (ngx_http_discard_request_body(r) != NGX_OK) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  for (size_t i = 0; i < answer->header_count; i++) {
    u_char *text = ngx_pnalloc(r->pool, answer->headers[i].name.size + answer->headers[i].value.size + 1);
    if (!text || add_header(r, &answer->headers[i], text) != NGX_OK) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  }
  r->headers_out.status = (ngx_uint_t)answer->http_status;
  r->headers_out.content_length_n = (off_t)answer->body.size;
  if (answer->body.size == 0) r->header_only = 1;
  ngx_int_t status = ngx_http_send_header(r);
  if (status == NGX_ERROR || status > NGX_OK || r->header_only) return status;
  ngx_buf_t *buffer = ngx_create_temp_buf(r->pool, answer->body.size);
  if (!buffer) return NGX_ERROR;
  buffer->last = ngx_cpymem(buffer->last, answer->body.data, answer->body.size);
  buffer->last_buf = buffer->last_in_chain = 1;
  ngx_chain_t chain = {buffer, NULL};
  return ngx_http_output_filter(r, &chain);
}

ngx_int_t ngx_http_tuile_send_device(ngx_http_request_t *r, const tuile_device_answer *answer) {
  ngx_http_finalize_request(r, send_answer(r, answer));
  return NGX_DONE;
}
