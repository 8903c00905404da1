// LayerModel: how long a layer takes on this box, alone and in steady state. For each class of layers, arithmetic and
// number of cores a physical law, t = flops / P + weights / B_w + activations / B_a + exponentials / E + t0
// (by the cache that they come from: LawTermsOf), whose
// rates are fitted to relative errors (all not negative), and a Gaussian process for what the law leaves over, on the
// logarithm of the time. What was never measured is predicted by the law of the nearest kind, and the variance says so.
//
// Immutable after Fit; any number of threads may ask. Times in microseconds.
#pragma once

#include <array>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "deepedge/base/result.h"
#include "deepedge/profiler/cost/layer_work.h"
#include "deepedge/profiler/gp/gaussian_process.h"

namespace deepedge {

struct LayerSample {
  LayerWork work;
  int cores = 1;
  double us = 0;
};

struct LayerEstimate {
  double us = 0;
  double log_variance = 0;
};

// The law of one kind of layers; rates are per microsecond.
struct LayerLaw {
  LawTerms us_per = LawTerms::Zero();

  double Us(const LayerWork& work) const;
};

class LayerModel {
 public:
  // At most `points` samples of each kind are learned from, chosen so that they spread over the features. Samples
  // shorter than what a clock can tell (0.3 us) are left out.
  static LayerModel Fit(std::span<const LayerSample> samples, int points = 250);

  LayerEstimate Estimate(const LayerWork& work, int cores) const;

  // Null where no layer of the kind was measured.
  const LayerLaw* LawOf(LayerClass kind, Arithmetic arithmetic, int cores) const;

  // The samples it learned from, and what was found out about each kind of them: enough to be made again, in a tenth of
  // the time of Fit. Errors: kBadInput.
  std::string ToJson() const;
  static Result<LayerModel> FromJson(std::string_view text);

  const std::vector<LayerSample>& samples() const { return samples_; }

 private:
  struct Kind {
    LayerLaw law;
    double length = 1;       // scale of the process
    Eigen::VectorXd middle;  // features are scaled by these before they are compared
    Eigen::VectorXd scale;
    double mean = 0;    // of the logarithm that the law leaves over
    double spread = 0;  // its variance
    double noise = 0;
    double least = 0;  // of what the law left over
    double most = 0;
    GaussianProcess rest;
  };
  static Kind FitKind(std::vector<LayerSample>& samples);  // leaves those that were learned from
  // With scale and noise known: nothing is searched for.
  static Kind MakeKind(LayerLaw law, std::span<const LayerSample> samples, double length, double noise);
  const Kind* Find(LayerClass kind, Arithmetic arithmetic, int cores) const;

  static constexpr int kMostCores = 2;  // one, or several
  std::array<std::optional<Kind>, kLayerClasses * kArithmetics * kMostCores> kinds_;
  std::vector<LayerSample> samples_;
};

}  // namespace deepedge
