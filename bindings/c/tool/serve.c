/* serve: the page counter of bindings/c/examples, whose main is page_count here. */
#include <stdlib.h>

#include "tool.h"

#ifdef TUILE_PAGE_COUNT
int page_count(int argc, char **argv);

static int serve(const struct arguments *arguments) {
  char port[24];
  char *words[8] = {"tuile serve", "--port", port, "--store"};
  int count = 5;
  snprintf(port, sizeof port, "%d", (int)option_number(arguments, OPT_PORT, 0, 65535, 8000));
  bool given = arguments->count > 0 || getenv("TUILE_STORE");
  words[4] = given ? (char *)input_store(arguments->words[0]).data : "memory:";
  /* It takes the first line of the file itself; here it is held to the tool's rules. */
  tuile_keyring *keyring = input_keyring(arguments);
  if (!keyring) usage_error("no secret: give --secret-file FILE or the environment variable TUILE_SECRET");
  tuile_keyring_free(keyring);
  if (arguments->text[OPT_SECRET_FILE]) {
    words[count++] = "--secret-file";
    words[count++] = (char *)arguments->text[OPT_SECRET_FILE];
  }
  return page_count(count, words) == 0 ? EXIT_FINE : EXIT_ERROR;
}
#else
static int serve(const struct arguments *arguments) {
  (void)arguments;
  return answer(TUILE_E_MISSING, "this tuile was built without libmicrohttpd: build it again with libmicrohttpd-dev installed");
}
#endif

const struct command serve_commands[] = {
    {"serve", "[STORE]", "Serve a page that counts its visits, to try a store in a browser", 0, 1,
     BIT(OPT_HELP) | BIT(OPT_SECRET_FILE) | BIT(OPT_ALLOW_WEAK) | BIT(OPT_PORT), serve},
    {0},
};
