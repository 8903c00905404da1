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

float ValueHistogram::Edge(size_t bin) const {
  return range_.low + (range_.high - range_.low) * static_cast<float>(bin) / static_cast<float>(kBins);
}

ValueRange ValueHistogram::Within(double tail) const {
  if (total_ == 0) return range_;
  const auto left_out = static_cast<int64_t>(tail * static_cast<double>(total_));
  size_t first = 0;
  if (range_.low < 0) {
    for (int64_t below = counts_[0]; below <= left_out && first + 1 < kBins; below += counts_[first]) ++first;
  }
  size_t last = kBins - 1;
  for (int64_t above = counts_[last]; above <= left_out && last > first; above += counts_[last]) --last;
  return {Edge(first), Edge(last + 1)};
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
