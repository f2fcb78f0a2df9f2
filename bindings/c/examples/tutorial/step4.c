/* Step 4: where am I logged in, and log out everywhere else. The session gets an owner. */
#include "request.h"

static void settings(tuile_config *config) {
  config->store = TUILE_STR("memory:");
  config->secret = tuile_text(getenv("TUTORIAL_SECRET"));
}

/* The token of this session's forms, whose secret is in the session. */
static tuile_status put_token(struct request *request) {
  char secret[32], token[64];
  size_t size;
  tuile_bytes known;
  tuile_status status = tuile_session_get_string(request->session, TUILE_STR("csrf"), &known, &request->error);
  if (status == TUILE_ABSENT) {
    status = tuile_csrf_secret(secret, sizeof secret, NULL, &request->error);
    known = (tuile_bytes){secret, sizeof secret};
    if (status == TUILE_OK) status = tuile_session_set_string(request->session, TUILE_STR("csrf"), known, &request->error);
  }
  if (status == TUILE_OK) status = tuile_csrf_token(known, token, sizeof token, &size, &request->error);
  if (status == TUILE_OK) put(&request->page, "<input type=hidden name=token value=\"%.*s\">", (int)size, token);
  return status;
}

/* Whether the form came from one of our pages: TUILE_OK, or TUILE_REFUSED. */
static tuile_status check_token(struct request *request) {
  tuile_csrf_request csrf = TUILE_CSRF_REQUEST_INIT;
  csrf.method = TUILE_STR("POST"), csrf.token = tuile_text(field(request, "token"));
  csrf.host = header(request, "Host"), csrf.origin = header(request, "Origin");
  tuile_status status = tuile_session_get_string(request->session, TUILE_STR("csrf"), &csrf.cookie, &request->error);
  return status < 0 ? status : tuile_csrf_verify(&csrf, NULL, &request->error);
}

static tuile_status log_in(struct request *request) {
  if (!knows(field(request, "user"), field(request, "password"))) return redirect(request, "/");
  tuile_status status = tuile_session_cycle_id(request->session, &request->error); /* who knew the ID before knows nothing now */
  if (status == TUILE_OK) status = tuile_session_set_string(request->session, TUILE_STR("user"), tuile_text(field(request, "user")), &request->error);
  if (status == TUILE_OK) status = tuile_session_set_owner(request->session, tuile_text(field(request, "user")), &request->error);
  if (status == TUILE_OK) status = tuile_session_set_client(request->session, header(request, "User-Agent"), TUILE_STR(""), &request->error);
  int64_t seconds = *field(request, "remember") ? 30 * 86400 : 0; /* 0: until the browser closes */
  if (status == TUILE_OK) status = tuile_session_set_expiry(request->session, seconds, &request->error);
  return status == TUILE_OK ? redirect(request, "/") : status;
}

static void put_session(void *context, const tuile_owned_session *found) {
  struct request *request = context;
  put(&request->page, "<li>");
  put_escaped(&request->page, found->user_agent);
  put(&request->page, found->current ? ", this one\n" : "\n");
}

static tuile_status show(struct request *request) {
  tuile_bytes user;
  tuile_status status = tuile_session_get_string(request->session, TUILE_STR("user"), &user, &request->error);
  if (status < 0) return status;
  bool known = status == TUILE_OK;
  put(&request->page, "<p>Hello ");
  put_escaped(&request->page, known ? user : TUILE_STR("guest"));
  put(&request->page, "<form method=post action=%s>", known ? "/logout" : "/login");
  status = put_token(request);
  put(&request->page, known ? "<button>Log out</button></form>\n" :
      "<input name=user><input name=password type=password>"
      "<label><input name=remember type=checkbox> Remember me</label><button>Log in</button></form>\n");
  if (status != TUILE_OK || !known) return status;
  put(&request->page, "<form method=post action=/everywhere>");
  status = put_token(request);
  put(&request->page, "<button>Log out everywhere else</button></form><ul>\n");
  if (status == TUILE_OK) status = tuile_manager_sessions(request->manager, user, request->session, put_session, request, &request->error);
  put(&request->page, "</ul>\n");
  return status;
}

static tuile_status log_out_elsewhere(struct request *request) {
  tuile_bytes user;
  tuile_status status = tuile_session_get_string(request->session, TUILE_STR("user"), &user, &request->error);
  if (status == TUILE_OK) status = tuile_manager_revoke_all(request->manager, user, request->session, NULL, &request->error);
  return status < 0 ? status : redirect(request, "/");
}

static tuile_status answer(struct request *request) {
  if (!request->is_post) return show(request);
  tuile_status status = check_token(request);
  if (status < 0) return status;
  if (status != TUILE_OK) return request->status = MHD_HTTP_FORBIDDEN, put(&request->page, "<p>That form is not ours.\n"), TUILE_OK;
  if (is(request->path, "/login")) return log_in(request);
  if (is(request->path, "/logout")) return status = tuile_session_flush(request->session, &request->error), status == TUILE_OK ? redirect(request, "/") : status;
  if (is(request->path, "/everywhere")) return log_out_elsewhere(request);
  return request->status = MHD_HTTP_NOT_FOUND, TUILE_OK;
}
