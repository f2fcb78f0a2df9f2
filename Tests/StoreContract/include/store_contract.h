/* One suite for every store: the rules of tuile_store_ops in tuile/types.h, run
 * through the public tuile_store_* functions, so that a store of your own can be
 * held to them too. */
#ifndef STORE_CONTRACT_H
#define STORE_CONTRACT_H

#include <stdbool.h>
#include <tuile.h>

typedef struct store_contract {
  tuile_store *store; /* empty */
  bool binary;        /* data may hold NULs and any octet */
  bool shared;        /* other processes see the same sessions */
  bool own_clock;     /* keys go by themselves at their expiry, by the real clock, in milliseconds */
  bool owners;        /* it keeps lists of owners */
  bool keys;          /* it tells its keys, and its owners if it keeps their lists */
  unsigned int stale; /* milliseconds for which a process may not see what another wrote */
} store_contract;

/* NULL if the store keeps every rule, else the rule that it broke. */
const char *store_contract_run(const store_contract *contract);

#endif
