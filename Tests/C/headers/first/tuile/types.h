/* tuile/types.h - the structs, enums and callbacks of libtuile.
 *
 * Included by <tuile.h>, and imported by the library's own Swift sources, so
 * that both sides of the boundary share one definition. Include <tuile.h>.
 *
 * Conventions
 * - Sizes are in bytes. Times named `now` or `expires` of cookies and signers
 *   are Unix seconds; times in the store contract are Unix microseconds, and
 *   say so. Ages are in seconds.
 * - Text is UTF-8 and never needs a terminating NUL.
 * - Structs that start with `size` are set up with their _INIT macro or their
 *   _init function, and grow only at their end.
 */
#ifndef TUILE_TYPES_H
#define TUILE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a call answers: 0 is fine, a positive number is an ordinary answer
 *  that is no error, a negative number is an error. The numbers are fixed. */
typedef enum tuile_status {
  TUILE_OK = 0,

  TUILE_ABSENT = 1,        /**< No such cookie, key or session; the end of a walk. */
  TUILE_EXPIRED = 2,       /**< The signature is right, but it is too old. */
  TUILE_BAD_SIGNATURE = 3, /**< Tampered with, cut, or signed with another key or salt. */
  TUILE_CONFLICT = 4,      /**< Store: what is stored is not what was expected. */
  TUILE_EXISTS = 5,        /**< Store: the key is taken. */
  TUILE_DELETED = 6,       /**< The session was deleted meanwhile; nothing was saved. */

  TUILE_E_ARGUMENT = -1, /**< A NULL, an unknown constant, a size that can't be. */
  TUILE_E_SPACE = -2,    /**< The buffer is too small; the size needed was stored. */
  TUILE_E_LIMIT = -3,    /**< Larger than a documented limit. */
  TUILE_E_SYNTAX = -4,   /**< Malformed: JSON, UTF-8, URL, cookie name, value or attribute. */
  TUILE_E_RULE = -5,     /**< Well-formed, but browsers would refuse the cookie. */
  TUILE_E_TYPE = -6,     /**< The value is there, but of another type. */
  TUILE_E_RANGE = -7,    /**< A number or date does not fit. */
  TUILE_E_MEMORY = -8,   /**< Memory ran out. */
  TUILE_E_RANDOM = -9,   /**< The system gave no random bytes. */
  TUILE_E_STORE = -10,   /**< The store failed or could not be reached. */
  TUILE_E_BUSY = -11,    /**< The store, or one session in it, was busy for too long. */
  TUILE_E_CORRUPT = -12, /**< The store's file or table is damaged or not a session store. */
  TUILE_E_CALLBACK = -13 /**< A callback of the host refused. */
} tuile_status;

/** Bytes that belong to someone else. An input is borrowed for the call only;
 *  an output states its life. {NULL, 0} is empty; {NULL, n} is an error. */
typedef struct tuile_bytes {
  const void *data;
  size_t size;
} tuile_bytes;

/** A tuile_bytes from a string literal, its NUL left out. */
#define TUILE_STR(literal) TUILE_COMPOUND_(tuile_bytes){ (literal), sizeof(literal) - 1 }
#ifdef __cplusplus
#define TUILE_COMPOUND_(type) type
#else
#define TUILE_COMPOUND_(type) (type)
#endif

/** Detail on a failure, owned by the caller; every function that takes one
 *  accepts NULL. It is written only when the status is negative. The message
 *  is English, ends with a NUL, and holds no secret, session key or payload. */
typedef struct tuile_error {
  tuile_status status;
  size_t offset;     /**< Where in the input, in bytes, for syntax errors; else 0. */
  char message[240];
} tuile_error;

/** "Not given": no Max-Age, no age limit, or, as the present time, the clock. */
#define TUILE_UNSET INT64_MIN

/* ------------------------------------------------------------- cookies -- */

/** One pair of a Cookie header. Both views point into the header. */
typedef struct tuile_cookie {
  tuile_bytes name;
  tuile_bytes value;
} tuile_cookie;

/** Which of several cookies of one name is meant. */
typedef enum tuile_match {
  TUILE_MATCH_FIRST = 0, /**< The one that the browser finds most specific. */
  TUILE_MATCH_LAST = 1   /**< What Django's and Python's parsers keep. */
} tuile_match;

/** The SameSite attribute. */
typedef enum tuile_same_site {
  TUILE_SAME_SITE_UNSET = 0,
  TUILE_SAME_SITE_LAX = 1,
  TUILE_SAME_SITE_STRICT = 2,
  TUILE_SAME_SITE_NONE = 3
} tuile_same_site;

