// LinearLaw: a cost that is a sum of amounts of work times what each unit of it takes, fitted to measurements, and how
// far it is to be believed.
//
// Fitted by least squares of relative errors with coefficients that are not negative: no work makes anything faster.
// The error bar is what the law missed measurements by that were left out of the fit, one after the other; it grows
// outside of what was measured.
#pragma once

#include <span>
#include <vector>

namespace deepedge {

// A cost as it is believed to be. `log_sd` is the standard deviation of the logarithm: 0.1 says right to about 10 %.
struct CostEstimate {
  double us = 0;
  double log_sd = 0;

  friend bool operator==(const CostEstimate&, const CostEstimate&) = default;
};

// One measurement: how much work of each kind, and how long it took.
struct LawRow {
  std::vector<double> terms;
  double us = 0;
};

struct LinearLaw {
  std::vector<double> us_per;  // microseconds per unit of each term
  std::vector<double> least;   // of each term among what was measured
  std::vector<double> most;
  double log_sd = 1;
  int samples = 0;

  // `terms` has as many entries as `us_per`. Never below zero.
  double Us(std::span<const double> terms) const;
  CostEstimate Estimate(std::span<const double> terms) const;

  friend bool operator==(const LinearLaw&, const LinearLaw&) = default;
};

// Rows have the same number of terms, at least one; rows that are not positive and finite are left out. The error bar
// is at least `least_log_sd`. No row left: a law of zeros with no samples. Pure.
LinearLaw FitLinearLaw(std::span<const LawRow> rows, double least_log_sd);

}  // namespace deepedge
