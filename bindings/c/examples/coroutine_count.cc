/* coroutine_count - a page that counts its visits, with C++20's coroutines on epoll(7): each
 * connection is a coroutine that waits for its socket, and through a tuile::Queue for its
 * session's store. loop.h says what the page has. */
#include <arpa/inet.h>
#include <cerrno>
#include <coroutine>
#include <csignal>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <strings.h>
#include <sys/epoll.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <tuile.hpp>
#include <unistd.h>
#include <vector>

namespace {

struct Connection;

struct Server {
  tuile::Manager manager;
  tuile::Queue queue;
  int epoll = epoll_create1(EPOLL_CLOEXEC);
  std::map<Connection *, std::unique_ptr<Connection>> connections;
  std::vector<Connection *> ended; /* to be erased once nothing of theirs runs */
};

/* A coroutine, which ends with this. */
class Serving {
 public:
  struct promise_type {
    Serving get_return_object() { return Serving(std::coroutine_handle<promise_type>::from_promise(*this)); }
    std::suspend_never initial_suspend() noexcept { return {}; }
    std::suspend_always final_suspend() noexcept { return {}; }
    void return_void() {}
    void unhandled_exception() { throw; }
  };
  Serving() = default;
  Serving(Serving &&other) noexcept : coroutine_(std::exchange(other.coroutine_, nullptr)) {}
  Serving &operator=(Serving &&other) noexcept { return std::swap(coroutine_, other.coroutine_), *this; }
  ~Serving() {
    if (coroutine_) coroutine_.destroy();
  }

 private:
  explicit Serving(std::coroutine_handle<> coroutine) : coroutine_(coroutine) {}
  std::coroutine_handle<> coroutine_;
};

struct Connection {
  Server &server;
  int socket;
  std::coroutine_handle<> waits_for_socket;
  Serving serving;

  Connection(Server &of, int client) : server(of), socket(client) {
    epoll_event event{};
    event.data.ptr = this;
    epoll_ctl(server.epoll, EPOLL_CTL_ADD, socket, &event);
  }
  Connection(const Connection &) = delete;
  ~Connection() { close(socket); }

