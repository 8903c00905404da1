// EventSink: a place that events go to. Every sink passes sink_contract_test.cc.
#pragma once

#include <cstdint>
#include <string>

#include "deepedge/base/result.h"
#include "deepedge/events/event.h"

namespace deepedge {

struct SinkCounts {
  int64_t accepted = 0;   // given to Publish
  int64_t delivered = 0;  // known to have arrived
  int64_t lost = 0;       // dropped because the queue was full, or undeliverable at Close
};

// Threads: Publish and counts from any thread; Close once.
class EventSink {
 public:
  virtual ~EventSink() = default;
  // Never blocks: hands over to a bounded queue; when that is full the newest event is refused and counted as lost.
  virtual void Publish(Event event) = 0;
  // Delivers what is queued, within a second; what could not be delivered is counted as lost. The error says why.
  virtual Status Close() = 0;
  virtual SinkCounts counts() const = 0;
};

}  // namespace deepedge
