// Scaling and colour conversion, by libyuv: the picture is scaled in its own format first and converted at the model's
// size, which costs up to 2.5 times less than converting first. Chroma is scaled to the full size of the model's input.
//
// Exactness: within 3 of 255, but for strong blue in BT.709 of limited range, which comes out up to 13 too weak:
// libyuv's factors end at 2.0 where 2.112 is right.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "deepedge/base/result.h"
#include "deepedge/media/geometry.h"
#include "deepedge/media/picture.h"

namespace deepedge {

// Order of the bytes of one pixel in a model's packed input.
enum class ChannelOrder { kRgb, kBgr, kGray };

constexpr int ChannelCount(ChannelOrder order) { return order == ChannelOrder::kGray ? 1 : 3; }

// Scales pictures into packed 8-bit model inputs. Keeps its intermediate planes between calls, so that the per-frame
// path allocates nothing once sizes are known. Thread-compatible: one per lane.
class PictureScaler {
 public:
  // Writes `source`, scaled to `place`, into `input` (place.input_width x place.input_height packed pixels in `order`,
  // rows without padding); what lies outside the placement is set to `pad`. Bilinear; a picture that already has the
  // size of the placement is converted without resampling. Colours and gray come out in full range (0..255). `input`
  // must have exactly that size. Errors: kUnsupported for a picture without pixels.
  Status ScaleInto(const PictureView& source, const Placement& place, ChannelOrder order, uint8_t pad,
                   std::span<uint8_t> input);

 private:
  // The source with every channel in a plane of its own: NV12 as kYuv420p, RGB as three planes of full size.
  PictureView Split(const PictureView& source);
  // The first `planes` planes scaled to a picture of `width` x `height`, held in scaled_.
  PictureView Scale(const PictureView& split, int planes, int width, int height);
  void MergeRgb(const PictureView& planar, ChannelOrder order, uint8_t* out, int out_stride);

  std::vector<uint8_t> split_;
  std::vector<uint8_t> scaled_;
  std::vector<uint8_t> packed_;  // scaled RGB on its way to gray
};

// The picture at its own size as packed RGB. Errors as above.
Result<RgbPicture> ToRgb(const PictureView& source);

// A part of a picture, and where it lies as fractions of the picture that it was taken from.
struct CroppedPicture {
  PictureView picture;
  Box box;
};

// Copies nothing. The part is `box` cut to the picture, at least one pixel, grown to whole pixels and to whole chroma
// samples where the format shares them between pixels. `source` must have pixels.
CroppedPicture Crop(const PictureView& source, const Box& box);

}  // namespace deepedge
