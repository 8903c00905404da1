#include "deepedge/events/mqtt/mqtt_connection.h"

#include <fmt/format.h>
#include <mosquitto.h>

#include <algorithm>
#include <cerrno>
#include <climits>
#include <cstring>
#include <random>
#include <set>

#include "deepedge/base/mutex.h"
#include "deepedge/base/thread.h"

namespace deepedge {
namespace {

constexpr int kQos = 1;
constexpr int kLoopMs = 1000;     // connected: a publisher wakes it
constexpr int kShortLoopMs = 50;  // connecting or ending: nobody does
constexpr Duration kFarewell = std::chrono::milliseconds(300);

struct MosquittoDeleter {
  void operator()(mosquitto* client) const { mosquitto_destroy(client); }
};
using Client = std::unique_ptr<mosquitto, MosquittoDeleter>;

// Once for the process; libmosquitto's counterpart frees what lives as long as we do.
void InitLibrary() {
  static const int kDone = mosquitto_lib_init();
  DE_CHECK(kDone == MOSQ_ERR_SUCCESS);
}

std::string ReasonOfRefusal(int code, const MqttBroker& broker) {
  switch (code) {
    case 1: return "does not speak MQTT 3.1.1";
    case 2: return fmt::format("refuses the client id '{}'", broker.client_id);
    case 3: return "says that it is not available";
    case 4:
    case 5:
      if (broker.user.empty()) return "wants a user name and password";
      return fmt::format("refuses the login of user '{}': wrong user name or password, or not allowed", broker.user);
    default: return fmt::format("refuses the connection (code {})", code);
  }
}

std::string ReasonOfFailure(int code, int system_error, const std::string& logged) {
  switch (code) {
    case MOSQ_ERR_ERRNO: return std::strerror(system_error);
    case MOSQ_ERR_CONN_LOST: return logged.empty() ? "closed the connection" : "closed the connection: " + logged;
    case MOSQ_ERR_TLS: return "TLS: " + (logged.empty() ? std::string("failed") : logged);
    case MOSQ_ERR_EAI: return "no such host";
    case MOSQ_ERR_KEEPALIVE: return "does not answer any more";
    default: return mosquitto_strerror(code);
  }
}

// Whether no connection could ever send it.
bool IsImpossible(int code) {
  return code == MOSQ_ERR_INVAL || code == MOSQ_ERR_PAYLOAD_SIZE || code == MOSQ_ERR_MALFORMED_UTF8 ||
         code == MOSQ_ERR_OVERSIZE_PACKET || code == MOSQ_ERR_QOS_NOT_SUPPORTED;
}

// Instead of asking for a passphrase on the terminal.
int NoPassphrase(char* /*buffer*/, int /*size*/, int /*for_writing*/, void* /*user*/) { return 0; }

Status CheckReadable(const Path& file, std::string_view what) {
  if (file.empty()) return {};
  const Result<std::string> content = ReadFilePrefix(file, 1);
  return content.ok() ? Status() : content.error().Wrap(fmt::format("mqtt: {}", what));
}

}  // namespace

class MqttConnection::Impl {
 public:
  Impl(Options options, Handlers handlers, const Clock& clock)
      : options_(std::move(options)),
        handlers_(std::move(handlers)),
        clock_(clock),
        random_(static_cast<std::minstd_rand::result_type>(options_.seed)) {
    thread_ = Thread({.name = "mqtt-io"}, [this](const std::stop_token&) { Run(); });
  }

  ~Impl() {
    if (IsConnected()) PublishAll(std::span(&options_.will, 1), kFarewell, {});
    {
      MutexLock lock(mutex_);
      stopping_ = true;
    }
    changed_.NotifyAll();
    {
      MutexLock lock(client_mutex_);
      if (client_ != nullptr) mosquitto_disconnect(client_);
    }
    thread_.Join();
  }

  Status WaitUntilConnected(const std::stop_token& stop) DE_EXCLUDES(mutex_) {
    const std::stop_callback wake(stop, [this] { Notify(); });
    const Time until = clock_.Now() + 2 * options_.connect_timeout;
    {
      MutexLock lock(mutex_);
      const int64_t failures_before = failed_attempts_;
      wanted_ = true;
      changed_.NotifyAll();
      while (state_ != State::kConnected && failed_attempts_ == failures_before && !stop.stop_requested() &&
             clock_.Now() < until) {
        changed_.WaitUntil(mutex_, until);
      }
      wanted_ = false;
      if (state_ == State::kConnected) return {};
      if (stop.stop_requested()) return Error{ErrorCode::kCancelled, Name() + ": stopped"};
      return Error{ErrorCode::kUnavailable, Name() + ": " + (reason_.empty() ? "does not answer" : reason_)};
    }
  }

