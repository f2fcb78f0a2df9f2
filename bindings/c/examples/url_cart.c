/* url_cart - a CGI program for browsers that take no cookies: a cart that is found by a key in
 * the links of its pages, and a form whose hidden field no other page or session can send.
 *
 *   GET  ...            the cart, and a form
 *   POST item=...       puts something into it
 *   POST leave=1        empties it
 *
 * Its environment: TUILE_STORE, such as sqlite:///absolute/path, and TUILE_SECRET, beside what
 * the server says of the request. A key in a URL is copied, logged and sent on by browsers:
 * keep such sessions short, cycle the key at every login, and send no Referer.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <tuile_http.h>

struct cart {
  tuile_manager *manager;
  tuile_signer *forms;
  tuile_session *session;
  char url[2048], page[8192];
  const char *http_status;
};

static char body[4096];
static size_t body_size;

/* The form belongs to this session and to no other purpose. */
static tuile_hidden_field field_of(struct cart *cart) {
  tuile_hidden_field field = TUILE_HIDDEN_FIELD_INIT;
  field.name = TUILE_STR("form"), field.form = TUILE_STR("cart");
  tuile_session_id(cart->session, &field.session_id);
  return field;
}

/* 1 if the body came from a form of ours, 0 if not, less if it can't be told. */
static int is_ours(struct cart *cart, tuile_error *error) {
  tuile_hidden_field field = field_of(cart);
  char value[16];
  tuile_status status = tuile_hidden_field_read(cart->forms, (field.body = (tuile_bytes){body, body_size}, field.max_age = 3600, field.now = TUILE_UNSET, &field), value, sizeof value, NULL, error);
  return status == TUILE_OK ? 1 : status < 0 && status != TUILE_E_SYNTAX && status != TUILE_E_TYPE ? -1 : 0;
}

static tuile_status change(struct cart *cart, tuile_error *error) {
  int ours = is_ours(cart, error);
  if (ours < 0) return error->status;
  if (ours == 0) {
    cart->http_status = "403 Forbidden";
    return TUILE_OK;
  }
  if (strstr(body, "leave=1")) {
    tuile_status status = tuile_session_flush(cart->session, error);
    return status == TUILE_OK ? tuile_session_make_id(cart->session, error) : status;
  }
  return tuile_session_add_int(cart->session, TUILE_STR("items"), 1, NULL, error);
}

static tuile_status show(struct cart *cart, tuile_error *error) {
  char link[2048], form[2048];
  size_t link_size, form_size;
  int64_t items = 0;
  tuile_bytes key;
  tuile_status status = tuile_session_get_int(cart->session, TUILE_STR("items"), &items, error);
  if (status < 0) return status;
  tuile_hidden_field field = field_of(cart);
  tuile_session_id(cart->session, &key);
  status = tuile_url_write(tuile_text(cart->url), &(tuile_url_parameter){sizeof(tuile_url_parameter), TUILE_URL_QUERY, TUILE_STR("sid"), key}, link, sizeof link, &link_size, error);
  if (status == TUILE_OK)
    status = tuile_hidden_field_write(cart->forms, (field.value = TUILE_STR("1"), field.now = TUILE_UNSET, &field), form, sizeof form, &form_size, error);
  if (status != TUILE_OK) return status;
  /* The path is the server's own, so that nothing of the visitor's stands in the page. */
  snprintf(cart->page, sizeof cart->page,
           "<!DOCTYPE html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>Cart</title></head><body>\n"
           "<p id=\"items\">%" PRId64 "</p><a href=\"%.*s\">Look again</a>\n"
           "<form method=\"post\" action=\"%.*s\">%.*s<button name=\"item\" value=\"1\">Add</button>"
           "<button name=\"leave\" value=\"1\">Leave</button></form></body></html>\n",
           items, (int)link_size, link, (int)link_size, link, (int)form_size, form);
  return TUILE_OK;
}

static tuile_status answer(struct cart *cart, FILE *headers, tuile_error *error) {
  const char *script = getenv("SCRIPT_NAME"), *query = getenv("QUERY_STRING"), *method = getenv("REQUEST_METHOD");
  char request[4096];
  snprintf(cart->url, sizeof cart->url, "%s", script ? script : "/");
  snprintf(request, sizeof request, "%s?%s", cart->url, query ? query : "");
  tuile_status status =
    tuile_session_start(cart->manager, tuile_text(getenv("HTTP_COOKIE")), tuile_text(request), &cart->session, error);
  /* The first page has an ID already: without it neither link nor field would belong to the session. */
  if (status == TUILE_OK) status = tuile_session_make_id(cart->session, error);
  if (status == TUILE_OK && method && strcmp(method, "POST") == 0) status = change(cart, error);
  if (status == TUILE_OK) status = show(cart, error);
  /* The page goes out once what it says is stored. */
  if (status == TUILE_OK) status = tuile_session_commit(cart->session, 200, tuile_cgi_add_header, headers, error);
  return status;
}

int main(void) {
  static struct cart cart = {.http_status = "200 OK"};
  char text[8192];
  tuile_error error = {TUILE_E_MEMORY, 0, "no memory"};
  tuile_config config = TUILE_CONFIG_INIT;
  tuile_signer_config signing = TUILE_SIGNER_CONFIG_INIT;
  const char *length = getenv("CONTENT_LENGTH");
  if (length) body_size = fread(body, 1, (size_t)atoi(length) < sizeof body ? (size_t)atoi(length) : sizeof body - 1, stdin);
  config.store = tuile_text(getenv("TUILE_STORE")), config.secret = tuile_text(getenv("TUILE_SECRET"));
  config.url_sessions = true, config.cookie_age = 1800;
  signing.secret = config.secret, signing.salt = TUILE_STR("url_cart forms");
  FILE *headers = fmemopen(text, sizeof text, "w");
  bool failed = !headers || tuile_manager_open(&config, &cart.manager, &error) != TUILE_OK ||
                tuile_signer_new(&signing, &cart.forms, &error) != TUILE_OK || answer(&cart, headers, &error) != TUILE_OK;
  if (headers && fclose(headers) != 0) failed = true;
  tuile_session_end(cart.session);
  tuile_signer_free(cart.forms);
  tuile_manager_close(cart.manager);
  if (failed) {
    fprintf(stderr, "url_cart: %s\n", error.message);
    printf("Status: 503 Service Unavailable\r\nContent-Type: text/plain\r\n\r\nPlease try again.\n");
    return 0;
  }
  printf("Status: %s\r\n%sReferrer-Policy: no-referrer\r\nContent-Type: text/html; charset=utf-8\r\n\r\n%s", cart.http_status, text, cart.page);
  return 0;
}
