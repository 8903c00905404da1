// Which setting of a model to measure next: the one that makes what is predicted of all others surest (active learning
// by expected reduction of variance; Cohn, Ghahramani & Jordan 1996). Pure.
#pragma once

#include <optional>
#include <vector>

#include "deepedge/plan/profile.h"
#include "deepedge/profiler/fit/predictor.h"

namespace deepedge {

struct ProbeChoice {
  Setting setting;
  double log_sd_before = 0;  // mean over all settings
  double log_sd_after = 0;   // expected
};

// Nothing where every setting is measured already, or the best probe would make the mean standard deviation smaller by
// less than `least_gain`. `settings`: all that are wanted of the model; those measured are not chosen again. With
std::optional<ProbeChoice> NextProbe(const Predictor& predictor, const std::vector<Setting>& settings,
                                     double least_gain = 0.001);

}  // namespace deepedge
