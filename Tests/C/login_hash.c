/* Django's _auth_user_hash: values of Django 5.2's salted_hmac, each bit of them flipped, and other passwords and secrets. */
#include "check.h"

static const char *const secrets[] = {"a newer secret of more than 32 bytes, 0123456789", "r_iGp@58WAm!dX3a5ID)nOdcd*bWB2d^C4@(DSDC6Lc1-mxLpQ"};
static const char *const hashes[] = {"9b25e0b889aa3231843c3e269f5c8ceca932d350a13c5d66e7315902a48c1d3d",
                                     "8e6a4eba828e2074ee694387bbea503a738ea82caa6d475a41633743c2060144"};
static const char *password = "pbkdf2_sha256$1000000$salt$hash";

int main(void) {
  tuile_keyring *both, *newest, *none;
  tuile_error error;
  char hash[65];
  CHECK(tuile_keyring_new(false, &both, NULL) == TUILE_OK);
  CHECK(tuile_keyring_new(false, &newest, NULL) == TUILE_OK);
  CHECK(tuile_keyring_new(false, &none, NULL) == TUILE_OK);
  for (int i = 0; i < 2; i++) CHECK(tuile_keyring_add(both, text(secrets[i]), TUILE_SECRET_TEXT, NULL) == TUILE_OK);
  CHECK(tuile_keyring_add(newest, text(secrets[0]), TUILE_SECRET_TEXT, NULL) == TUILE_OK);

  for (int i = 0; i < 2; i++) {
    CHECK(tuile_keyring_verify_login(both, text(password), text(hashes[i]), &error) == TUILE_OK);
    CHECK(tuile_keyring_verify_login(newest, text(password), text(hashes[i]), &error) == (i == 0 ? TUILE_OK : TUILE_BAD_SIGNATURE));
    CHECK(tuile_keyring_verify_login(both, text("another"), text(hashes[i]), &error) == TUILE_BAD_SIGNATURE);
    CHECK(tuile_keyring_verify_login(both, text(""), text(hashes[i]), &error) == TUILE_BAD_SIGNATURE);
    memcpy(hash, hashes[i], sizeof hash);
    for (size_t at = 0; at < 64; at++)
      for (int bit = 0; bit < 8; bit++) {
        hash[at] ^= (char)(1 << bit);
        CHECK(tuile_keyring_verify_login(both, text(password), (tuile_bytes){hash, 64}, &error) == TUILE_BAD_SIGNATURE);
        hash[at] ^= (char)(1 << bit);
      }
    for (size_t size = 0; size < 64; size++)
      CHECK(tuile_keyring_verify_login(both, text(password), (tuile_bytes){hash, size}, &error) == TUILE_BAD_SIGNATURE);
  }

  tuile_bytes lie = {NULL, 1};
  CHECK(tuile_keyring_verify_login(NULL, text(password), text(hashes[0]), &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_keyring_verify_login(none, text(password), text(hashes[0]), &error) == TUILE_E_ARGUMENT);
  CHECK(tuile_keyring_verify_login(both, lie, text(hashes[0]), NULL) == TUILE_E_ARGUMENT);
  CHECK(tuile_keyring_verify_login(both, text(password), lie, &error) == TUILE_E_ARGUMENT);
  tuile_keyring_free(both);
  tuile_keyring_free(newest);
  tuile_keyring_free(none);
  return 0;
}
