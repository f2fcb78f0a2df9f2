/* What the files of mod_tuile share. */
#ifndef MOD_TUILE_H
#define MOD_TUILE_H

#include <httpd.h>
#include <http_config.h>
#include <http_core.h>
#include <http_log.h>
#include <http_protocol.h>
#include <http_request.h>
#include <apr_strings.h>
#include <apr_tables.h>
#include <gate.h>
#include "../tuile_http.h"

extern module AP_MODULE_DECLARE_DATA tuile_module;

/* A server's or virtual host's. */
typedef struct {
  struct gate_settings settings;
  const char *file; /* where the store is configured, for messages */
  int line;
  bool ready; /* the gate is configured */
  struct gate gate;
} tuile_site;

/* A directory's or location's. */
typedef struct {
  int session; /* -1 is unset and means on */
  const char *login_url, *count;
  int unavailable; /* the response's status, OK to go on, -1 unset */
  apr_array_header_t *variables; /* keys, NULL: unset */
} tuile_folder;

/* One request's, with all its subrequests and internal redirects. */
typedef struct {
  struct gate_visit visit;
  const char *counted; /* the last TuileCount that was made */
  bool denied, refused, used;
} tuile_request;

/* conf.c */
extern const command_rec tuile_commands[];
void *tuile_make_site(apr_pool_t *pool, server_rec *server);
void *tuile_merge_sites(apr_pool_t *pool, void *from, void *own);
void *tuile_make_folder(apr_pool_t *pool, char *path);
void *tuile_merge_folders(apr_pool_t *pool, void *from, void *own);
int tuile_check(apr_pool_t *config, apr_pool_t *log, apr_pool_t *scratch, server_rec *server);

/* request.c */
tuile_request *tuile_find(request_rec *r);
tuile_request *tuile_read(request_rec *r);
int tuile_fixups(request_rec *r);
int tuile_let_in(request_rec *r);
int tuile_ask_for_login(request_rec *r);

/* headers.c */
apr_status_t tuile_add_headers(ap_filter_t *filter, apr_bucket_brigade *brigade);

#endif
