/* gate - what the modules of nginx and Apache have in common: a web server that
 * stands before applications, knows their sessions and lets only some visitors pass.
 *
 * A gate only ever adds to sessions and keeps them alive: it ends none, and deletes no
 * cookie, whatever the store says. Not installed: each module compiles it in.
 */
#ifndef GATE_H
#define GATE_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>
#include <tuile.h>

/* One configuration, with its manager, which is opened at the first visit: in the
 * process that serves, and again later if the store was away. */
struct gate {
  tuile_config config; /* What it points to must live as long as the gate. */
  pthread_mutex_t mutex;
  tuile_manager *manager;
  int64_t tried; /* Monotonic seconds of the last failed opening, and what it said. */
  tuile_error failure;
  atomic_size_t visits; /* that have a session open */
};

void gate_init(struct gate *gate);
/* Closes the manager, unless a visit still has its session. */
void gate_close(struct gate *gate);

/* Makes a keyring, the caller's, of a file's keys. */
tuile_status gate_read_keys(tuile_bytes path, bool allow_weak, tuile_key_format format, tuile_keyring **keyring,
                            tuile_error *error);

/* Whether its calls need neither disk nor network, so that an event loop may make them. */
bool gate_is_inline(const struct gate *gate);

/* Whether a failure to open it may pass by itself: a server that is not up yet. */
bool gate_may_recover(const struct gate *gate, tuile_status status);

/* Opens the manager in a child process, as the user who will serve, so that nothing
 * belongs to root and a file that only root may open is found out. name NULL: as who
 * we are. At most 30 seconds. */
tuile_status gate_check(struct gate *gate, const char *name, uid_t uid, gid_t gid, tuile_error *error);

enum gate_state {
  GATE_UNASKED = 0, /* The store was not asked. */
  GATE_ABSENT,      /* No cookie, or none of a session. */
  GATE_FOUND,
  GATE_AWAY /* The store gave no answer. */
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
  struct gate_header *headers; /* what the last commit gave */
};

/* Reads the session, adds 1 to the value named `count` unless that is empty, and keeps
 * the session alive if the configuration says so. May block: not for event loops,
 * unless the gate is inline. A second call of a visit only counts. error is not NULL.
 *
 * Returns TUILE_OK, or why the store gave no answer (GATE_AWAY) or did not count. */
tuile_status gate_enter(struct gate_visit *visit, struct gate *gate, tuile_bytes cookie, tuile_bytes count,
                        tuile_error *error);

/* Ends the session and frees the headers. Does not block. */
void gate_leave(struct gate_visit *visit);

/* Whether gate_enter would need the store: there is a cookie of the session's name. */
bool gate_has_cookie(const struct gate *gate, tuile_bytes cookie);

/* Whether the session has the key, with a value that is neither null nor false. */
bool gate_passes(struct gate_visit *visit, tuile_bytes key);

/* A value as text for a header or the environment: strings as they are, all else as JSON.
 * TUILE_ABSENT if there is none, it is null, or it has a control character. *text
 * lives as long as the visit. */
tuile_status gate_text(struct gate_visit *visit, tuile_bytes key, tuile_bytes *text);

/* Whether a Set-Cookie header's value sets the session's cookie: the application's own
 * answer, which ours may not undo. */
bool gate_is_own_cookie(const struct gate *gate, tuile_bytes set_cookie);

/* Writes the login's URL with the page to come back to as its parameter next. buffer,
 * capacity and *size as in tuile_url_write. */
tuile_status gate_login(tuile_bytes login, tuile_bytes page, char *buffer, size_t capacity, size_t *size);

#endif
