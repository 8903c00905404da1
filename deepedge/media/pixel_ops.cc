#include "deepedge/media/pixel_ops.h"

#include <libyuv.h>

#include <algorithm>
#include <array>
#include <cmath>
#include <cstring>

#include "deepedge/base/check.h"

namespace deepedge {
namespace {

// How many pixels share one chroma sample, as shifts, and how many planes there are.
struct Layout {
  int planes = 1;
  int chroma_shift_x = 0;
  int chroma_shift_y = 0;
};

Layout LayoutOf(PixelFormat format) {
  switch (format) {
    case PixelFormat::kYuv420p: return {3, 1, 1};
    case PixelFormat::kYuv422p: return {3, 1, 0};
    case PixelFormat::kYuv444p: return {3, 0, 0};
    case PixelFormat::kNv12: return {2, 1, 1};
    case PixelFormat::kGray8:
    case PixelFormat::kRgb24:
    case PixelFormat::kBgr24: return {1, 0, 0};
  }
  return {};
}

bool IsRgb(PixelFormat format) { return format == PixelFormat::kRgb24 || format == PixelFormat::kBgr24; }

// Half of an odd size is rounded up.
int ChromaSize(int size, int shift) { return (size + (1 << shift) - 1) >> shift; }

Status CheckPixels(const PictureView& picture) {
  const int planes = LayoutOf(picture.format).planes;
  bool present = picture.width > 0 && picture.height > 0;
  for (int i = 0; i < planes; ++i) present = present && picture.planes[static_cast<size_t>(i)] != nullptr;
  if (!present) return Error{ErrorCode::kUnsupported, "picture without pixels"};
  return {};
}

// The packed formats by libyuv's names: its RGB24 is B, G, R in memory and its RAW is R, G, B. Red first is made by
// exchanging the chroma planes together with the constants made for that ("Yvu").
const libyuv::YuvConstants* Constants(const ColorSpace& color, bool red_first) {
  if (color.matrix == ColorMatrix::kBt709) {
    if (color.full_range) return red_first ? &libyuv::kYvuF709Constants : &libyuv::kYuvF709Constants;
    return red_first ? &libyuv::kYvuH709Constants : &libyuv::kYuvH709Constants;
  }
  if (color.full_range) return red_first ? &libyuv::kYvuJPEGConstants : &libyuv::kYuvJPEGConstants;
  return red_first ? &libyuv::kYvuI601Constants : &libyuv::kYuvI601Constants;
}

// Luma 16..235 as 0..255.
const std::array<uint8_t, 256>& ExpandedLuma() {
  static const std::array<uint8_t, 256> table = [] {
    std::array<uint8_t, 256> values{};
    for (int y = 0; y < 256; ++y) {
      values[static_cast<size_t>(y)] =
          static_cast<uint8_t>(std::clamp(std::lround((y - 16) * 255.0 / 219.0), 0L, 255L));
    }
    return values;
  }();
  return table;
}

void LumaToGray(const PictureView& source, uint8_t* out, int out_stride) {
  if (source.color.full_range) {
    libyuv::CopyPlane(source.planes[0], source.strides[0], out, out_stride, source.width, source.height);
    return;
  }
  const auto& table = ExpandedLuma();
  for (int y = 0; y < source.height; ++y) {
    const uint8_t* from = source.planes[0] + static_cast<ptrdiff_t>(y) * source.strides[0];
    uint8_t* to = out + static_cast<ptrdiff_t>(y) * out_stride;
    for (int x = 0; x < source.width; ++x) to[x] = table[from[x]];
  }
}

void LumaToPacked(const PictureView& source, uint8_t* out, int out_stride) {
  const auto& table = ExpandedLuma();
  for (int y = 0; y < source.height; ++y) {
    const uint8_t* from = source.planes[0] + static_cast<ptrdiff_t>(y) * source.strides[0];
    uint8_t* to = out + static_cast<ptrdiff_t>(y) * out_stride;
    for (int x = 0; x < source.width; ++x, to += 3) {
      const uint8_t value = source.color.full_range ? from[x] : table[from[x]];
      to[0] = to[1] = to[2] = value;
    }
  }
}

// Any format but packed RGB, at its own size.
void YuvToPacked(const PictureView& s, bool red_first, uint8_t* out, int out_stride) {
  const libyuv::YuvConstants* constants = Constants(s.color, red_first);
  const size_t u = red_first ? 2 : 1;
  const size_t v = red_first ? 1 : 2;
  switch (s.format) {
    case PixelFormat::kYuv420p:
      libyuv::I420ToRGB24Matrix(s.planes[0], s.strides[0], s.planes[u], s.strides[u], s.planes[v], s.strides[v], out,
                                out_stride, constants, s.width, s.height);
      return;
    case PixelFormat::kYuv422p:
      libyuv::I422ToRGB24Matrix(s.planes[0], s.strides[0], s.planes[u], s.strides[u], s.planes[v], s.strides[v], out,
                                out_stride, constants, s.width, s.height);
      return;
    case PixelFormat::kYuv444p:
      libyuv::I444ToRGB24Matrix(s.planes[0], s.strides[0], s.planes[u], s.strides[u], s.planes[v], s.strides[v], out,
                                out_stride, constants, s.width, s.height);
      return;
    case PixelFormat::kNv12:
      if (red_first) {
        libyuv::NV21ToRGB24Matrix(s.planes[0], s.strides[0], s.planes[1], s.strides[1], out, out_stride, constants,
                                  s.width, s.height);
      } else {
        libyuv::NV12ToRGB24Matrix(s.planes[0], s.strides[0], s.planes[1], s.strides[1], out, out_stride, constants,
                                  s.width, s.height);
      }
      return;
    case PixelFormat::kGray8: LumaToPacked(s, out, out_stride); return;
    case PixelFormat::kRgb24:
    case PixelFormat::kBgr24: DE_CHECK(false);
  }
}

void RgbToOrder(const PictureView& s, ChannelOrder order, uint8_t* out, int out_stride) {
  const bool source_red_first = s.format == PixelFormat::kRgb24;
  if (order == ChannelOrder::kGray) {
    const auto convert = source_red_first ? libyuv::RAWToJ400 : libyuv::RGB24ToJ400;
    convert(s.planes[0], s.strides[0], out, out_stride, s.width, s.height);
  } else if ((order == ChannelOrder::kRgb) == source_red_first) {
    libyuv::CopyPlane(s.planes[0], s.strides[0], out, out_stride, s.width * 3, s.height);
  } else {
    libyuv::RAWToRGB24(s.planes[0], s.strides[0], out, out_stride, s.width, s.height);  // exchanges red and blue
  }
}

void YuvToOrder(const PictureView& source, ChannelOrder order, uint8_t* out, int out_stride) {
  if (order == ChannelOrder::kGray) {
    LumaToGray(source, out, out_stride);
  } else {
    YuvToPacked(source, order == ChannelOrder::kRgb, out, out_stride);
  }
}

// Everything outside the placement.
void FillPadding(const Placement& place, int channels, uint8_t pad, std::span<uint8_t> input) {
  const auto row = static_cast<size_t>(place.input_width) * static_cast<size_t>(channels);
  const size_t left = static_cast<size_t>(place.x) * static_cast<size_t>(channels);
  const size_t right = static_cast<size_t>(place.x + place.width) * static_cast<size_t>(channels);
  const auto top = static_cast<size_t>(place.y);
  const auto bottom = static_cast<size_t>(place.y + place.height);
  std::memset(input.data(), pad, top * row);
  std::memset(input.data() + bottom * row, pad, input.size() - bottom * row);
  if (left == 0 && right == row) return;
  for (size_t y = top; y < bottom; ++y) {
    std::memset(input.data() + y * row, pad, left);
    std::memset(input.data() + y * row + right, pad, row - right);
  }
}

// Grows without ever shrinking, so that pictures of several sizes do not make it allocate again and again.
uint8_t* Reserve(std::vector<uint8_t>& buffer, size_t bytes) {
  if (buffer.size() < bytes) buffer.resize(bytes);
  return buffer.data();
}

size_t Bytes(int stride, int rows) { return static_cast<size_t>(stride) * static_cast<size_t>(rows); }

struct PixelRect {
  int x = 0;
  int y = 0;
  int width = 0;
  int height = 0;
};

// First and last pixel of [low, high) as fractions of `size`, grown to multiples of `step`.
void CropSide(float low, float high, int size, int step, int& start, int& length) {
  const int first = std::clamp(static_cast<int>(std::floor(low * static_cast<float>(size))), 0, size - 1);
  const int last = std::clamp(static_cast<int>(std::ceil(high * static_cast<float>(size))), first + 1, size);
  start = first / step * step;
  length = std::min((last + step - 1) / step * step, size) - start;
}

PixelRect CropRect(const PictureView& source, const Box& box) {
  const Layout layout = LayoutOf(source.format);
  PixelRect rect;
  CropSide(box.x1, box.x2, source.width, 1 << layout.chroma_shift_x, rect.x, rect.width);
  CropSide(box.y1, box.y2, source.height, 1 << layout.chroma_shift_y, rect.y, rect.height);
  return rect;
}

}  // namespace

// libyuv also scales interleaved samples (UVScale, ARGBScale, RGBScale), but those lose up to two levels of brightness
// on flat areas, and RGBScale allocates on every call; its ScalePlane is exact. So channels are split first.
PictureView PictureScaler::Split(const PictureView& source) {
  PictureView split = source;
  if (source.format == PixelFormat::kNv12) {
    const int width = ChromaSize(source.width, 1);
    const int height = ChromaSize(source.height, 1);
    uint8_t* u = Reserve(split_, 2 * Bytes(width, height));
    uint8_t* v = u + Bytes(width, height);
    libyuv::SplitUVPlane(source.planes[1], source.strides[1], u, width, v, width, width, height);
    split.format = PixelFormat::kYuv420p;
    split.planes = {source.planes[0], u, v};
    split.strides = {source.strides[0], width, width};
  } else if (IsRgb(source.format)) {
    const int width = source.width;
    const size_t plane = Bytes(width, source.height);
    uint8_t* first = Reserve(split_, 3 * plane);
    libyuv::SplitRGBPlane(source.planes[0], source.strides[0], first, width, first + plane, width, first + 2 * plane,
                          width, width, source.height);
    split.planes = {first, first + plane, first + 2 * plane};
    split.strides = {width, width, width};
  }
  return split;
}

PictureView PictureScaler::Scale(const PictureView& split, int planes, int width, int height) {
  const Layout layout = LayoutOf(split.format);
  const auto width_of = [&](size_t plane, int full) {
    return plane == 0 ? full : ChromaSize(full, layout.chroma_shift_x);
  };
  const auto height_of = [&](size_t plane, int full) {
    return plane == 0 ? full : ChromaSize(full, layout.chroma_shift_y);
  };
  uint8_t* out = Reserve(scaled_, static_cast<size_t>(planes) * Bytes(width, height));
  PictureView scaled = split;
  scaled.width = width;
  scaled.height = height;
  // Chroma comes out at full size: a source has more of it than a model's input shows, and networks notice when half of
  // it is thrown away (scores move by up to 0.15).
  if (!IsRgb(split.format) && planes == 3) scaled.format = PixelFormat::kYuv444p;
  for (size_t i = 0; i < static_cast<size_t>(planes); ++i) {
    libyuv::ScalePlane(split.planes[i], split.strides[i], width_of(i, split.width), height_of(i, split.height), out,
                       width, width, height, libyuv::kFilterBilinear);
    scaled.planes[i] = out;
    scaled.strides[i] = width;
    out += Bytes(width, height);
  }
  return scaled;
}

void PictureScaler::MergeRgb(const PictureView& planar, ChannelOrder order, uint8_t* out, int out_stride) {
  // libyuv's names are of the case R, G, B; what counts is which plane is written first.
  const bool source_red_first = planar.format == PixelFormat::kRgb24;
  const bool to_gray = order == ChannelOrder::kGray;
  const bool keep = to_gray || (order == ChannelOrder::kRgb) == source_red_first;
  const size_t first = keep ? 0 : 2;
  uint8_t* packed = to_gray ? Reserve(packed_, 3 * Bytes(planar.width, planar.height)) : out;
  const int packed_stride = to_gray ? 3 * planar.width : out_stride;
  libyuv::MergeRGBPlane(planar.planes[first], planar.width, planar.planes[1], planar.width, planar.planes[2 - first],
                        planar.width, packed, packed_stride, planar.width, planar.height);
  if (!to_gray) return;
  PictureView merged = planar;
  merged.planes[0] = packed;
  merged.strides[0] = packed_stride;
  RgbToOrder(merged, order, out, out_stride);
}

Status PictureScaler::ScaleInto(const PictureView& source, const Placement& place, ChannelOrder order, uint8_t pad,
                                std::span<uint8_t> input) {
  DE_TRY_STATUS(CheckPixels(source));
  const int channels = ChannelCount(order);
  DE_CHECK(place.x >= 0 && place.y >= 0 && place.width > 0 && place.height > 0);
  DE_CHECK(place.x + place.width <= place.input_width && place.y + place.height <= place.input_height);
  DE_CHECK(input.size() == Bytes(place.input_width * channels, place.input_height));

  FillPadding(place, channels, pad, input);
  const int stride = place.input_width * channels;
  uint8_t* out = input.data() + Bytes(stride, place.y) + static_cast<size_t>(place.x * channels);
  const bool same_size = source.width == place.width && source.height == place.height;
  if (same_size) {
    if (IsRgb(source.format)) {
      RgbToOrder(source, order, out, stride);
    } else {
      YuvToOrder(source, order, out, stride);
    }
    return {};
  }
  if (IsRgb(source.format)) {
    MergeRgb(Scale(Split(source), 3, place.width, place.height), order, out, stride);
  } else if (order == ChannelOrder::kGray) {
    YuvToOrder(Scale(source, 1, place.width, place.height), order, out, stride);
  } else {
    const PictureView split = Split(source);
    YuvToOrder(Scale(split, LayoutOf(split.format).planes, place.width, place.height), order, out, stride);
  }
  return {};
}

Result<RgbPicture> ToRgb(const PictureView& source) {
  DE_TRY_STATUS(CheckPixels(source));
  RgbPicture rgb{.width = source.width, .height = source.height, .pixels = {}};
  rgb.pixels.resize(Bytes(source.width * 3, source.height));
  const Placement place = PlacePicture(ResizeRule::kStretch, source.width, source.height, source.width, source.height);
  DE_TRY_STATUS(PictureScaler().ScaleInto(source, place, ChannelOrder::kRgb, 0, rgb.pixels));
  return rgb;
}

CroppedPicture Crop(const PictureView& source, const Box& box) {
  DE_CHECK(CheckPixels(source).ok());
  const Layout layout = LayoutOf(source.format);
  const PixelRect rect = CropRect(source, box);
  PictureView part = source;
  part.width = rect.width;
  part.height = rect.height;
  const int luma_bytes = IsRgb(source.format) ? 3 : 1;
  part.planes[0] += static_cast<ptrdiff_t>(rect.y) * source.strides[0] + rect.x * luma_bytes;
  const int chroma_bytes = source.format == PixelFormat::kNv12 ? 2 : 1;
  for (size_t i = 1; i < static_cast<size_t>(layout.planes); ++i) {
    part.planes[i] += static_cast<ptrdiff_t>(rect.y >> layout.chroma_shift_y) * source.strides[i] +
                      (rect.x >> layout.chroma_shift_x) * chroma_bytes;
  }
  const auto width = static_cast<float>(source.width);
  const auto height = static_cast<float>(source.height);
  return {.picture = part,
          .box = {static_cast<float>(rect.x) / width, static_cast<float>(rect.y) / height,
                  static_cast<float>(rect.x + rect.width) / width, static_cast<float>(rect.y + rect.height) / height}};
}

}  // namespace deepedge