/** The fields of a Set-Cookie header. */
typedef struct tuile_set_cookie {
  size_t size; /**< sizeof(tuile_set_cookie) */
  tuile_bytes name;
  tuile_bytes value;
  tuile_bytes domain; /**< Empty: the cookie is for this host only. */
  tuile_bytes path;   /**< Empty: no Path attribute is written. */
  int64_t max_age;    /**< Seconds, or TUILE_UNSET. */
  int64_t expires;    /**< Unix seconds, or TUILE_UNSET. */
  tuile_same_site same_site;
  bool secure;
  bool http_only;
  bool partitioned;
} tuile_set_cookie;

#define TUILE_SET_COOKIE_INIT                                                  \
  { sizeof(tuile_set_cookie), {NULL, 0}, {NULL, 0}, {NULL, 0}, {"/", 1},       \
    TUILE_UNSET, TUILE_UNSET, TUILE_SAME_SITE_UNSET, false, false, false }

/* ------------------------------------------------------------- signing -- */

/** Signs and verifies text with keys made from secrets. Safe from all threads. */
typedef struct tuile_signer tuile_signer;

/** What a signer is made from. All is copied; the secrets are wiped on free. */
typedef struct tuile_signer_config {
  size_t size;          /**< sizeof(tuile_signer_config) */
  tuile_bytes secret;   /**< Signs and verifies. Django's SECRET_KEY. */
  const tuile_bytes *fallbacks; /**< Older secrets that only verify. */
  size_t fallback_count;        /**< At most 64. */
  tuile_bytes salt;     /**< The purpose; Django's salt. Never a secret. */
  bool timed;           /**< true: TimestampSigner, dumps; false: Signer. */
} tuile_signer_config;

#define TUILE_SIGNER_CONFIG_INIT                                               \
  { sizeof(tuile_signer_config), {NULL, 0}, NULL, 0, {NULL, 0}, true }

/** What verification found out besides the value. */
typedef struct tuile_verified {
  int64_t timestamp; /**< Unix seconds at signing, or TUILE_UNSET if untimed. */
  size_t key;        /**< 0 the secret, 1 the first fallback, and so on. */
} tuile_verified;

/* -------------------------------------------------------------- stores -- */

/** Where sessions are kept. Safe from all threads, and across fork(). */
typedef struct tuile_store tuile_store;

/** Takes what a store loaded. `data` is borrowed for the call; `expires` is
 *  in Unix microseconds. */
typedef void (*tuile_receive)(void *context, tuile_bytes data, int64_t expires);

/** What a store of your own does. Each function may be called from several
 *  threads at once; `context` is what was given to tuile_store_new. Keys have
 *  8 to 40 bytes of a-z and 0-9. Times are Unix microseconds. A store returns
 *  TUILE_E_STORE for any failure of its own and may fill `error` (never NULL
 *  here); it must not call back into the same store or session. */
typedef struct tuile_store_ops {
  size_t size; /**< sizeof(tuile_store_ops) */
  /** true: only this process can write the data (it lives in its memory), so
   *  that sessions are stored as plain JSON; false: they are signed. */
  bool trusted;
  /** TUILE_OK after exactly one `receive`, or TUILE_ABSENT if there is no such
   *  key or its expiry is not later than `now`. */
  tuile_status (*load)(void *context, tuile_bytes key, int64_t now,
                       tuile_receive receive, void *receiver, tuile_error *error);
  /** TUILE_OK, or TUILE_EXISTS if the key is stored, expired or not. */
  tuile_status (*create)(void *context, tuile_bytes key, tuile_bytes data,
                         int64_t expires, tuile_error *error);
  /** Replaces the data if it is `expected`, to the byte, as one atomic step:
   *  TUILE_OK, TUILE_CONFLICT if other data is stored, TUILE_ABSENT if none. */
  tuile_status (*replace)(void *context, tuile_bytes key, tuile_bytes expected,
                          tuile_bytes data, int64_t expires, tuile_error *error);
  /** Sets the expiry only: TUILE_OK or TUILE_ABSENT. */
  tuile_status (*touch)(void *context, tuile_bytes key, int64_t expires,
                        tuile_error *error);
  /** TUILE_OK, whether or not the key was there. */
  tuile_status (*remove)(void *context, tuile_bytes key, tuile_error *error);
  /** Removes at most `limit` sessions whose expiry is before `now` and stores
   *  how many it removed. */
  tuile_status (*sweep)(void *context, int64_t now, size_t limit,
                        size_t *removed, tuile_error *error);
  /** Called once, when the store is closed. May be NULL. */
  void (*close)(void *context);
} tuile_store_ops;

#define TUILE_STORE_OPS_INIT                                                   \
  { sizeof(tuile_store_ops), false, NULL, NULL, NULL, NULL, NULL, NULL, NULL }

