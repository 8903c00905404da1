// Courier: takes events from the outbox to one place outside the box: a broker, a web server. The outbox keeps them
// until they are known to have arrived, so a courier may fail as often as the network does.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "deepedge/base/result.h"

namespace deepedge {

// An event as the outbox holds it.
struct StoredEvent {
  int64_t number = 0;  // position in the outbox: grows from one event to the next
  std::string id;
  std::string type;
  std::string stream;
  int64_t at_us = 0;         // Unix epoch
  std::string json;          // one object, no line break
  std::string picture = {};  // JPEG; empty: none

  size_t bytes() const { return id.size() + type.size() + stream.size() + json.size() + picture.size(); }
};

// What became of the first events of a delivery; all others come again.
struct Delivery {
  size_t arrived = 0;  // from the front: known to have arrived, or refused for good
  size_t refused = 0;  // of those, how many the other side will never take; counted as lost, and said
};

// Threads: Deliver is called by one thread at a time, the courier's own in the outbox.
class Courier {
 public:
  virtual ~Courier() = default;
  // For messages, and to remember where it stopped: the same in every run, "mqtt", "webhook".
  virtual std::string_view name() const = 0;
  // Tries to deliver the events in order, and waits until it is known which of them arrived, or until `stop`. An error
  // (kUnavailable, kDenied, ...) says why nothing arrived; the outbox waits longer and longer before it tries again.
  virtual Result<Delivery> Deliver(std::span<const StoredEvent> events, std::stop_token stop) = 0;
};

}  // namespace deepedge
