/* tuile/sessions.hpp - stores, the manager, sessions. Include <tuile.hpp>. */
#ifndef TUILE_SESSIONS_HPP
#define TUILE_SESSIONS_HPP

#include <tuile/answer.hpp>
#include <vector>

namespace tuile {
inline namespace TUILE_ERRORS {

/** Where sessions are kept. Safe from all threads. */
class Store : public detail::Owner<tuile_store, tuile_store_close> {
 public:
  using Owner::Owner;
  /** What a store holds under a key. `expires` is in Unix microseconds. */
  struct Entry {
    std::string data; /**< As it was stored. */
    int64_t expires;  /**< In Unix microseconds. */
  };
  /** tuile_store_open */
  static Answer<Store> open(std::string_view url) {
    return detail::opened<Store, tuile_store>(
        [&](tuile_store **store, tuile_error *error) { return tuile_store_open(bytes(url), store, error); });
  }
  /** tuile_store_open_ops; context must live until ops.close was called. */
  static Answer<Store> make(const tuile_store_ops &ops, void *context) {
    return detail::opened<Store, tuile_store>(
        [&](tuile_store **store, tuile_error *error) { return tuile_store_open_ops(&ops, context, store, error); });
  }
  /** tuile_store_load, now in Unix microseconds */
  Answer<Entry> load(std::string_view key, int64_t now) {
    tuile_error error = detail::no_error();
    Entry entry{};
    auto keep = [&](std::string_view data, int64_t expires) { entry = {std::string(data), expires}; };
    detail::Callback callback(keep);
    tuile_status status = tuile_store_load(
        handle(), bytes(key), now,
        [](void *context, tuile_bytes data, int64_t expires) {
          static_cast<decltype(callback) *>(context)->call(view(data), expires);
        },
        &callback, &error);
    callback.finish();
    return {status, error, std::move(entry)};
  }
  /** tuile_store_create */
  Answer<> create(std::string_view key, std::string_view data, int64_t expires) {
    return detail::done(
        [&](tuile_error *error) { return tuile_store_create(handle(), bytes(key), bytes(data), expires, error); });
  }
  /** tuile_store_replace */
  Answer<> replace(std::string_view key, std::string_view expected, std::string_view data, int64_t expires) {
    return detail::done([&](tuile_error *error) {
      return tuile_store_replace(handle(), bytes(key), bytes(expected), bytes(data), expires, error);
    });
  }
  /** tuile_store_put */
  Answer<> put(std::string_view key, std::string_view data, int64_t expires) {
    return detail::done(
        [&](tuile_error *error) { return tuile_store_put(handle(), bytes(key), bytes(data), expires, error); });
  }
  /** tuile_store_touch */
  Answer<> touch(std::string_view key, int64_t expires) {
    return detail::done([&](tuile_error *error) { return tuile_store_touch(handle(), bytes(key), expires, error); });
  }
  /** tuile_store_remove */
  Answer<> remove(std::string_view key) {
    return detail::done([&](tuile_error *error) { return tuile_store_remove(handle(), bytes(key), error); });
  }
  /** tuile_store_sweep: how many were removed */
  Answer<std::size_t> sweep(int64_t now, std::size_t limit) {
    return detail::answer<std::size_t>([&](std::size_t *removed, tuile_error *error) {
      return tuile_store_sweep(handle(), now, limit, removed, error);
    });
  }
  /** tuile_store_keys: receive(std::string_view key, int64_t expires) for each,
   * until it gives false. What it throws comes out of here. */
  template <class Receive>
  Answer<> keys(int64_t now, Receive &&receive) {
    tuile_error error = detail::no_error();
    auto take = [&](std::string_view key, int64_t expires, bool &more) { more = receive(key, expires); };
    detail::Callback callback(take);
    tuile_status status = tuile_store_keys(
        handle(), now,
        [](void *context, tuile_bytes key, int64_t expires) {
          bool more = false;
          static_cast<decltype(callback) *>(context)->call(view(key), expires, more);
          return more;
        },
        &callback, &error);
    callback.finish();
    return {status, error};
  }
};

/** One request's session. Belongs to one thread at a time, and must end, with
 * this object, before its manager. Views that it gives live until then. */
class Session : public detail::Owner<tuile_session, tuile_session_end> {
 public:
  using Owner::Owner;
  /** tuile_session_commit: add_header(std::string_view name, std::string_view
   * value) gives nothing or a tuile_status. What it throws comes out of here. */
  template <class AddHeader>
  Answer<> commit(int32_t http_status, AddHeader &&add_header) {
    tuile_error error = detail::no_error();
    detail::Callback callback(add_header);
    tuile_status status = tuile_session_commit(
        handle(), http_status,
        [](void *context, tuile_bytes name, tuile_bytes value) {
          return static_cast<decltype(callback) *>(context)->call(view(name), view(value));
        },
        &callback, &error);
    callback.finish();
    return {status, error};
  }
  /** tuile_session_commit where the response has no headers any more. */
  Answer<> commit(int32_t http_status) {
    return detail::done(
        [&](tuile_error *error) { return tuile_session_commit(handle(), http_status, nullptr, nullptr, error); });
  }

  /** tuile_session_id */
  Answer<std::string_view> id() const {
    return detail::viewed([&](tuile_bytes *id, tuile_error *) { return tuile_session_id(handle(), id); });
  }
  bool accessed() const noexcept { return tuile_session_accessed(handle()); }
  bool modified() const noexcept { return tuile_session_modified(handle()); }
  Answer<> load() { return act(tuile_session_load); }
  Answer<bool> is_empty() { return value<bool>(tuile_session_is_empty); }
  Answer<> clear() { return act(tuile_session_clear); }
  Answer<> flush() { return act(tuile_session_flush); }
  Answer<> cycle_id() { return act(tuile_session_cycle_id); }
  Answer<> touch() { return act(tuile_session_touch); }

  Answer<tuile_type> type(std::string_view name) { return get<tuile_type>(tuile_session_type, name); }
  Answer<bool> get_bool(std::string_view name) { return get<bool>(tuile_session_get_bool, name); }
  Answer<int64_t> get_int(std::string_view name) { return get<int64_t>(tuile_session_get_int, name); }
  Answer<double> get_double(std::string_view name) { return get<double>(tuile_session_get_double, name); }
  Answer<std::string_view> get_string(std::string_view name) { return text(tuile_session_get_string, name); }
  Answer<std::string_view> get_json(std::string_view name) { return text(tuile_session_get_json, name); }
  Answer<std::string_view> get_bytes(std::string_view name) { return text(tuile_session_get_bytes, name); }
  /** TUILE_ABSENT where there is no such name */
  Answer<> contains(std::string_view name) {
    return detail::done([&](tuile_error *error) {
      tuile_type type;
      return tuile_session_type(handle(), bytes(name), &type, error);
    });
  }

  /** null, by tuile_session_set_json */
  Answer<> set_null(std::string_view name) { return set_json(name, "null"); }
  Answer<> set_bool(std::string_view name, bool value) { return set(tuile_session_set_bool, name, value); }
  Answer<> set_int(std::string_view name, int64_t value) { return set(tuile_session_set_int, name, value); }
  Answer<> set_double(std::string_view name, double value) { return set(tuile_session_set_double, name, value); }
  Answer<> set_string(std::string_view name, std::string_view value) {
    return set(tuile_session_set_string, name, bytes(value));
  }
  Answer<> set_json(std::string_view name, std::string_view json) {
    return set(tuile_session_set_json, name, bytes(json));
  }
  Answer<> set_bytes(std::string_view name, std::string_view value) {
    return set(tuile_session_set_bytes, name, bytes(value));
  }
  Answer<> append(std::string_view name, std::string_view json) { return set(tuile_session_append, name, bytes(json)); }
  /** tuile_session_pop: the value as JSON */
  Answer<std::string_view> pop(std::string_view name) { return text(tuile_session_pop, name); }
  /** tuile_session_set_default: the value as JSON */
  Answer<std::string_view> set_default(std::string_view name, std::string_view initial) {
    return detail::viewed([&](tuile_bytes *json, tuile_error *error) {
      return tuile_session_set_default(handle(), bytes(name), bytes(initial), json, error);
    });
  }
  /** tuile_session_update, from a JSON object */
  Answer<> update(std::string_view json) { return on(tuile_session_update, json); }
  /** tuile_session_json: all values as one JSON object */
  Answer<std::string_view> json() {
    return detail::viewed([&](tuile_bytes *json, tuile_error *error) { return tuile_session_json(handle(), json, error); });
  }
  Answer<> remove(std::string_view name) { return on(tuile_session_remove, name); }
  /** tuile_session_add_int: the sum as this request sees it */
  Answer<int64_t> add_int(std::string_view name, int64_t delta = 1) {
    return detail::answer<int64_t>([&](int64_t *sum, tuile_error *error) {
      return tuile_session_add_int(handle(), bytes(name), delta, sum, error);
    });
  }

  Answer<std::size_t> count() { return value<std::size_t>(tuile_session_count); }
  /** All names, in the order in which the values were added. */
  Answer<std::vector<std::string_view>> names() {
    std::vector<std::string_view> names;
    std::size_t position = 0;
    for (;;) {
      tuile_error error = detail::no_error();
      tuile_bytes name;
      tuile_status status = tuile_session_next_item(handle(), &position, &name, nullptr, &error);
      if (status == TUILE_ABSENT) return {TUILE_OK, error, std::move(names)};
      if (status != TUILE_OK) return {status, error};
      names.push_back(view(name));
    }
  }

  Answer<> set_expiry(int64_t seconds) { return end(tuile_session_set_expiry, seconds); }
  /** Unix microseconds */
  Answer<> set_expiry_time(int64_t microseconds) { return end(tuile_session_set_expiry_time, microseconds); }
  Answer<> set_lifetime(int64_t seconds) { return end(tuile_session_set_lifetime, seconds); }
  Answer<int64_t> get_lifetime() { return value<int64_t>(tuile_session_get_lifetime); }
  /** As the configuration says: tuile_session_set_expiry with TUILE_UNSET */
  Answer<> clear_expiry() { return set_expiry(TUILE_UNSET); }
  /** tuile_session_get_expiry_age: seconds */
  Answer<int64_t> get_expiry_age(int64_t modification = TUILE_UNSET, std::string_view expiry = {}) {
    return expiring(tuile_session_get_expiry_age, modification, expiry);
  }
  /** tuile_session_get_expiry_time: Unix microseconds */
  Answer<int64_t> get_expiry_time(int64_t modification = TUILE_UNSET, std::string_view expiry = {}) {
    return expiring(tuile_session_get_expiry_time, modification, expiry);
  }
  Answer<bool> get_expire_at_browser_close() { return value<bool>(tuile_session_get_expire_at_browser_close); }

  Answer<> set_owner(std::string_view owner) { return on(tuile_session_set_owner, owner); }
  /** tuile_session_set_owner, of nobody */
  Answer<> remove_owner() { return detail::done([&](tuile_error *error) { return tuile_session_set_owner(handle(), {nullptr, 0}, error); }); }
  Answer<std::string_view> get_owner() {
    return detail::viewed(
        [&](tuile_bytes *owner, tuile_error *error) { return tuile_session_get_owner(handle(), owner, error); });
  }
  /** tuile_session_set_client */
  Answer<> set_client(std::string_view user_agent, std::string_view address) {
    return set(tuile_session_set_client, user_agent, bytes(address));
  }

 private:
  template <class Call>
  Answer<int64_t> expiring(Call call, int64_t modification, std::string_view expiry) {
    return detail::answer<int64_t>([&](int64_t *answer, tuile_error *error) {
      return call(handle(), modification, bytes(expiry), answer, error);
    });
  }
  template <class Call>
  Answer<> act(Call call) {
    return detail::done([&](tuile_error *error) { return call(handle(), error); });
  }
  template <class Call>
  Answer<> on(Call call, std::string_view name) {
    return detail::done([&](tuile_error *error) { return call(handle(), bytes(name), error); });
  }
  template <class Call, class T>
  Answer<> set(Call call, std::string_view name, T value) {
    return detail::done([&](tuile_error *error) { return call(handle(), bytes(name), value, error); });
  }
  template <class Call>
  Answer<> end(Call call, int64_t seconds) {
    return detail::done([&](tuile_error *error) { return call(handle(), seconds, error); });
  }
  template <class T, class Call>
  Answer<T> value(Call call) {
    return detail::answer<T>([&](T *value, tuile_error *error) { return call(handle(), value, error); });
  }
  template <class T, class Call>
  Answer<T> get(Call call, std::string_view name) {
    return detail::answer<T>([&](T *value, tuile_error *error) { return call(handle(), bytes(name), value, error); });
  }
  template <class Call>
  Answer<std::string_view> text(Call call, std::string_view name) {
    return detail::viewed(
        [&](tuile_bytes *value, tuile_error *error) { return call(handle(), bytes(name), value, error); });
  }
};

/** One per application: configuration, keys and the store. Safe from all threads. */
class Manager : public detail::Owner<tuile_manager, tuile_manager_close> {
 public:
  using Owner::Owner;
  /** tuile_manager_open; config starts as TUILE_CONFIG_INIT. */
  static Answer<Manager> open(const tuile_config &config) {
    return detail::opened<Manager, tuile_manager>(
        [&](tuile_manager **manager, tuile_error *error) { return tuile_manager_open(&config, manager, error); });
  }
  /** tuile_session_start */
  Answer<Session> start(std::string_view cookie_header, std::string_view url = {}) const {
    return detail::opened<Session, tuile_session>([&](tuile_session **session, tuile_error *error) {
      return tuile_session_start(handle(), bytes(cookie_header), bytes(url), session, error);
    });
  }
  /** tuile_manager_reload */
  Answer<> reload(const tuile_config &config) {
    return detail::done([&](tuile_error *error) { return tuile_manager_reload(handle(), &config, error); });
  }
  /** tuile_manager_check */
  Answer<> check() {
    return detail::done([&](tuile_error *error) { return tuile_manager_check(handle(), error); });
  }
  /** tuile_manager_metrics */
  Answer<std::string> metrics() const {
    return detail::written([&](char *buffer, std::size_t capacity, std::size_t *size, tuile_error *) {
      return tuile_manager_metrics(handle(), buffer, capacity, size);
    });
  }
  /** tuile_manager_sessions: receive(const tuile_owned_session &) for each. */
  template <class Receive>
  Answer<> sessions(std::string_view owner, Receive &&receive, const Session *current = nullptr) {
    tuile_error error = detail::no_error();
    detail::Callback callback(receive);
    tuile_status status = tuile_manager_sessions(
        handle(), bytes(owner), current ? current->handle() : nullptr,
        [](void *context, const tuile_owned_session *session) {
          static_cast<decltype(callback) *>(context)->call(*session);
        },
        &callback, &error);
    callback.finish();
    return {status, error};
  }
  /** tuile_manager_revoke */
  Answer<> revoke(std::string_view owner, std::string_view id) {
    return detail::done(
        [&](tuile_error *error) { return tuile_manager_revoke(handle(), bytes(owner), bytes(id), error); });
  }
  /** tuile_manager_revoke_all: how many were ended */
  Answer<std::size_t> revoke_all(std::string_view owner, Session *keep = nullptr) {
    return detail::answer<std::size_t>([&](std::size_t *revoked, tuile_error *error) {
      return tuile_manager_revoke_all(handle(), bytes(owner), keep ? keep->handle() : nullptr, revoked, error);
    });
  }
  /** tuile_manager_start_sweeping */
  Answer<> start_sweeping(uint32_t seconds, std::size_t limit) {
    return detail::done(
        [&](tuile_error *error) { return tuile_manager_start_sweeping(handle(), seconds, limit, error); });
  }
  void stop_sweeping() { tuile_manager_stop_sweeping(handle()); }
  /** tuile_manager_sweep: how many there were */
  Answer<std::size_t> clear_expired(std::size_t limit) {
    return detail::answer<std::size_t>([&](std::size_t *removed, tuile_error *error) {
      return tuile_manager_sweep(handle(), limit, removed, error);
    });
  }
  /** tuile_manager_stats */
  Answer<tuile_stats> stats() const {
    return detail::answer<tuile_stats>([&](tuile_stats *stats, tuile_error *) {
      *stats = TUILE_STATS_INIT;
      return tuile_manager_stats(handle(), stats);
    });
  }

 private:
};

}  // namespace TUILE_ERRORS
}  // namespace tuile

#endif
