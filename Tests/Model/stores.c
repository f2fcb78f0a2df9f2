/* Three stores of a few records, in memory: exact, and atomic in each call. What
 * goes wrong with a call is what the explorer says when the request goes on. */
#include "model.h"

enum { most_data = 900, most_lists = 6 };

struct record {
  char key[41];
  int64_t expires;
  size_t size;
  char data[most_data];
};
struct listed {
  char owner[16], key[41];
  int64_t expires;
  size_t size;
  char record[200];
};
struct contents {
  int count, listed_count;
  struct record records[most_records]; /* in the order of their keys */
  struct listed listed[most_lists];
};
static struct contents stores[store_count], snapshot[store_count];

/* Copies of writes that are still on their way. */
static struct late {
  struct op op;
  int by;
  char key[41], expected[most_data], data[most_data];
} late[most_late];
static int late_number;

/* Who made which session, in the order of their making. */
static struct made {
  char key[41];
  int by;
} made[most_records];
static int made_count;

bool front_away, store_is_blind, store_is_strict;

void stores_reset(void) {
  memcpy(stores, snapshot, sizeof stores);
  late_number = made_count = 0;
  front_away = false;
}
void stores_snapshot(void) { memcpy(snapshot, stores, sizeof stores); }
void stores_forget(void) {
  memset(snapshot, 0, sizeof snapshot);
  stores_reset();
}

void stores_clear(enum store_name store) { memset(&stores[store], 0, sizeof stores[store]); }

int maker_of(const char *key) {
  for (int i = 0; i < made_count; i++)
    if (strcmp(made[i].key, key) == 0) return made[i].by;
  return outside;
}

/* ---- records ---- */

static int place_of(struct contents *store, tuile_bytes key, bool *found) {
  int i = 0, order = -1;
  for (; i < store->count; i++) {
    order = strncmp(store->records[i].key, key.data, key.size);
    if (order == 0 && store->records[i].key[key.size]) order = 1;
    if (order >= 0) break;
  }
  *found = i < store->count && order == 0;
  return i;
}

static void erase(struct contents *store, int i) {
  memmove(&store->records[i], &store->records[i + 1], sizeof(struct record) * (size_t)(store->count - i - 1));
  store->count--;
}

static void drop_expired(struct contents *store) {
  if (store_is_strict) return;
  for (int i = store->count - 1; i >= 0; i--)
    if (store->records[i].expires <= world_time) erase(store, i);
}

static struct record *find(struct contents *store, tuile_bytes key) {
  bool found;
  drop_expired(store);
  int i = place_of(store, key, &found);
  return found ? &store->records[i] : NULL;
}

static void fill(struct record *record, tuile_bytes data, int64_t expires) {
  CHECK(data.size <= most_data);
  if (data.size > 0) memcpy(record->data, data.data, data.size);
  record->size = data.size, record->expires = expires;
}

static void insert(struct contents *store, tuile_bytes key, tuile_bytes data, int64_t expires) {
  bool found;
  CHECK(store->count < most_records);
  CHECK(key.size < sizeof store->records->key);
  int i = place_of(store, key, &found);
  CHECK(!found);
  memmove(&store->records[i + 1], &store->records[i], sizeof(struct record) * (size_t)(store->count - i));
  store->count++;
  memset(store->records[i].key, 0, sizeof store->records->key);
  memcpy(store->records[i].key, key.data, key.size);
  fill(&store->records[i], data, expires);
}

static bool is(const struct record *record, tuile_bytes data) {
  return record->size == data.size && (data.size == 0 || memcmp(record->data, data.data, data.size) == 0);
}

static struct listed *find_listed(struct contents *store, tuile_bytes owner, tuile_bytes key) {
  for (int i = 0; i < store->listed_count; i++)
    if (equals(owner, store->listed[i].owner) && equals(key, store->listed[i].key)) return &store->listed[i];
  return NULL;
}

