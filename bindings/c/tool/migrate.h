/* What the files of `migrate` share. */
#ifndef MIGRATE_H
#define MIGRATE_H

#include "tool.h"

/* ---- migrate_keys.c ---- */

struct keys {
  char *text; /* each ended by a NUL */
  size_t size, capacity, count, invalid;
};
void keys_read(const char *path, bool of_layout, struct keys *keys);
void keys_free(struct keys *keys);

/* ---- migrate_progress.c: where a terminal shows it ---- */

struct progress {
  const char *what;
  size_t done, all;     /* all: 0 if nobody knows */
  int64_t began, shown; /* tenths of a second */
};
void progress_begin(struct progress *progress, const char *what, size_t all);
void progress_show(struct progress *progress, bool last);

/* ---- migrate_loss.c: what is lost between two frameworks' forms ---- */

struct loss {
  char name[64];
  tuile_loss what;
  size_t sessions;
};

struct losses {
  struct loss known[32];
  size_t count;
  size_t others;   /* times that a name was lost for which there is no room */
  size_t values;   /* sessions that lose values */
  size_t expiries; /* sessions whose end the other framework does not read */
  size_t refused, unreadable, too_large; /* sessions that TO can't have */
  size_t listed;   /* owners whose lists TO can't keep */
  bool session_lost_value, session_lost_expiry;
};
void loss_note(void *context, tuile_loss what, tuile_bytes name);
bool loss_is_any(const struct losses *losses);
void loss_out(const struct losses *losses);

/* ---- migrate_old.c: what was copied as it stands, so that it may be removed ---- */

struct copied {
  uint64_t *marks; /* 0: a free place */
  size_t count, capacity;
};
/* Data of a key's, or "" if it can't be loaded. */
struct loaded {
  char *data;
  size_t size;
  int64_t expires;
  bool kept;
};
void keep(void *context, tuile_bytes data, int64_t expires);
void loaded_free(struct loaded *loaded);
bool copied_add(struct copied *copied, tuile_bytes key, const struct loaded *data);
bool copied_has(const struct copied *copied, tuile_bytes key, const struct loaded *data);

#endif
