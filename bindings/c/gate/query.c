/* What Django asks its database about a session's user, and what it makes of the answer. */
#include "user.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- names ---- */

enum { most_names = 1 << 18 }; /* bytes */

static bool add_name(struct gate_names *names, tuile_bytes name) {
  if (name.size > most_names - names->size - 1 || (name.size > 0 && memchr(name.data, 0, name.size))) return false;
  char *grown = realloc(names->bytes, names->size + name.size + 1);
  if (!grown) return false;
  names->bytes = grown;
  if (name.size > 0) memcpy(grown + names->size, name.data, name.size);
  names->size += name.size + 1;
  grown[names->size - 1] = 0;
  return true;
}

bool gate_names_have(const struct gate_names *names, tuile_bytes name) {
  for (size_t at = 0; at < names->size;) {
    size_t size = strlen(names->bytes + at);
    if (size == name.size && memcmp(names->bytes + at, name.data, size) == 0) return true;
    at += size + 1;
  }
  return false;
}

bool gate_names_join(struct gate_names *joined, const struct gate_names *from) {
  if (!add_name(joined, (tuile_bytes){from->bytes, from->size > 0 ? strlen(from->bytes) : 0})) return false;
  for (size_t at = joined->size; at < from->size; at++) {
    tuile_bytes name = {from->bytes + at, strlen(from->bytes + at)};
    joined->bytes[joined->size - 1] = ','; /* in place of the NUL */
    if (!add_name(joined, name)) return false;
    at += name.size;
  }
  return true;
}

void gate_user_release(struct gate_user *user) {
  if (!user || atomic_fetch_sub(&user->references, 1) != 1) return;
  free(user->name.bytes);
  free(user->groups.bytes);
  free(user->permissions.bytes);
  free(user->joined.bytes);
  free(user);
}

/* ---- SQL ---- */

struct sql {
  char text[4096];
  size_t size;
};

static void put(struct sql *sql, const char *text) {
  for (; *text; text++)
    if (sql->size < sizeof sql->text - 1) sql->text[sql->size++] = *text;
  sql->text[sql->size] = 0;
}

/* An identifier, each part of schema.table by itself. */
static void put_name(struct sql *sql, tuile_bytes name, const char *suffix) {
  put(sql, "\"");
  for (size_t i = 0; i < name.size; i++) {
    char byte[2] = {((const char *)name.data)[i], 0};
    put(sql, byte[0] == '.' ? "\".\"" : byte[0] == '"' ? "\"\"" : byte);
  }
  put(sql, suffix);
  put(sql, "\"");
}

/* A column, or what stands for one that the model has not. */
static void put_column(struct sql *sql, tuile_bytes name, const char *otherwise) {
  if (name.size > 0) put_name(sql, name, "");
  else put(sql, otherwise);
}

static void put_match(struct sql *sql, tuile_bytes column) {
  put(sql, " (");
  put_name(sql, column, "");
  put(sql, " = $1 OR ");
  put_name(sql, column, "");
  put(sql, " = $2)");
}

/* ---- a user ---- */

struct reading {
  struct gate_user *user;
  char password[512];
  size_t password_size;
  bool found, active;
};

static bool is_true(tuile_bytes text) { return text.size > 0 && strchr("1tT", *(const char *)text.data); }

static bool take_user(void *context, const tuile_bytes *columns) {
  struct reading *reading = context;
  if (columns[0].size > sizeof reading->password || reading->found) return false;
  reading->found = true;
  reading->password_size = columns[0].size;
  if (columns[0].size > 0) memcpy(reading->password, columns[0].data, columns[0].size);
  reading->active = is_true(columns[2]);
  reading->user->is_staff = is_true(columns[3]);
  reading->user->is_superuser = is_true(columns[4]);
  return add_name(&reading->user->name, columns[1]);
}

static bool take_name(void *names, const tuile_bytes *columns) { return add_name(names, columns[0]); }

static tuile_status read_user(struct gate_database *database, const struct gate_users *users, const tuile_bytes *ids,
                              struct reading *reading, tuile_error *error) {
  struct sql sql = {.size = 0};
  put(&sql, "SELECT ");
  put_name(&sql, users->columns[GATE_COLUMN_PASSWORD], "");
  put(&sql, ", ");
  put_column(&sql, users->columns[GATE_COLUMN_USERNAME], "''");
  put(&sql, ", ");
  put_column(&sql, users->columns[GATE_COLUMN_ACTIVE], "'1'");
  put(&sql, ", ");
  put_column(&sql, users->columns[GATE_COLUMN_STAFF], "'0'");
  put(&sql, ", ");
  put_column(&sql, users->columns[GATE_COLUMN_SUPERUSER], "'0'");
  put(&sql, " FROM ");
  put_name(&sql, users->table, "");
  put(&sql, " WHERE");
  put_match(&sql, users->columns[GATE_COLUMN_ID]);
  return gate_database_query(database, sql.text, ids, take_user, reading, error);
}

static tuile_status read_groups(struct gate_database *database, const struct gate_users *users, const tuile_bytes *ids,
                                struct gate_user *user, tuile_error *error) {
  struct sql sql = {.size = 0};
  put(&sql, "SELECT name FROM auth_group WHERE id IN (SELECT group_id FROM ");
  put_name(&sql, users->table, "_groups");
  put(&sql, " WHERE");
  put_match(&sql, users->columns[GATE_COLUMN_MEMBER]);
  put(&sql, ")");
  return gate_database_query(database, sql.text, ids, take_name, &user->groups, error);
}

