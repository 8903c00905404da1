// FakeCourier: for tests of the outbox; what it is told to do with each delivery, and what it has got.
#pragma once

#include <functional>
#include <utility>

#include "deepedge/base/mutex.h"
#include "deepedge/events/courier.h"

namespace deepedge {

// What several couriers, of one run after the other, have got. Thread-safe.
class Received {
 public:
  void Add(std::span<const StoredEvent> events) {
    MutexLock lock(mutex_);
    events_.insert(events_.end(), events.begin(), events.end());
    changed_.NotifyAll();
  }
  // False after ten seconds.
  bool WaitFor(size_t count) const {
    const RealClock clock;
    const Time until = clock.Now() + std::chrono::seconds(10);
    MutexLock lock(mutex_);
    while (events_.size() < count && clock.Now() < until) changed_.WaitUntil(mutex_, until);
    return events_.size() >= count;
  }
  std::vector<StoredEvent> events() const {
    MutexLock lock(mutex_);
    return events_;
  }
  std::vector<std::string> ids() const {
    MutexLock lock(mutex_);
    std::vector<std::string> ids;
    for (const StoredEvent& event : events_) ids.push_back(event.id);
    return ids;
  }

 private:
  mutable Mutex mutex_;
  mutable CondVar changed_;
  std::vector<StoredEvent> events_ DE_GUARDED_BY(mutex_);
};

class FakeCourier final : public Courier {
 public:
  using Deliverer = std::function<Result<Delivery>(std::span<const StoredEvent>, const std::stop_token&)>;

  // Takes everything.
  explicit FakeCourier(Received& received, std::string name = "fake")
      : FakeCourier(std::move(name), [&received](std::span<const StoredEvent> events, const std::stop_token&) {
          received.Add(events);
          return Delivery{.arrived = events.size()};
        }) {}
  FakeCourier(std::string name, Deliverer deliver) : name_(std::move(name)), deliver_(std::move(deliver)) {}

  std::string_view name() const override { return name_; }
  Result<Delivery> Deliver(std::span<const StoredEvent> events, std::stop_token stop) override {
    return deliver_(events, stop);
  }

 private:
  std::string name_;
  Deliverer deliver_;
};

}  // namespace deepedge
