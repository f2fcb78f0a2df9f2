/* tuile/queue.hpp - sessions that C++20's coroutines wait for. Include <tuile.hpp>.
 *
 *   Task answer(tuile::Queue &queue, tuile::Session session) {  // Task: your own, or a framework's
 *     co_await queue.load(session);
 *     session.add_int("count");
 *     co_await queue.commit(session, 200, [&](std::string_view name, std::string_view value) { ... });
 *   }
 *   // your loop, while queue.fd() can be read from:
 *   queue.run();  // goes on with the coroutines whose store has answered
 *
 * Nothing is here where the compiler has no coroutines. Since 0.2.
 */
#ifndef TUILE_QUEUE_HPP
#define TUILE_QUEUE_HPP

#include <tuile/sessions.hpp>

#ifdef __cpp_impl_coroutine
#include <coroutine>
#include <new>

namespace tuile {
inline namespace TUILE_ERRORS {
namespace detail {

/** What a Queue and its operations share: the handle, NULL once it is closed, and
 * what a coroutine has thrown out of itself, until run() or close() throws it. */
struct QueueState {
  tuile_queue *queue = nullptr;
#ifndef TUILE_NO_EXCEPTIONS
  std::exception_ptr thrown;
#endif
  void finish() {
#ifndef TUILE_NO_EXCEPTIONS
    if (thrown) std::rethrow_exception(std::exchange(thrown, nullptr));
#endif
  }
};

struct Pending;

/** What is awaited. Lies in the coroutine's frame, and goes with it. */
class Awaited {
 public:
  explicit Awaited(std::shared_ptr<QueueState> state) noexcept : state_(std::move(state)) {}
  Awaited(const Awaited &) = delete;
  Awaited &operator=(const Awaited &) = delete;
  bool await_ready() const noexcept { return false; }

 protected:
  inline ~Awaited();
  template <class Give>
  bool give(std::coroutine_handle<> coroutine, Give call) noexcept;
  std::shared_ptr<QueueState> state_;
  tuile_status status_ = TUILE_OK;
  tuile_error error_ = no_error();
  std::size_t number_ = 0;    /* what revoke_all has ended */
  void *callback_ = nullptr; /* a Callback of a function of the host's */

 private:
  friend struct Pending;
  std::coroutine_handle<> coroutine_;
  Pending *pending_ = nullptr;
};

/** What the queue has of an operation until its completion: it outlives the coroutine. */
struct Pending {
  /* The host's function, unless its coroutine was destroyed. */
  template <class Function, class... Arguments>
  tuile_status call(Arguments &&...arguments) noexcept {
    if (!awaited) return TUILE_OK;
    return static_cast<Callback<Function> *>(awaited->callback_)->call(std::forward<Arguments>(arguments)...);
  }
  Awaited *awaited; /* NULL: the coroutine was destroyed */
  std::shared_ptr<QueueState> state;
  uint64_t operation = 0;
  std::size_t number = 0;

  static void complete(void *context, tuile_status status, const tuile_error *error) noexcept {
    std::unique_ptr<Pending> pending(static_cast<Pending *>(context));
    Awaited *awaited = pending->awaited;
    if (!awaited) return;
    awaited->pending_ = nullptr;
    awaited->status_ = status, awaited->number_ = pending->number;
    if (error) awaited->error_ = *error;
#ifdef TUILE_NO_EXCEPTIONS
    awaited->coroutine_.resume();
#else
    try {
      awaited->coroutine_.resume();
    } catch (...) {
      if (!pending->state->thrown) pending->state->thrown = std::current_exception();
    }
#endif
  }
};

inline Awaited::~Awaited() {
  if (!pending_) return;
  pending_->awaited = nullptr;
  tuile_queue_cancel(state_->queue, pending_->operation);
}

/** call(Pending *, tuile_error *) gives the operation to the queue. Whether it is awaited. */
template <class Give>
bool Awaited::give(std::coroutine_handle<> coroutine, Give call) noexcept {
  coroutine_ = coroutine;
  pending_ = new (std::nothrow) Pending{this, state_};
  status_ = pending_ ? call(pending_, &error_) : TUILE_E_MEMORY;
  if (status_ == TUILE_OK) return true;
  delete pending_;
  pending_ = nullptr;
  return false;
}

/** One without a callback. Value: nothing, or how many sessions there were. */
template <class Value, class Give>
class Simple : public Awaited {
 public:
  Simple(std::shared_ptr<QueueState> state, Give give) noexcept : Awaited(std::move(state)), give_(std::move(give)) {}
  bool await_suspend(std::coroutine_handle<> coroutine) noexcept { return give(coroutine, give_); }
  Answer<Value> await_resume() {
    if constexpr (std::is_same_v<Value, std::size_t>) return {status_, error_, number_};
    else return {status_, error_};
  }

 private:
  Give give_;
};

/** One that calls a function of the host's before it is answered. */
template <class Function, class Give>
class Calling : public Awaited {
 public:
  /* A temporary function is kept here; another one is the caller's. */
  Calling(std::shared_ptr<QueueState> state, Function &&function, Give give)
      : Awaited(std::move(state)), function_(std::forward<Function>(function)), give_(std::move(give)) {
    callback_ = &keeper_;
  }
  bool await_suspend(std::coroutine_handle<> coroutine) noexcept { return give(coroutine, give_); }
  Answer<> await_resume() {
    keeper_.finish();
    return {status_, error_};
  }

 private:
  Function function_;
  Callback<std::remove_reference_t<Function>> keeper_{function_};
  Give give_;
};

}  // namespace detail

/** What coroutines wait through for a manager's store, while the loop goes on. Everything
 * but handle() belongs to one thread, the loop's, on which the coroutines go on.
 *
 * Each call is awaited where it is made: `co_await queue.load(session)`. A coroutine that is
 * destroyed meanwhile cancels what has not begun, and is told of nothing more. The session
 * may end with it. What the answers are <tuile.h> says of the C function of the same name;
 * errors, also of a queue that is full or was closed, are thrown, or are answers. */
class Queue {
 private:
  static tuile_session *of(Session *session) noexcept { return session ? session->handle() : nullptr; }

  template <class Value, class Give>
  auto simple(Give give) {
    return detail::Simple<Value, Give>(state_, std::move(give));
  }
  template <class Function, class Give>
  auto calling(Function &&function, Give give) {
    return detail::Calling<Function, Give>(state_, std::forward<Function>(function), std::move(give));
  }

 public:
  Queue() = default; /* is none: every call is TUILE_E_ARGUMENT */
  /** Leaves the source empty. */
  Queue(Queue &&) = default;
  /** The same, and closes what was here, as the destructor does. */
  Queue &operator=(Queue &&other) noexcept {
    if (this != &other) end(), state_ = std::move(other.state_);
    return *this;
  }
  /** As close(), but what coroutines throw out of themselves is dropped. */
  ~Queue() { end(); }
  /** tuile_queue_open; `deliver_on_workers` is TUILE_E_ARGUMENT. */
  static Answer<Queue> open(const Manager &manager, const tuile_queue_config &config = TUILE_QUEUE_CONFIG_INIT) {
    tuile_error error = detail::no_error();
    Queue queue;
    if (config.deliver_on_workers) return {TUILE_E_ARGUMENT, error};
    queue.state_ = std::make_shared<detail::QueueState>();
    tuile_status status = tuile_queue_open(manager.handle(), &config, &queue.state_->queue, &error);
    return {status, error, std::move(queue)};
  }
  /** The C handle, still owned by this object. */
  tuile_queue *handle() const noexcept { return state_ ? state_->queue : nullptr; }
  /** Whether it is open. */
  explicit operator bool() const noexcept { return handle() != nullptr; }
  /** tuile_queue_fd */
  int32_t fd() const noexcept { return tuile_queue_fd(handle()); }
  /** tuile_queue_run: how many operations were answered. Of what coroutines throw out of
   * themselves the first comes out of here, once all have gone on. */
  Answer<std::size_t> run() {
    std::shared_ptr<detail::QueueState> state = state_; /* A coroutine may close the queue. */
    tuile_error error = detail::no_error();
    std::size_t called = 0;
    tuile_status status = tuile_queue_run(handle(), &called);
    if (state) state->finish();
    return {status, error, called};
  }
  /** tuile_queue_close: what waits is answered TUILE_E_CANCELLED, so that its coroutines
   * go on. Throws as run(). */
  void close() {
    if (auto state = end()) state->finish();
  }

  /** tuile_queue_load */
  auto load(Session &session) {
    return simple<Nothing>([queue = handle(), session = session.handle()](detail::Pending *pending, tuile_error *error) {
      return tuile_queue_load(queue, session, pending->complete, pending, &pending->operation, error);
    });
  }
  /** tuile_queue_commit: add_header as in Session::commit, before the coroutine goes on. */
  template <class AddHeader>
  auto commit(Session &session, int32_t http_status, AddHeader &&add_header) {
    auto give = [queue = handle(), session = session.handle(), http_status](detail::Pending *pending, tuile_error *error) {
      auto add = [](void *context, tuile_bytes name, tuile_bytes value) {
        return static_cast<detail::Pending *>(context)->call<std::remove_reference_t<AddHeader>>(view(name), view(value));
      };
      return tuile_queue_commit(queue, session, http_status, add, pending, pending->complete, pending, &pending->operation, error);
    };
    return calling(std::forward<AddHeader>(add_header), give);
  }
  /** tuile_queue_commit where the response has no headers any more. */
  auto commit(Session &session, int32_t http_status) {
    return simple<Nothing>([queue = handle(), session = session.handle(), http_status](detail::Pending *pending, tuile_error *error) {
      return tuile_queue_commit(queue, session, http_status, nullptr, nullptr, pending->complete, pending, &pending->operation, error);
    });
  }
  /** tuile_queue_flush */
  auto flush(Session &session) {
    return simple<Nothing>([queue = handle(), session = session.handle()](detail::Pending *pending, tuile_error *error) {
      return tuile_queue_flush(queue, session, pending->complete, pending, &pending->operation, error);
    });
  }
  /** tuile_queue_sessions: receive(const tuile_owned_session &) for each, before the coroutine goes on. */
  template <class Receive>
  auto sessions(std::string_view owner, Receive &&receive, Session *current = nullptr) {
    auto give = [queue = handle(), owner, current = of(current)](detail::Pending *pending, tuile_error *error) {
      auto take = [](void *context, const tuile_owned_session *session) {
        static_cast<detail::Pending *>(context)->call<std::remove_reference_t<Receive>>(*session);
      };
      return tuile_queue_sessions(queue, bytes(owner), current, take, pending, pending->complete, pending, &pending->operation, error);
    };
    return calling(std::forward<Receive>(receive), give);
  }
  /** tuile_queue_revoke */
  auto revoke(std::string_view owner, std::string_view id) {
    return simple<Nothing>([queue = handle(), owner, id](detail::Pending *pending, tuile_error *error) {
      return tuile_queue_revoke(queue, bytes(owner), bytes(id), pending->complete, pending, &pending->operation, error);
    });
  }
  /** tuile_queue_revoke_all: how many were ended */
  auto revoke_all(std::string_view owner, Session *keep = nullptr) {
    return simple<std::size_t>([queue = handle(), owner, keep = of(keep)](detail::Pending *pending, tuile_error *error) {
      return tuile_queue_revoke_all(queue, bytes(owner), keep, &pending->number, pending->complete, pending, &pending->operation, error);
    });
  }

 private:
  std::shared_ptr<detail::QueueState> end() noexcept {
    std::shared_ptr<detail::QueueState> state = state_;
    if (state) tuile_queue_close(std::exchange(state->queue, nullptr));
    return state;
  }

  std::shared_ptr<detail::QueueState> state_;
};

}  // namespace TUILE_ERRORS
}  // namespace tuile
#endif

#endif
