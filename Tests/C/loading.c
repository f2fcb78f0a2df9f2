/* Loading and using the library changes nothing in its host: signal handlers,
 * threads, locale, descriptors, output. */
#define _GNU_SOURCE
#include "check.h"

#include <dirent.h>
#include <dlfcn.h>
#include <locale.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static int entries(const char *folder) {
  DIR *directory = opendir(folder);
  CHECK(directory != NULL);
  int count = 0;
  while (readdir(directory)) count++;
  closedir(directory);
  return count;
}

struct host {
  struct sigaction handlers[65];
  int threads, descriptors;
  char locale[256];
};

static void look(struct host *host) {
  memset(host, 0, sizeof *host);
  for (int i = 1; i < 65; i++) sigaction(i, NULL, &host->handlers[i]);
  host->threads = entries("/proc/self/task");
  host->descriptors = entries("/proc/self/fd");
  snprintf(host->locale, sizeof host->locale, "%s", setlocale(LC_ALL, NULL));
}

static bool same_handlers(const struct host *a, const struct host *b) {
  for (int i = 1; i < 65; i++) {
    if (a->handlers[i].sa_handler != b->handlers[i].sa_handler || a->handlers[i].sa_flags != b->handlers[i].sa_flags)
      return false;
    /* Signal by signal: the rest of the mask is not set by sigaction. */
    for (int j = 1; j < 65; j++)
      if (sigismember(&a->handlers[i].sa_mask, j) != sigismember(&b->handlers[i].sa_mask, j)) return false;
  }
  return true;
}

static void use(void *library) {
  tuile_status (*open_)(const tuile_config *, tuile_manager **, tuile_error *) = NULL;
  tuile_status (*start)(tuile_manager *, tuile_bytes, tuile_bytes, tuile_session **, tuile_error *) = NULL;
  tuile_status (*set)(tuile_session *, tuile_bytes, double, tuile_error *) = NULL;
  tuile_status (*commit)(tuile_session *, int32_t, tuile_add_header, void *, tuile_error *) = NULL;
  void (*end)(tuile_session *) = NULL, (*close_)(tuile_manager *) = NULL;
  /* As POSIX says to turn what dlsym gives into a function. */
  *(void **)&open_ = dlsym(library, "tuile_manager_open");
  *(void **)&start = dlsym(library, "tuile_session_start");
  *(void **)&set = dlsym(library, "tuile_session_set_double");
  *(void **)&commit = dlsym(library, "tuile_session_commit");
  *(void **)&end = dlsym(library, "tuile_session_end");
  *(void **)&close_ = dlsym(library, "tuile_manager_close");
  CHECK(open_);
  CHECK(start);
  CHECK(set);
  CHECK(commit);
  CHECK(end);
  CHECK(close_);
  tuile_config config = TUILE_CONFIG_INIT;
  config.store = text("memory:");
  tuile_manager *manager;
  CHECK(open_(&config, &manager, NULL) == TUILE_OK);
  tuile_session *session;
  CHECK(start(manager, text(""), text(""), &session, NULL) == TUILE_OK);
  CHECK(set(session, text("a"), 0.5, NULL) == TUILE_OK);
  CHECK(commit(session, 200, NULL, NULL, NULL) == TUILE_OK);
  end(session);
  close_(manager);
}

int main(int argc, char **argv) {
  CHECK(argc > 2);
  struct host before, after;
  FILE *output = tmpfile();
  CHECK(output != NULL);
  /* What the library would print goes into a file that must stay empty. */
  int kept[2] = {dup(1), dup(2)};
  for (int round = 0; round < 3; round++) {
    look(&before);
    dup2(fileno(output), 1);
    dup2(fileno(output), 2);
    void *library = dlopen(argv[2], RTLD_NOW | RTLD_LOCAL);
    if (library) use(library);
    dup2(kept[0], 1);
    dup2(kept[1], 2);
    look(&after);
    CHECK(library != NULL);
    CHECK(same_handlers(&before, &after));
    CHECK(before.threads == after.threads);
    CHECK(strcmp(before.locale, after.locale) == 0);
    CHECK(before.descriptors == after.descriptors);
    dlclose(library);
    pid_t child = fork(); /* what the library hooked into fork() went with it */
    if (child == 0) _exit(0);
    int status = 1;
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(status == 0);
  }
  CHECK(lseek(fileno(output), 0, SEEK_END) == 0);
  /* The control: the comparison does see a handler that changed. */
  signal(SIGUSR1, SIG_IGN);
  look(&after);
  CHECK(!same_handlers(&before, &after));
  return 0;
}
