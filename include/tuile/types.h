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
 *   _init function, and grow only at their end. A program's may be shorter than
 *   the library's: it is neither read nor written behind its size, and what it
 *   has not has its default. It may be longer where the rest is zero. Any other
 *   size (one that no version has, or over 4096) is TUILE_E_ARGUMENT.
 */
#ifndef TUILE_TYPES_H
#define TUILE_TYPES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#ifdef __cplusplus
extern "C" {
#endif

/** What a call answers: 0 is fine, a positive number is an ordinary answer
 *  that is no error, a negative number is an error. The numbers are fixed. */
typedef enum tuile_status {
  TUILE_OK = 0,            /**< It is done. */

  TUILE_ABSENT = 1,        /**< No such cookie, key or session; the end of a walk. */
  TUILE_EXPIRED = 2,       /**< The signature is right, but it is too old. */
  TUILE_BAD_SIGNATURE = 3, /**< Tampered with, cut, or signed with another secret or salt. */
  TUILE_CONFLICT = 4,      /**< Store: what is stored is not what was expected. */
  TUILE_EXISTS = 5,        /**< Store: the key is taken. */
  TUILE_DELETED = 6,       /**< The session was deleted meanwhile; nothing was saved. */
  TUILE_REFUSED = 7,       /**< CSRF: the request may be forged. */
  TUILE_UNREADABLE = 8,    /**< What is there can't be verified or read: it is left alone. */
  TUILE_UNBOUND = 9,       /**< A device-bound session came without its bound cookie: nothing is shown or saved. Since 0.2. */

  TUILE_E_ARGUMENT = -1, /**< A NULL, an unknown constant, a size that can't be. */
  TUILE_E_SPACE = -2,    /**< The buffer is too small; the size needed was stored. */
  TUILE_E_LIMIT = -3,    /**< Larger than a documented limit. */
  TUILE_E_SYNTAX = -4,   /**< Malformed: JSON, UTF-8, URL, cookie name, value or attribute. */
  TUILE_E_RULE = -5,     /**< Well-formed, but browsers would refuse or change the cookie. */
  TUILE_E_TYPE = -6,     /**< The value is there, but of another type. */
  TUILE_E_RANGE = -7,    /**< A number or date does not fit. */
  TUILE_E_MEMORY = -8,   /**< Memory ran out. */
  TUILE_E_RANDOM = -9,   /**< The system gave no random bytes. */
  TUILE_E_STORE = -10,   /**< The store failed or could not be reached. */
  TUILE_E_BUSY = -11,    /**< The store, or one session in it, was busy for too long. */
  TUILE_E_CORRUPT = -12, /**< The store's file or table is damaged or not a session store. */
  TUILE_E_CALLBACK = -13, /**< A callback of the host refused. */
  TUILE_E_MISSING = -14, /**< A library that is loaded on use is not installed. */
  TUILE_E_FILE = -15,    /**< A file could not be read or written. */
  TUILE_E_UNKNOWN = -16, /**< The store gave no answer to a write: saved or not, nobody knows. */
  TUILE_E_CANCELLED = -17 /**< It was cancelled before it began: nothing was done. Since 0.2. */
} tuile_status;

/** Bytes that belong to someone else. An input is borrowed for the call only;
 *  an output states its life. {NULL, 0} is empty; {NULL, n} is an error. */
typedef struct tuile_bytes {
  const void *data; /**< NULL only with size 0. */
  size_t size;      /**< In bytes. */
} tuile_bytes;

/** A tuile_bytes from a string literal, its NUL left out. Anything else does not
 *  compile: of a pointer or an array the size is not the text's. tuile_text takes those. */
#define TUILE_STR(literal) TUILE_COMPOUND_(tuile_bytes){ ("" literal ""), sizeof("" literal "") - 1 }
#ifdef __cplusplus
#define TUILE_COMPOUND_(type) type
#else
#define TUILE_COMPOUND_(type) (type)
#endif

#ifndef TUILE_SWIFT_IMPORT
/** The bytes of a text that ends with a NUL, which is left out; NULL is empty. The
 *  text stays the caller's. Since 0.2. */
static inline tuile_bytes tuile_text(const char *text) {
  tuile_bytes bytes = {text, 0};
  if (text) bytes.size = strlen(text);
  return bytes;
}
#endif

/* What gcc and clang then notice. A program that wants to do it all the same, such as
 * a test that gives NULL, defines the macro as nothing before it includes this. */
#ifndef TUILE_MUST_CHECK
#ifdef __GNUC__
/** In front of a function whose answer is for nothing if nobody looks at it. */
#define TUILE_MUST_CHECK __attribute__((warn_unused_result))
#else
#define TUILE_MUST_CHECK
#endif
#endif
#ifndef TUILE_NONNULL
#ifdef __GNUC__
/** In front of a function to which NULL in these places, counted from 1, is a mistake. It
 *  still answers it with a status. */
#define TUILE_NONNULL(...) __attribute__((nonnull(__VA_ARGS__)))
#else
#define TUILE_NONNULL(...)
#endif
#endif

/** Detail on a failure, owned by the caller; every function that takes one
 *  accepts NULL. It is written only when the status is negative. The message
 *  is English, ends with a NUL, and holds no secret, session ID or payload. */
typedef struct tuile_error {
  tuile_status status; /**< What the call returned. */
  size_t offset;     /**< Where in the input, in bytes, for syntax errors; else 0. */
  char message[240]; /**< English, ended by a NUL. */
} tuile_error;

/** "Not given": no Max-Age, no age limit, or, as the present time, the clock. */
#define TUILE_UNSET INT64_MIN

/* ------------------------------------------------------------- cookies -- */

/** One pair of a Cookie header. Both views point into the header. */
typedef struct tuile_cookie {
  tuile_bytes name;  /**< May be empty. */
  tuile_bytes value; /**< As it was sent, quotes included. */
} tuile_cookie;

/** Which of several cookies of one name is meant. */
typedef enum tuile_match {
  TUILE_MATCH_FIRST = 0, /**< The one that the browser finds most specific. */
  TUILE_MATCH_LAST = 1   /**< What Django's and Python's parsers keep. */
} tuile_match;

/** Which of several cookies of one name counts, and what quotes around its value
 *  mean, as frameworks have it. */
typedef enum tuile_cookie_rule {
  TUILE_COOKIE_RULE_DEFAULT = 0, /**< That of a "cookie:" store's framework, else Django's. */
  TUILE_COOKIE_RULE_DJANGO = 1,  /**< Django, Starlette: the last, unquoted, \ooo a character. */
  TUILE_COOKIE_RULE_FLASK = 2,   /**< Flask: the first, unquoted, \ooo a byte of UTF-8. */
  TUILE_COOKIE_RULE_GO = 3,      /**< Go: the first that it takes, without its quotes. */
  TUILE_COOKIE_RULE_EXPRESS = 4, /**< Express, iron-session: the first, without its quotes. */
  TUILE_COOKIE_RULE_RACK = 5     /**< Rack, Rails: the first, quotes kept. */
} tuile_cookie_rule;

/** How Cookie headers are read. docs/cookies.md compares the modes. */
typedef enum tuile_cookie_mode {
  /** What a browser means (RFC 6265bis): every header has an answer. */
  TUILE_COOKIE_MODE_BROWSER = 0,
  /** What Django's parse_cookie gives; values are unquoted by tuile_cookies_read. */
  TUILE_COOKIE_MODE_DJANGO = 1,
  /** The grammar of RFC 6265bis, section 4.2.1; anything else is an error. */
  TUILE_COOKIE_MODE_STRICT = 2
} tuile_cookie_mode;

/** The Cookie headers of one request, and how to read them. A limit is the
 *  largest that is accepted; SIZE_MAX is none. */
typedef struct tuile_cookies {
  size_t size;                /**< sizeof(tuile_cookies) */
  const tuile_bytes *headers; /**< The values of the request's Cookie headers, read as one. */
  size_t header_count;        /**< HTTP/2 may split the header; usually 1. */
  tuile_cookie_mode mode; /**< TUILE_COOKIE_MODE_BROWSER */
  size_t max_header;  /**< Bytes of all headers together: 65536. */
  size_t max_cookies; /**< 3000 */
  size_t max_name;    /**< Bytes of a name: 4096. */
  size_t max_value;   /**< Bytes of a value, quotes included: 4096. */
} tuile_cookies;

/** Gives every field its default. */
#define TUILE_COOKIES_INIT                                                     \
  { sizeof(tuile_cookies), NULL, 0, TUILE_COOKIE_MODE_BROWSER, 65536, 3000,    \
    4096, 4096 }

/** How text that a cookie can't hold as it is becomes a cookie's value. */
typedef enum tuile_encoding {
  TUILE_ENCODING_RAW = 0,     /**< As it is; what a cookie can't hold is an error. */
  TUILE_ENCODING_PERCENT = 1, /**< %XX, as JavaScript's encodeURIComponent. */
  TUILE_ENCODING_QUOTED = 2,  /**< Python's SimpleCookie, Django: \ooo is a character up to U+00FF. */
  TUILE_ENCODING_QUOTED_UTF8 = 3, /**< Werkzeug, Flask: \ooo is a byte of UTF-8. */
  TUILE_ENCODING_BASE64URL = 4    /**< RFC 4648, section 5, without padding. */
} tuile_encoding;

/** The SameSite attribute. */
typedef enum tuile_same_site {
  TUILE_SAME_SITE_UNSET = 0,
  TUILE_SAME_SITE_LAX = 1,
  TUILE_SAME_SITE_STRICT = 2,
  TUILE_SAME_SITE_NONE = 3
} tuile_same_site;

/** The Priority attribute: what Chromium keeps longest when it has too many. */
typedef enum tuile_priority {
  TUILE_PRIORITY_UNSET = 0,
  TUILE_PRIORITY_LOW = 1,
  TUILE_PRIORITY_MEDIUM = 2,
  TUILE_PRIORITY_HIGH = 3
} tuile_priority;

/** The rules that a Set-Cookie is checked by before it is written, as bits for
 *  `skip_rules`. No bit lets a control character or a ';' through. */
typedef enum tuile_rule {
  TUILE_RULE_NAME = 1 << 0,   /**< The name is a token (RFC 9110). */
  TUILE_RULE_VALUE = 1 << 1,  /**< The value is cookie-octets, quotes as a pair around them. */
  TUILE_RULE_DOMAIN = 1 << 2, /**< The domain is a host name or an address. */
  TUILE_RULE_PATH = 1 << 3,   /**< The path starts with '/', and is ASCII. */
  TUILE_RULE_SIZE = 1 << 4,   /**< Name and value have at most 4096 octets together. */
  TUILE_RULE_ATTRIBUTE_SIZE = 1 << 5, /**< Domain and path have at most 1024 octets. */
  TUILE_RULE_LIFETIME = 1 << 6,    /**< The cookie lives for at most 400 days. */
  TUILE_RULE_SAME_SITE = 1 << 7,   /**< SameSite=None needs Secure. */
  TUILE_RULE_PARTITIONED = 1 << 8, /**< Partitioned needs Secure. */
  TUILE_RULE_PREFIX = 1 << 9       /**< __Secure-, __Host-, __Http-, __Host-Http-. */
} tuile_rule;

/** An ordinary answer of a flat call is this minus the tuile_status. Since 0.2. */
#define TUILE_FLAT_ANSWER (-256)
/** Bits of tuile_flat_set_cookie's `flags`; the last two are what a tuile_same_site
 *  and a tuile_priority are multiplied by. Since 0.2. */
#define TUILE_FLAT_SECURE 1
#define TUILE_FLAT_HTTP_ONLY 2 /**< The attribute HttpOnly. */
#define TUILE_FLAT_PARTITIONED 4 /**< The attribute Partitioned. */
#define TUILE_FLAT_SAME_SITE 16 /**< SameSite. */
#define TUILE_FLAT_PRIORITY 256 /**< Priority. */

/** The fields of a Set-Cookie header. */
typedef struct tuile_set_cookie {
  size_t size; /**< sizeof(tuile_set_cookie) */
  tuile_bytes name;   /**< A token (RFC 9110). */
  tuile_bytes value;  /**< Written as it is: tuile_cookie_encode makes one of any text. */
  tuile_bytes domain; /**< Empty: the cookie is for this host only. */
  tuile_bytes path;   /**< Empty: no Path attribute is written. */
  int64_t max_age;    /**< Seconds, or TUILE_UNSET. */
  int64_t expires;    /**< Unix seconds, or TUILE_UNSET. */
  tuile_same_site same_site; /**< The SameSite attribute, if it is set. */
  bool secure;        /**< Sent over https alone. */
  bool http_only;     /**< Kept from scripts. */
  bool partitioned;   /**< One for each site at the top (CHIPS). */
  tuile_priority priority; /**< The Priority attribute, if it is set. */
  uint32_t skip_rules; /**< tuile_rule bits that are not checked; 0. */
  int64_t now;         /**< Unix seconds, or TUILE_UNSET for the system's clock. */
} tuile_set_cookie;

/** Gives every field its default. */
#define TUILE_SET_COOKIE_INIT                                                  \
  { sizeof(tuile_set_cookie), {NULL, 0}, {NULL, 0}, {NULL, 0}, {"/", 1},       \
    TUILE_UNSET, TUILE_UNSET, TUILE_SAME_SITE_UNSET, false, false, false,      \
    TUILE_PRIORITY_UNSET, 0, TUILE_UNSET }

/** The arguments of Django's HttpResponse.set_cookie, under their names. */
typedef struct tuile_django_cookie {
  size_t size;       /**< sizeof(tuile_django_cookie) */
  tuile_bytes key;   /**< The cookie's name. */
  tuile_bytes value; /**< UTF-8; quoted as Python's SimpleCookie does. */
  int64_t max_age;   /**< Seconds, or TUILE_UNSET; also writes Expires. */
  int64_t expires;   /**< A datetime as Unix seconds, or TUILE_UNSET; also writes Max-Age. */
  tuile_bytes expires_text; /**< expires given as a string: written as it is. */
  tuile_bytes path;  /**< "/"; empty is None. */
  tuile_bytes domain;   /**< Empty is None. */
  tuile_bytes samesite; /**< lax, strict or none in any case, written as given; empty is None. */
  bool secure;       /**< The Secure attribute. */
  bool httponly;     /**< The HttpOnly attribute. */
  int64_t now;       /**< Unix seconds, or TUILE_UNSET for the system's clock. */
} tuile_django_cookie;

/** Gives every field its default. */
#define TUILE_DJANGO_COOKIE_INIT                                               \
  { sizeof(tuile_django_cookie), {NULL, 0}, {NULL, 0}, TUILE_UNSET,            \
    TUILE_UNSET, {NULL, 0}, {"/", 1}, {NULL, 0}, {NULL, 0}, false, false,      \
    TUILE_UNSET }

/* ----------------------------------------------------------------- jar -- */

/** A client's cookies. Safe from all threads, and across fork(). */
typedef struct tuile_jar tuile_jar;

/** The present time in Unix microseconds. */
typedef int64_t (*tuile_clock)(void *context);

/** Whether cookies may not be shared under a domain, such as "com" or "co.uk".
 *  `domain` is in lower case. Called with the jar locked: it must not call the jar. */
typedef bool (*tuile_public_suffix)(void *context, tuile_bytes domain);

/** What knows the public suffixes. */
typedef enum tuile_suffixes {
  TUILE_SUFFIXES_LIBPSL = 0, /**< The system's libpsl, loaded when a jar is made. */
  TUILE_SUFFIXES_LABEL = 1   /**< Names without a dot are; no other is known. */
} tuile_suffixes;

/** What a jar is made from. Limits are at least 1; SIZE_MAX is none. */
typedef struct tuile_jar_config {
  size_t size;         /**< sizeof(tuile_jar_config) */
  size_t max_per_site; /**< Cookies of one registrable domain: 180. Old browsers: 20. */
  size_t max_cookies;  /**< Cookies in all: 3000. */
  tuile_suffixes suffixes; /**< TUILE_SUFFIXES_LIBPSL */
  tuile_public_suffix public_suffix; /**< Asked in place of `suffixes` unless NULL. */
  void *public_suffix_context;       /**< Given to `public_suffix`. */
  tuile_clock clock;   /**< NULL: the system's. */
  void *clock_context; /**< Given to `clock`. */
} tuile_jar_config;

/** Gives every field its default. */
#define TUILE_JAR_CONFIG_INIT                                                  \
  { sizeof(tuile_jar_config), 180, 3000, TUILE_SUFFIXES_LIBPSL, NULL, NULL,    \
    NULL, NULL }

/** How a request stands to the page that it is made for (RFC 6265bis, 5.2). */
typedef enum tuile_site_context {
  TUILE_SITE_SAME = 0,       /**< The same site, or the user's own navigation. */
  TUILE_SITE_NAVIGATION = 1, /**< Another site's link to the whole page, by a safe method. */
  TUILE_SITE_CROSS = 2       /**< Anything else that another site caused. */
} tuile_site_context;

/** A request of a client, or its response. */
typedef struct tuile_jar_request {
  size_t size;     /**< sizeof(tuile_jar_request) */
  tuile_bytes url; /**< http, https, ws or wss, with a host in ASCII. */
  tuile_site_context context; /**< Which SameSite cookies belong to it. */
  bool script;     /**< Not HTTP but a script's access, as document.cookie: no HttpOnly. */
  /** The site of the page at the top, such as "https://example.com": under it
   *  Partitioned cookies are kept apart. Empty: the URL's own host. */
  tuile_bytes top_level_site;
} tuile_jar_request;

/** Gives every field its default. */
#define TUILE_JAR_REQUEST_INIT                                                 \
  { sizeof(tuile_jar_request), {NULL, 0}, TUILE_SITE_SAME, false, {NULL, 0} }

/* ------------------------------------------------------------- signing -- */

/** Makes and reads tokens with keys made from secrets. Safe from all threads. */
typedef struct tuile_signer tuile_signer;

/** Secrets in the order of their use: the first one writes, all read. Belongs to
 *  one thread while keys are added; signers and managers copy it. */
typedef struct tuile_keyring tuile_keyring;

/** How a key is written. */
typedef enum tuile_secret_format {
  TUILE_SECRET_TEXT = 0,  /**< Its bytes are the key. */
  TUILE_SECRET_HEX = 1,   /**< Digits in either case. */
  TUILE_SECRET_BASE64 = 2 /**< Either alphabet, padded or not. */
} tuile_secret_format;

/** Added to the format of tuile_keyring_add_file: others than its owner may read the file. Since 0.1.1. */
#define TUILE_SECRET_SHARED_FILE 0x100

/** Whose tokens a signer makes and reads. docs/formats.md has the details. */
typedef enum tuile_dialect {
  TUILE_DIALECT_DJANGO = 0,        /**< Signer, TimestampSigner (timed), dumps and loads. */
  TUILE_DIALECT_DJANGO_COOKIE = 1, /**< set_signed_cookie: name, and salt; legacy reads the old salt too. */
  TUILE_DIALECT_ITSDANGEROUS = 2,  /**< Signer, TimestampSigner, URLSafe(Timed)Serializer: salt, derivation, digest. */
  TUILE_DIALECT_FLASK = 3,         /**< The session cookie: its salt "cookie-session" unless one is set. */
  TUILE_DIALECT_STARLETTE = 4,     /**< SessionMiddleware's cookie. */
  TUILE_DIALECT_COOKIE_SIGNATURE = 5, /**< Node's cookie-signature. */
  TUILE_DIALECT_EXPRESS = 6,       /**< The same as Express writes it: s: and j:, percent-encoded. */
  TUILE_DIALECT_KEYGRIP = 7,       /**< cookie-session: name; the token is value.signature of the two cookies. */
  TUILE_DIALECT_RAILS_SIGNED = 8,  /**< Rails 5.2 to 8: name, digest of the key generator, iterations, lifetime. */
  TUILE_DIALECT_RAILS_ENCRYPTED = 9, /**< The same, AES-256-GCM. */
  TUILE_DIALECT_GORILLA = 10,      /**< securecookie, JSON or text: name, block_secret. */
  TUILE_DIALECT_RACK = 11,         /**< rack-session 2, JSON: name is the purpose; legacy writes version 1. */
  TUILE_DIALECT_COOKIE_RS_SIGNED = 12,  /**< Rust's cookie crate, signed jar. */
  TUILE_DIALECT_COOKIE_RS_PRIVATE = 13, /**< Its private jar: name. */
  TUILE_DIALECT_IRON_SESSION = 14, /**< iron-session 8: lifetime. */
  TUILE_DIALECT_SEALED = 15,       /**< Tuile's own, encrypted: salt is the purpose, name, lifetime. */
  TUILE_DIALECT_SIGNED = 16,       /**< Tuile's own, signed alone. */
  TUILE_DIALECT_FERNET = 17,       /**< Fernet, as aiohttp-session uses it: secrets in URL-safe base64, or 32 bytes. */
  TUILE_DIALECT_TORNADO = 18,      /**< Tornado's signed values, version 2: name; legacy reads version 1 too. */
  TUILE_DIALECT_HONO = 19,         /**< Hono's and better-auth's signed cookies, percent-encoded. */
  TUILE_DIALECT_JWT = 20,          /**< Signed JWTs: secrets as text or PEM, digest, salt is the audience, lifetime,
                                        leeway, timed writes iat; legacy: allow a secret shorter than its hash. */
  TUILE_DIALECT_LARAVEL = 21,      /**< Laravel's cookies, AES-CBC: name, secrets as APP_KEY. */
  TUILE_DIALECT_LARAVEL_GCM = 22,  /**< The same, AES-GCM. */
  TUILE_DIALECT_AUTH_JS = 23,      /**< Auth.js 5: name, lifetime; legacy writes NextAuth.js 4's, and reads both. */
  TUILE_DIALECT_DATA_PROTECTION = 24 /**< ASP.NET Core: secrets of the key ring, salt is the purposes, one a line. */
} tuile_dialect;

/** A hash function. */
typedef enum tuile_digest {
  TUILE_DIGEST_DEFAULT = 0, /**< The dialect's own. */
  TUILE_DIGEST_SHA1 = 1,
  TUILE_DIGEST_SHA256 = 2,
  TUILE_DIGEST_SHA512 = 3,
  TUILE_DIGEST_SHA384 = 4
} tuile_digest;

/** A cipher of Rails' encrypted cookies. Since 0.1.1. */
typedef enum tuile_cipher {
  TUILE_CIPHER_DEFAULT = 0, /**< AES-256-GCM */
  TUILE_CIPHER_AES_256_GCM = 1,
  TUILE_CIPHER_AES_192_GCM = 2,
  TUILE_CIPHER_AES_128_GCM = 3,
  TUILE_CIPHER_AES_256_CBC = 4 /**< With a MAC: use_authenticated_cookie_encryption = false. */
} tuile_cipher;

/** How a key comes from salt and secret: itsdangerous' key_derivation. */
typedef enum tuile_derivation {
  TUILE_DERIVATION_DEFAULT = 0, /**< The dialect's own. */
  TUILE_DERIVATION_DJANGO_CONCAT = 1,
  TUILE_DERIVATION_CONCAT = 2,
  TUILE_DERIVATION_HMAC = 3,
  TUILE_DERIVATION_NONE = 4 /**< The secret is the key; for cookie-rs its 64 bytes. */
} tuile_derivation;

/** What a signer is made from. All is copied; the secrets are wiped on free.
 *  Fields that a dialect does not name are not looked at. */
typedef struct tuile_signer_config {
  size_t size;          /**< sizeof(tuile_signer_config) */
  tuile_bytes secret;   /**< Signs and verifies. Django's SECRET_KEY. */
  const tuile_bytes *fallbacks; /**< Older secrets that only verify. */
  size_t fallback_count;        /**< At most 64. */
  tuile_bytes salt;     /**< The purpose; Django's salt. Never a secret. */
  bool timed;           /**< true: TimestampSigner, dumps; false: Signer. */
  tuile_dialect dialect; /**< TUILE_DIALECT_DJANGO */
  tuile_bytes name;     /**< The cookie's name, where tokens are bound to it. */
  tuile_bytes block_secret; /**< gorilla's block key: 16, 24, 32 bytes, or empty to sign alone. */
  tuile_digest digest;  /**< TUILE_DIGEST_DEFAULT */
  tuile_derivation derivation; /**< TUILE_DERIVATION_DEFAULT */
  uint32_t iterations;  /**< PBKDF2 of Rails: 1000. */
  int64_t lifetime;     /**< Seconds for which what is written is good, or TUILE_UNSET. */
  bool legacy;          /**< As the dialect says; SEALED and SIGNED: allow a secret under 32 bytes. */
  const tuile_keyring *keyring; /**< In place of secret and fallbacks unless NULL. */
  int64_t leeway;       /**< JWT: seconds by which clocks may differ, 0 to 2^40. Since 0.1.1, as all that follows. */
  tuile_cipher cipher;  /**< Rails' encrypted_cookie_cipher: AES-256-GCM */
  tuile_digest mac_digest; /**< Rails' signed_cookie_digest, and the MAC's of AES-256-CBC: SHA-1. */
  tuile_bytes mac_salt; /**< Rails' encrypted_signed_cookie_salt, with AES-256-CBC. Its other salts are `salt`. */
} tuile_signer_config;

/** Gives every field its default. */
#define TUILE_SIGNER_CONFIG_INIT                                               \
  { sizeof(tuile_signer_config), {NULL, 0}, NULL, 0, {NULL, 0}, true,          \
    TUILE_DIALECT_DJANGO, {NULL, 0}, {NULL, 0}, TUILE_DIGEST_DEFAULT,          \
    TUILE_DERIVATION_DEFAULT, 1000, TUILE_UNSET, false, NULL, 0,               \
    TUILE_CIPHER_DEFAULT, TUILE_DIGEST_DEFAULT, {NULL, 0} }

/** What a token is made of. Since 0.2. */
typedef struct tuile_signing {
  size_t size;       /**< sizeof(tuile_signing) */
  tuile_bytes value; /**< The text, or for tuile_token_dumps the JSON. */
  int64_t now;       /**< Unix seconds, or TUILE_UNSET for the system's clock. */
  bool compress;     /**< tuile_token_dumps of Django and itsdangerous: deflate what gets shorter. */
} tuile_signing;

/** Gives every field its default. */
#define TUILE_SIGNING_INIT                                                     \
  { sizeof(tuile_signing), {NULL, 0}, TUILE_UNSET, false }

/** A token to be verified, and what was found out besides its value. Since 0.2. */
typedef struct tuile_verification {
  size_t size;       /**< sizeof(tuile_verification) */
  tuile_bytes token; /**< As the browser sent it. */
  /** Seconds, or TUILE_UNSET for no limit. A token of just that age is still good. One from
   *  the future is, too, as in Django, but not in the dialects of itsdangerous. */
  int64_t max_age;
  int64_t now;       /**< Unix seconds, or TUILE_UNSET for the system's clock. */
  int64_t timestamp; /**< Answer: Unix seconds at signing, or TUILE_UNSET if the token has none. */
  size_t secret;     /**< Answer: 0 the secret, 1 the first fallback, and so on. */
} tuile_verification;

/** Gives every field its default. */
#define TUILE_VERIFICATION_INIT                                                \
  { sizeof(tuile_verification), {NULL, 0}, TUILE_UNSET, TUILE_UNSET,           \
    TUILE_UNSET, 0 }

/* ----------------------------------------------- state without cookies -- */

/** Where a URL carries a parameter. */
typedef enum tuile_url_place {
  TUILE_URL_PATH = 0, /**< ;name=value in the path. */
  TUILE_URL_QUERY = 1 /**< name=value in the query. */
} tuile_url_place;

/** A parameter to be set in a URL. Since 0.2. */
typedef struct tuile_url_parameter {
  size_t size;           /**< sizeof(tuile_url_parameter) */
  tuile_url_place place; /**< TUILE_URL_PATH */
  tuile_bytes name;      /**< Letters, digits and - . _ ~ : % */
  tuile_bytes value;     /**< The same; empty: the parameter is taken out. */
} tuile_url_parameter;

/** Gives every field its default. */
#define TUILE_URL_PARAMETER_INIT                                               \
  { sizeof(tuile_url_parameter), TUILE_URL_PATH, {NULL, 0}, {NULL, 0} }

/** A hidden form field: its value, and what that is bound to. */
typedef struct tuile_hidden_field {
  size_t size;            /**< sizeof(tuile_hidden_field) */
  tuile_bytes name;       /**< The field's name in the form. */
  tuile_bytes form;       /**< The form's purpose, such as "checkout". */
  tuile_bytes session_id; /**< Only a hash of it is kept in the page. May be empty. */
  tuile_bytes value;      /**< To be written: UTF-8. Since 0.2, as all that follows. */
  tuile_bytes body;       /**< To be read: the request's urlencoded body. */
  int64_t max_age;        /**< To be read: seconds, or TUILE_UNSET for no limit. */
  int64_t now;            /**< Unix seconds, or TUILE_UNSET for the system's clock. */
} tuile_hidden_field;

/** Gives every field its default. */
#define TUILE_HIDDEN_FIELD_INIT                                                \
  { sizeof(tuile_hidden_field), {NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0},    \
    {NULL, 0}, TUILE_UNSET, TUILE_UNSET }

/** A request as Django's CsrfViewMiddleware looks at it. A header that was not
 *  sent is {NULL, 0}. */
typedef struct tuile_csrf_request {
  size_t size;          /**< sizeof(tuile_csrf_request) */
  tuile_bytes method;   /**< "POST"; GET, HEAD, OPTIONS and TRACE need no token. */
  bool secure;          /**< It came over https. */
  tuile_bytes host;     /**< The Host header, which the server has checked. */
  tuile_bytes origin;   /**< The Origin header. */
  tuile_bytes referer;  /**< The Referer header. */
  tuile_bytes cookie;   /**< The value of the cookie csrftoken. */
  tuile_bytes token;    /**< Of the form field csrfmiddlewaretoken or the header X-CSRFToken. */
  const tuile_bytes *trusted_origins; /**< CSRF_TRUSTED_ORIGINS, with '*' for all below a domain. */
  size_t trusted_count; /**< How many there are. */
  tuile_bytes cookie_domain; /**< CSRF_COOKIE_DOMAIN, or empty. */
} tuile_csrf_request;

/** Gives every field its default. */
#define TUILE_CSRF_REQUEST_INIT                                                \
  { sizeof(tuile_csrf_request), {NULL, 0}, false, {NULL, 0}, {NULL, 0},        \
    {NULL, 0}, {NULL, 0}, {NULL, 0}, NULL, 0, {NULL, 0} }

/** Why a request was refused; Django's reasons. */
typedef enum tuile_csrf_reason {
  TUILE_CSRF_NONE = 0,
  TUILE_CSRF_BAD_ORIGIN = 1,
  TUILE_CSRF_NO_REFERER = 2,
  TUILE_CSRF_MALFORMED_REFERER = 3,
  TUILE_CSRF_INSECURE_REFERER = 4,
  TUILE_CSRF_BAD_REFERER = 5,
  TUILE_CSRF_NO_COOKIE = 6,
  TUILE_CSRF_BAD_COOKIE = 7,
  TUILE_CSRF_NO_TOKEN = 8,
  TUILE_CSRF_BAD_TOKEN = 9,  /**< Of the wrong length or with other characters. */
  TUILE_CSRF_WRONG_TOKEN = 10
} tuile_csrf_reason;

/* -------------------------------------------------------------- stores -- */

/** Where sessions are kept. Safe from all threads, and across fork(). */
typedef struct tuile_store tuile_store;

/** Takes what a store loaded. `data` is borrowed for the call; `expires` is
 *  in Unix microseconds. */
typedef void (*tuile_receive)(void *context, tuile_bytes data, int64_t expires);

/** Takes one session of an owner; the views are borrowed for the call. */
typedef void (*tuile_receive_owned)(void *context, tuile_bytes key,
                                    tuile_bytes record, int64_t expires);

/** Takes one key of a store, borrowed for the call, and its expiry in Unix
 *  microseconds. false: no more are wanted. */
typedef bool (*tuile_receive_key)(void *context, tuile_bytes key, int64_t expires);

/** Takes the name of one owner, borrowed for the call. false: no more are wanted. */
typedef bool (*tuile_receive_owner)(void *context, tuile_bytes owner);

/** What a call of `together` asks for. Since 0.2. */
typedef enum tuile_store_operation {
  TUILE_STORE_LOAD = 0,
  TUILE_STORE_CREATE = 1,
  TUILE_STORE_REPLACE = 2
} tuile_store_operation;

/** One of the calls that a store gets together. Since 0.2. */
typedef struct tuile_store_call {
  tuile_store_operation operation; /**< Which of the three. */
  tuile_bytes key;      /**< As the operation by itself has it. */
  tuile_bytes expected; /**< Of a replace. */
  tuile_bytes data;     /**< Of a create or replace. */
  int64_t time;         /**< Of a load `now`, else `expires`; Unix microseconds. */
  void *receiver;       /**< Of a load, for `receive`. */
  tuile_status status;  /**< The answer, as of the operation by itself; TUILE_E_STORE before that. */
  tuile_error error;    /**< Of the operation. */
} tuile_store_call;

/** What a store of your own does. Each function may be called from several
 *  threads at once; `context` is what was given to tuile_store_open_ops. Keys have
 *  8 to 40 bytes of a-z and 0-9; of records that are no sessions they are `~` and
 *  39 hex digits, and no walk has to show those. Times are Unix microseconds. A store returns
 *  TUILE_E_STORE for any failure of its own and may fill `error` (never NULL
 *  here); it must not call back into the same store or session. A write that
 *  failed so, or with TUILE_E_UNKNOWN, counts as one that may have been made:
 *  the library looks. TUILE_E_BUSY, TUILE_E_LIMIT, TUILE_E_MEMORY and
 *  TUILE_E_CORRUPT say that it certainly was not. */
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
  /** Sets data and expiry, whether or not the key is there, and whatever is
   *  stored: for a cache in front of another store. May be NULL. */
  tuile_status (*put)(void *context, tuile_bytes key, tuile_bytes data,
                      int64_t expires, tuile_error *error);
  /** Whose session a key is: a list for each owner, kept beside the sessions.
   *  All three or none. `own` writes the entry of `key`, new or not; `record`
   *  is text of the library's, at most 1024 bytes; owners have 1 to 255. The
   *  entry may go when the session does, and has to by some sweep. */
  tuile_status (*own)(void *context, tuile_bytes owner, tuile_bytes key,
                      tuile_bytes record, int64_t expires, tuile_error *error);
  /** Calls `receive` for each entry of the owner whose key is stored with an
   *  expiry later than `now`: with its record, and that expiry. TUILE_OK. */
  tuile_status (*owned)(void *context, tuile_bytes owner, int64_t now,
                        tuile_receive_owned receive, void *receiver,
                        tuile_error *error);
  /** Removes the entry, not the session. TUILE_OK, whether or not it was there. */
  tuile_status (*disown)(void *context, tuile_bytes owner, tuile_bytes key,
                         tuile_error *error);
  /** Calls `receive` for each key whose expiry is later than `now`, in any order,
   *  until it says false: TUILE_OK in both cases. A key that is there for as long
   *  as the walk takes is given at least once, whatever others write meanwhile.
   *  `receive` may take its time: no lock is held while it runs. May be NULL. */
  tuile_status (*keys)(void *context, int64_t now, tuile_receive_key receive,
                       void *receiver, tuile_error *error);
  /** The same for the name of each owner that has an entry in a list. May be
   *  NULL; only where there are `own`, `owned` and `disown`. */
  tuile_status (*owners)(void *context, tuile_receive_owner receive,
                         void *receiver, tuile_error *error);
  /** The record of one entry of an owner's list, whether or not its session is
   *  stored: TUILE_OK after exactly one `receive` (with any expiry), or
   *  TUILE_ABSENT. Called at logins and once a minute; where it is NULL, `owned`
   *  is called and gives the whole list. Since 0.1.1. */
  tuile_status (*owned_record)(void *context, tuile_bytes owner, tuile_bytes key,
                               tuile_receive receive, void *receiver,
                               tuile_error *error);
  /** true: an answer counts only where the operation has set `error->status` to it as
   *  well; any other is a failure of the store's. For hosts that can cut a callback
   *  short, as a signal does in Python: what it returns then could read as TUILE_OK.
   *  Since 0.2. */
  bool confirms;
  /** Most calls that `together` gets at once, 2 to 1024; 0 where that is NULL. Since 0.2. */
  size_t max_together;
  /** Makes several calls in less time than one by one would take, in any order: loads,
   *  creates and replaces of sessions that wait in a queue (tuile_queue_open) at the same
   *  time. Writes the status of each, and calls `receive` once for each load that it
   *  answers with TUILE_OK. What one call comes to changes nothing for the others, and
   *  no TUILE_OK of a write comes before the write is as safe as it would be alone.
   *  May be NULL. Since 0.2. */
  void (*together)(void *context, tuile_store_call *calls, size_t count,
                   tuile_receive receive);
} tuile_store_ops;

