/* gate: the daemon tuile-gate, which is a program and a package of its own. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tool.h"

/* words[0] is "gate": it takes its own options. */
int gate_run(char **words) {
  char path[4096];
  ssize_t size = readlink("/proc/self/exe", path, sizeof path - sizeof "-gate");
  char *name = size > 0 ? memrchr(path, '/', (size_t)size) : NULL;
  words[0] = "tuile-gate";
  if (name) {
    strcpy(name + 1, words[0]);
    execv(path, words);
  }
  execvp(words[0], words);
  return answer(TUILE_E_MISSING, errno == ENOENT ? "tuile-gate is not installed: it is in the package tuile-gate" : strerror(errno));
}

static int refuse(const struct arguments *arguments) {
  (void)arguments;
  usage_error("gate comes first: tuile gate");
}

/* For the list of commands: main goes to gate_run. */
const struct command gate_commands[] = {
    {"gate", "[-t] [-c FILE]", "Serve proxies that ask who may pass (forward authentication)", 0, 0, BIT(OPT_HELP), refuse},
    {0},
};
