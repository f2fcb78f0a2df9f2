/* What would be lost, or is, where two frameworks write sessions in forms of their own. */
#include <string.h>

#include "migrate.h"

static bool is_named(const struct loss *loss, tuile_loss what, tuile_bytes name) {
  return loss->what == what && strlen(loss->name) == name.size && memcmp(loss->name, name.data, name.size) == 0;
}

void loss_note(void *context, tuile_loss what, tuile_bytes name) {
  struct losses *losses = context;
  if (what == TUILE_LOSS_VALUE) losses->session_lost_value = true;
  if (what == TUILE_LOSS_EXPIRY) losses->session_lost_expiry = true;
  if (name.size >= sizeof losses->known[0].name) {
    losses->others++;
    return;
  }
  for (size_t i = 0; i < losses->count; i++)
    if (is_named(&losses->known[i], what, name)) {
      losses->known[i].sessions++;
      return;
    }
  if (losses->count == sizeof losses->known / sizeof *losses->known) {
    losses->others++;
    return;
  }
  struct loss *loss = &losses->known[losses->count++];
  *loss = (struct loss){.what = what, .sessions = 1};
  if (name.size) memcpy(loss->name, name.data, name.size);
}

/* The framework's own metadata means nothing to another. */
bool loss_is_any(const struct losses *losses) {
  return losses->values || losses->expiries || losses->refused || losses->unreadable || losses->too_large || losses->listed;
}

void loss_out(const struct losses *losses) {
  static const char *const kinds[] = {"value", "expiry", "metadata"};
  out_number("lose_values", (int64_t)losses->values);
  out_number("lose_expiry", (int64_t)losses->expiries);
  out_number("ids_refused", (int64_t)losses->refused);
  out_number("unreadable", (int64_t)losses->unreadable);
  out_number("too_large", (int64_t)losses->too_large);
  out_number("lists_lost", (int64_t)losses->listed);
  out_list("names");
  for (size_t i = 0; i < losses->count; i++) {
    out_item();
    out_string("name", losses->known[i].name);
    out_string("kind", kinds[losses->known[i].what]);
    out_number("sessions", (int64_t)losses->known[i].sessions);
  }
  out_list_end();
  if (losses->others) out_number("other_names", (int64_t)losses->others);
}
