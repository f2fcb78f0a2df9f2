/* The library's own decisions under every order of events: the requests are
 * coroutines of one thread that stop before each call of a store, and the
 * explorer tries all of what could happen next. Nothing of the protocol is
 * written down here a second time: what runs is libtuile. */
#ifndef MODEL_H
#define MODEL_H

#include "check.h"

enum { most_requests = 3, most_processes = 3, most_records = 12, most_late = 3, most_jumps = 4, outside = most_requests };

/* ---- stores: a few records in memory, and what can go wrong with a call (stores.c) ---- */

enum store_name { back, front, old, store_count };

enum op_kind { op_begin, op_load, op_create, op_replace, op_touch, op_put, op_remove, op_own, op_owned, op_disown, op_respond, op_wait };

/* What happens to a call. A late copy arrives when the explorer likes. */
enum fault {
  fault_none,
  fault_failed,  /* not applied, and known to be not */
  fault_lost,    /* not applied, and nobody knows */
  fault_applied, /* applied, and nobody knows */
  fault_late,    /* nobody knows, and applied later */
  fault_twice,   /* applied, and once more later */
  fault_crash,   /* the request ends before it */
  fault_impatient, /* of a wait in line: it was too long */
  fault_count
};
#define BIT(number) (1u << (number))
#define ALL_FAULTS (BIT(fault_count) - 2)

struct op {
  enum op_kind kind;
  enum store_name store;
  tuile_bytes key, expected, data, owner;
  int64_t expires, now;
  tuile_receive receive;
  tuile_receive_owned receive_owned;
  void *receiver;
  void *semaphore; /* op_wait */
};

void stores_reset(void);
void stores_snapshot(void); /* what stores_reset goes back to */
void stores_forget(void);
void stores_clear(enum store_name store);
uint64_t stores_hash(void);
int late_count(void);
void deliver_late(int i);
extern bool front_away;
extern bool store_is_blind;   /* the control: replace writes, whatever is there */
extern bool store_is_strict;  /* expired records stay until they are swept, as in SQLite; else they go, as in Redis */
/* The JSON of a record, its pointers followed, and the record's expiry; NULL if there is none. */
const char *stored_json(enum store_name store, const char *key, bool follow, int64_t *expires);
/* The key of record i of a store, or NULL behind the last. */
const char *stored_key(enum store_name store, int i);
/* Which request made that session; `outside` if none of them did, or nobody knows. */
int maker_of(const char *key);
tuile_status model_module_open(tuile_bytes url, tuile_store_ops *ops, void **context, tuile_error *error);

/* ---- time, chance, coroutines (coroutines.c) ---- */

extern int64_t world_time; /* Unix microseconds */
extern int64_t skew[most_processes];
int64_t process_time(void *process); /* a tuile_clock; the context is the process's number */
extern int current;                  /* the request that runs, or `outside` */
extern int probing_process;          /* whose clock counts outside */
void coroutines_reset(void);
void coroutine_start(int i, void (*body)(int));
void coroutine_resume(int i, enum fault fault); /* what happens to the call that it waits for */
bool coroutine_ended(int i);
/* Stops the running request before `op`; what happens to the call when it goes on. */
enum fault coroutine_wait(const struct op *op);
const struct op *waiting_for(int i);
bool waits_in_vain(int i); /* in line, and nobody has called it */
/* Mixes what the running request has seen into its history. */
void observe(uint64_t value);
uint64_t history_of(int i);
void abandon(int i); /* every call of its fails from now on: it is not there any more */
bool is_abandoned(int i);
uint64_t mix(uint64_t hash, uint64_t value);
uint64_t mix_bytes(uint64_t hash, const void *data, size_t size);

/* ---- scenarios (scenarios.c, families.c) ---- */

struct request {
  const char *script; /* words, see requests.c */
  int process;
  bool stranger; /* another browser, that knows the old ID */
  int after;     /* begins when that request has ended, counted from 1; 0: at any time */
};

struct scenario {
  const char *name;
  struct request requests[most_requests];
  const char *store;    /* NULL: model://back */
  const char *previous; /* where the session is at first */
  unsigned int faults;  /* BITs of what may happen, once in a run unless `budget` says more */
  int budget;
  unsigned int faulty_stores; /* BITs; 0: all */
  unsigned int faulty_requests; /* BITs; 0: all */
  bool away;            /* the front may go away, once, and come back */
  int64_t jumps[most_jumps]; /* the clock may go forward by so many microseconds, in this order */
  int64_t skew[most_processes];
  int64_t grace;        /* seconds; 0: 5, or none with no_grace */
  int64_t fraction;     /* microseconds into the second at which it begins */
  bool owned, strict, blind, no_grace;
  bool repeats; /* fault_twice for create and replace, too */
  bool touches; /* save_every_request: what is only read gets a new expiry */
  bool cold;    /* nothing is in front at first */
  bool one_process; /* of a family's: all requests are in one, and meet in its queue */
  unsigned int expected; /* BITs of the rules that are known to be broken, and stay so */
  unsigned int control;  /* BITs of the rules that have to be found broken */
};

