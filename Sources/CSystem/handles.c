/* Handles that know what they are, in a build with TUILE_CHECK_HANDLES: what is given out is
 * the place of an entry, which is never used again, so that whatever comes later finds it. */
#include "csystem.h"

#ifdef TUILE_CHECK_HANDLES
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>

enum { magic = 0x7475696C, entries_of_a_page = 1024 };

struct entry {
  int magic, kind;
  atomic_bool ended;
  const void *object, *manager; /* of a session */
  struct entry *before, *after; /* Of the sessions that are open. */
  /* The thread that is in one of its calls, and how deep. */
  _Atomic(const void *) thread;
  int depth;
};

static const struct {
  const char *name, *end;
} kinds[] = {
    [SYS_HANDLE_SESSION] = {"session", "tuile_session_end"}, [SYS_HANDLE_MANAGER] = {"manager", "tuile_manager_close"},
    [SYS_HANDLE_STORE] = {"store", "tuile_store_close"},     [SYS_HANDLE_SIGNER] = {"signer", "tuile_signer_free"},
    [SYS_HANDLE_KEYRING] = {"keyring", "tuile_keyring_free"}, [SYS_HANDLE_JAR] = {"jar", "tuile_jar_free"},
    [SYS_HANDLE_QUEUE] = {"queue", "tuile_queue_close"},
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct entry *page, *last; /* The newest session that is open. */
static int used = entries_of_a_page;
static _Thread_local char here; /* Its place says which thread it is. */

static _Noreturn void stop(const char *message) {
  fprintf(stderr, "tuile: %s\n", message);
  abort();
}

#define STOP(...)                                  \
  do {                                             \
    char message[160];                             \
    snprintf(message, sizeof message, __VA_ARGS__); \
    stop(message);                                 \
  } while (0)

void *sys_handle_new(const void *object, int kind, const void *manager) {
  pthread_mutex_lock(&mutex);
  /* Not malloc's: tests let that fail. */
  if (used == entries_of_a_page) {
    page = mmap(NULL, entries_of_a_page * sizeof *page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (page == MAP_FAILED) stop("memory for handles ran out");
    used = 0;
  }
  struct entry *entry = &page[used++];
  *entry = (struct entry){.magic = magic, .kind = kind, .object = object, .manager = manager};
  if (kind == SYS_HANDLE_SESSION) {
    entry->before = last;
    if (last) last->after = entry;
    last = entry;
  }
  pthread_mutex_unlock(&mutex);
  return entry;
}

static struct entry *entry_of(const void *handle, int kind) {
  struct entry *entry = (struct entry *)handle;
  const char *name = kinds[kind].name;
  if ((uintptr_t)handle % _Alignof(struct entry) != 0 || entry->magic != magic)
    STOP("what is used as a %s is no handle of this library", name);
  if (entry->kind != kind) STOP("a %s is used where a %s belongs", kinds[entry->kind].name, name);
  const void *thread = atomic_load(&entry->thread);
  if (thread && thread != &here) STOP("a %s is used by two threads at once", name);
  return entry;
}

static struct entry *living(const void *handle, int kind) {
  struct entry *entry = entry_of(handle, kind);
  if (atomic_load(&entry->ended)) STOP("a %s is used after %s", kinds[kind].name, kinds[kind].end);
  return entry;
}

void *sys_handle_object(const void *handle, int kind) { return (void *)living(handle, kind)->object; }

static int open_sessions(const struct entry *manager) {
  int count = 0;
  pthread_mutex_lock(&mutex);
  for (struct entry *entry = last; entry; entry = entry->before)
    count += entry->manager == manager->object;
  pthread_mutex_unlock(&mutex);
  return count;
}

void *sys_handle_end(const void *handle, int kind) {
  struct entry *entry = entry_of(handle, kind);
  if (entry->depth > 0) STOP("%s is called within another call with that %s", kinds[kind].end, kinds[kind].name);
  if (kind == SYS_HANDLE_MANAGER && !atomic_load(&entry->ended)) {
    int count = open_sessions(entry);
    if (count > 0) STOP("tuile_manager_close is called while %d of the manager's sessions %s open", count, count == 1 ? "is" : "are");
  }
  if (atomic_exchange(&entry->ended, true)) STOP("%s is called twice for a %s", kinds[kind].end, kinds[kind].name);
  if (kind == SYS_HANDLE_SESSION) {
    pthread_mutex_lock(&mutex);
    *(entry->after ? &entry->after->before : &last) = entry->before;
    if (entry->before) entry->before->after = entry->after;
    pthread_mutex_unlock(&mutex);
  }
  return (void *)entry->object;
}

void sys_handle_enter(const void *handle, int kind) {
  struct entry *entry = living(handle, kind);
  const void *nobody = NULL;
  if (!atomic_compare_exchange_strong(&entry->thread, &nobody, &here) && nobody != &here)
    STOP("a %s is used by two threads at once", kinds[kind].name);
  entry->depth++;
}

void sys_handle_leave(const void *handle) {
  struct entry *entry = (struct entry *)handle;
  if (--entry->depth == 0) atomic_store(&entry->thread, NULL);
}
#else
typedef int sys_no_handles; /* A file is not empty. */
#endif
