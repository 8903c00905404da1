// From what a configuration says of events to the sinks that take them.
#pragma once

#include <memory>
#include <string>
#include <vector>

#include "deepedge/app/event_report.h"
#include "deepedge/base/clock.h"
#include "deepedge/base/file.h"
#include "deepedge/config/edge_config.h"
#include "deepedge/events/event_bus.h"
#include "deepedge/events/outbox/outbox.h"

namespace deepedge {

// The sinks of a run. Threads: as EventSink.
struct EventSinks {
  std::unique_ptr<EventBus> bus;
  Outbox* outbox = nullptr;  // one of the bus's sinks; null: none
};

// None yet: what is published before there are some goes nowhere.
EventSinks NoEventSinks(const Clock& clock);

// What is written where is opened here; brokers and servers need not answer yet. `state_folder` holds the outbox.
// Before the first event. Errors: kBadInput naming the option, or the sink's own.
Status AddEventSinks(const EventsConfig& config, const Path& state_folder, const Clock& clock, EventSinks& sinks);

EventReport ReportOf(const EventSinks& sinks);

// Checks the addresses of broker and web server before anything is started. The error has the place in the
// configuration file, where there is one.
Status CheckEvents(const EventsConfig& config, const SourceMap* file = nullptr);

// Where a broker listens. Errors: kBadInput for an address that is none of a broker.
struct BrokerAddress {
  std::string host;
  int port = 1883;
  bool tls = false;
};
Result<BrokerAddress> ParseBrokerAddress(const std::string& address);

}  // namespace deepedge
