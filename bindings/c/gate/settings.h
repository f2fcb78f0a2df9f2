/* What an administrator says: the URLs of stores, and the settings of a gate. */
#ifndef GATE_SETTINGS_H
#define GATE_SETTINGS_H

#include <tuile.h>

/* ---- url.c: the URLs of stores ---- */

/* As it is opened, and whether it may be made if it is not there. */
struct gate_url {
  char text[4200];
  size_t size;
  bool may_be_made;
};

/* The URL of a file's or a database's store, unless its `mode` is said, opened for reading
 * and writing what is there: nothing is made, no table either. With `reading` for a test, which
 * changes nothing, whatever is said. Redis, unless its `open` is said, is asked by the first
 * request, and at once by a test. Another store's URL as it is. TUILE_OK, or TUILE_E_LIMIT. */
tuile_status gate_make_url(tuile_bytes given, bool reading, struct gate_url *url);
/* The path of a file's store. */
void gate_url_path(tuile_bytes given, char *path, size_t capacity);
/* Whether sessions are kept in their cookies, where a logout leaves copies that only
 * `revocations` end. */
bool gate_is_cookie_url(tuile_bytes url);
/* Whether nothing is kept outside of this process, but perhaps in cookies. */
bool gate_is_inside_url(tuile_bytes url);
/* Whether it is kept in files of this machine. */
bool gate_is_file_url(tuile_bytes url);
/* Whether it is a database that takes SQL. */
bool gate_is_database_url(tuile_bytes url);
/* Whether its `mode` is `ro`: nothing is counted or kept alive. */
bool gate_is_read_only_url(tuile_bytes url);
/* The URL of the store that keeps, without the cache in front of it. */
tuile_bytes gate_kept_url(tuile_bytes url);

/* The columns of a Django project's users: those of a user's row, and that of the tables
 * of its groups and permissions which names the user. */
enum gate_column {
  GATE_COLUMN_ID,
  GATE_COLUMN_USERNAME,
  GATE_COLUMN_PASSWORD,
  GATE_COLUMN_ACTIVE,
  GATE_COLUMN_STAFF,
  GATE_COLUMN_SUPERUSER,
  GATE_COLUMN_MEMBER,
  GATE_COLUMN_COUNT
};

/* "id" for GATE_COLUMN_ID, and so on, as an administrator names them; -1 for no such name. */
int gate_column_named(tuile_bytes name);

/* ---- settings.c: what an administrator says of an application's sessions ---- */

/* What is not said is -1, NULL or empty, and is the default of tuile_config. Texts must
 * live as long as the gate that is made of them. */
struct gate_settings {
  tuile_bytes store, previous_store, revocations;
  const char *store_at, *previous_store_at, *revocations_at, *users_at; /* FILE:LINE, for messages */
  tuile_bytes cookie_name, cookie_domain, cookie_path, previous_cookie;
  tuile_bytes login_key; /* what a session of somebody who is logged in holds */
  int64_t cookie_age, lifetime, refresh; /* seconds */
  int64_t max_data;                      /* bytes */
  int cookie_same_site;                  /* a tuile_same_site */
  int cookie_secure, cookie_http_only, cookie_partitioned, browser_close; /* 0 or 1 */
  int policy;                                                             /* a tuile_policy */
  int several_cookies;                                                    /* 0 or 1 */
  int device_bound;                                                       /* 0 or 1 */
  tuile_bytes device_path; /* where this server binds the sessions itself */
  int64_t device_seconds;
  tuile_keyring *keyring;
  tuile_bytes users;      /* "on", "off" or the URL of a database: see struct gate_users */
  tuile_bytes user_table; /* auth_user */
  tuile_bytes user_columns[GATE_COLUMN_COUNT];
  int64_t users_kept; /* seconds */
};

/* What of the settings a finding is about. */
enum gate_part { GATE_SETTINGS = 0, GATE_STORE, GATE_PREVIOUS_STORE, GATE_REVOCATIONS, GATE_USERS };

void gate_settings_init(struct gate_settings *settings);
bool gate_settings_are_unset(const struct gate_settings *settings);
/* Takes over what `own` does not say itself. */
void gate_settings_inherit(struct gate_settings *own, const struct gate_settings *from);
/* What contradicts itself, with settings under their names in tuile_config, or NULL. */
const char *gate_mistake(const struct gate_settings *settings);
/* The URL of the database with the users; empty: they are not checked. */
tuile_bytes gate_users_url(const struct gate_settings *settings);
/* The place for FILE:LINE of a setting that is a URL. */
const char **gate_settings_place(struct gate_settings *settings, const tuile_bytes *url);
/* Where a part of the settings stands; for GATE_SETTINGS where the store does. */
const char *gate_settings_at(const struct gate_settings *settings, enum gate_part part);

#endif
