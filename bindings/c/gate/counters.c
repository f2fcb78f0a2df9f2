/* What was answered, by location, as Prometheus reads it (text format 0.0.4). */
#include "gate.h"

#include <string.h>

static const char *const outcomes[GATE_OUTCOME_COUNT] = {"pass", "login", "unauthorized", "forbidden", "unavailable"};
static const char *const reasons[GATE_REASON_COUNT] = {"unread", "found", "absent", "none", "unreadable", "several",
                                                       "unchecked", "unbound", "gone", "inactive", "changed", "away"};

enum gate_outcome gate_outcome_of(int status) {
  switch (status) {
    case 302: return GATE_OUTCOME_LOGIN;
    case 401: return GATE_OUTCOME_UNAUTHORIZED;
    case 400:
    case 403: return GATE_OUTCOME_FORBIDDEN;
    default: return GATE_OUTCOME_UNAVAILABLE;
  }
}

void gate_count(struct gate_counters *counters, enum gate_outcome outcome, const char *reason) {
  atomic_fetch_add_explicit(&counters->outcomes[outcome], 1, memory_order_relaxed);
  for (int i = 0; i < GATE_REASON_COUNT; i++)
    if (strcmp(reasons[i], reason ? reason : "unread") == 0)
      atomic_fetch_add_explicit(&counters->reasons[i], 1, memory_order_relaxed);
}

void gate_counters_write(FILE *file, const struct gate_counted *rows, size_t count) {
  fputs("# HELP tuile_gate_answers_total What was answered.\n# TYPE tuile_gate_answers_total counter\n", file);
  for (size_t row = 0; row < count; row++)
    for (int i = 0; i < GATE_OUTCOME_COUNT; i++)
      fprintf(file, "tuile_gate_answers_total{%s,answer=\"%s\"} %llu\n", rows[row].labels, outcomes[i],
              atomic_load(&rows[row].counters->outcomes[i]));
  fputs("# HELP tuile_gate_sessions_total What became of the requests' sessions.\n# TYPE tuile_gate_sessions_total counter\n", file);
  for (size_t row = 0; row < count; row++)
    for (int i = 0; i < GATE_REASON_COUNT; i++)
      fprintf(file, "tuile_gate_sessions_total{%s,status=\"%s\"} %llu\n", rows[row].labels, reasons[i],
              atomic_load(&rows[row].counters->reasons[i]));
}

size_t gate_label(const char *name, tuile_bytes value, char *buffer, size_t capacity) {
  size_t size = 0;
  const char *bytes = value.data;
  for (; *name && size + 3 < capacity; name++) buffer[size++] = *name;
  buffer[size++] = '=';
  buffer[size++] = '"';
  for (size_t i = 0; i < value.size && size + 4 < capacity; i++) {
    bool marked = bytes[i] == '"' || bytes[i] == '\\' || bytes[i] == '\n';
    if (marked) buffer[size++] = '\\';
    buffer[size++] = bytes[i] == '\n' ? 'n' : bytes[i];
  }
  buffer[size++] = '"';
  buffer[size] = '\0';
  return size;
}

/* ---- in memory that processes share ---- */

size_t gate_table_size(size_t capacity) { return sizeof(struct gate_table) + capacity * sizeof(struct gate_row); }

void gate_table_init(struct gate_table *table, size_t capacity) {
  memset(table, 0, gate_table_size(capacity));
  table->capacity = capacity;
}

struct gate_counters *gate_table_find(struct gate_table *table, const char *labels) {
  struct gate_row *row = NULL;
  for (size_t i = 0; i < table->used; i++)
    if (strncmp(table->rows[i].labels, labels, sizeof row->labels - 1) == 0) return &table->rows[i].counters;
  /* What there is no place for counts with the last. */
  if (table->used == table->capacity) return &table->rows[table->used - 1].counters;
  row = &table->rows[table->used++];
  strncpy(row->labels, labels, sizeof row->labels - 1);
  return &row->counters;
}

char *gate_table_write(struct gate_table *table, size_t *size) {
  char *text = NULL;
  struct gate_counted *rows = calloc(table->used ? table->used : 1, sizeof *rows);
  FILE *file = rows ? open_memstream(&text, size) : NULL;
  if (file) {
    for (size_t i = 0; i < table->used; i++)
      rows[i] = (struct gate_counted){table->rows[i].labels, &table->rows[i].counters};
    gate_counters_write(file, rows, table->used);
    if (fclose(file) != 0) free(text), text = NULL;
  }
  free(rows);
  return text;
}
