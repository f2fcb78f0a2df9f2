/* The command's guess at what a token is: any octets have an answer. */
#include "../bindings/c/tool/tool.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  for (int json = 0; json < 2; json++) {
    out_begin(json);
    inspect_shape((tuile_bytes){data, size});
  }
  return 0;
}
