/* The loops of bench/payloads: what a request pays to read a payload, and to write it with one value changed. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <tuile/types.h>

int32_t payload_run(int32_t format, tuile_bytes stored, const tuile_bytes *json, tuile_bytes *out);
void payload_free(tuile_bytes bytes);

static double now(void) {
  struct timespec time;
  clock_gettime(CLOCK_MONOTONIC, &time);
  return (double)time.tv_sec * 1e9 + (double)time.tv_nsec;
}

static tuile_bytes run(int format, tuile_bytes stored, const tuile_bytes *json) {
  tuile_bytes out = {NULL, 0};
  if (payload_run(format, stored, json, &out) != 0) {
    fprintf(stderr, "the payload can't be read or written\n");
    exit(1);
  }
  return out;
}

/* Nanoseconds of a read, or, with `change`, of a write of the session with "hits" one more than it is. */
double measure(int format, const char *data, size_t size, int change, int loops) {
  tuile_bytes stored = {data, size}, read = run(format, stored, NULL), wanted = {NULL, 0};
  char *text = malloc(read.size + 1);
  if (!text) exit(1);
  memcpy(text, read.data, read.size);
  text[read.size] = 0;
  char *hits = strstr(text, "\"hits\":41");
  if (!hits) exit(1);
  hits[8] = '2';
  wanted = (tuile_bytes){text, read.size};
  double best = 1e18;
  for (int round = 0; round < 5; round++) {
    double began = now();
    for (int i = 0; i < loops; i++) payload_free(run(format, stored, change ? &wanted : NULL));
    double each = (now() - began) / loops;
    if (each < best) best = each;
  }
  payload_free(read);
  free(text);
  return best;
}
