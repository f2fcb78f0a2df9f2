/* What the files of `inspect` share: a token's parts, written as they are found. */
#ifndef INSPECT_H
#define INSPECT_H

#include "tool.h"

#define MAY_BE(dialect) (UINT32_C(1) << (dialect))

#define DIGITS "0123456789"
#define LOWER "abcdefghijklmnopqrstuvwxyz"
#define UPPER "ABCDEFGHIJKLMNOPQRSTUVWXYZ"
#define BASE64 UPPER LOWER DIGITS "+/-_="

bool is_of(tuile_bytes text, const char *alphabet);
bool split_last(tuile_bytes text, char mark, tuile_bytes *left, tuile_bytes *right);
bool begins(tuile_bytes text, const char *start);
/* Either alphabet, padded or not; the caller frees *bytes. */
bool decode(tuile_bytes text, struct buffer *bytes);
int64_t big_endian(const char *bytes, size_t size);

/* What it looks like, before its parts. Gives the dialects back. */
uint32_t looks_like(const char *what, uint32_t dialects);
void part(const char *what, tuile_bytes text);
/* A payload: what its base64 holds, unless that is deflated or no text. */
void payload(tuile_bytes text);
void signature(tuile_bytes text);
void time_part(tuile_bytes text, int64_t seconds);

/* ---- inspect_text.c: tokens whose parts stand side by side. Each gives 0 if it is none of them. ---- */
uint32_t iron(tuile_bytes token);
uint32_t tornado(tuile_bytes token);
uint32_t express(tuile_bytes token);
uint32_t hono(tuile_bytes token);
uint32_t phoenix(tuile_bytes token);
uint32_t jose(tuile_bytes token);
uint32_t rails(tuile_bytes token);
uint32_t django(tuile_bytes token);
uint32_t dotted(tuile_bytes token);

/* ---- inspect_bound.c: the headers of device-bound sessions ---- */
uint32_t bound(tuile_bytes token);

/* ---- inspect_opaque.c: what has to be decoded first, and what was drawn at random ---- */
uint32_t opaque(tuile_bytes token);

#endif
