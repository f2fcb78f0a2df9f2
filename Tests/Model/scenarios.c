/* Scenarios with a name, one for each way in which something once went wrong, and the controls. */
#include "model.h"

#define CACHED "cached+model://back#model://front?fresh=300"
#define SECONDS(number) ((int64_t)((number) * 1000000LL))
#define UNKNOWN (BIT(fault_lost) | BIT(fault_applied) | BIT(fault_late))

const struct scenario named_scenarios[] = {
    /* Behind a cache. */
    {.name = "a slow load fills the cache after a logout", .store = CACHED, .cold = true,
     .requests = {{"load", 0}, {"flush commit", 1}, {"load", 1, .after = 2}}, .jumps = {SECONDS(11)}},
    {.name = "a late copy fills the cache after a logout", .store = CACHED, .cold = true,
     .requests = {{"load", 0}, {"flush commit", 1}}, .jumps = {SECONDS(11)}, .faults = BIT(fault_late) | BIT(fault_twice), .faulty_stores = BIT(front)},
    {.name = "a logout while the cache is away, one process", .store = CACHED,
     .requests = {{"flush commit", 0}, {"load", 0, .after = 1}}, .away = true, .jumps = {SECONDS(2)}},
    {.name = "a logout while the cache is away, two processes", .store = CACHED,
     .requests = {{"flush commit", 0}, {"load", 1, .after = 1}}, .away = true, .jumps = {SECONDS(2)},
     .expected = BIT(rule_back)},
    {.name = "a logout whose mark is lost", .store = CACHED,
     .requests = {{"flush commit", 0}, {"load", 1, .after = 1}}, .faults = ALL_FAULTS & ~BIT(fault_crash), .faulty_stores = BIT(front), .jumps = {SECONDS(2)},
     .expected = BIT(rule_back)},
    {.name = "two saves behind a cache that goes away", .store = CACHED,
     .requests = {{"add commit", 0}, {"add commit", 1}}, .away = true, .jumps = {SECONDS(2)}},
    /* On the way from one store to another. */
    {.name = "a late reader moves the session after its logout", .previous = "model://old",
     .requests = {{"load", 0}, {"flush commit", 1}, {"load", 1, .after = 2}}, .jumps = {SECONDS(62)},
     .expected = BIT(rule_end)}, /* no end: it waits, and the clock stands still */
    {.name = "moving while others save", .previous = "model://old",
     .requests = {{"add commit", 0}, {"append commit", 1}}, .jumps = {SECONDS(62)},
     .expected = BIT(rule_end)},
    /* A new ID. */
    {.name = "a late copy of what cycle_key wrote again", .requests = {{"cycle commit", 0}, {"add commit", 1}, {"add commit", 1, .after = 1}},
     .faults = BIT(fault_twice)},
    {.name = "a new ID, and the answer is not known", .requests = {{"cycle commit", 0}},
     .faults = UNKNOWN | BIT(fault_failed)},
    {.name = "a new ID, the answer is not known, and once more", .requests = {{"cycle commit again", 0}},
     .faults = UNKNOWN | BIT(fault_failed)},
    {.name = "the old ID after a logout", .requests = {{"login commit", 0}, {"flush commit", 0, .after = 1}, {"load", 1, .stranger = true, .after = 2}}},
    {.name = "the old ID after revoke_all", .owned = true,
     .requests = {{"login commit", 0}, {"revoke", 0, .after = 1}, {"load", 1, .stranger = true, .after = 2}}},
    {.name = "the old ID after all others were ended", .owned = true,
     .requests = {{"login commit", 0}, {"others commit", 0, .after = 1}, {"load", 1, .stranger = true, .after = 2}}},
    {.name = "the grace, by a clock that is a day ahead", .skew = {SECONDS(86400)},
     .requests = {{"login commit", 0}, {"load", 1, .stranger = true, .after = 1}}, .jumps = {SECONDS(60)}},
    {.name = "the grace is as long as it says", .grace = 1, .fraction = 500000,
     .requests = {{"login commit", 0}, {"load", 1, .stranger = true, .after = 1}}, .jumps = {SECONDS(0.9), SECONDS(0.2)}},
    {.name = "who knew the ID before the login", .requests = {{"login commit", 0}, {"load add commit", 1, .stranger = true}}},
    /* An answer that is not known. */
    {.name = "an addition, and the answer is not known", .requests = {{"add commit", 0}},
     .faults = UNKNOWN | BIT(fault_failed)},
    {.name = "an addition, the answer is not known, and once more", .requests = {{"add commit again", 0}},
     .faults = UNKNOWN | BIT(fault_failed)},
    {.name = "two additions, answers that are not known", .requests = {{"add commit again", 0}, {"add commit again", 1}},
     .faults = ALL_FAULTS},
    {.name = "the bytes that were there before", .requests = {{"set commit", 0}, {"restore commit", 1, .after = 1}},
     .faults = BIT(fault_twice), .repeats = true},
    {.name = "the bytes that were there before, and once more", .requests = {{"set commit again", 0}, {"restore commit", 1, .after = 1}},
     .faults = BIT(fault_late)},
    /* The controls: a store that does not compare. */
    {.name = "control: two additions", .blind = true, .requests = {{"add commit", 0}, {"add commit", 1}}, .control = BIT(rule_lost)},
    {.name = "control: a logout", .blind = true, .requests = {{"load add commit", 0}, {"flush commit", 1}}, .control = BIT(rule_saved) | BIT(rule_back)},
};
const int named_count = sizeof named_scenarios / sizeof *named_scenarios;
