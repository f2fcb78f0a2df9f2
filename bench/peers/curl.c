/* libcurl: only what its interface reaches without a transfer, so no lookup in its jar. */
#define PEER "curl"
#define PEER_MEASURES
#include "peer.h"
#include <curl/curl.h>

/* A handle drops every Set-Cookie after its 50th without a word, so each handle gets
 * one that starts its jar, BATCH that are timed and one that shows that it still listens. */
#define BATCH 48
#define SET(easy, text) MUST(curl_easy_setopt(easy, CURLOPT_COOKIELIST, "Set-Cookie: " text) == CURLE_OK)

static double batch(void) {
  struct curl_slist *list = NULL;
  CURL *easy = curl_easy_init();
  MUST(easy);
  SET(easy, SET_COOKIE);
  double start = now();
  for (int i = 0; i < BATCH; i++) SET(easy, SET_COOKIE);
  double took = now() - start;
  SET(easy, "sessionid=last; Domain=example.com; Path=/; Secure");
  MUST(curl_easy_getinfo(easy, CURLINFO_COOKIELIST, &list) == CURLE_OK);
  MUST(list && !list->next && strstr(list->data, "last"));
  curl_slist_free_all(list);
  curl_easy_cleanup(easy);
  return took;
}

static double run_batches(double at_least) {
  double took = 0;
  unsigned long times = 0;
  for (; took < at_least; times += BATCH) took += batch();
  return took / (double)times;
}

int main(void) {
  double best = 1e18;
  printf("# curl %s (parse_set_cookie stores it too, in the place of the one before)\n", curl_version_info(CURLVERSION_NOW)->version);
  MUST(curl_global_init(CURL_GLOBAL_DEFAULT) == CURLE_OK);
  run_batches(1e8);
  for (int i = 0; i < 5; i++) {
    double again = run_batches(2e8);
    if (again < best) best = again;
  }
  printf("%s\tparse_set_cookie\t%.1f\n", PEER, best);
  curl_global_cleanup();
  return 0;
}
