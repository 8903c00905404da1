#include "deepedge/media/jpeg.h"

#include <gtest/gtest.h>
#include <turbojpeg.h>

#include <cmath>
#include <memory>

#include "deepedge/media/pixel_ops.h"

namespace deepedge {
namespace {

struct Decoded {
  RgbPicture picture;
  int subsampling = -1;
};

Decoded Decode(const std::vector<uint8_t>& jpeg) {
  const std::unique_ptr<void, int (*)(tjhandle)> handle(tjInitDecompress(), tjDestroy);
  Decoded decoded;
  int colorspace = 0;
  EXPECT_EQ(tjDecompressHeader3(handle.get(), jpeg.data(), jpeg.size(), &decoded.picture.width, &decoded.picture.height,
                                &decoded.subsampling, &colorspace),
            0);
  auto& picture = decoded.picture;
  picture.pixels.resize(static_cast<size_t>(picture.width) * static_cast<size_t>(picture.height) * 3);
  EXPECT_EQ(tjDecompress2(handle.get(), jpeg.data(), jpeg.size(), picture.pixels.data(), picture.width, 0,
                          picture.height, TJPF_RGB, 0),
            0);
  return decoded;
}

// Mean difference of the samples, of 255.
double Difference(const RgbPicture& a, const RgbPicture& b) {
  EXPECT_EQ(a.width, b.width);
  EXPECT_EQ(a.height, b.height);
  if (a.pixels.size() != b.pixels.size()) return 255;
  double sum = 0;
  for (size_t i = 0; i < a.pixels.size(); ++i) sum += std::abs(static_cast<int>(a.pixels[i]) - b.pixels[i]);
  return sum / static_cast<double>(a.pixels.size());
}

// Smooth colours that differ from place to place, in planes of any format, with rows longer than the picture is wide.
class TestPicture {
 public:
  TestPicture(PixelFormat format, ColorSpace color, int width, int height) {
    view_ = {.format = format, .width = width, .height = height, .color = color};
    const bool halved_x = format != PixelFormat::kYuv444p;
    const bool halved_y = format == PixelFormat::kYuv420p || format == PixelFormat::kNv12;
    const int chroma_width = halved_x ? (width + 1) / 2 : width;
    const int chroma_height = halved_y ? (height + 1) / 2 : height;
    const bool is_rgb = format == PixelFormat::kRgb24 || format == PixelFormat::kBgr24;
    Fill(0, is_rgb ? 3 * width : width, height, 40, 200);
    if (is_rgb || format == PixelFormat::kGray8) return;
    if (format == PixelFormat::kNv12) {
      Fill(1, 2 * chroma_width, chroma_height, 100, 160);
    } else {
      Fill(1, chroma_width, chroma_height, 90, 150);
      Fill(2, chroma_width, chroma_height, 170, 100);
    }
  }
  const PictureView& view() const { return view_; }

 private:
  void Fill(size_t plane, int width, int height, int from, int to) {
    const int stride = width + 11;
    data_[plane].assign(static_cast<size_t>(stride * height), 255);
    for (int y = 0; y < height; ++y) {
      for (int x = 0; x < width; ++x) {
        const double at = (0.3 * x) / width + (0.7 * y) / height;
        data_[plane][static_cast<size_t>(y * stride + x)] = static_cast<uint8_t>(from + (to - from) * at);
      }
    }
    view_.planes[plane] = data_[plane].data();
    view_.strides[plane] = stride;
  }

