// Utilisation: what a set of tasks at given rates will take from this box, with error bars, before it runs; and how far
// the meters agree once it does.
//
//   CPU of a task = runs/s * mean time of a run * cores of the setting * slowdown        runs/s = rate / batch
//                 + rate * (scale + post) + decode of its stream
//   mean time     = median * exp(s^2 / 2), s = ln(p99 / median) / 2.326: of a log-normal spread of runs, s <= 0.5
//   decode        = fps * decode, once for a stream however many tasks look at it: that of the dearest
//   traffic       = runs/s * traffic_bytes
//   memory        = of every variant once per lane copy: one for each core that tasks of it are homed on
//
// A task's CPU is spread evenly over the cores that it is homed on, or over all.
//
// Error bars: log_sd of a time becomes value * log_sd, and independent errors add up in squares. Tasks of one model in
// one setting share one error, whatever their number: theirs add up linearly. Demand may exceed what a core has: then
// it does not fit, see ShortBy.
//
// Pure; thread-safe.
#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "deepedge/base/clock.h"
#include "deepedge/base/result.h"
#include "deepedge/plan/profile.h"
#include "deepedge/profiler/meter/meter_report.h"

namespace deepedge {

struct FrameCosts {
  Duration decode{0};  // of each frame of the stream
  Duration scale{0};   // of each frame that the model looks at
  Duration post{0};
  double log_sd = 0;  // of each of the three

  friend bool operator==(const FrameCosts&, const FrameCosts&) = default;
};

struct UtilisationTask {
  std::string model;   // that it runs: with the setting, whose copy and whose error it shares
  std::string stream;  // whose frames it takes: with whom it shares decoding; empty: with nobody
  SettingCost cost;
  double rate = 0;         // frames it looks at in a second
  std::vector<int> cores;  // that it is homed on, numbers below the box's; none: any
  FrameCosts frame;
  double stream_fps = 0;  // 0: nothing to decode
  double slowdown = 1;    // by neighbours (CoLocation): 1 is alone
};

// One standard deviation.
struct Amount {
  double value = 0;
  double sd = 0;

  friend bool operator==(const Amount&, const Amount&) = default;
};

struct Utilisation {
  std::vector<Amount> cores;  // in CPUs: 1 is all of one
  Amount cpu;                 // of all cores together
  Amount memory_bytes;
  Amount traffic_bytes;  // to and from memory in a second, of networks only
};

struct UtilisationOptions {
  int cores = 1;
  int64_t base_memory_bytes = 0;  // of the process without any model
  double traffic_log_sd = 0.2;    // traffic is a model of caches, not a measurement
};

// Errors: kBadInput naming the task: a rate, time or slowdown that is negative or not finite, a batch or number of
// cores under 1, a home that the box does not have.
Result<Utilisation> PredictUtilisation(std::span<const UtilisationTask> tasks, const UtilisationOptions& options);

// What is missing of `capacity` cores for the CPU: 0 where it fits, in cores.
Amount ShortBy(const Utilisation& utilisation, double capacity);

struct ComparedAmount {
  std::string what;  // "CPU of core 0", "CPU", "memory", "memory traffic"
  std::string unit;  // "cores", "MB", "GB/s"
  Amount predicted;
  std::optional<double> metered;
  std::string why_not;  // it is not metered
  // (metered - predicted) / sd of both; 0 where it is not metered.
  double z = 0;
  bool agrees() const { return z >= -1.645 && z <= 1.645; }  // within the 90 % interval
};

struct UtilisationComparison {
  std::vector<ComparedAmount> amounts;
  std::string Text() const;  // a table for people
};

// Meters have errors too: the kernel's ticks for CPUs, 1 % of the memory. Cores are those of the report's `allowed`, in
// their order.
UtilisationComparison CompareUtilisation(const Utilisation& predicted, const MeterReport& metered);

}  // namespace deepedge
