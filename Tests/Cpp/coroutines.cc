/* tuile/queue.hpp with C++20's coroutines, on a store that gives no answer for as long as the
 * test likes: answers, errors, what is destroyed meanwhile, and the end of the queue in the middle.
 * Compiled with and without exceptions, as hpp.cc; TEST names this file's function. */
#include <condition_variable>
#include <cstring>
#include <cstdio>
#include <cstdlib>
#include <mutex>
#include <string>
#include <tuile.hpp>

#ifdef __cpp_impl_coroutine
#include <poll.h>
#include <stdexcept>

#define CHECK(expression)                                                               \
  do {                                                                                  \
    if (!(expression)) {                                                                \
      std::fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #expression); \
      std::abort();                                                                     \
    }                                                                                   \
  } while (0)

namespace {

/* ---- a store that can be held ---- */

struct HeldStore {
  tuile::Store memory = *tuile::Store::open("memory:");
  std::mutex mutex;
  std::condition_variable changed;
  bool held = false;
  int inside = 0, loads = 0, writes = 0;

  void pass(int &count) {
    std::unique_lock lock(mutex);
    inside++;
    changed.notify_all();
    changed.wait(lock, [&] { return !held; });
    inside--;
    count++;
    changed.notify_all();
  }
  void hold(bool on) {
    std::lock_guard lock(mutex);
    held = on;
    changed.notify_all();
  }
  void wait_inside(int count) {
    std::unique_lock lock(mutex);
    changed.wait(lock, [&] { return inside == count; });
  }
  static HeldStore &of(void *context) { return *static_cast<HeldStore *>(context); }
  tuile::Store make() {
    tuile_store_ops ops{};
    ops.size = sizeof ops;
    ops.load = [](void *c, tuile_bytes key, int64_t now, tuile_receive receive, void *receiver, tuile_error *error) {
      of(c).pass(of(c).loads);
      return tuile_store_load(of(c).memory.handle(), key, now, receive, receiver, error);
    };
    ops.create = [](void *c, tuile_bytes key, tuile_bytes data, int64_t expires, tuile_error *error) {
      of(c).pass(of(c).writes);
      return tuile_store_create(of(c).memory.handle(), key, data, expires, error);
    };
    ops.replace = [](void *c, tuile_bytes key, tuile_bytes expected, tuile_bytes data, int64_t expires, tuile_error *error) {
      of(c).pass(of(c).writes);
      return tuile_store_replace(of(c).memory.handle(), key, expected, data, expires, error);
    };
    ops.touch = [](void *c, tuile_bytes key, int64_t expires, tuile_error *error) {
      return tuile_store_touch(of(c).memory.handle(), key, expires, error);
    };
    ops.remove = [](void *c, tuile_bytes key, tuile_error *error) {
      of(c).pass(of(c).writes);
      return tuile_store_remove(of(c).memory.handle(), key, error);
    };
    ops.sweep = [](void *c, int64_t now, size_t limit, size_t *removed, tuile_error *error) {
      return tuile_store_sweep(of(c).memory.handle(), now, limit, removed, error);
    };
    return *tuile::Store::make(ops, this);
  }
};

/* ---- a coroutine that can be destroyed while it waits ---- */

struct Task {
  struct promise_type {
    Task get_return_object() { return Task(std::coroutine_handle<promise_type>::from_promise(*this)); }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() {}
#ifdef TUILE_NO_EXCEPTIONS
    void unhandled_exception() { std::abort(); }
#else
    void unhandled_exception() { throw; } /* out of the coroutine */
#endif
  };
  Task() = default;
  explicit Task(std::coroutine_handle<promise_type> coroutine) : coroutine_(coroutine) {}
  Task(Task &&other) noexcept : coroutine_(std::exchange(other.coroutine_, nullptr)) {}
  Task &operator=(Task &&other) noexcept {
    if (coroutine_) coroutine_.destroy();
    coroutine_ = std::exchange(other.coroutine_, nullptr);
    return *this;
  }
  ~Task() {
    if (coroutine_) coroutine_.destroy();
  }
  bool done() const { return coroutine_.done(); }

