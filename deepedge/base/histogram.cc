#include "deepedge/base/histogram.h"

#include <algorithm>
#include <cmath>

namespace deepedge {
namespace {

const double kLogStep = std::log(1.05);

}  // namespace

void Histogram::Add(Duration value) {
  const auto us = static_cast<double>(std::max<int64_t>(value.count(), 1));
  const int bucket = std::clamp(static_cast<int>(std::log(us) / kLogStep), 0, kBuckets - 1);
  ++buckets_[static_cast<size_t>(bucket)];
  ++count_;
  max_ = std::max(max_, value);
}

Duration Histogram::Quantile(double q) const {
  if (count_ == 0) return Duration(0);
  const auto wanted = std::max<int64_t>(1, static_cast<int64_t>(std::ceil(q * static_cast<double>(count_))));
  int64_t seen = 0;
  for (size_t i = 0; i < buckets_.size(); ++i) {
    seen += buckets_[i];
    if (seen >= wanted) {
      const double middle = std::exp((static_cast<double>(i) + 0.5) * kLogStep);
      return std::min(Duration(static_cast<int64_t>(middle)), max_);
    }
  }
  return max_;
}

}  // namespace deepedge