/** Has no operation, and is not trusted. */
#define TUILE_STORE_OPS_INIT                                                   \
  { sizeof(tuile_store_ops), false, NULL, NULL, NULL, NULL, NULL, NULL, NULL,  \
    NULL, NULL, NULL, NULL, NULL, NULL, NULL, false, 0, NULL }

/** What a store module, libtuile-NAME.so, exports as `tuile_module_open`: it
 *  fills `ops` and `*context` for a URL that begins with NAME:. `ops` comes as
 *  TUILE_STORE_OPS_INIT has it, with the library's size: a module leaves alone
 *  what it does not know, and where the library's size is less than its own it
 *  returns TUILE_E_ARGUMENT. */
typedef tuile_status (*tuile_module_open_function)(tuile_bytes url,
                                                   tuile_store_ops *ops,
                                                   void **context,
                                                   tuile_error *error);

/* ------------------------------------------------------------ sessions -- */

/** One per application: configuration, keys and store. Safe from all threads. */
typedef struct tuile_manager tuile_manager;

/** One per request. Belongs to one thread at a time. */
typedef struct tuile_session tuile_session;

/** Adds a header to the response; both views are borrowed for the call. Any
 *  answer but TUILE_OK ends the commit with TUILE_E_CALLBACK. */
typedef tuile_status (*tuile_add_header)(void *context, tuile_bytes name,
                                         tuile_bytes value);

