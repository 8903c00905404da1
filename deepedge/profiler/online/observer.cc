#include "deepedge/profiler/online/observer.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <tuple>
#include <utility>

namespace deepedge {
namespace {

constexpr double kAloneShare = 0.1;  // with less of a neighbour a run counts as one without
constexpr int kLeastAloneRuns = 8;
constexpr int kMostAloneRuns = 50;
constexpr int kMostOverlaps = 200;
constexpr double kMostStep = 0.3;
constexpr double kReportWeight = 0.02;
const double kMostLog = std::log(20.0);

double Square(double x) { return x * x; }

Duration Scaled(Duration duration, double factor) {
  return Duration(std::llround(static_cast<double>(duration.count()) * factor));
}

double Micros(Duration duration) { return static_cast<double>(duration.count()); }

}  // namespace

Observer::Observer(ObserverOptions options) : options_(options), neighbours_(options_.neighbours) {
  options_.most_stages = std::max<size_t>(options_.most_stages, 1);
}

size_t Observer::MakeRoom() {
  if (stages_.size() < options_.most_stages) {
    stages_.emplace_back();
    return stages_.size() - 1;
  }
  const auto oldest =
      std::min_element(stages_.begin(), stages_.end(), [](const Stage& a, const Stage& b) { return a.seen < b.seen; });
  const auto slot = static_cast<size_t>(oldest - stages_.begin());
  slots_.erase(oldest->key);
  *oldest = {};
  box_all_.Forget(slot);
  box_alone_.Forget(slot);
  ++evicted_;
  return slot;
}

size_t Observer::SlotOf(const StageRun& run) {
  size_t slot = 0;
  if (const auto found = slots_.find(run.key); found != slots_.end()) {
    slot = found->second;
    if (stages_[slot].generation == run.generation) return slot;
    StageWatch watch = stages_[slot].watch;
    watch.HandleNewProfile();
    stages_[slot] = {};
    stages_[slot].watch = watch;
    box_all_.Forget(slot);
    box_alone_.Forget(slot);
  } else {
    slot = MakeRoom();
    slots_.emplace(run.key, slot);
  }
  stages_[slot].key = run.key;
  stages_[slot].model_hash = std::hash<std::string>()(run.key.model);
  stages_[slot].generation = run.generation;
  return slot;
}

void Observer::Observe(const StageRun& run, const NeighbourLoad& neighbours) {
  const double actual_us = Micros(run.end - run.start);
  if (actual_us <= 0 || !std::isfinite(run.solo_us) || run.solo_us <= 0) {
    ++left_out_;
    return;
  }
  ++observed_;
  const size_t slot = SlotOf(run);
  Stage& stage = stages_[slot];
  const bool is_alone = !(neighbours.share >= kAloneShare);
  const double slow = neighbours_.Explain(run.bound, neighbours);
  const double log_ratio = std::clamp(std::log(actual_us / (run.solo_us * slow)), -kMostLog, kMostLog);
  box_all_.Add(slot, stage.model_hash, log_ratio, run.end);
  if (is_alone) box_alone_.Add(slot, stage.model_hash, log_ratio, run.end);
  UpdateBox(run.end);

  const double residual = log_ratio - box_.log_kappa;
  stage.watch.Add(residual, box_, options_.watch);
  stage.tail.Add(residual);
  box_tail_.Add(residual - stage.watch.level());
  if (is_alone) {
    LearnAlone(stage, residual);
  } else {
    LearnNeighbours(stage, run, neighbours, slow);
  }

  const double predicted_us = run.solo_us * slow * box_.kappa;
  const double weight = std::max(kReportWeight, 1 / static_cast<double>(stage.watch.runs()));
  stage.predicted_us += weight * (predicted_us - stage.predicted_us);
  stage.actual_us += weight * (actual_us - stage.actual_us);
  stage.solo_us = run.solo_us;
  stage.seen = std::max(stage.seen, run.end);
}

void Observer::UpdateBox(Time now) {
  box_is_of_alone_ = box_alone_.IsMeasured(now);
  const BoxState& used = box_is_of_alone_ ? box_alone_.state() : box_all_.state();
  int64_t& last_round = box_is_of_alone_ ? round_alone_ : round_all_;
  const int64_t round = box_.round + (used.round != last_round ? 1 : 0);
  last_round = used.round;
  box_ = used;
  box_.round = round;
}

void Observer::SetMeters(std::optional<double> kappa, Time now) {
  box_all_.SetMeters(kappa, now);
  box_alone_.SetMeters(kappa, now);
  UpdateBox(now);
}

void Observer::LearnAlone(Stage& stage, double residual) const {
  Alone& alone = stage.alone;
  alone.runs = std::min(alone.runs + 1, kMostAloneRuns);
  // What was learned from overlaps so far was learned with a worse idea of the time alone.
  if (alone.runs == kLeastAloneRuns) stage.overlaps = 0;
  alone.level += std::clamp(residual - alone.level, -kMostStep, kMostStep) / static_cast<double>(alone.runs);
}

void Observer::LearnNeighbours(Stage& stage, const StageRun& run, const NeighbourLoad& neighbours, double expected) {
  const bool level_known = stage.alone.runs >= kLeastAloneRuns;
  const double single = Square(std::max(stage.watch.spread(), 0.02)) + Square(0.5 * box_.log_kappa);
  const double solo_log_sd = std::isfinite(run.solo_log_sd) ? std::max(run.solo_log_sd, 0.02) : 0.2;
  const double shared =
      level_known ? Square(stage.watch.spread()) / stage.alone.runs + Square(0.01) : Square(solo_log_sd) + Square(0.02);
  stage.overlaps = std::min(stage.overlaps + 1, kMostOverlaps);
  const double variance = (single + stage.overlaps * shared) * (single + (stage.overlaps - 1) * shared) / single;
  // Seen beside neighbours only, a factor of the box cannot be told from what neighbours cost.
  const bool box_known = box_is_of_alone_ || box_.source == BoxSource::kMeters;
  const double box = box_known ? box_.kappa : 1;
  const double level = level_known ? stage.alone.level : 0;
  neighbours_.Learn({.own = run.bound,
                     .neighbours = neighbours,
                     .slowdown = Micros(run.end - run.start) / (run.solo_us * std::exp(level) * box),
                     .noise = std::sqrt(variance) * expected});
}

std::vector<StageQuestion> Observer::Questions(Time now) {
  std::vector<StageQuestion> questions;
  for (const auto& [key, slot] : slots_) {
    Stage& stage = stages_[slot];
    if (!stage.watch.Ask(now, options_.watch)) continue;
    const double ratio = std::exp(stage.watch.level());
    const bool box_known = box_.source != BoxSource::kUnknown;
    questions.push_back({.key = key,
                         .generation = stage.generation,
                         .ratio = ratio,
                         .runs = stage.watch.drift_runs(),
                         .box_known = box_known,
                         .reason = fmt::format("{} {} stage {}: {:.0f} % {} than predicted for {} runs{}", key.model,
                                               ToString(key.setting), key.stage + 1, 100 * std::abs(ratio - 1),
                                               ratio > 1 ? "slower" : "faster", stage.watch.drift_runs(),
                                               box_known ? "" : "; whether other programs slow the box is unknown")});
  }
  std::sort(questions.begin(), questions.end(),
            [](const StageQuestion& a, const StageQuestion& b) { return a.reason < b.reason; });
  return questions;
}

const Observer::Stage* Observer::Find(const StageKey& key, int generation) const {
  const auto found = slots_.find(key);
  if (found == slots_.end()) return nullptr;
  const Stage& stage = stages_[found->second];
  return stage.generation == generation && stage.watch.runs() > 0 ? &stage : nullptr;
}

double Observer::BoxVariance() const { return Square(0.5 * box_.log_kappa) + Square(box_.log_sd); }

void Observer::CorrectStage(const Stage* stage, StageCost& cost) const {
  double variance = Square(cost.time.log_sd);
  if (stage != nullptr) {
    const double level = stage->watch.level();
    const double level_variance = Square(stage->watch.level_sd(options_.watch));
    const double tail = TailRatio(stage->tail, box_tail_);
    if (box_.source == BoxSource::kUnknown) {
      variance += Square(level);
    } else {
      const double prior = std::max(variance, Square(level) - level_variance);
      const double gain = prior / std::max(prior + level_variance, 1e-12);
      cost.time.median = Scaled(cost.time.median, std::exp(gain * level));
      variance = gain * level_variance;
    }
    cost.time.p99 = Scaled(cost.time.median, tail);
  }
  cost.time.log_sd = std::sqrt(variance + BoxVariance());
}

SettingCost Observer::Correct(const std::string& model, int generation, SettingCost cost) const {
  double before_us = 0;
  double after_us = 0;
  double after_p99_us = 0;
  double error_before_us = 0;
  double error_after_us = 0;
  bool has_run = false;
  StageKey key{.model = model, .setting = cost.setting};
  for (StageCost& stage : cost.stages) {
    before_us += Micros(stage.time.median);
    error_before_us += Micros(stage.time.median) * stage.time.log_sd;
    const Stage* const seen = Find(key, generation);
    has_run = has_run || seen != nullptr;
    CorrectStage(seen, stage);
    after_us += Micros(stage.time.median);
    after_p99_us += Micros(stage.time.p99);
    error_after_us += Micros(stage.time.median) * stage.time.log_sd;
    ++key.stage;
  }
  if (!has_run || before_us <= 0 || after_us <= 0) {
    cost.time.log_sd = std::sqrt(Square(cost.time.log_sd) + BoxVariance());
    return cost;
  }
  // The whole keeps its own relation to the sum of its stages.
  cost.time.median = Scaled(cost.time.median, after_us / before_us);
  cost.time.p99 = Scaled(cost.time.median, after_p99_us / after_us);
  const double own = error_before_us > 0 ? cost.time.log_sd * before_us / error_before_us : 1;
  cost.time.log_sd = own * error_after_us / after_us;
  return cost;
}

std::vector<StageReport> Observer::Report() const {
  std::vector<StageReport> reports;
  for (const auto& [key, slot] : slots_) {
    const Stage& stage = stages_[slot];
    reports.push_back({.key = key,
                       .generation = stage.generation,
                       .runs = stage.watch.runs(),
                       .solo_us = stage.solo_us,
                       .predicted_us = stage.predicted_us,
                       .actual_us = stage.actual_us,
                       .ratio = std::exp(stage.watch.level()),
                       .spread = stage.watch.spread(),
                       .p99_ratio = TailRatio(stage.tail, box_tail_),
                       .is_drifting = stage.watch.is_drifting()});
  }
  std::sort(reports.begin(), reports.end(), [](const StageReport& a, const StageReport& b) {
    if (a.solo_us != b.solo_us) return a.solo_us > b.solo_us;
    return std::tie(a.key.model, a.key.stage) < std::tie(b.key.model, b.key.stage);
  });
  return reports;
}

}  // namespace deepedge
