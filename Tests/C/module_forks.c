/* fork() while another thread loads a store's module: the child can open that store. */
#define _GNU_SOURCE
#include "check.h"

#include <libgen.h>
#include <limits.h>
#include <pthread.h>
#include <sys/wait.h>
#include <unistd.h>

static tuile_status opening(void) {
  tuile_store *store = NULL;
  return tuile_store_open(text("slow://anywhere"), &store, NULL);
}

static void *open_there(void *context) {
  CHECK(opening() == TUILE_E_STORE); /* from the module: it was loaded */
  return context;
}

int main(void) {
  char folder[PATH_MAX] = {0}, modules[PATH_MAX + 16], number[16];
  CHECK(readlink("/proc/self/exe", folder, sizeof folder - 1) > 0);
  snprintf(modules, sizeof modules, "%s/modules", dirname(folder));
  CHECK(tuile_module_folder(text(modules)) == TUILE_OK);
  int ends[2], status = 1;
  char byte;
  CHECK(pipe(ends) == 0);
  snprintf(number, sizeof number, "%d", ends[1]);
  setenv("SLOW_MODULE_FD", number, 1);
  pthread_t other;
  CHECK(pthread_create(&other, NULL, open_there, NULL) == 0);
  CHECK(read(ends[0], &byte, 1) == 1);
  pid_t child = fork();
  CHECK(child >= 0);
  if (child == 0) {
    alarm(20);
    _exit(opening() == TUILE_E_STORE ? 0 : 1);
  }
  CHECK(waitpid(child, &status, 0) == child);
  CHECK(status == 0);
  CHECK(pthread_join(other, NULL) == 0);
  return 0;
}
