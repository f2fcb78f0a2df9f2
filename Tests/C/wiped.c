/* No key of a ring is left in memory that goes back to the heap, however it was written. */
#define _GNU_SOURCE
#include "check.h"

#include <malloc.h>

extern void __libc_free(void *block);

static char found_in_free;
static const unsigned char *wanted[2];
static size_t sizes[2];

/* In place of the C library's, for the library under test too. */
void free(void *block) {
  if (block && wanted[0])
    for (int i = 0; i < 2; i++)
      if (memmem(block, malloc_usable_size(block), wanted[i], sizes[i])) found_in_free = 1;
  __libc_free(block);
}

/* The same key in each form: 48 bytes whose base64 has '+' and '/'. */
static unsigned char key[48];
static const char standard[] = "+/+/+v/7/fz+AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUm";
static const char url[] = "-_-_-v_7_fz-AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISIjJCUm";

static void add(const char *text_, tuile_secret_format format) {
  tuile_keyring *ring;
  tuile_error error;
  wanted[0] = NULL;
  CHECK(tuile_keyring_new(false, &ring, &error) == TUILE_OK);
  wanted[0] = key, sizes[0] = sizeof key, wanted[1] = (const unsigned char *)text_, sizes[1] = strlen(text_);
  CHECK(tuile_keyring_add(ring, text(text_), format, &error) == TUILE_OK);
  tuile_keyring_free(ring);
  wanted[0] = NULL;
}

int main(void) {
  static const unsigned char head[10] = {0xfb, 0xff, 0xbf, 0xfa, 0xff, 0xfb, 0xfd, 0xfc, 0xfe, 0x00};
  memcpy(key, head, 10);
  for (int i = 10; i < 48; i++) key[i] = (unsigned char)(i - 9);
  char hex[97];
  for (int i = 0; i < 48; i++) snprintf(hex + 2 * i, 3, "%02X", key[i]);
#ifndef SANITIZED
  /* The control: what is freed as it is shows. */
  char *volatile left = malloc(64);
  wanted[0] = key, sizes[0] = sizeof key, wanted[1] = key, sizes[1] = sizeof key;
  memcpy(left, key, sizeof key);
  free(left);
  CHECK(found_in_free);
  found_in_free = 0;

  add(standard, TUILE_SECRET_BASE64);
  CHECK(!found_in_free);
  add(url, TUILE_SECRET_BASE64);
  CHECK(!found_in_free);
  add(hex, TUILE_SECRET_HEX);
  CHECK(!found_in_free);
  add(standard, TUILE_SECRET_TEXT);
  CHECK(!found_in_free);
#endif
  puts("keys are wiped before their memory is free");
  return 0;
}
