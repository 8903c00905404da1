#include "deepedge/profiler/fit/setting_model.h"

#include <Eigen/Cholesky>

#include <algorithm>
#include <cmath>
#include <limits>
#include <nlohmann/json.hpp>

namespace deepedge {
namespace {

// Features: precision as three numbers, log2 of the batch, log of the size, several cores, a batch at all.
constexpr int kFeatures = 7;
constexpr int kBatchAt = 3;
constexpr int kSizeAt = 4;
constexpr int kCoresAt = 5;
constexpr int kSomeBatchAt = 6;
constexpr double kDistinct = 4;      // two kinds that far apart have nothing in common
constexpr double kBatchScale = 1.5;  // doublings
constexpr double kSizeScale = 0.9;   // of the logarithm of pixels

Eigen::VectorXd Matters(bool precision, bool cores, bool batch, bool size, bool some_batch) {
  Eigen::VectorXd w = Eigen::VectorXd::Zero(kFeatures);
  if (precision) w.head(3).setConstant(kDistinct);
  if (batch) w(kBatchAt) = 1 / kBatchScale;
  if (size) w(kSizeAt) = 1 / kSizeScale;
  if (cores) w(kCoresAt) = kDistinct;
  if (some_batch) w(kSomeBatchAt) = kDistinct;
  return w;
}

// What settings may have in common, in the order of the variances.
std::array<Eigen::VectorXd, SettingModel::kParts> Parts() {
  return {Matters(false, false, false, false, false), Matters(true, false, false, false, false),
          Matters(false, true, false, false, false),  Matters(false, false, true, false, false),
          Matters(false, false, false, true, false),  Matters(true, false, true, false, false),
          Matters(true, false, false, true, false),   Matters(true, true, false, false, false),
          Matters(false, false, false, false, true)};
}

size_t GroupOf(const Setting& setting) {
  return static_cast<size_t>(setting.variant.precision) * 4 + (setting.cores > 1 ? 2 : 0) + (setting.batch > 1 ? 1 : 0);
}

double Residual(const SettingPoint& point) { return std::log(point.measured_us / point.predicted_us); }

// One model's part of the likelihood, as far as the variances matter: parts of the covariance are computed once.
struct ModelData {
  std::vector<Eigen::MatrixXd> parts;
  Eigen::VectorXd values;
  Eigen::VectorXd noise;
};

double LogLikelihood(const ModelData& model, const std::array<double, SettingModel::kParts>& variances, double noise) {
  Eigen::MatrixXd covariance = variances[0] * model.parts[0];
  for (size_t i = 1; i < model.parts.size(); ++i) covariance += variances[i] * model.parts[i];
  covariance.diagonal() += model.noise;
  covariance.diagonal().array() += noise;
  const Eigen::LLT<Eigen::MatrixXd> cholesky(covariance);
  if (cholesky.info() != Eigen::Success) return -std::numeric_limits<double>::infinity();
  const Eigen::MatrixXd factor = cholesky.matrixL();
  return -0.5 * model.values.dot(cholesky.solve(model.values)) - factor.diagonal().array().log().sum();
}

}  // namespace

Eigen::VectorXd SettingFeatures(const Setting& setting, const VariantKey& own) {
  Eigen::VectorXd features = Eigen::VectorXd::Zero(kFeatures);
  features(static_cast<Eigen::Index>(setting.variant.precision)) = 1;
  features(kBatchAt) = std::log2(std::max(setting.batch, 1));
  const double pixels = static_cast<double>(setting.variant.width) * setting.variant.height;
  const double own_pixels = static_cast<double>(own.width) * own.height;
  features(kSizeAt) = pixels > 0 && own_pixels > 0 ? std::log(pixels / own_pixels) : 0;
  features(kCoresAt) = setting.cores > 1 ? 1 : 0;
  features(kSomeBatchAt) = setting.batch > 1 ? 1 : 0;
  return features;
}

SettingModel::SettingModel() {
  variances_ = {0.03, 0.01, 0.005, 0.002, 0.005, 0.001, 0.001, 0.001, 0.002};
  noise_ = 4e-4;
}

Kernel SettingModel::KernelOfSettings() const {
  Kernel kernel;
  const auto parts = Parts();
  for (size_t i = 0; i < parts.size(); ++i) kernel.push_back({variances_[i], parts[i]});
  return kernel;
}

double SettingModel::MeanFor(const Setting& setting) const { return means_[GroupOf(setting)]; }

SettingModel SettingModel::Learn(std::span<const std::vector<SettingPoint>> models) {
  SettingModel result;
  std::array<double, 12> sums{};
  std::array<double, 12> counts{};
  for (const auto& points : models) {
    for (const SettingPoint& point : points) {
      // A model's settings of one group say about the same: they count as one.
      const double weight = 1.0 / static_cast<double>(points.size());
      sums[GroupOf(point.setting)] += weight * Residual(point);
      counts[GroupOf(point.setting)] += weight;
    }
  }
  constexpr double kDoubt = 0.5;  // models' worth of a mean of zero
  for (size_t i = 0; i < sums.size(); ++i) result.means_[i] = sums[i] / (counts[i] + kDoubt);

  std::vector<ModelData> data;
  const auto parts = Parts();
  for (const auto& points : models) {
    const auto n = static_cast<Eigen::Index>(points.size());
    if (n == 0) continue;
    ModelData model{.parts = {}, .values = Eigen::VectorXd(n), .noise = Eigen::VectorXd(n)};
    Eigen::MatrixXd features(n, kFeatures);
    for (Eigen::Index i = 0; i < n; ++i) {
      const SettingPoint& point = points[static_cast<size_t>(i)];
      features.row(i) = SettingFeatures(point.setting, points.front().setting.variant);
      model.values(i) = Residual(point) - result.MeanFor(point.setting);
      model.noise(i) = point.log_noise * point.log_noise;
    }
    for (const Eigen::VectorXd& part : parts) {
      const Kernel kernel{{1.0, part}};
      model.parts.push_back(
          GaussianProcess::Fit(kernel, Eigen::MatrixXd(0, kFeatures), {}, {}).PosteriorCovariance(features));
    }
    data.push_back(std::move(model));
  }
  if (data.empty()) return result;
  const auto total = [&] {
    double sum = 0;
    for (const ModelData& model : data) sum += LogLikelihood(model, result.variances_, result.noise_);
    return sum;
  };
  // One number after the other, by steps that become smaller: ten numbers on a logarithmic scale need no more.
  double best = total();
  constexpr double kSmallest = 1e-7;
  for (double step = 8; step > 1.15; step = std::sqrt(step)) {
    for (int round = 0; round < 3; ++round) {
      const auto try_number = [&](double& number) {
        for (const double factor : {step, 1 / step}) {
          const double before = number;
          number = std::clamp(number * factor, kSmallest, 4.0);
          const double now = total();
          if (now > best) {
            best = now;
          } else {
            number = before;
          }
        }
      };
      for (double& variance : result.variances_) try_number(variance);
      try_number(result.noise_);
    }
  }
  return result;
}

SettingModel::Posterior SettingModel::Condition(std::span<const SettingPoint> measured, const VariantKey& own) const {
  std::vector<const SettingPoint*> points;
  for (const SettingPoint& point : measured) {
    if (point.measured_us > 0 && point.predicted_us > 0) points.push_back(&point);
  }
  const auto n = static_cast<Eigen::Index>(points.size());
  Eigen::MatrixXd features(n, kFeatures);
  Eigen::VectorXd values(n);
  Eigen::VectorXd noise(n);
  for (Eigen::Index i = 0; i < n; ++i) {
    const SettingPoint& point = *points[static_cast<size_t>(i)];
    features.row(i) = SettingFeatures(point.setting, own);
    values(i) = Residual(point) - MeanFor(point.setting);
    noise(i) = noise_ + point.log_noise * point.log_noise;
  }
  return {.own = own,
          .process = GaussianProcess::Fit(KernelOfSettings(), std::move(features), std::move(values), std::move(noise)),
          .prior = this};
}

GpPrediction SettingModel::Posterior::At(const Setting& setting) const {
  GpPrediction prediction = process.Predict(SettingFeatures(setting, own));
  prediction.mean += prior->MeanFor(setting);
  prediction.variance += prior->noise();
  return prediction;
}

std::string SettingModel::ToJson() const {
  return nlohmann::json{{"variances", variances_}, {"noise", noise_}, {"means", means_}}.dump();
}

Result<SettingModel> SettingModel::FromJson(std::string_view text) {
  try {
    const auto json = nlohmann::json::parse(text);
    SettingModel model;
    model.variances_ = json.at("variances").get<std::array<double, kParts>>();
    model.noise_ = json.at("noise");
    model.means_ = json.at("means").get<std::array<double, 12>>();
    const bool sane = model.noise_ >= 0 && std::all_of(model.variances_.begin(), model.variances_.end(),
                                                       [](double v) { return v >= 0 && v <= 4; });
    if (sane) return model;
    return Error{ErrorCode::kBadInput, "a model of settings: a variance is out of range"};
  } catch (const nlohmann::json::exception& e) {
    return Error{ErrorCode::kBadInput, std::string("a model of settings: ") + e.what()};
  }
}

}  // namespace deepedge
