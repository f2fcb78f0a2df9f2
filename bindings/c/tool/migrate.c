/* migrate FROM TO: sessions from one store to another. Where neither has a layout the data
 * is copied as it stands, so that no secret is needed; else each session is written as TO's
 * framework writes it, and a walk before says what would be lost. What TO has already is left
 * alone: a run that was cut short is begun again, and goes on where it was. FROM is walked
 * through again to check, so that no list of keys is kept. */
#include <stdlib.h>
#include <string.h>

#include "migrate.h"

struct migration {
  tuile_store *from, *to;
  tuile_manager *from_manager, *to_manager; /* NULL: copied as it stands */
  const struct keys *keys;                  /* NULL: walk through FROM */
  bool looking, lossy, deleting;
  struct progress progress;
  size_t copied, there, absent, found, missing, removed, changed;
  struct losses losses;
  struct copied marks;
  tuile_status (*each)(struct migration *migration, tuile_bytes key);
  tuile_status status; /* the failure that ended a walk */
  tuile_error error;
};

static tuile_status load(tuile_store *store, tuile_bytes key, tuile_receive receive, void *context, tuile_error *error) {
  return tuile_store_load(store, key, now_microseconds(), receive, context, error);
}

/* What TO has not is copied if it is, still, in FROM. */
static tuile_status copy_plain(struct migration *m, tuile_bytes key) {
  tuile_status status = load(m->to, key, pass_over, NULL, &m->error);
  m->there += status == TUILE_OK;
  if (status != TUILE_ABSENT) return status;
  struct loaded loaded = {0};
  status = load(m->from, key, keep, &loaded, &m->error);
  m->absent += status == TUILE_ABSENT;
  if (status == TUILE_OK && m->looking) {
    m->copied++;
  } else if (status == TUILE_OK) {
    tuile_bytes data = {loaded.data, loaded.size};
    status = loaded.kept ? tuile_store_create(m->to, key, data, loaded.expires, &m->error) : TUILE_E_MEMORY;
    m->copied += status == TUILE_OK;
    m->there += status == TUILE_EXISTS;
    if (status == TUILE_OK && m->deleting && !copied_add(&m->marks, key, &loaded)) status = TUILE_E_MEMORY;
  }
  loaded_free(&loaded);
  return status;
}

/* Each session as the other framework writes it. What can't be had there is counted. */
static tuile_status copy_converted(struct migration *m, tuile_bytes key) {
  struct losses *losses = &m->losses;
  tuile_copying how = {sizeof how, m->looking, m->lossy, loss_note, losses};
  struct loaded before = {0}, after = {0};
  losses->session_lost_value = losses->session_lost_expiry = false;
  tuile_status status = m->deleting ? load(m->from, key, keep, &before, &m->error) : TUILE_OK;
  if (status >= 0) status = tuile_manager_copy_session(m->from_manager, m->to_manager, key, &how, &m->error);
  m->copied += status == TUILE_OK;
  m->there += status == TUILE_EXISTS;
  m->absent += status == TUILE_ABSENT;
  losses->unreadable += status == TUILE_UNREADABLE;
  losses->refused += status == TUILE_E_SYNTAX;
  losses->too_large += status == TUILE_E_LIMIT;
  losses->values += losses->session_lost_value;
  losses->expiries += losses->session_lost_expiry;
  if (status == TUILE_OK && m->deleting) {
    status = load(m->from, key, keep, &after, &m->error);
    bool same = status == TUILE_OK && before.kept && after.kept && before.size == after.size &&
                memcmp(before.data, after.data, before.size) == 0;
    if (same && !copied_add(&m->marks, key, &after)) status = TUILE_E_MEMORY;
  }
  loaded_free(&before);
  loaded_free(&after);
  bool counted = status == TUILE_E_SYNTAX || status == TUILE_E_LIMIT || status == TUILE_E_TYPE;
  return counted ? TUILE_OK : status;
}

static tuile_status copy(struct migration *m, tuile_bytes key) {
  return m->from_manager ? copy_converted(m, key) : copy_plain(m, key);
}

/* Each key that FROM still has must be in TO, if TO can have it. */
static tuile_status check(struct migration *m, tuile_bytes key) {
  if (m->from_manager) {
    tuile_copying how = {sizeof how, true, m->lossy, NULL, NULL};
    tuile_status status = tuile_manager_copy_session(m->from_manager, m->to_manager, key, &how, &m->error);
    m->found += status == TUILE_EXISTS;
    m->missing += status == TUILE_OK;
    return status == TUILE_E_SYNTAX || status == TUILE_E_LIMIT || status == TUILE_E_TYPE ? TUILE_OK : status;
  }
  tuile_status status = load(m->to, key, pass_over, NULL, &m->error);
  m->found += status == TUILE_OK;
  if (status != TUILE_ABSENT) return status;
  status = load(m->from, key, pass_over, NULL, &m->error);
  m->missing += status == TUILE_OK;
  return status;
}

/* What was copied and not changed since goes from FROM. */
static tuile_status remove_old(struct migration *m, tuile_bytes key) {
  struct loaded loaded = {0};
  tuile_status status = load(m->from, key, keep, &loaded, &m->error);
  if (status == TUILE_OK && loaded.kept && copied_has(&m->marks, key, &loaded)) {
    status = tuile_store_remove(m->from, key, &m->error);
    m->removed += status == TUILE_OK;
  } else if (status == TUILE_OK) {
    m->changed++;
  }
  loaded_free(&loaded);
  return status;
}

