// BoxFactor: how much slower the whole box is than it was when profiles were made: other programs, a hypervisor that
// takes time away, a CPU that got hot.
//
//   kappa = median over stages of (median of the stage's last 9 ratios of actual to predicted)
//
// A program beside us slows every stage, a stage whose profile is wrong is one among many: the median tells them apart.
// Profiles are wrong by models rather than by stages, so every model has the same weight in the median, shared by its
// stages: one that was cut into eight does not outvote three others. Between two halves of the same weight the value
// nearer to 1 is taken. kappa shrinks capacity (C = cores * 1000 ms/s / kappa) and is
// taken out before a single stage is judged; it never shifts a profile. From three stages on that ran within the last
// ten seconds it is measured; with fewer, the meters' guess (pressure, steal time) stands in, and without one it is
// named as unknown.
//
// Its `round` tells when it can be trusted to know the present: it goes up once more than half of that weight (three
// stages at least) have run nine times since it last did. A stage that runs 100 times a second must not be judged by a
// kappa of stages that run once a second before those have seen what it saw.
//
// Rounds of the meters are their readings; where nothing is known, half minutes: a load that nobody can see may pass.
//
// The median is taken anew after as many runs as a quarter of the stages, so that a run costs the same however many
// there are. Pure; thread-compatible.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string_view>
#include <vector>

#include "deepedge/base/clock.h"

namespace deepedge {

enum class BoxSource {
  kUnknown,  // fewer than three stages, and no meters
  kMeters,
  kStages,
};

std::string_view ToString(BoxSource source);

struct BoxState {
  double kappa = 1;
  double log_kappa = 0;
  BoxSource source = BoxSource::kUnknown;
  int stages = 0;     // that ran lately
  double log_sd = 0;  // standard error of log kappa, from how far stages lie apart
  int64_t round = 0;  // see above; goes on where the source does

  friend bool operator==(const BoxState&, const BoxState&) = default;
};

class BoxFactor {
 public:
  static constexpr int kLeastStages = 3;
  static constexpr int kRecent = 9;  // runs of a stage that count
  static constexpr size_t kModels = 256;
  static constexpr int kLeastRuns = 5;  // before a stage counts
  static constexpr Duration kLately = std::chrono::seconds(10);
  static constexpr Duration kBlindRound = std::chrono::seconds(30);

  // A run of the stage that the caller calls `slot`, a small number, of a model that it calls `model`, any number, of
  // which kModels are told apart. log(actual / predicted); not finite: left out.
  void Add(size_t slot, size_t model, double log_ratio, Time now);
  // The slot is another stage's from now on, or the stage has a new profile.
  void Forget(size_t slot);
  // What the meters say: foreign load as a factor of 1 or more; nothing: they say nothing. Stages that have not run for
  // long cease to count now.
  void SetMeters(std::optional<double> kappa, Time now);

  const BoxState& state() const { return state_; }
  // Whether stages told it, and lately.
  bool IsMeasured(Time now) const { return state_.source == BoxSource::kStages && now - last_run_ <= kLately; }

 private:
  struct Stage {
    std::array<float, kRecent> ring{};
    int filled = 0;
    int next = 0;
    int runs_in_round = 0;
    float median = 0;
    uint16_t model = 0;
    Time seen;
  };
  struct Vote {
    double value = 0;
    double weight = 0;
  };

  void Update(Time now);
  bool IsLive(const Stage& stage, Time now) const;
  void UpdateRound(Time now);
  static double Median(std::vector<Vote>& votes);
  BoxState WithoutStages(int live) const;

  std::vector<Stage> stages_;
  std::vector<Vote> votes_;  // of stages that ran lately
  std::array<int, kModels> stages_of_{};
  std::optional<double> meters_;
  int64_t meter_readings_ = 0;
  int64_t round_ = 0;
  int64_t blind_round_ = 0;
  int until_update_ = 0;
  Time last_run_;
  BoxState state_;
};

}  // namespace deepedge
