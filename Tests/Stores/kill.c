/* kill -9 of a writing process at random moments. The child writes numbered data
 * and tells through a pipe what the store has acknowledged; the parent looks at
 * what is left: nothing acknowledged may be lost, nothing may be torn.
 *   store_kill URL [ROUNDS]
 *   store_kill naive:/folder [ROUNDS]   the control: files written in place */
#define _GNU_SOURCE
#include "check.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { keys = 4, most = 3000 };

/* ---- the control ---- */

static const char *folder;

static int naive_open(tuile_bytes key, int flags) {
  char path[600];
  snprintf(path, sizeof path, "%s/%.*s", folder, (int)key.size, (const char *)key.data);
  return open(path, flags, 0600);
}
static tuile_status naive_load(void *c, tuile_bytes key, int64_t now, tuile_receive receive, void *receiver, tuile_error *e) {
  (void)c, (void)now, (void)e;
  char data[most];
  int file = naive_open(key, O_RDONLY);
  if (file < 0) return TUILE_ABSENT;
  ssize_t size = read(file, data, sizeof data);
  close(file);
  receive(receiver, (tuile_bytes){data, size > 0 ? (size_t)size : 0}, INT64_MAX / 2);
  return TUILE_OK;
}
static tuile_status naive_write(tuile_bytes key, tuile_bytes data) {
  int file = naive_open(key, O_WRONLY | O_CREAT | O_TRUNC);
  struct timespec pause = {0, 20000};
  for (size_t done = 0; done < data.size; done += 64, nanosleep(&pause, NULL))
    CHECK(write(file, (const char *)data.data + done, data.size - done < 64 ? data.size - done : 64) > 0);
  close(file);
  return TUILE_OK;
}
static tuile_status naive_create(void *c, tuile_bytes key, tuile_bytes data, int64_t expires, tuile_error *e) {
  (void)c, (void)expires, (void)e;
  return naive_write(key, data);
}
static tuile_status naive_replace(void *c, tuile_bytes key, tuile_bytes old, tuile_bytes data, int64_t expires, tuile_error *e) {
  (void)c, (void)old, (void)expires, (void)e;
  return naive_write(key, data);
}
static tuile_status naive_touch(void *c, tuile_bytes key, int64_t expires, tuile_error *e) {
  (void)c, (void)key, (void)expires, (void)e;
  return TUILE_OK;
}
static tuile_status naive_remove(void *c, tuile_bytes key, tuile_error *e) {
  (void)c, (void)key, (void)e;
  return TUILE_OK;
}
static tuile_status naive_sweep(void *c, int64_t now, size_t limit, size_t *removed, tuile_error *e) {
  (void)c, (void)now, (void)limit, (void)e;
  *removed = 0;
  return TUILE_OK;
}

static tuile_store *opened(const char *url) {
  tuile_store *store;
  tuile_error error = {0};
  tuile_status status;
  if (strncmp(url, "naive:", 6) == 0) {
    tuile_store_ops ops = TUILE_STORE_OPS_INIT;
    folder = url + 6;
    ops.load = naive_load, ops.create = naive_create, ops.replace = naive_replace;
    ops.touch = naive_touch, ops.remove = naive_remove, ops.sweep = naive_sweep;
    status = tuile_store_open_ops(&ops, NULL, &store, &error);
  } else {
    status = tuile_store_open(text(url), &store, &error);
  }
  if (status != TUILE_OK) fprintf(stderr, "%s: %s\n", tuile_status_name(status), error.message);
  CHECK(status == TUILE_OK);
  return store;
}

/* ---- numbered data ---- */

struct data {
  char text[most];
  size_t size;
};

/* "number:" and as many letters as the number says, which no other number has. */
static void write_data(struct data *data, unsigned int number) {
  data->size = (size_t)sprintf(data->text, "%08u:", number);
  size_t fill = number * 37 % (most - 64);
  memset(data->text + data->size, 'a' + (int)(number % 26), fill);
  data->size += fill;
}

