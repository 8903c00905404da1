#include "deepedge/engine/openvino/value_range.h"

#include <algorithm>
#include <cmath>

namespace deepedge {
namespace {

constexpr size_t kBins = 2048;
constexpr float kSmallestSpan = 1e-6F;

}  // namespace

void ValueRange::Add(std::span<const float> values) {
  for (const float value : values) {
    if (!std::isfinite(value)) continue;
    low = std::min(low, value);
    high = std::max(high, value);
  }
}

ValueHistogram::ValueHistogram(ValueRange range) : range_(range), counts_(kBins) {}

void ValueHistogram::Add(std::span<const float> values) {
  const float span = std::max(range_.high - range_.low, kSmallestSpan);
  for (const float value : values) {
    if (!std::isfinite(value)) continue;
    const float bin = (value - range_.low) / span * static_cast<float>(kBins);
    ++counts_[static_cast<size_t>(std::clamp(bin, 0.0F, static_cast<float>(kBins - 1)))];
    ++total_;
  }
}

double ValueHistogram::SquaredError(const ValueRange& range) const {
  const double step = static_cast<double>(range.high - range.low) / 255;
  const double inside = step * step / 12;  // of a value anywhere between two levels
  double error = 0;
  for (size_t bin = 0; bin < kBins; ++bin) {
    if (counts_[bin] == 0) continue;
    const float value =
        range_.low + (range_.high - range_.low) * (static_cast<float>(bin) + 0.5F) / static_cast<float>(kBins);
    const auto cut = static_cast<double>(value - std::clamp(value, range.low, range.high));
    error += static_cast<double>(counts_[bin]) * (inside + cut * cut);
  }
  return error;
}

ValueRange ValueHistogram::LeastError() const {
  constexpr int kTries = 64;
  ValueRange best = range_;
  if (total_ == 0) return best;
  double least = SquaredError(best);
  // One end after the other: they are cut for values of their own.
  for (const bool upper : {true, false}) {
    const ValueRange start = best;
    for (int i = 1; i < kTries; ++i) {
      const float factor = static_cast<float>(i) / kTries;
      ValueRange tried = start;
      (upper ? tried.high : tried.low) *= factor;
      const double error = SquaredError(tried);
      if (error >= least) continue;
      least = error;
      best = tried;
    }
  }
  return best;
}

ValueRange OnGrid(ValueRange range) {
  constexpr float kSteps = 255.0F;
  const float low = std::min(range.low, 0.0F);
  const float high = std::max(range.high, low + kSmallestSpan);
  const float step = (std::max(high, 0.0F) - low) / kSteps;
  const float zero = std::round(-low / step);
  return {-zero * step, (kSteps - zero) * step};
}

}  // namespace deepedge
