/* A memcached server that says anything, in text and in the binary protocol. The first octet picks the call and the
 * kind of URL; of the last two what is stored is a framework's, perhaps compressed, and locked. */
#include "server.h"

#define LIMITS "open=lazy&connect=100&timeout=100&retries=0"
static const char *const urls[] = {"memcached://127.0.0.1/?" LIMITS, "memcached://127.0.0.1:1,127.0.0.1:2/?prefix=web&" LIMITS,
                                   "memcached://ada:secret@127.0.0.1/?auth=text&" LIMITS,
                                   "memcached://ada:secret@127.0.0.1/?" LIMITS,
                                   "memcached://127.0.0.1/?key_prefix=a.&php_compression=1&" LIMITS,
                                   "memcached://127.0.0.1/?key_prefix=a.&item_flags=1&zlib_flag=8&lock_prefix=lock.&busy=0&" LIMITS};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0 || size > 65536) return 0;
  server_begins(data + 1, size - 1);
  const char *url = urls[data[0] / 6 % 6];
  tuile_store_ops ops = TUILE_STORE_OPS_INIT;
  void *store;
  tuile_error error = {0};
  REQUIRE(tuile_module_open((tuile_bytes){url, strlen(url)}, &ops, &store, &error) == TUILE_OK);
  for (int i = 0; i < 2; i++) {
    memset(&error, 0, sizeof error);
    check_answer(call(&ops, store, data[0] % 6, &error), &error);
  }
  ops.close(store);
  server_ends();
  return 0;
}
