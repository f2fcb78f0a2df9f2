/* Parameters and answers in the server's binary format. */
#include "private.h"

#include <stdlib.h>
#include <string.h>

/* The numbers of types that no server changes (pg_type.dat). */
enum { BYTEA = 17, INT8 = 20, TEXT = 25, VARCHAR = 1043, TIMESTAMP = 1114, TIMESTAMPTZ = 1184 };

/* From 1970 to 2000. */
static const int64_t epoch = INT64_C(946684800000000);
/* What Django's datetime can hold: years 1 to 9999. */
static const int64_t earliest = INT64_C(-62135596800000000), latest = INT64_C(253402300799999999);

static void add(pg_parameters *p, unsigned int type, const void *data, size_t size) {
  int i = p->count++;
  p->types[i] = type;
  p->texts[i] = data;
  p->sizes[i] = (int)size;
}

void pg_add_text(pg_parameters *p, const void *data, size_t size) { add(p, TEXT, data, size); }
void pg_add_bytes(pg_parameters *p, const void *data, size_t size) { add(p, BYTEA, data, size); }

static void add_number(pg_parameters *p, unsigned int type, int64_t number) {
  int i = p->count++;
  p->types[i] = type;
  p->texts[i] = NULL;
  p->sizes[i] = 8;
  for (int byte = 0; byte < 8; byte++) p->numbers[i][byte] = (uint8_t)((uint64_t)number >> (56 - 8 * byte));
}

void pg_add_number(pg_parameters *p, int64_t number) { add_number(p, INT8, number); }

static void add_time(pg_parameters *p, unsigned int type, int64_t microseconds) {
  int64_t kept = microseconds < earliest ? earliest : microseconds > latest ? latest : microseconds;
  add_number(p, type, kept - epoch);
}

void pg_add_zoned_time(pg_parameters *p, int64_t microseconds) { add_time(p, TIMESTAMPTZ, microseconds); }
void pg_add_time(pg_parameters *p, int64_t microseconds) { add_time(p, TIMESTAMP, microseconds); }

void pg_answer_free(pg_answer *answer) { PQclear(answer); }

uint64_t pg_answer_state(const pg_answer *answer) {
  const char *text = answer ? PQresultErrorField(answer, PG_DIAG_SQLSTATE) : NULL;
  uint64_t state = 0;
  if (!text || strlen(text) != 5) return 0;
  for (int i = 0; i < 5; i++) state = state << 8 | (uint8_t)text[i];
  return state;
}

int pg_answer_rows(const pg_answer *answer) { return PQntuples(answer); }

int64_t pg_answer_changed(const pg_answer *answer) {
  /* Not const in libpq, which only reads it. */
  return strtoll(PQcmdTuples((PGresult *)answer), NULL, 10);
}

const uint8_t *pg_answer_text(const pg_answer *answer, int row, int column, size_t *size) {
  *size = (size_t)PQgetlength(answer, row, column);
  return (const uint8_t *)PQgetvalue(answer, row, column);
}

int64_t pg_answer_number(const pg_answer *answer, int row, int column) {
  if (PQgetlength(answer, row, column) != 8) return INT64_MIN;
  const uint8_t *bytes = (const uint8_t *)PQgetvalue(answer, row, column);
  uint64_t number = 0;
  for (int byte = 0; byte < 8; byte++) number = number << 8 | bytes[byte];
  return (int64_t)number;
}

int64_t pg_answer_time(const pg_answer *answer, int row, int column) {
  int64_t number = pg_answer_number(answer, row, column), sum;
  /* infinity and what is near it; -infinity can't overflow */
  if (__builtin_add_overflow(number, epoch, &sum)) return INT64_MAX;
  return number == INT64_MIN ? INT64_MIN : sum;
}

bool pg_answer_is_sessions(const pg_answer *answer, pg_form data, pg_form times) {
  static const unsigned int types[] = {
      [PG_TEXT] = TEXT, [PG_BYTES] = BYTEA, [PG_NUMBER] = INT8, [PG_TIME] = TIMESTAMP, [PG_ZONED_TIME] = TIMESTAMPTZ};
  if (PQnfields(answer) != 3) return false;
  /* A varchar(n) says n and 4; without a limit it says -1. */
  bool key = PQftype(answer, 0) == TEXT ||
             (PQftype(answer, 0) == VARCHAR && (PQfmod(answer, 0) < 0 || PQfmod(answer, 0) >= 40 + 4));
  return key && PQftype(answer, 1) == types[data] && PQftype(answer, 2) == types[times];
}
