#define _GNU_SOURCE
#include "cmemcached.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The text protocol with memcached's meta commands. Each request has a number, which its
 * answer repeats: an answer to another one is never taken for it. */

enum { LINE = 1024, MOST_SETTINGS = 1000 };

static void put_text(cm_connection *connection, const char *text) { cm_put(connection, text, strlen(text)); }

static void put_command(cm_connection *connection, const char *name, const cm_call *call) {
  put_text(connection, name);
  cm_put(connection, call->key, call->key_size);
}

static bool begins(const char *line, const char *word) { return strncmp(line, word, strlen(word)) == 0; }

/* A line of the server's that is no answer to a meta command. */
static cs_result refuse(const char *line, cm_call *call) {
  call->answer = CM_ERROR;
  if (strcmp(line, "ERROR") == 0) call->answer = CM_UNKNOWN_COMMAND;
  else if (begins(line, "CLIENT_ERROR unauthenticated")) call->answer = CM_UNAUTHORIZED;
  else if (begins(line, "CLIENT_ERROR authentication failure")) call->answer = CM_REFUSED;
  else if (begins(line, "SERVER_ERROR object too large")) call->answer = CM_TOO_LARGE;
  else if (begins(line, "SERVER_ERROR out of memory")) call->answer = CM_FULL;
  else if (!begins(line, "CLIENT_ERROR") && !begins(line, "SERVER_ERROR")) return CS_PROTOCOL;
  return CS_OK;
}

/* Digits alone, within 64 bits. */
static bool read_number(const char **text, uint64_t *out) {
  char *end;
  if (**text < '0' || **text > '9') return false;
  errno = 0;
  *out = strtoull(*text, &end, 10);
  *text = end;
  return errno == 0;
}

/* Flags of an answer: each a letter and what it says, with a space in front. */
static cs_result read_flags(const char *at, uint32_t request, cm_item *item) {
  bool answers = false;
  while (*at == ' ') {
    char letter = *++at;
    if (letter == 0) break;
    at++;
    /* What tells clients that refill a cache about items that are not fresh. */
    if (letter == 'W' || letter == 'X' || letter == 'Z') continue;
    bool negative = letter == 't' && *at == '-';
    uint64_t number;
    if (negative) at++;
    if (!read_number(&at, &number)) return CS_PROTOCOL;
    if (letter == 'O') {
      answers = number == request;
    } else if (letter == 'f' && number <= UINT32_MAX) {
      item->flags = (uint32_t)number;
    } else if (letter == 'c') {
      item->cas = number;
    } else if (letter == 't' && number <= INT32_MAX) {
      item->left = negative ? -1 : (int64_t)number;
    } else {
      return CS_PROTOCOL;
    }
  }
  return answers && *at == 0 ? CS_OK : CS_PROTOCOL;
}

/* Sends, and reads the answer's first line; *item is what its flags say. */
static cs_result exchange(cm_connection *connection, cm_call *call, uint32_t request, bool value, cm_item *item) {
  char line[LINE];
  cs_result result = cm_send(connection, call);
  if (result == CS_OK) result = cm_take_line(connection, line, sizeof line, call->deadline);
  if (result != CS_OK) return result;
  const char *flags = line + 2;
  if (begins(line, "HD") && !value) {
    call->answer = CM_DONE;
  } else if (begins(line, "VA ") && value) {
    uint64_t size;
    flags = line + 3;
    if (!read_number(&flags, &size)) return CS_PROTOCOL;
    if (size > CM_LARGEST) return CS_LIMIT;
    item->size = (size_t)size;
    call->answer = CM_DONE;
  } else if (begins(line, "EN") || begins(line, "NF")) {
    call->answer = CM_ABSENT;
    /* Of some versions a miss repeats nothing. */
    if (strcmp(line, "EN") == 0) return CS_OK;
  } else if (begins(line, "EX") || begins(line, "NS")) {
    call->answer = CM_EXISTS;
  } else {
    return refuse(line, call);
  }
  return read_flags(flags, request, item);
}

