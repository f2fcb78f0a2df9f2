/* tuile.hpp, compiled twice into one program: with exceptions, where errors are
 * thrown, and without, where they are answers. TEST names this file's function. */
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>
#include <tuile.hpp>

#define CHECK(expression)                                                               \
  do {                                                                                  \
    if (!(expression)) {                                                                \
      std::fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #expression); \
      std::abort();                                                                     \
    }                                                                                   \
  } while (0)

/* An error is thrown, or is the answer: with the same status in both. */
#ifdef TUILE_NO_EXCEPTIONS
#define CHECK_ERROR(expression, expected, detailed)            \
  do {                                                         \
    auto answer = (expression);                                \
    CHECK(!answer);                                            \
    CHECK(answer.status() == (expected));                      \
    CHECK(answer.error().status == (expected));                \
    CHECK(!(detailed) || answer.error().message[0]);           \
  } while (0)
#else
#define CHECK_ERROR(expression, expected, detailed)            \
  do {                                                         \
    tuile_status thrown = TUILE_OK;                            \
    try {                                                      \
      (void)(expression);                                      \
    } catch (const tuile::Error &error) {                      \
      thrown = error.status();                                 \
      CHECK(error.what()[0]);                                  \
    }                                                          \
    CHECK(thrown == (expected));                               \
  } while (0)
#endif

using Headers = std::multimap<std::string, std::string>;
static const char secret[] = "a secret of 32 bytes and some more 0123456789";

static tuile_config memory_config() {
  tuile_config config = TUILE_CONFIG_INIT;
  config.secret = tuile::bytes(secret);
  config.store = TUILE_STR("memory:");
  return config;
}

/* Commits and gives the Cookie header of the visitor's next request. */
static std::string respond(tuile::Session session, Headers *headers = nullptr) {
  Headers own;
  if (!headers) headers = &own;
  CHECK(session.commit(200, [&](std::string_view name, std::string_view value) { headers->emplace(name, value); }));
  auto found = headers->find("Set-Cookie");
  return found == headers->end() ? "" : found->second.substr(0, found->second.find(';'));
}

static void sessions() {
  tuile::Manager manager = *tuile::Manager::open(memory_config());
  tuile::Session session = *manager.start("");
  CHECK(*session.is_empty());
  CHECK(session.id().status() == TUILE_ABSENT);
  CHECK(*session.add_int("count") == 1);
  CHECK(*session.add_int("count", 41) == 42);
  CHECK(session.set_string("name", "Ä \"quoted\""));
  CHECK(session.set_bool("yes", true));
  CHECK(session.set_null("none"));
  CHECK(session.set_double("half", 0.5));
  CHECK(session.set_json("list", "[1, 2]"));
  CHECK(session.modified());
  CHECK(session.accessed());
  Headers headers;
  std::string cookie = respond(std::move(session), &headers);
  CHECK(headers.count("Vary") == 1);
  CHECK(headers.count("Cache-Control") == 1);
  CHECK(cookie.rfind("sessionid=", 0) == 0);

  session = *manager.start(cookie);
  CHECK(*session.get_int("count") == 42);
  CHECK(*session.get_string("name") == "Ä \"quoted\"");
  CHECK(*session.get_bool("yes"));
  CHECK(*session.get_double("half") == 0.5);
  CHECK(*session.type("list") == TUILE_TYPE_ARRAY);
  CHECK(*session.count() == 6);
  CHECK(*session.get_json("none") == "null");
  CHECK(session.contains("none"));
  CHECK(!session.contains("other"));
  CHECK((*session.names() == std::vector<std::string_view>{"count", "name", "yes", "none", "half", "list"}));
  CHECK(session.get_int("other").status() == TUILE_ABSENT);
  CHECK(session.get_int("other").value_or(7) == 7);
  CHECK_ERROR(session.get_int("name"), TUILE_E_TYPE, true);
  CHECK_ERROR(session.set_json("bad", "[1,"), TUILE_E_SYNTAX, true);
  CHECK(session.remove("half"));
  CHECK(session.remove("half").status() == TUILE_ABSENT);
  CHECK(session.set_expiry(60));
  CHECK(*session.get_expiry_age() == 60);
  CHECK(!*session.get_expire_at_browser_close());
  std::string before(*session.id());
  CHECK(session.cycle_id());
  CHECK(*session.id() != before);
  cookie = respond(std::move(session));

  session = *manager.start(cookie);
  CHECK(*session.get_int("count") == 42);
  CHECK(session.flush());
  CHECK(respond(std::move(session)) == "sessionid=\"\"");
  session = *manager.start(cookie);
  CHECK(session.get_int("count").status() == TUILE_ABSENT);
  session = tuile::Session();
  CHECK(manager.stats()->deletes >= 1);
  CHECK(*manager.clear_expired(10) == 0);

  tuile_config config = memory_config();
  config.store = TUILE_STR("nowhere:");
  CHECK_ERROR(tuile::Manager::open(config), TUILE_E_SYNTAX, true);
}

