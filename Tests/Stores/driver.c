/* Holds the store that a URL names to the contract suite.
 *   store_driver URL [binary] [shared] [own-clock] [owners] [no-keys] */
#include "check.h"
#include "store_contract.h"

int main(int argc, char **argv) {
  if (argc < 2) return fputs("usage: store_driver URL [binary] [shared] [own-clock] [owners] [no-keys]\n", stderr), 2;
  store_contract contract = {.keys = true};
  for (int i = 2; i < argc; i++) {
    if (strcmp(argv[i], "no-keys") == 0) {
      contract.keys = false;
      continue;
    }
    bool *flag = strcmp(argv[i], "binary") == 0      ? &contract.binary
                 : strcmp(argv[i], "shared") == 0    ? &contract.shared
                 : strcmp(argv[i], "own-clock") == 0 ? &contract.own_clock
                 : strcmp(argv[i], "owners") == 0    ? &contract.owners
                                                     : NULL;
    CHECK(flag != NULL);
    *flag = true;
  }
  tuile_error error;
  tuile_status status = tuile_store_open(text(argv[1]), &contract.store, &error);
  if (status != TUILE_OK) return fprintf(stderr, "%s: %s\n", tuile_status_name(status), error.message), 1;
  const char *broken = store_contract_run(&contract);
  tuile_store_close(contract.store);
  if (broken) return fprintf(stderr, "the store breaks a rule: %s\n", broken), 1;
  puts("the store keeps the contract");
  return 0;
}
