/* The users of a Django project, asked once in some seconds. */
#include "user.h"

#include <stdlib.h>
#include <string.h>

enum { slots = 1024 };

struct slot {
  char *key; /* the claim */
  size_t key_size;
  int64_t ends; /* monotonic milliseconds */
  struct gate_user *user;
};

struct gate_users_state {
  pthread_mutex_t asking; /* holds the database */
  struct gate_database *database;
  int64_t failed; /* when it last did */
  tuile_error failure;
  pthread_mutex_t looking; /* holds the slots */
  struct slot slots[slots];
};

/* ---- what is known ---- */

static size_t write_key(const struct gate_claim *claim, char *key) {
  const tuile_bytes parts[] = {claim->id, claim->hash, claim->backend};
  size_t size = 0;
  for (int i = 0; i < 3; i++) {
    if (parts[i].size > 0) memcpy(key + size, parts[i].data, parts[i].size);
    size += parts[i].size;
    key[size++] = 0;
  }
  return size;
}

/* Which slot: claims are signed, so that nobody chooses one. */
static size_t place_of(const char *key, size_t size) {
  uint64_t hash = 14695981039346656037u;
  for (size_t i = 0; i < size; i++) hash = (hash ^ (unsigned char)key[i]) * 1099511628211u;
  return (size_t)(hash >> 32) % slots;
}

static struct gate_user *find(struct gate_users_state *state, const char *key, size_t size) {
  struct gate_user *user = NULL;
  pthread_mutex_lock(&state->looking);
  struct slot *slot = &state->slots[place_of(key, size)];
  if (slot->user && slot->key_size == size && memcmp(slot->key, key, size) == 0 && slot->ends > gate_now() / 1000) {
    user = slot->user;
    atomic_fetch_add(&user->references, 1);
  }
  pthread_mutex_unlock(&state->looking);
  return user;
}

static void keep(struct gate_users_state *state, const char *key, size_t size, struct gate_user *user, int64_t ends) {
  char *copy = malloc(size);
  if (!copy) return;
  memcpy(copy, key, size);
  pthread_mutex_lock(&state->looking);
  struct slot *slot = &state->slots[place_of(key, size)];
  free(slot->key);
  gate_user_release(slot->user);
  atomic_fetch_add(&user->references, 1);
  *slot = (struct slot){copy, size, ends, user};
  pthread_mutex_unlock(&state->looking);
}

/* ---- asking ---- */

/* `asking` is held. A database that failed is left alone for a second. */
static tuile_status ask(struct gate_users_state *state, const struct gate_users *users, const struct gate_claim *claim,
                        struct gate_user **user, tuile_error *error) {
  int64_t now = gate_now() / 1000;
  if (!state->database && state->failed && now - state->failed < 1000) return *error = state->failure, error->status;
  bool reused = state->database != NULL;
  tuile_status status = reused ? TUILE_OK : gate_database_open(users->url, false, &state->database, error);
  if (status == TUILE_OK) status = gate_query_user(state->database, users, claim, user, error);
  if (status == TUILE_OK) return TUILE_OK;
  gate_database_close(state->database);
  state->database = NULL;
  if (reused) return ask(state, users, claim, user, error); /* The server may have been started again. */
  state->failed = gate_now() / 1000;
  state->failure = *error;
  return status;
}

tuile_status gate_users_check(struct gate_users *users, const struct gate_claim *claim, struct gate_user **user,
                              tuile_error *error) {
  struct gate_users_state *state = users->state;
  if (!state) return *error = (tuile_error){TUILE_E_MEMORY, 0, "no memory for users"}, error->status;
  char key[4 * gate_longest_id];
  size_t size = write_key(claim, key);
  if ((*user = find(state, key, size))) return TUILE_OK;
  pthread_mutex_lock(&state->asking);
  tuile_status status = TUILE_OK;
  if (!(*user = find(state, key, size))) { /* Another thread may have asked meanwhile. */
    int64_t began = gate_now() / 1000;
    status = ask(state, users, claim, user, error);
    if (status == TUILE_OK && users->kept > 0) keep(state, key, size, *user, began + users->kept * 1000);
  }
  pthread_mutex_unlock(&state->asking);
  return status;
}

static const struct {
  const char *name, *column;
} defaults[GATE_COLUMN_COUNT] = {{"id", "id"},         {"username", "username"}, {"password", "password"},
                                 {"active", "is_active"}, {"staff", "is_staff"},    {"superuser", "is_superuser"},
                                 {"member", "user_id"}};

int gate_column_named(tuile_bytes name) {
  for (int i = 0; i < GATE_COLUMN_COUNT; i++)
    if (strlen(defaults[i].name) == name.size && memcmp(defaults[i].name, name.data, name.size) == 0) return i;
  return -1;
}

/* Without memory every check fails. */
void gate_users_configure(struct gate_users *users, const struct gate_settings *settings) {
  users->url = gate_users_url(settings);
  if (users->url.size == 0) return;
  users->table = settings->user_table.data ? settings->user_table : TUILE_STR("auth_user");
  for (int i = 0; i < GATE_COLUMN_COUNT; i++) {
    tuile_bytes otherwise = {defaults[i].column, strlen(defaults[i].column)};
    users->columns[i] = settings->user_columns[i].data ? settings->user_columns[i] : otherwise;
  }
  users->kept = settings->users_kept >= 0 ? settings->users_kept : 5;
  users->keyring = settings->keyring;
  struct gate_users_state *state = calloc(1, sizeof *state);
  if (!state) return;
  pthread_mutex_init(&state->asking, NULL);
  pthread_mutex_init(&state->looking, NULL);
  users->state = state;
}

void gate_users_close(struct gate_users *users) {
  struct gate_users_state *state = users->state;
  if (!state) return;
  gate_database_close(state->database);
  for (int i = 0; i < slots; i++) {
    free(state->slots[i].key);
    gate_user_release(state->slots[i].user);
  }
  pthread_mutex_destroy(&state->asking);
  pthread_mutex_destroy(&state->looking);
  free(state);
  users->state = NULL;
}
