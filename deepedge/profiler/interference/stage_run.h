// What is known of one run of one stage once it has ended: plain data, from the lanes to the Model Profiler.
#pragma once

#include <functional>
#include <string>

#include "deepedge/base/clock.h"
#include "deepedge/plan/profile.h"

namespace deepedge {

// A stage of a model in one of its settings.
struct StageKey {
  std::string model;
  Setting setting;
  int stage = 0;  // index in SettingCost::stages

  friend bool operator==(const StageKey&, const StageKey&) = default;
};

struct StageKeyHash {
  size_t operator()(const StageKey& key) const {
    const VariantKey& variant = key.setting.variant;
    size_t hash = std::hash<std::string>()(key.model);
    for (const int part : {static_cast<int>(variant.precision), variant.width, variant.height, key.setting.batch,
                           key.setting.cores, key.stage}) {
      hash = (hash ^ static_cast<size_t>(part)) * 0x9e3779b97f4a7c15;
      hash ^= hash >> 29;
    }
    return hash;
  }
};

struct StageRun {
  StageKey key;
  int generation = 0;  // of the profile that predicted
  int lane = 0;
  Time start;
  Time end;
  double solo_us = 0;      // StageCost::time.median of the profile as it was made: never a corrected one
  double solo_log_sd = 0;  // StageCost::time.log_sd
  Boundness bound;         // StageCost::bound
};

// What ran on the other lanes meanwhile: the sum over them of boundness times the share of the run's time. One
// neighbour bound by memory for half of the time: memory 0.5, share 0.5. With more than two lanes the three may add up
// to more than one.
struct NeighbourLoad {
  double compute = 0;
  double cache = 0;
  double memory = 0;
  double share = 0;  // of the run's time with at least one neighbour, 0 to 1

  friend bool operator==(const NeighbourLoad&, const NeighbourLoad&) = default;
};

// Adds a neighbour that is there for `share` of the time; `load.share` becomes the larger one, as for neighbours that
// come and go together.
void AddNeighbour(NeighbourLoad& load, const Boundness& bound, double share = 1);

}  // namespace deepedge
