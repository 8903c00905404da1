// Pairs of models on two cores at once: how much slower each is than alone, and what is predicted of it. The law's
// coefficients are learned from half of the pairs, as a running box learns them from overlaps, and scored on the
// others.
#pragma once

#include <functional>
#include <string>
#include <vector>

#include "deepedge/base/clock.h"
#include "deepedge/engine/engine.h"
#include "deepedge/profiler/fit/box_model.h"
#include "deepedge/profiler/probe/probe.h"

namespace deepedge {

struct PairOptions {
  int pairs = 24;        // of different models, drawn at random, always the same
  int rounds = 3;        // alone, then together, in turns
  double seconds = 0.4;  // of each
  std::function<void(const std::string&)> tell = [](const std::string&) {};
};

// One model of a pair.
struct PairSide {
  std::string model;
  std::string beside;
  double alone_us = 0;  // median of a run
  double together_us = 0;
  Boundness own;
  Boundness neighbour;
  bool learned = false;  // its pair taught the coefficients
  double predicted = 1;  // slowdown, after learning from the other half
  double prior = 1;      // before

  double slowdown() const { return alone_us > 0 ? together_us / alone_us : 1; }
};

// fp32 at the model's own size, on the first two CPUs. Errors: kUnsupported with fewer than two.
Result<std::vector<PairSide>> MeasurePairs(Engine& engine, const BoxModel& box, const std::vector<ProbeTarget>& targets,
                                           const PairOptions& options, const Clock& clock);

// Error of predicted times of the pairs that were not learned from, beside ignoring neighbours.
std::string PairsText(const std::vector<PairSide>& sides);

}  // namespace deepedge
