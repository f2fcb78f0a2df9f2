/* A Redis server that means harm: replies of kinds that nobody asked for, arrays in arrays
 * without an end, numbers that can't be. Each is a status, on a thread with a stack of
 * 128 KiB, in a process of its own.
 *   store_hostile              all of them
 *   store_hostile control      must fail: the replies are sound, and no status is one */
#define _GNU_SOURCE
#include "check.h"

#include <arpa/inet.h>
#include <pthread.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

enum { levels = 100000, stack = 128 << 10 };

struct reply {
  const char *name, *text;
  int times; /* the text is repeated */
};

static const struct reply replies[] = {
    {"a double", ",1.5\r\n", 1},
    {"a double that is none", ",inf\r\n", 1},
    {"true", "#t\r\n", 1},
    {"false", "#f\r\n", 1},
    {"RESP3's nil", "_\r\n", 1},
    {"a big number", "(3492890328409238509324850943850943825024385\r\n", 1},
    {"a verbatim text", "=6\r\ntxt:xy\r\n", 1},
    {"a blob's error", "!5\r\nERR x\r\n", 1},
    {"a map", "%1\r\n+k\r\n+v\r\n", 1},
    {"an empty map", "%0\r\n", 1},
    {"a map of too many", "%4611686018427387904\r\n", 1},
    {"a set", "~1\r\n+v\r\n", 1},
    {"a push", ">2\r\n+message\r\n+v\r\n", 1},
    {"attributes", "|1\r\n+k\r\n+v\r\n$1\r\nx\r\n", 1},
    {"a double in an array", "*2\r\n,1.5\r\n+x\r\n", 1},
    {"truth in arrays", "*1\r\n*2\r\n#t\r\n#f\r\n", 1},
    {"a nil in an array", "*2\r\n_\r\n:1\r\n", 1},
    {"a map in an array", "*1\r\n%1\r\n+k\r\n,2\r\n", 1},
    {"a text of unknown length", "$?\r\n;1\r\nx\r\n;0\r\n", 1},
    {"an array of unknown length", "*?\r\n", 1},
    {"an array of too many", "*9223372036854775807\r\n", 1},
    {"an array of many", "*262145\r\n", 1},
    {"arrays of less than none", "*-2\r\n", 1},
    {"arrays in each other", "*1\r\n", levels},
    {"arrays in each other, behind something", "*2\r\n:1\r\n", levels},
    {"maps in each other", "%1\r\n+k\r\n", levels},
    {"sets in each other", "~1\r\n", levels},
    {"pushes in each other", ">1\r\n", levels},
    {"attributes in each other", "|1\r\n+k\r\n", levels},
    {"arrays and maps in each other", "*1\r\n%1\r\n+k\r\n", levels / 2},
    {"as many arrays as are read", "*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n*1\r\n:1\r\n", 1},
    {"a line without an end", "+aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", 1 << 18},
};

static const struct reply sound = {"a session", "$1\r\nx\r\n:2000000000000\r\n", 1};

/* ---- the server ---- */

static const struct reply *given;
static int listener;

static bool send_all(int to, const char *text, size_t size) {
  for (ssize_t sent; size > 0; text += sent, size -= (size_t)sent) {
    sent = send(to, text, size, MSG_NOSIGNAL);
    if (sent <= 0) return false;
  }
  return true;
}

static void *serve_one(void *context) {
  int connection = (int)(intptr_t)context;
  char heard[4096];
  size_t size = strlen(given->text);
  for (ssize_t got; (got = recv(connection, heard, sizeof heard, 0)) > 0;) {
    if (memmem(heard, (size_t)got, "PEXPIRETIME", 11) && memmem(heard, (size_t)got, "probe", 5)) {
      if (!send_all(connection, ":-2\r\n", 5)) break;
      continue;
    }
    bool fine = true;
    for (int i = 0; i < given->times && fine; i++) fine = send_all(connection, given->text, size);
    if (!fine) break;
  }
  close(connection);
  return NULL;
}

static void *serve(void *context) {
  (void)context;
  for (int connection; (connection = accept(listener, NULL, NULL)) >= 0;) {
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, serve_one, (void *)(intptr_t)connection) == 0);
    pthread_detach(thread);
  }
  return NULL;
}

static int listen_on_loopback(void) {
  struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
  socklen_t size = sizeof address;
  listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  CHECK(listener >= 0);
  CHECK(bind(listener, (struct sockaddr *)&address, size) == 0);
  CHECK(listen(listener, 64) == 0);
  CHECK(getsockname(listener, (struct sockaddr *)&address, &size) == 0);
  return ntohs(address.sin_port);
}

/* ---- the client ---- */

static void receive(void *context, tuile_bytes data, int64_t expires) { (void)context, (void)data, (void)expires; }
static void receive_owned(void *context, tuile_bytes key, tuile_bytes record, int64_t expires) {
  (void)context, (void)key, (void)record, (void)expires;
}
static bool receive_key(void *context, tuile_bytes key, int64_t expires) {
  (void)context, (void)key, (void)expires;
  return true;
}

static void refused(tuile_status status, const tuile_error *error) {
  CHECK(status < 0);
  CHECK(error->message[0]);
  CHECK(status != TUILE_E_ARGUMENT);
  CHECK(status != TUILE_E_MEMORY);
  CHECK(status != TUILE_E_CALLBACK);
}

static void *call_all(void *context) {
  tuile_store *store = context;
  tuile_error error = {0};
  const tuile_bytes key = text("abcdefgh"), data = text("data");
  refused(tuile_store_load(store, key, 1000, receive, NULL, &error), &error);
  refused(tuile_store_replace(store, key, data, text("next"), INT64_C(4102444800000000), &error), &error);
  refused(tuile_store_owned(store, text("ada"), 1000, receive_owned, NULL, &error), &error);
  refused(tuile_store_keys(store, 1000, receive_key, NULL, &error), &error);
  return NULL;
}

static int try(const struct reply *reply) {
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    char url[128];
    tuile_store *store;
    tuile_error error = {0};
    pthread_t server, client;
    pthread_attr_t small;
    given = reply;
    snprintf(url, sizeof url, "redis://127.0.0.1:%d?timeout=2000&connect=10000&retries=0&open=lazy", listen_on_loopback());
    CHECK(pthread_create(&server, NULL, serve, NULL) == 0);
    CHECK(tuile_store_open(text(url), &store, &error) == TUILE_OK);
    CHECK(pthread_attr_init(&small) == 0);
    CHECK(pthread_attr_setstacksize(&small, stack) == 0);
    CHECK(pthread_create(&client, &small, call_all, store) == 0);
    CHECK(pthread_join(client, NULL) == 0);
    tuile_store_close(store);
    _exit(0);
  }
  int status;
  CHECK(waitpid(child, &status, 0) == child);
  if (WIFSIGNALED(status)) printf("%s: signal %d\n", reply->name, WTERMSIG(status));
  return status != 0;
}

int main(int count, char **arguments) {
  if (count > 1 && strcmp(arguments[1], "control") == 0) return try(&sound);
  int failed = 0, all = (int)(sizeof replies / sizeof *replies);
  for (int i = 0; i < all; i++) failed += try(&replies[i]);
  printf("%d hostile replies, %d of them harmed\n", all, failed);
  return failed > 0;
}
