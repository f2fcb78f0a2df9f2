/* gate - what the modules of nginx and Apache have in common: a web server that
 * stands before applications, knows their sessions and lets only some visitors pass.
 *
 * A gate only ever adds to sessions and keeps them alive: it ends none, and deletes no
 * cookie, whatever the store says. What it cannot check it neither lets pass, nor counts,
 * nor keeps alive. Not installed: each module compiles it in.
 */
#ifndef GATE_H
#define GATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/types.h>
#include <tuile.h>

#include "settings.h"

/* ---- gate.c ---- */

/* Where the users are whom the application lets in, if that is checked: in a database with
 * Django's tables. What somebody's session says counts only while Django would let them in. */
struct gate_users {
  tuile_bytes url; /* empty: it is not checked */
  tuile_bytes table;
  tuile_bytes columns[GATE_COLUMN_COUNT]; /* empty: the model has none */
  int64_t kept;                           /* Seconds for which an answer counts. */
  const tuile_keyring *keyring;
  struct gate_users_state *state;
};

/* What requirements and identity headers use of users, anywhere in the configuration. */
struct gate_needs {
  bool users, groups, permissions;
};
extern struct gate_needs gate_needs;

/* One configuration, with its manager, which is opened at the first visit: in the
 * process that serves, and again later if the store was away. */
struct gate {
  tuile_config config;
  tuile_bytes login_key;
  struct gate_users users;
  bool several_cookies; /* One of several session cookies counts, by the store's rule; else none. */
  bool binds;           /* Sessions are bound to devices here, and not by the application. */
  pthread_mutex_t mutex;
  tuile_manager *manager;
  int64_t tried; /* Monotonic seconds of the last failed opening, and what it said. */
  tuile_error failure;
  atomic_size_t visits; /* that have a session open */
};

void gate_init(struct gate *gate, const struct gate_settings *settings);
/* Closes the manager, unless a visit still has its session. */
void gate_close(struct gate *gate);

/* The manager, opened if it is not; NULL, and why, if it can't be now. May block. */
tuile_manager *gate_open(struct gate *gate, tuile_error *error);

/* Microseconds of a clock that nobody sets. */
int64_t gate_now(void);

/* Makes a keyring, the caller's, of a file's keys. The words are those behind the path: hex or
 * base64, weak, shared; another one is TUILE_E_ARGUMENT, with a message. */
tuile_status gate_read_keys(tuile_bytes path, const char *const *words, size_t count, tuile_keyring **keyring,
                            tuile_error *error);

/* Whether its calls need neither disk nor network, so that an event loop may make them. */
bool gate_is_inline(const struct gate *gate);

/* ---- check.c: the configuration's test ---- */

/* The first thing that is wrong. */
struct gate_finding {
  enum gate_part part;
  tuile_status status; /* TUILE_OK: nothing is */
  bool may_recover;    /* by itself: a server that is not up yet */
  tuile_error error;
};

/* Asks each store, in a child process, as the user who will serve, so that a file that
 * only root may open is found out; makes nothing and changes nothing. name NULL: as who
 * we are. At most 30 seconds. */
void gate_check(const struct gate *gate, const char *name, uid_t uid, gid_t gid, struct gate_finding *finding);

/* ---- visit.c: one request ---- */

enum gate_state {
  GATE_UNREAD = 0, /* The store was not asked. */
  GATE_ABSENT,     /* No cookie, or none of a session. */
  GATE_FOUND,
  GATE_REFUSED, /* There may be a session, but not one that counts: several cookies, unchecked data, no bound cookie, a user who may not. */
  GATE_AWAY     /* The store gave no answer. */
};

/* A header for the response. Its name ends with a NUL, so does its value. */
struct gate_header {
  struct gate_header *next;
  char *value;
  size_t value_size, name_size;
  char name[];
};

/* One request. All zero at first. Belongs to one thread at a time. */
struct gate_visit {
  struct gate *gate;
  tuile_session *session;
  enum gate_state state;
  const char *reason; /* why the state is what it is, in a few words */
  bool kept;          /* it was kept alive, or needed not */
  struct gate_header *headers; /* what the last commit gave */
  struct gate_user *user;      /* who was checked, or NULL */
  bool offers;                 /* the host's to say: a page is asked for, by a browser that may be offered a binding */
  bool offered;                /* its headers have the offer */
  bool misleads;               /* the application might find a bound session where there is none here */
  tuile_session *device;       /* that gate_answer_device has used */
};

/* Reads the session. May block: not for event loops, unless the gate is inline. Does
 * nothing if it was read before. error is not NULL.
 *
 * Returns TUILE_OK; TUILE_REFUSED, with a message in *error, for GATE_REFUSED; or why
 * the store gave no answer (GATE_AWAY). */
tuile_status gate_read(struct gate_visit *visit, tuile_bytes cookie, tuile_error *error);

