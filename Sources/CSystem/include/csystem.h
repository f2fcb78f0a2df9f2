/* The system as the Swift sources see it: libc, libcrypto, zlib and SQLite
 * behind functions that Embedded Swift can import. Private to libtuile: the
 * version script hides every name in here. */
#ifndef CSYSTEM_H
#define CSYSTEM_H

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <sqlite3.h>

/* The low-level SHA-256 keeps a state that can be copied, which is what makes
 * an HMAC with both pads hashed beforehand possible; EVP_MAC costs three times
 * as much a call. */
#define OPENSSL_SUPPRESS_DEPRECATED
#include <openssl/sha.h>

#include "base64.h"
#include "pairs.h"
#include "scan.h"

/* Bytes that are lent for a call. */
typedef struct sys_bytes {
  const void *start;
  size_t size;
} sys_bytes;

/* ---- hashing (hash.c) ---- */

typedef enum sys_digest { SYS_SHA1, SYS_SHA256, SYS_SHA384, SYS_SHA512 } sys_digest;

typedef union sys_hash {
  SHA_CTX sha1;
  SHA256_CTX sha256;
  SHA512_CTX sha512;
} sys_hash;

/* HMAC (RFC 2104) with both pads already hashed. */
typedef struct sys_hmac {
  sys_digest digest;
  sys_hash inner;
  sys_hash outer;
} sys_hmac;

enum { SYS_LARGEST_DIGEST = 64 };
size_t sys_digest_size(sys_digest digest);
/* `out` holds sys_digest_size bytes, here and below. */
void sys_digest_of(sys_digest digest, const void *data, size_t size, uint8_t *out);
/* For names alone that others make so: 16 bytes. */
void sys_md5_of(const void *data, size_t size, uint8_t *out);
void sys_hmac_init(sys_hmac *hmac, sys_digest digest, const void *key, size_t size);
void sys_hmac_digest(const sys_hmac *hmac, const void *data, size_t size, uint8_t *out);
/* RFC 8018, section 5.2. */
bool sys_pbkdf2(sys_digest digest, sys_bytes password, sys_bytes salt, int iterations, uint8_t *out, size_t size);
/* RFC 5869 without a salt, or its second step alone. */
bool sys_hkdf_sha256(bool expand_only, sys_bytes key, sys_bytes info, uint8_t *out, size_t size);
/* Compares in time that depends on `size` alone. */
bool sys_equal_constant_time(const void *a, const void *b, size_t size);
void sys_wipe(void *data, size_t size);

/* ---- ciphers (cipher.c) ---- */

typedef enum sys_cipher {
  SYS_AES_256_GCM,
  SYS_CHACHA20_POLY1305,
  SYS_AES_128_CTR,
  SYS_AES_192_CTR,
  SYS_AES_256_CTR,
  SYS_AES_256_CBC,
  SYS_AES_128_CBC,
  SYS_AES_192_CBC,
  SYS_AES_128_GCM,
  SYS_AES_192_GCM,
  SYS_CIPHERS
} sys_cipher;

/* Looks them up, as their first use does. libcrypto has a lock for that: in the child of a fork that happened meanwhile
 * nobody leaves it. So it is done by who makes keys, before there are tokens. */
void sys_ciphers_fetch(void);

/* A key that makes many tokens, and contexts that have it: one for each direction, made when it is first needed. Zeros
 * but for cipher and key. */
typedef struct sys_kept_key {
  sys_cipher cipher;
  uint8_t key[32];
  void *of[2];
} sys_kept_key;
/* Frees the contexts and wipes all. Nobody uses them any more. */
void sys_kept_keys_wipe(sys_kept_key *keys, size_t count);

/* A cipher with a key of its size, and an IV of 12 bytes for an AEAD, of 16 for CTR and CBC. `key` is for one token;
 * or else it is NULL, and `kept` has that cipher's. */
typedef struct sys_cipher_key {
  sys_cipher cipher;
  const uint8_t *key;
  const uint8_t *iv;
  sys_kept_key *kept;
} sys_cipher_key;

