// CoLocation: what a stage costs beside others. Both cores share a cache and the memory, so that a run takes
//
//   slow_i = 1 + sum_ab mu_ia n_b gamma_ab      a, b in {compute, cache, memory}
//
// times as long as alone, where mu_i is its own boundness (plan/profile.h) and n the neighbours' (NeighbourLoad). Nine
// coefficients, gamma >= 0, of this box and not of a model: what two models teach holds for a third. A law that adds up
// bandwidths does not fit (measured: two readers of weights together get 22 to 32 GB/s, plain streams 31 to 45).
//
// Learned from overlaps that happen anyway, as a Gaussian over gamma, by recursive least squares:
//   - Prior: measured pairs (reference/literature.md, section 5) with the spread that boxes may have.
//   - Of a run that had a neighbour for the share f of its time T only, the share w of its *work* was slowed, T / solo
//     = 1 + w s and f T / solo = w (1 + s), hence w = f / (1 + (1 - f) s); s as predicted, so that noise of the
//     measured time does not enter both sides of the regression.
//   - Forgetting along the observed direction x only, P := P + (1/f - 1) P x x'P / x'P x before the update (Kulhavy &
//     Karny, "Tracking of slowly varying parameters by directional forgetting", IFAC World Congress 1984): hours of
//     convolutions beside convolutions do not make it forget what memory costs. What is known of a pair settles at that
//     of 1 / (1 - f) = 500 overlaps. Never below what the prior knew, and less by overlaps that say little.
//   - A surprise of more than three standard deviations counts as three, and no coefficient moves more than 0.1 at
//     once: a run that was stopped for a second does not teach that neighbours cost 10 times.
//   - The Gaussian itself may dip below zero; gamma() is its projection on gamma >= 0, in the Gaussian's own metric.
//
// What can be told apart: only what is seen. Stages are mixtures, so pairs of k kinds of stages whose boundness is
// linearly independent teach at most k * k combinations (two kinds: four, three: all nine), and predictions for the
// same mixtures are right long before each coefficient is. In the direction of a pair the standard deviation falls as
// noise / sqrt(overlaps): 5 % noise, 100 overlaps: 0.5 % of the run. Nine coefficients from random pairs with 5 %
// noise: within 2 % of a run's time after about 500 overlaps, which are some seconds of a busy box; a pair never seen
// keeps the prior, and says so by its standard deviation.
//
// Pure: no clock, no lock; thread-compatible. An update takes 0.16 us, a prediction 0.06 us (measured, 2-core Zen VM).
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>

#include "deepedge/base/result.h"
#include "deepedge/plan/profile.h"
#include "deepedge/profiler/interference/stage_run.h"

namespace deepedge {

struct CoLocationOptions {
  double forgetting =
      0.998;              // what remains of the knowledge in a direction after one more overlap, of 5 % noise, in it
  double clip_sds = 3;    // a larger surprise counts as this one
  double max_step = 0.1;  // of a coefficient in one update
};

// How much longer than alone.
struct Slowdown {
  double factor = 1;  // never under 1
  double sd = 0;      // standard deviation of our knowledge of it
};

struct OverlapSeen {
  Boundness own;
  NeighbourLoad neighbours;
  double slowdown = 1;  // actual / what it takes alone
  double noise = 0.05;  // standard deviation of `slowdown`, what is not known of the time alone included
};

class CoLocation {
 public:
  static constexpr int kClasses = 3;
  static constexpr int kCoefficients = kClasses * kClasses;  // row: own class, column: the neighbour's
  using Vector = std::array<double, kCoefficients>;
  using Matrix = std::array<double, kCoefficients * kCoefficients>;  // symmetric

  // The prior.
  explicit CoLocation(CoLocationOptions options = {});

  // Values that are not finite, of no time or without a neighbour are left out.
  void Learn(const OverlapSeen& seen);

  // Before the run: `neighbours` in shares of its work, what a plan knows of busy cores.
  Slowdown Predict(const Boundness& own, const NeighbourLoad& neighbours) const;
  // After it, the factor alone: in shares of the time it took, as NeighboursOf tells.
  double Explain(const Boundness& own, const NeighbourLoad& neighbours) const;

  const Vector& gamma() const { return gamma_; }
  double gamma_sd(int own, int neighbour) const;
  int64_t overlaps() const { return overlaps_; }  // that it learned from

  // For the store. Errors: kBadInput where the text is not what ToJson wrote.
  std::string ToJson() const;
  static Result<CoLocation> FromJson(std::string_view text, CoLocationOptions options = {});

 private:
  Vector FeaturesOfWork(const Boundness& own, const NeighbourLoad& neighbours) const;
  double Inflation(const Vector& x, double variance_of_x, double noise) const;
  void Project();

  CoLocationOptions options_;
  Vector mean_;
  Matrix covariance_;
  Vector gamma_;  // mean_ projected
  int64_t overlaps_ = 0;
};

}  // namespace deepedge
