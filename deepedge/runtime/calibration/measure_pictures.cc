#include "deepedge/runtime/calibration/measure_pictures.h"

#include <algorithm>
#include <cmath>

#include "deepedge/media/jpeg.h"
#include "deepedge/media/pixel_ops.h"
#include "deepedge/pipeline/track/tracker.h"
#include "deepedge/runtime/calibration/synthetic_scene.h"

namespace deepedge {
namespace {

constexpr PixelFormat kFormats[] = {PixelFormat::kYuv420p, PixelFormat::kNv12,  PixelFormat::kYuv422p,
                                    PixelFormat::kYuv444p, PixelFormat::kGray8, PixelFormat::kRgb24,
                                    PixelFormat::kBgr24};

// Some pictures of one size, in memory that serves for every format: a picture that was just decoded is not in the
// core's own caches as a whole, so they take turns.
class Pictures {
 public:
  Pictures(int width, int height) : width_(width), height_(height) {
    SyntheticScene scene(width, height, CameraMotion::kStill);
    const size_t luma = Pixels();
    for (size_t i = 0; i < kPictures; ++i) {
      const PictureView drawn = scene.Draw(static_cast<int>(i));
      auto& memory = memory_[i];
      memory.reserve(3 * luma);
      for (int copy = 0; copy < 3; ++copy) memory.insert(memory.end(), drawn.planes[0], drawn.planes[0] + luma);
    }
  }

  size_t Pixels() const { return static_cast<size_t>(width_) * static_cast<size_t>(height_); }

  // The next picture, read as `format`; all that counts is how many bytes are read.
  PictureView Next(PixelFormat format) {
    next_ = (next_ + 1) % kPictures;
    const uint8_t* const memory = memory_[next_].data();
    PictureView view{.format = format, .width = width_, .height = height_};
    view.planes = {memory, memory + Pixels(), memory + 2 * Pixels()};
    const bool packed = format == PixelFormat::kRgb24 || format == PixelFormat::kBgr24;
    const bool half = format == PixelFormat::kYuv420p || format == PixelFormat::kYuv422p;
    const int chroma = half ? (width_ + 1) / 2 : width_;
    view.strides = {packed ? 3 * width_ : width_, chroma, chroma};
    return view;
  }

 private:
  static constexpr size_t kPictures = 4;
  int width_;
  int height_;
  std::vector<uint8_t> memory_[kPictures];
  size_t next_ = 0;
};

// A scaler with its input, as a lane has them.
class Scaling {
 public:
  Scaling(int rounds, MediaSamples& samples) : rounds_(rounds), samples_(samples) {}

  void Measure(Pictures& pictures, PixelFormat format, const Placement& place, ChannelOrder order) {
    input_.resize(static_cast<size_t>(place.input_width) * static_cast<size_t>(place.input_height) *
                  static_cast<size_t>(ChannelCount(order)));
    const PictureView first = pictures.Next(format);
    const double us = LeastCpuUs(rounds_, [&] {
      scaler_.ScaleInto(pictures.Next(format), place, order, 114, input_).Ignore("a picture of our own");
    });
    if (us > 0) samples_.scale.push_back({ScaleWorkOf(format, first.width, first.height, place, order), us});
  }

 private:
  int rounds_;
  MediaSamples& samples_;
  PictureScaler scaler_;
  std::vector<uint8_t> input_;
};

void MeasureFormat(PixelFormat format, int width, int height, const PictureMeasuring& plan, Measuring& measuring,
                   Pictures& pictures, Scaling& scaling) {
  // Grays are for few networks: measured for what most videos are.
  const bool gray_too = format == PixelFormat::kYuv420p || format == PixelFormat::kNv12;
  const auto measure = [&](const Placement& place) {
    if (!measuring.GoOn()) return;
    scaling.Measure(pictures, format, place, ChannelOrder::kRgb);
    if (gray_too) scaling.Measure(pictures, format, place, ChannelOrder::kGray);
  };
  for (const int side : plan.inputs) {
    measure(PlacePicture(ResizeRule::kStretch, width, height, side, side));
    measure(PlacePicture(ResizeRule::kLetterboxCentered, width, height, side, side));
  }
  for (const int part : {1, 2, 3}) {  // of the picture's own size
    measure(PlacePicture(ResizeRule::kStretch, width, height, width / part, height / part));
  }
}

// Boxes on a grid that drift a little from result to result.
std::vector<DetectedObject> BoxesAt(int count, int step) {
  const int columns = std::max(1, static_cast<int>(std::ceil(std::sqrt(static_cast<double>(count)))));
  const float cell = 1.0F / static_cast<float>(columns);
  std::vector<DetectedObject> objects;
  for (int i = 0; i < count; ++i) {
    const float x = (static_cast<float>(i % columns) + 0.1F + 0.02F * static_cast<float>(step % 10)) * cell;
    const float y = (static_cast<float>(i / columns) + 0.1F) * cell;
    objects.push_back({.label = i % 3,
                       .score = 0.9F - 0.001F * static_cast<float>(i),
                       .box = {x, y, x + 0.6F * cell, y + 0.7F * cell}});
  }
  return objects;
}

}  // namespace

void MeasureScaling(const PictureMeasuring& plan, Measuring& measuring, MediaSamples& samples) {
  Scaling scaling(plan.rounds, samples);
  for (const auto& [width, height] : plan.sources) {
    if (!measuring.GoOn()) return;
    Pictures pictures(width, height);
    for (const PixelFormat format : kFormats) {
      MeasureFormat(format, width, height, plan, measuring, pictures, scaling);
    }
  }
}

void MeasureJpeg(const PictureMeasuring& plan, Measuring& measuring, MediaSamples& samples) {
  for (const auto& [width, height] : plan.sources) {
    if (!measuring.GoOn()) return;
    SyntheticScene scene(width, height, CameraMotion::kStill);
    const PictureView picture = scene.Draw(0);
    for (const float part : {0.1F, 0.3F, 1.0F}) {
      for (const int longest_side : {0, 320}) {
        if (!measuring.GoOn()) return;
        const Box box{0, 0, part, part};
        const PictureView cut = Crop(picture, box).picture;
        const double source = static_cast<double>(cut.width) * cut.height;
        const int side = std::max(cut.width, cut.height);
        const double shrunk = longest_side > 0 && side > longest_side ? static_cast<double>(longest_side) / side : 1;
        const double us = LeastCpuUs(plan.rounds, [&] {
          EncodeJpeg(picture, box, {.longest_side = longest_side}).Ignore("a picture of our own");
        });
        if (us > 0) samples.jpeg.push_back({{source, source * shrunk * shrunk}, us});
      }
    }
  }
}

void MeasureTracking(const PictureMeasuring& plan, Measuring& measuring, MediaSamples& samples) {
  constexpr int kResults = 20;
  for (const int boxes : plan.boxes) {
    if (!measuring.GoOn()) return;
    std::vector<std::vector<DetectedObject>> results;
    for (int i = 0; i < kResults; ++i) results.push_back(BoxesAt(boxes, i));
    Tracker tracker;
    double time_s = 0;
    const double us = LeastCpuUs(plan.rounds, [&] {
      for (const auto& objects : results) {
        time_s += 0.2;
        tracker.Update({.time_s = time_s, .objects = objects});
      }
    });
    if (us > 0) samples.track.push_back({{static_cast<double>(boxes)}, us / kResults});
  }
}

}  // namespace deepedge
