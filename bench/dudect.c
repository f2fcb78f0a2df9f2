/* Whether the time of a verification tells where a signature is wrong: Welch's t
 * between tokens whose signature is wrong in its first and in its last octet, and
 * between wrong and random ones, after dudect (Reparaz, Balasch, Verbauwhede 2017).
 * |t| under 4.5 is no leak that this many measurements show. The control, memcmp on
 * long buffers, must show one. A report, not a test: it asks a clock. */
#include <math.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tuile.h>
#include <x86intrin.h>

struct moments {
  double n, mean, m2;
};

static void add(struct moments *m, double x) {
  double delta = x - m->mean;
  m->n++;
  m->mean += delta / m->n;
  m->m2 += delta * (x - m->mean);
}

static double welch(const struct moments *a, const struct moments *b) {
  return (a->mean - b->mean) / sqrt(a->m2 / (a->n - 1) / a->n + b->m2 / (b->n - 1) / b->n);
}

static uint64_t state = 88172645463325252ull;
static uint64_t next_random(void) { return state ^= state << 13, state ^= state >> 7, state ^= state << 17; }

static char tokens[2][512];
static size_t size;
static tuile_signer *signer;
static char left[4096], right[2][4096];

static void verify(int class_) {
  char out[512];
  size_t got;
  volatile tuile_status answer =
      tuile_token_unsign(signer, &(tuile_verification){sizeof(tuile_verification), (tuile_bytes){tokens[class_], size}, TUILE_UNSET, 1000, 0, 0}, out, sizeof out, &got, NULL);
  (void)answer;
}
static void compare(int class_) {
  volatile int answer = memcmp(left, right[class_], sizeof left);
  (void)answer;
}

static double run(void (*call)(int), long samples) {
  struct moments class_[2] = {{0, 0, 0}, {0, 0, 0}};
  /* What an interrupt made slow says nothing: cut at twice the median of the first. */
  double cut = 1e18;
  static double first[10001];
  for (long i = 0; i < samples; i++) {
    int which = (int)(next_random() & 1);
    unsigned aux;
    _mm_lfence();
    uint64_t start = __rdtsc();
    call(which);
    double cycles = (double)(__rdtscp(&aux) - start);
    if (i < 10001) {
      first[i] = cycles;
      if (i == 10000) {
        for (int a = 1; a < 10001; a++)
          for (int b = a; b > 0 && first[b] < first[b - 1]; b--) {
            double swap = first[b];
            first[b] = first[b - 1], first[b - 1] = swap;
          }
        cut = 2 * first[5000];
      }
    } else if (cycles < cut) {
      add(&class_[which], cycles);
    }
  }
  return fabs(welch(&class_[0], &class_[1]));
}

int main(int argc, char **argv) {
  long samples = argc > 1 ? atol(argv[1]) : 10000000;
  right[1][0] = right[0][sizeof left - 1] = 1;
  printf("| what | |t| of %ld |\n| --- | ---: |\n", samples);
  printf("| memcmp of 4 KiB, the control: must be over 4.5 | %.1f |\n", run(compare, samples / 10));
  static const struct {
    const char *name;
    tuile_dialect dialect;
    int first_back, last_back; /* where the signature begins and ends, from the token's end */
  } kinds[] = {{"django", TUILE_DIALECT_DJANGO, 43, 2},       {"itsdangerous", TUILE_DIALECT_ITSDANGEROUS, 27, 2},
               {"cookie-signature", TUILE_DIALECT_COOKIE_SIGNATURE, 43, 2}, {"rails-signed", TUILE_DIALECT_RAILS_SIGNED, 40, 1},
               {"cookie-rs-signed", TUILE_DIALECT_COOKIE_RS_SIGNED, 0, 0},  {"signed", TUILE_DIALECT_SIGNED, 40, 4}};
  for (size_t k = 0; k < sizeof kinds / sizeof *kinds; k++) {
    tuile_signer_config config = TUILE_SIGNER_CONFIG_INIT;
    config.dialect = kinds[k].dialect, config.name = TUILE_STR("name"), config.salt = TUILE_STR("salt");
    config.secret = TUILE_STR("0123456789abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ+-./");
    if (tuile_signer_new(&config, &signer, NULL) != TUILE_OK) return 1;
    if (tuile_token_sign(signer, &(tuile_signing){sizeof(tuile_signing), TUILE_STR("a value of some forty octets, as they are"), 1000, false}, tokens[0], sizeof tokens[0], &size, NULL) != TUILE_OK) return 1;
    memcpy(tokens[1], tokens[0], size);
    size_t first = kinds[k].first_back ? size - (size_t)kinds[k].first_back : 0, last = kinds[k].last_back ? size - (size_t)kinds[k].last_back : 41;
    /* A small letter for another: base64 takes kinds of characters apart, and their
     * times, which whoever sent the token knows anyway, are not what is asked for. */
    while (tokens[0][first] < 'a' || tokens[0][first] > 'z') first++;
    while (tokens[1][last] < 'a' || tokens[1][last] > 'z') last--;
    tokens[0][first] = tokens[0][first] == 'b' ? 'c' : 'b';
    tokens[1][last] = tokens[1][last] == 'b' ? 'c' : 'b';
    printf("| %s: the signature's first octet wrong, or its last | %.1f |\n", kinds[k].name, run(verify, samples));
    fflush(stdout);
    tuile_signer_free(signer);
  }
  return 0;
}
