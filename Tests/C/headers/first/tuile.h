/* DRAFT: replaced by the generated header. */
#ifndef TUILE_H
#define TUILE_H
#include <tuile/types.h>
#ifdef __cplusplus
extern "C" {
#endif
/* library */
uint32_t tuile_version(void);              /* 0x00MMmmpp: major<<16 | minor<<8 | patch */
const char *tuile_version_string(void);
const char *tuile_status_name(tuile_status status);     /* "TUILE_E_SPACE" */
const char *tuile_status_message(tuile_status status);  /* English sentence */
int64_t tuile_unset(void);                 /* TUILE_UNSET */
/* cookies */
tuile_status tuile_cookie_next(tuile_bytes header, size_t *position, tuile_cookie *cookie);
tuile_status tuile_cookie_get(tuile_bytes header, tuile_bytes name, tuile_match match, tuile_bytes *value);
tuile_status tuile_set_cookie_init(tuile_set_cookie *cookie);
tuile_status tuile_set_cookie_write(const tuile_set_cookie *cookie, char *buffer, size_t capacity, size_t *size, tuile_error *error);
tuile_status tuile_set_cookie_delete(const tuile_set_cookie *cookie, char *buffer, size_t capacity, size_t *size, tuile_error *error);
tuile_status tuile_date_write(int64_t seconds, char *buffer, size_t capacity, size_t *size);
/* signing */
tuile_status tuile_signer_config_init(tuile_signer_config *config);
tuile_status tuile_signer_new(const tuile_signer_config *config, tuile_signer **signer, tuile_error *error);
void tuile_signer_free(tuile_signer *signer);
tuile_status tuile_signer_sign(const tuile_signer *signer, tuile_bytes value, int64_t now, char *buffer, size_t capacity, size_t *size);
/* value: view into token; verified may be NULL; max_age seconds or TUILE_UNSET; now Unix seconds or TUILE_UNSET = clock */
tuile_status tuile_signer_verify(const tuile_signer *signer, tuile_bytes token, int64_t max_age, int64_t now, tuile_bytes *value, tuile_verified *verified);
/* json text in, token out */
tuile_status tuile_signer_dumps(const tuile_signer *signer, tuile_bytes json, bool compress, int64_t now, char *buffer, size_t capacity, size_t *size, tuile_error *error);
tuile_status tuile_signer_loads(const tuile_signer *signer, tuile_bytes token, int64_t max_age, int64_t now, char *buffer, size_t capacity, size_t *size, tuile_verified *verified, tuile_error *error);
/* stores */
tuile_status tuile_store_open(tuile_bytes url, tuile_store **store, tuile_error *error);
tuile_status tuile_store_new(const tuile_store_ops *ops, void *context, tuile_store **store, tuile_error *error);
void tuile_store_close(tuile_store *store);
tuile_status tuile_store_load(tuile_store *store, tuile_bytes key, int64_t now, tuile_receive receive, void *context, tuile_error *error);
tuile_status tuile_store_create(tuile_store *store, tuile_bytes key, tuile_bytes data, int64_t expires, tuile_error *error);
tuile_status tuile_store_replace(tuile_store *store, tuile_bytes key, tuile_bytes expected, tuile_bytes data, int64_t expires, tuile_error *error);
tuile_status tuile_store_touch(tuile_store *store, tuile_bytes key, int64_t expires, tuile_error *error);
tuile_status tuile_store_remove(tuile_store *store, tuile_bytes key, tuile_error *error);
tuile_status tuile_store_sweep(tuile_store *store, int64_t now, size_t limit, size_t *removed, tuile_error *error);
/* manager */
tuile_status tuile_config_init(tuile_config *config);
tuile_status tuile_manager_open(const tuile_config *config, tuile_manager **manager, tuile_error *error);
void tuile_manager_close(tuile_manager *manager);
tuile_status tuile_manager_clear_expired(tuile_manager *manager, size_t limit, size_t *removed, tuile_error *error);
tuile_status tuile_manager_stats(const tuile_manager *manager, tuile_stats *stats);
/* sessions: begin returns NULL only if manager is NULL or memory is out; nothing is loaded until needed */
tuile_session *tuile_session_begin(tuile_manager *manager, tuile_bytes cookie_header);
tuile_status tuile_session_commit(tuile_session *session, int32_t http_status, tuile_add_header add_header, void *context, tuile_error *error);
void tuile_session_end(tuile_session *session);
tuile_status tuile_session_key(const tuile_session *session, tuile_bytes *key);  /* TUILE_ABSENT if none yet */
bool tuile_session_accessed(const tuile_session *session);
bool tuile_session_modified(const tuile_session *session);
tuile_status tuile_session_is_empty(tuile_session *session, bool *empty, tuile_error *error);
tuile_status tuile_session_type(tuile_session *session, tuile_bytes key, tuile_type *type, tuile_error *error);
tuile_status tuile_session_get_bool(tuile_session *session, tuile_bytes key, bool *value, tuile_error *error);
tuile_status tuile_session_get_int(tuile_session *session, tuile_bytes key, int64_t *value, tuile_error *error);
tuile_status tuile_session_get_double(tuile_session *session, tuile_bytes key, double *value, tuile_error *error);  /* ints convert */
tuile_status tuile_session_get_string(tuile_session *session, tuile_bytes key, tuile_bytes *value, tuile_error *error); /* view until the session ends */
tuile_status tuile_session_get_json(tuile_session *session, tuile_bytes key, tuile_bytes *value, tuile_error *error);   /* any type, JSON text; view until the session ends */
tuile_status tuile_session_set_null(tuile_session *session, tuile_bytes key, tuile_error *error);
tuile_status tuile_session_set_bool(tuile_session *session, tuile_bytes key, bool value, tuile_error *error);
tuile_status tuile_session_set_int(tuile_session *session, tuile_bytes key, int64_t value, tuile_error *error);
tuile_status tuile_session_set_double(tuile_session *session, tuile_bytes key, double value, tuile_error *error); /* NaN, infinity: E_RANGE */
tuile_status tuile_session_set_string(tuile_session *session, tuile_bytes key, tuile_bytes value, tuile_error *error);
tuile_status tuile_session_set_json(tuile_session *session, tuile_bytes key, tuile_bytes json, tuile_error *error);
tuile_status tuile_session_add_int(tuile_session *session, tuile_bytes key, int64_t delta, int64_t *value, tuile_error *error); /* absent counts as 0; value may be NULL */
tuile_status tuile_session_remove(tuile_session *session, tuile_bytes key, tuile_error *error);
tuile_status tuile_session_contains(tuile_session *session, tuile_bytes key, tuile_error *error);  /* OK or ABSENT */
tuile_status tuile_session_count(tuile_session *session, size_t *count, tuile_error *error);
tuile_status tuile_session_next_key(tuile_session *session, size_t *position, tuile_bytes *key, tuile_error *error);
tuile_status tuile_session_clear(tuile_session *session, tuile_error *error);
tuile_status tuile_session_flush(tuile_session *session, tuile_error *error);
tuile_status tuile_session_cycle_key(tuile_session *session, tuile_error *error);
tuile_status tuile_session_set_expiry(tuile_session *session, int64_t seconds, tuile_error *error); /* 0: until the browser closes */
tuile_status tuile_session_set_expiry_date(tuile_session *session, int64_t unix_seconds, tuile_error *error);
tuile_status tuile_session_clear_expiry(tuile_session *session, tuile_error *error); /* Django's set_expiry(None) */
tuile_status tuile_session_get_expiry_age(tuile_session *session, int64_t *seconds, tuile_error *error);
tuile_status tuile_session_get_expiry_date(tuile_session *session, int64_t *unix_seconds, tuile_error *error);
tuile_status tuile_session_get_expire_at_browser_close(tuile_session *session, bool *answer, tuile_error *error);
tuile_status tuile_session_set_test_cookie(tuile_session *session, tuile_error *error);
tuile_status tuile_session_test_cookie_worked(tuile_session *session, bool *worked, tuile_error *error);
tuile_status tuile_session_delete_test_cookie(tuile_session *session, tuile_error *error);
#ifdef __cplusplus
}
#endif
#endif
