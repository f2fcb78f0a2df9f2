/* A Redis server that says anything: what comes from it is an answer or a status. The first octet picks the
 * call and the kind of URL; the rest, cut at each 0xFF, is what each connection gets to hear. */
#include "server.h"

#define LIMITS "open=lazy&connect=100&timeout=100&retries=0"
static const char *const urls[] = {"redis://127.0.0.1?" LIMITS, "redis://ada:secret@127.0.0.1/3?prefix=web&" LIMITS,
                                   "redis://127.0.0.1:1,127.0.0.1:2/?" LIMITS,
                                   "redis://127.0.0.1:1,127.0.0.1:2/?sentinel=master&" LIMITS};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0 || size > 65536) return 0;
  server_begins(data + 1, size - 1);
  /* The last eight are walks. */
  bool walks = data[0] >= 248;
  const char *url = urls[walks ? (data[0] - 248) / 2 : data[0] / 9 % 4];
  tuile_store_ops ops = TUILE_STORE_OPS_INIT;
  void *store;
  tuile_error error = {0};
  REQUIRE(tuile_module_open((tuile_bytes){url, strlen(url)}, &ops, &store, &error) == TUILE_OK);
  for (int i = 0; i < 2; i++) {
    memset(&error, 0, sizeof error);
    tuile_status status = call(&ops, store, walks ? 9 + data[0] % 2 : data[0] % 9, &error);
    check_answer(status, &error);
  }
  ops.close(store);
  server_ends();
  return 0;
}