/** Waits some microseconds before the changes of a session are made again that
 *  another request was first to change. Any answer but TUILE_OK ends the call that
 *  waits with TUILE_E_CALLBACK. */
typedef tuile_status (*tuile_wait)(void *context, uint32_t microseconds);

/** How much a message matters. */
typedef enum tuile_log_level {
  TUILE_LOG_ERROR = 0,   /**< A request could not be served: the store failed. */
  TUILE_LOG_WARNING = 1, /**< Somebody should look: data with a bad signature. */
  TUILE_LOG_INFO = 2,    /**< What was done: sessions swept, revoked, keys renewed. */
  TUILE_LOG_DEBUG = 3    /**< Conflicts and refused resurrections. */
} tuile_log_level;

/** Takes a message: English, without a newline, holding no session ID, secret or
 *  payload. Called from the thread of the call that it is about, with no lock
 *  held; it must not call the manager. The message is borrowed for the call. */
typedef void (*tuile_log)(void *context, tuile_log_level level, tuile_bytes message);

/** Which sessions are offered to be bound to the browser's device (Device Bound Session
 *  Credentials). Since 0.2. */
typedef enum tuile_device_binding {
  TUILE_DEVICE_BINDING_OFF = 0,   /**< None, and a bound session is one like any other. */
  TUILE_DEVICE_BINDING_CALL = 1,  /**< Those of tuile_session_offer_device_binding. */
  TUILE_DEVICE_BINDING_LOGIN = 2  /**< Every login: a cycled ID, an owner, a framework's own. */
} tuile_device_binding;

