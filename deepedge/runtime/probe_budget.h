// ProbeBudget: whether a box that serves may spend time on measuring now. A pure rule, told of what was spent:
//
//   - nothing while its lanes have been busier than 85 % in the last second, or packets wait to be decoded;
//   - after a step that took c, nothing for c / (1 % of the cores): on average never more than the 1 %;
//   - in no minute more than 1 % of the box's CPU, what the next step is expected to take included. A step that takes
//     more than that by itself (compiling a large network) cannot be split: it must have a minute in which less than a
//     hundredth of that was spent.
//
// BusyMeter: what share of their time the lanes were busy lately, from their running totals. Both thread-compatible.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>

#include "deepedge/base/clock.h"

namespace deepedge {

// How much the box has to do.
struct LaneLoad {
  Duration busy{0};  // of all lanes, since Start
  size_t lanes = 0;
  bool decode_waits = false;  // a stream's packets have begun to wait
};

struct BoxUse {
  std::optional<double> busy;  // mean share of the lanes in the last second; nothing: not known yet
  bool decode_waits = false;
};

enum class ProbeVerdict { kGo, kBoxBusy, kDecodeWaits, kPause, kSpent };
std::string_view ToString(ProbeVerdict verdict);

class ProbeBudget {
 public:
  struct Options {
    double share = 0.01;  // of the box's CPU
    double busiest = 0.85;
  };
  static constexpr Duration kWindow = std::chrono::minutes(1);

  ProbeBudget(int cores, Options options) : options_(options), cores_(cores) {}
  explicit ProbeBudget(int cores) : ProbeBudget(cores, Options()) {}

  // Whether a step that will take about `expected` of one core may begin.
  ProbeVerdict Ask(Time now, const BoxUse& use, Duration expected) const;
  // A step has ended that took so much of one core.
  void Spend(Time now, Duration took);

  Duration SpentInWindow(Time now) const;
  Duration spent() const { return all_; }
  Time pause_until() const { return pause_until_; }
  Duration allowance() const;  // of a minute

 private:
  // A second, with what was spent in it; a few more than a minute has, so that a step counts a little too long.
  struct Second {
    int64_t number = INT64_MIN;
    Duration spent{0};
  };
  static constexpr size_t kSeconds = 64;

  Options options_;
  int cores_;
  Time pause_until_{INT64_MIN};
  std::array<Second, kSeconds> seconds_{};
  Duration all_{0};
};

class BusyMeter {
 public:
  // `busy`: of all lanes together, since whenever; ascending.
  void Add(Time now, Duration busy, size_t lanes);
  // Over the last second, or longer where nobody looked for longer; nothing before there has been one.
  std::optional<double> Busy() const { return busy_; }

 private:
  struct Sample {
    Time at;
    Duration busy{0};
  };
  static constexpr size_t kSamples = 32;
  std::array<Sample, kSamples> samples_{};
  size_t count_ = 0;
  std::optional<double> busy_;
};

}  // namespace deepedge
