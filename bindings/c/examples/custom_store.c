#include "custom_store.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

struct item {
  struct item *next;
  int64_t expires;
  size_t size;
  char key[41];
  char data[];
};

struct list {
  pthread_mutex_t mutex;
  struct item *first;
};

/* Where the pointer to the item of that key is, or the end of the list. */
static struct item **find(struct list *list, tuile_bytes key) {
  struct item **place = &list->first;
  while (*place && (strlen((*place)->key) != key.size || memcmp((*place)->key, key.data, key.size) != 0))
    place = &(*place)->next;
  return place;
}

static struct item *make(tuile_bytes key, tuile_bytes data, int64_t expires, struct item *next) {
  struct item *item = calloc(1, sizeof *item + data.size);
  if (!item) return NULL;
  item->next = next;
  item->expires = expires;
  item->size = data.size;
  memcpy(item->key, key.data, key.size); /* at most 40: the library checks */
  if (data.size > 0) memcpy(item->data, data.data, data.size);
  return item;
}

static tuile_status load(void *context, tuile_bytes key, int64_t now, tuile_receive receive, void *receiver,
                         tuile_error *error) {
  struct list *list = context;
  (void)error;
  pthread_mutex_lock(&list->mutex);
  struct item *item = *find(list, key);
  bool live = item && item->expires > now;
  /* The library copies what it receives, so that the lock may be held. */
  if (live) receive(receiver, (tuile_bytes){item->data, item->size}, item->expires);
  pthread_mutex_unlock(&list->mutex);
  return live ? TUILE_OK : TUILE_ABSENT;
}

static tuile_status create(void *context, tuile_bytes key, tuile_bytes data, int64_t expires, tuile_error *error) {
  struct list *list = context;
  (void)error;
  tuile_status status = TUILE_EXISTS;
  pthread_mutex_lock(&list->mutex);
  struct item **place = find(list, key);
  if (!*place) {
    *place = make(key, data, expires, NULL);
    status = *place ? TUILE_OK : TUILE_E_MEMORY;
  }
  pthread_mutex_unlock(&list->mutex);
  return status;
}

static tuile_status replace(void *context, tuile_bytes key, tuile_bytes expected, tuile_bytes data, int64_t expires,
                            tuile_error *error) {
  struct list *list = context;
  (void)error;
  tuile_status status = TUILE_OK;
  pthread_mutex_lock(&list->mutex);
  struct item **place = find(list, key), *old = *place;
  if (!old) {
    status = TUILE_ABSENT;
  } else if (old->size != expected.size || (old->size > 0 && memcmp(old->data, expected.data, old->size) != 0)) {
    status = TUILE_CONFLICT;
  } else {
    struct item *item = make(key, data, expires, old->next);
    if (item) {
      *place = item;
      free(old);
    } else {
      status = TUILE_E_MEMORY;
    }
  }
  pthread_mutex_unlock(&list->mutex);
  return status;
}

static tuile_status touch(void *context, tuile_bytes key, int64_t expires, tuile_error *error) {
  struct list *list = context;
  (void)error;
  pthread_mutex_lock(&list->mutex);
  struct item *item = *find(list, key);
  if (item) item->expires = expires;
  pthread_mutex_unlock(&list->mutex);
  return item ? TUILE_OK : TUILE_ABSENT;
}

static void drop(struct item **place) {
  struct item *item = *place;
  *place = item->next;
  free(item);
}

static tuile_status remove_key(void *context, tuile_bytes key, tuile_error *error) {
  struct list *list = context;
  (void)error;
  pthread_mutex_lock(&list->mutex);
  struct item **place = find(list, key);
  if (*place) drop(place);
  pthread_mutex_unlock(&list->mutex);
  return TUILE_OK;
}

static tuile_status sweep(void *context, int64_t now, size_t limit, size_t *removed, tuile_error *error) {
  struct list *list = context;
  (void)error;
  *removed = 0;
  pthread_mutex_lock(&list->mutex);
  for (struct item **place = &list->first; *place && *removed < limit;) {
    if ((*place)->expires < now) {
      drop(place);
      ++*removed;
    } else {
      place = &(*place)->next;
    }
  }
  pthread_mutex_unlock(&list->mutex);
  return TUILE_OK;
}

static void close_list(void *context) {
  struct list *list = context;
  while (list->first) drop(&list->first);
  pthread_mutex_destroy(&list->mutex);
  free(list);
}

tuile_status custom_store_open(tuile_store **store, tuile_error *error) {
  struct list *list = calloc(1, sizeof *list);
  if (!list) return TUILE_E_MEMORY;
  pthread_mutex_init(&list->mutex, NULL);
  tuile_store_ops ops = TUILE_STORE_OPS_INIT;
  ops.trusted = true; /* the list lives in this process alone */
  ops.load = load;
  ops.create = create;
  ops.replace = replace;
  ops.touch = touch;
  ops.remove = remove_key;
  ops.sweep = sweep;
  ops.close = close_list;
  tuile_status status = tuile_store_open_ops(&ops, list, store, error);
  if (status != TUILE_OK) close_list(list);
  return status;
}
