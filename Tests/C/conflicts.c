/* Conflicts without end: however large the session is, each commit that loses starts
 * again from what it changed, and takes no more memory than the last one. */
#include "forwarding.h"

enum { size = 1000000, conflicts = 40 };

static int left, inside;
static char large[size + 1];
static const char *const lists[] = {"mine", "theirs"};

/* Another request is first, time and again, until enough were. */
static tuile_session *another(void) {
  if (left == 0 || inside) return NULL;
  left--;
  inside = 1;
  tuile_session *s = request();
  CHECK(tuile_session_add_int(s, text("n"), 1, NULL, &error) == TUILE_OK);
  CHECK(tuile_session_append(s, text(lists[1]), text("2"), &error) == TUILE_OK);
  CHECK(respond(s, 200) == TUILE_OK);
  inside = 0;
  return NULL;
}

static void losing(bool new_key) {
  tuile_store *store = begin();
  int64_t n;
  tuile_bytes value, kept;
  jar[0] = 0;
  tuile_session *s = request();
  CHECK(tuile_session_set_string(s, text("large"), text(large), &error) == TUILE_OK);
  CHECK(tuile_session_set_int(s, text("n"), 1, &error) == TUILE_OK);
  CHECK(tuile_session_set_string(s, text("gone"), text("x"), &error) == TUILE_OK);
  for (int i = 0; i < 2; i++) CHECK(tuile_session_set_json(s, text(lists[i]), text("[0]"), &error) == TUILE_OK);
  CHECK(respond(s, 200) == TUILE_OK);

  s = request();
  CHECK(tuile_session_get_json(s, text("mine"), &kept, &error) == TUILE_OK);
  CHECK(tuile_session_add_int(s, text("n"), 100, NULL, &error) == TUILE_OK);
  CHECK(tuile_session_append(s, text("mine"), text("1"), &error) == TUILE_OK);
  CHECK(tuile_session_set_string(s, text("new"), text("value"), &error) == TUILE_OK);
  CHECK(tuile_session_remove(s, text("gone"), &error) == TUILE_OK);
  if (new_key) CHECK(tuile_session_cycle_id(s, &error) == TUILE_OK);
  left = conflicts;
  interrupt_replace = another;
  tuile_status status = tuile_session_commit(s, 200, collect, NULL, &error);
  interrupt_replace = NULL;
  if (status != TUILE_OK) fprintf(stderr, "%s: %s\n", tuile_status_name(status), error.message);
  CHECK(status == TUILE_OK);
  CHECK(left == 0);
  /* What was lent before, and what is read now. */
  CHECK(equals(kept, "[0]"));
  CHECK(tuile_session_get_int(s, text("n"), &n, &error) == TUILE_OK);
  CHECK(n == 101 + conflicts);
  CHECK(tuile_session_get_json(s, text("mine"), &value, &error) == TUILE_OK);
  CHECK(equals(value, "[0,1]"));
  CHECK(tuile_session_get_json(s, text("theirs"), &value, &error) == TUILE_OK);
  CHECK(value.size == 3 + 2 * conflicts);
  CHECK(tuile_session_get_string(s, text("new"), &value, &error) == TUILE_OK);
  CHECK(equals(value, "value"));
  CHECK(tuile_session_get_string(s, text("gone"), &value, &error) == TUILE_ABSENT);
  CHECK(tuile_session_get_string(s, text("large"), &value, &error) == TUILE_OK);
  CHECK(equals(value, large));
  CHECK(tuile_session_add_int(s, text("n"), 1, &n, &error) == TUILE_OK);
  CHECK(n == 102 + conflicts);
  snprintf(jar, sizeof jar, "%.*s", (int)strcspn(set_cookie, ";"), set_cookie);
  CHECK(tuile_session_commit(s, 200, collect, NULL, &error) == TUILE_OK);
  tuile_session_end(s);
  if (!new_key) CHECK(get("n") == 102 + conflicts);
  end(store);
}

int main(void) {
  memset(large, 'x', size);
  losing(false);
  losing(true);
  return 0;
}
