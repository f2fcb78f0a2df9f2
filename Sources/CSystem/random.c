/* Random octets, all of them the kernel's. Where its page of code in each process (vDSO) has getrandom, 30 ns take the
 * place of a system call's 300: glibc calls it so since 2.41, and here older ones, and other C libraries, do as well. */
#define _GNU_SOURCE
#include "csystem.h"

#include <dlfcn.h>
#include <errno.h>
#include <pthread.h>
#include <sys/mman.h>
#include <sys/random.h>
#include <unistd.h>

/* The kernel's words for what a thread's state needs (include/uapi/linux/random.h). */
struct opaque_parameters {
  uint32_t size, protection, flags, reserved[13];
};
typedef ssize_t vdso_getrandom(void *out, size_t size, unsigned int flags, void *state, size_t state_size);

static vdso_getrandom *function;
static struct opaque_parameters parameters;
static size_t page;
static pthread_key_t states;

static void drop_state(void *state) { munmap(state, page); }

/* While the library is loaded: what fork() finds is whole. */
__attribute__((constructor)) static void find_function(void) {
#if defined(__x86_64__)
  static const char name[] = "__vdso_getrandom";
#else
  static const char name[] = "__kernel_getrandom";
#endif
  void *vdso = dlopen("linux-vdso.so.1", RTLD_NOW | RTLD_LOCAL | RTLD_NOLOAD), *found = vdso ? dlsym(vdso, name) : NULL;
  vdso_getrandom *candidate;
  memcpy(&candidate, &found, sizeof candidate);
  page = (size_t)sysconf(_SC_PAGESIZE);
  /* It says what a state needs if the state's size is the greatest number. */
  if (!candidate || candidate(NULL, 0, 0, &parameters, SIZE_MAX) != 0 || parameters.size == 0 ||
      parameters.size > page || pthread_key_create(&states, drop_state) != 0)
    return;
  function = candidate;
}

__attribute__((destructor)) static void forget_function(void) {
  if (!function) return;
  /* Other threads that are still there ask the kernel from now on. */
  function = NULL;
  void *state = pthread_getspecific(states);
  pthread_key_delete(states);
  if (state) drop_state(state);
}

/* The thread's own. The kernel wipes it in the child of a fork, and makes it anew from then on; NULL without memory. */
static void *state_of_thread(void) {
  void *state = pthread_getspecific(states);
  if (state) return state;
  state = mmap(NULL, page, (int)parameters.protection, (int)parameters.flags, -1, 0);
  if (state == MAP_FAILED) return NULL;
  if (pthread_setspecific(states, state) == 0) return state;
  drop_state(state);
  return NULL;
}

bool sys_random(void *data, size_t size) {
  uint8_t *next = data;
  void *state = function && size > 0 ? state_of_thread() : NULL;
  while (size > 0) {
    ssize_t got = state ? function(next, size, 0, state, parameters.size) : getrandom(next, size, 0);
    if (got < 0) {
      /* The vDSO answers with the negative number of the error, as the kernel itself does. */
      if (state) {
        state = NULL;
        continue;
      }
      if (errno == EINTR) continue;
      return false;
    }
    next += got;
    size -= (size_t)got;
  }
  return true;
}

/* Embedded Swift seeds its hash tables with this, and glibc has it only since
 * 2.36: this hidden one keeps the library loadable on older systems. */
__attribute__((visibility("hidden"))) void arc4random_buf(void *data, size_t size) {
  if (!sys_random(data, size)) abort();
}
