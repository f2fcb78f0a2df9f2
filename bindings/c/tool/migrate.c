/* migrate FROM TO: sessions from one store to another, by their keys. The data is
 * copied as it stands, so that no secret is needed. What TO has already is left
 * alone: a run that was cut short is begun again, and goes on where it was. */
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
  FILE *file = path && strcmp(path, "-") != 0 ? fopen(path, "re") : stdin;
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

static void pass_over(void *context, tuile_bytes data, int64_t expires) { (void)context, (void)data, (void)expires; }

static int64_t now_microseconds(void) { return (int64_t)time(NULL) * 1000000; }

/* TUILE_OK: copied; TUILE_EXISTS: it is there; TUILE_ABSENT: it is not, or not any more, in FROM. */
static tuile_status copy(tuile_store *from, tuile_store *to, tuile_bytes key, tuile_error *error) {
  tuile_status status = tuile_store_load(to, key, now_microseconds(), pass_over, NULL, error);
  if (status != TUILE_ABSENT) return status == TUILE_OK ? TUILE_EXISTS : status;
  struct loaded loaded = {0};
  status = tuile_store_load(from, key, now_microseconds(), keep, &loaded, error);
  if (status == TUILE_OK)
    status = !loaded.kept ? TUILE_E_MEMORY
                          : tuile_store_create(to, key, (tuile_bytes){loaded.data, loaded.size}, loaded.expires, error);
  if (loaded.data) explicit_bzero(loaded.data, loaded.size);
  free(loaded.data);
  return status;
}

static void show_progress(const char *what, size_t done, size_t all, bool last) {
  static int64_t shown;
  struct timespec clock;
  clock_gettime(CLOCK_MONOTONIC, &clock);
  int64_t now = (int64_t)clock.tv_sec * 10 + clock.tv_nsec / 100000000;
  if (now == shown && !last) return;
  shown = now;
  int width = all ? (int)(done * 40 / all) : 40;
  fprintf(stderr, "\r%-8s [%.*s%*s] %zu of %zu%s", what, width, "########################################", 40 - width,
          "", done, all, last ? "\n" : "");
}

struct counts {
  size_t copied, there, absent, found, missing;
};

/* Each key that FROM still has must be in TO. */
static tuile_status check(tuile_store *from, tuile_store *to, tuile_bytes key, struct counts *counts,
                          tuile_error *error) {
  tuile_status status = tuile_store_load(to, key, now_microseconds(), pass_over, NULL, error);
  if (status == TUILE_OK) counts->found++;
  if (status != TUILE_ABSENT) return status;
  status = tuile_store_load(from, key, now_microseconds(), pass_over, NULL, error);
  if (status == TUILE_OK) counts->missing++;
  return status == TUILE_ABSENT ? TUILE_OK : status;
}

static tuile_status run(tuile_store *from, tuile_store *to, const struct keys *keys, struct counts *counts,
                        tuile_error *error) {
  bool terminal = isatty(STDERR_FILENO);
  tuile_status status;
  for (size_t i = 0; i < keys->count; i++) {
    if (terminal) show_progress("copying", i + 1, keys->count, i + 1 == keys->count);
    status = copy(from, to, key_at(keys, i), error);
    if (status < 0) return status;
    counts->copied += status == TUILE_OK;
    counts->there += status == TUILE_EXISTS;
    counts->absent += status == TUILE_ABSENT;
  }
  for (size_t i = 0; i < keys->count; i++) {
    if (terminal) show_progress("checking", i + 1, keys->count, i + 1 == keys->count);
    status = check(from, to, key_at(keys, i), counts, error);
    if (status < 0) return status;
  }
  return TUILE_OK;
}

static int migrate(const struct arguments *arguments) {
  tuile_store *from = NULL, *to = NULL;
  struct keys keys = {0};
  struct counts counts = {0};
  tuile_error error = {0};
  tuile_bytes source = input_store(arguments->words[0]), target = input_store(arguments->words[1]);
  tuile_status status = tuile_store_open(source, &from, &error);
  if (status == TUILE_OK) status = tuile_store_open(target, &to, &error);
  if (status == TUILE_OK) {
    read_keys(arguments, &keys);
    status = run(from, to, &keys, &counts, &error);
  }
  tuile_store_close(from);
  tuile_store_close(to);
  if (keys.slots) explicit_bzero(keys.slots, keys.capacity * KEY_SLOT);
  free(keys.slots);
  if (status != TUILE_OK) return fail(status, &error);
  out_number("keys", (int64_t)keys.count);
  out_number("invalid", (int64_t)keys.invalid);
  out_number("copied", (int64_t)counts.copied);
  out_number("there_already", (int64_t)counts.there);
  out_number("absent", (int64_t)counts.absent);
  out_number("checked", (int64_t)counts.found);
  out_number("missing", (int64_t)counts.missing);
  return out_end(counts.missing ? EXIT_ERROR : keys.invalid ? EXIT_NO : EXIT_FINE);
}

const struct command migrate_commands[] = {
    {"migrate", "FROM TO", "Copy sessions from one store to another, by their keys", 2, 2,
     OPTIONS_COMMON | BIT(OPT_KEYS), migrate},
    {0},
};
