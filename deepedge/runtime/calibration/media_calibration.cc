#include "deepedge/runtime/calibration/media_calibration.h"

#include <fmt/format.h>

#include <utility>

namespace deepedge {

MediaCalibration CalibrateMedia(const MediaCalibrationOptions& options, const Clock& clock, std::stop_token stop) {
  const Time start = clock.Now();
  Measuring measuring(clock, start + options.budget, std::move(stop));
  MediaCalibration result;
  // The cheap ones first: where time is up, it is a codec that few cameras have that is missing.
  const std::pair<std::string_view, std::function<void()>> parts[] = {
      {"memory", [&] { result.memory = MeasureMemory(options.memory, measuring); }},
      {"scaling", [&] { MeasureScaling(options.pictures, measuring, result.samples); }},
      {"outputs", [&] { MeasurePost(options.post, measuring, result.samples); }},
      {"tracking", [&] { MeasureTracking(options.pictures, measuring, result.samples); }},
      {"snapshots", [&] { MeasureJpeg(options.pictures, measuring, result.samples); }},
      {"decoding", [&] { MeasureDecoding(options.decode, measuring, result.samples); }}};
  for (const auto& [name, measure] : parts) {
    if (!measuring.GoOn()) {
      measuring.Note(fmt::format("{}: not measured, {}", name, measuring.stopped() ? "stopped" : "time was up"));
      continue;
    }
    if (options.progress) options.progress(name);
    measure();
  }
  result.complete = measuring.GoOn();
  result.notes = measuring.TakeNotes();
  result.took = clock.Now() - start;
  return result;
}

}  // namespace deepedge
