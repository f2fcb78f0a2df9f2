#define _GNU_SOURCE
#include "csystem.h"

#include <stdlib.h>

/* Which keys are in use for what, in this process. Of a key only its MAC of a random text is here. */
struct sys_claim {
  sys_claim *next, **link; /* in its bucket */
  sys_claim *sibling;      /* of the same owner */
  int family;
  sys_key_use use;
  size_t id_size, text_size;
  uint8_t id[64];
  uint8_t text[];
};

enum { buckets = 256 };
static sys_claim *bucket[buckets];
static uint8_t nonce[32];
static bool has_nonce;

static sys_mutex guard;
static pthread_once_t making = PTHREAD_ONCE_INIT;
static void make_guard(void) {
  sys_mutex_init(&guard);
  has_nonce = sys_random(nonce, sizeof nonce);
}

const uint8_t *sys_claim_text(size_t *size) {
  pthread_once(&making, make_guard);
  *size = sizeof nonce;
  return has_nonce ? nonce : NULL;
}

static bool begins(const sys_claim *a, const sys_claim *b) {
  return a->text_size <= b->text_size && memcmp(a->text, b->text, a->text_size) == 0;
}

/* Whether a MAC that one gives out may be a MAC or a key of the other. */
static bool gives_away(const sys_claim *mac, const sys_claim *other) {
  switch (other->use) {
    case SYS_KEY_MAC: return begins(mac, other) || begins(other, mac);
    case SYS_KEY_DERIVE_TEXT: return begins(mac, other);
    default: return true;
  }
}

static bool conflict(const sys_claim *a, const sys_claim *b) {
  if (a->family == b->family || a->id_size != b->id_size || memcmp(a->id, b->id, a->id_size) != 0) return false;
  return (a->use == SYS_KEY_MAC && gives_away(a, b)) || (b->use == SYS_KEY_MAC && gives_away(b, a));
}

int sys_claim_add(sys_claim **mine, int family, sys_key_use use, sys_bytes id, sys_bytes text) {
  sys_claim *claim = malloc(sizeof *claim + text.size);
  if (!claim) return -1;
  claim->family = family, claim->use = use;
  claim->id_size = id.size < sizeof claim->id ? id.size : sizeof claim->id, claim->text_size = text.size;
  memcpy(claim->id, id.start, claim->id_size);
  if (text.size) memcpy(claim->text, text.start, text.size);
  pthread_once(&making, make_guard);
  sys_mutex_lock(&guard);
  sys_claim **first = &bucket[claim->id[0]];
  for (sys_claim *other = *first; other; other = other->next)
    if (conflict(claim, other)) {
      sys_mutex_unlock(&guard);
      free(claim);
      return 1;
    }
  claim->next = *first, claim->link = first;
  if (*first) (*first)->link = &claim->next;
  *first = claim;
  sys_mutex_unlock(&guard);
  claim->sibling = *mine;
  *mine = claim;
  return 0;
}

void sys_claims_release(sys_claim *mine) {
  if (!mine) return;
  sys_mutex_lock(&guard);
  for (sys_claim *claim = mine; claim; claim = claim->sibling) {
    *claim->link = claim->next;
    if (claim->next) claim->next->link = claim->link;
  }
  sys_mutex_unlock(&guard);
  while (mine) {
    sys_claim *next = mine->sibling;
    free(mine);
    mine = next;
  }
}