 private:
  std::coroutine_handle<promise_type> coroutine_;
};

const char secret[] = "a secret of 32 bytes and some more 0123456789";

struct Host {
  HeldStore held;
  tuile::Store store;
  tuile::Manager manager;
  tuile::Queue queue;

  explicit Host(uint32_t deadline = 600000, std::size_t max_waiting = 100) : store(held.make()) {
    tuile_config config = TUILE_CONFIG_INIT;
    config.secret = tuile::bytes(secret);
    config.open_store = store.handle();
    manager = *tuile::Manager::open(config);
    open(deadline, max_waiting);
  }
  ~Host() { held.hold(false); }
  void open(uint32_t deadline, std::size_t max_waiting) {
    tuile_queue_config config = TUILE_QUEUE_CONFIG_INIT;
    config.workers = 2, config.deadline = deadline, config.max_waiting = max_waiting;
    queue = *tuile::Queue::open(manager, config);
  }
  /* As a loop would; how many were answered. */
  std::size_t run_once() {
    struct pollfd ready = {queue.fd(), POLLIN, 0};
    CHECK(poll(&ready, 1, -1) == 1);
    return *queue.run();
  }
  void run(const Task &task) {
    while (!task.done()) run_once();
  }
};

/* The status of an awaited call, thrown or answered. */
#ifdef TUILE_NO_EXCEPTIONS
#define STATUS(place, ...)            \
  do {                                \
    auto given = __VA_ARGS__;         \
    place = given.status();           \
    if (place < 0) CHECK(given.error().status == place); \
  } while (0)
#else
#define STATUS(place, ...)            \
  do {                                \
    try {                             \
      place = (__VA_ARGS__).status(); \
    } catch (const tuile::Error &e) { \
      place = e.status();             \
    }                                 \
  } while (0)
#endif

struct Seen {
  tuile_status load = TUILE_OK, commit = TUILE_OK;
  std::string cookie;
  int64_t count = 0;
};

Task visit(Host &host, std::string cookie, Seen &seen) {
  tuile::Session session = *host.manager.start(cookie);
  STATUS(seen.load, co_await host.queue.load(session));
  if (seen.load < 0) co_return;
  seen.count = *session.add_int("count");
  STATUS(seen.commit, co_await host.queue.commit(session, 200, [&](std::string_view name, std::string_view value) {
    if (name == "Set-Cookie") seen.cookie = value.substr(0, value.find(';'));
  }));
}

std::string first_visit(Host &host) {
  Seen seen;
  Task task = visit(host, "", seen);
  host.run(task);
  CHECK(seen.load == TUILE_ABSENT);
  CHECK(seen.commit == TUILE_OK);
  CHECK(seen.count == 1);
  CHECK(seen.cookie.rfind("sessionid=", 0) == 0);
  return seen.cookie;
}

void answers() {
  Host host;
  std::string cookie = first_visit(host);
  Seen seen;
  Task task = visit(host, cookie, seen);
  host.run(task);
  CHECK(seen.load == TUILE_OK);
  CHECK(seen.commit == TUILE_OK);
  CHECK(seen.count == 2);

  bool flushed = false;
  auto leave = [](Host &of, std::string with, bool &done) -> Task {
    tuile::Session session = *of.manager.start(with);
    CHECK(co_await of.queue.flush(session));
    CHECK(co_await of.queue.commit(session, 200));
    done = true;
  };
  Task leaving = leave(host, cookie, flushed);
  host.run(leaving);
  CHECK(flushed);
}

/* Owners, on a store that has them. */
Task of_owner(tuile::Manager &manager, tuile::Queue &queue, bool &done) {
  tuile::Session one = *manager.start(""), other = *manager.start("");
  for (tuile::Session *session : {&one, &other}) {
    CHECK(session->set_owner("anna"));
    CHECK(co_await queue.commit(*session, 200));
  }
  std::string id;
  int count = 0;
  auto receive = [&](const tuile_owned_session &owned) {
    count++;
    if (!owned.current) id = tuile::view(owned.id);
  };
  CHECK(co_await queue.sessions("anna", receive, &one)); /* a function that is the caller's */
  CHECK(count == 2);
  CHECK(id.size() == 32);
  CHECK(co_await queue.revoke("anna", id));
  CHECK((co_await queue.revoke("anna", id)).status() == TUILE_ABSENT);
  CHECK(*co_await queue.revoke_all("anna", &one) == 0);
  CHECK(*co_await queue.revoke_all("anna") == 1);
  done = true;
}

void owners() {
  tuile_config config = TUILE_CONFIG_INIT;
  config.secret = tuile::bytes(secret), config.store = TUILE_STR("memory:");
  tuile::Manager manager = *tuile::Manager::open(config);
  tuile::Queue queue = *tuile::Queue::open(manager);
  bool done = false;
  Task task = of_owner(manager, queue, done);
  struct pollfd ready = {queue.fd(), POLLIN, 0};
  while (!task.done() && poll(&ready, 1, -1) == 1) CHECK(*queue.run() > 0);
  CHECK(done);
}

/* Destroyed while a worker has its operation, and while nobody has begun. */
void destroyed() {
  Host host;
  std::string cookie = first_visit(host);
  Seen begun, waiting[3];
  host.held.hold(true);
  {
    Task first = visit(host, cookie, begun), second = visit(host, cookie, begun);
    host.held.wait_inside(2); /* as many as there are workers */
    Task third = visit(host, cookie, waiting[0]), fourth = visit(host, cookie, waiting[1]);
    CHECK(!third.done());
    CHECK(!fourth.done());
  }
  int loads = host.held.loads;
  host.held.hold(false);
  Task last = visit(host, cookie, waiting[2]);
  host.run(last);
  CHECK(waiting[2].commit == TUILE_OK);
  CHECK(waiting[2].count == 2);
  host.held.wait_inside(0);
  CHECK(host.held.loads == loads + 3); /* the two that had begun, and the last one */
  CHECK(begun.count == 0);
  CHECK(waiting[0].count == 0);

  /* A commit that has begun: it is made, and its headers come to nobody. */
  int writes = host.held.writes;
  Seen gone, after;
  host.held.hold(true);
  {
    Task committing = visit(host, "", gone);
    while (gone.count == 0) host.run_once(); /* a load without a cookie, behind what was left */
    host.held.wait_inside(1);
  }
  host.held.hold(false);
  Task task = visit(host, cookie, after);
  host.run(task);
  host.held.wait_inside(0);
  CHECK(after.commit == TUILE_OK);
  CHECK(host.held.writes == writes + 2);
  CHECK(gone.count == 1);
  CHECK(gone.cookie.empty());
}

/* What has not begun is not done, though its session goes on. */
void cancelled() {
  Host host;
  std::string cookie = first_visit(host);
  tuile::Session session = *host.manager.start(cookie);
  Seen begun;
  host.held.hold(true);
  Task first = visit(host, cookie, begun), second = visit(host, cookie, begun);
  host.held.wait_inside(2);
  {
    auto load = [](Host &of, tuile::Session &whose) -> Task { (void)co_await of.queue.load(whose); };
    Task third = load(host, session);
    CHECK(*host.queue.run() == 0);
  }
  CHECK(*host.queue.run() == 1);
  host.held.hold(false);
  CHECK(*session.get_int("count") == 1);
  host.run(first);
  host.run(second);
}

/* By another coroutine, in the middle of run(). */
void destroyed_by_another() {
  Host host;
  Seen victim;
  Task other;
  auto kill = [](Host &of, Task &whom) -> Task {
    tuile::Session session = *of.manager.start("");
    CHECK((co_await of.queue.load(session)).status() == TUILE_ABSENT);
    whom = Task();
  };
  Task killer = kill(host, other);
  other = visit(host, "", victim); /* both are answered at once, and told by the same run */
  CHECK(host.run_once() == 2);
  CHECK(killer.done());
  CHECK(victim.count == 0);
}

void refused() {
  Host host(600000, 1);
  Seen one, other;
  std::string cookie = first_visit(host);
  host.held.hold(true);
  Task first = visit(host, cookie, one), second = visit(host, cookie, other);
  CHECK(second.done());
  CHECK(other.load == TUILE_E_BUSY); /* more than max_waiting: at once */
  host.held.hold(false);
  host.run(first);
  CHECK(one.commit == TUILE_OK);

  host.open(1, 100);
  host.held.hold(true);
  Seen late;
  Task task = visit(host, cookie, late);
  host.run(task);
  CHECK(late.load == TUILE_E_BUSY);
  host.held.hold(false);

  tuile_queue_config config = TUILE_QUEUE_CONFIG_INIT;
  config.deliver_on_workers = true;
  tuile_status status = TUILE_OK;
  STATUS(status, tuile::Queue::open(host.manager, config));
  CHECK(status == TUILE_E_ARGUMENT);
  host.queue = tuile::Queue();
  Seen closed;
  Task none = visit(host, cookie, closed);
  CHECK(none.done());
  CHECK(closed.load == TUILE_E_ARGUMENT);
  CHECK(host.queue.fd() == -1);
  CHECK(!host.queue);
}

/* The queue ends while coroutines wait: they go on, and are told. */
void ended() {
  Host host;
  std::string cookie = first_visit(host);
  {
    Seen waiting[4];
    host.held.hold(true);
    Task tasks[4];
    for (int i = 0; i < 4; i++) tasks[i] = visit(host, cookie, waiting[i]);
    host.held.wait_inside(2);
    host.held.hold(false);
    host.queue.close();
    for (int i = 0; i < 4; i++) {
      CHECK(tasks[i].done());
      /* Those that had begun were answered, and then there was no queue for the commit. */
      bool begun = waiting[i].load == TUILE_OK && waiting[i].commit == TUILE_E_ARGUMENT;
      CHECK(begun || waiting[i].load == TUILE_E_CANCELLED);
    }
  }
  /* By a coroutine, which is called by the queue. */
  host.open(600000, 100);
  auto close = [](Host &of, std::string with) -> Task {
    tuile::Session session = *of.manager.start(with);
    CHECK(co_await of.queue.load(session));
    of.queue = tuile::Queue();
  };
  Task closing = close(host, cookie);
  host.run(closing);
  CHECK(!host.queue);
}

#ifndef TUILE_NO_EXCEPTIONS
/* What add_header throws comes out of its co_await, what leaves the coroutine out of run(). */
void thrown() {
  Host host;
  std::string cookie = first_visit(host);
  int caught = 0;
  auto catching = [](Host &of, std::string with, int &value) -> Task {
    tuile::Session session = *of.manager.start(with);
    session.set_int("a", 1);
    try {
      co_await of.queue.commit(session, 200, [](std::string_view, std::string_view) { throw 5; });
    } catch (int number) {
      value = number;
    }
  };
  Task task = catching(host, cookie, caught);
  host.run(task);
  CHECK(caught == 5);

  auto throwing = [](Host &of, std::string with) -> Task {
    tuile::Session session = *of.manager.start(with);
    co_await of.queue.load(session);
    throw std::runtime_error("out of a coroutine");
  };
  Seen seen;
  host.held.hold(true);
  Task bad = throwing(host, cookie);
  host.held.wait_inside(1);
  Task good = visit(host, cookie, seen);
  host.held.wait_inside(2);
  host.held.hold(false);
  std::string said;
  while (!bad.done() || !good.done()) try {
      host.run_once();
    } catch (const std::runtime_error &error) {
      said = error.what();
    }
  CHECK(said == "out of a coroutine");
  CHECK(seen.commit == TUILE_OK);

  host.held.hold(true);
  Task last = throwing(host, cookie);
  host.held.wait_inside(1);
  host.held.hold(false);
  said.clear();
  try {
    host.queue.close();
  } catch (const std::runtime_error &error) {
    said = error.what();
  }
  CHECK(said == "out of a coroutine");
}
#endif

}  // namespace

void TEST() {
  answers();
  owners();
  destroyed();
  cancelled();
  destroyed_by_another();
  refused();
  ended();
#ifndef TUILE_NO_EXCEPTIONS
  thrown();
#endif
}
#else
void TEST() {}
#endif
