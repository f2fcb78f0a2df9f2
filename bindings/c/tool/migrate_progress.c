/* How far a migration is, where a terminal shows it. */
#include <time.h>
#include <unistd.h>

#include "migrate.h"

static int64_t tenths(void) {
  struct timespec clock;
  clock_gettime(CLOCK_MONOTONIC, &clock);
  return (int64_t)clock.tv_sec * 10 + clock.tv_nsec / 100000000;
}

void progress_begin(struct progress *progress, const char *what, size_t all) {
  *progress = (struct progress){.what = what, .all = all, .began = tenths()};
}

void progress_show(struct progress *progress, bool last) {
  int64_t now = tenths();
  if (!isatty(STDERR_FILENO) || (now == progress->shown && !last)) return;
  progress->shown = now;
  size_t done = progress->done, all = progress->all > done || last ? progress->all : done;
  if (progress->all == 0) {
    int64_t took = now - progress->began;
    fprintf(stderr, "\r%-8s %zu, %lld a second", progress->what, done, took ? (long long)done * 10 / took : (long long)done);
  } else {
    int width = last || done > all ? 40 : (int)(done * 40 / all);
    fprintf(stderr, "\r%-8s [%.*s%*s] %zu of %zu", progress->what, width, "########################################",
            40 - width, "", done, last ? done : all);
  }
  if (last) putc('\n', stderr);
}
