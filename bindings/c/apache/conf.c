/* The configuration: read, inherited, and tried before it is used. */
#include "mod_tuile.h"

#include <apr_lib.h>
#include <unixd.h>

static bool needed, counts; /* Some directive needs a store, or one that is written to. */

/* Before the configuration is read, for the first time or once more. */
int tuile_begin_configuration(apr_pool_t *pool, apr_pool_t *log, apr_pool_t *scratch) {
  (void)log, (void)scratch;
  needed = counts = false;
  gate_needs = (struct gate_needs){false, false, false};
  tuile_identity_names = apr_array_make(pool, 4, sizeof(tuile_bytes));
  tuile_begin_places(pool);
  return OK;
}

/* ---- servers ---- */

void *tuile_make_site(apr_pool_t *pool, server_rec *server) {
  tuile_site *site = apr_pcalloc(pool, sizeof *site);
  (void)server;
  gate_settings_init(&site->settings);
  return site;
}

void *tuile_merge_sites(apr_pool_t *pool, void *base, void *add) {
  const tuile_site *from = base;
  tuile_site *site = apr_pmemdup(pool, add, sizeof *site);
  gate_settings_inherit(&site->settings, &from->settings);
  return site;
}

static tuile_site *site_of(cmd_parms *command) {
  return ap_get_module_config(command->server->module_config, &tuile_module);
}

/* info: the field's offset in the settings */
static void *field_of(cmd_parms *command) { return (char *)&site_of(command)->settings + (size_t)command->info; }

/* One word, which, unlike that of AP_INIT_TAKE1, may be "". */
static const char *take_word(cmd_parms *command, const char *line, const char **word) {
  bool none = !*line;
  *word = ap_getword_conf(command->pool, &line);
  return none || *line ? apr_pstrcat(command->pool, command->cmd->name, " takes one argument", NULL) : NULL;
}

static const char *set_text(cmd_parms *command, void *folder, const char *line) {
  const char *text, *mistake = take_word(command, line, &text);
  (void)folder;
  if (!mistake) *(tuile_bytes *)field_of(command) = tuile_text(text);
  return mistake;
}

/* TuileDjangoUserColumn FIELD COLUMN */
static const char *set_column(cmd_parms *command, void *folder, const char *line) {
  const char *name = ap_getword_conf(command->pool, &line);
  int column = gate_column_named(tuile_text(name));
  (void)folder;
  if (column < 0) return "TuileDjangoUserColumn takes id, username, password, active, staff, superuser or member, and a column";
  const char *text, *mistake = take_word(command, line, &text);
  if (!mistake) site_of(command)->settings.user_columns[column] = tuile_text(text);
  return mistake;
}

static const char *set_url(cmd_parms *command, void *folder, const char *line) {
  const char *at = apr_psprintf(command->pool, "%s:%d", command->directive->filename, command->directive->line_num);
  *gate_settings_place(&site_of(command)->settings, field_of(command)) = at;
  return set_text(command, folder, line);
}

static const char *set_flag(cmd_parms *command, void *folder, int on) {
  (void)folder;
  *(int *)field_of(command) = on;
  return NULL;
}

static const char *set_seconds(cmd_parms *command, void *folder, const char *text) {
  apr_interval_time_t age;
  (void)folder;
  if (!apr_isdigit(*text) || ap_timeout_parameter_parse(text, &age, "s") != APR_SUCCESS)
    return apr_pstrcat(command->pool, command->cmd->name, " takes seconds, or a number with a unit, such as 12h", NULL);
  *(int64_t *)field_of(command) = apr_time_sec(age);
  return NULL;
}

static const char *set_bytes(cmd_parms *command, void *folder, const char *text) {
  apr_off_t size;
  char *end;
  (void)folder;
  if (!apr_isdigit(*text) || apr_strtoff(&size, text, &end, 10) != APR_SUCCESS || *end)
    return apr_pstrcat(command->pool, command->cmd->name, " takes a number of bytes", NULL);
  *(int64_t *)field_of(command) = size;
  return NULL;
}

static const char *set_same_site(cmd_parms *command, void *folder, const char *text) {
  static const char *const names[] = {"unset", "lax", "strict", "none"}; /* as tuile_same_site counts */
  (void)folder;
  for (int i = 0; i < 4; i++)
    if (strcasecmp(text, names[i]) == 0) return site_of(command)->settings.cookie_same_site = i, NULL;
  return "TuileCookieSameSite takes Lax, Strict, None or Unset";
}

