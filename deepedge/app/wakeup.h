// Wakeup: what the main thread sleeps on while lanes and I/O threads work. It wakes when every stream has ended, when
// the user says stop (SIGINT, SIGTERM), or when a time is reached. A second signal ends the program at once.
#pragma once

#include "deepedge/base/clock.h"
#include "deepedge/base/result.h"

namespace deepedge {

class Wakeup {
 public:
  enum class Reason { kFinished, kStopRequested, kTimeReached };

  Wakeup();
  ~Wakeup();
  Wakeup(const Wakeup&) = delete;
  Wakeup& operator=(const Wakeup&) = delete;

  // From any thread: Wait returns kFinished.
  void Finish();
  // From now on SIGINT and SIGTERM are taken here; before, they end the program in the ordinary way. One Wakeup at a
  // time.
  void TakeSignals();
  Reason Wait(Time until, const Clock& clock);

 private:
  int finished_fd_;
  int signal_fd_;
};

}  // namespace deepedge