struct found {
  bool there, torn;
  unsigned int number;
};

static void look(void *context, tuile_bytes bytes, int64_t expires) {
  (void)expires;
  struct found *found = context;
  struct data whole;
  found->there = true;
  if (bytes.size > 9 || bytes.size == 9) found->number = (unsigned int)strtoul((const char *)bytes.data, NULL, 10);
  write_data(&whole, found->number);
  found->torn = bytes.size < 9 || whole.size != bytes.size || memcmp(whole.text, bytes.data, whole.size) != 0;
}

static struct found at(tuile_store *store, const char *key) {
  struct found found = {0};
  tuile_status status = tuile_store_load(store, text(key), INT64_MIN, look, &found, NULL);
  CHECK(status == TUILE_OK || status == TUILE_ABSENT);
  return found;
}

static void name(char key[16], int number) { snprintf(key, 16, "killed%06d", number); }

/* ---- the child ---- */

struct acknowledged {
  int key;
  unsigned int number;
};

static void write_for_ever(const char *url, int to_parent) {
  static struct data old, new;
  tuile_store *store = opened(url);
  unsigned int numbers[keys];
  char key[16];
  for (int i = 0; i < keys; i++) {
    name(key, i);
    numbers[i] = at(store, key).number;
  }
  for (int i = 0;; i = (i + 1) % keys) {
    name(key, i);
    struct acknowledged done = {i, numbers[i] + 1};
    write_data(&old, numbers[i]);
    write_data(&new, done.number);
    tuile_bytes then = {old.text, old.size}, now = {new.text, new.size};
    int64_t expires = INT64_C(4102444800000000) + done.number;
    tuile_status status = numbers[i] == 0 ? tuile_store_create(store, text(key), now, expires, NULL)
                                          : tuile_store_replace(store, text(key), then, now, expires, NULL);
    if (status != TUILE_OK) _exit(1);
    if (write(to_parent, &done, sizeof done) != sizeof done) _exit(2);
    numbers[i] = done.number;
  }
}

/* ---- the parent ---- */

int main(int argc, char **argv) {
  if (argc < 2) return fputs("usage: store_kill URL [ROUNDS]\n", stderr), 2;
  int rounds = argc > 2 ? atoi(argv[2]) : 1000, lost = 0, torn = 0, failed = 0;
  unsigned long writes = 0;
  unsigned int acknowledged[keys] = {0}, seed = (unsigned int)time(NULL);
  tuile_store *store = opened(argv[1]);
  int round = 0;
  while (round < rounds && lost + torn == 0) {
    round++;
    int ends[2];
    CHECK(pipe(ends) == 0);
    pid_t child = fork();
    CHECK(child >= 0);
    if (child == 0) {
      close(ends[0]);
      write_for_ever(argv[1], ends[1]);
    }
    close(ends[1]);
    struct acknowledged done;
    /* At any moment of its life, but after its first write most of the time. */
    bool wait_for_one = rand_r(&seed) % 8 != 0;
    if (wait_for_one && read(ends[0], &done, sizeof done) == sizeof done) acknowledged[done.key] = done.number, writes++;
    struct timespec a_little = {0, (long)(rand_r(&seed) % 4000) * 1000};
    nanosleep(&a_little, NULL);
    kill(child, SIGKILL);
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    if (!WIFSIGNALED(status)) failed++;
    while (read(ends[0], &done, sizeof done) == sizeof done) acknowledged[done.key] = done.number, writes++;
    close(ends[0]);
    for (int i = 0; i < keys; i++) {
      char key[16];
      name(key, i);
      struct found found = at(store, key);
      if (found.torn) torn++;
      else if (found.number < acknowledged[i]) lost++;
    }
  }
  tuile_store_close(store);
  printf("%d kills, %lu acknowledged writes, %d lost, %d torn, %d failed\n", round, writes, lost, torn, failed);
  return lost || torn || failed ? 1 : 0;
}
