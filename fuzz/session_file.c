/* A session's file as anybody who can write to the folder would leave it, at a
 * time that Django leaves: to find its expiry the store reads the data before any
 * signature is checked. What is loaded is the file, and a sweep looks at it too. */
#include "fuzz.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static uint8_t const *wanted;
static size_t wanted_size;

static void receive(void *context, tuile_bytes data, int64_t expires) {
  (void)context, (void)expires;
  /* The mark at the end says that what is before it has no form of its own. */
  static const char mark[] = {0, 't', 'u', 'i', 'l', 'e'};
  size_t size = wanted_size;
  if (size >= sizeof mark && memcmp(wanted + size - sizeof mark, mark, sizeof mark) == 0) size -= sizeof mark;
  REQUIRE(data.size == size);
  REQUIRE(size == 0 || memcmp(data.data, wanted, size) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static char folder[64], path[128], url[128];
  static tuile_store *store;
  tuile_error error;
  if (!store) {
    strcpy(folder, "/dev/shm/tuile-fuzz-XXXXXX");
    REQUIRE(mkdtemp(folder) != NULL);
    snprintf(path, sizeof path, "%s/sessionidabcdefgh", folder);
    snprintf(url, sizeof url, "file://%s?fsync=off", folder);
    REQUIRE(tuile_store_open((tuile_bytes){url, strlen(url)}, &store, &error) == TUILE_OK);
  }
  int file = open(path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
  REQUIRE(file >= 0);
  REQUIRE(write(file, data, size) == (ssize_t)size);
  close(file);
  wanted = data, wanted_size = size;
  tuile_status status = tuile_store_load(store, TUILE_STR("abcdefgh"), 1, receive, NULL, &error);
  REQUIRE(status == TUILE_OK || status == TUILE_ABSENT);
  REQUIRE(tuile_store_sweep(store, 1, 10, NULL, &error) == TUILE_OK);
  unlink(path);
  return 0;
}
