/* tuile - cookies, signatures and sessions from the command line. */
#include <locale.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

static const struct command *const families[] = {signing_commands, inspect_commands, cookie_commands,
                                                 session_commands, session_end_commands, migrate_commands,
                                                 check_commands, serve_commands, gate_commands, bench_commands};
enum { FAMILIES = sizeof families / sizeof *families };

/* All commands, or those whose first word is `family`; how many. */
static int print_commands(FILE *file, const char *first) {
  int count = 0;
  size_t size = first ? strlen(first) : 0;
  for (int family = 0; family < FAMILIES; family++) {
    for (const struct command *command = families[family]; command->name; command++) {
      if (first && (strncmp(command->name, first, size) != 0 || command->name[size] != ' ')) continue;
      if (count++ == 0) fprintf(file, "usage: tuile %s [OPTION...] [WORD...]\n\n", first ? first : "COMMAND");
      fprintf(file, "  %-22s %s\n", command->name, command->summary);
    }
  }
  if (count > 0)
    fputs("\n`tuile COMMAND --help` tells more, `man tuile` all of it.\n"
          "A secret comes from --secret-file or the environment variable TUILE_SECRET.\n"
          "Exit codes: 0 fine; 1 an ordinary no: absent, expired, a bad signature; 2 usage; 3 error.\n",
          file);
  return count;
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

static bool is_help(const char *word) {
  return strcmp(word, "--help") == 0 || strcmp(word, "-h") == 0 || strcmp(word, "help") == 0;
}

/* help, help COMMAND, and COMMAND --help for the first word of several commands; -1 if it is none of these. */
static int help(int count, char **words) {
  if (count == 0) return print_commands(stderr, NULL), EXIT_USAGE;
  if (is_help(words[0]) && count == 1) return print_commands(stdout, NULL), EXIT_FINE;
  bool before = strcmp(words[0], "help") == 0;
  if (before) count--, words++;
  int taken;
  const struct command *command = find(count, words, &taken);
  if (before && command && taken == count) return options_describe(stdout, command), EXIT_FINE;
  if (command) return -1;
  bool alone = count == 1, asked = before ? alone : count == 2 && is_help(words[1]);
  if ((alone || asked) && print_commands(asked ? stdout : stderr, words[0]) > 0) return asked ? EXIT_FINE : EXIT_USAGE;
  return -1;
}

int main(int count, char **words) {
  /* A reader that went away ends the output with an error and not with a signal. */
  signal(SIGPIPE, SIG_IGN);
  if (count > 1 && strcmp(words[1], "gate") == 0) return gate_run(words + 1);
  int code = help(count - 1, words + 1);
  if (code >= 0) return code;
  if (strcmp(words[1], "--version") == 0) {
    printf("tuile %s\n", tuile_version_string());
    return EXIT_FINE;
  }
  int taken = 1;
  const struct command *command = find(count - 1, words + 1, &taken);
  if (!command) usage_error("there is no command \"%s%s%s\"; see tuile --help", words[1], count > 2 ? " " : "", count > 2 ? words[2] : "");
  struct arguments arguments = {0};
  code = options_read(command, count - taken, words + taken, &arguments);
  if (code < 0) code = command->run(&arguments);
  input_wipe();
  return code;
}
