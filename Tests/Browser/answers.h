/* answers.h - what the cookie server says. */
#ifndef ANSWERS_H
#define ANSWERS_H

#include <microhttpd.h>
#include <stdio.h>
#include <tuile.h>

/* The parameter, with its size, so that a NUL in it is seen; value may be NULL. */
bool text(struct MHD_Connection *from, const char *key, tuile_bytes *value);

/* The header that was written is the response's Set-Cookie, or NULL; the caller frees it. */
char *answer_set(struct MHD_Connection *from, FILE *out);

void answer_echo(struct MHD_Connection *from, const char *method, FILE *out);

#endif