static const char *set_policy(cmd_parms *command, void *folder, const char *text) {
  (void)folder;
  if (strcasecmp(text, "aal2") == 0) site_of(command)->settings.policy = TUILE_POLICY_AAL2;
  else if (strcasecmp(text, "aal3") == 0) site_of(command)->settings.policy = TUILE_POLICY_AAL3;
  else return "TuilePolicy takes AAL2 or AAL3";
  return NULL;
}

static apr_status_t free_keyring(void *keyring) {
  tuile_keyring_free(keyring);
  return APR_SUCCESS;
}

/* TuileSecretFile PATH [hex|base64] [weak] [shared] */
static const char *set_secret_file(cmd_parms *command, void *folder, int count, char *const words[]) {
  tuile_site *site = site_of(command);
  tuile_error error;
  (void)folder;
  if (count < 1) return "TuileSecretFile takes a path";
  const char *path = ap_server_root_relative(command->pool, words[0]), *const *after = (const char *const *)words + 1;
  if (gate_read_keys(tuile_text(path), after, (size_t)count - 1, &site->settings.keyring, &error) != TUILE_OK)
    return apr_psprintf(command->pool, "TuileSecretFile %s: %s", words[0], error.message);
  apr_pool_cleanup_register(command->pool, site->settings.keyring, free_keyring, apr_pool_cleanup_null);
  return NULL;
}

/* ---- directories and locations ---- */

void *tuile_make_folder(apr_pool_t *pool, char *path) {
  tuile_folder *folder = apr_pcalloc(pool, sizeof *folder);
  folder->place = tuile_place(path);
  folder->session = folder->unavailable = -1;
  return folder;
}

void *tuile_merge_folders(apr_pool_t *pool, void *base, void *add) {
  const tuile_folder *from = base;
  tuile_folder *folder = apr_pmemdup(pool, add, sizeof *folder);
  if (folder->place == 0) folder->place = from->place;
  if (folder->session < 0) folder->session = from->session;
  if (!folder->login_url) folder->login_url = from->login_url;
  if (!folder->count) folder->count = from->count;
  if (folder->unavailable < 0) folder->unavailable = from->unavailable;
  if (!folder->variables) folder->variables = from->variables;
  else if (from->variables) folder->variables = apr_array_append(pool, from->variables, folder->variables);
  if (!folder->login_next) folder->login_next = from->login_next;
  if (!folder->login_parameter) folder->login_parameter = from->login_parameter;
  folder->identity = tuile_merge_identity(pool, from, add);
  return folder;
}

/* info: the field's offset in the folder */
static const char *set_word(cmd_parms *command, void *folder, const char *line) {
  return take_word(command, line, (const char **)((char *)folder + (size_t)command->info));
}

static const char *set_count(cmd_parms *command, void *folder, const char *line) {
  const char *mistake = take_word(command, line, &((tuile_folder *)folder)->count);
  needed = true;
  counts = counts || (!mistake && *((tuile_folder *)folder)->count);
  return mistake;
}

/* TuileLoginNext EXPRESSION */
static const char *set_login_next(cmd_parms *command, void *folder, const char *text) {
  const char *mistake = NULL;
  ((tuile_folder *)folder)->login_next = ap_expr_parse_cmd(command, text, AP_EXPR_FLAG_STRING_RESULT, &mistake, NULL);
  return mistake ? apr_pstrcat(command->pool, "TuileLoginNext: ", mistake, NULL) : NULL;
}

/* What is asked of a user, not of the session. */
static const char *need_of_user(const char *key) {
  return key && gate_is_of_user(tuile_text(key)) ? gate_need_of_user(tuile_text(key), false) : NULL;
}

static const char *add_identity(cmd_parms *command, void *folder, const char *name, const char *key) {
  const char *mistake = need_of_user(key);
  needed = true;
  if (mistake) return apr_pstrcat(command->pool, "TuileIdentityHeader ", mistake, NULL);
  return tuile_add_identity(command, folder, name, key);
}

static const char *add_variable(cmd_parms *command, void *data, const char *key) {
  tuile_folder *folder = data;
  const char *mistake = need_of_user(key);
  if (mistake) return apr_pstrcat(command->pool, "TuileEnv ", mistake, NULL);
  if (!folder->variables) folder->variables = apr_array_make(command->pool, 4, sizeof(const char *));
  *(const char **)apr_array_push(folder->variables) = key;
  needed = true;
  return NULL;
}

