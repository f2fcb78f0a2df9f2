/* PHP's sessions; the first octet picks the handler. */
#include "payload.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  if (size == 0) return 0;
  payload_fuzz(payload_php + data[0] % 3, data + 1, size - 1);
  return 0;
}
