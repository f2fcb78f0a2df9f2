/* inspect of what frameworks keep on the server: a session in a store, by its cookie or
 * its ID, and a stored value by itself. */
#include <stdlib.h>
#include <string.h>

#include "inspect.h"

/* Forms that are told by what is stored, and a layout each that reads it. What nearly any
 * octets could be comes last. */
static const struct {
  const char *what, *url;
} forms[] = {
    {"a session of express-session's", "redis://localhost?layout=express"},
    {"JSON, as Flask-Session, django-redis and others write it", "redis://localhost?layout=flask-session&serializer=json"},
    {"a pickle of Python's, as Django's cache and django-redis write it", "redis://localhost?layout=django-cache"},
    {"Marshal of Ruby's, as Rails and Rack write it", "redis://localhost?layout=redis-session-store"},
    {"an entry of Rails' cache", "redis://localhost?layout=rails-cache"},
    {"PHP, session.serialize_handler php_serialize", "file:///?layout=php&handler=php_serialize"},
    {"PHP, session.serialize_handler php", "file:///?layout=php&handler=php"},
    {"PHP, session.serialize_handler php_binary", "file:///?layout=php&handler=php_binary"},
    {"PHP serialized twice, as Laravel's cache in Redis has it", "redis://localhost?layout=laravel"},
    {"MessagePack, as Flask-Session and django-redis write it", "redis://localhost?layout=flask-session&serializer=msgpack"},
};

static tuile_status read_as(tuile_bytes url, tuile_bytes stored, struct buffer *json, tuile_error *error) {
  tuile_status status;
  FILLED(status, json, tuile_layout_read(url, stored, json->data, json->capacity, &json->size, error));
  return status;
}

int inspect_stored(const struct arguments *arguments, tuile_bytes stored) {
  struct buffer json = {0};
  tuile_error error = {0};
  const char *store = arguments->text[OPT_STORE];
  tuile_status status = TUILE_UNREADABLE;
  if (store) {
    status = read_as(input_store(store), stored, &json, &error);
    if (status != TUILE_OK) return free(json.data), fail(status, &error);
  }
  for (size_t i = 0; stored.size && status == TUILE_UNREADABLE && i < sizeof forms / sizeof *forms; i++) {
    status = read_as(bytes_of(forms[i].url), stored, &json, &error);
    if (status == TUILE_OK) out_string("looks_like", forms[i].what);
  }
  if (status == TUILE_OK) {
    out_number("size", (int64_t)stored.size);
    out_json("holds", buffer_bytes(&json));
  }
  free(json.data);
  if (status == TUILE_UNREADABLE) return -1;
  return status == TUILE_OK ? out_end(EXIT_FINE) : fail(status, &error);
}

/* ---- in a store ---- */

struct raw {
  tuile_bytes url;
  bool has_layout;
};

static void out_raw(void *context, tuile_bytes data, int64_t expires) {
  const struct raw *raw = context;
  struct buffer json = {0};
  out_number("size", (int64_t)data.size);
  out_text("stored", data);
  if (raw->has_layout && read_as(raw->url, data, &json, NULL) == TUILE_OK) out_json("holds", buffer_bytes(&json));
  free(json.data);
  out_time("expires", expires / 1000000);
}

/* What is stored, as it is and as the framework's form shows it. */
static tuile_status show_stored(struct raw *raw, tuile_bytes id, tuile_error *error) {
  tuile_store *store;
  tuile_status status = tuile_store_open(raw->url, &store, error);
  if (status != TUILE_OK) return status;
  status = tuile_store_load(store, id, now_microseconds(), out_raw, raw, error);
  tuile_store_close(store);
  out_bool("is_stored", status == TUILE_OK);
  return status;
}

static tuile_status show_session(tuile_session *session, tuile_error *error) {
  tuile_bytes value;
  tuile_status status = tuile_session_load(session, error);
  if (status == TUILE_UNREADABLE) out_bool("readable", false);
  if (status == TUILE_OK) status = tuile_session_json(session, &value, error);
  if (status != TUILE_OK) return status;
  out_json("values", value);
  if (tuile_session_get_login(session, NULL, &value, error) == TUILE_OK) out_text("login", value);
  if (tuile_session_get_owner(session, &value, error) == TUILE_OK) out_text("owner", value);
  return TUILE_OK;
}

/* The session that a cookie names by the framework's rules. Before anything is asked of the store it
 * has an ID if the cookie is genuine. */
static tuile_session *of_cookie(tuile_manager *manager, tuile_bytes name, tuile_bytes cookie, tuile_bytes *id) {
  tuile_session *session = session_of_cookie(manager, name, cookie);
  if (session && tuile_session_id(session, id) == TUILE_OK) return session;
  tuile_session_end(session);
  return NULL;
}

int inspect_in_store(const struct arguments *arguments, tuile_bytes name, tuile_bytes cookie) {
  struct raw raw = {input_store(arguments->text[OPT_STORE]), false};
  raw.has_layout = store_has_layout(raw.url);
  if (raw.url.size >= 7 && memcmp(raw.url.data, "cookie:", 7) == 0)
    usage_error("a session in its cookie is in no store: inspect the cookie without --store");
  bool has_secret;
  tuile_error error = {0};
  tuile_manager *manager = manager_open(arguments, raw.url, name, &has_secret);
  tuile_bytes id = {NULL, 0};
  if (!name.size) name = TUILE_STR("sessionid");
  tuile_session *session = of_cookie(manager, name, cookie, &id);
  bool is_signed = session && (id.size != cookie.size || memcmp(id.data, cookie.data, id.size) != 0);
  if (is_signed) out_bool("genuine", true);
  if (!session && tuile_session_start_with_id(manager, cookie, &session, &error) == TUILE_OK) id = cookie;
  tuile_status status = TUILE_BAD_SIGNATURE;
  if (session) {
    out_text("id", id);
    status = show_stored(&raw, id, &error);
    if (status == TUILE_OK) status = show_session(session, &error);
  } else {
    inspect_shape(cookie);
    if (has_secret) out_bool("genuine", false);
    else out_string("note", "not checked: it is no session ID that the store can have, and no secret was given");
  }
  tuile_session_end(session);
  tuile_manager_close(manager);
  return status < 0 ? fail(status, &error) : out_end(status == TUILE_OK ? EXIT_FINE : EXIT_NO);
}
