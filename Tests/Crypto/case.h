/* One test case, as a line of text on stdin:
 *
 *   ALGORITHM LABEL valid|invalid FIELD=VALUE ...
 *
 * The values of `size` and `iterations` are decimal, all others hexadecimal; a
 * field that is not there is empty. Lines that begin with # are skipped. */
#ifndef CASE_H
#define CASE_H

#include "csystem.h"

typedef struct bytes {
  uint8_t *data;
  size_t size;
} bytes;

static inline sys_bytes lent(bytes of) { return (sys_bytes){of.data, of.size}; }

typedef struct test_case {
  const char *algorithm, *label;
  bool valid;
  long size, iterations;
  bytes key, iv, ad, msg, ct, tag, salt, info, out;
  /* Filled while the case runs: the first thing that was wrong, and how many
   * things were looked at. */
  const char *wrong;
  unsigned long checks;
} test_case;

/* Splits `line` in place; the program ends if it can't be read: a case that is
 * passed over would count as one that is right. */
void case_read(test_case *test, char *line, bool empty_is_null);
void case_free(test_case *test);

/* Counts a check, and keeps the first one that was wrong. */
void check(test_case *test, bool right, const char *what);

/* Room for `size` bytes of 0xAA, and behind them 16 that must stay as they are:
 * libcrypto is not compiled with AddressSanitizer. */
uint8_t *room(size_t size);
void leave(test_case *test, uint8_t *room, size_t size);

/* ciphers.c */
void keep_keys(bool on);
void test_aead(test_case *test, sys_cipher cipher);
void test_ctr(test_case *test, sys_cipher cipher);
void test_cbc(test_case *test);
/* `ct` has no block of padding, as NIST's have none. */
void test_cbc_blocks(test_case *test);

#endif /* CASE_H */
