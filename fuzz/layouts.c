/* What another framework stored, as anybody who can write to its store would leave it: the heads, compressors, envelopes
 * and tokens around the payloads, which have targets of their own. The first octet picks the store's URL. Layouts of
 * files are gone through as a request goes: read, who is logged in, changed, read again. */
#include "fuzz.h"

#include <dirent.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

/* With a folder's path in it. New ones at the end of the second list: kept inputs mean these by their number. */
static const char *const in_files[] = {
    "file://%s?layout=php&ttl=9999999",
    "file://%s?layout=php&handler=php_serialize&ttl=9999999",
    "file://%s?layout=php&handler=php_binary&ttl=9999999",
    "file://%s?layout=symfony&ttl=9999999",
    "file://%s?layout=laravel&ttl=9999999",
    "file://%s?layout=laravel&encrypt=true&ttl=9999999",
    "file://%s?layout=express&ttl=9999999",
    "file://%s?layout=django-cache",
    "file://%s?layout=flask-session",
};
static const char *const elsewhere[] = {
    "redis://h?layout=django-cache",
    "redis://h?layout=django-redis&serializer=json",
    "redis://h?layout=django-redis&serializer=msgpack",
    "redis://h?layout=django-redis&compressor=zlib",
    "redis://h?layout=django-redis&compressor=gzip",
    "redis://h?layout=django-redis&compressor=lzma",
    "redis://h?layout=django-redis&compressor=lz4",
    "redis://h?layout=django-redis&compressor=zstd",
    "redis://h?layout=flask-session",
    "redis://h?layout=starsessions",
    "redis://h?layout=aiohttp-session",
    "redis://h?layout=rails-cache",
    "redis://h?layout=redis-session-store",
    "redis://h?layout=redis-actionpack",
    "redis://h?layout=laravel",
    "redis://h?layout=express",
    "sqlite:///t?layout=laravel",
    "sqlite:///t?layout=symfony",
    "sqlite:///t?layout=activerecord-session-store",
    "sqlite:///t?layout=flask-session",
    "sqlite:///t?layout=django-cache&table=t",
    "memcached://h?layout=rails-cache",
    "memcached://h?layout=mem-cache-store",
};
enum { files = sizeof in_files / sizeof *in_files, others = sizeof elsewhere / sizeof *elsewhere };

typedef struct place {
  tuile_manager *manager;
  char id[64], path[256];
} place;

static tuile_bytes text_of(const char *text) { return (tuile_bytes){text, strlen(text)}; }

/* A manager whose folder has one session, so that its ID and its file's name are known. */
static void prepare(place *made, const char *form) {
  char folder[] = "/dev/shm/tuile-fuzz-XXXXXX", url[256];
  REQUIRE(mkdtemp(folder) != NULL);
  snprintf(url, sizeof url, form, folder);
  tuile_config config = TUILE_CONFIG_INIT;
  tuile_bytes secret = TUILE_STR("base64:MDEyMzQ1Njc4OTAxMjM0NTY3ODkwMTIzNDU2Nzg5MDE=");
  config.store = text_of(url), config.secret = secret;
  REQUIRE(tuile_manager_open(&config, &made->manager, NULL) == TUILE_OK);
  tuile_session *session = NULL;
  tuile_bytes id;
  REQUIRE(tuile_session_start(made->manager, TUILE_STR(""), (tuile_bytes){NULL, 0}, &session, NULL) == TUILE_OK);
  REQUIRE(tuile_session_set_int(session, TUILE_STR("n"), 1, NULL) == TUILE_OK);
  REQUIRE(tuile_session_commit(session, 200, NULL, NULL, NULL) >= TUILE_OK);
  REQUIRE(tuile_session_id(session, &id) == TUILE_OK);
  REQUIRE(id.size < sizeof made->id);
  memcpy(made->id, id.data, id.size);
  tuile_session_end(session);
  DIR *open = opendir(folder);
  REQUIRE(open != NULL);
  for (struct dirent *each; (each = readdir(open)) != NULL;)
    if (each->d_name[0] != '.') snprintf(made->path, sizeof made->path, "%s/%.200s", folder, each->d_name);
  closedir(open);
  REQUIRE(made->path[0] != 0);
}

