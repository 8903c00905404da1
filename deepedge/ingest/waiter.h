// Waiter: sleeping until a time, or until a stop is requested. A seam for tests, which then need not sleep: their
// waiter moves a ManualClock instead.
#pragma once

#include <stop_token>

#include "deepedge/base/clock.h"
#include "deepedge/base/mutex.h"

namespace deepedge {

class Waiter {
 public:
  virtual ~Waiter() = default;
  // True when `until` was reached, false as soon as `stop` is requested.
  virtual bool WaitUntil(Time until, std::stop_token stop) = 0;
};

// Sleeps by the real clock; the stop token wakes it. Thread-safe.
class RealWaiter final : public Waiter {
 public:
  bool WaitUntil(Time until, std::stop_token stop) override;

 private:
  Mutex mutex_;
  CondVar changed_;
};

}  // namespace deepedge
