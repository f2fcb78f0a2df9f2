/* tuile - cookies, signatures and sessions from the command line. */
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

static const struct command *const families[] = {signing_commands, inspect_commands, cookie_commands,
                                                 session_commands, migrate_commands, serve_commands, bench_commands};
enum { FAMILIES = sizeof families / sizeof *families };

static void print_commands(FILE *file) {
  fputs("usage: tuile COMMAND [OPTION...] [WORD...]\n\n", file);
  for (int family = 0; family < FAMILIES; family++)
    for (const struct command *command = families[family]; command->name; command++)
      fprintf(file, "  %-22s %s\n", command->name, command->summary);
  fputs("\n`tuile COMMAND --help` tells more, `man tuile` all of it.\n"
        "A secret comes from --secret-file or the environment variable TUILE_SECRET.\n"
        "Exit codes: 0 fine; 1 an ordinary no: absent, expired, a bad signature; 2 usage; 3 error.\n",
        file);
}

/* A command's name has one word or two; *taken gets how many. */
static const struct command *find(int count, char **words, int *taken) {
  for (int family = 0; family < FAMILIES; family++) {
    for (const struct command *command = families[family]; command->name; command++) {
      const char *space = strchr(command->name, ' ');
      size_t first = space ? (size_t)(space - command->name) : strlen(command->name);
      if (strlen(words[0]) != first || memcmp(words[0], command->name, first) != 0) continue;
      *taken = space ? 2 : 1;
      if (!space || (count > 1 && strcmp(words[1], space + 1) == 0)) return command;
    }
  }
  return NULL;
}

int main(int count, char **words) {
  /* A reader that went away ends the output with an error and not with a signal. */
  signal(SIGPIPE, SIG_IGN);
  if (count < 2) {
    print_commands(stderr);
    return EXIT_USAGE;
  }
  if (strcmp(words[1], "--help") == 0 || strcmp(words[1], "-h") == 0) {
    print_commands(stdout);
    return EXIT_FINE;
  }
  if (strcmp(words[1], "--version") == 0) {
    printf("tuile %s\n", tuile_version_string());
    return EXIT_FINE;
  }
  int taken = 1;
  const struct command *command = find(count - 1, words + 1, &taken);
  if (!command) usage_error("there is no command \"%s\"; see tuile --help", words[1]);
  struct arguments arguments = {0};
  int code = options_read(command, count - taken, words + taken, &arguments);
  if (code < 0) code = command->run(&arguments);
  input_wipe();
  return code;
}
