/* The part of the contract that is about walks. */
#ifndef STORE_WALKS_H
#define STORE_WALKS_H

#include "store_contract.h"

/* NULL or the rule that is broken; `present` in Unix microseconds, whole milliseconds. */
const char *store_walks(const store_contract *contract, int64_t present);

#endif
