/* Power loss at every moment of a short run on the file store, in each way that
 * power_loss.h knows: fsync=full loses nothing that was answered, fsync=data may lose
 * the last commits and leaves every session whole. The controls: fsync=off leaves
 * torn sessions, and so does fsync=full on a disk that syncs nothing. */
#define _GNU_SOURCE
#include "check.h"

#ifdef SANITIZED
int main(void) { return 0; } /* the sanitizers stand in front of the same calls */
#else

#include "power_loss.h"

#include <ftw.h>

enum { keys = 3, places = keys + 1 };

/* What is in a place: a number of data and of an expiry, or none. The last is an owner's list. */
struct content {
  int data, expires;
};
struct step {
  enum { create, replace, put, touch, drop_it, own, disown } what;
  int key;
};
static const struct step steps[] = {{create, 0}, {create, 1}, {own, 1},     {replace, 0}, {touch, 0},  {put, 2},    {drop_it, 0},
                                    {own, 2},    {put, 1},    {disown, 1},  {create, 0},  {replace, 1}, {disown, 2}, {drop_it, 2}};
enum { step_count = sizeof steps / sizeof *steps };
/* What is there after so many steps; data is told apart by its step. */
static struct content history[step_count + 1][places];

static tuile_store *store;
static const int64_t far = INT64_C(4102444800000000);
static char texts[step_count + 1][1200];

static tuile_bytes key_of(int i) {
  static const char *const names[] = {"powerkey1", "powerkey2", "powerkey3"};
  return text(names[i]);
}
static int64_t expires_of(int number) { return far + number * INT64_C(1000000); }

static void take(int number) {
  const struct step *step = &steps[number - 1];
  struct content *then = history[number - 1], *now = history[number];
  tuile_bytes key = key_of(step->key), data = text(texts[number]);
  memcpy(now, then, sizeof history[0]);
  if (step->what == own || step->what == disown)
    now[keys].data = step->what == own ? now[keys].data | 1 << step->key : now[keys].data & ~(1 << step->key);
  else if (step->what == touch)
    now[step->key].expires = number;
  else
    now[step->key] = step->what == drop_it ? (struct content){0, 0} : (struct content){number, number};
  tuile_status status = TUILE_OK;
  switch (step->what) {
    case create: status = tuile_store_create(store, key, data, expires_of(number), NULL); break;
    case replace:
      status = tuile_store_replace(store, key, text(texts[then[step->key].data]), data, expires_of(number), NULL);
      break;
    case put: status = tuile_store_put(store, key, data, expires_of(number), NULL); break;
    case touch: status = tuile_store_touch(store, key, expires_of(number), NULL); break;
    case drop_it: status = tuile_store_remove(store, key, NULL); break;
    case own: status = tuile_store_own(store, text("ada"), key, text("{\"record\":1}"), far, NULL); break;
    case disown: status = tuile_store_disown(store, text("ada"), key, NULL); break;
  }
  CHECK(status == TUILE_OK);
}

/* ---- what is left ---- */

static void receive(void *context, tuile_bytes data, int64_t when) {
  struct content *found = context;
  found->data = found->expires = -1;
  for (int i = 1; i <= step_count; i++) {
    if (equals(data, texts[i])) found->data = i;
    if (when == expires_of(i)) found->expires = i;
  }
}
static void listed(void *context, tuile_bytes key, tuile_bytes record, int64_t when) {
  (void)when;
  struct content *found = context;
  for (int i = 0; i < keys; i++)
    if (key.size == key_of(i).size && memcmp(key.data, key_of(i).data, key.size) == 0) found->data |= 1 << i;
  if (!equals(record, "{\"record\":1}")) found->data = -1;
}

static int lost, torn;