static bool is_still(const char *path, tuile_bytes stored) {
  static char now[1 << 16];
  int file = open(path, O_RDONLY);
  if (file < 0) return false;
  ssize_t size = read(file, now, sizeof now);
  close(file);
  return size >= 0 && same((tuile_bytes){now, (size_t)size}, stored);
}

static void go_through(place *here, tuile_bytes stored) {
  int file = open(here->path, O_CREAT | O_TRUNC | O_WRONLY, 0600);
  REQUIRE(file >= 0);
  REQUIRE(write(file, stored.data, stored.size) == (ssize_t)stored.size);
  close(file);
  tuile_session *session = NULL;
  tuile_error error = {0};
  REQUIRE(tuile_session_start_with_id(here->manager, text_of(here->id), &session, NULL) == TUILE_OK);
  tuile_status status = tuile_session_load(session, &error);
  REQUIRE(status >= TUILE_OK || status == TUILE_E_CORRUPT || status == TUILE_E_LIMIT);
  tuile_bytes text;
  tuile_session_get_login(session, NULL, &text, NULL);
  if (status == TUILE_OK) {
    REQUIRE(tuile_session_json(session, &text, NULL) == TUILE_OK);
    REQUIRE(text.size >= 2);
    REQUIRE(tuile_session_set_int(session, TUILE_STR("tuile-fuzz"), 41, NULL) == TUILE_OK);
    bool saved = tuile_session_commit(session, 200, NULL, NULL, &error) >= TUILE_OK;
    /* What can't be said is refused, and nothing is written. */
    REQUIRE(saved || is_still(here->path, stored) || access(here->path, F_OK) != 0);
    if (saved) {
      tuile_session *again = NULL;
      int64_t number = 0;
      REQUIRE(tuile_session_start_with_id(here->manager, text_of(here->id), &again, NULL) == TUILE_OK);
      status = tuile_session_load(again, &error);
      /* One without its end within a moment may be over. */
      REQUIRE(status == TUILE_OK || status == TUILE_ABSENT);
      if (status == TUILE_OK) {
        REQUIRE(tuile_session_get_int(again, TUILE_STR("tuile-fuzz"), &number, NULL) == TUILE_OK);
        REQUIRE(number == 41);
      }
      tuile_session_end(again);
    }
  } else {
    REQUIRE(tuile_session_commit(session, 200, NULL, NULL, &error) != TUILE_E_MEMORY);
    REQUIRE(is_still(here->path, stored) || status == TUILE_ABSENT);
  }
  tuile_session_end(session);
  unlink(here->path);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static place places[files];
  static char *json;
  enum { room = 1 << 20 };
  if (size == 0 || size > 1 << 15) return 0;
  if (!json) REQUIRE((json = malloc(room)) != NULL);
  int which = data[0] % (files + others);
  tuile_bytes stored = {data + 1, size - 1};
  char url[256] = "";
  snprintf(url, sizeof url, which < files ? in_files[which] : elsewhere[which - files], "/");
  size_t length = 0;
  tuile_error error = {0};
  tuile_status status = tuile_layout_read(text_of(url), stored, json, room, &length, &error);
  /* A compressor's library may not be there. */
  REQUIRE(status == TUILE_OK || status == TUILE_UNREADABLE || status == TUILE_E_LIMIT || status == TUILE_E_SPACE || status == TUILE_E_STORE);
  if (status == TUILE_OK) {
    REQUIRE(length >= 2);
    REQUIRE(json[0] == '{');
    REQUIRE(json[length - 1] == '}');
  }
  if (which >= files) return 0;
  if (!places[which].manager) prepare(&places[which], in_files[which]);
  go_through(&places[which], stored);
  return 0;
}
