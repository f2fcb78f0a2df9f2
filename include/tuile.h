/* tuile.h - cookies, signing and sessions for any web server.
 *
 * Generated from the library's sources by scripts/generate-header: edit those.
 *
 * Sessions as Django has them: values that belong to a visitor, in a store that other
 * processes, servers and Django itself may share; the browser keeps a cookie with the
 * session ID. And what sessions are made of: Cookie and Set-Cookie headers, a cookie
 * jar, signed and encrypted tokens of Django and other frameworks.
 *
 * A complete program, which a web server runs for each request (CGI),
 * compiled with `cc count.c -ltuile`:
 *
 *   #include <tuile.h>
 *   #include <stdio.h>
 *   #include <stdlib.h>
 *   static tuile_status print(void *to, tuile_bytes name, tuile_bytes value) {
 *     int written = fprintf(to, "%.*s: %.*s\r\n", (int)name.size, (const char *)name.data, (int)value.size, (const char *)value.data);
 *     return written < 0 ? TUILE_E_FILE : TUILE_OK;
 *   }
 *   int main(void) {
 *     tuile_config config = TUILE_CONFIG_INIT;
 *     config.store = tuile_text(getenv("SESSION_STORE")); // such as sqlite:///var/lib/count/sessions.db
 *     config.secret = tuile_text(getenv("SECRET_KEY"));   // 32 bytes or more, such as `tuile keygen` writes
 *     tuile_manager *manager = NULL;
 *     tuile_session *session = NULL;
 *     tuile_error error = {0};
 *     int64_t visits = 0;
 *     tuile_status status = tuile_manager_open(&config, &manager, &error);
 *     if (!status) status = tuile_session_start(manager, tuile_text(getenv("HTTP_COOKIE")), tuile_text(NULL), &session, &error);
 *     if (!status) status = tuile_session_add_int(session, TUILE_STR("visits"), 1, &visits, &error);
 *     if (!status) status = tuile_session_commit(session, 200, print, stdout, &error);
 *     if (!status) printf("Content-Type: text/plain\r\n\r\nvisit %lld\n", (long long)visits);
 *     else fprintf(stderr, "%s\n", status < 0 ? error.message : tuile_status_message(status));
 *     tuile_session_end(session); // each is the program's, and NULL is fine
 *     tuile_manager_close(manager);
 *     return status ? 1 : 0;
 *   }
 *
 * A server that stays opens the manager once, for all threads, and starts and ends a
 * session for each request.
 *
 * Sections, of which most programs need 2 to 6 only:
 *    1. The library
 *    2. The manager
 *    3. Sessions, one request
 *    4. Sessions, their values
 *    5. Sessions, more ways to their values
 *    6. Sessions, their end
 *    7. Whose sessions
 *    8. Operations
 *    9. Cookies
 *   10. Set-Cookie
 *   11. Django's Set-Cookie
 *   12. The cookie jar
 *   13. Secrets
 *   14. Signing
 *   15. State without cookies
 *   16. Stores
 *   17. Stores, what is in them
 *   18. Layouts
 *   19. Device-bound sessions
 *   20. Flat calls
 *   21. Queues, for event loops
 *   22. Flat calls of a session
 *
 * Rules that hold for every function
 * - A function that can fail returns a tuile_status: 0 is fine, positive numbers
 *   are ordinary answers (absent, expired, tampered with), negative ones errors.
 * - Outputs are written only when the function returns TUILE_OK, unless it says otherwise.
 * - Inputs are tuile_bytes, borrowed for the call. Text is UTF-8 unless the function
 *   says otherwise (a Cookie header may hold any bytes). No NUL is needed at its end.
 * - For a negative status the caller's tuile_error gets details; for 0 or a positive one
 *   it is not touched. It may be NULL.
 * - A view that is given out states how long it lives.
 * - Freeing or closing NULL is fine. Do not use a handle after it was freed or closed.
 * - Hostile input gets a status. No call traps, prints, or changes signal
 *   handlers, locale or environment.
 */
#ifndef TUILE_H
#define TUILE_H

#include <tuile/types.h>

/** The version of this header as text; tuile_version() is the loaded library's. */
#define TUILE_VERSION_STRING "0.2.0"
#define TUILE_VERSION_MAJOR 0 /**< Its first number. */
#define TUILE_VERSION_MINOR 2 /**< Its second number. */
#define TUILE_VERSION_PATCH 0 /**< Its third number. */

