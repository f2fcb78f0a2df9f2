#define _GNU_SOURCE
#include "cmemcached.h"

#include <stdlib.h>
#include <string.h>

enum { BUFFER = 16384 };

struct cm_connection {
  cs_stream stream;
  bool binary;
  uint32_t requests;
  char *queue; /* what is to be sent */
  size_t queued, room;
  bool out_of_memory;
  size_t from, to; /* of what has come and is unread */
  char buffer[BUFFER];
};

/* ---- opening ---- */

cm_connection *cm_open(const cs_address *to, bool binary, int64_t deadline, cs_result *result, char why[CS_WHY]) {
  cs_stream stream;
  *result = cs_open(&stream, to, deadline, why);
  if (*result != CS_OK) return NULL;
  cm_connection *made = malloc(sizeof *made);
  if (!made) {
    cs_close(&stream);
    *result = CS_MEMORY;
    return NULL;
  }
  memset(made, 0, offsetof(struct cm_connection, buffer));
  made->stream = stream;
  made->binary = binary;
  return made;
}

static void release(cm_connection *connection) {
  if (connection->queue) explicit_bzero(connection->queue, connection->room);
  free(connection->queue);
  explicit_bzero(connection->buffer, sizeof connection->buffer);
  free(connection);
}

void cm_close(cm_connection *connection) {
  cs_close(&connection->stream);
  release(connection);
}

void cm_abandon(cm_connection *connection) {
  cs_abandon(&connection->stream);
  release(connection);
}

bool cm_is_idle(cm_connection *connection) {
  return connection->from == connection->to && connection->queued == 0 && cs_is_quiet(&connection->stream);
}

/* ---- sending ---- */

void cm_put(cm_connection *connection, const void *data, size_t size) {
  if (size > connection->room - connection->queued) {
    size_t room = connection->queued + size + 512;
    char *grown = malloc(room);
    if (!grown) {
      connection->out_of_memory = true;
      return;
    }
    if (connection->queued > 0) memcpy(grown, connection->queue, connection->queued);
    if (connection->queue) explicit_bzero(connection->queue, connection->room);
    free(connection->queue);
    connection->queue = grown;
    connection->room = room;
  }
  if (size > 0) memcpy(connection->queue + connection->queued, data, size);
  connection->queued += size;
}

cs_result cm_send(cm_connection *connection, cm_call *call) {
  cs_result result = CS_MEMORY;
  if (!connection->out_of_memory) {
    call->sent = true;
    result = cs_send(&connection->stream, connection->queue, connection->queued, call->deadline);
  }
  /* Large requests are rare, and a pool of them would be much memory. */
  if (connection->queue) explicit_bzero(connection->queue, connection->queued);
  connection->queued = 0;
  connection->out_of_memory = false;
  if (connection->room > 65536) {
    free(connection->queue);
    connection->queue = NULL;
    connection->room = 0;
  }
  return result;
}

uint32_t cm_next_request(cm_connection *connection) { return ++connection->requests; }

/* ---- receiving ---- */

static cs_result fill(cm_connection *connection, int64_t deadline) {
  if (connection->from == connection->to) connection->from = connection->to = 0;
  if (connection->to == BUFFER) {
    memmove(connection->buffer, connection->buffer + connection->from, connection->to - connection->from);
    connection->to -= connection->from;
    connection->from = 0;
  }
  if (connection->to == BUFFER) return CS_PROTOCOL;
  /* One that sends and sends is no faster than one that does not. */
  if (connection->to > connection->from && cs_now() >= deadline) return CS_TIMED_OUT;
  size_t got = 0;
  cs_result result = cs_receive(&connection->stream, connection->buffer + connection->to, BUFFER - connection->to, deadline,
                                connection->to == 0, &got);
  if (result == CS_OK) connection->to += got;
  return result;
}

static void consume(cm_connection *connection, size_t size) {
  explicit_bzero(connection->buffer + connection->from, size);
  connection->from += size;
}

cs_result cm_take(cm_connection *connection, void *out, size_t size, int64_t deadline) {
  for (size_t done = 0; done < size;) {
    if (connection->from == connection->to) {
      if (done > 0 && cs_now() >= deadline) return CS_TIMED_OUT;
      cs_result result = fill(connection, deadline);
      if (result != CS_OK) return result;
    }
    size_t some = connection->to - connection->from;
    if (some > size - done) some = size - done;
    memcpy((char *)out + done, connection->buffer + connection->from, some);
    consume(connection, some);
    done += some;
  }
  return CS_OK;
}

cs_result cm_take_line(cm_connection *connection, char *out, size_t room, int64_t deadline) {
  for (;;) {
    size_t held = connection->to - connection->from;
    const char *start = connection->buffer + connection->from, *end = memchr(start, '\n', held);
    if (end) {
      size_t size = (size_t)(end - start);
      if (size == 0 || start[size - 1] != '\r' || size > room) return CS_PROTOCOL;
      memcpy(out, start, size - 1);
      out[size - 1] = 0;
      consume(connection, size + 1);
      return memchr(out, 0, size - 1) ? CS_PROTOCOL : CS_OK;
    }
    if (held > room) return CS_PROTOCOL;
    cs_result result = fill(connection, deadline);
    if (result != CS_OK) return result;
  }
}

cs_result cm_take_value(cm_connection *connection, cm_item *item, int64_t deadline) {
  if (item->size > CM_LARGEST) return CS_LIMIT;
  item->value = malloc(item->size + 1);
  if (!item->value) return CS_MEMORY;
  cs_result result = cm_take(connection, item->value, item->size, deadline);
  if (result != CS_OK) cm_item_free(item);
  return result;
}

void cm_item_free(cm_item *item) {
  if (item->value) explicit_bzero(item->value, item->size);
  free(item->value);
  item->value = NULL;
  item->size = 0;
}

/* ---- requests ---- */

cs_result cm_login(cm_connection *connection, const char *user, const char *password, cm_call *call) {
  return (connection->binary ? cm_binary_login : cm_text_login)(connection, user, password, call);
}

cs_result cm_ask(cm_connection *connection, cm_call *call) {
  return (connection->binary ? cm_binary_ask : cm_text_ask)(connection, call);
}

cs_result cm_limit(cm_connection *connection, cm_call *call, uint64_t *out) {
  return (connection->binary ? cm_binary_limit : cm_text_limit)(connection, call, out);
}

cs_result cm_get(cm_connection *connection, cm_call *call, cm_item *out) {
  *out = (cm_item){.left = -2};
  return (connection->binary ? cm_binary_get : cm_text_get)(connection, call, out);
}

cs_result cm_touch(cm_connection *connection, cm_call *call, int64_t left) {
  return (connection->binary ? cm_binary_touch : cm_text_touch)(connection, call, left);
}

cs_result cm_delete(cm_connection *connection, cm_call *call, uint64_t cas) {
  return (connection->binary ? cm_binary_delete : cm_text_delete)(connection, call, cas);
}

cs_result cm_store(cm_connection *connection, cm_call *call, bool add, const void *head, size_t head_size,
                   const cm_item *item) {
  return (connection->binary ? cm_binary_store : cm_text_store)(connection, call, add, head, head_size, item);
}