cs_result cm_text_get(cm_connection *connection, cm_call *call, cm_item *out) {
  char flags[48];
  uint32_t request = cm_next_request(connection);
  put_command(connection, "mg ", call);
  snprintf(flags, sizeof flags, " f c t v O%u\r\n", request);
  put_text(connection, flags);
  cs_result result = exchange(connection, call, request, true, out);
  if (result != CS_OK || call->answer != CM_DONE) return out->size = 0, result;
  result = cm_take_value(connection, out, call->deadline);
  char end[2];
  if (result == CS_OK) result = cm_take(connection, end, sizeof end, call->deadline);
  if (result == CS_OK && memcmp(end, "\r\n", 2) != 0) result = CS_PROTOCOL;
  if (result != CS_OK) cm_item_free(out);
  return result;
}

cs_result cm_text_touch(cm_connection *connection, cm_call *call, int64_t left) {
  char flags[64];
  uint32_t request = cm_next_request(connection);
  cm_item item = {0};
  put_command(connection, "mg ", call);
  snprintf(flags, sizeof flags, " T%lld O%u\r\n", (long long)left, request);
  put_text(connection, flags);
  return exchange(connection, call, request, false, &item);
}

cs_result cm_text_delete(cm_connection *connection, cm_call *call, uint64_t cas) {
  char flags[64];
  uint32_t request = cm_next_request(connection);
  cm_item item = {0};
  put_command(connection, "md ", call);
  if (cas != 0) snprintf(flags, sizeof flags, " C%llu O%u\r\n", (unsigned long long)cas, request);
  else snprintf(flags, sizeof flags, " O%u\r\n", request);
  put_text(connection, flags);
  return exchange(connection, call, request, false, &item);
}

cs_result cm_text_store(cm_connection *connection, cm_call *call, bool add, const void *head, size_t head_size,
                        const cm_item *item) {
  char flags[128];
  uint32_t request = cm_next_request(connection);
  cm_item answer = {0};
  put_command(connection, "ms ", call);
  int size = snprintf(flags, sizeof flags, " %zu F%u T%lld O%u", head_size + item->size, item->flags,
                      (long long)item->left, request);
  if (item->cas != 0) snprintf(flags + size, sizeof flags - (size_t)size, " C%llu\r\n", (unsigned long long)item->cas);
  else snprintf(flags + size, sizeof flags - (size_t)size, add ? " ME\r\n" : "\r\n");
  put_text(connection, flags);
  cm_put(connection, head, head_size);
  cm_put(connection, item->value, item->size);
  put_text(connection, "\r\n");
  return exchange(connection, call, request, false, &answer);
}

/* Any command with a value carries them to a server that was started with an auth file. */
cs_result cm_text_login(cm_connection *connection, const char *user, const char *password, cm_call *call) {
  char line[LINE];
  snprintf(line, sizeof line, "set auth 0 0 %zu\r\n", strlen(user) + 1 + strlen(password));
  put_text(connection, line);
  put_text(connection, user);
  put_text(connection, " ");
  put_text(connection, password);
  put_text(connection, "\r\n");
  cs_result result = cm_send(connection, call);
  if (result == CS_OK) result = cm_take_line(connection, line, sizeof line, call->deadline);
  if (result != CS_OK) return result;
  call->answer = CM_DONE;
  return strcmp(line, "STORED") == 0 ? CS_OK : refuse(line, call);
}

cs_result cm_text_ask(cm_connection *connection, cm_call *call) {
  char line[LINE];
  put_text(connection, "mn\r\n");
  cs_result result = cm_send(connection, call);
  if (result == CS_OK) result = cm_take_line(connection, line, sizeof line, call->deadline);
  if (result != CS_OK) return result;
  call->answer = CM_DONE;
  return strcmp(line, "MN") == 0 ? CS_OK : refuse(line, call);
}

cs_result cm_text_limit(cm_connection *connection, cm_call *call, uint64_t *out) {
  char line[LINE];
  put_text(connection, "stats settings\r\n");
  cs_result result = cm_send(connection, call);
  for (int lines = 0; result == CS_OK && lines < MOST_SETTINGS; lines++) {
    static const char name[] = "STAT item_size_max ";
    result = cm_take_line(connection, line, sizeof line, call->deadline);
    if (result != CS_OK) break;
    call->answer = CM_DONE;
    if (strcmp(line, "END") == 0) return CS_OK;
    if (!begins(line, "STAT ")) return refuse(line, call);
    const char *number = line + sizeof name - 1;
    if (begins(line, name) && !read_number(&number, out)) return CS_PROTOCOL;
  }
  return result == CS_OK ? CS_PROTOCOL : result;
}
