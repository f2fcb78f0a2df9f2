/* Each misuse of a handle, in a child of its own: a build with TUILE_CHECK_HANDLES ends it with a
 * message that names the object; and what is right goes on. */
#include "check.h"

#include <pthread.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static tuile_manager *manager;
static tuile_session *session;
static tuile_error error;

static tuile_manager *open_manager(tuile_store *store) {
  tuile_config config = TUILE_CONFIG_INIT;
  tuile_manager *opened;
  config.secret = text("a secret of more than thirty-two bytes");
  if (store) config.open_store = store;
  else config.store = text("memory:");
  CHECK(tuile_manager_open(&config, &opened, &error) == TUILE_OK);
  return opened;
}

static tuile_session *start(const char *cookies) {
  tuile_session *started;
  CHECK(tuile_session_start(manager, text(cookies), text(""), &started, &error) == TUILE_OK);
  return started;
}

static void begin(void) {
  manager = open_manager(NULL);
  session = start("");
}

static tuile_store *open_store(void) {
  tuile_store *store;
  CHECK(tuile_store_open(text("memory:"), &store, &error) == TUILE_OK);
  return store;
}

static tuile_keyring *new_keyring(void) {
  tuile_keyring *keyring;
  CHECK(tuile_keyring_new(false, &keyring, &error) == TUILE_OK);
  return keyring;
}

static tuile_signer *new_signer(void) {
  tuile_signer *signer;
  tuile_signer_config config = TUILE_SIGNER_CONFIG_INIT;
  config.secret = text("a secret of more than thirty-two bytes");
  CHECK(tuile_signer_new(&config, &signer, &error) == TUILE_OK);
  return signer;
}

static tuile_jar *new_jar(void) {
  tuile_jar *jar;
  tuile_jar_config config = TUILE_JAR_CONFIG_INIT;
  CHECK(tuile_jar_new(&config, &jar, &error) == TUILE_OK);
  return jar;
}

static void use_session(void) { tuile_session_load(session, &error); }

/* A store that waits, so that its session is in use for as long as the test wants. */
static pthread_barrier_t inside;

static tuile_status wait_inside(void *context, tuile_bytes id, int64_t now, tuile_receive receive, void *receiver, tuile_error *failed) {
  (void)context, (void)id, (void)now, (void)receive, (void)receiver;
  pthread_barrier_wait(&inside);
  pause();
  return failed->status = TUILE_ABSENT;
}

static tuile_status end_inside(void *context, tuile_bytes id, int64_t now, tuile_receive receive, void *receiver, tuile_error *failed) {
  (void)context, (void)id, (void)now, (void)receive, (void)receiver;
  tuile_session_end(session);
  return failed->status = TUILE_ABSENT;
}

static tuile_status none_created(void *c, tuile_bytes id, tuile_bytes data, int64_t expires, tuile_error *e) {
  return (void)c, (void)id, (void)data, (void)expires, e->status = TUILE_EXISTS;
}
static tuile_status none_replaced(void *c, tuile_bytes id, tuile_bytes old, tuile_bytes data, int64_t expires, tuile_error *e) {
  return (void)c, (void)id, (void)old, (void)data, (void)expires, e->status = TUILE_ABSENT;
}
static tuile_status none_touched(void *c, tuile_bytes id, int64_t expires, tuile_error *e) {
  return (void)c, (void)id, (void)expires, e->status = TUILE_ABSENT;
}
static tuile_status none_removed(void *c, tuile_bytes id, tuile_error *e) { return (void)c, (void)id, e->status = TUILE_OK; }
static tuile_status none_swept(void *c, int64_t now, size_t limit, size_t *removed, tuile_error *e) {
  return (void)c, (void)now, (void)limit, *removed = 0, e->status = TUILE_OK;
}

static void begin_with(tuile_status (*load)(void *, tuile_bytes, int64_t, tuile_receive, void *, tuile_error *)) {
  tuile_store *store;
  tuile_store_ops ops = TUILE_STORE_OPS_INIT;
  ops.trusted = true, ops.load = load, ops.create = none_created, ops.replace = none_replaced;
  ops.touch = none_touched, ops.remove = none_removed, ops.sweep = none_swept;
  CHECK(tuile_store_open_ops(&ops, NULL, &store, &error) == TUILE_OK);
  manager = open_manager(store);
  session = start("sessionid=abcdefghijklmnopqrstuvwxyz012345");
}

