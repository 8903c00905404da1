// Observer: what the Model Profiler learns while the box serves. Every run of a stage is compared with what was
// predicted for it, and what is left over is shared out:
//
//   log(actual / solo) = log slow(neighbours) + log kappa + level(stage) + noise
//
//   slow    CoLocation: what neighbours cost on this box
//   kappa   BoxFactor: how much slower all stages are at once; shrinks capacity, shifts nothing
//   level   StageWatch: how wrong the stage's own profile is; over 10 % for 50 runs asks for a new probe
//   noise   TailHistogram: how the 99th percentile stands to the median
//
// kappa is taken from runs without a neighbour where three stages or more have had such lately, so that what neighbours
// cost is not mistaken for foreign load; else from all runs. Neighbours learn from runs with one, freed of kappa (as
// seen without neighbours, or by meters) and of the stage's level without neighbours; until the latter is known from 8
// runs, the profile's own uncertainty b counts as noise that all runs of a stage share: the k-th run has variance (v +
// k b^2)(v + (k-1) b^2) / v, v of a single one, so that all together never say more than 1 / b^2.
//
// Predictions given to it are the profile's as made. What Correct returns is for plans and deadlines; fed back as a
// prediction it would hide the drift.
//
// Bounded: `most_stages`, of which the one that has not run for longest makes room. Thread-compatible: keep it in one
// thread, or guard it. An observation takes 0.6 to 0.9 us with 8 to 512 stages (measured, 2-core Zen VM).
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "deepedge/base/clock.h"
#include "deepedge/base/result.h"
#include "deepedge/plan/profile.h"
#include "deepedge/profiler/interference/co_location.h"
#include "deepedge/profiler/interference/stage_run.h"
#include "deepedge/profiler/online/box_factor.h"
#include "deepedge/profiler/online/stage_watch.h"
#include "deepedge/profiler/online/tail.h"

namespace deepedge {

struct ObserverOptions {
  size_t most_stages = 512;
  StageWatchOptions watch = {};
  CoLocationOptions neighbours = {};
};

// A stage that should be probed again.
struct StageQuestion {
  StageKey key;
  int generation = 0;
  double ratio = 1;       // actual / predicted
  int runs = 0;           // that it has been so
  bool box_known = true;  // false: it may also be a load that nobody sees
  std::string reason;  // "yolox int8@416x416 stage 1: 14 % slower than predicted for 50 runs"; stages count from 1 here
};

// Predicted and actual, for reports.
struct StageReport {
  StageKey key;
  int generation = 0;
  int64_t runs = 0;
  double solo_us = 0;       // predicted, alone
  double predicted_us = 0;  // with neighbours and the box's factor; running mean
  double actual_us = 0;     // running mean
  double ratio = 1;         // the stage's own level: actual / predicted
  double spread = 0;        // standard deviation of one run, of the logarithm
  double p99_ratio = 1;     // of the 99th percentile to the median
  bool is_drifting = false;
};

class Observer {
 public:
  explicit Observer(ObserverOptions options = {});

  // A run has ended; `neighbours` in shares of its time (NeighboursOf). A run of another generation than the stage's
  // last one begins anew: that answers the question.
  void Observe(const StageRun& run, const NeighbourLoad& neighbours);
  // Foreign load as the meters see it, 1 or more, about once a second; nothing where they see nothing.
  void SetMeters(std::optional<double> kappa, Time now);

  // Questions that are due, each once, and again after a growing pause while nobody answers.
  std::vector<StageQuestion> Questions(Time now);

  // The cost with learned levels. Of each stage that has run, with level m known to s = level_sd, and a profile known
  // to log_sd: its median times exp(k m), k = q / (q + s^2), q = max(log_sd^2, m^2 - s^2); log_sd becomes sqrt(k) s,
  // p99 the learned tail. Where the box's factor is unknown the median stays and log_sd grows by m. Load widens: (half
  // of log kappa)^2 and the variance of kappa are added. The whole is the sum of its stages, log_sd as if they erred
  // together, p99 as if they were slow together: the safe side.
  SettingCost Correct(const std::string& model, int generation, SettingCost cost) const;

  const CoLocation& neighbours() const { return neighbours_; }
  const BoxState& box() const { return box_; }
  std::vector<StageReport> Report() const;  // the longest-running first
  size_t stages() const { return slots_.size(); }
  int64_t observed() const { return observed_; }
  int64_t left_out() const { return left_out_; }  // runs that took no time or had no prediction
  int64_t evicted() const { return evicted_; }    // stages

  // For the store: neighbours, tails, levels; not the box's factor, which is of the moment. Errors: kBadInput where the
  // text is not what ToJson wrote, naming the part.
  std::string ToJson() const;
  static Result<Observer> FromJson(std::string_view text, ObserverOptions options = {});

 private:
  // What a stage costs without neighbours.
  struct Alone {
    double level = 0;
    int runs = 0;
  };
  struct Stage {
    StageKey key;
    size_t model_hash = 0;
    int generation = 0;
    Time seen{INT64_MIN};
    StageWatch watch;
    TailHistogram tail;
    Alone alone;
    int overlaps = 0;  // that neighbours were learned from
    double solo_us = 0;
    double predicted_us = 0;
    double actual_us = 0;
  };

  size_t SlotOf(const StageRun& run);
  size_t MakeRoom();
  void UpdateBox(Time now);
  void LearnAlone(Stage& stage, double residual) const;
  void LearnNeighbours(Stage& stage, const StageRun& run, const NeighbourLoad& neighbours, double expected);
  const Stage* Find(const StageKey& key, int generation) const;
  void CorrectStage(const Stage* stage, StageCost& cost) const;
  double BoxVariance() const;

  ObserverOptions options_;
  CoLocation neighbours_;
  BoxFactor box_all_;
  BoxFactor box_alone_;
  BoxState box_;  // of the two, the one in use; its round counts on
  bool box_is_of_alone_ = false;
  int64_t round_all_ = 0;
  int64_t round_alone_ = 0;
  TailHistogram box_tail_ = TailHistogram::Prior();
  std::vector<Stage> stages_;
  std::unordered_map<StageKey, size_t, StageKeyHash> slots_;
  int64_t observed_ = 0;
  int64_t left_out_ = 0;
  int64_t evicted_ = 0;
};

}  // namespace deepedge
