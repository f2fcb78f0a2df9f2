/* All orders, by depth first: a run is made again from its beginning with the
 * choices of the last one, but for the last choice that has another left. A state
 * that was there before is not gone on from. What makes it the same: the stores,
 * the clock, what is on its way, and all that each request has seen so far, which
 * decides what it does. Of states 64 bits of a hash are kept: of ten million states
 * two are taken for one with a probability of 3 in a million. */
#include "model.h"

#include <stdarg.h>

enum { most_depth = 400, most_steps = 300, most_actions = 64 };

enum action_kind { act_go, act_deliver, act_jump, act_away };
struct action {
  enum action_kind kind;
  int which;
  enum fault fault;
};

const struct scenario *scenario;
bool tracing;

static struct path {
  int depth, weight;
  unsigned char taken[most_depth], count[most_depth];
} path, best[rule_count];
static int depth, weight; /* of the run */
static bool unwinding;
/* The rule whose breaking is printed, and whether it has been. */
static enum rule shown;
static bool found;
static struct result result;
static int faults_used, jumps_done, away_changes, last;
static uint64_t shared_history[most_processes];

/* ---- the states that were there ---- */

static uint64_t *seen;
static size_t seen_size, seen_count;

static bool see(uint64_t hash) {
  if (hash == 0) hash = 1;
  if ((seen_count + 1) * 2 > seen_size) {
    size_t old_size = seen_size;
    uint64_t *table = seen;
    seen_size = old_size ? old_size * 4 : 1 << 12;
    seen = calloc(seen_size, sizeof *seen);
    CHECK(seen);
    seen_count = 0;
    for (size_t i = 0; i < old_size; i++)
      if (table[i]) see(table[i]);
    free(table);
  }
  size_t at = hash & (seen_size - 1);
  while (seen[at] && seen[at] != hash) at = (at + 1) & (seen_size - 1);
  if (seen[at]) return true;
  seen[at] = hash;
  seen_count++;
  return false;
}

static bool shares_process(int i) {
  for (int j = 0; j < request_count(); j++)
    if (j != i && scenario->requests[i].process == scenario->requests[j].process) return true;
  return false;
}

static uint64_t state_hash(void) {
  uint64_t hash = mix(mix(mix(5, (uint64_t)world_time), (uint64_t)faults_used), (uint64_t)(jumps_done * 8 + away_changes));
  hash = mix(mix(hash, stores_hash()), rules_hash());
  for (int i = 0; i < request_count(); i++) hash = mix(mix(hash, history_of(i)), coroutine_ended(i));
  /* What requests of one process leave in it for each other: told by their order. */
  for (int p = 0; p < most_processes; p++) hash = mix(hash, shared_history[p]);
  return hash;
}

/* ---- what is told ---- */

void trace(const char *format, ...) {
  if (!tracing || unwinding) return;
  va_list arguments;
  va_start(arguments, format);
  fputs("      ", stdout);
  vprintf(format, arguments);
  putchar('\n');
  va_end(arguments);
}

void broken(enum rule rule, const char *format, ...) {
  if (unwinding) return;
  if (tracing) {
    if (rule != shown || found) return;
    va_list arguments;
    va_start(arguments, format);
    fputs("      => ", stdout);
    vprintf(format, arguments);
    putchar('\n');
    va_end(arguments);
    found = true;
    return;
  }
  bool first = !(result.broken & BIT(rule));
  result.broken |= BIT(rule);
  if (!first && best[rule].weight <= weight) return;
  best[rule] = path;
  best[rule].depth = depth, best[rule].weight = weight;
}

/* ---- one run ---- */

static int choose(int count) {
  CHECK(depth < most_depth);
  CHECK(count < 256);
  if (depth == path.depth) {
    path.taken[depth] = 0;
    path.count[depth] = (unsigned char)count;
    path.depth++;
  }
  CHECK(path.count[depth] == count);
  return path.taken[depth++];
}

static bool may_go(int i) {
  int after = scenario->requests[i].after;
  return !coroutine_ended(i) && !(progress[i].begun && waits_in_vain(i)) && (progress[i].begun || after == 0 || progress[after - 1].ended);
}

/* Who waits in line can only get tired of it. */
static bool may_tire(int i) { return !coroutine_ended(i) && progress[i].begun && waits_in_vain(i); }

static bool writes(const struct op *op) {
  return op->kind == op_create || op->kind == op_replace || op->kind == op_touch || op->kind == op_put || op->kind == op_remove ||
         op->kind == op_own || op->kind == op_disown;
}

static bool may_fail(int i, enum fault fault) {
  const struct op *op = waiting_for(i);
  if (!(scenario->faults & BIT(fault)) || faults_used >= (scenario->budget ? scenario->budget : 1)) return false;
  if (scenario->faulty_requests && !(scenario->faulty_requests & BIT(i))) return false;
  if (op->kind == op_begin) return false;
  if (op->kind == op_wait || fault == fault_impatient) return op->kind == op_wait && fault == fault_impatient;
  if (op->kind == op_respond) return fault == fault_crash;
  if (op->store == front && front_away) return false;
  if (scenario->faulty_stores && !(scenario->faulty_stores & BIT(op->store))) return false;
  /* What is done once is never sent again: no store of ours does. */
  if (fault == fault_twice && (op->kind == op_create || op->kind == op_replace)) return scenario->repeats;
  return writes(op) || fault == fault_failed;
}