/* `out` holds as many bytes as `in`. */
bool sys_aead_seal(sys_cipher_key with, sys_bytes ad, sys_bytes in, uint8_t *out, uint8_t tag[16]);
/* 1, 0 if the tag is wrong, -1 if libcrypto fails; `out` is wiped then. */
int sys_aead_open(sys_cipher_key with, sys_bytes ad, sys_bytes in, uint8_t *out, const uint8_t tag[16]);
/* CTR and CBC; `out` holds 16 bytes more than `in`. The size written, or -1 for bad
 * padding or if libcrypto fails. */
ptrdiff_t sys_cipher_run(sys_cipher_key with, bool encrypt, sys_bytes in, uint8_t *out);

/* ---- signatures (signature.c) ---- */

typedef enum sys_key_kind { SYS_KEY_OTHER, SYS_KEY_RSA, SYS_KEY_P256, SYS_KEY_ED25519 } sys_key_kind;
typedef struct evp_pkey_st sys_key;

/* Reads a public or private key in PEM; NULL if there is none, or it is encrypted.
 * `*bits` is its strength as its kind counts it, `*is_private` whether it can sign. */
sys_key *sys_key_read(const void *pem, size_t size, sys_key_kind *kind, int *bits, bool *is_private);
void sys_key_free(sys_key *key);
/* ECDSA with P-256 and SHA-256, as RFC 7518, section 3.4, writes it. */
bool sys_key_sign_p256(sys_key *key, const void *data, size_t size, uint8_t signature[64]);
/* RSASSA-PKCS1-v1_5 with SHA-256, ECDSA as above, EdDSA (RFC 8032). */
bool sys_key_verify(sys_key *key, sys_key_kind kind, const void *data, size_t size, const uint8_t *signature,
                    size_t signature_size);

/* A public key of P-256: x and y. NULL if the point is not on the curve. (public_key.c) */
sys_key *sys_key_p256(const uint8_t point[64]);
/* A public key of RSA with 2048 to 4096 bits, both numbers without zeros in front; else NULL. */
sys_key *sys_key_rsa(sys_bytes modulus, sys_bytes exponent);

/* ---- zlib (compress.c) ---- */

/* Both return the size written, or a negative number: SYS_Z_SPACE if the
 * output does not fit, SYS_Z_DATA if the input is damaged, SYS_Z_MEMORY. */
enum { SYS_Z_SPACE = -1, SYS_Z_DATA = -2, SYS_Z_MEMORY = -3 };
ptrdiff_t sys_compress(const void *data, size_t size, void *out, size_t capacity);
ptrdiff_t sys_decompress(const void *data, size_t size, void *out, size_t capacity);

/* ---- other frameworks' compressors (codecs.c) ---- */

typedef enum sys_codec { SYS_ZLIB, SYS_GZIP, SYS_LZMA, SYS_LZ4, SYS_ZSTD } sys_codec;
/* false: its library is not there. The others only after that. */
bool sys_codec_load(sys_codec codec);
/* The most that so many bytes become. */
size_t sys_codec_bound(sys_codec codec, size_t size);
/* As sys_compress and sys_decompress. */
ptrdiff_t sys_codec_encode(sys_codec codec, const void *data, size_t size, void *out, size_t capacity);
ptrdiff_t sys_codec_decode(sys_codec codec, const void *data, size_t size, void *out, size_t capacity);

/* ---- the system (system.c) ---- */

/* Fills from getrandom(2); false if the system gives none. */
bool sys_random(void *data, size_t size);
int64_t sys_now_microseconds(void);
/* Unix seconds, a few milliseconds late for a fraction of the cost. */
int64_t sys_now_seconds(void);
/* A clock that nobody sets, from no particular moment; never 0. */
int64_t sys_monotonic_microseconds(void);
void sys_sleep_microseconds(unsigned int microseconds);
/* Creates the file, readable by its owner alone, unless it is there. */
void sys_create_private_file(const char *path);
/* Whether there is anything at a path. */
bool sys_is_there(const char *path);
/* Whether anybody may read what is at a path. */
bool sys_is_readable_by_all(const char *path);
/* Reads a whole file of at most `limit` bytes into memory that the caller
 * frees. 0, or errno; EFBIG for a larger one, EINVAL for what is no plain file,
 * EPERM if others than its owner may do more with it than `others` says. */
enum sys_others { SYS_OTHERS_NOTHING = 0, SYS_OTHERS_READ = 044, SYS_OTHERS_ALL = 077 };
int sys_file_read(const char *path, enum sys_others others, size_t limit, void **data, size_t *size);
/* A variable of the environment; NULL in a program that runs with raised rights. */
const char *sys_environment(const char *name);
/* Puts a file in place of `path` in one step, synced, readable by its owner
 * alone. 0, or errno; the old file is left alone then. */
