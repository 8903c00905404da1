// Pictures in memory: views that borrow pixels, and what one needs to know to read them.
#pragma once

#include <array>
#include <cstdint>
#include <vector>

namespace deepedge {

// Named as FFmpeg names them. 8 bits a sample. kRgb24/kBgr24 hold one packed plane, bytes in the order of the name.
enum class PixelFormat { kYuv420p, kYuv422p, kYuv444p, kNv12, kGray8, kRgb24, kBgr24 };

enum class ColorMatrix { kBt601, kBt709 };

struct ColorSpace {
  ColorMatrix matrix = ColorMatrix::kBt601;
  bool full_range = false;  // luma 0..255 ("yuvj", JPEG) rather than 16..235
  friend bool operator==(const ColorSpace&, const ColorSpace&) = default;
};

// Borrowed pixels: valid as long as what they were taken from. Strides are bytes from one row to the next.
struct PictureView {
  PixelFormat format = PixelFormat::kYuv420p;
  int width = 0;
  int height = 0;
  ColorSpace color;
  std::array<const uint8_t*, 3> planes{};
  std::array<int, 3> strides{};
};

// An owned packed RGB picture (bytes R, G, B; rows without padding): for drawing and for picture files, not for the
// per-frame path.
struct RgbPicture {
  int width = 0;
  int height = 0;
  std::vector<uint8_t> pixels;  // width * height * 3

  PictureView View() const {
    return {.format = PixelFormat::kRgb24,
            .width = width,
            .height = height,
            .color = {},
            .planes = {pixels.data(), nullptr, nullptr},
            .strides = {width * 3, 0, 0}};
  }
};

}  // namespace deepedge
