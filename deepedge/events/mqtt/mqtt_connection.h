// MqttConnection: one connection to a broker (MQTT 3.1.1, by libmosquitto), kept up by a thread of its own, also while
// there is nothing to send: Home Assistant is answered, and the last will stays with the broker.
//
//   resting ──pause over, or somebody waits──► connecting ──CONNACK──► connected
//      ▲                                           │ failed                │ lost, or no PUBACK in time
//      └───────────────────────────────────────────┴───────────────────────┘
//
// Each attempt is a client of its own with a clean session: libmosquitto would keep what was on its way and send it
// after the next connection by itself, but here the outbox sends it again, and nothing is in memory twice. For the same
// reason nothing is published while there is no connection (libmosquitto then says that it failed, yet keeps the
// message).
//
// Threads: WaitUntilConnected and Publish by one thread at a time; handlers are called by the connection's thread.
#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <stop_token>
#include <string>
#include <vector>

#include "deepedge/base/clock.h"
#include "deepedge/base/file.h"
#include "deepedge/events/backoff.h"
#include "deepedge/events/mqtt/topics.h"

namespace deepedge {

struct MqttTls {
  Path ca_file;           // empty: the authorities that the system trusts
  Path certificate;       // of this client, with `key`; empty: none
  Path key;               // PEM without a passphrase
  bool insecure = false;  // takes any certificate from anybody
};

struct MqttBroker {
  std::string host;
  int port = 1883;
  std::string user;  // empty: no login
  std::string password;
  std::string client_id;  // empty: the broker makes one up
  int keep_alive_s = 60;
  std::optional<MqttTls> tls = {};
};

class MqttConnection {
 public:
  struct Options {
    MqttBroker broker;
    MqttMessage will;                    // and said at the end
    std::vector<std::string> subscribe;  // topics
    int window = 64;                     // messages on their way at once
    Duration connect_timeout = std::chrono::seconds(10);
    Duration acknowledge_timeout = std::chrono::seconds(20);  // without any progress
    BackoffRule backoff = {};
    uint64_t seed = 1;
  };
  struct Handlers {
    std::function<std::vector<MqttMessage>()> on_connected;  // what to say first
    // An answer to a message on a topic that was subscribed.
    std::function<std::vector<MqttMessage>(std::string_view topic, std::string_view payload)> on_message;
  };
  struct Published {
    size_t acknowledged = 0;      // from the front
    std::vector<size_t> refused;  // among these: no broker could take them
    Status status;                // why not all of them
  };

  // Errors: kBadInput naming what is missing. Does not wait for the broker.
  static Result<std::unique_ptr<MqttConnection>> Create(Options options, Handlers handlers, const Clock& clock);
  // Says the will's message, if there is a connection, in at most 0.3 s.
  ~MqttConnection();

  // Waits for the attempt that is under way, or asks for one. Errors: kUnavailable naming the broker and the reason.
  Status WaitUntilConnected(const std::stop_token& stop);
  // QoS 1; waits for the acknowledgements.
  Published Publish(std::span<const MqttMessage> messages, const std::stop_token& stop);

 private:
  class Impl;
  explicit MqttConnection(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace deepedge
