/* Runs test vectors on stdin (case.h says how they are written) through what
 * libtuile does with libcrypto, and prints how many there were of each
 * algorithm. Ends with 1 if any result was wrong. */
#include "case.h"

#include <stdio.h>

static bool equal(const void *a, const void *b, size_t size) {
  bool same = memcmp(a, b, size) == 0;
  /* The comparison that the library uses has to agree. */
  return sys_equal_constant_time(a, b, size) == same && same;
}

/* It must see each single bit of `data`. */
static void check_comparison(test_case *test, uint8_t *data, size_t size) {
  uint8_t *other = room(size);
  memcpy(other, data, size);
  for (size_t bit = 0; bit < 8 * size; bit++) {
    other[bit / 8] ^= (uint8_t)(1 << bit % 8);
    check(test, !sys_equal_constant_time(data, other, size), "different bytes compare equal");
    other[bit / 8] ^= (uint8_t)(1 << bit % 8);
  }
  leave(test, other, size);
}

static void test_digest(test_case *test, sys_digest digest) {
  size_t size = sys_digest_size(digest);
  uint8_t *out = room(size);
  sys_digest_of(digest, test->msg.data, test->msg.size, out);
  check(test, test->out.size == size && equal(out, test->out.data, size), "digest");
  leave(test, out, size);
}

static void test_hmac(test_case *test, sys_digest digest) {
  size_t size = sys_digest_size(digest);
  check(test, test->out.size > 0 && test->out.size <= size, "the case's sizes");
  if (test->wrong) return;
  sys_hmac hmac;
  sys_hmac_init(&hmac, digest, test->key.data, test->key.size);
  /* Once more after another text: the key's state must not have changed. */
  for (int round = 0; round < 2; round++) {
    uint8_t *out = room(size), *other = room(size);
    sys_hmac_digest(&hmac, test->msg.data, test->msg.size, out);
    /* Shortened tags are the first bytes (RFC 2104, section 5). */
    check(test, equal(out, test->out.data, test->out.size) == test->valid, test->valid ? "tag" : "a wrong tag is right");
    sys_hmac_digest(&hmac, "another", 7, other);
    check(test, memcmp(out, other, size) != 0, "two texts have one tag");
    check_comparison(test, out, size);
    leave(test, out, size);
    leave(test, other, size);
  }
}

static void expand(test_case *test, bool expand_only, sys_bytes key) {
  size_t size = (size_t)test->size;
  uint8_t *out = room(size);
  bool done = sys_hkdf_sha256(expand_only, key, lent(test->info), out, size);
  check(test, done == test->valid, done ? "derived too much" : "deriving failed");
  if (done) check(test, test->out.size == size && equal(out, test->out.data, size), "derived key");
  leave(test, out, size);
}

/* The library extracts with no salt alone; with one, RFC 5869's first step is an
 * HMAC, so that this is HMAC and the second step together. */
static void test_hkdf_salted(test_case *test) {
  uint8_t key[32];
  sys_hmac hmac;
  sys_hmac_init(&hmac, SYS_SHA256, test->salt.data, test->salt.size);
  sys_hmac_digest(&hmac, test->key.data, test->key.size, key);
  expand(test, true, (sys_bytes){key, sizeof key});
}

static void test_pbkdf2(test_case *test, sys_digest digest) {
  size_t size = test->out.size;
  uint8_t *out = room(size);
  check(test,
        sys_pbkdf2(digest, lent(test->key), lent(test->salt), (int)test->iterations, out, size),
        "deriving failed");
  check(test, equal(out, test->out.data, size), "derived key");
  leave(test, out, size);
}

static void run_hkdf(test_case *test, int mode) {
  if (mode == 2)
    test_hkdf_salted(test);
  else
    expand(test, mode == 1, lent(test->key));
}
static void run_digest(test_case *test, int digest) { test_digest(test, (sys_digest)digest); }
static void run_hmac(test_case *test, int digest) { test_hmac(test, (sys_digest)digest); }
static void run_pbkdf2(test_case *test, int digest) { test_pbkdf2(test, (sys_digest)digest); }
static void aead(test_case *test, int cipher) { test_aead(test, (sys_cipher)cipher); }
static void ctr(test_case *test, int cipher) { test_ctr(test, (sys_cipher)cipher); }
static void cbc(test_case *test, int blocks) { blocks ? test_cbc_blocks(test) : test_cbc(test); }
static void both(test_case *test, int which, void (*run)(test_case *test, int which)) {
  run(test, which);
  keep_keys(true);
  run(test, which);
  keep_keys(false);
}
static void run_aead(test_case *test, int cipher) { both(test, cipher, aead); }
static void run_ctr(test_case *test, int cipher) { both(test, cipher, ctr); }
static void run_cbc(test_case *test, int blocks) { both(test, blocks, cbc); }

