// What reading a network's tensors costs on this box, for the kinds of outputs that most networks have.
#pragma once

#include <vector>

#include "deepedge/profiler/media_cost/media_costs.h"
#include "deepedge/runtime/calibration/measuring.h"

namespace deepedge {

struct PostMeasuring {
  std::vector<int> sides{320, 416, 640};
  std::vector<int> objects{0, 8, 40};
  int rounds = 4;
};

// Adds a sample for each kind, size and number of objects; stops between them.
void MeasurePost(const PostMeasuring& plan, Measuring& measuring, MediaSamples& samples);

}  // namespace deepedge
