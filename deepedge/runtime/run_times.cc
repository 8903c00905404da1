#include "deepedge/runtime/run_times.h"

#include <algorithm>
#include <climits>
#include <cmath>
#include <vector>

namespace deepedge {

void RunTimes::Add(double us) {
  ring_[static_cast<size_t>(count_) % kRemembered] = static_cast<float>(us);
  ++count_;
}

double RunTimes::Quantile(double q) const {
  std::vector<float> sorted(ring_.begin(), ring_.begin() + std::min<int64_t>(count_, kRemembered));
  if (sorted.empty()) return 0;
  std::ranges::sort(sorted);
  return static_cast<double>(sorted[static_cast<size_t>(q * static_cast<double>(sorted.size() - 1) + 0.5)]);
}

ProbeResult RunTimes::AsMeasurement(const Setting& setting, double busy) const {
  return {.setting = setting,
          .runs = static_cast<int>(std::min<int64_t>(count_, INT_MAX)),
          .min_us = Quantile(0),
          .median_us = median_us(),
          .p90_us = Quantile(0.9),
          .cold_us = median_us(),
          .origin = ProbeOrigin::kServing,
          .busy = busy};
}

bool IsWorthKeeping(const ProbeResult& found, std::span<const ProbeResult> known) {
  constexpr int kLeastRuns = 10;
  constexpr int kEnough = 4;
  constexpr double kOther = 0.1;
  if (found.runs < kLeastRuns || !(found.median_us > 0)) return false;
  int alike = 0;
  double last_us = 0;
  for (const ProbeResult& probe : known) {
    if (probe.origin != ProbeOrigin::kServing || !(probe.setting == found.setting)) continue;
    ++alike;
    last_us = probe.median_us;
  }
  return alike < kEnough || std::abs(found.median_us - last_us) > kOther * last_us;
}

}  // namespace deepedge
