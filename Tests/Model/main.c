/* model FOLDER [traces] [full] [NAME]   every scenario, or those whose name has NAME in it;
 * FOLDER has libtuile-model.so. Without `full` at most 10,000 runs of each, the first in
 * the order of the search, and 1,000 of each member of a family.
 * Prints how much was explored, and the shortest run that broke a rule: where that
 * is known, or what a control is for, only with `traces`. */
#include "model.h"

static uint64_t runs, steps, states;
static int unexpected;
static bool traces;

static void add(struct result found) { runs += found.runs, steps += found.steps, states += found.states; }

static void print(const struct scenario *what, struct result found) {
  add(found);
  printf("%-56s %9llu runs %9llu states%s\n", what->name, (unsigned long long)found.runs, (unsigned long long)found.states,
         found.cut ? ", cut" : "");
  for (int rule = 0; rule < rule_count; rule++) {
    bool known = what->expected & BIT(rule), needed = what->control & BIT(rule);
    if (!(found.broken & BIT(rule))) {
      if (known && !found.cut) printf("   NOT FOUND, and said to be known: %s\n", rule_names[rule]), unexpected++;
      if (needed) printf("   NOT FOUND: %s\n", rule_names[rule]), unexpected++;
      continue;
    }
    printf("   %s%s\n", rule_names[rule], known ? " (known)" : "");
    if (traces || !(known || what->control)) show(what, (enum rule)rule);
    if (!known && !what->control) unexpected++;
  }
  fflush(stdout);
}

/* ---- families ---- */

static const struct family *family;
static int members, broken_by[rule_count];

static void count(const struct scenario *what, struct result found) {
  members++;
  for (int rule = 0; rule < rule_count; rule++) {
    if (!(found.broken & BIT(rule))) continue;
    bool known = family->expected & BIT(rule);
    if (broken_by[rule]++ == 0 || traces) {
      printf("   %s: %s%s\n", rule_names[rule], what->name, known ? " (known)" : "");
      if (traces || !known) show(what, (enum rule)rule);
    }
    if (!known) unexpected++;
  }
}

static void print_family(const struct family *one) {
  family = one, members = 0;
  memset(broken_by, 0, sizeof broken_by);
  struct result found = explore_family(one, count);
  add(found);
  char title[80];
  snprintf(title, sizeof title, "%s: %d", one->name, members);
  printf("%-56s %9llu runs %9llu states\n", title, (unsigned long long)found.runs, (unsigned long long)found.states);
  for (int rule = 0; rule < rule_count; rule++)
    if (broken_by[rule]) printf("   in %d: %s\n", broken_by[rule], rule_names[rule]);
    else if (one->expected & BIT(rule)) printf("   NOT FOUND, and said to be known: %s\n", rule_names[rule]), unexpected++;
  fflush(stdout);
}

int main(int argc, char **argv) {
  CHECK(argc > 1);
  bool full = false;
  const char *only = NULL;
  for (int i = 2; i < argc; i++) {
    if (strcmp(argv[i], "traces") == 0) traces = true;
    else if (strcmp(argv[i], "full") == 0) full = true;
    else only = argv[i];
  }
  CHECK(tuile_module_folder(text(argv[1])) == TUILE_OK);
  most_runs = full ? 0 : 10000;
  for (int i = 0; i < named_count; i++)
    if (!only || strstr(named_scenarios[i].name, only)) print(&named_scenarios[i], explore(&named_scenarios[i]));
  most_runs = full ? 0 : 1000;
  for (int i = 0; i < family_count; i++)
    if ((full || !families[i].full) && (!only || strstr(families[i].name, only))) print_family(&families[i]);
  printf("%llu runs, %llu steps, %llu states\n", (unsigned long long)runs, (unsigned long long)steps, (unsigned long long)states);
  return unexpected != 0;
}