static tuile_status read_permissions(struct gate_database *database, const struct gate_users *users,
                                     const tuile_bytes *ids, struct gate_user *user, tuile_error *error) {
  struct sql sql = {.size = 0};
  put(&sql, "SELECT c.app_label || '.' || p.codename FROM auth_permission p JOIN django_content_type c ON c.id = p.content_type_id"
            " WHERE p.id IN (SELECT permission_id FROM ");
  put_name(&sql, users->table, "_user_permissions");
  put(&sql, " WHERE");
  put_match(&sql, users->columns[GATE_COLUMN_MEMBER]);
  put(&sql, ") OR p.id IN (SELECT permission_id FROM auth_group_permissions WHERE group_id IN (SELECT group_id FROM ");
  put_name(&sql, users->table, "_groups");
  put(&sql, " WHERE");
  put_match(&sql, users->columns[GATE_COLUMN_MEMBER]);
  put(&sql, "))");
  return gate_database_query(database, sql.text, ids, take_name, &user->permissions, error);
}

/* ---- the verdict ---- */

/* A UUID, which SQLite's tables have without its dashes. */
static tuile_bytes without_dashes(tuile_bytes id, char room[32]) {
  const char *bytes = id.data;
  if (id.size != 36 || bytes[8] != '-' || bytes[13] != '-' || bytes[18] != '-' || bytes[23] != '-') return id;
  size_t size = 0;
  for (size_t i = 0; i < 36; i++) {
    if (bytes[i] == '-') continue;
    if (size == 32) return id;
    room[size++] = bytes[i];
  }
  return (tuile_bytes){room, size};
}

/* Django's two backends for whom is_active is nothing. */
static bool lets_inactive_in(tuile_bytes backend) {
  static const char *const names[] = {"django.contrib.auth.backends.AllowAllUsersModelBackend",
                                      "django.contrib.auth.backends.AllowAllUsersRemoteUserBackend"};
  for (int i = 0; i < 2; i++)
    if (strlen(names[i]) == backend.size && memcmp(names[i], backend.data, backend.size) == 0) return true;
  return false;
}

static tuile_status judge(const struct gate_users *users, const struct gate_claim *claim, struct reading *reading,
                          tuile_error *error) {
  struct gate_user *user = reading->user;
  user->verdict = GATE_USER_GONE;
  if (!reading->found) return TUILE_OK;
  user->verdict = GATE_USER_INACTIVE;
  if (!reading->active && !lets_inactive_in(claim->backend)) return TUILE_OK;
  tuile_bytes password = {reading->password, reading->password_size};
  tuile_status status = tuile_keyring_verify_login(users->keyring, password, claim->hash, error);
  user->verdict = status == TUILE_OK ? GATE_USER_PASSES : GATE_USER_CHANGED;
  return status < 0 ? status : TUILE_OK;
}

tuile_status gate_query_user(struct gate_database *database, const struct gate_users *users, const struct gate_claim *claim,
                             struct gate_user **made, tuile_error *error) {
  char room[32];
  tuile_bytes ids[2] = {claim->id, without_dashes(claim->id, room)};
  struct reading reading = {.user = calloc(1, sizeof *reading.user)};
  if (!reading.user) {
    *error = (tuile_error){TUILE_E_MEMORY, 0, "no memory for a user"};
    return error->status;
  }
  atomic_store(&reading.user->references, 1);
  tuile_status status = read_user(database, users, ids, &reading, error);
  if (status == TUILE_OK) status = judge(users, claim, &reading, error);
  explicit_bzero(reading.password, sizeof reading.password);
  bool passes = status == TUILE_OK && reading.user->verdict == GATE_USER_PASSES;
  if (passes && gate_needs.groups) status = read_groups(database, users, ids, reading.user, error);
  if (passes && status == TUILE_OK && !gate_names_join(&reading.user->joined, &reading.user->groups)) {
    *error = (tuile_error){TUILE_E_MEMORY, 0, "no memory for a user's groups"};
    status = error->status;
  }
  if (passes && status == TUILE_OK && gate_needs.permissions)
    status = read_permissions(database, users, ids, reading.user, error);
  if (status == TUILE_OK) *made = reading.user;
  else gate_user_release(reading.user);
  return status;
}

tuile_status gate_query_nobody(const struct gate_users *users, tuile_error *error) {
  struct gate_database *database;
  struct gate_user nobody = {.verdict = GATE_USER_GONE};
  struct reading reading = {.user = &nobody};
  tuile_bytes ids[2] = {TUILE_STR("-1"), TUILE_STR("-1")};
  tuile_status status = gate_database_open(users->url, true, &database, error);
  if (status != TUILE_OK) return status;
  status = read_user(database, users, ids, &reading, error);
  if (status == TUILE_OK && gate_needs.groups) status = read_groups(database, users, ids, &nobody, error);
  if (status == TUILE_OK && gate_needs.permissions) status = read_permissions(database, users, ids, &nobody, error);
  explicit_bzero(reading.password, sizeof reading.password);
  free(nobody.name.bytes);
  free(nobody.groups.bytes);
  free(nobody.permissions.bytes);
  gate_database_close(database);
  return status;
}
