/* tuile/signing.hpp - keys and signers. Include <tuile.hpp>. */
#ifndef TUILE_SIGNING_HPP
#define TUILE_SIGNING_HPP

#include <tuile/answer.hpp>

namespace tuile {
inline namespace TUILE_ERRORS {

/** Secrets in the order of their use. Belongs to one thread while keys are added. */
class Keyring : public detail::Owner<tuile_keyring, tuile_keyring_free> {
 public:
  using Owner::Owner;
  /** tuile_keyring_new */
  static Answer<Keyring> make(bool allow_weak = false) {
    return detail::opened<Keyring, tuile_keyring>(
        [&](tuile_keyring **keyring, tuile_error *error) { return tuile_keyring_new(allow_weak, keyring, error); });
  }
  /** tuile_keyring_add */
  Answer<> add(std::string_view key, tuile_key_format format = TUILE_KEY_TEXT) {
    return detail::done([&](tuile_error *error) { return tuile_keyring_add(handle(), bytes(key), format, error); });
  }
  /** tuile_keyring_add_file */
  Answer<> add_file(std::string_view path, tuile_key_format format = TUILE_KEY_TEXT) {
    return detail::done(
        [&](tuile_error *error) { return tuile_keyring_add_file(handle(), bytes(path), format, error); });
  }
  /** tuile_keyring_add_environment */
  Answer<> add_environment(std::string_view variable, tuile_key_format format = TUILE_KEY_TEXT) {
    return detail::done(
        [&](tuile_error *error) { return tuile_keyring_add_environment(handle(), bytes(variable), format, error); });
  }
  /** tuile_keyring_count */
  Answer<std::size_t> count() const {
    return detail::answer<std::size_t>(
        [&](std::size_t *count, tuile_error *) { return tuile_keyring_count(handle(), count); });
  }
};

/** tuile_key_generate */
inline Answer<std::string> generate_key() {
  return detail::written([](char *buffer, std::size_t capacity, std::size_t *size, tuile_error *) {
    return tuile_key_generate(buffer, capacity, size);
  });
}

/** What a token holds, and what its check found out. */
template <class Text>
struct Verified {
  Text value;        /**< The text or JSON in it. */
  int64_t timestamp; /**< Unix seconds, or TUILE_UNSET. */
  std::size_t key;   /**< 0 the secret, 1 the first fallback, and so on. */
};

/** Makes and reads tokens. Safe from all threads. */
class Signer : public detail::Owner<tuile_signer, tuile_signer_free> {
 public:
  using Owner::Owner;
  /** tuile_signer_new */
  static Answer<Signer> make(const tuile_signer_config &config) {
    return detail::opened<Signer, tuile_signer>(
        [&](tuile_signer **signer, tuile_error *error) { return tuile_signer_new(&config, signer, error); });
  }
  /** tuile_signer_sign */
  Answer<std::string> sign(std::string_view value, int64_t now = TUILE_UNSET) const {
    return detail::written([&](char *buffer, std::size_t capacity, std::size_t *size, tuile_error *) {
      return tuile_signer_sign(handle(), bytes(value), now, buffer, capacity, size);
    });
  }
  /** tuile_signer_verify; the value's view points into token. */
  Answer<Verified<std::string_view>> verify(std::string_view token, int64_t max_age = TUILE_UNSET,
                                            int64_t now = TUILE_UNSET) const {
    tuile_verified found{};
    tuile_bytes value{nullptr, 0};
    tuile_status status = tuile_signer_verify(handle(), bytes(token), max_age, now, &value, &found);
    return {status, detail::no_error(), {view(value), found.timestamp, found.key}};
  }
  /** tuile_signer_open */
  Answer<Verified<std::string>> open(std::string_view token, int64_t max_age = TUILE_UNSET,
                                     int64_t now = TUILE_UNSET) const {
    return read(tuile_signer_open, token, max_age, now);
  }
  /** tuile_signer_dumps */
  Answer<std::string> dumps(std::string_view json, bool compress = false, int64_t now = TUILE_UNSET) const {
    return detail::written([&](char *buffer, std::size_t capacity, std::size_t *size, tuile_error *error) {
      return tuile_signer_dumps(handle(), bytes(json), compress, now, buffer, capacity, size, error);
    });
  }
  /** tuile_signer_loads; the value is JSON. */
  Answer<Verified<std::string>> loads(std::string_view token, int64_t max_age = TUILE_UNSET,
                                      int64_t now = TUILE_UNSET) const {
    return read(tuile_signer_loads, token, max_age, now);
  }

 private:
  using Reader = decltype(&tuile_signer_open);
  Answer<Verified<std::string>> read(Reader reader, std::string_view token, int64_t max_age, int64_t now) const {
    tuile_verified found{};
    tuile_error last = detail::no_error();
    auto text = detail::written([&](char *buffer, std::size_t capacity, std::size_t *size, tuile_error *error) {
      tuile_status status = reader(handle(), bytes(token), max_age, now, buffer, capacity, size, &found, error);
      last = *error;
      return status;
    });
    Verified<std::string> value{{}, found.timestamp, found.key};
    if (text) value.value = *std::move(text);
    return {text.status(), last, std::move(value)};
  }
};

}  // namespace TUILE_ERRORS
}  // namespace tuile

#endif
