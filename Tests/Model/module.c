/* libtuile-model.so: what opens model://back, model://front and model://old, so
 * that the program's stores stand wherever a URL can name one. */
#include <tuile.h>

/* The program's own. */
extern tuile_status model_module_open(tuile_bytes, tuile_store_ops *, void **, tuile_error *);

tuile_status tuile_module_open(tuile_bytes url, tuile_store_ops *ops, void **context, tuile_error *error);
tuile_status tuile_module_open(tuile_bytes url, tuile_store_ops *ops, void **context, tuile_error *error) {
  return model_module_open(url, ops, context, error);
}
