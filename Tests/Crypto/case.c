#include "case.h"

#include <stddef.h>
#include <stdio.h>

enum { GUARD = 16 };

static const struct {
  const char *name;
  size_t offset;
} fields[] = {
    {"key", offsetof(test_case, key)},   {"iv", offsetof(test_case, iv)},     {"ad", offsetof(test_case, ad)},
    {"msg", offsetof(test_case, msg)},   {"ct", offsetof(test_case, ct)},     {"tag", offsetof(test_case, tag)},
    {"salt", offsetof(test_case, salt)}, {"info", offsetof(test_case, info)}, {"out", offsetof(test_case, out)},
};
enum { FIELDS = sizeof fields / sizeof *fields };

static bytes *field_at(test_case *test, size_t index) { return (bytes *)((char *)test + fields[index].offset); }

static _Noreturn void unreadable(const char *what) {
  fprintf(stderr, "crypto: can't read %s\n", what);
  exit(2);
}

static uint8_t digit(char c) {
  if (c >= '0' && c <= '9') return (uint8_t)(c - '0');
  if (c >= 'a' && c <= 'f') return (uint8_t)(c - 'a' + 10);
  unreadable("a hexadecimal digit");
}

/* Memory of just that size, so that a byte read behind it is seen. */
static bytes hex(const char *text) {
  size_t length = strlen(text);
  if (length % 2) unreadable("half a byte");
  bytes read = {malloc(length / 2), length / 2};
  for (size_t i = 0; i < read.size; i++) read.data[i] = (uint8_t)(digit(text[2 * i]) << 4 | digit(text[2 * i + 1]));
  return read;
}

static void read_field(test_case *test, char *field) {
  char *value = strchr(field, '=');
  if (!value) unreadable(field);
  *value++ = 0;
  if (strcmp(field, "size") == 0) {
    test->size = atol(value);
    return;
  }
  if (strcmp(field, "iterations") == 0) {
    test->iterations = atol(value);
    return;
  }
  for (size_t i = 0; i < FIELDS; i++) {
    bytes *known = field_at(test, i);
    if (strcmp(field, fields[i].name) != 0) continue;
    if (known->data) unreadable("a field that is there twice");
    *known = hex(value);
    return;
  }
  unreadable(field);
}

void case_read(test_case *test, char *line, bool empty_is_null) {
  *test = (test_case){0};
  char *rest;
  test->algorithm = strtok_r(line, " \n", &rest);
  test->label = strtok_r(NULL, " \n", &rest);
  const char *verdict = strtok_r(NULL, " \n", &rest);
  if (!verdict) unreadable("a line of fewer than three words");
  test->valid = strcmp(verdict, "valid") == 0;
  if (!test->valid && strcmp(verdict, "invalid") != 0) unreadable(verdict);
  for (char *field; (field = strtok_r(NULL, " \n", &rest));) read_field(test, field);
  for (size_t i = 0; i < FIELDS; i++) {
    bytes *known = field_at(test, i);
    if (known->size > 0) continue;
    free(known->data);
    known->data = empty_is_null ? NULL : malloc(0);
  }
}

void case_free(test_case *test) {
  for (size_t i = 0; i < FIELDS; i++) free(field_at(test, i)->data);
}

void check(test_case *test, bool right, const char *what) {
  test->checks++;
  if (!right && !test->wrong) test->wrong = what;
}

uint8_t *room(size_t size) {
  uint8_t *made = malloc(size + GUARD);
  if (!made) unreadable("so much");
  memset(made, 0xAA, size);
  memset(made + size, 0xC5, GUARD);
  return made;
}

void leave(test_case *test, uint8_t *room, size_t size) {
  static const uint8_t guard[GUARD] = {0xC5, 0xC5, 0xC5, 0xC5, 0xC5, 0xC5, 0xC5, 0xC5,
                                       0xC5, 0xC5, 0xC5, 0xC5, 0xC5, 0xC5, 0xC5, 0xC5};
  check(test, memcmp(room + size, guard, GUARD) == 0, "wrote behind the output");
  free(room);
}
