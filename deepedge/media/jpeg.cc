#include "deepedge/media/jpeg.h"

#include <fmt/format.h>
#include <turbojpeg.h>

#include <algorithm>
#include <memory>
#include <optional>

#include "deepedge/media/pixel_ops.h"

namespace deepedge {
namespace {

constexpr int kLongestSide = 65'500;

using Compressor = std::unique_ptr<void, int (*)(tjhandle)>;
using Buffer = std::unique_ptr<unsigned char, void (*)(unsigned char*)>;

// How the format's chroma lies, where its planes can be taken as they are.
std::optional<int> PlanarSubsampling(const PictureView& picture) {
  const bool has_jpeg_colors = picture.color == ColorSpace{ColorMatrix::kBt601, true};
  switch (picture.format) {
    case PixelFormat::kYuv420p: return has_jpeg_colors ? std::optional<int>(TJSAMP_420) : std::nullopt;
    case PixelFormat::kYuv422p: return has_jpeg_colors ? std::optional<int>(TJSAMP_422) : std::nullopt;
    case PixelFormat::kYuv444p: return has_jpeg_colors ? std::optional<int>(TJSAMP_444) : std::nullopt;
    case PixelFormat::kGray8: return picture.color.full_range ? std::optional<int>(TJSAMP_GRAY) : std::nullopt;
    case PixelFormat::kNv12:
    case PixelFormat::kRgb24:
    case PixelFormat::kBgr24: return std::nullopt;
  }
  return std::nullopt;
}

bool IsRgb(PixelFormat format) { return format == PixelFormat::kRgb24 || format == PixelFormat::kBgr24; }

bool HasPixels(const PictureView& picture) {
  const bool planar = picture.format == PixelFormat::kYuv420p || picture.format == PixelFormat::kYuv422p ||
                      picture.format == PixelFormat::kYuv444p;
  const bool has_chroma = picture.planes[1] != nullptr && (picture.planes[2] != nullptr || !planar);
  const bool needs_chroma = planar || picture.format == PixelFormat::kNv12;
  return picture.width > 0 && picture.height > 0 && picture.planes[0] != nullptr && (has_chroma || !needs_chroma);
}

// Planes, or packed RGB.
Result<std::vector<uint8_t>> Compress(const PictureView& picture, int quality, bool gray) {
  const Compressor compressor(tjInitCompress(), tjDestroy);
  if (!compressor) return Error{ErrorCode::kExhausted, "no memory for a JPEG"};
  unsigned char* bytes = nullptr;
  unsigned long size = 0;
  int done = 0;
  if (const auto subsampling = PlanarSubsampling(picture)) {
    const unsigned char* planes[] = {picture.planes[0], picture.planes[1], picture.planes[2]};
    done = tjCompressFromYUVPlanes(compressor.get(), planes, picture.width, picture.strides.data(), picture.height,
                                   *subsampling, &bytes, &size, quality, 0);
  } else {
    const int order = picture.format == PixelFormat::kBgr24 ? TJPF_BGR : TJPF_RGB;
    done = tjCompress2(compressor.get(), picture.planes[0], picture.width, picture.strides[0], picture.height, order,
                       &bytes, &size, gray ? TJSAMP_GRAY : TJSAMP_420, quality, 0);
  }
  const Buffer owner(bytes, tjFree);
  if (done != 0 || bytes == nullptr) {
    return Error{ErrorCode::kInternal, fmt::format("a picture of {}x{} cannot be made a JPEG: {}", picture.width,
                                                   picture.height, tjGetErrorStr2(compressor.get()))};
  }
  return std::vector<uint8_t>(bytes, bytes + size);
}

Result<RgbPicture> ScaledRgb(const PictureView& picture, int longest_side) {
  const double factor = static_cast<double>(longest_side) / std::max(picture.width, picture.height);
  const auto scaled = [&](int side) { return std::max(1, static_cast<int>(side * factor + 0.5)); };
  RgbPicture rgb{.width = scaled(picture.width), .height = scaled(picture.height), .pixels = {}};
  rgb.pixels.resize(static_cast<size_t>(rgb.width) * static_cast<size_t>(rgb.height) * 3);
  const Placement place = PlacePicture(ResizeRule::kStretch, picture.width, picture.height, rgb.width, rgb.height);
  DE_TRY_STATUS(PictureScaler().ScaleInto(picture, place, ChannelOrder::kRgb, 0, rgb.pixels));
  return rgb;
}

}  // namespace

Result<std::vector<uint8_t>> EncodeJpeg(const PictureView& source, const Box& crop, const JpegOptions& options) {
  if (!HasPixels(source)) {
    return Error{ErrorCode::kUnsupported, "a picture without pixels cannot be made a JPEG"};
  }
  const PictureView part = Crop(source, crop).picture;
  const int quality = std::clamp(options.quality, 1, 100);
  const bool gray = part.format == PixelFormat::kGray8;
  const int longest_side = options.longest_side > 0 ? std::min(options.longest_side, kLongestSide) : kLongestSide;
  const int longest = std::max(part.width, part.height);
  if (longest > longest_side) {
    if (options.longest_side <= 0) {
      return Error{ErrorCode::kUnsupported,
                   fmt::format("a picture of {}x{} is too large for a JPEG", part.width, part.height)};
    }
    DE_TRY(const RgbPicture rgb, ScaledRgb(part, longest_side));
    return Compress(rgb.View(), quality, gray);
  }
  if (PlanarSubsampling(part) || IsRgb(part.format)) return Compress(part, quality, gray);
  DE_TRY(const RgbPicture rgb, ToRgb(part));
  return Compress(rgb.View(), quality, gray);
}

}  // namespace deepedge