int sys_file_replace(const char *path, const void *data, size_t size);
/* How many bytes an allocation has room for. */
size_t sys_usable(void *allocation);
/* Sorts by key, the least first. */
typedef struct sys_keyed {
  uint64_t key;
  void *item;
} sys_keyed;
void sys_sort(sys_keyed *items, size_t count);
/* Shortest decimal text that reads back as the same double, as Python's repr
 * writes it, in any locale. Returns the length; `text` holds 32 bytes. */
size_t sys_double_write(double value, char text[32]);
/* Reads decimal text, in any locale; `size` < 400. */
double sys_double_read(const char *text, size_t size);

/* Seconds as microseconds, at most `most` either way; 0 for what is no number. */
int64_t sys_microseconds(double seconds, int64_t most);

/* ---- a folder of small files (folder.c) ---- */

/* A folder is an open descriptor, and names are looked up in it. No symbolic
 * link is followed. Functions return 0 or errno, or a descriptor or -errno. */
typedef struct sys_file_facts {
  int64_t modified;        /* Unix microseconds, rounded down */
  bool whole_microseconds; /* `modified` is exact */
  int64_t changed;         /* when the system saw the last change, Unix microseconds */
  uint64_t device, number; /* which file it is */
  size_t size;
} sys_file_facts;

/* The folder at a path, links followed; made as below, if at all. */
int sys_folder_open_root(const char *path, bool make);
/* Whether its mode lets others than its owner list it, and whether the folders above let them
 * come so far; also where that can't be told. */
bool sys_folder_is_listed(int folder);
bool sys_folder_is_reached(int folder);
/* The folder in another one, made for its owner alone if it is not there; with
 * `sync` a power loss does not undo that. */
int sys_folder_open(int at, const char *name, bool make, bool sync);
void sys_descriptor_close(int descriptor);
/* It was deleted, or is not reachable any more: what is missing in it says nothing. */
bool sys_folder_is_gone(int folder);
/* ELOOP for what is no plain file, here and below. */
int sys_folder_facts(int folder, const char *name, sys_file_facts *facts);
int sys_folder_file_open(int folder, const char *name, sys_file_facts *facts);
/* The bytes read, fewer only at the end of the file, or -errno. */
ptrdiff_t sys_descriptor_read(int file, void *data, size_t size);
/* Makes a file, for its owner alone, that is not there yet; removed again if
 * anything fails. `modified` may be NULL. */
int sys_folder_write(int folder, const char *name, const void *data, size_t size, const int64_t *modified, bool sync);
/* Sets the time of an open file. */
int sys_folder_touch(int file, int64_t modified, bool sync);
int sys_folder_sync(int folder);
int sys_folder_remove(int folder, const char *name);
int sys_folder_remove_folder(int folder, const char *name);
/* Of an open file: an errno. */
int sys_descriptor_facts(int file, sys_file_facts *facts);

/* A folder that need not be listed, or -errno. */
int sys_folder_open_path(const char *path);

/* Files that are written in place under flock(2), as PHP does. A descriptor that has the lock on
 * what the name leads to, to be closed, or -errno: EAGAIN if others held it for all that time. */
int sys_flocked_open(int folder, const char *name, bool create, bool write, int milliseconds, sys_file_facts *facts);
/* In place of what `old_size` bytes there are: an errno. */
int sys_flocked_write(int file, const void *data, size_t size, size_t old_size);
int sys_flocked_empty(int file);

int sys_folder_rename(int folder, const char *from, const char *to);
/* Renames, or EEXIST. */
int sys_folder_publish(int folder, const char *from, const char *to);
/* Gives each the other's name, or ENOENT; ENOSYS where the file system can't. */
int sys_folder_exchange(int folder, const char *one, const char *other);
/* A walk over the names in `name`, which may be ".". */
int sys_folder_list(int folder, const char *name, void **list);
/* Valid until the next one; NULL at the end, or with *failure, which may be NULL, set to errno. */
const char *sys_folder_next(void *list, int *failure);
void sys_folder_list_close(void *list);
/* Notices the names that files get in a folder by being renamed: some file systems
 * give such a name a new place, and a walk that is under way would pass over it. */
