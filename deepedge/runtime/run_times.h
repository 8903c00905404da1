// RunTimes: what runs of one setting took while they served: all are counted, the last 256 are remembered. And what of
// it is worth keeping as a measurement, for a model that nothing is known of. Pure; thread-compatible.
#pragma once

#include <array>
#include <cstdint>
#include <span>

#include "deepedge/profiler/probe/probe.h"

namespace deepedge {

class RunTimes {
 public:
  static constexpr size_t kRemembered = 256;

  void Add(double us);

  int64_t count() const { return count_; }
  // Of those that are remembered; 0 when there are none.
  double Quantile(double q) const;
  double median_us() const { return Quantile(0.5); }

  // As a measurement. Runs that serve come after those of others, so that all of them are cold; what the model holds
  // and what its layers take is not known.
  ProbeResult AsMeasurement(const Setting& setting, double busy) const;

 private:
  std::array<float, kRemembered> ring_{};
  int64_t count_ = 0;
};

// Whether `found` tells something that `known`, oldest first, do not: ten runs at least, and of its setting fewer than
// four measurements of this kind, or a median more than a tenth off the last. Every start of the program would add the
// same otherwise, and push out what was measured with more care.
bool IsWorthKeeping(const ProbeResult& found, std::span<const ProbeResult> known);

}  // namespace deepedge
