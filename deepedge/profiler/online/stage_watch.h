// StageWatch: how one stage keeps to what its profile predicts. It is given, run by run,
//
//   r = log(actual / predicted)      neighbours and the box's factor (kappa) taken out of it already
//
// and keeps a running mean m (weight 1/n at first, 0.05 later), with a surprise of more than three spreads counted as
// three, the spread itself (1.25 times the running mean of |r - m|, the ratio of a normal distribution) and a count.
//
//          |m| > 10 % for 50 runs running,
//          and the box's factor has been    +--------+
//   calm --measured twice meanwhile-------->| asking |---|m| < 5 %---> calm
//                                           +--------+
//                                            asks now, then after 60 s, 120 s, .. 1 h, until there is a new profile
//
// 10 % means log 1.1 either way. How often it has asked outlives the new profile, until it has been calm for 1000 runs:
// a probe that does not help is not repeated every minute. Pure; thread-compatible.
#pragma once

#include <cstdint>

#include "deepedge/base/clock.h"
#include "deepedge/profiler/online/box_factor.h"

namespace deepedge {

struct StageWatchOptions {
  double weight = 0.05;
  double drift = 0.10;
  double calm = 0.05;
  int runs = 50;   // that drift must last
  int rounds = 2;  // of the box's factor meanwhile
  int calm_runs = 1000;
  Duration first_pause = std::chrono::seconds(60);
  Duration longest_pause = std::chrono::hours(1);
};

class StageWatch {
 public:
  // What outlives the process.
  struct State {
    double level = 0;
    double spread = 0.1;
    int64_t runs = 0;
    int asked = 0;
  };

  StageWatch() = default;
  explicit StageWatch(const State& state) : state_(state) {}

  // `box`: what `log_ratio` was freed of; where it comes from and its round.
  void Add(double log_ratio, const BoxState& box, const StageWatchOptions& options);

  // There is a new profile: what was learned about the old one goes.
  void HandleNewProfile();

  bool is_drifting() const { return drifting_; }
  // Whether the question is due; then it counts as asked.
  bool Ask(Time now, const StageWatchOptions& options);

  const State& state() const { return state_; }
  double level() const { return state_.level; }
  double spread() const { return state_.spread; }
  int64_t runs() const { return state_.runs; }
  // Standard error of `level`: of the running mean of runs that are alike.
  double level_sd(const StageWatchOptions& options) const;
  int drift_runs() const { return drift_runs_; }  // that drift has lasted

 private:
  void JudgeDrift(const BoxState& box, const StageWatchOptions& options);

  State state_;
  bool drifting_ = false;
  int drift_runs_ = 0;
  int calm_runs_ = 0;
  bool drift_is_up_ = false;
  BoxSource source_at_start_ = BoxSource::kUnknown;
  int64_t round_at_start_ = 0;
  Time next_question_{INT64_MIN};
};

}  // namespace deepedge
