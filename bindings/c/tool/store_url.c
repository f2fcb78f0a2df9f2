/* The URLs of stores on the command line, where every user of the machine sees them
 * in the list of processes: one with a password in it is refused, however it is
 * written. What is refused may be more than the library would read as a password. */
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "tool.h"

static int hex_digit(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  digit |= 0x20;
  return digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

/* The name of an option, percent-decoded and in lower case; what is longer than any is cut. */
static void decode(const char *text, size_t size, char *name, size_t capacity) {
  size_t length = 0;
  for (size_t i = 0; i < size && length + 1 < capacity; i++) {
    char byte = text[i];
    if (byte == '%' && i + 2 < size && hex_digit(text[i + 1]) >= 0 && hex_digit(text[i + 2]) >= 0) {
      byte = (char)(hex_digit(text[i + 1]) << 4 | hex_digit(text[i + 2]));
      i += 2;
    }
    name[length++] = byte >= 'A' && byte <= 'Z' ? (char)(byte | 0x20) : byte;
  }
  name[length] = '\0';
}

/* password, sslpassword, oauth_client_secret, scram_client_key and the like; but not
 * password_file and passfile, which say where it is. */
static bool is_secret(const char *name) {
  size_t size = strlen(name);
  if (size >= 4 && strcmp(name + size - 4, "file") == 0) return false;
  return strstr(name, "password") || strstr(name, "passwd") || strstr(name, "secret") || strncmp(name, "scram_", 6) == 0;
}

/* One store's URL, of which begin to end is all. */
static bool has_password(const char *begin, const char *end) {
  const char *colon = memchr(begin, ':', (size_t)(end - begin));
  const char *query = memchr(begin, '?', (size_t)(end - begin));
  if (!query) query = end;
  if (colon && query - colon > 3 && memcmp(colon, "://", 3) == 0) {
    const char *user = colon + 3, *stop = query;
    size_t scheme = (size_t)(colon - begin);
    /* A path may have any sign in it. Elsewhere a '/' does not end a password that should have had %2F. */
    bool path = (scheme == 4 && (memcmp(begin, "file", 4) == 0 || memcmp(begin, "unix", 4) == 0)) ||
                (scheme == 6 && memcmp(begin, "sqlite", 6) == 0);
    if (path && memchr(user, '/', (size_t)(stop - user))) stop = memchr(user, '/', (size_t)(stop - user));
    const char *at = memrchr(user, '@', (size_t)(stop - user));
    if (at && memchr(user, ':', (size_t)(at - user))) return true;
  }
  while (query < end) {
    const char *option = query + 1, *next = memchr(option, '&', (size_t)(end - option));
    if (!next) next = end;
    const char *equals = memchr(option, '=', (size_t)(next - option));
    if (equals && next - equals > 1) {
      char name[64];
      decode(option, (size_t)(equals - option), name, sizeof name);
      if (is_secret(name)) return true;
    }
    query = next;
  }
  return false;
}

tuile_bytes input_store(const char *word) {
  const char *variable = word ? NULL : "TUILE_STORE";
  if (word && strncmp(word, "env:", 4) == 0) variable = word + 4;
  if (variable) word = getenv(variable);
  if (!word) usage_error("no store: give --store URL or TUILE_STORE, or for env:NAME set that variable");
  /* cached+BACK#FRONT is two, each with what a URL can have. */
  const char *begin = word, *end = word + strlen(word), *hash = NULL;
  if (strncmp(word, "cached+", 7) == 0) {
    begin += 7;
    hash = strchr(begin, '#');
  }
  if (!variable && (has_password(begin, hash ? hash : end) || (hash && has_password(hash + 1, end))))
    usage_error("a password on the command line can be seen by others: use password_file=, env:NAME or TUILE_STORE");
  return bytes_of(word);
}
