// Histogram of durations with 5 % wide buckets from 1 us to about 1 hour: constant memory, percentiles within 2.5 %.
// Thread-compatible: guard it, or keep it in one thread.
#pragma once

#include <array>
#include <cstdint>

#include "deepedge/base/clock.h"

namespace deepedge {

class Histogram {
 public:
  void Add(Duration value);

  int64_t count() const { return count_; }
  Duration max() const { return max_; }
  // The value below which the share `q` (0 to 1) of the samples lies; 0 when empty.
  Duration Quantile(double q) const;

 private:
  static constexpr int kBuckets = 456;
  std::array<int64_t, kBuckets> buckets_{};
  int64_t count_ = 0;
  Duration max_{0};
};

}  // namespace deepedge
