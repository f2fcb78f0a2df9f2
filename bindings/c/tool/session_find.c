/* Sessions by what is in them: those of a user whom no list names, as in Django's own
 * table, or those with a value. Every session of the store is read, so a secret is needed. */
#include <stdlib.h>
#include <string.h>

#include "tool.h"

/* Where frameworks keep who is logged in, whatever the layout says: Django, Flask-Login, and many an application. */
static const char *const user_names[] = {"_auth_user_id", "_user_id", "user_id"};

static bool equal(tuile_bytes a, tuile_bytes b) { return a.size == b.size && (!a.size || memcmp(a.data, b.data, a.size) == 0); }

/* A value is meant as it is written in JSON, or as the text that a string holds. */
static bool has_value(tuile_session *session, tuile_bytes name, tuile_bytes wanted) {
  tuile_bytes value;
  if (tuile_session_get_json(session, name, &value, NULL) == TUILE_OK && equal(value, wanted)) return true;
  return tuile_session_get_string(session, name, &value, NULL) == TUILE_OK && equal(value, wanted);
}

static bool is_of_user(tuile_session *session, tuile_bytes user) {
  tuile_bytes owner;
  if (tuile_session_get_owner(session, &owner, NULL) == TUILE_OK && equal(owner, user)) return true;
  if (tuile_session_get_login(session, NULL, &owner, NULL) == TUILE_OK && equal(owner, user)) return true;
  for (size_t i = 0; i < sizeof user_names / sizeof *user_names; i++)
    if (has_value(session, bytes_of(user_names[i]), user)) return true;
  return false;
}

void search_take(struct search *search, const char *where) {
  const char *sign = strchr(where, '=');
  if (!sign || sign == where) usage_error("--where is NAME=VALUE");
  search->name = (tuile_bytes){where, (size_t)(sign - where)};
  search->value = bytes_of(sign + 1);
}

static bool look(void *context, tuile_bytes key, int64_t expires) {
  struct search *search = context;
  tuile_session *session = session_begin(search->manager, key);
  tuile_status status = session ? tuile_session_load(session, &search->error) : TUILE_UNREADABLE;
  if (status == TUILE_UNREADABLE) search->unreadable++;
  if (status == TUILE_OK && (search->name.size ? has_value(session, search->name, search->value)
                                               : is_of_user(session, search->value))) {
    /* The search goes on: what the store said is kept for its end. */
    status = search->found(search->context, session, key, expires, &search->error);
  }
  tuile_session_end(session);
  if (status < 0) search->status = status;
  return status >= 0;
}

tuile_status search_store(struct search *search, tuile_bytes url) {
  tuile_store *store;
  search->status = tuile_store_open(url, &store, &search->error);
  if (search->status != TUILE_OK) return search->status;
  tuile_status status = tuile_store_keys(store, now_microseconds(), look, search, &search->error);
  tuile_store_close(store);
  return search->status != TUILE_OK ? search->status : status;
}

static tuile_status end_found(void *context, tuile_session *session, tuile_bytes key, int64_t expires,
                              tuile_error *error) {
  int64_t *ended = context;
  (void)key, (void)expires;
  tuile_status status = tuile_session_flush(session, error);
  if (status == TUILE_OK) ++*ended;
  return status;
}

/* The user's lists first: a session in one is known without being read. */
static int end_many(const struct arguments *arguments, tuile_manager *manager) {
  int64_t ended = 0;
  struct search search = {.manager = manager, .found = end_found, .context = &ended};
  const char *user = arguments->text[OPT_USER], *where = arguments->text[OPT_WHERE];
  tuile_status status = TUILE_OK;
  if (user) {
    size_t revoked = 0;
    search.value = bytes_of(user);
    status = tuile_manager_revoke_all(manager, search.value, NULL, &revoked, &search.error);
    if (status == TUILE_E_ARGUMENT) status = TUILE_OK; /* the store keeps no lists */
    ended = (int64_t)revoked;
  } else {
    search_take(&search, where);
  }
  if (status == TUILE_OK) status = search_store(&search, input_store(arguments->text[OPT_STORE]));
  if (status != TUILE_OK) return fail(status, &search.error);
  out_number("ended", ended);
  out_number("unreadable", search.unreadable);
  return out_end(ended > 0 ? EXIT_FINE : EXIT_NO);
}

static int end_one(const struct arguments *arguments, tuile_manager *manager) {
  tuile_error error = {0};
  tuile_session *session = session_begin(manager, input_word(arguments->words[0]));
  if (!session) usage_error("a session ID has no ; and is not empty");
  tuile_status status = tuile_session_load(session, &error);
  if (status == TUILE_OK) status = tuile_session_flush(session, &error);
  tuile_session_end(session);
  if (status != TUILE_OK) return fail(status, &error);
  out_number("ended", 1);
  return out_end(EXIT_FINE);
}

static int end(const struct arguments *arguments) {
  bool in_cookie;
  if (arguments->count + !!arguments->text[OPT_USER] + !!arguments->text[OPT_WHERE] != 1)
    usage_error("session end needs one of KEY, --user and --where");
  tuile_manager *manager = session_manager(arguments, &in_cookie);
  if (in_cookie) usage_error("a session in a cookie is in no store: nothing here can end it");
  int code = arguments->count ? end_one(arguments, manager) : end_many(arguments, manager);
  tuile_manager_close(manager);
  return code;
}

const struct command session_end_commands[] = {
    {"session end", "[KEY|-]", "End a session, or all of a user, or all with a value", 0, 1,
     OPTIONS_MANAGER | BIT(OPT_USER) | BIT(OPT_WHERE), end},
    {0},
};
