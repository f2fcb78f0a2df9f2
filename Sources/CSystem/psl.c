#define _GNU_SOURCE
#include "csystem.h"

#include <dlfcn.h>

/* libpsl's functions, as <libpsl.h> declares them: the header need not be there. */
typedef struct psl_ctx_st psl_ctx_t;
static const psl_ctx_t *list;
static int (*is_public_suffix)(const psl_ctx_t *, const char *);

/* fork() waits while the list is loaded: a child would never see the end of it. */
static sys_mutex loading;
static pthread_once_t making = PTHREAD_ONCE_INIT;
static void make_mutex(void) { sys_mutex_init(&loading); }

const void *sys_psl(void) {
  pthread_once(&making, make_mutex);
  sys_mutex_lock(&loading);
  if (!list) {
    void *library = dlopen("libpsl.so.5", RTLD_NOW | RTLD_LOCAL);
    if (library) {
      psl_ctx_t *(*latest)(const char *) = NULL;
      *(void **)&latest = dlsym(library, "psl_latest");
      *(void **)&is_public_suffix = dlsym(library, "psl_is_public_suffix");
      /* The distribution's file if it is newer, or what is built in. */
      if (latest && is_public_suffix) list = latest(NULL);
      if (!list) dlclose(library);
    }
  }
  const void *found = list;
  sys_mutex_unlock(&loading);
  return found;
}

bool sys_psl_is_public_suffix(const void *psl, const uint8_t *domain, size_t size) {
  (void)size; /* ends with a NUL */
  return is_public_suffix(psl, (const char *)domain) != 0;
}
