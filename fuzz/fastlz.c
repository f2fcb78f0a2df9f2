/* FastLZ, which php-memcached compresses with: as a stream that anybody may have left, of which the first three octets say
 * how long it becomes, and as what is compressed, which comes out as it was. */
#include "fuzz.h"

#include <cmemcached.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size < 3) return 0;
  size_t room = (data[0] | (size_t)data[1] << 8 | (size_t)data[2] << 16) % (1 << 20);
  uint8_t *out = malloc(room + 1);
  REQUIRE(out != NULL);
  cm_fastlz_decode(data + 3, size - 3, out, room);
  free(out);
  size_t bound = cm_fastlz_bound(size);
  uint8_t *packed = malloc(bound), *again = malloc(size);
  REQUIRE(packed != NULL);
  REQUIRE(again != NULL);
  size_t length = cm_fastlz_encode(data, size, packed);
  REQUIRE(length > 0);
  REQUIRE(length <= bound);
  REQUIRE(cm_fastlz_decode(packed, length, again, size));
  REQUIRE(memcmp(again, data, size) == 0);
  REQUIRE(!cm_fastlz_decode(packed, length, again, size - 1));
  free(packed);
  free(again);
  return 0;
}
