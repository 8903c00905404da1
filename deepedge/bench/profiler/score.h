// Scores the Model Profiler on models that were measured in many settings (collect.h) and that calibration has not
// seen: what it predicts before anything of the model is measured, and after a few probes that it has chosen itself,
// against the measured medians. Beside it what simpler predictors make of the same.
#pragma once

#include <functional>
#include <span>
#include <string>
#include <vector>

#include "deepedge/profiler/fit/box_model.h"
#include "deepedge/profiler/probe/measured_model.h"

namespace deepedge {

// Of many predictions of a time.
struct ErrorSummary {
  int count = 0;
  double mape = 0;       // mean of |predicted / measured - 1|
  double within_10 = 0;  // part with less than 10 %
  double covered = 0;    // part inside the 90 % interval; 0 where the predictor has none
  double bias = 0;       // mean of log(predicted / measured)
};

struct ModelScore {
  std::string model;
  int settings = 0;
  double repeatable = 0;  // median over settings of median / minimum - 1 of the measured runs
  ErrorSummary unseen;    // nothing measured: all settings
  ErrorSummary probed;    // after the probes: all settings that were not probed
  double worst = 0;       // the largest of |predicted / measured - 1| after the probes
  std::string worst_setting;
  std::vector<std::string> probes;
  double probe_seconds = 0;  // compiling and ten runs of each probe
  ErrorSummary memory;       // after the probes; bias < 0 is too little
  double memory_least = 1;   // smallest predicted / measured
};

struct ProfilerScore {
  std::vector<ModelScore> models;
  // Over all settings of all models.
  ErrorSummary unseen;
  ErrorSummary probed;
  ErrorSummary memory;
  ErrorSummary cold;  // runs on cold caches, after the probes
  // Arithmetic at one rate for each precision, and the roofline, fitted to the same networks; then the same with their
  // level corrected by one probe.
  ErrorSummary flops_unseen;
  ErrorSummary roofline_unseen;
  ErrorSummary flops_probed;
  ErrorSummary roofline_probed;
  // After the probes, by what is asked for.
  ErrorSummary one_picture;  // on one core, at the model's own size or another
  ErrorSummary batches;      // on one core
  ErrorSummary several_cores;
  double predict_us = 0;  // of one setting
};

// How much of the models in use the box has learned from before it meets the one that is scored.
enum class Known {
  kNothing,      // a box just calibrated
  kOtherModels,  // one that has profiled all the others (leave one model out): those that are not the same network in
                 // another format, which are found by their arithmetic
};

ProfilerScore ScoreProfiler(const BoxModel& box, std::span<const MeasuredModel> networks,
                            std::span<const MeasuredModel> models, int probes, Known known);

std::string ScoreText(const ProfilerScore& score, int probes);

}  // namespace deepedge
