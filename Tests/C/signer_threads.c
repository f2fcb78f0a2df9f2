/* One signer, of whose keys each has a context: threads sign and open with it at once, and so does the child of a fork. */
#include "check.h"

#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

enum { each = 2000, threads = 4 };

static tuile_signer *signer;

static void *work(void *who) {
  char mine[64], token[1024], out[1024];
  for (int i = 0; i < each; i++) {
    int size = snprintf(mine, sizeof mine, "\"%s, text %d\"", (const char *)who, i);
    int64_t signed_size = tuile_flat_sign(signer, mine, (size_t)size, token, sizeof token);
    CHECK(signed_size > 0);
    int64_t opened = tuile_flat_unsign(signer, token, (size_t)signed_size, TUILE_UNSET, out, sizeof out);
    CHECK(opened >= size);
    CHECK(memcmp(out + opened - size, mine, (size_t)size) == 0);
    /* What is refused in between leaves nothing that the next one could meet. */
    token[signed_size / 2] = token[signed_size / 2] == 'A' ? 'B' : 'A';
    CHECK(tuile_flat_unsign(signer, token, (size_t)signed_size, TUILE_UNSET, out, sizeof out) < 0);
  }
  return NULL;
}

int main(void) {
  static const struct {
    tuile_dialect dialect;
    const char *secret, *block;
  } cases[] = {
      {TUILE_DIALECT_RAILS_ENCRYPTED, "a secret that has thirty-two octets or more", ""},
      {TUILE_DIALECT_COOKIE_RS_PRIVATE, "a secret that has thirty-two octets or more", ""},
      {TUILE_DIALECT_GORILLA, "a secret that has thirty-two octets or more", "0123456789abcdef"},
      {TUILE_DIALECT_FERNET, "MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dXY=", ""},
      {TUILE_DIALECT_LARAVEL, "0123456789abcdef0123456789abcdef", ""},
      {TUILE_DIALECT_LARAVEL_GCM, "0123456789abcdef", ""},
  };
  for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
    tuile_signer_config config = TUILE_SIGNER_CONFIG_INIT;
    tuile_error error;
    config.dialect = cases[i].dialect, config.secret = text(cases[i].secret), config.block_secret = text(cases[i].block);
    config.name = text("session");
    CHECK(tuile_signer_new(&config, &signer, &error) == TUILE_OK);
    /* libcrypto takes locks of its own at a thread's first use, which a fork in another one leaves locked. */
    work((void *)"parent");
    static char names[threads][16];
    pthread_t all[threads];
    for (int t = 0; t < threads; t++) {
      snprintf(names[t], sizeof names[t], "thread %d", t);
      CHECK(pthread_create(&all[t], NULL, work, names[t]) == 0);
    }
    pid_t child = fork(); /* others have the key's context at times: in the child it does not come back */
    CHECK(child >= 0);
    if (child == 0) {
      work((void *)"child");
      tuile_signer_free(signer);
      _exit(0);
    }
    for (int t = 0; t < threads; t++) CHECK(pthread_join(all[t], NULL) == 0);
    int status;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(status == 0);
    tuile_signer_free(signer);
  }
  puts("a signer is of all threads, and of a child of fork");
  return 0;
}