  Published PublishAll(std::span<const MqttMessage> messages, Duration patience, const std::stop_token& stop)
      DE_EXCLUDES(mutex_, client_mutex_) {
    const std::stop_callback wake(stop, [this] { Notify(); });
    Published published;
    std::vector<int> ids;  // of the messages sent so far; 0: refused
    int64_t failures_before = 0;
    {
      MutexLock lock(mutex_);
      acknowledged_.clear();
      is_collecting_ = true;
      failures_before = failed_attempts_;
    }
    while (published.acknowledged < messages.size() && published.status.ok()) {
      published.status = FillWindow(messages, published, ids);
      if (published.status.ok())
        published.status = AwaitSome(ids, published.acknowledged, failures_before, patience, stop);
    }
    MutexLock lock(mutex_);
    is_collecting_ = false;
    acknowledged_.clear();
    return published;
  }

  Duration acknowledge_timeout() const { return options_.acknowledge_timeout; }

 private:
  enum class State { kResting, kConnecting, kConnected };

  std::string Name() const { return fmt::format("broker {}:{}", options_.broker.host, options_.broker.port); }

  void Notify() DE_EXCLUDES(mutex_) {
    {
      MutexLock lock(mutex_);
    }  // whoever is about to wait sees what has changed
    changed_.NotifyAll();
  }

  bool IsConnected() const DE_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return state_ == State::kConnected;
  }

  // Sends until the window is full or nothing is left.
  Status FillWindow(std::span<const MqttMessage> messages, Published& published, std::vector<int>& ids)
      DE_EXCLUDES(mutex_, client_mutex_) {
    while (ids.size() < messages.size() && ids.size() - published.acknowledged < static_cast<size_t>(options_.window)) {
      int id = 0;
      const int code = Send(messages[ids.size()], id);
      if (IsImpossible(code)) {
        published.refused.push_back(ids.size());
        id = 0;
      } else if (code != MOSQ_ERR_SUCCESS) {
        Abort("lost the connection");
        return Failure();
      }
      ids.push_back(id);
    }
    return {};
  }

  int Send(const MqttMessage& message, int& id) DE_EXCLUDES(client_mutex_) {
    MutexLock lock(client_mutex_);
    if (client_ == nullptr) return MOSQ_ERR_NO_CONN;
    return SendOn(client_, message, &id);
  }

  static int SendOn(mosquitto* client, const MqttMessage& message, int* id) {
    if (message.payload.size() > INT_MAX) return MOSQ_ERR_PAYLOAD_SIZE;
    return mosquitto_publish(client, id, message.topic.c_str(), static_cast<int>(message.payload.size()),
                             message.payload.data(), kQos, message.retain);
  }

  // Waits until the message at `acknowledged` is, and counts on from there.
  // Message ids are of the connection that there was after `failures_before` failures.
  Status AwaitSome(const std::vector<int>& ids, size_t& acknowledged, int64_t failures_before, Duration patience,
                   const std::stop_token& stop) DE_EXCLUDES(mutex_) {
    const size_t before = acknowledged;
    const Time begin = clock_.Now();
    bool is_late = false;
    {
      MutexLock lock(mutex_);
      while (true) {
        // Whatever is acknowledged is progress, also what was sent unasked and stands in front.
        const Time until = std::max(begin, acknowledged_at_) + patience;
        // Ids begin anew with every connection.
        if (failed_attempts_ != failures_before) break;
        while (acknowledged < ids.size() && (ids[acknowledged] == 0 || acknowledged_.erase(ids[acknowledged]) > 0)) {
          ++acknowledged;
        }
        if (acknowledged > before) return {};
        if (stop.stop_requested()) return Error{ErrorCode::kCancelled, Name() + ": stopped"};
        is_late = clock_.Now() >= until;
        if (state_ != State::kConnected || failed_attempts_ != failures_before || is_late) break;
        changed_.WaitUntil(mutex_, until);
      }
    }
    if (is_late) Abort("does not acknowledge");
    return Failure();
  }

