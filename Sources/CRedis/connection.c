#define _GNU_SOURCE
#include "credis.h"

#include <hiredis/hiredis.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct cr_connection {
  cs_stream stream;
  redisReader *reader;
  cr_reading reading;
  size_t fed;    /* bytes since the last whole reply */
  char *queue;   /* commands that are not sent yet */
  size_t queued, room;
  bool out_of_memory;
  int argc;
  const char *argv[CR_MOST_ARGUMENTS];
  size_t sizes[CR_MOST_ARGUMENTS];
  char numbers[CR_MOST_ARGUMENTS][24];
};

/* ---- opening ---- */

static cr_connection *wrap(const cs_stream *stream) {
  cr_connection *made = calloc(1, sizeof *made);
  if (!made) return NULL;
  made->stream = *stream;
  made->reader = cr_reader_new(&made->reading);
  if (made->reader) return made;
  free(made);
  return NULL;
}

cr_connection *cr_open(const cs_address *to, int64_t deadline, cs_result *result, char why[CS_WHY]) {
  cs_stream stream;
  *result = cs_open(&stream, to, deadline, why);
  if (*result != CS_OK) return NULL;
  cr_connection *connection = wrap(&stream);
  if (connection) return connection;
  cs_close(&stream);
  *result = CS_MEMORY;
  return NULL;
}

static void release(cr_connection *connection) {
  redisReaderFree(connection->reader);
  free(connection->queue);
  free(connection);
}

void cr_close(cr_connection *connection) {
  cs_close(&connection->stream);
  release(connection);
}

void cr_abandon(cr_connection *connection) {
  cs_abandon(&connection->stream);
  release(connection);
}

bool cr_is_idle(cr_connection *connection) {
  if (connection->fed > 0 || connection->queued > 0 || connection->argc > 0) return false;
  return cs_is_quiet(&connection->stream);
}

/* ---- sending ---- */

void cr_argument(cr_connection *connection, const void *data, size_t size) {
  if (connection->argc >= CR_MOST_ARGUMENTS) {
    connection->out_of_memory = true;
    return;
  }
  connection->argv[connection->argc] = data;
  connection->sizes[connection->argc++] = size;
}

void cr_argument_number(cr_connection *connection, int64_t number) {
  char *text = connection->numbers[connection->argc % CR_MOST_ARGUMENTS];
  cr_argument(connection, text, (size_t)snprintf(text, sizeof *connection->numbers, "%lld", (long long)number));
}

static bool enqueue(cr_connection *connection, const char *text, size_t size) {
  if (size > connection->room - connection->queued) {
    size_t room = connection->queued + size + 512;
    char *grown = malloc(room);
    if (!grown) return false;
    if (connection->queued > 0) memcpy(grown, connection->queue, connection->queued);
    if (connection->queue) explicit_bzero(connection->queue, connection->room);
    free(connection->queue);
    connection->queue = grown;
    connection->room = room;
  }
  memcpy(connection->queue + connection->queued, text, size);
  connection->queued += size;
  return true;
}

void cr_command_end(cr_connection *connection) {
  char *text = NULL;
  int size = redisFormatCommandArgv(&text, connection->argc, connection->argv, connection->sizes);
  if (size < 0 || !enqueue(connection, text, (size_t)size)) connection->out_of_memory = true;
  if (size >= 0) {
    explicit_bzero(text, (size_t)size);
    redisFreeCommand(text);
  }
  connection->argc = 0;
}

cs_result cr_send(cr_connection *connection, int64_t deadline) {
  cs_result result = connection->out_of_memory ? CS_MEMORY : cs_send(&connection->stream, connection->queue, connection->queued, deadline);
  /* Large commands are rare, and a pool of them would be much memory. */
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

/* ---- receiving ---- */

static cs_result read_more(cr_connection *connection, int64_t deadline, bool wait_first) {
  char data[16384];
  size_t got = 0;
  cs_result result = cs_receive(&connection->stream, data, sizeof data, deadline, wait_first, &got);
  if (result != CS_OK) return result;
  connection->fed += got;
  if (connection->fed > CR_LARGEST_REPLY) return CS_LIMIT;
  return redisReaderFeed(connection->reader, data, got) == REDIS_OK ? CS_OK : CS_MEMORY;
}

cs_result cr_receive(cr_connection *connection, int64_t deadline, cr_reply **out) {
  redisReader *reader = connection->reader;
  for (bool fresh = true;; fresh = false) {
    void *reply = NULL;
    if (redisReaderGetReply(reader, &reply) != REDIS_OK) {
      if (connection->reading.problem != CS_OK) return connection->reading.problem;
      return reader->err == REDIS_ERR_OOM ? CS_MEMORY : CS_PROTOCOL;
    }
    if (reply) {
      *out = reply;
      connection->reading.parts = 0;
      connection->fed = reader->len - reader->pos;
      return CS_OK;
    }
    /* A server takes its time for the first bytes: to wait for them saves a call
     * in vain. */
    cs_result result = CS_TIMED_OUT;
    /* One that sends and sends is no faster than one that does not. */
    if (fresh || cs_now() < deadline) result = read_more(connection, deadline, fresh);
    if (result != CS_OK) return result;
  }
}
