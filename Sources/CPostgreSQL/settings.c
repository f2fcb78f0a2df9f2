#define _GNU_SOURCE
#include "private.h"

#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* The elements of a comma-separated list. */
static size_t count(const char *list) {
  size_t n = 1;
  for (; list && *list; list++) n += *list == ',';
  return n;
}

/* The element of that number, the only one for all if there is one; NULL if it is empty. */
static char *element(const char *list, size_t number) {
  if (count(list) == 1) number = 0;
  while (number > 0 && *list)
    if (*list++ == ',') number--;
  size_t size = strcspn(list, ",");
  return size ? strndup(list, size) : NULL;
}

static const char *value(const PQconninfoOption *options, const char *name) {
  for (; options->keyword; options++)
    if (strcmp(options->keyword, name) == 0) return options->val && options->val[0] ? options->val : NULL;
  return NULL;
}

bool pg_settings_knows(const void *name, size_t size) {
  if (size == 3 && memcmp(name, "ssl", 3) == 0) return true; /* in URIs another word for sslmode */
  PQconninfoOption *options = PQconninfoParse("", NULL);
  bool known = false;
  for (PQconninfoOption *o = options; o && o->keyword; o++)
    known = known || (strlen(o->keyword) == size && memcmp(o->keyword, name, size) == 0);
  PQconninfoFree(options);
  return known;
}

/* libpq would quote another one, which may be part of a password. */
static bool is_port(const char *list) { return !list || strspn(list, "0123456789,") == strlen(list); }

pg_settings *pg_settings_read(const char *uri, bool *memory) {
  char *message = NULL;
  PQconninfoOption *options = PQconninfoParse(uri, &message);
  *memory = !options && !message;
  /* Not passed on: it quotes the URI. */
  if (message) explicit_bzero(message, strlen(message));
  PQfreemem(message);
  if (options && !is_port(value(options, "port"))) {
    PQconninfoFree(options);
    return NULL;
  }
  pg_settings *settings = options ? malloc(sizeof *settings) : NULL;
  if (!settings) {
    *memory = *memory || options != NULL;
    PQconninfoFree(options);
    return NULL;
  }
  settings->options = options;
  const char *list = value(options, "host"), *attributes = value(options, "target_session_attrs");
  if (!list) list = value(options, "hostaddr");
  /* libpq itself has to see all of them to prefer one. */
  settings->servers = attributes && strcmp(attributes, "prefer-standby") == 0 ? 1 : count(list);
  return settings;
}

void pg_settings_free(pg_settings *settings) {
  if (!settings) return;
  for (PQconninfoOption *o = settings->options; o->keyword; o++)
    if (o->val) explicit_bzero(o->val, strlen(o->val));
  PQconninfoFree(settings->options);
  free(settings);
}

size_t pg_settings_servers(const pg_settings *settings) { return settings->servers; }

/* libpq prints a warning about a password file that others may read, and
 * then does without it: such a file is not shown to it. */
static bool warns(const char *path) {
  struct stat file;
  return path && stat(path, &file) == 0 && (!S_ISREG(file.st_mode) || (file.st_mode & (S_IRWXG | S_IRWXO)) != 0);
}

static bool would_warn(const PQconninfoOption *options) {
  const char *given = value(options, "passfile"), *home = getenv("HOME");
  struct passwd user, *found = NULL;
  char room[1024], *path = NULL;
  if (value(options, "password")) return false;
  if (!given) given = getenv("PGPASSFILE");
  if (given && given[0]) return warns(given);
  if ((!home || !home[0]) && getpwuid_r(geteuid(), &user, room, sizeof room, &found) == 0 && found) home = user.pw_dir;
  bool answer = home && asprintf(&path, "%s/.pgpass", home) > 0 && warns(path);
  free(path);
  return answer;
}

int pg_settings_for(const pg_settings *settings, size_t server, const char **names, const char **values,
                    char *copies[3]) {
  static const char *const of_a_server[3] = {"host", "hostaddr", "port"};
  int n = 0;
  for (const PQconninfoOption *o = settings->options; o->keyword && n < PG_MOST_SETTINGS - 5; o++) {
    const char *text = o->val;
    for (int i = 0; text && settings->servers > 1 && i < 3; i++)
      if (strcmp(o->keyword, of_a_server[i]) == 0) text = copies[i] = element(text, server);
    if (text) names[n] = o->keyword, values[n++] = text;
  }
  /* Looking for Kerberos tickets could wait for other servers. */
  if (!value(settings->options, "gssencmode")) names[n] = "gssencmode", values[n++] = "disable";
  if (!value(settings->options, "fallback_application_name"))
    names[n] = "fallback_application_name", values[n++] = "tuile";
  if (would_warn(settings->options)) names[n] = "passfile", values[n++] = "/dev/null/none";
  names[n] = "client_encoding", values[n++] = "UTF8";
  names[n] = values[n] = NULL;
  return n;
}
