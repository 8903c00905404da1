#include "deepedge/profiler/interference/co_location.h"

#include <Eigen/Cholesky>
#include <Eigen/Core>
#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace deepedge {
namespace {

constexpr int kN = CoLocation::kCoefficients;
constexpr double kUsualNoise = 0.05;
constexpr double kMostSlowdown = 8;   // what is beyond was no neighbour
constexpr double kLeastMean = -0.25;  // how far the Gaussian may lie beyond the border
constexpr double kMostMean = 4;
constexpr int64_t kCheckEvery = 4096;  // updates, after which rounding errors are looked for

using Square = Eigen::Matrix<double, kN, kN>;

// Own class down, the neighbour's across: compute, cache, memory. Convolutions beside each other 0 to 5 %, beside fully
// connected layers 3 to 9 % on both sides, fully connected ones beside each other 30 to 50 %, depthwise (cache) beside
// each other 2 to 15 %; what mixes cache and memory lies between.
constexpr CoLocation::Vector kPriorMean = {0.02, 0.03, 0.06, 0.04, 0.10, 0.15, 0.06, 0.12, 0.47};
constexpr CoLocation::Vector kPriorSd = {0.02, 0.03, 0.05, 0.04, 0.08, 0.12, 0.05, 0.10, 0.20};

CoLocation::Vector Features(const Boundness& own, const NeighbourLoad& neighbours) {
  const std::array<double, 3> a = {own.compute, own.cache, own.memory};
  const std::array<double, 3> b = {neighbours.compute, neighbours.cache, neighbours.memory};
  CoLocation::Vector x;
  for (size_t i = 0; i < 3; ++i) {
    for (size_t j = 0; j < 3; ++j) x[3 * i + j] = std::max(a[i], 0.0) * std::max(b[j], 0.0);
  }
  return x;
}

double Dot(const CoLocation::Vector& a, const CoLocation::Vector& b) {
  double sum = 0;
  for (size_t i = 0; i < a.size(); ++i) sum += a[i] * b[i];
  return sum;
}

template <typename M>
CoLocation::Vector Times(const M& matrix, const CoLocation::Vector& x) {
  CoLocation::Vector y{};
  for (size_t j = 0; j < x.size(); ++j) {
    for (size_t i = 0; i < x.size(); ++i) y[i] += matrix[j * x.size() + i] * x[j];  // symmetric
  }
  return y;
}

template <typename M>
void AddOuter(M& matrix, const CoLocation::Vector& x, double factor) {
  for (size_t j = 0; j < x.size(); ++j) {
    const double f = factor * x[j];
    for (size_t i = 0; i < x.size(); ++i) matrix[j * x.size() + i] += f * x[i];
  }
}

template <typename M>
bool IsPositiveDefinite(const M& matrix) {
  const Eigen::Map<const Square> square(matrix.data());
  return square.allFinite() && square.isApprox(square.transpose(), 1e-9) &&
         Eigen::LLT<Square>(square).info() == Eigen::Success;
}

CoLocation::Matrix PriorCovariance() {
  CoLocation::Matrix covariance{};
  for (size_t i = 0; i < kPriorSd.size(); ++i) covariance[i * kN + i] = kPriorSd[i] * kPriorSd[i];
  return covariance;
}

bool IsUsable(const NeighbourLoad& load) {
  return std::isfinite(load.compute) && std::isfinite(load.cache) && std::isfinite(load.memory) &&
         std::isfinite(load.share) && load.share > 0;
}

bool IsFinite(const Boundness& bound) {
  return std::isfinite(bound.compute) && std::isfinite(bound.cache) && std::isfinite(bound.memory);
}

}  // namespace

void AddNeighbour(NeighbourLoad& load, const Boundness& bound, double share) {
  load.compute += share * bound.compute;
  load.cache += share * bound.cache;
  load.memory += share * bound.memory;
  load.share = std::max(load.share, share);
}

CoLocation::CoLocation(CoLocationOptions options)
    : options_(options), mean_(kPriorMean), covariance_(PriorCovariance()), gamma_(kPriorMean) {}

// By how much the variance in the direction of x grows by forgetting.
double CoLocation::Inflation(const Vector& x, double variance_of_x, double noise) const {
  double in_prior = 0;
  for (size_t i = 0; i < x.size(); ++i) in_prior += x[i] * x[i] * kPriorSd[i] * kPriorSd[i];
  const double said = std::min(1.0, kUsualNoise * kUsualNoise / (noise * noise));
  const double inflation = 1 / (1 - said * (1 - std::clamp(options_.forgetting, 0.5, 1.0)));
  return variance_of_x * inflation <= in_prior ? inflation : 1;
}

