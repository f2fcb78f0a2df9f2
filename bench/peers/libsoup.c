/* libsoup 3: its cookies and its jar. It does not know Partitioned and leaves SameSite=None out. */
#define PEER "libsoup"
#include "peer.h"
#include <libsoup/soup.h>

static SoupMessage *message;
static GDateTime *expires;
static GUri *to;
static SoupCookieJar *jar;

static void set_header(int count) {
  GString *header = g_string_new(NULL);
  for (int i = 0; i < count; i++) g_string_append_printf(header, "%scookie_%02d=%.73s", i ? "; " : "", i, VALUE);
  soup_message_headers_replace(soup_message_get_request_headers(message), "Cookie", header->str);
  g_string_free(header, TRUE);
}

static void parse(void) {
  GSList *cookies = soup_cookies_from_request(message);
  for (GSList *c = cookies; c; c = c->next) sink += strlen(soup_cookie_get_name(c->data)) + strlen(soup_cookie_get_value(c->data));
  soup_cookies_free(cookies);
}

static void get_one(void) {
  GSList *cookies = soup_cookies_from_request(message), *c = cookies;
  while (c && strcmp(soup_cookie_get_name(c->data), "cookie_07") != 0) c = c->next;
  MUST(c);
  sink += strlen(soup_cookie_get_value(c->data));
  soup_cookies_free(cookies);
}

/* Max-Age is turned into a date at once, so the date is what is set last. */
static char *write_cookie(void) {
  SoupCookie *cookie = soup_cookie_new("sessionid", "h0tG4VuXIPKJsHAI8079HAMOLtCtiGCL", "example.com", "/", 1209600);
  soup_cookie_set_expires(cookie, expires);
  soup_cookie_set_same_site_policy(cookie, SOUP_SAME_SITE_POLICY_NONE);
  soup_cookie_set_secure(cookie, TRUE);
  soup_cookie_set_http_only(cookie, TRUE);
  char *text = soup_cookie_to_set_cookie_header(cookie);
  soup_cookie_free(cookie);
  return text;
}

static void write_full(void) {
  char *text = write_cookie();
  sink += strlen(text);
  g_free(text);
}

static void parse_set_cookie(void) {
  SoupCookie *cookie = soup_cookie_parse(SET_COOKIE, NULL);
  MUST(cookie);
  sink += strlen(soup_cookie_get_value(cookie));
  soup_cookie_free(cookie);
}

static void fill_jar(void) {
  jar = soup_cookie_jar_new();
  for (int h = 0; h < 300; h++) {
    char *url = g_strdup_printf("https://host%03d.example%02d.com/", h, h / 10);
    GUri *from = g_uri_parse(url, SOUP_HTTP_URI_FLAGS, NULL);
    for (int i = 0; i < 10; i++) {
      char *text = g_strdup_printf("c%d=%.32s; Path=/; Max-Age=%d", i, VALUE, 86400 * 300);
      soup_cookie_jar_set_cookie(jar, from, text);
      g_free(text);
    }
    g_uri_unref(from);
    g_free(url);
  }
}

static void look_up(void) {
  char *header = soup_cookie_jar_get_cookies(jar, to, TRUE);
  MUST(header);
  sink += strlen(header);
  g_free(header);
}

int main(void) {
  printf("# libsoup %u.%u.%u\n", soup_get_major_version(), soup_get_minor_version(), soup_get_micro_version());
  message = soup_message_new("GET", "https://example.com/");
  set_header(3), measure("parse_3", parse);
  set_header(12), measure("parse_12", parse);
  measure("get_one", get_one);
  set_header(50), measure("parse_50", parse);

  expires = g_date_time_new_from_unix_utc(1750938510);
  char *text = write_cookie();
  printf("# libsoup writes %s\n", text);
  g_free(text);
  measure("write_full", write_full);
  measure("parse_set_cookie", parse_set_cookie);

  fill_jar();
  GSList *all = soup_cookie_jar_all_cookies(jar);
  MUST(g_slist_length(all) == 3000);
  soup_cookies_free(all);
  to = g_uri_parse("https://host150.example15.com/some/path", SOUP_HTTP_URI_FLAGS, NULL);
  text = soup_cookie_jar_get_cookies(jar, to, TRUE);
  MUST(text && strlen(text) == 10 * strlen("cN=") + 10 * 32 + 9 * strlen("; "));
  g_free(text);
  measure("jar_header_3000", look_up);
  g_uri_unref(to);
  g_object_unref(jar);
  g_date_time_unref(expires);
  g_object_unref(message);
  return 0;
}
