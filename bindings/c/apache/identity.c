/* The headers that tell the application who a visitor is: set for the locations that say
 * so, and taken from every client's request. */
#include "mod_tuile.h"

apr_array_header_t *tuile_identity_names;

/* ---- the configuration ---- */

static bool has(const apr_array_header_t *array, tuile_bytes name) {
  for (int i = 0; array && i < array->nelts; i++)
    if (gate_is_same_name(APR_ARRAY_IDX(array, i, struct gate_identity).name, name)) return true;
  return false;
}

/* TuileIdentityHeader Off|NAME KEY */
const char *tuile_add_identity(cmd_parms *command, void *data, const char *name, const char *key) {
  tuile_folder *folder = data;
  struct gate_identity identity = {tuile_text(name), tuile_text(key)};
  if (!key) {
    if (strcasecmp(name, "off") != 0) return "TuileIdentityHeader takes Off, or a header's name and a key";
    folder->no_identity = true;
    return NULL;
  }
  const char *mistake = gate_identity_mistake(identity.name);
  if (!mistake && !*key) mistake = "takes a key after the name";
  if (!mistake && has(folder->identity, identity.name)) mistake = "is there twice";
  if (mistake) return apr_psprintf(command->pool, "TuileIdentityHeader %s %s", name, mistake);
  if (!folder->identity) folder->identity = apr_array_make(command->pool, 4, sizeof identity);
  *(struct gate_identity *)apr_array_push(folder->identity) = identity;
  *(tuile_bytes *)apr_array_push(tuile_identity_names) = identity.name;
  return NULL;
}

/* A location has those of the folders around it, too. */
apr_array_header_t *tuile_merge_identity(apr_pool_t *pool, const tuile_folder *from, const tuile_folder *own) {
  if (own->no_identity || !from->identity) return own->identity;
  if (!own->identity) return from->identity;
  apr_array_header_t *both = apr_array_copy(pool, own->identity);
  for (int i = 0; i < from->identity->nelts; i++) {
    struct gate_identity each = APR_ARRAY_IDX(from->identity, i, struct gate_identity);
    if (!has(both, each.name)) *(struct gate_identity *)apr_array_push(both) = each;
  }
  return both;
}

/* ---- a request ---- */

static bool is_ours(const char *name) {
  for (int i = 0; i < tuile_identity_names->nelts; i++)
    if (gate_is_same_name(APR_ARRAY_IDX(tuile_identity_names, i, tuile_bytes), tuile_text(name))) return true;
  return false;
}

static void take_away(request_rec *r) {
  const apr_array_header_t *headers = apr_table_elts(r->headers_in);
  apr_table_t *kept = NULL;
  for (int i = 0; i < headers->nelts && !kept; i++)
    if (is_ours(APR_ARRAY_IDX(headers, i, apr_table_entry_t).key)) kept = apr_table_make(r->pool, headers->nelts);
  if (!kept) return;
  for (int i = 0; i < headers->nelts; i++) {
    apr_table_entry_t header = APR_ARRAY_IDX(headers, i, apr_table_entry_t);
    if (!is_ours(header.key)) apr_table_addn(kept, header.key, header.val);
  }
  r->headers_in = kept; /* its own: a subrequest shares its parent's */
}

/* What a client says of identity is of no use to any rule, nor to a log. */
int tuile_forget_claims(request_rec *r) {
  take_away(r);
  return DECLINED;
}

void tuile_identify(request_rec *r, const tuile_folder *folder, tuile_request *request) {
  take_away(r);
  if (!folder->identity || folder->session == 0 || !request) return;
  request->used = true;
  if (r->main) r->headers_in = apr_table_copy(r->pool, r->headers_in);
  for (int i = 0; i < folder->identity->nelts; i++) {
    struct gate_identity each = APR_ARRAY_IDX(folder->identity, i, struct gate_identity);
    tuile_bytes value;
    if (gate_text(&request->visit, each.key, &value) == TUILE_OK)
      apr_table_setn(r->headers_in, (const char *)each.name.data, apr_pstrmemdup(r->pool, value.data, value.size));
  }
}
