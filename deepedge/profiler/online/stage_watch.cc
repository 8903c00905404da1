#include "deepedge/profiler/online/stage_watch.h"

#include <algorithm>
#include <cmath>

namespace deepedge {
namespace {

constexpr double kLeastClip = 0.1;
constexpr double kClipSpreads = 3;
constexpr double kFirstSpread = 0.1;
constexpr double kMeanToSd = 1.2533;  // standard deviation over mean distance, normal distribution
constexpr int kMostAsked = 30;

}  // namespace

void StageWatch::Add(double log_ratio, const BoxState& box, const StageWatchOptions& options) {
  if (!std::isfinite(log_ratio)) return;
  ++state_.runs;
  const double weight = std::max(options.weight, 1 / static_cast<double>(state_.runs));
  const double clip = std::max(kLeastClip, kClipSpreads * state_.spread);
  const double surprise = std::clamp(log_ratio - state_.level, -clip, clip);
  state_.level += weight * surprise;
  // The first spread counts as ten runs: one run has none of its own.
  const double spread_weight = std::max(options.weight, 1 / static_cast<double>(state_.runs + 10));
  state_.spread += spread_weight * (kMeanToSd * std::abs(surprise) - state_.spread);
  JudgeDrift(box, options);
}

void StageWatch::JudgeDrift(const BoxState& box, const StageWatchOptions& options) {
  const double distance = std::abs(state_.level);
  const bool is_up = state_.level > 0;
  const bool is_over = distance > std::log1p(options.drift);
  const bool goes_on = is_over && drift_runs_ > 0 && is_up == drift_is_up_ && box.source == source_at_start_;
  if (!is_over) {
    drift_runs_ = 0;
  } else if (goes_on) {
    drift_runs_ = std::min(drift_runs_ + 1, 1'000'000);
  } else {
    drift_runs_ = 1;
    drift_is_up_ = is_up;
    source_at_start_ = box.source;
    round_at_start_ = box.round;
  }
  if (drift_runs_ >= options.runs && box.round - round_at_start_ >= options.rounds) drifting_ = true;
  if (distance < std::log1p(options.calm)) drifting_ = false;
  calm_runs_ = is_over || drifting_ ? 0 : std::min(calm_runs_ + 1, options.calm_runs);
  if (calm_runs_ >= options.calm_runs) state_.asked = 0;
}

void StageWatch::HandleNewProfile() {
  const int asked = state_.asked;
  const Time next_question = next_question_;
  *this = StageWatch();
  state_.asked = asked;
  next_question_ = next_question;
}

bool StageWatch::Ask(Time now, const StageWatchOptions& options) {
  if (!drifting_ || now < next_question_) return false;
  Duration pause = options.first_pause;
  for (int i = 0; i < state_.asked && pause < options.longest_pause; ++i) pause *= 2;
  next_question_ = now + std::min(pause, options.longest_pause);
  state_.asked = std::min(state_.asked + 1, kMostAsked);
  return true;
}

double StageWatch::level_sd(const StageWatchOptions& options) const {
  const double memory = (2 - options.weight) / options.weight;  // runs that a running mean is worth
  const double runs = std::min(static_cast<double>(state_.runs), memory);
  return runs > 0 ? state_.spread / std::sqrt(runs) : kFirstSpread;
}

}  // namespace deepedge