extern const struct scenario *scenario;

/* ---- rules (rules.c) ---- */

enum rule {
  rule_lost,      /* an acknowledged change is not there */
  rule_twice,     /* a change is there more often than it was made */
  rule_failed,    /* a commit that failed, and did not say "unknown", was applied */
  rule_back,      /* a session is loaded after its logout was acknowledged */
  rule_saved,     /* a session is saved after its logout was acknowledged */
  rule_logged_out, /* the browser's cookie leads nowhere, and nobody has logged out */
  rule_orphan,    /* a session lives that no browser was told of */
  rule_told,      /* who came with an old ID is told the new one, or sees its data */
  rule_written,   /* who came with an old ID writes into the session of the new one */
  rule_grace,     /* the old ID serves shorter or longer than cycle_grace says */
  rule_end,       /* the requests do not come to an end */
  rule_count
};
extern const char *const rule_names[rule_count];
void broken(enum rule rule, const char *format, ...) __attribute__((format(printf, 2, 3)));
uint64_t rules_hash(void);
void rules_write(const struct op *op);  /* a request calls a store */
void rules_answer(const struct op *op, tuile_status status); /* and got that answer */
void rules_check_end(void);             /* all is done */

/* ---- requests (requests.c) ---- */

enum outcome { outcome_none, outcome_saved, outcome_deleted, outcome_failed, outcome_unknown };

struct progress {
  bool begun, ended, crashed;
  bool saw;         /* the session's secret was seen */
  bool flushing;    /* in a flush or revoke_all */
  bool wrote_after_logout; /* to a store, after a logout of its session was acknowledged */
  bool out_acknowledged, out_unknown; /* of its own */
  bool out_found;   /* a flush found the ID that it came with */
  bool began_after_logout;
  bool began_after[most_requests]; /* that request had ended by then */
  bool cycles, was_cycled; /* cycle_key was called; and was committed */
  int64_t began_at; /* by the world's time */
  int64_t commit_began, commit_ended; /* of a cycle, by the world's time */
  enum outcome outcome; /* of its commits, taken together */
  char sent[41];    /* the ID that came with it */
  char cookie[41];  /* that the response sets, or empty */
  bool deletes_cookie;
};
extern struct progress progress[most_requests];
extern char first_id[41];
extern char browser[41]; /* the ID in the visitor's browser, or empty */
int cycled_count(void); /* requests whose new ID was acknowledged */
bool logged_out(const char *id); /* a logout that ended the session of that ID was acknowledged */
bool has_word(int i, const char *word);
int request_count(void);
int64_t grace_seconds(void);
void requests_setup(void); /* for each scenario */
void requests_reset(void); /* for each run */
void requests_end(void);
void request_body(int i);
/* What a request with that ID would see now in that process: the JSON, or NULL if the store fails. */
const char *probe(int process, const char *id);
int digit(int64_t number, int place);
int64_t number_in(const char *json, const char *name, int64_t absent);
int times_in_log(const char *json, int request);

/* ---- the explorer (explore.c) ---- */

struct result {
  uint64_t runs, steps, states;
  unsigned int broken;
  bool cut; /* there were more than most_runs */
};
extern uint64_t most_runs; /* of one scenario; 0: any number */
void trace(const char *format, ...) __attribute__((format(printf, 1, 2)));
extern bool tracing;
struct result explore(const struct scenario *what);
void show(const struct scenario *what, enum rule rule); /* prints the shortest run that broke it, of the last exploration */
const char *request_name(int i);

/* Scenarios that differ in what their requests do. */
enum { most_scripts = 12 };
struct family {
  const char *name;
  struct scenario base;
  int size; /* requests at a time */
  const char *scripts[most_scripts];
  unsigned int expected; /* as a scenario's */
  bool full;             /* not in a normal run */
};
extern const struct family families[];
extern const int family_count;
/* Explores each of a family, and hands it on. */
struct result explore_family(const struct family *family, void (*each)(const struct scenario *, struct result));

extern const struct scenario named_scenarios[];
extern const int named_count;

#endif
