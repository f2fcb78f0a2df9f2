/* An earlier header's struct, and the _init function that takes its size: defined here by its type of today. */
#define tuile_config_init old_config_init
#define tuile_signer_config_init old_signer_config_init
#define tuile_set_cookie_init old_set_cookie_init
#include <tuile.h>
#undef tuile_config_init
#undef tuile_signer_config_init
#undef tuile_set_cookie_init
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

tuile_status tuile_config_init(tuile_config *config, size_t size);
tuile_status tuile_signer_config_init(tuile_signer_config *config, size_t size);
tuile_status tuile_set_cookie_init(tuile_set_cookie *cookie, size_t size);

#define CHECK(expression)                                                                                   \
  do {                                                                                                      \
    if (!(expression)) fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #expression), abort(); \
  } while (0)

/* Sets a struct up, and looks whether a byte behind it is written. */
#define TRY(type)                                                                                        \
  do {                                                                                                   \
    struct {                                                                                             \
      type is;                                                                                           \
      unsigned char canary[512];                                                                         \
    } it;                                                                                                \
    memset(&it, 0xA5, sizeof it);                                                                        \
    CHECK(type##_init(&it.is, sizeof it.is) == TUILE_OK);                                                \
    CHECK(it.is.size == sizeof it.is);                                                                   \
    for (size_t i = 0; i < sizeof it.canary; i++) CHECK(it.canary[i] == 0xA5);                           \
    memset(&it, 0xA5, sizeof it);                                                                        \
    CHECK(type##_init(&it.is, sizeof it.is - 1) == TUILE_E_ARGUMENT);                                     \
    CHECK(*(unsigned char *)&it.is == 0xA5);                                                              \
  } while (0)

int main(void) {
  tuile_config config, set = TUILE_CONFIG_INIT;
  TRY(tuile_config);
  TRY(tuile_signer_config);
  TRY(tuile_set_cookie);
  CHECK(tuile_config_init(&config, sizeof config) == TUILE_OK);
  CHECK(config.cookie_age == set.cookie_age);
  CHECK(config.max_data == set.max_data);
  CHECK(config.cookie_http_only);
  CHECK(config.cookie_name.size == set.cookie_name.size);
  CHECK(config.clock_context == NULL);
  return 0;
}
