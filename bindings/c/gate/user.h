/* The users of a Django project: whom it lets in, and what they may do. */
#ifndef GATE_USER_H
#define GATE_USER_H

#include "gate.h"

/* ---- database.c ---- */

struct gate_database;

enum { gate_most_columns = 5, gate_longest_id = 255 };

/* Takes a row's texts, borrowed for the call; false ends the query with an error. */
typedef bool (*gate_row)(void *context, const tuile_bytes *columns);

/* url: sqlite: or postgresql:, as of a store. `testing` leaves the file and its folder as they are.
 * Belongs to one thread at a time. */
tuile_status gate_database_open(tuile_bytes url, bool testing, struct gate_database **opened, tuile_error *error);
void gate_database_close(struct gate_database *database);
/* sql has the two parameters $1 and $2. */
tuile_status gate_database_query(struct gate_database *database, const char *sql, const tuile_bytes *parameters,
                                 gate_row row, void *context, tuile_error *error);

/* ---- query.c ---- */

/* Names, each ended by a NUL. */
struct gate_names {
  char *bytes;
  size_t size;
};

bool gate_names_have(const struct gate_names *names, tuile_bytes name);

enum gate_verdict {
  GATE_USER_PASSES,
  GATE_USER_GONE,     /* There is no such user. */
  GATE_USER_INACTIVE, /* is_active is false. */
  GATE_USER_CHANGED   /* The password is another than at the login. */
};

/* Unchanged once it is made. */
struct gate_user {
  atomic_uint references;
  enum gate_verdict verdict;
  bool is_staff, is_superuser;
  struct gate_names name, groups, permissions, joined; /* name: one; joined: the groups, as one */
};

/* What a session says. */
struct gate_claim {
  tuile_bytes id, hash, backend;
};

/* As one text, with commas. */
bool gate_names_join(struct gate_names *names, const struct gate_names *from);

tuile_status gate_query_user(struct gate_database *database, const struct gate_users *users, const struct gate_claim *claim,
                             struct gate_user **user, tuile_error *error);
void gate_user_release(struct gate_user *user);
/* Whether the tables and columns are there. */
tuile_status gate_query_nobody(const struct gate_users *users, tuile_error *error);

/* ---- user.c ---- */

void gate_users_configure(struct gate_users *users, const struct gate_settings *settings);
void gate_users_close(struct gate_users *users);
/* The user of a claim, asked now or some seconds ago; to be released. May block. */
tuile_status gate_users_check(struct gate_users *users, const struct gate_claim *claim, struct gate_user **user,
                              tuile_error *error);

/* ---- visit.c ---- */

bool gate_has_control(tuile_bytes text);

#endif
