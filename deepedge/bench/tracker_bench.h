// What giving numbers to boxes and watching zones costs for each result: boxes that drift over the picture and jitter,
// a tenth of them missed and a tenth weak, with their tracks in four zones of eight corners and at two lines.
#pragma once

#include "deepedge/base/result.h"

namespace deepedge {

struct TrackerBenchOptions {
  int boxes = 50;
  int rounds = 200;  // of 20 results each
};

// CPU time of the thread for one result: medians over rounds.
struct TrackerCost {
  double tracker_us = 0;
  double watch_us = 0;
};

Result<TrackerCost> MeasureTracker(const TrackerBenchOptions& options);

}  // namespace deepedge
