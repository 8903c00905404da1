// What has become of the events of a run.
#pragma once

#include <vector>

#include "deepedge/events/event_bus.h"
#include "deepedge/events/outbox/outbox.h"

namespace deepedge {

struct EventReport {
  // Of the events, whatever the number of sinks: delivered to all of them, lost by one at least.
  SinkCounts overall;
  std::vector<EventBus::NamedCounts> sinks;
  std::vector<CourierCounts> couriers;
};

}  // namespace deepedge