/* For a request that was let in: reads the session, adds 1 to the value named `count`
 * unless that is empty, and keeps the session alive if the configuration says so. May
 * block, as gate_read.
 *
 * Returns as gate_read, or why it did not count. */
tuile_status gate_write(struct gate_visit *visit, tuile_bytes cookie, tuile_bytes count, tuile_error *error);

/* Whether gate_write has something to do. */
bool gate_has_to_write(const struct gate_visit *visit, tuile_bytes count);

/* Ends the session and frees the headers. Does not block. */
void gate_leave(struct gate_visit *visit);

/* Whether the session can't be known without the store: there is a cookie of its name. */
bool gate_has_cookie(const struct gate *gate, tuile_bytes cookie);

/* As the next three, of what the database says of the user: "@id", "@username", "@staff",
 * "@superuser", "@group", "@groups", "@permission". */
/* Whoever is logged in, in whatever framework: no question to a database. */
bool gate_is_login(tuile_bytes key);
bool gate_is_of_user(tuile_bytes key);
tuile_status gate_user_text(struct gate_visit *visit, tuile_bytes key, tuile_bytes *text);
bool gate_user_holds(struct gate_visit *visit, tuile_bytes key);
bool gate_user_has_value(struct gate_visit *visit, tuile_bytes key, tuile_bytes value);
/* Remembers what the key needs; what is wrong with it, or NULL. `valued`: with a value. */
const char *gate_need_of_user(tuile_bytes key, bool valued);

/* A value as text for a header or the environment: strings as they are, all else as JSON.
 * TUILE_ABSENT if there is none, it is null, or it has a control character. *text
 * lives as long as the visit. */
tuile_status gate_text(struct gate_visit *visit, tuile_bytes key, tuile_bytes *text);

/* Whether a Set-Cookie header's value sets the session's cookie: the application's own
 * answer, which ours may not undo. */
bool gate_is_own_cookie(const struct gate *gate, tuile_bytes set_cookie);

/* ---- device.c: sessions that are bound to devices here, with a device_path ---- */

enum { GATE_BOUND_SIZE = 40 }; /* No ID of a bound session is shorter, however it is written. */

/* Whether the path is the one where browsers register and refresh. */
bool gate_is_endpoint(const struct gate *gate, tuile_bytes path);

/* What the library is told of a request: `header` gives each of its headers, empty where it has none. */
tuile_device_request gate_device_request(tuile_bytes method, tuile_bytes (*header)(void *, const char *), void *of);

/* Whether a person has asked for a page. Only with those an offer goes out, so that a page's many
 * requests do not all have the browser make a key. */
bool gate_is_page(const tuile_device_request *request);

/* Answers such a browser. May block, as gate_read. *answer is the visit's.
 * Returns TUILE_OK; else the store gave no answer, and the browser is told to come again: 503. */
tuile_status gate_answer_device(struct gate_visit *visit, tuile_bytes cookie, const tuile_device_request *request,
                                tuile_device_answer *answer, tuile_error *error);

/* Whether the request may not reach the application, once gate_read is done: it has a bound session's
 * cookie and not the bound one. *answer, the visit's, is what is sent instead. Does not block. */
bool gate_refuses(const struct gate_visit *visit, const tuile_device_request *request, tuile_device_answer *answer);

/* Whether a Cookie header has what an application might take for the session's cookie, and is not as
 * browsers write it: another spelling of the name, or quotes and escapes in the value. */
bool gate_misleads(const struct gate *gate, tuile_bytes cookie);

/* ---- value.c, require.c: who passes ---- */

/* Whether the session has the key, with a value that says yes: not null, false, 0, "",
 * "0", "false", "null", "none", [] or {}. */
/* The text of a string, the JSON of what is none; an empty key: whoever is logged in. */
tuile_status gate_value(struct gate_visit *visit, tuile_bytes key, tuile_type *type, tuile_bytes *value);
bool gate_holds(struct gate_visit *visit, tuile_bytes key);

/* Whether the key's value, as gate_text would give it, is that text, or a list with it. */
bool gate_has_value(struct gate_visit *visit, tuile_bytes key, tuile_bytes value);

/* What a session has to hold: a key whose value says yes, or that value, or a list with
 * that value in it. No key: what a login leaves. */
struct gate_term {
  tuile_bytes key, value;
  bool has_value;
};

struct gate_requirement {
  struct gate_term *terms;
  size_t count;
  bool any;   /* of the terms, else all */
  bool users; /* Some term is about the user, not the session. */
};

/* Reads the words of a directive: "on" or KEY or KEY=VALUE; or "any" or "all", and then
 * several. room has as many terms as there are words. What is wrong, or NULL. */
const char *gate_read_requirement(const tuile_bytes *words, size_t count, struct gate_term *room,
                                  struct gate_requirement *requirement);

