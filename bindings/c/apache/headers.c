/* The response's headers: Set-Cookie, Vary and Cache-Control of what was committed, and
 * what keeps shared caches from what a requirement stands before. */
#include "mod_tuile.h"

/* What the application's own answer says already. */
typedef struct {
  const struct gate *gate;
  apr_pool_t *pool;
  bool cookie, vary, private;
} said;

static int look(void *context, const char *name, const char *value) {
  said *found = context;
  if (strcasecmp(name, "Set-Cookie") == 0) found->cookie |= gate_is_own_cookie(found->gate, tuile_text(value));
  if (strcasecmp(name, "Vary") == 0)
    found->vary |= ap_find_token(found->pool, value, "Cookie") || ap_find_token(found->pool, value, "*");
  if (strcasecmp(name, "Cache-Control") == 0)
    found->private |= ap_find_token(found->pool, value, "private") || ap_find_token(found->pool, value, "no-store");
  return 1;
}

static void add(request_rec *r, const struct gate_header *header, const said *found) {
  bool cookie = strcasecmp(header->name, "Set-Cookie") == 0, cache = strcasecmp(header->name, "Cache-Control") == 0;
  if ((cookie && found->cookie) || (cache && (found->cookie || found->private))) return;
  if (strcasecmp(header->name, "Vary") == 0) return; /* below */
  apr_table_add(r->err_headers_out, header->name, header->value);
}

/* ---- caches ---- */

typedef struct {
  apr_pool_t *pool;
  apr_table_t *table;
} rewriting;

static int rewrite(void *context, const char *name, const char *value) {
  rewriting *state = context;
  if (strcasecmp(name, "CDN-Cache-Control") == 0 || strcasecmp(name, "Surrogate-Control") == 0) return 1;
  if (strcasecmp(name, "Cache-Control") != 0) return apr_table_addn(state->table, name, value), 1;
  char *private = apr_palloc(state->pool, 2 * strlen(value) + 11);
  private[gate_make_private(tuile_text(value), private)] = 0;
  apr_table_addn(state->table, name, private);
  return 1;
}

/* Whatever the application and mod_expires say: other visitors pass by other sessions. */
static void make_private(request_rec *r) {
  apr_table_t **tables[] = {&r->headers_out, &r->err_headers_out};
  bool said = false;
  for (int i = 0; i < 2; i++) {
    rewriting state = {r->pool, apr_table_make(r->pool, apr_table_elts(*tables[i])->nelts + 1)};
    apr_table_do(rewrite, &state, *tables[i], NULL);
    *tables[i] = state.table;
    said = said || apr_table_get(state.table, "Cache-Control");
  }
  if (!said) apr_table_setn(r->err_headers_out, "Cache-Control", "private");
}

/* Runs once, when the response's headers are known. */
apr_status_t tuile_add_headers(ap_filter_t *filter, apr_bucket_brigade *brigade) {
  request_rec *r = filter->r;
  tuile_request *request = tuile_find(r);
  ap_remove_output_filter(filter);
  if (request) {
    said found = {request->visit.gate, r->pool, false, false, false};
    apr_table_do(look, &found, r->headers_out, NULL);
    apr_table_do(look, &found, r->err_headers_out, NULL);
    for (struct gate_header *header = request->visit.headers; header; header = header->next) add(r, header, &found);
    if ((request->used || request->visit.headers) && !found.vary) apr_table_addn(r->err_headers_out, "Vary", "Cookie");
    if (request->guarded || request->visit.offered) make_private(r); /* An offer is for one browser. */
  }
  return ap_pass_brigade(filter->next, brigade);
}
