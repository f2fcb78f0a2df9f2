/* A way to a server on a unix socket, with troubles:
 *   proxy SOCKET TARGET SEED [late]
 * Connections are cut at any byte of what either side says; answers are kept for longer than anybody waits; half of one is
 * delivered, and then nothing; with `late` what a client asked is delivered after it has gone. Creations are never late:
 * see docs/sessions.md, "What is left". What happens to a connection is told by the seed and by its number. Runs until its
 * standard input ends, and says then how often it did what. */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#define CHECK(expression) ((expression) ? (void)0 : (fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #expression), abort()))

enum { most = 256, room = 1 << 17 };

/* One direction of a connection. */
struct flow {
  char data[room];
  size_t size;
  long long until; /* nothing is passed on before, in milliseconds */
  bool ended;
};
struct link {
  int client, server; /* -1: closed */
  struct flow asked, answered;
  long long linger; /* the client has gone: when the server's end is closed */
  unsigned int state;
};

static struct link *links[most];
static long long cuts, silences, halves, lates, connections;
static bool may_be_late;

static unsigned int chance(unsigned int *state, unsigned int range) {
  *state = *state * 1664525u + 1013904223u;
  return (*state >> 8) % range;
}

static long long now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (long long)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static struct sockaddr_un address(const char *path) {
  struct sockaddr_un a = {.sun_family = AF_UNIX};
  CHECK(strlen(path) < sizeof a.sun_path);
  strcpy(a.sun_path, path);
  return a;
}

static void shut(int *end) {
  if (*end >= 0) close(*end);
  *end = -1;
}

/* All at once: what a socket does not take at once counts as cut. */
static bool pass(int end, const char *data, size_t size) {
  while (size > 0) {
    ssize_t sent = send(end, data, size, MSG_NOSIGNAL);
    if (sent < 0 && errno == EINTR) continue;
    if (sent <= 0) return false;
    data += sent, size -= (size_t)sent;
  }
  return true;
}

static bool holds(const struct flow *flow, const char *word) { return memmem(flow->data, flow->size, word, strlen(word)) != NULL; }

/* What becomes of what was just read. false: the connection ends. */
static bool harm(struct link *l, struct flow *flow, int to, bool asks) {
  unsigned int number = chance(&l->state, 1000);
  if (number < 12) { /* cut, at any byte */
    cuts++;
    pass(to, flow->data, chance(&l->state, (unsigned int)flow->size + 1));
    return false;
  }
  if (number < 20 && !asks) { /* late, or half of it and no more */
    bool half = number < 16;
    if (half) {
      size_t size = chance(&l->state, (unsigned int)flow->size);
      pass(to, flow->data, size);
      memmove(flow->data, flow->data + size, flow->size -= size);
      halves++;
    } else {
      silences++;
    }
    flow->until = now() + 400;
  } else if (number < 20 && may_be_late && !holds(flow, "NX\r\n") && !holds(flow, "INSERT INTO django_session")) {
    lates++;
    flow->until = now() + 100 + chance(&l->state, 500);
  } else if (number < 60) {
    flow->until = now() + chance(&l->state, 4);
  }
  return true;
}

/* Passes on what may go now. false: the connection ends. */
static bool deliver(struct flow *flow, int to) {
  if (flow->size == 0 || now() < flow->until) return true;
  if (to >= 0 && !pass(to, flow->data, flow->size)) return false;
  flow->size = 0;
  return true;
}

static bool take(struct link *l, struct flow *flow, int from, int to, bool asks) {
  if (flow->size == room) return true;
  ssize_t got = recv(from, flow->data + flow->size, room - flow->size, MSG_DONTWAIT);
  if (got < 0) return errno == EAGAIN || errno == EINTR;
  if (got == 0) {
    flow->ended = true;
    /* Whoever asked has gone: what it asked may be delivered yet. */
    return asks && flow->size > 0;
  }
  flow->size += (size_t)got;
  return flow->until > now() || harm(l, flow, to, asks);
}

static struct link *open_link(int client, const char *target, unsigned int seed) {
  struct sockaddr_un a = address(target);
  struct link *l = calloc(1, sizeof *l);
  CHECK(l);
  l->client = client, l->state = seed * 2654435761u + (unsigned int)connections++ * 40503u;
  l->server = socket(AF_UNIX, SOCK_STREAM, 0);
  if (connect(l->server, (struct sockaddr *)&a, sizeof a) == 0) return l;
  shut(&l->server), shut(&l->client);
  free(l);
  return NULL;
}

static bool serve(struct link *l, short client, short server) {
  if (client && !l->asked.ended && !take(l, &l->asked, l->client, l->server, true)) return false;
  if (server && !take(l, &l->answered, l->server, l->client, false)) return false;
  if (!deliver(&l->asked, l->server)) return false;
  if (l->asked.ended) {
    /* The server gets its time to do what was late. */
    l->answered.size = 0;
    if (l->asked.size > 0) l->linger = now() + 50;
    return now() < l->linger;
  }
  return deliver(&l->answered, l->client);
}

int main(int argc, char **argv) {
  CHECK(argc > 3);
  signal(SIGPIPE, SIG_IGN);
  unsigned int seed = (unsigned int)strtoul(argv[3], NULL, 10);
  may_be_late = argc > 4 && strcmp(argv[4], "late") == 0;
  struct sockaddr_un a = address(argv[1]);
  int listener = socket(AF_UNIX, SOCK_STREAM, 0);
  CHECK(bind(listener, (struct sockaddr *)&a, sizeof a) == 0);
  CHECK(listen(listener, 128) == 0);
  puts("ready"), fflush(stdout);
  while (true) {
    struct pollfd polls[2 + 2 * most] = {{0, POLLIN, 0}, {listener, POLLIN, 0}};
    nfds_t count = 2;
    int wait = -1;
    for (int i = 0; i < most; i++) {
      struct link *l = links[i];
      /* What waits for its time is looked at again soon. */
      if (l && (l->asked.size || l->answered.size || l->asked.ended)) wait = 1;
      polls[count++] = (struct pollfd){l && !l->asked.ended ? l->client : -1, POLLIN, 0};
      polls[count++] = (struct pollfd){l ? l->server : -1, POLLIN, 0};
    }
    if (poll(polls, count, wait) < 0 && errno != EINTR) CHECK(!"poll");
    if (polls[0].revents) break;
    for (int i = 0; i < most; i++) {
      struct link *l = links[i];
      if (!l || serve(l, polls[2 + 2 * i].revents, polls[3 + 2 * i].revents)) continue;
      shut(&l->client), shut(&l->server);
      free(l), links[i] = NULL;
    }
    if (!polls[1].revents) continue;
    int client = accept(listener, NULL, NULL);
    for (int i = 0; client >= 0 && i < most; i++)
      if (!links[i]) {
        links[i] = open_link(client, argv[2], seed);
        client = -1;
      }
    shut(&client);
  }
  printf("%lld connections, %lld cut, %lld answers late, %lld halved, %lld requests late\n", connections, cuts, silences, halves, lates);
  return 0;
}