/* ------------------------------------------------------------ sessions -- */

/** One per application: configuration, keys and store. Safe from all threads. */
typedef struct tuile_manager tuile_manager;

/** One per request. Belongs to one thread at a time. */
typedef struct tuile_session tuile_session;

/** The present time in Unix microseconds. */
typedef int64_t (*tuile_clock)(void *context);

/** Adds a header to the response; both views are borrowed for the call. Any
 *  answer but TUILE_OK ends the commit with TUILE_E_CALLBACK. */
typedef tuile_status (*tuile_add_header)(void *context, tuile_bytes name,
                                         tuile_bytes value);

/** What a manager is made from; the names and defaults are Django's. All is
 *  copied, except that `open_store` and `clock_context` must outlive it. */
typedef struct tuile_config {
  size_t size;          /**< sizeof(tuile_config) */
  tuile_bytes secret;   /**< SECRET_KEY; needed unless the store is trusted. */
  const tuile_bytes *fallbacks; /**< SECRET_KEY_FALLBACKS: older, only verify. */
  size_t fallback_count;        /**< At most 64. */
  tuile_bytes store;    /**< "memory:" or "sqlite:///absolute/path". */
  tuile_store *open_store; /**< Used in place of `store`; the host closes it later. */
  tuile_bytes cookie_name;   /**< SESSION_COOKIE_NAME: "sessionid". */
  tuile_bytes cookie_domain; /**< SESSION_COOKIE_DOMAIN: empty. */
  tuile_bytes cookie_path;   /**< SESSION_COOKIE_PATH: "/". */
  int64_t cookie_age;        /**< SESSION_COOKIE_AGE: 1209600 seconds. */
  tuile_same_site cookie_same_site; /**< SESSION_COOKIE_SAMESITE: Lax. */
  bool cookie_secure;      /**< SESSION_COOKIE_SECURE: false. */
  bool cookie_http_only;   /**< SESSION_COOKIE_HTTPONLY: true. */
  bool cookie_partitioned; /**< Partitioned (CHIPS): false. */
  bool expire_at_browser_close; /**< SESSION_EXPIRE_AT_BROWSER_CLOSE: false. */
  bool save_every_request;      /**< SESSION_SAVE_EVERY_REQUEST: false. */
  size_t max_data;     /**< Most bytes of a session's JSON: 1048576. */
  tuile_clock clock;   /**< NULL: the system's. */
  void *clock_context; /**< Given to `clock`. */
} tuile_config;

#define TUILE_CONFIG_INIT                                                      \
  { sizeof(tuile_config), {NULL, 0}, NULL, 0, {NULL, 0}, NULL,                 \
    {"sessionid", 9}, {NULL, 0}, {"/", 1}, 1209600, TUILE_SAME_SITE_LAX,       \
    false, true, false, false, false, 1048576, NULL, NULL }

/** The JSON type of a session's value. */
typedef enum tuile_type {
  TUILE_TYPE_NULL = 0,
  TUILE_TYPE_BOOL = 1,
  TUILE_TYPE_INT = 2,    /**< A number without fraction and exponent, of any size. */
  TUILE_TYPE_DOUBLE = 3,
  TUILE_TYPE_STRING = 4,
  TUILE_TYPE_ARRAY = 5,
  TUILE_TYPE_OBJECT = 6
} tuile_type;

/** Counts since the manager was opened. They only grow. */
typedef struct tuile_stats {
  size_t size;              /**< sizeof(tuile_stats), set by the caller. */
  uint64_t loads;           /**< Sessions found in the store. */
  uint64_t misses;          /**< Keys that the store did not have. */
  uint64_t saves;           /**< Sessions created or replaced. */
  uint64_t conflicts;       /**< Commits replayed because another was first. */
  uint64_t deletes;         /**< Sessions removed by flush or cycle_key. */
  uint64_t bad_signatures;  /**< Stored data whose signature did not match. */
  uint64_t resurrections_refused; /**< Saves of a session deleted meanwhile. */
  uint64_t store_failures;  /**< Calls that the store failed. */
} tuile_stats;

#define TUILE_STATS_INIT { sizeof(tuile_stats), 0, 0, 0, 0, 0, 0, 0, 0 }

/* Swift gives a typed pointer only to a complete struct. Nobody else needs to
 * see one: what is behind a handle is an object of the library. */
#ifdef TUILE_SWIFT_IMPORT
struct tuile_signer { char opaque; };
struct tuile_store { char opaque; };
struct tuile_manager { char opaque; };
struct tuile_session { char opaque; };
#endif

#ifdef __cplusplus
}
#endif

#endif /* TUILE_TYPES_H */