static int enabled(struct action *actions) {
  int count = 0, requests = request_count();
  bool all_ended = true;
  for (int turn = 0; turn < requests; turn++) {
    int i = (last + turn) % requests;
    all_ended = all_ended && coroutine_ended(i);
    if (may_go(i)) actions[count++] = (struct action){act_go, i, fault_none};
  }
  for (int i = 0; i < late_count(); i++) actions[count++] = (struct action){act_deliver, i, fault_none};
  if (all_ended) return count;
  if (jumps_done < most_jumps && scenario->jumps[jumps_done]) actions[count++] = (struct action){act_jump, 0, fault_none};
  if (scenario->away && away_changes < 2) actions[count++] = (struct action){act_away, 0, fault_none};
  for (int i = 0; i < requests; i++)
    for (int fault = 1; (may_go(i) || may_tire(i)) && fault < fault_count; fault++)
      if (may_fail(i, (enum fault)fault)) actions[count++] = (struct action){act_go, i, (enum fault)fault};
  CHECK(count <= most_actions);
  return count;
}

static void act(const struct action *action) {
  switch (action->kind) {
  case act_go:
    if (action->which != last) weight += 2;
    if (action->fault) faults_used++, weight += 4;
    last = action->which;
    coroutine_resume(action->which, action->fault);
    if (shares_process(last)) {
      uint64_t *history = &shared_history[scenario->requests[last].process];
      *history = mix(mix(*history, (uint64_t)last), history_of(last));
    }
    break;
  case act_deliver: deliver_late(action->which); break;
  case act_jump:
    world_time += scenario->jumps[jumps_done];
    trace("the clock goes %.3f s forward", (double)scenario->jumps[jumps_done++] / 1e6);
    weight += 2;
    break;
  case act_away:
    front_away = !front_away;
    away_changes++, weight += 2;
    trace(front_away ? "the cache goes away" : "the cache is back");
    break;
  }
  weight++;
  result.steps++;
}

static void unwind(void) {
  unwinding = true;
  /* Those that wait in line end after the one that they wait for. */
  for (bool goes_on = true; goes_on;) {
    goes_on = false;
    for (int i = 0; i < request_count(); i++) {
      if (coroutine_ended(i) || !progress[i].begun || waits_in_vain(i)) continue;
      abandon(i);
      coroutine_resume(i, fault_none);
      goes_on = true;
    }
  }
  for (int i = 0; i < request_count(); i++) CHECK(coroutine_ended(i) || !progress[i].begun);
  unwinding = false;
}

static void run_once(void) {
  struct action actions[most_actions];
  int replayed = path.depth, count, steps = 0;
  depth = weight = faults_used = jumps_done = away_changes = last = 0;
  memset(shared_history, 0, sizeof shared_history);
  memset(skew, 0, sizeof skew);
  world_time = INT64_C(1700000000000000) + scenario->fraction;
  memcpy(skew, scenario->skew, sizeof skew);
  stores_reset(), coroutines_reset(), requests_reset();
  for (int i = 0; i < request_count(); i++) coroutine_start(i, request_body);
  bool pruned = false;
  while (!pruned && (count = enabled(actions)) > 0) {
    if (++steps > most_steps) {
      broken(rule_end, "%d steps, and no end", steps);
      break;
    }
    act(&actions[choose(count)]);
    pruned = depth >= replayed && (found || see(state_hash()));
  }
  if (!pruned && count == 0) {
    for (int i = 0; i < request_count(); i++)
      if (!coroutine_ended(i)) broken(rule_end, "%s waits for ever", request_name(i));
    rules_check_end();
  }
  unwind();
  requests_end();
  result.runs++;
}

static bool next_path(void) {
  while (path.depth > 0 && path.taken[path.depth - 1] + 1 >= path.count[path.depth - 1]) path.depth--;
  if (path.depth == 0) return false;
  path.taken[path.depth - 1]++;
  return true;
}

uint64_t most_runs;

struct result explore(const struct scenario *what) {
  scenario = what;
  result = (struct result){0};
  path.depth = 0;
  if (seen) memset(seen, 0, seen_size * sizeof *seen);
  seen_count = 0;
  requests_setup();
  do run_once();
  while (next_path() && !(result.cut = most_runs > 0 && result.runs >= most_runs));
  result.states = seen_count;
  return result;
}

void show(const struct scenario *what, enum rule rule) {
  struct result kept = result;
  scenario = what;
  tracing = true, found = false, shown = rule;
  path = best[rule];
  requests_setup();
  /* The run that broke the rule, and no other: what it has seen is not asked. */
  seen_count = 0;
  if (seen) memset(seen, 0, seen_size * sizeof *seen);
  run_once();
  tracing = found = false;
  result = kept;
}
