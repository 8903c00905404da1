#include "deepedge/profiler/online/tail.h"

#include <algorithm>
#include <cmath>

namespace deepedge {
namespace {

constexpr double kBoxWeight = 200;
constexpr double kMostWeight = 4096;
constexpr double kPriorWeight = 100;
constexpr double kPriorP99 = 1.25;

}  // namespace

TailHistogram TailHistogram::Prior() {
  TailHistogram prior;
  const double scale = std::log(kPriorP99) / std::log(0.99 / 0.01);
  const auto below = [&](double x) { return 1 / (1 + std::exp(-x / scale)); };
  for (size_t i = 0; i < prior.bins_.size(); ++i) {
    const double from = kLowest + kBinWidth * static_cast<double>(i);
    prior.bins_[i] = static_cast<float>(kPriorWeight * (below(from + kBinWidth) - below(from)));
    prior.weight_ += static_cast<double>(prior.bins_[i]);
  }
  return prior;
}

void TailHistogram::Add(double log_ratio) {
  if (!std::isfinite(log_ratio)) return;
  const double bin = std::clamp((log_ratio - kLowest) / kBinWidth, 0.0, static_cast<double>(kBins - 1));
  bins_[static_cast<size_t>(bin)] += 1;
  weight_ += 1;
  if (weight_ >= kMostWeight) Halve();
}

void TailHistogram::Halve() {
  weight_ = 0;
  for (float& bin : bins_) {
    bin *= 0.5F;
    weight_ += static_cast<double>(bin);
  }
}

double TailHistogram::Quantile(double q) const {
  if (weight_ <= 0) return 0;
  const double wanted = std::clamp(q, 0.0, 1.0) * weight_;
  double seen = 0;
  for (size_t i = 0; i < bins_.size(); ++i) {
    const auto here = static_cast<double>(bins_[i]);
    if (here > 0 && seen + here >= wanted) {
      const double part = std::clamp((wanted - seen) / here, 0.0, 1.0);
      return kLowest + kBinWidth * (static_cast<double>(i) + part);
    }
    seen += here;
  }
  return kLowest + kBinWidth * kBins;
}

double TailHistogram::ShareBelow(double log_ratio) const {
  if (weight_ <= 0) return 0;
  const double place = std::clamp((log_ratio - kLowest) / kBinWidth, 0.0, static_cast<double>(kBins));
  const auto whole = static_cast<size_t>(place);
  double seen = 0;
  for (size_t i = 0; i < std::min(whole, bins_.size()); ++i) seen += static_cast<double>(bins_[i]);
  if (whole < bins_.size()) seen += (place - static_cast<double>(whole)) * static_cast<double>(bins_[whole]);
  return seen / weight_;
}

bool TailHistogram::Restore(const std::vector<float>& bins) {
  if (bins.size() != bins_.size()) return false;
  double weight = 0;
  for (const float bin : bins) {
    if (!(bin >= 0) || bin > kMostWeight) return false;
    weight += static_cast<double>(bin);
  }
  if (weight > kMostWeight) return false;
  std::copy(bins.begin(), bins.end(), bins_.begin());
  weight_ = weight;
  return true;
}

double TailRatio(const TailHistogram& stage, const TailHistogram& box, double q) {
  const double box_weight = box.weight() > 0 ? kBoxWeight : 0;
  const double all = stage.weight() + box_weight;
  if (all <= 0) return kPriorP99;
  const double stage_median = stage.Quantile(0.5);
  const double box_median = box.Quantile(0.5);
  double low = 0;
  double high = TailHistogram::kBinWidth * TailHistogram::kBins;
  while (high - low > 1e-3) {
    const double x = 0.5 * (low + high);
    const double below =
        (stage.weight() * stage.ShareBelow(stage_median + x) + box_weight * box.ShareBelow(box_median + x)) / all;
    (below < q ? low : high) = x;
  }
  return std::exp(high);
}

}  // namespace deepedge
