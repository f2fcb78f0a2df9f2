/* Families of scenarios: everything that requests do, paired with everything else,
 * or three at a time, on each kind of store. */
#include "model.h"

#define CACHED "cached+model://back#model://front?fresh=300"
#define WHAT_USERS_DO "load commit", "add commit again", "append commit", "set commit", "remove commit", "clear set commit", "flush commit", "cycle commit again", "login commit"
#define ANY_BUT_CRASH (ALL_FAULTS & ~BIT(fault_crash))

/* What is known, and stays: docs/sessions.md says why.
 * No end: who changes a session waits for the request that moves it, up to five seconds of a clock that stands still here. */
#define LATE_CREATE BIT(rule_back)    /* a copy of a session's first write arrives when it has got its answer by another one, and has ended */
#define LATE_LOGOUT BIT(rule_back)    /* a logout that takes longer than the grace, with the old ID */
#define LOGIN_ONCE (BIT(rule_back) | BIT(rule_logged_out) | BIT(rule_orphan)) /* the owner's list can't be written, and the commit is not made again */
#define OTHERS_WAIT (BIT(rule_back) | BIT(rule_grace)) /* for the mark that a cache did not get, about two seconds */

const struct family families[] = {
    {.name = "pairs", .base = {.faults = ALL_FAULTS},
     .size = 2, .scripts = {WHAT_USERS_DO},
     .expected = LATE_CREATE},
    {.name = "pairs, as SQLite keeps them", .base = {.faults = ALL_FAULTS, .strict = true},
     .size = 2, .scripts = {WHAT_USERS_DO},
     .expected = LATE_CREATE},
    {.name = "pairs, without a grace", .base = {.faults = ALL_FAULTS, .no_grace = true},
     .size = 2, .scripts = {WHAT_USERS_DO}},
    {.name = "pairs, each keeps the session alive", .base = {.faults = ANY_BUT_CRASH, .touches = true},
     .size = 2, .scripts = {"load commit", "add commit", "flush commit", "login commit", "cycle commit"},
     .expected = LATE_CREATE},
    {.name = "pairs, past the grace", .base = {.jumps = {6500000}, .faults = BIT(fault_crash)},
     .size = 2, .scripts = {WHAT_USERS_DO},
     .expected = LATE_LOGOUT},
    {.name = "pairs, an owner's", .base = {.owned = true, .faults = ANY_BUT_CRASH},
     .size = 2, .scripts = {"load commit", "add commit", "flush commit", "login commit", "revoke", "others commit"},
     .expected = LOGIN_ONCE},
    {.name = "pairs, moving to another store", .base = {.previous = "model://old", .jumps = {62000000}},
     .size = 2, .scripts = {WHAT_USERS_DO},
     .expected = LATE_LOGOUT | BIT(rule_end)},
    {.name = "pairs, moving, and a fault", .base = {.previous = "model://old", .faults = ANY_BUT_CRASH},
     .size = 2, .scripts = {"load commit", "add commit again", "flush commit", "login commit"},
     .expected = BIT(rule_end)},
    {.name = "pairs, a cache in front", .base = {.store = CACHED},
     .size = 2, .scripts = {WHAT_USERS_DO}},
    {.name = "pairs, a cache in front, empty at first", .base = {.store = CACHED, .cold = true, .jumps = {11000000}},
     .size = 2, .scripts = {"load commit", "add commit", "flush commit", "login commit"}},
    {.name = "pairs, a cache that fails", .base = {.store = CACHED, .faults = ANY_BUT_CRASH, .faulty_stores = BIT(front)},
     .size = 2, .scripts = {"load commit", "add commit", "flush commit", "login commit"},
     .expected = OTHERS_WAIT},
    {.name = "two faults", .base = {.faults = ALL_FAULTS, .budget = 2},
     .size = 2, .scripts = {"add commit again", "cycle commit again", "flush commit"},
     .expected = BIT(rule_orphan)},
    {.name = "pairs, in one process", .base = {.one_process = true, .faults = ALL_FAULTS},
     .size = 2, .scripts = {WHAT_USERS_DO}},
    {.name = "threes, in one process", .base = {.one_process = true, .faults = ANY_BUT_CRASH},
     .size = 3, .scripts = {"add commit again", "append commit", "set commit", "flush commit", "login commit"}},
    {.name = "threes, in one process, two faults", .base = {.one_process = true, .faults = ANY_BUT_CRASH, .budget = 2},
     .size = 3, .scripts = {"add commit again", "append commit again", "cycle commit again"}},
    {.name = "threes", .base = {.budget = 0},
     .size = 3, .scripts = {"load commit", "add commit", "set commit", "flush commit", "login commit"}},
};
const int family_count = sizeof families / sizeof *families;

/* The next way to choose `size` of `count` scripts, in any number of each; false after the last. */
static bool next_choice(int *choice, int size, int count) {
  for (int i = size - 1; i >= 0; i--) {
    if (choice[i] + 1 >= count) continue;
    choice[i]++;
    for (int j = i + 1; j < size; j++) choice[j] = choice[i];
    return true;
  }
  return false;
}

struct result explore_family(const struct family *family, void (*each)(const struct scenario *, struct result)) {
  struct result all = {0};
  int choice[most_requests] = {0}, count = 0;
  while (count < most_scripts && family->scripts[count]) count++;
  do {
    static char name[200];
    struct scenario one = family->base;
    size_t length = 0;
    for (int i = 0; i < family->size; i++) {
      one.requests[i] = (struct request){.script = family->scripts[choice[i]], .process = one.one_process ? 0 : i};
      length += (size_t)snprintf(name + length, sizeof name - length, "%s%s", i ? " | " : "", one.requests[i].script);
    }
    one.name = name;
    struct result found = explore(&one);
    all.runs += found.runs, all.steps += found.steps, all.states += found.states, all.broken |= found.broken;
    each(&one, found);
  } while (next_choice(choice, family->size, count));
  return all;
}
