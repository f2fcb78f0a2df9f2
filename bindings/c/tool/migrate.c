/* migrate FROM TO: sessions from one store to another. The data is copied as it
 * stands, so that no secret is needed. What TO has already is left alone: a run that
 * was cut short is begun again, and goes on where it was. FROM is walked through,
 * twice, the second time to check, so that no list of keys is kept. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tool.h"

enum { KEY_SLOT = 41, KEYS_MOST = 20000000 };

struct keys {
  char *slots; /* KEY_SLOT bytes each, ended by NULs */
  size_t count, capacity;
  size_t invalid;
};

static bool is_key(const char *text, size_t size) {
  if (size < 8 || size > 40) return false;
  for (size_t i = 0; i < size; i++)
    if (!(text[i] >= 'a' && text[i] <= 'z') && !(text[i] >= '0' && text[i] <= '9')) return false;
  return true;
}

static bool add_key(struct keys *keys, const char *line, size_t size) {
  if (!is_key(line, size)) {
    keys->invalid++;
    return true;
  }
  if (keys->count == KEYS_MOST) exit(answer(TUILE_E_LIMIT, "more than 20 million keys: give them in parts"));
  if (keys->count == keys->capacity) {
    size_t capacity = keys->capacity * 2 + 1024;
    char *grown = realloc(keys->slots, capacity * KEY_SLOT);
    if (!grown) return false;
    keys->slots = grown;
    keys->capacity = capacity;
  }
  char *slot = keys->slots + keys->count++ * KEY_SLOT;
  memset(slot, 0, KEY_SLOT);
  memcpy(slot, line, size);
  return true;
}

static void read_keys(const struct arguments *arguments, struct keys *keys) {
  const char *path = arguments->text[OPT_KEYS];
  FILE *file = strcmp(path, "-") != 0 ? fopen(path, "re") : stdin;
  if (!file) exit(answer(TUILE_E_FILE, "the file of keys can't be read"));
  char line[KEY_SLOT]; /* one more than a key has, so that a longer line shows */
  size_t size = 0;
  bool enough = true;
  for (int byte = 0; enough && byte != EOF;) {
    byte = getc(file);
    if (byte != '\n' && byte != EOF) {
      if (size < sizeof line) line[size++] = (char)byte;
      continue;
    }
    if (size > 0 && line[size - 1] == '\r') size--;
    if (size > 0) enough = add_key(keys, line, size);
    size = 0;
  }
  bool failed = ferror(file);
  if (file != stdin) fclose(file);
  if (!enough) exit(fail(TUILE_E_MEMORY, NULL));
  if (failed) exit(answer(TUILE_E_FILE, "the keys can't be read"));
}

static tuile_bytes key_at(const struct keys *keys, size_t index) { return bytes_of(keys->slots + index * KEY_SLOT); }

struct loaded {
  char *data;
  size_t size;
  int64_t expires;
  bool kept;
};

static void keep(void *context, tuile_bytes data, int64_t expires) {
  struct loaded *loaded = context;
  loaded->data = malloc(data.size + 1);
  loaded->kept = loaded->data != NULL;
  if (loaded->kept && data.size) memcpy(loaded->data, data.data, data.size);
  loaded->size = data.size;
  loaded->expires = expires;
}

void pass_over(void *context, tuile_bytes data, int64_t expires) { (void)context, (void)data, (void)expires; }

/* ---- progress, where a terminal shows it ---- */

struct progress {
  const char *what;
  size_t done, all; /* all: 0 if nobody knows */
  int64_t began, shown; /* tenths of a second */
};

static int64_t tenths(void) {
  struct timespec clock;
  clock_gettime(CLOCK_MONOTONIC, &clock);
  return (int64_t)clock.tv_sec * 10 + clock.tv_nsec / 100000000;
}

static void show_progress(struct progress *progress, bool last) {
  int64_t now = tenths();
  if (!isatty(STDERR_FILENO) || (now == progress->shown && !last)) return;
  progress->shown = now;
  size_t done = progress->done, all = progress->all > done || last ? progress->all : done;
  if (progress->all == 0) {
    int64_t took = now - progress->began;
    fprintf(stderr, "\r%-8s %zu, %lld a second", progress->what, done, took ? (long long)done * 10 / took : (long long)done);
  } else {
    int width = last || done > all ? 40 : (int)(done * 40 / all);
    fprintf(stderr, "\r%-8s [%.*s%*s] %zu of %zu", progress->what, width, "########################################",
            40 - width, "", done, last ? done : all);
  }
  if (last) putc('\n', stderr);
}

/* ---- copying and checking ---- */