static bool step(void *context, tuile_bytes key, int64_t expires) {
  struct migration *m = context;
  (void)expires;
  tuile_status status = m->each(m, key);
  if (status < 0) m->status = status;
  m->progress.done++;
  progress_show(&m->progress, false);
  return status >= 0;
}

static tuile_status pass(struct migration *m, const char *what, size_t all,
                         tuile_status (*each)(struct migration *, tuile_bytes)) {
  progress_begin(&m->progress, what, all);
  m->each = each;
  tuile_status status = TUILE_OK;
  if (m->keys) {
    const char *at = m->keys->text;
    for (size_t i = 0; i < m->keys->count && step(m, bytes_of(at), 0); i++) at += strlen(at) + 1;
  } else {
    status = tuile_store_keys(m->from, now_microseconds(), step, m, &m->error);
  }
  progress_show(&m->progress, true);
  return m->status != TUILE_OK ? m->status : status;
}

/* A walk that writes nothing, and says what would be lost. */
static tuile_status look(struct migration *m) {
  m->looking = true;
  tuile_status status = pass(m, "looking", m->keys ? m->keys->count : 0, copy);
  if (status == TUILE_OK) status = migrate_lists_lost(m->from, m->to, &m->losses.listed, &m->error);
  m->looking = false;
  return status;
}

static void out_look(const struct migration *m, const struct keys *keys) {
  out_number("keys", (int64_t)m->progress.done);
  out_number("invalid", (int64_t)keys->invalid);
  out_number("would_copy", (int64_t)m->copied);
  out_number("there_already", (int64_t)m->there);
  out_number("absent", (int64_t)m->absent);
  loss_out(&m->losses);
}

static int out_done(const struct migration *m, const struct keys *keys, const struct list_counts *lists, size_t walked) {
  out_number("keys", (int64_t)walked);
  out_number("invalid", (int64_t)keys->invalid);
  out_number("copied", (int64_t)m->copied);
  out_number("there_already", (int64_t)m->there);
  out_number("absent", (int64_t)m->absent);
  out_number("checked", (int64_t)m->found);
  out_number("missing", (int64_t)m->missing);
  out_bool("lists_kept", lists->kept);
  out_number("listed", (int64_t)lists->copied);
  out_number("listed_already", (int64_t)lists->there);
  out_number("unlisted", (int64_t)lists->missing);
  if (m->deleting) out_number("removed", (int64_t)m->removed);
  if (m->deleting) out_number("left", (int64_t)m->changed);
  if (m->from_manager) loss_out(&m->losses);
  return m->missing || lists->missing ? EXIT_ERROR : keys->invalid ? EXIT_NO : EXIT_FINE;
}

static tuile_status move_all(struct migration *m, struct list_counts *lists, size_t *walked) {
  size_t listed = m->losses.listed;
  m->copied = m->there = m->absent = 0;
  m->losses = (struct losses){.listed = listed};
  tuile_status status = pass(m, "copying", m->keys ? m->keys->count : 0, copy);
  *walked = m->progress.done;
  if (status == TUILE_OK) status = pass(m, "checking", *walked, check);
  if (status == TUILE_OK) status = migrate_lists(m->from, m->to, lists, &m->error);
  if (status == TUILE_OK && m->deleting) status = pass(m, "removing", *walked, remove_old);
  return status;
}

static int migrate(const struct arguments *arguments) {
  struct keys keys = {0};
  struct list_counts lists = {0};
  bool dry = arguments->text[OPT_DRY_RUN], has_secret, would_lose = false;
  struct migration m = {.keys = arguments->text[OPT_KEYS] ? &keys : NULL, .lossy = arguments->text[OPT_LOSSY],
                        .deleting = arguments->text[OPT_DELETE_OLD]};
  tuile_bytes source = input_store(arguments->words[0]), target = input_store(arguments->words[1]), none = {NULL, 0};
  bool converts = store_has_layout(source) || store_has_layout(target);
  if (converts) {
    m.from_manager = manager_open(arguments, source, none, &has_secret);
    m.to_manager = manager_open(arguments, target, none, &has_secret);
  }
  size_t walked = 0;
  tuile_status status = tuile_store_open(source, &m.from, &m.error);
  if (status == TUILE_OK) status = tuile_store_open(target, &m.to, &m.error);
  if (status == TUILE_OK && m.keys) keys_read(arguments->text[OPT_KEYS], converts, &keys);
  if (status == TUILE_OK && (converts || dry)) status = look(&m);
  would_lose = loss_is_any(&m.losses);
  bool go = !dry && (!would_lose || m.lossy);
  if (status == TUILE_OK && go) status = move_all(&m, &lists, &walked);
  tuile_store_close(m.from);
  tuile_store_close(m.to);
  tuile_manager_close(m.from_manager);
  tuile_manager_close(m.to_manager);
  free(m.marks.marks);
  int code = EXIT_NO;
  if (status == TUILE_OK && go) code = out_done(&m, &keys, &lists, walked);
  else if (status == TUILE_OK) out_look(&m, &keys);
  if (dry && !would_lose) code = keys.invalid ? EXIT_NO : EXIT_FINE;
  keys_free(&keys);
  if (status != TUILE_OK) return fail(status, &m.error);
  if (!go && !dry) fputs("tuile: nothing was copied, since that would be lost; --lossy goes on without it\n", stderr);
  return out_end(code);
}

const struct command migrate_commands[] = {
    {"migrate", "FROM TO", "Copy sessions from one store to another, and from one framework's form to another's", 2, 2,
     OPTIONS_COMMON | OPTIONS_SECRET | BIT(OPT_KEYS) | BIT(OPT_DRY_RUN) | BIT(OPT_LOSSY) | BIT(OPT_DELETE_OLD), migrate},
    {0},
};
