#include "deepedge/bench/profiler/collect.h"

#include <fmt/format.h>

#include <algorithm>
#include <random>
#include <set>

#include "deepedge/formats/sniff.h"
#include "deepedge/pipeline/describe_model.h"
#include "deepedge/profiler/probe/probe_target.h"

namespace deepedge {
std::vector<ModelFiles> FindModelsBelow(const Path& place, const CollectOptions& options) {
  std::vector<ModelFiles> models;
  std::set<Path> known;
  std::error_code error;
  const auto add = [&](const Path& path) {
    auto files = FindModelFiles(path);
    if (files.ok() && known.insert(files.value().graph).second) models.push_back(std::move(files).value());
    return files.ok();
  };
  if (!std::filesystem::is_directory(place, error)) {
    if (!add(place)) options.tell(fmt::format("{}: no model", place.string()));
    return models;
  }
  std::vector<Path> paths;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(place, error)) paths.push_back(entry.path());
  std::sort(paths.begin(), paths.end());
  for (const Path& path : paths) {
    const bool saved_model = std::filesystem::exists(path / "saved_model.pb", error);
    if (saved_model || std::filesystem::is_regular_file(path, error)) add(path);
  }
  return models;
}

Result<ProbeTarget> PrepareTarget(Engine& engine, const std::string& name, const ModelFiles& files, const Path& scratch,
                                  const CollectOptions& options) {
  DE_TRY(const GraphInfo info, engine.Inspect(files));
  DE_TRY(const ModelDescription description, DescribeModel(files, info));
  DE_TRY(ProbeTarget target, TargetOf(name, files, description.card, info.inputs));
  target.resizable = CanResize(engine, target);
  if (!target.picture) return target;
  auto int8 = MakeInt8ForTiming(engine, target, scratch, name);
  if (int8.ok()) {
    target.int8 = std::move(int8).value();
  } else {
    options.tell(fmt::format("{}: no int8 form: {}", name, int8.error().message));
  }
  return target;
}

std::vector<Setting> SettingsOf(const ProbeTarget& target, const std::vector<Precision>& precisions,
                                const CollectOptions& options) {
  std::vector<Setting> settings;
  const auto add = [&](const Setting& setting) {
    if (std::find(settings.begin(), settings.end(), setting) == settings.end()) settings.push_back(setting);
  };
  const std::vector<VariantKey> sizes = SizesOf(target, options.most_pixels);
  for (const Precision precision : precisions) {
    if (precision == Precision::kInt8 && !target.int8) continue;
    for (const VariantKey& size : sizes) add({{precision, size.width, size.height}});
    const VariantKey own{precision, sizes.front().width, sizes.front().height};
    for (int cores = 2; cores <= options.cores; cores *= 2) add({own, 1, cores});
    if (!target.picture) continue;
    for (int batch = 2; batch <= options.batches; batch *= 2) add({own, batch});
    // Some where several things differ from the model's own form.
    const VariantKey other{precision, sizes.back().width, sizes.back().height};
    if (sizes.size() > 1) add({other, 4});
    if (options.cores > 1) {
      add({own, 4, 2});
      if (sizes.size() > 1) add({{precision, sizes[1].width, sizes[1].height}, 1, 2});
    }
  }
  return settings;
}

Result<MeasuredModel> Collect(Engine& engine, const ProbeTarget& target, const CollectOptions& options,
                              const Clock& clock) {
  MeasuredModel model{.name = target.name};
  std::vector<Probe> probes;
  std::set<int> refused_batches;
  double round_us = 0;
  for (const Setting& setting : SettingsOf(target, engine.Precisions(), options)) {
    if (refused_batches.contains(setting.batch)) continue;
    DE_TRY_STATUS(AddForm(engine, target, setting, model));
    auto probe = Probe::Prepare(engine, target, setting, clock);
    if (!probe.ok() || !probe.value().Run().ok()) {
      options.tell(fmt::format("{} {}: {}", target.name, ToString(setting),
                               probe.ok() ? "does not run" : probe.error().message));
      if (setting.batch > 1) refused_batches.insert(setting.batch);
      continue;
    }
    round_us += std::max(2 * probe.value().Summary().median_us, 500.0);
    probes.push_back(std::move(probe).value());
  }
  if (probes.empty()) return Error{ErrorCode::kUnsupported, target.name + ": no setting works"};
  const int fit = static_cast<int>(options.most_seconds * 1e6 / round_us);
  const int rounds = std::clamp(fit, std::min(5, options.rounds), options.rounds);
  std::vector<size_t> order(probes.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::minstd_rand random(3);
  for (int round = 1; round < rounds; ++round) {
    std::shuffle(order.begin(), order.end(), random);
    for (const size_t i : order) {
      DE_TRY_STATUS(probes[i].RunCold());
      DE_TRY_STATUS(probes[i].Run());
    }
  }
  for (const Probe& probe : probes) model.probes.push_back(probe.Summary());
  options.tell(fmt::format("{}: {} settings, {} rounds", target.name, probes.size(), rounds));
  return model;
}

}  // namespace deepedge
