/* cookie parse, cookie build. */
#include <stdlib.h>
#include <string.h>

#include "tool.h"

static const char *const same_sites[] = {"unset", "lax", "strict", "none", NULL};
static const char *const priorities[] = {"unset", "low", "medium", "high", NULL};
static const char *const encodings[] = {"raw", "percent", "quoted", "quoted-utf8", "base64url", NULL};

/* The value as the encoding that was asked for has it; a value that is not of it is a failure. */
static tuile_status out_decoded(const struct arguments *arguments, tuile_bytes value, tuile_error *error) {
  tuile_encoding encoding = (tuile_encoding)option_choice(arguments, OPT_ENCODING, encodings);
  struct buffer text = {0};
  tuile_status status;
  FILLED(status, &text, tuile_cookie_decode(value, encoding, text.data, text.capacity, &text.size, error));
  if (status == TUILE_OK) out_text("value", buffer_bytes(&text));
  free(text.data);
  return status;
}

static int parse_set_cookie(const struct arguments *arguments, tuile_bytes header) {
  tuile_set_cookie cookie = TUILE_SET_COOKIE_INIT;
  tuile_error error = {0};
  tuile_status status = tuile_set_cookie_read(header, &cookie, &error);
  if (status != TUILE_OK) return fail(status, &error);
  out_text("name", cookie.name);
  status = out_decoded(arguments, cookie.value, &error);
  if (status != TUILE_OK) return fail(status, &error);
  if (cookie.domain.size) out_text("domain", cookie.domain);
  if (cookie.path.size) out_text("path", cookie.path);
  if (cookie.max_age != TUILE_UNSET) out_number("max_age", cookie.max_age);
  if (cookie.expires != TUILE_UNSET) out_time("expires", cookie.expires);
  if (cookie.same_site != TUILE_SAME_SITE_UNSET) out_string("same_site", same_sites[cookie.same_site]);
  if (cookie.priority != TUILE_PRIORITY_UNSET) out_string("priority", priorities[cookie.priority]);
  out_bool("secure", cookie.secure);
  out_bool("http_only", cookie.http_only);
  out_bool("partitioned", cookie.partitioned);
  return out_end(EXIT_FINE);
}

static int parse(const struct arguments *arguments) {
  static const char *const modes[] = {"browser", "django", "strict", NULL};
  tuile_bytes header = input_word(arguments->words[0]);
  if (arguments->text[OPT_SET_COOKIE]) return parse_set_cookie(arguments, header);
  tuile_cookies request = TUILE_COOKIES_INIT;
  request.headers = &header;
  request.header_count = 1;
  request.mode = (tuile_cookie_mode)option_choice(arguments, OPT_MODE, modes);
  static tuile_cookie cookies[3000]; /* as many as the limit lets through */
  size_t count;
  bool wrong = false;
  tuile_error error = {0};
  tuile_status status = tuile_cookies_all(&request, cookies, 3000, &count, &error);
  if (status != TUILE_OK) return fail(status, &error);
  out_list("cookies");
  for (size_t i = 0; i < count; i++) {
    out_item();
    out_text("name", cookies[i].name);
    status = out_decoded(arguments, cookies[i].value, &error);
    if (status == TUILE_E_MEMORY) return fail(status, &error);
    if (status == TUILE_OK) continue;
    /* One that is not of the encoding does not hide the others. */
    out_text("raw", cookies[i].value);
    out_string("error", error.message[0] ? error.message : tuile_status_message(status));
    wrong = true;
  }
  out_list_end();
  return out_end(wrong ? EXIT_ERROR : count > 0 ? EXIT_FINE : EXIT_NO);
}

static int build(const struct arguments *arguments) {
  bool delete = arguments->text[OPT_DELETE];
  if (arguments->count < 2 && !delete) usage_error("cookie build needs a name and a value");
  tuile_encoding encoding = (tuile_encoding)option_choice(arguments, OPT_ENCODING, encodings);
  tuile_set_cookie cookie = TUILE_SET_COOKIE_INIT;
  struct buffer value = {0}, header = {0};
  tuile_error error = {0};
  tuile_status status = TUILE_OK;
  if (!delete) {
    tuile_bytes text = input_word(arguments->words[1]);
    FILLED(status, &value, tuile_cookie_encode(text, encoding, value.data, value.capacity, &value.size, &error));
    if (status != TUILE_OK) return fail(status, &error);
    if (encoding == TUILE_ENCODING_QUOTED || encoding == TUILE_ENCODING_QUOTED_UTF8)
      cookie.skip_rules = TUILE_RULE_VALUE;
  }
  cookie.name = bytes_of(arguments->words[0]);
  cookie.value = buffer_bytes(&value);
  cookie.domain = option_bytes(arguments, OPT_DOMAIN);
  if (arguments->text[OPT_PATH]) cookie.path = option_bytes(arguments, OPT_PATH);
  cookie.max_age = option_number(arguments, OPT_MAX_AGE, 0, INT64_C(1) << 40, TUILE_UNSET);
  cookie.expires = option_number(arguments, OPT_EXPIRES, 0, INT64_C(1) << 40, TUILE_UNSET);
  cookie.now = option_number(arguments, OPT_NOW, 0, INT64_C(1) << 40, TUILE_UNSET);
  cookie.same_site = (tuile_same_site)option_choice(arguments, OPT_SAME_SITE, same_sites);
  cookie.priority = (tuile_priority)option_choice(arguments, OPT_PRIORITY, priorities);
  cookie.secure = arguments->text[OPT_SECURE];
  cookie.http_only = arguments->text[OPT_HTTP_ONLY];
  cookie.partitioned = arguments->text[OPT_PARTITIONED];
  if (delete)
    FILLED(status, &header, tuile_set_cookie_delete(&cookie, header.data, header.capacity, &header.size, &error));
  else
    FILLED(status, &header, tuile_set_cookie_write(&cookie, header.data, header.capacity, &header.size, &error));
  int code = status == TUILE_OK ? out_only(arguments->text[OPT_JSON], "set_cookie", buffer_bytes(&header))
                                : fail(status, &error);
  free(value.data);
  free(header.data);
  return code;
}

const struct command cookie_commands[] = {
    {"cookie parse", "HEADER|-", "Read a Cookie or Set-Cookie header as browsers do", 1, 1,
     OPTIONS_COMMON | BIT(OPT_MODE) | BIT(OPT_ENCODING) | BIT(OPT_SET_COOKIE), parse},
    {"cookie build", "NAME VALUE|-", "Write a Set-Cookie header, checked by the rules of browsers", 1, 2,
     OPTIONS_COMMON | BIT(OPT_ENCODING) | BIT(OPT_DELETE) | BIT(OPT_DOMAIN) | BIT(OPT_PATH) | BIT(OPT_MAX_AGE) |
         BIT(OPT_EXPIRES) | BIT(OPT_SAME_SITE) | BIT(OPT_PRIORITY) | BIT(OPT_SECURE) | BIT(OPT_HTTP_ONLY) |
         BIT(OPT_PARTITIONED) | BIT(OPT_NOW),
     build},
    {0},
};
