/* libtuile-hot.so: a module whose store is the test program's own. */
#include <tuile.h>

extern tuile_status hot_module_open(tuile_bytes, tuile_store_ops *, void **, tuile_error *);

tuile_status tuile_module_open(tuile_bytes url, tuile_store_ops *ops, void **context, tuile_error *error);
tuile_status tuile_module_open(tuile_bytes url, tuile_store_ops *ops, void **context, tuile_error *error) {
  return hot_module_open(url, ops, context, error);
}
