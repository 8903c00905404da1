// Predictor: from what calibration knows of the box and what was measured of a model to what any of its settings costs,
// with an error bar. Nothing measured: the layer model's sum. Every probe corrects the settings that have something in
// common with it (SettingModel), and the shares of the layers.
//
//   Predictor predictor(box, measured);
//   SettingCost cost = predictor.Predict({{Precision::kInt8, 416, 416}, 4});
//   std::optional<Setting> next = NextProbe(predictor, candidates, wanted);   // choose_probe.h
//
// Immutable; any number of threads. Making one takes milliseconds for each setting that was measured.
#pragma once

#include <map>
#include <string>
#include <vector>

#include "deepedge/plan/profile.h"
#include "deepedge/profiler/fit/box_model.h"
#include "deepedge/profiler/probe/measured_model.h"

namespace deepedge {

class Predictor {
 public:
  // Both must outlive it.
  Predictor(const BoxModel& box, const MeasuredModel& model);

  // One stage, without cuts. The model must have been analysed in the form that the setting needs: DE_CHECK; see Knows.
  SettingCost Predict(const Setting& setting) const;
  bool Knows(const Setting& setting) const { return GraphFor(model_, setting) != nullptr; }

  // The same in stages, cut at the given places (indices into the graph's cuts, ascending).
  SettingCost PredictStages(const Setting& setting, const std::vector<int>& cuts) const;

  // Time of each layer as predicted, in the graph's order, microseconds; adds up to the median.
  std::vector<double> LayerTimes(const Setting& setting) const;

  // Covariance of the logarithms of the predicted times of some settings: what a further probe would tell.
  Eigen::MatrixXd CovarianceOf(const std::vector<Setting>& settings) const;
  double Noise() const { return box_.settings.noise(); }

  const MeasuredModel& model() const { return model_; }

 private:
  struct Summed {
    std::vector<double> layer_us;  // corrected by what was measured of them
    double us = 0;
    double log_variance = 0;  // of the sum, by the layers' own; only said where nothing was measured
  };
  Summed Sum(const Setting& setting) const;
  void LearnLayers();
  SettingCost Cost(const Setting& setting, const Summed& sum) const;
  void AddMemory(SettingCost& cost) const;
  StageCost StageOf(const Setting& setting, const Summed& sum, size_t begin, size_t end) const;

  const BoxModel& box_;
  const MeasuredModel& model_;
  VariantKey own_;
  std::map<std::string, double> layer_log_;  // by layer: logarithm of measured over predicted, shrunk
  SettingModel::Posterior posterior_;
};

}  // namespace deepedge
