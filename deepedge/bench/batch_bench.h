// What a crop costs when a frame's crops go through a model together, against one alone, in turn, so that what else
// happens on the box falls on both alike.
#pragma once

#include <string>
#include <vector>

#include "deepedge/base/clock.h"
#include "deepedge/engine/engine.h"

namespace deepedge {

struct BatchBenchOptions {
  std::vector<std::string> models;  // files or folders
  int crops = 8;                    // of a frame
  int runs = 30;                    // of each kind
  bool always = false;              // also where a batch is not thought to pay
};

// Milliseconds for a crop: scaling, inference and decoding; CPU time, or for the inference the time it took where the
// engine computes in threads of its own. Medians.
struct BatchCost {
  std::string model;
  int64_t weight_bytes = 0;
  int max_batch = 1;         // what the model can, up to `crops`
  double fixed_ms = 0;       // one crop, by the model compiled for one
  double alone_ms = 0;       // one crop, by the model compiled for batches
  double in_turn_ms = 0;     // `crops` crops one after the other, by the model compiled for one
  double together_ms = 0;    // `crops` crops together
  double ratio = 0;          // of together_ms to fixed_ms, the median of the pairs
  double in_turn_ratio = 0;  // of in_turn_ms to fixed_ms: what a warm cache alone saves
  double alone_ratio = 0;    // of alone_ms to fixed_ms: what it costs a single crop that the batch is open
};

// Errors: those of loading and running a model.
Result<std::vector<BatchCost>> MeasureBatches(Engine& engine, const BatchBenchOptions& options, const Clock& clock);

}  // namespace deepedge