// Shares of time to shares of work.
CoLocation::Vector CoLocation::FeaturesOfWork(const Boundness& own, const NeighbourLoad& neighbours) const {
  Vector x = Features(own, neighbours);
  const double share = std::min(neighbours.share, 1.0);
  const double while_together = std::max(0.0, Dot(x, gamma_)) / share;
  const double work_over_time = 1 / (1 + (1 - share) * while_together);
  for (double& value : x) value *= work_over_time;
  return x;
}

void CoLocation::Learn(const OverlapSeen& seen) {
  if (!IsUsable(seen.neighbours) || !IsFinite(seen.own) || !std::isfinite(seen.slowdown) || seen.slowdown <= 0 ||
      !std::isfinite(seen.noise)) {
    return;
  }
  const Vector x = FeaturesOfWork(seen.own, seen.neighbours);
  if (Dot(x, x) < 1e-8) return;

  const double noise = std::max(seen.noise, 1e-3);
  const Vector spread = Times(covariance_, x);
  const double variance_of_x = std::max(Dot(x, spread), 1e-12);
  const double inflation = Inflation(x, variance_of_x, noise);
  const double surprise_variance = inflation * variance_of_x + noise * noise;
  const double limit = options_.clip_sds * std::sqrt(surprise_variance);
  const double surprise = std::clamp(std::min(seen.slowdown, kMostSlowdown) - 1 - Dot(x, mean_), -limit, limit);
  double step = inflation * surprise / surprise_variance;
  double largest = 0;
  for (const double value : spread) largest = std::max(largest, std::abs(value * step));
  if (largest > options_.max_step) step *= options_.max_step / largest;
  for (size_t i = 0; i < mean_.size(); ++i) {
    mean_[i] = std::clamp(mean_[i] + step * spread[i], kLeastMean, kMostMean);
  }
  // Forgetting and update in one: both lie along P x.
  AddOuter(covariance_, spread, (inflation - 1) / variance_of_x - inflation * inflation / surprise_variance);
  if (++overlaps_ % kCheckEvery == 0 && !IsPositiveDefinite(covariance_)) covariance_ = PriorCovariance();
  Project();
}

// Sets the most negative one to zero, moving the others along as the Gaussian says, until none is left.
void CoLocation::Project() {
  gamma_ = mean_;
  for (int round = 0; round < kN; ++round) {
    const auto least = static_cast<size_t>(std::min_element(gamma_.begin(), gamma_.end()) - gamma_.begin());
    if (gamma_[least] >= 0) break;
    const double per_unit = gamma_[least] / std::max(covariance_[least * kN + least], 1e-12);
    for (size_t i = 0; i < gamma_.size(); ++i) gamma_[i] -= covariance_[least * kN + i] * per_unit;
    gamma_[least] = 0;
  }
  for (double& value : gamma_) value = std::clamp(value, 0.0, kMostMean);
}

Slowdown CoLocation::Predict(const Boundness& own, const NeighbourLoad& neighbours) const {
  if (!IsUsable(neighbours) || !IsFinite(own)) return {};
  const Vector x = Features(own, neighbours);
  return {.factor = 1 + std::max(0.0, Dot(x, gamma_)), .sd = std::sqrt(std::max(0.0, Dot(x, Times(covariance_, x))))};
}

double CoLocation::Explain(const Boundness& own, const NeighbourLoad& neighbours) const {
  if (!IsUsable(neighbours) || !IsFinite(own)) return 1;
  return 1 + std::max(0.0, Dot(FeaturesOfWork(own, neighbours), gamma_));
}

double CoLocation::gamma_sd(int own, int neighbour) const {
  const auto i = static_cast<size_t>(kClasses * own + neighbour);
  return std::sqrt(std::max(0.0, covariance_[i * kN + i]));
}

std::string CoLocation::ToJson() const {
  return nlohmann::json{{"gamma", mean_}, {"covariance", covariance_}, {"overlaps", overlaps_}}.dump();
}

Result<CoLocation> CoLocation::FromJson(std::string_view text, CoLocationOptions options) {
  const Error bad{ErrorCode::kBadInput, "interference of neighbours: the stored text is damaged"};
  const auto json = nlohmann::json::parse(text, nullptr, false);
  if (!json.is_object()) return bad;
  CoLocation read(options);
  try {
    const auto& covariance = json.at("covariance");
    const auto& gamma = json.at("gamma");
    if (covariance.size() != read.covariance_.size() || gamma.size() != read.mean_.size()) return bad;
    read.mean_ = gamma.get<Vector>();
    read.covariance_ = covariance.get<Matrix>();
    read.overlaps_ = json.at("overlaps").get<int64_t>();
  } catch (const nlohmann::json::exception&) {
    return bad;
  }
  const auto in_range = [](double value) { return value >= kLeastMean && value <= kMostMean; };
  if (!std::all_of(read.mean_.begin(), read.mean_.end(), in_range) || read.overlaps_ < 0) return bad;
  if (!IsPositiveDefinite(read.covariance_)) return bad;
  read.Project();
  return read;
}

}  // namespace deepedge
