// Broker and Subscriber: for tests, a real mosquitto on the loopback interface that can be killed, stopped and started
// again at the same port, and a client that listens to everything.
#pragma once

#include <fcntl.h>
#include <mosquitto.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/wait.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <memory>
#include <string>
#include <thread>
#include <vector>

#include "deepedge/base/file.h"
#include "deepedge/base/mutex.h"
#include "deepedge/base/unique_fd.h"

namespace deepedge {

template <typename Condition>
bool WaitUntil(Condition condition, Duration longest = std::chrono::seconds(20)) {
  const RealClock clock;
  const Time until = clock.Now() + longest;
  while (!condition() && clock.Now() < until) std::this_thread::sleep_for(std::chrono::milliseconds(2));
  return condition();
}

inline std::string BrokerProgram() {
  for (const char* path : {"/usr/sbin/mosquitto", "/usr/bin/mosquitto", "/usr/local/sbin/mosquitto"}) {
    if (access(path, X_OK) == 0) return path;
  }
  return {};
}

class Broker {
 public:
  // `settings`: lines of its configuration beside the listener's.
  explicit Broker(const std::string& settings = "allow_anonymous true\n") : port_(FreePort()) {
    std::ofstream(config()) << "user root\nlistener " << port_ << " 127.0.0.1\n" << settings;
    Start();
  }
  ~Broker() { Kill(); }

  void Start() {
    pid_ = fork();
    if (pid_ == 0) {
      const int quiet = open("/dev/null", O_WRONLY | O_CLOEXEC);
      dup2(quiet, STDOUT_FILENO);
      dup2(quiet, STDERR_FILENO);
      const std::string program = BrokerProgram();
      execl(program.c_str(), program.c_str(), "-c", config().c_str(), nullptr);
      _exit(127);
    }
    DE_CHECK(WaitUntil([&] { return Answers(); }));
  }
  void Kill() {
    if (pid_ <= 0) return;
    kill(pid_, SIGKILL);
    waitpid(pid_, nullptr, 0);
    pid_ = 0;
  }
  void Freeze() const { kill(pid_, SIGSTOP); }
  void Thaw() const { kill(pid_, SIGCONT); }

  int port() const { return port_; }

 private:
  Path config() const { return folder_.path() / "mosquitto.conf"; }

  static sockaddr_in Loopback(int port) {
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_port = htons(static_cast<uint16_t>(port));
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
  }
  static int FreePort() {
    const UniqueFd probe(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address = Loopback(0);
    socklen_t size = sizeof(address);
    DE_CHECK(bind(probe.get(), reinterpret_cast<sockaddr*>(&address), size) == 0);
    DE_CHECK(getsockname(probe.get(), reinterpret_cast<sockaddr*>(&address), &size) == 0);
    return ntohs(address.sin_port);
  }
  bool Answers() const {
    const UniqueFd probe(socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    const sockaddr_in address = Loopback(port_);
    return connect(probe.get(), reinterpret_cast<const sockaddr*>(&address), sizeof(address)) == 0;
  }

  TemporaryFolder folder_ = TemporaryFolder::Create("de_broker").value();
  int port_;
  pid_t pid_ = 0;
};

// Gets messages without acknowledging them (QoS 0): the broker has written them to it before it acknowledges them to
// whoever sent them, so a broker that is killed takes none along. Connects again by itself.
class Subscriber {
 public:
  struct Message {
    std::string topic;
    std::string payload;
    bool retained = false;  // was there before the subscription
  };

  explicit Subscriber(int port) {
    mosquitto_lib_init();
    client_.reset(mosquitto_new(nullptr, true, this));
    mosquitto_reconnect_delay_set(client_.get(), 1, 1, false);
    mosquitto_connect_callback_set(client_.get(),
                                   [](mosquitto* client, void*, int) { mosquitto_subscribe(client, nullptr, "#", 0); });
    mosquitto_subscribe_callback_set(client_.get(), [](mosquitto*, void* self, int, int, const int*) {
      static_cast<Subscriber*>(self)->SetReady(true);
    });
    mosquitto_disconnect_callback_set(
        client_.get(), [](mosquitto*, void* self, int) { static_cast<Subscriber*>(self)->SetReady(false); });
    mosquitto_message_callback_set(client_.get(), [](mosquitto*, void* self, const mosquitto_message* message) {
      static_cast<Subscriber*>(self)->Add(*message);
    });
    DE_CHECK(mosquitto_connect(client_.get(), "127.0.0.1", port, 60) == MOSQ_ERR_SUCCESS);
    DE_CHECK(mosquitto_loop_start(client_.get()) == MOSQ_ERR_SUCCESS);
    DE_CHECK(WaitUntil([&] { return IsReady(); }));
  }
  ~Subscriber() {
    mosquitto_disconnect(client_.get());
    mosquitto_loop_stop(client_.get(), false);
  }

  void Publish(const std::string& topic, const std::string& payload) {
    mosquitto_publish(client_.get(), nullptr, topic.c_str(), static_cast<int>(payload.size()), payload.data(), 1,
                      false);
  }
  bool IsReady() const {
    MutexLock lock(mutex_);
    return ready_;
  }
  std::vector<Message> On(const std::string& topic) const {
    MutexLock lock(mutex_);
    std::vector<Message> found;
    for (const Message& message : messages_) {
      if (message.topic == topic) found.push_back(message);
    }
    return found;
  }
  std::string Last(const std::string& topic) const {
    const std::vector<Message> found = On(topic);
    return found.empty() ? std::string() : found.back().payload;
  }
  void Clear() {
    MutexLock lock(mutex_);
    messages_.clear();
  }

 private:
  struct Deleter {
    void operator()(mosquitto* client) const { mosquitto_destroy(client); }
  };
  void SetReady(bool ready) {
    MutexLock lock(mutex_);
    ready_ = ready;
  }
  void Add(const mosquitto_message& message) {
    MutexLock lock(mutex_);
    messages_.push_back({message.topic,
                         {static_cast<const char*>(message.payload), static_cast<size_t>(message.payloadlen)},
                         message.retain});
  }

  mutable Mutex mutex_;
  bool ready_ DE_GUARDED_BY(mutex_) = false;
  std::vector<Message> messages_ DE_GUARDED_BY(mutex_);
  std::unique_ptr<mosquitto, Deleter> client_;
};

}  // namespace deepedge
