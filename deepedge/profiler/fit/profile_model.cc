#include "deepedge/profiler/fit/profile_model.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "deepedge/profiler/fit/choose_probe.h"
#include "deepedge/profiler/fit/predictor.h"

namespace deepedge {
namespace {

double Seconds(Duration duration) { return static_cast<double>(duration.count()) / 1e6; }

// Measures one model's settings until nothing is to be gained or the budget is spent.
class Prober {
 public:
  Prober(Engine& engine, const BoxModel& box, const ProbeTarget& target, const ProfileOptions& options,
         const Clock& clock, std::vector<Setting> settings, ProfiledModel& result)
      : engine_(engine),
        box_(box),
        target_(target),
        options_(options),
        clock_(clock),
        settings_(std::move(settings)),
        result_(result),
        start_(clock.Now()) {}

  void Run() {
    int done = 0;
    while (done < options_.probes && !options_.stop()) {
      const std::optional<Setting> next = Next();
      if (!next) return;
      if (Measure(*next)) ++done;
    }
  }

  const std::vector<Setting>& settings() const { return settings_; }

 private:
  MeasuredModel& model() { return result_.measured; }

  std::optional<Setting> Next() {
    const bool own_known = std::any_of(model().probes.begin(), model().probes.end(),
                                       [&](const ProbeResult& probe) { return probe.setting == settings_.front(); });
    if (!own_known && !refused_own_) return settings_.front();
    const Predictor predictor(box_, model());
    const auto choice = NextProbe(predictor, CandidatesThatFit(predictor));
    return choice ? std::optional(choice->setting) : std::nullopt;
  }

  // Settings whose probe is expected to end within the budget, and to fit into memory.
  std::vector<Setting> CandidatesThatFit(const Predictor& predictor) const {
    const double left = Seconds(options_.budget - (clock_.Now() - start_));
    std::vector<Setting> fit;
    for (const Setting& setting : settings_) {
      const SettingCost cost = predictor.Predict(setting);
      // The runs, each after one on cold caches, and those that warm up; compiling as long as it took so far.
      const double runs = 2.0 * options_.runs + 4 + (setting.batch > 1 ? 8 : 0);
      const double seconds = slowest_compile_s_ * 1.5 + runs * Seconds(cost.time.median);
      const bool memory = options_.most_memory_bytes == 0 || cost.memory_bytes <= options_.most_memory_bytes;
      if (memory && seconds <= left) fit.push_back(setting);
    }
    return fit;
  }

  bool Measure(const Setting& setting) {
    options_.tell(fmt::format("{} {}", target_.name, ToString(setting)));
    auto probe = Probe::Prepare(engine_, target_, setting, clock_);
    if (!probe.ok()) {
      Refuse(setting, probe.error().message);
      return false;
    }
    constexpr Duration kEnough = std::chrono::milliseconds(1500);
    const Time start = clock_.Now();
    for (int i = 0; i < options_.runs && (i < 3 || clock_.Now() - start < kEnough); ++i) {
      const Status ran = probe.value().Run();
      if (ran.ok()) continue;
      Refuse(setting, ran.error().message);
      return false;
    }
    constexpr int kColdRuns = 3;
    for (int i = 0; i < kColdRuns; ++i) {
      filler_.Fill();
      probe.value().RunCold().Ignore("its time is then not known");
    }
    ProbeResult result = probe.value().Summary();
    slowest_compile_s_ = std::max(slowest_compile_s_, result.compile_ms / 1e3);
    model().probes.push_back(std::move(result));
    return true;
  }

  // What does not work in one batch works in no larger one; what does not work at all is left out.
  void Refuse(const Setting& setting, const std::string& why) {
    if (setting == settings_.front()) refused_own_ = true;
    result_.notes.push_back(fmt::format("{}: {}", ToString(setting), why));
    std::erase_if(settings_, [&](const Setting& other) {
      const bool larger =
          setting.batch > 1 && other.batch >= setting.batch && other.variant.precision == setting.variant.precision;
      return other == setting || larger;
    });
    if (settings_.empty()) settings_.push_back(setting);
  }

  Engine& engine_;
  const BoxModel& box_;
  const ProbeTarget& target_;
  const ProfileOptions& options_;
  const Clock& clock_;
  std::vector<Setting> settings_;
  ProfiledModel& result_;
  const Time start_;
  CacheFiller filler_;
  double slowest_compile_s_ = 0;
  bool refused_own_ = false;
};

}  // namespace

std::vector<Setting> WantedSettings(const ProbeTarget& target, const std::vector<Precision>& precisions,
                                    const ProfileOptions& options) {
  std::vector<Setting> settings;
  const std::vector<VariantKey> sizes = SizesOf(target, options.most_pixels);
  for (const Precision precision : precisions) {
    if (precision == Precision::kInt8 && !target.int8) continue;
    for (const VariantKey& size : sizes) {
      const bool own = size == sizes.front();
      for (int cores = 1; cores <= options.cores; cores *= 2) {
        for (const int batch : options.batches) {
          const bool wanted = batch == 1 || (target.picture && (own || cores == 1));
          if (wanted) settings.push_back({{precision, size.width, size.height}, batch, cores});
        }
      }
    }
  }
  return settings;
}

Profile MakeProfile(const BoxModel& box, const MeasuredModel& model, const std::vector<Setting>& settings,
                    const StageRule& stages) {
  Profile profile{.model = model.name};
  const Predictor predictor(box, model);
  for (const Setting& setting : settings) {
    if (!predictor.Knows(setting)) continue;
    std::vector<int> cuts;
    // A run on several cores is not interrupted, and stages are of one picture: whoever batches, batches the whole.
    if (setting.cores == 1 && setting.batch == 1) {
      const auto choice = ChooseStages(*GraphFor(model, setting), predictor.LayerTimes(setting), stages);
      cuts.assign(choice.cuts.begin(), choice.cuts.end());
    }
    profile.costs.push_back(predictor.PredictStages(setting, cuts));
  }
  return profile;
}

Result<ProfiledModel> ProfileModel(Engine& engine, const BoxModel& box, const ProbeTarget& target,
                                   const ProfileOptions& options, const Clock& clock, MeasuredModel before) {
  ProfiledModel result{.measured = std::move(before)};
  result.measured.name = target.name;
  std::vector<Setting> settings;
  for (const Setting& setting : WantedSettings(target, engine.Precisions(), options)) {
    const Status analysed = AddForm(engine, target, setting, result.measured);
    if (analysed.ok()) {
      settings.push_back(setting);
    } else if (settings.empty()) {
      return analysed.error();
    } else if (setting.batch == 1 && setting.cores == 1) {
      result.notes.push_back(fmt::format("{}: {}", ToString(setting), analysed.error().message));
    }
  }
  if (options.most_memory_bytes > 0) {
    const SettingCost own = Predictor(box, result.measured).Predict(settings.front());
    // Before anything is measured the prediction may be off: twice the limit is surely too much.
    if (own.memory_bytes > 2 * options.most_memory_bytes) {
      return Error{ErrorCode::kExhausted,
                   fmt::format("{}: needs about {} MB of memory, and there are {} MB", target.name,
                               own.memory_bytes / 1'000'000, options.most_memory_bytes / 1'000'000)};
    }
  }
  if (box.networks == 0) result.notes.push_back("this box is not calibrated: what was not measured is a rough guess");
  Prober prober(engine, box, target, options, clock, std::move(settings), result);
  prober.Run();
  result.profile = MakeProfile(box, result.measured, prober.settings(), options.stages);
  return result;
}

}  // namespace deepedge