enum gate_answer {
  GATE_PASSES,
  GATE_UNKNOWN,    /* Nobody is logged in. */
  GATE_FORBIDDEN,  /* Somebody is, who lacks what is required. */
  GATE_UNAVAILABLE /* The store gave no answer. */
};

enum gate_answer gate_decide(struct gate_visit *visit, const struct gate_requirement *requirement);

/* ---- login.c: the way to the login and back ---- */

struct gate_way {
  tuile_bytes login;     /* the login's URL: a path of this site, or absolute */
  tuile_bytes parameter; /* "next"; empty: none is added */
  tuile_bytes page;      /* the page to come back to, as the client asked for it */
  tuile_bytes scheme, host; /* of this site, to name the page to a login elsewhere */
  bool page_is_said;     /* the administrator has said what the page is: taken as it is */
};

/* Writes the login's URL with the page to come back to as its parameter: a page of this
 * site, for a login elsewhere with its scheme and host. buffer, capacity and *size as in
 * tuile_url_write. */
tuile_status gate_login(const struct gate_way *way, char *buffer, size_t capacity, size_t *size);

enum gate_place {
  GATE_ELSEWHERE, /* The request is for another page than the login. */
  GATE_AT_LOGIN,  /* It is for the login, a path of this site: who is to log in has to get there. */
  GATE_LOOPS      /* It is for the login's absolute URL: to go there would be to go round. */
};

/* page: as the client asked for it, not decoded, since what decodes to the login's path
 * may be another page to the application. */
enum gate_place gate_place_of(tuile_bytes login, tuile_bytes page, tuile_bytes host);

/* What says whether a person waits for a page, who can be led to a login, or a program
 * for an answer. Empty: there is no such header. */
struct gate_kind {
  tuile_bytes fetch_mode, requested_with, accept;
};

bool gate_is_navigation(const struct gate_kind *kind);

/* Whether a browser will have the bound cookie once it loads the page again by itself, as the
 * library's answer to such a request says, which has `Refresh: 0`. The answer is the visit's. */
bool gate_may_reload(const struct gate_visit *visit, const tuile_device_request *request, tuile_device_answer *answer);

/* ---- counters.c: what was answered, by location ---- */

enum gate_outcome {
  GATE_OUTCOME_PASS,
  GATE_OUTCOME_LOGIN,        /* led to the login */
  GATE_OUTCOME_UNAUTHORIZED, /* 401 */
  GATE_OUTCOME_FORBIDDEN,
  GATE_OUTCOME_UNAVAILABLE,
  GATE_OUTCOME_COUNT
};
/* Of the status that somebody was answered who does not pass. */
enum gate_outcome gate_outcome_of(int status);
enum { GATE_REASON_COUNT = 12 }; /* of gate_visit.reason */

/* All zero at first; may lie in memory that processes share. */
struct gate_counters {
  atomic_ullong outcomes[GATE_OUTCOME_COUNT], reasons[GATE_REASON_COUNT];
};
/* reason NULL: the session was not read. From any thread and process. */
void gate_count(struct gate_counters *counters, enum gate_outcome outcome, const char *reason);

struct gate_counted {
  const char *labels; /* such as location="/members" */
  struct gate_counters *counters;
};
void gate_counters_write(FILE *file, const struct gate_counted *rows, size_t count);
/* Writes name="value" with a NUL, cut where there is no room for more; its size. capacity is over 8. */
size_t gate_label(const char *name, tuile_bytes value, char *buffer, size_t capacity);

/* The counters of a server's locations. Rows are added before requests are served. */
struct gate_row {
  char labels[128];
  struct gate_counters counters;
};
struct gate_table {
  size_t capacity, used;
  struct gate_row rows[];
};
size_t gate_table_size(size_t capacity);
void gate_table_init(struct gate_table *table, size_t capacity);
/* The row of these labels, made if there is none. */
struct gate_counters *gate_table_find(struct gate_table *table, const char *labels);
/* The caller's, to be freed; NULL if there is no memory. */
char *gate_table_write(struct gate_table *table, size_t *size);

/* ---- header.c: what is told to the application and to caches ---- */

/* A request header that tells the application who it is, or else is not there. */
struct gate_identity {
  tuile_bytes name, key;
};

/* Whether programs behind may take one header's name for the other: letters without
 * case, and '-', '_' and all else that is no letter and no digit the same. */
bool gate_is_same_name(tuile_bytes one, tuile_bytes other);

/* What is wrong with a name for an identity header, or NULL. */
const char *gate_identity_mistake(tuile_bytes name);

/* Whether a Cache-Control has the word, as a directive of its own. */
bool gate_has_directive(tuile_bytes cache_control, const char *word);

/* Writes a Cache-Control without what lets shared caches keep the response, and with
 * `private` unless that or no-store is there. At most twice its size and 10 bytes; their number. */
size_t gate_make_private(tuile_bytes cache_control, char *buffer);

#endif
