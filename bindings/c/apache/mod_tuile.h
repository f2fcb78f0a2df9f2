/* What the files of mod_tuile share. */
#ifndef MOD_TUILE_H
#define MOD_TUILE_H

#include <httpd.h>
#include <ap_expr.h>
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
  bool ready; /* the gate is configured */
  struct gate gate;
} tuile_site;

/* A directory's or location's. */
typedef struct {
  int place;   /* whose counters: see metrics.c */
  int session; /* -1 is unset and means on */
  const char *login_url, *count, *login_parameter;
  ap_expr_info_t *login_next;
  apr_array_header_t *identity; /* of struct gate_identity, NULL: unset */
  bool no_identity;             /* what is inherited does not count */
  int unavailable; /* the response's status, OK to go on, -1 unset */
  apr_array_header_t *variables; /* keys, NULL: unset */
} tuile_folder;

/* One request's, with all its subrequests and internal redirects. */
typedef struct {
  struct gate_visit visit;
  const char *counted; /* the last TuileCount that was made */
  enum gate_answer answer; /* of the last requirement */
  int place;               /* and its place in the counters, 0: the folder's */
  bool denied, refused, used, guarded;
} tuile_request;

/* conf.c */
extern const command_rec tuile_commands[];
void *tuile_make_site(apr_pool_t *pool, server_rec *server);
void *tuile_merge_sites(apr_pool_t *pool, void *from, void *own);
void *tuile_make_folder(apr_pool_t *pool, char *path);
void *tuile_merge_folders(apr_pool_t *pool, void *from, void *own);
int tuile_begin_configuration(apr_pool_t *pool, apr_pool_t *log, apr_pool_t *scratch);
int tuile_check(apr_pool_t *config, apr_pool_t *log, apr_pool_t *scratch, server_rec *server);

/* request.c */
request_rec *tuile_first_of(request_rec *r); /* before internal redirects, and not a subrequest */
tuile_request *tuile_find(request_rec *r);
tuile_request *tuile_find_or_add(request_rec *r); /* NULL: there is no store */
tuile_request *tuile_read(request_rec *r);
int tuile_fixups(request_rec *r);
int tuile_let_in(request_rec *r);
int tuile_ask_for_login(request_rec *r);

/* device.c */
tuile_device_request tuile_device_request_of(request_rec *r);
bool tuile_binds(request_rec *r);       /* sessions are bound here */
bool tuile_is_endpoint(request_rec *r); /* and browsers register and refresh at this path */
bool tuile_refuses(request_rec *r, tuile_device_answer *answer);
int tuile_answer_device(request_rec *r);

/* metrics.c */
void tuile_begin_places(apr_pool_t *pool);
int tuile_place(const char *path); /* of a section, while the configuration is read */
int tuile_open_counters(apr_pool_t *config, apr_pool_t *log, apr_pool_t *scratch, server_rec *server);
void tuile_answered(const tuile_request *request, int place, enum gate_outcome outcome);
int tuile_show_counters(request_rec *r);

/* identity.c */
extern apr_array_header_t *tuile_identity_names; /* of tuile_bytes: of any location */
const char *tuile_add_identity(cmd_parms *command, void *folder, const char *name, const char *key);
apr_array_header_t *tuile_merge_identity(apr_pool_t *pool, const tuile_folder *from, const tuile_folder *own);
int tuile_forget_claims(request_rec *r);
/* Takes away what the request itself says of identity, and says what is so. */
void tuile_identify(request_rec *r, const tuile_folder *folder, tuile_request *request);

/* headers.c */
apr_status_t tuile_add_headers(ap_filter_t *filter, apr_bucket_brigade *brigade);

#endif