static void note_made(const struct op *op, int by) {
  if (op->store == front || made_count == most_records) return;
  struct made *entry = &made[made_count];
  snprintf(entry->key, sizeof entry->key, "%.*s", (int)op->key.size, (const char *)op->key.data);
  if (strcmp(entry->key, first_id) == 0) return;
  for (int i = 0; i < made_count; i++)
    if (strcmp(made[i].key, entry->key) == 0) {
      made[i].by = by;
      return;
    }
  entry->by = by;
  made_count++;
}

/* ---- the operations, each at one moment ---- */

static tuile_status apply(const struct op *op, int by) {
  struct contents *store = &stores[op->store];
  struct record *record = op->key.size ? find(store, op->key) : NULL;
  struct listed *entry;
  switch (op->kind) {
  case op_load:
    if (!record || record->expires <= op->now) return TUILE_ABSENT;
    op->receive(op->receiver, (tuile_bytes){record->data, record->size}, record->expires);
    observe(mix_bytes((uint64_t)record->expires, record->data, record->size));
    return TUILE_OK;
  case op_create:
    if (record) return TUILE_EXISTS;
    insert(store, op->key, op->data, op->expires);
    note_made(op, by);
    return TUILE_OK;
  case op_replace:
    if (store_is_blind) return apply(&(struct op){.kind = op_put, .store = op->store, .key = op->key, .data = op->data, .expires = op->expires}, by);
    if (!record) return TUILE_ABSENT;
    if (!is(record, op->expected)) return TUILE_CONFLICT;
    fill(record, op->data, op->expires);
    return TUILE_OK;
  case op_put:
    if (record) fill(record, op->data, op->expires);
    else insert(store, op->key, op->data, op->expires), note_made(op, by);
    return TUILE_OK;
  case op_touch:
    if (!record) return TUILE_ABSENT;
    record->expires = op->expires;
    return TUILE_OK;
  case op_remove:
    if (record) erase(store, (int)(record - store->records));
    return TUILE_OK;
  case op_own:
    entry = find_listed(store, op->owner, op->key);
    if (!entry) {
      CHECK(store->listed_count < most_lists);
      entry = &store->listed[store->listed_count++];
    }
    memset(entry, 0, sizeof *entry);
    CHECK(op->owner.size < sizeof entry->owner);
    CHECK(op->data.size <= sizeof entry->record);
    memcpy(entry->owner, op->owner.data, op->owner.size), memcpy(entry->key, op->key.data, op->key.size);
    memcpy(entry->record, op->data.data, op->data.size), entry->size = op->data.size;
    entry->expires = op->expires;
    return TUILE_OK;
  case op_owned:
    for (int i = 0; i < store->listed_count; i++) {
      entry = &store->listed[i];
      struct record *session = find(store, text(entry->key));
      if (!equals(op->owner, entry->owner) || !session || session->expires <= op->now) continue;
      op->receive_owned(op->receiver, text(entry->key), (tuile_bytes){entry->record, entry->size}, session->expires);
      observe(mix_bytes(mix_bytes((uint64_t)session->expires, entry->record, entry->size), entry->key, strlen(entry->key)));
    }
    return TUILE_OK;
  case op_disown:
    entry = find_listed(store, op->owner, op->key);
    if (entry) *entry = store->listed[--store->listed_count];
    return TUILE_OK;
  default: CHECK(!"an operation of a store");
  }
  return TUILE_E_STORE;
}

static void copy_bytes(tuile_bytes *bytes, char *room, size_t size) {
  CHECK(bytes->size <= size);
  if (bytes->size > 0) memcpy(room, bytes->data, bytes->size);
  bytes->data = room;
}

static void delay(const struct op *op) {
  if (late_number == most_late) return;
  struct late *copy = &late[late_number++];
  copy->op = *op, copy->by = current;
  copy_bytes(&copy->op.key, copy->key, sizeof copy->key);
  copy_bytes(&copy->op.expected, copy->expected, sizeof copy->expected);
  copy_bytes(&copy->op.data, copy->data, sizeof copy->data);
}

int late_count(void) { return late_number; }

static const char *const op_names[] = {"begin", "load", "create", "replace", "touch", "put", "remove", "own", "owned", "disown", "respond", "wait"};
static const char *const store_names[] = {"back", "front", "old"};
static const char *const fault_names[] = {"", "failed", "lost, unknown", "applied, unknown", "on its way, unknown",
                                          "applied, and once more later", "the request crashes", "impatient"};

