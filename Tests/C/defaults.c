/* What a function sets is what its macro sets: hosts of other languages call the one, C the other. */
#include "check.h"

/* Text is elsewhere in memory: the same text is as good as the same place. */
static void same(tuile_bytes *one, const tuile_bytes *other) {
  CHECK(one->size == other->size);
  CHECK(one->size == 0 || memcmp(one->data, other->data, one->size) == 0);
  *one = *other;
}

#define SAME(one, other, field) same(&(one)->field, &(other)->field)

int main(void) {
  static const tuile_config config = TUILE_CONFIG_INIT;
  static tuile_config config_set;
  CHECK(tuile_config_init(&config_set, sizeof config_set) == TUILE_OK);
  CHECK(tuile_config_init(NULL, 8) == TUILE_E_ARGUMENT);
  SAME(&config_set, &config, cookie_name);
  SAME(&config_set, &config, cookie_domain);
  SAME(&config_set, &config, cookie_path);
  SAME(&config_set, &config, url_name);
  SAME(&config_set, &config, device_path);
  CHECK(memcmp(&config_set, &config, sizeof config) == 0);

  static const tuile_device_request device_request = TUILE_DEVICE_REQUEST_INIT;
  static tuile_device_request device_request_set;
  CHECK(tuile_device_request_init(&device_request_set, sizeof device_request_set) == TUILE_OK);
  CHECK(memcmp(&device_request_set, &device_request, sizeof device_request) == 0);

  static const tuile_device_answer device_answer = TUILE_DEVICE_ANSWER_INIT;
  static tuile_device_answer device_answer_set;
  CHECK(tuile_device_answer_init(&device_answer_set, sizeof device_answer_set) == TUILE_OK);
  CHECK(memcmp(&device_answer_set, &device_answer, sizeof device_answer) == 0);

  static const tuile_cookies cookies = TUILE_COOKIES_INIT;
  static tuile_cookies cookies_set;
  CHECK(tuile_cookies_init(&cookies_set, sizeof cookies_set) == TUILE_OK);
  CHECK(memcmp(&cookies_set, &cookies, sizeof cookies) == 0);

  static const tuile_set_cookie cookie = TUILE_SET_COOKIE_INIT;
  static tuile_set_cookie cookie_set;
  CHECK(tuile_set_cookie_init(&cookie_set, sizeof cookie_set) == TUILE_OK);
  SAME(&cookie_set, &cookie, path);
  CHECK(memcmp(&cookie_set, &cookie, sizeof cookie) == 0);

  static const tuile_django_cookie django = TUILE_DJANGO_COOKIE_INIT;
  static tuile_django_cookie django_set;
  CHECK(tuile_django_cookie_init(&django_set, sizeof django_set) == TUILE_OK);
  SAME(&django_set, &django, path);
  CHECK(memcmp(&django_set, &django, sizeof django) == 0);

  static const tuile_jar_config jar = TUILE_JAR_CONFIG_INIT;
  static tuile_jar_config jar_set;
  CHECK(tuile_jar_config_init(&jar_set, sizeof jar_set) == TUILE_OK);
  CHECK(memcmp(&jar_set, &jar, sizeof jar) == 0);

  static const tuile_jar_request request = TUILE_JAR_REQUEST_INIT;
  static tuile_jar_request request_set;
  CHECK(tuile_jar_request_init(&request_set, sizeof request_set) == TUILE_OK);
  CHECK(memcmp(&request_set, &request, sizeof request) == 0);

  static const tuile_signer_config signer = TUILE_SIGNER_CONFIG_INIT;
  static tuile_signer_config signer_set;
  CHECK(tuile_signer_config_init(&signer_set, sizeof signer_set) == TUILE_OK);
  CHECK(memcmp(&signer_set, &signer, sizeof signer) == 0);
  return 0;
}
