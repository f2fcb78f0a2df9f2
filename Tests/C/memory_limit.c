/* memory:?max_bytes=N: what was used longest ago goes, what is in use stays, and
 * all of it is counted; lists of owners follow. */
#include "check.h"

#include <malloc.h>
#include <unistd.h>

enum { limit = 8 << 20, size = 500, many = 100000, kept = 200 };

static const int64_t expires = INT64_C(4102444800000000);
static char data[limit];

static void receive(void *context, tuile_bytes bytes, int64_t when) { *(size_t *)context += bytes.size + (when == 0); }
static void count(void *context, tuile_bytes key, tuile_bytes record, int64_t when) {
  CHECK(record.size == 600);
  CHECK(key.size == 13);
  CHECK(when == expires);
  ++*(int *)context;
}

static tuile_bytes key_of(char buffer[16], const char *kind, int number) {
  snprintf(buffer, 16, "%s%08d", kind, number);
  return text(buffer);
}

static bool has(tuile_store *store, tuile_bytes key) {
  size_t got = 0;
  tuile_status status = tuile_store_load(store, key, 0, receive, &got, NULL);
  CHECK(status == TUILE_OK || status == TUILE_ABSENT);
  return status == TUILE_OK;
}

/* The allocator counts what it keeps for the next calls of the thread. */
enum { cached = 32768 };

static size_t in_use(void) { return mallinfo2().uordblks + mallinfo2().hblkhd; }

int main(void) {
  tuile_store *store;
  tuile_error error;
  char buffer[16];
  CHECK(tuile_store_open(text("memory:?max_bytes=65535"), &store, &error) == TUILE_E_SYNTAX);
  CHECK(tuile_store_open(text("memory:?size=1"), &store, &error) == TUILE_E_SYNTAX);
  CHECK(tuile_store_open(text("memory:/x"), &store, &error) == TUILE_E_SYNTAX);
  size_t before = in_use();
  CHECK(tuile_store_open(text("memory:?max_bytes=8388608"), &store, &error) == TUILE_OK);
  for (int i = 0; i < many; i++) {
    CHECK(tuile_store_create(store, key_of(buffer, "often", i % kept), (tuile_bytes){data, size}, expires, NULL) >= 0);
    CHECK(has(store, key_of(buffer, "often", i % kept)));
    CHECK(tuile_store_create(store, key_of(buffer, "oncex", i), (tuile_bytes){data, size}, expires, NULL) == TUILE_OK);
  }
  size_t used = in_use() - before;
  printf("%zu bytes in use of %d\n", used, limit);
  CHECK(used <= limit + cached);
  CHECK(used > limit / 2);
  int often = 0, once = 0;
  for (int i = 0; i < kept; i++) often += has(store, key_of(buffer, "often", i));
  for (int i = 0; i < many / 2; i++) once += has(store, key_of(buffer, "oncex", i));
  CHECK(often == kept);
  CHECK(once == 0);
  CHECK(has(store, key_of(buffer, "oncex", many - 1)));
  /* Larger than everything: refused, and nothing had to go. */
  CHECK(tuile_store_put(store, text("toolarge0"), (tuile_bytes){data, limit / 2}, expires, &error) == TUILE_E_LIMIT);
  CHECK(tuile_store_replace(store, key_of(buffer, "often", 0), (tuile_bytes){data, size}, (tuile_bytes){data, limit / 2}, expires, &error) == TUILE_E_LIMIT);
  for (int i = 0; i < kept; i++) CHECK(has(store, key_of(buffer, "often", i)));
  /* Entries of owners count too, and go with their sessions. */
  char record[600];
  memset(record, 'r', sizeof record);
  for (int i = 0; i < many; i++) {
    tuile_bytes key = key_of(buffer, "owned", i);
    CHECK(tuile_store_create(store, key, (tuile_bytes){data, size}, expires, NULL) == TUILE_OK);
    CHECK(tuile_store_own(store, text("ada"), key, (tuile_bytes){record, sizeof record}, expires, NULL) == TUILE_OK);
  }
  used = in_use() - before;
  int listed = 0, there = 0;
  CHECK(tuile_store_owned(store, text("ada"), 0, count, &listed, NULL) == TUILE_OK);
  for (int i = 0; i < many; i++) there += has(store, key_of(buffer, "owned", i));
  printf("%zu bytes in use, %d listed, %d there\n", used, listed, there);
  CHECK(used <= limit + cached);
  CHECK(listed == there);
  CHECK(listed > 1000);
  tuile_store_close(store);
  return 0;
}
