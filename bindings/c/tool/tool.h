/* The command `tuile`: what its files share. Each family of subcommands is a file
 * of its own; none uses more than what is installed. */
#ifndef TOOL_H
#define TOOL_H

#include <stdio.h>
#include <tuile.h>

/* What the program ends with; tuile(1) documents them. */
enum { EXIT_FINE = 0, EXIT_NO = 1, EXIT_USAGE = 2, EXIT_ERROR = 3 };

/* ---- options.c ---- */

/* Options, as bits for the commands that take them. options.c has their names. */
enum option_bit {
  OPT_HELP, OPT_JSON, OPT_SECRET_FILE, OPT_KEY_FORMAT, OPT_ALLOW_WEAK, OPT_ALLOW_SHARED, OPT_DIALECT, OPT_SALT, OPT_NAME, OPT_DIGEST,
  OPT_DERIVATION, OPT_ITERATIONS, OPT_BLOCK_SECRET_FILE, OPT_LEGACY, OPT_NO_TIME, OPT_COMPRESS, OPT_LIFETIME,
  OPT_MAX_AGE, OPT_NOW, OPT_MODE, OPT_ENCODING, OPT_SET_COOKIE, OPT_DELETE, OPT_DOMAIN, OPT_PATH, OPT_EXPIRES,
  OPT_SAME_SITE, OPT_PRIORITY, OPT_SECURE, OPT_HTTP_ONLY, OPT_PARTITIONED, OPT_STORE, OPT_OWNER, OPT_USER, OPT_WHERE, OPT_ALL, OPT_LIMIT,
  OPT_KEYS, OPT_COUNT, OPT_PORT, OPT_STORED, OPT_DRY_RUN, OPT_LOSSY, OPT_DELETE_OLD, OPT_END
};
#define BIT(option) (UINT64_C(1) << (option))
#define OPTIONS_COMMON (BIT(OPT_HELP) | BIT(OPT_JSON))
#define OPTIONS_SECRET (BIT(OPT_SECRET_FILE) | BIT(OPT_KEY_FORMAT) | BIT(OPT_ALLOW_WEAK) | BIT(OPT_ALLOW_SHARED))
#define OPTIONS_SIGNER                                                                                            \
  (OPTIONS_COMMON | OPTIONS_SECRET | BIT(OPT_DIALECT) | BIT(OPT_SALT) | BIT(OPT_NAME) | BIT(OPT_DIGEST) |         \
   BIT(OPT_DERIVATION) | BIT(OPT_ITERATIONS) | BIT(OPT_BLOCK_SECRET_FILE) | BIT(OPT_LEGACY) | BIT(OPT_NOW))

struct arguments {
  const char *text[OPT_END]; /* an option's argument, or its name if it takes none; NULL: not given */
  int count;
  char **words; /* what is no option */
};

struct command {
  const char *name;
  const char *words; /* as the usage shows them */
  const char *summary;
  int least, most; /* how many words */
  uint64_t options;
  int (*run)(const struct arguments *arguments);
};

/* -1: go on; else the program's exit code. */
int options_read(const struct command *command, int count, char **words, struct arguments *arguments);
void options_describe(FILE *file, const struct command *command);

/* A number of an option's or the default; exits with a message if it is none. */
int64_t option_number(const struct arguments *arguments, enum option_bit option, int64_t least, int64_t most,
                      int64_t otherwise);
/* The place of an option's argument in names, which ends with NULL; 0 if it was not given. */
int option_choice(const struct arguments *arguments, enum option_bit option, const char *const *names);
tuile_bytes option_bytes(const struct arguments *arguments, enum option_bit option);

/* ---- output.c: fields, as JSON or as lines for people ---- */

void out_begin(bool json);
void out_text(const char *name, tuile_bytes text);
void out_string(const char *name, const char *text);
void out_json(const char *name, tuile_bytes json);
void out_pair(tuile_bytes name, tuile_bytes json); /* a name from outside; for people alone */
void out_number(const char *name, int64_t number);
void out_bool(const char *name, bool value);
void out_time(const char *name, int64_t seconds);
void out_list(const char *name); /* of objects: out_item begins each */
void out_item(void);
void out_list_end(void);
int out_end(int code); /* gives code, or EXIT_ERROR if it could not be written */
/* One value alone: for people it is all that is written, to the byte unless a terminal shows it. */
int out_only(bool json, const char *name, tuile_bytes value);

