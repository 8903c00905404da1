// NullSink keeps no events and counts none: a run whose events nobody asked for. Nothing is delivered, so nothing is
// said to be.
#pragma once

#include "deepedge/events/sink.h"

namespace deepedge {

class NullSink final : public EventSink {
 public:
  void Publish(Event /*event*/) override {}
  Status Close() override { return {}; }
  SinkCounts counts() const override { return {}; }
};

}  // namespace deepedge
