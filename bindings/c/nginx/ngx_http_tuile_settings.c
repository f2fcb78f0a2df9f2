/* The settings of an application's sessions; a command's offset is that of the field in
 * gate_settings. */
#include "ngx_http_tuile.h"

static void *field_of(ngx_command_t *command, void *conf) {
  return (char *)&((ngx_http_tuile_loc_conf_t *)conf)->settings + command->offset;
}

char *ngx_http_tuile_set_text(ngx_conf_t *cf, ngx_command_t *command, void *conf) {
  tuile_bytes *field = field_of(command, conf);
  ngx_str_t *words = cf->args->elts;
  if (field->data) return "is duplicate";
  *field = ngx_http_tuile_bytes(words[1]);
  return NGX_CONF_OK;
}

/* tuile_django_user_column FIELD COLUMN; offset: of the first one */
char *ngx_http_tuile_set_column(ngx_conf_t *cf, ngx_command_t *command, void *conf) {
  tuile_bytes *columns = field_of(command, conf);
  ngx_str_t *words = cf->args->elts;
  int column = gate_column_named(ngx_http_tuile_bytes(words[1]));
  if (column < 0) return "takes id, username, password, active, staff, superuser or member, and a column";
  if (columns[column].data) return "is duplicate";
  columns[column] = ngx_http_tuile_bytes(words[2]);
  return NGX_CONF_OK;
}

char *ngx_http_tuile_set_url(ngx_conf_t *cf, ngx_command_t *command, void *conf) {
  ngx_conf_file_t *file = cf->conf_file;
  size_t size = file->file.name.len + sizeof ":" + NGX_INT_T_LEN;
  u_char *at = ngx_pnalloc(cf->pool, size);
  if (!at) return NGX_CONF_ERROR;
  *ngx_snprintf(at, size - 1, "%V:%ui", &file->file.name, file->line) = 0;
  char *answer = ngx_http_tuile_set_text(cf, command, conf);
  if (answer == NGX_CONF_OK)
    *gate_settings_place(&((ngx_http_tuile_loc_conf_t *)conf)->settings, field_of(command, conf)) = (const char *)at;
  return answer;
}

static char *set_number(ngx_conf_t *cf, ngx_command_t *command, void *conf, int64_t number) {
  int64_t *field = field_of(command, conf);
  if (*field >= 0) return "is duplicate";
  if (number < 0) return "has an invalid value";
  *field = number;
  return NGX_CONF_OK;
}

char *ngx_http_tuile_set_seconds(ngx_conf_t *cf, ngx_command_t *command, void *conf) {
  ngx_str_t *words = cf->args->elts;
  return set_number(cf, command, conf, ngx_parse_time(&words[1], 1));
}

char *ngx_http_tuile_set_bytes(ngx_conf_t *cf, ngx_command_t *command, void *conf) {
  ngx_str_t *words = cf->args->elts;
  return set_number(cf, command, conf, ngx_parse_size(&words[1]));
}

/* post: the words that it takes, and what they mean */
char *ngx_http_tuile_set_choice(ngx_conf_t *cf, ngx_command_t *command, void *conf) {
  int *field = field_of(command, conf);
  ngx_str_t *words = cf->args->elts;
  if (*field >= 0) return "is duplicate";
  for (ngx_conf_enum_t *each = command->post; each->name.len > 0; each++) {
    if (each->name.len != words[1].len || ngx_strcasecmp(each->name.data, words[1].data) != 0) continue;
    *field = (int)each->value;
    return NGX_CONF_OK;
  }
  ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "invalid value \"%V\"", &words[1]);
  return NGX_CONF_ERROR;
}

static void free_keyring(void *keyring) { tuile_keyring_free(keyring); }

/* tuile_secret_file PATH [hex|base64] [weak] [shared] */
char *ngx_http_tuile_set_secret_file(ngx_conf_t *cf, ngx_command_t *command, void *data) {
  ngx_http_tuile_loc_conf_t *conf = data;
  ngx_str_t *words = cf->args->elts, path = words[1];
  const char *after[3]; /* as many as the directive takes */
  size_t count = cf->args->nelts - 2;
  if (conf->settings.keyring) return "is duplicate: one file has all keys, the newest first";
  for (size_t i = 0; i < count; i++) after[i] = (const char *)words[i + 2].data;
  if (ngx_conf_full_name(cf->cycle, &path, 1) != NGX_OK) return NGX_CONF_ERROR;
  tuile_error error;
  if (gate_read_keys(ngx_http_tuile_bytes(path), after, count, &conf->settings.keyring, &error) != TUILE_OK) {
    ngx_conf_log_error(NGX_LOG_EMERG, cf, 0, "tuile_secret_file \"%V\": %s", &path, error.message);
    return NGX_CONF_ERROR;
  }
  ngx_pool_cleanup_t *cleanup = ngx_pool_cleanup_add(cf->pool, 0);
  if (!cleanup) return NGX_CONF_ERROR;
  cleanup->handler = free_keyring;
  cleanup->data = conf->settings.keyring;
  return NGX_CONF_OK;
}
