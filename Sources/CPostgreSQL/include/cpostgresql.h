/* libpq as the Swift sources see it: connections and commands that never block
 * past a limit, print nothing and raise no SIGPIPE. Private to the module. */
#ifndef CPOSTGRESQL_H
#define CPOSTGRESQL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* ---- where to connect (settings.c) ---- */

/* What a postgresql:// URI says, read by libpq. */
typedef struct pg_settings pg_settings;

/* Whether libpq has an option of that name. */
bool pg_settings_knows(const void *name, size_t size);
/* NULL if libpq can't read the URI; `*memory` tells whether memory ran out. */
pg_settings *pg_settings_read(const char *uri, bool *memory);
/* Wipes the values too. */
void pg_settings_free(pg_settings *settings);
/* How many servers it names, of which one after the other is tried. */
size_t pg_settings_servers(const pg_settings *settings);

/* ---- connections (link.c) ---- */

/* Milliseconds of a clock that nobody sets. */
int64_t pg_now(void);

/* One connection, for one thread at a time. */
typedef struct pg_link pg_link;

typedef enum pg_outcome {
  PG_DONE,      /* The server has answered, and is ready for the next command. */
  PG_REFUSED,   /* It answered with an error and undid the command; it is ready for the next. */
  PG_LOST,      /* The connection broke, perhaps after the command was executed. */
  PG_TIMED_OUT, /* No answer yet: the connection can't be used any more. */
  PG_NOT_SENT,  /* Its connection broke before. */
  PG_MEMORY     /* Not sent. */
} pg_outcome;

enum { PG_MESSAGE = 200 };

/* Connects to one of the servers within so many milliseconds, `locally` if it is behind a
 * socket of this machine. `message` gets libpq's reason, which never has the password in it. */
pg_outcome pg_link_open(const pg_settings *settings, size_t server, int milliseconds, int locally, pg_link **link,
                        char message[PG_MESSAGE]);
/* Says good-bye if nothing is under way, else cuts the connection. Never waits. */
void pg_link_close(pg_link *link);
/* In a child of fork(): frees what is the child's and sends nothing. */
void pg_link_abandon(pg_link *link);
/* Whether the server is still there and has said nothing while nothing was asked. */
bool pg_link_is_quiet(const pg_link *link);
/* Asks the server, within so many milliseconds, whether it is still there. */
bool pg_link_answers(pg_link *link, int milliseconds);
/* Asks the server to end what was given up after PG_TIMED_OUT, by a connection of its own
 * and a thread, and lets the system notice a host that is gone. Never waits. */
void pg_link_cancel(pg_link *link);
/* Whether the server has ended that, or is gone. */
bool pg_link_is_settled(pg_link *link);

/* ---- commands (command.c) ---- */

enum { PG_MOST_PARAMETERS = 4 };

/* The parameters $1, $2, ... of a command. Texts must outlive the command. */
typedef struct pg_parameters {
  int count;
  unsigned int types[PG_MOST_PARAMETERS];
  const char *texts[PG_MOST_PARAMETERS];
  int sizes[PG_MOST_PARAMETERS];
  uint8_t numbers[PG_MOST_PARAMETERS][8];
} pg_parameters;

/* `size` fits an int. */
void pg_add_text(pg_parameters *parameters, const void *data, size_t size);
void pg_add_bytes(pg_parameters *parameters, const void *data, size_t size);
void pg_add_number(pg_parameters *parameters, int64_t number);
/* Unix microseconds, for a column with time zone or one without, which is UTC. */
void pg_add_zoned_time(pg_parameters *parameters, int64_t microseconds);
void pg_add_time(pg_parameters *parameters, int64_t microseconds);

/* What a command answered; independent of the connection. It is libpq's PGresult. */
typedef struct pg_result pg_answer;

/* Runs one command. With `prepare` the server keeps it under a name made from its
 * text, so that no other text is ever run by that name. `*answer` is set for
 * PG_DONE and PG_REFUSED, and for PG_LOST if the server gave a reason; else NULL. */
pg_outcome pg_run(pg_link *link, const char *sql, const pg_parameters *parameters, bool prepare, int milliseconds,
                  pg_answer **answer);
/* Runs several commands without parameters as one transaction. */
pg_outcome pg_run_script(pg_link *link, const char *sql, int milliseconds, pg_answer **answer);

void pg_answer_free(pg_answer *answer);
/* The five characters of an error's SQLSTATE, the first in the highest of five bytes. */
uint64_t pg_answer_state(const pg_answer *answer);
/* Rows returned. */
int pg_answer_rows(const pg_answer *answer);
/* Rows changed, for commands that return none. */
int64_t pg_answer_changed(const pg_answer *answer);
/* Borrowed from the answer. */
const uint8_t *pg_answer_text(const pg_answer *answer, int row, int column, size_t *size);
/* The lowest of int64_t if there is none. */
int64_t pg_answer_number(const pg_answer *answer, int row, int column);
/* Unix microseconds, the ends of int64_t for what is beyond. */
int64_t pg_answer_time(const pg_answer *answer, int row, int column);
/* What a column of a table of sessions is. */
typedef enum pg_form { PG_TEXT, PG_BYTES, PG_NUMBER, PG_TIME, PG_ZONED_TIME } pg_form;
/* Whether its three columns are a key, a text of 40 characters or more, data and times of these forms. */
bool pg_answer_is_sessions(const pg_answer *answer, pg_form data, pg_form times);

#endif /* CPOSTGRESQL_H */
