#include "credis.h"

#include <hiredis/hiredis.h>
#include <stdlib.h>
#include <string.h>

/* hiredis makes each part with these instead of its own, which would take as
 * much memory for an array as the server's number says. NULL ends the reading.
 *
 * This module never asks for RESP3, so that the kinds which hiredis reads since
 * 1.0 are as wrong as any other byte, as 0.14 finds them by itself. */

static void *refuse(cr_reading *reading, cs_result problem) {
  reading->problem = problem;
  return NULL;
}

/* Arrays around the part: 1.0 and later read any number of them. */
static size_t depth(const redisReadTask *task) {
  size_t around = 0;
  while ((task = task->parent)) around++;
  return around;
}

static cr_reply *make(const redisReadTask *task, cr_type type, size_t text) {
  cr_reading *reading = task->privdata;
  cr_reply *parent = task->parent ? task->parent->obj : NULL;
  if (reading->parts >= CR_MOST_PARTS) return refuse(reading, CS_LIMIT);
  cr_reply *reply = calloc(1, sizeof *reply + text + 1);
  if (!reply) return refuse(reading, CS_MEMORY);
  reading->parts++;
  reply->type = type;
  if (parent) parent->part[task->idx] = reply;
  return reply;
}

static void *make_string(const redisReadTask *task, char *text, size_t size) {
  cr_type type;
  switch (task->type) {
    case REDIS_REPLY_STRING: type = CR_STRING; break;
    case REDIS_REPLY_STATUS: type = CR_STATUS; break;
    case REDIS_REPLY_ERROR: type = CR_ERROR; break;
    default: return refuse(task->privdata, CS_PROTOCOL); /* a big number, a verbatim text */
  }
  cr_reply *reply = make(task, type, size);
  if (!reply) return NULL;
  memcpy(reply->text, text, size);
  reply->size = size;
  return reply;
}

static void *make_parts(const redisReadTask *task, size_t size) {
  cr_reading *reading = task->privdata;
  /* Not a map, a set, a push, or attributes. */
  if (task->type != REDIS_REPLY_ARRAY) return refuse(reading, CS_PROTOCOL);
  if (size > CR_MOST_PARTS - reading->parts || depth(task) >= CR_DEEPEST) return refuse(reading, CS_LIMIT);
  cr_reply *reply = make(task, CR_ARRAY, 0);
  if (!reply || size == 0) return reply;
  reply->part = calloc(size, sizeof *reply->part);
  if (reply->part) {
    reply->size = size;
    return reply;
  }
  /* Attached to its parent already, which frees it. */
  if (!task->parent) free(reply);
  return refuse(reading, CS_MEMORY);
}

static void *make_integer(const redisReadTask *task, long long number) {
  cr_reply *reply = make(task, CR_INTEGER, 0);
  if (reply) reply->integer = number;
  return reply;
}

/* The task's type is that of the text or array which is not there. */
static void *make_nil(const redisReadTask *task) {
  if (task->type != REDIS_REPLY_STRING && task->type != REDIS_REPLY_ARRAY) return refuse(task->privdata, CS_PROTOCOL);
  return make(task, CR_NIL, 0);
}

static void free_any(void *reply) { cr_reply_free(reply); }

/* No deeper than CR_DEEPEST. */
void cr_reply_free(cr_reply *reply) {
  if (!reply) return;
  for (size_t i = 0; reply->part && i < reply->size; i++) cr_reply_free(reply->part[i]);
  free(reply->part);
  free(reply);
}

#if HIREDIS_MAJOR >= 1

static void *make_array(const redisReadTask *task, size_t size) { return make_parts(task, size); }

/* Where one of these is missing hiredis puts the number of the kind in place of a pointer. */
static void *make_double(const redisReadTask *task, double number, char *text, size_t size) {
  (void)number, (void)text, (void)size;
  return refuse(task->privdata, CS_PROTOCOL);
}

static void *make_bool(const redisReadTask *task, int truth) {
  (void)truth;
  return refuse(task->privdata, CS_PROTOCOL);
}

static redisReplyObjectFunctions functions = {make_string, make_array, make_integer, make_double, make_nil, make_bool, free_any};
_Static_assert(sizeof functions == 7 * sizeof(void *), "each function of hiredis is one of ours");

#else

static void *make_array(const redisReadTask *task, int size) {
  return size < 0 ? refuse(task->privdata, CS_PROTOCOL) : make_parts(task, (size_t)size);
}

static redisReplyObjectFunctions functions = {make_string, make_array, make_integer, make_nil, free_any};
_Static_assert(sizeof functions == 5 * sizeof(void *), "each function of hiredis is one of ours");

#endif

struct redisReader *cr_reader_new(cr_reading *reading) {
  redisReader *reader = redisReaderCreateWithFunctions(&functions);
  if (reader) reader->privdata = reading;
  return reader;
}
