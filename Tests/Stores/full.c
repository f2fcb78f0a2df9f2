/* A full disk: the store says so, what was stored before stays as it is, and once
 * there is room again it works again.
 *   store_full URL [BALLAST]   on a file system of a megabyte or so
 * BALLAST is a file there that takes room and is removed later: SQLite needs room
 * to remove something. */
#include "check.h"

#include <unistd.h>

enum { size = 4000, most = 100000 };

static char data[2][size * 8];

static void receive(void *context, tuile_bytes bytes, int64_t expires) {
  (void)expires;
  const tuile_bytes *wanted = context;
  CHECK(bytes.size == wanted->size);
  CHECK(memcmp(bytes.data, wanted->data, bytes.size) == 0);
}

static tuile_bytes key_of(char buffer[16], int number) {
  snprintf(buffer, 16, "full%08d", number);
  return text(buffer);
}

int main(int argc, char **argv) {
  CHECK(argc > 1);
  const int64_t expires = INT64_C(4102444800000000);
  char buffer[16];
  tuile_store *store;
  tuile_error error = {0};
  tuile_status status = TUILE_OK;
  CHECK(tuile_store_open(text(argv[1]), &store, &error) == TUILE_OK);
  memset(data[0], 'a', sizeof data[0]), memset(data[1], 'b', sizeof data[1]);
  tuile_bytes small = {data[0], size}, large = {data[1], sizeof data[1]};
  int count = 0;
  for (; count < most && status == TUILE_OK; count++) status = tuile_store_create(store, key_of(buffer, count), small, expires, &error);
  count--;
  printf("after %d sessions: %s: %s\n", count, tuile_status_name(status), error.message);
  CHECK(status == TUILE_E_STORE);
  CHECK(error.status == status);
  CHECK(count > 10);
  CHECK(tuile_store_load(store, key_of(buffer, count), 0, receive, &small, NULL) == TUILE_ABSENT);
  int failed = 0;
  for (int i = 0; i < count; i++) {
    status = tuile_store_replace(store, key_of(buffer, i), small, large, expires, &error);
    if (status != TUILE_OK) failed++;
    CHECK(status == TUILE_OK || status == TUILE_E_STORE);
    CHECK(tuile_store_load(store, key_of(buffer, i), 0, receive, status == TUILE_OK ? &large : &small, NULL) == TUILE_OK);
    if (status == TUILE_OK) CHECK(tuile_store_replace(store, key_of(buffer, i), large, small, expires, &error) == TUILE_OK || error.status == TUILE_E_STORE);
    if (failed > 20) break;
  }
  CHECK(failed > 0);
  if (argc > 2) CHECK(unlink(argv[2]) == 0);
  /* Without ballast removing has to work: it is how room comes back. */
  for (int i = 0; i < count / 2; i++) {
    status = tuile_store_remove(store, key_of(buffer, i), &error);
    if (status != TUILE_OK) fprintf(stderr, "removing: %s: %s\n", tuile_status_name(status), error.message);
    CHECK(status == TUILE_OK);
  }
  CHECK(tuile_store_create(store, key_of(buffer, most), small, expires, &error) == TUILE_OK);
  for (int i = count / 2; i < count; i++) {
    status = tuile_store_load(store, key_of(buffer, i), 0, receive, &small, NULL);
    CHECK(status == TUILE_OK);
  }
  tuile_store_close(store);
  puts("nothing was lost on a full disk");
  return 0;
}
