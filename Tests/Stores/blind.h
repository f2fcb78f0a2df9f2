/* The control: a store over another that compares and then writes, in two
 * steps, as a cache does. It loses updates and undoes logouts. */
#ifndef BLIND_H
#define BLIND_H

#include <tuile.h>

/* Opens the store of the URL, blind or as it is. Ends the program if it can't. */
tuile_store *open_store(const char *url, bool blind);
/* A manager with the secret "secret" on that store. */
tuile_manager *open_manager(tuile_store *store);

#endif
