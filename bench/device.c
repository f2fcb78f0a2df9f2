/* What a device-bound session costs: the check of a bound cookie at each request, and a
 * refresh, beside the one verification that libcrypto has to do for it. */
#include "../Tests/C/device.h"

#include <time.h>

static double now(void) {
  struct timespec t;
  clock_gettime(CLOCK_MONOTONIC, &t);
  return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static double measure(void (*call)(void)) {
  double best = 1e18;
  for (int run = 0; run < 5; run++) {
    int times = 0;
    double begun = now(), end;
    do {
      for (int i = 0; i < 16; i++) call();
      times += 16;
      end = now();
    } while (end - begun < 2e8);
    if ((end - begun) / times < best) best = (end - begun) / times;
  }
  return best;
}

static struct device device;
static struct browser browser, unbound;
static char proof[4000];
static uint8_t signature[1024];
static size_t signature_size, signed_size;

static void bare(void) {
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  CHECK(EVP_DigestVerifyInit_ex(context, NULL, "SHA256", NULL, NULL, device.key, NULL) == 1);
  CHECK(EVP_DigestVerify(context, signature, signature_size, (const uint8_t *)proof, signed_size) == 1);
  EVP_MD_CTX_free(context);
}

static void refresh_once(void) {
  tuile_device_request request = TUILE_DEVICE_REQUEST_INIT;
  tuile_device_answer answer = TUILE_DEVICE_ANSWER_INIT;
  request.method = text("POST"), request.proof = text(proof), request.identifier = text(browser.identifier);
  tuile_session *session = start(&browser);
  CHECK(tuile_session_answer_device(session, &request, &answer, &error) == TUILE_OK && answer.http_status == 200);
  tuile_session_end(session);
}

static void challenge_once(void) { CHECK(ask(&browser, (tuile_bytes){NULL, 0}, browser.identifier) == 403); }

static void load(const struct browser *who) {
  tuile_session *session = start(who);
  CHECK(tuile_session_load(session, &error) == TUILE_OK);
  tuile_session_end(session);
}

static void load_bound(void) { load(&browser); }
static void load_unbound(void) { load(&unbound); }

static void row(struct device made) {
  device = made, browser = (struct browser){0};
  login(&browser, "ada");
  CHECK(register_device(&browser, &device) == 200);
  CHECK(ask(&browser, (tuile_bytes){NULL, 0}, browser.identifier) == 403);
  strcpy(proof, refresh_of(&device, browser.challenge));
  signed_size = (size_t)(strrchr(proof, '.') - proof);
  signature_size = sizeof signature;
  EVP_MD_CTX *context = EVP_MD_CTX_new();
  CHECK(EVP_DigestSignInit_ex(context, NULL, "SHA256", NULL, NULL, device.key, NULL) == 1);
  CHECK(EVP_DigestSign(context, signature, &signature_size, (const uint8_t *)proof, signed_size) == 1);
  EVP_MD_CTX_free(context);
  double whole = measure(refresh_once), limit = measure(bare);
  printf("| refresh, %s | %.0f | EVP_DigestVerify | %.0f | %.1f |\n", device.algorithm, whole, limit, whole / limit);
  EVP_PKEY_free(device.key);
}

int main(void) {
  tuile_config config = device_config("memory:");
  CHECK(tuile_manager_open(&config, &manager, &error) == TUILE_OK);
  login(&unbound, "ada");
  puts("| call | ns | limit in the same run | ns | ratio |\n| --- | ---: | --- | ---: | ---: |");
  row(device_rs256(2048));
  row(device_es256());
  double bound = measure(load_bound), plain = measure(load_unbound);
  printf("| the 403 with a challenge | %.0f | | | |\n", measure(challenge_once));
  printf("| load of a bound session | %.0f | of one that is not bound | %.0f | %.1f |\n", bound, plain, bound / plain);
  tuile_manager_close(manager);
  return 0;
}
