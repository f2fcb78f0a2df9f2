/* libtuile-slow.so: says that it is being loaded, takes its time, and opens nothing. */
#include <stdlib.h>
#include <tuile.h>
#include <unistd.h>

__attribute__((constructor)) static void load(void) {
  const char *told = getenv("SLOW_MODULE_FD");
  if (!told || write(atoi(told), "x", 1) != 1) return;
  usleep(300000);
}

tuile_status tuile_module_open(tuile_bytes url, tuile_store_ops *ops, void **context, tuile_error *error) {
  (void)url, (void)ops, (void)context, (void)error;
  return TUILE_E_STORE;
}