  Status Failure() const DE_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return Error{ErrorCode::kUnavailable, Name() + ": " + (reason_.empty() ? "lost the connection" : reason_)};
  }

  // Ends the connection, for a reason unless there is one.
  void Abort(std::string_view reason) DE_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    if (reason_.empty()) reason_ = reason;
    abort_ = true;
    changed_.NotifyAll();
  }

  // The thread.
  void Run() DE_EXCLUDES(mutex_) {
    int failures = 0;
    while (true) {
      const bool was_connected = RunAttempt();
      failures = was_connected ? 1 : failures + 1;
      MutexLock lock(mutex_);
      const Time until =
          clock_.Now() + BackoffDelay(options_.backoff, failures, std::uniform_real_distribution<>(0, 1)(random_));
      while (!stopping_ && !wanted_ && clock_.Now() < until) changed_.WaitUntil(mutex_, until);
      if (stopping_) return;
    }
  }

  // From connecting to the end of the connection. True: there was one.
  bool RunAttempt() DE_EXCLUDES(mutex_, client_mutex_) {
    {
      MutexLock lock(mutex_);
      if (stopping_) return false;
      state_ = State::kConnecting;
      abort_ = false;
      reason_.clear();
      logged_.clear();
    }
    Client client(
        mosquitto_new(options_.broker.client_id.empty() ? nullptr : options_.broker.client_id.c_str(), true, this));
    std::string reason = client == nullptr ? "out of memory" : Configure(client.get());
    bool was_connected = false;
    if (reason.empty()) {
      {
        MutexLock lock(client_mutex_);
        client_ = client.get();
      }
      reason = Loop(client.get(), was_connected);
      MutexLock lock(client_mutex_);
      client_ = nullptr;
    }
    client.reset();
    MutexLock lock(mutex_);
    state_ = State::kResting;
    if (reason_.empty()) reason_ = reason;
    ++failed_attempts_;
    acknowledged_.clear();
    wanted_ = false;
    changed_.NotifyAll();
    return was_connected;
  }

  // What is wrong, or nothing.
  std::string Configure(mosquitto* client) {
    mosquitto_threaded_set(client, true);
    mosquitto_connect_callback_set(
        client, [](mosquitto* from, void* self, int code) { static_cast<Impl*>(self)->OnConnect(from, code); });
    mosquitto_publish_callback_set(
        client, [](mosquitto*, void* self, int id) { static_cast<Impl*>(self)->OnAcknowledged(id); });
    mosquitto_message_callback_set(client, [](mosquitto* from, void* self, const mosquitto_message* message) {
      static_cast<Impl*>(self)->OnMessage(from, *message);
    });
    mosquitto_log_callback_set(client, [](mosquitto*, void* self, int level, const char* text) {
      if (level == MOSQ_LOG_ERR) static_cast<Impl*>(self)->OnLog(text);
    });
    mosquitto_max_inflight_messages_set(client, static_cast<unsigned>(options_.window));
    const MqttMessage& will = options_.will;
    int code = mosquitto_will_set(client, will.topic.c_str(), static_cast<int>(will.payload.size()),
                                  will.payload.data(), kQos, will.retain);
    const MqttBroker& broker = options_.broker;
    if (code == MOSQ_ERR_SUCCESS && !broker.user.empty()) {
      code = mosquitto_username_pw_set(client, broker.user.c_str(), broker.password.c_str());
    }
    if (code == MOSQ_ERR_SUCCESS && broker.tls) code = ConfigureTls(client, *broker.tls);
    return code == MOSQ_ERR_SUCCESS ? std::string() : ReasonOfFailure(code, errno, Logged());
  }

  static int ConfigureTls(mosquitto* client, const MqttTls& tls) {
    const auto text = [](const Path& path) { return path.empty() ? nullptr : path.c_str(); };
    // A folder of authorities has to be named where no file is; the system's own are added to it.
    int code = mosquitto_tls_set(client, text(tls.ca_file), tls.ca_file.empty() ? "/etc/ssl/certs" : nullptr,
                                 text(tls.certificate), text(tls.key), NoPassphrase);
    if (code == MOSQ_ERR_SUCCESS && tls.ca_file.empty()) {
      code = mosquitto_int_option(client, MOSQ_OPT_TLS_USE_OS_CERTS, 1);
    }
    if (code == MOSQ_ERR_SUCCESS && tls.insecure) {
      constexpr int kVerifyNone = 0;
      code = mosquitto_tls_opts_set(client, kVerifyNone, nullptr, nullptr);
      if (code == MOSQ_ERR_SUCCESS) code = mosquitto_tls_insecure_set(client, true);
    }
    return code;
  }

  // Returns the reason for which it ended.
  std::string Loop(mosquitto* client, bool& was_connected) DE_EXCLUDES(mutex_) {
    const MqttBroker& broker = options_.broker;
    const Time connect_until = clock_.Now() + options_.connect_timeout;
    Time end_until = kTimeNever;
    int code = mosquitto_connect_async(client, broker.host.c_str(), broker.port, broker.keep_alive_s);
    while (code == MOSQ_ERR_SUCCESS) {
      const bool is_connected = IsConnected();
      was_connected |= is_connected;
      code = mosquitto_loop(client, is_connected && end_until == kTimeNever ? kLoopMs : kShortLoopMs, 1);
      if (code != MOSQ_ERR_SUCCESS) break;
      MutexLock lock(mutex_);
      if (abort_) return reason_;
      if (state_ != State::kConnected && clock_.Now() >= connect_until) return "does not answer";
      // The farewell gets out before the end.
      if (stopping_ && end_until == kTimeNever) end_until = clock_.Now() + kFarewell;
      if (stopping_ && (state_ != State::kConnected || clock_.Now() >= end_until)) return "stopped";
    }
    const int system_error = errno;
    return ReasonOfFailure(code, system_error, Logged());
  }

  std::string Logged() const DE_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    return logged_;
  }

  void OnConnect(mosquitto* client, int code) DE_EXCLUDES(mutex_) {
    if (code != 0) {
      MutexLock lock(mutex_);
      reason_ = ReasonOfRefusal(code, options_.broker);
      abort_ = true;
      return;
    }
    for (const std::string& topic : options_.subscribe) mosquitto_subscribe(client, nullptr, topic.c_str(), kQos);
    SendUnasked(client, handlers_.on_connected());
    MutexLock lock(mutex_);
    state_ = State::kConnected;
    changed_.NotifyAll();
  }

  // Queued by libmosquitto behind its window; the callers bound how many there are. Lost ones come again with the next
  // connection.
  static void SendUnasked(mosquitto* client, const std::vector<MqttMessage>& messages) {
    for (const MqttMessage& message : messages) SendOn(client, message, nullptr);
  }

  void OnAcknowledged(int id) DE_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    acknowledged_at_ = clock_.Now();
    if (!is_collecting_) return;
    acknowledged_.insert(id);
    changed_.NotifyAll();
  }

  void OnMessage(mosquitto* client, const mosquitto_message& message) {
    const std::string_view payload(static_cast<const char*>(message.payload), static_cast<size_t>(message.payloadlen));
    SendUnasked(client, handlers_.on_message(message.topic, payload));
  }

  // libmosquitto says why TLS failed only here. The first line has the cause.
  void OnLog(const char* text) DE_EXCLUDES(mutex_) {
    MutexLock lock(mutex_);
    if (logged_.empty()) logged_ = text;
  }

  const Options options_;
  const Handlers handlers_;
  const Clock& clock_;

  mutable Mutex mutex_;
  CondVar changed_;
  State state_ DE_GUARDED_BY(mutex_) = State::kConnecting;
  bool stopping_ DE_GUARDED_BY(mutex_) = false;
  bool wanted_ DE_GUARDED_BY(mutex_) = false;  // somebody waits for a connection
  bool abort_ DE_GUARDED_BY(mutex_) = false;
  std::string reason_ DE_GUARDED_BY(mutex_);  // why there is no connection
  std::string logged_ DE_GUARDED_BY(mutex_);
  int64_t failed_attempts_ DE_GUARDED_BY(mutex_) = 0;  // also those that were connections and have ended
  bool is_collecting_ DE_GUARDED_BY(mutex_) = false;
  std::set<int> acknowledged_ DE_GUARDED_BY(mutex_);  // message ids, while collecting
  Time acknowledged_at_ DE_GUARDED_BY(mutex_);        // the last of any message

  // Held while a publisher uses the client, and to take it away before it is destroyed. Never together with mutex_.
  Mutex client_mutex_;
  mosquitto* client_ DE_GUARDED_BY(client_mutex_) = nullptr;

  std::minstd_rand random_;  // of the thread alone
  Thread thread_;            // last
};

