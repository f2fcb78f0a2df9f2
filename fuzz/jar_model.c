/* A jar against a plain list of cookies and the steps of RFC 6265bis, sections
 * 5.7 and 5.8: the same cookies are taken and evicted, and each request gets the
 * same header. The first octet is the limits, then a line is an operation, as in
 * jar.c; what a Set-Cookie says is for the target set_cookie to test. */
#include <strings.h>

#include "jar.h"

typedef struct { const char *url, *host, *path, *folder; bool tls, address, loopback; } place;

static const place places[12] = {
    {"https://example.com/", "example.com", "/", "/", true, false, false},
    {"http://Example.com/a/b", "example.com", "/a/b", "/a", false, false, false},
    {"https://sub.example.com/a", "sub.example.com", "/a", "/", true, false, false},
    {"http://a.sub.example.com/a/", "a.sub.example.com", "/a/", "/a", false, false, false},
    {"http://localhost:80/ab", "localhost", "/ab", "/", false, false, true},
    {"http://127.0.0.1/x?/y", "127.0.0.1", "/x", "/", false, true, true},
    {"https://10.0.0.1/#/y", "10.0.0.1", "/", "/", true, true, false},
    {"wss://p.example.org/a/b/c", "p.example.org", "/a/b/c", "/a/b", true, false, false},
    {"https://u@shop.a.co.uk/a", "shop.a.co.uk", "/a", "/", true, false, false},
    {"ws://co.uk", "co.uk", "/", "/", false, false, false},
    {"https://[2001:db8::1]:8443/a", "[2001:db8::1]", "/a", "/", true, true, false},
    {"http://a.localhost?x", "a.localhost", "/", "/", false, false, true}};

typedef struct {
  tuile_set_cookie is;
  tuile_bytes domain, path, partition;
  bool host_only, address;
  int64_t expires;
  unsigned used;
} item;

static item items[64];
static size_t item_count;
static unsigned uses;

static tuile_bytes text_of(const char *text) { return (tuile_bytes){text, strlen(text)}; }

static bool any_case(tuile_bytes a, tuile_bytes b) {
  return a.size == b.size && (!a.size || !strncasecmp(a.data, b.data, a.size));
}

static bool is_below(tuile_bytes host, tuile_bytes domain) {
  if (!domain.size || host.size < domain.size + 2) return false;
  const char *tail = (const char *)host.data + host.size - domain.size;
  return tail[-1] == '.' && any_case((tuile_bytes){tail, domain.size}, domain);
}

static bool starts(tuile_bytes text, const char *with) {
  return text.size >= strlen(with) && !strncasecmp(text.data, with, strlen(with));
}

static bool path_matches(tuile_bytes path, tuile_bytes cookie) {
  if (path.size < cookie.size || memcmp(path.data, cookie.data, cookie.size)) return false;
  return path.size == cookie.size || ((const char *)cookie.data)[cookie.size - 1] == '/' ||
         ((const char *)path.data)[cookie.size] == '/';
}

static tuile_bytes site_of(tuile_bytes host, bool address) {
  tuile_bytes site = host;
  if (address || is_suffix(NULL, host)) return host;
  for (;;) {
    const char *start = site.data, *dot = memchr(start, '.', site.size);
    tuile_bytes parent = {dot + 1, dot ? site.size - (size_t)(dot + 1 - start) : 0};
    if (!dot || is_suffix(NULL, parent)) return site;
    site = parent;
  }
}

static bool is_same_cookie(const item *a, const item *b) {
  return same(a->is.name, b->is.name) && any_case(a->domain, b->domain) && same(a->path, b->path) &&
         same(a->partition, b->partition) && a->host_only == b->host_only;
}

static void forget(size_t i) { memmove(items + i, items + i + 1, (--item_count - i) * sizeof *items); }

/* No expired cookie may have any effect. */
static void forget_expired(void) {
  for (size_t i = item_count; i-- > 0;)
    if (items[i].expires <= seconds) forget(i);
}

