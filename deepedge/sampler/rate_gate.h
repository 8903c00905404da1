// RateGate decides which frames a task looks at: all of them up to its maximum rate, evenly spaced in media time. It is
// the place where the Sampler's decisions will be taken.
#pragma once

#include <cstdint>
#include <optional>

namespace deepedge {

// Pure state machine: a decision depends on the frames shown so far only. Thread-compatible.
class RateGate {
 public:
  // `max_rate` in results a second; no limit when not positive.
  explicit RateGate(double max_rate) : max_rate_(max_rate) {}

  // True when the frame at `pts_us` is due. On average never more than the maximum rate; 5 ms (at most a tenth of a
  // period) are forgiven, so that a limit equal to the stream's own rate keeps every frame although its time stamps are
  // rounded.
  bool Admit(int64_t pts_us);

 private:
  double max_rate_;
  std::optional<double> next_due_us_;
};

}  // namespace deepedge
