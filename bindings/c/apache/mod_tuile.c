/* The hooks of mod_tuile, and `Require tuile-session`: see docs/apache.md. */
#include "mod_tuile.h"

#include <mod_auth.h>

static const char filter_name[] = "TUILE_SESSION";

/* Require tuile-session [KEY]; without a key it is Django's login. */
static const char *parse_require(cmd_parms *command, const char *line, const void **parsed) {
  const char *key = ap_getword_conf(command->pool, &line);
  if (*line) return "Require tuile-session takes one key";
  *parsed = *key ? key : "_auth_user_id";
  return NULL;
}

static authz_status check_session(request_rec *r, const char *line, const void *parsed) {
  tuile_bytes key = tuile_text(parsed), user;
  (void)line;
  tuile_request *request = tuile_read(r);
  if (!request) return AUTHZ_GENERAL_ERROR;
  request->used = true;
  if (gate_holds(&request->visit, key)) {
    if (!r->user && gate_text(&request->visit, key, &user) == TUILE_OK) {
      r->user = apr_pstrmemdup(r->pool, user.data, user.size); /* for logs and REMOTE_USER */
      r->ap_auth_type = "tuile-session";
    }
    return AUTHZ_GRANTED;
  }
  request->denied = true;
  return AUTHZ_DENIED_NO_USER;
}

static const authz_provider provider = {check_session, parse_require};

static void insert_filter(request_rec *r) {
  if (!r->main && tuile_find(r)) ap_add_output_filter(filter_name, NULL, r, r->connection);
}

static void register_hooks(apr_pool_t *pool) {
  ap_hook_check_config(tuile_check, NULL, NULL, APR_HOOK_MIDDLE);
  ap_register_auth_provider(pool, AUTHZ_PROVIDER_GROUP, "tuile-session", AUTHZ_PROVIDER_VERSION, &provider,
                            AP_AUTH_INTERNAL_PER_CONF);
  /* Who was denied for the lack of a session is asked for one, unless an AuthType has its own way. */
  ap_hook_check_authn(tuile_ask_for_login, NULL, NULL, APR_HOOK_FIRST, AP_AUTH_INTERNAL_PER_CONF);
  static const char *const headers[] = {"mod_headers.c", NULL};
  ap_hook_fixups(tuile_fixups, NULL, NULL, APR_HOOK_REALLY_FIRST);
  ap_hook_fixups(tuile_let_in, NULL, headers, APR_HOOK_LAST);
  ap_register_output_filter(filter_name, tuile_add_headers, NULL, AP_FTYPE_CONTENT_SET);
  ap_hook_insert_filter(insert_filter, NULL, NULL, APR_HOOK_LAST);
  ap_hook_insert_error_filter(insert_filter, NULL, NULL, APR_HOOK_LAST);
}

AP_DECLARE_MODULE(tuile) = {STANDARD20_MODULE_STUFF, tuile_make_folder, tuile_merge_folders, tuile_make_site,
                            tuile_merge_sites,       tuile_commands,    register_hooks,      0};
