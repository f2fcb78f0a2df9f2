/* What goes out. All of it is kept until the command is done, so that a failure
 * never leaves half an object behind; what came from outside can't move the
 * cursor of a terminal. */
#include <inttypes.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "tool.h"

static FILE *out;
static char *text_out;
static size_t text_size;
static bool as_json, first_field, in_list;

static void open_out(void) {
  if (out) fclose(out);
  free(text_out);
  text_out = NULL;
  out = open_memstream(&text_out, &text_size);
  if (!out) abort();
  first_field = true;
  in_list = false;
}

void out_begin(bool json) {
  as_json = json;
  open_out();
}

/* Each octet that is not printable as \xNN; valid UTF-8 stays, but for C1 controls
 * and what turns the direction of writing. */
static void put_shown(FILE *file, tuile_bytes text, bool lines) {
  const unsigned char *bytes = text.data;
  bool utf8 = is_utf8(text);
  for (size_t i = 0; i < text.size; i++) {
    unsigned char byte = bytes[i];
    bool c1 = utf8 && byte == 0xc2 && bytes[i + 1] < 0xa0;
    bool turns = utf8 && byte == 0xe2 && ((bytes[i + 1] == 0x80 && bytes[i + 2] >= 0xaa && bytes[i + 2] <= 0xae) ||
                                          (bytes[i + 1] == 0x81 && bytes[i + 2] >= 0xa6 && bytes[i + 2] <= 0xa9));
    bool plain = (byte >= 0x20 && byte < 0x7f) || (byte >= 0x80 && utf8 && !c1 && !turns) || (lines && byte == '\n');
    if (plain)
      putc(byte, file);
    else
      fprintf(file, "\\x%02x", byte);
    if (c1) fprintf(file, "\\x%02x", bytes[++i]);
    if (turns) fprintf(file, "\\x%02x\\x%02x", bytes[i + 1], bytes[i + 2]), i += 2;
  }
}

static void put_json_string(FILE *file, tuile_bytes text) {
  const unsigned char *bytes = text.data;
  putc('"', file);
  for (size_t i = 0; i < text.size; i++) {
    if (bytes[i] == '"' || bytes[i] == '\\') putc('\\', file);
    if (bytes[i] < 0x20 || bytes[i] == 0x7f)
      fprintf(file, "\\u%04x", bytes[i]);
    else
      putc(bytes[i], file);
  }
  putc('"', file);
}

static void put_name(const char *name, const char *suffix) {
  if (as_json)
    fprintf(out, "%s\"%s%s\":", first_field ? "" : ",", name, suffix);
  else
    fprintf(out, "%s%s%s%s: ", in_list && !first_field ? "  " : "", in_list && first_field ? "- " : "", name, suffix);
  first_field = false;
}

static void end_line(void) {
  if (!as_json) putc('\n', out);
}

void out_text(const char *name, tuile_bytes text) {
  bool utf8 = is_utf8(text);
  put_name(name, as_json && !utf8 ? "_hex" : "");
  if (!as_json) {
    put_shown(out, text, false);
  } else if (utf8) {
    put_json_string(out, text);
  } else { /* JSON has no other way for octets */
    putc('"', out);
    for (size_t i = 0; i < text.size; i++) fprintf(out, "%02x", ((const unsigned char *)text.data)[i]);
    putc('"', out);
  }
  end_line();
}

void out_string(const char *name, const char *text) { out_text(name, bytes_of(text)); }

void out_json(const char *name, tuile_bytes json) {
  put_name(name, "");
  if (as_json)
    fwrite(json.data, 1, json.size, out);
  else
    put_shown(out, json, false);
  end_line();
}

void out_pair(tuile_bytes name, tuile_bytes json) {
  put_shown(out, name, false);
  fputs(": ", out);
  put_shown(out, json, false);
  putc('\n', out);
}

void out_number(const char *name, int64_t number) {
  put_name(name, "");
  fprintf(out, "%" PRId64, number);
  end_line();
}

void out_bool(const char *name, bool value) {
  put_name(name, "");
  fputs(as_json ? (value ? "true" : "false") : (value ? "yes" : "no"), out);
  end_line();
}

void out_time(const char *name, int64_t seconds) {
  time_t when = (time_t)seconds;
  struct tm parts;
  char text[64];
  if (as_json || !gmtime_r(&when, &parts) || !strftime(text, sizeof text, "%Y-%m-%d %H:%M:%S UTC", &parts)) {
    out_number(name, seconds);
    return;
  }
  out_string(name, text);
}

void out_list(const char *name) {
  if (as_json)
    fprintf(out, "%s\"%s\":[", first_field ? "" : ",", name);
  else
    fprintf(out, "%s:\n", name);
  in_list = false;
}

void out_item(void) {
  if (as_json) fputs(in_list ? "},{" : "{", out);
  in_list = true;
  first_field = true;
}

void out_list_end(void) {
  if (as_json) fputs(in_list ? "}]" : "]", out);
  in_list = first_field = false;
}

int out_end(int code) {
  bool written = fflush(out) == 0;
  if (as_json) putchar('{');
  fwrite(text_out, 1, text_size, stdout);
  if (as_json) puts("}");
  written = fflush(stdout) == 0 && !ferror(stdout) && written;
  if (!written) fputs("tuile: the output could not be written\n", stderr);
  fclose(out);
  out = NULL;
  free(text_out);
  text_out = NULL;
  return written ? code : EXIT_ERROR;
}

int out_only(bool json, const char *name, tuile_bytes value) {
  if (json) {
    out_text(name, value);
  } else {
    if (isatty(STDOUT_FILENO))
      put_shown(out, value, true);
    else
      fwrite(value.data, 1, value.size, out);
    putc('\n', out);
  }
  return out_end(EXIT_FINE);
}

int answer(tuile_status status, const char *message) {
  fputs("tuile: ", stderr);
  put_shown(stderr, bytes_of(message), false);
  putc('\n', stderr);
  int code = status < 0 ? EXIT_ERROR : EXIT_NO;
  if (!as_json) return code;
  open_out();
  out_string("error", tuile_status_name(status));
  out_string("message", message);
  return out_end(code);
}

int fail(tuile_status status, const tuile_error *error) {
  return answer(status, status < 0 && error && error->message[0] ? error->message : tuile_status_message(status));
}

void usage_error(const char *format, ...) {
  char message[1024];
  va_list arguments;
  va_start(arguments, format);
  vsnprintf(message, sizeof message, format, arguments);
  va_end(arguments);
  fputs("tuile: ", stderr);
  put_shown(stderr, bytes_of(message), false);
  putc('\n', stderr);
  input_wipe();
  exit(EXIT_USAGE);
}
