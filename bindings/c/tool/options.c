/* The options of all commands: one table, that --help is written from too. */
#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#include "tool.h"

static const struct {
  const char *name, *argument, *help;
} table[OPT_END] = {
    [OPT_HELP] = {"help", NULL, "this text"},
    [OPT_JSON] = {"json", NULL, "write one JSON object, for programs"},
    [OPT_SECRET_FILE] = {"secret-file", "FILE", "the secrets, one a line, the newest first; else TUILE_SECRET"},
    [OPT_KEY_FORMAT] = {"key-format", "FORMAT", "how secrets are written: text, hex or base64"},
    [OPT_ALLOW_WEAK] = {"allow-weak", NULL, "take secrets that are too short to be safe"},
    [OPT_ALLOW_SHARED] = {"allow-shared", NULL, "take files of secrets that others may read, as a group or a container does"},
    [OPT_DIALECT] = {"dialect", "NAME", "whose token it is: django, flask, ...; django"},
    [OPT_SALT] = {"salt", "TEXT", "the purpose; the framework's own"},
    [OPT_NAME] = {"name", "NAME", "the cookie's name, for dialects that bind to it"},
    [OPT_DIGEST] = {"digest", "NAME", "sha1, sha256, sha384 or sha512; the dialect's own"},
    [OPT_DERIVATION] = {"derivation", "NAME", "django-concat, concat, hmac or none; the dialect's own"},
    [OPT_ITERATIONS] = {"iterations", "N", "of Rails' key generator; 1000"},
    [OPT_BLOCK_SECRET_FILE] = {"block-secret-file", "FILE", "gorilla's block key, 16, 24 or 32 bytes"},
    [OPT_LEGACY] = {"legacy", NULL, "the dialect's older form"},
    [OPT_NO_TIME] = {"no-time", NULL, "the token holds no time"},
    [OPT_COMPRESS] = {"compress", NULL, "deflate where that is shorter"},
    [OPT_LIFETIME] = {"lifetime", "SECONDS", "how long the token is good"},
    [OPT_MAX_AGE] = {"max-age", "SECONDS", "the greatest age that is taken or set"},
    [OPT_NOW] = {"now", "TIME", "the present time in Unix seconds; the clock's"},
    [OPT_MODE] = {"mode", "NAME", "how headers are read: browser, django or strict"},
    [OPT_ENCODING] = {"encoding", "NAME", "of values: raw, percent, quoted, quoted-utf8 or base64url"},
    [OPT_SET_COOKIE] = {"set-cookie", NULL, "the header is a Set-Cookie"},
    [OPT_DELETE] = {"delete", NULL, "write the header that deletes the cookie"},
    [OPT_DOMAIN] = {"domain", "NAME", "the Domain attribute"},
    [OPT_PATH] = {"path", "PATH", "the Path attribute; /"},
    [OPT_EXPIRES] = {"expires", "TIME", "the Expires attribute, in Unix seconds"},
    [OPT_SAME_SITE] = {"same-site", "NAME", "lax, strict or none"},
    [OPT_PRIORITY] = {"priority", "NAME", "low, medium or high"},
    [OPT_SECURE] = {"secure", NULL, "the Secure attribute"},
    [OPT_HTTP_ONLY] = {"http-only", NULL, "the HttpOnly attribute"},
    [OPT_PARTITIONED] = {"partitioned", NULL, "the Partitioned attribute"},
    [OPT_STORE] = {"store", "URL", "where sessions are, or env:NAME; else TUILE_STORE"},
    [OPT_OWNER] = {"owner", "NAME", "whose session it is from now on"},
    [OPT_USER] = {"user", "NAME", "whose sessions: an owner, or who is logged in, as the layout has it (and Django, Flask-Login, user_id)"},
    [OPT_WHERE] = {"where", "NAME=VALUE", "sessions that have this value, as JSON or as a string's text"},
    [OPT_ALL] = {"all", NULL, "all of the owner's sessions"},
    [OPT_LIMIT] = {"limit", "N", "how many at most; 10000"},
    [OPT_KEYS] = {"keys", "FILE", "session IDs, one a line; - is standard input or output"},
    [OPT_COUNT] = {"count", "N", "how often each is done; 20000"},
    [OPT_STORED] = {"stored", NULL, "the word is a file with what a framework stored, or - for standard input"},
    [OPT_DRY_RUN] = {"dry-run", NULL, "look, and say what would be lost; nothing is written"},
    [OPT_LOSSY] = {"lossy", NULL, "go on though something is lost"},
    [OPT_DELETE_OLD] = {"delete-old", NULL, "remove from FROM what was copied"},
    [OPT_PORT] = {"port", "N", "where to listen, 8000; 0 takes a free one"},
};

void options_describe(FILE *file, const struct command *command) {
  fprintf(file, "usage: tuile %s [OPTION...]%s%s\n\n%s.\n\n", command->name, *command->words ? " " : "", command->words,
          command->summary);
  for (int option = 0; option < OPT_END; option++) {
    if (!(command->options & BIT(option))) continue;
    char name[64];
    snprintf(name, sizeof name, "--%s%s%s", table[option].name, table[option].argument ? " " : "",
             table[option].argument ? table[option].argument : "");
    fprintf(file, "  %-26s %s\n", name, table[option].help);
  }
}

int options_read(const struct command *command, int count, char **words, struct arguments *arguments) {
  struct option known[OPT_END + 1] = {0};
  int size = 0;
  for (int option = 0; option < OPT_END; option++)
    if (command->options & BIT(option))
      known[size++] = (struct option){table[option].name, table[option].argument ? required_argument : no_argument,
                                      NULL, option + 256};
  opterr = 0;
  int found;
  while ((found = getopt_long(count, words, ":h", known, NULL)) != -1) {
    if (found == 'h') found = OPT_HELP + 256;
    const char *word = optind > 1 ? words[optind - 1] : "";
    if (found == ':') usage_error("%s needs an argument", word);
    if (found < 256) usage_error("%s: no option %s; see tuile %s --help", command->name, word, command->name);
    arguments->text[found - 256] = optarg ? optarg : table[found - 256].name;
  }
  arguments->count = count - optind;
  arguments->words = words + optind;
  if (arguments->text[OPT_HELP]) {
    options_describe(stdout, command);
    return EXIT_FINE;
  }
  out_begin(arguments->text[OPT_JSON]);
  if (arguments->count < command->least || arguments->count > command->most)
    usage_error("usage: tuile %s [OPTION...]%s%s", command->name, *command->words ? " " : "", command->words);
  return -1;
}

int64_t option_number(const struct arguments *arguments, enum option_bit option, int64_t least, int64_t most,
                      int64_t otherwise) {
  const char *text = arguments->text[option];
  if (!text) return otherwise;
  char *end;
  errno = 0;
  long long value = strtoll(text, &end, 10);
  if (!*text || *end || errno || value < least || value > most)
    usage_error("--%s needs a number from %lld to %lld", table[option].name, (long long)least, (long long)most);
  return value;
}

int option_choice(const struct arguments *arguments, enum option_bit option, const char *const *names) {
  const char *text = arguments->text[option];
  if (!text) return 0;
  char all[512] = "";
  for (int i = 0; names[i]; i++) {
    if (strcmp(text, names[i]) == 0) return i;
    size_t size = strlen(all);
    snprintf(all + size, sizeof all - size, "%s%s", i ? ", " : "", names[i]);
  }
  usage_error("--%s is one of %s", table[option].name, all);
}

tuile_bytes option_bytes(const struct arguments *arguments, enum option_bit option) {
  return bytes_of(arguments->text[option]);
}