int sys_folder_watch(int folder, void **watch);
/* How many names may wait, at least as many as do. */
size_t sys_folder_waiting(void *watch);
/* The next name, valid until the next call, NULL if there is none now; EOVERFLOW if
 * there were too many since the last call, and some are lost. */
int sys_folder_moved(void *watch, const char **name);
/* Whether this was asked about the name lately: most that are saved again and again are known. */
bool sys_folder_is_given(void *watch, const void *name, size_t size);
void sys_folder_watch_close(void *watch);
/* The file that the next two lock, made if it should be. Descriptors from
 * different opens exclude each other, also in one process. */
int sys_lock_file_open(int folder, const char *name, bool make);
/* Opens it again under the same descriptor. */
int sys_lock_file_renew(int file, int folder, const char *name);
/* Locks one byte. EAGAIN after so many milliseconds; ESTALE, and nothing locked,
 * if the file was deleted. */
int sys_range_lock_within(int file, int64_t at, int milliseconds);
void sys_range_unlock(int file, int64_t at);

/* ---- keys in use (claims.c) ---- */

typedef enum sys_key_use { SYS_KEY_MAC, SYS_KEY_DERIVE_TEXT, SYS_KEY_DERIVE_ANY } sys_key_use;
typedef struct sys_claim sys_claim;

/* What a key's MAC of says which key it is, in this process alone; NULL without random bytes. */
const uint8_t *sys_claim_text(size_t *size);
/* Notes a use of a key in the owner's list: 0, 1 for a conflict with one of another
 * family, -1 without memory. `text`: how the signed texts begin, or what is derived from. */
int sys_claim_add(sys_claim **mine, int family, sys_key_use use, sys_bytes id, sys_bytes text);
void sys_claims_release(sys_claim *mine);

/* ---- dialects of tokens (dialects.c; the table is dialect_table.h) ---- */

typedef struct sys_dialect {
  int dialect;         /* tuile_dialect */
  int rule;            /* tuile_cookie_rule: how its framework reads cookies */
  const char *session; /* what stands behind "cookie:"; "": no session is kept in it */
  const char *salt;    /* of such a session */
} sys_dialect;

/* NULL behind the last. */
const sys_dialect *sys_dialect_at(size_t index);

/* ---- locks that fork() cannot break (mutex.c, locks.h) ---- */

/* Waiting until a time of the clock that nobody sets, and a lock where who asks to have it alone is first, are
 * glibc's since 2.30. Where they are not, on musl and with an older glibc, the kernel's futexes do the same.
 * -DTUILE_FUTEX_LOCKS=1: those in any case. */
#ifndef TUILE_FUTEX_LOCKS
#if defined __GLIBC_PREREQ
#define TUILE_FUTEX_LOCKS !__GLIBC_PREREQ(2, 30)
#else
#define TUILE_FUTEX_LOCKS 1
#endif
#endif

#if TUILE_FUTEX_LOCKS
typedef struct { uint32_t state; } sys_lock;
typedef struct { uint32_t inside, closed; } sys_shared_lock;
typedef struct { uint32_t free, waiting; } sys_places;
#else
typedef pthread_mutex_t sys_lock;
typedef pthread_rwlock_t sys_shared_lock;
typedef sem_t sys_places;
#endif

/* Has fork() wait for what follows; false without memory for that. Whoever opens
 * something with locks in it asks first: making the locks can't fail then. */
bool sys_forks_ready(void);

/* A mutex that fork() waits for: the child gets it unlocked, and what it
 * guards is in one piece there. fork() takes the newest first: while one is
 * held, only an older one may be taken. */
typedef struct sys_mutex {
  sys_lock lock;
  struct sys_mutex *next;
  struct sys_mutex **link;
} sys_mutex;

void sys_mutex_init(sys_mutex *mutex);
void sys_mutex_destroy(sys_mutex *mutex);
void sys_mutex_lock(sys_mutex *mutex);
/* false after that many milliseconds. */
bool sys_mutex_lock_within(sys_mutex *mutex, int milliseconds);
void sys_mutex_unlock(sys_mutex *mutex);
/* How many fork()s lie between the process that loaded the library and this
 * one: what was opened under another number belongs to a parent. */
unsigned int sys_fork_generation(void);

