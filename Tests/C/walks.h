/* What the tests of walks share. */
#ifndef WALKS_H
#define WALKS_H

#include "check.h"

static tuile_error error;
static const int64_t later = INT64_C(4000000000000000);

static tuile_store *open_store(const char *format, const char *folder) {
  char url[700];
  tuile_store *store;
  snprintf(url, sizeof url, format, folder);
  CHECK(tuile_store_open(text(url), &store, &error) == TUILE_OK);
  return store;
}

#endif