static void *load(void *unused) {
  tuile_session_load(session, &error);
  return unused;
}

/* Another thread is in a call with the session, and stays there. */
static void share(void) {
  pthread_t thread;
  CHECK(pthread_barrier_init(&inside, NULL, 2) == 0);
  begin_with(wait_inside);
  CHECK(pthread_create(&thread, NULL, load, NULL) == 0);
  pthread_barrier_wait(&inside);
}

/* ---- the misuses ---- */

static void used_session(void) { begin(), tuile_session_end(session), use_session(); }
static void asked_session(void) { begin(), tuile_session_end(session), tuile_session_accessed(session); }
static void session_twice(void) { begin(), tuile_session_end(session), tuile_session_end(session); }
static void shared_session(void) { share(), use_session(); }
static void shared_asking(void) { share(), tuile_session_accessed(session); }
static void shared_end(void) { share(), tuile_session_end(session); }
static void session_within(void) { begin_with(end_inside), use_session(); }
static void manager_in_use(void) { begin(), tuile_manager_close(manager); }
static void begin_another(void) { start(""); }
static void manager_with_two(void) { begin(), begin_another(), tuile_manager_close(manager); }
static void used_manager(void) { begin(), tuile_session_end(session), tuile_manager_close(manager), tuile_manager_check(manager, &error); }
static void begun_late(void) { begin(), tuile_session_end(session), tuile_manager_close(manager), begin_another(); }
static void manager_twice(void) { begin(), tuile_session_end(session), tuile_manager_close(manager), tuile_manager_close(manager); }

static void used_store(void) {
  tuile_store *store = open_store();
  tuile_store_close(store);
  tuile_store_remove(store, text("abcdefgh"), &error);
}
static void closed_store_opened(void) {
  tuile_store *store = open_store();
  tuile_store_close(store);
  open_manager(store);
}
static void store_twice(void) {
  tuile_store *store = open_store();
  tuile_store_close(store), tuile_store_close(store);
}
static void used_signer(void) {
  tuile_signer *signer = new_signer();
  char token[200];
  size_t size;
  tuile_signer_free(signer);
  tuile_signing signing = TUILE_SIGNING_INIT;
  CHECK(tuile_token_sign(signer, &signing, token, sizeof token, &size, &error) == TUILE_OK);
}
static void signer_twice(void) {
  tuile_signer *signer = new_signer();
  tuile_signer_free(signer), tuile_signer_free(signer);
}
static void used_keyring(void) {
  tuile_keyring *keyring = new_keyring();
  tuile_keyring_free(keyring);
  CHECK(tuile_keyring_add(keyring, text("a secret of more than thirty-two bytes"), TUILE_SECRET_TEXT, &error) == TUILE_OK);
}
static void keyring_twice(void) {
  tuile_keyring *keyring = new_keyring();
  tuile_keyring_free(keyring), tuile_keyring_free(keyring);
}
static void used_jar(void) {
  tuile_jar *jar = new_jar();
  tuile_jar_free(jar);
  CHECK(tuile_jar_save(jar, text("jar"), true, &error) == TUILE_OK);
}
static void jar_twice(void) {
  tuile_jar *jar = new_jar();
  tuile_jar_free(jar), tuile_jar_free(jar);
}
static void signer_for_session(void) { tuile_session_end((tuile_session *)(void *)new_signer()); }
static void session_for_manager(void) { begin(), tuile_manager_check((tuile_manager *)(void *)session, &error); }
static void text_for_store(void) {
  static _Alignas(64) char text_of_ours[128] = "no handle";
  tuile_store_close((tuile_store *)(void *)text_of_ours);
}

/* ---- what is right ---- */