  std::array<std::vector<uint8_t>, 3> data_;
  PictureView view_;
};

constexpr Box kWhole{0, 0, 1, 1};

TEST(EncodeJpeg, KeepsThePictureOfEveryFormat) {
  const struct {
    PixelFormat format;
    int subsampling;
  } formats[] = {
      {PixelFormat::kYuv420p, TJSAMP_420}, {PixelFormat::kYuv422p, TJSAMP_422}, {PixelFormat::kYuv444p, TJSAMP_444},
      {PixelFormat::kNv12, TJSAMP_420},    {PixelFormat::kGray8, TJSAMP_GRAY},  {PixelFormat::kRgb24, TJSAMP_420},
      {PixelFormat::kBgr24, TJSAMP_420},
  };
  constexpr ColorSpace kJpegColors{ColorMatrix::kBt601, true};
  constexpr ColorSpace kColors[] = {
      kJpegColors, {ColorMatrix::kBt601, false}, {ColorMatrix::kBt709, true}, {ColorMatrix::kBt709, false}};
  constexpr Box kBoxes[] = {kWhole, {0.25F, 0.25F, 0.75F, 0.8F}, {0.111F, 0.222F, 0.9F, 0.777F}, {0.98F, 0.98F, 1, 1}};
  for (const auto& f : formats) {
    for (const ColorSpace& color : kColors) {
      const TestPicture picture(f.format, color, 97, 65);  // odd: half a chroma sample at the edges
      for (const Box& box : kBoxes) {
        const auto jpeg = EncodeJpeg(picture.view(), box, {.quality = 95});
        ASSERT_TRUE(jpeg.ok()) << jpeg.error().message;
        const Decoded decoded = Decode(jpeg.value());
        const bool is_planar = f.format != PixelFormat::kNv12 && f.format != PixelFormat::kRgb24 &&
                               f.format != PixelFormat::kBgr24 && f.format != PixelFormat::kGray8;
        EXPECT_EQ(decoded.subsampling, is_planar && color != kJpegColors ? TJSAMP_420 : f.subsampling);
        const auto expected = ToRgb(Crop(picture.view(), box).picture);
        EXPECT_LT(Difference(decoded.picture, expected.value()), 3.0)
            << "format " << static_cast<int>(f.format) << ", matrix " << static_cast<int>(color.matrix)
            << ", full range " << color.full_range << ", box " << box.x1;
      }
    }
  }
}

TEST(EncodeJpeg, BoundsTheLongestSide) {
  const struct {
    int width, height, longest_side;
    int expected_width, expected_height;
  } cases[] = {
      {640, 480, 320, 320, 240}, {480, 640, 320, 240, 320}, {640, 480, 640, 640, 480}, {640, 480, 10'000, 640, 480},
      {640, 480, 1, 1, 1},       {640, 2, 64, 64, 1},       {640, 480, 0, 640, 480},
  };
  for (const ColorSpace color : {ColorSpace{ColorMatrix::kBt601, true}, ColorSpace{ColorMatrix::kBt709, false}}) {
    for (const auto& c : cases) {
      const TestPicture picture(PixelFormat::kYuv420p, color, c.width, c.height);
      const auto jpeg = EncodeJpeg(picture.view(), kWhole, {.longest_side = c.longest_side});
      ASSERT_TRUE(jpeg.ok());
      const Decoded decoded = Decode(jpeg.value());
      EXPECT_EQ(decoded.picture.width, c.expected_width);
      EXPECT_EQ(decoded.picture.height, c.expected_height);
    }
  }
  const TestPicture picture(PixelFormat::kYuv420p, {}, 640, 480);
  const RgbPicture small = Decode(EncodeJpeg(picture.view(), kWhole, {.longest_side = 64}).value()).picture;
  const TestPicture same(PixelFormat::kYuv420p, {}, 64, 48);
  EXPECT_LT(Difference(small, ToRgb(same.view()).value()), 4.0);
}

TEST(EncodeJpeg, WritesSmallerFilesOfLessQuality) {
  const TestPicture picture(PixelFormat::kYuv420p, {ColorMatrix::kBt601, true}, 640, 480);
  const size_t best = EncodeJpeg(picture.view(), kWhole, {.quality = 100}).value().size();
  const size_t good = EncodeJpeg(picture.view(), kWhole, {.quality = 80}).value().size();
  const size_t bad = EncodeJpeg(picture.view(), kWhole, {.quality = 1}).value().size();
  EXPECT_GT(best, good);
  EXPECT_GT(good, bad);
}

TEST(EncodeJpeg, RefusesWhatIsNoPicture) {
  EXPECT_EQ(EncodeJpeg({}, kWhole, {}).error().code, ErrorCode::kUnsupported);
  PictureView no_pixels{.format = PixelFormat::kGray8, .width = 10, .height = 10};
  EXPECT_EQ(EncodeJpeg(no_pixels, kWhole, {}).error().code, ErrorCode::kUnsupported);
  const TestPicture whole(PixelFormat::kYuv420p, {}, 16, 16);
  PictureView no_chroma = whole.view();
  no_chroma.planes[2] = nullptr;
  EXPECT_EQ(EncodeJpeg(no_chroma, kWhole, {}).error().code, ErrorCode::kUnsupported);
  const TestPicture wide(PixelFormat::kGray8, {ColorMatrix::kBt601, true}, 70'000, 1);
  EXPECT_EQ(EncodeJpeg(wide.view(), kWhole, {}).error().code, ErrorCode::kUnsupported);
  EXPECT_TRUE(EncodeJpeg(wide.view(), kWhole, {.longest_side = 1000}).ok());
}

}  // namespace
}  // namespace deepedge
