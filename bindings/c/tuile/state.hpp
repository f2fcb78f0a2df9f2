/* tuile/state.hpp - URLs, hidden form fields, CSRF. Include <tuile.hpp>. */
#ifndef TUILE_STATE_HPP
#define TUILE_STATE_HPP

#include <tuile/signing.hpp>

namespace tuile {
inline namespace TUILE_ERRORS {

/** tuile_url_write */
inline Answer<std::string> write_url(std::string_view url, tuile_url_place place, std::string_view name,
                                     std::string_view value) {
  tuile_url_parameter parameter = TUILE_URL_PARAMETER_INIT;
  parameter.place = place, parameter.name = bytes(name), parameter.value = bytes(value);
  return detail::written([&](char *buffer, std::size_t capacity, std::size_t *size, tuile_error *error) {
    return tuile_url_write(bytes(url), &parameter, buffer, capacity, size, error);
  });
}

/** tuile_url_read; the answer points into url. */
inline Answer<std::string_view> read_url(std::string_view url, tuile_url_place place, std::string_view name) {
  return detail::viewed([&](tuile_bytes *value, tuile_error *error) {
    return tuile_url_read(bytes(url), place, bytes(name), value, error);
  });
}

/** tuile_hidden_field_write */
inline Answer<std::string> write_hidden_field(const Signer &signer, const tuile_hidden_field &field,
                                              std::string_view value, int64_t now = TUILE_UNSET) {
  tuile_hidden_field given = field;
  given.value = bytes(value), given.now = now;
  return detail::written([&](char *buffer, std::size_t capacity, std::size_t *size, tuile_error *error) {
    return tuile_hidden_field_write(signer.handle(), &given, buffer, capacity, size, error);
  });
}

/** tuile_hidden_field_read */
inline Answer<std::string> read_hidden_field(const Signer &signer, const tuile_hidden_field &field,
                                             std::string_view body, int64_t max_age = TUILE_UNSET,
                                             int64_t now = TUILE_UNSET) {
  tuile_hidden_field given = field;
  given.body = bytes(body), given.max_age = max_age, given.now = now;
  return detail::written([&](char *buffer, std::size_t capacity, std::size_t *size, tuile_error *error) {
    return tuile_hidden_field_read(signer.handle(), &given, buffer, capacity, size, error);
  });
}

/** tuile_csrf_secret */
inline Answer<std::string> csrf_secret() {
  return detail::written([](char *buffer, std::size_t capacity, std::size_t *size, tuile_error *error) {
    return tuile_csrf_secret(buffer, capacity, size, error);
  });
}

/** tuile_csrf_token */
inline Answer<std::string> csrf_token(std::string_view secret) {
  return detail::written([&](char *buffer, std::size_t capacity, std::size_t *size, tuile_error *error) {
    return tuile_csrf_token(bytes(secret), buffer, capacity, size, error);
  });
}

/** tuile_csrf_verify: TUILE_CSRF_NONE if the request may go on, else why not. */
inline Answer<tuile_csrf_reason> verify_csrf(const tuile_csrf_request &request) {
  return detail::answer<tuile_csrf_reason>([&](tuile_csrf_reason *reason, tuile_error *error) {
    tuile_status status = tuile_csrf_verify(&request, reason, error);
    return status == TUILE_REFUSED ? TUILE_OK : status;
  });
}

}  // namespace TUILE_ERRORS
}  // namespace tuile

#endif
