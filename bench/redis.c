/* The request cycle on Redis (load, add 1, save, Set-Cookie) beside the same round trips by hiredis alone, in
 * one run: GET and PEXPIRETIME in one, then the script that compares and replaces; and then a plain SET.
 * bench/redis SOCKET; prints a table, asserts nothing. */
#define _GNU_SOURCE
#include <hiredis/hiredis.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <tuile.h>

#define MUST(call)                                                       \
  do {                                                                   \
    int status_ = (int)(call);                                           \
    if (status_ != 0) {                                                  \
      fprintf(stderr, "bench/redis: %s: %d\n", #call, status_);          \
      exit(1);                                                           \
    }                                                                    \
  } while (0)

enum { most_threads = 8 };

static const char script[] =
    "local stored = redis.call('GET', KEYS[1]) if not stored then return 0 end if stored ~= ARGV[1] then return 1 end "
    "redis.call('SET', KEYS[1], ARGV[2]) redis.call('PEXPIREAT', KEYS[1], ARGV[3]) return 2";

static tuile_manager *manager;
static const char *path;
static char sha[41];

struct client {
  char cookie[64];
  redisContext *redis;
  char data[200];
};

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static tuile_status take(void *context, tuile_bytes name, tuile_bytes value) {
  (void)context, (void)name, (void)value;
  return TUILE_OK;
}

static void begin(struct client *client) {
  tuile_bytes key;
  tuile_session *session = NULL;
  if (tuile_session_start(manager, TUILE_STR(""), (tuile_bytes){NULL, 0}, &session, NULL) != TUILE_OK) abort();
  MUST(tuile_session_set_int(session, TUILE_STR("count"), 0, NULL));
  MUST(tuile_session_commit(session, 200, take, NULL, NULL));
  MUST(tuile_session_id(session, &key));
  snprintf(client->cookie, sizeof client->cookie, "sessionid=%.*s", (int)key.size, (const char *)key.data);
  tuile_session_end(session);
  client->redis = redisConnectUnix(path);
  if (!client->redis || client->redis->err) exit(1);
}

static void request(struct client *client) {
  tuile_session *session = NULL;
  if (tuile_session_start(manager, (tuile_bytes){client->cookie, strlen(client->cookie)}, (tuile_bytes){NULL, 0}, &session, NULL) != TUILE_OK) abort();
  MUST(tuile_session_add_int(session, TUILE_STR("count"), 1, NULL, NULL));
  MUST(tuile_session_commit(session, 200, take, NULL, NULL));
  tuile_session_end(session);
}

static redisReply *reply_of(struct client *client) {
  redisReply *reply = NULL;
  if (redisGetReply(client->redis, (void **)&reply) != REDIS_OK || reply->type == REDIS_REPLY_ERROR) {
    fprintf(stderr, "bench/redis: %s\n", reply ? reply->str : client->redis->errstr);
    exit(1);
  }
  return reply;
}

static void load(struct client *client) {
  const char *key = client->cookie + 10;
  redisAppendCommand(client->redis, "GET %s", key);
  redisAppendCommand(client->redis, "PEXPIRETIME %s", key);
  redisReply *reply = reply_of(client);
  snprintf(client->data, sizeof client->data, "%s", reply->str);
  freeReplyObject(reply);
  freeReplyObject(reply_of(client));
}

static void load_and_replace(struct client *client) {
  load(client);
  redisAppendCommand(client->redis, "EVALSHA %s 1 %s %s %s 1900000000000", sha, client->cookie + 10, client->data, client->data);
  redisReply *reply = reply_of(client);
  if (reply->integer != 2) exit(1);
  freeReplyObject(reply);
}

static void load_and_set(struct client *client) {
  load(client);
  redisAppendCommand(client->redis, "SET %s %s PXAT 1900000000000", client->cookie + 10, client->data);
  freeReplyObject(reply_of(client));
}

struct job {
  pthread_t thread;
  struct client *client;
  void (*call)(struct client *);
  unsigned long times;
  double until;
};

static void *work(void *context) {
  struct job *job = context;
  do {
    for (int i = 0; i < 16; i++) job->call(job->client);
    job->times += 16;
  } while (now() < job->until);
  return NULL;
}

static struct client clients[most_threads];

/* Nanoseconds a call, all threads together. */
static double once(void (*call)(struct client *), int threads) {
  struct job jobs[most_threads];
  double began = now();
  unsigned long times = 0;
  for (int i = 0; i < threads; i++) {
    jobs[i] = (struct job){.client = &clients[i], .call = call, .until = began + 2e8};
    MUST(pthread_create(&jobs[i].thread, NULL, work, &jobs[i]));
  }
  for (int i = 0; i < threads; i++) {
    pthread_join(jobs[i].thread, NULL);
    times += jobs[i].times;
  }
  return (now() - began) / (double)times;
}

/* The two in turns, so that a busy moment of the machine meets both; the best of ten. */
static void row(const char *what, void (*call)(struct client *), int threads, const char *budget) {
  double ours = 1e18, theirs = 1e18;
  for (int run = 0; run < 10; run++) {
    double a = once(request, threads), b = once(call, threads);
    if (a < ours) ours = a;
    if (b < theirs) theirs = b;
  }
  printf("| request cycle, Redis, %d threads | %9.0f | %-34s | %9.0f | %5.2f | %s |\n", threads, ours, what, theirs, ours / theirs, budget);
}

int main(int argc, char **argv) {
  if (argc != 2) return fputs("usage: redis SOCKET\n", stderr), 2;
  char url[512];
  path = argv[1];
  snprintf(url, sizeof url, "unix://%s?prefix=&wait=10000&timeout=10000", path);
  tuile_config config = TUILE_CONFIG_INIT;
  tuile_error error;
  config.secret = TUILE_STR("a secret that has its thirty-two bytes and more"), config.store = (tuile_bytes){url, strlen(url)};
  if (tuile_manager_open(&config, &manager, &error) != TUILE_OK) return fprintf(stderr, "%s\n", error.message), 1;
  for (int i = 0; i < most_threads; i++) begin(&clients[i]);
  redisReply *loaded = redisCommand(clients[0].redis, "SCRIPT LOAD %s", script);
  if (!loaded || !loaded->str) return 1;
  snprintf(sha, sizeof sha, "%s", loaded->str);
  freeReplyObject(loaded);
  printf("| call                             |        ns | limit in the same run              |        ns | ratio | budget |\n");
  printf("| -------------------------------- | --------- | ---------------------------------- | --------- | ----- | ------ |\n");
  row("GET, PEXPIRETIME; EVALSHA", load_and_replace, 1, "1.2");
  row("GET, PEXPIRETIME; SET", load_and_set, 1, "");
  row("GET, PEXPIRETIME; EVALSHA", load_and_replace, 2, "");
  row("GET, PEXPIRETIME; EVALSHA", load_and_replace, 8, "");
  for (int i = 0; i < most_threads; i++) redisFree(clients[i].redis);
  tuile_manager_close(manager);
  return 0;
}