/** What a manager is made from; the names and defaults are Django's. Texts, secrets
 *  and the keyring's are copied; `open_store` and the contexts must outlive it. */
typedef struct tuile_config {
  size_t size;          /**< sizeof(tuile_config) */
  /** SECRET_KEY. Needed, except with "memory:", sessions of a layout whose IDs nobody
   *  signs, and a host's own store that is `trusted`. */
  tuile_bytes secret;
  const tuile_bytes *fallbacks; /**< SECRET_KEY_FALLBACKS: older secrets, which verify and never sign. */
  size_t fallback_count;        /**< At most 64. */
  tuile_bytes store;    /**< "memory:", "sqlite:///absolute/path", "cookie:", another URL. */
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
  const tuile_keyring *keyring; /**< In place of secret and fallbacks unless NULL. */
  /** tuile_session_start takes a session ID from a URL where no cookie came: false.
   *  URLs are copied, logged and sent on, and the ID with them. */
  bool url_sessions;
  tuile_bytes url_name; /**< The parameter in URLs: "sid". */
  /** The longest life of a session from its creation, in seconds, whatever is
   *  done with it; 0, the default: no such end. */
  int64_t lifetime;
  /** Reading extends a session, too: when its expiry would become at least as many
   *  seconds later than it is, that is stored and the cookie sent again. 0, the
   *  default and Django's way: only changes extend it. */
  int64_t refresh;
  /** For so many seconds after tuile_session_cycle_id, requests with the old ID still
   *  read the session as it was. What they change is not saved. 5 by default; 0: the
   *  old ID ends with the commit. */
  int64_t cycle_grace;
  /** Sessions that Django's login marked (`_auth_user_id`) are listed by that
   *  owner: false. Those of tuile_session_set_owner always are. */
  bool track_owners;
  /** Sessions of one owner: 100. A login ends those over this number, unseen longest
   *  first, at most 256 in one commit. 0: no limit. */
  size_t max_owned;
  /** Where sessions were kept before: one that `store` does not have is looked up here
   *  and moved to `store`, while requests run. A store's URL, or "cookie:" with a dialect. */
  tuile_bytes previous_store;
  /** The cookie's name there, if it had another and `previous_store` is "cookie:…". */
  tuile_bytes previous_cookie;
  /** For "cookie:" stores: the URL of a store that remembers logouts, so that
   *  copies of a cookie end too. Asked at every read. Empty: none. */
  tuile_bytes revocations;
  tuile_log log;         /**< Told what an administrator should know; NULL: nobody. */
  void *log_context;     /**< Given to `log`. */
  tuile_log_level log_level; /**< Less important messages are not logged: TUILE_LOG_WARNING. */
  tuile_cookie_rule cookie_rule; /**< Which session cookie counts: TUILE_COOKIE_RULE_DEFAULT. */
  /** tuile_rule bits of the checks to skip for the session cookie: 0. TUILE_RULE_NAME
   *  allows names that other frameworks allow, such as "foo:bar" or "my session". */
  uint32_t cookie_skip_rules;
  /** Takes secrets under 32 bytes, as older applications have them: false. A
   *  keyring says for itself what it takes. */
  bool allow_weak_secrets;
  /** Called in place of sleeping, between attempts to save a session that another
   *  request changed first, at most eight milliseconds a time. For hosts
   *  whose threads have other things to do meanwhile, such as greenlets or fibers. It
   *  must outlive the manager. NULL: they sleep. Since 0.2. */
  tuile_wait wait;
  void *wait_context; /**< Given to `wait`. Since 0.2. */
  /** Binds sessions to the device of their browser: off. It needs a secret, sessions in a
   *  store, `cookie_secure`, and neither `url_sessions` nor `cookie_partitioned`. Since 0.2. */
  tuile_device_binding device_binding;
  /** Where browsers register and refresh: a path of this application below `cookie_path`, for
   *  tuile_session_answer_device: "/device-bound-session". Since 0.2. */
  tuile_bytes device_path;
  /** Seconds that a bound cookie lives, so that a stolen one is worth no more: 1 to 86400,
   *  600 by default. An eighth of it, at most 30 seconds, is added for requests on their way
   *  and for clocks. Since 0.2. */
  int64_t device_seconds;
} tuile_config;

