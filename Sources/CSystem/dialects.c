#include "csystem.h"
#include "dialect_table.h"

#include "../../include/tuile/types.h"

static const sys_dialect table[] = {
#define ROW(constant, name, wire, session, rule, salt) {TUILE_DIALECT_##constant, TUILE_COOKIE_RULE_##rule, session, salt},
    DIALECT_TABLE(ROW)
#undef ROW
};

#define ROW(constant, name, wire, session, rule, salt) +(1ULL << TUILE_DIALECT_##constant)
_Static_assert((0 DIALECT_TABLE(ROW)) == (1ULL << DIALECTS) - 1, "a line for each dialect");
#undef ROW

const sys_dialect *sys_dialect_at(size_t index) { return index < DIALECTS ? &table[index] : NULL; }
