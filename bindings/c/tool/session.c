/* session get, set, list, revoke, clear-expired. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

/* A key may be "-" for standard input. */
static tuile_session *begin(tuile_manager *manager, const char *word) {
  tuile_session *session =
      session_begin(manager, strcmp(word, "new") == 0 ? (tuile_bytes){NULL, 0} : input_word(word));
  if (!session) usage_error("a session ID has no ;");
  return session;
}

/* Data that another secret signed counts as none in a request; an administrator has
 * to know, and not to write over it. */
static tuile_status load(tuile_manager *manager, tuile_session *session, tuile_error *error) {
  tuile_stats stats = TUILE_STATS_INIT;
  tuile_status status = tuile_session_load(session, error);
  if (status < 0) return status;
  if (tuile_manager_stats(manager, &stats) == TUILE_OK && stats.bad_signatures) return TUILE_BAD_SIGNATURE;
  return status;
}

static tuile_status show(const struct arguments *arguments, tuile_manager *manager, tuile_session *session,
                         tuile_error *error) {
  tuile_bytes name, json;
  int64_t expires;
  tuile_status status = load(manager, session, error);
  if (status != TUILE_OK) return status;
  if (arguments->count > 1) {
    status = tuile_session_get_json(session, bytes_of(arguments->words[1]), &json, error);
    if (status == TUILE_OK) out_json("value", json);
    return status;
  }
  if (arguments->text[OPT_JSON]) {
    status = tuile_session_json(session, &json, error);
    if (status == TUILE_OK) out_json("values", json);
  } else {
    size_t position = 0;
    while ((status = tuile_session_next_item(session, &position, &name, &json, error)) == TUILE_OK)
      out_pair(name, json);
    if (status == TUILE_ABSENT) status = TUILE_OK;
  }
  if (status == TUILE_OK) status = tuile_session_get_expiry_time(session, TUILE_UNSET, (tuile_bytes){NULL, 0}, &expires, error);
  if (status == TUILE_OK) out_time("expires_if_saved_now", expires / 1000000);
  return status;
}

static int get(const struct arguments *arguments) {
  bool in_cookie;
  tuile_manager *manager = session_manager(arguments, &in_cookie);
  tuile_session *session = begin(manager, arguments->words[0]);
  tuile_error error = {0};
  tuile_status status = show(arguments, manager, session, &error);
  tuile_session_end(session);
  tuile_manager_close(manager);
  return status == TUILE_OK ? out_end(EXIT_FINE) : fail(status, &error);
}

struct headers {
  char set_cookie[8192];
  size_t size;
};

static tuile_status keep_set_cookie(void *context, tuile_bytes name, tuile_bytes value) {
  struct headers *headers = context;
  if (name.size != 10 || memcmp(name.data, "Set-Cookie", 10) != 0) return TUILE_OK;
  if (value.size > sizeof headers->set_cookie) return TUILE_E_SPACE;
  memcpy(headers->set_cookie, value.data, value.size);
  headers->size = value.size;
  return TUILE_OK;
}

static int set(const struct arguments *arguments) {
  bool in_cookie, new = strcmp(arguments->words[0], "new") == 0;
  tuile_manager *manager = session_manager(arguments, &in_cookie);
  tuile_session *session = begin(manager, arguments->words[0]);
  struct headers headers = {.size = 0};
  tuile_error error = {0};
  tuile_bytes name = bytes_of(arguments->words[1]), key;
  tuile_status status = load(manager, session, &error);
  if (new && status == TUILE_ABSENT) status = TUILE_OK;
  if (status == TUILE_OK && strcmp(arguments->words[0], "-") == 0 && arguments->count > 2 &&
      strcmp(arguments->words[2], "-") == 0)
    usage_error("standard input can't be both the key and the value");
  if (status == TUILE_OK)
    status = arguments->count > 2 ? tuile_session_set_json(session, name, input_word(arguments->words[2]), &error)
                                  : tuile_session_remove(session, name, &error);
  if (status == TUILE_OK && arguments->text[OPT_OWNER])
    status = tuile_session_set_owner(session, option_bytes(arguments, OPT_OWNER), &error);
  if (status == TUILE_OK) status = tuile_session_commit(session, 200, keep_set_cookie, &headers, &error);
  if (status == TUILE_OK && in_cookie) {
    out_text("set_cookie", (tuile_bytes){headers.set_cookie, headers.size});
  } else if (status == TUILE_OK && new && tuile_session_id(session, &key) == TUILE_OK) {
    out_text("key", key);
  }
  tuile_session_end(session);
  tuile_manager_close(manager);
  explicit_bzero(&headers, sizeof headers);
  return status == TUILE_OK ? out_end(EXIT_FINE) : fail(status, &error);
}

