/* answers - a request's parameters become calls of libtuile, and what those say
 * becomes JSON. Bytes stand in it as the characters U+0000 to U+00FF.
 */
#include "answers.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <tuile.h>

/* ---- parameters ---- */

struct search {
  const char *key;
  tuile_bytes value;
  bool found;
};

static enum MHD_Result compare(void *context, enum MHD_ValueKind kind, const char *key, size_t key_size,
                               const char *value, size_t size) {
  struct search *search = context;
  (void)kind, (void)key_size;
  if (strcmp(key, search->key) != 0) return MHD_YES;
  search->value = (tuile_bytes){value ? value : "", size};
  search->found = true;
  return MHD_NO;
}

bool text(struct MHD_Connection *from, const char *key, tuile_bytes *value) {
  struct search search = {.key = key};
  MHD_get_connection_values_n(from, MHD_GET_ARGUMENT_KIND, compare, &search);
  if (search.found && value) *value = search.value;
  return search.found;
}

static void number(struct MHD_Connection *from, const char *key, int64_t *value) {
  tuile_bytes digits;
  if (text(from, key, &digits)) *value = strtoll(digits.data, NULL, 10);
}

/* The place of the parameter in the list, 0 without it, -1 for an unknown word. */
static int choice(struct MHD_Connection *from, const char *key, const char *const *words) {
  tuile_bytes word;
  if (!text(from, key, &word)) return 0;
  for (int i = 0; words[i]; i++)
    if (strcmp(word.data, words[i]) == 0) return i;
  return -1;
}

static const char *const encodings[] = {"raw", "percent", "quoted", "quoted_utf8", "base64url", NULL};
static const char *const sites[] = {"unset", "lax", "strict", "none", NULL};
static const char *const priorities[] = {"unset", "low", "medium", "high", NULL};
static const char *const modes[] = {"browser", "django", "strict", NULL};

/* ---- calls that fill a buffer ---- */

/* Everything that such a call of libtuile can be given here. */
struct job {
  tuile_set_cookie cookie;
  tuile_django_cookie django;
  tuile_cookies cookies;
  tuile_bytes text;
  tuile_encoding encoding;
};

typedef tuile_status writer(const struct job *job, char *buffer, size_t capacity, size_t *size, tuile_error *error);

#define WRITER(name, call, ...)                                                                                     \
  static tuile_status name(const struct job *job, char *buffer, size_t capacity, size_t *size, tuile_error *error) {\
    return call(__VA_ARGS__, buffer, capacity, size, error);                                                        \
  }
WRITER(set, tuile_set_cookie_write, &job->cookie)
WRITER(set_deletion, tuile_set_cookie_delete, &job->cookie)
WRITER(set_django, tuile_django_cookie_write, &job->django)
WRITER(set_django_deletion, tuile_django_cookie_delete, &job->django)
WRITER(read_value, tuile_cookies_read, &job->cookies, job->text)
WRITER(encode, tuile_cookie_encode, job->text, job->encoding)
WRITER(decode, tuile_cookie_decode, job->text, job->encoding)

struct written {
  tuile_status status;
  tuile_error error;
  char *data; /* ends with a NUL, which is not counted */
  size_t size;
};

/* Asks for the size, then writes into a buffer of just that size. */
static struct written run(writer *write, const struct job *job) {
  struct written result = {0};
  result.status = write(job, NULL, 0, &result.size, &result.error);
  if (result.status != TUILE_OK && result.status != TUILE_E_SPACE) result.size = 0;
  result.data = calloc(result.size + 1, 1);
  if (!result.data) abort();
  if (result.status == TUILE_E_SPACE) result.status = write(job, result.data, result.size, NULL, &result.error);
  return result;
}

/* ---- JSON ---- */

static void put_bytes(FILE *out, tuile_bytes bytes) {
  const unsigned char *c = bytes.data;
  fputc('"', out);
  for (size_t i = 0; i < bytes.size; i++) {
    if (c[i] < 0x20 || c[i] > 0x7e || strchr("\"\\<&", c[i])) fprintf(out, "\\u%04x", c[i]);
    else fputc(c[i], out);
  }
  fputc('"', out);
}

static void put_field(FILE *out, const char *key, tuile_bytes bytes) {
  fprintf(out, ",\"%s\":", key);
  put_bytes(out, bytes);
}

static void put_status(FILE *out, tuile_status status, const tuile_error *error) {
  fprintf(out, "\"status\":\"%s\"", tuile_status_name(status));
  const char *message = status < 0 ? error->message : "";
  put_field(out, "message", (tuile_bytes){message, strlen(message)});
}

/* null unless the call succeeded */
static void put_result(FILE *out, const char *key, writer *write, const struct job *job) {
  struct written result = run(write, job);
  if (result.status == TUILE_OK) put_field(out, key, (tuile_bytes){result.data, result.size});
  else fprintf(out, ",\"%s\":null", key);
  free(result.data);
}

/* ---- /set ---- */

