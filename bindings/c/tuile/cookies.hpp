/* tuile/cookies.hpp - Cookie, Set-Cookie, dates and the jar. Include <tuile.hpp>. */
#ifndef TUILE_COOKIES_HPP
#define TUILE_COOKIES_HPP

#include <iterator>
#include <tuile/answer.hpp>

namespace tuile {
inline namespace TUILE_ERRORS {

/** A pair of a Cookie header; both views point into it. */
struct Cookie {
  std::string_view name;  /**< May be empty. */
  std::string_view value; /**< As it was sent, quotes included. */
};

/** The pairs of a Cookie header, for a range-based for. The header must outlive
 * it. Never fails: browsers have a meaning for every header. */
class Cookies {
 public:
  /** The pairs of this header, which is not copied. */
  explicit Cookies(std::string_view header) noexcept : header_(header) {}

  /** An input iterator over Cookie. */
  class iterator {
   public:
    using iterator_category = std::input_iterator_tag;
    using value_type = Cookie;
    using difference_type = std::ptrdiff_t;
    using pointer = const Cookie *;
    using reference = const Cookie &;
    iterator() = default;
    explicit iterator(std::string_view header) noexcept : header_(header), more_(true) { ++*this; }
    const Cookie &operator*() const noexcept { return cookie_; }
    const Cookie *operator->() const noexcept { return &cookie_; }
    iterator &operator++() noexcept {
      tuile_cookie next;
      more_ = tuile_cookie_next(bytes(header_), &position_, &next) == TUILE_OK;
      if (more_) cookie_ = {view(next.name), view(next.value)};
      return *this;
    }
    iterator operator++(int) noexcept {
      iterator before = *this;
      ++*this;
      return before;
    }
    bool operator==(const iterator &other) const noexcept {
      return more_ == other.more_ && (!more_ || position_ == other.position_);
    }
    bool operator!=(const iterator &other) const noexcept { return !(*this == other); }

   private:
    std::string_view header_;
    std::size_t position_ = 0;
    bool more_ = false;
    Cookie cookie_;
  };

  /** The first pair. */
  iterator begin() const noexcept { return iterator(header_); }
  /** Behind the last pair. */
  iterator end() const noexcept { return iterator(); }

  /** tuile_cookie_get */
  Answer<std::string_view> get(std::string_view name, tuile_match match = TUILE_MATCH_FIRST) const {
    return detail::viewed(
        [&](tuile_bytes *value, tuile_error *) { return tuile_cookie_get(bytes(header_), bytes(name), match, value); });
  }

 private:
  std::string_view header_;
};

/** tuile_cookie_encode */
inline Answer<std::string> encode(std::string_view text, tuile_encoding encoding) {
  return detail::written([&](char *buffer, std::size_t capacity, std::size_t *size, tuile_error *error) {
    return tuile_cookie_encode(bytes(text), encoding, buffer, capacity, size, error);
  });
}

/** tuile_cookie_decode */
inline Answer<std::string> decode(std::string_view value, tuile_encoding encoding) {
  return detail::written([&](char *buffer, std::size_t capacity, std::size_t *size, tuile_error *error) {
    return tuile_cookie_decode(bytes(value), encoding, buffer, capacity, size, error);
  });
}

/** tuile_set_cookie_write */
inline Answer<std::string> write(const tuile_set_cookie &cookie) {
  return detail::written([&](char *buffer, std::size_t capacity, std::size_t *size, tuile_error *error) {
    return tuile_set_cookie_write(&cookie, buffer, capacity, size, error);
  });
}

/** tuile_set_cookie_delete */
inline Answer<std::string> write_deletion(const tuile_set_cookie &cookie) {
  return detail::written([&](char *buffer, std::size_t capacity, std::size_t *size, tuile_error *error) {
    return tuile_set_cookie_delete(&cookie, buffer, capacity, size, error);
  });
}

/** tuile_django_cookie_write */
inline Answer<std::string> write(const tuile_django_cookie &cookie) {
  return detail::written([&](char *buffer, std::size_t capacity, std::size_t *size, tuile_error *error) {
    return tuile_django_cookie_write(&cookie, buffer, capacity, size, error);
  });
}

/** tuile_set_cookie_read; the views of the answer point into header. */
inline Answer<tuile_set_cookie> read_set_cookie(std::string_view header) {
  return detail::answer<tuile_set_cookie>([&](tuile_set_cookie *cookie, tuile_error *error) {
    tuile_set_cookie_init(cookie, sizeof *cookie);
    return tuile_set_cookie_read(bytes(header), cookie, error);
  });
}

/** tuile_date_write, from Unix seconds */
inline Answer<std::string> write_date(int64_t seconds) {
  return detail::written([&](char *buffer, std::size_t capacity, std::size_t *size, tuile_error *) {
    return tuile_date_write(seconds, buffer, capacity, size);
  });
}

/** tuile_date_read, to Unix seconds */
inline Answer<int64_t> read_date(std::string_view text) {
  return detail::answer<int64_t>([&](int64_t *seconds, tuile_error *) { return tuile_date_read(bytes(text), seconds); });
}

/** A client's cookies. Safe from all threads. */
class Jar : public detail::Owner<tuile_jar, tuile_jar_free> {
 public:
  using Owner::Owner;
  /** tuile_jar_new */
  static Answer<Jar> make(const tuile_jar_config *config = nullptr) {
    return detail::opened<Jar, tuile_jar>(
        [&](tuile_jar **jar, tuile_error *error) { return tuile_jar_new(config, jar, error); });
  }
  /** tuile_jar_receive */
  Answer<> receive(const tuile_jar_request &request, std::string_view set_cookie) {
    return detail::done(
        [&](tuile_error *error) { return tuile_jar_receive(handle(), &request, bytes(set_cookie), error); });
  }
  /** tuile_jar_header */
  Answer<std::string> header(const tuile_jar_request &request) {
    return detail::written([&](char *buffer, std::size_t capacity, std::size_t *size, tuile_error *error) {
      return tuile_jar_header(handle(), &request, buffer, capacity, size, error);
    });
  }
  /** tuile_jar_count */
  Answer<std::size_t> count() {
    return detail::answer<std::size_t>(
        [&](std::size_t *count, tuile_error *) { return tuile_jar_count(handle(), count); });
  }
  /** tuile_jar_end_session */
  Answer<> end_session() {
    return detail::done([&](tuile_error *) { return tuile_jar_end_session(handle()); });
  }
  /** tuile_jar_load */
  Answer<> load(std::string_view path) {
    return detail::done([&](tuile_error *error) { return tuile_jar_load(handle(), bytes(path), nullptr, error); });
  }
  /** tuile_jar_save */
  Answer<> save(std::string_view path, bool session_cookies = true) {
    return detail::done(
        [&](tuile_error *error) { return tuile_jar_save(handle(), bytes(path), session_cookies, error); });
  }
};

}  // namespace TUILE_ERRORS
}  // namespace tuile

#endif
