// What a run shows of how its models keep to their profiles. Plain data.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "deepedge/profiler/online/box_factor.h"
#include "deepedge/profiler/online/observer.h"

namespace deepedge {

// What a setting without a prediction took while it served.
struct ServedSetting {
  std::string model;
  Setting setting;
  int64_t runs = 0;
  double median_us = 0;
};

struct ProfileReport {
  BoxState box;
  int64_t observed = 0;  // runs that were compared with a prediction
  int64_t lost = 0;      // runs that nobody had the time to look at
  std::vector<StageReport> stages;
  std::vector<ServedSetting> served;
  std::vector<std::string> questions;  // why stages should be probed again; the last ones
};

}  // namespace deepedge
