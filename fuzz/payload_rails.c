/* An entry of Rails' cache, in any of its formats, and behind a line feed a JSON object to change its session to. */
#include "payload.h"

int32_t payload_rails(int32_t form, tuile_bytes stored, const tuile_bytes *json, int64_t now, int64_t expires, tuile_bytes *out);

enum { made = 1700000000000000, ending = 1700007200000000 };

/* What is written reads as what was wanted, and is written again as it is. */
static void change(tuile_bytes stored, tuile_bytes json) {
  tuile_bytes out, again, wanted;
  int32_t status = payload_rails(2, stored, &json, made, ending, &out);
  REQUIRE(status >= payload_ok);
  REQUIRE(status < payload_no_memory);
  if (status == payload_ok) {
    REQUIRE(payload_run(payload_json, json, NULL, &wanted) == payload_ok);
    status = payload_rails(2, out, NULL, 0, 0, &again);
    /* What grows may leave the bounds. */
    REQUIRE(status == payload_ok || status == payload_malformed);
    if (status == payload_ok) REQUIRE(payload_same(again, wanted));
    payload_free(again);
    status = payload_rails(2, out, &json, made, ending, &again);
    REQUIRE(status == payload_ok || status == payload_malformed);
    if (status == payload_ok) REQUIRE(same(again, out));
    payload_free(again);
    payload_free(wanted);
  }
  payload_free(out);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  const uint8_t *cut = memrchr(data, '\n', size);
  tuile_bytes stored = {data, cut ? (size_t)(cut - data) : size}, json;
  if (cut) change(stored, (tuile_bytes){cut + 1, size - stored.size - 1});
  int32_t status = payload_rails(2, stored, NULL, 0, 0, &json);
  REQUIRE(status == payload_ok || status == payload_malformed);
  if (status == payload_ok) change(stored, json);
  payload_free(json);
  return 0;
}
