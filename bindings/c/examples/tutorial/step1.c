/* Step 1: a session. It counts the pages that a visitor has seen. */
#include "request.h"

static void settings(tuile_config *config) {
  config->store = TUILE_STR("memory:"); /* sqlite:///absolute/path keeps them */
  config->secret = tuile_text(getenv("TUTORIAL_SECRET"));
}

static tuile_status answer(struct request *request) {
  int64_t pages;
  tuile_status status = tuile_session_add_int(request->session, TUILE_STR("pages"), 1, &pages, &request->error);
  if (status != TUILE_OK) return status;
  put(&request->page, "<p>Page %lld\n", (long long)pages);
  return TUILE_OK;
}
