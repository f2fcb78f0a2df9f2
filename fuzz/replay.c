/* Runs a target over files without the fuzzer: the kept corpus as a plain test. */
#include "fuzz.h"

int main(int argc, char **argv) {
  for (int i = 1; i < argc; i++) {
    FILE *file = fopen(argv[i], "rb");
    if (!file) return fprintf(stderr, "cannot open %s\n", argv[i]), 1;
    static uint8_t data[1 << 20];
    size_t size = fread(data, 1, sizeof data, file);
    fclose(file);
    /* Exactly as long as the input, so that a read past it is found. */
    uint8_t *copy = malloc(size ? size : 1);
    if (!copy) return 1;
    memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
  }
  printf("%s: %d inputs\n", argv[0], argc - 1);
  return argc > 1 ? 0 : 1;
}