static int rank(const item *c) {
  tuile_priority priority = c->is.priority;
  return 3 * c->is.secure + (priority == TUILE_PRIORITY_HIGH ? 2 : priority != TUILE_PRIORITY_LOW);
}

/* The cookie that goes: of a site the one of the lowest rank, of all the one
 * that was used longest ago. */
static void evict(size_t limit, const item *of_site) {
  size_t count = 0, worst = 0;
  for (size_t i = 0; i < item_count; i++) {
    const item *c = &items[i], *w = &items[worst];
    if (of_site && !same(site_of(c->domain, c->address), site_of(of_site->domain, of_site->address))) continue;
    bool worse = of_site && rank(c) != rank(w) ? rank(c) < rank(w) : c->used < w->used;
    if (count++ == 0 || worse) worst = i;
  }
  if (count > limit) forget(worst);
}

/* Whether the cookie is taken. */
static bool receive(const place *at, const place *top, const tuile_jar_request *request, tuile_bytes text,
                    uint8_t limits) {
  item new = {.is = TUILE_SET_COOKIE_INIT, .host_only = true, .address = at->address, .domain = text_of(at->host), .expires = INT64_MAX};
  if (tuile_set_cookie_read(text, &new.is, NULL) != TUILE_OK) return false;
  tuile_bytes host = text_of(at->host), name = new.is.name, domain = new.is.domain;
  bool safe = at->tls || at->loopback, none = new.is.same_site == TUILE_SAME_SITE_NONE;
  if (domain.size && !(any_case(domain, host) && (at->address || is_suffix(NULL, host)))) {
    if (!any_case(domain, host) && (at->address || !is_below(host, domain))) return false;
    /* The same in lower case. */
    new.domain = (tuile_bytes){at->host + host.size - domain.size, domain.size};
    new.host_only = false;
    if (is_suffix(NULL, new.domain)) return false;
  }
  new.path = new.is.path.size ? new.is.path : text_of(at->folder);
  if (new.is.secure && !safe) return false;
  if (new.is.http_only && request->script) return false;
  if ((none || new.is.partitioned) && !new.is.secure) return false;
  if (!none && request->context == TUILE_SITE_CROSS) return false;
  if (starts(name, "__Secure-") && !new.is.secure) return false;
  if (starts(name, "__Host-") && (!new.is.secure || domain.size || !same(new.is.path, text_of("/")))) return false;
  if ((starts(name, "__Http-") || starts(name, "__Host-Http-")) && !(new.is.secure && new.is.http_only)) return false;
  /* Sent back, such a value would look like a name. */
  tuile_bytes value = new.is.value;
  if (!name.size && (starts(value, "__Secure-") || starts(value, "__Host-") || starts(value, "__Http-"))) return false;
  if (new.is.partitioned) new.partition = site_of(text_of(top->host), top->address);
  for (size_t i = 0; i < item_count && !new.is.secure && !safe; i++) {
    const item *old = &items[i];
    /* A public suffix's own cookies reach no other host: they overlay nothing. */
    if (!same(site_of(old->domain, old->address), site_of(new.domain, new.address))) continue;
    if (old->is.secure && same(old->is.name, name) && path_matches(new.path, old->path) &&
        (any_case(old->domain, new.domain) || is_below(old->domain, new.domain) || is_below(new.domain, old->domain)))
      return false;
  }
  const int64_t longest = 400 * 86400;
  if (new.is.max_age != TUILE_UNSET)
    new.expires = new.is.max_age <= 0 ? INT64_MIN : seconds + (new.is.max_age < longest ? new.is.max_age : longest);
  else if (new.is.expires != TUILE_UNSET)
    new.expires = new.is.expires < seconds + longest ? new.is.expires : seconds + longest;
  size_t i = 0;
  while (i < item_count && !is_same_cookie(&items[i], &new)) i++;
  if (i < item_count && items[i].is.http_only && request->script) return false;
  new.used = ++uses;
  if (new.expires <= seconds) {
    if (i < item_count) forget(i);
  } else if (i < item_count) {
    items[i] = new; /* keeps the age of the one that it replaces */
  } else {
    items[item_count++] = new;
    evict(1 + (limits & 15), &new);
    evict(1 + (limits >> 4), NULL);
  }
  return true;
}

