/* Pickles in a session. */
#include "payload.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  payload_fuzz(payload_pickle, data, size);
  return 0;
}
