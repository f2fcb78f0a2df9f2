/* check: can a store be read and written, and how long does that take. Opening it
 * looks at its table or layout. What is written is a key that nobody knows, gone at the end. */
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <time.h>

#include "tool.h"

enum { ROUNDS = 15 };

static int64_t microseconds(void) {
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (int64_t)now.tv_sec * 1000000 + now.tv_nsec / 1000;
}

static int by_size(const void *a, const void *b) {
  int64_t first = *(const int64_t *)a, second = *(const int64_t *)b;
  return (first > second) - (first < second);
}

static int64_t median(int64_t *times) {
  qsort(times, ROUNDS, sizeof *times, by_size);
  return times[ROUNDS / 2];
}

/* Opening would make the file or folder of a path that was mistyped. */
static void look_for_path(const char *url) {
  struct stat about;
  size_t scheme = strncmp(url, "sqlite://", 9) == 0 ? 9 : strncmp(url, "file://", 7) == 0 ? 7 : 0;
  if (!scheme) return;
  char path[4096];
  size_t size = 0;
  for (const char *at = url + scheme; *at && *at != '?' && size + 1 < sizeof path; at++) {
    unsigned byte;
    int used = 0;
    bool escaped = *at == '%' && sscanf(at + 1, "%2x%n", &byte, &used) == 1 && used == 2;
    path[size++] = escaped ? (char)byte : *at;
    if (escaped) at += 2;
  }
  path[size] = '\0';
  if (stat(path, &about) != 0) exit(answer(TUILE_ABSENT, "there is nothing at that path, or it can't be reached; nothing was made"));
}

static void pass(void *context, tuile_bytes data, int64_t expires) { (void)context, (void)data, (void)expires; }

static void pass_entry(void *context, tuile_bytes key, tuile_bytes record, int64_t expires) {
  (void)context, (void)key, (void)record, (void)expires;
}

static int failed(const char *what, tuile_status status, const tuile_error *error) {
  char message[1024];
  snprintf(message, sizeof message, "%s: %s", what, error->message[0] ? error->message : tuile_status_message(status));
  return answer(status < 0 ? status : TUILE_E_STORE, message);
}

/* Makes it, times the replacing and reading of it, and removes it. */
static tuile_status write_raw(tuile_store *store, tuile_bytes key, int64_t *reads, int64_t *writes, tuile_error *error) {
  tuile_bytes text = TUILE_STR("tuile-check");
  tuile_status status = tuile_store_create(store, key, text, now_microseconds() + 60000000, error);
  for (int i = 0; status == TUILE_OK && i < ROUNDS; i++) {
    int64_t begin = microseconds();
    status = tuile_store_replace(store, key, text, text, now_microseconds() + 60000000 + i * 1000000, error);
    writes[i] = microseconds() - begin;
    begin = microseconds();
    if (status == TUILE_OK) status = tuile_store_load(store, key, now_microseconds(), pass, NULL, error);
    reads[i] = microseconds() - begin;
  }
  tuile_error ignored;
  tuile_status removed = tuile_store_remove(store, key, status == TUILE_OK ? error : &ignored);
  return status == TUILE_OK ? removed : status;
}

/* The same of a session as the framework has it, whose ID and form are its own. */
static tuile_status write_session(tuile_bytes url, int64_t *reads, int64_t *writes, tuile_error *error) {
  tuile_manager *manager = manager_of_nobody(url);
  char id_text[256] = "";
  tuile_bytes id = {id_text, 0};
  tuile_status status = TUILE_OK;
  /* The first makes it, the last ends it. */
  for (int i = -1; status >= TUILE_OK && i <= ROUNDS; i++) {
    tuile_session *session = NULL;
    if (i < 0) status = tuile_session_start(manager, (tuile_bytes){NULL, 0}, (tuile_bytes){NULL, 0}, &session, error);
    else status = tuile_session_start_with_id(manager, id, &session, error);
    int64_t begin = microseconds();
    if (status == TUILE_OK && i >= 0) status = tuile_session_load(session, error);
    if (i >= 0 && i < ROUNDS) reads[i] = microseconds() - begin;
    if (status == TUILE_OK)
      status = i < ROUNDS ? tuile_session_set_int(session, TUILE_STR("tuile-check"), i, error) : tuile_session_flush(session, error);
    begin = microseconds();
    if (status == TUILE_OK) status = tuile_session_commit(session, 200, NULL, NULL, error);
    if (i >= 0 && i < ROUNDS) writes[i] = microseconds() - begin;
    tuile_bytes made;
    if (i < 0 && status >= TUILE_OK && tuile_session_id(session, &made) == TUILE_OK && made.size < sizeof id_text) {
      memcpy(id_text, made.data, made.size);
      id.size = made.size;
    }
    tuile_session_end(session);
  }
  tuile_manager_close(manager);
  return status > TUILE_OK ? TUILE_OK : status;
}

static int check(const struct arguments *arguments) {
  tuile_bytes url = input_store(arguments->count ? arguments->words[0] : arguments->text[OPT_STORE]);
  look_for_path(url.data);
  tuile_store *store;
  tuile_error error = {0};
  int64_t begin = microseconds(), opened, reads[ROUNDS], writes[ROUNDS];
  tuile_status status = tuile_store_open(url, &store, &error);
  if (status != TUILE_OK) return fail(status, &error);
  opened = microseconds() - begin;

  unsigned char random[64];
  char key_text[64];
  if (getrandom(random, sizeof random, 0) != sizeof random) return fail(TUILE_E_RANDOM, NULL);
  for (size_t i = 0; i < sizeof random; i++) key_text[i] = "0123456789abcdef"[random[i] % 16];
  /* So long are the IDs that frameworks make. */
  static const size_t sizes[] = {32, 40, 64};
  tuile_bytes key = {key_text, 0};
  status = TUILE_E_ARGUMENT;
  for (size_t i = 0; i < 3 && status == TUILE_E_ARGUMENT; i++) {
    key.size = sizes[i];
    status = tuile_store_load(store, key, now_microseconds(), pass, NULL, &error);
  }
  int code = status == TUILE_ABSENT ? EXIT_FINE : failed("it can't be read", status, &error);
  tuile_status owners = tuile_store_owned(store, TUILE_STR("tuile-check"), now_microseconds(), pass_entry, NULL, NULL);
  if (code == EXIT_FINE) {
    status = store_has_layout(url) ? write_session(url, reads, writes, &error) : write_raw(store, key, reads, writes, &error);
    if (status != TUILE_OK) code = failed("it can be read, and not written", status, &error);
  }
  tuile_store_close(store);
  if (code != EXIT_FINE) return code;
  out_bool("readable", true);
  out_bool("writable", true);
  out_bool("lists_of_owners", owners == TUILE_OK);
  out_number("open_microseconds", opened);
  out_number("read_microseconds", median(reads));
  out_number("write_microseconds", median(writes));
  return out_end(EXIT_FINE);
}

const struct command check_commands[] = {
    {"check", "[STORE]", "Tell whether a store can be read and written, and how fast", 0, 1,
     OPTIONS_COMMON | BIT(OPT_STORE), check},
    {0},
};
