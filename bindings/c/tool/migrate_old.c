/* Which sessions were copied as they stand: with --delete-old those are removed that nobody
 * has changed since. Eight octets a session. */
#include <stdlib.h>
#include <string.h>

#include "migrate.h"

void keep(void *context, tuile_bytes data, int64_t expires) {
  struct loaded *loaded = context;
  loaded->data = malloc(data.size + 1);
  loaded->kept = loaded->data != NULL;
  if (loaded->kept && data.size) memcpy(loaded->data, data.data, data.size);
  loaded->size = data.size;
  loaded->expires = expires;
}

void loaded_free(struct loaded *loaded) {
  if (loaded->data) explicit_bzero(loaded->data, loaded->size);
  free(loaded->data);
  *loaded = (struct loaded){0};
}

static uint64_t hash(uint64_t sum, const void *octets, size_t size) {
  const unsigned char *bytes = octets;
  for (size_t i = 0; i < size; i++) sum = (sum ^ bytes[i]) * UINT64_C(0x100000001b3);
  return sum ^ sum >> 29;
}

static uint64_t mark_of(tuile_bytes key, const struct loaded *data) {
  uint64_t mark = hash(hash(UINT64_C(0xcbf29ce484222325), key.data, key.size), data->data, data->size);
  return mark ? mark : 1;
}

static void place(uint64_t *marks, size_t capacity, uint64_t mark) {
  size_t at = mark & (capacity - 1);
  while (marks[at] && marks[at] != mark) at = (at + 1) & (capacity - 1);
  marks[at] = mark;
}

bool copied_add(struct copied *copied, tuile_bytes key, const struct loaded *data) {
  if (copied->count * 2 >= copied->capacity) {
    size_t capacity = copied->capacity ? copied->capacity * 2 : 1024;
    uint64_t *grown = calloc(capacity, sizeof *grown);
    if (!grown) return false;
    for (size_t i = 0; i < copied->capacity; i++)
      if (copied->marks[i]) place(grown, capacity, copied->marks[i]);
    free(copied->marks);
    copied->marks = grown;
    copied->capacity = capacity;
  }
  copied->count++;
  place(copied->marks, copied->capacity, mark_of(key, data));
  return true;
}

bool copied_has(const struct copied *copied, tuile_bytes key, const struct loaded *data) {
  if (!copied->capacity) return false;
  uint64_t mark = mark_of(key, data);
  for (size_t at = mark & (copied->capacity - 1); copied->marks[at]; at = (at + 1) & (copied->capacity - 1))
    if (copied->marks[at] == mark) return true;
  return false;
}
