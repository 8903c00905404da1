// The same network in several formats or forms: what each costs to read, to compile and to run, in turn, so that what
// else happens on the box falls on all of them alike.
#pragma once

#include <string>
#include <vector>

#include "deepedge/base/clock.h"
#include "deepedge/engine/engine.h"

namespace deepedge {

struct ModelCost {
  std::string model;
  double read_ms = 0;     // file to graph
  double compile_ms = 0;  // file to warm network
  double run_ms = 0;      // one inference in the calling thread, CPU time
};

struct ModelsBenchOptions {
  std::vector<std::string> models;  // files or folders; inputs of fixed size
  int runs = 100;                   // of each
  int loads = 7;                    // of each
};

// Medians. Errors: those of finding and compiling a model; kUnsupported for inputs of open size.
Result<std::vector<ModelCost>> MeasureModels(Engine& engine, const ModelsBenchOptions& options, const Clock& clock);

}  // namespace deepedge
