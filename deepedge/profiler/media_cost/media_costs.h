// MediaCosts: what everything around a network costs on this box: decoding a frame, scaling it to a model's input,
// reading the network's tensors, following objects, compressing a snapshot. Each is a LinearLaw of a few amounts of
// work, fitted to what runtime/calibration has measured; what was not measured is estimated from the nearest that was,
// and the error bar says so. All are microseconds of CPU time of one thread.
//
//   MediaCosts costs = MediaCosts::Fit(samples);
//   CostEstimate decode = costs.Decode({.codec = "h264", .pixels = 1280 * 720, .bits = 2e6 / 25});
//
// Immutable after Fit; any number of threads may ask.
#pragma once

#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "deepedge/media/geometry.h"
#include "deepedge/media/picture.h"
#include "deepedge/media/pixel_ops.h"
#include "deepedge/model/model_card.h"
#include "deepedge/profiler/media_cost/linear_law.h"

namespace deepedge {

enum class DecodedFrames {
  kAll,
  kKeyOnly,  // the others are never given to the decoder
};

// Of one decoded frame; `bits` of its packet, on average.
struct DecodeWork {
  std::string codec;  // StreamFormat::codec
  DecodedFrames frames = DecodedFrames::kAll;
  double pixels = 0;
  double bits = 0;
};

// Of one picture for one input of a model.
struct ScaleWork {
  PixelFormat source = PixelFormat::kYuv420p;
  ResizeRule rule = ResizeRule::kStretch;
  bool to_gray = false;
  bool resampled = true;          // false: the picture has the size of its place and is only converted
  double source_pixels = 0;       // that the filter reads: bilinear, so at most two rows for each row that it writes
  double destination_pixels = 0;  // of the picture inside the input
};
ScaleWork ScaleWorkOf(PixelFormat source, int source_width, int source_height, const Placement& place, ResizeRule rule,
                      ChannelOrder order);

// Of one picture's tensors.
struct PostWork {
  OutputDecoderKind kind = OutputDecoderKind::kRaw;
  double elements = 0;  // of all outputs
  double objects = 0;   // that are found
};

struct JpegWork {
  double source_pixels = 0;  // of the part that is taken
  double coded_pixels = 0;   // of the JPEG
};

template <typename Work>
struct CostSample {
  Work work;
  double us = 0;
};

struct TrackWork {
  double objects = 0;  // of one result
};

// What was measured.
struct MediaSamples {
  std::vector<CostSample<DecodeWork>> decode;
  std::vector<CostSample<ScaleWork>> scale;
  std::vector<CostSample<PostWork>> post;
  std::vector<CostSample<JpegWork>> jpeg;
  std::vector<CostSample<TrackWork>> track;
};

class MediaCosts {
 public:
  // Without samples everything is a guess, with an error bar of a factor of two or more.
  MediaCosts() = default;
  static MediaCosts Fit(const MediaSamples& samples);
  // Laws by name, as laws() gives them; for the reader of stored ones. Laws under unknown names are never asked.
  explicit MediaCosts(std::map<std::string, LinearLaw> laws) : laws_(laws.begin(), laws.end()) {}

  CostEstimate Decode(const DecodeWork& work) const;
  CostEstimate Scale(const ScaleWork& work) const;
  CostEstimate Post(const PostWork& work) const;
  CostEstimate Jpeg(const JpegWork& work) const;
  CostEstimate Track(const TrackWork& work) const;

  // What was fitted: "decode/h264/all", "scale/yuv420p/stretch", "post/yolox", "post/any", "jpeg", "track". The terms
  // are, in this order, decode: pixels, bits, one; scale: source pixels, destination pixels, one; post: elements,
  // objects, one; jpeg: source pixels, coded pixels, one; track: objects, their square, one.
  const std::map<std::string, LinearLaw, std::less<>>& laws() const { return laws_; }

  friend bool operator==(const MediaCosts&, const MediaCosts&) = default;

 private:
  const LinearLaw* Find(std::string_view name) const;

  std::map<std::string, LinearLaw, std::less<>> laws_;
};

}  // namespace deepedge