/* Around calls of a library that fork() must not interrupt: fork() waits until
 * nobody is inside and lets `empty` put away what a child must not inherit. A
 * thread that is inside does not enter again, and does not fork. */
typedef struct sys_fork_gate {
  sys_shared_lock lock;
  void (*empty)(void *context);
  void *context;
  struct sys_fork_gate *next;
  struct sys_fork_gate **link;
} sys_fork_gate;

void sys_fork_gate_init(sys_fork_gate *gate, void (*empty)(void *context), void *context);
void sys_fork_gate_destroy(sys_fork_gate *gate);
void sys_fork_gate_enter(sys_fork_gate *gate);
void sys_fork_gate_leave(sys_fork_gate *gate);

/* Threads that want the same thing at the same time: the first one leads, and does what
 * it can of the others' work together with its own; who comes meanwhile waits in line, and
 * the first of them leads next (group.c). fork() has to wait until nobody is inside. */
typedef struct sys_group_entry {
  struct sys_group_entry *next;
  pthread_cond_t turn;
  int state;
} sys_group_entry;

typedef struct sys_group {
  pthread_mutex_t mutex;
  bool led;
  sys_group_entry *first, **end;
} sys_group;

enum { SYS_GROUP_LEADS, SYS_GROUP_DONE, SYS_GROUP_LATE };

/* At a place where it stays. */
void sys_group_init(sys_group *group);
void sys_group_destroy(sys_group *group);
/* LEADS: until `leave` this thread alone does the work. DONE: a leader has done the entry's.
 * LATE: no leader took it within that many milliseconds, and none will. */
int sys_group_enter(sys_group *group, sys_group_entry *entry, int milliseconds);
/* For the leader: the entries that wait, at most so many, the longest first. */
sys_group_entry *sys_group_take(sys_group *group, int most);
/* What was taken is done. */
void sys_group_leave(sys_group *group, sys_group_entry *taken);

/* The time of CLOCK_MONOTONIC so many milliseconds from now. */
struct timespec sys_in_milliseconds(int milliseconds);

/* Lets so many in at a time, at most INT_MAX. A child of fork() makes its own. */
typedef struct sys_gate {
  sys_places places;
} sys_gate;

void sys_gate_init(sys_gate *gate, unsigned int places);
void sys_gate_destroy(sys_gate *gate);
/* false after that many milliseconds. */
bool sys_gate_enter_within(sys_gate *gate, int milliseconds);
void sys_gate_leave(sys_gate *gate);

/* The calling thread, by a number that no other one has while it runs. */
uintptr_t sys_thread(void);
/* From here on the thread can't be cancelled; what sys_cancelling_restore takes. */
int sys_cancelling_off(void);
void sys_cancelling_restore(int before);

/* ---- a thread that does something now and then (timer.c) ---- */

typedef struct sys_timer sys_timer;
/* Calls `tick` every so many seconds, a tenth more or less, from a thread of its
 * own that takes no signals. NULL if there is no thread to be had. */
sys_timer *sys_timer_start(unsigned int seconds, void (*tick)(void *), void *context);
/* Waits for a tick under way, unless the tick itself calls this. In a child of fork()
 * there is no thread to wait for. */
void sys_timer_stop(sys_timer *timer);

/* ---- threads that wait for stores, and a descriptor to poll (workers.c) ---- */

/* Without signals: the host's are for the host's threads. attributes may be NULL; false if there is no thread to be had. */
bool sys_thread_start(pthread_t *thread, const pthread_attr_t *attributes, void *(*run)(void *), void *context);

typedef struct sys_worker {
  pthread_t thread;
} sys_worker;
/* As sys_thread_start, with a small stack. */
bool sys_worker_start(sys_worker *worker, void *(*run)(void *), void *context);
/* Waits for its end, unless this is that thread. */
void sys_worker_join(const sys_worker *worker);

/* A descriptor that can be read from `set` to `clear`, or -errno. sys_descriptor_close ends it. */
int sys_event_make(void);
void sys_event_set(int event);
void sys_event_clear(int event);

/* ---- public suffixes (psl.c) ---- */

/* libpsl's list, loaded once and kept; NULL if libpsl is not installed. */
const void *sys_psl(void);
/* `domain` is in lower case and has a NUL behind its `size` octets. */
bool sys_psl_is_public_suffix(const void *psl, const uint8_t *domain, size_t size);

