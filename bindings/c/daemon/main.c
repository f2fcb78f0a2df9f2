/* tuile-gate: starts, reloads and ends. */
#include "daemon.h"

#include <errno.h>
#include <getopt.h>
#include <pwd.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

extern char **environ;

enum { EXIT_WELL = 0, EXIT_USAGE = 2, EXIT_ERROR = 3, drain_seconds = 25 };

static const char *config_path = "/etc/tuile/gate.conf";

static const char usage[] =
    "usage: tuile gate [-t] [-c FILE] [-u USER]\n\n"
    "Answers proxies whether the visitor of a request may pass.\n\n"
    "  -c FILE  the configuration, " "/etc/tuile/gate.conf" " if it is not said\n"
    "  -t       tests it, asks every store, and ends\n"
    "  -u USER  with -t: asks as that user\n\n"
    "SIGHUP reads the configuration and its secrets again, SIGTERM ends once all are answered.\n"
    "Exit codes: 0 fine; 2 usage; 3 error.\n";

static int test(struct config *config, const char *user) {
  const struct passwd *entry = user ? getpwnam(user) : NULL;
  if (user && !entry) return log_line(LOG_ERROR, "there is no user %s", user), EXIT_USAGE;
  bool well = config_check(config, user, entry ? entry->pw_uid : 0, entry ? entry->pw_gid : 0);
  config_free(config);
  return well ? EXIT_WELL : EXIT_ERROR;
}

/* ---- the reload ---- */

/* In a process of its own, since this one has threads in its stores. */
static bool test_again(void) {
  char *words[] = {"tuile-gate", "-t", "-c", (char *)config_path, NULL};
  sigset_t none;
  posix_spawnattr_t attributes;
  pid_t child;
  int status = -1;
  sigemptyset(&none);
  posix_spawnattr_init(&attributes);
  posix_spawnattr_setsigmask(&attributes, &none);
  posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
  int code = posix_spawn(&child, "/proc/self/exe", NULL, &attributes, words, environ);
  posix_spawnattr_destroy(&attributes);
  if (code != 0) return log_line(LOG_ERROR, "the configuration can't be tested: %s", strerror(code)), false;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {}
  return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void reload(struct config **current) {
  struct config *config = test_again() ? config_read(config_path) : NULL;
  if (config && !listen_is_same(config, *current)) {
    log_line(LOG_ERROR, "listen has changed, which takes a restart");
    config_free(config);
    config = NULL;
  }
  counters_reloaded(config != NULL);
  if (!config) {
    log_line(LOG_ERROR, "the configuration was not reloaded: the one before goes on");
    return;
  }
  if (config->connections != (*current)->connections) log_line(LOG_WARN, "worker_connections has changed, which takes a restart");
  serve_by(config);
  *current = config;
  log_line(LOG_NOTICE, "the configuration was reloaded");
}

/* ---- the end ---- */

/* No connection is taken any more; who is being answered gets the answer. */
static void end(struct MHD_Daemon **daemons, int count) {
  listen_notify("STOPPING=1");
  serve_drain();
  listen_forget();
  for (int i = 0; i < count; i++) {
    int listener = MHD_quiesce_daemon(daemons[i]);
    if (listener >= 0) close(listener);
  }
  const struct timespec step = {0, 20 * 1000 * 1000};
  for (int i = 0; i < drain_seconds * 50 && (i < 5 || serve_busy() > 0); i++) nanosleep(&step, NULL);
  if (serve_busy() > 0) log_line(LOG_WARN, "%zu requests were not answered within %d seconds", serve_busy(), drain_seconds);
  for (int i = 0; i < count; i++) MHD_stop_daemon(daemons[i]);
}

static int serve(struct config *config) {
  int sockets[most_sockets], number = 0;
  struct MHD_Daemon *daemons[most_sockets];
  sigset_t waited;
  sigemptyset(&waited);
  sigaddset(&waited, SIGHUP);
  sigaddset(&waited, SIGTERM);
  sigaddset(&waited, SIGINT);
  signal(SIGPIPE, SIG_IGN);
  int count = config_check(config, NULL, 0, 0) ? listen_all(config, sockets) : -1;
  if (count < 0) return listen_forget(), config_free(config), EXIT_ERROR;
  pthread_sigmask(SIG_BLOCK, &waited, NULL);
  serve_by(config);
  for (int i = 0; i < count; i++) {
    if ((daemons[i] = serve_on(sockets[i], config->connections))) continue;
    log_line(LOG_ERROR, "a server can't be started: %s", strerror(errno));
    return listen_forget(), EXIT_ERROR;
  }
  log_line(LOG_NOTICE, "tuile-gate %s serves", tuile_version_string());
  listen_notify("READY=1");
  while (sigwait(&waited, &number) == 0 && number == SIGHUP) {
    listen_notify("RELOADING=1");
    reload(&config);
    listen_notify("READY=1");
  }
  end(daemons, count);
  return EXIT_WELL;
}

int main(int count, char **words) {
  const char *user = NULL;
  bool tests = false;
  static const struct option options[] = {{"help", no_argument, NULL, 'h'}, {"version", no_argument, NULL, 'V'}, {NULL, 0, NULL, 0}};
  for (int option; (option = getopt_long(count, words, "tc:u:hV", options, NULL)) != -1;) {
    switch (option) {
      case 't': tests = true; break;
      case 'c': config_path = optarg; break;
      case 'u': user = optarg; break;
      case 'h': fputs(usage, stdout); return EXIT_WELL;
      case 'V': printf("tuile-gate %s\n", tuile_version_string()); return EXIT_WELL;
      default: fputs(usage, stderr); return EXIT_USAGE;
    }
  }
  if (optind < count || (user && !tests)) return fputs(usage, stderr), EXIT_USAGE;
  struct config *config = config_read(config_path);
  if (!config) return EXIT_ERROR;
  return tests ? test(config, user) : serve(config);
}
