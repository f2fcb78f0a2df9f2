#define _GNU_SOURCE
#include "private.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>

/* Sends what libpq still holds; reads meanwhile, since a server that can't
 * answer would stop reading. */
static pg_outcome send_all(PGconn *connection, int64_t until) {
  for (;;) {
    int left = PQflush(connection);
    if (left <= 0) return left == 0 ? PG_DONE : PG_LOST;
    int ready = pg_wait(PQsocket(connection), POLLIN | POLLOUT, until);
    if (ready <= 0) return ready == 0 ? PG_TIMED_OUT : PG_LOST;
    if (!PQconsumeInput(connection)) return PG_LOST;
  }
}

static pg_outcome receive(PGconn *connection, int64_t until) {
  while (PQisBusy(connection)) {
    int ready = pg_wait(PQsocket(connection), POLLIN, until);
    if (ready <= 0) return ready == 0 ? PG_TIMED_OUT : PG_LOST;
    /* Its failure is among the results. */
    if (!PQconsumeInput(connection)) break;
  }
  return PG_DONE;
}

static bool is_error(const PGresult *result) {
  ExecStatusType status = PQresultStatus(result);
  return status != PGRES_COMMAND_OK && status != PGRES_TUPLES_OK;
}

/* Reads until the server is ready for the next command: only then is this one
 * committed, and an error may still follow its result. The first error counts. */
static pg_outcome finish(pg_link *link, int64_t until, pg_answer **answer) {
  PGresult *kept = NULL;
  pg_outcome outcome = send_all(link->connection, until);
  /* A server that went away may have said why. */
  while (outcome == PG_DONE || outcome == PG_LOST) {
    pg_outcome received = receive(link->connection, until);
    PGresult *next = received == PG_DONE ? PQgetResult(link->connection) : NULL;
    if (!next) {
      if (received != PG_DONE) outcome = received;
      break;
    }
    ExecStatusType status = PQresultStatus(next);
    if (kept && is_error(kept)) {
      PQclear(next);
    } else {
      PQclear(kept);
      kept = next;
    }
    /* No command here copies: this is no server that follows the protocol. */
    if (status == PGRES_COPY_IN || status == PGRES_COPY_OUT || status == PGRES_COPY_BOTH) outcome = PG_TIMED_OUT;
  }
  if (outcome == PG_DONE && PQstatus(link->connection) != CONNECTION_OK) outcome = PG_LOST;
  if (outcome == PG_DONE && !kept) outcome = PG_LOST;
  link->busy = outcome != PG_DONE;
  if (outcome == PG_DONE && is_error(kept)) outcome = PG_REFUSED;
  if (outcome == PG_TIMED_OUT || (outcome == PG_LOST && kept && !is_error(kept))) {
    PQclear(kept);
    kept = NULL;
  }
  *answer = kept;
  return outcome;
}

/* For a command that libpq did not take. */
static pg_outcome not_sent(pg_link *link) {
  link->busy = true;
  return PQstatus(link->connection) == CONNECTION_OK ? PG_MEMORY : PG_NOT_SENT;
}

/* FNV-1a. */
static uint64_t number_of(const char *text) {
  uint64_t hash = 0xCBF29CE484222325u;
  for (; *text; text++) hash = (hash ^ (uint8_t)*text) * 0x100000001B3u;
  return hash;
}

static bool is_prepared(const pg_link *link, uint64_t number) {
  for (size_t i = 0; i < link->prepared_count; i++)
    if (link->prepared[i] == number) return true;
  return false;
}

static void forget(pg_link *link, uint64_t number) {
  for (size_t i = 0; i < link->prepared_count; i++)
    if (link->prepared[i] == number) link->prepared[i] = link->prepared[--link->prepared_count];
}

/* Errors after which the command has to be prepared anew: its table has changed (0A000: "cached
 * plan must not change result type"), or a pooler leads to another server (26000). Under a new
 * name, since the server may have the old one still. */
static void prepare_anew(pg_link *link, uint64_t number, const pg_answer *answer) {
  uint64_t state = pg_answer_state(answer);
  forget(link, number);
  if (state == 0x3041303030) link->renewed++;
}

typedef struct statement {
  uint64_t number;
  char name[48];
  const char *sql;
} statement;

static pg_outcome prepare_once(pg_link *link, const statement *it, const pg_parameters *p, int64_t until,
                               pg_answer **answer) {
  if (is_prepared(link, it->number)) return PG_DONE;
  if (!PQsendPrepare(link->connection, it->name, it->sql, p->count, p->types)) return not_sent(link);
  pg_outcome outcome = finish(link, until, answer);
  /* 42P05: a pooler gave us a server connection that has it already. */
  if (outcome == PG_REFUSED && pg_answer_state(*answer) == 0x3432503035) outcome = PG_DONE;
  /* What was to be run was not sent. */
  if (outcome == PG_LOST) outcome = PG_NOT_SENT;
  if (outcome != PG_DONE) return outcome;
  pg_answer_free(*answer);
  *answer = NULL;
  if (link->prepared_count < PG_MOST_STATEMENTS) link->prepared[link->prepared_count++] = it->number;
  return PG_DONE;
}

pg_outcome pg_run(pg_link *link, const char *sql, const pg_parameters *p, bool prepare, int milliseconds,
                  pg_answer **answer) {
  static const int binary[PG_MOST_PARAMETERS] = {1, 1, 1, 1};
  const char *values[PG_MOST_PARAMETERS];
  int64_t until = pg_now() + milliseconds;
  for (int i = 0; i < p->count; i++) values[i] = p->texts[i] ? p->texts[i] : (const char *)p->numbers[i];
  *answer = NULL;
  if (!prepare) {
    if (!PQsendQueryParams(link->connection, sql, p->count, p->types, values, p->sizes, binary, 1))
      return not_sent(link);
    return finish(link, until, answer);
  }
  statement it = {number_of(sql), "", sql};
  snprintf(it.name, sizeof it.name, link->renewed ? "tuile_%016llx_%u" : "tuile_%016llx",
           (unsigned long long)it.number, link->renewed);
  pg_outcome outcome = prepare_once(link, &it, p, until, answer);
  if (outcome != PG_DONE) return outcome;
  if (!PQsendQueryPrepared(link->connection, it.name, p->count, values, p->sizes, binary, 1))
    return not_sent(link);
  outcome = finish(link, until, answer);
  if (outcome == PG_REFUSED) prepare_anew(link, it.number, *answer);
  return outcome;
}

pg_outcome pg_run_script(pg_link *link, const char *sql, int milliseconds, pg_answer **answer) {
  int64_t until = pg_now() + milliseconds;
  *answer = NULL;
  if (!PQsendQuery(link->connection, sql)) return not_sent(link);
  return finish(link, until, answer);
}
