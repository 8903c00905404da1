// Collects the truth that the Model Profiler is judged by: every setting of many models, measured in turns, so that
// slow phases of the box meet all settings of a model alike. The result is data, which the profiler is fitted to and
// scored on without measuring again (score.h).
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "deepedge/base/clock.h"
#include "deepedge/engine/engine.h"
#include "deepedge/profiler/probe/measured_model.h"
#include "deepedge/profiler/probe/probe.h"

namespace deepedge {

struct CollectOptions {
  int rounds = 20;                  // measurements of each setting
  int batches = 8;                  // the largest
  int cores = 2;                    // the most
  int64_t most_pixels = 800 * 800;  // of sizes other than a model's own
  double most_seconds = 60;         // for one model; rounds over it are left out, down to 5
  std::function<void(const std::string&)> tell = [](const std::string&) {};  // progress and what is left out, and why
};

// Files of models below a folder, or the file itself; what cannot be read is told and left out.
std::vector<ModelFiles> FindModelsBelow(const Path& place, const CollectOptions& options);

// The model described, its int8 form made in `scratch` (where that works), its sizes tried.
Result<ProbeTarget> PrepareTarget(Engine& engine, const std::string& name, const ModelFiles& files, const Path& scratch,
                                  const CollectOptions& options);

// The settings that are measured of a target: every precision at every size, every batch and number of cores at its own
// size, and some of all together.
std::vector<Setting> SettingsOf(const ProbeTarget& target, const std::vector<Precision>& precisions,
                                const CollectOptions& options);

// Settings that do not work are told and left out. Errors: nothing of the model could be measured.
Result<MeasuredModel> Collect(Engine& engine, const ProbeTarget& target, const CollectOptions& options,
                              const Clock& clock);

}  // namespace deepedge
