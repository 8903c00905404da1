// HttpServerForTest: an HTTP server on loopback, one connection at a time, that answers as the test says.
#pragma once

#include <arpa/inet.h>
#include <fmt/format.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "deepedge/base/check.h"
#include "deepedge/base/mutex.h"
#include "deepedge/base/unique_fd.h"

namespace deepedge {

class HttpServerForTest {
 public:
  struct Request {
    std::string head;
    std::string body;
    int connection = 0;  // counted from 1

    bool Has(const std::string& line) const { return head.find("\r\n" + line + "\r\n") != std::string::npos; }
  };
  struct Reply {
    std::string bytes;     // as they are sent
    bool hang_up = false;  // after them
  };
  static Reply Answer(int status, const std::string& headers = "", const std::string& body = "ok") {
    return {.bytes =
                fmt::format("HTTP/1.1 {} Text\r\nContent-Length: {}\r\n{}\r\n{}", status, body.size(), headers, body)};
  }
  // An empty reply without hang_up: the client waits for it in vain.
  using Handler = std::function<Reply(const Request&)>;

  explicit HttpServerForTest(Handler handler)
      : handler_(std::move(handler)), listener_(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof(address);
    auto* raw = reinterpret_cast<sockaddr*>(&address);
    DE_CHECK(bind(listener_.get(), raw, size) == 0 && listen(listener_.get(), 16) == 0);
    DE_CHECK(getsockname(listener_.get(), raw, &size) == 0);
    port_ = ntohs(address.sin_port);
    thread_ = std::thread([this] { Run(); });
  }
  ~HttpServerForTest() {
    {
      MutexLock lock(mutex_);
      stopping_ = true;
      shutdown(listener_.get(), SHUT_RDWR);
      if (connection_fd_ >= 0) shutdown(connection_fd_, SHUT_RDWR);
    }
    thread_.join();
  }

  std::string Url(const std::string& path = "/hook") const { return fmt::format("http://127.0.0.1:{}{}", port_, path); }
  int port() const { return port_; }
  std::vector<Request> requests() const {
    MutexLock lock(mutex_);
    return requests_;
  }
  // False after ten seconds.
  bool WaitForRequests(size_t count) const {
    const RealClock clock;
    const Time until = clock.Now() + std::chrono::seconds(10);
    MutexLock lock(mutex_);
    while (requests_.size() < count && clock.Now() < until) changed_.WaitUntil(mutex_, until);
    return requests_.size() >= count;
  }

 private:
  void Run() {
    for (int number = 1;; ++number) {
      const UniqueFd connection(accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC));
      {
        MutexLock lock(mutex_);
        if (stopping_ || !connection.valid()) return;
        connection_fd_ = connection.get();
      }
      Serve(connection.get(), number);
      MutexLock lock(mutex_);
      connection_fd_ = -1;
    }
  }

  void Serve(int fd, int number) {
    std::string input;
    while (true) {
      const size_t head_end = input.find("\r\n\r\n");
      const size_t body_size = head_end == std::string::npos ? 0 : BodySize(input.substr(0, head_end));
      if (head_end == std::string::npos || input.size() < head_end + 4 + body_size) {
        char buffer[4096];
        const ssize_t got = recv(fd, buffer, sizeof(buffer), 0);
        if (got <= 0) return;
        input.append(buffer, static_cast<size_t>(got));
        continue;
      }
      const Request request{input.substr(0, head_end + 2), input.substr(head_end + 4, body_size), number};
      input.erase(0, head_end + 4 + body_size);
      const Reply reply = handler_(request);
      {
        MutexLock lock(mutex_);
        requests_.push_back(request);
        changed_.NotifyAll();
      }
      for (size_t sent = 0; sent < reply.bytes.size();) {
        const ssize_t n = send(fd, reply.bytes.data() + sent, reply.bytes.size() - sent, MSG_NOSIGNAL);
        if (n <= 0) return;
        sent += static_cast<size_t>(n);
      }
      if (reply.hang_up) return;
    }
  }

  static size_t BodySize(const std::string& head) {
    const std::string name = "\r\nContent-Length: ";
    const size_t at = head.find(name);
    return at == std::string::npos ? 0 : std::stoul(head.substr(at + name.size()));
  }

  const Handler handler_;
  UniqueFd listener_;
  int port_ = 0;
  mutable Mutex mutex_;
  mutable CondVar changed_;
  std::vector<Request> requests_ DE_GUARDED_BY(mutex_);
  int connection_fd_ DE_GUARDED_BY(mutex_) = -1;
  bool stopping_ DE_GUARDED_BY(mutex_) = false;
  std::thread thread_;
};

}  // namespace deepedge