struct all {
  int64_t count, most;
  bool more;
  FILE *keys; /* where keys go; NULL: ids are shown */
};

static bool out_any(void *context, tuile_bytes key, int64_t expires) {
  struct all *all = context;
  char id[32];
  if (all->count == all->most) {
    all->more = true;
    return false;
  }
  all->count++;
  if (all->keys) return fprintf(all->keys, "%.*s\n", (int)key.size, (const char *)key.data) > 0;
  if (tuile_store_key_id(key, id, sizeof id, NULL) != TUILE_OK) return true;
  out_item();
  out_text("id", (tuile_bytes){id, sizeof id});
  out_time("expires", expires / 1000000);
  return true;
}

/* A new file for its owner alone: who has a key has the session. */
static FILE *open_keys(const char *path) {
  if (strcmp(path, "-") == 0) return stdout;
  int file = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
  FILE *keys = file < 0 ? NULL : fdopen(file, "w");
  if (!keys) exit(answer(TUILE_E_FILE, "the file of keys can't be made, or is there already"));
  return keys;
}

/* All sessions of a store: of what is in them nothing is read, so that no secret is needed. */
static int list_all(const struct arguments *arguments) {
  const char *path = arguments->text[OPT_KEYS];
  bool alone = path && strcmp(path, "-") == 0;
  if (alone && arguments->text[OPT_JSON]) usage_error("--keys - writes keys alone, without --json");
  struct all all = {.most = option_number(arguments, OPT_LIMIT, 1, INT64_C(1000000000), path ? INT64_MAX : 10000)};
  tuile_store *store;
  tuile_error error = {0};
  tuile_status status = tuile_store_open(input_store(arguments->text[OPT_STORE]), &store, &error);
  if (status != TUILE_OK) return fail(status, &error);
  if (path) all.keys = open_keys(path);
  else out_list("sessions");
  status = tuile_store_keys(store, now_microseconds(), out_any, &all, &error);
  tuile_store_close(store);
  if (!path) out_list_end();
  bool written = !all.keys || (fflush(all.keys) == 0 && !ferror(all.keys));
  if (all.keys && !alone) written = fclose(all.keys) == 0 && written;
  if (status != TUILE_OK) return fail(status, &error);
  if (!written) return answer(TUILE_E_FILE, "the keys could not be written");
  if (path && !alone) out_number("keys", all.count);
  if (!alone) out_bool("more", all.more);
  return out_end(all.count > 0 ? EXIT_FINE : EXIT_NO);
}

/* The sessions of an owner's list, whose ids are kept so that none is shown twice. */
struct listed {
  int64_t count;
  char *ids; /* 32 octets each */
};

static void keep_id(struct listed *listed, const void *id) {
  char *ids = realloc(listed->ids, (size_t)(listed->count + 1) * 32);
  if (!ids) exit(fail(TUILE_E_MEMORY, NULL));
  listed->ids = ids;
  memcpy(ids + listed->count++ * 32, id, 32);
}

static void out_owned(void *context, const tuile_owned_session *session) {
  struct listed *listed = context;
  keep_id(listed, session->id.data);
  out_item();
  out_text("id", session->id);
  out_time("created", session->created);
  out_time("seen", session->seen);
  out_time("expires", session->expires);
  out_text("user_agent", session->user_agent);
  out_text("address", session->address);
  out_bool("device_bound", session->device_bound);
}

static tuile_status out_found(void *context, tuile_session *session, tuile_bytes key, int64_t expires,
                              tuile_error *error) {
  struct listed *listed = context;
  char id[32];
  (void)session, (void)error;
  tuile_status status = tuile_store_key_id(key, id, sizeof id, NULL);
  if (status != TUILE_OK) return status;
  for (int64_t i = 0; i < listed->count; i++)
    if (memcmp(listed->ids + i * 32, id, sizeof id) == 0) return TUILE_OK;
  keep_id(listed, id);
  out_item();
  out_text("id", (tuile_bytes){id, sizeof id});
  out_time("expires", expires / 1000000);
  return TUILE_OK;
}

