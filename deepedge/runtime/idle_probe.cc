#include "deepedge/runtime/idle_probe.h"

#include <algorithm>
#include <utility>

#include "deepedge/base/log.h"
#include "deepedge/ingest/waiter.h"
#include "deepedge/profiler/probe/measured_model.h"

namespace deepedge {

IdleProbe::IdleProbe(Options options, std::vector<IdleTarget> targets, Hooks hooks, Engine& engine, ProfileStore* store,
                     const Clock& clock)
    : options_(std::move(options)),
      hooks_(std::move(hooks)),
      engine_(engine),
      store_(store),
      clock_(clock),
      budget_(options_.cores, options_.budget) {
  // A network that was never compiled here may take all there is of a minute.
  for (IdleTarget& target : targets) {
    models_.push_back(
        {.idle = std::move(target), .pause = options_.first_pause, .expected_compile = budget_.allowance()});
  }
}

IdleProbe::~IdleProbe() { Stop(); }

void IdleProbe::Start() {
  thread_ = Thread({.name = "profiler-idle", .priority = ThreadPriority::kIdle},
                   [this](const std::stop_token& stop) { Loop(stop); });
}

void IdleProbe::Stop() {
  thread_ = Thread();  // asked to stop, and joined
  current_.reset();
}

void IdleProbe::Loop(const std::stop_token& stop) {
  RealWaiter waiter;
  while (waiter.WaitUntil(RealClock().Now() + options_.look, stop)) Step();
}

ProbeVerdict IdleProbe::Step() {
  const Time now = clock_.Now();
  const LaneLoad load = hooks_.load();
  meter_.Add(now, load.busy, load.lanes);
  const ProbeVerdict verdict = budget_.Ask(now, {.busy = meter_.Busy(), .decode_waits = load.decode_waits}, Expected());
  if (current_ && now - current_->since > options_.longest) {
    Finish();
    return verdict;
  }
  if (verdict != ProbeVerdict::kGo) return verdict;
  if (!current_) {
    if (now >= ask_again_) Choose(now);
  } else if (!current_->probe) {
    Prepare();
  } else {
    RunOnce(meter_.Busy().value_or(0));
  }
  return verdict;
}

// Of the next thing to do.
Duration IdleProbe::Expected() const {
  if (!current_) return Duration(0);
  return current_->probe ? current_->expected_run : models_[current_->model].expected_compile;
}

// By the wall clock: at the lowest priority that is never less than the CPU time, helpers that the engine may wake up
// aside.
Duration IdleProbe::Spend(Time start) {
  const Time now = clock_.Now();
  budget_.Spend(now, now - start);
  MutexLock lock(mutex_);
  report_.spent = budget_.spent();
  return now - start;
}

void IdleProbe::Choose(Time now) {
  for (size_t i = 0; i < models_.size(); ++i) {
    const size_t index = (turn_ + i) % models_.size();
    if (now < models_[index].not_before) continue;
    const std::optional<Setting> wanted = hooks_.next(models_[index].idle.target.name);
    if (!wanted) continue;
    turn_ = index + 1;
    current_ = Current{.model = index, .setting = *wanted, .since = clock_.Now(), .probe = std::nullopt};
    break;
  }
  Spend(now);
  if (!current_) ask_again_ = now + options_.rest;
}

void IdleProbe::Prepare() {
  Model& model = models_[current_->model];
  if (current_->setting.cores > 1) {
    return Fail({ErrorCode::kUnsupported,
                 fmt::format("{} {}: not beside others", model.idle.target.name, ToString(current_->setting))});
  }
  const Time start = clock_.Now();
  auto probe = Probe::Prepare(engine_, model.idle.target, current_->setting, clock_);
  model.expected_compile = Spend(start);
  if (!probe.ok()) return Fail(probe.error());
  current_->probe = std::move(probe).value();
}

void IdleProbe::RunOnce(double busy) {
  const Time start = clock_.Now();
  const Status ran = current_->probe->Run();
  current_->expected_run = Spend(start);
  if (!ran.ok()) return Fail(ran.error());
  current_->busy += busy;
  ++current_->runs;
  if (current_->runs >= options_.runs) Finish();
}

void IdleProbe::Finish() {
  Model& model = models_[current_->model];
  if (current_->runs < options_.least_runs) {
    return Fail({ErrorCode::kUnavailable, fmt::format("{} {}: the box left no time for it", model.idle.target.name,
                                                      ToString(current_->setting))});
  }
  ProbeResult result = current_->probe->Summary();
  result.memory_bytes = 0;
  result.origin = ProbeOrigin::kIdle;
  result.busy = current_->busy / current_->runs;
  current_.reset();
  model.pause = options_.first_pause;
  {
    MutexLock lock(mutex_);
    ++report_.probes;
  }
  if (store_ != nullptr && !model.idle.sha256.empty()) {
    const Status kept = store_->AddMeasurement(options_.box, model.idle.sha256, result.setting, ToJson(result));
    if (!kept.ok() && !save_fails_) LogWarning("what was measured is not kept: {}", kept.error().message);
    save_fails_ = !kept.ok();
  }
  if (hooks_.done) hooks_.done(model.idle.target.name, result);
}

void IdleProbe::Fail(const Error& error) {
  Model& model = models_[current_->model];
  current_.reset();
  model.not_before = clock_.Now() + model.pause;
  model.pause = std::min(2 * model.pause, options_.longest_pause);
  MutexLock lock(mutex_);
  ++report_.failed;
  report_.last_error = error.message;
}

IdleProbeReport IdleProbe::Report() const {
  MutexLock lock(mutex_);
  return report_;
}

}  // namespace deepedge
