#define _GNU_SOURCE
#include "cmemcached.h"

#include <stdlib.h>
#include <string.h>

/* The binary protocol, which is the one that servers with SASL speak. */

enum { MOST_SETTINGS = 1000, HEADER = 24, GET = 0x00, SET = 0x01, ADD = 0x02, DELETE = 0x04, VERSION = 0x0B, STAT = 0x10, TOUCH = 0x1C, SASL_AUTH = 0x21 };

typedef struct answer {
  unsigned extras, key, status;
  size_t body;
  uint64_t cas;
} answer;

static void write_number(unsigned char *out, uint64_t number, size_t size) {
  for (size_t i = 0; i < size; i++) out[i] = (unsigned char)(number >> 8 * (size - 1 - i));
}

static uint64_t read_number(const unsigned char *from, size_t size) {
  uint64_t number = 0;
  for (size_t i = 0; i < size; i++) number = number << 8 | from[i];
  return number;
}

/* What stands before the value; the number that the answer has to repeat. */
static uint32_t put_header(cm_connection *connection, int operation, const cm_call *call, const void *extras,
                           size_t extras_size, size_t value_size, uint64_t cas) {
  unsigned char header[HEADER] = {0x80, (unsigned char)operation};
  uint32_t request = cm_next_request(connection);
  write_number(header + 2, call->key_size, 2);
  header[4] = (unsigned char)extras_size;
  write_number(header + 8, extras_size + call->key_size + value_size, 4);
  write_number(header + 12, request, 4);
  write_number(header + 16, cas, 8);
  cm_put(connection, header, sizeof header);
  cm_put(connection, extras, extras_size);
  cm_put(connection, call->key, call->key_size);
  return request;
}

static cm_answer meaning(unsigned status) {
  switch (status) {
    case 0x00: return CM_DONE;
    case 0x01: return CM_ABSENT;
    case 0x02: return CM_EXISTS;
    case 0x03: return CM_TOO_LARGE;
    case 0x05: return CM_EXISTS;
    case 0x20: return CM_UNAUTHORIZED;
    case 0x81: return CM_UNKNOWN_COMMAND;
    case 0x82: return CM_FULL;
    case 0x85:
    case 0x86: return CM_BUSY;
    default: return CM_ERROR;
  }
}

static cs_result skip(cm_connection *connection, size_t size, int64_t deadline) {
  char rest[1024];
  while (size > 0) {
    size_t some = size < sizeof rest ? size : sizeof rest;
    cs_result result = cm_take(connection, rest, some, deadline);
    if (result != CS_OK) return result;
    size -= some;
  }
  return CS_OK;
}

/* Reads the header; of an answer that is no success, or of no `value`, the body too. */
static cs_result receive(cm_connection *connection, cm_call *call, int operation, uint32_t request, bool value, answer *out) {
  unsigned char header[HEADER];
  cs_result result = cm_take(connection, header, sizeof header, call->deadline);
  if (result != CS_OK) return result;
  out->key = (unsigned)read_number(header + 2, 2);
  out->extras = header[4];
  out->status = (unsigned)read_number(header + 6, 2);
  out->body = (size_t)read_number(header + 8, 4);
  out->cas = read_number(header + 16, 8);
  if (header[0] != 0x81 || header[1] != operation || read_number(header + 12, 4) != request ||
      out->body < out->extras + out->key)
    return CS_PROTOCOL;
  call->answer = meaning(out->status);
  if (value && call->answer == CM_DONE) return CS_OK;
  if (out->body > 65536) return CS_PROTOCOL;
  return skip(connection, out->body, call->deadline);
}

static cs_result exchange(cm_connection *connection, cm_call *call, int operation, uint32_t request, bool value, answer *out) {
  cs_result result = cm_send(connection, call);
  return result == CS_OK ? receive(connection, call, operation, request, value, out) : result;
}