struct migration {
  tuile_store *from, *to;
  const struct keys *keys; /* NULL: walk through FROM */
  struct progress progress;
  size_t copied, there, absent, found, missing;
  tuile_status (*each)(struct migration *migration, tuile_bytes key);
  tuile_status status; /* the failure that ended a walk */
  tuile_error error;
};

/* What TO has not is copied if it is, still, in FROM. */
static tuile_status copy(struct migration *m, tuile_bytes key) {
  tuile_status status = tuile_store_load(m->to, key, now_microseconds(), pass_over, NULL, &m->error);
  m->there += status == TUILE_OK;
  if (status != TUILE_ABSENT) return status;
  struct loaded loaded = {0};
  status = tuile_store_load(m->from, key, now_microseconds(), keep, &loaded, &m->error);
  m->absent += status == TUILE_ABSENT;
  if (status == TUILE_OK) {
    tuile_bytes data = {loaded.data, loaded.size};
    status = loaded.kept ? tuile_store_create(m->to, key, data, loaded.expires, &m->error) : TUILE_E_MEMORY;
    m->copied += status == TUILE_OK;
    m->there += status == TUILE_EXISTS;
  }
  if (loaded.data) explicit_bzero(loaded.data, loaded.size);
  free(loaded.data);
  return status;
}

/* Each key that FROM still has must be in TO. */
static tuile_status check(struct migration *m, tuile_bytes key) {
  tuile_status status = tuile_store_load(m->to, key, now_microseconds(), pass_over, NULL, &m->error);
  m->found += status == TUILE_OK;
  if (status != TUILE_ABSENT) return status;
  status = tuile_store_load(m->from, key, now_microseconds(), pass_over, NULL, &m->error);
  m->missing += status == TUILE_OK;
  return status;
}

static bool step(void *context, tuile_bytes key, int64_t expires) {
  struct migration *m = context;
  (void)expires;
  tuile_status status = m->each(m, key);
  if (status < 0) m->status = status;
  m->progress.done++;
  show_progress(&m->progress, false);
  return status >= 0;
}

static tuile_status pass(struct migration *m, const char *what, size_t all,
                         tuile_status (*each)(struct migration *, tuile_bytes)) {
  m->progress = (struct progress){.what = what, .all = all, .began = tenths()};
  m->each = each;
  tuile_status status = TUILE_OK;
  if (m->keys) {
    for (size_t i = 0; i < m->keys->count && step(m, key_at(m->keys, i), 0); i++) continue;
  } else {
    status = tuile_store_keys(m->from, now_microseconds(), step, m, &m->error);
  }
  show_progress(&m->progress, true);
  return m->status != TUILE_OK ? m->status : status;
}

static int migrate(const struct arguments *arguments) {
  struct keys keys = {0};
  struct list_counts lists = {0};
  struct migration m = {.keys = arguments->text[OPT_KEYS] ? &keys : NULL};
  tuile_bytes source = input_store(arguments->words[0]), target = input_store(arguments->words[1]);
  tuile_status status = tuile_store_open(source, &m.from, &m.error);
  if (status == TUILE_OK) status = tuile_store_open(target, &m.to, &m.error);
  size_t walked = 0;
  if (status == TUILE_OK) {
    if (m.keys) read_keys(arguments, &keys);
    status = pass(&m, "copying", keys.count, copy);
    walked = m.progress.done;
    if (status == TUILE_OK) status = pass(&m, "checking", walked, check);
    if (status == TUILE_OK) status = migrate_lists(m.from, m.to, &lists, &m.error);
  }
  tuile_store_close(m.from);
  tuile_store_close(m.to);
  if (keys.slots) explicit_bzero(keys.slots, keys.capacity * KEY_SLOT);
  free(keys.slots);
  if (status != TUILE_OK) return fail(status, &m.error);
  out_number("keys", (int64_t)walked);
  out_number("invalid", (int64_t)keys.invalid);
  out_number("copied", (int64_t)m.copied);
  out_number("there_already", (int64_t)m.there);
  out_number("absent", (int64_t)m.absent);
  out_number("checked", (int64_t)m.found);
  out_number("missing", (int64_t)m.missing);
  out_bool("lists_kept", lists.kept);
  out_number("listed", (int64_t)lists.copied);
  out_number("listed_already", (int64_t)lists.there);
  out_number("unlisted", (int64_t)lists.missing);
  return out_end(m.missing || lists.missing ? EXIT_ERROR : keys.invalid ? EXIT_NO : EXIT_FINE);
}

const struct command migrate_commands[] = {
    {"migrate", "FROM TO", "Copy sessions from one store to another", 2, 2, OPTIONS_COMMON | BIT(OPT_KEYS), migrate},
    {0},
};
