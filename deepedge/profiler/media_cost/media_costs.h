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

#include <cstddef>
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
  std::string codec;  // StreamFormat::codec; its form "h264_baseline" has a law of its own: CodecOf
  DecodedFrames frames = DecodedFrames::kAll;
  double pixels = 0;
  double bits = 0;
};

// Of one picture for one input of a model, all planes of it together; how PictureScaler and libyuv do it. What a
// picture's place is follows from the rule of the model's card.
struct ScaleWork {
  PixelFormat source = PixelFormat::kYuv420p;
  bool to_gray = false;
  double blended_pixels = 0;   // made of two rows: of the source's width where it shrinks, else of the place's
  double filtered_pixels = 0;  // made of two pixels of a row, which takes ten times as long
  double fast_pixels = 0;      // read for sizes that there are faster ways for: the same, 1/2, 3/4, 3/8, twice
  double split_pixels = 0;     // whose channels lie together and are taken apart first
  double packed_pixels = 0;    // of the result
};
ScaleWork ScaleWorkOf(PixelFormat source, int source_width, int source_height, const Placement& place,
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

// The codec as DecodeWork has it, of a stream's codec and profile. H.264 without arithmetic coding (baseline and
// extended profiles) takes half as long for the same bits, which matters more than what is seen.
std::string CodecOf(std::string_view codec, std::string_view profile);

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

  // What was fitted: "decode/h264/all", "scale/yuv420p", "post/yolox", "post/any", "jpeg", "track". The terms are, in
  // this order, decode: pixels, bits, one; scale: as in ScaleWork, and one; post: elements, objects, one; jpeg: source
  // pixels, coded pixels, one; track: objects, their square, one.
  const std::map<std::string, LinearLaw, std::less<>>& laws() const { return laws_; }

  friend bool operator==(const MediaCosts&, const MediaCosts&) = default;

 private:
  const LinearLaw* Find(std::string_view name, size_t terms) const;

  std::map<std::string, LinearLaw, std::less<>> laws_;
};

}  // namespace deepedge
