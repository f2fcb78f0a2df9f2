/* The headers that tell the application who a visitor is: set for the locations that say
 * so, and taken from every client's request. */
#include "ngx_http_tuile.h"

/* ---- the configuration ---- */

static struct gate_identity *find(ngx_array_t *array, tuile_bytes name) {
  struct gate_identity *each = array ? array->elts : NULL;
  for (ngx_uint_t i = 0; array && i < array->nelts; i++)
    if (gate_is_same_name(each[i].name, name)) return &each[i];
  return NULL;
}

static ngx_int_t add(ngx_conf_t *cf, ngx_array_t **array, struct gate_identity identity) {
  if (!*array && !(*array = ngx_array_create(cf->pool, 4, sizeof identity))) return NGX_ERROR;
  struct gate_identity *place = ngx_array_push(*array);
  if (!place) return NGX_ERROR;
  *place = identity;
  return NGX_OK;
}

/* tuile_identity_header off|NAME KEY */
char *ngx_http_tuile_set_identity(ngx_conf_t *cf, ngx_command_t *command, void *data) {
  ngx_http_tuile_loc_conf_t *conf = data;
  ngx_http_tuile_main_conf_t *main = ngx_http_conf_get_module_main_conf(cf, ngx_http_tuile_module);
  ngx_str_t *words = cf->args->elts;
  if (cf->args->nelts == 2) {
    if (ngx_strcmp(words[1].data, "off") != 0 || conf->no_identity) return "takes off, or a header's name and a key, once";
    conf->no_identity = 1;
    return NGX_CONF_OK;
  }
  struct gate_identity identity = {ngx_http_tuile_bytes(words[1]), ngx_http_tuile_bytes(words[2])};
  const char *mistake = gate_identity_mistake(identity.name);
  if (!mistake && identity.key.size == 0) mistake = "takes a key after the name";
  if (!mistake && gate_is_of_user(identity.key)) mistake = gate_need_of_user(identity.key, false);
  if (!mistake && find(conf->identity, identity.name)) mistake = "is duplicate";
  if (mistake) {
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "tuile_identity_header %V %s", &words[1], mistake);
    return NGX_CONF_ERROR;
  }
  tuile_bytes *name = ngx_array_push(&main->names);
  if (!name || add(cf, &conf->identity, identity) != NGX_OK) return NGX_CONF_ERROR;
  *name = identity.name;
  return NGX_CONF_OK;
}

/* A location has those of the blocks around it, too. */
ngx_int_t ngx_http_tuile_merge_identity(ngx_conf_t *cf, ngx_http_tuile_loc_conf_t *from, ngx_http_tuile_loc_conf_t *conf) {
  struct gate_identity *each = from->identity ? from->identity->elts : NULL;
  if (conf->no_identity || !from->identity) return NGX_OK;
  if (!conf->identity) return conf->identity = from->identity, NGX_OK;
  for (ngx_uint_t i = 0; i < from->identity->nelts; i++)
    if (!find(conf->identity, each[i].name) && add(cf, &conf->identity, each[i]) != NGX_OK) return NGX_ERROR;
  return NGX_OK;
}

/* Whether some header tells what only a database of users knows. */
bool ngx_http_tuile_identity_needs_users(const ngx_array_t *array) {
  struct gate_identity *each = array ? array->elts : NULL;
  for (ngx_uint_t i = 0; array && i < array->nelts; i++)
    if (gate_is_of_user(each[i].key)) return true;
  return false;
}

/* ---- a request ---- */

static bool is_ours(const ngx_array_t *names, ngx_str_t name) {
  tuile_bytes *each = names->elts, bytes = ngx_http_tuile_bytes(name);
  for (ngx_uint_t i = 0; i < names->nelts; i++)
    if (gate_is_same_name(each[i], bytes)) return true;
  return false;
}

static bool has_ours(ngx_http_request_t *r, const ngx_array_t *names) {
  for (ngx_list_part_t *part = &r->headers_in.headers.part; part; part = part->next) {
    ngx_table_elt_t *headers = part->elts;
    for (ngx_uint_t i = 0; i < part->nelts; i++)
      if (is_ours(names, headers[i].key)) return true;
  }
  return false;
}

/* The request gets a list of its own, as a subrequest shares its parent's; what points
 * into the old one still does. */
static ngx_int_t take_away(ngx_http_request_t *r, const ngx_array_t *names) {
  ngx_list_part_t old = r->headers_in.headers.part;
  if (ngx_list_init(&r->headers_in.headers, r->pool, 20, sizeof(ngx_table_elt_t)) != NGX_OK) return NGX_ERROR;
  for (ngx_list_part_t *part = &old; part; part = part->next) {
    ngx_table_elt_t *headers = part->elts;
    for (ngx_uint_t i = 0; i < part->nelts; i++) {
      if (is_ours(names, headers[i].key)) continue;
      ngx_table_elt_t *kept = ngx_list_push(&r->headers_in.headers);
      if (!kept) return NGX_ERROR;
      *kept = headers[i];
    }
  }
  return NGX_OK;
}

static ngx_int_t say(ngx_http_request_t *r, const struct gate_identity *identity, tuile_bytes value) {
  ngx_table_elt_t *header = ngx_list_push(&r->headers_in.headers);
  u_char *copy = ngx_pnalloc(r->pool, 2 * identity->name.size + value.size);
  if (!header) return NGX_ERROR;
  ngx_memzero(header, sizeof *header);
  if (!copy) return NGX_ERROR;
  header->key = (ngx_str_t){identity->name.size, copy};
  header->lowcase_key = copy + identity->name.size;
  header->value = (ngx_str_t){value.size, copy + 2 * identity->name.size};
  ngx_memcpy(copy, identity->name.data, identity->name.size);
  ngx_memcpy(header->value.data, value.data, value.size);
  header->hash = ngx_hash_strlow(header->lowcase_key, copy, identity->name.size);
  return NGX_OK;
}

/* conf NULL: nothing is said. NGX_DECLINED, or the status of an error. */
ngx_int_t ngx_http_tuile_identify(ngx_http_request_t *r, ngx_http_tuile_loc_conf_t *conf) {
  ngx_http_tuile_main_conf_t *main = ngx_http_get_module_main_conf(r, ngx_http_tuile_module);
  ngx_array_t *array = conf ? conf->identity : NULL;
  if (main->names.nelts == 0 || (!array && !has_ours(r, &main->names))) return NGX_DECLINED;
  if (take_away(r, &main->names) != NGX_OK) return NGX_HTTP_INTERNAL_SERVER_ERROR;
  ngx_http_tuile_ctx_t *ctx = array ? ngx_http_tuile_find(r->main, conf->site) : NULL;
  if (!ctx) return NGX_DECLINED;
  struct gate_identity *each = array->elts;
  ctx->used = 1;
  for (ngx_uint_t i = 0; i < array->nelts; i++) {
    tuile_bytes value;
    if (gate_text(&ctx->visit, each[i].key, &value) != TUILE_OK) continue;
    if (say(r, &each[i], value) != NGX_OK) return NGX_HTTP_INTERNAL_SERVER_ERROR;
    ctx->identified = 1;
  }
  return NGX_DECLINED;
}
