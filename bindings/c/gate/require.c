/* Who passes: what a session has to hold. */
#include "gate.h"

#include <string.h>

static bool is_word(tuile_bytes text, const char *word) {
  return text.size == strlen(word) && memcmp(text.data, word, text.size) == 0;
}

static const char *read_term(tuile_bytes word, struct gate_term *term) {
  *term = (struct gate_term){.key = word};
  if (word.size == 0 || is_word(word, "any") || is_word(word, "all") || is_word(word, "off"))
    return "takes a key, or any or all and then several";
  if (is_word(word, "on")) return term->key = (tuile_bytes){NULL, 0}, NULL;
  const char *equals = memchr(word.data, '=', word.size);
  if (!equals) return NULL;
  term->key.size = (size_t)(equals - (const char *)word.data);
  term->value = (tuile_bytes){equals + 1, word.size - term->key.size - 1};
  term->has_value = true;
  return term->key.size > 0 ? NULL : "has a value without a key";
}

const char *gate_read_requirement(const tuile_bytes *words, size_t count, struct gate_term *room,
                                  struct gate_requirement *requirement) {
  *requirement = (struct gate_requirement){.terms = room};
  if (count > 1) {
    requirement->any = is_word(words[0], "any");
    if (!requirement->any && !is_word(words[0], "all")) return "takes one key, or any or all and then several";
    words++, count--;
  }
  for (; requirement->count < count; requirement->count++) {
    struct gate_term *term = &room[requirement->count];
    const char *mistake = read_term(words[requirement->count], term);
    if (mistake) return mistake;
    if (!gate_is_of_user(term->key)) continue;
    if ((mistake = gate_need_of_user(term->key, term->has_value))) return mistake;
    requirement->users = true;
  }
  return NULL;
}

static bool is_fulfilled(struct gate_visit *visit, const struct gate_term *term) {
  if (gate_is_of_user(term->key))
    return term->has_value ? gate_user_has_value(visit, term->key, term->value) : gate_user_holds(visit, term->key);
  if (term->has_value) return gate_has_value(visit, term->key, term->value);
  return gate_holds(visit, term->key.size > 0 ? term->key : visit->gate->login_key);
}

enum gate_answer gate_decide(struct gate_visit *visit, const struct gate_requirement *requirement) {
  if (visit->state == GATE_AWAY) return GATE_UNAVAILABLE;
  if (visit->state != GATE_FOUND) return GATE_UNKNOWN;
  bool passes = !requirement->any;
  for (size_t i = 0; i < requirement->count && passes != requirement->any; i++)
    passes = is_fulfilled(visit, &requirement->terms[i]);
  if (passes) return GATE_PASSES;
  return gate_holds(visit, visit->gate->login_key) ? GATE_FORBIDDEN : GATE_UNKNOWN;
}