cs_result cm_binary_get(cm_connection *connection, cm_call *call, cm_item *out) {
  answer answer;
  uint32_t request = put_header(connection, GET, call, NULL, 0, 0, 0);
  cs_result result = exchange(connection, call, GET, request, true, &answer);
  if (result != CS_OK || call->answer != CM_DONE) return result;
  unsigned char flags[4];
  if (answer.extras != sizeof flags || answer.key != 0) return CS_PROTOCOL;
  result = cm_take(connection, flags, sizeof flags, call->deadline);
  if (result != CS_OK) return result;
  out->flags = (uint32_t)read_number(flags, 4);
  out->cas = answer.cas;
  out->size = answer.body - sizeof flags;
  return cm_take_value(connection, out, call->deadline);
}

/* Times before 1970 end the item at once; -1 is none that the protocol has. */
static void write_time(unsigned char *out, int64_t left) {
  write_number(out, left < 0 ? 60 * 60 * 24 * 30 + 1 : (uint64_t)left, 4);
}

cs_result cm_binary_touch(cm_connection *connection, cm_call *call, int64_t left) {
  answer answer;
  unsigned char extras[4];
  write_time(extras, left);
  uint32_t request = put_header(connection, TOUCH, call, extras, sizeof extras, 0, 0);
  return exchange(connection, call, TOUCH, request, false, &answer);
}

cs_result cm_binary_delete(cm_connection *connection, cm_call *call, uint64_t cas) {
  answer answer;
  uint32_t request = put_header(connection, DELETE, call, NULL, 0, 0, cas);
  return exchange(connection, call, DELETE, request, false, &answer);
}

cs_result cm_binary_store(cm_connection *connection, cm_call *call, bool add, const void *head, size_t head_size,
                          const cm_item *item) {
  answer answer;
  unsigned char extras[8];
  int operation = add ? ADD : SET;
  write_number(extras, item->flags, 4);
  write_time(extras + 4, item->left);
  uint32_t request = put_header(connection, operation, call, extras, sizeof extras, head_size + item->size, item->cas);
  cm_put(connection, head, head_size);
  cm_put(connection, item->value, item->size);
  return exchange(connection, call, operation, request, false, &answer);
}

cs_result cm_binary_login(cm_connection *connection, const char *user, const char *password, cm_call *call) {
  answer answer;
  cm_call mechanism = *call;
  mechanism.key = "PLAIN";
  mechanism.key_size = 5;
  uint32_t request = put_header(connection, SASL_AUTH, &mechanism, NULL, 0, 2 + strlen(user) + strlen(password), 0);
  cm_put(connection, "", 1);
  cm_put(connection, user, strlen(user));
  cm_put(connection, "", 1);
  cm_put(connection, password, strlen(password));
  cs_result result = exchange(connection, call, SASL_AUTH, request, false, &answer);
  /* The same status as for a request before any login. */
  if (result == CS_OK && call->answer == CM_UNAUTHORIZED) call->answer = CM_REFUSED;
  return result;
}

cs_result cm_binary_ask(cm_connection *connection, cm_call *call) {
  answer answer;
  uint32_t request = put_header(connection, VERSION, call, NULL, 0, 0, 0);
  return exchange(connection, call, VERSION, request, false, &answer);
}

/* One answer for each setting, and an empty one behind the last. */
cs_result cm_binary_limit(cm_connection *connection, cm_call *call, uint64_t *out) {
  static const char name[] = "item_size_max";
  char text[512];
  answer answer;
  cm_call settings = *call;
  settings.key = "settings";
  settings.key_size = 8;
  uint32_t request = put_header(connection, STAT, &settings, NULL, 0, 0, 0);
  cs_result result = cm_send(connection, call);
  for (int answers = 0; result == CS_OK && answers < MOST_SETTINGS; answers++) {
    result = receive(connection, call, STAT, request, true, &answer);
    if (result != CS_OK || call->answer != CM_DONE || answer.body == 0) return result;
    if (answer.body >= sizeof text || answer.extras != 0) return CS_PROTOCOL;
    result = cm_take(connection, text, answer.body, call->deadline);
    text[answer.body] = 0;
    if (result == CS_OK && answer.key == sizeof name - 1 && memcmp(text, name, answer.key) == 0)
      *out = strtoull(text + answer.key, NULL, 10);
  }
  return result == CS_OK ? CS_PROTOCOL : result;
}
