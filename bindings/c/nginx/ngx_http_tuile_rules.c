/* What the rewrite rules of a location ask for.
 *
 * nginx runs them before any access rule, so the session is read that early only where
 * they use it: what `limit_req` or `deny` refuses costs no store anything. */
#include "ngx_http_tuile.h"

extern ngx_module_t ngx_http_rewrite_module __attribute__((weak)); /* nginx may have been built without it. */

/* The compiled rules, of ngx_http_rewrite_module, whose configuration begins with them in every
 * version: instructions, each of which begins with its function, of whole words. */
static ngx_array_t *codes_of(ngx_conf_t *cf) {
  if (!&ngx_http_rewrite_module) return NULL;
  ngx_array_t **conf = ngx_http_conf_get_module_loc_conf(cf, ngx_http_rewrite_module);
  return conf ? *conf : NULL;
}

static bool is_ours(ngx_conf_t *cf, ngx_uint_t index) {
  ngx_http_core_main_conf_t *core = ngx_http_conf_get_module_main_conf(cf, ngx_http_core_module);
  ngx_http_tuile_main_conf_t *main = ngx_http_conf_get_module_main_conf(cf, ngx_http_tuile_module);
  ngx_http_variable_t *variables = core->variables.elts;
  ngx_str_t *names = main->variables.elts, prefix = ngx_http_tuile_prefix;
  if (index >= core->variables.nelts) return false;
  ngx_str_t name = variables[index].name;
  if (name.len > prefix.len && ngx_strncmp(name.data, prefix.data, prefix.len) == 0) return true;
  for (ngx_uint_t i = 0; i < main->variables.nelts; i++)
    if (names[i].len == name.len && ngx_strncmp(names[i].data, name.data, name.len) == 0) return true;
  return false;
}

static bool text_asks(ngx_conf_t *cf, const ngx_http_complex_value_t *text) {
  for (ngx_uint_t *index = text->flushes; index && *index != (ngx_uint_t)-1; index++)
    if (is_ours(cf, *index)) return true;
  return false;
}

static bool is_rewrite(ngx_http_script_code_pt code) {
#if (NGX_PCRE)
  return code == ngx_http_script_regex_start_code;
#else
  return false;
#endif
}

ngx_http_tuile_rules_t ngx_http_tuile_read_rules(ngx_conf_t *cf) {
  ngx_http_tuile_rules_t rules = {false, false};
  ngx_array_t *codes = codes_of(cf);
  u_char *start = codes ? codes->elts : NULL, *end = codes ? start + codes->nelts * codes->size : NULL;
  u_char *conditional = start; /* Up to here a condition decides whether a rule is run. */
  for (u_char *at = start; at + sizeof(uintptr_t) <= end; at += sizeof(uintptr_t)) {
    ngx_http_script_code_pt code = *(ngx_http_script_code_pt *)at;
    if (code == ngx_http_script_var_code || code == ngx_http_script_copy_var_code) {
      rules.asks = rules.asks || is_ours(cf, (ngx_uint_t)((ngx_http_script_var_code_t *)at)->index);
    } else if (code == ngx_http_script_if_code) {
      u_char *after = at + ((ngx_http_script_if_code_t *)at)->next;
      if (after > conditional) conditional = after;
    } else if (code == ngx_http_script_break_code || is_rewrite(code)) {
      conditional = end;
    } else if (code == ngx_http_script_return_code && at + sizeof(ngx_http_script_return_code_t) <= end) {
      rules.asks = rules.asks || text_asks(cf, &((ngx_http_script_return_code_t *)at)->text);
      rules.returns = rules.returns || at >= conditional;
    }
  }
  return rules;
}
