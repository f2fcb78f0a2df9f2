/* What may be asked of a user: "@staff" and the like, beside the keys of sessions. */
#include "user.h"

#include <string.h>

struct gate_needs gate_needs;

static bool is(tuile_bytes key, const char *name) {
  return key.size == strlen(name) && memcmp(key.data, name, key.size) == 0;
}

bool gate_is_login(tuile_bytes key) { return is(key, "@login"); }

bool gate_is_of_user(tuile_bytes key) { return key.size > 0 && *(const char *)key.data == '@' && !gate_is_login(key); }

const char *gate_need_of_user(tuile_bytes key, bool valued) {
  bool listed = is(key, "@group") || is(key, "@permission"), named = is(key, "@id") || is(key, "@username");
  if (!listed && !named && !is(key, "@staff") && !is(key, "@superuser") && !is(key, "@groups"))
    return "takes of a user @id, @username, @staff, @superuser, @groups, @group=NAME and @permission=APP.CODENAME, and @login of any";
  if (listed && !valued) return "takes @group and @permission with a value, such as @group=editors";
  if (!listed && !named && valued) return "takes no value for @staff, @superuser and @groups";
  gate_needs.users = true;
  gate_needs.groups = gate_needs.groups || is(key, "@group") || is(key, "@groups");
  gate_needs.permissions = gate_needs.permissions || is(key, "@permission");
  return NULL;
}

static const struct gate_user *user_of(const struct gate_visit *visit) {
  bool passes = visit->state == GATE_FOUND && visit->user && visit->user->verdict == GATE_USER_PASSES;
  return passes ? visit->user : NULL;
}

tuile_status gate_user_text(struct gate_visit *visit, tuile_bytes key, tuile_bytes *text) {
  const struct gate_user *user = user_of(visit);
  if (!user) return TUILE_ABSENT;
  if (is(key, "@id")) return gate_text(visit, visit->gate->login_key, text);
  const struct gate_names *names = is(key, "@groups") ? &user->joined : &user->name;
  tuile_bytes found = {names->bytes, names->size > 0 ? names->size - 1 : 0};
  if (is(key, "@staff") || is(key, "@superuser"))
    found = (is(key, "@staff") ? user->is_staff : user->is_superuser) ? TUILE_STR("true") : TUILE_STR("false");
  else if (!is(key, "@groups") && !is(key, "@username"))
    return TUILE_ABSENT;
  if (gate_has_control(found)) return TUILE_ABSENT;
  *text = found;
  return TUILE_OK;
}

bool gate_user_holds(struct gate_visit *visit, tuile_bytes key) {
  const struct gate_user *user = user_of(visit);
  if (!user) return false;
  if (is(key, "@staff")) return user->is_staff;
  if (is(key, "@superuser")) return user->is_superuser;
  if (is(key, "@groups")) return user->groups.size > 0;
  return is(key, "@id") || is(key, "@username");
}

/* As Django's has_perm, a superuser has every permission. */
bool gate_user_has_value(struct gate_visit *visit, tuile_bytes key, tuile_bytes value) {
  const struct gate_user *user = user_of(visit);
  tuile_bytes text;
  if (!user) return false;
  if (is(key, "@group")) return gate_names_have(&user->groups, value);
  if (is(key, "@permission")) return user->is_superuser || gate_names_have(&user->permissions, value);
  return gate_user_text(visit, key, &text) == TUILE_OK && text.size == value.size && memcmp(text.data, value.data, value.size) == 0;
}
