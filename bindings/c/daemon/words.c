/* The syntax of the configuration, which is nginx's: words, ';', blocks in braces, comments. */
#include "daemon.h"

#include <string.h>

static bool is_blank(char byte) { return byte == ' ' || byte == '\t' || byte == '\r' || byte == '\n'; }

static void skip_blanks(struct source *source) {
  for (; is_blank(*source->at) || *source->at == '#'; source->at++) {
    if (*source->at == '#') source->at += strcspn(source->at, "\n");
    if (*source->at == '\n') source->line++;
    if (!*source->at) return;
  }
}

/* A quoted word; a backslash takes the next byte as it is. */
static const char *take_quoted(struct source *source, char **word) {
  char quote = *source->at++, *out = source->at;
  *word = out;
  for (; *source->at != quote; source->at++) {
    if (*source->at == '\\' && source->at[1]) source->at++;
    if (!*source->at) return "a quoted word does not end";
    if (*source->at == '\n') source->line++;
    *out++ = *source->at;
  }
  source->at++;
  if (*source->at && !is_blank(*source->at) && !strchr(";{}", *source->at)) return "a quoted word is followed by another character";
  *out = 0;
  return NULL;
}

const char *take_directive(struct source *source, struct directive *directive) {
  *directive = (struct directive){.file = source->file};
  for (;;) {
    skip_blanks(source);
    if (directive->count == 0) directive->line = source->line;
    char byte = *source->at;
    if (!byte || strchr(";{}", byte)) {
      directive->end = byte;
      if (byte) *source->at++ = 0; /* It ends the word before it, too. */
      if (directive->count == 0) return byte && byte != '}' ? "a directive is missing here" : NULL;
      return byte && byte != '}' ? NULL : "a directive does not end with ';'";
    }
    if (directive->count == most_words) return "a directive has too many words";
    char **word = &directive->words[directive->count++];
    if (byte == '"' || byte == '\'') {
      const char *mistake = take_quoted(source, word);
      if (mistake) return mistake;
      continue;
    }
    *word = source->at;
    while (*source->at && !is_blank(*source->at) && !strchr(";{}", *source->at)) source->at++;
    if (!is_blank(*source->at)) continue;
    if (*source->at == '\n') source->line++;
    *source->at++ = 0;
  }
}