/** Gives every field its default. */
#define TUILE_CONFIG_INIT                                                      \
  { sizeof(tuile_config), {NULL, 0}, NULL, 0, {NULL, 0}, NULL,                 \
    {"sessionid", 9}, {NULL, 0}, {"/", 1}, 1209600, TUILE_SAME_SITE_LAX,       \
    false, true, false, false, false, 1048576, NULL, NULL, NULL, false,        \
    {"sid", 3}, 0, 0, 5, false, 100, {NULL, 0}, {NULL, 0}, {NULL, 0}, NULL,    \
    NULL, TUILE_LOG_WARNING, TUILE_COOKIE_RULE_DEFAULT, 0, false,      \
    NULL, NULL, TUILE_DEVICE_BINDING_OFF, {"/device-bound-session", 21}, 600 }

/** What of a request device-bound sessions have to know, beside its cookies: the values of
 *  these headers, empty where the request had none. Since 0.2. */
typedef struct tuile_device_request {
  size_t size;            /**< sizeof(tuile_device_request) */
  tuile_bytes method;     /**< "GET", "POST", … */
  tuile_bytes proof;      /**< Secure-Session-Response. */
  tuile_bytes identifier; /**< Sec-Secure-Session-Id. */
  tuile_bytes skipped;    /**< Secure-Session-Skipped. */
  tuile_bytes fetch_site; /**< Sec-Fetch-Site. */
  tuile_bytes fetch_mode; /**< Sec-Fetch-Mode. */
  tuile_bytes fetch_dest; /**< Sec-Fetch-Dest. */
} tuile_device_request;

