#include "deepedge/app/run_profiler.h"

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <utility>

#include "deepedge/app/box_profile.h"
#include "deepedge/base/file.h"
#include "deepedge/base/log.h"
#include "deepedge/base/thread.h"
#include "deepedge/profiler/probe/measured_model.h"
#include "deepedge/profiler/probe/probe_target.h"

namespace deepedge {

namespace {

// Empty where the file cannot be read: then nothing is known and nothing kept of it.
std::string HashOf(const LoadedModel& model) {
  if (!model.sha256.empty()) return model.sha256;
  auto hash = Sha256OfFile(GraphFileOf(model.files));
  return hash.ok() ? std::move(hash).value() : std::string();
}

}  // namespace

std::unique_ptr<ProfileStore> RunProfiler::OpenStore(const Path& state_folder, const Clock& clock) {
  auto opened = ProfileStore::Open(state_folder, clock);
  if (!opened.ok()) {
    LogWarning("what this box learns is not kept: {}", opened.error().message);
    return nullptr;
  }
  std::unique_ptr<ProfileStore> store = std::move(opened).value();
  for (const std::string& note : store->notes()) LogWarning("{}", note);
  return store;
}

WatchedModel RunProfiler::Watched(const LoadedModel& model) const {
  WatchedModel watched = WatchedModelOf(model, store_ ? HashOf(model) : std::string());
  if (!store_ || watched.sha256.empty()) return watched;
  auto known = store_->Latest(box_, watched.sha256);
  if (!known.ok()) {
    LogWarning("model '{}': its profile cannot be read: {}", model.name, known.error().message);
  } else if (known.value()) {
    watched.profile = std::move(known.value()->profile);
  }
  return watched;
}

bool RunProfiler::WasProbed(const WatchedModel& watched, const Setting& setting) const {
  const auto rows = store_->Measurements(box_, watched.sha256);
  if (!rows.ok()) return false;
  return std::ranges::any_of(rows.value(), [&](const Measurement& row) {
    if (!(row.setting == setting)) return false;
    const auto probe = ProbeResultFromJson(row.text);
    return probe.ok() && probe.value().origin != ProbeOrigin::kServing;
  });
}

void RunProfiler::AddTarget(const LoadedModel& model, const WatchedModel& watched) {
  // A result that is not kept would have to be found again and again.
  if (!store_ || !store_->writable() || watched.sha256.empty()) return;
  const auto served = ParseVariant(model.variant);
  // Forms that were made for the model have files and sizes of their own.
  if (!served || std::ranges::count(model.card.variants, *served, &VariantCard::key) > 0) return;
  auto target = TargetOf(model.name, model.files, model.card, model.compiled->inputs());
  if (!target.ok()) return;
  targets_.push_back({.target = std::move(target).value(), .sha256 = watched.sha256});
  const Setting setting{.variant = *served};
  if (!watched.profile && !WasProbed(watched, setting)) wanted_.Want(model.name, setting);
}

RunProfiler::RunProfiler(Engine& engine, const Path& state_folder,
                         const std::vector<std::unique_ptr<LoadedModel>>& models, size_t lanes, const Clock& clock)
    : engine_(engine),
      clock_(clock),
      identity_(ThisBox(engine)),
      box_(Fingerprint(identity_)),
      runs_(lanes, clock),
      store_(OpenStore(state_folder, clock)) {
  std::vector<WatchedModel> watched;
  for (const auto& model : models) {
    watched.push_back(Watched(*model));
    AddTarget(*model, watched.back());
  }
  if (store_) store_->SeenBox(box_, BoxText(identity_)).Ignore("said with the first thing that is not kept");
  const auto drifted = [this](const StageQuestion& question) {
    const bool has_target = std::ranges::any_of(targets_, [&](const IdleTarget& known) {
      return known.target.name == question.key.model && RequestFor(known.target, question.key.setting).ok();
    });
    if (has_target) wanted_.Want(question.key.model, question.key.setting);
  };
  // Asked by the watch's thread only.
  const auto meters = [this]() -> std::optional<double> {
    foreign_.Add(meter_.Sample(clock_));
    return foreign_.kappa();
  };
  watch_ = std::make_unique<ProfileWatch>(ProfileWatch::Options{.box = box_, .meters = meters, .drifted = drifted},
                                          std::move(watched), runs_, store_.get(), clock_);
}

void RunProfiler::Start(const DataPlane& plane) {
  watch_->Start();
  if (targets_.empty()) return;
  const IdleProbe::Options options{.box = box_, .cores = static_cast<int>(AllowedCpus().size())};
  IdleProbe::Hooks hooks{.next = [this](const std::string& model) { return wanted_.Next(model); },
                         .load = [&plane] { return plane.Load(); },
                         .done = [this](const std::string& model,
                                        const ProbeResult& result) { wanted_.HandleDone(model, result.setting); }};
  idle_ = std::make_unique<IdleProbe>(options, targets_, std::move(hooks), engine_, store_.get(), clock_);
  idle_->Start();
}

void RunProfiler::Stop() {
  idle_.reset();  // its thread, before what it asks
  watch_->Stop();
}

}  // namespace deepedge
