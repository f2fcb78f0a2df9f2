/* The structs of the C interface that begin with their size. A program has the struct of the header that it was
 * compiled with: a shorter one of an older version, or a longer one of a newer. */
#include "csystem.h"

#include "../../include/tuile/types.h"

struct field {
  uint16_t start, end;
  /* The version before ended here: its padding may reach into this field, and holds anything. */
  bool begins_version;
};

struct shape {
  uint16_t size, alignment;
  uint16_t first; /* Where the fields of the first version end. */
  uint16_t count;
  const struct field *later; /* All that came after them, in order. */
  const void *defaults;
};

#define END(type, name) (offsetof(type, name) + sizeof(((type *)0)->name))
#define FIELD(type, name) {offsetof(type, name), END(type, name), false}
#define VERSION(type, name) {offsetof(type, name), END(type, name), true}
/* What is added to a struct and not here does not compile. */
#define LAST(type, name) \
  _Static_assert((END(type, name) + _Alignof(type) - 1) / _Alignof(type) * _Alignof(type) == sizeof(type), #type)

static const struct field set_cookie_later[] = {
  VERSION(tuile_set_cookie, priority), FIELD(tuile_set_cookie, skip_rules), FIELD(tuile_set_cookie, now),
};
LAST(tuile_set_cookie, now);

static const struct field signer_config_later[] = {
  VERSION(tuile_signer_config, dialect),    FIELD(tuile_signer_config, name),       FIELD(tuile_signer_config, block_secret),
  FIELD(tuile_signer_config, digest),       FIELD(tuile_signer_config, derivation), FIELD(tuile_signer_config, iterations),
  FIELD(tuile_signer_config, lifetime),     FIELD(tuile_signer_config, legacy),     VERSION(tuile_signer_config, keyring),
  VERSION(tuile_signer_config, leeway),     VERSION(tuile_signer_config, cipher),   FIELD(tuile_signer_config, mac_digest),
  FIELD(tuile_signer_config, mac_salt),
};
LAST(tuile_signer_config, mac_salt);

static const struct field store_ops_later[] = {
  VERSION(tuile_store_ops, put),  FIELD(tuile_store_ops, own),    FIELD(tuile_store_ops, owned),
  FIELD(tuile_store_ops, disown), VERSION(tuile_store_ops, keys), FIELD(tuile_store_ops, owners),
  VERSION(tuile_store_ops, owned_record), VERSION(tuile_store_ops, confirms),
  FIELD(tuile_store_ops, max_together),   FIELD(tuile_store_ops, together),
};
LAST(tuile_store_ops, together);

static const struct field config_later[] = {
  VERSION(tuile_config, keyring),     FIELD(tuile_config, url_sessions),      FIELD(tuile_config, url_name),
  VERSION(tuile_config, lifetime),    FIELD(tuile_config, refresh),           FIELD(tuile_config, cycle_grace),
  FIELD(tuile_config, track_owners),  FIELD(tuile_config, max_owned),         VERSION(tuile_config, previous_store),
  FIELD(tuile_config, previous_cookie), FIELD(tuile_config, revocations),     FIELD(tuile_config, log),
  FIELD(tuile_config, log_context),   FIELD(tuile_config, log_level),         VERSION(tuile_config, cookie_rule),
  FIELD(tuile_config, cookie_skip_rules), FIELD(tuile_config, allow_weak_secrets),
  VERSION(tuile_config, wait),        FIELD(tuile_config, wait_context),
  FIELD(tuile_config, device_binding), FIELD(tuile_config, device_path),      FIELD(tuile_config, device_seconds),
};
LAST(tuile_config, device_seconds);

static const struct field hidden_field_later[] = {
  VERSION(tuile_hidden_field, value), FIELD(tuile_hidden_field, body),
  FIELD(tuile_hidden_field, max_age), FIELD(tuile_hidden_field, now),
};
LAST(tuile_hidden_field, now);

static const struct field stats_later[] = {
  VERSION(tuile_stats, old_secret_loads), FIELD(tuile_stats, touches), FIELD(tuile_stats, cookie_bytes),
  FIELD(tuile_stats, revoked),         VERSION(tuile_stats, swept),
};
LAST(tuile_stats, swept);

static const tuile_cookies cookies = TUILE_COOKIES_INIT;
static const tuile_set_cookie set_cookie = TUILE_SET_COOKIE_INIT;
static const tuile_django_cookie django_cookie = TUILE_DJANGO_COOKIE_INIT;
static const tuile_jar_config jar_config = TUILE_JAR_CONFIG_INIT;
static const tuile_jar_request jar_request = TUILE_JAR_REQUEST_INIT;
static const tuile_signer_config signer_config = TUILE_SIGNER_CONFIG_INIT;
static const tuile_signing signing = TUILE_SIGNING_INIT;
static const tuile_verification verification = TUILE_VERIFICATION_INIT;
static const tuile_url_parameter url_parameter = TUILE_URL_PARAMETER_INIT;
static const tuile_hidden_field hidden_field = TUILE_HIDDEN_FIELD_INIT;
static const tuile_csrf_request csrf_request = TUILE_CSRF_REQUEST_INIT;
static const tuile_store_ops store_ops = TUILE_STORE_OPS_INIT;
static const tuile_config config = TUILE_CONFIG_INIT;
static const tuile_stats stats = TUILE_STATS_INIT;
static const tuile_latency latency = TUILE_LATENCY_INIT;
static const tuile_copying copying = TUILE_COPYING_INIT;
static const tuile_device_request device_request = TUILE_DEVICE_REQUEST_INIT;
static const tuile_device_answer device_answer = TUILE_DEVICE_ANSWER_INIT;
static const tuile_queue_config queue_config = TUILE_QUEUE_CONFIG_INIT;

#define GROWN(type, last, name) \
  {sizeof(type), _Alignof(type), END(type, last), sizeof name##_later / sizeof *name##_later, name##_later, &name}
#define AS_FIRST(type, name) {sizeof(type), _Alignof(type), sizeof(type), 0, NULL, &name}

static const struct shape shapes[] = {
  [SYS_COOKIES] = AS_FIRST(tuile_cookies, cookies),
  [SYS_SET_COOKIE] = GROWN(tuile_set_cookie, partitioned, set_cookie),
  [SYS_DJANGO_COOKIE] = AS_FIRST(tuile_django_cookie, django_cookie),
  [SYS_JAR_CONFIG] = AS_FIRST(tuile_jar_config, jar_config),
  [SYS_JAR_REQUEST] = AS_FIRST(tuile_jar_request, jar_request),
  [SYS_SIGNER_CONFIG] = GROWN(tuile_signer_config, timed, signer_config),
  [SYS_SIGNING] = AS_FIRST(tuile_signing, signing),
  [SYS_VERIFICATION] = AS_FIRST(tuile_verification, verification),
  [SYS_URL_PARAMETER] = AS_FIRST(tuile_url_parameter, url_parameter),
  [SYS_HIDDEN_FIELD] = GROWN(tuile_hidden_field, session_id, hidden_field),
  [SYS_CSRF_REQUEST] = AS_FIRST(tuile_csrf_request, csrf_request),
  [SYS_STORE_OPS] = GROWN(tuile_store_ops, close, store_ops),
  [SYS_CONFIG] = GROWN(tuile_config, clock_context, config),
  [SYS_STATS] = GROWN(tuile_stats, store_failures, stats),
  [SYS_LATENCY] = AS_FIRST(tuile_latency, latency),
  [SYS_COPYING] = AS_FIRST(tuile_copying, copying),
  [SYS_DEVICE_REQUEST] = AS_FIRST(tuile_device_request, device_request),
  [SYS_DEVICE_ANSWER] = AS_FIRST(tuile_device_answer, device_answer),
  [SYS_QUEUE_CONFIG] = AS_FIRST(tuile_queue_config, queue_config),
};

static size_t aligned(const struct shape *shape, size_t size) {
  return (size + shape->alignment - 1) / shape->alignment * shape->alignment;
}

/* How many bytes of a struct of `size` bytes are fields that this library knows; 0: no version has that size. */
static size_t known(const struct shape *shape, size_t size) {
  if (size >= shape->size) return size <= SYS_LARGEST_STRUCT ? shape->size : 0;
  size_t end = shape->first, i = 0;
  if (size < aligned(shape, end)) return 0;
  for (; i < shape->count; end = shape->later[i++].end) {
    const struct field *field = &shape->later[i];
    if (size <= field->start || (field->begins_version && size == aligned(shape, end))) break;
    if (size < field->end) return 0;
  }
  size_t next = i < shape->count ? shape->later[i].start : shape->size;
  return size == end || size == next || size == aligned(shape, end) ? end : 0;
}

/* The caller's struct may have any type and age: its size is read as bytes. */
static size_t size_of(const void *caller) {
  size_t size;
  memcpy(&size, caller, sizeof size);
  return size;
}

static sys_fit fit(const struct shape *shape, const void *caller, size_t *fields) {
  size_t size = size_of(caller);
  *fields = known(shape, size);
  if (*fields == 0) return SYS_FITS_NO_VERSION;
  for (size_t i = shape->size; i < size; i++)
    if (((const char *)caller)[i] != 0) return SYS_FITS_NEWER;
  return SYS_FITS;
}

bool sys_sized_init(sys_struct kind, void *caller, size_t size) {
  const struct shape *shape = &shapes[kind];
  size_t fields = known(shape, size);
  if (fields == 0) return false;
  memset(caller, 0, size);
  memcpy(caller, shape->defaults, fields);
  memcpy(caller, &size, sizeof size);
  return true;
}

sys_fit sys_sized_read(sys_struct kind, const void *caller, void *whole) {
  const struct shape *shape = &shapes[kind];
  size_t fields;
  sys_fit fits = fit(shape, caller, &fields);
  if (fits != SYS_FITS) return fits;
  memcpy(whole, shape->defaults, shape->size);
  memcpy((char *)whole + sizeof(size_t), (const char *)caller + sizeof(size_t), fields - sizeof(size_t));
  return SYS_FITS;
}

sys_fit sys_sized_write(sys_struct kind, const void *whole, void *caller) {
  size_t fields;
  sys_fit fits = fit(&shapes[kind], caller, &fields);
  if (fits == SYS_FITS)
    memcpy((char *)caller + sizeof(size_t), (const char *)whole + sizeof(size_t), fields - sizeof(size_t));
  return fits;
}
