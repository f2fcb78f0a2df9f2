/* The response's headers: Set-Cookie, Vary and Cache-Control of what was committed. */
#include "ngx_http_tuile.h"

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

/* Whether a comma-separated header has the word. */
static bool lists(ngx_str_t value, const char *word) {
  u_char *end = value.data + value.len;
  size_t size = ngx_strlen(word);
  for (u_char *start = value.data; start < end; start++) {
    u_char *stop = ngx_strlchr(start, end, ',');
    if (!stop) stop = end;
    while (start < stop && *start == ' ') start++;
    if ((size_t)(stop - start) >= size && ngx_strncasecmp(start, (u_char *)word, size) == 0 &&
        (start + size == stop || start[size] == ' '))
      return true;
    start = stop;
  }
  return false;
}

/* What the application's own answer says already. */
typedef struct {
  bool cookie, vary, private;
} said_t;

static said_t look(ngx_http_request_t *r, const struct gate *gate) {
  said_t said = {false, false, false};
  for (ngx_list_part_t *part = &r->headers_out.headers.part; part; part = part->next) {
    ngx_table_elt_t *headers = part->elts;
    for (ngx_uint_t i = 0; i < part->nelts; i++) {
      ngx_str_t name = headers[i].key, value = headers[i].value;
      if (headers[i].hash == 0) continue;
#define IS(text) (name.len == sizeof(text) - 1 && ngx_strncasecmp(name.data, (u_char *)text, name.len) == 0)
      if (IS("Set-Cookie")) said.cookie |= gate_is_own_cookie(gate, ngx_http_tuile_bytes(value));
      if (IS("Vary")) said.vary |= lists(value, "Cookie") || lists(value, "*");
      if (IS("Cache-Control")) said.private |= lists(value, "private") || lists(value, "no-store");
    }
  }
  return said;
}

ngx_int_t ngx_http_tuile_add_headers(ngx_http_request_t *r) {
  for (ngx_http_tuile_ctx_t *ctx = ngx_http_tuile_find(r, NULL); ctx; ctx = ctx->next) {
    said_t said = look(r, &ctx->site->gate);
    for (struct gate_header *header = ctx->visit.headers; header; header = header->next) {
      ngx_str_t name = {header->name_size, (u_char *)header->name};
      if ((IS("Set-Cookie") && said.cookie) || (IS("Cache-Control") && (said.private || said.cookie))) continue;
      if (IS("Vary")) continue;
      if (push(r, header->name, header->name_size, header->value, header->value_size) != NGX_OK) return NGX_ERROR;
    }
    if ((ctx->used || ctx->visit.headers) && !said.vary && push(r, "Vary", 4, "Cookie", 6) != NGX_OK) return NGX_ERROR;
  }
  return NGX_OK;
}