/* Says on standard error what went wrong, with --json on standard output too; gives the exit code. */
int answer(tuile_status status, const char *message);
int fail(tuile_status status, const tuile_error *error);
_Noreturn void usage_error(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- input.c ---- */

enum { INPUT_MOST = 16 << 20 };
tuile_bytes bytes_of(const char *text);
/* A word, or for "-" all of standard input without its last line end. Exits if there is too much of it. */
tuile_bytes input_word(const char *word);
/* All keys that the options and TUILE_SECRET name; NULL if there are none. */
tuile_keyring *input_keyring(const struct arguments *arguments);
tuile_bytes input_block_secret(const struct arguments *arguments);
void input_wipe(void);
bool is_utf8(tuile_bytes text);
int64_t now_microseconds(void);
/* A file's octets, or for "-" those of standard input, as they are. Exits with a message. */
tuile_bytes input_file(const char *path);

/* A call that writes into a buffer of the caller's is made again with a larger one. */
struct buffer {
  char *data;
  size_t size, capacity;
};
bool buffer_grow(struct buffer *buffer);
static inline tuile_bytes buffer_bytes(const struct buffer *buffer) {
  return (tuile_bytes){buffer->data, buffer->size};
}
#define FILLED(status, buffer, call)                                                     \
  do {                                                                                   \
    (status) = (call);                                                                   \
  } while ((status) == TUILE_E_SPACE && buffer_grow(buffer))

/* ---- store_url.c ---- */

/* The URL of a store: a word, or env:NAME for what that variable holds. */
tuile_bytes input_store(const char *word);

/* ---- signing.c ---- */

extern const char *const dialect_names[]; /* by tuile_dialect */
/* Django's and itsdangerous' own salts where none is given; "" elsewhere. */
const char *dialect_salt(tuile_dialect dialect, bool json, bool timed);
void signer_config(const struct arguments *arguments, tuile_signer_config *config);
extern const struct command signing_commands[];

extern const struct command inspect_commands[], cookie_commands[], session_commands[], session_end_commands[],
    migrate_commands[], check_commands[], serve_commands[], gate_commands[], bench_commands[];

/* ---- gate.c ---- */

int gate_run(char **words);

/* ---- managers.c ---- */

#define OPTIONS_MANAGER (OPTIONS_COMMON | OPTIONS_SECRET | BIT(OPT_STORE))
/* Whether another framework keeps its sessions there, in a form of its own. */
bool store_has_layout(tuile_bytes url);
/* Exits with a message. Without a secret cookies can't be told to be genuine. */
tuile_manager *manager_open(const struct arguments *arguments, tuile_bytes url, tuile_bytes cookie_name, bool *has_secret);
/* Of a store with a layout, by a secret that nobody knows: no cookie is looked at. */
tuile_manager *manager_of_nobody(tuile_bytes url);
tuile_manager *session_manager(const struct arguments *arguments, bool *in_cookie);
/* As a request with that cookie would have it; NULL for a value that no cookie can hold. */
tuile_session *session_of_cookie(tuile_manager *manager, tuile_bytes name, tuile_bytes value);
/* The session of an ID; NULL for one that no cookie can hold where sessions are in cookies. */
tuile_session *session_begin(tuile_manager *manager, tuile_bytes key);

/* ---- session.c, session_find.c ---- */

/* Sessions of a user (no name), or with a value. */
struct search {
  tuile_manager *manager;
  tuile_bytes name, value;
  tuile_status (*found)(void *context, tuile_session *session, tuile_bytes key, int64_t expires, tuile_error *error);
  void *context;
  int64_t unreadable; /* sessions that none of the secrets has signed */
  tuile_status status;
  tuile_error error;
};
/* Takes NAME=VALUE; exits if it is not that. */
void search_take(struct search *search, const char *where);
tuile_status search_store(struct search *search, tuile_bytes url);

/* ---- migrate.c, migrate_lists.c ---- */

/* Receives what is loaded only to see whether it is there. */
void pass_over(void *context, tuile_bytes data, int64_t expires);

struct list_counts {
  bool kept; /* by both stores */
  size_t copied, there, missing; /* entries */
};
/* How many owners' lists FROM has that TO can't keep. */
tuile_status migrate_lists_lost(tuile_store *from, tuile_store *to, size_t *lost, tuile_error *error);
tuile_status migrate_lists(tuile_store *from, tuile_store *to, struct list_counts *counts, tuile_error *error);

/* ---- inspect_store.c ---- */

/* inspect with --store, of a cookie or an ID, and with --stored, of what a framework stored. */
int inspect_in_store(const struct arguments *arguments, tuile_bytes name, tuile_bytes cookie);
/* -1: it is of no form that is known here. */
int inspect_stored(const struct arguments *arguments, tuile_bytes stored);

/* ---- inspect_parts.c ---- */

/* What a token looks like: writes its parts and gives the dialects that it may be of, as bits. */
uint32_t inspect_shape(tuile_bytes token);

#endif