static struct written header_of(struct MHD_Connection *from) {
  struct job job = {.cookie = TUILE_SET_COOKIE_INIT, .django = TUILE_DJANGO_COOKIE_INIT};
  struct written encoded = {0};
  tuile_set_cookie *ours = &job.cookie;
  tuile_django_cookie *theirs = &job.django;
  text(from, "name", &ours->name);
  text(from, "value", &ours->value);
  if (text(from, "encoding", NULL)) {
    job.text = ours->value, job.encoding = (tuile_encoding)choice(from, "encoding", encodings);
    encoded = run(encode, &job);
    if (encoded.status != TUILE_OK) return encoded;
    ours->value = (tuile_bytes){encoded.data, encoded.size};
  }
  text(from, "domain", &ours->domain);
  text(from, "path", &ours->path);
  number(from, "max_age", &ours->max_age);
  number(from, "expires", &ours->expires);
  ours->same_site = (tuile_same_site)choice(from, "same_site", sites);
  ours->secure = text(from, "secure", NULL);
  ours->http_only = text(from, "http_only", NULL);
  ours->partitioned = text(from, "partitioned", NULL);
  ours->priority = (tuile_priority)choice(from, "priority", priorities);
  int64_t skipped = 0;
  number(from, "skip_rules", &skipped);
  ours->skip_rules = (uint32_t)skipped;

  theirs->key = ours->name, theirs->value = ours->value, theirs->domain = ours->domain, theirs->path = ours->path;
  theirs->max_age = ours->max_age, theirs->expires = ours->expires;
  theirs->secure = ours->secure, theirs->httponly = ours->http_only;
  text(from, "samesite", &theirs->samesite);
  text(from, "expires_text", &theirs->expires_text);

  bool deletes = text(from, "delete", NULL), django = text(from, "django", NULL);
  writer *ours_or_theirs = deletes ? (django ? set_django_deletion : set_deletion) : (django ? set_django : set);
  struct written header = run(ours_or_theirs, &job);
  free(encoded.data);
  return header;
}

char *answer_set(struct MHD_Connection *from, FILE *out) {
  tuile_bytes raw;
  if (text(from, "raw", &raw)) {
    fprintf(out, "{}");
    return strdup(raw.data);
  }
  struct written header = header_of(from);
  fputc('{', out);
  put_status(out, header.status, &header.error);
  put_field(out, "header", (tuile_bytes){header.data, header.size});
  fputc('}', out);
  if (header.status == TUILE_OK) return header.data;
  free(header.data);
  return NULL;
}

/* ---- /echo ---- */

struct headers {
  tuile_bytes *list;
  size_t count;
};

static enum MHD_Result collect(void *context, enum MHD_ValueKind kind, const char *name, const char *value) {
  struct headers *headers = context;
  (void)kind;
  if (strcasecmp(name, "Cookie") != 0) return MHD_YES;
  tuile_bytes *longer = realloc(headers->list, (headers->count + 1) * sizeof *longer);
  if (!longer) abort();
  headers->list = longer;
  longer[headers->count++] = (tuile_bytes){value ? value : "", value ? strlen(value) : 0};
  return MHD_YES;
}

static void put_cookie(FILE *out, struct job *job, const tuile_cookie *cookie) {
  tuile_bytes first = {"", 0}, last = {"", 0};
  tuile_cookies_get(&job->cookies, cookie->name, TUILE_MATCH_FIRST, &first, NULL);
  tuile_cookies_get(&job->cookies, cookie->name, TUILE_MATCH_LAST, &last, NULL);
  fprintf(out, "{\"name\":");
  put_bytes(out, cookie->name);
  put_field(out, "value", cookie->value);
  put_field(out, "first", first);
  put_field(out, "last", last);
  job->text = cookie->name;
  put_result(out, "read", read_value, job);
  job->text = cookie->value;
  put_result(out, "decoded", decode, job);
  fputc('}', out);
}

void answer_echo(struct MHD_Connection *from, const char *method, FILE *out) {
  struct headers headers = {0};
  MHD_get_connection_values(from, MHD_HEADER_KIND, collect, &headers);
  struct job job = {.cookies = TUILE_COOKIES_INIT};
  job.cookies.headers = headers.list, job.cookies.header_count = headers.count;
  job.cookies.mode = (tuile_cookie_mode)choice(from, "mode", modes);
  job.encoding = (tuile_encoding)choice(from, "encoding", encodings);
  tuile_error error;
  size_t count = 0;
  tuile_status status = tuile_cookies_count(&job.cookies, &count, &error);
  tuile_cookie *cookies = calloc(count + 1, sizeof *cookies);
  if (!cookies) abort();
  if (status == TUILE_OK) status = tuile_cookies_all(&job.cookies, cookies, count, &count, &error);
  fputc('{', out);
  put_status(out, status, &error);
  fprintf(out, ",\"method\":\"%s\",\"headers\":[", method);
  for (size_t i = 0; i < headers.count; i++) {
    if (i > 0) fputc(',', out);
    put_bytes(out, headers.list[i]);
  }
  fprintf(out, "],\"cookies\":[");
  for (size_t i = 0; status == TUILE_OK && i < count; i++) {
    if (i > 0) fputc(',', out);
    put_cookie(out, &job, &cookies[i]);
  }
  fprintf(out, "]}");
  free(cookies);
  free(headers.list);
}
