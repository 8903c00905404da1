#include "deepedge/profiler/cost/layer_model.h"

#include <algorithm>
#include <cmath>
#include <map>
#include <random>

#include "deepedge/profiler/gp/nnls.h"

namespace deepedge {
namespace {

constexpr double kLeastUs = 0.3;

size_t IndexOf(LayerClass kind, Arithmetic arithmetic, int cores) {
  const size_t wide = cores > 1 ? 1 : 0;
  return (static_cast<size_t>(kind) * kArithmetics + static_cast<size_t>(arithmetic)) * 2 + wide;
}

// A law without any measurement: 8 GB/s, 20 GFLOP/s and half a microsecond, which no box of today falls short of by
// far.
LayerLaw UnknownLaw() {
  LayerLaw law;
  law.us_per << 1 / 20e3, 1 / 8e3, 1 / 8e3, 1 / 8e3, 1 / 8e3, 1 / 8e3, 1e-3, 0.5, 0.5;
  return law;
}

// What rates are taken for where samples do not tell: those of a box with vector units and some cache. Each weighs as
// much as a few samples.
LawTerms UsualRates(Arithmetic arithmetic) {
  const double faster = arithmetic == Arithmetic::kFp32 ? 1 : (arithmetic == Arithmetic::kBf16 ? 2 : 3);
  LawTerms rates;
  rates << 1 / (50e3 * faster), 1 / 40e3, 1 / 25e3, 1 / 10e3, 1 / 40e3, 1 / 20e3, 1e-3, 0.7, 0.7;
  return rates;
}

LayerLaw FitLaw(std::span<const LayerSample> samples) {
  const LawTerms usual = UsualRates(samples.front().work.arithmetic);
  const auto n = static_cast<Eigen::Index>(samples.size());
  // The unknowns are multiples of the usual rates, so that all columns are of one size.
  Eigen::MatrixXd terms(n + usual.size(), usual.size());
  for (Eigen::Index i = 0; i < n; ++i) {
    // Relative errors count: each row is divided by what it should give.
    const LayerSample& sample = samples[static_cast<size_t>(i)];
    terms.row(i) = LawTermsOf(sample.work).cwiseProduct(usual).transpose() / sample.us;
  }
  constexpr double kWeight = 0.5;
  terms.bottomRows(usual.size()) = kWeight * Eigen::MatrixXd::Identity(usual.size(), usual.size());
  Eigen::VectorXd wanted = Eigen::VectorXd::Ones(n + usual.size());
  wanted.tail(usual.size()).setConstant(kWeight);
  const Eigen::VectorXd x = NonNegativeLeastSquares(terms, wanted);
  return {.us_per = x.cwiseProduct(usual)};
}

Kernel KernelOf(double spread, double length) {
  const double inverse = std::sqrt(4.0 / kWorkFeatures) / length;
  return {{spread, Eigen::VectorXd::Constant(kWorkFeatures, inverse)}};
}

// Kernels that are named after another layer, or runs that were interrupted: what lies far from the law on the side
// that no kernel reaches, or very far on the other, is not learned from. Fitted again without it.
LayerLaw FitRobustLaw(std::vector<LayerSample>& samples) {
  const LayerLaw law = FitLaw(samples);
  std::vector<double> rest;
  for (const LayerSample& sample : samples) rest.push_back(std::log(sample.us / law.Us(sample.work)));
  std::vector<double> sorted = rest;
  const auto middle = sorted.begin() + static_cast<std::ptrdiff_t>(sorted.size() / 2);
  std::nth_element(sorted.begin(), middle, sorted.end());
  const double median = *middle;
  for (double& value : sorted) value = std::abs(value - median);
  std::nth_element(sorted.begin(), middle, sorted.end());
  const double limit = std::max(5 * *middle, 0.9);
  std::vector<LayerSample> kept;
  for (size_t i = 0; i < samples.size(); ++i) {
    if (rest[i] > median - limit && rest[i] < median + 2 * limit) kept.push_back(samples[i]);
  }
  samples = std::move(kept);
  return FitLaw(samples);
}

}  // namespace

double LayerLaw::Us(const LayerWork& work) const { return std::max(us_per.dot(LawTermsOf(work)), kLeastUs); }

LayerModel::Kind LayerModel::MakeKind(LayerLaw law, std::span<const LayerSample> samples, double length, double noise) {
  Kind kind{.law = std::move(law), .length = length, .noise = noise};
  const auto n = static_cast<Eigen::Index>(samples.size());
  Eigen::MatrixXd features(n, kWorkFeatures);
  Eigen::VectorXd rest(n);
  for (Eigen::Index i = 0; i < n; ++i) {
    const LayerSample& sample = samples[static_cast<size_t>(i)];
    features.row(i) = FeaturesOf(sample.work);
    rest(i) = std::log(sample.us) - std::log(kind.law.Us(sample.work));
  }
  kind.middle = features.colwise().mean();
  constexpr double kLeastScale = 0.3;  // features that hardly differ are not blown up
  kind.scale = ((features.rowwise() - kind.middle.transpose()).array().square().colwise().mean().sqrt())
                   .transpose()
                   .max(kLeastScale);
  features = (features.rowwise() - kind.middle.transpose()) * kind.scale.cwiseInverse().asDiagonal();
  kind.mean = rest.mean();
  rest.array() -= kind.mean;
  kind.spread = rest.squaredNorm() / static_cast<double>(n) + 1e-4;
  kind.least = rest.minCoeff();
  kind.most = rest.maxCoeff();
  kind.rest = GaussianProcess::Fit(KernelOf(kind.spread, length), features, rest, Eigen::VectorXd::Constant(n, noise));
  return kind;
}

LayerModel::Kind LayerModel::FitKind(std::vector<LayerSample>& samples) {
  const LayerLaw law = FitRobustLaw(samples);
  std::optional<Kind> best;
  for (const double length : {0.75, 1.5, 3.0, 6.0}) {
    for (const double noise : {0.003, 0.01, 0.03, 0.1}) {
      Kind kind = MakeKind(law, samples, length, noise);
      if (!best || kind.rest.LogLikelihood() > best->rest.LogLikelihood()) best = std::move(kind);
    }
  }
  return std::move(*best);
}

LayerModel LayerModel::Fit(std::span<const LayerSample> samples, int points) {
  std::map<size_t, std::vector<LayerSample>> kinds;
  for (const LayerSample& sample : samples) {
    if (sample.us >= kLeastUs && std::isfinite(sample.us)) {
      kinds[IndexOf(sample.work.kind, sample.work.arithmetic, sample.cores)].push_back(sample);
    }
  }
  LayerModel model;
  for (auto& [index, all] : kinds) {
    if (all.size() > static_cast<size_t>(points)) {
      std::mt19937 random(7);
      for (size_t i = 0; i < static_cast<size_t>(points); ++i) {
        std::swap(all[i], all[i + random() % (all.size() - i)]);
      }
      all.resize(static_cast<size_t>(points));
    }
    model.kinds_[index] = FitKind(all);
    model.samples_.insert(model.samples_.end(), all.begin(), all.end());
  }
  return model;
}

const LayerModel::Kind* LayerModel::Find(LayerClass kind, Arithmetic arithmetic, int cores) const {
  const auto& found = kinds_[IndexOf(kind, arithmetic, cores)];
  return found ? &*found : nullptr;
}

const LayerLaw* LayerModel::LawOf(LayerClass kind, Arithmetic arithmetic, int cores) const {
  const Kind* const found = Find(kind, arithmetic, cores);
  return found == nullptr ? nullptr : &found->law;
}

LayerEstimate LayerModel::Estimate(const LayerWork& work, int cores) const {
  const Kind* kind = Find(work.kind, work.arithmetic, cores);
  // Unknown arithmetic: as floats; unknown on several cores: as on one.
  double doubt = 0;
  if (kind == nullptr) {
    kind = Find(work.kind, Arithmetic::kFp32, cores);
    doubt = 0.2;
  }
  if (kind == nullptr) {
    kind = Find(work.kind, Arithmetic::kFp32, 1);
    doubt = 0.5;
  }
  if (kind == nullptr) return {.us = UnknownLaw().Us(work), .log_variance = 1};
  const Eigen::VectorXd features = (FeaturesOf(work) - kind->middle).cwiseQuotient(kind->scale);
  const GpPrediction rest = kind->rest.Predict(features);
  // Far from what was measured the law alone is better than what the process makes of it.
  const double mean = std::clamp(rest.mean, kind->least, kind->most);
  return {.us = kind->law.Us(work) * std::exp(kind->mean + mean), .log_variance = rest.variance + kind->noise + doubt};
}

}  // namespace deepedge
