#define _GNU_SOURCE
#include "cmemcached.h"

#include <libmemcached/memcached.h>
#include <openssl/sha.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { DALLI_POINTS = 160, MOST_SERVERS = 128 };

struct point {
  uint32_t value;
  uint32_t server;
};

struct cm_ring {
  cm_distribution distribution;
  memcached_st *libmemcached; /* never connected; of the distributions that are its own */
  uint32_t count;
  int weights[MOST_SERVERS];
  int ports[MOST_SERVERS];
  char *hosts[MOST_SERVERS];
  char *names[MOST_SERVERS]; /* host:port, or a path */
  struct point *points;
  size_t points_count;
};

cm_ring *cm_ring_new(cm_distribution distribution) {
  cm_ring *ring = calloc(1, sizeof *ring);
  if (!ring) return NULL;
  ring->distribution = distribution;
  if (distribution >= CM_DALLI) return ring;
  ring->libmemcached = memcached_create(NULL);
  if (ring->libmemcached) return ring;
  free(ring);
  return NULL;
}

void cm_ring_free(cm_ring *ring) {
  if (!ring) return;
  if (ring->libmemcached) memcached_free(ring->libmemcached);
  for (uint32_t i = 0; i < ring->count; i++) {
    free(ring->hosts[i]);
    free(ring->names[i]);
  }
  free(ring->points);
  free(ring);
}

bool cm_ring_add(cm_ring *ring, const char *host, int port, int weight) {
  if (ring->count >= MOST_SERVERS) return false;
  char *name = NULL, *copy = strdup(host);
  if (!copy || (port == 0 ? asprintf(&name, "%s", host) : asprintf(&name, "%s:%d", host, port)) < 0) {
    free(copy);
    return false;
  }
  ring->weights[ring->count] = weight;
  ring->ports[ring->count] = port;
  ring->hosts[ring->count] = copy;
  ring->names[ring->count++] = name;
  return true;
}

/* ---- libmemcached's ---- */

static bool set_hash(memcached_st *client, memcached_behavior_t behavior, const char *name) {
  static const struct {
    const char *name;
    memcached_hash_t hash;
  } hashes[] = {{"default", MEMCACHED_HASH_DEFAULT},   {"md5", MEMCACHED_HASH_MD5},         {"crc", MEMCACHED_HASH_CRC},
                {"fnv1_64", MEMCACHED_HASH_FNV1_64},   {"fnv1a_64", MEMCACHED_HASH_FNV1A_64}, {"fnv1_32", MEMCACHED_HASH_FNV1_32},
                {"fnv1a_32", MEMCACHED_HASH_FNV1A_32}, {"hsieh", MEMCACHED_HASH_HSIEH},     {"murmur", MEMCACHED_HASH_MURMUR},
                {"jenkins", MEMCACHED_HASH_JENKINS}};
  if (!name) return true;
  for (size_t i = 0; i < sizeof hashes / sizeof *hashes; i++)
    if (strcmp(hashes[i].name, name) == 0)
      return memcached_behavior_set(client, behavior, (uint64_t)hashes[i].hash) == MEMCACHED_SUCCESS;
  return false;
}

static bool set_distribution(memcached_st *client, cm_distribution distribution) {
  switch (distribution) {
    case CM_CONSISTENT:
      return memcached_behavior_set_distribution(client, MEMCACHED_DISTRIBUTION_CONSISTENT) == MEMCACHED_SUCCESS;
    case CM_KETAMA: return memcached_behavior_set(client, MEMCACHED_BEHAVIOR_KETAMA, 1) == MEMCACHED_SUCCESS;
    case CM_KETAMA_WEIGHTED:
      return memcached_behavior_set(client, MEMCACHED_BEHAVIOR_KETAMA_WEIGHTED, 1) == MEMCACHED_SUCCESS;
    default: return true;
  }
}

/* Last: the points of the servers are made by the hash that there is then. */
static bool add_servers(cm_ring *ring) {
  for (uint32_t i = 0; i < ring->count; i++) {
    const char *host = ring->hosts[i];
    uint32_t weight = (uint32_t)ring->weights[i];
    memcached_return_t added =
        ring->ports[i] == 0
            ? memcached_server_add_unix_socket_with_weight(ring->libmemcached, host, weight)
            : memcached_server_add_with_weight(ring->libmemcached, host, (in_port_t)ring->ports[i], weight);
    if (added != MEMCACHED_SUCCESS) return false;
  }
  return true;
}

/* ---- Dalli's: 160 points a server, more with its weight, of SHA-1; keys by CRC-32 ---- */

static int compare_points(const void *a, const void *b) {
  const struct point *one = a, *other = b;
  if (one->value != other->value) return one->value < other->value ? -1 : 1;
  return one->server < other->server ? -1 : one->server > other->server;
}

