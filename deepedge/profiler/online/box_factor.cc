#include "deepedge/profiler/online/box_factor.h"

#include <algorithm>
#include <cmath>

namespace deepedge {
namespace {

const double kMostLog = std::log(20.0);

float MedianOf(std::array<float, BoxFactor::kRecent> values, int count) {
  const auto middle = values.begin() + count / 2;
  std::nth_element(values.begin(), middle, values.begin() + count);
  return *middle;
}

// Reorders.
double MedianOf(std::vector<float>& values) {
  const auto middle = values.begin() + static_cast<std::ptrdiff_t>(values.size() / 2);
  std::nth_element(values.begin(), middle, values.end());
  if (values.size() % 2 == 1) return static_cast<double>(*middle);
  return 0.5 * (static_cast<double>(*middle) + static_cast<double>(*std::max_element(values.begin(), middle)));
}

}  // namespace

std::string_view ToString(BoxSource source) {
  switch (source) {
    case BoxSource::kUnknown: return "unknown";
    case BoxSource::kMeters: return "meters";
    case BoxSource::kStages: return "stages";
  }
  return "";
}

void BoxFactor::Add(size_t slot, double log_ratio, Time now) {
  if (!std::isfinite(log_ratio)) return;
  if (slot >= stages_.size()) stages_.resize(slot + 1);
  Stage& stage = stages_[slot];
  stage.ring[static_cast<size_t>(stage.next)] = static_cast<float>(std::clamp(log_ratio, -kMostLog, kMostLog));
  stage.next = (stage.next + 1) % kRecent;
  stage.filled = std::min(stage.filled + 1, kRecent);
  stage.median = MedianOf(stage.ring, stage.filled);
  stage.seen = now;
  ++stage.runs_in_round;
  last_run_ = std::max(last_run_, now);
  if (--until_update_ <= 0) Update(now);
}

void BoxFactor::Forget(size_t slot) {
  if (slot < stages_.size()) stages_[slot] = {};
}

void BoxFactor::SetMeters(std::optional<double> kappa, Time now) {
  if (kappa && !std::isfinite(*kappa)) kappa.reset();
  if (kappa) kappa = std::clamp(*kappa, 1.0, std::exp(kMostLog));
  meters_ = kappa;
  ++meter_readings_;
  Update(now);
}

BoxState BoxFactor::WithoutStages(int live) const {
  if (!meters_) return {.stages = live, .round = blind_round_};
  return {.kappa = *meters_, .source = BoxSource::kMeters, .stages = live, .round = meter_readings_};
}

void BoxFactor::UpdateRound(int live, int fresh) {
  if (fresh < kLeastStages || 2 * fresh <= live) return;
  ++round_;
  for (Stage& stage : stages_) stage.runs_in_round = 0;
}

void BoxFactor::Update(Time now) {
  scratch_.clear();
  int fresh = 0;
  for (const Stage& stage : stages_) {
    if (stage.filled < kLeastRuns || now - stage.seen > kLately) continue;
    scratch_.push_back(stage.median);
    if (stage.runs_in_round >= kRecent) ++fresh;
  }
  const int live = static_cast<int>(scratch_.size());
  until_update_ = static_cast<int>(stages_.size() / 8);
  blind_round_ = now.us / kBlindRound.count();
  UpdateRound(live, fresh);
  if (live < kLeastStages) {
    state_ = WithoutStages(live);
    return;
  }
  const double level = MedianOf(scratch_);
  for (float& value : scratch_) value = std::abs(value - static_cast<float>(level));
  // Of a median: 1.2533 sigma / sqrt(n), sigma = 1.4826 times the median distance.
  const double log_sd = 1.2533 * 1.4826 * MedianOf(scratch_) / std::sqrt(static_cast<double>(live));
  state_ = {.kappa = std::exp(level), .source = BoxSource::kStages, .stages = live, .log_sd = log_sd, .round = round_};
}

}  // namespace deepedge
