// When to try a lost camera again: 0.5 s after the first failure, doubling to 10 s, each with a jitter of up to 20 %
// either way, so that cameras behind one failed switch do not come back in step. A connection that delivered pictures
// starts over at 0.5 s.
#pragma once

#include "deepedge/base/clock.h"

namespace deepedge {

struct ReconnectOptions {
  Duration first = std::chrono::milliseconds(500);
  Duration longest = std::chrono::seconds(10);
  double jitter = 0.2;
};

// Pure. `failures` counts attempts since pictures last came (>= 1); `random` lies in [0,1).
Duration ReconnectDelay(const ReconnectOptions& options, int failures, double random);

}  // namespace deepedge
