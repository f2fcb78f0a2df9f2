#include "csystem.h"

#include "../../include/tuile/types.h"

#include <stdio.h>

void sys_error_set(void *tuile_error_, int status, size_t offset, sys_bytes message, sys_bytes detail) {
  tuile_error *error = tuile_error_;
  error->status = (tuile_status)status;
  error->offset = offset;
  snprintf(error->message, sizeof error->message, "%.*s%s%.*s", (int)message.size, (const char *)message.start,
           message.size > 0 && detail.size > 0 ? ": " : "", (int)detail.size, (const char *)detail.start);
}

const char *sys_error_message(void *tuile_error_) {
  tuile_error *error = tuile_error_;
  error->message[sizeof error->message - 1] = 0;
  return error->message;
}

uint64_t *sys_latency_buckets(void *latency) { return ((tuile_latency *)latency)->buckets; }