static struct content find(int place) {
  struct content found = {0, 0};
  if (place == keys) {
    CHECK(tuile_store_owned(store, text("ada"), 0, listed, &found, NULL) == TUILE_OK);
    return found;
  }
  tuile_status status = tuile_store_load(store, key_of(place), 0, receive, &found, NULL);
  CHECK(status == (found.data ? TUILE_OK : TUILE_ABSENT));
  return found;
}

/* After so many answers: each place is as the last of them left it, or as the step
 * that was under way would; else a commit is lost. What it never was is torn. */
static void judge(int answers) {
  int sessions = 0; /* an entry of a list counts only while its session is there */
  for (int i = 0; i < places; i++) {
    struct content found = find(i);
    if (i < keys && found.data) sessions |= 1 << i;
    bool ever = false, fits = false;
    for (int j = 0; j <= answers + 1 && j <= step_count; j++) {
      struct content then = history[j][i];
      if (i == keys) then.data &= sessions;
      bool same = found.data == then.data && found.expires == then.expires;
      ever |= same, fits |= same && j >= answers;
    }
    lost += !fits, torn += !ever;
  }
}

static int remove_one(const char *path, const struct stat *about, int type, struct FTW *where) {
  (void)about, (void)type, (void)where;
  return remove(path);
}

static const char *top;

/* Runs the steps on a new store, then fails at every moment, or every few. */
static void lose_power(const char *option, bool deaf, int stride) {
  static int runs;
  char path[600], url[700];
  snprintf(path, sizeof path, "%s/%d", top, runs++);
  CHECK(mkdir(path, 0700) == 0);
  snprintf(url, sizeof url, "file://%s/sessions?fsync=%s", path, option);
  change_count = inode_count = lost = torn = 0;
  int folder = open(path, O_RDONLY | O_DIRECTORY), base = inode_of(folder), states = 0;
  close(folder);
  recording = true;
  CHECK(tuile_store_open(text(url), &store, NULL) == TUILE_OK);
  for (int i = 1; i <= step_count; i++) {
    take(i);
    record(answered);
  }
  recording = false;
  tuile_store_close(store);

  int answers = 0;
  snprintf(path, sizeof path, "%s/after", top);
  snprintf(url, sizeof url, "file://%s/sessions?fsync=%s", path, option);
  for (int end = 0; end <= change_count; end++) {
    if (end > 0 && changes[end - 1].kind == answered) answers++;
    if (end % stride) continue;
    more_names = true;
    for (int names = 0; more_names; names++) {
      open_data = true;
      for (enum unsynced data = whole; data <= zeros && open_data; data++, states++) {
        CHECK(mkdir(path, 0700) == 0);
        rebuild(base, path, end, names, data, deaf);
        CHECK(tuile_store_open(text(url), &store, NULL) == TUILE_OK);
        judge(answers);
        CHECK(tuile_store_put(store, key_of(0), text("goes on"), far, NULL) == TUILE_OK);
        tuile_store_close(store);
        CHECK(nftw(path, remove_one, 16, FTW_DEPTH | FTW_PHYS) == 0);
      }
    }
  }
  for (int i = 0; i < change_count; i++) free(changes[i].data);
  printf("fsync=%s%s: %d changes, %d states, %d places with a commit lost, %d torn\n", option, deaf ? ", not done" : "",
         change_count, states, lost, torn);
}

int main(int argc, char **argv) {
  CHECK(argc > 1);
  top = argv[1];
  for (int i = 1; i <= step_count; i++) {
    memset(texts[i], 'a' + i, 40 + (size_t)i * 61);
    texts[i][0] = 'A';
  }
  lose_power("full", false, 1);
  CHECK(lost == 0);
  CHECK(torn == 0);
  lose_power("data", false, 1);
  CHECK(lost > 0);
  CHECK(torn == 0);
  lose_power("off", false, 4);
  CHECK(lost > 0);
  CHECK(torn > 0);
  lose_power("full", true, 4);
  CHECK(lost > 0);
  CHECK(torn > 0);
  return 0;
}
#endif
