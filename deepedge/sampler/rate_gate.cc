#include "deepedge/sampler/rate_gate.h"

#include <algorithm>

namespace deepedge {

bool RateGate::Admit(int64_t pts_us) {
  if (max_rate_ <= 0) return true;
  const double period_us = 1e6 / max_rate_;
  const auto pts = static_cast<double>(pts_us);
  if (!next_due_us_) next_due_us_ = pts;
  const double tolerance_us = std::min(0.1 * period_us, 5000.0);
  if (pts < *next_due_us_ - tolerance_us) return false;
  // Due times keep their grid, so that the average is exact; after a gap they start over.
  const bool behind = pts - *next_due_us_ >= period_us;
  next_due_us_ = (behind ? pts : *next_due_us_) + period_us;
  return true;
}

}  // namespace deepedge
