/* tuile.hpp - libtuile for C++17: handles that free themselves, std::string_view
 * for tuile_bytes, std::string for buffers. Header-only; link -ltuile.
 *
 *   tuile_config config = TUILE_CONFIG_INIT;
 *   config.secret = tuile::bytes(secret), config.store = TUILE_STR("memory:");
 *   tuile::Manager manager = *tuile::Manager::open(config);
 *
 *   tuile::Session session = *manager.begin(cookie_header);    // each request
 *   int64_t count = *session.add_int("count", 1);
 *   session.commit(200, [&](std::string_view name, std::string_view value) { ... });
 *
 * Every call that can fail gives a tuile::Answer: true if it is TUILE_OK, with the
 * value behind `*`; false for ordinary answers such as TUILE_ABSENT, which
 * status() tells. Errors are thrown as tuile::Error. With TUILE_NO_EXCEPTIONS
 * defined, or under -fno-exceptions, nothing is thrown: errors are answers as well,
 * and error() has the detail.
 *
 * What each call does, and its errors, is in <tuile.h> under its C name. handle()
 * gives the C handle, for what is not here. Since 0.1.
 */
#ifndef TUILE_HPP
#define TUILE_HPP

#include <tuile/cookies.hpp>
#include <tuile/queue.hpp>
#include <tuile/sessions.hpp>
#include <tuile/signing.hpp>
#include <tuile/state.hpp>

#endif