Result<std::unique_ptr<MqttConnection>> MqttConnection::Create(Options options, Handlers handlers, const Clock& clock) {
  const MqttBroker& broker = options.broker;
  if (broker.host.empty()) return Error{ErrorCode::kBadInput, "mqtt: no broker is named"};
  constexpr int kLastPort = 65535;
  if (broker.port < 1 || broker.port > kLastPort) {
    return Error{ErrorCode::kBadInput, fmt::format("mqtt: port {}: 1 to {} are possible", broker.port, kLastPort)};
  }
  if (broker.tls) {
    DE_TRY_STATUS(CheckReadable(broker.tls->ca_file, "authority's certificate"));
    DE_TRY_STATUS(CheckReadable(broker.tls->certificate, "client certificate"));
    DE_TRY_STATUS(CheckReadable(broker.tls->key, "key of the client certificate"));
    if (broker.tls->certificate.empty() != broker.tls->key.empty()) {
      return Error{ErrorCode::kBadInput, "mqtt: a client certificate and its key go together; one of them is missing"};
    }
  }
  options.window = std::max(options.window, 1);
  InitLibrary();
  return std::unique_ptr<MqttConnection>(
      new MqttConnection(std::make_unique<Impl>(std::move(options), std::move(handlers), clock)));
}

MqttConnection::MqttConnection(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
MqttConnection::~MqttConnection() = default;
Status MqttConnection::WaitUntilConnected(const std::stop_token& stop) { return impl_->WaitUntilConnected(stop); }
MqttConnection::Published MqttConnection::Publish(std::span<const MqttMessage> messages, const std::stop_token& stop) {
  return impl_->PublishAll(messages, impl_->acknowledge_timeout(), stop);
}

}  // namespace deepedge
