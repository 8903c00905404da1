// What it costs to cut a network into stages by the rule (profiler/stages/choose_stages.h), against the same network
// whole, in turn, so that what else happens on the box falls on both alike.
#pragma once

#include <string>
#include <vector>

#include "deepedge/base/clock.h"
#include "deepedge/engine/engine.h"
#include "deepedge/profiler/stages/choose_stages.h"

namespace deepedge {

struct StagesBenchOptions {
  std::vector<std::string> models;  // files or folders
  int runs = 40;                    // of each kind
  StageRule rule;
};

// CPU time of the thread that computes; medians.
struct StagesCost {
  std::string model;
  double whole_ms = 0;
  double cut_ms = 0;  // all stages
  double cost = 0;    // of the cuts, as a share of the whole: the median over pairs of runs
  double predicted_cost = 0;
  std::vector<double> stage_ms;
  int64_t border_bytes = 0;  // that cross, of all cuts together
  bool tail = false;         // the last stage is the fully connected tail
  StageBound bound = StageBound::kShortEnough;
  std::string reason;  // that the longest stage is no shorter
};

// What a layer takes is measured in the same process. Open dimensions are one picture of the size that the file names.
// Errors: those of finding, analysing, compiling and running a model; kUnsupported for inputs that stay open.
Result<std::vector<StagesCost>> MeasureStages(Engine& engine, const StagesBenchOptions& options);

}  // namespace deepedge
