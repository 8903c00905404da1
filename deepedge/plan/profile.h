// Profile: what we believe a model costs on this box, in every setting that it may be run in. Plain data: made by the
// Model Profiler (profiler/), read by the Allocator, which chooses settings, and the Scheduler, which keeps deadlines.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "deepedge/base/clock.h"
#include "deepedge/model/variant.h"

namespace deepedge {

// One way to run a model.
struct Setting {
  VariantKey variant;  // precision, and size of the picture; size 0x0: the model takes no picture, or its own size only
  int batch = 1;       // pictures a run
  int cores = 1;       // that compute one run together

  friend bool operator==(const Setting&, const Setting&) = default;
};

// "fp32@416x416 batch 4 on 2 cores"; what is 1 is left out.
std::string ToString(const Setting& setting);

// How much of a run's time is bound by what: adds up to 1. Decides what a neighbour on another core costs it.
struct Boundness {
  double compute = 1;  // arithmetic
  double cache = 0;    // the core's own cache and the one that cores share
  double memory = 0;

  friend bool operator==(const Boundness&, const Boundness&) = default;
};

// How long something takes, alone on the box.
struct TimeEstimate {
  Duration median{0};
  Duration p99{0};
  // Standard deviation of our knowledge of the logarithm of the median: 0.05 says that it is right to about 5 %. With
  // a probability of 90 % it lies within exp(+-1.645 log_sd) times `median`.
  double log_sd = 0;

  friend bool operator==(const TimeEstimate&, const TimeEstimate&) = default;
};

// Consecutive layers that run without interruption.
struct StageCost {
  int after_op = -1;  // where it is cut off from the next (CutPoint::after_op); -1: the last
  TimeEstimate time;
  Boundness bound;
  int64_t flops = 0;
  int64_t weight_bytes = 0;
  int64_t live_bytes = 0;    // of tensors while it runs, at most
  int64_t border_bytes = 0;  // that go on to the next stage
  std::string layers;        // what it is made of, for the reader: "convolution 12, pointwise 8"

  friend bool operator==(const StageCost&, const StageCost&) = default;
};

struct SettingCost {
  Setting setting;
  TimeEstimate time;  // of one run of the whole batch, its own runs before it
  // Median of a run that comes after runs of others and finds nothing of its own in the caches: what a box sees that
  // serves several models. 0: not known.
  Duration cold{0};
  Boundness bound;
  int probes = 0;            // times that this very setting was measured; 0: predicted only
  int64_t memory_bytes = 0;  // that a copy that is ready to run holds
  double memory_log_sd = 0;
  int64_t traffic_bytes = 0;      // to and from memory in one run, weights that do not stay in the cache among them
  std::vector<StageCost> stages;  // one or more

  friend bool operator==(const SettingCost&, const SettingCost&) = default;
};

struct Profile {
  std::string model;       // as it was named
  std::string sha256;      // of its graph file: a profile is of one file
  std::string box;         // the box it is true for (profiler/box.h)
  int generation = 0;      // counts up when it is made anew
  int64_t created_us = 0;  // since the epoch
  std::vector<SettingCost> costs;

  friend bool operator==(const Profile&, const Profile&) = default;
};

// Null where the profile has no such setting.
const SettingCost* FindCost(const Profile& profile, const Setting& setting);

}  // namespace deepedge
