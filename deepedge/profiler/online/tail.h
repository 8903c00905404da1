// Tail: how the 99th percentile of a stage's time stands to its median. A deadline is kept by what rarely happens, and
// what rarely happens takes many runs to see: under some hundred runs of a stage itself, those of the whole box speak.
//
// TailHistogram counts logarithms of actual / predicted in bins of 2.5 %. The box has one of all stages' runs, each
// around its stage's own level. The tail of a stage is read from the mixture
//
//   F = (n F_stage + m F_box) / (n + m)      n runs of the stage, m = 200
//
// with both centred on their medians: the mean of a Dirichlet process with base F_box and concentration m (Ferguson,
// "A Bayesian analysis of some nonparametric problems", Annals of Statistics 1, 1973). With n = 0 it is the box's, with
// n >> m the stage's own. Before the box has seen anything, its histogram is that of a logistic distribution whose 99th
// percentile is 1.25 times the median, as if of 100 runs.
//
// Old runs fade: all counts are halved each time they reach 4096. Pure; thread-compatible.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace deepedge {

class TailHistogram {
 public:
  static constexpr double kBinWidth = 0.025;
  static constexpr int kBins = 160;  // from 0.37 to 20 times; beyond: the outermost bin
  static constexpr double kLowest = -1.0;

  // As if of 100 runs of the logistic distribution above.
  static TailHistogram Prior();

  // What is not finite is left out.
  void Add(double log_ratio);

  double weight() const { return weight_; }  // runs that are remembered
  // Within half a bin; 0 when empty.
  double Quantile(double q) const;
  // Share of the runs under `log_ratio`, linear within a bin.
  double ShareBelow(double log_ratio) const;

  const std::array<float, kBins>& bins() const { return bins_; }
  // As many counts as there are bins, none negative, not too large; false, and nothing done, where they are not.
  bool Restore(const std::vector<float>& bins);

 private:
  void Halve();

  std::array<float, kBins> bins_{};
  double weight_ = 0;
};

// Share `q` of the stage's runs take less than this many times the median. q over 0.5; at least 1.
double TailRatio(const TailHistogram& stage, const TailHistogram& box, double q = 0.99);

}  // namespace deepedge
