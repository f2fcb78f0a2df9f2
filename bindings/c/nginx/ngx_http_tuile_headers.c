/* The response's headers: Set-Cookie, Vary and Cache-Control of what was committed, and
 * what keeps shared caches from what a requirement stands before. */
#include "ngx_http_tuile.h"

static bool is(ngx_str_t name, const char *text) {
  return name.len == ngx_strlen(text) && ngx_strncasecmp(name.data, (u_char *)text, name.len) == 0;
}

static ngx_int_t push(ngx_http_request_t *r, const char *name, size_t name_size, const char *value, size_t value_size) {
  ngx_table_elt_t *header = ngx_list_push(&r->headers_out.headers);
  u_char *copy = ngx_pnalloc(r->pool, name_size + value_size);
  if (!header) return NGX_ERROR;
  ngx_memzero(header, sizeof *header);
  if (!copy) return NGX_ERROR;
  ngx_memcpy(copy, name, name_size);
  ngx_memcpy(copy + name_size, value, value_size);
  header->hash = 1;
  header->key = (ngx_str_t){name_size, copy};
  header->value = (ngx_str_t){value_size, copy + name_size};
  return NGX_OK;
}

/* ---- what the application's own answer says already ---- */

typedef struct {
  bool cookie, vary, private;
} said_t;

static said_t look(ngx_http_request_t *r, const struct gate *gate) {
  said_t said = {false, false, false};
  for (ngx_list_part_t *part = &r->headers_out.headers.part; part; part = part->next) {
    ngx_table_elt_t *headers = part->elts;
    for (ngx_uint_t i = 0; i < part->nelts; i++) {
      ngx_str_t name = headers[i].key;
      tuile_bytes value = ngx_http_tuile_bytes(headers[i].value);
      if (headers[i].hash == 0) continue;
      if (is(name, "Set-Cookie")) said.cookie |= gate_is_own_cookie(gate, value);
      if (is(name, "Vary")) said.vary |= gate_has_directive(value, "cookie") || gate_has_directive(value, "*");
      if (is(name, "Cache-Control"))
        said.private |= gate_has_directive(value, "private") || gate_has_directive(value, "no-store");
    }
  }
  return said;
}

/* ---- caches ---- */

/* Whatever the application and `expires` say: other visitors pass by other sessions. */
static ngx_int_t make_private(ngx_http_request_t *r) {
  bool said = false;
  for (ngx_list_part_t *part = &r->headers_out.headers.part; part; part = part->next) {
    ngx_table_elt_t *headers = part->elts;
    for (ngx_uint_t i = 0; i < part->nelts; i++) {
      if (headers[i].hash == 0) continue;
      /* Caches of networks read these before all others. */
      if (is(headers[i].key, "CDN-Cache-Control") || is(headers[i].key, "Surrogate-Control")) headers[i].hash = 0;
      if (!is(headers[i].key, "Cache-Control")) continue;
      u_char *value = ngx_pnalloc(r->pool, 2 * headers[i].value.len + 10);
      if (!value) return NGX_ERROR;
      headers[i].value.len = gate_make_private(ngx_http_tuile_bytes(headers[i].value), (char *)value);
      headers[i].value.data = value;
      said = true;
    }
  }
  return said ? NGX_OK : push(r, "Cache-Control", 13, "private", 7);
}

/* nginx's own cache asks no header filter whether it may keep the response. */
static void keep_from_cache(ngx_http_request_t *r) {
#if (NGX_HTTP_CACHE)
  if (r->upstream) r->upstream->cacheable = 0;
#endif
}

/* ---- the filter ---- */

static ngx_int_t add_headers(ngx_http_request_t *r, ngx_http_tuile_ctx_t *ctx) {
  said_t said = look(r, &ctx->site->gate);
  for (struct gate_header *header = ctx->visit.headers; header; header = header->next) {
    ngx_str_t name = {header->name_size, (u_char *)header->name};
    if ((is(name, "Set-Cookie") && said.cookie) || (is(name, "Cache-Control") && (said.private || said.cookie))) continue;
    if (is(name, "Vary")) continue;
    if (push(r, header->name, header->name_size, header->value, header->value_size) != NGX_OK) return NGX_ERROR;
  }
  if ((ctx->used || ctx->visit.headers) && !said.vary) return push(r, "Vary", 4, "Cookie", 6);
  return NGX_OK;
}

ngx_int_t ngx_http_tuile_add_headers(ngx_http_request_t *r) {
  bool guarded = false, identified = false;
  for (ngx_http_tuile_ctx_t *ctx = ngx_http_tuile_find(r->main, NULL); ctx; ctx = ctx->next) {
    guarded = guarded || ctx->guarded || ctx->visit.offered; /* An offer is for one browser. */
    identified = identified || ctx->identified;
  }
  if (guarded || identified) keep_from_cache(r);
  if (r != r->main) return NGX_OK;
  for (ngx_http_tuile_ctx_t *ctx = ngx_http_tuile_find(r, NULL); ctx; ctx = ctx->next)
    if (add_headers(r, ctx) != NGX_OK) return NGX_ERROR;
  return guarded ? make_private(r) : NGX_OK;
}
