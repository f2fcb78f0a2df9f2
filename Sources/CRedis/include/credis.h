/* A connection to a Redis server as the Swift sources see it: sockets and TLS
 * with deadlines, and hiredis for the protocol alone. Private to the module.
 *
 * hiredis 0.14, which Debian 12 has, knows no TLS, and a limit for a whole
 * command is not among any version's settings. Later versions read the kinds of
 * RESP3 too, and arrays in arrays without an end: see reply.c. */
#ifndef CREDIS_H
#define CREDIS_H

#include <csockets.h>

enum {
  CR_LARGEST_REPLY = 64 << 20, /* bytes */
  CR_MOST_PARTS = 1 << 18,     /* of one reply */
  CR_DEEPEST = 7,              /* arrays in each other; no answer to a command here has more than four */
  CR_MOST_ARGUMENTS = 12       /* of one command */
};

/* ---- replies (reply.c) ---- */

typedef enum cr_type { CR_STRING, CR_ARRAY, CR_INTEGER, CR_NIL, CR_STATUS, CR_ERROR } cr_type;

typedef struct cr_reply {
  cr_type type;
  int64_t integer;
  size_t size;            /* of the text, or how many parts */
  struct cr_reply **part; /* of an array */
  char text[];
} cr_reply;

void cr_reply_free(cr_reply *reply);

/* How far the reading of a reply has come. */
typedef struct cr_reading {
  size_t parts;
  cs_result problem; /* why it ended, unless it is CS_OK */
} cr_reading;

struct redisReader;
struct redisReader *cr_reader_new(cr_reading *reading);

/* ---- connections (connection.c) ---- */

typedef struct cr_connection cr_connection;

/* NULL on failure, with a message that has neither address nor secret. */
cr_connection *cr_open(const cs_address *to, int64_t deadline, cs_result *result, char why[CS_WHY]);
void cr_close(cr_connection *connection);
/* In a child of fork(): closes the descriptor and sends nothing. What OpenSSL has
 * stays allocated, since its locks may have been held when the parent forked. */
void cr_abandon(cr_connection *connection);
/* Open, and nothing is unread. */
bool cr_is_idle(cr_connection *connection);

/* A command, argument by argument; the bytes are borrowed until cr_command_end.
 * Commands queue up until cr_send. */
void cr_argument(cr_connection *connection, const void *data, size_t size);
void cr_argument_number(cr_connection *connection, int64_t number);
void cr_command_end(cr_connection *connection);
/* Sends the queue and wipes it. */
cs_result cr_send(cr_connection *connection, int64_t deadline);
/* The next reply, the caller's to free. */
cs_result cr_receive(cr_connection *connection, int64_t deadline, cr_reply **out);

#endif
