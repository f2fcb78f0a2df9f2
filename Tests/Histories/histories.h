/* What the parts of the program share: the records of a round, in memory that all its processes have. */
#ifndef HISTORIES_H
#define HISTORIES_H

#include "check.h"

#include <stdatomic.h>

enum { sessions = 4, processes = 4, most = 40, workers = 16, most_keys = 12 };
enum what { do_add, do_append, do_set, do_remove, do_cycle, do_flush, do_revoke };

/* One operation, and the moments of it by the shared clock; 0: it did not come so far. */
struct record {
  enum what what;
  int session, key; /* the key's place among the session's */
  int invoked, loaded, committed, answered;
  int commits;      /* of a cycle: how often it was tried to commit */
  bool saw, tried;  /* the session was there; a write was begun */
  bool unknown;     /* some answer was TUILE_E_UNKNOWN */
  int64_t n;        /* the counter as it was seen, or -1 */
  tuile_status status;
};

struct history {
  char keys[most_keys][41]; /* the one that the browser has is the last */
  atomic_int count;
  atomic_bool cycling; /* one at a time; stays if nobody knows how it ended */
  char owner[64];
  int64_t marker;
};

struct shared {
  atomic_int clock;
  atomic_llong faults, together;
  struct history sessions[sessions];
  int count[workers];
  struct record records[workers][most];
};

struct totals {
  long long operations, unknown, killed, logged_out, cycled, orphans, faults, together;
};

/* How the program was called. */
struct mode {
  const char *url;
  unsigned int seed; /* of this round */
  int64_t grace;     /* seconds that a replaced key still shows something: none, or longer than a round */
  bool alone;        /* threads of one process, none killed */
  bool blind;        /* control: a store that does not compare */
  bool twice;        /* control: a client that makes again what may have been made */
  bool forget;       /* control: a client that takes an error for success */
  bool queued;       /* the calls go through a queue */
  bool faults;       /* the store's own calls fail */
  bool outage;       /* somebody troubles the server, or the way to it */
};

extern struct shared *shared;
extern struct mode mode;
extern struct totals totals;
/* Where the workers' requests go, and what sets up and looks at what is stored. */
extern tuile_manager *manager, *direct;
extern tuile_store *direct_store;

static inline int tick(void) { return atomic_fetch_add(&shared->clock, 1) + 1; }

static inline unsigned int chance(unsigned int *state, unsigned int range) {
  *state = *state * 1664525u + 1013904223u;
  return (*state >> 8) % range;
}

void pause_a_while(unsigned int microseconds);
tuile_session *begin(tuile_manager *m, const char *key);
/* operations.c: the worker's whole part of the round. */
void run_worker(int worker, unsigned int seed);
/* checker.c: what is broken; then nothing of the session is stored any more. */
int check_session(int session);
/* queued.c: the calls themselves, or by way of a queue of this process. */
void open_queue(void);
void close_queue(void);
tuile_status load_session(tuile_session *s);
tuile_status commit_session(tuile_session *s, tuile_add_header add_header, void *response);
tuile_status flush_session(tuile_session *s);
tuile_status revoke_sessions(tuile_bytes owner);
/* faults.c: whether this thread's calls, or all threads', may fail, and by what numbers; what is under way arrives. */
void fail_calls(unsigned int seed);
void fail_all_calls(unsigned int seed); /* 0: no more */
void let_all_arrive(void);

#endif