/** Gives every field its default: no header. */
#define TUILE_DEVICE_REQUEST_INIT                                              \
  { sizeof(tuile_device_request), {NULL, 0}, {NULL, 0}, {NULL, 0}, {NULL, 0},  \
    {NULL, 0}, {NULL, 0}, {NULL, 0} }

/** A header of a response. Since 0.2. */
typedef struct tuile_header {
  tuile_bytes name;  /**< As "Set-Cookie". */
  tuile_bytes value; /**< Without a newline. */
} tuile_header;

/** A whole response, to be sent as it is. What it points to is the session's, until
 *  tuile_session_end. Since 0.2. */
typedef struct tuile_device_answer {
  size_t size;                 /**< sizeof(tuile_device_answer) */
  int32_t http_status;         /**< 200, 400, 401, 403, 404, 405. */
  const tuile_header *headers; /**< The Content-Type of `body` among them, but no Content-Length. */
  size_t header_count;         /**< How many there are; several may be Set-Cookie. */
  tuile_bytes body;            /**< JSON or HTML; may be empty. */
} tuile_device_answer;

/** Gives every field its default: nothing is answered. */
#define TUILE_DEVICE_ANSWER_INIT                                               \
  { sizeof(tuile_device_answer), 0, NULL, 0, {NULL, 0} }