  /* Awaited: until the socket is ready. At other times it is told only that the client has left. */
  struct Ready {
    Connection &connection;
    uint32_t events;
    bool await_ready() { return false; }
    void await_suspend(std::coroutine_handle<> coroutine) {
      connection.waits_for_socket = coroutine;
      connection.watch(events);
    }
    void await_resume() { connection.watch(0); }
  };
  Ready ready(uint32_t events) { return {*this, events}; }
  void watch(uint32_t events) {
    epoll_event event{};
    event.events = events, event.data.ptr = this;
    epoll_ctl(server.epoll, EPOLL_CTL_MOD, socket, &event);
  }
};

struct Response {
  int status = 200;
  std::string body, headers = "Content-Type: text/plain\r\nConnection: close\r\n";
};

/* As much of HTTP as the page needs: path and cookies of a head, or an empty path. */
std::pair<std::string, std::string> parse(std::string_view head) {
  std::pair<std::string, std::string> found;
  if (head.substr(0, 4) != "GET ") return found;
  found.first = head.substr(4, head.find_first_of(" \r", 4) - 4);
  for (std::size_t at = head.find("\r\n"), end; at != head.npos; at = end) {
    end = head.find("\r\n", at + 2);
    std::string_view line = head.substr(at + 2, end == head.npos ? end : end - at - 2);
    if (line.size() > 7 && strncasecmp(line.data(), "Cookie:", 7) == 0) found.second = line.substr(7);
  }
  return found;
}

Serving serve(Connection &connection) {
  tuile::Queue &queue = connection.server.queue;
  std::string head;
  char room[4096];
  while (head.find("\r\n\r\n") == head.npos && head.size() < 8192) {
    co_await connection.ready(EPOLLIN);
    ssize_t got = recv(connection.socket, room, sizeof room, 0);
    if (got > 0) head.append(room, static_cast<std::size_t>(got));
    if (got == 0 || (got < 0 && errno != EAGAIN)) break;
  }
  auto [path, cookies] = parse(head);
  Response response;
  try {
    tuile::Session session = *connection.server.manager.start(cookies);
    if (path == "/") {
      co_await queue.load(session);
      response.body = std::to_string(*session.add_int("count")) + "\n";
    } else if (path == "/logout") {
      co_await queue.flush(session);
      response.body = "You are logged out.\n";
    } else if (path == "/about") {
      response.body = "A page for everybody.\n";
    } else {
      response.status = 404, response.body = "There is no such page.\n";
    }
    /* A page is shown only once its count is kept. */
    co_await queue.commit(session, response.status, [&](std::string_view name, std::string_view value) {
      response.headers.append(name).append(": ").append(value).append("\r\n");
    });
  } catch (const tuile::Error &error) {
    /* An outage is no logout: the visitor is asked to come again, with the cookie as it is. */
    std::fprintf(stderr, "%s\n", error.what());
    response = Response{503, "Please try again.\n"};
  }
  std::string out = "HTTP/1.1 " + std::to_string(response.status) + " -\r\nContent-Length: " +
                    std::to_string(response.body.size()) + "\r\n" + response.headers + "\r\n" + response.body;
  for (std::size_t sent = 0; sent < out.size();) {
    co_await connection.ready(EPOLLOUT);
    ssize_t wrote = send(connection.socket, out.data() + sent, out.size() - sent, MSG_NOSIGNAL);
    if (wrote > 0) sent += static_cast<std::size_t>(wrote);
    if (wrote < 0 && errno != EAGAIN) break;
  }
  connection.server.ended.push_back(&connection);
}

/* ---- the loop ---- */

void accept_one(Server &server, int listening) {
  int client = accept4(listening, nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC);
  if (client < 0) return;
  auto connection = std::make_unique<Connection>(server, client);
  Connection &here = *(server.connections[connection.get()] = std::move(connection));
  here.serving = serve(here);
}

void happened(Server &server, Connection &connection) {
  if (auto coroutine = std::exchange(connection.waits_for_socket, nullptr)) return coroutine.resume();
  server.connections.erase(&connection); /* The client has left, and the coroutine ends with its session. */
}

void loop(Server &server, int listening, int signals) {
  static char of_listening, of_signals, of_queue; /* what epoll gives back */
  auto watch = [&](int descriptor, void *what) {
    epoll_event event{};
    event.events = EPOLLIN, event.data.ptr = what;
    epoll_ctl(server.epoll, EPOLL_CTL_ADD, descriptor, &event);
  };
  watch(listening, &of_listening);
  watch(signals, &of_signals);
  watch(server.queue.fd(), &of_queue);
  for (;;) {
    epoll_event events[64];
    bool completes = false;
    int count = epoll_wait(server.epoll, events, 64, -1);
    for (int i = 0; i < count; i++) {
      if (events[i].data.ptr == &of_signals) return;
      if (events[i].data.ptr == &of_listening) accept_one(server, listening);
      else if (events[i].data.ptr == &of_queue) completes = true;
      else happened(server, *static_cast<Connection *>(events[i].data.ptr));
    }
    if (completes) server.queue.run();
    for (Connection *connection : std::exchange(server.ended, {})) server.connections.erase(connection);
  }
}

int listen_here(uint16_t port) {
  sockaddr_in where{};
  where.sin_family = AF_INET, where.sin_port = htons(port), where.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  socklen_t size = sizeof where;
  auto *address = reinterpret_cast<sockaddr *>(&where);
  int listening = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), yes = 1;
  if (listening < 0 || setsockopt(listening, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) != 0 || bind(listening, address, size) != 0 ||
      listen(listening, 128) != 0 || getsockname(listening, address, &size) != 0) {
    std::perror("listening");
    std::exit(1);
  }
  std::printf("listening on http://127.0.0.1:%d/\n", ntohs(where.sin_port));
  std::fflush(stdout);
  return listening;
}

}  // namespace

int main(int argc, char **argv) {
  tuile_config config = TUILE_CONFIG_INIT;
  tuile_queue_config queue = TUILE_QUEUE_CONFIG_INIT;
  const char *secret = std::getenv("TUILE_SECRET");
  uint16_t port = 8000;
  config.store = TUILE_STR("memory:");
  config.secret = tuile::bytes(secret ? secret : "");
  for (int i = 1; i < argc; i += 2) {
    std::string_view option = argv[i];
    if (i + 1 < argc && option == "--port") {
      port = static_cast<uint16_t>(std::atoi(argv[i + 1]));
    } else if (i + 1 < argc && option == "--store") {
      config.store = tuile::bytes(argv[i + 1]);
    } else if (i + 1 < argc && option == "--deadline") {
      queue.deadline = static_cast<uint32_t>(std::atoi(argv[i + 1]));
    } else {
      std::fprintf(stderr, "usage: %s [--port N] [--store URL] [--deadline MILLISECONDS]; the secret is TUILE_SECRET\n", argv[0]);
      return 1;
    }
  }
  /* Before the queue starts threads: they take no signals by themselves. */
  sigset_t stop;
  sigemptyset(&stop);
  sigaddset(&stop, SIGTERM);
  sigaddset(&stop, SIGINT);
  sigprocmask(SIG_BLOCK, &stop, nullptr);
  try {
    Server server;
    server.manager = *tuile::Manager::open(config);
    server.queue = *tuile::Queue::open(server.manager, queue);
    int listening = listen_here(port), signals = signalfd(-1, &stop, SFD_CLOEXEC);
    loop(server, listening, signals);
    server.connections.clear(); /* Coroutines that wait end here, before their queue. */
    server.queue.close();
    close(server.epoll), close(listening), close(signals);
  } catch (const std::exception &error) {
    std::fprintf(stderr, "%s: %s\n", argv[0], error.what());
    return 1;
  }
}
