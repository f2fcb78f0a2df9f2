/* What was answered, for /metrics. */
#include "daemon.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const int64_t limits[] = {250, 500, 1000, 2500, 5000, 10000, 25000, 50000, 100000, 250000, 1000000};
enum { limit_count = sizeof limits / sizeof *limits };

struct counters {
  struct counters *next;
  struct gate_counters counters;
  atomic_ullong slower[limit_count + 1], microseconds;
  char *labels;
  char name[];
};

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static struct counters *first;
static atomic_ullong reloads[2]; /* that failed, that went well */

struct counters *counters_of(const char *name) {
  pthread_mutex_lock(&mutex);
  struct counters *found = first;
  while (found && strcmp(found->name, name) != 0) found = found->next;
  if (!found && (found = calloc(1, sizeof *found + strlen(name) * 3 + 32))) {
    strcpy(found->name, name);
    found->labels = found->name + strlen(name) + 1;
    gate_label("location", tuile_text(name), found->labels, strlen(name) * 2 + 24);
    found->next = first;
    first = found;
  }
  pthread_mutex_unlock(&mutex);
  return found;
}

void counters_add(struct counters *counters, enum gate_outcome outcome, const char *reason, int64_t microseconds) {
  int limit = 0;
  while (limit < limit_count && microseconds > limits[limit]) limit++;
  gate_count(&counters->counters, outcome, reason);
  atomic_fetch_add(&counters->slower[limit], 1);
  atomic_fetch_add(&counters->microseconds, (unsigned long long)microseconds);
}

void counters_reloaded(bool well) { atomic_fetch_add(&reloads[well], 1); }

static void write_times(FILE *file, struct counters *each) {
  unsigned long long count = 0;
  for (int i = 0; i <= limit_count; i++) {
    count += atomic_load(&each->slower[i]);
    fprintf(file, "tuile_gate_answer_seconds_bucket{%s,le=\"", each->labels);
    if (i < limit_count) fprintf(file, "%g\"} %llu\n", (double)limits[i] / 1e6, count);
    else fprintf(file, "+Inf\"} %llu\n", count);
  }
  fprintf(file, "tuile_gate_answer_seconds_sum{%s} %.6f\n", each->labels, (double)atomic_load(&each->microseconds) / 1e6);
  fprintf(file, "tuile_gate_answer_seconds_count{%s} %llu\n", each->labels, count);
}

char *counters_write(size_t *size) {
  char *text = NULL;
  FILE *file = open_memstream(&text, size);
  if (!file) return NULL;
  pthread_mutex_lock(&mutex);
  size_t count = 0;
  for (struct counters *each = first; each; each = each->next) count++;
  struct gate_counted *rows = calloc(count ? count : 1, sizeof *rows);
  count = 0;
  for (struct counters *each = first; rows && each; each = each->next)
    rows[count++] = (struct gate_counted){each->labels, &each->counters};
  gate_counters_write(file, rows, count);
  free(rows);
  fputs("# HELP tuile_gate_answer_seconds How long an answer took.\n# TYPE tuile_gate_answer_seconds histogram\n", file);
  for (struct counters *each = first; each; each = each->next) write_times(file, each);
  pthread_mutex_unlock(&mutex);
  fputs("# HELP tuile_gate_reloads_total Reloads of the configuration.\n# TYPE tuile_gate_reloads_total counter\n", file);
  fprintf(file, "tuile_gate_reloads_total{result=\"failed\"} %llu\ntuile_gate_reloads_total{result=\"done\"} %llu\n",
          atomic_load(&reloads[0]), atomic_load(&reloads[1]));
  fprintf(file, "# HELP tuile_gate_busy Requests that are being answered.\n# TYPE tuile_gate_busy gauge\ntuile_gate_busy %zu\n", serve_busy());
  if (fclose(file) == 0) return text;
  free(text);
  return NULL;
}
