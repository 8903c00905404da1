// MqttCourier takes events to an MQTT broker: topics.h says where, home_assistant.h what makes them appear in Home
// Assistant. An event has arrived when the broker has acknowledged all its messages (QoS 1).
//
// Counts, states of streams and configurations of entities are said again with every connection, since a broker may
// have forgotten them. Errors: kUnavailable naming broker and reason; no message has the password.
#pragma once

#include <memory>

#include "deepedge/events/courier.h"
#include "deepedge/events/mqtt/home_assistant.h"
#include "deepedge/events/mqtt/mqtt_connection.h"

namespace deepedge {

class MqttCourier final : public Courier {
 public:
  struct Options {
    MqttBroker broker;
    std::string prefix = "deepedge";  // of all topics; levels are separated by '/'
    HomeAssistantOptions home_assistant = {};
    int window = 64;
    Duration connect_timeout = std::chrono::seconds(10);
    Duration acknowledge_timeout = std::chrono::seconds(20);
    BackoffRule backoff = {};  // between attempts to connect while nothing is to be sent
    // Home Assistant, when it says that it has started, is told everything again, but not more often than this.
    Duration tell_every = std::chrono::seconds(10);
    uint64_t seed = 1;
  };
  // Starts to connect; does not wait. Errors: kBadInput for options that cannot work.
  static Result<std::unique_ptr<MqttCourier>> Create(Options options, const Clock& clock);
  ~MqttCourier() override;

  std::string_view name() const override { return "mqtt"; }
  Result<Delivery> Deliver(std::span<const StoredEvent> events, std::stop_token stop) override;

 private:
  class Impl;
  explicit MqttCourier(std::unique_ptr<Impl> impl);
  std::unique_ptr<Impl> impl_;
};

}  // namespace deepedge