static const char *set_unavailable(cmd_parms *command, void *folder, const char *text) {
  int status = strcasecmp(text, "pass") == 0 ? OK : atoi(text);
  (void)command;
  if (status != OK && (status < 400 || status > 599)) return "TuileUnavailable takes pass, or a status from 400 to 599";
  ((tuile_folder *)folder)->unavailable = status;
  return NULL;
}

/* ---- the test ---- */

static apr_status_t close_site(void *site) {
  gate_close(&((tuile_site *)site)->gate);
  return APR_SUCCESS;
}

static void configure(apr_pool_t *pool, tuile_site *site) {
  gate_init(&site->gate, &site->settings);
  site->ready = true;
  apr_pool_cleanup_register(pool, site, close_site, apr_pool_cleanup_null);
}

static int report(server_rec *server, int level, const char *name, const char *message, const char *at) {
  ap_log_error(APLOG_MARK, level, 0, server, "%s: %s in %s", name, message, at);
  return level == APLOG_EMERG ? HTTP_INTERNAL_SERVER_ERROR : OK;
}

/* Every store is asked once, as the children will ask it. */
static int check_site(apr_pool_t *pool, server_rec *server, tuile_site *site) {
  static const char *const names[] = {"TuileStore", "TuileStore", "TuilePreviousStore", "TuileRevocations",
                                      "TuileDjangoUsers"};
  const char *user = geteuid() == 0 ? ap_unixd_config.user_name : NULL, *mistake = gate_mistake(&site->settings);
  struct gate_finding found;
  if (mistake) return report(server, APLOG_EMERG, "Tuile", mistake, gate_settings_at(&site->settings, GATE_STORE));
  configure(pool, site);
  gate_check(&site->gate, user, ap_unixd_config.user_id, ap_unixd_config.group_id, &found);
  if (found.status == TUILE_OK) return OK;
  return report(server, found.may_recover ? APLOG_WARNING : APLOG_EMERG, names[found.part], found.error.message,
                gate_settings_at(&site->settings, found.part));
}

int tuile_check(apr_pool_t *pool, apr_pool_t *log, apr_pool_t *scratch, server_rec *server) {
  bool any = false, users = false, written = false;
  (void)log, (void)scratch;
  for (server_rec *each = server; each; each = each->next) {
    tuile_site *site = ap_get_module_config(each->module_config, &tuile_module);
    if (site->settings.store.size == 0) continue;
    any = true;
    written = written || !gate_is_read_only_url(site->settings.store);
    users = users || gate_users_url(&site->settings).size > 0;
    if (site->ready) continue; /* another virtual host's too */
    int status = check_site(pool, each, site);
    if (status != OK) return status;
  }
  if (gate_needs.users && !users)
    return report(server, APLOG_EMERG, "Tuile", "what is asked of users with an @ needs TuileDjangoUsers", "the configuration");
  if (any && counts && !written)
    return report(server, APLOG_EMERG, "TuileCount", "it needs a store that is written to, and its URL says mode=ro", "the configuration");
  if (any || !needed) return OK;
  ap_log_error(APLOG_MARK, APLOG_EMERG, 0, server, "TuileCount, TuileEnv and TuileIdentityHeader need a TuileStore");
  return HTTP_INTERNAL_SERVER_ERROR;
}

#define SITE(field) (void *)APR_OFFSETOF(struct gate_settings, field)
#define FOLDER(field) (void *)APR_OFFSETOF(tuile_folder, field)

