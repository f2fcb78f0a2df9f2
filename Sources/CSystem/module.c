#define _GNU_SOURCE
#include "csystem.h"

#include <dlfcn.h>
#include <limits.h>
#include <stdio.h>

/* Where the host says that modules are; empty: nowhere special. */
static char folder[PATH_MAX];

/* fork() waits while a module is loaded: a child would never see the end of it. */
static sys_mutex guard;
static pthread_once_t making = PTHREAD_ONCE_INIT;
static void make_guard(void) { sys_mutex_init(&guard); }

static void lock(void) {
  pthread_once(&making, make_guard);
  sys_mutex_lock(&guard);
}

bool sys_module_folder(const char *path) {
  size_t size = strlen(path);
  if (size >= sizeof folder) return false;
  lock();
  memcpy(folder, path, size + 1);
  sys_mutex_unlock(&guard);
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
  lock();
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
  sys_mutex_unlock(&guard);
  return module ? dlsym(module, name) : NULL;
}

void *sys_library_symbol(const char *library, const char *name) {
  lock();
  void *loaded = dlopen(library, RTLD_NOW | RTLD_LOCAL);
  sys_mutex_unlock(&guard);
  return loaded ? dlsym(loaded, name) : NULL;
}
