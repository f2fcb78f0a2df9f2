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
  Answer<> add(std::string_view key, tuile_secret_format format = TUILE_SECRET_TEXT) {
    return detail::done([&](tuile_error *error) { return tuile_keyring_add(handle(), bytes(key), format, error); });
  }
  /** tuile_keyring_add_file */
  Answer<> add_file(std::string_view path, tuile_secret_format format = TUILE_SECRET_TEXT) {
    return detail::done(
        [&](tuile_error *error) { return tuile_keyring_add_file(handle(), bytes(path), format, error); });
  }
  /** tuile_keyring_add_environment */
  Answer<> add_environment(std::string_view variable, tuile_secret_format format = TUILE_SECRET_TEXT) {
    return detail::done(
        [&](tuile_error *error) { return tuile_keyring_add_environment(handle(), bytes(variable), format, error); });
  }
  /** tuile_keyring_count */
  Answer<std::size_t> count() const {
    return detail::answer<std::size_t>(
        [&](std::size_t *count, tuile_error *) { return tuile_keyring_count(handle(), count); });
  }
};

/** tuile_secret_generate */
inline Answer<std::string> generate_secret() {
  return detail::written([](char *buffer, std::size_t capacity, std::size_t *size, tuile_error *error) {
    return tuile_secret_generate(buffer, capacity, size, error);
  });
}

/** What a token holds, and what its check found out. */
template <class Text>
struct Verified {
  Text value;        /**< The text or JSON in it. */
  int64_t timestamp; /**< Unix seconds, or TUILE_UNSET. */
  std::size_t secret; /**< 0 the secret, 1 the first fallback, and so on. */
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
  /** tuile_token_sign */
  Answer<std::string> sign(std::string_view value, int64_t now = TUILE_UNSET) const {
    return write(tuile_token_sign, value, false, now);
  }
  /** tuile_token_verify; the value's view points into token. */
  Answer<Verified<std::string_view>> verify(std::string_view token, int64_t max_age = TUILE_UNSET,
                                            int64_t now = TUILE_UNSET) const {
    tuile_verification found = verification(token, max_age, now);
    tuile_bytes value{nullptr, 0};
    tuile_error error = detail::no_error();
    tuile_status status = tuile_token_verify(handle(), &found, &value, &error);
    return {status, error, {view(value), found.timestamp, found.secret}};
  }
  /** tuile_token_unsign */
  Answer<Verified<std::string>> unsign(std::string_view token, int64_t max_age = TUILE_UNSET,
                                       int64_t now = TUILE_UNSET) const {
    return read(tuile_token_unsign, token, max_age, now);
  }
  /** tuile_token_dumps */
  Answer<std::string> dumps(std::string_view json, bool compress = false, int64_t now = TUILE_UNSET) const {
    return write(tuile_token_dumps, json, compress, now);
  }
  /** tuile_token_loads; the value is JSON. */
  Answer<Verified<std::string>> loads(std::string_view token, int64_t max_age = TUILE_UNSET,
                                      int64_t now = TUILE_UNSET) const {
    return read(tuile_token_loads, token, max_age, now);
  }

 private:
  using Writer = decltype(&tuile_token_sign);
  using Reader = decltype(&tuile_token_unsign);
  Answer<std::string> write(Writer writer, std::string_view value, bool compress, int64_t now) const {
    tuile_signing signing = TUILE_SIGNING_INIT;
    signing.value = bytes(value), signing.compress = compress, signing.now = now;
    return detail::written([&](char *buffer, std::size_t capacity, std::size_t *size, tuile_error *error) {
      return writer(handle(), &signing, buffer, capacity, size, error);
    });
  }
  static tuile_verification verification(std::string_view token, int64_t max_age, int64_t now) {
    tuile_verification found = TUILE_VERIFICATION_INIT;
    found.token = bytes(token), found.max_age = max_age, found.now = now;
    return found;
  }
  Answer<Verified<std::string>> read(Reader reader, std::string_view token, int64_t max_age, int64_t now) const {
    tuile_verification found = verification(token, max_age, now);
    tuile_error last = detail::no_error();
    auto text = detail::written([&](char *buffer, std::size_t capacity, std::size_t *size, tuile_error *error) {
      tuile_status status = reader(handle(), &found, buffer, capacity, size, error);
      last = *error;
      return status;
    });
    Verified<std::string> value{{}, found.timestamp, found.secret};
    if (text) value.value = *std::move(text);
    return {text.status(), last, std::move(value)};
  }
};

}  // namespace TUILE_ERRORS
}  // namespace tuile

#endif