#ifdef __cplusplus
extern "C" {
#endif

/* ============================================================================
 * 1. The library
 *
 * Which version is loaded, and what a status means.
 * ============================================================================ */

/** The version of the loaded library as `major << 16 | minor << 8 | patch`.
 *
 * A program that was compiled with an older header of the same minor version
 * (0.1, 0.2) works with it. Safe from all threads. Since 0.1.
 */
uint32_t tuile_version(void);

/** The version of the loaded library as text, such as "0.1.0".
 *
 * The text ends with a NUL and lives as long as the library. Safe from all
 * threads. Since 0.1.
 */
const char *tuile_version_string(void);

/** The name of a status as it stands in the header, such as "TUILE_E_SPACE".
 *
 * "TUILE_UNKNOWN" for a number that is not a status (TUILE_E_UNKNOWN is one).
 * The text ends with a NUL and lives as long as the library. Safe from all
 * threads. Since 0.1.
 */
const char *tuile_status_name(tuile_status status);

/** An English sentence on a status, such as "the buffer is too small".
 *
 * The text ends with a NUL and lives as long as the library. Safe from all
 * threads. Since 0.1.
 */
const char *tuile_status_message(tuile_status status);

/* ============================================================================
 * 2. The manager
 *
 * One per application: configuration, keys and the store. All functions are safe from all
 * threads, and in a child after fork(); tuile_manager_close once no other thread uses the
 * manager.
 * ============================================================================ */

/* The fields of tuile_config, which tuile/types.h declares, with their defaults.
 * SESSION_… is the setting of Django's that it is.
 *
 * size: sizeof(tuile_config)
 * secret: SECRET_KEY. Needed, except with "memory:", sessions of a layout
 *     whose IDs nobody signs, and a host's own store that is `trusted`.
 * fallbacks: SECRET_KEY_FALLBACKS: older secrets, which verify and never sign.
 * fallback_count: At most 64.
 * store: "memory:", "sqlite:///absolute/path", "cookie:", another URL.
 * open_store: Used in place of `store`; the host closes it later.
 * cookie_name: SESSION_COOKIE_NAME: "sessionid".
 * cookie_domain: SESSION_COOKIE_DOMAIN: empty.
 * cookie_path: SESSION_COOKIE_PATH: "/".
 * cookie_age: SESSION_COOKIE_AGE: 1209600 seconds.
 * cookie_same_site: SESSION_COOKIE_SAMESITE: Lax.
 * cookie_secure: SESSION_COOKIE_SECURE: false.
 * cookie_http_only: SESSION_COOKIE_HTTPONLY: true.
 * cookie_partitioned: Partitioned (CHIPS): false.
 * expire_at_browser_close: SESSION_EXPIRE_AT_BROWSER_CLOSE: false.
 * save_every_request: SESSION_SAVE_EVERY_REQUEST: false.
 * max_data: Most bytes of a session's JSON: 1048576.
 * clock: NULL: the system's.
 * clock_context: Given to `clock`.
 * keyring: In place of secret and fallbacks unless NULL.
 * url_sessions: tuile_session_start takes a session ID from a URL where no
 *     cookie came: false. URLs are copied, logged and sent on, and the ID with
 *     them.
 * url_name: The parameter in URLs: "sid".
 * lifetime: The longest life of a session from its creation, in seconds,
 *     whatever is done with it; 0, the default: no such end.
 * refresh: Reading extends a session, too: when its expiry would become at
 *     least as many seconds later than it is, that is stored and the cookie
 *     sent again. 0, the default and Django's way: only changes extend it.
 * cycle_grace: For so many seconds after tuile_session_cycle_id, requests with
 *     the old ID still read the session as it was. What they change is not
 *     saved. 5 by default; 0: the old ID ends with the commit.
 * track_owners: Sessions that Django's login marked (`_auth_user_id`) are
 *     listed by that owner: false. Those of tuile_session_set_owner always
 *     are.
 * max_owned: Sessions of one owner: 100. A login ends those over this number,
 *     unseen longest first, at most 256 in one commit. 0: no limit.
 * previous_store: Where sessions were kept before: one that `store` does not
 *     have is looked up here and moved to `store`, while requests run. A
 *     store's URL, or "cookie:" with a dialect.
 * previous_cookie: The cookie's name there, if it had another and
 *     `previous_store` is "cookie:…".
 * revocations: For "cookie:" stores: the URL of a store that remembers
 *     logouts, so that copies of a cookie end too. Asked at every read. Empty:
 *     none.
 * log: Told what an administrator should know; NULL: nobody.
 * log_context: Given to `log`.
 * log_level: Less important messages are not logged: TUILE_LOG_WARNING.
 * cookie_rule: Which session cookie counts: TUILE_COOKIE_RULE_DEFAULT.
 * cookie_skip_rules: tuile_rule bits of the checks to skip for the session
 *     cookie: 0. TUILE_RULE_NAME allows names that other frameworks allow,
 *     such as "foo:bar" or "my session".
 * allow_weak_secrets: Takes secrets under 32 bytes, as older applications have
 *     them: false. A keyring says for itself what it takes.
 * wait: Called in place of sleeping, between attempts to save a session that
 *     another request changed first, at most eight milliseconds a time. For
 *     hosts whose threads have other things to do meanwhile, such as greenlets
 *     or fibers. It must outlive the manager. NULL: they sleep. Since 0.2.
 * wait_context: Given to `wait`. Since 0.2.
 * device_binding: Binds sessions to the device of their browser: off. It needs
 *     a secret, sessions in a store, `cookie_secure`, and neither
 *     `url_sessions` nor `cookie_partitioned`. Since 0.2.
 * device_path: Where browsers register and refresh: a path of this application
 *     below `cookie_path`, for tuile_session_answer_device:
 *     "/device-bound-session". Since 0.2.
 * device_seconds: Seconds that a bound cookie lives, so that a stolen one is
 *     worth no more: 1 to 86400, 600 by default. An eighth of it, at most 30
 *     seconds, is added for requests on their way and for clocks. Since 0.2.
 */

/** Sets all fields to what TUILE_CONFIG_INIT sets.
 *
 * Pass sizeof(tuile_config) as `size`: nothing beyond that is written, since an
 * older program has a shorter struct. Before 0.2 this function had no `size`.
 *
 * Returns TUILE_OK, or TUILE_E_ARGUMENT for NULL or a size that no version has.
 * Since 0.1.
 */
TUILE_NONNULL(1)
tuile_status tuile_config_init(tuile_config *config, size_t size);

/** Sets `cookie_age`, `lifetime` and `refresh` to the limits of a policy.
 *
 * Returns TUILE_OK, or TUILE_E_ARGUMENT for NULL, a struct of a size that no
 * version has or an unknown policy. Since 0.1.
 */
TUILE_NONNULL(1)
tuile_status tuile_config_set_policy(tuile_config *config, tuile_policy policy);

/** Opens a manager. `*manager` is the caller's, to be closed with
 * tuile_manager_close.
 *
 * The store is opened now, and its table made if it is missing. So a wrong
 * path, a damaged file, an unknown option, or a server that can't be reached,
 * refuses the password or is of another kind is reported here, and not at the
 * first request. A Redis URL with `open=lazy` opens without asking its server:
 * then the first request does, or tuile_manager_check.
 *
 * With "cookie:" the session is kept in its cookie, as Django's signed_cookies
 * backend does; "cookie:sealed" encrypts it in Tuile's format, and
 * "cookie:flask", "cookie:starlette", "cookie:rails", "cookie:gorilla",
 * "cookie:rack" and "cookie:iron-session" share it with those frameworks. Such
 * a session must fit into 4096 octets, two requests at once can lose an update,
 * and a logout takes the cookie away but can't end a copy of it.
 *
 * Returns TUILE_OK; TUILE_E_ARGUMENT for NULL, an invalid number or constant, a
 * struct of a size that no version has, no secret where the store needs one, or
 * one under 32 bytes without `allow_weak_secrets`; TUILE_E_SYNTAX,
 * TUILE_E_LIMIT or TUILE_E_RULE as tuile_set_cookie_write for the session
 * cookie, and as tuile_store_open for the store's URL; TUILE_E_STORE,
 * TUILE_E_BUSY, TUILE_E_CORRUPT, TUILE_E_MEMORY, TUILE_E_RANDOM. Since 0.1.
 */
TUILE_MUST_CHECK TUILE_NONNULL(1, 2)
tuile_status tuile_manager_open(const tuile_config *config,
    tuile_manager **manager, tuile_error *error);

/** Closes a manager, and its store unless that came as `open_store`; wipes its
 * keys. NULL is fine. No session of it may be open. Since 0.1.
 */
void tuile_manager_close(tuile_manager *manager);

/** Gives the manager new secrets. Requests that have begun keep the old ones
 * until they end.
 *
 * Of the configuration only `secret`, `fallbacks` and `keyring` count: short
 * secrets are accepted if the manager was opened with `allow_weak_secrets`. To
 * rotate, make the old secret a fallback: what it signed is read, and signed
 * anew when it is read; when `old_secret_loads` in tuile_stats grows no more,
 * nobody needs it. The old secrets are wiped when the manager is closed.
 *
 * Returns TUILE_OK; TUILE_E_ARGUMENT for NULL, a struct of a size that no
 * version has, an empty keyring, or a secret under 32 bytes without
 * `allow_weak_secrets`; TUILE_E_LIMIT for more than 64 fallbacks;
 * TUILE_E_MEMORY. After an error the secrets are as they were. Since 0.1.
 */
TUILE_MUST_CHECK TUILE_NONNULL(2)
tuile_status tuile_manager_reload(tuile_manager *manager,
    const tuile_config *config, tuile_error *error);

/* ============================================================================
 * 3. Sessions, one request
 *
 * Begin from the request's Cookie header, read and change, commit while the response's
 * headers are still open, end. A session belongs to one thread at a time. The store is
 * read by the first call that needs the session's data. A function that has the name of a
 * method of Django's SessionBase does the same as that. A store that gives no answer is an
 * error, never a missing session. What one request reads and changes may take eight times
 * `max_data` and 1 MiB of memory: calls beyond that get TUILE_E_LIMIT.
 * ============================================================================ */

/** Starts a request's session from its Cookie header and its URL. Either may be
 * empty; both are borrowed for the call. `*session` is the caller's, to be
 * ended with tuile_session_end before its manager is closed.
 *
 * Nothing is read yet. The session ID in the cookie is used only if the store
 * has a session of it; a client can't choose one. If several cookies have the
 * session's name, `cookie_rule` says which one counts. The URL is looked at
 * only with `url_sessions` in the configuration, where no cookie came: it may
 * hold the ID as `;sid=` or `sid=`, which tuile_url_write puts into the links
 * of the response. Anyone who sees such a URL can use the session: cycle the ID
 * at every login, and send `Referrer-Policy: no-referrer`.
 *
 * Returns TUILE_OK; TUILE_E_ARGUMENT for NULL, or a text that has a size and no
 * data; TUILE_E_MEMORY. Since 0.2.
 */
TUILE_MUST_CHECK TUILE_NONNULL(4)
tuile_status tuile_session_start(tuile_manager *manager,
    tuile_bytes cookie_header, tuile_bytes url, tuile_session **session,
    tuile_error *error);

/** Starts a session of an ID that the host has from elsewhere, as
 * tuile_store_keys gives it or a page of an administrator's shows it: no
 * cookie, and so no signature, is looked at. Never for what a client sent, and
 * what the commit says of a cookie is for no browser, since the store may know
 * a session by another name than its cookie. The ID is borrowed for the call;
 * `*session` is the caller's, to be ended with tuile_session_end before its
 * manager is closed.
 *
 * Returns TUILE_OK; TUILE_E_ARGUMENT for NULL, an ID that the store can't have,
 * or sessions in cookies; TUILE_E_MEMORY. Since 0.2.
 */
TUILE_NONNULL(3)
tuile_status tuile_session_start_with_id(tuile_manager *manager,
    tuile_bytes id, tuile_session **session, tuile_error *error);

/** Saves what was changed and gives the response its headers, by the rules of
 * Django's SessionMiddleware.
 *
 * If `http_status` is below 500, a changed session is saved and its cookie is
 * set. A session without ID and data has its cookie deleted, if one was sent;
 * one that was only read gets `Vary: Cookie`. A response with a Set-Cookie also
 * gets `Vary: Cookie` and `Cache-Control: private`. If another request changed
 * the session meanwhile, this request's changes are applied to the new state;
 * such commits of one session in this process then run one after the other, in
 * order.
 *
 * `add_header` is called with `context` after the store has saved; the name and
 * value are lent for that call. It may be NULL if the headers were sent
 * already.
 *
 * Returns TUILE_OK, also if there was nothing to do, or if `http_status` is 500
 * or more and nothing was saved; TUILE_DELETED if the session was deleted
 * meanwhile, by a logout say: nothing is saved; TUILE_E_LIMIT if its JSON is
 * larger than `max_data`; TUILE_E_RANGE if a counter, with what another request
 * added, no longer fits into 64 bits; TUILE_E_BUSY if others kept changing the
 * session for ten seconds, waiting for a turn not counted; TUILE_E_CALLBACK if
 * `add_header` refused; TUILE_E_RANDOM; TUILE_E_ARGUMENT for NULL;
 * TUILE_E_STORE, TUILE_E_BUSY, TUILE_E_CORRUPT if the store gave no answer;
 * TUILE_E_MEMORY; TUILE_E_LIMIT after too many changes. TUILE_E_UNKNOWN: the
 * store gave no answer to a write, and could not be asked whether it was made.
 * Call commit again: it finds out where that is possible, and the changes are
 * saved once, never twice. After any other error nothing was saved, with two
 * exceptions: TUILE_E_CALLBACK, and where only the owner's list could not be
 * written. After an error no header deletes the cookie. Since 0.1.
 */
TUILE_MUST_CHECK
tuile_status tuile_session_commit(tuile_session *session, int32_t http_status,
    tuile_add_header add_header, void *context, tuile_error *error);

/** Whether the request had several cookies of the session's name, with different
 * values: whoever can set a cookie for the whole domain may have added one, and
 * another program may use a different one of them.
 *
 * Returns TUILE_OK; TUILE_E_ARGUMENT for NULL. Since 0.1.1.
 */
tuile_status tuile_session_has_several_cookies(const tuile_session *session,
    bool *several);

/** Whether copies of this session's cookie can be ended: the session is in its
 * cookie, and was written by a manager with `revocations`. A manager without
 * them can't tell whether this cookie was revoked.
 *
 * Returns TUILE_OK, and `*revocable` is set; TUILE_E_ARGUMENT for NULL;
 * TUILE_E_STORE, TUILE_E_BUSY, TUILE_E_CORRUPT if the store gave no answer;
 * TUILE_E_MEMORY; TUILE_E_LIMIT after too many changes. Since 0.1.1.
 */
tuile_status tuile_session_is_revocable(tuile_session *session,
    bool *revocable, tuile_error *error);

/** Makes the commit extend the session as a change would: its expiry moves, and
 * its cookie is sent again. The data stays as it is, and nothing is read before
 * the commit. For hosts with their own rule for this.
 *
 * Returns TUILE_OK; TUILE_E_ARGUMENT for NULL. Since 0.1.1.
 */
tuile_status tuile_session_touch(tuile_session *session, tuile_error *error);

/** Ends a session and frees all views that it lent. NULL is fine. What was not
 * committed is gone. Since 0.1.
 */
void tuile_session_end(tuile_session *session);

/** The session ID, if it has one. With a "cookie:" store this is the value of
 * the cookie.
 *
 * Before the session was read this is the ID that the client sent. `*id` is
 * valid until tuile_session_end. The ID is a password: do not log it.
 *
 * Returns TUILE_OK; TUILE_ABSENT while there is none: before a new session's
 * first commit, unless tuile_session_cycle_id or tuile_session_make_id gave it
 * one, after tuile_session_flush, and once the ID that came was not found;
 * TUILE_E_BUSY while a queue has the session; TUILE_E_ARGUMENT for NULL. Since
 * 0.1.
 */
tuile_status tuile_session_id(const tuile_session *session, tuile_bytes *id);

/** Gives a new session its ID at once, for a first page that has to carry it: in
 * its links (tuile_url_write), or bound to a hidden field. The commit then
 * saves the session, even if nothing is in it. One that has an ID keeps it.
 *
 * Returns TUILE_OK; TUILE_E_ARGUMENT for NULL, or where the session is kept in
 * its cookie; TUILE_E_RANDOM; TUILE_E_STORE, TUILE_E_BUSY, TUILE_E_CORRUPT if
 * the store gave no answer; TUILE_E_MEMORY; TUILE_E_LIMIT after too many
 * changes. Since 0.1.1.
 */
tuile_status tuile_session_make_id(tuile_session *session, tuile_error *error);

/** Whether this request read or changed the session, so that the response
 * depends on the cookie. false for NULL. Since 0.1.
 */
bool tuile_session_accessed(const tuile_session *session);

/** Whether this request changed the session since it began, or since its last
 * commit. false for NULL. Since 0.1.
 */
bool tuile_session_modified(const tuile_session *session);

/** Whether the session has neither an ID nor data.
 *
 * Returns TUILE_OK; TUILE_E_ARGUMENT for NULL; TUILE_E_STORE, TUILE_E_BUSY,
 * TUILE_E_CORRUPT if the store gave no answer; TUILE_E_MEMORY; TUILE_E_LIMIT
 * after too many changes. Since 0.1.
 */
tuile_status tuile_session_is_empty(tuile_session *session, bool *empty,
    tuile_error *error);

/** Drops all values of the session, and its owner, but keeps its ID and its
 * longest life.
 *
 * Returns TUILE_OK; TUILE_E_ARGUMENT for NULL; TUILE_E_STORE, TUILE_E_BUSY,
 * TUILE_E_CORRUPT if the store gave no answer; TUILE_E_MEMORY; TUILE_E_LIMIT
 * after too many changes. Since 0.1.
 */
tuile_status tuile_session_clear(tuile_session *session, tuile_error *error);

/** Logs out: the data is dropped, the session is deleted from the store at once,
 * even if the response is never sent, and the commit deletes the cookie. What
 * is set afterwards starts a new session.
 *
 * No request that began earlier can bring the session back.
 *
 * Returns TUILE_OK; TUILE_E_ARGUMENT for NULL; TUILE_E_STORE, TUILE_E_BUSY,
 * TUILE_E_CORRUPT if the store gave no answer; TUILE_E_MEMORY; TUILE_E_LIMIT
 * after too many changes: then the session is still in the store, and the call
 * can be made again. Since 0.1.
 */
TUILE_MUST_CHECK
tuile_status tuile_session_flush(tuile_session *session, tuile_error *error);

/** Gives the session a new ID and keeps its data, as every login should, so that
 * an ID known from before is worth nothing: Django's cycle_key.
 *
 * tuile_session_id has the new ID at once, and the commit stores the session
 * under it. For `cycle_grace` seconds the old ID still shows the session as it
 * was; then it is gone.
 *
 * Returns TUILE_OK; TUILE_E_RANDOM; TUILE_E_ARGUMENT for NULL; TUILE_E_STORE,
 * TUILE_E_BUSY, TUILE_E_CORRUPT if the store gave no answer; TUILE_E_MEMORY;
 * TUILE_E_LIMIT after too many changes. Since 0.1.
 */
TUILE_MUST_CHECK
tuile_status tuile_session_cycle_id(tuile_session *session, tuile_error *error);

/* ============================================================================
 * 4. Sessions, their values
 *
 * A session is a dictionary from text to JSON values. Text is UTF-8; a name may be any
 * text, the empty one too. Every function here reads the session from the store if that
 * was not done yet, and marks it accessed. The library keeps values of its own under some
 * names that begin with `_session_`; use none such. They are absent here, and to set them
 * is TUILE_E_ARGUMENT, so that data which is carried to another session takes none of them
 * along. `_session_expiry`, which is Django's, shows.
 * ============================================================================ */

/** The JSON type of a value.
 *
 * Returns TUILE_OK; TUILE_ABSENT if there is no such name; TUILE_E_ARGUMENT for
 * NULL; TUILE_E_STORE, TUILE_E_BUSY, TUILE_E_CORRUPT if the store gave no
 * answer; TUILE_E_MEMORY; TUILE_E_LIMIT after too many changes. Since 0.1.
 */
tuile_status tuile_session_type(tuile_session *session, tuile_bytes name,
    tuile_type *type, tuile_error *error);

/** Reads a bool.
 *
 * Returns TUILE_OK; TUILE_ABSENT; TUILE_E_TYPE if the value is not a bool;
 * TUILE_E_ARGUMENT for NULL; TUILE_E_STORE, TUILE_E_BUSY, TUILE_E_CORRUPT if
 * the store gave no answer; TUILE_E_MEMORY; TUILE_E_LIMIT after too many
 * changes. Since 0.1.
 */
tuile_status tuile_session_get_bool(tuile_session *session, tuile_bytes name,
    bool *value, tuile_error *error);

/** Reads an integer.
 *
 * Returns TUILE_OK; TUILE_ABSENT; TUILE_E_TYPE if the value is not an integer
 * (one with a fraction or an exponent is not); TUILE_E_RANGE if it does not
 * fit; TUILE_E_ARGUMENT for NULL; TUILE_E_STORE, TUILE_E_BUSY, TUILE_E_CORRUPT
 * if the store gave no answer; TUILE_E_MEMORY; TUILE_E_LIMIT after too many
 * changes. Since 0.1.
 */
tuile_status tuile_session_get_int(tuile_session *session, tuile_bytes name,
    int64_t *value, tuile_error *error);

/** Reads a number as a double; integers are rounded to the nearest.
 *
 * Python's NaN and Infinity, which Django may have stored, are read as such.
 *
 * Returns TUILE_OK; TUILE_ABSENT; TUILE_E_TYPE if the value is not a number;
 * TUILE_E_RANGE if it has more than 399 characters; TUILE_E_ARGUMENT for NULL;
 * TUILE_E_STORE, TUILE_E_BUSY, TUILE_E_CORRUPT if the store gave no answer;
 * TUILE_E_MEMORY; TUILE_E_LIMIT after too many changes. Since 0.1.
 */
tuile_status tuile_session_get_double(tuile_session *session, tuile_bytes name,
    double *value, tuile_error *error);

/** Reads a string as UTF-8 text, its escapes resolved; it may hold NULs.
 *
 * `*value` is valid until tuile_session_end.
 *
 * Returns TUILE_OK; TUILE_ABSENT; TUILE_E_TYPE if the value is not a string;
 * TUILE_E_SYNTAX if it has an unpaired surrogate, which UTF-8 can't hold;
 * TUILE_E_ARGUMENT for NULL; TUILE_E_STORE, TUILE_E_BUSY, TUILE_E_CORRUPT if
 * the store gave no answer; TUILE_E_MEMORY; TUILE_E_LIMIT after too many
 * changes. Since 0.1.
 */
TUILE_NONNULL(3)
tuile_status tuile_session_get_string(tuile_session *session, tuile_bytes name,
    tuile_bytes *value, tuile_error *error);

/** Reads a value of any type as JSON text, to the byte as it is stored.
 *
 * `*value` is valid until tuile_session_end.
 *
 * Returns TUILE_OK; TUILE_ABSENT; TUILE_E_ARGUMENT for NULL; TUILE_E_STORE,
 * TUILE_E_BUSY, TUILE_E_CORRUPT if the store gave no answer; TUILE_E_MEMORY;
 * TUILE_E_LIMIT after too many changes. Since 0.1.
 */
TUILE_NONNULL(3)
tuile_status tuile_session_get_json(tuile_session *session, tuile_bytes name,
    tuile_bytes *value, tuile_error *error);

/** Sets a value to true or false.
 *
 * Returns TUILE_OK; TUILE_E_SYNTAX if the name is not UTF-8; TUILE_E_ARGUMENT
 * for NULL or a name of the library's own; TUILE_E_STORE, TUILE_E_BUSY,
 * TUILE_E_CORRUPT if the store gave no answer; TUILE_E_MEMORY; TUILE_E_LIMIT
 * after too many changes. Since 0.1.
 */
tuile_status tuile_session_set_bool(tuile_session *session, tuile_bytes name,
    bool value, tuile_error *error);

/** Sets a value to an integer. To count, use tuile_session_add_int.
 *
 * Returns TUILE_OK; TUILE_E_SYNTAX if the name is not UTF-8; TUILE_E_ARGUMENT
 * for NULL or a name of the library's own; TUILE_E_STORE, TUILE_E_BUSY,
 * TUILE_E_CORRUPT if the store gave no answer; TUILE_E_MEMORY; TUILE_E_LIMIT
 * after too many changes. Since 0.1.
 */
tuile_status tuile_session_set_int(tuile_session *session, tuile_bytes name,
    int64_t value, tuile_error *error);

/** Sets a value to a double, written with the fewest digits that read back the
 * same, as Python does.
 *
 * Returns TUILE_OK; TUILE_E_RANGE for NaN and infinities, which JSON (RFC 8259)
 * does not allow; TUILE_E_SYNTAX if the name is not UTF-8; TUILE_E_ARGUMENT for
 * NULL or a name of the library's own; TUILE_E_STORE, TUILE_E_BUSY,
 * TUILE_E_CORRUPT if the store gave no answer; TUILE_E_MEMORY; TUILE_E_LIMIT
 * after too many changes. Since 0.1.
 */
tuile_status tuile_session_set_double(tuile_session *session, tuile_bytes name,
    double value, tuile_error *error);

/** Sets a value to a string of UTF-8 text.
 *
 * Returns TUILE_OK; TUILE_E_SYNTAX if name or value are not UTF-8 (`offset`
 * says where); TUILE_E_ARGUMENT for NULL or a name of the library's own;
 * TUILE_E_STORE, TUILE_E_BUSY, TUILE_E_CORRUPT if the store gave no answer;
 * TUILE_E_MEMORY; TUILE_E_LIMIT after too many changes. Since 0.1.
 */
tuile_status tuile_session_set_string(tuile_session *session, tuile_bytes name,
    tuile_bytes value, tuile_error *error);

/** Sets a value to what JSON text says: any one value, nested up to 128 deep.
 *
 * NaN, Infinity and -Infinity are taken as well, since Python's json writes
 * them and Django's sessions may hold them.
 *
 * Returns TUILE_OK; TUILE_E_SYNTAX if it is not JSON or the name is not UTF-8
 * (`offset` says where); TUILE_E_ARGUMENT for NULL or a name of the library's
 * own; TUILE_E_STORE, TUILE_E_BUSY, TUILE_E_CORRUPT if the store gave no
 * answer; TUILE_E_MEMORY; TUILE_E_LIMIT after too many changes. Since 0.1; RFC
 * 8259.
 */
tuile_status tuile_session_set_json(tuile_session *session, tuile_bytes name,
    tuile_bytes json, tuile_error *error);

/** Who is logged in, by what the framework's usual login leaves in its session:
 * Django's `_auth_user_id`, or what the store's layout says, such as Passport's
 * `passport.user`.
 *
 * `*type`, which may be NULL, is the value's type, and `*value` its text if it
 * is a string, else its JSON. Unlike other views, it is valid only until the
 * session is next changed.
 *
 * Returns TUILE_OK; TUILE_ABSENT; TUILE_E_SYNTAX for a string that is not
 * UTF-8; TUILE_E_ARGUMENT for NULL; TUILE_E_STORE, TUILE_E_BUSY,
 * TUILE_E_CORRUPT if the store gave no answer; TUILE_E_MEMORY; TUILE_E_LIMIT
 * after too many changes. Since 0.2.
 */
TUILE_NONNULL(3)
tuile_status tuile_session_get_login(tuile_session *session, tuile_type *type,
    tuile_bytes *value, tuile_error *error);

/** Adds to an integer; a missing one counts as 0.
 *
 * Of two requests that add 1 at once, both count; not with "cookie:", where the
 * last response wins. `*value`, which may be NULL, gets the sum as this request
 * sees it.
 *
 * Returns TUILE_OK; TUILE_E_TYPE if the value is not an integer; TUILE_E_RANGE
 * if the sum does not fit; TUILE_E_SYNTAX if the name is not UTF-8;
 * TUILE_E_ARGUMENT for NULL or a name of the library's own; TUILE_E_STORE,
 * TUILE_E_BUSY, TUILE_E_CORRUPT if the store gave no answer; TUILE_E_MEMORY;
 * TUILE_E_LIMIT after too many changes. Since 0.1.
 */
tuile_status tuile_session_add_int(tuile_session *session, tuile_bytes name,
    int64_t delta, int64_t *value, tuile_error *error);

/** Removes a value. The session counts as changed only if it was there.
 *
 * Returns TUILE_OK; TUILE_ABSENT; TUILE_E_ARGUMENT for NULL; TUILE_E_STORE,
 * TUILE_E_BUSY, TUILE_E_CORRUPT if the store gave no answer; TUILE_E_MEMORY;
 * TUILE_E_LIMIT after too many changes. Since 0.1.
 */
tuile_status tuile_session_remove(tuile_session *session, tuile_bytes name,
    tuile_error *error);

/** The number of values in the session, including those of frameworks, such as
 * `_auth_user_id`.
 *
 * Returns TUILE_OK; TUILE_E_ARGUMENT for NULL; TUILE_E_STORE, TUILE_E_BUSY,
 * TUILE_E_CORRUPT if the store gave no answer; TUILE_E_MEMORY; TUILE_E_LIMIT
 * after too many changes. Since 0.1.
 */
tuile_status tuile_session_count(tuile_session *session, size_t *count,
    tuile_error *error);

/* ============================================================================
 * 5. Sessions, more ways to their values
 *
 * The other functions of a dictionary, tuile_session_append for lists, and all values in
 * one call. Each function reads the session if that was not done yet.
 * ============================================================================ */

/** Reads the session from the store, if that was not done yet.
 *
 * With TUILE_UNREADABLE every other function sees an empty session. What is
 * stored is never replaced or removed, the commit deletes no cookie, and what
 * is set makes a new session under a new ID.
 *
 * Returns TUILE_OK if it was found; TUILE_ABSENT if the client sent no ID, or
 * one that has no session; TUILE_UNREADABLE if what is stored under that ID, or
 * came in the cookie, is signed by none of the secrets, or is not a session;
 * TUILE_E_ARGUMENT for NULL; TUILE_E_STORE, TUILE_E_BUSY, TUILE_E_CORRUPT if
 * the store gave no answer; TUILE_E_MEMORY; TUILE_E_LIMIT after too many
 * changes. Since 0.1.
 */
tuile_status tuile_session_load(tuile_session *session, tuile_error *error);

/** Gives all values as the text of one JSON object, in the order in which they
 * were added.
 *
 * `*json` is valid until tuile_session_end. It is a copy: later changes do not
 * show in it.
 *
 * Returns TUILE_OK; TUILE_E_ARGUMENT for NULL; TUILE_E_STORE, TUILE_E_BUSY,
 * TUILE_E_CORRUPT if the store gave no answer; TUILE_E_MEMORY; TUILE_E_LIMIT
 * after too many changes. Since 0.1.
 */
tuile_status tuile_session_json(tuile_session *session, tuile_bytes *json,
    tuile_error *error);

/** Sets every value of a JSON object: Python's update.
 *
 * Returns TUILE_OK; TUILE_E_SYNTAX if it is not a JSON object (`offset` says
 * where); TUILE_E_ARGUMENT for NULL or a name of the library's own, and nothing
 * is set then; TUILE_E_STORE, TUILE_E_BUSY, TUILE_E_CORRUPT if the store gave
 * no answer; TUILE_E_MEMORY; TUILE_E_LIMIT after too many changes. Since 0.1.
 */
tuile_status tuile_session_update(tuile_session *session, tuile_bytes json,
    tuile_error *error);

/** Takes a value out: gives it as JSON text and removes it.
 *
 * `*json` is valid until tuile_session_end. The session counts as changed only
 * if the value was there.
 *
 * Returns TUILE_OK; TUILE_ABSENT; TUILE_E_ARGUMENT for NULL; TUILE_E_STORE,
 * TUILE_E_BUSY, TUILE_E_CORRUPT if the store gave no answer; TUILE_E_MEMORY;
 * TUILE_E_LIMIT after too many changes. Since 0.1.
 */
tuile_status tuile_session_pop(tuile_session *session, tuile_bytes name,
    tuile_bytes *json, tuile_error *error);

/** Gives a value as JSON text, and sets it to `initial` first if there is none:
 * Python's setdefault.
 *
 * `*json`, which may be NULL, is valid until tuile_session_end.
 *
 * Returns TUILE_OK; TUILE_E_SYNTAX if `initial` is needed and not JSON, or the
 * name is not UTF-8; TUILE_E_ARGUMENT for NULL or a name of the library's own;
 * TUILE_E_STORE, TUILE_E_BUSY, TUILE_E_CORRUPT if the store gave no answer;
 * TUILE_E_MEMORY; TUILE_E_LIMIT after too many changes. Since 0.1.
 */
tuile_status tuile_session_set_default(tuile_session *session,
    tuile_bytes name, tuile_bytes initial, tuile_bytes *json,
    tuile_error *error);

/** Puts a JSON value at the end of an array; a missing one counts as empty.
 *
 * Of two requests that append at once, both values are there, in the order of
 * their commits; not with "cookie:", where the last response wins.
 *
 * Returns TUILE_OK; TUILE_E_TYPE if what is there is not an array;
 * TUILE_E_SYNTAX if `json` is not JSON, or the name is not UTF-8;
 * TUILE_E_ARGUMENT for NULL or a name of the library's own; TUILE_E_STORE,
 * TUILE_E_BUSY, TUILE_E_CORRUPT if the store gave no answer; TUILE_E_MEMORY;
 * TUILE_E_LIMIT after too many changes. Since 0.1.
 */
tuile_status tuile_session_append(tuile_session *session, tuile_bytes name,
    tuile_bytes json, tuile_error *error);

/** Takes the next name of the session, and its value as JSON text.
 *
 * Start with `*position` 0 and call until TUILE_ABSENT. Names come in the order
 * in which they were added; one that was removed and set again comes last, as
 * in Python. Removing the entry that was just given is fine; one added
 * meanwhile comes at the end. `*name` and `*json`, each of which may be NULL,
 * are valid until tuile_session_end.
 *
 * Returns TUILE_OK; TUILE_ABSENT at the end; TUILE_E_ARGUMENT for NULL;
 * TUILE_E_STORE, TUILE_E_BUSY, TUILE_E_CORRUPT if the store gave no answer;
 * TUILE_E_MEMORY; TUILE_E_LIMIT after too many changes. Since 0.1.
 */
TUILE_NONNULL(2)
tuile_status tuile_session_next_item(tuile_session *session, size_t *position,
    tuile_bytes *name, tuile_bytes *json, tuile_error *error);

/** Sets a value to bytes, which are kept as a string in base64 (RFC 4648,
 * section 4).
 *
 * Returns TUILE_OK; TUILE_E_SYNTAX if the name is not UTF-8; TUILE_E_ARGUMENT
 * for NULL or a name of the library's own; TUILE_E_STORE, TUILE_E_BUSY,
 * TUILE_E_CORRUPT if the store gave no answer; TUILE_E_MEMORY; TUILE_E_LIMIT
 * after too many changes. Since 0.1.
 */
tuile_status tuile_session_set_bytes(tuile_session *session, tuile_bytes name,
    tuile_bytes value, tuile_error *error);

/** Reads bytes that tuile_session_set_bytes set.
 *
 * `*value` is valid until tuile_session_end.
 *
 * Returns TUILE_OK; TUILE_ABSENT; TUILE_E_TYPE if the value is not a string in
 * base64; TUILE_E_ARGUMENT for NULL; TUILE_E_STORE, TUILE_E_BUSY,
 * TUILE_E_CORRUPT if the store gave no answer; TUILE_E_MEMORY; TUILE_E_LIMIT
 * after too many changes. Since 0.1.
 */
TUILE_NONNULL(3)
tuile_status tuile_session_get_bytes(tuile_session *session, tuile_bytes name,
    tuile_bytes *value, tuile_error *error);

/* ============================================================================
 * 6. Sessions, their end
 *
 * When a session expires. The expiry is kept in the session under `_session_expiry`,
 * as Django keeps it, so that both honour it. A duration is in seconds; a point in
 * time, in the functions that end in `_time`, in Unix microseconds, as in stores.
 * ============================================================================ */

/** Lets the session expire `seconds` seconds after its last change.
 *
 * 0: when the browser closes; negative: at once; TUILE_UNSET: as the
 * configuration says, which is Django's set_expiry(None). Where the
 * configuration has `revocations`, `cookie_age` is the most, since a logout is
 * remembered for as long.
 *
 * Returns TUILE_OK; TUILE_E_RANGE if no date up to the year 9999 holds it, or
 * for more than `cookie_age` where there are `revocations`; TUILE_E_ARGUMENT
 * for NULL; TUILE_E_STORE, TUILE_E_BUSY, TUILE_E_CORRUPT if the store gave no
 * answer; TUILE_E_MEMORY; TUILE_E_LIMIT after too many changes. Since 0.1;
 * TUILE_UNSET since 0.2.
 */
tuile_status tuile_session_set_expiry(tuile_session *session, int64_t seconds,
    tuile_error *error);

/** Lets the session expire at a fixed time, in Unix microseconds. Activity does
 * not change it. Fractions of a second are dropped.
 *
 * Returns TUILE_OK; TUILE_E_RANGE outside the years 1 to 9999, or for more than
 * `cookie_age` from now where there are `revocations`; TUILE_E_ARGUMENT for
 * NULL; TUILE_E_STORE, TUILE_E_BUSY, TUILE_E_CORRUPT if the store gave no
 * answer; TUILE_E_MEMORY; TUILE_E_LIMIT after too many changes. Since 0.2.
 */
tuile_status tuile_session_set_expiry_time(tuile_session *session,
    int64_t microseconds, tuile_error *error);

/** Says when the session expires, in Unix microseconds, for hosts that compute
 * it themselves, as Django's `get_expiry_date` may be overridden to do.
 *
 * The commits of this session store it in place of what the session's expiry
 * says, until that expiry is changed. This alone saves nothing: call
 * tuile_session_touch for that. It is never later than the end of the longest
 * life.
 *
 * Returns TUILE_OK; TUILE_E_RANGE outside the years 1 to 9999; TUILE_E_ARGUMENT
 * for NULL, or a session in its cookie; TUILE_E_STORE, TUILE_E_BUSY,
 * TUILE_E_CORRUPT if the store gave no answer; TUILE_E_MEMORY; TUILE_E_LIMIT
 * after too many changes. Since 0.1.1.
 */
tuile_status tuile_session_set_stored_time(tuile_session *session,
    int64_t microseconds, tuile_error *error);

/** Lets the session end `seconds` seconds from now, whatever is done with it; 0:
 * no such end.
 *
 * Kept under `_session_ends`. Where the configuration has `lifetime`, every
 * session gets such an end when it is first saved, and 0 starts it again.
 * Neither activity nor a new ID changes it.
 *
 * Returns TUILE_OK; TUILE_E_RANGE if it is negative or no date up to the year
 * 9999 holds it; TUILE_E_ARGUMENT for NULL; TUILE_E_STORE, TUILE_E_BUSY,
 * TUILE_E_CORRUPT if the store gave no answer; TUILE_E_MEMORY; TUILE_E_LIMIT
 * after too many changes. Since 0.1.
 */
tuile_status tuile_session_set_lifetime(tuile_session *session,
    int64_t seconds, tuile_error *error);

/** How many seconds of its longest life the session has left.
 *
 * Returns TUILE_OK; TUILE_ABSENT if it has no such end; TUILE_E_ARGUMENT for
 * NULL; TUILE_E_STORE, TUILE_E_BUSY, TUILE_E_CORRUPT if the store gave no
 * answer; TUILE_E_MEMORY; TUILE_E_LIMIT after too many changes. Since 0.1.
 */
tuile_status tuile_session_get_lifetime(tuile_session *session,
    int64_t *seconds, tuile_error *error);

/** How many seconds the session has left; negative if its date has passed. A
 * session that lasts until the browser closes counts as `cookie_age`, for which
 * the store keeps it.
 *
 * `modification` is when it was last changed, in Unix microseconds: TUILE_UNSET
 * for now. `expiry` is empty for the session's own, or JSON to take in place of
 * its `_session_expiry`: a number of seconds, a string with a date in ISO 8601,
 * or null for `cookie_age`. These are the two arguments of Django's
 * get_expiry_age.
 *
 * Returns TUILE_OK; TUILE_E_ARGUMENT for NULL; TUILE_E_STORE, TUILE_E_BUSY,
 * TUILE_E_CORRUPT if the store gave no answer; TUILE_E_MEMORY; TUILE_E_LIMIT
 * after too many changes. Since 0.1; with `modification` and `expiry` since
 * 0.2.
 */
tuile_status tuile_session_get_expiry_age(tuile_session *session,
    int64_t modification, tuile_bytes expiry, int64_t *seconds,
    tuile_error *error);

/** When the session expires, in Unix microseconds: Django's get_expiry_date.
 *
 * `modification` is when it was last changed, in Unix microseconds: TUILE_UNSET
 * for now. `expiry` is empty for the session's own, or JSON to take in place of
 * its `_session_expiry`, as in tuile_session_get_expiry_age.
 *
 * Returns TUILE_OK; TUILE_E_ARGUMENT for NULL; TUILE_E_STORE, TUILE_E_BUSY,
 * TUILE_E_CORRUPT if the store gave no answer; TUILE_E_MEMORY; TUILE_E_LIMIT
 * after too many changes. Since 0.2.
 */
tuile_status tuile_session_get_expiry_time(tuile_session *session,
    int64_t modification, tuile_bytes expiry, int64_t *microseconds,
    tuile_error *error);

/** Whether the session ends when the browser closes.
 *
 * Returns TUILE_OK; TUILE_E_ARGUMENT for NULL; TUILE_E_STORE, TUILE_E_BUSY,
 * TUILE_E_CORRUPT if the store gave no answer; TUILE_E_MEMORY; TUILE_E_LIMIT
 * after too many changes. Since 0.1.
 */
tuile_status tuile_session_get_expire_at_browser_close(tuile_session *session,
    bool *answer, tuile_error *error);

/* ============================================================================
 * 7. Whose sessions
 *
 * A session can have an owner: a user, by whatever name the application gives its
 * users. An owner's sessions can be listed, with when and where they were last
 * seen, and ended one by one or all at once. The lists are kept beside Django's
 * table or keys, which stay as they are; stores that keep none answer
 * TUILE_E_ARGUMENT, sessions in cookies among them. An owner has 1 to 255 bytes of
 * UTF-8 without NUL. Every function here may also return what section 16 says.
 * ============================================================================ */

/** Says whose session it is, as a login does. An `owner` without data, as
 * tuile_text(NULL) gives it: nobody's; the commit then takes the session off
 * the list.
 *
 * Kept in the session under `_session_owner`. The commit writes the owner's
 * list and fails if it can't; requests then refresh the entry once a minute.
 * With `track_owners` in the configuration Django's own logins
 * (`_auth_user_id`) count without this. With `max_owned` those sessions of the
 * owner that were unseen longest are ended when there are more.
 *
 * Returns TUILE_OK; TUILE_E_ARGUMENT; TUILE_E_STORE, TUILE_E_BUSY or
 * TUILE_E_CORRUPT if the store failed, was held by others or is damaged;
 * TUILE_E_MEMORY. Since 0.1; no owner since 0.2.
 */
TUILE_MUST_CHECK
tuile_status tuile_session_set_owner(tuile_session *session, tuile_bytes owner,
    tuile_error *error);

/** Whose session it is, by tuile_session_set_owner or, with `track_owners`, by
 * Django's login.
 *
 * `*owner` is valid until the session ends.
 *
 * Returns TUILE_OK; TUILE_ABSENT if it has none; TUILE_E_STORE, TUILE_E_BUSY or
 * TUILE_E_CORRUPT if the store failed, was held by others or is damaged;
 * TUILE_E_MEMORY. Since 0.1.
 */
tuile_status tuile_session_get_owner(tuile_session *session,
    tuile_bytes *owner, tuile_error *error);

/** Says where a request comes from, for the owner's list.
 *
 * Of the user agent 256 bytes are kept, of the address 64; what is no printable
 * ASCII shows as '?'. Either may be empty: the list keeps what it has.
 *
 * Returns TUILE_OK; TUILE_E_STORE, TUILE_E_BUSY or TUILE_E_CORRUPT if the store
 * failed, was held by others or is damaged; TUILE_E_MEMORY. Since 0.1.
 */
tuile_status tuile_session_set_client(tuile_session *session,
    tuile_bytes user_agent, tuile_bytes address, tuile_error *error);

/** Gives `receive` each session of an owner, the one seen last first.
 *
 * `current`, which may be NULL, is the session of this request: its entry is
 * marked. `context` is handed to `receive`.
 *
 * Returns TUILE_OK, also if there is none; TUILE_E_LIMIT if there are more than
 * 10,000; TUILE_E_ARGUMENT; TUILE_E_STORE, TUILE_E_BUSY or TUILE_E_CORRUPT if
 * the store failed, was held by others or is damaged; TUILE_E_MEMORY. Since
 * 0.1.
 */
tuile_status tuile_manager_sessions(tuile_manager *manager, tuile_bytes owner,
    const tuile_session *current, tuile_receive_owned_session receive,
    void *context, tuile_error *error);

/** Ends the session of an owner that has an id, as tuile_manager_sessions gave
 * it: it is deleted at once and for good.
 *
 * Returns TUILE_OK; TUILE_ABSENT if the owner has no such session any more;
 * TUILE_E_ARGUMENT; TUILE_E_STORE, TUILE_E_BUSY or TUILE_E_CORRUPT if the store
 * failed, was held by others or is damaged; TUILE_E_MEMORY. Since 0.1.
 */
TUILE_MUST_CHECK
tuile_status tuile_manager_revoke(tuile_manager *manager, tuile_bytes owner,
    tuile_bytes id, tuile_error *error);

/** Ends all sessions of an owner, but that of this request if `keep` is one, as
 * after a change of the password.
 *
 * `*revoked`, which may be NULL, gets how many there were. With sessions in
 * cookies and `revocations` in the configuration nobody knows, and it is 0;
 * `keep` must then be committed, since it gets a new cookie.
 *
 * Returns TUILE_OK; TUILE_E_ARGUMENT; TUILE_E_STORE, TUILE_E_BUSY or
 * TUILE_E_CORRUPT if the store failed, was held by others or is damaged;
 * TUILE_E_MEMORY: then some may be left. Since 0.1.
 */
TUILE_MUST_CHECK
tuile_status tuile_manager_revoke_all(tuile_manager *manager,
    tuile_bytes owner, tuile_session *keep, size_t *revoked,
    tuile_error *error);

/* ============================================================================
 * 8. Operations
 *
 * What keeps sessions going in production: removing what is expired, a check,
 * counters and times. All functions are safe from all threads.
 * ============================================================================ */

/** Removes at most `limit` expired sessions from the store.
 *
 * For a timer: a limit keeps one run short. `*removed`, which may be NULL, gets
 * how many there were; as many as `limit` means that there may be more.
 *
 * Returns TUILE_OK; TUILE_E_ARGUMENT for NULL; TUILE_E_STORE, TUILE_E_BUSY or
 * TUILE_E_CORRUPT if the store failed, was held by others or is damaged;
 * TUILE_E_MEMORY. Since 0.1.
 */
tuile_status tuile_manager_sweep(tuile_manager *manager, size_t limit,
    size_t *removed, tuile_error *error);

/** Reads the counters. The caller sets `stats->size`, as TUILE_STATS_INIT does.
 *
 * Each is exact; together they are no snapshot while requests run.
 *
 * Returns TUILE_OK, or TUILE_E_ARGUMENT for NULL or a struct of a size that no
 * version has. Since 0.1.
 */
TUILE_NONNULL(2)
tuile_status tuile_manager_stats(const tuile_manager *manager,
    tuile_stats *stats);

/** Starts a thread that removes at most `limit` expired sessions every
 * `seconds`, a tenth more or less, so that not all processes do it at once.
 *
 * No other thread is started but a queue's; it takes no signals, and ends with
 * tuile_manager_stop_sweeping or tuile_manager_close. A child of fork() has
 * none and may start its own. In place of one that runs already.
 *
 * Returns TUILE_OK; TUILE_E_ARGUMENT for NULL, 0 seconds or more than a year;
 * TUILE_E_MEMORY if there is no thread to be had. Since 0.1.
 */
tuile_status tuile_manager_start_sweeping(tuile_manager *manager,
    uint32_t seconds, size_t limit, tuile_error *error);

/** Ends the thread, once it is done with what it is at. NULL is fine. Since 0.1. */
void tuile_manager_stop_sweeping(tuile_manager *manager);

/** Whether sessions can be stored and read: writes one that nobody knows, reads
 * it and removes it. For a health check of the host's.
 *
 * Returns TUILE_OK, also if there is no store to ask; TUILE_E_ARGUMENT for
 * NULL; TUILE_E_RANDOM; TUILE_E_STORE, TUILE_E_BUSY or TUILE_E_CORRUPT if the
 * store failed, was held by others or is damaged; TUILE_E_MEMORY. Since 0.1.
 */
tuile_status tuile_manager_check(tuile_manager *manager, tuile_error *error);

/** Reads how long one of the store's operations took. The caller sets
 * `latency->size`, as TUILE_LATENCY_INIT does.
 *
 * Stores in this process's memory are not timed.
 *
 * Returns TUILE_OK, or TUILE_E_ARGUMENT for NULL, an unknown operation or a
 * struct of another size. Since 0.1.
 */
TUILE_NONNULL(3)
tuile_status tuile_manager_latency(const tuile_manager *manager,
    tuile_operation operation, tuile_latency *latency);

/** Writes all counters and times as Prometheus reads them (its text format
 * 0.0.4).
 *
 * Give `size` NULL or a place for the number of bytes; `buffer` may be NULL
 * with a capacity of 0 to ask for it. It grows a little with the numbers in it:
 * 32 KiB are always enough.
 *
 * Returns TUILE_OK; TUILE_E_SPACE; TUILE_E_ARGUMENT for NULL; TUILE_E_MEMORY.
 * Since 0.1.
 */
tuile_status tuile_manager_metrics(const tuile_manager *manager, char *buffer,
    size_t capacity, size_t *size);

/* ============================================================================
 * 9. Cookies
 *
 * Read a request's Cookie headers without copying them (RFC 6265bis, draft 22).
 * tuile_cookie_next and tuile_cookie_get read one header as browsers mean it,
 * with no limit; the functions of tuile_cookies read all headers of a request as
 * one, in a mode and within limits. Time is linear in the size of the headers.
 * All functions are safe from all threads; none allocates memory.
 * ============================================================================ */

/** Takes the next pair of a Cookie header.
 *
 * Start with `*position` 0 and call until TUILE_ABSENT. Pairs end at `;`, name
 * and value are split at the first `=`, spaces and tabs around both are left
 * out. A piece without `=` is a cookie with an empty name, as browsers mean it.
 * Names are not decoded, quotes stay part of the value, empty pieces are passed
 * over. The views of `*cookie` point into `header`.
 *
 * Returns TUILE_OK; TUILE_ABSENT at the end; TUILE_E_ARGUMENT if a pointer is
 * NULL or the header's size has no data. Time is linear in the header's size
 * over a whole walk. Since 0.1; RFC 6265bis, section 4.2.
 */
TUILE_NONNULL(2, 3)
tuile_status tuile_cookie_next(tuile_bytes header, size_t *position,
    tuile_cookie *cookie);

/** Finds a cookie by its name, which compares to the byte.
 *
 * A browser may send several cookies of one name, those of longer paths first:
 * `match` says which one to take. `*value` points into `header`.
 *
 * Returns TUILE_OK; TUILE_ABSENT if there is none; TUILE_E_ARGUMENT for NULL or
 * an unknown `match`. Since 0.1.
 */
TUILE_NONNULL(4)
tuile_status tuile_cookie_get(tuile_bytes header, tuile_bytes name,
    tuile_match match, tuile_bytes *value);

/** Finds a cookie as a framework does that shares it, and writes its value: of
 * several of one name the one that counts there, and what quotes around it mean
 * there.
 *
 * `rule` TUILE_COOKIE_RULE_DEFAULT is Django's. Rack and Express also decode
 * `%XX`: TUILE_ENCODING_PERCENT does. `*size`, which may be NULL, gets the size
 * that is needed, also for TUILE_E_SPACE.
 *
 * Returns TUILE_OK; TUILE_ABSENT if there is none that the rule takes;
 * TUILE_E_SPACE; TUILE_E_ARGUMENT for NULL or an unknown rule. Since 0.1.1;
 * whether there are several is tuile_cookie_differs since 0.2.
 */
tuile_status tuile_cookie_read(tuile_bytes header, tuile_bytes name,
    tuile_cookie_rule rule, char *buffer, size_t capacity, size_t *size);

/** Whether a header has several cookies of a name with different values, as a
 * rule reads them: worth a refusal where another program may take another of
 * them.
 *
 * Returns TUILE_OK, and `*differs` is set; TUILE_ABSENT if there is none that
 * the rule takes; TUILE_E_ARGUMENT for NULL or an unknown rule. Since 0.2.
 */
tuile_status tuile_cookie_differs(tuile_bytes header, tuile_bytes name,
    tuile_cookie_rule rule, bool *differs);

/** Sets all fields to what TUILE_COOKIES_INIT sets: no header, mode browser, and
 * the limits that its fields name.
 *
 * `size` is sizeof(tuile_cookies), as the caller was compiled: an older program
 * has a shorter struct, and no byte behind it is written. Before 0.2 it was not
 * asked for.
 *
 * Returns TUILE_OK, or TUILE_E_ARGUMENT for NULL or a size that no version has.
 * Since 0.1.
 */
TUILE_NONNULL(1)
tuile_status tuile_cookies_init(tuile_cookies *cookies, size_t size);

/** Counts the cookies of a request, and so checks its headers.
 *
 * Returns TUILE_OK; TUILE_E_LIMIT for more bytes or cookies, or a longer name
 * or value, than `cookies` allows; TUILE_E_SYNTAX in mode strict, with `offset`
 * counted through the headers as they follow each other; TUILE_E_ARGUMENT for
 * NULL, an unknown mode or a struct of a size that no version has. Since 0.1.
 */
TUILE_NONNULL(1)
tuile_status tuile_cookies_count(const tuile_cookies *cookies, size_t *count,
    tuile_error *error);

/** Takes all cookies of a request, in order, into the caller's array.
 *
 * `array` has room for `capacity` cookies, whose views point into the headers;
 * values are as they were sent, quotes included. `*count` gets how many there
 * are, also for TUILE_E_SPACE. After any answer but TUILE_OK the array's
 * contents are undefined.
 *
 * Returns TUILE_OK; TUILE_E_SPACE if there are more than `capacity`;
 * TUILE_E_LIMIT for more bytes or cookies, or a longer name or value, than
 * `cookies` allows; TUILE_E_SYNTAX in mode strict, with `offset` counted
 * through the headers as they follow each other; TUILE_E_ARGUMENT for NULL, an
 * unknown mode or a struct of a size that no version has. Since 0.1.
 */
TUILE_NONNULL(1, 2)
tuile_status tuile_cookies_all(const tuile_cookies *cookies,
    tuile_cookie *array, size_t capacity, size_t *count, tuile_error *error);

/** Finds a cookie of a request by its name, which compares to the byte.
 *
 * All headers are read and checked, so that the answer does not depend on where
 * the cookie stands. `*value` points into a header.
 *
 * Returns TUILE_OK; TUILE_ABSENT if there is none; TUILE_E_LIMIT for more bytes
 * or cookies, or a longer name or value, than `cookies` allows; TUILE_E_SYNTAX
 * in mode strict, with `offset` counted through the headers as they follow each
 * other; TUILE_E_ARGUMENT for NULL, an unknown mode or a struct of a size that
 * no version has. Since 0.1.
 */
TUILE_NONNULL(1, 4)
tuile_status tuile_cookies_get(const tuile_cookies *cookies, tuile_bytes name,
    tuile_match match, tuile_bytes *value, tuile_error *error);

/** Writes the value that the application is meant to see.
 *
 * In mode django this is what request.COOKIES holds: the last cookie of the
 * name, its quotes and escapes undone, as UTF-8. In the other modes it is the
 * first one, as it was sent. `*size`, which may be NULL, gets the size that is
 * needed, also for TUILE_E_SPACE.
 *
 * Returns TUILE_OK; TUILE_ABSENT if there is no such cookie; TUILE_E_SPACE;
 * TUILE_E_LIMIT for more bytes or cookies, or a longer name or value, than
 * `cookies` allows; TUILE_E_SYNTAX in mode strict, with `offset` counted
 * through the headers as they follow each other; TUILE_E_ARGUMENT for NULL, an
 * unknown mode or a struct of a size that no version has. Since 0.1.
 */
TUILE_NONNULL(1)
tuile_status tuile_cookies_read(const tuile_cookies *cookies, tuile_bytes name,
    char *buffer, size_t capacity, size_t *size, tuile_error *error);

/** Writes text in a way that a cookie's value can hold.
 *
 * What the quoted encodings write has octets that browsers take but the grammar
 * does not: tuile_set_cookie_write wants TUILE_RULE_VALUE skipped for it, which
 * stays safe. tuile_django_cookie_write quotes by itself. `*size`, which may be
 * NULL, gets the size that is needed, also for TUILE_E_SPACE. The buffer is
 * written only on success.
 *
 * Returns TUILE_OK; TUILE_E_SPACE; TUILE_E_SYNTAX if the encoding can't hold
 * the text: an octet that no cookie has (raw), a character over U+00FF or text
 * that is not UTF-8 (quoted); `offset` says where; TUILE_E_ARGUMENT. Since 0.1.
 */
tuile_status tuile_cookie_encode(tuile_bytes text, tuile_encoding encoding,
    char *buffer, size_t capacity, size_t *size, tuile_error *error);

/** Writes the text that a cookie's value holds: the opposite of
 * tuile_cookie_encode.
 *
 * Python's and Werkzeug's quotes are undone where both stand around the value;
 * any other value is copied. Escapes of the quoted encoding become UTF-8, those
 * of the others bytes that need not be UTF-8. `*size`, which may be NULL, gets
 * the size that is needed, also for TUILE_E_SPACE.
 *
 * Returns TUILE_OK; TUILE_E_SPACE; TUILE_E_SYNTAX for a '%' without two hex
 * digits, and for what is no base64url in its one canonical form;
 * TUILE_E_ARGUMENT. Since 0.1.
 */
tuile_status tuile_cookie_decode(tuile_bytes value, tuile_encoding encoding,
    char *buffer, size_t capacity, size_t *size, tuile_error *error);

/* ============================================================================
 * 10. Set-Cookie
 *
 * Write a response's Set-Cookie headers, and read another server's. The rules
 * are those of RFC 6265bis, draft 22: nothing is written that a browser would
 * drop, and no data can become an attribute or a header. All functions are safe
 * from all threads; none allocates memory.
 * ============================================================================ */

/** Sets all fields to what TUILE_SET_COOKIE_INIT sets: no name, Path=/, no other
 * attribute, every rule checked.
 *
 * `size` is sizeof(tuile_set_cookie), as the caller was compiled: an older
 * program has a shorter struct, and no byte behind it is written. Before 0.2 it
 * was not asked for.
 *
 * Returns TUILE_OK, or TUILE_E_ARGUMENT for NULL or a size that no version has.
 * Since 0.1.
 */
TUILE_NONNULL(1)
tuile_status tuile_set_cookie_init(tuile_set_cookie *cookie, size_t size);

/** Writes the value of a Set-Cookie header, without the header's name, line end
 * or NUL; attributes stand in the order in which Django writes them.
 *
 * `buffer` takes `capacity` bytes; `*size`, which may be NULL, gets the size
 * that is needed, also for TUILE_E_SPACE. The buffer is written only on
 * success. Max-Age and Expires are written as they are given, either, both or
 * none. Each tuile_rule is checked unless its bit is in skip_rules; control
 * characters and ';' are refused always.
 *
 * Returns TUILE_OK; TUILE_E_SPACE; TUILE_E_SYNTAX for an octet that the name,
 * value, domain or path may not have (`offset` says where); TUILE_E_LIMIT for
 * more than 4096 octets of name and value, or 1024 of an attribute;
 * TUILE_E_RULE for what browsers refuse or change: a life of more than 400
 * days, SameSite=None or Partitioned without Secure, and the conditions of the
 * prefixes `__Secure-`, `__Host-`, `__Http-` and `__Host-Http-`;
 * TUILE_E_ARGUMENT for NULL or a struct of a size that no version has. The
 * message names the rule. Since 0.1; RFC 6265bis, sections 4.1 and 5.6.
 */
TUILE_NONNULL(1)
tuile_status tuile_set_cookie_write(const tuile_set_cookie *cookie,
    char *buffer, size_t capacity, size_t *size, tuile_error *error);

/** Writes the value of a Set-Cookie header that makes browsers delete a cookie.
 *
 * `cookie` has the name, domain and path that the cookie was set with; its
 * value and ages are not looked at. Secure is added where browsers would ignore
 * the header without it. `buffer` takes `capacity` bytes; `*size`, which may be
 * NULL, gets the size that is needed, also for TUILE_E_SPACE.
 *
 * Returns TUILE_OK; TUILE_E_SPACE; TUILE_E_SYNTAX for an octet that the name,
 * domain or path may not have (`offset` says where); TUILE_E_LIMIT for more
 * than 4096 octets of the name, or 1024 of an attribute; TUILE_E_RULE for the
 * conditions of the prefixes __Secure-, __Host-, __Http- and __Host-Http-;
 * TUILE_E_ARGUMENT for NULL or a struct of a size that no version has. Since
 * 0.1.
 */
TUILE_NONNULL(1)
tuile_status tuile_set_cookie_delete(const tuile_set_cookie *cookie,
    char *buffer, size_t capacity, size_t *size, tuile_error *error);

/** Reads a Set-Cookie header as browsers do, into `*cookie`, whose views point
 * into the header. The caller sets `cookie->size`, as TUILE_SET_COOKIE_INIT
 * does.
 *
 * All its fields are set: what the header does not say is empty, TUILE_UNSET or
 * false; so is a path that does not start with '/'. A dot in front of the
 * domain is left out; its letters stay as they are. Unknown attributes, dates
 * that are none and attributes over 1024 octets are passed over, as browsers
 * do. Whether a browser would then store the cookie depends on the URL:
 * tuile_jar_receive decides that.
 *
 * Returns TUILE_OK; TUILE_E_SYNTAX where browsers ignore the header: it has a
 * control character, or neither name nor value; TUILE_E_LIMIT for more than
 * 4096 octets of name and value; TUILE_E_ARGUMENT for NULL or a struct of a
 * size that no version has. Since 0.2; RFC 6265bis, section 5.6.
 */
TUILE_NONNULL(2)
tuile_status tuile_set_cookie_read(tuile_bytes header,
    tuile_set_cookie *cookie, tuile_error *error);

/** Writes a time as an HTTP date, such as "Sun, 06 Nov 1994 08:49:37 GMT": 29
 * bytes, no NUL.
 *
 * `seconds` are Unix seconds; times outside the years 1 to 9999 become the
 * nearest of them. Neither locale nor time zone matters.
 *
 * Returns TUILE_OK; TUILE_E_SPACE, with the size in `*size`, which may be NULL;
 * TUILE_E_ARGUMENT if `buffer` is NULL and has a capacity. Since 0.1; RFC 9110,
 * section 5.6.7.
 */
tuile_status tuile_date_write(int64_t seconds, char *buffer, size_t capacity,
    size_t *size);

/** Reads a date as the Expires attribute has it: every kind that servers write.
 *
 * `*seconds` gets Unix seconds. Years of two digits are 1970 to 2069.
 *
 * Returns TUILE_OK; TUILE_E_SYNTAX if day, month, year or time is missing, the
 * year is before 1601, or there is no such date; TUILE_E_ARGUMENT for NULL.
 * Since 0.2; RFC 6265bis, section 5.1.1.
 */
tuile_status tuile_date_read(tuile_bytes text, int64_t *seconds);

/* ============================================================================
 * 11. Django's Set-Cookie
 *
 * What Django writes, to the byte, for a server that stands beside it. All
 * functions are safe from all threads; none allocates memory.
 * ============================================================================ */

/** Sets all fields to what TUILE_DJANGO_COOKIE_INIT sets: Path=/, nothing else.
 *
 * `size` is sizeof(tuile_django_cookie), as the caller was compiled: an older
 * program has a shorter struct, and no byte behind it is written. Before 0.2 it
 * was not asked for.
 *
 * Returns TUILE_OK, or TUILE_E_ARGUMENT for NULL or a size that no version has.
 * Since 0.1.
 */
TUILE_NONNULL(1)
tuile_status tuile_django_cookie_init(tuile_django_cookie *cookie, size_t size);

/** Writes what Django's HttpResponse.set_cookie writes from the same arguments,
 * to the byte: the value quoted as Python's SimpleCookie does, Max-Age and
 * Expires from either of them. Only what Django checks is checked, and what
 * could become another attribute or header.
 *
 * `buffer`, `capacity` and `size` are as in tuile_set_cookie_write.
 *
 * Returns TUILE_OK; TUILE_E_SPACE; TUILE_E_SYNTAX for a key that http.cookies
 * refuses, a value that is not UTF-8 or has a character over U+00FF, and a
 * control character, ';' or an octet over 7E in an attribute; TUILE_E_RULE for
 * a key that is an attribute's name; TUILE_E_ARGUMENT for expires and max_age
 * at once, a samesite that is none, NULL, or a struct of a size that no version
 * has; TUILE_E_RANGE for an `expires` or `now` that is no date. Since 0.1.
 */
TUILE_NONNULL(1)
tuile_status tuile_django_cookie_write(const tuile_django_cookie *cookie,
    char *buffer, size_t capacity, size_t *size, tuile_error *error);

/** Writes what Django's HttpResponse.delete_cookie writes: `key`, `path`,
 * `domain` and `samesite` are its arguments, the other fields are not looked
 * at. Secure comes with the prefixes `__Secure-` and `__Host-` and with
 * SameSite=None only, as in Django; tuile_set_cookie_delete also knows the
 * other cases.
 *
 * Returns TUILE_OK; TUILE_E_SPACE; TUILE_E_SYNTAX for a key that http.cookies
 * refuses, and a control character, ';' or an octet over 7E in an attribute;
 * TUILE_E_RULE for a key that is an attribute's name; TUILE_E_ARGUMENT for a
 * samesite that is none, NULL, or a struct of a size that no version has. Since
 * 0.1.
 */
TUILE_NONNULL(1)
tuile_status tuile_django_cookie_delete(const tuile_django_cookie *cookie,
    char *buffer, size_t capacity, size_t *size, tuile_error *error);

/* ============================================================================
 * 12. The cookie jar
 *
 * A client's cookies, for programs that call other servers: what responses set
 * is kept, and each request gets the Cookie header that a browser would send
 * (RFC 6265bis, draft 22). Domains that belong to everyone, such as "co.uk", are
 * known from libpsl, which is loaded when the first jar is made and which nothing
 * else needs. All functions but tuile_jar_free are safe from all threads: a mutex
 * guards each jar. A child after fork() has its own copy.
 * ============================================================================ */

/** Sets all fields to what TUILE_JAR_CONFIG_INIT sets: 180 cookies a site, 3000
 * in all, libpsl, the system's clock.
 *
 * `size` is sizeof(tuile_jar_config), as the caller was compiled: an older
 * program has a shorter struct, and no byte behind it is written. Before 0.2 it
 * was not asked for.
 *
 * Returns TUILE_OK, or TUILE_E_ARGUMENT for NULL or a size that no version has.
 * Since 0.1.
 */
TUILE_NONNULL(1)
tuile_status tuile_jar_config_init(tuile_jar_config *config, size_t size);

/** Sets all fields to what TUILE_JAR_REQUEST_INIT sets: no URL, the same site,
 * not a script.
 *
 * `size` is sizeof(tuile_jar_request), as the caller was compiled: an older
 * program has a shorter struct, and no byte behind it is written. Before 0.2 it
 * was not asked for.
 *
 * Returns TUILE_OK, or TUILE_E_ARGUMENT for NULL or a size that no version has.
 * Since 0.1.
 */
TUILE_NONNULL(1)
tuile_status tuile_jar_request_init(tuile_jar_request *request, size_t size);

/** Makes an empty jar. `*jar` is the caller's, to be freed with tuile_jar_free.
 *
 * `config` is copied; NULL is TUILE_JAR_CONFIG_INIT. Its callbacks and their
 * contexts must outlive the jar.
 *
 * Returns TUILE_OK; TUILE_E_MISSING if libpsl is wanted and not installed;
 * TUILE_E_ARGUMENT for NULL, a limit of 0 or a struct of a size that no version
 * has; TUILE_E_RANDOM; TUILE_E_MEMORY. Since 0.1.
 */
TUILE_MUST_CHECK TUILE_NONNULL(2)
tuile_status tuile_jar_new(const tuile_jar_config *config, tuile_jar **jar,
    tuile_error *error);

/** Frees a jar and wipes its cookies. NULL is fine. No call with it may be under
 * way. Since 0.1.
 */
void tuile_jar_free(tuile_jar *jar);

/** Takes the value of one Set-Cookie header of a response.
 *
 * The cookie is stored, or replaces the one of the same name, domain and path,
 * or, if it has expired, removes that. Where there are too many of one site
 * then, what expired goes, or else one that is not Secure, of the lowest
 * Priority, used longest ago; where there are too many in all, the one used
 * longest ago.
 *
 * Returns TUILE_OK if a browser would take the cookie; TUILE_E_SYNTAX for a
 * control character, or neither name nor value; TUILE_E_LIMIT for more than
 * 4096 octets of name and value, or 1024 of the path; TUILE_E_RULE for whatever
 * else makes browsers ignore it, with the reason as message; TUILE_E_SYNTAX or
 * TUILE_E_LIMIT also for a URL that is none (`offset` says where);
 * TUILE_E_ARGUMENT; TUILE_E_MEMORY. Since 0.1; RFC 6265bis, section 5.7.
 */
TUILE_NONNULL(2)
tuile_status tuile_jar_receive(tuile_jar *jar,
    const tuile_jar_request *request, tuile_bytes set_cookie,
    tuile_error *error);

/** Writes the value of the Cookie header for a request: cookies of longer paths
 * first, then older ones.
 *
 * `*size`, which may be NULL, gets the size that is needed, also for
 * TUILE_E_SPACE. The buffer is written only on success. A server may set
 * cookies of 180 × 4 KB: hosts that send them on should bound what they take.
 *
 * Returns TUILE_OK; TUILE_ABSENT if there is no cookie to send; TUILE_E_SPACE;
 * TUILE_E_SYNTAX or TUILE_E_LIMIT for a URL that is none; TUILE_E_ARGUMENT.
 * Since 0.1; RFC 6265bis, section 5.8.
 */
TUILE_NONNULL(2)
tuile_status tuile_jar_header(tuile_jar *jar, const tuile_jar_request *request,
    char *buffer, size_t capacity, size_t *size, tuile_error *error);

/** Counts the cookies that have not expired.
 *
 * Returns TUILE_OK, or TUILE_E_ARGUMENT for NULL. Since 0.1.
 */
tuile_status tuile_jar_count(tuile_jar *jar, size_t *count);

/** Forgets the cookies that have no Max-Age and no Expires, as a browser does
 * when it is closed.
 *
 * Returns TUILE_OK, or TUILE_E_ARGUMENT for NULL. Since 0.1.
 */
tuile_status tuile_jar_end_session(tuile_jar *jar);

/** Adds the cookies of a file in the Netscape format, which curl writes, to the
 * jar. As curl does, it takes lines with blanks before them, ends in fractions
 * of a second, lines without a path, and Set-Cookie headers, which have to name
 * a Domain here. Lines that are no cookie or that no response could have set
 * are passed over; `*skipped`, which may be NULL, gets how many. Cookies that
 * have expired are not kept.
 *
 * Returns TUILE_OK; TUILE_ABSENT if there is no such file; TUILE_E_FILE if it
 * can't be read; TUILE_E_LIMIT for more than 64 MiB; TUILE_E_ARGUMENT for NULL
 * or a path with a NUL in it; TUILE_E_MEMORY. Since 0.1, with `skipped` since
 * 0.2.
 */
tuile_status tuile_jar_load(tuile_jar *jar, tuile_bytes path, size_t *skipped,
    tuile_error *error);

/** Writes the jar to a file in the Netscape format, which curl reads. The file
 * is replaced in one step, synced to disk, and readable by its owner alone.
 *
 * `session_cookies`: also those that end with the session. SameSite, Priority
 * and partitions are kept in comments that other programs pass over; they see
 * no Partitioned cookie. Cookies without a name, or with a tab in name, value
 * or path, are left out, since the format can't hold them.
 *
 * Returns TUILE_OK; TUILE_E_FILE if it can't be written, with the old file as
 * it was; TUILE_E_ARGUMENT for NULL or a path with a NUL in it; TUILE_E_MEMORY.
 * Since 0.1.
 */
TUILE_MUST_CHECK
tuile_status tuile_jar_save(tuile_jar *jar, tuile_bytes path,
    bool session_cookies, tuile_error *error);

/* ============================================================================
 * 13. Secrets
 *
 * Secrets from wherever they are kept, in the order of their use: to rotate, add
 * the new one first. A secret must have 32 bytes, of 8 kinds at least, unless weak
 * ones are allowed for the sake of another framework.
 * ============================================================================ */

/** Makes an empty keyring. `*keyring` is the caller's, to be freed with
 * tuile_keyring_free.
 *
 * `allow_weak` takes secrets that are shorter, as older applications have them.
 *
 * Returns TUILE_OK; TUILE_E_ARGUMENT for NULL; TUILE_E_MEMORY. Since 0.1.
 */
TUILE_MUST_CHECK TUILE_NONNULL(2)
tuile_status tuile_keyring_new(bool allow_weak, tuile_keyring **keyring,
    tuile_error *error);

/** Frees a keyring and wipes its secrets. NULL is fine; signers and managers
 * made from it have their own. Since 0.1.
 */
void tuile_keyring_free(tuile_keyring *keyring);

/** Adds a secret behind those that are there. The text is copied, not kept.
 *
 * Returns TUILE_OK; TUILE_E_SYNTAX for what is not of the format;
 * TUILE_E_ARGUMENT for NULL, an unknown format, an empty or a weak secret;
 * TUILE_E_LIMIT for more than 65 secrets or 4096 bytes; TUILE_E_MEMORY. Since
 * 0.1.
 */
TUILE_MUST_CHECK
tuile_status tuile_keyring_add(tuile_keyring *keyring, tuile_bytes secret,
    tuile_secret_format format, tuile_error *error);

/** Adds a secret with what belongs to it where a framework keeps more than a
 * secret: gorilla's block key, of the same format, or empty for a pair that
 * signs alone; iron-session's id, or TUILE_UNSET for the place in the ring, the
 * last secret being 1.
 *
 * Where one secret of a ring has an id, all need one. Other dialects make no
 * use of either.
 *
 * Returns TUILE_OK; TUILE_E_SYNTAX for what is not of the format;
 * TUILE_E_ARGUMENT for NULL, an unknown format, an empty or a weak secret, an
 * id that is negative or another secret's; TUILE_E_LIMIT for more than 65
 * secrets or 4096 bytes; TUILE_E_MEMORY. Since 0.1.1.
 */
TUILE_MUST_CHECK
tuile_status tuile_keyring_add_entry(tuile_keyring *keyring,
    tuile_bytes secret, tuile_bytes block_key, int64_t id,
    tuile_secret_format format, tuile_error *error);

/** Adds the secrets of a file, one a line, the newest first. Lines may end in CR
 * LF.
 *
 * What makes another secret of a secret is an error: a byte order mark, UTF-16,
 * spaces around it, quotes, or a name before it as in `SECRET_KEY = 'x'`. A
 * secret that is meant so can be written in hex or base64.
 *
 * With TUILE_SECRET_SHARED_FILE in `format` others than its owner may read the
 * file, as its group does, or a container with a secret mounted into it; write
 * it they may not.
 *
 * Returns TUILE_OK; TUILE_E_FILE if it can't be read, or if others than its
 * owner may open it; TUILE_E_SYNTAX, with the place in `offset`, for one of
 * these; TUILE_E_ARGUMENT for NULL, an unknown format, an empty or a weak
 * secret; TUILE_E_LIMIT for more than 1 MiB, 65 secrets, or 4096 bytes in one;
 * TUILE_E_MEMORY. Since 0.1.
 */
TUILE_MUST_CHECK
tuile_status tuile_keyring_add_file(tuile_keyring *keyring, tuile_bytes path,
    tuile_secret_format format, tuile_error *error);

/** Adds the secrets in a variable of the environment, as tuile_keyring_add_file
 * does those of a file. Not to be called while another thread changes the
 * environment.
 *
 * Returns TUILE_OK; TUILE_ABSENT if there is no such variable, or the program
 * runs with raised rights; TUILE_E_SYNTAX, TUILE_E_ARGUMENT, TUILE_E_LIMIT and
 * TUILE_E_MEMORY for what tuile_keyring_add_file refuses. Since 0.1.
 */
TUILE_MUST_CHECK
tuile_status tuile_keyring_add_environment(tuile_keyring *keyring,
    tuile_bytes variable, tuile_secret_format format, tuile_error *error);

/** Counts the secrets.
 *
 * Returns TUILE_OK, or TUILE_E_ARGUMENT for NULL. Since 0.1.
 */
tuile_status tuile_keyring_count(const tuile_keyring *keyring, size_t *count);

/** Writes a new secret: 32 random bytes in URL-safe base64, 43 characters, no
 * NUL.
 *
 * Returns TUILE_OK; TUILE_E_SPACE, with the size in `*size`, which may be NULL;
 * TUILE_E_RANDOM if the system gives no random bytes; TUILE_E_ARGUMENT. Since
 * 0.1.
 */
TUILE_MUST_CHECK
tuile_status tuile_secret_generate(char *buffer, size_t capacity, size_t *size,
    tuile_error *error);

/** Whether a user is still who a Django session says: its `_auth_user_hash` is
 * what Django's AbstractBaseUser.get_session_auth_hash makes of the user's row.
 *
 * `password` is that row's column, as it is stored; `hash` the session's value.
 * Each secret is tried, as Django tries SECRET_KEY and SECRET_KEY_FALLBACKS,
 * and compared in constant time. After another password was set no session from
 * before has the hash.
 *
 * Returns TUILE_OK; TUILE_BAD_SIGNATURE, also for what is no such hash;
 * TUILE_E_ARGUMENT for NULL or an empty keyring; TUILE_E_MEMORY. Since 0.1.1.
 */
TUILE_MUST_CHECK
tuile_status tuile_keyring_verify_login(const tuile_keyring *keyring,
    tuile_bytes password, tuile_bytes hash, tuile_error *error);

/** Writes the secret that another one gives for a purpose: 43 characters as
 * tuile_secret_generate writes them, no NUL. Dialects that share a secret may
 * give each other away; those with secrets of their own, derived from one, do
 * not.
 *
 * base64url(HKDF-SHA-256(secret, no salt, "tuile v1 derive" 00 length ":"
 * purpose, 32)).
 *
 * Returns TUILE_OK; TUILE_E_SPACE, with the size in `*size`, which may be NULL;
 * TUILE_E_ARGUMENT for NULL, an empty purpose or a secret under 32 bytes;
 * TUILE_E_LIMIT for one of them over 4096 bytes; TUILE_E_MEMORY. Since 0.1.1.
 */
TUILE_MUST_CHECK
tuile_status tuile_secret_derive(tuile_bytes secret, tuile_bytes purpose,
    char *buffer, size_t capacity, size_t *size, tuile_error *error);

/** Makes a keyring of what each secret of a ring gives for a purpose, in the
 * same order, so that a rotation of the one is one of the other. `*derived` is
 * the caller's, to be freed with tuile_keyring_free.
 *
 * Returns TUILE_OK; TUILE_E_ARGUMENT for NULL, an empty ring or purpose;
 * TUILE_E_LIMIT for a purpose over 4096 bytes; TUILE_E_MEMORY. Since 0.1.1.
 */
TUILE_MUST_CHECK TUILE_NONNULL(3)
tuile_status tuile_keyring_derive(const tuile_keyring *keyring,
    tuile_bytes purpose, tuile_keyring **derived, tuile_error *error);

/* ============================================================================
 * 14. Signing
 *
 * Tokens of Django, and of the other frameworks that tuile_dialect names, to the
 * byte, and Tuile's own. A signer keeps keys, not secrets, and wipes them when it
 * is freed. tuile_token_sign and tuile_token_unsign are for text, tuile_token_dumps
 * and tuile_token_loads for JSON, as in Django. A signature that does not match is an ordinary answer,
 * TUILE_BAD_SIGNATURE, and compared in constant time; so is a token that can't be
 * decrypted, or is of another format. All functions but tuile_signer_free are safe
 * from all threads.
 * ============================================================================ */

/** Sets all fields to what TUILE_SIGNER_CONFIG_INIT sets.
 *
 * `size` is sizeof(tuile_signer_config), as the caller was compiled: an older
 * program has a shorter struct, and no byte behind it is written. Before 0.2 it
 * was not asked for.
 *
 * Returns TUILE_OK, or TUILE_E_ARGUMENT for NULL or a size that no version has.
 * Since 0.1.
 */
TUILE_NONNULL(1)
tuile_status tuile_signer_config_init(tuile_signer_config *config, size_t size);

/** Makes a signer. `*signer` is the caller's, to be freed with
 * tuile_signer_free.
 *
 * The salt names the purpose: a value signed under one salt does not verify
 * under another. Django's default salts are "django.core.signing.Signer",
 * "django.core.signing.TimestampSigner" and, for dumps, "django.core.signing";
 * itsdangerous' "itsdangerous.Signer" and, for dumps, "itsdangerous".
 *
 * Returns TUILE_OK; TUILE_E_ARGUMENT for NULL, an empty secret or fallback, one
 * that the dialect can't use, a cookie's name that it needs, an unknown
 * constant, or a struct of a size that no version has; TUILE_E_LIMIT for more
 * than 64 fallbacks or a secret or salt over 4096 bytes; TUILE_E_MEMORY. Since
 * 0.1.
 */
TUILE_MUST_CHECK TUILE_NONNULL(1, 2)
tuile_status tuile_signer_new(const tuile_signer_config *config,
    tuile_signer **signer, tuile_error *error);

/** Frees a signer and wipes its keys. NULL is fine. No call with it may be under
 * way. Since 0.1.
 */
void tuile_signer_free(tuile_signer *signer);

/** Makes the token of a text: in Django's dialect `value:signature`, or
 * `value:timestamp:signature` if the signer is timed. No NUL is written.
 *
 * `signing` has the text and the time. `buffer` takes `capacity` bytes;
 * `*size`, which may be NULL, gets the size, or for TUILE_E_SPACE the size that
 * is enough for any token of the text: an encrypted one is another each time.
 * The buffer is written only on success. Django's dialect allocates no memory.
 *
 * Returns TUILE_OK; TUILE_E_SPACE; TUILE_E_LIMIT for a token over 64 MiB;
 * TUILE_E_SYNTAX if the dialect holds text in UTF-8 alone and it is none;
 * TUILE_E_RANGE for a time that the format can't hold; TUILE_E_ARGUMENT for
 * NULL, a struct of a size that no version has, or if the dialect signs JSON
 * alone; TUILE_E_MEMORY; TUILE_E_RANDOM. Since 0.2.
 */
TUILE_NONNULL(2)
tuile_status tuile_token_sign(const tuile_signer *signer,
    const tuile_signing *signing, char *buffer, size_t capacity, size_t *size,
    tuile_error *error);

/** Checks a token and gives the text in it, where the token holds it as it is.
 *
 * `verification` has the token, its greatest age and the time; the answer is
 * put there, too: when the token was signed, and with which secret. One that is
 * not 0 is a fallback, and the value worth signing again. `*value` points into
 * the token. Django's dialect allocates no memory.
 *
 * Returns TUILE_OK; TUILE_BAD_SIGNATURE; TUILE_EXPIRED; TUILE_E_ARGUMENT for
 * NULL, a struct of a size that no version has, and for a dialect whose tokens
 * hold their text in another form: tuile_token_unsign reads those;
 * TUILE_E_MEMORY. Outputs are written for TUILE_OK alone. Since 0.2.
 */
TUILE_MUST_CHECK TUILE_NONNULL(2, 3)
tuile_status tuile_token_verify(const tuile_signer *signer,
    tuile_verification *verification, tuile_bytes *value, tuile_error *error);

/** Checks a token of tuile_token_sign and writes the text in it, in every
 * dialect.
 *
 * `verification` has the token, its greatest age and the time, and gets what
 * was found out, as in tuile_token_verify. A token's own end counts too.
 * Nothing is decoded before the token was found genuine. `buffer` takes
 * `capacity` bytes; `*size`, which may be NULL, gets the size that is needed,
 * also for TUILE_E_SPACE.
 *
 * Returns TUILE_OK; TUILE_BAD_SIGNATURE; TUILE_EXPIRED; TUILE_E_SPACE;
 * TUILE_E_TYPE if the token holds JSON that is no text; TUILE_E_SYNTAX if it
 * holds what its dialect does not; TUILE_E_LIMIT for more than 64 MiB;
 * TUILE_E_ARGUMENT for NULL or a struct of a size that no version has;
 * TUILE_E_MEMORY. Since 0.2.
 */
TUILE_MUST_CHECK TUILE_NONNULL(2)
tuile_status tuile_token_unsign(const tuile_signer *signer,
    tuile_verification *verification, char *buffer, size_t capacity,
    size_t *size, tuile_error *error);

/** Makes the token of JSON: what a framework keeps a session as. In Django's
 * dialect this is signing.dumps: compact JSON in URL-safe base64, then
 * `:timestamp:signature`.
 *
 * `signing` has the JSON, which is one value, and the time. White space and
 * escapes become those that the dialect's own language writes, numbers and the
 * order of keys stay as they stand. With its `compress` the dialects of Django
 * and itsdangerous deflate it where that makes it shorter. `buffer` takes
 * `capacity` bytes; `*size`, which may be NULL, gets the size, or for
 * TUILE_E_SPACE the size that is enough for any token of the JSON.
 *
 * Returns TUILE_OK; TUILE_E_SPACE; TUILE_E_SYNTAX if it is no JSON (`offset`
 * says where); TUILE_E_LIMIT for a token over 64 MiB; TUILE_E_MEMORY;
 * TUILE_E_RANGE for a time that the format can't hold; TUILE_E_ARGUMENT for
 * NULL, a struct of a size that no version has, or if the dialect has no form
 * for JSON; TUILE_E_RANDOM. Since 0.2.
 */
TUILE_NONNULL(2)
tuile_status tuile_token_dumps(const tuile_signer *signer,
    const tuile_signing *signing, char *buffer, size_t capacity, size_t *size,
    tuile_error *error);

/** Checks a token of tuile_token_dumps, or of the framework itself, and writes
 * its JSON, without a NUL.
 *
 * `verification` has the token, its greatest age and the time, and gets what
 * was found out, as in tuile_token_verify. Nothing is decoded before the
 * signature was found right. `buffer` takes `capacity` bytes; `*size`, which
 * may be NULL, gets the size that is needed, also for TUILE_E_SPACE.
 *
 * Returns TUILE_OK; TUILE_BAD_SIGNATURE; TUILE_EXPIRED; TUILE_E_SPACE;
 * TUILE_E_SYNTAX if what was signed is no JSON; TUILE_E_LIMIT if it has more
 * than 64 MiB, deflated or not; TUILE_E_MEMORY; TUILE_E_ARGUMENT for NULL or a
 * struct of a size that no version has. Since 0.2.
 */
TUILE_MUST_CHECK TUILE_NONNULL(2)
tuile_status tuile_token_loads(const tuile_signer *signer,
    tuile_verification *verification, char *buffer, size_t capacity,
    size_t *size, tuile_error *error);

/* ============================================================================
 * 15. State without cookies
 *
 * A parameter in URLs, a signed value in a form, and Django's protection against
 * forged requests. All functions are safe from all threads.
 * ============================================================================ */

/** Writes a URL with a parameter set, and the rest of it to the byte:
 * `;name=value` at the end of the path, or `name=value` in the query. A
 * parameter that is there gets the value; an empty value takes it out.
 *
 * Name and value are letters, digits and - . _ ~ : %, which have no meaning of
 * their own there. `buffer` takes `capacity` bytes; `*size`, which may be NULL,
 * gets the size that is needed, also for TUILE_E_SPACE.
 *
 * Returns TUILE_OK; TUILE_E_SPACE; TUILE_E_SYNTAX for another octet in name or
 * value, or an empty name; TUILE_E_ARGUMENT for NULL, an unknown place or a
 * struct of a size that no version has. Since 0.1, with a struct since 0.2; RFC
 * 3986, sections 3.3 and 3.4.
 */
TUILE_NONNULL(2)
tuile_status tuile_url_write(tuile_bytes url,
    const tuile_url_parameter *parameter, char *buffer, size_t capacity,
    size_t *size, tuile_error *error);

/** Finds a parameter of a URL. `*value` points into `url` and is not decoded.
 *
 * Returns TUILE_OK; TUILE_ABSENT; TUILE_E_SYNTAX for an octet that a name can't
 * have, or an empty name; TUILE_E_ARGUMENT for NULL or an unknown place. Since
 * 0.1.
 */
TUILE_NONNULL(4)
tuile_status tuile_url_read(tuile_bytes url, tuile_url_place place,
    tuile_bytes name, tuile_bytes *value, tuile_error *error);

/** Writes `<input type="hidden" name="…" value="…">`, escaped, with a token that
 * holds the field's `value` (UTF-8) and is bound to the form and the session.
 *
 * The signer's dialect must have a form for JSON; use a salt of its own for
 * forms. `buffer` takes `capacity` bytes; `*size`, which may be NULL, gets the
 * size that is needed, also for TUILE_E_SPACE.
 *
 * Returns TUILE_OK; TUILE_E_SPACE; TUILE_E_SYNTAX if value or form is not
 * UTF-8; TUILE_E_ARGUMENT for NULL, a field without a name, a struct of a size
 * that no version has, or a dialect without a form for JSON; TUILE_E_MEMORY;
 * TUILE_E_RANDOM. Since 0.1; the value and the time are in the struct since
 * 0.2.
 */
TUILE_NONNULL(2)
tuile_status tuile_hidden_field_write(const tuile_signer *signer,
    const tuile_hidden_field *field, char *buffer, size_t capacity,
    size_t *size, tuile_error *error);

/** Finds the field in its urlencoded `body`, checks it and writes its value.
 *
 * Of several fields of the name the first counts. `buffer` takes `capacity`
 * bytes; `*size`, which may be NULL, gets the size that is needed, also for
 * TUILE_E_SPACE.
 *
 * Returns TUILE_OK; TUILE_ABSENT if the body has no such field;
 * TUILE_BAD_SIGNATURE, also for the field of another form or session;
 * TUILE_EXPIRED; TUILE_E_SPACE; TUILE_E_SYNTAX or TUILE_E_TYPE if what was
 * signed is no hidden field; TUILE_E_LIMIT for more than 64 MiB;
 * TUILE_E_ARGUMENT for NULL, a field without a name or a struct of a size that
 * no version has; TUILE_E_MEMORY. Since 0.1; the body, the greatest age and the
 * time are in the struct since 0.2.
 */
TUILE_MUST_CHECK TUILE_NONNULL(2)
tuile_status tuile_hidden_field_read(const tuile_signer *signer,
    const tuile_hidden_field *field, char *buffer, size_t capacity,
    size_t *size, tuile_error *error);

/** Writes a new secret for the cookie csrftoken: 32 letters and digits, no NUL.
 *
 * Returns TUILE_OK; TUILE_E_SPACE, with the size in `*size`, which may be NULL;
 * TUILE_E_RANDOM; TUILE_E_ARGUMENT. Since 0.1, with an error since 0.2.
 */
TUILE_MUST_CHECK
tuile_status tuile_csrf_secret(char *buffer, size_t capacity, size_t *size,
    tuile_error *error);

/** Writes a token for a form, as Django's csrf_token: 64 letters and digits,
 * other ones each time, from the secret in the cookie.
 *
 * Returns TUILE_OK; TUILE_E_SPACE; TUILE_E_SYNTAX if the secret is not 32
 * letters and digits; TUILE_E_RANDOM; TUILE_E_ARGUMENT. Since 0.1.
 */
TUILE_MUST_CHECK
tuile_status tuile_csrf_token(tuile_bytes secret, char *buffer,
    size_t capacity, size_t *size, tuile_error *error);

/** Asks what Django's CsrfViewMiddleware asks: is the Origin this site or a
 * trusted one, or over https the Referer, and does the token fit the cookie?
 *
 * `*reason`, which may be NULL, says why a request is refused. Tokens compare
 * in constant time.
 *
 * Returns TUILE_OK; TUILE_REFUSED; TUILE_E_ARGUMENT for NULL or a struct of
 * another size. Since 0.1.
 */
TUILE_MUST_CHECK TUILE_NONNULL(1)
tuile_status tuile_csrf_verify(const tuile_csrf_request *request,
    tuile_csrf_reason *reason, tuile_error *error);

/** An English sentence on a reason. It ends with a NUL and lives as long as the
 * library. Since 0.1.
 */
const char *tuile_csrf_reason_message(tuile_csrf_reason reason);

/* ============================================================================
 * 16. Stores
 *
 * Where sessions are kept. Most programs name one in tuile_config and need
 * nothing of this; it is for hosts that bring their own store, share one between
 * managers, or look into one. Keys are 8 to 40 bytes of a-z and 0-9, the
 * first perhaps a '~', which makes it a record's: kept apart from sessions, and in no
 * walk. Anything else is TUILE_E_ARGUMENT and never reaches a path or a query. Times are Unix
 * microseconds. All functions but tuile_store_close are safe from all threads,
 * and in a child after fork(): it opens connections of its own.
 * Each may also return TUILE_E_STORE if the store failed or could not be reached,
 * TUILE_E_BUSY if others held it for too long, TUILE_E_CORRUPT if its file or
 * table is damaged, and TUILE_E_MEMORY.
 * ============================================================================ */

/** Opens the store that a URL names. `*store` is the caller's, to be closed with
 * tuile_store_close.
 *
 * "memory:" keeps sessions in this process; its option `max_bytes=N`, 65536 and
 * more, lets those go that were used longest ago. "file:///absolute/folder"
 * keeps them as Django's file backend does, one file each; the folder is made
 * if missing, for its owner alone, and refused if others may list it, unless
 * `others=list`. Its options: `prefix=sessionid`, Django's SESSION_COOKIE_NAME;
 * `age=1209600`, Django's SESSION_COOKIE_AGE in seconds; `busy=5000`, the
 * milliseconds to wait for other writers; `fsync=off`, `data` (the default:
 * power loss leaves each session whole) or `full` (it loses none).
 * "sqlite:///absolute/path" keeps them in Django's table `django_session` in
 * that file; both are made if missing, the file readable by its owner alone.
 * Its options: `busy=5000`, the milliseconds to wait for other writers;
 * `synchronous=full`, so that a commit also survives power loss (`normal`, the
 * default, survives a crash of the process only). Paths are absolute: a folder
 * or file in / itself, as "sqlite:///name" says, is TUILE_E_SYNTAX without
 * `mode=rwc`. The option `mode` of both is SQLite's: `rwc`, the default, makes
 * what is missing, `rw` makes nothing, `ro` writes nothing. NAME://… is opened
 * by the module libtuile-NAME.so: see tuile_module_folder.
 *
 * Returns TUILE_OK; TUILE_E_SYNTAX for another URL (`offset` says where);
 * TUILE_E_LIMIT for one over 4096 bytes; TUILE_E_MISSING if its module can't be
 * loaded; TUILE_E_ARGUMENT for NULL; TUILE_E_STORE, TUILE_E_BUSY or
 * TUILE_E_CORRUPT if the store failed, was held by others or is damaged;
 * TUILE_E_MEMORY. Since 0.1.
 */
TUILE_MUST_CHECK TUILE_NONNULL(2)
tuile_status tuile_store_open(tuile_bytes url, tuile_store **store,
    tuile_error *error);

/** Says where store modules are: the objects libtuile-NAME.so that URLs such as
 * redis://… and postgresql://… need.
 *
 * Until this is called they are looked for in the folder that the environment
 * variable TUILE_MODULE_PATH names (not in programs with raised rights), then
 * in the folder tuile/ beside this library, then beside it. Empty: there again.
 * What is loaded already stays.
 *
 * Returns TUILE_OK, or TUILE_E_ARGUMENT for NULL, a NUL in it, or over 4095
 * bytes. Since 0.1.
 */
tuile_status tuile_module_folder(tuile_bytes path);

/** Makes a store of your own operations, which are copied.
 *
 * `context` is given to each of them and must live until `close` was called,
 * which tuile_store_close does.
 *
 * Returns TUILE_OK; TUILE_E_ARGUMENT for NULL, a missing operation other than
 * `close`, or a struct of a size that no version has. Since 0.1.
 */
TUILE_MUST_CHECK TUILE_NONNULL(1, 3)
tuile_status tuile_store_open_ops(const tuile_store_ops *ops, void *context,
    tuile_store **store, tuile_error *error);

/** Closes a store. NULL is fine. No call with it may be under way, and no
 * manager may use it any more. Since 0.1.
 */
void tuile_store_close(tuile_store *store);

/** Gives `receive` the data and expiry of a key.
 *
 * `receive` is called once, for TUILE_OK alone, while no lock is held; the data
 * is borrowed for that call. `context` is handed to it.
 *
 * Returns TUILE_OK; TUILE_ABSENT if there is no such key or its expiry is not
 * later than `now`; TUILE_E_ARGUMENT; TUILE_E_STORE, TUILE_E_BUSY or
 * TUILE_E_CORRUPT if the store failed, was held by others or is damaged;
 * TUILE_E_MEMORY. Since 0.1.
 */
tuile_status tuile_store_load(tuile_store *store, tuile_bytes key, int64_t now,
    tuile_receive receive, void *context, tuile_error *error);

/** Stores data under a key that is not taken.
 *
 * Returns TUILE_OK; TUILE_EXISTS if the key is stored, expired or not;
 * TUILE_E_ARGUMENT; TUILE_E_STORE, TUILE_E_BUSY or TUILE_E_CORRUPT if the store
 * failed, was held by others or is damaged; TUILE_E_MEMORY. Since 0.1.
 */
tuile_status tuile_store_create(tuile_store *store, tuile_bytes key,
    tuile_bytes data, int64_t expires, tuile_error *error);

/** Replaces the data of a key, if it is `expected` to the byte, and its expiry,
 * in one atomic step.
 *
 * Returns TUILE_OK; TUILE_CONFLICT if other data is stored; TUILE_ABSENT if the
 * key is not; TUILE_E_ARGUMENT; TUILE_E_STORE, TUILE_E_BUSY or TUILE_E_CORRUPT
 * if the store failed, was held by others or is damaged; TUILE_E_MEMORY. Since
 * 0.1.
 */
tuile_status tuile_store_replace(tuile_store *store, tuile_bytes key,
    tuile_bytes expected, tuile_bytes data, int64_t expires,
    tuile_error *error);

/** Sets the expiry of a key and leaves its data alone.
 *
 * Returns TUILE_OK; TUILE_ABSENT if the key is not stored; TUILE_E_ARGUMENT;
 * TUILE_E_STORE, TUILE_E_BUSY or TUILE_E_CORRUPT if the store failed, was held
 * by others or is damaged; TUILE_E_MEMORY. Since 0.1.
 */
tuile_status tuile_store_touch(tuile_store *store, tuile_bytes key,
    int64_t expires, tuile_error *error);

/** Removes a key and its data.
 *
 * Returns TUILE_OK, whether or not it was there; TUILE_E_ARGUMENT;
 * TUILE_E_STORE, TUILE_E_BUSY or TUILE_E_CORRUPT if the store failed, was held
 * by others or is damaged; TUILE_E_MEMORY. Since 0.1.
 */
tuile_status tuile_store_remove(tuile_store *store, tuile_bytes key,
    tuile_error *error);

/** Removes at most `limit` keys whose expiry is before `now`.
 *
 * `*removed`, which may be NULL, gets how many. SQLite removes up to 500 in one
 * transaction, so that other writers get their turn in between.
 *
 * Returns TUILE_OK; TUILE_E_ARGUMENT; TUILE_E_STORE, TUILE_E_BUSY or
 * TUILE_E_CORRUPT if the store failed, was held by others or is damaged;
 * TUILE_E_MEMORY. Since 0.1.
 */
tuile_status tuile_store_sweep(tuile_store *store, int64_t now, size_t limit,
    size_t *removed, tuile_error *error);

/** Sets data and expiry of a key, whether or not it is there.
 *
 * For caches: two writers at once do not notice each other, and a removed key
 * comes back.
 *
 * Returns TUILE_OK; TUILE_E_ARGUMENT; TUILE_E_STORE, TUILE_E_BUSY or
 * TUILE_E_CORRUPT if the store failed, was held by others or is damaged;
 * TUILE_E_MEMORY. Since 0.1.
 */
tuile_status tuile_store_put(tuile_store *store, tuile_bytes key,
    tuile_bytes data, int64_t expires, tuile_error *error);

/* ============================================================================
 * 17. Stores, what is in them
 *
 * All keys of a store, to move or to list its sessions, and the lists of whose
 * sessions they are. Stores that can't tell answer TUILE_E_ARGUMENT. What is
 * said of stores above holds here too. A callback runs while no lock is held, and
 * may call the store.
 * ============================================================================ */

/** Gives `receive` each key whose expiry is later than `now`, in no order, until
 * it answers false. `context` is handed to it.
 *
 * A key that is stored for as long as this takes, and does not expire, is given
 * at least once, whatever other threads and processes write meanwhile; one that
 * comes or goes meanwhile may be given. Files and Redis may give a key twice.
 * Other writers never wait for it, and its memory does not grow with the number
 * of keys. docs/stores.md says when a cluster of Redis promises less.
 *
 * Returns TUILE_OK, also if there is no key or `receive` answered false;
 * TUILE_E_ARGUMENT, also if the store can't tell its keys; TUILE_E_STORE,
 * TUILE_E_BUSY or TUILE_E_CORRUPT if the store failed, was held by others or is
 * damaged; TUILE_E_MEMORY: then some keys may have been given. Since 0.1.
 */
tuile_status tuile_store_keys(tuile_store *store, int64_t now,
    tuile_receive_key receive, void *context, tuile_error *error);

/** Gives `receive` the name of each owner in whose list is an entry, in no
 * order, until it answers false. `context` is handed to it.
 *
 * Names may be given more than once; what tuile_store_keys says of writers
 * holds for them too. The entries are for tuile_store_owned to tell: an owner
 * whose sessions have ended may be given still.
 *
 * Returns TUILE_OK; TUILE_E_ARGUMENT, also if the store keeps no lists or can't
 * tell whose; TUILE_E_STORE, TUILE_E_BUSY or TUILE_E_CORRUPT if the store
 * failed, was held by others or is damaged; TUILE_E_MEMORY. Since 0.1.
 */
tuile_status tuile_store_owners(tuile_store *store,
    tuile_receive_owner receive, void *context, tuile_error *error);

/** Writes the id that tuile_manager_sessions gives the session of a key: 32 hex
 * digits that tell sessions apart and nothing of their keys. No NUL is added.
 *
 * Returns TUILE_OK; TUILE_E_SPACE with the size in `*size`, which may be NULL;
 * TUILE_E_ARGUMENT. Since 0.1.
 */
tuile_status tuile_store_key_id(tuile_bytes key, char *buffer, size_t capacity,
    size_t *size);

/** Writes the entry of `key` in the list of an owner's sessions, new or not.
 *
 * `owner` has 1 to 255 bytes of UTF-8 without NUL, `record`, which is kept as
 * it is, at most 1024. `expires` is that of the session, after which the entry
 * may go.
 *
 * Returns TUILE_OK; TUILE_E_ARGUMENT, also if the store keeps no such lists;
 * TUILE_E_STORE, TUILE_E_BUSY or TUILE_E_CORRUPT if the store failed, was held
 * by others or is damaged; TUILE_E_MEMORY. Since 0.1.
 */
tuile_status tuile_store_own(tuile_store *store, tuile_bytes owner,
    tuile_bytes key, tuile_bytes record, int64_t expires, tuile_error *error);

/** Gives `receive` each session of an owner that is stored and expires later
 * than `now`, in no order.
 *
 * The views are borrowed for the call; no lock is held while it runs. `context`
 * is handed to it.
 *
 * Returns TUILE_OK, also if there is none; TUILE_E_ARGUMENT, also if the store
 * keeps no such lists; TUILE_E_STORE, TUILE_E_BUSY or TUILE_E_CORRUPT if the
 * store failed, was held by others or is damaged; TUILE_E_MEMORY. Since 0.1.
 */
tuile_status tuile_store_owned(tuile_store *store, tuile_bytes owner,
    int64_t now, tuile_receive_owned receive, void *context,
    tuile_error *error);

/** Gives `receive` the record of `key` in the list of an owner's sessions, with
 * an expiry that means nothing, whether or not the session is stored.
 *
 * The record is borrowed for the call; no lock is held while it runs. `context`
 * is handed to it.
 *
 * Returns TUILE_OK after one call of `receive`; TUILE_ABSENT if the list has no
 * such entry; TUILE_E_ARGUMENT, also if the store keeps no such lists;
 * TUILE_E_STORE, TUILE_E_BUSY or TUILE_E_CORRUPT if the store failed, was held
 * by others or is damaged; TUILE_E_MEMORY. Since 0.1.1.
 */
tuile_status tuile_store_owned_record(tuile_store *store, tuile_bytes owner,
    tuile_bytes key, tuile_receive receive, void *context, tuile_error *error);

/** Removes the entry of `key` from the list of an owner's sessions; the session
 * stays.
 *
 * Returns TUILE_OK, whether or not it was there; TUILE_E_ARGUMENT, also if the
 * store keeps no such lists; TUILE_E_STORE, TUILE_E_BUSY or TUILE_E_CORRUPT if
 * the store failed, was held by others or is damaged; TUILE_E_MEMORY. Since
 * 0.1.
 */
tuile_status tuile_store_disown(tuile_store *store, tuile_bytes owner,
    tuile_bytes key, tuile_error *error);

/* ============================================================================
 * 18. Layouts
 *
 * What other frameworks keep on the server, looked into and moved. A layout is chosen in a
 * store's URL, as docs/layouts.md says.
 * ============================================================================ */

/** Shows what a framework stored, a value of Redis' or a file's content, as
 * JSON: the session as a store of that URL would read it, with the framework's
 * metadata. Nothing is opened, and nothing of what is stored is ever run.
 *
 * `url` is a store's URL with a layout, such as "file:///?layout=php" or
 * "redis://localhost?layout=flask-session&serializer=json". Give `size` NULL or
 * a place for the number of bytes; `buffer` may be NULL with a capacity of 0 to
 * ask for it.
 *
 * Returns TUILE_OK; TUILE_UNREADABLE if that is no session of the layout's;
 * TUILE_E_SPACE; TUILE_E_ARGUMENT for NULL, or a URL without a layout;
 * TUILE_E_SYNTAX for one with an unknown layout; TUILE_E_LIMIT for over 16 MiB;
 * TUILE_E_MEMORY. Since 0.2.
 */
tuile_status tuile_layout_read(tuile_bytes url, tuile_bytes stored,
    char *buffer, size_t capacity, size_t *size, tuile_error *error);

/** Copies the session of an ID from one manager's store to another's, in the
 * form that the other's framework writes, with its end. `from` keeps it.
 *
 * Where both frameworks write alike it is copied whole. Else what JSON can say
 * is: see `tuile_copying`, whose `lost` is told of the rest before anything is
 * written. Metadata of the framework's own stays behind. Safe from all threads.
 *
 * Returns TUILE_OK; TUILE_ABSENT; TUILE_EXISTS if `to` has one of that ID,
 * expired or not, which stays; TUILE_UNREADABLE if what is stored can't be
 * verified, or is no session; TUILE_E_TYPE if values would be lost, and `lossy`
 * is not set; TUILE_E_SYNTAX if `to` takes no such ID; TUILE_E_LIMIT if it is
 * larger than `max_data`; TUILE_E_ARGUMENT for NULL, an ID that `from` can't
 * have, or sessions in cookies; TUILE_E_STORE, TUILE_E_BUSY, TUILE_E_CORRUPT if
 * a store gave no answer; TUILE_E_UNKNOWN if nobody knows whether it was
 * written; TUILE_E_MEMORY. Since 0.2.
 */
tuile_status tuile_manager_copy_session(tuile_manager *from, tuile_manager *to,
    tuile_bytes id, const tuile_copying *copying, tuile_error *error);

/* ============================================================================
 * 19. Device-bound sessions
 *
 * Device Bound Session Credentials (W3C): the browser keeps a private key for a session and
 * proves it every few minutes, for a bound cookie that lives no longer. A copied session
 * cookie is refused without it. Browsers without this go on as before. Where
 * `device_binding` in the configuration is on, a host does three things: it gives the
 * requests for `device_path` to tuile_session_answer_device; where a call of a session
 * answers TUILE_UNBOUND, it sends what tuile_session_refuse writes; and it commits its
 * sessions as ever, whose headers then have the offer of a login among them. docs/device-bound.md.
 * ============================================================================ */

/** Sets all fields to what TUILE_DEVICE_REQUEST_INIT sets.
 *
 * `size` is sizeof(tuile_device_request): nothing beyond that is written.
 *
 * Returns TUILE_OK, or TUILE_E_ARGUMENT for NULL or a size that no version has.
 * Since 0.2.
 */
TUILE_NONNULL(1)
tuile_status tuile_device_request_init(tuile_device_request *request,
    size_t size);

/** Sets all fields to what TUILE_DEVICE_ANSWER_INIT sets.
 *
 * `size` is sizeof(tuile_device_answer): nothing beyond that is written.
 *
 * Returns TUILE_OK, or TUILE_E_ARGUMENT for NULL or a size that no version has.
 * Since 0.2.
 */
TUILE_NONNULL(1)
tuile_status tuile_device_answer_init(tuile_device_answer *answer, size_t size);

/** Makes the commit offer the browser to bind this session to its device, by a
 * header `Secure-Session-Registration`, whether or not the session was changed.
 *
 * For `device_binding` by call; with every login the commit does it by itself.
 * A browser that can do it then calls `device_path`, and the session gets an ID
 * of another form, which says that it is bound, so that nothing in its data can
 * undo it. Until then it is as it was.
 *
 * Returns TUILE_OK; TUILE_EXISTS if the session is bound already: nothing is
 * offered; TUILE_ABSENT if it has neither an ID nor data: nothing is offered
 * before there are; TUILE_UNBOUND; TUILE_E_ARGUMENT for NULL, or with
 * `device_binding` off; TUILE_E_STORE, TUILE_E_BUSY, TUILE_E_CORRUPT if the
 * store gave no answer; TUILE_E_MEMORY. Since 0.2.
 */
tuile_status tuile_session_offer_device_binding(tuile_session *session,
    tuile_error *error);

/** Whether the session's ID says that it is bound to a device, as far as this
 * request knows: nothing is read, and whether the bound cookie came does not
 * matter.
 *
 * Returns TUILE_OK; TUILE_E_BUSY while a queue has the session;
 * TUILE_E_ARGUMENT for NULL. Since 0.2.
 */
tuile_status tuile_session_is_device_bound(const tuile_session *session,
    bool *bound);

/** Answers a request for `device_path`: a browser registers a key for its
 * session, or proves that it has the key and gets a new bound cookie.
 *
 * `session` was started from the request's Cookie header, and is ended after
 * the answer is sent; it is neither used before nor committed. The host sends
 * `answer` as it is: the status, each header and the body, to the browser over
 * https, past all checks of forged requests (CSRF), since the proof is one.
 * `answer` is written on TUILE_OK alone; what it points to is the session's,
 * until tuile_session_end. The texts of `request` are borrowed for the call;
 * each may have any size, and a proof over 16 KiB is refused.
 *
 * Returns TUILE_OK whatever the browser is told; TUILE_E_ARGUMENT for NULL, a
 * struct of a size that no version has, or with `device_binding` off;
 * TUILE_E_STORE, TUILE_E_BUSY, TUILE_E_CORRUPT, TUILE_E_UNKNOWN if the store
 * gave no answer, TUILE_E_RANDOM, TUILE_E_MEMORY: the host answers with 500 or
 * 503, and the browser comes again with the same proof. Since 0.2.
 */
TUILE_MUST_CHECK TUILE_NONNULL(2, 3)
tuile_status tuile_session_answer_device(tuile_session *session,
    const tuile_device_request *request, tuile_device_answer *answer,
    tuile_error *error);

/** Writes the answer to a request whose bound session came without its bound
 * cookie: what a call answered with TUILE_UNBOUND.
 *
 * The status is 401. A navigation from another site, for which browsers do not
 * refresh, gets `Refresh: 0`: the reload comes with the bound cookie. Any other
 * navigation is from a browser that has lost its key, or never had it: the
 * session's cookies are deleted in that browser, and a short page in HTML says
 * so; the stored session is left as it is. With `skipped`, the browser's word
 * that it could not refresh this time, no cookie is deleted.
 *
 * `answer` is written on TUILE_OK alone; what it points to is the session's,
 * until tuile_session_end. A host that would rather show its own page, such as
 * a login, calls tuile_session_flush in place of this: of such a session it
 * deletes nothing that is stored, and begins a new one.
 *
 * Returns TUILE_OK; TUILE_ABSENT if the session is not refused: the request is
 * served as any other; TUILE_E_ARGUMENT for NULL or a struct of a size that no
 * version has; TUILE_E_MEMORY. Since 0.2.
 */
TUILE_MUST_CHECK TUILE_NONNULL(2, 3)
tuile_status tuile_session_refuse(tuile_session *session,
    const tuile_device_request *request, tuile_device_answer *answer,
    tuile_error *error);

/* ============================================================================
 * 20. Flat calls
 *
 * The same as functions of other sections, for bindings of any language, where each struct, each view and each
 * output costs more than the work itself: a call takes numbers and addresses alone, six at most, and gives one text in
 * the caller's buffer. Nothing is lent, so that a buffer can be used again as soon as it was read.
 * 
 * All answer with one number. From 0 on it is the size of what the call gives; if that is greater than `capacity`, the
 * buffer was too small, what is in it counts for nothing, and that much room is needed. A negative number is an error:
 * the tuile_status. An ordinary answer such as TUILE_EXPIRED is TUILE_FLAT_ANSWER minus its status, so that every
 * number below 0 gives nothing. After an error the buffer holds, as far as it has room: the error's offset in
 * digits, a NUL, its message, a NUL. A buffer of 256 bytes has room for every message.
 * 
 * A text of several parts has a NUL behind each; no part has one in it. Sizes are in bytes, text is UTF-8 and the inputs
 * are borrowed for the call, as everywhere. All functions of this section are safe from all threads.
 * ============================================================================ */

/** Gives all cookies of a Cookie header, in order: name, NUL, value, NUL, and so
 * on. Of one name a browser may send several.
 *
 * `mode` and what it means are those of tuile_cookies, with its usual limits.
 * In mode django the values are what request.COOKIES holds: the quotes and
 * escapes of Python are undone. The text is at most twice as long as the
 * header, and two bytes. No memory is allocated.
 *
 * Answers with the size; TUILE_E_SYNTAX if a name or value has a NUL in it,
 * which this text can't hold and tuile_cookies_all gives, and in mode strict
 * for what its grammar has not; TUILE_E_LIMIT for more than 64 KiB, 3000
 * cookies or 4096 bytes of a name or value; TUILE_E_ARGUMENT for NULL with a
 * size, or an unknown mode. Since 0.2.
 */
int64_t tuile_flat_cookies(const char *header, size_t size,
    tuile_cookie_mode mode, char *buffer, size_t capacity);

/** Writes the value of a Set-Cookie header, as tuile_set_cookie_write does.
 *
 * `fields` are four parts: name, value, domain, path, each with a NUL behind
 * it; an empty domain or path is none. `max_age` is in seconds, or TUILE_UNSET.
 * `flags` are bits: TUILE_FLAT_SECURE, TUILE_FLAT_HTTP_ONLY,
 * TUILE_FLAT_PARTITIONED, a tuile_same_site times TUILE_FLAT_SAME_SITE and a
 * tuile_priority times TUILE_FLAT_PRIORITY. Every rule is checked. No memory is
 * allocated.
 *
 * Answers with the size, or the errors of tuile_set_cookie_write;
 * TUILE_E_ARGUMENT also for other than four parts, and unknown bits. Since 0.2.
 */
int64_t tuile_flat_set_cookie(const char *fields, size_t size, int64_t max_age,
    uint32_t flags, char *buffer, size_t capacity);

/** Makes the token of a text, at the present time: as tuile_token_sign does.
 *
 * Answers with the token's size, or the errors of tuile_token_sign. Where the
 * buffer is too small the answer is enough for any token of the text. Since
 * 0.2.
 */
int64_t tuile_flat_sign(const tuile_signer *signer, const char *value,
    size_t size, char *buffer, size_t capacity);

/** Checks a token and gives the text in it, in every dialect: as
 * tuile_token_unsign does.
 *
 * `max_age` is in seconds, or TUILE_UNSET. When the token was made and with
 * which secret tuile_token_unsign says.
 *
 * Answers with the size of the text, TUILE_FLAT_ANSWER minus
 * TUILE_BAD_SIGNATURE or TUILE_EXPIRED, or the errors of tuile_token_unsign.
 * Since 0.2.
 */
int64_t tuile_flat_unsign(const tuile_signer *signer, const char *token,
    size_t size, int64_t max_age, char *buffer, size_t capacity);

/** Makes the token of JSON, at the present time: as tuile_token_dumps does.
 * `compress` is 0 or 1.
 *
 * Answers with the token's size, or the errors of tuile_token_dumps. Where the
 * buffer is too small the answer is enough for any token of the JSON. Since
 * 0.2.
 */
int64_t tuile_flat_dumps(const tuile_signer *signer, const char *json,
    size_t size, int32_t compress, char *buffer, size_t capacity);

/** Checks a token of tuile_flat_dumps or of the framework itself, and gives its
 * JSON: as tuile_token_loads does. `max_age` is in seconds, or TUILE_UNSET.
 *
 * Answers with the size of the JSON, TUILE_FLAT_ANSWER minus
 * TUILE_BAD_SIGNATURE or TUILE_EXPIRED, or the errors of tuile_token_loads.
 * Since 0.2.
 */
int64_t tuile_flat_loads(const tuile_signer *signer, const char *token,
    size_t size, int64_t max_age, char *buffer, size_t capacity);

/* ============================================================================
 * 21. Queues, for event loops
 *
 * The calls that reach a store, made by a few threads of the library while the host's loop
 * goes on: tuile_session_load, _commit and _flush and an owner's calls. Between a load and a
 * commit no other function of a session waits. All functions of a queue are safe from all
 * threads. A session that was given to a queue is the queue's until the completion is
 * called, and other calls with it answer TUILE_E_BUSY. Completions are called by
 * tuile_queue_run and tuile_queue_close on the thread that calls those, or on threads of the
 * queue with `deliver_on_workers`. A store's own callbacks, `log`, `clock` and `wait` are
 * called on threads of the queue.
 * ============================================================================ */

/** Sets all fields to what TUILE_QUEUE_CONFIG_INIT sets.
 *
 * Pass sizeof(tuile_queue_config) as `size`.
 *
 * Returns TUILE_OK, or TUILE_E_ARGUMENT for NULL or a size that no version has.
 * Since 0.2.
 */
tuile_status tuile_queue_config_init(tuile_queue_config *config, size_t size);

/** Opens a queue to a manager's store. `*queue` is the caller's, to be closed
 * with tuile_queue_close, before or after its manager.
 *
 * `config` may be NULL for the defaults. The queue is of the process that opens
 * it: in a child of fork() its functions answer TUILE_E_ARGUMENT, but for
 * tuile_queue_close, and the child opens its own. Nothing of it runs while
 * nothing waits.
 *
 * Every operation is answered once, at the latest `deadline` milliseconds after
 * it was given. What has not begun by then is not done, and its completion gets
 * TUILE_E_BUSY; so does a load that has begun. Of a change that has begun it is
 * TUILE_E_UNKNOWN: it may still be made, and the session stays the queue's
 * until the store has answered.
 *
 * Returns TUILE_OK; TUILE_E_ARGUMENT for NULL, a number out of its range or a
 * struct of a size that no version has; TUILE_E_FILE if there is no descriptor
 * to be had; TUILE_E_MEMORY, also if there is no thread. Since 0.2.
 */
TUILE_MUST_CHECK TUILE_NONNULL(3)
tuile_status tuile_queue_open(tuile_manager *manager,
    const tuile_queue_config *config, tuile_queue **queue, tuile_error *error);

/** A descriptor that can be read from while completions wait for
 * tuile_queue_run. It stays the queue's: poll it, and do not read or close it.
 *
 * -1 for NULL, with `deliver_on_workers`, and in a child of fork(). Since 0.2.
 */
int32_t tuile_queue_fd(const tuile_queue *queue);

/** Calls the completions of what is answered, at most those that wait when it
 * begins.
 *
 * `*called`, which may be NULL, gets how many there were. A completion may call
 * any function, also tuile_queue_close.
 *
 * Returns TUILE_OK; TUILE_E_ARGUMENT for NULL, and in a child of fork(). Since
 * 0.2.
 */
tuile_status tuile_queue_run(tuile_queue *queue, size_t *called);

/** Ends a queue. NULL is fine. What has not begun is cancelled, what has begun
 * is waited for, as long as the store's own limits let it take; all completions
 * were called when this returns. In a child of fork() none is called. Of a
 * manager that is closed before, the queues stop in the same way; their
 * completions come with tuile_queue_run or this. No other call may use the
 * queue meanwhile but a completion's. Since 0.2.
 */
void tuile_queue_close(tuile_queue *queue);

/** tuile_session_load in a queue.
 *
 * After it the session's values are there without waiting. `complete` gets what
 * tuile_session_load returns, or what tuile_queue_open says of deadlines; never
 * within this call, but with `deliver_on_workers` perhaps before it returns. A
 * session without an ID is answered without the store. `*operation`, which may
 * be NULL, gets a number for tuile_queue_cancel.
 *
 * Returns TUILE_OK, and `complete` will be called once; with anything else it
 * never is: TUILE_E_ARGUMENT for NULL, another manager's session, a queue whose
 * manager is closed, or a parent's; TUILE_E_BUSY if `max_waiting` operations
 * wait, or a queue has the session; TUILE_E_MEMORY. Since 0.2.
 */
tuile_status tuile_queue_load(tuile_queue *queue, tuile_session *session,
    tuile_complete complete, void *context, uint64_t *operation,
    tuile_error *error);

/** tuile_session_commit in a queue.
 *
 * `add_header`, which may be NULL, is called with `header_context` for each
 * header of the response, right before `complete` and on the same thread: after
 * the store has saved. What ends by its deadline has none. With TUILE_E_UNKNOWN
 * the commit can be given again.
 *
 * Returns as tuile_queue_load. Since 0.2.
 */
TUILE_MUST_CHECK
tuile_status tuile_queue_commit(tuile_queue *queue, tuile_session *session,
    int32_t http_status, tuile_add_header add_header, void *header_context,
    tuile_complete complete, void *context, uint64_t *operation,
    tuile_error *error);

/** tuile_session_flush in a queue: the session is deleted from the store when
 * `complete` gets TUILE_OK.
 *
 * Returns as tuile_queue_load. Since 0.2.
 */
tuile_status tuile_queue_flush(tuile_queue *queue, tuile_session *session,
    tuile_complete complete, void *context, uint64_t *operation,
    tuile_error *error);

/** tuile_manager_sessions in a queue. `receive` is called with
 * `receive_context`, right before `complete` and on the same thread. `current`,
 * which may be NULL, is the queue's until then. The owner is borrowed for the
 * call.
 *
 * Returns as tuile_queue_load, and TUILE_E_ARGUMENT for an owner that can't be.
 * Since 0.2.
 */
tuile_status tuile_queue_sessions(tuile_queue *queue, tuile_bytes owner,
    tuile_session *current, tuile_receive_owned_session receive,
    void *receive_context, tuile_complete complete, void *context,
    uint64_t *operation, tuile_error *error);

/** tuile_manager_revoke in a queue. Owner and id are borrowed for the call.
 *
 * Returns as tuile_queue_load, and TUILE_E_ARGUMENT for an owner that can't be.
 * Since 0.2.
 */
TUILE_MUST_CHECK
tuile_status tuile_queue_revoke(tuile_queue *queue, tuile_bytes owner,
    tuile_bytes id, tuile_complete complete, void *context,
    uint64_t *operation, tuile_error *error);

/** tuile_manager_revoke_all in a queue. `*revoked`, which may be NULL, is set
 * right before `complete` is called, and `keep`, which may be NULL, is the
 * queue's until then. The owner is borrowed for the call.
 *
 * Returns as tuile_queue_load, and TUILE_E_ARGUMENT for an owner that can't be.
 * Since 0.2.
 */
TUILE_MUST_CHECK
tuile_status tuile_queue_revoke_all(tuile_queue *queue, tuile_bytes owner,
    tuile_session *keep, size_t *revoked, tuile_complete complete,
    void *context, uint64_t *operation, tuile_error *error);

/** Cancels an operation that has not begun: its completion gets
 * TUILE_E_CANCELLED. To end the session with tuile_session_end does that too,
 * when its turn comes.
 *
 * Returns TUILE_OK; TUILE_CONFLICT if it has begun: its completion gets its own
 * answer; TUILE_ABSENT if it is answered, or the number is of none;
 * TUILE_E_ARGUMENT for NULL, and in a child of fork(). Since 0.2.
 */
tuile_status tuile_queue_cancel(tuile_queue *queue, uint64_t operation);

/* ============================================================================
 * 22. Flat calls of a session
 *
 * A whole request in three calls: tuile_flat_begin, tuile_flat_commit, tuile_session_end. They answer as all flat
 * calls do. The other functions of a session may be called between them. A session belongs to one thread at a time.
 * ============================================================================ */

/** Starts a request's session from its Cookie header, and reads it:
 * tuile_session_start and tuile_session_load, then what they found.
 *
 * The text has four parts, with a NUL behind each: the session ID, empty if
 * there is no session; its owner, or empty; how many seconds of its longest
 * life are left, or empty; all values as one JSON object. `*session` is the
 * caller's, to be ended with tuile_session_end, also if the buffer was too
 * small: tuile_flat_again gives the text then. After an error there is none.
 *
 * Answers with the size, or the errors of tuile_session_start and
 * tuile_session_load, or TUILE_FLAT_ANSWER minus TUILE_UNBOUND. Since 0.2.
 */
TUILE_NONNULL(4)
int64_t tuile_flat_begin(tuile_manager *manager, const char *cookie_header,
    size_t size, tuile_session **session, char *buffer, size_t capacity);

/** Changes a session, and commits it: what the calls for each change and
 * tuile_session_commit do.
 *
 * `changes` are pairs of parts, with a NUL behind each, which are done in their
 * order; none at all is fine. `set` and a JSON object: tuile_session_update.
 * `remove` and a name: tuile_session_remove, where a missing one is fine.
 * `owner` and a text, empty for none: tuile_session_set_owner. `user_agent` and
 * `address`, both or none: tuile_session_set_client. `expires` and Unix
 * microseconds in digits: tuile_session_set_stored_time. `touch` and an empty
 * part: tuile_session_touch.
 *
 * The text is the session ID, or an empty part, and then the name and the value
 * of each header that the response needs. After an error of a change nothing
 * was committed, and those before it are made: the same call again is fine.
 *
 * Answers with the size, where a buffer that was too small changes nothing: it
 * is committed, and tuile_flat_again gives the text. TUILE_FLAT_ANSWER minus
 * TUILE_DELETED; the errors of those functions; TUILE_E_ARGUMENT for a change
 * of another name. Since 0.2.
 */
TUILE_MUST_CHECK
int64_t tuile_flat_commit(tuile_session *session, const char *changes,
    size_t size, int32_t http_status, char *buffer, size_t capacity);

/** Gives the text of the session's last flat call again, for a buffer that was
 * too small.
 *
 * Answers with the size; TUILE_E_ARGUMENT for NULL. Since 0.2.
 */
int64_t tuile_flat_again(tuile_session *session, char *buffer, size_t capacity);

#ifdef __cplusplus
}
#endif

#endif /* TUILE_H */
