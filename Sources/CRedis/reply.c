#include "credis.h"

#include <hiredis/hiredis.h>
#include <stdlib.h>
#include <string.h>

_Static_assert(CR_STRING == REDIS_REPLY_STRING - 1 && CR_ERROR == REDIS_REPLY_ERROR - 1, "the same types, from 0");

/* hiredis makes each part with these instead of its own, which would take as
 * much memory for an array as the server's number says. NULL ends the reading. */

static cr_reply *make(const redisReadTask *task, size_t text) {
  size_t *parts = task->privdata;
  cr_reply *parent = task->parent ? task->parent->obj : NULL;
  if (!parts || *parts >= CR_MOST_PARTS) return NULL;
  cr_reply *reply = calloc(1, sizeof *reply + text + 1);
  if (!reply) return NULL;
  ++*parts;
  reply->type = (cr_type)(task->type - 1);
  if (parent) parent->part[task->idx] = reply;
  return reply;
}

static void *make_string(const redisReadTask *task, char *text, size_t size) {
  cr_reply *reply = make(task, size);
  if (!reply) return NULL;
  memcpy(reply->text, text, size);
  reply->size = size;
  return reply;
}

static void *make_array(const redisReadTask *task, int size) {
  size_t *parts = task->privdata;
  if (!parts || size < 0 || (size_t)size > CR_MOST_PARTS - *parts) return NULL;
  cr_reply *reply = make(task, 0);
  if (!reply || size == 0) return reply;
  reply->part = calloc((size_t)size, sizeof *reply->part);
  /* Attached to its parent already, which frees it. */
  if (!reply->part) return task->parent ? NULL : (free(reply), NULL);
  reply->size = (size_t)size;
  return reply;
}

static void *make_integer(const redisReadTask *task, long long number) {
  cr_reply *reply = make(task, 0);
  if (reply) reply->integer = number;
  return reply;
}

/* The task's type is that of the text or array which is not there. */
static void *make_nil(const redisReadTask *task) {
  cr_reply *reply = make(task, 0);
  if (reply) reply->type = CR_NIL;
  return reply;
}

static void free_any(void *reply) { cr_reply_free(reply); }

/* As deep as hiredis reads, which is seven arrays in each other. */
void cr_reply_free(cr_reply *reply) {
  if (!reply) return;
  for (size_t i = 0; reply->part && i < reply->size; i++) cr_reply_free(reply->part[i]);
  free(reply->part);
  free(reply);
}

static redisReplyObjectFunctions functions = {make_string, make_array, make_integer, make_nil, free_any};

struct redisReader *cr_reader_new(size_t *parts) {
  redisReader *reader = redisReaderCreateWithFunctions(&functions);
  if (reader) reader->privdata = parts;
  return reader;
}