static struct {
  const char *name;
  void (*run)(test_case *test, int which);
  int which;
  size_t key_size, iv_size;
  unsigned long cases, invalid, checks, wrong;
} algorithms[] = {
    {"sha1", run_digest, SYS_SHA1, 0, 0, 0, 0, 0, 0},
    {"sha256", run_digest, SYS_SHA256, 0, 0, 0, 0, 0, 0},
    {"sha384", run_digest, SYS_SHA384, 0, 0, 0, 0, 0, 0},
    {"sha512", run_digest, SYS_SHA512, 0, 0, 0, 0, 0, 0},
    {"hmac-sha1", run_hmac, SYS_SHA1, 0, 0, 0, 0, 0, 0},
    {"hmac-sha256", run_hmac, SYS_SHA256, 0, 0, 0, 0, 0, 0},
    {"hmac-sha384", run_hmac, SYS_SHA384, 0, 0, 0, 0, 0, 0},
    {"hmac-sha512", run_hmac, SYS_SHA512, 0, 0, 0, 0, 0, 0},
    {"hkdf-sha256", run_hkdf, 0, 0, 0, 0, 0, 0, 0},
    {"hkdf-sha256-expand", run_hkdf, 1, 0, 0, 0, 0, 0, 0},
    {"hkdf-sha256-salted", run_hkdf, 2, 0, 0, 0, 0, 0, 0},
    {"pbkdf2-sha1", run_pbkdf2, SYS_SHA1, 0, 0, 0, 0, 0, 0},
    {"pbkdf2-sha256", run_pbkdf2, SYS_SHA256, 0, 0, 0, 0, 0, 0},
    {"pbkdf2-sha512", run_pbkdf2, SYS_SHA512, 0, 0, 0, 0, 0, 0},
    {"aes-128-gcm", run_aead, SYS_AES_128_GCM, 16, 12, 0, 0, 0, 0},
    {"aes-192-gcm", run_aead, SYS_AES_192_GCM, 24, 12, 0, 0, 0, 0},
    {"aes-256-gcm", run_aead, SYS_AES_256_GCM, 32, 12, 0, 0, 0, 0},
    {"chacha20-poly1305", run_aead, SYS_CHACHA20_POLY1305, 32, 12, 0, 0, 0, 0},
    {"aes-128-ctr", run_ctr, SYS_AES_128_CTR, 16, 16, 0, 0, 0, 0},
    {"aes-192-ctr", run_ctr, SYS_AES_192_CTR, 24, 16, 0, 0, 0, 0},
    {"aes-256-ctr", run_ctr, SYS_AES_256_CTR, 32, 16, 0, 0, 0, 0},
    {"aes-256-cbc", run_cbc, 0, 32, 16, 0, 0, 0, 0},
    {"aes-256-cbc-blocks", run_cbc, 1, 32, 16, 0, 0, 0, 0},
};
enum { ALGORITHMS = sizeof algorithms / sizeof *algorithms };

/* Whether all was right. */
static bool run(char *line, bool empty_is_null) {
  test_case test;
  case_read(&test, line, empty_is_null);
  size_t i = 0;
  while (i < ALGORITHMS && strcmp(test.algorithm, algorithms[i].name) != 0) i++;
  if (i == ALGORITHMS || (algorithms[i].iv_size > 0 && (test.key.size != algorithms[i].key_size ||
                                                         test.iv.size != algorithms[i].iv_size))) {
    fprintf(stderr, "crypto: %s %s: no such algorithm, or a key or IV of another size\n", test.algorithm, test.label);
    exit(2);
  }
  algorithms[i].run(&test, algorithms[i].which);
  algorithms[i].checks += test.checks;
  if (!empty_is_null) {
    algorithms[i].cases++;
    algorithms[i].invalid += !test.valid;
  }
  bool right = !test.wrong;
  if (!right) {
    algorithms[i].wrong++;
    printf("WRONG %s %s%s: %s\n", test.algorithm, test.label, empty_is_null ? " (empty is NULL)" : "", test.wrong);
  }
  case_free(&test);
  return right;
}

int main(void) {
  char *line = NULL;
  size_t capacity = 0;
  while (getline(&line, &capacity, stdin) > 0) {
    if (*line == '#' || *line == '\n') continue;
    char *copy = strdup(line);
    /* Once more with NULL for what is empty, as a Swift span has it. */
    if (run(line, false) && (strstr(copy, "= ") || strstr(copy, "=\n"))) run(copy, true);
    free(copy);
  }
  free(line);
  unsigned long cases = 0, wrong = 0;
  printf("%-20s %6s %8s %9s %6s\n", "algorithm", "cases", "refusals", "checks", "wrong");
  for (size_t i = 0; i < ALGORITHMS; i++) {
    printf("%-20s %6lu %8lu %9lu %6lu\n", algorithms[i].name, algorithms[i].cases, algorithms[i].invalid,
           algorithms[i].checks, algorithms[i].wrong);
    cases += algorithms[i].cases;
    wrong += algorithms[i].wrong;
    /* A name that was mistyped, or a file that was not found, is no success. */
    if (algorithms[i].cases == 0) printf("NONE of %s\n", algorithms[i].name), wrong++, cases++;
  }
  printf("%lu passed, %lu failed\n", cases > wrong ? cases - wrong : 0, wrong);
  return wrong > 0;
}