static void trace_op(const char *who, const struct op *op, enum fault fault, tuile_status status) {
  if (!tracing) return;
  size_t shown = op->data.size; /* without the white space that makes it unique */
  while (shown > 0 && strchr(" \t\r\n", ((const char *)op->data.data)[shown - 1])) shown--;
  trace("%-18s %-5s %-7s %.6s…  %s%s%s%s%.*s", who, store_names[op->store], op_names[op->kind],
        op->key.size ? (const char *)op->key.data : "", fault ? fault_names[fault] : "", fault && status != TUILE_OK ? ": " : "",
        fault && status == TUILE_OK ? "" : tuile_status_name(status), op->data.size ? "  " : "", (int)shown,
        op->data.size ? (const char *)op->data.data : "");
}

void deliver_late(int i) {
  CHECK(i < late_number);
  struct late copy = late[i];
  copy.op.key.data = copy.key, copy.op.expected.data = copy.expected, copy.op.data.data = copy.data;
  tuile_status status = apply(&copy.op, outside);
  trace_op("a late copy", &copy.op, fault_none, status);
  late[i] = late[--late_number];
  struct late *moved = &late[i];
  moved->op.key.data = moved->key, moved->op.expected.data = moved->expected, moved->op.data.data = moved->data;
}

/* What a store answers when nobody knows; before there was such a status: that it failed. */
static tuile_status unknown_status(void) {
  static tuile_status status;
  if (!status) {
    status = TUILE_E_STORE;
    for (int i = TUILE_E_FILE - 1; i > -32; i--)
      if (strcmp(tuile_status_name((tuile_status)i), "TUILE_E_UNKNOWN") == 0) status = (tuile_status)i;
  }
  return status;
}

static tuile_status answer_for(const struct op *op, enum fault fault) {
  switch (fault) {
  case fault_none: return apply(op, current);
  case fault_failed: return TUILE_E_STORE;
  case fault_lost: return unknown_status();
  case fault_applied: apply(op, current); return unknown_status();
  case fault_late: delay(op); return unknown_status();
  case fault_twice: {
    tuile_status status = apply(op, current);
    delay(op);
    return status;
  }
  default: abandon(current); return TUILE_E_STORE;
  }
}

static tuile_status call(const struct op *op, tuile_error *error) {
  if (current == outside) return op->store == front && front_away ? TUILE_E_STORE : apply(op, outside);
  enum fault fault = coroutine_wait(op);
  if (is_abandoned(current)) return TUILE_E_STORE;
  if (op->store == front && front_away) fault = fault_failed;
  if (fault != fault_crash) rules_write(op);
  tuile_status status = answer_for(op, fault);
  trace_op(request_name(current), op, fault, status);
  rules_answer(op, status);
  observe(mix((uint64_t)status + 100, op->kind));
  if (status < 0) snprintf(error->message, sizeof error->message, "as the explorer says");
  return status;
}

/* ---- as libtuile calls them; the context is the store's place in `contexts` ---- */

static int contexts[store_count] = {back, front, old};
#define OP(which, ...) \
  struct op op = {.kind = which, .store = (enum store_name)*(int *)c, __VA_ARGS__}; \
  return call(&op, e)

