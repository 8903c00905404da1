// NullSink counts events and keeps none: a run whose events nobody asked for.
#pragma once

#include <atomic>

#include "deepedge/events/sink.h"

namespace deepedge {

class NullSink final : public EventSink {
 public:
  void Publish(Event /*event*/) override { accepted_.fetch_add(1, std::memory_order_relaxed); }
  Status Close() override { return {}; }
  SinkCounts counts() const override { return {.accepted = accepted_, .delivered = accepted_, .lost = 0}; }

 private:
  std::atomic<int64_t> accepted_{0};
};

}  // namespace deepedge
