// From the values that a tensor took on calibration pictures to the range that 256 steps are laid over.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

namespace deepedge {

struct ValueRange {
  float low = 0;
  float high = 0;

  void Add(std::span<const float> values);  // widens; what is no number does not count
  friend bool operator==(const ValueRange&, const ValueRange&) = default;
};

// Counts of values over a range known before.
class ValueHistogram {
 public:
  explicit ValueHistogram(ValueRange range);
  void Add(std::span<const float> values);

  // The range, shrunk towards zero at each end, whose 256 levels are off by the least in the mean square: narrower ones
  // have finer steps but cut values off. The whole range where nothing was counted.
  ValueRange LeastError() const;

 private:
  // Sum over the values of their squared distance from what 256 levels over `range` make of them.
  double SquaredError(const ValueRange& range) const;

  ValueRange range_;
  std::vector<int64_t> counts_;
  int64_t total_ = 0;
};

// The nearest range whose 256 levels have zero among them: unsigned 8-bit numbers with a whole zero point. Contains
// zero; never empty.
ValueRange OnGrid(ValueRange range);

}  // namespace deepedge