static void owners() {
  tuile::Manager manager = *tuile::Manager::open(memory_config());
  tuile::Session session = *manager.start("");
  CHECK(session.load().status() == TUILE_ABSENT);
  CHECK(session.update("{\"a\": [1], \"b\": 2}"));
  CHECK(session.append("a", "2"));
  CHECK(*session.get_json("a") == "[1,2]");
  CHECK(*session.pop("b") == "2");
  CHECK(session.pop("b").status() == TUILE_ABSENT);
  CHECK(*session.set_default("a", "0") == "[1,2]");
  CHECK(*session.set_default("c", "0") == "0");
  CHECK(session.set_bytes("d", std::string_view("\0\xff", 2)));
  CHECK(*session.get_bytes("d") == std::string_view("\0\xff", 2));
  CHECK(session.json()->find("\"c\"") != std::string_view::npos);
  CHECK(session.set_lifetime(3600));
  CHECK(*session.get_lifetime() <= 3600);
  CHECK(session.set_owner("anna"));
  CHECK(*session.get_owner() == "anna");
  CHECK(session.set_client("a browser", "192.0.2.1"));
  CHECK(session.commit(200));
  std::string id;
  bool current = false;
  auto receive = [&](const tuile_owned_session &owned) { id = tuile::view(owned.id), current = owned.current; };
  CHECK(manager.sessions("anna", receive, &session));
  CHECK(id.size() == 32);
  CHECK(current);
  CHECK(*manager.revoke_all("anna", &session) == 0);
  CHECK(manager.revoke("anna", id));
  CHECK(manager.revoke("anna", id).status() == TUILE_ABSENT);
  CHECK(*manager.revoke_all("anna") == 0);
  session = tuile::Session();
  CHECK(manager.check());
  CHECK(manager.metrics()->find("tuile") != std::string::npos);
  CHECK(manager.reload(memory_config()));
  CHECK(manager.start_sweeping(60, 10));
  manager.stop_sweeping();
}

/* What add_header says, or throws, ends the commit and comes out of it. */
static void callbacks() {
  tuile::Manager manager = *tuile::Manager::open(memory_config());
  tuile::Session session = *manager.start("");
  CHECK(session.set_int("a", 1));
  CHECK_ERROR(session.commit(200, [](std::string_view, std::string_view) { return TUILE_E_LIMIT; }), TUILE_E_CALLBACK,
              false);
  CHECK(session.set_int("a", 2));
  CHECK(session.commit(200));
#ifndef TUILE_NO_EXCEPTIONS
  CHECK(session.set_int("a", 3));
  int caught = 0;
  try {
    session.commit(200, [](std::string_view, std::string_view) { throw 5; });
  } catch (int value) {
    caught = value;
  }
  CHECK(caught == 5);
  tuile::Store store = *tuile::Store::open("memory:");
  CHECK(store.create("abcdefgh", "data", 2000));
  try {
    store.keys(0, [](std::string_view, int64_t) -> bool { throw 6; });
  } catch (int value) {
    caught = value;
  }
  CHECK(caught == 6);
#endif
}

static void stores() {
  tuile::Store store = *tuile::Store::open("memory:");
  CHECK(store.create("abcdefgh", "data", 2000));
  CHECK(store.create("abcdefgh", "data", 2000).status() == TUILE_EXISTS);
  CHECK(store.replace("abcdefgh", "other", "x", 2000).status() == TUILE_CONFLICT);
  CHECK(store.replace("abcdefgh", "data", "more", 2000));
  CHECK(store.touch("abcdefgh", 3000));
  auto entry = *store.load("abcdefgh", 1000);
  CHECK(entry.data == "more");
  CHECK(entry.expires == 3000);
  CHECK(store.load("abcdefgh", 3000).status() == TUILE_ABSENT);
  CHECK(*store.sweep(4000, 10) == 1);
  CHECK(store.put("abcdefgh", "data", 2000));
  CHECK(store.put("bcdefghi", "data", 2000));
  std::string keys;
  int64_t until = 0;
  CHECK(store.keys(0, [&](std::string_view key, int64_t expires) { return keys += key, until = expires, true; }));
  CHECK(keys == "abcdefghbcdefghi" || keys == "bcdefghiabcdefgh");
  CHECK(until == 2000);
  keys.clear();
  CHECK(store.keys(0, [&](std::string_view key, int64_t) { return keys += key, false; }));
  CHECK(keys.size() == 8);
  CHECK(store.remove("abcdefgh"));
  CHECK(store.remove("bcdefghi"));
  CHECK_ERROR(store.load("../x", 0), TUILE_E_ARGUMENT, false);
}

