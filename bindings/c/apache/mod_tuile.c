/* The hooks of mod_tuile, and `Require tuile-session`: see docs/apache.md. */
#include "mod_tuile.h"

#include <mod_auth.h>

static const char filter_name[] = "TUILE_SESSION";

/* A requirement, and the place of its section in the counters. */
struct required {
  struct gate_requirement requirement;
  int place;
};

/* Require tuile-session, and then nothing or what gate_read_requirement takes. */
static const char *parse_require(cmd_parms *command, const char *line, const void **parsed) {
  struct required *required = apr_pcalloc(command->pool, sizeof *required);
  required->place = tuile_place(command->path);
  size_t count = 0, most = strlen(line) + 1;
  tuile_bytes *words = apr_pcalloc(command->pool, most * sizeof *words);
  while (*line) words[count++] = tuile_text(ap_getword_conf(command->pool, &line));
  if (count == 0) words[count++] = TUILE_STR("on");
  struct gate_term *room = apr_pcalloc(command->pool, count * sizeof *room);
  const char *mistake = gate_read_requirement(words, count, room, &required->requirement);
  if (mistake) return apr_pstrcat(command->pool, "Require tuile-session ", mistake, NULL);
  *parsed = required;
  return NULL;
}

/* For logs and REMOTE_USER: the first key of the requirement that the session has. */
static void set_user(request_rec *r, tuile_request *request, const struct gate_requirement *requirement) {
  tuile_bytes user;
  for (size_t i = 0; !r->user && i < requirement->count; i++) {
    tuile_bytes key = requirement->terms[i].key;
    if (gate_text(&request->visit, key.size > 0 ? key : request->visit.gate->login_key, &user) != TUILE_OK) continue;
    r->user = apr_pstrmemdup(r->pool, user.data, user.size);
    r->ap_auth_type = "tuile-session";
  }
}

/* Not for what its page includes. */
static bool is_login(request_rec *r) {
  tuile_folder *folder = ap_get_module_config(r->per_dir_config, &tuile_module);
  tuile_bytes login = tuile_text(folder->login_url), page = tuile_text(tuile_first_of(r)->unparsed_uri);
  return !r->main && gate_place_of(login, page, tuile_text(NULL)) == GATE_AT_LOGIN;
}

static authz_status check_session(request_rec *r, const char *line, const void *parsed) {
  (void)line;
  tuile_device_answer refusal = TUILE_DEVICE_ANSWER_INIT;
  if (tuile_is_endpoint(r)) return AUTHZ_GRANTED; /* A browser that refreshes may have no session any more. */
  tuile_request *request = tuile_read(r);
  if (!request) return AUTHZ_GENERAL_ERROR;
  if (tuile_refuses(r, &refusal)) return AUTHZ_GRANTED; /* That comes behind all access rules. */
  request->used = request->guarded = true;
  const struct required *required = parsed;
  request->place = required->place;
  request->answer = gate_decide(&request->visit, &required->requirement);
  if (request->answer == GATE_PASSES) set_user(r, request, &required->requirement);
  if (request->answer == GATE_PASSES || (request->answer == GATE_UNKNOWN && is_login(r))) return AUTHZ_GRANTED;
  request->denied = true;
  return AUTHZ_DENIED_NO_USER;
}

static const authz_provider provider = {check_session, parse_require};

static void insert_filter(request_rec *r) {
  if (!r->main && tuile_find(r)) ap_add_output_filter(filter_name, NULL, r, r->connection);
}

static void register_hooks(apr_pool_t *pool) {
  ap_hook_pre_config(tuile_begin_configuration, NULL, NULL, APR_HOOK_MIDDLE);
  ap_hook_post_read_request(tuile_forget_claims, NULL, NULL, APR_HOOK_REALLY_FIRST);
  ap_hook_post_config(tuile_open_counters, NULL, NULL, APR_HOOK_MIDDLE);
  ap_hook_handler(tuile_answer_device, NULL, NULL, APR_HOOK_REALLY_FIRST);
  ap_hook_handler(tuile_show_counters, NULL, NULL, APR_HOOK_MIDDLE);
  ap_hook_check_config(tuile_check, NULL, NULL, APR_HOOK_MIDDLE);
  ap_register_auth_provider(pool, AUTHZ_PROVIDER_GROUP, "tuile-session", AUTHZ_PROVIDER_VERSION, &provider,
                            AP_AUTH_INTERNAL_PER_CONF);
  /* Who was denied for the lack of a session is asked for one, unless an AuthType has its own way. */
  ap_hook_check_authn(tuile_ask_for_login, NULL, NULL, APR_HOOK_FIRST, AP_AUTH_INTERNAL_PER_CONF);
  static const char *const headers[] = {"mod_headers.c", NULL};
  ap_hook_fixups(tuile_fixups, NULL, NULL, APR_HOOK_REALLY_FIRST);
  ap_hook_fixups(tuile_let_in, NULL, headers, APR_HOOK_LAST);
  ap_register_output_filter(filter_name, tuile_add_headers, NULL, AP_FTYPE_CONTENT_SET);
  /* After those that set Cache-Control, which may have to be made private. */
  static const char *const others[] = {"mod_headers.c", "mod_expires.c", NULL};
  ap_hook_insert_filter(insert_filter, others, NULL, APR_HOOK_LAST);
  ap_hook_insert_error_filter(insert_filter, others, NULL, APR_HOOK_LAST);
}

AP_DECLARE_MODULE(tuile) = {STANDARD20_MODULE_STUFF, tuile_make_folder, tuile_merge_folders, tuile_make_site,
                            tuile_merge_sites,       tuile_commands,    register_hooks,      0};
