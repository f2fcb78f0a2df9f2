#define _GNU_SOURCE
#include "csystem.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>

/* Where the host says that modules are; empty: nowhere special. */
static char folder[PATH_MAX];
static pthread_mutex_t guard = PTHREAD_MUTEX_INITIALIZER;

bool sys_module_folder(const char *path) {
  size_t size = strlen(path);
  if (size >= sizeof folder) return false;
  pthread_mutex_lock(&guard);
  memcpy(folder, path, size + 1);
  pthread_mutex_unlock(&guard);
  return true;
}

static void *load(const char *in, size_t size, const char *below, const char *file) {
  char path[PATH_MAX];
  int length = snprintf(path, sizeof path, "%.*s%s/%s", (int)size, in, below, file);
  return length > 0 && (size_t)length < sizeof path ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
}

void *sys_module_symbol(const char *file, const char *name) {
  static const char self;
  Dl_info library;
  pthread_mutex_lock(&guard);
  void *module = folder[0] ? load(folder, strlen(folder), "", file) : NULL;
  const char *variable = secure_getenv("TUILE_MODULE_PATH");
  if (!module && !folder[0] && variable && variable[0]) module = load(variable, strlen(variable), "", file);
  /* Beside this library, in its folder tuile/ when installed. */
  if (!module && !folder[0] && dladdr(&self, &library) && library.dli_fname) {
    const char *slash = strrchr(library.dli_fname, '/');
    const char *in = slash ? library.dli_fname : ".";
    size_t size = slash ? (size_t)(slash - library.dli_fname) : 1;
    module = load(in, size, "/tuile", file);
    if (!module) module = load(in, size, "", file);
  }
  pthread_mutex_unlock(&guard);
  return module ? dlsym(module, name) : NULL;
}