static void right(void) {
  begin();
  tuile_session *other = start("");
  use_session();
  CHECK(tuile_session_set_int(session, text("n"), 1, &error) == TUILE_OK);
  CHECK(!tuile_session_accessed(other));
  tuile_session_end(other);
  tuile_session_end(session);
  tuile_session_end(NULL), tuile_manager_close(NULL), tuile_store_close(NULL), tuile_jar_free(NULL);
  tuile_manager_close(manager);
  begin();
  pthread_t thread; /* One after the other is fine. */
  CHECK(pthread_create(&thread, NULL, load, NULL) == 0);
  CHECK(pthread_join(thread, NULL) == 0);
  use_session();
  tuile_session_end(session);
  tuile_manager_close(manager);
  tuile_keyring_free(new_keyring()), tuile_signer_free(new_signer()), tuile_jar_free(new_jar()), tuile_store_close(open_store());
}

/* What the child said, and whether it was stopped. */
static bool stopped(void (*misuse)(void), char *said, size_t capacity) {
  int ends[2], status;
  CHECK(pipe(ends) == 0);
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    dup2(ends[1], STDERR_FILENO);
    close(ends[0]), close(ends[1]);
    alarm(60);
    misuse();
    _exit(0);
  }
  close(ends[1]);
  size_t size = 0;
  ssize_t more;
  while (size + 1 < capacity && (more = read(ends[0], said + size, capacity - 1 - size)) > 0) size += (size_t)more;
  said[size] = 0;
  close(ends[0]);
  CHECK(waitpid(child, &status, 0) == child);
  return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static const struct {
  const char *name;
  void (*misuse)(void);
  const char *message;
} misuses[] = {
#define MISUSE(name, message) {#name, name, "tuile: " message "\n"}
    MISUSE(used_session, "a session is used after tuile_session_end"),
    MISUSE(asked_session, "a session is used after tuile_session_end"),
    MISUSE(session_twice, "tuile_session_end is called twice for a session"),
    MISUSE(shared_session, "a session is used by two threads at once"),
    MISUSE(shared_asking, "a session is used by two threads at once"),
    MISUSE(shared_end, "a session is used by two threads at once"),
    MISUSE(session_within, "tuile_session_end is called within another call with that session"),
    MISUSE(manager_in_use, "tuile_manager_close is called while 1 of the manager's sessions is open"),
    MISUSE(manager_with_two, "tuile_manager_close is called while 2 of the manager's sessions are open"),
    MISUSE(used_manager, "a manager is used after tuile_manager_close"),
    MISUSE(begun_late, "a manager is used after tuile_manager_close"),
    MISUSE(manager_twice, "tuile_manager_close is called twice for a manager"),
    MISUSE(used_store, "a store is used after tuile_store_close"),
    MISUSE(closed_store_opened, "a store is used after tuile_store_close"),
    MISUSE(store_twice, "tuile_store_close is called twice for a store"),
    MISUSE(used_signer, "a signer is used after tuile_signer_free"),
    MISUSE(signer_twice, "tuile_signer_free is called twice for a signer"),
    MISUSE(used_keyring, "a keyring is used after tuile_keyring_free"),
    MISUSE(keyring_twice, "tuile_keyring_free is called twice for a keyring"),
    MISUSE(used_jar, "a jar is used after tuile_jar_free"),
    MISUSE(jar_twice, "tuile_jar_free is called twice for a jar"),
    MISUSE(signer_for_session, "a signer is used where a session belongs"),
    MISUSE(session_for_manager, "a session is used where a manager belongs"),
    MISUSE(text_for_store, "what is used as a store is no handle of this library"),
};

int main(void) {
  char said[500];
  int unseen = 0, all = (int)(sizeof misuses / sizeof *misuses);
  CHECK(!stopped(right, said, sizeof said));
  CHECK(said[0] == 0);
  for (int i = 0; i < all; i++) {
    if (stopped(misuses[i].misuse, said, sizeof said) && strcmp(said, misuses[i].message) == 0) continue;
    printf("%s: %s", misuses[i].name, said[0] ? said : "nothing was noticed\n");
    unseen++;
  }
  printf("%d misuses of handles, %d of them not noticed\n", all, unseen);
  return unseen > 0;
}