/** Ready-made limits, those of NIST SP 800-63B-4. */
typedef enum tuile_policy {
  TUILE_POLICY_AAL2 = 2, /**< At most 24 hours, 1 hour without activity. */
  TUILE_POLICY_AAL3 = 3  /**< At most 12 hours, 15 minutes without activity. */
} tuile_policy;

/** One session of an owner. The views are borrowed for the call. */
typedef struct tuile_owned_session {
  size_t size;            /**< sizeof(tuile_owned_session) */
  tuile_bytes id;         /**< 32 hex digits that say nothing of its session ID. */
  int64_t created;        /**< Unix seconds: when it was first seen to be the owner's. */
  int64_t seen;           /**< Unix seconds of its last request, to the minute. */
  int64_t expires;        /**< Unix seconds. */
  tuile_bytes user_agent; /**< As tuile_session_set_client had it, or empty. */
  tuile_bytes address;    /**< The same. */
  bool current;           /**< It is the session that asks. */
  bool device_bound;      /**< It is bound to its browser's device. Since 0.2. */
} tuile_owned_session;

/** Takes one session of an owner. */
typedef void (*tuile_receive_owned_session)(void *context,
                                            const tuile_owned_session *session);

/** What of a session another framework's form can't say. Since 0.2. */
typedef enum tuile_loss {
  TUILE_LOSS_VALUE = 0,   /**< A value: JSON can't say it, or the other form can't. */
  TUILE_LOSS_EXPIRY = 1,  /**< An end of the session's own: Tuile keeps it, the other framework does not read it. */
  TUILE_LOSS_METADATA = 2 /**< The framework's own about its session, such as its cookie's attributes. */
} tuile_loss;