/* ---- store modules (module.c) ---- */

/* Where modules are looked for, and nowhere else; "" for the usual places: the
 * variable TUILE_MODULE_PATH, the folder tuile/ beside this library, and the
 * library's own. false if it is too long. */
bool sys_module_folder(const char *path);
/* A symbol of the module in that file, which stays loaded; NULL if there is none. */
void *sys_module_symbol(const char *file, const char *name);
/* The same of one of the system's libraries. */
void *sys_library_symbol(const char *library, const char *name);

/* ---- SQLite's macros (sqlite.c) ---- */

int sys_sqlite_bind_text(sqlite3_stmt *statement, int index, const void *data, size_t size);
int sys_sqlite_bind_blob(sqlite3_stmt *statement, int index, const void *data, size_t size);
/* Waits in steps of well under a millisecond, up to `milliseconds` in all. */
void sys_sqlite_set_busy_limit(sqlite3 *database, int *milliseconds);
/* The log is left as it is when the last connection closes, which takes no time. */
void sys_sqlite_keep_log(sqlite3 *database);
/* Whether the database at a path has a log beside it; also where that can't be told. */
bool sys_sqlite_has_log(const char *path);

/* ---- public structs whose arrays Swift sees as tuples (error.c) ---- */

/* "message", or "message: detail" if there is a detail, cut where it is full. */
void sys_error_set(void *tuile_error, int status, size_t offset, sys_bytes message, sys_bytes detail);
/* The message, made to end with a NUL. */
const char *sys_error_message(void *tuile_error);
uint64_t *sys_latency_buckets(void *tuile_latency);

/* ---- public structs that begin with their size, and have grown (sized.c) ---- */

typedef enum sys_struct {
  SYS_COOKIES, SYS_SET_COOKIE, SYS_DJANGO_COOKIE, SYS_JAR_CONFIG, SYS_JAR_REQUEST, SYS_SIGNER_CONFIG, SYS_SIGNING,
  SYS_VERIFICATION, SYS_URL_PARAMETER, SYS_HIDDEN_FIELD,
  SYS_CSRF_REQUEST, SYS_STORE_OPS, SYS_CONFIG, SYS_STATS, SYS_LATENCY, SYS_COPYING,
  SYS_DEVICE_REQUEST, SYS_DEVICE_ANSWER, SYS_QUEUE_CONFIG
} sys_struct;

typedef enum sys_fit {
  SYS_FITS,
  SYS_FITS_NO_VERSION, /* The size ends within a field, before the first version's end, or past all bounds. */
  SYS_FITS_NEWER       /* What is behind the fields that are known is not zero. */
} sys_fit;

/* No version's struct will be larger: the size of one that nobody set is no reason to read far. */
enum { SYS_LARGEST_STRUCT = 4096 };
/* Gives the caller's struct of `size` bytes the defaults of the fields that it has, and its size. Nothing is written
 * if no version has that size. */
bool sys_sized_init(sys_struct kind, void *caller, size_t size);
/* Sets `whole`, today's struct, to its defaults and to what the caller's has. */
sys_fit sys_sized_read(sys_struct kind, const void *caller, void *whole);
/* Sets the fields that the caller's struct has to those of `whole`. */
sys_fit sys_sized_write(sys_struct kind, const void *whole, void *caller);

/* ---- handles.c: handles that are checked, in a build with TUILE_CHECK_HANDLES alone ---- */

enum {
  SYS_HANDLE_SESSION,
  SYS_HANDLE_MANAGER,
  SYS_HANDLE_STORE,
  SYS_HANDLE_SIGNER,
  SYS_HANDLE_KEYRING,
  SYS_HANDLE_JAR,
  SYS_HANDLE_QUEUE
};
/* A handle for an object, with its manager if it is a session. Never freed, so that its misuse is seen later. */
void *sys_handle_new(const void *object, int kind, const void *manager);
/* The object. Each of these ends the process, with a message, if the handle has another kind, has
 * ended, or is a session that another thread is using. */
void *sys_handle_object(const void *handle, int kind);
/* The object, which the handle no longer has. */
void *sys_handle_end(const void *handle, int kind);
/* Around a use. */
void sys_handle_enter(const void *handle, int kind);
void sys_handle_leave(const void *handle);

#endif /* CSYSTEM_H */
