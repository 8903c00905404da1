// What scaling a picture to a model's input, following objects and compressing a snapshot cost on this box.
#pragma once

#include <utility>
#include <vector>

#include "deepedge/profiler/media_cost/media_costs.h"
#include "deepedge/runtime/calibration/measuring.h"

namespace deepedge {

struct PictureMeasuring {
  std::vector<std::pair<int, int>> sources{{640, 360}, {1280, 720}, {1920, 1080}};
  std::vector<int> inputs{224, 416, 640};  // sides of the model's input
  std::vector<int> boxes{1, 10, 50, 150};  // of one result that is tracked
  int rounds = 8;
};

// Each adds its samples and stops between measurements.
void MeasureScaling(const PictureMeasuring& plan, Measuring& measuring, MediaSamples& samples);
void MeasureJpeg(const PictureMeasuring& plan, Measuring& measuring, MediaSamples& samples);
void MeasureTracking(const PictureMeasuring& plan, Measuring& measuring, MediaSamples& samples);

}  // namespace deepedge