const command_rec tuile_commands[] = {
    AP_INIT_RAW_ARGS("TuileStore", set_url, SITE(store), RSRC_CONF, "the URL of the sessions' store"),
    AP_INIT_RAW_ARGS("TuilePreviousStore", set_url, SITE(previous_store), RSRC_CONF, "where sessions were kept before"),
    AP_INIT_RAW_ARGS("TuileRevocations", set_url, SITE(revocations), RSRC_CONF, "the store that remembers logouts"),
    AP_INIT_TAKE_ARGV("TuileSecretFile", set_secret_file, NULL, RSRC_CONF, "a file of keys, then hex, base64, weak, shared"),
    AP_INIT_RAW_ARGS("TuileCookieName", set_text, SITE(cookie_name), RSRC_CONF, "the session cookie's name"),
    AP_INIT_RAW_ARGS("TuileCookieDomain", set_text, SITE(cookie_domain), RSRC_CONF, "its domain"),
    AP_INIT_RAW_ARGS("TuileCookiePath", set_text, SITE(cookie_path), RSRC_CONF, "its path"),
    AP_INIT_TAKE1("TuileCookieAge", set_seconds, SITE(cookie_age), RSRC_CONF, "its age"),
    AP_INIT_TAKE1("TuileCookieSameSite", set_same_site, NULL, RSRC_CONF, "Lax, Strict, None or Unset"),
    AP_INIT_FLAG("TuileCookieSecure", set_flag, SITE(cookie_secure), RSRC_CONF, "On or Off"),
    AP_INIT_FLAG("TuileCookieHttpOnly", set_flag, SITE(cookie_http_only), RSRC_CONF, "On or Off"),
    AP_INIT_FLAG("TuileCookiePartitioned", set_flag, SITE(cookie_partitioned), RSRC_CONF, "On or Off"),
    AP_INIT_RAW_ARGS("TuilePreviousCookie", set_text, SITE(previous_cookie), RSRC_CONF, "the cookie's name before"),
    AP_INIT_FLAG("TuileDeviceBound", set_flag, SITE(device_bound), RSRC_CONF, "whether a bound session needs its bound cookie"),
    AP_INIT_RAW_ARGS("TuileDevicePath", set_text, SITE(device_path), RSRC_CONF, "where browsers bind their sessions here"),
    AP_INIT_TAKE1("TuileDeviceSeconds", set_seconds, SITE(device_seconds), RSRC_CONF, "how long a bound cookie lives"),
    AP_INIT_FLAG("TuileSeveralCookies", set_flag, SITE(several_cookies), RSRC_CONF, "whether one of several counts"),
    AP_INIT_FLAG("TuileExpireAtBrowserClose", set_flag, SITE(browser_close), RSRC_CONF, "On or Off"),
    AP_INIT_TAKE1("TuileLifetime", set_seconds, SITE(lifetime), RSRC_CONF, "the longest life of a session"),
    AP_INIT_TAKE1("TuilePolicy", set_policy, NULL, RSRC_CONF, "AAL2 or AAL3"),
    AP_INIT_TAKE1("TuileMaxData", set_bytes, SITE(max_data), RSRC_CONF, "the most bytes of a session"),
    AP_INIT_RAW_ARGS("TuileLoginKey", set_text, SITE(login_key), RSRC_CONF, "what a logged-in session holds"),
    AP_INIT_RAW_ARGS("TuileDjangoUsers", set_url, SITE(users), RSRC_CONF, "On, Off, or the URL of a database"),
    AP_INIT_TAKE1("TuileDjangoUsersKept", set_seconds, SITE(users_kept), RSRC_CONF, "how long an answer counts"),
    AP_INIT_RAW_ARGS("TuileDjangoUserTable", set_text, SITE(user_table), RSRC_CONF, "auth_user"),
    AP_INIT_RAW_ARGS("TuileDjangoUserColumn", set_column, NULL, RSRC_CONF, "a field and its column"),
    AP_INIT_TAKE1("TuileRefresh", set_seconds, SITE(refresh), RSRC_CONF, "how late its end is moved on"),
    AP_INIT_FLAG("TuileSession", ap_set_flag_slot, FOLDER(session), OR_AUTHCFG, "whether sessions are looked at"),
    AP_INIT_RAW_ARGS("TuileLoginURL", set_word, FOLDER(login_url), OR_AUTHCFG, "where to log in"),
    AP_INIT_TAKE1("TuileLoginNext", set_login_next, NULL, OR_AUTHCFG, "the page to come back to, as an expression"),
    AP_INIT_RAW_ARGS("TuileLoginParameter", set_word, FOLDER(login_parameter), OR_AUTHCFG, "its parameter: next"),
    AP_INIT_TAKE12("TuileIdentityHeader", add_identity, NULL, RSRC_CONF | ACCESS_CONF, "a request header, and its key"),
    AP_INIT_RAW_ARGS("TuileCount", set_count, NULL, OR_AUTHCFG, "the key that counts the visitor's requests"),
    AP_INIT_ITERATE("TuileEnv", add_variable, NULL, OR_AUTHCFG, "keys for TUILE_SESSION_KEY in the environment"),
    AP_INIT_TAKE1("TuileUnavailable", set_unavailable, NULL, OR_AUTHCFG, "a status, or pass"),
    {NULL}};