static tuile_status load(void *c, tuile_bytes key, int64_t now, tuile_receive receive, void *receiver, tuile_error *e) {
  OP(op_load, .key = key, .now = now, .receive = receive, .receiver = receiver);
}
static tuile_status create(void *c, tuile_bytes key, tuile_bytes data, int64_t expires, tuile_error *e) {
  OP(op_create, .key = key, .data = data, .expires = expires);
}
static tuile_status replace(void *c, tuile_bytes key, tuile_bytes expected, tuile_bytes data, int64_t expires, tuile_error *e) {
  OP(op_replace, .key = key, .expected = expected, .data = data, .expires = expires);
}
static tuile_status touch(void *c, tuile_bytes key, int64_t expires, tuile_error *e) {
  OP(op_touch, .key = key, .expires = expires);
}
static tuile_status put(void *c, tuile_bytes key, tuile_bytes data, int64_t expires, tuile_error *e) {
  OP(op_put, .key = key, .data = data, .expires = expires);
}
static tuile_status drop(void *c, tuile_bytes key, tuile_error *e) { OP(op_remove, .key = key); }
static tuile_status own(void *c, tuile_bytes owner, tuile_bytes key, tuile_bytes record, int64_t expires, tuile_error *e) {
  OP(op_own, .owner = owner, .key = key, .data = record, .expires = expires);
}
static tuile_status disown(void *c, tuile_bytes owner, tuile_bytes key, tuile_error *e) {
  OP(op_disown, .owner = owner, .key = key);
}
static tuile_status owned(void *c, tuile_bytes owner, int64_t now, tuile_receive_owned receive, void *receiver, tuile_error *e) {
  OP(op_owned, .owner = owner, .now = now, .receive_owned = receive, .receiver = receiver);
}
static tuile_status sweep(void *c, int64_t now, size_t limit, size_t *removed, tuile_error *e) {
  (void)c, (void)now, (void)limit, (void)e;
  *removed = 0;
  return TUILE_OK;
}

__attribute__((visibility("default"))) tuile_status model_module_open(tuile_bytes url, tuile_store_ops *ops, void **context,
                                                                      tuile_error *error) {
  (void)error;
  for (int i = 0; i < store_count; i++) {
    size_t name = strlen(store_names[i]);
    if (url.size < 8 + name || memcmp((const char *)url.data + 8, store_names[i], name) != 0) continue;
    *ops = (tuile_store_ops)TUILE_STORE_OPS_INIT;
    ops->trusted = true; /* so that what is stored can be read here */
    ops->load = load, ops->create = create, ops->replace = replace, ops->touch = touch, ops->remove = drop;
    ops->sweep = sweep, ops->put = put, ops->own = own, ops->disown = disown, ops->owned = owned;
    *context = &contexts[i];
    return TUILE_OK;
  }
  return TUILE_E_SYNTAX;
}

/* ---- for the rules ---- */

uint64_t stores_hash(void) {
  uint64_t hash = mix(1, front_away), copies = 0;
  for (int s = 0; s < store_count; s++) {
    drop_expired(&stores[s]);
    hash = mix(hash, (uint64_t)stores[s].count);
    for (int i = 0; i < stores[s].count; i++) {
      const struct record *record = &stores[s].records[i];
      hash = mix_bytes(mix(hash, (uint64_t)record->expires), record->key, sizeof record->key);
      hash = mix_bytes(hash, record->data, record->size);
    }
    for (int i = 0; i < stores[s].listed_count; i++) hash = mix_bytes(hash, &stores[s].listed[i], sizeof stores[s].listed[i]);
  }
  for (int i = 0; i < late_number; i++) {
    const struct op *op = &late[i].op;
    uint64_t copy = mix(mix(mix((uint64_t)op->kind, op->store), (uint64_t)op->expires), (uint64_t)late[i].by);
    copy = mix_bytes(mix_bytes(copy, op->key.data, op->key.size), op->expected.data, op->expected.size);
    copies += mix_bytes(copy, op->data.data, op->data.size);
  }
  return mix(hash, copies);
}

const char *stored_key(enum store_name store, int i) { return i < stores[store].count ? stores[store].records[i].key : NULL; }

const char *stored_json(enum store_name store, const char *key, bool follow, int64_t *expires) {
  static char json[most_data + 1];
  char target[41];
  for (int hops = 0; hops < 8; hops++) {
    const struct record *record = find(&stores[store], text(key));
    if (!record || record->expires <= world_time) return NULL;
    memcpy(json, record->data, record->size);
    json[record->size] = 0;
    if (expires) *expires = record->expires;
    const char *pointer = strstr(json, "\"_session_moved\":\"");
    if (!pointer || !follow) return json;
    snprintf(target, sizeof target, "%.*s", (int)strcspn(pointer + 18, "\""), pointer + 18);
    key = target;
  }
  return NULL;
}
