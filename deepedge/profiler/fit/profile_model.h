// Makes the profile of a model on this box: analyses it, measures the few settings that tell most about the others, and
// predicts the rest. Takes some seconds; for a thread of its own, never on a lane.
#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include "deepedge/base/clock.h"
#include "deepedge/engine/engine.h"
#include "deepedge/plan/profile.h"
#include "deepedge/profiler/fit/box_model.h"
#include "deepedge/profiler/probe/measured_model.h"
#include "deepedge/profiler/probe/probe_target.h"
#include "deepedge/profiler/stages/choose_stages.h"

namespace deepedge {

struct ProfileOptions {
  int probes = 6;                              // at most; 0: nothing is measured
  Duration budget = std::chrono::seconds(10);  // for all of them: none is begun that would go over it
  int runs = 10;                               // of each
  int cores = 2;                               // the most that one run is computed on
  std::vector<int> batches{1, 2, 4, 8};
  int64_t most_pixels = 1024 * 1024;  // of sizes other than the model's own
  int64_t most_memory_bytes = 0;      // no form that is predicted to need more is compiled; 0: no limit
  StageRule stages;
  std::function<bool()> stop = [] { return false; };                         // asked before every probe
  std::function<void(const std::string&)> tell = [](const std::string&) {};  // progress
};

struct ProfiledModel {
  Profile profile;                 // without box, hash and generation
  MeasuredModel measured;          // with what was measured before
  std::vector<std::string> notes;  // what could not be measured, and why; what is uncertain
};

// The settings that are worth knowing of a model: every precision at every size, its own size in batches and on several
// cores. Pure.
std::vector<Setting> WantedSettings(const ProbeTarget& target, const std::vector<Precision>& precisions,
                                    const ProfileOptions& options);

// `before`: what is known already; it counts as measured. Errors: as Engine::Analyse, of the model's own form;
// kExhausted where its own form alone needs more memory than allowed, saying how much.
Result<ProfiledModel> ProfileModel(Engine& engine, const BoxModel& box, const ProbeTarget& target,
                                   const ProfileOptions& options, const Clock& clock, MeasuredModel before = {});

// The profile that follows from what is known, without measuring. Pure.
Profile MakeProfile(const BoxModel& box, const MeasuredModel& model, const std::vector<Setting>& settings,
                    const StageRule& stages);

}  // namespace deepedge
