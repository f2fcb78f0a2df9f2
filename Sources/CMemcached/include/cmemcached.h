/* A connection to a memcached server, and which of several servers has a key, as the Swift
 * sources see them. Private to the module.
 *
 * libmemcached tells where its users have a key. What is said to the servers goes over
 * sockets of our own: with libmemcached's no time would hold for a whole answer, nor could a
 * child of fork() leave its parent's connections alone; it has no TLS, and no commands that
 * tell how long an item has left. */
#ifndef CMEMCACHED_H
#define CMEMCACHED_H

#include <csockets.h>

enum {
  CM_LARGEST = 64 << 20, /* bytes of a value */
  CM_LONGEST_KEY = 250
};

/* What a server says to a request. */
typedef enum cm_answer {
  CM_DONE,
  CM_ABSENT,        /* there is no such key */
  CM_EXISTS,        /* there is one, or it has changed */
  CM_TOO_LARGE,     /* the server's limit for an item */
  CM_FULL,          /* its memory */
  CM_REFUSED,       /* user and password */
  CM_UNAUTHORIZED,  /* it wants a user and password */
  CM_UNKNOWN_COMMAND,
  CM_BUSY,
  CM_ERROR
} cm_answer;

typedef struct cm_item {
  uint32_t flags;
  uint64_t cas;
  int64_t left; /* seconds; -1: it stays; -2: the protocol does not say */
  size_t size;
  char *value; /* the caller's to free by cm_item_free */
} cm_item;

/* Wipes it, since it may be a session. */
void cm_item_free(cm_item *item);

typedef struct cm_connection cm_connection;

/* `binary`: the binary protocol, which servers with SASL speak; else text with the meta
 * commands, which servers have since 1.6. */
cm_connection *cm_open(const cs_address *to, bool binary, int64_t deadline, cs_result *result, char why[CS_WHY]);
void cm_close(cm_connection *connection);
/* In a child of fork(): closes the descriptor and sends nothing. */
void cm_abandon(cm_connection *connection);
/* Open, and nothing is unread. */
bool cm_is_idle(cm_connection *connection);

/* Each of these sends one request and reads its answer. Anything but CS_OK leaves the
 * connection unusable. *sent: something of it may have been carried out. */
typedef struct cm_call {
  const char *key;
  size_t key_size;
  int64_t deadline;
  bool sent;
  cm_answer answer;
} cm_call;

/* Binary: SASL's PLAIN; text: what memcached's auth file is for. */
cs_result cm_login(cm_connection *connection, const char *user, const char *password, cm_call *call);
/* Whether there is a server that can do what is needed. */
cs_result cm_ask(cm_connection *connection, cm_call *call);
/* The most bytes that the server has in an item, with its notes of it; *out stays if it does not tell. */
cs_result cm_limit(cm_connection *connection, cm_call *call, uint64_t *out);
cs_result cm_get(cm_connection *connection, cm_call *call, cm_item *out);
/* Sets how long the item lives. `left` here and below: seconds, a Unix time over 30 days, -1: it is over. */
cs_result cm_touch(cm_connection *connection, cm_call *call, int64_t left);
/* `cas` 0: whatever is there. */
cs_result cm_delete(cm_connection *connection, cm_call *call, uint64_t cas);
/* Of `item` flags, cas (0: any), left, size and value are read; `head`: bytes in front of the
 * value. `add`: only if there is none. */
cs_result cm_store(cm_connection *connection, cm_call *call, bool add, const void *head, size_t head_size,
                   const cm_item *item);

/* ---- which server has a key (ring.c) ---- */

typedef enum cm_distribution {
  CM_MODULA,
  CM_CONSISTENT,
  CM_KETAMA,
  CM_KETAMA_WEIGHTED,
  CM_DALLI,
  CM_RENDEZVOUS
} cm_distribution;

typedef struct cm_ring cm_ring;
cm_ring *cm_ring_new(cm_distribution distribution);
void cm_ring_free(cm_ring *ring);
/* `port` 0: `host` is a path. */
bool cm_ring_add(cm_ring *ring, const char *host, int port, int weight);
/* After the servers. `hash`, of keys, and `ring_hash`, of servers: libmemcached's name, or
 * NULL for the distribution's own. false: there is none of that name, or not for it. */
bool cm_ring_finish(cm_ring *ring, const char *hash, const char *ring_hash);
/* The server's number. From any thread. */
uint32_t cm_ring_find(const cm_ring *ring, const char *key, size_t size);

/* ---- what php-memcached compresses with (fastlz.c) ---- */

/* false: it is damaged, or becomes anything but `room` bytes. */
bool cm_fastlz_decode(const uint8_t *from, size_t size, uint8_t *to, size_t room);
/* The most bytes that cm_fastlz_encode makes of `size`, which is CM_LARGEST at most. */
size_t cm_fastlz_bound(size_t size);
/* 0: there is no memory. */
size_t cm_fastlz_encode(const uint8_t *from, size_t size, uint8_t *to);

/* ---- between the sources ---- */

/* Adds to the request that is to be sent. */
void cm_put(cm_connection *connection, const void *data, size_t size);
cs_result cm_send(cm_connection *connection, cm_call *call);
/* Exactly so many bytes. */
cs_result cm_take(cm_connection *connection, void *out, size_t size, int64_t deadline);
/* A line without its end. */
cs_result cm_take_line(cm_connection *connection, char *out, size_t room, int64_t deadline);
uint32_t cm_next_request(cm_connection *connection);
/* Reads a value of item->size bytes. */
cs_result cm_take_value(cm_connection *connection, cm_item *item, int64_t deadline);

cs_result cm_text_login(cm_connection *, const char *user, const char *password, cm_call *);
cs_result cm_text_ask(cm_connection *, cm_call *);
cs_result cm_text_limit(cm_connection *, cm_call *, uint64_t *out);
cs_result cm_text_get(cm_connection *, cm_call *, cm_item *out);
cs_result cm_text_touch(cm_connection *, cm_call *, int64_t left);
cs_result cm_text_delete(cm_connection *, cm_call *, uint64_t cas);
cs_result cm_text_store(cm_connection *, cm_call *, bool add, const void *head, size_t head_size, const cm_item *);
cs_result cm_binary_login(cm_connection *, const char *user, const char *password, cm_call *);
cs_result cm_binary_ask(cm_connection *, cm_call *);
cs_result cm_binary_limit(cm_connection *, cm_call *, uint64_t *out);
cs_result cm_binary_get(cm_connection *, cm_call *, cm_item *out);
cs_result cm_binary_touch(cm_connection *, cm_call *, int64_t left);
cs_result cm_binary_delete(cm_connection *, cm_call *, uint64_t cas);
cs_result cm_binary_store(cm_connection *, cm_call *, bool add, const void *head, size_t head_size, const cm_item *);

#endif