/** Takes what is lost, and the name in the session that it has, borrowed for the call and
 *  as JSON writes it, without quotes. Since 0.2. */
typedef void (*tuile_receive_loss)(void *context, tuile_loss loss, tuile_bytes name);

/** How a session is copied from one store to another. Since 0.2. */
typedef struct tuile_copying {
  size_t size;       /**< sizeof(tuile_copying) */
  bool look;         /**< Nothing is written: `lost` is told, and the answer is as it would be. */
  bool lossy;        /**< Values that the other form can't say are left out. */
  tuile_receive_loss lost; /**< Told what is lost, before anything is written; NULL: nobody. */
  void *lost_context;      /**< Given to `lost`. */
} tuile_copying;

/** Gives every field its default. */
#define TUILE_COPYING_INIT { sizeof(tuile_copying), false, false, NULL, NULL }

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
  uint64_t deletes;         /**< Sessions removed by a flush or a new ID. */
  uint64_t bad_signatures;  /**< Stored data whose signature did not match. */
  uint64_t resurrections_refused; /**< Saves of a session deleted meanwhile. */
  uint64_t store_failures;  /**< Calls that the store failed. */
  uint64_t old_secret_loads;   /**< Sessions found that an older secret had signed. */
  uint64_t touches;         /**< Sessions kept alive without rewriting them. */
  uint64_t cookie_bytes;    /**< Bytes of all Set-Cookie values. */
  uint64_t revoked;         /**< Sessions ended by an owner's list or its limit. */
  uint64_t swept;           /**< Expired sessions that were removed. */
} tuile_stats;

/** Sets the size, and every counter to 0. */
#define TUILE_STATS_INIT                                                       \
  { sizeof(tuile_stats), 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0 }

/** The operations of a store, for tuile_manager_latency. */
typedef enum tuile_operation {
  TUILE_OPERATION_LOAD = 0,
  TUILE_OPERATION_CREATE = 1,
  TUILE_OPERATION_REPLACE = 2,
  TUILE_OPERATION_TOUCH = 3,
  TUILE_OPERATION_REMOVE = 4,
  TUILE_OPERATION_SWEEP = 5,
  TUILE_OPERATION_PUT = 6,
  TUILE_OPERATION_OWN = 7,
  TUILE_OPERATION_OWNED = 8,
  TUILE_OPERATION_DISOWN = 9
} tuile_operation;

/** How long one operation took, since the manager was opened. */
typedef struct tuile_latency {
  size_t size;           /**< sizeof(tuile_latency), set by the caller. */
  uint64_t calls;        /**< How many there were, the failed ones too. */
  uint64_t microseconds; /**< All together. */
  uint64_t buckets[24];  /**< [i]: calls of at most 2^i microseconds and more than
                              the bucket before; the last: all that were longer. */
} tuile_latency;

/** Sets the size, and every time to 0. */
#define TUILE_LATENCY_INIT { sizeof(tuile_latency), 0, 0, {0} }

/* -------------------------------------------------------------- queues -- */

/** What the calls of a manager's sessions that reach its store go through, so that an
 *  event loop does not wait for them. Since 0.2. */
typedef struct tuile_queue tuile_queue;

/** Called once for an operation that was given to a queue, with what the call by the
 *  operation's name would have returned. `error` says more of a negative status and is
 *  NULL else; it is lent for the call. Since 0.2. */
typedef void (*tuile_complete)(void *context, tuile_status status, const tuile_error *error);

/** What a queue is made from. Since 0.2. */
typedef struct tuile_queue_config {
  size_t size;          /**< sizeof(tuile_queue_config) */
  size_t workers;       /**< Most threads that wait for the store, 1 to 256, started as they are needed: 16. */
  size_t max_waiting;   /**< Most operations whose completion was not called yet: 10000. More get TUILE_E_BUSY. */
  uint32_t deadline;    /**< Milliseconds after which an operation is answered, done or not, 1 to 3600000: 5000. */
  bool deliver_on_workers; /**< Completions are called on threads of the queue, and not by tuile_queue_run. */
} tuile_queue_config;

/** Gives every field its default. */
#define TUILE_QUEUE_CONFIG_INIT                                                \
  { sizeof(tuile_queue_config), 16, 10000, 5000, false }

/* Swift gives a typed pointer only to a complete struct. Nobody else needs to
 * see one: what is behind a handle is an object of the library. */
#ifdef TUILE_SWIFT_IMPORT
struct tuile_jar { char opaque; };
struct tuile_keyring { char opaque; };
struct tuile_signer { char opaque; };
struct tuile_store { char opaque; };
struct tuile_manager { char opaque; };
struct tuile_session { char opaque; };
struct tuile_queue { char opaque; };
#endif

#ifdef __cplusplus
}
#endif

#endif /* TUILE_TYPES_H */
