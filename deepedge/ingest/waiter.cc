#include "deepedge/ingest/waiter.h"

namespace deepedge {

bool RealWaiter::WaitUntil(Time until, std::stop_token stop) {
  // Declared before the lock, so that it is destroyed after the unlock: its destructor waits for a running callback.
  const std::stop_callback wake(stop, [this] {
    MutexLock lock(mutex_);
    changed_.NotifyAll();
  });
  MutexLock lock(mutex_);
  while (!stop.stop_requested()) {
    if (!changed_.WaitUntil(mutex_, until)) return !stop.stop_requested();
  }
  return false;
}

}  // namespace deepedge
