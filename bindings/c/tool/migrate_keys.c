/* The list of session IDs that `migrate --keys` copies. */
#include <stdlib.h>
#include <string.h>

#include "migrate.h"

enum { KEYS_MOST = 20000000, KEY_LONGEST = 256 };

static bool is_of(const char *text, size_t size, const char *alphabet) {
  for (size_t i = 0; i < size; i++)
    if (!text[i] || !strchr(alphabet, text[i])) return false;
  return true;
}

/* What frameworks call their sessions is the store's to refuse; but a path or a command it never is. */
static bool is_key(const char *text, size_t size, bool of_layout) {
  static const char any[] = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ-_,:";
  static const char own[] = "abcdefghijklmnopqrstuvwxyz0123456789";
  return of_layout ? size > 0 && size <= KEY_LONGEST && is_of(text, size, any)
                   : size >= 8 && size <= 40 && is_of(text, size, own);
}

static bool add_key(struct keys *keys, const char *line, size_t size, bool of_layout) {
  if (!is_key(line, size, of_layout)) {
    keys->invalid++;
    return true;
  }
  if (keys->count == KEYS_MOST) exit(answer(TUILE_E_LIMIT, "more than 20 million keys: give them in parts"));
  if (keys->size + size + 1 > keys->capacity) {
    size_t capacity = keys->capacity * 2 + 65536;
    char *grown = malloc(capacity);
    if (!grown) return false;
    if (keys->size) memcpy(grown, keys->text, keys->size);
    keys_free(keys);
    keys->text = grown;
    keys->capacity = capacity;
  }
  memcpy(keys->text + keys->size, line, size);
  keys->text[keys->size + size] = '\0';
  keys->size += size + 1;
  keys->count++;
  return true;
}

void keys_read(const char *path, bool of_layout, struct keys *keys) {
  FILE *file = strcmp(path, "-") != 0 ? fopen(path, "re") : stdin;
  if (!file) exit(answer(TUILE_E_FILE, "the file of keys can't be read"));
  char line[KEY_LONGEST + 2]; /* more than a key has, so that a longer line shows */
  size_t size = 0;
  bool enough = true;
  for (int byte = 0; enough && byte != EOF;) {
    byte = getc(file);
    if (byte != '\n' && byte != EOF) {
      if (size < sizeof line) line[size++] = (char)byte;
      continue;
    }
    if (size > 0 && line[size - 1] == '\r') size--;
    if (size > 0) enough = add_key(keys, line, size, of_layout);
    size = 0;
  }
  bool failed = ferror(file);
  if (file != stdin) fclose(file);
  explicit_bzero(line, sizeof line);
  if (!enough) exit(fail(TUILE_E_MEMORY, NULL));
  if (failed) exit(answer(TUILE_E_FILE, "the keys can't be read"));
}

void keys_free(struct keys *keys) {
  if (keys->text) explicit_bzero(keys->text, keys->capacity);
  free(keys->text);
  keys->text = NULL;
}
