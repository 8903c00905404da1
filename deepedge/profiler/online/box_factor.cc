#include "deepedge/profiler/online/box_factor.h"

#include <algorithm>
#include <cmath>

namespace deepedge {
namespace {

constexpr double kRounding = 1e-9;
const double kMostLog = std::log(20.0);

float MedianOf(std::array<float, BoxFactor::kRecent> values, int count) {
  const auto middle = values.begin() + count / 2;
  std::nth_element(values.begin(), middle, values.begin() + count);
  return *middle;
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

void BoxFactor::Add(size_t slot, size_t model, double log_ratio, Time now) {
  if (!std::isfinite(log_ratio)) return;
  if (slot >= stages_.size()) stages_.resize(slot + 1);
  Stage& stage = stages_[slot];
  stage.ring[static_cast<size_t>(stage.next)] = static_cast<float>(std::clamp(log_ratio, -kMostLog, kMostLog));
  stage.next = (stage.next + 1) % kRecent;
  stage.filled = std::min(stage.filled + 1, kRecent);
  stage.median = MedianOf(stage.ring, stage.filled);
  stage.model = static_cast<uint16_t>(model % kModels);
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
  return {.kappa = *meters_,
          .log_kappa = std::log(*meters_),
          .source = BoxSource::kMeters,
          .stages = live,
          .round = meter_readings_};
}

bool BoxFactor::IsLive(const Stage& stage, Time now) const {
  return stage.filled >= kLeastRuns && now - stage.seen <= kLately;
}

void BoxFactor::UpdateRound(Time now) {
  int fresh = 0;
  double fresh_weight = 0;
  double weight = 0;
  for (const Stage& stage : stages_) {
    if (!IsLive(stage, now)) continue;
    const double own = 1.0 / stages_of_[stage.model];
    weight += own;
    if (stage.runs_in_round < kRecent) continue;
    fresh_weight += own;
    ++fresh;
  }
  if (fresh < kLeastStages || 2 * fresh_weight <= weight + kRounding) return;
  ++round_;
  for (Stage& stage : stages_) stage.runs_in_round = 0;
}

// Reorders; there is at least one.
double BoxFactor::Median(std::vector<Vote>& votes) {
  std::sort(votes.begin(), votes.end(), [](const Vote& a, const Vote& b) { return a.value < b.value; });
  double half = 0;
  for (const Vote& vote : votes) half += 0.5 * vote.weight;
  double below = 0;
  for (size_t i = 0; i < votes.size(); ++i) {
    below += votes[i].weight;
    if (below < half - kRounding) continue;
    if (below > half + kRounding || i + 1 == votes.size()) return votes[i].value;
    const bool is_nearer = std::abs(votes[i].value) <= std::abs(votes[i + 1].value);
    return is_nearer ? votes[i].value : votes[i + 1].value;
  }
  return votes.back().value;
}

void BoxFactor::Update(Time now) {
  until_update_ = static_cast<int>(stages_.size() / 4);
  blind_round_ = now.us / kBlindRound.count();
  votes_.clear();
  stages_of_.fill(0);
  int models = 0;
  for (const Stage& stage : stages_) {
    if (IsLive(stage, now) && ++stages_of_[stage.model] == 1) ++models;
  }
  for (const Stage& stage : stages_) {
    if (!IsLive(stage, now)) continue;
    votes_.push_back({.value = static_cast<double>(stage.median), .weight = 1.0 / stages_of_[stage.model]});
  }
  UpdateRound(now);
  const int live = static_cast<int>(votes_.size());
  if (live < kLeastStages) {
    state_ = WithoutStages(live);
    return;
  }
  const double level = Median(votes_);
  for (Vote& vote : votes_) vote.value = std::abs(vote.value - level);
  // Of a median: 1.2533 sigma / sqrt(n), sigma = 1.4826 times the median distance.
  const double log_sd = 1.2533 * 1.4826 * Median(votes_) / std::sqrt(static_cast<double>(models));
  state_ = {.kappa = std::exp(level),
            .log_kappa = level,
            .source = BoxSource::kStages,
            .stages = live,
            .log_sd = log_sd,
            .round = round_};
}

}  // namespace deepedge
