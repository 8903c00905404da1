// MemorySink keeps events in memory: for tests, and for whoever wants to look at results inside the program. Delivery
// is at once; when it holds `capacity` events, the newest is refused. Thread-safe.
#pragma once

#include <utility>
#include <vector>

#include "deepedge/base/mutex.h"
#include "deepedge/events/sink.h"

namespace deepedge {

class MemorySink final : public EventSink {
 public:
  explicit MemorySink(size_t capacity = 8192) : capacity_(capacity) {}

  void Publish(Event event) override {
    MutexLock lock(mutex_);
    ++counts_.accepted;
    if (closed_ || events_.size() >= capacity_) {
      ++counts_.lost;
      return;
    }
    events_.push_back(std::move(event));
    ++counts_.delivered;
  }
  Status Close() override {
    MutexLock lock(mutex_);
    closed_ = true;
    return {};
  }
  SinkCounts counts() const override {
    MutexLock lock(mutex_);
    return counts_;
  }

  // What was delivered so far; gives room for more.
  std::vector<Event> Take() {
    MutexLock lock(mutex_);
    return std::exchange(events_, {});
  }

 private:
  const size_t capacity_;
  mutable Mutex mutex_;
  std::vector<Event> events_ DE_GUARDED_BY(mutex_);
  SinkCounts counts_ DE_GUARDED_BY(mutex_);
  bool closed_ DE_GUARDED_BY(mutex_) = false;
};

}  // namespace deepedge
