/* What the files of this shim share. */
#ifndef CPOSTGRESQL_PRIVATE_H
#define CPOSTGRESQL_PRIVATE_H

#include "cpostgresql.h"

#include <libpq-fe.h>

struct pg_settings {
  PQconninfoOption *options;
  size_t servers;
};

enum { PG_MOST_STATEMENTS = 32 };

struct pg_link {
  PGconn *connection;
  bool busy; /* a command was sent whose answer is not complete */
  unsigned int renewed; /* how often commands were prepared under new names */
  /* The commands that this connection's server knows by their names. */
  uint64_t prepared[PG_MOST_STATEMENTS];
  size_t prepared_count;
};

/* 1 when one of the events is there, 0 at the time limit, -1 if the socket is broken. */
int pg_wait(int fd, short events, int64_t until);
/* Arguments for PQconnectStartParams, which the caller frees; at most so many. */
enum { PG_MOST_SETTINGS = 96 };
int pg_settings_for(const pg_settings *settings, size_t server, const char **names, const char **values, char *copies[3]);

#endif