/* A user's sessions: those of the owner's list, then those that a framework logged in. */
static int list(const struct arguments *arguments) {
  bool in_cookie;
  const char *where = arguments->text[OPT_WHERE];
  if (arguments->count == 0 && !where) return list_all(arguments);
  if (arguments->count && where) usage_error("session list takes USER or --where");
  if (arguments->text[OPT_LIMIT] || arguments->text[OPT_KEYS]) usage_error("--limit and --keys are for a list of all sessions");
  tuile_manager *manager = session_manager(arguments, &in_cookie);
  if (in_cookie) usage_error("sessions in cookies are in no store: nobody can list them");
  struct listed listed = {0};
  struct search search = {.manager = manager, .found = out_found, .context = &listed};
  if (where) search_take(&search, where);
  out_list("sessions");
  tuile_status status = TUILE_OK;
  if (!where) {
    search.value = bytes_of(arguments->words[0]);
    status = tuile_manager_sessions(manager, search.value, NULL, out_owned, &listed, &search.error);
    if (status == TUILE_E_ARGUMENT) status = TUILE_OK; /* the store keeps no lists */
  }
  if (status == TUILE_OK) status = search_store(&search, input_store(arguments->text[OPT_STORE]));
  out_list_end();
  tuile_manager_close(manager);
  free(listed.ids);
  if (status != TUILE_OK) return fail(status, &search.error);
  out_number("unreadable", search.unreadable);
  return out_end(listed.count > 0 ? EXIT_FINE : EXIT_NO);
}

static int revoke(const struct arguments *arguments) {
  bool in_cookie, all = arguments->text[OPT_ALL];
  if (all == (arguments->count > 1)) usage_error("session revoke needs an ID as session list gives it, or --all");
  size_t revoked = 1;
  tuile_manager *manager = session_manager(arguments, &in_cookie);
  tuile_error error = {0};
  tuile_bytes owner = bytes_of(arguments->words[0]);
  tuile_status status = all ? tuile_manager_revoke_all(manager, owner, NULL, &revoked, &error)
                            : tuile_manager_revoke(manager, owner, bytes_of(arguments->words[1]), &error);
  tuile_manager_close(manager);
  if (status != TUILE_OK) return fail(status, &error);
  out_number("revoked", (int64_t)revoked);
  return out_end(revoked > 0 ? EXIT_FINE : EXIT_NO);
}

/* Needs no secret: what is expired is told from its time alone. */
static int clear_expired(const struct arguments *arguments) {
  tuile_store *store;
  tuile_error error = {0};
  size_t removed = 0, limit = (size_t)option_number(arguments, OPT_LIMIT, 1, INT64_C(1000000000), 10000);
  tuile_status status = tuile_store_open(input_store(arguments->text[OPT_STORE]), &store, &error);
  if (status != TUILE_OK) return fail(status, &error);
  status = tuile_store_sweep(store, now_microseconds(), limit, &removed, &error);
  tuile_store_close(store);
  if (status != TUILE_OK) return fail(status, &error);
  out_number("removed", (int64_t)removed);
  out_bool("perhaps_more", removed == limit);
  return out_end(EXIT_FINE);
}

const struct command session_commands[] = {
    {"session get", "KEY|- [NAME]", "Show a session, or one of its values", 1, 2, OPTIONS_MANAGER, get},
    {"session set", "KEY|-|new NAME [JSON|-]", "Set a value of a session; without JSON remove it", 2, 3,
     OPTIONS_MANAGER | BIT(OPT_OWNER), set},
    {"session list", "[USER]", "List a user's sessions, or all of a store", 0, 1,
     OPTIONS_MANAGER | BIT(OPT_WHERE) | BIT(OPT_LIMIT) | BIT(OPT_KEYS), list},
    {"session revoke", "OWNER [ID]", "End one of a user's sessions, or all", 1, 2,
     OPTIONS_MANAGER | BIT(OPT_ALL), revoke},
    {"session clear-expired", "", "Remove expired sessions from a store", 0, 0,
     OPTIONS_COMMON | BIT(OPT_STORE) | BIT(OPT_LIMIT), clear_expired},
    {0},
};