static void cookies() {
  std::string seen;
  for (const auto &cookie : tuile::Cookies("a=1; b=\"2\";; c"))
    seen.append("[").append(cookie.name).append("|").append(cookie.value).append("]");
  CHECK(seen == "[a|1][b|\"2\"][|c]");
  for (const auto &cookie : tuile::Cookies("")) {
    (void)cookie;
    CHECK(!"none");
  }
  CHECK(*tuile::Cookies("a=1; a=2").get("a") == "1");
  CHECK(!tuile::Cookies("a=1").get("b"));
  CHECK(*tuile::Cookies("a=1; a=2").get("a", TUILE_MATCH_LAST) == "2");
  CHECK(*tuile::encode("a b", TUILE_ENCODING_PERCENT) == "a%20b");
  CHECK(*tuile::decode("a%20b", TUILE_ENCODING_PERCENT) == "a b");
  CHECK_ERROR(tuile::decode("%zz", TUILE_ENCODING_PERCENT), TUILE_E_SYNTAX, true);
  CHECK(tuile::encode(std::string(5000, 'x'), TUILE_ENCODING_RAW)->size() == 5000); /* over the first buffer */

  tuile_set_cookie set = TUILE_SET_COOKIE_INIT;
  set.name = TUILE_STR("a"), set.value = TUILE_STR("1");
  CHECK(*tuile::write(set) == "a=1; Path=/");
  CHECK(tuile::write_deletion(set)->find("Max-Age=0") != std::string::npos);
  set.value = TUILE_STR("1; Domain=evil");
  CHECK_ERROR(tuile::write(set), TUILE_E_SYNTAX, true);
  CHECK(tuile::view(tuile::read_set_cookie("a=1; Secure")->value) == "1");
  CHECK(*tuile::read_date(*tuile::write_date(784111777)) == 784111777);

  tuile_jar_config config = TUILE_JAR_CONFIG_INIT;
  config.suffixes = TUILE_SUFFIXES_LABEL;
  tuile::Jar jar = *tuile::Jar::make(&config);
  tuile_jar_request request = TUILE_JAR_REQUEST_INIT;
  request.url = TUILE_STR("https://a.test/");
  CHECK(jar.header(request).status() == TUILE_ABSENT);
  CHECK(jar.receive(request, "a=1"));
  CHECK(*jar.count() == 1);
  CHECK(*jar.header(request) == "a=1");
  CHECK(jar.end_session());
  CHECK(*jar.count() == 0);
}

static void signing() {
  tuile::Keyring keyring = *tuile::Keyring::make();
  CHECK(keyring.add(*tuile::generate_secret()));
  CHECK(*keyring.count() == 1);
  CHECK_ERROR(keyring.add("weak"), TUILE_E_ARGUMENT, true);
  tuile_signer_config config = TUILE_SIGNER_CONFIG_INIT;
  config.keyring = keyring.handle(), config.salt = TUILE_STR("test");
  tuile::Signer signer = *tuile::Signer::make(config);
  std::string token = *signer.sign("value", 1000);
  auto verified = signer.verify(token, 10, 1005);
  CHECK(verified);
  CHECK(verified->value == "value");
  CHECK(verified->timestamp == 1000);
  CHECK(verified->secret == 0);
  CHECK(signer.verify(token, 10, 2000).status() == TUILE_EXPIRED);
  CHECK(signer.unsign(token + "x").status() == TUILE_BAD_SIGNATURE);
  CHECK(signer.unsign(token, 10, 1005)->value == "value");
  std::string long_json = "[\"" + std::string(3000, 'x') + "\"]";
  CHECK(signer.loads(*signer.dumps(long_json))->value == long_json);
  CHECK_ERROR(signer.dumps("{"), TUILE_E_SYNTAX, true);
}

static void state() {
  CHECK(*tuile::write_url("/a?b=1", TUILE_URL_QUERY, "sid", "x") == "/a?b=1&sid=x");
  CHECK(*tuile::read_url("/a;sid=x", TUILE_URL_PATH, "sid") == "x");
  tuile_signer_config config = TUILE_SIGNER_CONFIG_INIT;
  config.secret = tuile::bytes(secret), config.salt = TUILE_STR("form");
  tuile::Signer signer = *tuile::Signer::make(config);
  tuile_hidden_field field = TUILE_HIDDEN_FIELD_INIT;
  field.name = TUILE_STR("state"), field.form = TUILE_STR("order");
  std::string html = *tuile::write_hidden_field(signer, field, "17");
  std::size_t start = html.find("value=\"") + 7;
  std::string body = "state=" + html.substr(start, html.find('"', start) - start);
  CHECK(*tuile::read_hidden_field(signer, field, body) == "17");
  field.form = TUILE_STR("other");
  CHECK(tuile::read_hidden_field(signer, field, body).status() == TUILE_BAD_SIGNATURE);

  std::string cookie = *tuile::csrf_secret(), token = *tuile::csrf_token(cookie);
  tuile_csrf_request request = TUILE_CSRF_REQUEST_INIT;
  request.method = TUILE_STR("POST"), request.host = TUILE_STR("a.test");
  request.cookie = tuile::bytes(cookie), request.token = tuile::bytes(token);
  CHECK(*tuile::verify_csrf(request) == TUILE_CSRF_NONE);
  request.cookie = TUILE_STR("");
  CHECK(*tuile::verify_csrf(request) == TUILE_CSRF_NO_COOKIE);
}

void TEST() {
  CHECK(std::string_view(tuile::version()) == TUILE_VERSION_STRING);
  sessions();
  owners();
  callbacks();
  stores();
  cookies();
  signing();
  state();
}