static bool make_points(cm_ring *ring) {
  uint64_t total = 0;
  for (uint32_t i = 0; i < ring->count; i++) total += (uint64_t)ring->weights[i];
  ring->points = calloc((size_t)ring->count * DALLI_POINTS + 1, sizeof *ring->points);
  if (!ring->points || total == 0) return false;
  for (uint32_t i = 0; i < ring->count; i++) {
    uint64_t points = (uint64_t)ring->count * DALLI_POINTS * (uint64_t)ring->weights[i] / total;
    for (uint64_t j = 0; j < points; j++) {
      char text[320];
      unsigned char digest[SHA_DIGEST_LENGTH];
      int size = snprintf(text, sizeof text, "%s:%llu", ring->names[i], (unsigned long long)j);
      if (size < 0 || (size_t)size >= sizeof text) return false;
      SHA1((const unsigned char *)text, (size_t)size, digest);
      ring->points[ring->points_count].value =
          (uint32_t)digest[0] << 24 | (uint32_t)digest[1] << 16 | (uint32_t)digest[2] << 8 | digest[3];
      ring->points[ring->points_count++].server = i;
    }
  }
  qsort(ring->points, ring->points_count, sizeof *ring->points, compare_points);
  return ring->points_count > 0;
}

static uint32_t crc32_of(const char *text, size_t size) {
  uint32_t crc = 0xFFFFFFFF;
  for (size_t i = 0; i < size; i++) {
    crc ^= (unsigned char)text[i];
    for (int bit = 0; bit < 8; bit++) crc = crc >> 1 ^ (crc & 1 ? 0xEDB88320 : 0);
  }
  return ~crc;
}

/* The last point at or before the key's, or the last of all. */
static uint32_t find_point(const cm_ring *ring, uint32_t value) {
  size_t low = 0, high = ring->points_count;
  while (low < high) {
    size_t middle = low + (high - low) / 2;
    if (ring->points[middle].value > value) high = middle;
    else low = middle + 1;
  }
  return ring->points[low == 0 ? ring->points_count - 1 : low - 1].server;
}

/* ---- pymemcache's: the server whose name with the key has the highest MurmurHash3 ---- */

struct murmur {
  uint32_t hash, part;
  size_t size;
};

static uint32_t rotate(uint32_t number, int bits) { return number << bits | number >> (32 - bits); }

static uint32_t scramble(uint32_t part) { return rotate(part * 0xCC9E2D51, 15) * 0x1B873593; }

static void add(struct murmur *murmur, const char *text, size_t size) {
  for (size_t i = 0; i < size; i++) {
    murmur->part |= (uint32_t)(unsigned char)text[i] << 8 * (murmur->size & 3);
    if ((++murmur->size & 3) != 0) continue;
    murmur->hash = rotate(murmur->hash ^ scramble(murmur->part), 13) * 5 + 0xE6546B64;
    murmur->part = 0;
  }
}

static uint32_t finish(struct murmur *murmur) {
  uint32_t hash = murmur->hash ^ scramble(murmur->part) ^ (uint32_t)murmur->size;
  hash = (hash ^ hash >> 16) * 0x85EBCA6B;
  hash = (hash ^ hash >> 13) * 0xC2B2AE35;
  return hash ^ hash >> 16;
}

static uint32_t find_highest(const cm_ring *ring, const char *key, size_t size) {
  uint32_t found = 0, highest = 0;
  for (uint32_t i = 0; i < ring->count; i++) {
    struct murmur murmur = {0};
    add(&murmur, ring->names[i], strlen(ring->names[i]));
    add(&murmur, "-", 1);
    add(&murmur, key, size);
    uint32_t score = finish(&murmur);
    if (i == 0 || score > highest || (score == highest && strcmp(ring->names[i], ring->names[found]) > 0)) {
      highest = score;
      found = i;
    }
  }
  return found;
}

/* ---- all ---- */

bool cm_ring_finish(cm_ring *ring, const char *hash, const char *ring_hash) {
  if (ring->distribution == CM_DALLI) return !hash && !ring_hash && make_points(ring);
  if (ring->distribution == CM_RENDEZVOUS) return !hash && !ring_hash;
  return set_distribution(ring->libmemcached, ring->distribution) &&
         set_hash(ring->libmemcached, MEMCACHED_BEHAVIOR_HASH, hash) &&
         set_hash(ring->libmemcached, MEMCACHED_BEHAVIOR_KETAMA_HASH, ring_hash) && add_servers(ring);
}

uint32_t cm_ring_find(const cm_ring *ring, const char *key, size_t size) {
  if (ring->count < 2) return 0;
  switch (ring->distribution) {
    case CM_DALLI: return find_point(ring, crc32_of(key, size));
    case CM_RENDEZVOUS: return find_highest(ring, key, size);
    default: break;
  }
  uint32_t found = memcached_generate_hash(ring->libmemcached, key, size);
  return found < ring->count ? found : 0;
}
