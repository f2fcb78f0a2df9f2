/* A store of your own in plain C: a list under one lock. An example of
 * tuile_store_ops that passes the contract suite; not for production, since
 * every call walks the list. */
#ifndef CUSTOM_STORE_H
#define CUSTOM_STORE_H

#include <tuile.h>

/* `*store` is to be closed with tuile_store_close, which frees the list. */
tuile_status custom_store_open(tuile_store **store, tuile_error *error);

#endif