static size_t put(char *text, size_t size, tuile_bytes part) {
  if (part.size) memcpy(text + size, part.data, part.size);
  return size + part.size;
}

static size_t write_header(const place *at, const place *top, const tuile_jar_request *request, char *text) {
  size_t size = 0;
  for (size_t length = 1024; length > 0; length--)
    for (size_t i = 0; i < item_count; i++) {
      item *c = &items[i];
      if (c->path.size != length || !path_matches(text_of(at->path), c->path)) continue;
      bool above = !c->host_only && !at->address && is_below(text_of(at->host), c->domain);
      if (!above && !any_case(text_of(at->host), c->domain)) continue;
      if ((c->is.secure && !at->tls && !at->loopback) || (c->is.http_only && request->script)) continue;
      if (request->context == TUILE_SITE_CROSS && c->is.same_site != TUILE_SAME_SITE_NONE) continue;
      if (request->context == TUILE_SITE_NAVIGATION && c->is.same_site == TUILE_SAME_SITE_STRICT) continue;
      if (c->partition.size && !same(c->partition, site_of(text_of(top->host), top->address))) continue;
      c->used = ++uses;
      if (size) size = put(text, size, text_of("; "));
      if (c->is.name.size) size = put(text, put(text, size, c->is.name), text_of("="));
      size = put(text, size, c->is.value);
    }
  return size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size) {
  static char want[room];
  if (size < 1 || size > 4096) return 0;
  tuile_jar_config config = TUILE_JAR_CONFIG_INIT;
  config.max_per_site = 1 + (data[0] & 15);
  config.max_cookies = 1 + (data[0] >> 4);
  config.public_suffix = is_suffix;
  config.clock = show;
  tuile_jar *jar = NULL;
  tuile_error error;
  REQUIRE(tuile_jar_new(&config, &jar, NULL) == TUILE_OK);
  seconds = 1700000000;
  item_count = uses = 0;
  for (size_t i = 1, end; i < size; i = end + 1) {
    for (end = i; end < size && data[end] != '\n';) end++;
    if (end - i < 3) continue;
    const place *at = &places[data[i + 1] % 12], *top = data[i + 2] & 8 ? &places[data[i + 2] >> 4] : at;
    if (top >= places + 12) top = at;
    tuile_jar_request request = TUILE_JAR_REQUEST_INIT;
    request.url = text_of(at->url);
    request.context = (tuile_site_context)((data[i + 2] & 3) % 3);
    request.script = data[i + 2] >> 2 & 1;
    if (top != at) request.top_level_site = text_of(top->url);
    tuile_bytes text = {data + i + 3, end - i - 3};
    if (data[i] == 'A') {
      seconds += data[i + 1] % 10 * 40 * 86400 + data[i + 2];
      forget_expired();
    } else if (data[i] == 'E') {
      for (size_t k = item_count; k-- > 0;)
        if (items[k].expires == INT64_MAX) forget(k);
      REQUIRE(tuile_jar_end_session(jar) == TUILE_OK);
    } else if (data[i] == 'R') {
      tuile_status status = tuile_jar_receive(jar, &request, text, &error);
      REQUIRE(receive(at, top, &request, text, data[0]) == (status == TUILE_OK));
    }
    size_t length = write_header(at, top, &request, want), given = 0;
    char *found = header(jar, &request, &given);
    REQUIRE(length == (found ? given : 0));
    if (found) REQUIRE(!memcmp(found, want, length));
  }
  size_t count = 0;
  REQUIRE(tuile_jar_count(jar, &count) == TUILE_OK);
  REQUIRE(count == item_count);
  tuile_jar_free(jar);
  return 0;
}
