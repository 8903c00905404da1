// SettingModel: what measurements of a model in some settings say about the others. The layer model (cost/) predicts
// every setting of every model; what it is off by, y = log(measured / predicted), is alike in settings that have
// something in common. A Gaussian process over settings says how alike: all settings of a model share a part, those of
// one precision share more, batches and sizes near each other more still. How large each part is has been learned from
// models that were measured in many settings, by maximum likelihood (Rasmussen & Williams 2006, 5.4.1).
//
// Pure values; any number of threads.
#pragma once

#include <Eigen/Core>
#include <array>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "deepedge/base/result.h"
#include "deepedge/plan/profile.h"
#include "deepedge/profiler/gp/gaussian_process.h"

namespace deepedge {

// One setting of a model, measured or to be predicted.
struct SettingPoint {
  Setting setting;
  double predicted_us = 0;  // by the layer model
  double measured_us = 0;   // 0: not measured
  double log_noise = 0.01;  // standard deviation of the measurement
};

// Features of a setting, relative to the model's own size.
Eigen::VectorXd SettingFeatures(const Setting& setting, const VariantKey& own);

class SettingModel {
 public:
  static constexpr int kParts = 9;

  // What is believed where nothing was learned: a layer model that is right to about 25 %.
  SettingModel();

  // `models`: of each its points, all measured. The first point is the model's own setting.
  static SettingModel Learn(std::span<const std::vector<SettingPoint>> models);

  // The process of one model, given its measured points. `own`: the model's own size.
  struct Posterior {
    VariantKey own;
    GaussianProcess process;
    const SettingModel* prior = nullptr;  // must outlive this

    // Mean and variance of log(time / predicted).
    GpPrediction At(const Setting& setting) const;
  };
  Posterior Condition(std::span<const SettingPoint> measured, const VariantKey& own) const;

  // What a measurement scatters beyond its own noise: settings that the process cannot tell apart.
  double noise() const { return noise_; }
  Kernel KernelOfSettings() const;
  // Mean of y before anything of the model is measured.
  double MeanFor(const Setting& setting) const;

  std::string ToJson() const;
  static Result<SettingModel> FromJson(std::string_view text);

 private:
  std::array<double, kParts> variances_{};
  double noise_ = 0;
  std::array<double, 12> means_{};  // by precision, several cores or one, a batch or one
};

}  // namespace deepedge
