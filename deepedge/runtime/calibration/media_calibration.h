// CalibrateMedia: measures on this box, within some 20 s, what everything around the networks costs: decoding, scaling,
// reading of outputs, tracking, snapshots, and how fast memory is read.
//
//   MediaCalibration measured = CalibrateMedia({}, clock, stop);
//   MediaCosts costs = MediaCosts::Fit(measured.samples);
//
// Computes in the calling thread, but for memory, where each core has one. Other load on the box makes memory look slow
// and, by what it does to the caches, the rest somewhat dear; the least of several runs is taken.
#pragma once

#include <functional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "deepedge/base/clock.h"
#include "deepedge/runtime/calibration/measure_decode.h"
#include "deepedge/runtime/calibration/measure_memory.h"
#include "deepedge/runtime/calibration/measure_pictures.h"
#include "deepedge/runtime/calibration/measure_post.h"

namespace deepedge {

struct MediaCalibrationOptions {
  Duration budget = std::chrono::seconds(20);  // what is not measured by then is noted and left out
  MemoryMeasuring memory;
  PictureMeasuring pictures;
  PostMeasuring post;
  DecodeMeasuring decode;
  // Called before each part, by the measuring thread: "memory", "scaling", "outputs", "tracking", "snapshots",
  // "decoding".
  std::function<void(std::string_view part)> progress;
};

struct MediaCalibration {
  MediaSamples samples;
  MemoryRates memory;
  std::vector<std::string> notes;  // what could not be measured, and why
  bool complete = true;            // false: stopped, or the time was up; the samples are those until then
  Duration took{0};                // on the wall
};

// Stops within the measurement that is going on (at most some 0.5 s).
MediaCalibration CalibrateMedia(const MediaCalibrationOptions& options, const Clock& clock, std::stop_token stop);

}  // namespace deepedge
