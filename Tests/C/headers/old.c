/* A program of an earlier version: it knows its own header's structs, and sets them up by their macros. What is behind
 * each struct is the program's, and stays so. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tuile.h>

#define CHECK(expression)                                                                                   \
  do {                                                                                                      \
    if (!(expression)) fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #expression), abort(); \
  } while (0)

enum { behind = 512 };
#define GUARDED(type, init)                                     \
  struct {                                                      \
    type is;                                                    \
    unsigned char canary[behind];                               \
  } type##_ = {.is = init};                                     \
  memset(type##_.canary, 0xA5, behind)
#define INTACT(type) intact(type##_.canary)

static void intact(const unsigned char *canary) {
  for (int i = 0; i < behind; i++) CHECK(canary[i] == 0xA5);
}

static tuile_bytes text(const char *string) { return (tuile_bytes){string, strlen(string)}; }

static int calls;

static tuile_status load(void *context, tuile_bytes key, int64_t now, tuile_receive receive, void *receiver, tuile_error *error) {
  (void)context, (void)key, (void)now, (void)receive, (void)receiver, (void)error;
  calls++;
  return TUILE_ABSENT;
}
static tuile_status create(void *context, tuile_bytes key, tuile_bytes data, int64_t expires, tuile_error *error) {
  (void)context, (void)key, (void)data, (void)expires, (void)error;
  calls++;
  return TUILE_OK;
}
static tuile_status replace(void *context, tuile_bytes key, tuile_bytes expected, tuile_bytes data, int64_t expires, tuile_error *error) {
  (void)context, (void)key, (void)expected, (void)data, (void)expires, (void)error;
  return TUILE_OK;
}
static tuile_status touch(void *context, tuile_bytes key, int64_t expires, tuile_error *error) {
  (void)context, (void)key, (void)expires, (void)error;
  return TUILE_OK;
}
static tuile_status destroy(void *context, tuile_bytes key, tuile_error *error) {
  (void)context, (void)key, (void)error;
  return TUILE_OK;
}
static tuile_status sweep(void *context, int64_t now, size_t limit, size_t *removed, tuile_error *error) {
  (void)context, (void)now, (void)limit, (void)error;
  *removed = 0;
  return TUILE_OK;
}

static void sessions(void) {
  GUARDED(tuile_store_ops, TUILE_STORE_OPS_INIT);
  GUARDED(tuile_config, TUILE_CONFIG_INIT);
  GUARDED(tuile_stats, TUILE_STATS_INIT);
  tuile_store *store = NULL;
  tuile_manager *manager = NULL;
  tuile_error error = {0};
  tuile_store_ops *ops = &tuile_store_ops_.is;
  ops->load = load, ops->create = create, ops->replace = replace, ops->touch = touch, ops->remove = destroy, ops->sweep = sweep;
  CHECK(tuile_store_new(ops, NULL, &store, &error) == TUILE_OK);
  CHECK(tuile_store_create(store, text("abcdefgh"), text("data"), 1, &error) == TUILE_OK);
  CHECK(calls == 1);
  tuile_config *config = &tuile_config_.is;
  config->secret = text("a secret of more than 32 bytes, as it has to be"), config->open_store = store;
  CHECK(tuile_manager_open(config, &manager, &error) == TUILE_OK);
  CHECK(tuile_manager_stats(manager, &tuile_stats_.is) == TUILE_OK);
  CHECK(tuile_stats_.is.loads == 0);
  CHECK(tuile_stats_.is.size == sizeof(tuile_stats));
  tuile_manager_close(manager);
  tuile_store_close(store);
  /* A number that can't be is still seen. */
  config->cookie_age = -1;
  CHECK(tuile_manager_open(config, &manager, &error) == TUILE_E_ARGUMENT);
  INTACT(tuile_store_ops), INTACT(tuile_config), INTACT(tuile_stats);
}

static void signing(void) {
  GUARDED(tuile_signer_config, TUILE_SIGNER_CONFIG_INIT);
  tuile_signer *signer = NULL;
  tuile_error error = {0};
  char token[200], back[200];
  size_t size = 0, length = 0;
  tuile_signer_config_.is.secret = text("a secret of more than 32 bytes, as it has to be"), tuile_signer_config_.is.salt = text("salt");
  CHECK(tuile_signer_new(&tuile_signer_config_.is, &signer, &error) == TUILE_OK);
  CHECK(tuile_signer_dumps(signer, text("[1]"), false, 1700000000, token, sizeof token, &size, &error) == TUILE_OK);
  CHECK(tuile_signer_loads(signer, (tuile_bytes){token, size}, 60, 1700000001, back, sizeof back, &length, NULL, &error) == TUILE_OK);
  CHECK(length == 3);
  CHECK(memcmp(back, "[1]", 3) == 0);
  tuile_signer_free(signer);
  INTACT(tuile_signer_config);
}

static void cookies(void) {
  GUARDED(tuile_set_cookie, TUILE_SET_COOKIE_INIT);
  char written[100];
  size_t size = 0;
  tuile_error error = {0};
  tuile_set_cookie_.is.name = text("a"), tuile_set_cookie_.is.value = text("b");
  CHECK(tuile_set_cookie_write(&tuile_set_cookie_.is, written, sizeof written, &size, &error) == TUILE_OK);
  CHECK(size == 11);
  CHECK(memcmp(written, "a=b; Path=/", 11) == 0);
  INTACT(tuile_set_cookie);
}

int main(void) {
  sessions();
  signing();
  cookies();
  printf("config %zu, signer %zu, ops %zu, cookie %zu, stats %zu\n", sizeof(tuile_config), sizeof(tuile_signer_config),
         sizeof(tuile_store_ops), sizeof(tuile_set_cookie), sizeof(tuile_stats));
  return 0;
}
