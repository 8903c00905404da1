#include "deepedge/runtime/profile_watch.h"

#include <algorithm>
#include <nlohmann/json.hpp>

#include "deepedge/ingest/waiter.h"
#include "deepedge/profiler/probe/measured_model.h"
#include "deepedge/runtime/loaded_model.h"

namespace deepedge {
namespace {

constexpr Duration kMetersPeriod = std::chrono::seconds(1);
constexpr size_t kMostQuestions = 16;
constexpr std::string_view kObserver = "observer";

std::string StatisticsText(const StageReport& stage) {
  const nlohmann::json json = {{"generation", stage.generation},  {"runs", stage.runs},
                               {"solo_us", stage.solo_us},        {"predicted_us", stage.predicted_us},
                               {"actual_us", stage.actual_us},    {"ratio", stage.ratio},
                               {"spread", stage.spread},          {"p99_ratio", stage.p99_ratio},
                               {"is_drifting", stage.is_drifting}};
  return json.dump();
}

}  // namespace

WatchedModel WatchedModelOf(const LoadedModel& model, std::string sha256) {
  const auto variant = ParseVariant(model.variant);
  return {.model = &model,
          .name = model.name,
          .sha256 = std::move(sha256),
          .precision = variant ? variant->precision : Precision::kFp32};
}

ProfileWatch::ProfileWatch(Options options, std::vector<WatchedModel> models, RunLog& log, ProfileStore* store,
                           const Clock& clock)
    : options_(std::move(options)),
      log_(log),
      store_(store),
      clock_(clock),
      started_(clock.Now()),
      next_meters_(started_ + kMetersPeriod),
      next_save_(started_ + options_.save_every),
      save_fails_(store != nullptr && !store->writable()) {
  {
    MutexLock lock(mutex_);
    for (WatchedModel& model : models) models_.push_back({.watched = std::move(model), .times = {}});
  }
  Restore();
}

ProfileWatch::~ProfileWatch() { Stop(); }

void ProfileWatch::Restore() {
  if (store_ == nullptr) return;
  const auto kept = store_->LoadCalibration(options_.box, kObserver);
  if (!kept.ok()) return LogWarning("what this box has learned cannot be read: {}", kept.error().message);
  if (!kept.value()) return;
  auto observer = Observer::FromJson(kept.value()->text);
  if (!observer.ok()) return LogWarning("what this box has learned is of no use: {}", observer.error().message);
  MutexLock lock(mutex_);
  observer_ = std::move(observer).value();
}

void ProfileWatch::Start() {
  thread_ = Thread({.name = "profiler", .priority = ThreadPriority::kBackground},
                   [this](const std::stop_token& stop) { Loop(stop); });
}

void ProfileWatch::Loop(const std::stop_token& stop) {
  RealWaiter waiter;
  while (waiter.WaitUntil(RealClock().Now() + options_.pass, stop)) Pass();
}

void ProfileWatch::Stop() {
  if (std::exchange(stopped_, true)) return;
  thread_ = Thread();  // asked to stop, and joined
  Pass();
  if (store_ == nullptr) return;
  Save();
  SaveMeasurements();
}

void ProfileWatch::Pass() {
  runs_.clear();
  const Time settled = log_.Drain(runs_);
  {
    MutexLock lock(mutex_);
    for (const RunLog::LaneRun& logged : runs_) window_.Add(StageRunOf(logged));
    for (const JudgedRun& judged : window_.Take(settled)) {
      if (judged.run.solo_us > 0) observer_.Observe(judged.run, judged.neighbours);
    }
    lost_in_window_ = window_.lost();
  }
  for (const RunLog::LaneRun& logged : runs_) busy_ += logged.run.end - logged.run.start;
  const Time now = clock_.Now();
  ReadMeters(now);
  AskForProbes(now);
  if (now < next_save_) return;
  next_save_ = now + options_.save_every;
  if (store_ != nullptr) Save();
}

StageRun ProfileWatch::StageRunOf(const RunLog::LaneRun& logged) {
  const EngineRun& run = logged.run;
  StageRun stage{.lane = logged.lane, .start = run.start, .end = run.end};
  const auto found = std::ranges::find(models_, run.model, [](const Model& model) { return model.watched.model; });
  if (found == models_.end()) return stage;
  const WatchedModel& watched = found->watched;
  const Setting setting{.variant = {watched.precision, run.width, run.height}, .batch = run.batch};
  const SettingCost* const cost = watched.profile ? FindCost(*watched.profile, setting) : nullptr;
  const bool in_stages = cost != nullptr && run.stages > 1 && cost->stages.size() == static_cast<size_t>(run.stages);
  if (cost == nullptr || (run.stages > 1 && !in_stages)) {
    AddTime(*found, setting, run);
    if (cost != nullptr) stage.bound = cost->bound;
    return stage;
  }
  // A run of the whole is compared with the whole, in however many stages it could be run.
  const TimeEstimate& time = in_stages ? cost->stages[static_cast<size_t>(run.stage)].time : cost->time;
  stage.key = {.model = watched.name, .setting = setting, .stage = run.stage};
  stage.generation = watched.profile->generation;
  // Runs of others and decoding come between: what is expected is a run on cold caches.
  const double cold = cost->cold > cost->time.median && cost->time.median > Duration(0)
                          ? static_cast<double>(cost->cold.count()) / static_cast<double>(cost->time.median.count())
                          : 1.0;
  stage.solo_us = static_cast<double>(time.median.count()) * cold;
  stage.solo_log_sd = time.log_sd;
  stage.bound = in_stages ? cost->stages[static_cast<size_t>(run.stage)].bound : cost->bound;
  return stage;
}

// Parts of a run say nothing of the whole.
void ProfileWatch::AddTime(Model& model, const Setting& setting, const EngineRun& run) {
  if (run.stages != 1) return;
  auto found = std::ranges::find(model.times, setting, &std::pair<Setting, RunTimes>::first);
  if (found == model.times.end()) {
    if (model.times.size() >= options_.most_settings) return;
    model.times.emplace_back(setting, RunTimes());
    found = std::prev(model.times.end());
  }
  const Duration took = run.cpu > Duration(0) ? run.cpu : run.end - run.start;
  found->second.Add(static_cast<double>(took.count()));
}

void ProfileWatch::ReadMeters(Time now) {
  if (now < next_meters_) return;
  next_meters_ = now + kMetersPeriod;
  const std::optional<double> kappa = options_.meters ? options_.meters() : std::nullopt;
  MutexLock lock(mutex_);
  observer_.SetMeters(kappa, now);
}

void ProfileWatch::AskForProbes(Time now) {
  std::vector<StageQuestion> questions;
  {
    MutexLock lock(mutex_);
    questions = observer_.Questions(now);
    for (const StageQuestion& question : questions) {
      if (questions_.size() == kMostQuestions) questions_.erase(questions_.begin());
      questions_.push_back(question.reason);
    }
  }
  for (const StageQuestion& question : questions) {
    if (options_.drifted) options_.drifted(question);
    if (unsaid_.size() < kMostQuestions) unsaid_.push_back(question.reason);
  }
  if (unsaid_.empty() || !drift_lines_.Allow(now)) return;
  LogInfo("profile left: {}{}", unsaid_.front(),
          unsaid_.size() > 1 ? fmt::format(" (and {} more stages)", unsaid_.size() - 1) : std::string());
  unsaid_.clear();
}

const WatchedModel* ProfileWatch::FindByName(const std::string& name) const {
  const auto found = std::ranges::find(models_, name, [](const Model& model) { return model.watched.name; });
  return found == models_.end() ? nullptr : &found->watched;
}

// Without those of models that do not run here, and of profiles that are over.
std::vector<StageReport> ProfileWatch::StagesOfProfiles() const {
  std::vector<StageReport> stages = observer_.Report();
  std::erase_if(stages, [this](const StageReport& stage) {
    const WatchedModel* const watched = FindByName(stage.key.model);
    return watched == nullptr || !watched->profile || watched->profile->generation != stage.generation;
  });
  return stages;
}

ProfileWatch::Learned ProfileWatch::WhatWasLearned() const {
  Learned learned{.observer = observer_.ToJson(), .statistics = {}, .outdated = {}};
  for (const Model& model : models_) {
    if (model.watched.sha256.empty() || !model.watched.profile) continue;
    learned.statistics.emplace_back(model.watched.sha256, std::vector<StageStatistics>());
    for (const StageReport& stage : StagesOfProfiles()) {
      if (stage.key.model != model.watched.name) continue;
      learned.statistics.back().second.push_back(
          {.setting = stage.key.setting, .stage = stage.key.stage, .text = StatisticsText(stage)});
    }
  }
  return learned;
}

void ProfileWatch::Save() {
  Learned learned;
  {
    MutexLock lock(mutex_);
    if (observer_.observed() == 0) return;  // nothing new
    learned = WhatWasLearned();
    learned.outdated = std::exchange(outdated_, {});
  }
  // A store that fails may take seconds to say so: nobody waits for that more than once.
  if (!Try(store_->SaveCalibration(options_.box, kObserver, learned.observer, true))) return;
  for (const std::string& sha256 : learned.outdated) {
    if (!Try(store_->ClearStatistics(options_.box, sha256))) return;
  }
  for (const auto& [sha256, rows] : learned.statistics) {
    if (!rows.empty() && !Try(store_->SaveStatistics(options_.box, sha256, rows))) return;
  }
}

void ProfileWatch::SaveMeasurements() {
  std::vector<std::pair<std::string, ProbeResult>> found;
  const auto ran = static_cast<double>((clock_.Now() - started_).count());
  {
    MutexLock lock(mutex_);
    for (const Model& model : models_) {
      if (model.watched.sha256.empty()) continue;
      for (const auto& [setting, times] : model.times) {
        const double own = times.median_us() * static_cast<double>(times.count());
        const double others = std::max(0.0, static_cast<double>(busy_.count()) - own);
        const double busy = ran > 0 ? std::min(1.0, others / ran / static_cast<double>(log_.lanes())) : 0;
        found.emplace_back(model.watched.sha256, times.AsMeasurement(setting, busy));
      }
    }
  }
  for (const auto& [sha256, measured] : found) {
    const auto rows = store_->Measurements(options_.box, sha256);
    std::vector<ProbeResult> known;
    if (rows.ok()) {
      for (const Measurement& row : rows.value()) {
        if (auto probe = ProbeResultFromJson(row.text); probe.ok()) known.push_back(std::move(probe).value());
      }
    }
    if (!IsWorthKeeping(measured, known)) continue;
    if (!Try(store_->AddMeasurement(options_.box, sha256, measured.setting, ToJson(measured)))) return;
  }
}

bool ProfileWatch::Try(const Status& status) {
  const bool failed = !status.ok();
  if (failed && !save_fails_) LogWarning("what this box learns is not kept: {}", status.error().message);
  save_fails_ = failed;
  return !failed;
}

void ProfileWatch::SetProfile(Profile profile) {
  MutexLock lock(mutex_);
  const auto found = std::ranges::find(models_, profile.model, [](const Model& model) { return model.watched.name; });
  if (found == models_.end()) return;
  WatchedModel& watched = found->watched;
  const bool is_other = watched.profile && watched.profile->generation != profile.generation;
  if (is_other && !watched.sha256.empty() && std::ranges::count(outdated_, watched.sha256) == 0) {
    outdated_.push_back(watched.sha256);
  }
  watched.profile = std::move(profile);
}

ProfileReport ProfileWatch::Report() const {
  const int64_t dropped = log_.dropped();
  MutexLock lock(mutex_);
  ProfileReport report{.box = observer_.box(),
                       .observed = observer_.observed(),
                       .lost = dropped + lost_in_window_,
                       .stages = StagesOfProfiles(),
                       .questions = questions_};
  for (const Model& model : models_) {
    for (const auto& [setting, times] : model.times) {
      report.served.push_back({model.watched.name, setting, times.count(), times.median_us()});
    }
  }
  return report;
}

SettingCost ProfileWatch::Correct(const std::string& model, int generation, SettingCost cost) const {
  MutexLock lock(mutex_);
  return observer_.Correct(model, generation, std::move(cost));
}

}  // namespace deepedge
