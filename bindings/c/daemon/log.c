/* Lines for the journal. */
#include "daemon.h"

#include <stdio.h>

void log_line(enum log_level level, const char *format, ...) {
  static const char *const names[] = {"", "error", "warn", "notice", "info"};
  char line[2048];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(line, sizeof line, format, arguments);
  va_end(arguments);
  for (char *at = line; *at; at++) /* One message is one line, whatever it is about. */
    if ((unsigned char)*at < 0x20 || *at == 0x7f) *at = ' ';
  fprintf(stderr, "tuile-gate: %s: %s\n", names[level], line);
}
