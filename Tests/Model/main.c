/* model FOLDER [traces]   every scenario; FOLDER has libtuile-model.so
 * Prints how much was explored, and the shortest run that broke a rule: where that
 * is known, or what a control is for, only with `traces`. */
#include "model.h"

static uint64_t runs, steps, states;
static int unexpected;
static bool traces;

static void print(const struct scenario *what, struct result found) {
  runs += found.runs, steps += found.steps, states += found.states;
  printf("%-56s %8llu runs %8llu states\n", what->name, (unsigned long long)found.runs, (unsigned long long)found.states);
  for (int rule = 0; rule < rule_count; rule++) {
    bool known = what->expected & BIT(rule), needed = what->control & BIT(rule);
    if (!(found.broken & BIT(rule))) {
      if (known) printf("   mended: %s\n", rule_names[rule]);
      if (needed) printf("   NOT FOUND: %s\n", rule_names[rule]), unexpected++;
      continue;
    }
    printf("   %s%s\n", rule_names[rule], known ? " (known until it is mended)" : "");
    if (traces || !(known || what->control)) show(what, (enum rule)rule);
    if (!known && !what->control) unexpected++;
  }
  fflush(stdout);
}

int main(int argc, char **argv) {
  CHECK(argc > 1);
  traces = argc > 2 && strcmp(argv[2], "traces") == 0;
  CHECK(tuile_module_folder(text(argv[1])) == TUILE_OK);
  for (int i = 0; i < named_count; i++) print(&named_scenarios[i], explore(&named_scenarios[i]));
  printf("%llu runs, %llu steps, %llu states\n", (unsigned long long)runs, (unsigned long long)steps, (unsigned long long)states);
  return unexpected != 0;
}
