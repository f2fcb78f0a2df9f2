/* tuile/answer.hpp - what a call gives, and what owns a handle. Include <tuile.hpp>. */
#ifndef TUILE_ANSWER_HPP
#define TUILE_ANSWER_HPP

#include <cassert>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <tuile.h>
#include <type_traits>
#include <utility>

#if !defined(TUILE_NO_EXCEPTIONS) && !defined(__cpp_exceptions)
#define TUILE_NO_EXCEPTIONS
#endif

#ifdef TUILE_NO_EXCEPTIONS
#define TUILE_LOOK_AT_IT [[nodiscard]]
#define TUILE_ERRORS answered
#else
#include <exception>
#include <stdexcept>
#define TUILE_LOOK_AT_IT
#define TUILE_ERRORS thrown
#endif

/* The two forms differ in their types: they have different names to the linker,
 * so that one program may have files of both. */
namespace tuile {
inline namespace TUILE_ERRORS {

/** The library's view of text. A literal's NUL is not part of it. */
inline tuile_bytes bytes(std::string_view text) noexcept { return {text.data(), text.size()}; }

/** C++'s view of the library's bytes. */
inline std::string_view view(tuile_bytes bytes) noexcept {
  return bytes.size ? std::string_view(static_cast<const char *>(bytes.data), bytes.size) : std::string_view();
}

/** The version of the loaded library, such as "0.1.0". */
inline const char *version() noexcept { return tuile_version_string(); }

#ifndef TUILE_NO_EXCEPTIONS
/** A negative status, thrown. what() holds no secret, session ID or payload. */
class Error : public std::runtime_error {
 public:
  /** With the detail's message if it is about this status, else tuile_status_message. */
  Error(tuile_status status, const tuile_error &detail)
      : std::runtime_error(detail.status == status ? detail.message : tuile_status_message(status)),
        status_(status),
        offset_(detail.status == status ? detail.offset : 0) {}
  /** What the call returned. */
  tuile_status status() const noexcept { return status_; }
  /** Where in the input, in bytes, for syntax errors; else 0. */
  std::size_t offset() const noexcept { return offset_; }

 private:
  tuile_status status_;
  std::size_t offset_;
};
#endif

/** A call that gives no value. */
struct Nothing {};

/** What a call answered: a status, and for TUILE_OK a value. */
template <class T = Nothing>
class TUILE_LOOK_AT_IT Answer {
 public:
#ifdef TUILE_NO_EXCEPTIONS
  Answer(tuile_status status, const tuile_error &detail, T value = T())
      : status_(status), value_(std::move(value)), error_() {
    if (status >= 0) return;
    error_.status = status;
    if (detail.status == status) error_ = detail;
  }
  /** The detail of a negative status. A call that gives none leaves the message empty. */
  const tuile_error &error() const noexcept { return error_; }
#else
  /** Throws Error if the status is negative. */
  Answer(tuile_status status, const tuile_error &detail, T value = T()) : status_(status), value_(std::move(value)) {
    if (status < 0) throw Error(status, detail);
  }
#endif
  /** What the call returned. */
  tuile_status status() const noexcept { return status_; }
  /** Whether that is TUILE_OK, so that there is a value. */
  explicit operator bool() const noexcept { return status_ == TUILE_OK; }
  /** The value. Only for TUILE_OK: anything else is asserted. */
  T &operator*() & noexcept { return assert(*this), value_; }
  /** The same of a constant. */
  const T &operator*() const & noexcept { return assert(*this), value_; }
  /** The value, moved out. */
  T &&operator*() && noexcept { return assert(*this), std::move(value_); }
  /** A member of the value. Only for TUILE_OK. */
  T *operator->() noexcept { return assert(*this), &value_; }
  /** The value, or another one for any answer but TUILE_OK. */
  T value_or(T other) && { return *this ? std::move(value_) : std::move(other); }
  /** The same, as a copy. */
  T value_or(T other) const & { return *this ? value_ : std::move(other); }

 private:
  tuile_status status_;
  T value_;
#ifdef TUILE_NO_EXCEPTIONS
  tuile_error error_;
#endif
};

namespace detail {

template <class Handle, void (*release)(Handle *)>
struct Release {
  void operator()(Handle *handle) const noexcept { release(handle); }
};

/** A handle with one owner; moving leaves the source empty. */
template <class Handle, void (*release)(Handle *)>
class Owner {
 public:
  Owner() = default; /* owns nothing */
  explicit Owner(Handle *handle) noexcept : handle_(handle) {}
  /** The C handle, still owned by this object. */
  Handle *handle() const noexcept { return handle_.get(); }
  explicit operator bool() const noexcept { return handle_ != nullptr; }

 private:
  std::unique_ptr<Handle, Release<Handle, release>> handle_;
};

inline tuile_error no_error() noexcept { return tuile_error{TUILE_OK, 0, {0}}; }

/** call(T *, tuile_error *) as an Answer of the value. */
template <class T, class Call>
Answer<T> answer(Call call) {
  tuile_error error = no_error();
  T value{};
  tuile_status status = call(&value, &error);
  return {status, error, value};
}

/** call(tuile_error *) as an Answer without a value. */
template <class Call>
Answer<> done(Call call) {
  tuile_error error = no_error();
  tuile_status status = call(&error);
  return {status, error};
}

/** The same for a view: call(tuile_bytes *, tuile_error *). */
template <class Call>
Answer<std::string_view> viewed(Call call) {
  tuile_error error = no_error();
  tuile_bytes bytes{nullptr, 0};
  tuile_status status = call(&bytes, &error);
  return {status, error, view(bytes)};
}

/** The same for a new handle: call(Handle **, tuile_error *). */
template <class Owned, class Handle, class Call>
Answer<Owned> opened(Call call) {
  tuile_error error = no_error();
  Handle *handle = nullptr;
  tuile_status status = call(&handle, &error);
  return {status, error, Owned(status == TUILE_OK ? handle : nullptr)};
}

/** The same for text: call(buffer, capacity, size *, tuile_error *), again with
 * the size that it names where the buffer was too small. */
template <class Call>
Answer<std::string> written(Call call) {
  std::string text(240, '\0');
  for (;;) {
    tuile_error error = no_error();
    std::size_t size = 0;
    tuile_status status = call(text.data(), text.size(), &size, &error);
    if (status == TUILE_E_SPACE && size > text.size()) {
      text.resize(size);
      continue;
    }
    text.resize(status == TUILE_OK ? size : 0);
    return {status, error, std::move(text)};
  }
}

/** A host's function behind a C callback. What it throws is kept, as nothing may
 * be thrown through the library, and thrown again by finish(). */
template <class Function>
class Callback {
 public:
  explicit Callback(Function &function) : function_(function) {}
  template <class... Arguments>
  tuile_status call(Arguments &&...arguments) noexcept {
#ifdef TUILE_NO_EXCEPTIONS
    return run(std::forward<Arguments>(arguments)...);
#else
    try {
      return run(std::forward<Arguments>(arguments)...);
    } catch (...) {
      thrown_ = std::current_exception();
      return TUILE_E_CALLBACK;
    }
#endif
  }
  void finish() {
#ifndef TUILE_NO_EXCEPTIONS
    if (thrown_) std::rethrow_exception(thrown_);
#endif
  }

 private:
  template <class... Arguments>
  tuile_status run(Arguments &&...arguments) {
    if constexpr (std::is_same_v<decltype(function_(std::forward<Arguments>(arguments)...)), tuile_status>) {
      return function_(std::forward<Arguments>(arguments)...);
    } else {
      function_(std::forward<Arguments>(arguments)...);
      return TUILE_OK;
    }
  }
  Function &function_;
#ifndef TUILE_NO_EXCEPTIONS
  std::exception_ptr thrown_;
#endif
};

}  // namespace detail
}  // namespace TUILE_ERRORS
}  // namespace tuile

#endif
